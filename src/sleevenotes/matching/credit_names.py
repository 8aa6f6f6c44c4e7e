"""Whether the artist that was sent is the artist, or are the artists, that a recording is credited to.

From certain to doubtful: the credit as printed; the artist's own name, alias or sort name; other joining words,
articles or order; one of several artists; less than a name, where the title says which; a slip of the pen.

Worked examples:
    "Floyd, Eddie"                by Eddie Floyd                          0.05  words in another order
    "Queen"                       by Queen & David Bowie                  0.05  one of two
    "Tyler, the Creator & Kali"   by Tyler, the Creator feat. Kali        0.02  otherwise joined
    "Mozart"                      by Wolfgang Amadeus Mozart              0.10  if the title is long, or on the album
    "Hank Williams Jr."           by Hank Williams                        0.54  a word more is somebody else
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Sequence
from typing import Final

from rapidfuzz import fuzz

from sleevenotes import model, names
from sleevenotes.matching import readings, slips, weights

_DISTINCT: Final = 18  # letters of a title that hardly two artists have
_SURNAME: Final = 5  # letters of a last name that may stand alone
_JOINERS: Final = re.compile(
    r"\s*(?:[,;/&+\u00d7]|\b(?:and|und|et|y|e|og|och|with|vs|x|feat|ft|featuring|presents)\b\.?)\s*",
    re.IGNORECASE,
)


def compare(
    artist: str, credit: model.ArtistCredit, title: str, support: slips.Support, titled: Sequence[model.Penalty]
) -> Iterator[model.Penalty]:
    """Compare the artist sent with a credit; `title` is the candidate's, `titled` what its difference weighs."""
    if names.fold(artist) == names.fold(credit.name) and not readings.is_unknown(artist):
        return
    same_title = all(each.weight <= weights.WRITING for each in titled)
    if readings.is_unknown(artist) or readings.is_unknown(credit.name):
        told = same_title and (support.album or (support.duration and len(names.key(title)) >= _DISTINCT))
        yield model.Penalty(
            f"no artist is told; by {credit.name}", weights.UNKNOWN_ARTIST if told else weights.ANOTHER_ARTIST
        )
        return
    yield (
        _same_artist(artist, credit)
        or _shared_artists(artist, credit)
        or _less_of_artist(artist, credit, title, support, same_title=same_title)
        or _alike_artist(artist, credit, support.count if same_title or _is_slip(titled, support) else 0)
    )


def _is_slip(titled: Sequence[model.Penalty], support: slips.Support) -> bool:
    """Tell whether the title differs by a few letters at most, and album or duration agree."""
    return support.count > 0 and sum(each.weight for each in titled) <= weights.SMALL_SLIP


def _same_artist(artist: str, credit: model.ArtistCredit) -> model.Penalty | None:
    """Compare with the credit as a whole."""
    key = names.key(artist)
    if key == names.key(credit.name):
        return model.Penalty(f"the artist is written {credit.name}", weights.WRITING)
    if len(credit.names) == 1:
        only = credit.names[0]
        if only.artist_name and key == names.key(only.artist_name):
            return model.Penalty(f"the artist is credited as {only.name}", weights.CREDITED_AS)
        if key in _other_names(only):
            return model.Penalty(f"the artist is also known as {artist}", weights.ALIAS)
    if _loose(artist) == _loose(credit.name) or _words(artist) == _words(credit.name):
        return model.Penalty(f"the artist is written {credit.name}", weights.ARTICLE)
    return None


def _shared_artists(artist: str, credit: model.ArtistCredit) -> model.Penalty | None:
    """Compare artist by artist: the same in another order, or one of them missing on one side."""
    known = [all_names(part) for part in credit.names]
    asked = [names.key(part) for part in _split_known(artist, known)]
    whole = next((place for place, one in enumerate(known) if names.key(artist) in one), None)
    if whole is not None:
        weight = weights.NOT_FIRST if whole else weights.PARTLY_CREDITED
        return model.Penalty(f"credited to {credit.name}", weight)
    places = [next((place for place, one in enumerate(known) if part in one), None) for part in asked]
    if None not in places and len(set(places)) == len(known):
        return model.Penalty(f"the artists are credited as {credit.name}", weights.ORDER)
    if places[0] == 0 and len(asked) > 1:
        weight = weights.PARTLY_CREDITED if names.split_guests(artist)[1] else weights.ANOTHER_MEMBER
        return model.Penalty(f"credited to {credit.name}", weight)
    return None


