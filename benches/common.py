"""What the benchmarks share: arguments, histories and figures."""

from __future__ import annotations

import argparse
import asyncio
import csv
import gzip
import json
import math
import os
import platform
import sys
import time
import unicodedata
from collections.abc import Coroutine, Iterable, Sequence
from pathlib import Path
from typing import IO, NamedTuple

import uvloop

CHECKOUT = Path(__file__).resolve().parent.parent


class Row(NamedTuple):
    """One play of a history."""

    ts: int
    artist: str
    track: str
    release: str


# ---------------------------------------------------------------- arguments and material


def shared_data() -> Path:
    """Return the directory of the shared material, whether it exists or not."""
    return Path(os.environ.get("SLEEVENOTES_SHARED_DATA", CHECKOUT.parent / "shared" / "data"))


def arguments(description: str, *, history: str, rows: int, scale: float) -> argparse.ArgumentParser:
    """Begin the parser that every benchmark over plays has, with that benchmark's defaults."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--history", type=Path, default=shared_data() / "histories" / history)
    parser.add_argument("--rows", type=int, default=rows, help="how many plays of the history; 0: all")
    parser.add_argument("--world", type=Path, help="conditions (.json) or a catalogue (.csv, .csv.gz)")
    parser.add_argument("--catalogue", type=Path, help="a catalogue, when --world gives the conditions")
    parser.add_argument("--cases", type=Path, help=argparse.SUPPRESS)  # `make bench` passes it to every benchmark
    parser.add_argument("--day", choices=("calm", "bad_day"), default="calm")
    parser.add_argument("--scale", type=float, default=scale, help="how many times faster than real time")
    parser.add_argument("--keep", action="store_true", help="leave the data and logs where they are")
    return parser


def world_files(options: argparse.Namespace) -> tuple[Path, Path]:
    """Return (conditions, catalogue): as given, else what lies beside it, else the shared material's."""
    conditions = shared_data() / "world.json"
    catalogue = shared_data() / "catalogue" / "world.csv.gz"
    given: Path | None = options.world
    if given is not None and given.suffix == ".json":
        conditions = given
        beside = given.parent / "catalogue" / "world.csv.gz"
        catalogue = beside if beside.exists() else catalogue
    elif given is not None:
        catalogue = given
    return conditions, options.catalogue or catalogue


def history(path: Path, limit: int = 0) -> list[Row]:
    """Read a history by its header, independently of the product's importers.

    Where a history has raw and corrected names, the corrected ones are taken: the world is made of those.
    """
    if not path.exists():
        sys.exit(f"{path} is not there; give a history with --history")
    with text(path) as file:
        head = file.readline()
        delimiter = "\t" if "\t" in head else ","
        names = next(csv.reader([head], delimiter=delimiter))
        rows = csv.DictReader(file, fieldnames=names, delimiter=delimiter)
        taken = (row for number, row in enumerate(rows) if not limit or number < limit)
        return [
            Row(int(r["ts"]), r["artist"].strip(), r["track"].strip(), (r.get("album") or "").strip()) for r in taken
        ]


def text(path: Path) -> IO[str]:
    """Open a text file, gzip or not; the line ends as they are, as the csv module wants them."""
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding="utf-8", newline="")
    return path.open(encoding="utf-8", newline="")


def same(text: str) -> str:
    """Fold a name as the product promises to for duplicates, written once more here."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def distinct(rows: Iterable[Row]) -> set[tuple[int, str, str]]:
    """Return the plays without doubles: same second, artist and track."""
    return {(row.ts, same(row.artist), same(row.track)) for row in rows}


def batches(rows: Sequence[Row], size: int) -> list[Sequence[Row]]:
    """Cut rows into batches of `size`."""
    return [rows[start : start + size] for start in range(0, len(rows), size)]


# ---------------------------------------------------------------- figures


def machine() -> str:
    """Describe the machine in one line."""
    cpu, memory = "unknown processor", 0
    for line in Path("/proc/cpuinfo").read_text("utf-8").splitlines():
        if line.startswith("model name"):
            cpu = line.partition(":")[2].strip()
    for line in Path("/proc/meminfo").read_text("utf-8").splitlines():
        if line.startswith("MemTotal"):
            memory = int(line.split()[1]) // 1024
    load = os.getloadavg()[0]
    return (
        f"machine: {cpu}, {os.cpu_count()} cores, {memory} MB, {platform.system()} {platform.release()}, "
        f"Python {platform.python_version()}, load {load:.1f} before the start"
    )


def percentile(values: Sequence[float], share: float) -> float:
    """Return the nearest-rank percentile, share in 0..1."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def share(part: int, whole: int) -> float | None:
    """Return part/whole to four places; None of nothing."""
    return round(part / whole, 4) if whole else None


def say(text: str) -> None:
    """Print progress, at once."""
    print(f"[{time.strftime('%H:%M:%S')}] {text}", flush=True)


def run(bench: Coroutine[None, None, dict[str, object]]) -> None:
    """Run a benchmark: the machine first, its figures as one JSON object last."""
    print(machine(), flush=True)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:  # the client shall not be what is slow
        print(json.dumps(runner.run(bench)), flush=True)
