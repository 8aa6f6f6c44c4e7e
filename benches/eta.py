"""Listen, import and look at pages for an hour, and hold every estimate against when it truly was done.

    python -m benches.eta [--history F] [--seconds 3600] [--every 6] [--imports 4] [--rows 2000] [--world F]
                          [--scale 4] [--keyed] [--day bad_day]

Mixed load, on one account: a live play each --every seconds; --imports imports of --rows plays each, spread over the
hour; the feed loaded each 30 s, which makes what it shows critical. Two who ask, over HTTP, as clients do:

    an app       the newest 20 live plays, each 5 s
    a page of imports   a hundred plays of each import, drawn evenly over its names, each 15 s

Each answer that holds an estimated_completion for a play counts once; plays whose name is done are given none. When a
play truly was done is the later of the decisions of its name and of its album's cover, by the database's own rows, read
when first seen done. The error of an estimate is |told - true| / true, both as seconds from the question.

    median_error         over every estimate given; what never was done counts as infinite
    live_median_error, import_median_error     of those of live plays, and of imports
    live_p75_error, import_p75_error
    soon_median_error    of those that had less than ten seconds to go, wherever
    bias                 median of told / true
    estimates, live_estimates, import_estimates
    never                estimates of plays that were not done --patience real seconds after the hour
    own_median_error     by band, what the server itself measured of the first estimate of each name (`status`)
    asked_p95_ms         real milliseconds that a status of up to a hundred plays took
    violations
"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import random
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import asyncpg
import msgspec

from benches import common, facts, live, plays, stand, wire
from benches.history import TOKEN

LEAD = 5.0  # seconds of the clock before the first play
FEED = 30.0  # seconds between two loads of the feed
APP, PAGE = 5.0, 15.0  # seconds between two questions
NEWEST, SAMPLE = 20, 100

_DONE = """
    SELECT s.id, greatest(l.decided_at, w.decided_at) AS at
    FROM scrobbles s JOIN lookups l ON l.id = s.lookup_id
    LEFT JOIN matches m ON m.id = l.match_id
    LEFT JOIN artworks w ON w.release_group_id = m.release_group_id
    WHERE s.id = ANY($1::bigint[]) AND l.status <> 'pending' AND coalesce(w.status, '') <> 'pending'
