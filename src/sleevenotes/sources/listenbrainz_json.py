"""ListenBrainz' JSON of lookups and of recordings' metadata, into our nouns.

A lookup's row has ids of recording, release and artists, and not the release group's; the metadata have all of them,
the credit in parts, and the Cover Art Archive's id of the cover.
"""

from __future__ import annotations

import re
from typing import Any, Final

import msgspec

from sleevenotes import errors, model, names
from sleevenotes.sources import contract

_MBID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_MOST_GENRES: Final = 5  # of one album or artist: people give dozens
_VARIOUS: Final = ("various artists", "89ad4ac3-39f7-470e-963a-56509c546377")  # MusicBrainz' own id of them


class _Artist(msgspec.Struct):
    artist_mbid: str
    name: str
    join_phrase: str | None = None


class _Credit(msgspec.Struct):
    artists: list[_Artist]
    name: str | None = None


class _Facts(msgspec.Struct):
    name: str
    length: int | None = None
    first_release_date: str | None = None


class _Release(msgspec.Struct):
    """Every field may be missing: a recording need not be on any release."""

    mbid: str | None = None
    name: str | None = None
    album_artist_name: str | None = None
    release_group_mbid: str | None = None
    year: int | None = None
    caa_id: int | None = None
    caa_release_mbid: str | None = None


class _Tag(msgspec.Struct):
    """One tag that people gave; those that MusicBrainz knows as a genre have its id."""

    tag: str = ""
    count: int = 0
    genre_mbid: str | None = None
    artist_mbid: str | None = None  # of an artist's, whose it is


class _Tags(msgspec.Struct):
    artist: list[_Tag] = []
    release_group: list[_Tag] = []


class _Metadata(msgspec.Struct):
    recording: _Facts
    artist: _Credit
    release: _Release | None = None
    tag: _Tags | None = None


class _Row(msgspec.Struct):
    """One row of a lookup; without a match it has the names that were asked for and nothing else."""

    index: int = 0
    recording_mbid: str | None = None
    recording_name: str | None = None
    artist_credit_name: str | None = None
    artist_credit_id: int | None = None
    artist_mbids: list[str] = []
    release_mbid: str | None = None
    release_name: str | None = None
    metadata: _Metadata | None = None


def read_lookup(body: bytes) -> dict[int, contract.RecordingCandidate | None]:
    """Read a packed lookup: what was found by the place of the name in the pack, None for no match.

    Raises errors.Garbled when it is none: cut short, HTML, or of another shape.
    """
    return {row.index: _found(row) if row.recording_mbid else None for row in _decode(body, list[_Row])}


def read_single(body: bytes) -> contract.RecordingCandidate | None:
    """Read a lookup of one name; None where nothing matched. Raises errors.Garbled when it is none."""
    row = _decode(body, _Row)
    if not row.recording_mbid:
        if _decode(body, dict[str, Any]):
            raise errors.Garbled("ListenBrainz' lookup has neither a recording nor nothing", body=body)
        return None
    return _described(row.recording_mbid, row.metadata) if row.metadata else _found(row)


def read_recordings(body: bytes) -> dict[str, msgspec.Raw]:
    """Read a reply of metadata: each entry, unread, by its MBID. Raises errors.Garbled when it is none."""
    entries = {mbid.lower(): entry for mbid, entry in _decode(body, dict[str, msgspec.Raw]).items()}
    if not all(map(_MBID.fullmatch, entries)):
        raise errors.Garbled("ListenBrainz' metadata are not by recording", body=body)
    return entries


def read_recording(mbid: str, entry: msgspec.Raw) -> contract.RecordingCandidate:
    """Read one entry of them. Raises errors.Garbled when it does not say what the recording is."""
    return _described(mbid, _decode(bytes(entry), _Metadata))


# Dynamic: msgspec types its `type` argument as one type, and these are generic ones too.
def _decode(body: bytes, shape: Any) -> Any:
    try:
        return msgspec.json.decode(body, type=shape)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise errors.Garbled(f"ListenBrainz' reply cannot be read: {error}", body=body) from error


# ---------------------------------------------------------------- a lookup's row


def _found(row: _Row) -> contract.RecordingCandidate:
    """Return what a row alone tells; the album's own id is told by the recording's description only."""
    recording = model.Recording(row.recording_mbid or "", row.recording_name or "", _row_credit(row))
    if not row.release_mbid or not row.release_name:
        return contract.RecordingCandidate(recording)
    group = model.ReleaseGroup("", row.release_name, foreign_id=f"listenbrainz:release/{row.release_mbid}")
    return contract.RecordingCandidate(recording, (model.Release(row.release_mbid, row.release_name, group),))