def _less_of_artist(
    artist: str, credit: model.ArtistCredit, title: str, support: slips.Support, *, same_title: bool
) -> model.Penalty | None:
    """Accept less than the artist's name, where the title is the same and says which: album, or a long title."""
    if not same_title:
        return None
    if _before_dash(artist) == names.key(credit.name):
        return model.Penalty(f"by {credit.name}", weights.SURNAME)
    if support.album and _is_unread(artist) != _is_unread(credit.name):
        return model.Penalty(f"the artist is written {credit.name}", weights.ANOTHER_SCRIPT)
    if not (support.album or len(names.key(title)) >= _DISTINCT):
        return None
    words, others = sorted((_words(artist), _words(credit.name)), key=len)
    longest = max(map(len, words), default=0)
    last = names.key(credit.name).endswith(names.key(artist)) and longest >= _SURNAME
    if set(words) < set(others) and (last or (support.count == 2 and longest > 2)):
        return model.Penalty(f"by {credit.name}", weights.SURNAME)
    return None


@functools.lru_cache(maxsize=20_000)
def _words(artist: str) -> tuple[str, ...]:
    """Return the words of a name as keys, sorted: "Utada Hikaru" and "Hikaru Utada", "Floyd, Eddie" are the same."""
    return tuple(sorted(filter(None, map(names.key, re.split(r"[\s,]+", artist)))))


def _is_unread(artist: str) -> bool:
    """Tell whether a name is in characters that tell no sound by themselves (Chinese, also as Japanese writes them)."""
    return any("\u3400" <= letter <= "\u9fff" for letter in artist)


def _before_dash(artist: str) -> str:
    """Return the key of "Poe" in "Poe - Haunted", an artist with the album behind it; "" where there is no dash."""
    before, dash, _ = artist.partition(" - ")
    return names.key(before) if dash else ""


def _alike_artist(artist: str, credit: model.ArtistCredit, support: int) -> model.Penalty:
    plain, other = _loose(artist), _loose(credit.name)
    slip = slips.slip(plain, other, support)
    if slip is not None and not slips.more_words(artist, credit.name):
        return model.Penalty(f"the artist is spelt {credit.name}", round(slip, 4))
    alike = fuzz.ratio(plain, other) / 100
    return model.Penalty(f"by {credit.name}", round(weights.ANOTHER_ARTIST + (1 - alike) / 2, 4))


def _split_known(artist: str, known: Sequence[frozenset[str]]) -> Sequence[str]:
    """Split, keeping what is one artist of the credit together: "Tyler, the Creator & Kali Uchis" are two."""
    parts = names.split_artists(artist, lambda name: any(names.key(name) in one for one in known))
    return parts if len(parts) > 1 else split(artist)


def split(artist: str) -> list[str]:
    """Split at everything that may join artists, and brackets."""
    text = artist.replace("(", " ").replace(")", " ")
    return [part for part in _JOINERS.split(text) if part.strip()] or [artist]


@functools.lru_cache(maxsize=20_000)
def _loose(artist: str) -> str:
    """Reduce to a key without articles and joining words: "Florence and the Machine" is "florencemachine"."""
    parts = split(names.without_article(artist))
    return "".join(names.key(names.without_article(part)) for part in parts)


@functools.lru_cache(maxsize=5_000)
def _other_names(part: model.ArtistCreditName) -> frozenset[str]:
    return frozenset(map(names.key, (*part.aliases, part.sort_name))) - {""}


def all_names(part: model.ArtistCreditName) -> frozenset[str]:
    """Return the keys of every name an artist of a credit is known by."""
    return _other_names(part) | {names.key(part.name), names.key(part.artist_name or part.name)}
