"""The native API's dialect, without its routes: submitted JSON → scrobbles, a play → JSON. Pure."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import msgspec

from sleevenotes import errors
from sleevenotes.model import Evidence, Scrobble, Status
from sleevenotes.server import home, inputs
from sleevenotes.server.problems import FieldProblem, ItemProblem
from sleevenotes.store.played import Play
from sleevenotes.store.source_ids import Ids, SourceId

MAX_SCROBBLES = 50
MAX_ITEM_BYTES = 20_000
MAX_NAME = 500
MAX_GENRE = 100
MAX_URI = 2_000
YEARS = (1800, 2100)
DURATIONS_MS = (30_000, 2_073_600_000)  # shorter is no play of a track; longer than 24 days is no track
SKEW = timedelta(hours=1)  # a player's clock may be this much ahead, as at ListenBrainz
EARLIEST = datetime(1900, 1, 1, tzinfo=UTC)


class Batch(NamedTuple):
    """What a document held: (index, scrobble) of the valid ones, and what is wrong with the others."""

    valid: list[tuple[int, Scrobble]]
    problems: list[ItemProblem]


class _Document(msgspec.Struct):
    scrobbles: list[msgspec.Raw]


_DOCUMENT = msgspec.json.Decoder(_Document)
_ITEM = msgspec.json.Decoder(dict[str, Any])

# ---------------------------------------------------------------- in


def read(body: bytes, now: datetime) -> Batch:
    """Read a submitted document; every item is judged by itself.

    Raises errors.Refused when the document itself is unfit, whatever its items.
    """
    try:
        items = inputs.decoded(_DOCUMENT, body).scrobbles
    except msgspec.ValidationError:
        raise errors.Refused('The document must be {"scrobbles": […]}.', field="scrobbles") from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise errors.Refused(f"The document is no JSON: {error}") from None
    if not 1 <= len(items) <= MAX_SCROBBLES:
        raise errors.Refused(f"A submit holds 1 to {MAX_SCROBBLES} scrobbles, not {len(items)}.", field="scrobbles")
    batch = Batch([], [])
    for index, raw in enumerate(items):
        scrobble = _read_item(bytes(raw), now)
        if isinstance(scrobble, Scrobble):
            batch.valid.append((index, scrobble))
        else:
            batch.problems.append(ItemProblem(index, scrobble))
    return batch


def _read_item(raw: bytes, now: datetime) -> Scrobble | list[FieldProblem]:
    if len(raw) > MAX_ITEM_BYTES:
        return [FieldProblem("scrobble", f"is larger than {MAX_ITEM_BYTES} bytes")]
    try:
        fields = _ITEM.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return [FieldProblem("scrobble", f"cannot be read: {error}")]
    if inputs.may_hold_null(raw) and inputs.holds_null(fields):
        return [FieldProblem("scrobble", "contains a NUL character")]
    form = _Form(fields)
    scrobble = _fill(form, now)
    return form.problems or scrobble


class _Form:
    """Takes fields out of an item, noting what is wrong with them; what stays is kept as `extra`."""

    def __init__(self, fields: dict[str, Any]) -> None:
        self.fields = fields
        self.problems: list[FieldProblem] = []

    def refuse(self, field: str, message: str) -> None:
        self.problems.append(FieldProblem(field, message))

    def text(self, field: str, limit: int, *, required: bool = False) -> str:
        value = self.fields.pop(field, None)
        if value is not None and not isinstance(value, str):
            self.refuse(field, "must be a text")
            return ""
        text = (value or "").strip()
        if required and not text:
            self.refuse(field, "is required")
        if len(text) > limit:
            self.refuse(field, f"has more than {limit} characters")
        return text

    def whole(self, field: str, bounds: tuple[int, int]) -> int | None:
        value = self.fields.pop(field, None)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int) or not bounds[0] <= value <= bounds[1]:
            self.refuse(field, f"must be a whole number from {bounds[0]} to {bounds[1]}")
            return None
        return value

    def keep(self, field: str, take: Callable[[], object]) -> None:
        """Check a field that has no column of its own, and leave it among the further ones."""
        sent = self.fields.get(field, msgspec.UNSET)
        take()
        if sent is not msgspec.UNSET:
            self.fields[field] = sent

    def mbids(self, field: str) -> tuple[str, ...]:
        values = self.fields.pop(field, None) or []
        values = [values] if isinstance(values, str) else values
        if not isinstance(values, list) or not all(map(inputs.is_mbid, values)):
            self.refuse(field, "must be a MusicBrainz id")
            return ()
        return tuple(value.lower() for value in values)


def _fill(form: _Form, now: datetime) -> Scrobble:
    form.keep("genre", lambda: form.text("genre", MAX_GENRE))
    form.keep("year", lambda: form.whole("year", YEARS))
    return Scrobble(
        artist=form.text("artist_name", MAX_NAME, required=True),
        track=form.text("track_name", MAX_NAME, required=True),
        release=form.text("album_name", MAX_NAME),
        listened_at=_played_at(form, now),
        album_artist=form.text("album_artist", MAX_NAME),
        duration_ms=form.whole("duration_ms", DURATIONS_MS),
        source_app=form.text("source_app", MAX_NAME, required=True),
        source_device=form.text("source_device", MAX_NAME),
        origin="api",
        artwork_uri=_uri(form),
        evidence=_evidence(form),
        extra=form.fields,
    )


def _played_at(form: _Form, now: datetime) -> datetime | None:
    value = form.fields.pop("played_at", None)
    if value is None:
        form.refuse("played_at", "is required")
        return None
    at = moment(value)
    if at is None:
        form.refuse("played_at", "must be an ISO 8601 time with its zone, or UNIX seconds")
    elif at > now + SKEW:
        form.refuse("played_at", "is in the future")
    elif at < EARLIEST:
        form.refuse("played_at", "is before 1900")
    return at


def moment(value: object) -> datetime | None:
    """Read a time: ISO 8601 (without a zone it is UTC) or UNIX seconds, also as text; None when it is neither."""
    try:
        if isinstance(value, str):
            value = value.strip()
            if not value.replace(".", "", 1).isdecimal():
                at = datetime.fromisoformat(value)
                return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
        if isinstance(value, bool) or not isinstance(value, (int, float, str)):
            return None
        return datetime.fromtimestamp(float(value), UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _uri(form: _Form) -> str:
    uri = form.text("artwork_uri", MAX_URI)
    if uri and not uri.startswith(("https://", "http://")):
        form.refuse("artwork_uri", "must be an http or https address")
    return uri


def _evidence(form: _Form) -> Evidence:
    def one(field: str) -> str:
        return next(iter(form.mbids(field)), "")

    return Evidence(
        recording_mbid=one("recording_mbid"),
        release_mbid=one("release_mbid"),
        release_group_mbid=one("release_group_mbid"),
        artist_mbids=form.mbids("artist_mbids"),
        isrc=form.text("isrc", 20),
        track_number=form.whole("track_number", (0, 10_000)),
    )


# ---------------------------------------------------------------- out


class Elsewhere(msgspec.Struct, frozen=True):
    """An id at another source; `kind` is the source's own, where it has several, `page` "" where it is not known."""

    id: str
    kind: str
    page: str


