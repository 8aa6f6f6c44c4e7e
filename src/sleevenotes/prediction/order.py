"""Whom to ask first, and whom not to ask: by chance for its cost.

    chance / cost   the next to be asked is who is likeliest to serve for what it costs: asked one after another until
                    one serves, that order needs the fewest requests (the classic result for independent chances)
    cost            a request, and as much again for a minute's wait; four times as much where what it gives may not be
                    kept and has to be fetched again
    threshold       who is less likely than that is not asked …
    new to it       … and a quarter of that where the source was never asked about this artist: what it says then tells
                    of all the artist's names, and skipping it would lose them all
    asked anyway    … but for one in fifty, so that what is learned of who is skipped does not grow old; chosen by a
                    digest of question and source: a stage that is run twice chooses the same

A worked example, threshold 0.08: deezer 0.90 (0.1 s), itunes 0.85 (30 s), theaudiodb 0.05. Costs 1.0 and 1.5: deezer,
then itunes. Once deezer has answered nothing, chances are told anew: itunes 0.40, theaudiodb 0.02, skipped.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from sleevenotes import names

MINUTE: Final = 60.0
NOT_KEPT: Final = 4.0
ANYWAY: Final = 0.02
"""Share of the questions below the threshold that are put anyway."""

NEW_TO: Final = 4.0
"""By how much the threshold is lower where a source was never asked about an artist."""

LATER: Final = 2.0
"""By how much each look after the first lowers the threshold: what is rechecked ever again is at last asked."""


class Way(enum.StrEnum):
    """What was chosen for a source."""

    ASK = "ask"
    SKIP = "skip"
    ANYWAY = "anyway"


class Choice(NamedTuple):
    """A source's chance to serve (None: too little is known of it) and what was chosen."""

    source: str
    chance: float | None
    way: Way


class Outlook(NamedTuple):
    """What is foreseen of one question.

    `heard` is who answered it already, and whether that served; `answered` also those who could not be reached.
    `unasked` are those that were never asked about this artist, `anyway` those to be asked although they are unlikely.
    """

    chances: Mapping[str, float]
    costs: Mapping[str, float]
    threshold: float
    heard: Mapping[str, bool]
    answered: frozenset[str]
    unasked: frozenset[str] = frozenset()
    anyway: frozenset[str] = frozenset()

    def choose(self, sources: Iterable[str]) -> list[Choice]:
        """Choose among those of these sources that have not answered: the next to ask first, the skipped last."""
        open_ones = [self._choice(source) for source in sources if source not in self.answered]
        return sorted(open_ones, key=lambda each: (each.way is Way.SKIP, -self._worth(each)))

    def asked(self, sources: Iterable[str]) -> list[str]:
        """Return those of these sources that are to be asked, the next one first."""
        return [each.source for each in self.choose(sources) if each.way is not Way.SKIP]

    def likely(self, sources: Iterable[str]) -> list[str]:
        """Return those of these sources that have answered, and then those that are to be asked."""
        there = list(sources)
        return [*(source for source in there if source in self.answered), *self.asked(there)]

    @property
    def is_served(self) -> bool:
        """Tell whether somebody has answered with something that serves."""
        return any(self.heard.values())

    def _choice(self, source: str) -> Choice:
        chance = self.chances.get(source)
        threshold = self.threshold / (NEW_TO if source in self.unasked else 1.0)
        if chance is None or chance >= threshold:
            return Choice(source, chance, Way.ASK)
        return Choice(source, chance, Way.ANYWAY if source in self.anyway else Way.SKIP)

    def _worth(self, each: Choice) -> float:
        chance = UNKNOWN if each.chance is None else each.chance
        return chance / self.costs.get(each.source, 1.0)


UNKNOWN: Final = 0.5
"""The chance by which a source stands in the order of which too little is known."""


def cost(wait_s: float, *, is_kept: bool) -> float:
    """Return what asking costs, in requests; `wait_s` is until the answer is here."""
    return (1.0 + min(1.0, wait_s / MINUTE)) * (1.0 if is_kept else NOT_KEPT)


def threshold_at(threshold: float, looks: int) -> float:
    """Return the threshold of a look that so many have come before."""
    return float(threshold / LATER ** min(looks, 16))


def asked_anyway(question: bytes, source: str) -> bool:
    """Tell whether this question is put to this source though it is unlikely to serve; always the same."""
    drawn = int.from_bytes(names.digest("asked anyway", question.hex(), source)[:4], "big")
    return drawn < ANYWAY * 2**32
