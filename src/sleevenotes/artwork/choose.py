"""Which image becomes an album's cover: a pure rule over what arrived, never the order of arrival.

What does not decode never gets here (`artwork.image` refuses it). Then, in this order: spacers go, small
images yield to larger ones, the more trusted source comes first, the matched edition's own cover before the
album's, and size breaks ties.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

SOURCES = ("coverartarchive",)
"""The declared order: a cover of an earlier source is shown before one of a later source."""

SUBJECTS = ("release", "release_group")
"""Whose front it is: the matched edition's own before the one the source shows for the whole album."""

SPACER = 32
"""Shorter sides under this many pixels are no cover: where they have nothing, services send 1 x 1 spacers."""

SMALL = 250
"""Shorter sides under this many pixels lose to any larger image."""

_NAMES = {"coverartarchive": "the Cover Art Archive"}
_FRONTS = {"release": "the front of this very edition", "release_group": "the front shown for the album"}


class Candidate(msgspec.Struct, frozen=True):
    """A decoded image that may become the cover: one of `SOURCES`, one of `SUBJECTS`, its size in pixels."""

    digest: str
    source: str
    subject: str
    width: int
    height: int
    url: str = ""


def order(candidates: Iterable[Candidate]) -> list[Candidate]:
    """Return the usable candidates, best first; empty where none is usable."""
    return sorted((each for each in candidates if min(each.width, each.height) >= SPACER), key=_rank)


def reason(chosen: Candidate) -> str:
    """Say in one sentence why this cover."""
    front = f"It is {_FRONTS[chosen.subject]} in {_NAMES[chosen.source]}"
    if min(chosen.width, chosen.height) < SMALL:
        return f"{front}, small as it is: {chosen.width} x {chosen.height} pixels."
    return f"{front}."


def _rank(candidate: Candidate) -> tuple[bool, int, int, int, str]:
    return (
        min(candidate.width, candidate.height) < SMALL,
        SOURCES.index(candidate.source),
        SUBJECTS.index(candidate.subject),
        -candidate.width * candidate.height,
        candidate.digest,
    )
