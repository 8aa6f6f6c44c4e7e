"""ListenBrainz' dialect, without its routes: a submitted document → scrobbles, a play → a listen.

Pure. Limits and messages are ListenBrainz' own (upstreams §3.1), so that clients which know them understand us.
Two rules differ: a faulty item of an import is refused alone, and fields we do not know are kept, not refused.
"""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

import msgspec

from sleevenotes import errors, names
from sleevenotes.model import Evidence, Scrobble, Status
from sleevenotes.server import inputs, problems
from sleevenotes.store.played import Play

MAX_LISTEN_BYTES = 10_240
MAX_LISTENS = 1_000
MAX_PAYLOAD_BYTES = problems.MAX_LISTENS_BYTES
MAX_TAGS = 50
MAX_TAG_LENGTH = 64
MAX_DURATION_S = 2_073_600  # 24 days
EARLIEST = 1_033_430_400  # 2002-10-01 UTC: before the first scrobbler
MAX_SKEW_S = 3_600  # a player's clock may be this much ahead

_INT32 = 2**31 - 1


class Document(msgspec.Struct):
    """A submitted document; the listens stay raw, for each is judged by itself."""

    listen_type: str
    payload: list[msgspec.Raw]


class Rejected(msgspec.Struct, frozen=True):
    """An item that was refused; `index` counts from 0."""

    index: int
    error: str


class Batch(NamedTuple):
    """What a document held; `sent` and `rejected` together are all its listens."""

    listen_type: str
    sent: list[Scrobble]
    rejected: list[Rejected]


class _Listen(msgspec.Struct, forbid_unknown_fields=True):
    track_metadata: Any = None
    listened_at: Any = msgspec.UNSET


_DOCUMENT = msgspec.json.Decoder(Document)
_LISTEN = msgspec.json.Decoder(_Listen)

# ---------------------------------------------------------------- in


def read(body: bytes, now: datetime) -> Batch:
    """Read a submitted document; faulty items of it are in `rejected`.

    Raises errors.Refused when the document itself is unfit, whatever its items.
    """
    if len(body) > MAX_PAYLOAD_BYTES:
        raise errors.Refused(f"Payload too large. Payload cannot exceed {MAX_PAYLOAD_BYTES} bytes")
    document = _document(body)
    single = document.listen_type != "import"
    if single and len(document.payload) != 1:
        raise errors.Refused(
            "JSON document contains more than listen for a single or playing_now. It should contain only one."
            if document.payload
            else "JSON document contains no listen; a single or playing_now should contain exactly one."
        )
    if len(document.payload) > MAX_LISTENS:
        raise errors.Refused(f"Too many listens. You may not submit more than {MAX_LISTENS} listens at once.")
    latest = now.timestamp() + MAX_SKEW_S
    nulls = inputs.may_hold_null(body)
    batch = Batch(document.listen_type, [], [])
    for index, raw in enumerate(document.payload):
        try:
            batch.sent.append(_scrobble(raw, document.listen_type, latest, nulls=nulls))
        except errors.Refused as error:
            batch.rejected.append(Rejected(index, str(error)))
    return batch


def _document(body: bytes) -> Document:
    try:
        document = inputs.decoded(_DOCUMENT, body)
    except msgspec.ValidationError as error:
        if "listen_type" in str(error):
            raise errors.Refused("JSON document requires a valid listen_type key.") from None
        raise errors.Refused("Invalid JSON document submitted: its payload must be a list of listens.") from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise errors.Refused("Invalid JSON document submitted.") from None
    if document.listen_type not in ("single", "playing_now", "import"):
        raise errors.Refused("JSON document requires a valid listen_type key.")
    return document


def _scrobble(raw: msgspec.Raw, listen_type: str, latest: float, *, nulls: bool) -> Scrobble:
    listen = _decoded(raw, listen_type)
    if nulls and inputs.holds_null(listen.track_metadata):
        raise errors.Refused("track_metadata contains a unicode null character")
    listened_at = None if listen_type == "playing_now" else _listened_at(listen.listened_at, latest)
    if listen_type == "playing_now" and listen.listened_at is not msgspec.UNSET:
        raise errors.Refused("JSON document must not contain listened_at while submitting playing_now.")
    metadata = listen.track_metadata
    if not isinstance(metadata, dict):
        raise errors.Refused("JSON document does not contain a valid track_metadata.")
    artist, track = _name(metadata, "artist_name"), _name(metadata, "track_name")
    release = metadata.pop("release_name", None) or ""
    if not isinstance(release, str):
        raise errors.Refused("track_metadata.release_name must be a single string.")
    info = metadata.pop("additional_info", None) or {}
    if not isinstance(info, dict):
        raise errors.Refused("track_metadata.additional_info must be an object.")
    return _with_info(artist, track, release.strip(), listened_at, info, metadata)


