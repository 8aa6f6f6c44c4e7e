"""Pictures of listening, laid out for SVG: days as a heat picture, bars, the day as a record's dial, albums as a wall.

Pure: numbers in, places and words out; templates/_charts.html draws them. Every picture has a title and a description
for those who listen to the page.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta

import msgspec

from sleevenotes.server import views

CELL = 12  # from day to day, in a drawing's own units
WEEKS = 27  # in one heat picture: half a year, so that it stands on a phone
LEVELS = 5
BAR = 12  # from bar to bar
TALL = 64  # the tallest bar
HOURS = 24
HOLE, REACH = 19.0, 27.0  # the dial: where hours begin, and how far the fullest goes

DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


class Cell(msgspec.Struct, frozen=True):
    """A square of a heat picture: its place, how full (0 to LEVELS), what to say of it, its address or ""."""

    x: int
    y: int
    level: int
    title: str
    way: str = ""


class Label(msgspec.Struct, frozen=True):
    """A word in a drawing."""

    x: float
    y: float
    text: str


class Heat(msgspec.Struct, frozen=True):
    """Squares, the words around them, and what it all says."""

    width: int
    height: int
    cells: tuple[Cell, ...]
    labels: tuple[Label, ...]
    title: str
    description: str


class Bar(msgspec.Struct, frozen=True):
    """One bar: its place and height, what to say of it, where it leads."""

    x: int
    y: float
    height: float
    title: str
    way: str = ""


class Bars(msgspec.Struct, frozen=True):
    """Bars from left to right; `ends` are the words below the first and the last."""

    width: int
    height: int
    bars: tuple[Bar, ...]
    ends: tuple[str, str]
    title: str
    description: str


class Dial(msgspec.Struct, frozen=True):
    """The hours of the day around a record: a path each, midnight on top."""

    wedges: tuple[Cell, ...]
    paths: tuple[str, ...]
    title: str
    description: str


def level(plays: int, full: int) -> int:
    """Say how full a square is: 0 for nothing, LEVELS from `full` plays on."""
    return min(LEVELS, math.ceil(LEVELS * plays / max(1, full))) if plays else 0


def full_day(days: Mapping[date, int]) -> int:
    """Return the plays that make a full square: few days have more, so that one long night does not pale the rest."""
    ranked = sorted(days.values())
    return max(LEVELS, ranked[int(0.95 * (len(ranked) - 1))]) if ranked else LEVELS


# ---------------------------------------------------------------- days


def calendar(days: Mapping[date, int], first: date, last: date, way: Callable[[date], str]) -> list[Heat]:
    """Draw days as squares, a column a week, a picture for each half year."""
    full = full_day(days)
    begin = first - timedelta(days=first.weekday())
    weeks = (last - begin).days // 7 + 1
    parts = max(1, math.ceil(weeks / WEEKS))
    share = math.ceil(weeks / parts)
    heats = []
    for part in range(parts):
        start = begin + timedelta(weeks=part * share)
        end = min(last, start + timedelta(weeks=share, days=-1))
        shown = [start + timedelta(days=n) for n in range((end - start).days + 1)]
        heats.append(_heat([day for day in shown if day >= first], start, share, days, full, way))
    return heats


def _heat(
    shown: Sequence[date], start: date, weeks: int, days: Mapping[date, int], full: int, way: Callable[[date], str]
) -> Heat:
    cells = tuple(_cell(day, start, days.get(day, 0), full, way) for day in shown)
    firsts = [day for day in shown if (day.day == 1 and shown[-1] - day > timedelta(7)) or day == shown[0]]
    if len(firsts) > 1 and firsts[1] - firsts[0] < timedelta(14):
        del firsts[0]  # no room for both
    labels = tuple(Label((day - start).days // 7 * CELL, 8, f"{day:%b}") for day in firsts)
    total = sum(days.get(day, 0) for day in shown)
    best = max(shown, key=lambda day: days.get(day, 0))
    return Heat(
        width=weeks * CELL - 2,
        height=7 * CELL + 12,
        cells=cells,
        labels=labels,
        title=f"Plays by day, {month_name(shown[0])} to {month_name(shown[-1])}",
        description=f"{views.plural(total, 'play')}"
        + (f"; most on {best.day} {best:%B %Y}, {views.number(days[best])}." if total else "."),
    )


def _cell(day: date, start: date, plays: int, full: int, way: Callable[[date], str]) -> Cell:
    title = f"{day:%a} {day.day} {day:%b %Y}: {views.plural(plays, 'play')}"
    return Cell(
        (day - start).days // 7 * CELL, day.weekday() * CELL + 14, level(plays, full), title, way(day) if plays else ""
    )


def bars(counts: Sequence[tuple[str, int, str]], title: str, *, tall: int = 8) -> Bars | None:
    """Draw (name, plays, way) as bars; None for nothing. `tall` plays at least make a bar of full height."""
    if not counts:
        return None
    most = max(tall, *(plays for _, plays, _ in counts)) if counts else tall
    drawn = []
    for at, (name, plays, way) in enumerate(counts):
        height = round(max(TALL * plays / most, 2 if plays else 0), 1)
        drawn.append(Bar(at * BAR, TALL - height, height, f"{name}: {views.plural(plays, 'play')}", way))
    best = max(counts, key=lambda count: count[1])
    return Bars(
        width=len(counts) * BAR,
        height=TALL,
        bars=tuple(drawn),
        ends=(counts[0][0], counts[-1][0]),
        title=title,
        description=f"Most in {best[0]}, {views.plural(best[1], 'play')}.",
    )


def months(days: Mapping[date, int], first: date, last: date) -> list[tuple[str, int, str]]:
    """Add days up to calendar months from first to last: (name, plays, address)."""
    sums: dict[tuple[int, int], int] = {}
    for day, plays in days.items():
        sums[day.year, day.month] = sums.get((day.year, day.month), 0) + plays
    shown = range(first.year * 12 + first.month - 1, last.year * 12 + last.month)
    each = [(at // 12, at % 12 + 1) for at in shown]
    return [
        (month_name(date(year, month, 1)), sums.get((year, month), 0), f"/history/{year}-{month:02}")
        for year, month in each
    ]


def month_name(day: date) -> str:
    """Name a day's month: "March 2025"."""
    return f"{day:%B %Y}"


