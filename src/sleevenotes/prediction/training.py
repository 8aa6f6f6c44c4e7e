"""From questions that were asked to a predictor, held against what came later.

walked in order      each question is seen as it stood when it was asked: with what had been answered by then
one logistic model   of all sources and kinds: common weights, and each source's own beside them, drawn towards
                     none (ridge): a source of which little is known behaves like the others
held out             the questions are cut at 40, 55, 70 and 85 %: each part is foretold by a model of what was
                     before it. All that is said of a predictor is said of these
threshold            the highest at which what would have been skipped costs no more coverage than may be lost
accepted             where it foretells better than each source's plain share, and needs fewer requests than the
                     declared order at the coverage to be kept; what is used is then trained on all questions
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import sparse
from sklearn.linear_model import LogisticRegression

from sleevenotes.prediction import evaluation, features
from sleevenotes.prediction.learned import FEATURES_VERSION, Evaluation, Example, Model, Task, Trained
from sleevenotes.prediction.predictor import RUN_SCALE, Predictor

FEWEST: Final = 300
"""Examples below which nothing is learned."""

FEWEST_OF_SOURCE: Final = 10
"""Of a source with fewer nothing is foretold: it is asked as declared."""

BLOCK: Final = 0.5
"""What a source's own weights weigh beside the common ones: the smaller, the more of them it takes to differ."""

RIDGES: Final = (0.1, 0.3, 1.0)
"""How freely weights may grow; the best on the held-out questions is taken."""

AT_ONCE: Final = 5_000
"""Questions turned into numbers at once."""

CUTS: Final = (0.4, 0.55, 0.7, 0.85)

SURER: Final = 0.95
"""Share of the plain shares' loss that a predictor may have at most: less of a difference may be luck."""

FEWER: Final = 0.995
"""Share of the declared order's requests that a predictor may need at most."""


class Table(NamedTuple):
    """Examples as numbers: the questions' rows, each example's source by place, the matrix, and what came of it."""

    rows: features.Rows
    places: features.Ints
    matrix: sparse.csr_matrix
    served: npt.NDArray[np.bool_]


def train(examples: Sequence[Example], task: Task) -> Trained:
    """Learn from examples in the order in which they were asked."""
    sources = _sources(examples)
    known = [each for each in examples if each.source in sources and each.kind in features.KINDS]
    served = sum(each.served for each in known)
    if len(known) < FEWEST or served in (0, len(known)):
        why = f"there are {len(known)} questions to learn from; {FEWEST} are needed, some served and some not"
        return Trained(None, None, why, old_holds=True, took_s=0.0, peak_mb=0.0)
    made = _table(known, sources)
    ridge, foretold = _foretell(made, sources)
    found = evaluation.evaluate(known, made.rows, foretold, sources, task)
    model = _fit(made, len(known), ridge, sources, _took(known, sources), found.threshold)
    why_not = _why_not(found, task)
    old_holds = not why_not or _holds(known, made, sources, task)
    return Trained(model, found, why_not, old_holds, took_s=0.0, peak_mb=0.0)


def _sources(examples: Sequence[Example]) -> tuple[str, ...]:
    counts: dict[str, int] = {}
    for each in examples:
        counts[each.source] = counts.get(each.source, 0) + 1
    return tuple(sorted(source for source, count in counts.items() if count >= FEWEST_OF_SOURCE))


def _why_not(found: Evaluation, task: Task) -> str:
    if found.log_loss > SURER * found.plain_log_loss:
        return "it foretells no better than each source's plain share"
    if found.kept < task.keep:
        return f"it would find {found.kept:.2%} of what the declared order finds; {task.keep:.1%} are to be kept"
    if found.requests > FEWER * found.declared_requests:
        return f"it would save {found.saved:.1%} of the declared order's requests, which is not worth it"
    return ""


def _holds(known: Sequence[Example], made: Table, sources: tuple[str, ...], task: Task) -> bool:
    """Tell whether the predictor in force is still better than the declared order, on what it was not trained on."""
    old = task.old
    later = next((at for at, each in enumerate(known) if each.asked_s > task.old_until_s), len(known))
    if old is None or old.sources != sources or len(known) - later < FEWEST:
        return True  # too little has come since to say otherwise
    chances = Predictor(old).probabilities(made.rows)
    foretold = evaluation.Foretold(chances[later:], later)
    return not _why_not(evaluation.evaluate(known, made.rows, foretold, sources, task, old.threshold), task)


# ---------------------------------------------------------------- in the order of asking


def as_asked(examples: Sequence[Example]) -> Iterator[features.Asked]:
    """Yield each question as it stood when it was asked: with what had been answered by then and nothing later."""
    pasts: dict[str, dict[tuple[str, str], tuple[int, int]]] = {}
    heard: dict[tuple[str, str], dict[str, bool]] = {}
    coming: list[tuple[float, int]] = []
    for number, each in enumerate(examples):
        while coming and coming[0][0] <= each.asked_s:
            answered = examples[heapq.heappop(coming)[1]]
            past = pasts.setdefault(answered.artist_key, {})
            served, absent = past.get((answered.source, answered.kind), (0, 0))
            past[answered.source, answered.kind] = (served + answered.served, absent + (not answered.served))
            heard.setdefault((answered.kind, answered.question), {})[answered.source] = answered.served
        told = heard.get((each.kind, each.question), {})
        yield features.Asked(
            each.kind,
            each.artist,
            each.track,
            each.release,
            each.plays,
            dict(pasts.get(each.artist_key, {})),
            {source: served for source, served in told.items() if source != each.source},
        )
        heapq.heappush(coming, (each.asked_s + each.took_s, number))


