"""MusicBrainz' JSON of recordings, from search, from lookup and from browsing releases, into our nouns.

The two differ: search leaves out what is unknown and says `media[].track[]`; lookup gives null or "" and says
`media[].tracks[]`. The shapes below take both. https://musicbrainz.org/doc/MusicBrainz_API
"""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from sleevenotes import errors, model
from sleevenotes.sources import contract


class _Alias(msgspec.Struct):
    name: str = ""


class _Artist(msgspec.Struct, rename="kebab"):
    id: str
    name: str
    sort_name: str | None = None
    disambiguation: str | None = None
    aliases: list[_Alias] = []


class _CreditPart(msgspec.Struct):
    artist: _Artist
    name: str | None = None
    joinphrase: str | None = None


class _Track(msgspec.Struct):
    number: str | None = None


class _Medium(msgspec.Struct):
    track: list[_Track] = []
    tracks: list[_Track] = []


class _ReleaseGroup(msgspec.Struct, rename="kebab"):
    id: str
    title: str
    primary_type: str | None = None
    secondary_types: list[str] | None = None
    first_release_date: str | None = None


class _Release(msgspec.Struct, rename="kebab"):
    id: str
    title: str
    release_group: _ReleaseGroup | None = None
    artist_credit: list[_CreditPart] = []
    status: str | None = None
    date: str | None = None
    country: str | None = None
    track_count: int | None = None
    media: list[_Medium] = []


class _Recording(msgspec.Struct, rename="kebab"):
    id: str
    title: str
    artist_credit: list[_CreditPart]
    score: int = 0
    length: int | None = None
    disambiguation: str | None = None
    first_release_date: str | None = None
    video: bool | None = None
    releases: list[_Release] = []
    isrcs: list[str] = []


class _Search(msgspec.Struct):
    count: int
    recordings: list[_Recording]


class _ListedTrack(msgspec.Struct):
    recording: _Recording
    number: str | None = None


class _ListedMedium(msgspec.Struct, rename="kebab"):
    track_count: int = 0
    tracks: list[_ListedTrack] = []


class _ListedRelease(msgspec.Struct, rename="kebab"):
    id: str
    title: str
    release_group: _ReleaseGroup
    artist_credit: list[_CreditPart] = []
    status: str | None = None
    date: str | None = None
    country: str | None = None
    media: list[_ListedMedium] = []


class _Page(msgspec.Struct, rename="kebab"):
    release_count: int
    releases: list[_ListedRelease]


_search = msgspec.json.Decoder(_Search)
_page = msgspec.json.Decoder(_Page)
_listed = msgspec.json.Decoder(_ListedRelease)
_recording = msgspec.json.Decoder(_Recording)


class Found(NamedTuple):
    """The rows of one search; `complete` when it has no further ones."""

    candidates: tuple[contract.RecordingCandidate, ...]
    complete: bool


def read_search(body: bytes) -> Found:
    """Read the body of a recording search.

    Raises errors.Garbled when it is none: cut short, HTML, or of another shape.
    """
    try:
        page = _search.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise errors.Garbled(f"MusicBrainz' search cannot be read: {error}", body=body) from error
    return Found(tuple(map(_candidate, page.recordings)), page.count <= len(page.recordings))


class Page(NamedTuple):
    """The recordings on a page of releases, each once; how many releases the page lists, and of how many."""

    candidates: tuple[contract.RecordingCandidate, ...]
    releases: int
    of: int


def read_page(body: bytes) -> Page:
    """Read the body of browsed releases; they need recordings, artist credits and release groups among the includes.

    Raises errors.Garbled when it is none.
    """
    try:
        page = _page.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise errors.Garbled(f"MusicBrainz' releases cannot be read: {error}", body=body) from error
    return Page(_on(page.releases), len(page.releases), page.release_count)


