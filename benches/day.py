"""A day with three listeners, and whether the product's own report tells it as it was.

    python -m benches.day [--history F | --histories F F F] [--seed 1] [--before 500] [--evening 300] [--silence 15]
                          [--plays 0] [--world F] [--catalogue F] [--only keyed|keyless] [--day calm|bad_day]
                          [--scale 5]

Three histories give a listener each, with an account of their own: one real day, chosen by the seed among the busier
half of their days. What they played before it (--before plays) is imported at dawn, and settled, so that what repeats
in life repeats here. Then the day is played live, each play sent alone over HTTP when it is due; in the evening, when
three quarters are played, one of the three imports --evening plays more, of before. Server, worker and simulator are
processes of their own under one clock. **Silences in which nobody plays are shortened** to --silence seconds, so that a
day takes minutes: the order of plays, and what comes at once, are kept; there is less time to work things off than in
life. --plays N plays only the first N. Without keys, unless told otherwise: what a new installation has.

The four targets, as seen from outside: the three listeners' plays are asked for over the API, some twenty times a real
second while one of them shows no picture, and an image's bytes say whose front it is:

    first_art_p95_s       from the sending of a play until it showed its album's own front, of plays whose album has one
                          at a source in play; null is never
    success_share         of the day's names that a source in play knows, those matched and not wrongly
    within_minute_share   of plays whose album has a front at a source in play, those that showed it within a minute
    depth_max             most names and covers pending at once during the day; depth_end when its last minute is over
    success_of_all_share, within_minute_of_all_share    the same of all names and all plays, known to anybody or not
    wrong_artwork_share   of the names that show an image, those whose image is not their album's front
    violations            requests over a limit; violations_by_host
    plays, first_plays, names, imported, day_s, wall_s

    report_agrees         true where every figure of `sleevenotes status --report` agrees with what was seen from
                          outside; `agreement` has for each [reported, seen, tolerance]:
        plays                       the same number
        first_art_p50_s, …_p95_s    of plays that show a picture, whatever it shows. It was received between its sending
                                    and the answer, and shown between the last look that saw nothing and the first that
                                    did: the figure must lie within what follows from that, give or take half a second
        within_minute_share         of all plays: within 0.01
        artwork_share               of all plays, those that show a picture: within 0.01
        success_share               of plays decided, those enriched, by the API's word: within 0.01
        depth_max                   the product looks every ten seconds, and a rush may be over by then: within a
                                    quarter, and 8
        pending                     at the end: within 2
        requests_HOST               sent during the day, as the simulator counted them: within 2 and 2 %
"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import secrets
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from benches import common, counts, days, daywatch, facts, live, outcomes, plays, stand, wire
from benches.history import TOKEN
from sleevenotes.simulator import world

LEAD = 5.0  # seconds of the clock before the first play
REST = 90.0  # seconds after the last: its minute, and half of one more
SLOWEST = 12  # plays that are told one by one
ONE_TO_ONE = ("musicbrainz.org", "api.deezer.com", "itunes.apple.com", "www.theaudiodb.com")  # where a request is one


class Seen(NamedTuple):
    """What was seen of the day from outside, and the product's own report on it."""

    watch: daywatch.Watch
    judged: list[outcomes.Judged]
    counted: dict[str, Any]
    before: dict[str, Any]  # the simulator's counts at dawn
    report: dict[str, Any]
    pending: int
    day_s: float


