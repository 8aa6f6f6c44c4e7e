"""Find out how many names MusicBrainz is best asked for at once, and what listing an artist's releases saves.

    python -m benches.packs [--history F] [--rows 2500] [--world F] [--catalogue F] [--sizes 1,8,16,32,48]

The history's names are looked up by the product's own stages and lanes, in this process, at a simulated MusicBrainz and
nowhere else; it answers at once and sets no pace, since only its requests are counted. Each run begins with an empty
database. Figures, SIZE being the most names in one request:

    requests_per_name_SIZE           requests for each name, with no artist's releases listed
    requests_per_name_SIZE_browsing  the same where releases are listed, as the product does
    correct_share_SIZE, correct_share_SIZE_browsing   of the names MusicBrainz knows, those with the true recording
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import tempfile
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from benches import common, facts, outcomes, plays
from sleevenotes import app, clock, model
from sleevenotes.settings import Settings
from sleevenotes.simulator import core, world
from sleevenotes.sources import contract, musicbrainz
from sleevenotes.store import accounts

WINDOW = 0.02  # seconds between two requests, instead of MusicBrainz' own: its answers take no time here


class Variant(musicbrainz.MusicBrainz):
    """MusicBrainz with other packs."""

    def __init__(self, together: int, *, browsing: bool) -> None:
        answers = tuple(each for each in self.policy.answers if browsing or each is not contract.BrowseReleases)
        self.policy = msgspec.structs.replace(self.policy, together=together, window=WINDOW, answers=answers)


async def bench(options: argparse.Namespace) -> dict[str, object]:
    """Run it and return the figures."""
    true = facts.load_world(*common.world_files(options))
    sent = plays.load(options.history, options.rows, true)
    figures: dict[str, object] = {"bench": "packs", "names": sent.names}
    print(f"{'names a request':>16}{'requests a name':>18}{'correct':>10}")
    for size in map(int, options.sizes.split(",")):
        for browsing in (False, True):
            requests, correct = await _run(Variant(size, browsing=browsing), sent, true)
            after = f"{size}_browsing" if browsing else f"{size}"
            print(f"{after:>16}{requests:>18}{correct:>10}", flush=True)
            figures |= {f"requests_per_name_{after}": requests, f"correct_share_{after}": correct}
    return figures


async def _run(source: contract.Source, sent: plays.Plays, true: world.World) -> tuple[float | None, object]:
    simulator = core.Simulator(true, clock.SystemClock(), limits=False, latency=False)
    with _directory() as directory:
        async with app.open(Settings(data_dir=str(directory), log_level="warning")) as parts:
            await _submit(parts, sent.rows)
            async with app.working(parts, core.Mounted(simulator), [source]):
                while await _pending(parts):  # noqa: ASYNC110 - the database is asked, nothing tells
                    await asyncio.sleep(0.5)
            async with parts.database.connection() as conn:
                judged = outcomes.judge(await outcomes.read(conn), lambda _: "", sent, true)
    shares = outcomes.shares(judged, plays.IDENTIFIED, frozenset())
    return common.share(simulator.statistics.requests, sent.names), shares["correct_share"]


@contextlib.contextmanager
def _directory() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="sleevenotes-bench-") as directory:
        Path(directory).chmod(0o711)  # run by root, PostgreSQL is another user, and must pass here
        yield Path(directory) / "data"


async def _submit(parts: app.Parts, rows: Sequence[common.Row]) -> None:
    async with parts.database.transaction() as conn:
        account = await accounts.create(conn, "bench", "a good password", is_owner=True, now=parts.clock.now())
    scrobbles = [
        model.Scrobble(row.artist, row.track, row.release, datetime.fromtimestamp(row.ts, UTC), origin="import")
        for row in rows
    ]
    await parts.submitter.submit(account.id, scrobbles, band=model.Band.LOW_PRIORITY)


async def _pending(parts: app.Parts) -> bool:
    async with parts.database.connection() as conn:
        return bool(await conn.fetchval("SELECT EXISTS (SELECT FROM lookups WHERE status = 'pending')"))


if __name__ == "__main__":
    parser = common.arguments("Choose the size of packs.", history="mit_2012_2024.tsv.gz", rows=2500, scale=1)
    parser.add_argument("--sizes", default="1,8,16,32,48", help="the most names in one request, one run each")
    common.run(bench(parser.parse_args()))