def read_release(body: bytes) -> tuple[contract.RecordingCandidate, ...]:
    """Read the body of a release's lookup, with the same includes: the recordings on it, each once.

    Raises errors.Garbled when it is none.
    """
    try:
        return _on([_listed.decode(body)])
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise errors.Garbled(f"MusicBrainz' release cannot be read: {error}", body=body) from error


def _on(releases: list[_ListedRelease]) -> tuple[contract.RecordingCandidate, ...]:
    found: dict[str, _Recording] = {}
    for listed in releases:
        for track in (track for medium in listed.media for track in medium.tracks):
            recording = found.setdefault(track.recording.id, track.recording)
            if all(release.id != listed.id for release in recording.releases):
                recording.releases = [*recording.releases, _holding(listed, track)]
    return tuple(map(_candidate, found.values()))


def _holding(listed: _ListedRelease, track: _ListedTrack) -> _Release:
    """Write a listed release as one of a recording's: with that track alone."""
    return _Release(
        id=listed.id,
        title=listed.title,
        release_group=listed.release_group,
        artist_credit=listed.artist_credit,
        status=listed.status,
        date=listed.date,
        country=listed.country,
        track_count=sum(medium.track_count for medium in listed.media) or None,
        media=[_Medium(tracks=[_Track(track.number)])],
    )


def read_recording(body: bytes) -> contract.RecordingCandidate:
    """Read the body of a recording's lookup; it needs the artist credit among its includes.

    Raises errors.Garbled when it is none.
    """
    try:
        return _candidate(_recording.decode(body))
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise errors.Garbled(f"MusicBrainz' recording cannot be read: {error}", body=body) from error


def _candidate(found: _Recording) -> contract.RecordingCandidate:
    credit = _credit(found.artist_credit)
    recording = model.Recording(
        mbid=found.id,
        title=found.title,
        artist_credit=credit,
        length_ms=found.length or None,  # 0 is how some rows say unknown
        disambiguation=found.disambiguation or "",
        first_release_date=found.first_release_date or "",
        isrcs=tuple(found.isrcs),
        video=bool(found.video),
    )
    releases = tuple(
        _release(release, release.release_group, credit)
        for release in found.releases
        if release.release_group is not None  # left out by a lookup without that include: no album to show
    )
    return contract.RecordingCandidate(recording, releases, found.score)


def _credit(parts: list[_CreditPart]) -> model.ArtistCredit:
    return model.ArtistCredit(tuple(map(_credit_name, parts)))


def _credit_name(part: _CreditPart) -> model.ArtistCreditName:
    name = part.name or part.artist.name
    return model.ArtistCreditName(
        mbid=part.artist.id,
        name=name,
        join_phrase=part.joinphrase or "",
        artist_name=part.artist.name if part.artist.name != name else "",
        sort_name=part.artist.sort_name or "",
        disambiguation=part.artist.disambiguation or "",
        aliases=tuple(dict.fromkeys(alias.name for alias in part.artist.aliases if alias.name)),
    )


def _release(found: _Release, group: _ReleaseGroup, recordings_credit: model.ArtistCredit) -> model.Release:
    credit = _credit(found.artist_credit) if found.artist_credit else recordings_credit
    numbers = (track.number for medium in found.media for track in (*medium.track, *medium.tracks))
    return model.Release(
        mbid=found.id,
        title=found.title,
        release_group=model.ReleaseGroup(
            mbid=group.id,
            title=group.title,
            primary_type=group.primary_type or "",
            secondary_types=tuple(group.secondary_types or ()),
            first_release_date=group.first_release_date or "",
        ),
        artist_credit=None if _same(credit, recordings_credit) else credit,
        status=found.status or "",
        date=found.date or "",
        country=found.country or "",
        track_count=found.track_count,
        track_number=next((number for number in numbers if number), ""),
    )


def _same(one: model.ArtistCredit, other: model.ArtistCredit) -> bool:
    """Compare what is printed and who is meant; search and lookup tell more or less of each artist."""
    return one.name == other.name and [part.mbid for part in one.names] == [part.mbid for part in other.names]
