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
    likeness("Air", "All I Need", "Air", "03 - All I Need")                                 SAME
    likeness("Green Day", "Good Riddance (Time of Your Life)", "Green Day", "Time of Your Life")  NEAR
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
_PART: Final = 8  # letters of a part that may stand for a whole title: it was cut off, or is all that was sent
_CUT_OFF: Final = 20  # letters from which on a title may have been cut off, numbers and all: thirty characters
_NUMBER_BEFORE: Final = re.compile(r"^\d{1,2}(?:\s+-\s+|\s*[-.)]\s*(?=[^\d\s]))")
_ROMAN: Final = re.compile(r"\b[IVX]+$")
_DIGITS: Final = re.compile(r"\d+")
_WORD: Final = re.compile(r"\w+")
_NO_NAMES: Final = frozenset(("the", "and", "feat", "ft", "featuring", "with", "vs", "y", "et", "und"))


class Likeness(enum.IntEnum):
    """How alike two names are; ordered."""

    OTHER = 0
    NEAR = 1  # likely the same song, where the times agree closely
    SAME = 2


class Folded(NamedTuple):
    """The names of a song, as they are compared."""

    artist: str  # its key
    words: frozenset[str]  # of the artist
    title: str  # its key, without what a player or a shop adds to it
    numbers: tuple[str, ...]  # in the title, and the part at its end ("II")


def likeness(artist: str, track: str, other_artist: str, other_track: str) -> Likeness:
    """Say how alike two songs are by their names; the order of the two does not matter."""
    return compare(fold(artist, track), fold(other_artist, other_track))


def compare(one: Folded, other: Folded) -> Likeness:
    """Say how alike two songs are by their folded names; the order of the two does not matter."""
    titled = one.title == other.title
    artists = _same_artist(one, other)
    if titled and artists:
        return Likeness.SAME
    if titled or ((artists or _alike(one.artist, other.artist)) and _near_titles(one, other)):
        return Likeness.NEAR
    return Likeness.OTHER


@functools.lru_cache(maxsize=50_000)  # a listener's plays repeat
def fold(artist: str, track: str) -> Folded:
    """Fold the names of a song for comparing."""
    by = names.without_article(names.split_guests(names.decode(artist))[0])
    title = names.plain(names.clean(track))
    bare = names.cut_notes(_NUMBER_BEFORE.sub("", title), names.is_year)[0]
    key = names.key(bare)
    words = frozenset(names.key(word) for word in _WORD.findall(names.fold(artist))) - _NO_NAMES
    part = _ROMAN.search(bare)
    return Folded(names.key(by), words, key, (*_DIGITS.findall(key), part[0] if part else ""))


def _same_artist(one: Folded, other: Folded) -> bool:
    """Tell whether it is one artist, or all of one's words are in the other's: "Queen" in "Queen & David Bowie"."""
    if one.artist == other.artist:
        return True
    fewer, more = sorted((one.words, other.words), key=len)
    return bool(fewer) and fewer <= more


def _near_titles(one: Folded, other: Folded) -> bool:
    shorter, longer = sorted((one.title, other.title), key=len)
    if one.numbers != other.numbers:
        return len(shorter) >= _CUT_OFF and longer.startswith(shorter)
    return (len(shorter) >= _PART and shorter in longer) or _alike(shorter, longer)


def _alike(one: str, other: str) -> bool:
    return min(len(one), len(other)) >= _LEAST_LETTERS and fuzz.ratio(one, other, score_cutoff=_ALIKE) > 0
