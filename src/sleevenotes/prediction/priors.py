"""What is declared of the sources: how likely each is to know a name, by signs in it.

It orders the slow lanes while nothing is learned, and is one of the features of what is learned.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple


class Prior(NamedTuple):
    """How likely a source is to know a name, 0..1, and by how much each sign makes it more or less so.

    Declared, from what the services are kept for: collectors' pasts, a shop's stock, what fans write down.
    """

    at_large: float
    mainstream: float  # much played here
    electronic: float  # by a DJ, a mix, a remix, on vinyl
    other_script: float  # not a Latin letter in the artist's name
    old: float  # its title or album names a year before 1990


PRIORS = {
    "theaudiodb": Prior(0.5, mainstream=0.3, electronic=-0.3, other_script=-0.4, old=0.0),
    "discogs": Prior(0.6, mainstream=0.0, electronic=0.3, other_script=-0.2, old=0.2),
    "itunes": Prior(0.7, mainstream=0.1, electronic=-0.1, other_script=-0.2, old=-0.1),
}
"""Of the slow lanes, whose requests are dear."""

UNDECLARED = Prior(0.75, mainstream=0.0, electronic=0.0, other_script=0.0, old=0.0)
"""Of everybody else: they are asked."""

UNLIKELY = 0.25
"""Below this, a slow lane is not asked."""

MUCH_PLAYED = 10

_ELECTRONIC = re.compile(r"\b(?:dj|mc|remix|mix|dub|vip|bootleg|edit|vinyl|rework)\b|\b12\"")
_OLD = re.compile(r"\b19[0-8]\d\b")


class Signs(NamedTuple):
    """What a name shows of itself."""

    mainstream: bool
    electronic: bool
    other_script: bool
    old: bool


def signs(artist: str, track: str, release: str, plays: int) -> Signs:
    """Read the signs of a name that was played so often; `track` or `release` may be ""."""
    return Signs(
        plays >= MUCH_PLAYED,
        _ELECTRONIC.search(f"{artist} {track} {release}".lower()) is not None,
        not any(letter.isascii() and letter.isalpha() for letter in artist),
        ("19" in track or "19" in release) and _OLD.search(f"{track} {release}") is not None,
    )


def chance(source: str, seen: Signs) -> float:
    """Return how likely, as declared, a source is to know a name with these signs; may lie outside 0..1."""
    prior = PRIORS.get(source, UNDECLARED)
    return prior.at_large + sum(weight for weight, is_so in zip(prior[1:], seen, strict=True) if is_so)


def in_order(sources: Sequence[str], seen: Signs) -> list[str]:
    """Leave out the slow lanes that hardly know such a name, and put the others of them last, the likeliest first."""
    declared = {source: chance(source, seen) for source in sources if source in PRIORS}
    slow = sorted((source for source in declared if declared[source] >= UNLIKELY), key=lambda each: -declared[each])
    return [source for source in sources if source not in PRIORS] + slow
