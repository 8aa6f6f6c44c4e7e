"""Listen while a history is imported without keys, and see how soon a live play has its cover.

    python -m benches.live_during_import [--history F] [--rows 25000] [--live 200] [--every 3.5] [--world F] [--scale 2]

The first --rows plays are imported; a minute later the plays after them are sent live, one each --every seconds.

    p50_s, p95_s      how long a live play whose album has art at a source in play waited for it; null is never
    new_p95_s         the same of plays whose name was neither imported nor played before
    never             live plays whose album has art and that did not show it two minutes after the last was played
    within_10s_share, within_minute_share
    pending_at_end    names of the import still to be decided when the last live play was sent: it was under way
    violations        requests over a limit; violations_by_host
"""

from __future__ import annotations

import argparse
import math
from datetime import UTC, datetime

from benches import common, counts, facts, history, live, outcomes, plays, stand

LEAD = 60.0  # seconds of the clock from the import to the first live play
REST = 120.0  # seconds after the last


async def bench(options: argparse.Namespace) -> dict[str, object]:
    """Run it and return the figures."""
    conditions, catalogue = common.world_files(options)
    true = facts.load_world(conditions, catalogue)
    sent = plays.load(options.history, options.rows + options.live, true)
    imported, lively = sent.part(0, -options.live), sent.part(len(sent.rows) - options.live, len(sent.rows))
    known = {(common.same(row.artist), common.same(row.track)) for row in imported.rows}
    async with stand.Stand(scale=options.scale, keep=options.keep) as run:
        await run.simulator(conditions, catalogue, options.day)
        await run.server(work=False)
        run.add_account()
        run.start("worker", "work")
        await history.submit(run, imported.rows)
        common.say(f"{len(imported.rows)} plays are being imported; {len(lively.rows)} live ones follow")
        begin = run.seconds + LEAD
        watch = live.Watch(run)
        await watch.during(live.play(run, lively.rows, options.every, begin))
        async with run.connection() as conn:
            pending = (await conn.fetchrow(facts.PENDING))["lookups"]
        await watch.during(live.until(run, run.seconds + REST))
        counted = await run.simulated()
        owners = outcomes.owners(run.data_dir / "images", true)
        async with run.connection() as conn:
            judged = outcomes.judge(await outcomes.read(conn), owners, sent, true)
            since = datetime.fromtimestamp(run.anchor + begin - 1, UTC)
            waited = await live.waited(conn, judged, owners, watch, plays.ART, since, known)
    new = [each for each in waited if each.new]
    return {
        "bench": "live_during_import",
        "imported": len(imported.rows),
        "live": len(waited),
        "live_with_art": sum(each.has_art for each in waited),
        "live_new": len(new),
        "p50_s": live.percentile(waited, 0.5),
        "p95_s": live.percentile(waited, 0.95),
        "new_p95_s": live.percentile(new, 0.95),
        "never": sum(each.has_art and math.isinf(each.seconds) for each in waited),
        "within_10s_share": live.within(waited, 10),
        "within_minute_share": live.within(waited, 60),
        "pending_at_end": pending,
        "violations": counted["violations"],
        "violations_by_host": counts.violations(counted),
        "scale": options.scale,
    }


if __name__ == "__main__":
    parser = common.arguments("Listen during an import.", history="mit_2012_2024.tsv.gz", rows=25_000, scale=2)
    parser.add_argument("--live", type=int, default=200, help="how many live plays")
    parser.add_argument("--every", type=float, default=3.5, help="seconds of the clock between two of them")
    common.run(bench(parser.parse_args()))
