"""Charts, drawn on the server: plays by month as bars, scaled for an SVG of fixed proportions."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import msgspec

from sleevenotes.server import views
from sleevenotes.store.library import Month

HEIGHT = 64  # of the tallest bar, in the drawing's own units
STEP = 12  # from bar to bar
LEAST, MOST = 12, 60  # months shown
TALL = 8  # plays that make a bar of full height at least: one play is not a tower


class Bar(msgspec.Struct, frozen=True):
    """One month: its place and size, and what to say of it."""

    x: int
    y: float
    height: float
    title: str


class Chart(msgspec.Struct, frozen=True):
    """Bars from left to right; `ends` are the words below the first and the last, `summary` is for those who listen."""

    bars: tuple[Bar, ...]
    width: int
    height: int
    ends: tuple[str, str]
    summary: str


def months(counts: Sequence[Month], today: date) -> Chart | None:
    """Draw plays by month, up to this one, at least a year wide; None where one month would say it all."""
    if len(counts) < 2:
        return None
    plays = {count.month: count.plays for count in counts}
    shown = span(min(plays), max(today, *plays))
    most = max(TALL, *(plays.get(month, 0) for month in shown))
    bars = tuple(_bar(at, month, plays.get(month, 0), most) for at, month in enumerate(shown))
    best = max(counts, key=lambda count: count.plays)
    return Chart(
        bars=bars,
        width=len(bars) * STEP,
        height=HEIGHT,
        ends=(_name(shown[0]), _name(shown[-1])),
        summary=f"Plays by month from {_name(shown[0])} to {_name(shown[-1])}; "
        f"most in {_name(best.month)}, {views.plural(best.plays, 'play')}.",
    )


def span(first: date, last: date) -> list[date]:
    """List the months from first to last, at least LEAST and at most the latest MOST of them."""
    start, end = first.year * 12 + first.month - 1, last.year * 12 + last.month - 1
    start = max(min(start, end - LEAST + 1), end - MOST + 1)
    return [date(month // 12, month % 12 + 1, 1) for month in range(start, end + 1)]


def _bar(at: int, month: date, plays: int, most: int) -> Bar:
    height = round(max(HEIGHT * plays / most, 2 if plays else 0), 1)
    return Bar(at * STEP, HEIGHT - height, height, f"{_name(month)}: {views.plural(plays, 'play')}")


def _name(month: date) -> str:
    return f"{month:%B %Y}"
