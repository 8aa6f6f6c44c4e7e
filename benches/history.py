"""Import a history as the issue asks, and compare with the earlier system over the same world.

    python -m benches.history [--history F] [--rows 10000] [--world F] [--catalogue F] [--only keyed|keyless|bad_day]
                              [--scale 1]

Three runs, each from an empty database: `keyed` (a ListenBrainz token is set), `keyless`, and `keyless_bad_day`. The
history is submitted over HTTP in ListenBrainz `import` batches of 1,000; server, worker and simulator are processes of
their own under one clock. Beside each day stands the earlier system (benches/baseline.py) over that day. Figures, each
with its run's name before it:

    speedup_95            the earlier system's settled_95_s over our matched_95_s
    speedup_all           its all_s over our seconds
    speedup_names         its all_s over our names_s
    matched_95_s          until 95 % of the names MusicBrainz or ListenBrainz know had the true recording
    names_s               until the last name was decided
    seconds               until the last name or cover was decided, and no job was left
    requests_per_name     metadata requests for each new name, retries and refused ones included
    image_searches_per_album   requests that look where a cover is, for each true album
    image_chain_requests  requests to the Cover Art Archive, archive.org and image hosts
    known_share           names that a source in play knows; matched_share is to come within a point of it
    correct_share         of the names MusicBrainz knows, those with the true recording's MBID
    wrong_share           of the matches, those to another recording
    artwork_share         of the true albums that have a front at a source in play, those that show it
    artwork_anywhere_share     the same of the albums that have a front at any source of the world, asked or not
    wrong_artwork_share   of the names that show an image, those whose image is not their album's front
    caa_95_s              until 95 % of the Cover Art Archive's images that are shown were there
    violations            requests over a limit; violations_by_host
    wall_s, cpu_s         real seconds, and processor seconds of the product with its database
    requests_by_host

The earlier system's own figures are `baseline_…` (calm) and `baseline_bad_day_…`. It is asked only until 95 % of those
names had *some* answer: it gives the true recording to too few of them for another measure, so the ratio flatters it.
"""

from __future__ import annotations

import argparse
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from benches import baseline, common, counts, facts, outcomes, plays, stand, wire
from sleevenotes.simulator import world

TOKEN = {"SLEEVENOTES_LISTENBRAINZ_TOKEN": "8a9f6a2e-5b1c-4d38-9e57-2c4b6f0d1a35"}  # the simulator takes any


class Kind(NamedTuple):
    """One of the runs."""

    name: str
    day: str
    settings: dict[str, str]


KINDS = {
    "keyed": Kind("keyed", "calm", TOKEN),
    "keyless": Kind("keyless", "calm", {}),
    "bad_day": Kind("keyless_bad_day", "bad_day", {}),
}


class Material(NamedTuple):
    """What every run shares."""

    conditions: Path
    catalogue: Path
    true: world.World
    sent: plays.Plays


async def bench(options: argparse.Namespace) -> dict[str, object]:
    """Run it and return the figures."""
    conditions, catalogue = common.world_files(options)
    true = facts.load_world(conditions, catalogue)
    given = Material(conditions, catalogue, true, plays.load(options.history, options.rows, true))
    sent = given.sent
    common.say(f"{len(sent.rows)} plays of {options.history.name}: {sent.names} names, {sent.dirty} of them spoiled")
    figures: dict[str, object] = {
        "bench": "history",
        "rows": len(sent.rows),
        "names": sent.names,
        "raw_plays": sent.raw,
        "dirty_names": sent.dirty,
        "scale": options.scale,
    }
    kinds = [KINDS[options.only]] if options.only else list(KINDS.values())
    earlier: dict[str, baseline.Run] = {}
    for day in dict.fromkeys(kind.day for kind in kinds):
        earlier[day] = await baseline.run(sent, true, baseline.pace(conditions), day)
        before = "baseline_" if day == "calm" else f"baseline_{day}_"
        figures |= {before + name: value for name, value in earlier[day].figures.items()}
    for kind in kinds:
        ours = await _run(kind, given, options)
        ours |= compared(ours, earlier[kind.day])
        figures |= {f"{kind.name}_{name}": value for name, value in ours.items()}
    if "keyless_bad_day_speedup_all" in figures:
        figures["keyless_bad_day_speedup"] = figures["keyless_bad_day_speedup_all"]
    table(figures, [kind.name for kind in kinds])
    return figures


