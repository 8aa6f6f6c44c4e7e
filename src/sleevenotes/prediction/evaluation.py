"""Predictions held against what came of the questions.

Only whom the order of that time came to was asked, so what another order would have met is known in part. Each
question is walked in an order: who was asked counts as it answered, who was not as likely as foretold. Both orders are
walked so, the declared and the predicted one, with the chances at the first asking.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from sleevenotes.prediction import features, order, priors
from sleevenotes.prediction.learned import Bin, Evaluation, Example, Task

Bools = npt.NDArray[np.bool_]

HIGHEST: Final = priors.UNLIKELY
"""A threshold is never higher than this: what is declared skips nobody likelier, either."""

RESERVE: Final = 0.8
"""Share of the coverage that may be lost which the threshold is set to lose."""


class Foretold(NamedTuple):
    """Chances (n, sources) of the examples from `first` on, by models that had not seen them."""

    chances: features.Array
    first: int


class Walk(NamedTuple):
    """One held-out question: what it asked, who answered how, and chances as worth at the first asking.

    `worth` is the chance, times NEW_TO where the source was never asked about the artist: held against the threshold.
    """

    example: Example
    outcomes: Mapping[str, bool]
    chances: Mapping[str, float]
    worth: Mapping[str, float]


def evaluate(
    known: Sequence[Example],
    rows: features.Rows,
    foretold: Foretold,
    sources: Sequence[str],
    task: Task,
    threshold: float | None = None,
) -> Evaluation:
    """Hold what was foretold against what came; choose the threshold, unless one is given."""
    held = known[foretold.first :]
    place = {source: at for at, source in enumerate(sources)}
    places = np.array([place[each.source] for each in held])
    every = np.arange(len(held))
    worth = foretold.chances * np.where(rows.unasked[foretold.first :], order.NEW_TO, 1.0)
    own, served = foretold.chances[every, places], np.array([each.served for each in held])
    if threshold is None:
        threshold = choose_threshold(worth[every, places], own, served, 1.0 - task.keep)
    walks = list(_walks(held, foretold.chances, worth, sources))
    requests, found = _walked(walks, lambda walk: _predicted(walk, threshold))
    declared_requests, declared_found = _walked(walks, lambda walk: _declared(walk, task))
    return Evaluation(
        examples=len(known),
        held_out=len(held),
        log_loss=log_loss(own, served),
        plain_log_loss=log_loss(_plain(known, foretold.first), served),
        requests=requests,
        declared_requests=declared_requests,
        found=found,
        declared_found=declared_found,
        threshold=threshold,
        bins=bins(own, served),
    )


def log_loss(chances: features.Array, served: Bools) -> float:
    """Return the mean surprise at what came, in nats."""
    clipped = np.clip(chances, 1e-6, 1 - 1e-6)
    return float(-np.mean(np.where(served, np.log(clipped), np.log(1 - clipped))))


def choose_threshold(worth: features.Array, chances: features.Array, served: Bools, may_lose: float) -> float:
    """Return the highest threshold of worth below which so little was served that it may be lost.

    What was served and what was to be expected are both held against it: the one is the truth, and a few hundred
    questions hold too few rare events for it alone.
    """
    allowed = RESERVE * may_lose * int(served.sum())
    ranked = np.argsort(worth)
    lost = np.maximum(np.cumsum(served[ranked]), np.cumsum(chances[ranked]))
    spared = int(np.searchsorted(lost, allowed, side="right"))
    if spared == 0:
        return 0.0
    highest = worth[ranked[spared]] if spared < len(ranked) else HIGHEST
    return float(min(HIGHEST, highest))


def bins(chances: features.Array, served: Bools) -> tuple[Bin, ...]:
    """Sort into tenths of the chances."""
    tenths = np.minimum((chances * 10).astype(np.int64), 9)
    return tuple(_bin(chances[tenths == tenth], served[tenths == tenth]) for tenth in range(10))


def _bin(chances: features.Array, served: Bools) -> Bin:
    return Bin(len(chances), float(chances.mean()), float(served.mean())) if len(chances) else Bin(0, 0.0, 0.0)


def _plain(known: Sequence[Example], first: int) -> features.Array:
    """Foretell the held-out examples by nothing but the share of each source and kind before them."""
    counts: dict[tuple[str, str], tuple[float, float]] = {}
    for each in known[:first]:
        served, asked = counts.get((each.source, each.kind), (1.0, 2.0))
        counts[each.source, each.kind] = (served + each.served, asked + 1)
    shares = {of: served / asked for of, (served, asked) in counts.items()}
    return np.array([shares.get((each.source, each.kind), 0.5) for each in known[first:]])


# ---------------------------------------------------------------- walking in an order


def _walks(
    held: Sequence[Example], chances: features.Array, worth: features.Array, sources: Sequence[str]
) -> Iterator[Walk]:
    first: dict[tuple[str, str], int] = {}
    outcomes: dict[tuple[str, str], dict[str, bool]] = {}
    for at, each in enumerate(held):
        first.setdefault((each.kind, each.question), at)
        outcomes.setdefault((each.kind, each.question), {})[each.source] = each.served
    for of, at in first.items():
        told = (dict(zip(sources, row[at].tolist(), strict=True)) for row in (chances, worth))
        yield Walk(held[at], outcomes[of], *told)


def _walked(walks: Iterable[Walk], whom: Callable[[Walk], Sequence[str]]) -> tuple[float, float]:
    """Return how many requests the walks take, and how many questions are served."""
    requests = found = 0.0
    for walk in walks:
        left = 1.0  # how likely it is that nobody has served yet
        for source in whom(walk):
            requests += left
            left *= 1.0 - float(walk.outcomes.get(source, walk.chances[source]))
        found += 1.0 - left
    return requests, found


def _predicted(walk: Walk, threshold: float) -> list[str]:
    likely = (source for source, worth in walk.worth.items() if worth >= threshold)
    return sorted(likely, key=lambda source: -walk.chances[source])


def _declared(walk: Walk, task: Task) -> list[str]:
    each = walk.example
    known = [source for source in task.declared.get(each.kind, ()) if source in walk.chances]
    if each.kind != "find_recording":
        return known
    return priors.in_order(known, priors.signs(each.artist, each.track, each.release, each.plays))
