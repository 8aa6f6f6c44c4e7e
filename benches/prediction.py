"""Whom to ask, learned: requests and coverage on later plays, against the declared orders; and what learning costs.

    make bench B=prediction [HISTORY=…] [WORLD=…] [ARGS="--seed N"]

Of each history, in the order of its plays, the names that ListenBrainz and MusicBrainz do not know and the albums of
which the Cover Art Archive has no front are put to TheAudioDB, Discogs, Deezer and iTunes. Of the first part the
questions are asked in the product's declared order and their traces written to a real database, as the lanes and the
stages write them; the product's own training learns from these. The later part is walked three times:

    fixed        TheAudioDB, Discogs, Deezer, iTunes, one after another until one serves
    heuristics   the product's order without a predictor (asking.py), until one serves
    learned      the product's order with that predictor, told anew after each answer, artists' pasts growing

The names are those of the recheck's look, where the product asks the slow lanes for an import, too. What a source
knows is the world's truth (`--seed` draws another); the predictor sees nothing of it but answers.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import msgspec

from benches import asked, common, plays
from sleevenotes import app, model
from sleevenotes.pipeline import learning, predicting
from sleevenotes.pipeline.sight import InForce, Sight
from sleevenotes.settings import Settings
from sleevenotes.simulator import conditions, world
from sleevenotes.store import predictions, predictors

START = datetime(2026, 1, 1, tzinfo=UTC)
FIXED = ("theaudiodb", "discogs", "deezer", "itunes")
TRACES = 100_000


class Walked(NamedTuple):
    """Requests to the four, and questions that were served."""

    requests: int
    found: int


class Told(NamedTuple):
    """One history: how each way fared on its later part, and the predictor it was trained."""

    fixed: Walked
    heuristics: Walked
    learned: Walked
    version: predictors.Version
    predict_1000_ms: float | None

    @property
    def figures(self) -> dict[str, object]:
        return {
            "fixed_requests": self.fixed.requests,
            "heuristics_requests": self.heuristics.requests,
            "learned_requests": self.learned.requests,
            "requests_saved": round(1 - self.learned.requests / self.fixed.requests, 4),
            "coverage_kept": common.share(self.learned.found, self.fixed.found),
            "heuristics_saved": round(1 - self.heuristics.requests / self.fixed.requests, 4),
            "heuristics_coverage": common.share(self.heuristics.found, self.fixed.found),
            "status": self.version.status,
            "examples": self.version.examples,
            "threshold": round(self.version.threshold or 0.0, 4),
        }


# ---------------------------------------------------------------- the three ways


def fixed(items: Sequence[asked.Item]) -> Walked:
    requests = found = 0
    for item in items:
        for source in FIXED:
            requests += 1
            if source in item.known_to:
                found += 1
                break
    return Walked(requests, found)


def declared(items: Sequence[asked.Item]) -> Walked:
    asks = [list(asked.in_declared_order(item)) for item in items]
    return Walked(sum(map(len, asks)), sum(bool(each) and each[-1][1] for each in asks))


def learned(
    items: Sequence[asked.Item], force: InForce, pasts: dict[str, dict[tuple[str, str], tuple[int, int]]]
) -> Walked:
    """Walk by the predictor; `pasts` grow."""
    requests = found = 0
    costs = {
        source.name: predicting.cost(source.policy, 0, force.predictor.took_s.get(source.name, 0.0))
        for source in asked.SOURCES
    }
    for item in items:
        past = pasts.setdefault(item.artist_key, {})
        heard: dict[str, bool] = {}
        while source := _next(item, force, past, heard, costs):
            requests += 1
            heard[source] = source in item.known_to
            served, absent = past.get((source, item.kind), (0, 0))
            past[source, item.kind] = (served + heard[source], absent + (not heard[source]))
            if heard[source]:
                found += 1
                break
    return Walked(requests, found)


def _next(
    item: asked.Item,
    force: InForce,
    past: Mapping[tuple[str, str], tuple[int, int]],
    heard: dict[str, bool],
    costs: Mapping[str, float],
) -> str | None:
    opened = predicting.Open(*item.named, item.plays, 0, item.questions, {})
    told = predicting.Heard(heard, frozenset(heard))
    [outlook] = predicting.foreseen(
        force.predictor, [(opened, told)], {item.artist_key: past}, costs, model.Band.LOW_PRIORITY
    )
    return next((source for source in asked.in_order(item, outlook) if source not in heard), None)


def predict_1000_ms(
    items: Sequence[asked.Item], force: InForce, pasts: Mapping[str, Mapping[tuple[str, str], tuple[int, int]]]
) -> float | None:
    """Time foreseeing 1,000 questions at once, all sources of each: the median of nine, in ms."""
    some = [item for item in items for _ in range(1)][:1000]
    if not some:
        return None
    some = (some * (1000 // len(some) + 1))[:1000]
    pairs = [
        (predicting.Open(*item.named, item.plays, 0, item.questions, {}), predicting.Heard({}, frozenset()))
        for item in some
    ]
    of = {item.artist_key: pasts.get(item.artist_key, {}) for item in some}
    times = []
    for _ in range(9):
        began = time.perf_counter()
        predicting.foreseen(force.predictor, pairs, of, {}, model.Band.LOW_PRIORITY)
        times.append((time.perf_counter() - began) * 1000)
    return sorted(times)[4]


# ---------------------------------------------------------------- a history


async def one_history(path: Path, options: argparse.Namespace, true: world.World) -> Told:
    items = list(asked.items(plays.load(path, options.rows, true), true))
    cut = int(len(items) * options.first)
    async with _house() as parts:
        await asked.write(parts.database, _asks(items[:cut]), START)
        made = await learning.train(parts.database, asked.SOURCES, START)
        later = items[cut:]
        async with parts.database.connection() as conn:
            version = next(each for each in await predictors.versions(conn) if each.id == made)
            force = await Sight().current(conn, START)
            pasts = await predictions.pasts(conn, {item.artist_key for item in items})
        heuristics = declared(later)
        took = predict_1000_ms(later, force, pasts) if force else None
        by_predictor = learned(later, force, pasts) if force else heuristics
        told = Told(fixed(later), heuristics, by_predictor, version, took)
    common.say(f"{path.name}: {len(items)} questions, {cut} of them first; {version.reason} {told.figures}")
    return told


def _asks(items: Sequence[asked.Item]) -> Iterator[asked.Ask]:
    for item in items:
        for source, served in asked.in_declared_order(item):
            yield asked.Ask(item, source, served)


async def training_costs(histories: Sequence[Path], true: world.World) -> tuple[float, float, int]:
    """Train on 100,000 traces of real names, each put to all four; return seconds, the peak MB, and how many."""
    items = [item for path in histories for item in asked.items(plays.load(path, 0, true), true, every=True)]
    asks = [
        asked.Ask(item, source, source in item.known_to) for item in items[: TRACES // len(FIXED)] for source in FIXED
    ]
    async with _house() as parts:
        await asked.write(parts.database, iter(asks), START)
        began = time.perf_counter()
        made = await learning.train(parts.database, asked.SOURCES, START)
        took = time.perf_counter() - began
        async with parts.database.connection() as conn:
            version = next(each for each in await predictors.versions(conn) if each.id == made)
    common.say(f"{version.examples} traces: {version.reason} Whole {took:.1f} s, the fits {version.took_s:.1f} s")
    return took, version.peak_mb, version.examples


@contextlib.asynccontextmanager
async def _house() -> AsyncIterator[app.Parts]:
    path = tempfile.mkdtemp(prefix="sleevenotes-bench-prediction-")
    os.chmod(path, 0o755)  # noqa: PTH101, S103 - whoever runs PostgreSQL enters it
    try:
        async with app.open(Settings(data_dir=path, log_level="warning")) as parts:
            yield parts
    finally:
        shutil.rmtree(path, ignore_errors=True)


async def bench(options: argparse.Namespace) -> dict[str, object]:
    """Run it and return the figures."""
    file, catalogue = common.world_files(options)
    given = conditions.load(file)
    given = given if options.seed is None else msgspec.structs.replace(given, seed=options.seed)
    true = world.World.from_csv(catalogue, given)
    everything = sorted((common.shared_data() / "histories").glob("*.tsv.gz"))
    histories = [options.history] if options.history else everything
    told = {path.name.split(".")[0]: await one_history(path, options, true) for path in histories}
    total = {name: _sum([getattr(each, name) for each in told.values()]) for name in ("fixed", "heuristics", "learned")}
    by, declared_, best = total["fixed"], total["heuristics"], total["learned"]
    train_s, train_mb, traces = (
        await training_costs(everything or histories, true) if options.costs else (None, None, 0)
    )
    times = [each.predict_1000_ms for each in told.values() if each.predict_1000_ms is not None]
    return {
        "bench": "prediction",
        "requests_saved": round(1 - best.requests / by.requests, 4),
        "coverage_kept": common.share(best.found, by.found),
        "saved_over_heuristics": round(1 - best.requests / declared_.requests, 4),
        "coverage_over_heuristics": common.share(best.found, declared_.found),
        "worst_history_cost": round(max(each.learned.requests / each.fixed.requests for each in told.values()), 4),
        "predict_1000_ms": round(max(times), 1) if times else None,
        "train_s": train_s and round(train_s, 1),
        "train_mb": train_mb and round(train_mb),
        "train_traces": traces,
        "seed": given.seed,
        "histories": {name: each.figures for name, each in told.items()},
    }


def _sum(each: Sequence[Walked]) -> Walked:
    return Walked(sum(one.requests for one in each), sum(one.found for one in each))


if __name__ == "__main__":
    parser = common.arguments("Hold whom-to-ask, learned, against the declared orders.", history="", rows=0, scale=1)
    parser.set_defaults(history=None)
    parser.add_argument("--seed", type=int, help="draw who knows whom anew; else as the conditions say")
    parser.add_argument("--first", type=float, default=0.5, help="share of the questions that is learned from")
    parser.add_argument("--no-costs", dest="costs", action="store_false", help="leave the 100,000 traces out")
    common.run(bench(parser.parse_args()))