"""


class Given(NamedTuple):
    """One estimate: of which play, when it was asked for, and when it said that it will be done."""

    scrobble_id: int
    is_live: bool
    at: datetime
    told: datetime


class Asker:
    """Asks how far plays are, keeps every estimate, and watches when the plays truly are done."""

    def __init__(self, run: stand.Stand) -> None:
        self.run = run
        self.given: list[Given] = []
        self.done: dict[int, datetime] = {}
        self.open: set[int] = set()
        self.took_ms: list[float] = []

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.run.anchor + self.run.seconds, UTC)

    async def ask(self, ids: Sequence[int], *, is_live: bool) -> int:
        """Ask for the status of these plays; return how many still wait."""
        if not ids:
            return 0
        at, began = self.now(), time.monotonic()
        async with wire.Wire(self.run.port, self.run.token) as client:
            status, body = await client.get(f"/api/v1/scrobbles/enrichment_status?ids={','.join(map(str, ids))}")
        self.took_ms.append((time.monotonic() - began) * 1000)
        if status != 200:
            raise RuntimeError(f"a status was answered {status}: {body[:300]!r}")
        waiting = 0
        for each in msgspec.json.decode(body)["scrobbles"]:
            if each["estimated_completion"] is not None:
                waiting += 1
                told = datetime.fromisoformat(each["estimated_completion"])
                self.given.append(Given(each["id"], is_live, at, told))
                if each["id"] not in self.done:
                    self.open.add(each["id"])
        return waiting

    async def watch(self) -> None:
        """Note when plays of which an estimate was given are done; for ever."""
        async with self.run.connection() as conn:
            while True:
                await self.look(conn)
                await asyncio.sleep(0.2)

    async def look(self, conn: asyncpg.Connection) -> None:
        for scrobble_id, at in await conn.fetch(_DONE, list(self.open)):
            self.done.setdefault(scrobble_id, at)
            self.open.discard(scrobble_id)

    def errors(self) -> list[tuple[Given, float, float]]:
        """Return each estimate with (told, true), in seconds; what was done when it was asked for is left out."""
        found = []
        for each in self.given:
            done = self.done.get(each.scrobble_id)
            true = (done - each.at).total_seconds() if done else math.inf
            if true > 0:
                found.append((each, (each.told - each.at).total_seconds(), true))
        return found


async def bench(options: argparse.Namespace) -> dict[str, object]:
    """Run it and return the figures."""
    conditions, catalogue = common.world_files(options)
    true = facts.load_world(conditions, catalogue)
    lively = int(options.seconds / options.every)
    sent = plays.load(options.history, lively + options.imports * options.rows, true)
    imports = [
        sent.rows[lively + number * options.rows : lively + (number + 1) * options.rows]
        for number in range(options.imports)
    ]
    settings = TOKEN if options.keyed else {}
    async with stand.Stand(scale=options.scale, keep=options.keep, settings=settings) as run:
        await run.simulator(conditions, catalogue, options.day)
        await run.server(work=False)
        run.add_account()
        run.start("worker", "work")
        asker = Asker(run)
        begin = run.seconds + LEAD
        watching = asyncio.create_task(asker.watch())
        hour = asyncio.gather(
            _play(run, sent.rows[:lively], options.every, begin),
            _load_the_feed(run, begin + options.seconds),
            _app(asker, begin + options.seconds),
            *(
                _import(asker, rows, begin + (number + 0.25) * options.seconds / options.imports, begin)
                for number, rows in enumerate(imports)
            ),
        )
        await hour
        async with run.connection() as conn:
            await run.until(lambda: _all_done(asker), options.patience, "all that was estimated is done")
            await asker.look(conn)
        watching.cancel()
        counted = await run.simulated()
        own = json.loads(run.command("status", "--json"))["estimates"]
    if options.pairs:
        lines = [
            f"{each.is_live:d}\t{each.scrobble_id}\t{told:.2f}\t{true:.2f}\t{each.at.timestamp() - run.anchor:.1f}"
            for each, told, true in asker.errors()
        ]
        options.pairs.write_text("\n".join(lines), "utf-8")
    return {**figures(asker, own), "violations": counted["violations"], "scale": options.scale}


async def _all_done(asker: Asker) -> bool:
    return not asker.open


async def _play(run: stand.Stand, rows: Sequence[common.Row], every: float, first: float) -> None:
    """Submit a play each `every` seconds of the clock; each by a line of its own, for idle ones are closed."""
    for number, row in enumerate(rows):
        await live.play(run, [row], every, first + number * every)


async def _load_the_feed(run: stand.Stand, until: float) -> None:
    while run.seconds < until:
        async with wire.Wire(run.port, run.token) as client:  # a line that was idle for long is closed
            status, _ = await client.get("/")
        if status != 200:
            raise RuntimeError(f"the feed was answered {status}")
        await live.until(run, run.seconds + FEED)


async def _app(asker: Asker, until: float) -> None:
    """Ask for the newest live plays, as a player's app would."""
    async with asker.run.connection() as conn:
        while asker.run.seconds < until:
            newest = await conn.fetch(
                "SELECT id FROM scrobbles WHERE listened_at > $1 ORDER BY listened_at DESC LIMIT $2",
                datetime.fromtimestamp(asker.run.anchor, UTC),
                NEWEST,
            )
            await asker.ask([row["id"] for row in newest], is_live=True)
            await live.until(asker.run, asker.run.seconds + APP)