async def bench(options: argparse.Namespace) -> dict[str, object]:
    """Run it and return the figures."""
    conditions, catalogue = common.world_files(options)
    true = facts.load_world(conditions, catalogue)
    files = (
        options.histories
        or ([options.history] if options.history else [])
        or sorted((common.shared_data() / "histories").glob("*.gz"))
    )
    everybody = days.listeners(files, options.seed, options.before, options.evening, true)
    moments = days.timeline(everybody, options.silence, options.plays)
    for number, each in enumerate(everybody):
        mine = sum(moment.listener == number for moment in moments)
        common.say(f"{each.name}: {len(each.before.rows)} plays imported, {mine} live")
    began = time.monotonic()
    settings = TOKEN if options.only == "keyed" else {}
    async with stand.Stand(scale=options.scale, keep=options.keep, settings=settings) as run:
        await run.simulator(conditions, catalogue, options.day)
        await run.server(work=False)
        run.start("worker", "work")
        seen = await _live(run, everybody, moments, true, options)
    figures = _figures(seen, days.truths(everybody), true)
    return {
        "bench": "day",
        **figures,
        "imported": sum(len(each.before.rows) for each in everybody) + options.evening,
        "day_s": round(seen.day_s, 1),
        "wall_s": round(time.monotonic() - began, 1),
        "conditions": options.day,
        "keys": options.only,
        "seed": options.seed,
        "scale": options.scale,
    }


# ---------------------------------------------------------------- living through it


async def _live(
    run: stand.Stand,
    everybody: list[days.Listener],
    moments: list[days.Moment],
    true: world.World,
    options: argparse.Namespace,
) -> Seen:
    tokens = [_account(run, each.name) for each in everybody]
    for each, token in zip(everybody, tokens, strict=True):
        await _bring(run, token, each.before.rows)
    await facts.settled(run, options.patience)
    common.say(f"dawn, at {run.seconds:.0f} s: everything before the day is settled")
    dawn, before = run.seconds, await run.simulated()
    watch = daywatch.Watch(run, tokens, outcomes.owners(run.data_dir / "images", true))
    await watch.during(_day(run, everybody, moments, tokens, watch, dawn + LEAD, options.seed))
    await watch.during(live.until(run, run.seconds + REST))
    until = datetime.fromtimestamp(run.anchor + run.seconds, UTC)
    printed = await asyncio.to_thread(
        run.command, "status", "--report", "--json", "--from", _text(run, dawn), "--to", until.isoformat()
    )
    counted = await run.simulated()
    async with run.connection() as conn:
        pending = await conn.fetchrow(facts.PENDING)
        owners = outcomes.owners(run.data_dir / "images", true)
        judged = outcomes.judge(await outcomes.read(conn), owners, days.truths(everybody), true)
    await watch.finish()
    depth = pending["lookups"] + pending["artworks"]
    return Seen(watch, judged, counted, before, json.loads(printed), depth, run.seconds - dawn)


async def _day(
    run: stand.Stand,
    everybody: list[days.Listener],
    moments: list[days.Moment],
    tokens: list[str],
    watch: daywatch.Watch,
    begin: float,
    seed: int,
) -> None:
    evening = len(moments) * 3 // 4
    for place, moment in enumerate(moments):
        await live.until(run, begin + moment.at)
        if place == evening:
            who = seed % len(everybody)
            common.say(f"evening, at {run.seconds:.0f} s: {everybody[who].name} imports more")
            await _bring(run, tokens[who], everybody[who].earlier.rows)
        row = moment.row._replace(ts=int(run.anchor + begin + moment.at))
        play = watch.sent(moment.listener, row, run.seconds)
        async with wire.Wire(run.port, tokens[moment.listener]) as client:
            status, answer = await client.post("/1/submit-listens", wire.submission([row], "single"))
        play.answered = run.seconds
        if status != 200:
            raise RuntimeError(f"a live play was answered {status}: {answer[:300]!r}")


async def _bring(run: stand.Stand, token: str, rows: list[common.Row]) -> None:
    async with wire.Wire(run.port, token) as client:
        for batch in common.batches(rows, 1000):
            status, answer = await client.post("/1/submit-listens", wire.submission(list(batch), "import"))
            if status != 200 or b"rejected" in answer:
                raise RuntimeError(f"a batch was answered {status}: {answer[:300]!r}")


