"""Measure the offline catalogue: how long it takes to build, how many names a second it answers, what memory it takes.

    python -m benches.catalogue [--rows 1000000,30000000] [--directory D] [--asked 100000] [--keep]

A dump of so many recordings is invented (`benches.dumps`), written as plain CSV and built into a catalogue as
`sleevenotes catalogue build` does. A process of its own then asks it, on one thread: nothing of the building is in its
memory or caches, the file is in the system's page cache as far as the system keeps it. Figures, for 1m and 30m:

    exact_per_s    names a second in batches of 1,000: seven in ten as in the dump, two in other case, one unknown
    fuzzy_per_s    names a second, each with one letter wrong, by turns in the artist and in the title
    exact_right, fuzzy_right   the share of known names answered with the true recording (fuzzy: among the candidates)
    build_s        from the CSV to the file in its place
    size_mb        of the file
    rss_mb         the greater of the two processes' own memory: RssAnon, so without the pages that are the file's
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from benches import common, dumps
from sleevenotes import catalogue
from sleevenotes.catalogue import build

BATCH = 1000
FUZZY_SHARE = 10  # a tenth as many names are asked for fuzzily


async def bench(options: argparse.Namespace) -> dict[str, object]:
    """Run it and return the figures."""
    figures: dict[str, object] = {"bench": "catalogue"}
    memory: list[float] = []
    place = Path(options.directory or tempfile.mkdtemp(prefix="sleevenotes-catalogue-"))
    try:
        for rows in map(int, options.rows.split(",")):
            label = f"{rows // 1_000_000}m" if rows >= 1_000_000 else str(rows)
            measured = _measure(place / label, rows, options.asked)
            memory.append(measured.pop("rss_mb"))
            figures |= {f"{name}_{label}": value for name, value in measured.items()}
    finally:
        if not options.keep:
            shutil.rmtree(place)
    return figures | {"rss_mb": max(memory)}


def _measure(place: Path, rows: int, asked: int) -> dict[str, float]:
    common.say(f"inventing {rows:,} recordings")
    known = dumps.write(place, rows, asked)
    (place / "known.json").write_text(json.dumps(known), "utf-8")
    common.say("building")
    started = time.perf_counter()
    build.build(place, place / "catalogue.sqlite", datetime.now(UTC))
    seconds = time.perf_counter() - started
    common.say(f"built in {seconds:.1f} s; asking")
    asking = subprocess.run(
        [sys.executable, "-m", "benches.catalogue", "--ask", str(place)], check=True, capture_output=True, text=True
    )
    measured: dict[str, float] = json.loads(asking.stdout.splitlines()[-1])
    size = (place / "catalogue.sqlite").stat().st_size / 1e6
    return {"build_s": round(seconds, 1), "size_mb": round(size, 1), **measured}


# ---------------------------------------------------------------- the process that asks


def ask(place: Path) -> dict[str, float]:
    """Ask a catalogue that was built; return the figures."""
    draw = random.Random(1)
    known = [dumps.Known(*each) for each in json.loads((place / "known.json").read_text("utf-8"))]
    draw.shuffle(known)
    opened = catalogue.open(place / "catalogue.sqlite")
    if opened is None:
        sys.exit(f"no catalogue in {place}")
    figures = _exact(opened, known, draw) | _fuzzy(opened, known[: len(known) // FUZZY_SHARE], draw)
    return {**figures, "rss_mb": round(_own_memory_mb(), 1)}


def _exact(opened: catalogue.Catalogue, known: Sequence[dumps.Known], draw: random.Random) -> dict[str, float]:
    sent = [_sent(each, draw.random()) for each in known]
    started = time.perf_counter()
    found = [entry for batch in common.batches(sent, BATCH) for entry in opened.exact(batch)]  # type: ignore[arg-type]
    seconds = time.perf_counter() - started
    judged = [
        entry is not None and entry.recording_mbid == true.mbid
        for entry, true, name in zip(found, known, sent, strict=True)
        if not name[1].endswith("?")
    ]
    return {"exact_per_s": round(len(sent) / seconds), "exact_right": round(sum(judged) / len(judged), 4)}


def _sent(true: dumps.Known, chance: float) -> tuple[str, str]:
    if chance < 0.7:
        return true.artist, true.track
    if chance < 0.9:
        return true.artist.upper(), true.track.lower()
    return true.artist, f"{true.track} unheard of?"


def _fuzzy(opened: catalogue.Catalogue, known: Sequence[dumps.Known], draw: random.Random) -> dict[str, float]:
    sent = [
        (_misspelt(each.artist, draw), each.track) if place % 2 else (each.artist, _misspelt(each.track, draw))
        for place, each in enumerate(known)
    ]
    started = time.perf_counter()
    found = [opened.fuzzy(*name) for name in sent]
    seconds = time.perf_counter() - started
    right = sum(
        any(entry.recording_mbid == true.mbid for entry in near) for near, true in zip(found, known, strict=True)
    )
    return {"fuzzy_per_s": round(len(sent) / seconds), "fuzzy_right": round(right / len(sent), 4)}


def _misspelt(name: str, draw: random.Random) -> str:
    """Drop a letter, double one, or change one."""
    place = draw.randrange(len(name))
    wrong = draw.choice(("", name[place] * 2, draw.choice("aeiorst")))
    return name[:place] + wrong + name[place + 1 :]


def _own_memory_mb() -> float:
    status = Path("/proc/self/status").read_text("utf-8").splitlines()
    return sum(int(line.split()[1]) for line in status if line.startswith("RssAnon")) / 1024


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Measure the offline catalogue.")
    parser.add_argument("--rows", default="1000000,30000000", help="how many recordings, one run each")
    parser.add_argument("--asked", type=int, default=100_000, help="how many names are asked for")
    parser.add_argument("--directory", type=Path, help="where the files go: 13 GB for 30 million recordings")
    parser.add_argument("--keep", action="store_true", help="leave the files where they are")
    parser.add_argument("--ask", type=Path, help=argparse.SUPPRESS)  # the measured process of its own
    for given in ("--history", "--world", "--cases"):  # `make bench` may pass them
        parser.add_argument(given, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.ask:
        print(json.dumps(ask(options.ask)))
    else:
        common.run(bench(options))
