"""How many letters may differ: what a slip of the pen is, and what is another name.

The more the rest agrees, the more slips are believed. Artist and title are compared by their keys; `support` is what
speaks for the candidate besides the name that is compared:

    0  nothing else is known, or it differs    12 letters in 100, 5 letters at least
    1  album or duration agree                 25 in 100, 4 letters at least
    2  album and duration agree                40 in 100, 3 letters at least

Worked examples:
    slip("Bohemian Rapsody", "Bohemian Rhapsody", 0)   a slip: one letter of sixteen
    slip("Wo't stop", "Won't Stop", 0)                 one: 0.93 alike
    slip("Alba", "Alb", 0)                             none: too short; with album and duration one
    slip("Pista 61", "Pista 16", 2)                    none: other numbers
    slip("Angel", "Dark Angel", 2)                     none: a word more
    slip("Prelude in C major", "Prelude in D major", 0)  none: one word is another
    slip("Sunset", "Sunrise", 2)                       none: a single word, and more than a letter of it
    slip("Dream", "Dreams", 0)                         none: both are titles
"""

from __future__ import annotations

import functools
import re
from typing import Final

import msgspec
from rapidfuzz import fuzz

from sleevenotes import names
from sleevenotes.matching import titles

WEIGHT: Final = 0.05  # of any slip, plus what the letters differ by
_LEAST_ALIKE: Final = (0.88, 0.75, 0.6)
_LEAST_LETTERS: Final = (5, 4, 3)
_OF_DIFFERENCE: Final = (0.8, 0.4, 0.25)  # so that the least alike that is believed weighs 0.15
_SAME_WORD: Final = 50.0  # rapidfuzz ratio, 0..100, of a word within others
_LONE_WORD: Final = 78.0  # of a title of a single word
_DIGITS: Final = re.compile(r"\d+")


class Support(msgspec.Struct, frozen=True):
    """What speaks for a candidate besides its names."""

    album: bool  # it is on the submitted album
    duration: bool
    against: bool  # durations are known, and differ

    @property
    def count(self) -> int:
        """Return how much it is."""
        return 0 if self.against else self.album + self.duration


def slip(one: str, other: str, support: int) -> float | None:
    """Return what a slip of the pen between two names weighs; None where it is none, but another name."""
    key, other_key = names.key(one), names.key(other)
    alike = fuzz.ratio(key, other_key) / 100
    if alike < _LEAST_ALIKE[support] or min(len(key), len(other_key)) < _LEAST_LETTERS[support]:
        return None
    if numbers(one) != numbers(other) or more_words(one, other) or _other_word(one, other, support):
        return None
    return WEIGHT + (1 - alike) * _OF_DIFFERENCE[support]


@functools.lru_cache(maxsize=20_000)
def numbers(text: str) -> tuple[str, ...]:
    """Return all numbers of a name, those within words as well ("pista61"), without leading noughts."""
    found = _DIGITS.findall(" ".join(titles.arabic(text)))
    return tuple(number.lstrip("0") or "0" for number in found)


def more_words(one: str, other: str) -> bool:
    """Tell whether one has all words of the other and more: "Angel" and "Dark Angel" differ by no slip."""
    words, others = set(names.fold(one).split()), set(names.fold(other).split())
    return words < others or others < words


def _other_word(one: str, other: str, support: int) -> bool:
    """Tell whether, word by word, one is another word rather than the same one misspelt.

    Only where both have as many words: a space more or less leaves nothing to compare.
    """
    words, others = (tuple(filter(None, map(names.key, text.split()))) for text in (one, other))
    if len(words) != len(others):
        return False
    pairs = [(word, its) for word, its in zip(words, others, strict=True) if word != its]
    if len(words) == 1 and pairs:
        plural = sorted(pairs[0], key=len)
        return fuzz.ratio(*pairs[0]) < _LONE_WORD or (not support and plural[0] + "s" == plural[1])
    return any(fuzz.ratio(word, its) < _SAME_WORD for word, its in pairs)
