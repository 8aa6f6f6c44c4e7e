"""A search that plays a source's part for `make bench B=matching`: generous, and the same for all methods.

Three-letter pieces of the names; the rarest of what is asked for choose the candidates, their share orders them.
"""

from __future__ import annotations

import collections
import heapq
import math
from collections.abc import Iterable, Sequence

from sleevenotes import names
from sleevenotes.matching import decide

CANDIDATES = 40
_PIECES = 24  # of an asked name; the rarest
_PLACES = 20_000  # so many of a catalogue are looked at for them, the frequent pieces last


class Search:
    """The nearest names of a catalogue."""

    def __init__(self, catalogue: Sequence[decide.Option]) -> None:
        self.catalogue = catalogue
        self._places: dict[str, list[int]] = collections.defaultdict(list)
        for place, option in enumerate(catalogue):
            recording = option.recording
            albums = [one.title for one in option.releases]
            by = [other for part in recording.artist_credit.names for other in (part.name, *part.aliases)]
            for piece in _pieces([recording.title, *by, *albums]):
                self._places[piece].append(place)

    def near(self, asked: decide.Asked, hidden: str = "") -> tuple[decide.Option, ...]:
        """Return the candidates for a name: nearest by title and artist, and by those with the album."""
        title = self._nearest([asked.track, asked.artist])
        whole = self._nearest([asked.track, asked.artist, asked.release]) if asked.release else []
        only = self._nearest([asked.track])
        places = dict.fromkeys([*title[:CANDIDATES], *whole[: CANDIDATES // 2], *only[: CANDIDATES // 2]])
        return tuple(self.catalogue[place] for place in places if self.catalogue[place].recording.mbid != hidden)

    def _nearest(self, texts: Iterable[str]) -> list[int]:
        found = sorted((len(self._places[piece]), piece) for piece in _pieces(texts) if piece in self._places)
        scores: dict[int, float] = {}
        seen = 0
        for count, piece in found[:_PIECES]:
            seen += count
            if seen > _PLACES and scores:
                break
            weight = math.log(len(self.catalogue) / count) + 0.1
            for place in self._places[piece]:
                scores[place] = scores.get(place, 0.0) + weight
        return heapq.nlargest(CANDIDATES, scores, key=scores.__getitem__)


def _pieces(texts: Iterable[str]) -> set[str]:
    pieces: set[str] = set()
    for text in texts:
        key = f"^{names.key(text)}$"
        pieces.update(key[at : at + 3] for at in range(len(key) - 2))
    return pieces
