"""Which artist is known to which source.

An artist is known to a source when its draw is below sigmoid(b + popularity*z + non_latin*n + noise*e): z is the
artist's standing, n = 1 where the name has no Latin letter, e a standard normal draw of the artist, and b is solved
so that the mean over all artists is as stated. Two readings of the given text are ours:

- artists "nowhere" are drawn first and are known to no source; b of every other source is solved over the rest, so
  that its mean over *all* artists is still as stated;
- "includes": sources of one family (ListenBrainz' exact index, its fuzzy one, MusicBrainz) share one draw, so that
  who is in the smaller is in the larger, and each mean is as stated.
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Sequence

from sleevenotes.simulator import conditions, draw, entities

FAMILIES = {"listenbrainz_exact": "musicbrainz", "listenbrainz_fuzzy_get": "musicbrainz"}
_NESTED = ("listenbrainz_exact", "listenbrainz_fuzzy_get", "musicbrainz")


def has_latin(name: str) -> bool:
    """Tell whether any letter of a name is Latin."""
    return any(
        character.isascii() or "LATIN" in unicodedata.name(character, "") for character in name if character.isalpha()
    )


def solve(leanings: Sequence[float], total: float) -> float:
    """Return the b for which sigmoid(b + leaning) sums to `total`, by bisection; ±60 where no b does."""
    low, high = -60.0, 60.0
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (middle, high) if sum(sigmoid(middle + x) for x in leanings) < total else (low, middle)
    return (low + high) / 2


def sigmoid(x: float) -> float:
    """Return 1 / (1 + e^-x), for any x."""
    return 1 / (1 + math.exp(-x)) if x > -700 else 0.0


class Known:
    """Who knows whom; each source is drawn when first asked for."""

    def __init__(self, given: conditions.Conditions, artists: Sequence[entities.Artist]) -> None:
        self._given = given
        self._artists = artists
        self._found: dict[str, frozenset[int]] = {}

    def by(self, source: str) -> frozenset[int]:
        """Return the indexes of the artists a source knows; none for a source without a stated coverage."""
        if source not in self._found:
            self._found[source] = self._select(source) if source in self._given.coverage else frozenset()
        return self._found[source]

    def sources_of(self, artist: entities.Artist) -> frozenset[str]:
        """Return the names of all sources that know an artist."""
        return frozenset(
            source for source in self._given.coverage if source != "nowhere" and artist.index in self.by(source)
        )

    def _select(self, source: str) -> frozenset[int]:
        everyone = range(len(self._artists))
        nowhere: frozenset[int] = frozenset() if source == "nowhere" else self.by("nowhere")
        among = [index for index in everyone if index not in nowhere]
        terms = self._given.coverage[source]
        leanings = [self._leaning(index, terms) for index in among]
        b = solve(leanings, terms.mean * len(everyone))
        label = FAMILIES.get(source, source)
        drawn = frozenset(
            index
            for index, leaning in zip(among, leanings, strict=True)
            if draw.number(self._given.seed, label, self._artists[index].name) < sigmoid(b + leaning)
        )
        return drawn | self._inner(source)

    def _inner(self, source: str) -> frozenset[int]:
        """Make containment a rule, for leanings that differ so much that the shared draw alone does not."""
        before = _NESTED[: _NESTED.index(source)] if source in _NESTED else ()
        inner: frozenset[int] = frozenset()
        return inner.union(*(self.by(smaller) for smaller in before))

    def _leaning(self, index: int, terms: conditions.Coverage) -> float:
        artist = self._artists[index]
        leaning = terms.popularity * artist.standing
        if terms.non_latin:
            leaning += terms.non_latin * (not has_latin(artist.name))
        if terms.noise:
            leaning += terms.noise * draw.normal(self._given.seed, "noise", artist.name)
        return leaning
