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
    clean("Hysteria (Official Video) HD")           == "Hysteria"
    clean("Time &amp; Space [Lyrics] | My Channel") == "Time & Space"
    clean_release("Nevermind (Deluxe Edition) [2011 Re-issue]") == "Nevermind"
    split_artists("Tyler, the Creator & Kali Uchis", known)     == ("Tyler, the Creator", "Kali Uchis")
    split_artists("Earth, Wind & Fire", known)                  == ("Earth, Wind & Fire",)
where `known` tells of a name whether the catalogue has an artist of it.
"""

from __future__ import annotations

import functools
import hashlib
import html
import re
import unicodedata
from collections.abc import Callable
from typing import Final

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
    r"\b(?:re-?master(?:ed|ing)?|digital(?:ly)?|version|edition|anniversary|album|mono|stereo|the|in|and|deluxe"
    r"|expanded|box|set|\d{1,2}[ -]?bit|\d+(?:st|nd|rd|th)?)\b|[\W_]",
    re.IGNORECASE,
)
_YEAR: Final = re.compile(r"[12]\d{3}")
# What video sites and shops write behind a title. A note of nothing but these words, one of the first row among them.
_NOISE: Final = re.compile(
    r"\b(?:official|oficial|officiel(?:le)?|offiziell(?:es)?|video ?clip|videos?|v[ií]d[eé]o|clip|audio|lyrics?|letra"
    r"|hd|hq|uhd|4k|1080p|720p|stream|visuali[sz]er|m/?v|explicit|clean|new|album track)\b",
    re.IGNORECASE,
)
_NOISE_TOO: Final = re.compile(r"\b(?:music|track|album|full|version|with|the|and|sub(?:s|titles|titulado)?)\b|[\W_]")
_NOISE_BEHIND: Final = re.compile(
    r"""\s+(?: h[dq] | uhd | 4k | (?:official|oficial|offizielles|officiel) \s (?:(?:music|hd|lyrics?) \s)?
          (?:video|audio)
        | v[ií]d[eé]o\s?clip (?: \s (?:officiel|oficiel|official|oficial))? | clip | full \s album | sub \s español
        | \*\*+ \s* new \s* \*\*+ | \*\*+ ) \s*$""",
    re.IGNORECASE | re.VERBOSE,
)
_CHANNEL: Final = re.compile(r"(?<=\S)\s+\|\s.*$")
_FILE_ENDING: Final = re.compile(r"\.(?:avi|wmv|mpe?g|flv|mp[34]|m4a|flac|ogg|wma|wav)$", re.IGNORECASE)
_UNSEEN: Final = re.compile("[\u200b-\u200d\u2060\ufeff]")
_BRACKETS: Final = re.compile(r"\s*[(\[]([^()\[\]]*)[)\]]")
_MADE_OF: Final = re.compile(r"^(?:parody|lyrical adapt(?:at)?ion) of\b", re.IGNORECASE)
_QUOTES: Final = str.maketrans("\u2018\u2019\u201c\u201d\u3010\u3011\uff08\uff09", "''\"\"[]()")
_EDITION_WORDS: Final = re.compile(
    r"\b(?:deluxe|expanded|anniversary|bonus|special|limited|collector'?s|edition|re-?issued?|re-?master(?:ed|ing)?"
    r"|explicit|clean|version|track|tracks|album|mono|stereo|digital|original|unknown|dis[ck]|cd|vinyl|lp|and|the"
    r"|\d{4}|\d{1,3}(?:st|nd|rd|th))\b|[\W_]",
    re.IGNORECASE,
)
_REISSUE: Final = re.compile(r"(?<=\S)\s+re-?issue$", re.IGNORECASE)
_JOINED: Final = re.compile(
    r"\s*[,;/+&\u00d7]\s*|\s+(?:and|und|et|y|e|og|och|with|vs|x|feat|ft|featuring|presents)\b\.?\s+", re.IGNORECASE
)
_SURELY_JOINED: Final = re.compile(r"\s*;\s*|\s+(?:feat|ft|featuring|vs)\b\.?\s+", re.IGNORECASE)


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


@functools.lru_cache(maxsize=20_000)
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


def is_year(note: str) -> bool:
    """Tell whether a note is only a year ("1967"): it tells when, seldom which."""
    return bool(_YEAR.fullmatch(note.strip()))


# ---------------------------------------------------------------- clean-up, for comparing only


def decode(text: str) -> str:
    """Undo what the way here did to a text: HTML entities, unseen characters, curly quotes, wide brackets."""
    return " ".join(_UNSEEN.sub("", html.unescape(text)).translate(_QUOTES).split(" ")).replace("\u00a0", " ").strip()


def clean(title: str) -> str:
    """Take off a title what is no part of it: a video's notes, a file's ending, remaster notes, stray signs.

    Never what tells versions apart (live, remix, edit …), and never all of it. The guests stay.
    """
    text = _FILE_ENDING.sub("", _CHANNEL.sub("", decode(title)))
    text = re.sub(r"\s*/\s*re-?master(?:ed)?(?=\s*[)\]]|\s*$)", "", text, flags=re.IGNORECASE)
    text = _without_brackets(text, _is_noise)
    for _ in range(3):  # several may stand behind each other
        text = cut_notes(_NOISE_BEHIND.sub("", text), _is_noise)[0]
    text = text.strip(" \t:;")
    text = re.sub(rf"^[{_DASHES}]+\s*(?=\w)|\s*[{_DASHES}]+$", "", text)
    return _without_quotes(text) or title


def clean_release(title: str) -> str:
    """Take off an album's title what only tells the edition: "(Deluxe Edition)", "[2005 Re-issue]", "(1996)"."""
    text = _without_brackets(decode(title), _is_edition)
    return _REISSUE.sub("", cut_notes(text, _is_edition)[0]).strip() or title


