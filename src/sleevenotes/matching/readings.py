"""What a title may hold that is not the title: its number, its artist, its album, the noise of a video.

Players and rippers put them there; a catalogue that was filled from such names has them as well. Each reading is the
title without one of them. None is believed by itself: `sleevenotes.matching.distance` takes a reading only where it
comes nearer than the title as it stands, and adds what the reading weighs.

Worked examples, of the title, sent with the artist "Muse" and the album "Absolution":
    "02 - Hysteria", "002-Hysteria"         "Hysteria": the track's number is before it
    "Muse - Hysteria"                       "Hysteria": the artist is before it
    "Hysteria (Absolution)"                 "Hysteria": the album is behind it
    "Hysteria (Official Video) HD"          "Hysteria": what a video is called
    "7 Days", "21 - Guns"                   "7 Days"; "Guns" as well, where nothing is called "21 - Guns"

The album is cut off where nearly its letters stand behind a dash or within brackets. A title whose album is "Live at
Wembley" loses nothing that the album does not say: see `Reading.said`.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from typing import Final

import msgspec
from rapidfuzz import fuzz

from sleevenotes import names
from sleevenotes.matching import release, titles

WEIGHT: Final = 0.02
_NUMBER: Final = re.compile(
    r"^(?:track\s*)?(?:\d{1,4}\s*[-.)_:]+\s*|0\d{1,3}\s+|\d{3,4}(?=[A-Z][a-z])|0?[A-D]\d{1,2}[\s.-]+)(?=\S)",
    re.IGNORECASE,
)
_SURELY_NUMBER: Final = re.compile(r"^(?:\d{1,3}\s*-\s+|0\d{1,2}\s*[.)_:-]\s*|0\d{1,2}\s+)(?=.*[^\W\d_])")
_SIDE: Final = re.compile(r"^[A-H]\s+\S")
_VINYL: Final = re.compile(r"\bvinyl\b|\b1[02](?:\"|''|-?inch)", re.IGNORECASE)
_SEPARATOR: Final = re.compile(r"\s*(?:\s[-\u2013\u2014]+\s|-{2,}|[(\[\uff08\u3010])\s*")
_ARTIST_END: Final = re.compile(r"\s+[-\u2013\u2014:|~]+\s+|\s*-{2,}\s*|(?<=\w)-\s+")
_NEARLY: Final = 85.0  # rapidfuzz ratio of keys, 0..100
_UNKNOWN: Final = frozenset(
    ["", "unknown", "unknownartist", "variousartists", "various", "va", "na", "none", "anonymous"]
)


class Reading(msgspec.Struct, frozen=True):
    """A title with something taken off: what is left, why, and the text that was taken off and may say more."""

    title: str
    artist: str  # the artist, where the title told it; "" otherwise
    album: str  # the album, where the title told it
    why: str
    weight: float = WEIGHT
    number: str = ""  # the track's number, where the title told it

    @property
    def said(self) -> frozenset[str]:
        """Return the version that the cut-off text speaks of ("Live at Wembley"): the rest must not lose it."""
        return titles.version_of(self.album).kinds if self.album else frozenset()


def is_unknown(artist: str) -> bool:
    """Tell whether an artist is no artist: "", "Unknown Artist", "Various Artists"."""
    key = names.key(artist)
    return key in _UNKNOWN or key.startswith("variousartists")


def to_ask(title: str) -> str:
    """Return a title as a catalogue is asked for it: without what surely is no part of it.

    "06 - Us and Them" and "Us and Them (Official Video)" are "Us and Them". Whether an answer is what was sent is told
    by the title as it was sent.
    """
    return names.clean(_SURELY_NUMBER.sub("", title))


@functools.lru_cache(maxsize=20_000)
def of(title: str, artist: str, albums: tuple[str, ...]) -> tuple[Reading, ...]:
    """Return the other readings of a title; `albums` are those that may stand behind it. Often none."""
    found: dict[str, Reading] = {}
    queue = [Reading(title, "", "", "", 0.0)]
    while queue and len(found) < 12:
        start = queue.pop(0)
        for reading in _shorter(start.title, artist, albums):
            if reading.title not in found and reading.title != title:
                joined = _joined(start, reading)
                found[reading.title] = joined
                queue.append(joined)
    return tuple(found.values())


def _joined(one: Reading, other: Reading) -> Reading:
    why = f"{one.why} and {other.why}" if one.why else other.why
    return Reading(
        other.title,
        other.artist or one.artist,
        other.album or one.album,
        why,
        round(one.weight + other.weight, 4),
        other.number or one.number,
    )


def _shorter(title: str, artist: str, albums: tuple[str, ...]) -> Iterator[Reading]:
    yield from _without_number(title, albums)
    yield from _without_artist(title, artist)
    yield from _without_album(title, albums)
    clean = names.clean(title)
    if clean != title:
        yield Reading(clean, "", "", "what a video is called behind it")


def _without_number(title: str, albums: tuple[str, ...]) -> Iterator[Reading]:
    rest = _NUMBER.sub("", title)
    if rest and rest != title:
        number = "".join(filter(str.isdigit, title[: len(title) - len(rest)])).lstrip("0")
        yield Reading(rest, "", "", "a track number before it", number=number)
    elif _SIDE.match(title) and any(_VINYL.search(album) for album in albums):
        yield Reading(title[2:].strip(), "", "", "the side of a record before it", 2 * WEIGHT)


def _without_artist(title: str, artist: str) -> Iterator[Reading]:
    """Take the artist off, if it is the one that was sent, or if none was sent."""
    for place in list(_ARTIST_END.finditer(title))[:3]:
        before, rest = title[: place.start()].strip(), title[place.end() :].strip()
        if not (before and rest):
            continue
        if is_unknown(artist) or _is_nearly(names.key(before), names.key(artist)):
            yield Reading(rest, before, "", "the artist before it")


def _without_album(title: str, albums: tuple[str, ...]) -> Iterator[Reading]:
    """Take the album off, where nearly its letters stand behind a sign; of several places, the one most alike."""
    for album in filter(None, albums):
        key = release.key(album)
        places = ((title[: place.start()].strip(), title[place.end() :]) for place in _SEPARATOR.finditer(title))
        alike = [(_alike(release.key(behind), key), rest) for rest, behind in places if rest]
        best = max(alike, default=(0.0, ""), key=lambda one: one[0])
        if best[0] >= _NEARLY:
            yield Reading(best[1], "", album, "the album behind it")
        else:
            yield from _run_together(title, album, key)


def _run_together(title: str, album: str, key: str) -> Iterator[Reading]:
    """Take off an album that follows without any space or sign ("TheyWon'tStopTroopsofTomorrow")."""
    if len(key) >= 8 and " " not in title and names.key(title).endswith(key) and len(title) > len(key):
        rest = names.key(title)[: -len(key)]
        if rest:
            yield Reading(rest, "", album, "the album run together with it", 2 * WEIGHT)


def _is_nearly(one: str, other: str) -> bool:
    return _alike(one, other) >= _NEARLY


def _alike(one: str, other: str) -> float:
    """Return how alike two keys are, 0..100; short ones are alike only where they are the same."""
    if one == other:
        return 100.0 if one else 0.0
    return fuzz.ratio(one, other) if min(len(one), len(other)) >= 4 else 0.0