def _row_credit(row: _Row) -> model.ArtistCredit:
    """Return the credit as one text; of several artists it does not tell which part of it is whose."""
    printed = row.artist_credit_name or ""
    if len(row.artist_mbids) == 1:
        return model.ArtistCredit((model.ArtistCreditName(row.artist_mbids[0], printed),))
    number = row.artist_credit_id if row.artist_credit_id is not None else "+".join(row.artist_mbids)
    return model.ArtistCredit((model.ArtistCreditName("", printed, foreign_id=f"listenbrainz:credit/{number}"),))


# ---------------------------------------------------------------- metadata


def _described(mbid: str, told: _Metadata) -> contract.RecordingCandidate:
    credit = model.ArtistCredit(
        tuple(
            model.ArtistCreditName(part.artist_mbid, part.name, part.join_phrase or "") for part in told.artist.artists
        )
    )
    recording = model.Recording(
        mbid=mbid,
        title=told.recording.name,
        artist_credit=credit,
        length_ms=told.recording.length or None,
        first_release_date=told.recording.first_release_date or "",
    )
    release = told.release
    genres = _genres(told)
    if release is None or not (release.mbid and release.name and release.release_group_mbid):
        return contract.RecordingCandidate(recording, genres=genres)
    return contract.RecordingCandidate(
        recording, (_release(release, credit),), images=_images(release, credit), genres=genres
    )


def _genres(told: _Metadata) -> tuple[contract.GenresOf, ...]:
    """Return the genres among the tags; an artist's that does not say whose it is counts where there is one artist."""
    if told.tag is None:
        return ()
    alone = told.artist.artists[0].artist_mbid if len(told.artist.artists) == 1 else ""
    artists: dict[str, list[_Tag]] = {}
    for tag in told.tag.artist:
        artists.setdefault(tag.artist_mbid or alone, []).append(tag)
    group = (told.release.release_group_mbid if told.release else "") or ""
    found: list[contract.GenresOf] = [("release_group", group, _surest(told.tag.release_group))]
    found += [("artist", mbid, _surest(tags)) for mbid, tags in artists.items()]
    return tuple(each for each in found if each[1] and each[2])


def _surest(tags: list[_Tag]) -> tuple[str, ...]:
    given = [tag for tag in tags if tag.genre_mbid and tag.count > 0]
    return tuple(tag.tag for tag in sorted(given, key=lambda tag: -tag.count)[:_MOST_GENRES])


def _release(told: _Release, credit: model.ArtistCredit) -> model.Release:
    """Return the release; of its group only the id is told, so its title stands for the group's."""
    title = told.name or ""
    return model.Release(
        mbid=told.mbid or "",
        title=title,
        release_group=model.ReleaseGroup(told.release_group_mbid or "", title),
        artist_credit=_album_credit(told.album_artist_name or "", credit),
        date=f"{told.year:04}" if told.year else "",
    )


def _album_credit(name: str, credit: model.ArtistCredit) -> model.ArtistCredit | None:
    """Return the album's credit, of which the name alone is told; None where it is the recording's own."""
    if not name or name == credit.name:
        return None
    for part in credit.names:
        if part.name == name:
            return model.ArtistCredit((msgspec.structs.replace(part, join_phrase=""),))
    folded = names.fold(name)
    if folded == _VARIOUS[0]:
        return model.ArtistCredit((model.ArtistCreditName(_VARIOUS[1], name),))
    return model.ArtistCredit((model.ArtistCreditName("", name, foreign_id=f"listenbrainz:artist/{folded}"),))


def _images(told: _Release, credit: model.ArtistCredit) -> tuple[contract.ImageAt, ...]:
    """Name the cover at the Cover Art Archive by its own id there, so that nobody need ask for it."""
    if not told.caa_id or not told.caa_release_mbid:
        return ()
    page = f"https://coverartarchive.org/release/{told.caa_release_mbid}"
    at = contract.ImageAt(
        url=f"{page}/{told.caa_id}-500.jpg",
        artist=told.album_artist_name or credit.name,
        release=told.name or "",
        width=500,
        height=500,
        exact=True,
        page=f"https://musicbrainz.org/release/{told.caa_release_mbid}/cover-art",
    )
    return (at,)
