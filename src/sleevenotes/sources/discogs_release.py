"""Discogs' page of a release: whether the track that was asked for is on it, by which title, and how long it is.

https://www.discogs.com/developers#page:database,header:database-release. The search finds releases that have a track
like the one asked for; only the tracklist says that it is "Dark Side Of The Moon (Dogzilla Dark Dub)".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

import msgspec

from sleevenotes import model, names
from sleevenotes.sources import contract, discogs_names
from sleevenotes.sources.own_ids import SourceId

_LENGTH: Final = re.compile(r"(?:(?P<hours>\d+):)?(?P<minutes>\d+):(?P<seconds>\d{2})")


class Credited(msgspec.Struct):
    """One artist of a record."""

    name: str
    id: int = 0
    anv: str = ""  # as credited here, where that is another name
    join: str = ""


class _Track(msgspec.Struct):
    title: str
    type_: str = "track"
    position: str = ""
    duration: str = ""
    artists: list[Credited] = []
    sub_tracks: list[_Track] = []


class _Format(msgspec.Struct):
    descriptions: list[str] = []


class _Image(msgspec.Struct):
    uri: str = ""
    width: int = 0
    height: int = 0


class _Release(msgspec.Struct):
    id: int
    title: str
    artists: list[Credited]
    tracklist: list[_Track]
    year: int | None = None
    released: str | None = None
    master_id: int | None = None
    uri: str = ""
    formats: list[_Format] = []
    images: list[_Image] = []


def read(question: contract.DescribeRelease, reply: contract.Reply) -> contract.Answer:
    """Return the tracks whose title contains the asked one, each as it is called there; absent where none does.

    Raises errors.Garbled where the body is no release's page.
    """
    page = contract.read_json("Discogs", reply, _Release)
    wanted = names.key(names.plain(question.track))
    found = [track for track in _tracks(page.tracklist) if wanted in names.key(track.title)]
    release = _release(page)
    return contract.Answer(tuple(_candidate(page, release, track) for track in found))


def _tracks(listed: Iterable[_Track]) -> Iterator[_Track]:
    """Go through headings and indexes to what can be played."""
    for each in listed:
        if each.type_ == "track":
            yield each
        yield from _tracks(each.sub_tracks)


def _candidate(page: _Release, release: model.Release, track: _Track) -> contract.RecordingCandidate:
    recording = model.Recording(
        "",
        track.title,
        credit(track.artists or page.artists),
        length_ms=_milliseconds(track.duration),
        foreign_id=f"discogs:r{page.id}/{track.position}",
    )
    held = msgspec.structs.replace(release, track_number=track.position)
    return contract.RecordingCandidate(recording, (held,), images=_images(page), ids=_ids(page))


def _ids(page: _Release) -> tuple[SourceId, ...]:
    album = album_ids(page.title, credit(page.artists).name, page.id, page.uri, page.master_id)
    return (*album, *artist_ids(page.artists))


def album_ids(title: str, by: str, release_id: int, page: str, master_id: int | None) -> tuple[SourceId, ...]:
    """Return Discogs' ids of a release and of its master, whose page a release does not tell."""
    release = SourceId("release_group", str(release_id), title, by, kind="release", page=page)
    return (SourceId("release_group", str(master_id), title, by, kind="master"), release) if master_id else (release,)


def artist_ids(credited: Iterable[Credited]) -> tuple[SourceId, ...]:
    """Return Discogs' ids of the artists of a record; their pages are not told there."""
    told = (SourceId("artist", str(each.id), discogs_names.plain_artist(each.name)) for each in credited if each.id)
    return tuple(dict.fromkeys(told))


def credit(credited: Iterable[Credited]) -> model.ArtistCredit:
    """Return who a record is by."""
    return model.ArtistCredit(
        tuple(
            model.ArtistCreditName(
                "",
                discogs_names.plain_artist(each.anv or each.name),
                join_phrase=_joined(each.join),
                artist_name=discogs_names.plain_artist(each.name) if each.anv else "",
                foreign_id=f"discogs:{each.name}",
            )
            for each in credited
        )
    )


def _joined(join: str) -> str:
    return f"{join} " if join == "," else f" {join} " if join else ""


def _release(page: _Release) -> model.Release:
    kinds = [kind for each in page.formats for kind in each.descriptions]
    own = f"discogs:r{page.id}"
    group = discogs_names.group(page.title, kinds, page.master_id, own)
    date = (page.released or str(page.year or "")).removesuffix("-00").removesuffix("-00")
    return model.Release(
        "",
        page.title,
        group,
        artist_credit=credit(page.artists),
        status=discogs_names.status(kinds),
        date=date if re.match(r"[12]\d{3}", date) else "",
        foreign_id=own,
        track_count=sum(1 for _ in _tracks(page.tracklist)),
    )


def _images(page: _Release) -> tuple[contract.ImageAt, ...]:
    by = credit(page.artists).name
    return tuple(
        contract.ImageAt(each.uri, by, page.title, each.width, each.height, page=page.uri)
        for each in page.images[:1]
        if each.uri.startswith("https://")  # empty for who is not known
    )


def _milliseconds(text: str) -> int | None:
    """Read "3:45" and "1:02:03"; None for what is not told."""
    found = _LENGTH.fullmatch(text.strip())
    if not found:
        return None
    return 1000 * (3600 * int(found["hours"] or 0) + 60 * int(found["minutes"]) + int(found["seconds"])) or None