# ---------------------------------------------------------------- hours


def dial(week: Sequence[Sequence[int]]) -> Dial:
    """Draw the hours of the day, whatever the weekday, around a record."""
    hours = [sum(day[hour] for day in week) for hour in range(HOURS)]
    most = max(*hours, 1)
    titles = [f"{hour}\u2013{hour + 1} h: {views.plural(plays, 'play')}" for hour, plays in enumerate(hours)]
    best = hours.index(max(hours))
    return Dial(
        wedges=tuple(Cell(0, 0, level(plays, most), title) for plays, title in zip(hours, titles, strict=True)),
        paths=tuple(_wedge(hour, HOLE + REACH * plays / most) for hour, plays in enumerate(hours)),
        title="Plays by hour of the day",
        description=f"Most between {best} and {best + 1} h, {views.plural(hours[best], 'play')}."
        if any(hours)
        else "None.",
    )


def _wedge(hour: int, outer: float) -> str:
    """Draw an hour's part of the ring between the label and `outer`, in a square of 100."""
    start, end = (math.tau * (hour + gap) / HOURS - math.tau / 4 for gap in (0.06, 0.94))
    a, b = (_at(HOLE, start), _at(HOLE, end))
    c, d = (_at(outer, end), _at(outer, start))
    return f"M{a}A{HOLE:g} {HOLE:g} 0 0 1 {b}L{c}A{outer:.1f} {outer:.1f} 0 0 0 {d}Z"


def _at(radius: float, angle: float) -> str:
    return f"{50 + radius * math.cos(angle):.1f} {50 + radius * math.sin(angle):.1f}"


def week_grid(week: Sequence[Sequence[int]]) -> Heat:
    """Draw weekdays by hours as squares."""
    full = max(LEVELS, *(plays for day in week for plays in day))
    cells = tuple(
        Cell(
            hour * CELL + 26,
            day * CELL + 14,
            level(plays, full),
            f"{DAYS[day]}, {hour}\u2013{hour + 1} h: {views.plural(plays, 'play')}",
        )
        for day, hours in enumerate(week)
        for hour, plays in enumerate(hours)
    )
    words = [Label(0, day * CELL + 23, name[:3]) for day, name in enumerate(DAYS)]
    words += [Label(hour * CELL + 26, 8, str(hour)) for hour in range(0, HOURS, 6)]
    return Heat(
        width=HOURS * CELL + 24,
        height=7 * CELL + 12,
        cells=cells,
        labels=tuple(words),
        title="Plays by weekday and hour",
        description=busiest(week),
    )


def busiest(week: Sequence[Sequence[int]]) -> str:
    """Say when most is played: "Most on Saturdays, and between 21 and 22 h."; "" for nothing."""
    days = [sum(hours) for hours in week]
    hours = [sum(day[hour] for day in week) for hour in range(HOURS)]
    if not sum(days):
        return ""
    hour = hours.index(max(hours))
    return f"Most on {DAYS[days.index(max(days))]}s, and between {hour} and {hour + 1} h."


# ---------------------------------------------------------------- the wall


MOSAIC = (4, *[2] * 8, *[1] * 12)
"""Covers of a glance: they fill a rectangle 12 cells wide, and rows of 4 on a phone."""


def sizes(plays: Sequence[int]) -> list[int]:
    """Say how many cells wide and high each cover is, 4 to 1: its area goes with its plays, the first the largest."""
    most = max(plays, default=1)
    return [max(1, min(4, round(4 * math.sqrt(count / most)))) for count in plays]
