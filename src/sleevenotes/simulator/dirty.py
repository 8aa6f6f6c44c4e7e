"""Names as players send them: now and then not the catalogue's.

A name is dirty when `sha256(seed, "dirty", artist, track)`, as a number in [0, 1), is below the share; the kind is
drawn among those that can change that name (no accent goes missing where there is none). The same for ever, and the
truth of a dirty name is that of the name it was made from.

Worked examples, by kind:
    case              "Sigur Rós", "Starálfur"     -> "SIGUR RÓS", "STARÁLFUR"
    punctuation       "AC/DC", "T.N.T."            -> "AC DC", "TNT"
    feat. in title    "Moby", "Porcelain"          -> "Moby", "Porcelain (feat. Orla Venn)"
    remaster suffix   "Queen", "Jealousy"          -> "Queen", "Jealousy - 2011 Remaster"
    one typo          "Insomnium", "Weather the Storm" -> "Insomnium", "Waether the Storm"
    missing accents   "Sigur Rós", "Ágætis byrjun" -> "Sigur Ros", "Agaetis byrjun"
    artist article    "The Beatles"                -> "Beatles" ("Beatles, The"; "Doors" -> "The Doors")
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from typing import NamedTuple

from sleevenotes.simulator import conditions, coverage, draw, invent

_ARTICLE = "the "
_PUNCTUATION = re.compile(r"[^\w\s]")
_LETTER = re.compile(r"[^\W\d_]")
_NO_TYPO = 4  # letters that a text must have: a typo in "U2" or "Go" is another name
_UNCOMPOSED = {"æ": "ae", "ø": "o", "ð": "d", "þ": "th", "ß": "ss", "ł": "l", "đ": "d", "œ": "oe"}


class Name(NamedTuple):
    """What is sent for a name, and in which way it is dirty ("" where it is clean)."""

    artist: str
    track: str
    kind: str


def name(given: conditions.Conditions, artist: str, track: str) -> Name:
    """Return the name as this world's player sends it. Raises ValueError for a kind that is not in KINDS."""
    seed, spoiled = given.seed, given.dirty_names
    clean = Name(artist, track, "")
    if draw.number(seed, "dirty", artist, track) >= spoiled.share or not spoiled.kinds:
        return clean
    first = int(draw.number(seed, "dirty kind", artist, track) * len(spoiled.kinds))
    for step in range(len(spoiled.kinds)):
        kind = spoiled.kinds[(first + step) % len(spoiled.kinds)]
        dice = draw.Dice(seed, "dirt", kind, artist, track)
        if kind not in _WAYS:
            raise ValueError(f"dirty_names: kind {kind!r}: must be one of {', '.join(KINDS)}")
        made = _WAYS[kind](dice, artist, track)
        if made != (artist, track):
            return Name(*made, kind)
    return clean


# ---------------------------------------------------------------- the ways: (artist, track), changed or not


def _case(dice: draw.Dice, artist: str, track: str) -> tuple[str, str]:
    way: Callable[[str], str] = dice.pick((str.lower, str.upper, str.swapcase))
    return way(artist), way(track)


def _punctuation(_: draw.Dice, artist: str, track: str) -> tuple[str, str]:
    """Drop it; where it stood between two letters ("AC/DC", "Jay-Z") a space takes its place."""
    return _without_punctuation(artist), _without_punctuation(track)


def _without_punctuation(text: str) -> str:
    spaced = re.sub(r"(?<=\w)[/-](?=\w)", " ", text)
    return " ".join(_PUNCTUATION.sub("", spaced).split()) or text


def _feat(dice: draw.Dice, artist: str, track: str) -> tuple[str, str]:
    if "feat" in track.lower():
        return artist, track
    style = dice.pick(("{track} (feat. {guest})", "{track} feat. {guest}", "{track} [ft. {guest}]"))
    return artist, style.format(track=track, guest=invent.artist(dice))


def _remaster(dice: draw.Dice, artist: str, track: str) -> tuple[str, str]:
    if "remaster" in track.lower():
        return artist, track
    year = dice.between(1996, 2024)
    return artist, track + dice.pick((f" - {year} Remaster", f" (Remastered {year})", " - Remastered"))


def _typo(dice: draw.Dice, artist: str, track: str) -> tuple[str, str]:
    """Spoil one letter of the title or of the artist, whichever is longer: swapped, left out or doubled."""
    if len(_LETTER.findall(track)) >= len(_LETTER.findall(artist)):
        return artist, _one_typo(dice, track)
    return _one_typo(dice, artist), track


def _one_typo(dice: draw.Dice, text: str) -> str:
    places = [found.start() for found in _LETTER.finditer(text)][1:]  # nobody mistypes the first
    if len(places) < _NO_TYPO:
        return text
    at, way = dice.pick(places), dice.between(0, 2)
    if way == 0 and at + 1 < len(text) and text[at] != text[at + 1]:
        return text[:at] + text[at + 1] + text[at] + text[at + 2 :]
    return text[:at] + text[at + 1 :] if way == 1 else text[:at] + text[at] + text[at:]


def _accents(_: draw.Dice, artist: str, track: str) -> tuple[str, str]:
    return _plain(artist), _plain(track)


def _plain(text: str) -> str:
    """Drop the marks of Latin letters; other scripts keep theirs (й is no и)."""
    return "".join(map(_plain_letter, unicodedata.normalize("NFC", text))) if coverage.has_latin(text) else text


def _plain_letter(letter: str) -> str:
    if "LATIN" not in unicodedata.name(letter, ""):
        return letter
    other = _UNCOMPOSED.get(letter.lower())
    if other:
        return other if letter.islower() else other.capitalize()
    return "".join(part for part in unicodedata.normalize("NFD", letter) if not unicodedata.combining(part))


def _article(dice: draw.Dice, artist: str, track: str) -> tuple[str, str]:
    if not artist.lower().startswith(_ARTICLE):
        return f"The {artist}" if coverage.has_latin(artist) else artist, track
    rest = artist[len(_ARTICLE) :].strip()
    return (dice.pick((rest, f"{rest}, The")) or artist), track


_WAYS: dict[str, Callable[[draw.Dice, str, str], tuple[str, str]]] = {
    "case": _case,
    "punctuation": _punctuation,
    "feat. in title": _feat,
    "remaster suffix": _remaster,
    "one typo": _typo,
    "missing accents": _accents,
    "artist article": _article,
}
KINDS = tuple(_WAYS)