def _account(run: stand.Stand, name: str) -> str:
    printed = run.command("user", "add", name, "--json", SLEEVENOTES_PASSWORD=secrets.token_hex(8))
    return str(json.loads(printed)["token"])


def _text(run: stand.Stand, second: float) -> str:
    return datetime.fromtimestamp(run.anchor + second, UTC).isoformat()


# ---------------------------------------------------------------- figures


def _figures(seen: Seen, sent: plays.Plays, true: world.World) -> dict[str, object]:
    waited = daywatch.held(seen.watch.plays, sent, true, plays.ART)
    for wait, play in sorted(zip(waited, seen.watch.plays, strict=True), key=lambda each: -each[0].seconds)[:SLOWEST]:
        what = " by ".join((play.row.track, play.row.artist)) + (" (no source in play has it)" * (not wait.has_art))
        shown = "" if math.isinf(play.first_s) else f", another picture after {play.first_s:.1f} s"
        common.say(f"its own front after {wait.seconds:.1f} s{shown}, {play.status}: {what}")
    played = {(common.same(each.row.artist), common.same(each.row.track)) for each in seen.watch.plays}
    names = [
        each for each in seen.judged if (common.same(each.outcome.artist), common.same(each.outcome.track)) in played
    ]
    agreement = daywatch.agreement(seen.report, seen.watch, seen.pending, _sent(seen))
    right = [each for each in names if each.outcome.status == "enriched" and not each.wrong]
    return {
        "first_art_p95_s": live.percentile(waited, 0.95),
        "success_share": live.success(names, plays.FINDERS),
        "within_minute_share": live.within(waited, 60),
        "depth_max": max(seen.watch.depths),
        "report_agrees": all(abs(told - saw) <= within for told, saw, within in agreement.values()),
        "first_art_p50_s": live.percentile(waited, 0.5),
        "success_of_all_share": common.share(len(right), len(names)),
        "within_minute_of_all_share": common.share(sum(each.seconds <= 60 for each in waited), len(waited)),
        "depth_end": seen.pending,
        "growth_per_hour": seen.report["backlog"]["growth_per_hour"],
        "wrong_artwork_share": outcomes.shares(names, plays.FINDERS, plays.ART)["wrong_artwork_share"],
        "chosen_p95_s": seen.report["waited_for"]["chosen"]["p95_s"],
        "plays": len(waited),
        "first_plays": seen.report["first_plays"]["plays"],
        "names": len(names),
        "violations": seen.counted["violations"],
        "violations_by_host": counts.violations(seen.counted),
        "agreement": agreement,
    }


def _sent(seen: Seen) -> dict[str, int]:
    """Return how many requests went to each host during the day, where the simulator counts as lanes do."""
    now, before = counts.Counts.of(seen.counted).by_host, counts.Counts.of(seen.before).by_host
    return {host: now.get(host, 0) - before.get(host, 0) for host in ONE_TO_ONE}


if __name__ == "__main__":
    parser = common.arguments("Live through a day.", history="", rows=0, scale=5)
    parser.set_defaults(history=None)
    parser.add_argument("--histories", nargs="+", type=Path, default=[], help="up to three, in place of --history")
    parser.add_argument("--seed", type=int, default=1, help="chooses the days, and who imports in the evening")
    parser.add_argument("--before", type=int, default=500, help="plays of each that are imported at dawn")
    parser.add_argument("--evening", type=int, default=300, help="plays that one of them imports in the evening")
    parser.add_argument("--silence", type=float, default=15, help="seconds of the clock that a silence lasts at most")
    parser.add_argument("--plays", type=int, default=0, help="live plays at most; 0: all")
    parser.add_argument("--only", choices=("keyed", "keyless"), default="keyless", help="with a ListenBrainz token?")
    parser.add_argument("--patience", type=float, default=1800, help="real seconds until the import must be settled")
    common.run(bench(parser.parse_args()))