def _decoded(raw: msgspec.Raw, listen_type: str) -> _Listen:
    if len(memoryview(raw)) > MAX_LISTEN_BYTES:
        raise errors.Refused(
            f"JSON document is too large. Each listens may not be larger than {MAX_LISTEN_BYTES} bytes."
        )
    try:
        listen = _LISTEN.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        if "unknown field" not in str(error):
            raise errors.Refused(f"The listen cannot be read: {error}") from None
        keys = "track_metadata" if listen_type == "playing_now" else "listened_at and track_metadata"
        raise errors.Refused(f"JSON document may only contain {keys} top level keys") from None
    return listen


def _listened_at(value: object, latest: float) -> datetime:
    if value is msgspec.UNSET:
        raise errors.Refused("JSON document must contain the key listened_at at the top level.")
    try:
        at = int(value)  # type: ignore[call-overload] # whatever it is, it says
    except (TypeError, ValueError, OverflowError):
        raise errors.Refused("JSON document must contain an int value for listened_at.") from None
    if at > latest:
        raise errors.Refused("Value for key listened_at is too high.")
    if at < EARLIEST:
        raise errors.Refused(
            f"Value for key listened_at is too low. listened_at timestamp should be greater than {EARLIEST} "
            "(2002-10-01 00:00:00 UTC)."
        )
    return datetime.fromtimestamp(at, UTC)


def _name(metadata: dict[str, Any], field: str) -> str:
    name = metadata.pop(field, None)
    if name is not None and not isinstance(name, str):
        raise errors.Refused(f"track_metadata.{field} must be a single string.")
    name = (name or "").strip()
    if not name:
        raise errors.Refused(f"JSON document does not contain required track_metadata.{field}.")
    return name


def _with_info(
    artist: str,
    track: str,
    release: str,
    listened_at: datetime | None,
    info: dict[str, Any],
    further: dict[str, Any],
) -> Scrobble:
    _check_tags(info.get("tags"))
    duration_ms = _take_duration(info)
    evidence = _take_evidence(info)
    extra = {**info, "track_metadata": further} if further else info
    return Scrobble(
        artist=artist,
        track=track,
        release=release,
        listened_at=listened_at,
        album_artist=_text(info.get("release_artist_name")),
        duration_ms=duration_ms,
        source_app=next(filter(None, (_text(info.get(field)) for field in _PLAYERS)), ""),
        origin="listenbrainz",
        evidence=evidence,
        extra=extra,
    )


_PLAYERS = ("media_player", "listening_from", "submission_client")  # the first that says something


def _text(value: object) -> str:
    return value.strip() if isinstance(value, str) else ""


def _check_tags(tags: object) -> None:
    if not isinstance(tags, list):
        return
    if len(tags) > MAX_TAGS:
        raise errors.Refused(
            f"JSON document may not contain more than {MAX_TAGS} items in track_metadata.additional_info.tags."
        )
    if any(isinstance(tag, str) and len(tag) > MAX_TAG_LENGTH for tag in tags):
        raise errors.Refused(
            "JSON document may not contain track_metadata.additional_info.tags longer than "
            f"{MAX_TAG_LENGTH} characters."
        )


def _take_duration(info: dict[str, Any]) -> int | None:
    if "duration" in info and "duration_ms" in info:
        raise errors.Refused("JSON document should not contain both duration and duration_ms.")
    for field, unit_ms in (("duration_ms", 1), ("duration", 1000)):
        if info.get(field) is None:
            continue
        try:
            value = int(info[field])
        except (TypeError, ValueError, OverflowError):
            value = 0
        if value <= 0:
            raise errors.Refused(f"Value for {field} is invalid, should be a positive integer.")
        if value * unit_ms > MAX_DURATION_S * 1000:
            raise errors.Refused(f"Value for {field} is too high, maximum permitted value is 24 days.")
        del info[field]
        return value * unit_ms
    return None


