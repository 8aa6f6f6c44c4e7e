"""Kill the worker, the server and PostgreSQL in mid-import, and count what was lost or doubled.

    python -m benches.kill [--history F] [--rows N] [--times 3] [--world F] [--scale 20]

Four connections submit the history in batches of 5 and send again what was not accepted (the connection broke, or a
5xx). In each round one process is killed by SIGKILL while submits are under way and lookups are pending. The
benchmark starts a killed worker or server again, as a service manager would; PostgreSQL nobody starts but the
product. At the end the figures say:

    lost       plays that were accepted and are not stored
    doubled    plays stored more than once
    pending    lookups, covers and jobs still pending or held when everything else had ended
    failed     lookups and covers that ended `failed`, though their only trouble was ours
    rounds     kills survived
    retried    submits sent again
    back_s     the longest real time until a submit was accepted again after a kill, by what was killed
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import signal
import time
from collections import Counter, deque

from benches import common, facts, stand, wire

BATCH = 5
CONNECTIONS = 4
TARGETS = ("worker", "server", "postgres")


class Clients:
    """Players that send every batch until it is accepted, as many batches as they are allowed to."""

    def __init__(self, run: stand.Stand, rows: list[common.Row]) -> None:
        self._run = run
        self._waiting = deque(common.batches(rows, BATCH))
        self._allowed = asyncio.Semaphore(0)
        self.accepted: list[common.Row] = []
        self.retried = 0
        self._under_way = 0
        self.sending = asyncio.Event()  # set while a submit is under way
        self.progress = asyncio.Condition()

    @property
    def batches(self) -> int:
        """How many batches wait."""
        return len(self._waiting)

    def allow(self, batches: int) -> None:
        """Let so many more batches be sent."""
        for _ in range(batches):
            self._allowed.release()

    async def until(self, rows: int) -> None:
        """Wait until that many rows are accepted."""
        async with self.progress:
            await asyncio.wait_for(self.progress.wait_for(lambda: len(self.accepted) >= rows), 180)

    async def play(self) -> None:
        """Be one of the players, for ever."""
        async with wire.Wire(self._run.port, self._run.token) as client:
            while True:
                await self._allowed.acquire()
                batch = list(self._waiting.popleft())
                await self._send(client, batch)
                async with self.progress:
                    self.accepted += batch
                    self.progress.notify_all()

    def _count(self, change: int) -> None:
        self._under_way += change
        (self.sending.set if self._under_way else self.sending.clear)()

    async def _send(self, client: wire.Wire, batch: list[common.Row]) -> None:
        body = wire.submission(list(batch), "import")
        while True:
            self._count(1)
            try:
                status, answer = await client.post("/1/submit-listens", body)
            except OSError:
                status, answer = 0, b""
            finally:
                self._count(-1)
            if status == 200 and b"rejected" not in answer:
                return
            if 0 < status < 500:
                raise RuntimeError(f"a batch was answered {status}: {answer[:300]!r}")
            self.retried += 1
            await asyncio.sleep(0.1)


async def bench(options: argparse.Namespace) -> dict[str, object]:
    """Run it and return the figures."""
    rows = common.history(options.history, options.rows)
    conditions, catalogue = common.world_files(options)
    rounds = [target for _ in range(options.times) for target in TARGETS]
    async with stand.Stand(scale=options.scale, keep=options.keep) as run:
        await run.simulator(conditions, catalogue, options.day)
        await run.server(work=False)
        run.add_account()
        run.start("worker", "work")
        clients = Clients(run, rows)
        async with asyncio.TaskGroup() as group:
            players = [group.create_task(clients.play()) for _ in range(CONNECTIONS)]
            back = await _rounds(run, clients, rounds, options.seed)
            clients.allow(clients.batches)
            await clients.until(len(rows))
            for player in players:
                player.cancel()
        common.say(f"all {len(rows)} rows are accepted, {clients.retried} submits were sent again")
        await facts.settled(run, options.patience)
        async with run.connection() as conn:
            kept = await conn.fetch("SELECT extract(epoch FROM listened_at)::bigint, artist, track FROM scrobbles")
            left = await conn.fetchrow(facts.PENDING)
            held = await conn.fetchval("SELECT count(*) FROM pgqueuer WHERE status NOT IN ('queued', 'picked')")
            failed = await conn.fetchval(
                """
                SELECT (SELECT count(*) FROM lookups WHERE status = 'failed')
                     + (SELECT count(*) FROM artworks WHERE status = 'failed')
                """
            )
            found, shown = await facts.lookups(conn), await facts.covers(conn)
        simulated = await run.simulated()
        world = facts.load_world(conditions, catalogue)
        judged = facts.judge(found, shown, run.data_dir / "images", world, finders={"musicbrainz"})
    stored = Counter((row[0], common.same(row[1]), common.same(row[2])) for row in kept)
    return {
        "bench": "kill",
        "lost": len(common.distinct(clients.accepted) - set(stored)),
        "doubled": sum(count - 1 for count in stored.values()),
        "pending": sum(left.values()) + held,
        "failed": failed,
        "rounds": len(rounds),
        "rows": len(rows),
        "stored": len(kept),
        "retried": clients.retried,
        **facts.shares(judged),
        "violations": simulated["violations"],
        "back_s": {target: round(seconds, 2) for target, seconds in back.items()},
        "seconds": round(run.seconds, 1),
        "scale": options.scale,
    }


async def _rounds(run: stand.Stand, clients: Clients, rounds: list[str], seed: int) -> dict[str, float]:
    """Kill in each round amid its portion of the history; return the longest time until a submit was accepted again."""
    dice = random.Random(seed)
    portion = clients.batches // (len(rounds) + 1)
    if portion < 2 * CONNECTIONS:
        raise SystemExit(f"give more rows: {len(rounds)} rounds need {2 * CONNECTIONS * BATCH * (len(rounds) + 1)}")
    back: dict[str, float] = {}
    for number, target in enumerate(rounds, 1):
        before = len(clients.accepted)
        clients.allow(portion)
        await clients.until(before + BATCH * dice.randrange(1, portion - CONNECTIONS))
        await clients.sending.wait()
        await asyncio.sleep(dice.uniform(0, 0.004))  # anywhere within a submit
        killed = time.monotonic()
        at = len(clients.accepted)
        await _kill(run, target)
        await clients.until(min(at + BATCH * CONNECTIONS, before + BATCH * portion))
        back[target] = max(back.get(target, 0.0), time.monotonic() - killed)
        await clients.until(before + BATCH * portion)
        async with run.connection() as conn:
            pending = await conn.fetchval("SELECT count(*) FROM lookups WHERE status = 'pending'")
        common.say(f"round {number}: killed {target}, back after {time.monotonic() - killed:.2f} s, {pending} pending")
        await asyncio.sleep(2)
    return back


async def _kill(run: stand.Stand, target: str) -> None:
    if target == "postgres":
        os.kill(run.postmaster(), signal.SIGKILL)
        return
    run.kill(target)
    if target == "worker":
        run.start("worker", "work")
    else:
        await run.server(work=False)


if __name__ == "__main__":
    parser = common.arguments(
        "Kill what can be killed in mid-import.", history="mit_2019_2021.tsv.gz", rows=2000, scale=20
    )
    parser.add_argument("--times", type=int, default=3, help="how often each of them is killed")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--patience", type=float, default=1800, help="real seconds until it must be done")
    common.run(bench(parser.parse_args()))
