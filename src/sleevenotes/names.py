"""Text of names. Two foldings, never confused.

`fold` is frozen for ever: it decides which plays and which lookups are the same, and stored digests rest on
it. `key` is for matching and may get cleverer: whatever is stored from it carries `KEY_VERSION`.

Worked examples:
    fold("  Sigur  Rós ")          == "sigur rós"
    key("Sigur Rós")               == "sigurros"
    key("AC/DC")                   == "acdc"
    key("!!!")                     == "!!!"          (nothing but punctuation: kept as folded)
    key("Песни")                   == "pesni"
    split_guests("Latch (feat. Sam Smith)")         == ("Latch", "Sam Smith")
    without_article("69 Eyes, The")                 == "69 Eyes"
    cut_notes("Come Together - Remastered 2009", is_remaster) == ("Come Together", ("Remastered 2009",))
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Callable

from anyascii import anyascii

KEY_VERSION = 1

_NOT_WORD = re.compile(r"[\W_]+")
_GUESTS = re.compile(
    r"""\s* [(\[] \s* (?:feat|ft|featuring|with) \b \.? \s* (?P<bracketed>[^()\[\]]+) [)\]]
      | \s+ (?:feat\b\.? | ft\b\.? | featuring\b) (?! \s*of\b) \s* (?P<trailing>[^()\[\]]+?)
        (?= \s+-\s | \s*[(\[] | \s*$ )
    """,
    re.IGNORECASE | re.VERBOSE,
)
_ARTICLE = re.compile(r"^the\s+|,\s*the$", re.IGNORECASE)
_DASHES = "-\u2013\u2014"  # hyphen, en dash, em dash
_LAST_NOTE = re.compile(
    rf"""^(?P<before>.*\S) \s*
        (?: [(\[] (?P<bracketed>[^()\[\]]*) [)\]]
          | (?<=\s)[{_DASHES}]\s+ (?P<dashed>[^()\[\]]+?) ) \s*$""",
    re.VERBOSE | re.DOTALL,
)
_REMASTER = re.compile(r"\bre-?master(?:ed|ing)?\b", re.IGNORECASE)
_REMASTER_WORDS = re.compile(
    r"\b(?:re-?master(?:ed|ing)?|digital(?:ly)?|version|edition|anniversary|album|mono|stereo|the|in"
    r"|\d{1,2}[ -]?bit|\d+(?:st|nd|rd|th)?)\b|[\W_]",
    re.IGNORECASE,
)


def fold(text: str) -> str:
    """Fold for identity: NFKC, casefold, NFKC again, collapsed white space. Frozen; never change it.

    The second NFKC makes folding twice the same as folding once: casefolding can leave a letter and a mark
    that compose (U+1FB3 with a diaeresis becomes alpha, iota and the mark; NFKC joins the last two).
    """
    if text.isascii():  # the same by a shorter way: NFKC leaves ASCII alone, and casefold only lowers it
        return " ".join(text.lower().split())
    folded = unicodedata.normalize("NFKC", text).casefold()
    return " ".join(unicodedata.normalize("NFKC", folded).split())


def digest(*texts: str) -> bytes:
    """Identify folded texts by 16 bytes (BLAKE2b). Frozen like `fold`."""
    return hashlib.blake2b("\0".join(map(fold, texts)).encode(), digest_size=16).digest()


def key(text: str) -> str:
    """Reduce a name to what matching compares: romanised, lower case, letters and digits only.

    A name that would leave nothing ("!!!") keeps its folded form.
    """
    if text.isascii():
        return _NOT_WORD.sub("", text).lower() or fold(text)
    plain = anyascii(unicodedata.normalize("NFKC", text))
    return _NOT_WORD.sub("", plain).lower() or fold(text)


def split_guests(text: str) -> tuple[str, str]:
    """Take "feat." out of a title or an artist: the text without its guests, and the guests ("" where none).

    "with" counts only within brackets: "Dancing with Myself" keeps its name.
    """
    found = _GUESTS.search(text)
    if not found or found.start() == 0:
        return text, ""
    rest = f"{text[: found.start()]} {text[found.end() :]}".strip()
    return " ".join(rest.split()), (found["bracketed"] or found["trailing"]).strip()


def without_article(artist: str) -> str:
    """Take "The" off an artist, before it or behind a comma; a name of nothing else ("The The") keeps it."""
    rest = _ARTICLE.sub("", artist).strip()
    return artist if fold(rest) in ("", "the") else rest


def cut_notes(title: str, is_note: Callable[[str], bool]) -> tuple[str, tuple[str, ...]]:
    """Cut off, from the end, every part in brackets or after a dash that `is_note`.

    Returns the rest and those notes, the last first. The first part that is none ends it; a title never
    becomes empty.
    """
    notes: list[str] = []
    while found := _LAST_NOTE.match(title):
        note = (found["bracketed"] or found["dashed"] or "").strip()
        if not is_note(note):
            break
        notes.append(note)
        title = found["before"].rstrip(" " + _DASHES) or title
    return title, tuple(notes)


def is_remaster(note: str) -> bool:
    """Tell whether a note only speaks of mastering ("2011 Remaster"): the recording is the same."""
    return bool(_REMASTER.search(note)) and not _REMASTER_WORDS.sub("", note)


def plain(title: str) -> str:
    """Drop the guests and the remaster notes of a title: what a catalogue calls the recording."""
    return cut_notes(split_guests(title)[0], is_remaster)[0]