def compared(ours: dict[str, object], earlier: baseline.Run) -> dict[str, object]:
    """Return how many times faster we were."""
    return {
        "speedup_95": _ratio(earlier.settled_95_s, ours["matched_95_s"]),
        "speedup_all": _ratio(earlier.all_s, ours["seconds"]),
        "speedup_names": _ratio(earlier.all_s, ours["names_s"]),
    }


def _ratio(theirs: object, ours: object) -> float | None:
    if not isinstance(theirs, float) or not isinstance(ours, float) or ours <= 0:
        return None
    return round(theirs / ours, 1)


async def _run(kind: Kind, given: Material, options: argparse.Namespace) -> dict[str, object]:
    common.say(f"{kind.name}: {options.scale:g} times as fast, {kind.day} day")
    async with stand.Stand(scale=options.scale, keep=options.keep, settings=kind.settings) as run:
        await run.simulator(given.conditions, given.catalogue, kind.day)
        await run.server(work=False)
        run.add_account()
        run.start("worker", "work")
        began, cpu, wall = run.seconds, stand.cpu_s(run.product()), time.monotonic()
        await submit(run, given.sent.rows)
        await facts.settled(run, options.patience)
        wall = time.monotonic() - wall
        used = stand.cpu_s(run.product()) - cpu
        counted = await run.simulated()
        async with run.connection() as conn:
            found, ended = await outcomes.read(conn), await outcomes.ended(conn)
        judged = outcomes.judge(found, outcomes.owners(run.data_dir / "images", given.true), given.sent, given.true)
        at = datetime.fromtimestamp(run.anchor + began, UTC)
    return {
        "seconds": round((ended - at).total_seconds(), 1),
        **_figures(judged, at, counts.Counts.of(counted), given.sent),
        "violations": counted["violations"],
        "violations_by_host": counts.violations(counted),
        "wall_s": round(wall, 1),
        "cpu_s": round(used, 1),
    }


def _figures(
    judged: list[outcomes.Judged], began: datetime, counted: counts.Counts, sent: plays.Plays
) -> dict[str, object]:
    albums = {each.truth.release_group_mbid for each in judged if each.truth}
    decided = [(each.outcome.decided_at - began).total_seconds() for each in judged if each.outcome.decided_at]
    return {
        "matched_95_s": outcomes.matched_95(judged, began),
        "names_s": round(max(decided), 1) if len(decided) == len(judged) else None,
        "caa_95_s": outcomes.archive_95(judged, began),
        **outcomes.shares(judged, plays.FINDERS, plays.ART),
        "requests_per_name": round(counted.metadata / max(1, sent.names), 4),
        "image_searches_per_album": round(counted.image_searches / max(1, len(albums)), 4),
        "image_chain_requests": counted.image_chains,
        "requests_by_host": counted.by_host,
    }


async def submit(run: stand.Stand, rows: list[common.Row]) -> None:
    """Import plays in batches of 1,000. Raises RuntimeError unless every one was taken."""
    async with wire.Wire(run.port, run.token) as client:
        for batch in common.batches(rows, 1000):
            status, answer = await client.post("/1/submit-listens", wire.submission(list(batch), "import"))
            if status != 200 or b"rejected" in answer:
                raise RuntimeError(f"a batch was answered {status}: {answer[:300]!r}")


def table(figures: dict[str, object], runs: list[str]) -> None:
    """Print the runs beside the earlier system."""
    columns = [*runs, *sorted({"baseline"} if "baseline_all_s" in figures else set())]
    if "baseline_bad_day_all_s" in figures:
        columns.append("baseline_bad_day")
    lines = [name.removeprefix(f"{runs[0]}_") for name in figures if name.startswith(f"{runs[0]}_")]
    lines = [name for name in lines if not isinstance(figures[f"{runs[0]}_{name}"], dict)]
    print(f"{'':26}" + "".join(f"{column:>18}" for column in columns))
    for name in [*lines, "all_s"]:
        cells = [figures.get(f"{column}_{name}") for column in columns]
        if any(cell is not None for cell in cells):
            print(f"{name:26}" + "".join(f"{'' if cell is None else cell!s:>18}" for cell in cells))


if __name__ == "__main__":
    parser = common.arguments(
        "Import a history, ours and theirs.", history="mit_2012_2024.tsv.gz", rows=10_000, scale=1
    )
    parser.add_argument("--only", choices=tuple(KINDS), help="one of the runs")
    parser.add_argument("--patience", type=float, default=7200, help="real seconds until a run must be done")
    common.run(bench(parser.parse_args()))
