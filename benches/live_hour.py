"""Listen for an hour at one play a second, and see how soon each has its cover.

    python -m benches.live_hour [--history F] [--rows 3600] [--world F] [--catalogue F] [--scale 10]
                                [--only keyed|keyless] [--on calm|bad_day] [--seconds 3600]

Four runs, each from an empty database: keyed, keyless, keyed_bad_day, keyless_bad_day. Before each figure stands its
run's name:

    within_minute_share        of the plays whose album has art at a source in play, those that showed it within 60 s
    within_10s_share           the same within 10 s
    first_within_minute_share, first_within_10s_share   the same, of the first plays of a name
    p50_s, p95_s, first_p95_s  how long they waited; null is never
    success_share              of the names a source in play knows, those that were matched and not wrongly
    depth_max                  most names and covers pending at once
    depth_growth               pending in the last quarter of the hour less those in the second, both on average
    violations                 requests over a limit; violations_by_host
    plays, first_plays
"""

from __future__ import annotations

import argparse
import statistics
from datetime import UTC, datetime

from benches import common, counts, facts, live, outcomes, plays, stand
from benches.history import TOKEN, Material

LEAD = 5.0  # seconds of the clock before the first play
REST = 90.0  # seconds after the last: its minute, and half of one more


async def bench(options: argparse.Namespace) -> dict[str, object]:
    """Run it and return the figures."""
    conditions, catalogue = common.world_files(options)
    true = facts.load_world(conditions, catalogue)
    sent = plays.load(options.history, min(options.rows or 10**9, int(options.seconds)), true)
    given = Material(conditions, catalogue, true, sent)
    figures: dict[str, object] = {"bench": "live_hour", "plays": len(sent.rows), "names": sent.names}
    for day in [options.on] if options.on else ["calm", "bad_day"]:
        for keys in [options.only] if options.only else ["keyed", "keyless"]:
            before = keys + ("" if day == "calm" else "_bad_day")
            found = await _run(TOKEN if keys == "keyed" else {}, day, given, options)
            common.say(f"{before}: {found}")
            figures |= {f"{before}_{name}": value for name, value in found.items()}
    return {**figures, "scale": options.scale}


async def _run(settings: dict[str, str], day: str, given: Material, options: argparse.Namespace) -> dict[str, object]:
    async with stand.Stand(scale=options.scale, keep=options.keep, settings=settings) as run:
        await run.simulator(given.conditions, given.catalogue, day)
        await run.server(work=False)
        run.add_account()
        run.start("worker", "work")
        begin = run.seconds + LEAD
        watch = live.Watch(run)
        await watch.during(live.play(run, given.sent.rows, 1.0, begin))
        depths = list(watch.depths)
        await watch.during(live.until(run, run.seconds + REST))
        counted = await run.simulated()
        owners = outcomes.owners(run.data_dir / "images", given.true)
        async with run.connection() as conn:
            judged = outcomes.judge(await outcomes.read(conn), owners, given.sent, given.true)
            since = datetime.fromtimestamp(run.anchor, UTC)
            waited = await live.waited(conn, judged, owners, watch, plays.ART, since)
    quarter = max(1, len(depths) // 4)
    first = [each for each in waited if each.new]
    return {
        "within_minute_share": live.within(waited, 60),
        "within_10s_share": live.within(waited, 10),
        "first_within_minute_share": live.within(first, 60),
        "first_within_10s_share": live.within(first, 10),
        "p50_s": live.percentile(waited, 0.5),
        "p95_s": live.percentile(waited, 0.95),
        "first_p95_s": live.percentile(first, 0.95),
        "success_share": live.success(judged, plays.FINDERS),
        "depth_max": max(depths),
        "depth_growth": round(statistics.mean(depths[-quarter:]) - statistics.mean(depths[quarter : 2 * quarter]), 1),
        "violations": counted["violations"],
        "violations_by_host": counts.violations(counted),
        "plays": len(waited),
        "first_plays": len(first),
    }


if __name__ == "__main__":
    parser = common.arguments("Listen for an hour.", history="mit_2019_2021.tsv.gz", rows=3600, scale=10)
    parser.add_argument("--only", choices=("keyed", "keyless"), help="with or without a ListenBrainz token; both")
    parser.add_argument("--on", choices=("calm", "bad_day"), help="one of the days; both")
    parser.add_argument("--seconds", type=float, default=3600, help="how long, of the clock")
    common.run(bench(parser.parse_args()))
