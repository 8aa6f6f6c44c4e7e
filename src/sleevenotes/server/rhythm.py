"""When plays were: counts by UTC quarter of an hour, put on the listener's days, weekdays and hours.

A zone's distance from UTC is a number of quarters, other on the two sides of a change to summer time; days on which it
does not change are added up together before anything is turned, so that ten years take some milliseconds.
"""

from __future__ import annotations

import functools
import zoneinfo
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta

QUARTERS = 96  # of a day
Quarters = Mapping[date, Sequence[int]]


def by_day(quarters: Quarters, where: zoneinfo.ZoneInfo) -> dict[date, int]:
    """Count plays by the listener's calendar day."""
    days: defaultdict[date, int] = defaultdict(int)
    for day, counts in quarters.items():
        early, late = _shift(day, where), _shift(day + timedelta(days=1), where)
        if early != late:
            for at, plays in enumerate(counts):
                if plays:
                    days[_local(day, at, where)[0]] += plays
            continue
        cut = min(QUARTERS, max(0, (QUARTERS - early) if early >= 0 else -early))
        before, after = sum(counts[:cut]), sum(counts[cut:])
        first = day if early >= 0 else day - timedelta(days=1)
        for which, plays in ((first, before), (first + timedelta(days=1), after)):
            if plays:
                days[which] += plays
    return dict(days)


def by_hour(quarters: Quarters, where: zoneinfo.ZoneInfo, first: date, last: date) -> list[list[int]]:
    """Count plays of the listener's days from first to last by weekday (Monday first) and hour."""
    week = [[0] * 24 for _ in range(7)]
    alike: defaultdict[tuple[int, int], list[Sequence[int]]] = defaultdict(list)
    for day, counts in quarters.items():
        early, late = _shift(day, where), _shift(day + timedelta(days=1), where)
        if early == late and first < day < last:
            alike[day.weekday(), early].append(counts)
        else:
            _add_each(week, day, counts, where, (first, last))
    for (weekday, shift), rows in alike.items():
        for at, plays in enumerate(map(sum, zip(*rows, strict=True))):
            turned, quarter = divmod(at + shift, QUARTERS)
            week[(weekday + turned) % 7][quarter // 4] += plays
    return week


def _add_each(
    week: list[list[int]], day: date, counts: Sequence[int], where: zoneinfo.ZoneInfo, ends: tuple[date, date]
) -> None:
    for at, plays in enumerate(counts):
        if plays:
            which, hour = _local(day, at, where)
            if ends[0] <= which <= ends[1]:
                week[which.weekday()][hour] += plays


@functools.lru_cache(maxsize=65536)  # twenty years of a few zones: zoneinfo takes longer than all the adding up
def _shift(day: date, where: zoneinfo.ZoneInfo) -> int:
    """Return how many quarters the zone is ahead of UTC when that UTC day begins."""
    offset = datetime(day.year, day.month, day.day, tzinfo=UTC).astimezone(where).utcoffset() or timedelta()
    return round(offset / timedelta(minutes=15))


def _local(day: date, quarter: int, where: zoneinfo.ZoneInfo) -> tuple[date, int]:
    at = datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(minutes=15 * quarter)
    local = at.astimezone(where)
    return local.date(), local.hour
