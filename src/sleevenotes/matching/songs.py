"""Whether two plays of one listener are of the same song, by their names.

Two services write one history differently: one corrects what the player sent, another names the album's artist alone,
a third cuts titles off at thirty letters. Who asks here knows already that both plays come from different services and
lie close together in time, so more is believed than where a name is looked up in a catalogue; how much more depends on
how well the times agree.

Worked examples:
    likeness("Sigur Rós", "Hoppípolla", "Sigur Ros", "Hoppipolla")                          SAME
    likeness("Beatles, The", "Come Together - Remastered 2009", "The Beatles", "Come Together")   SAME
    likeness("Queen & David Bowie", "Under Pressure", "Queen", "Under Pressure")            SAME
    likeness("坂本龍一", "Bed", "Ryuichi Sakamoto, David Byrne", "Bed")                       NEAR: the title alone
    likeness("Air", "All I Need", "Air", "03 - All I Need")                                 NEAR
    likeness("The Bled", "Porcelain Hearts And Hammers For Teeth", "The Bled", "Porcelain Hearts and Hammers f")  NEAR
    likeness("Air", "Part 1", "Air", "Part 2")                                              OTHER
    likeness("Queen", "Somebody to Love", "Queen", "Somebody to Love (live)")               NEAR
"""

from __future__ import annotations

import enum
import functools
import re
from typing import Final, NamedTuple

from rapidfuzz import fuzz

from sleevenotes import names

_ALIKE: Final = 80.0  # rapidfuzz ratio, 0..100, of keys
_LEAST_LETTERS: Final = 5  # of a key that may differ by some letters
_CUT_OFF: Final = 8  # letters of a beginning that stand for a whole title
_NUMBER_BEFORE: Final = re.compile(r"^\d{1,2}\s*[-.)]?\s+(?=\S)")
_DIGITS: Final = re.compile(r"\d+")
_WORD: Final = re.compile(r"\w+")
_NO_NAMES: Final = frozenset(("the", "and", "feat", "ft", "featuring", "with", "vs", "y", "et", "und"))


class Likeness(enum.IntEnum):
    """How alike two names are; ordered."""

    OTHER = 0
    NEAR = 1  # likely the same song, where the times agree closely
    SAME = 2


class _Folded(NamedTuple):
    artist: str  # its key
    words: frozenset[str]  # of the artist
    title: str  # its key, cleaned
    bare: str  # without a track number in front
    digits: tuple[str, ...]  # of the bare title


def likeness(artist: str, track: str, other_artist: str, other_track: str) -> Likeness:
    """Say how alike two songs are by their names; the order of the two does not matter."""
    return _likeness(_folded(artist, track), _folded(other_artist, other_track))


@functools.lru_cache(maxsize=100_000)  # a history's neighbours are compared over and over
def _likeness(one: _Folded, other: _Folded) -> Likeness:
    titled = one.title == other.title
    artists = _same_artist(one, other)
    if titled and artists:
        return Likeness.SAME
    if titled or ((artists or _alike(one.artist, other.artist)) and _near_titles(one, other)):
        return Likeness.NEAR
    return Likeness.OTHER


@functools.lru_cache(maxsize=50_000)
def _folded(artist: str, track: str) -> _Folded:
    by = names.without_article(names.split_guests(names.decode(artist))[0])
    title = names.plain(names.clean(track))
    bare = _NUMBER_BEFORE.sub("", title)
    words = frozenset(names.key(word) for word in _WORD.findall(names.fold(artist))) - _NO_NAMES
    return _Folded(names.key(by), words, names.key(title), names.key(bare), tuple(_DIGITS.findall(names.key(bare))))


def _same_artist(one: _Folded, other: _Folded) -> bool:
    """Tell whether it is one artist, or all of one's words are in the other's: "Queen" in "Queen & David Bowie"."""
    if one.artist == other.artist:
        return True
    fewer, more = sorted((one.words, other.words), key=len)
    return bool(fewer) and fewer <= more


def _near_titles(one: _Folded, other: _Folded) -> bool:
    if one.bare == other.bare:
        return True
    shorter, longer = sorted((one.bare, other.bare), key=len)
    if len(shorter) >= _CUT_OFF and longer.startswith(shorter):
        return True
    return one.digits == other.digits and _alike(shorter, longer)


def _alike(one: str, other: str) -> bool:
    return min(len(one), len(other)) >= _LEAST_LETTERS and fuzz.ratio(one, other) >= _ALIKE