async def _import(asker: Asker, rows: Sequence[common.Row], at: float, begin: float) -> None:
    """Import plays at that second, and follow a hundred of them until they are done."""
    run = asker.run
    await live.until(run, at)
    common.say(f"{run.seconds - begin:.0f} s: {len(rows)} plays are imported")
    async with wire.Wire(run.port, run.token) as client, run.connection() as conn:
        newest = await conn.fetchval("SELECT coalesce(max(id), 0) FROM scrobbles")
        for batch in common.batches(rows, 1000):
            status, answer = await client.post("/1/submit-listens", wire.submission(list(batch), "import"))
            if status != 200:
                raise RuntimeError(f"a batch was answered {status}: {answer[:300]!r}")
        since = datetime.fromtimestamp(run.anchor, UTC)
        stored = await conn.fetch(
            """
            SELECT DISTINCT ON (lookup_id) s.id FROM scrobbles s JOIN lookups l ON l.id = lookup_id
            WHERE s.id > $1 AND listened_at < $2 AND status = 'pending' ORDER BY lookup_id, s.id
            """,
            newest,
            since,
        )
        ids = [row["id"] for row in stored]
        ids = random.Random(1).sample(ids, min(SAMPLE, len(ids)))
        waiting = 1
        while waiting:
            waiting = await asker.ask(ids, is_live=False)
            await live.until(run, run.seconds + PAGE)
    common.say(f"{run.seconds - begin:.0f} s: that import's sample of {len(ids)} is done")


def figures(asker: Asker, own: list[dict[str, object]]) -> dict[str, object]:
    found = asker.errors()
    lively = [(told, true) for each, told, true in found if each.is_live]
    imported = [(told, true) for each, told, true in found if not each.is_live]
    soon = [(told, true) for _, told, true in found if true < 10]
    both = lively + imported
    return {
        "bench": "eta",
        "median_error": _error(both, 0.5),
        "live_median_error": _error(lively, 0.5),
        "import_median_error": _error(imported, 0.5),
        "live_p75_error": _error(lively, 0.75),
        "import_p75_error": _error(imported, 0.75),
        "soon_median_error": _error(soon, 0.5),
        "bias": round(common.percentile([told / true for told, true in both], 0.5), 3) if both else None,
        "live_true_p50_s": _rounded([true for _, true in lively], 0.5),
        "import_true_p50_s": _rounded([true for _, true in imported], 0.5),
        "estimates": len(both),
        "live_estimates": len(lively),
        "import_estimates": len(imported),
        "never": sum(math.isinf(true) for _, true in both),
        "own_median_error": {str(each["band"]): each["median"] for each in own},
        "asked_p95_ms": _rounded(asker.took_ms, 0.95),
    }


def _error(pairs: Sequence[tuple[float, float]], part: float) -> float | None:
    errors = [abs(told - true) / true if math.isfinite(true) else math.inf for told, true in pairs]
    return _rounded(errors, part)


def _rounded(values: Sequence[float], part: float) -> float | None:
    value = common.percentile(values, part) if values else math.inf
    return round(value, 3) if math.isfinite(value) else None


if __name__ == "__main__":
    parser = common.arguments("Hold estimates against the truth.", history="mit_2012_2024.tsv.gz", rows=2000, scale=4)
    parser.add_argument("--seconds", type=float, default=3600, help="how long, of the clock")
    parser.add_argument("--every", type=float, default=6, help="seconds of the clock between two live plays")
    parser.add_argument("--imports", type=int, default=4, help="how many imports, of --rows plays each")
    parser.add_argument("--keyed", action="store_true", help="with a ListenBrainz token")
    parser.add_argument(
        "--patience", type=float, default=300, help="real seconds after the hour until all must be done"
    )
    parser.add_argument(
        "--pairs", type=Path, help="where to write every estimate: live?, play, told, true, when asked; seconds"
    )
    common.run(bench(parser.parse_args()))