def _take_evidence(info: dict[str, Any]) -> Evidence:
    """Take what identifies the play out of `info`; what is not in the expected form stays there."""
    if info.keys().isdisjoint(_EVIDENCE):
        return _NO_EVIDENCE
    found: dict[str, Any] = {field: _take_mbid(info, field) for field in _MBIDS}
    found["artist_mbids"] = tuple(_take_mbids(info, "artist_mbids"))
    isrc = info.get("isrc")
    if isinstance(isrc, str):
        found["isrc"] = info.pop("isrc").strip()
    number = info.get("tracknumber")
    if (isinstance(number, int) or (isinstance(number, str) and number.isdecimal())) and 0 <= int(number) <= _INT32:
        found["track_number"] = int(info.pop("tracknumber"))
    return Evidence(**found)


_MBIDS = ("recording_mbid", "release_mbid", "release_group_mbid")
_EVIDENCE = {*_MBIDS, "artist_mbids", "isrc", "tracknumber"}
_NO_EVIDENCE = Evidence()


def _take_mbid(info: dict[str, Any], field: str) -> str:
    value = info.pop(field, None) or ""
    if value and not inputs.is_mbid(value):
        raise errors.Refused(f"{field} MBID format invalid.")
    return str(value).lower()


def _take_mbids(info: dict[str, Any], field: str) -> list[str]:
    values = info.pop(field, None) or []
    if not isinstance(values, list) or not all(inputs.is_mbid(each) for each in values if each):
        raise errors.Refused(f"{field} MBID format invalid.")
    return [each.lower() for each in values if each]


# ---------------------------------------------------------------- out


def recording_msid(artist: str, track: str, release: str) -> str:
    """Name a text identity as ListenBrainz does, by a UUID; ours is the identity of the lookup, but for six bits.

    Those say which kind of UUID it is (8, "by a rule of one's own", RFC 9562 §5.8): some clients check them.
    """
    octets = bytearray(names.digest(artist, track, release))
    octets[6] = octets[6] & 0x0F | 0x80
    octets[8] = octets[8] & 0x3F | 0x80
    return str(uuid.UUID(bytes=bytes(octets)))


def identities(msid: str) -> list[bytes]:
    """Return the lookups' identities that this recording_msid may stand for: one for each value of those six bits."""
    octets = bytearray(uuid.UUID(msid).bytes)
    found = []
    for kind, variant in itertools.product(range(16), range(4)):
        octets[6] = octets[6] & 0x0F | kind << 4
        octets[8] = octets[8] & 0x3F | variant << 6
        found.append(bytes(octets))
    return found


def written(play: Play, user_name: str) -> dict[str, Any]:
    """Write a play as a listen; what plays now (id 0) has no listened_at."""
    metadata: dict[str, Any] = dict(_further(play.extra))
    metadata.update(
        artist_name=play.artist, track_name=play.track, release_name=play.release, additional_info=_info(play)
    )
    if play.status is Status.ENRICHED and play.recording_mbid:
        metadata["mbid_mapping"] = _mapping(play)
    if not play.id:
        return {"playing_now": True, "track_metadata": metadata}
    return {
        "inserted_at": int(play.inserted_at.timestamp()),
        "listened_at": int(play.listened_at.timestamp()),
        "recording_msid": recording_msid(play.artist, play.track, play.release),
        "user_name": user_name,
        "track_metadata": metadata,
    }


def _further(extra: Mapping[str, Any]) -> Mapping[str, Any]:
    further = extra.get("track_metadata")
    return further if isinstance(further, dict) else {}


def _info(play: Play) -> dict[str, Any]:
    info = {key: value for key, value in play.extra.items() if key != "track_metadata"}
    if play.duration_ms:
        info["duration_ms"] = play.duration_ms
    if play.source_app and info.keys().isdisjoint(_PLAYERS):  # it came to us another way
        info["media_player"] = play.source_app
    given = msgspec.to_builtins(play.evidence)  # without what is empty
    if "track_number" in given:
        given["tracknumber"] = given.pop("track_number")
    return {**info, **given}


def _mapping(play: Play) -> dict[str, Any]:
    mapping: dict[str, Any] = {
        "recording_mbid": play.recording_mbid,
        "recording_name": play.recording_title,
        "artist_mbids": [mbid for _, mbid, _, _ in play.artists],
        "artists": [
            {"artist_mbid": mbid, "artist_credit_name": name, "join_phrase": join}
            for _, mbid, name, join in play.artists
        ],
    }
    if play.release_mbid:
        mapping["release_mbid"] = play.release_mbid
    if play.release_group_mbid:
        mapping["release_group_mbid"] = play.release_group_mbid
    return mapping
