"""Measure taking plays in, over HTTP, from a process of its own.

    python -m benches.submit [--history F] [--rows N] [--seconds 8] [--world F] [--scale 1]

The history is sent again and again, each time a second later, so every play is new while names repeat as they really
do. First only the server runs (`serve --no-work`), then a worker and the simulator as well:

    one_p95_ms         one listen a request, one connection, nothing else going on
    batch_p95_ms       1,000 listens a request, one connection, nothing else going on
    batch_busy_p95_ms  the same while another connection imports without pause and a worker enriches
    single_per_s       listens a second, one a request, over 16 connections
    bulk_per_s         listens a second, 1,000 a request, over 4 connections
    missing            listens that were accepted and are not stored; must be 0
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import time

from benches import common, stand, wire

ONES = 1000  # requests measured
BATCHES = 40
BATCH = 1000  # plays a request
SINGLE = 16  # connections
BULK = 4  # connections


class Load:
    """One request: the plays it carries and its body."""

    def __init__(self, rows: list[common.Row]) -> None:
        self.rows = rows
        self.body = wire.submission(list(rows), "single" if len(rows) == 1 else "import")


class Plays:
    """An endless history: the rows again and again, each time around a second later."""

    def __init__(self, rows: list[common.Row]) -> None:
        self._endless = (row._replace(ts=row.ts + later) for later in itertools.count() for row in rows)
        self.accepted: list[common.Row] = []

    def loads(self, count: int, size: int) -> list[Load]:
        """Prepare that many requests of `size` plays each."""
        return [Load(list(itertools.islice(self._endless, size))) for _ in range(count)]

    async def send(self, client: wire.Wire, load: Load) -> float:
        """Submit; return the seconds it took. Raises RuntimeError unless every play was accepted."""
        began = time.perf_counter()
        status, answer = await client.post("/1/submit-listens", load.body)
        took = time.perf_counter() - began
        if status != 200 or b"rejected" in answer:
            raise RuntimeError(f"a submit was answered {status}: {answer[:300]!r}")
        self.accepted += load.rows
        return took


async def bench(options: argparse.Namespace) -> dict[str, object]:
    """Run it and return the figures."""
    plays = Plays(common.history(options.history, options.rows))
    conditions, catalogue = common.world_files(options)
    async with stand.Stand(scale=options.scale, keep=options.keep) as run:
        await run.simulator(conditions, catalogue, options.day)
        await run.server(work=False)
        run.add_account()
        await _one_by_one(run, plays, plays.loads(100, 1))  # warm up
        ones = await _one_by_one(run, plays, plays.loads(ONES, 1))
        batches = await _one_by_one(run, plays, plays.loads(BATCHES, BATCH))
        common.say("latencies at rest are measured")
        single = await _rate(run, plays, plays.loads(options.seconds * 6000, 1), SINGLE, options.seconds)
        bulk = await _rate(run, plays, plays.loads(options.seconds * 60, BATCH), BULK, options.seconds)
        common.say("rates are measured; now a worker enriches what came in")
        run.start("worker", "work")
        await asyncio.sleep(5)
        busy, imported = await _busy(run, plays, options.seconds)
        async with run.connection() as conn:
            kept = await conn.fetch("SELECT extract(epoch FROM listened_at)::bigint, artist, track FROM scrobbles")
    stored = {(row[0], common.same(row[1]), common.same(row[2])) for row in kept}
    return {
        "bench": "submit",
        "one_p95_ms": _milliseconds(ones, 0.95),
        "batch_p95_ms": _milliseconds(batches, 0.95),
        "batch_busy_p95_ms": _milliseconds(busy, 0.95),
        "single_per_s": round(single),
        "bulk_per_s": round(bulk),
        "one_p50_ms": _milliseconds(ones, 0.5),
        "batch_p50_ms": _milliseconds(batches, 0.5),
        "batch_busy_p50_ms": _milliseconds(busy, 0.5),
        "busy_import_per_s": round(imported),
        "stored": len(kept),
        "missing": len(common.distinct(plays.accepted) - stored),
        "scale": options.scale,
    }


def _milliseconds(seconds: list[float], share: float) -> float:
    return round(common.percentile(seconds, share) * 1000, 2)


async def _one_by_one(run: stand.Stand, plays: Plays, loads: list[Load]) -> list[float]:
    """Submit over one connection, the next when the last is answered; return the seconds of each."""
    async with wire.Wire(run.port, run.token) as client:
        return [await plays.send(client, load) for load in loads]


async def _rate(run: stand.Stand, plays: Plays, loads: list[Load], connections: int, seconds: float) -> float:
    """Submit over many connections at once for so many seconds; return listens a second."""
    waiting = iter(loads)
    began = time.perf_counter()

    async def player() -> int:
        done = 0
        async with wire.Wire(run.port, run.token) as client:
            for load in waiting:
                await plays.send(client, load)
                done += len(load.rows)
                if time.perf_counter() - began > seconds:
                    break
        return done

    done = await asyncio.gather(*(player() for _ in range(connections)))
    return sum(done) / (time.perf_counter() - began)


async def _busy(run: stand.Stand, plays: Plays, seconds: float) -> tuple[list[float], float]:
    """Time batches while another connection imports; return their seconds and the import's listens a second."""
    measured, loads = plays.loads(BATCHES, BATCH), plays.loads(int(seconds) * 60, BATCH)
    imported, began = 0, time.perf_counter()

    async def importer() -> None:
        nonlocal imported
        async with wire.Wire(run.port, run.token) as client:
            for load in loads:
                await plays.send(client, load)
                imported += len(load.rows)

    async with asyncio.TaskGroup() as group:
        other = group.create_task(importer())
        taken = await _one_by_one(run, plays, measured)
        if other.done():
            raise RuntimeError("the import ended before the measurement: prepare more of it")
        other.cancel()
    return taken, imported / (time.perf_counter() - began)


if __name__ == "__main__":
    parser = common.arguments("Measure taking plays in.", history="mit_2012_2024.tsv.gz", rows=0, scale=1)
    parser.add_argument("--seconds", type=int, default=8, help="how long each rate is measured")
    common.run(bench(parser.parse_args()))