def _without_brackets(text: str, is_note: Callable[[str], bool]) -> str:
    rest = _BRACKETS.sub(lambda found: "" if is_note(found[1]) else found[0], text).strip()
    return rest or text


def _without_quotes(text: str) -> str:
    """Take off quotes around the whole, and one that has lost its other."""
    if len(text) > 2 and text[0] == text[-1] and text[0] in "'\"" and text.count(text[0]) == 2:
        return text[1:-1]
    return text.strip('"') if text.count('"') == 1 else text


def _is_noise(note: str) -> bool:
    """Tell whether a note is empty, of mastering, or of a video's vocabulary alone."""
    if not note.strip() or is_remaster(note) or _MADE_OF.match(note):
        return True
    return bool(_NOISE.search(note)) and not _NOISE_TOO.sub("", _NOISE.sub("", note).lower())


def _is_edition(note: str) -> bool:
    return not _EDITION_WORDS.sub("", note)


# ---------------------------------------------------------------- artists


def first_name_first(artist: str) -> str:
    """Turn a sort name round: "Floyd, Eddie" is "Eddie Floyd"; what is none stays as it is."""
    last, comma, first = artist.partition(",")
    return f"{first.strip()} {last.strip()}" if comma and first.strip() and "," not in first else artist


def split_artists(text: str, is_known: Callable[[str], bool]) -> tuple[str, ...]:
    """Split a credit into its artists, keeping together what is one name.

    `is_known` tells whether the catalogue has an artist of this name; it is asked before anything is split. Longer
    names go first. Where the parts are not all known, only what surely joins ("feat.", "vs.", ";") is split at.
    """
    if is_known(text):
        return (text,)
    joints = [(found.start(), found.end()) for found in _JOINED.finditer(text)]
    if parts := _known_parts(text, joints, is_known):
        return parts
    return tuple(part.strip() for part in _SURELY_JOINED.split(text) if part.strip()) or (text,)


def _known_parts(text: str, joints: list[tuple[int, int]], is_known: Callable[[str], bool]) -> tuple[str, ...]:
    """Split into known artists alone, the longest first; () where that cannot be done."""
    if is_known(text.strip()):
        return (text.strip(),)
    for place in range(len(joints) - 1, -1, -1):
        start, end = joints[place]
        first = text[:start].strip()
        if first and is_known(first):
            behind = [(left - end, right - end) for left, right in joints[place + 1 :]]
            if rest := _known_parts(text[end:], behind, is_known):
                return (first, *rest)
    return ()
