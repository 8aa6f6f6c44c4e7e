"""What the sources of shops (Deezer, iTunes) share: they sell one recording on several albums, a row for each.

Two rows are one recording when artist and title are the same and the ISRC is, or, where a shop gives none, the length
within two seconds (a shop measures each copy by itself):

    Harder Better Faster Stronger | Discovery          | 224 s | GBDUW0000059  \\  one candidate,
    Harder Better Faster Stronger | Musique Vol. 1     | 224 s | GBDUW0000059  /  on two releases
    Harder Better Faster Stronger | Alive 2007         | 311 s | GBDUW0700107     another
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import msgspec

from sleevenotes import model, names
from sleevenotes.sources import contract

_LONGEST: Final = 200  # characters of a name that are sent: no album is told apart by more
_LENGTHS_ALIKE_MS: Final = 2000


def term(artist: str, title: str) -> str:
    """Write the words to search for: without guests and remaster notes, which shops put elsewhere or not at all."""
    words = f"{names.split_guests(artist)[0][:_LONGEST]} {names.plain(title)[:_LONGEST]}"
    return " ".join(words.split())


def credit(name: str, foreign_id: str) -> model.ArtistCredit:
    """Return the credit of one artist, or of several under one name: shops do not take a credit apart."""
    return model.ArtistCredit((model.ArtistCreditName(mbid="", name=name, foreign_id=foreign_id),))


def release(
    title: str,
    foreign_id: str,
    *,
    primary_type: str = "",
    by: model.ArtistCredit | None = None,
    date: str = "",
    track_count: int | None = None,
) -> model.Release:
    """Return an album as a shop has it: it knows no release groups, so the album is its own."""
    group = model.ReleaseGroup(mbid="", title=title, primary_type=primary_type, foreign_id=foreign_id)
    return model.Release(
        mbid="",
        title=title,
        release_group=group,
        artist_credit=by,
        date=date,
        track_count=track_count,
        foreign_id=foreign_id,
    )


def merge(rows: Iterable[contract.RecordingCandidate]) -> tuple[contract.RecordingCandidate, ...]:
    """Join the rows of one recording, in the shop's order; the first gives its id."""
    found: list[contract.RecordingCandidate] = []
    for row in rows:
        place = next((place for place, other in enumerate(found) if _same(other.recording, row.recording)), None)
        if place is None:
            found.append(row)
        else:
            found[place] = _joined(found[place], row)
    return tuple(found)


def _same(one: model.Recording, other: model.Recording) -> bool:
    if _artist(one) != _artist(other) or names.key(one.title) != names.key(other.title):
        return False
    if one.isrcs and other.isrcs:
        return not set(one.isrcs).isdisjoint(other.isrcs)
    if one.length_ms is None or other.length_ms is None:
        return False
    return abs(one.length_ms - other.length_ms) <= _LENGTHS_ALIKE_MS


def _artist(recording: model.Recording) -> str:
    return recording.artist_credit.names[0].foreign_id


def _joined(first: contract.RecordingCandidate, further: contract.RecordingCandidate) -> contract.RecordingCandidate:
    isrcs = tuple(dict.fromkeys(first.recording.isrcs + further.recording.isrcs))
    return msgspec.structs.replace(
        first,
        recording=msgspec.structs.replace(first.recording, isrcs=isrcs),
        releases=tuple(dict.fromkeys(first.releases + further.releases)),
        images=tuple(dict.fromkeys(first.images + further.images)),
        ids=tuple(dict.fromkeys(first.ids + tuple(each for each in further.ids if each.of == "release_group"))),
    )
