"""What a title says: its name, its guests, and which version of the song it is.

A version ("live", "remix") is never folded away: it is another recording. A remaster is not one.

Worked examples:
    read("Hysteria (Live at Earls Court)")    base "Hysteria", kinds {"live"}, details {"earls", "court"}
    read("Black Dog - 2007 Remaster")         base "Black Dog", no kinds, remastered
    read("Latch (feat. Sam Smith)")           base "Latch", guests "Sam Smith"
    read("Live to Tell")                      base "Live to Tell", no kinds: the word is part of the name
"""

from __future__ import annotations

import functools
import re
from typing import Final

import msgspec

from sleevenotes import names

# The words that tell versions apart, by the kind of version, as they stand in titles and disambiguations.
_KINDS: Final = {
    "live": "live concert",
    "remix": "remix remixed rmx mix rework reworked mashup dub flip bootleg refix vip",
    "acoustic": "acoustic unplugged acústico acústica acoustique akustik",
    "instrumental": "instrumental instrumentals",
    "a cappella": "acappella acapella",
    "demo": "demo demos",
    "karaoke": "karaoke",
    "cover": "cover covers",
    "tribute": "tribute",
    "re-recorded": "rerecorded rerecording",
    "edit": "edit edited cut",
    "extended": "extended",
    "session": "session sessions",
    "outtake": "outtake outtakes alternate alternative take rehearsal",
    "reprise": "reprise",
    "orchestral": "orchestral orchestra",
    "altered speed": "slowed nightcore",
    "commentary": "commentary interview",
    "version": "version versión versão versione fassung",
}
_KIND_OF: Final = {word: kind for kind, words in _KINDS.items() for word in words.split()}
# Phrases that say the usual recording is meant, or are written as two words.
_NEUTRAL: Final = re.compile(
    r"\boriginal (?:7 |single )?version(?: [12]\d{3})?\b"
    r"|\b(?:original|album|main|lp|single|standard|full|long|explicit|clean|stereo|mono|radio)"
    r"(?: (?:mix|version|edit))?\b|\b(?:original|normal) (?:recording|mix|version)\b",
)
_UNUSUAL: Final = re.compile(r"\b(?:radio|single|clean) (?:edit|mix)\b")
_TOGETHER: Final = (
    (re.compile(r"\ba cap+el+a\b"), "acapella"),
    (re.compile(r"\bre record(ed|ing)\b"), r"rerecord\1"),
    (re.compile(r"\bsped up\b"), "nightcore"),
    (re.compile(r"\b(?:en vivo|ao vivo|en directo|dal vivo|en concert|en concierto|концерт)\b"), "live"),
    (re.compile(r"\b(?:in the style of|made famous by|originally performed by|backing track)\b"), "karaoke"),
    (re.compile(r"\btaylor s version\b"), "rerecorded"),
)
_ROMAN: Final = {
    word: str(number)
    for number, word in enumerate(["i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix", "x", "xi", "xii"], start=1)
}
# Words that are written in several ways: "Pt. Two" is "Part 2", "Vol. II" is "Volume 2".
_SPELLINGS: Final = {
    word: str(number)
    for number, word in enumerate(
        ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"], start=1
    )
} | {"pt": "part", "vol": "volume", "i": "1", "mov": "movement", "movt": "movement"}
_WORDS: Final = re.compile(r"[^\W_]+")
_FILLERS: Final = frozenset(["the", "a", "an", "at", "in", "on", "from", "of", "by", "and", "for", "s"])


class Version(msgspec.Struct, frozen=True):
    """Which version something says it is: kinds out of the vocabulary, and the other words told with them."""

    kinds: frozenset[str] = frozenset()
    details: frozenset[str] = frozenset()

    def __or__(self, other: Version) -> Version:
        """Join what two texts say."""
        return Version(self.kinds | other.kinds, self.details | other.details)


class Title(msgspec.Struct, frozen=True):
    """A title read: `whole` is the text itself, `base` the song's name alone."""

    whole: str
    base: str
    guests: str
    version: Version
    remastered: bool
    year: str = ""  # where a note is only a year: "Come Together (1969)"


NO_VERSION: Final = Version()


@functools.lru_cache(maxsize=20_000)
def read(title: str) -> Title:
    """Take a title apart."""
    without_guests, guests = names.split_guests(title)
    base, notes = names.cut_notes(without_guests, _is_note)
    versions = [version_of(note) for note in notes if not names.is_remaster(note)]
    return Title(
        whole=title,
        base=base,
        guests=guests,
        version=functools.reduce(Version.__or__, versions, NO_VERSION),
        remastered=any(map(names.is_remaster, notes)),
        year=next((note.strip() for note in notes if names.is_year(note)), ""),
    )


@functools.lru_cache(maxsize=20_000)
def version_of(note: str) -> Version:
    """Tell which version a note or a disambiguation speaks of; NO_VERSION where it speaks of none."""
    text = " ".join(_WORDS.findall(note.casefold().replace("'", " ").replace("\u2019", " ")))
    for pattern, word in _TOGETHER:
        text = pattern.sub(word, text)
    kinds = {"edit"} if _UNUSUAL.search(text) else set()
    words = _NEUTRAL.sub(" ", _UNUSUAL.sub(" ", text)).split()
    kinds |= {_KIND_OF[word] for word in words if word in _KIND_OF}
    if not kinds:
        return NO_VERSION
    if kinds > {"version"}:
        kinds.discard("version")  # "acoustic version" is acoustic
    details = {word for word in words if word not in _KIND_OF and word not in _FILLERS and "master" not in word}
    return Version(frozenset(kinds), frozenset(details))


def is_usual(note: str) -> bool:
    """Tell whether a note only says that the usual recording is meant: "album version", "original mix"."""
    text = " ".join(_WORDS.findall(note.casefold()))
    return bool(text) and not _UNUSUAL.search(text) and not _NEUTRAL.sub(" ", text).strip()


@functools.lru_cache(maxsize=20_000)
def arabic(text: str) -> tuple[str, ...]:
    """Return the words of a name, folded, with Roman numerals as digits: "Part II" is ("part", "2").

    A numeral counts unless it is the first word, or "I": "I Want You", "X" and "Now and I" have none.
    """
    words = _WORDS.findall(names.fold(text))
    return tuple(_ROMAN[word] if place and word in _ROMAN and word != "i" else word for place, word in enumerate(words))


@functools.lru_cache(maxsize=20_000)
def spelt(text: str) -> str:
    """Reduce to a key with one spelling of "and", small numbers, parts and volumes: "Pt. Two & More" is "part2andmore".

    Only to find two names the same: it says nothing where they differ.
    """
    words = arabic(re.sub(r"\s*[&+]\s*", " and ", text))
    return "".join(names.key(_SPELLINGS.get(word, word)) for word in words)


def numbers(text: str) -> tuple[str, ...]:
    """Return the numbers of a name, in order; parts and volumes differ in nothing else ("Pt. 2", "Vol. IV")."""
    return tuple(word for word in arabic(text) if word.isdigit())


def _is_note(part: str) -> bool:
    return names.is_remaster(part) or names.is_year(part) or is_usual(part) or bool(version_of(part).kinds)
