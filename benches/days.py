"""Real days out of real histories: which day, what was played before it, and how a day is shortened."""

from __future__ import annotations

import random
import statistics
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from benches import common, plays
from sleevenotes.simulator import world

DAY = 86_400


class Part(NamedTuple):
    """Rows of a history, by their places: what is imported in the evening, at dawn, and played live in between."""

    earlier: slice
    before: slice
    day: slice


class Listener(NamedTuple):
    """One of the three: what their account is called, and their plays, with the truth of all."""

    name: str
    earlier: plays.Plays  # imported in the evening
    before: plays.Plays  # imported at dawn
    day: plays.Plays


class Moment(NamedTuple):
    """One live play: seconds from dawn, whose, and what."""

    at: float
    listener: int
    row: common.Row


def busy_day(rows: Sequence[common.Row], seed: str, before: int, earlier: int) -> Part:
    """Choose a day among the busier half of the days before which so much was played, by this seed.

    Exits where there is none.
    """
    by_day = Counter(row.ts // DAY for row in rows)
    middle = statistics.median(by_day.values())
    starts: dict[int, int] = {}
    for place, row in enumerate(rows):
        starts.setdefault(row.ts // DAY, place)
    fit = [day for day, count in by_day.items() if count > middle and starts[day] >= before + earlier]
    if not fit:
        raise SystemExit(f"no busy day has {before + earlier} plays before it: give --before and --evening less")
    chosen = random.Random(seed).choice(sorted(fit))
    first = starts[chosen]
    return Part(
        slice(first - before - earlier, first - before),
        slice(first - before, first),
        slice(first, first + by_day[chosen]),
    )


def listeners(files: Sequence[Path], seed: int, before: int, evening: int, true: world.World) -> list[Listener]:
    """Take three listeners out of these histories; where they are fewer, several out of one, from parts of it."""
    made = []
    for number in range(3):
        path = files[number % len(files)]
        times = len(range(number % len(files), 3, len(files)))
        rows = common.history(path)
        start = (number // len(files)) * len(rows) // times
        stop = (number // len(files) + 1) * len(rows) // times
        part = busy_day(rows[start:stop], f"{seed} {number}", before, evening)
        cut = [_load(path, start, each, true) for each in part]
        made.append(Listener(f"listener{number + 1}", *cut))
    return made


def _load(path: Path, start: int, part: slice, true: world.World) -> plays.Plays:
    """Load these rows; none for an empty slice, where a limit of 0 would mean all."""
    loaded = plays.load(path, max(1, part.stop - part.start), true, start + part.start)
    return loaded.part(0, part.stop - part.start)


def truths(everybody: Sequence[Listener]) -> plays.Plays:
    """Return all plays of the three with the truth of every name."""
    parts = [part for each in everybody for part in (each.earlier, each.before, each.day)]
    names: dict[plays.Name, plays.Name] = {}
    for part in parts:
        for sent, true in part.true_names.items():
            names.setdefault(sent, true)
    rows = [row for part in parts for row in part.rows]
    return plays.Plays(rows, names, sum(part.raw for part in parts), sum(part.dirty for part in parts))


def timeline(everybody: Sequence[Listener], silence: float, limit: int = 0) -> list[Moment]:
    """Lay the three days over one another by the time of day, and shorten every silence to at most so many seconds.

    Played at 8:00:00, 8:00:10 (by another) and 9:30:00 with silences of 30 s gives 0, 10 and 40. Nobody plays twice in
    one second.
    """
    whole = sorted(
        (row.ts % DAY, number, place, row)
        for number, each in enumerate(everybody)
        for place, row in enumerate(each.day.rows)
    )
    made: list[Moment] = []
    last: dict[int, float] = {}
    at, previous = 0.0, None
    for second, number, _, row in whole[: limit or None]:
        at += 0.0 if previous is None else min(silence, float(second - previous))
        previous = second
        due = max(at, last.get(number, -1.0) + 1.0)
        last[number] = due
        made.append(Moment(due, number, row))
    return sorted(made)
