"""Import a history against a simulated internet and judge what came of it.

    python -m benches.import [--history F] [--rows N] [--world F] [--catalogue F] [--day calm] [--scale 10]

The history is submitted over HTTP in ListenBrainz `import` batches of 1,000; server, worker and simulator are
processes of their own under one clock that runs --scale times as fast, so limits and latencies shrink together and
our own work counts --scale-fold. Only MusicBrainz and the Cover Art Archive are asked. The figures:

    stored, duplicates     rows of the history that are there now, and that were there already
    missing, doubled       plays of the history that are not stored, or stored more than once; must be 0
    decided_share          lookups that are enriched or not_found
    requests, violations   as the simulator counted them
    matched_share          lookups that are enriched
    correct_share          names a source in play covers, and that were matched to the true recording
    wrong_share            matches that are not the true recording
    album_share            correct names whose release group is the true one as well
    artwork_share          true albums with a front image at the archive whose stored image is their own cover
    seconds                of the simulated clock, from the first submit until nothing was pending
"""  # noqa: N999 - `make bench B=import` is what people type

from __future__ import annotations

import argparse
import time
from collections import Counter

from benches import common, facts, stand, wire

FINDERS = {"musicbrainz"}  # the sources in play that find recordings
SOURCES = {"SLEEVENOTES_SOURCES": "musicbrainz,coverartarchive"}


async def bench(options: argparse.Namespace) -> dict[str, object]:
    """Run it and return the figures."""
    rows = common.history(options.history, options.rows)
    conditions, catalogue = common.world_files(options)
    common.say(f"{len(rows)} rows of {options.history.name}, world {catalogue.name}, {options.scale:g} times as fast")
    async with stand.Stand(scale=options.scale, keep=options.keep, settings=SOURCES) as run:
        await run.simulator(conditions, catalogue, options.day)
        await run.server(work=False)
        run.add_account()
        run.start("worker", "work")
        began, cpu = run.seconds, stand.cpu_s(run.product())
        wall = time.monotonic()
        await _submit(run, rows)
        await facts.settled(run, options.patience)
        seconds, wall = run.seconds - began, time.monotonic() - wall
        used = stand.cpu_s(run.product()) - cpu
        simulated = await run.simulated()
        async with run.connection() as conn:
            found, shown = await facts.lookups(conn), await facts.covers(conn)
            kept = await conn.fetch("SELECT extract(epoch FROM listened_at)::bigint, artist, track FROM scrobbles")
        common.say("judging by the world")
        judged = facts.judge(
            found, shown, run.data_dir / "images", facts.load_world(conditions, catalogue), finders=FINDERS
        )
    stored = Counter((row[0], common.same(row[1]), common.same(row[2])) for row in kept)
    return {
        "bench": "import",
        "rows": len(rows),
        "stored": len(kept),
        "duplicates": len(rows) - len(kept),
        "missing": len(common.distinct(rows) - set(stored)),
        "doubled": sum(count - 1 for count in stored.values()),
        **facts.shares(judged),
        "requests": simulated["requests"],
        "requests_per_scrobble": round(int(str(simulated["requests"])) / max(1, len(kept)), 3),
        "violations": simulated["violations"],
        "seconds": round(seconds, 1),
        "wall_s": round(wall, 1),
        "cpu_s": round(used, 1),
        "scale": options.scale,
    }


async def _submit(run: stand.Stand, rows: list[common.Row]) -> None:
    async with wire.Wire(run.port, run.token) as client:
        for batch in common.batches(rows, 1000):
            status, answer = await client.post("/1/submit-listens", wire.submission(list(batch), "import"))
            if status != 200 or b"rejected" in answer:
                raise RuntimeError(f"a batch was answered {status}: {answer[:300]!r}")


if __name__ == "__main__":
    parser = common.arguments("Import a history and judge it.", history="mit_2019_2021.tsv.gz", rows=2000, scale=10)
    parser.add_argument("--patience", type=float, default=3600, help="real seconds until it must be done")
    common.run(bench(parser.parse_args()))