class Track(msgspec.Struct, frozen=True):
    """The recording a play was matched to; `source_ids` is what other sources call it, by source."""

    id: int
    name: str
    mbid: str
    duration_ms: int | None
    source_ids: dict[str, Elsewhere]


class CreditedArtist(msgspec.Struct, frozen=True):
    """One artist of a credit, and what joins the next."""

    id: int
    name: str
    mbid: str
    join_phrase: str
    source_ids: dict[str, Elsewhere]


class Artist(msgspec.Struct, frozen=True):
    """The artist credit of the recording; `id` and `mbid` are the first artist's."""

    id: int
    name: str
    mbid: str
    credits: list[CreditedArtist]


class Album(msgspec.Struct, frozen=True):
    """The release group, and the edition that was chosen of it."""

    id: int
    name: str
    mbid: str
    release_mbid: str
    source_ids: dict[str, Elsewhere]


class ScrobbleAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A scrobble: as it was sent, and what it was matched to (null while unknown).

    `effective_artwork_url` is an address on this server, and `preferred_artwork_url` too, where the listener chose it;
    `artwork_uri` is what the client sent, not to be shown. `artwork_by` says what led to the image: `choice` for this
    scrobble alone, `preference` for its album, `sent` with it, `album`, `preview`, `temporary`, "" for none.
    `feedback` is 1 for a loved track, -1 for a hated one, 0 for neither. `lookup_id` is its name's: the same for every
    play that was sent with the same artist, track and album.
    `origin` is where it came from; `same_as` the scrobble that is shown instead, where another service recorded the
    same play, else null.
    """

    id: int
    lookup_id: int
    played_at: datetime
    track_name: str
    artist_name: str
    album_name: str
    album_artist: str
    duration_ms: int | None
    source_app: str
    source_device: str
    artwork_uri: str
    metadata_status: Status
    effective_artwork_url: str | None
    preferred_artwork_url: str | None
    artwork_by: str
    artwork_thumbhash: str
    artwork_colour: str
    track: Track | None
    artist: Artist | None
    album: Album | None
    feedback: int
    extra: dict[str, Any]
    origin: str
    same_as: int | None


def written(play: Play, ids: Ids) -> ScrobbleAnswer:
    """Write a play, with what sources call what it was matched to."""
    return ScrobbleAnswer(
        id=play.id,
        lookup_id=play.lookup_id,
        played_at=play.listened_at,
        track_name=play.track,
        artist_name=play.artist,
        album_name=play.release,
        album_artist=play.album_artist,
        duration_ms=play.duration_ms,
        source_app=play.source_app,
        source_device=play.source_device,
        artwork_uri=play.artwork_uri,
        metadata_status=play.status,
        effective_artwork_url=artwork_url(play),
        preferred_artwork_url=artwork_url(play) if play.artwork_by in ("choice", "preference") else None,
        artwork_by=play.artwork_by,
        artwork_thumbhash=play.thumbhash,
        artwork_colour=play.colour,
        track=_track(play, ids),
        artist=_artist(play, ids),
        album=_album(play, ids),
        feedback=play.feedback,
        extra=play.extra,
        origin=play.origin,
        same_as=play.same_as,
    )


def artwork_url(play: Play) -> str | None:
    """Return where the cover to show is, on this server; None while there is none."""
    return home.outward(f"/images/{play.image_digest}/500") if play.image_digest else None


def _track(play: Play, ids: Ids) -> Track | None:
    if play.recording_id is None:
        return None
    own = _elsewhere(ids.recordings, play.recording_id)
    return Track(play.recording_id, play.recording_title, play.recording_mbid, play.length_ms, own)


def _artist(play: Play, ids: Ids) -> Artist | None:
    if not play.artists:
        return None
    credits_ = [
        CreditedArtist(artist_id, name, mbid, join, _elsewhere(ids.artists, artist_id))
        for artist_id, mbid, name, join in play.artists
    ]
    return Artist(credits_[0].id, play.artist_credit, credits_[0].mbid, credits_)


def _album(play: Play, ids: Ids) -> Album | None:
    if play.release_group_id is None:
        return None
    own = _elsewhere(ids.release_groups, play.release_group_id)
    return Album(play.release_group_id, play.release_group_title, play.release_group_mbid, play.release_mbid, own)


def _elsewhere(told: Mapping[int, Sequence[SourceId]], subject_id: int) -> dict[str, Elsewhere]:
    """Return one id a source: of an album that is a master and a release there, the master's, which is told first."""
    return {each.source: Elsewhere(each.id, each.kind, each.page) for each in reversed(told.get(subject_id, ()))}


# ---------------------------------------------------------------- cursors


def cursor_after(play: Play) -> str:
    """Write where a page ended; opaque to clients."""
    micros = round((play.listened_at - datetime.fromtimestamp(0, UTC)) / timedelta(microseconds=1))
    return base64.urlsafe_b64encode(f"{micros}.{play.id}".encode()).decode().rstrip("=")


def read_cursor(cursor: str) -> tuple[datetime, int]:
    """Read what `cursor_after` wrote. Raises errors.Refused for anything else."""
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        micros, scrobble_id = base64.urlsafe_b64decode(padded).decode().split(".")
        return datetime.fromtimestamp(0, UTC) + timedelta(microseconds=int(micros)), int(scrobble_id)
    except (ValueError, OverflowError, binascii.Error):
        raise errors.Refused(
            "This cursor is none of ours: take next_cursor of the page before.", field="cursor"
        ) from None