# ---------------------------------------------------------------- fitting


def _table(known: Sequence[Example], sources: Sequence[str]) -> Table:
    asked = as_asked(known)
    parts: list[features.Rows] = []
    while some := list(itertools.islice(asked, AT_ONCE)):
        rows = features.rows(some, sources)
        parts.append(rows._replace(dense=rows.dense.astype(np.float32)))
    rows = features.together(parts)
    place = {source: at for at, source in enumerate(sources)}
    places = np.array([place[each.source] for each in known], dtype=np.int64)
    return Table(rows, places, _matrix(rows, places, len(sources)), np.array([each.served for each in known]))


def _matrix(rows: features.Rows, places: features.Ints, there: int) -> sparse.csr_matrix:
    """Lay out, side by side: the common features, those of each kind and source, the runs of letters for all sources
    and for each. Written straight into its arrays: it is the largest thing in memory.
    """
    count, width = len(places), len(features.FEATURES)
    blocks = len(features.KINDS) * there
    starts = np.concatenate(([0], np.cumsum(2 * width + 2 * np.diff(rows.ends, prepend=0))))
    columns, values = np.empty(starts[-1], dtype=np.int32), np.empty(starts[-1], dtype=np.float32)
    of_runs, weighs = _runs(rows, places, there, width * (1 + blocks))
    is_run = np.ones(starts[-1], dtype=bool)
    dense_at = starts[:-1, None] + np.arange(2 * width)
    is_run[dense_at] = False
    columns[is_run], values[is_run] = of_runs, weighs
    own = rows.dense[np.arange(count), places]
    block = width * (1 + rows.kinds * there + places)
    columns[dense_at] = np.concatenate(
        (np.broadcast_to(np.arange(width), (count, width)), block[:, None] + np.arange(width)), axis=1
    )
    values[dense_at] = np.concatenate((own, BLOCK * own), axis=1)
    return sparse.csr_matrix(
        (values, columns, starts), shape=(count, width * (1 + blocks) + (1 + there) * features.BUCKETS)
    )


def _runs(
    rows: features.Rows, places: features.Ints, there: int, first: int
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.float32]]:
    """Return the columns of each name's runs, from `first` on, and what they weigh: twice each, common and own."""
    counts = np.diff(rows.ends, prepend=0)
    owner = np.repeat(places, counts)
    columns = np.empty((len(rows.runs), 2), dtype=np.int32)
    columns[:, 0] = first + features.buckets(rows.runs, 0)
    for place in range(there):
        mine = owner == place
        columns[mine, 1] = first + features.buckets(rows.runs[mine], 1 + place) + (1 + place) * features.BUCKETS
    weighs = (RUN_SCALE / np.sqrt(np.maximum(counts, 1))).astype(np.float32)
    return columns.ravel(), np.repeat(weighs, 2 * counts)


def _foretell(made: Table, sources: tuple[str, ...]) -> tuple[float, evaluation.Foretold]:
    """Foretell each held-out part by what was before it; the ridge that does best on the last part is taken."""
    count = len(made.served)
    cuts = [int(count * cut) for cut in CUTS]
    took = (0.0,) * len(sources)
    losses = {}
    for ridge in RIDGES:
        chances = _held_out(made, _fit(made, cuts[-1], ridge, sources, took, 0.0), cuts[-1], count)
        own = chances[np.arange(len(chances)), made.places[cuts[-1] :]]
        losses[ridge] = evaluation.log_loss(own, made.served[cuts[-1] :])
    best = min(losses, key=lambda ridge: losses[ridge])
    parts = [
        _held_out(made, _fit(made, start, best, sources, took, 0.0), start, end)
        for start, end in zip(cuts, [*cuts[1:], count], strict=True)
    ]
    return best, evaluation.Foretold(np.concatenate(parts), cuts[0])


def _held_out(made: Table, model: Model, start: int, end: int) -> features.Array:
    return Predictor(model).probabilities(features.part(made.rows, start, end))


def _fit(
    made: Table, until: int, ridge: float, sources: tuple[str, ...], took: tuple[float, ...], threshold: float
) -> Model:
    """Fit the weights to the first examples."""
    fitted = LogisticRegression(C=ridge, fit_intercept=False, max_iter=300, tol=1e-3)
    served = made.served[:until]
    if served.all() or not served.any():
        raise ValueError("all of the first questions fared alike")
    weights = fitted.fit(made.matrix[:until], served).coef_[0]
    width, blocks = len(features.FEATURES), len(features.KINDS) * len(sources)
    own = weights[width : width + blocks * width].reshape(blocks, width)
    return Model(
        features=FEATURES_VERSION,
        sources=sources,
        weights=tuple((weights[:width] + BLOCK * own).ravel().tolist()),
        runs=tuple(weights[width + blocks * width :].tolist()),
        threshold=threshold,
        took_s=took,
    )


def _took(known: Sequence[Example], sources: Sequence[str]) -> tuple[float, ...]:
    took: Mapping[str, list[float]] = {source: [] for source in sources}
    for each in known:
        took[each.source].append(each.took_s)
    return tuple(float(np.median(took[source])) for source in sources)
