"""Enrich a file of plays with the offline catalogue, and judge every row that came out.

    python -m benches.enrich [--history F] [--rows 100000] [--world F] [--catalogue F] [--ask]

The catalogue is built from the world's names in the layout of MusicBrainz' canonical dump (the redirects from its
releases to release groups are generated from the world). Then `sleevenotes enrich` runs as anybody would run it: one
process, an empty data directory, no server, the catalogue alone (--offline; with --ask a simulated internet may be
asked for the rest) and no covers (--no-artwork: 100,000 plays are some 10,000 albums, whose covers the archive's own
pace decides). The figures:

    seconds          real, of the whole command: from its start to its end, the database's first start included
    cpu_s            the processor's, of the command and its database: on a busy machine what to compare
    name_requests    that the simulator counted; covers are not asked for, so all are for names
    matched_share    plays, of those with a name, that are enriched
    names_matched    the same of different names
    correct_share    of the plays matched: with the true recording, and album_share: with the true release group as well
    wrong            different names matched to another recording than the true one
    again_s          the same command once more: everything is known
    build_s          of the catalogue, not part of `seconds`
"""

from __future__ import annotations

import argparse
import csv
import gzip
import json
import resource
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from benches import common, counts, facts, stand
from sleevenotes import catalogue
from sleevenotes.catalogue import build, dump
from sleevenotes.simulator import world


class Judged(NamedTuple):
    """Plays by what became of them; `wrong` counts different names."""

    matched: int
    untold: int  # the world does not say what they are
    correct: int
    right_album: int
    wrong: int


async def bench(options: argparse.Namespace) -> dict[str, object]:
    """Run it and return the figures."""
    rows = common.history(options.history, options.rows)
    conditions, names = common.world_files(options)
    true = facts.load_world(conditions, names)
    async with stand.Stand(keep=options.keep) as run:
        table = _write(run.directory / "plays.tsv", rows)
        common.say(f"{len(rows)} rows of {options.history.name}; building the catalogue of {names.name}")
        began = time.monotonic()
        build.build(_dump(run.directory / "dump", names, true), _place(run), datetime.now(UTC))
        build_s = time.monotonic() - began
        await run.simulator(conditions, names, options.day)
        out = run.directory / "enriched.tsv"
        command = (
            "enrich",
            str(table),
            "-o",
            str(out),
            "--no-artwork",
            "--json",
            *([] if options.ask else ["--offline"]),
        )
        common.say(" ".join(command))
        first = _timed(run, command)
        simulated = counts.Counts.of(await run.simulated())
        again = _timed(run, command)
        judged = _judge(out, true)
    return {
        "bench": "enrich",
        "rows": first.report["rows"],
        "seconds": round(first.seconds, 1),
        "cpu_s": round(first.cpu_s, 1),
        "name_requests": simulated[0],
        "matched_share": common.share(int(str(first.report["plays_matched"])), int(str(first.report["plays"]))),
        "names": first.report["names"],
        "names_matched": first.report["names_matched"],
        "correct_share": common.share(judged.correct, judged.matched - judged.untold),
        "album_share": common.share(judged.right_album, judged.matched - judged.untold),
        "wrong": judged.wrong,
        "untold": judged.untold,
        "again_s": round(again.seconds, 1),
        "build_s": round(build_s, 1),
    }


class Timed(NamedTuple):
    """What a command reported, and what it took: real seconds, and the processor's, its database's included."""

    report: dict[str, object]
    seconds: float
    cpu_s: float


def _timed(run: stand.Stand, command: tuple[str, ...]) -> Timed:
    began, used = time.monotonic(), _children_s()
    report: dict[str, object] = json.loads(run.command(*command))
    return Timed(report, time.monotonic() - began, _children_s() - used)


def _children_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _place(run: stand.Stand) -> Path:
    run.data_dir.mkdir(parents=True, exist_ok=True)
    return run.data_dir / "catalogue" / catalogue.NAMES


def _write(path: Path, rows: list[common.Row]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, delimiter="\t")
        writer.writerow(("ts", "artist", "track", "album"))
        writer.writerows(rows)
    return path


def _dump(directory: Path, names: Path, true: world.World) -> Path:
    """Lay the world's names out as a canonical dump, with the redirects that the world's releases have."""
    directory.mkdir()
    groups: dict[str, str] = {}
    with gzip.open(names, "rt", encoding="utf-8") if names.suffix == ".gz" else names.open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            truth = true.truth(row["artist_credit_name"], row["recording_name"], row["release_name"])
            if truth is not None:
                groups[truth.release_mbid] = truth.release_group_mbid
    text = names.read_bytes()
    (directory / dump.RECORDINGS).write_bytes(gzip.decompress(text) if names.suffix == ".gz" else text)
    with (directory / dump.RELEASE_REDIRECTS).open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("release_mbid", "canonical_release_mbid", "release_group_mbid"))
        writer.writerows((release, release, group) for release, group in sorted(groups.items()))
    return directory


def _judge(out: Path, true: world.World) -> Judged:
    plays: Counter[str] = Counter()
    wrong: set[tuple[str, str, str]] = set()
    with out.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file, delimiter="\t"):
            if row["sn_status"] != "enriched":
                continue
            truth = true.truth(row["artist"].strip(), row["track"].strip(), row["album"].strip())
            plays["matched"] += 1
            if truth is None:  # two songs of the world fold to this name: there is no telling
                plays["untold"] += 1
                continue
            right = row["sn_recording_mbid"] == truth.recording_mbid
            plays["correct"] += right
            plays["album"] += right and row["sn_release_group_mbid"] == truth.release_group_mbid
            if not right:
                wrong.add((row["artist"], row["track"], row["album"]))
    for name in sorted(wrong)[:20]:
        common.say(f"wrong: {' · '.join(name)}")
    return Judged(plays["matched"], plays["untold"], plays["correct"], plays["album"], len(wrong))


if __name__ == "__main__":
    parser = common.arguments("Enrich a file of plays.", history="mit_2012_2024.tsv.gz", rows=100_000, scale=1)
    parser.add_argument("--ask", action="store_true", help="ask the simulated internet for what the catalogue lacks")
    common.run(bench(parser.parse_args()))
