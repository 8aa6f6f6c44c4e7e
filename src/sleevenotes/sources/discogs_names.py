"""Discogs' way with names: "Artist - Title" in one text, "Nirvana (2)", "Persuader, The", "Queen*"; and formats."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from sleevenotes import model, names

ALL_ARTISTS: Final = {"Various Artists": "Various"}  # MusicBrainz' name of them, and Discogs'

_NUMBERED: Final = re.compile(r" \(\d+\)(?=$|[*,]|\s)")  # "Nirvana (2)"
_STARRED: Final = re.compile(r"(?<=[^\s*])\*(?=$|,|\s)")  # "Queen*": under another name than its own
_ARTICLES: Final = "The|A|An|Die|Der|Das|Les|Le|La|Los|Las|El"
_ARTICLE_LAST: Final = re.compile(rf"^(?P<name>[^,]+), (?P<article>{_ARTICLES})$")
_JOINERS: Final = re.compile(
    rf"( (?:&|/|\+|x|vs\.?|feat\.?|featuring|with|and) |, (?!(?:{_ARTICLES})(?:$| )))", re.IGNORECASE
)


def split_title(text: str, artist: str) -> tuple[str, str]:
    """Divide "Artist - Title" into the artist, as others write it, and the title.

    An artist may contain " - " itself: of several places to divide, the one that leaves the artist that was asked for
    is taken, else the first. "Beatles, The - Help!" is ("The Beatles", "Help!"); "Nirvana (2) - In Utero" is
    ("Nirvana", "In Utero").
    """
    _, by, title = halves(text, artist)
    return by, title


def halves(text: str, artist: str) -> tuple[str, str, str]:
    """Return the artist as Discogs names it, as others do, and the title."""
    parts = text.split(" - ")
    halves = [(" - ".join(parts[:place]), " - ".join(parts[place:])) for place in range(1, len(parts))]
    if not halves:
        return "", "", text.strip()
    wanted = names.key(artist)
    named, title = next((half for half in halves if names.key(plain_artist(half[0])) == wanted), halves[0])
    return named.strip(), plain_artist(named), title.strip()


def plain_artist(named: str) -> str:
    """Undo Discogs' ways of naming: "Beatles, The & Nirvana (2) & Queen*" is "The Beatles & Nirvana & Queen"."""
    text = _STARRED.sub("", _NUMBERED.sub("", named.strip()))
    parts = _JOINERS.split(text)
    plain = "".join(_ARTICLE_LAST.sub(r"\g<article> \g<name>", part) for part in parts).strip()
    return next((ours for ours, theirs in ALL_ARTISTS.items() if theirs == plain), plain)


# ---------------------------------------------------------------- formats


def group(title: str, kinds: Sequence[str], master_id: int | None, release: str) -> model.ReleaseGroup:
    """Return the release group of a release with these formats: its master, else the release itself (its own id)."""
    return model.ReleaseGroup(
        "",
        title,
        primary_type=next((kind for kind in ("Single", "EP", "Album") if kind in kinds), ""),
        secondary_types=("Compilation",) if "Compilation" in kinds else (),
        foreign_id=f"discogs:m{master_id}" if master_id else release,
    )


def status(kinds: Sequence[str]) -> str:
    """Return MusicBrainz' word for how official a release with these formats is."""
    if "Unofficial Release" in kinds:
        return "Bootleg"
    return "Promotion" if "Promo" in kinds else "Official"
