"""When plays were: counts by UTC quarter of an hour, put on the listener's days, weekdays and hours.

A zone's distance from UTC is a number of quarters, other on the two sides of a change to summer time; days on which it
does not change are added up together before anything is turned, so that twenty years take some milliseconds.
"""

from __future__ import annotations

import array
import functools
import sys
import zoneinfo
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta

QUARTERS = 96  # of a day
Quarters = Mapping[date, Sequence[int]]
DAY = timedelta(days=1)
STRIDE = 7
"""Days between two looks at a zone's distance from UTC, where both see the same: nowhere does it change and change back
within a week.
"""

EVERY_OTHER = int.from_bytes(b"\xff\xff\x00\x00" * (QUARTERS // 2), "little")


def by_day(quarters: Quarters, where: zoneinfo.ZoneInfo) -> dict[date, int]:
    """Count plays by the listener's calendar day."""
    days: defaultdict[date, int] = defaultdict(int)
    for day, counts, early, late in _turned(quarters, where):
        if early != late:
            for at, plays in enumerate(counts):
                if plays:
                    days[_local(day, at, where)[0]] += plays
            continue
        cut = min(QUARTERS, max(0, (QUARTERS - early) if early >= 0 else -early))
        first, each = (day if early >= 0 else day - DAY), _listed(counts)
        if before := sum(each[:cut]):
            days[first] += before
        if after := sum(each[cut:]):
            days[first + DAY] += after
    return dict(days)


def by_hour(quarters: Quarters, where: zoneinfo.ZoneInfo, first: date, last: date) -> list[list[int]]:
    """Count plays of the listener's days from first to last by weekday (Monday first) and hour."""
    week = [[0] * 24 for _ in range(7)]
    alike: defaultdict[tuple[int, int], list[Sequence[int]]] = defaultdict(list)
    for day, counts, early, late in _turned(quarters, where):
        if early == late and first < day < last:
            alike[day.weekday(), early].append(counts)
        else:
            _add_each(week, day, counts, where, (first, last))
    for (weekday, shift), rows in alike.items():
        for at, plays in enumerate(summed(rows)):
            turned, quarter = divmod(at + shift, QUARTERS)
            week[(weekday + turned) % 7][quarter // 4] += plays
    return week


def summed(rows: Sequence[Sequence[int]]) -> list[int]:
    """Add up rows of a day's quarters, each count below 65,536, place by place; at most 65,536 rows.

    A row is read as one long number, of which every sixteen bits are a count, so that all of a row is added at once.
    Its even and its odd places are added apart: each sum has the room of the two.

        0x0005_0003  ->  even 0x0003, odd 0x0005
        0x0001_ffff  ->  even 0x0003 + 0xffff = 0x0001_0002, odd 0x0005 + 0x0001 = 0x0006
    """
    even = odd = 0
    for row in rows:
        kept = row if isinstance(row, memoryview) else array.array("H", row)
        number = int.from_bytes(kept, sys.byteorder)
        even += number & EVERY_OTHER
        odd += number >> 16 & EVERY_OTHER
    places = [0] * QUARTERS
    for start, number in ((0, even), (1, odd)):
        places[start::2] = memoryview(number.to_bytes(QUARTERS * 2, sys.byteorder)).cast("I").tolist()
    return places


def _add_each(
    week: list[list[int]], day: date, counts: Sequence[int], where: zoneinfo.ZoneInfo, ends: tuple[date, date]
) -> None:
    for at, plays in enumerate(counts):
        if plays:
            which, hour = _local(day, at, where)
            if ends[0] <= which <= ends[1]:
                week[which.weekday()][hour] += plays


def _listed(counts: Sequence[int]) -> Sequence[int]:
    """Unpack a row at once: to read a memoryview number by number takes five times as long."""
    return counts.tolist() if isinstance(counts, memoryview) else counts


def _turned(quarters: Quarters, where: zoneinfo.ZoneInfo) -> Iterator[tuple[date, Sequence[int], int, int]]:
    """Give each day with its counts, and by how many quarters the zone is ahead of UTC when it begins and ends."""
    if not quarters:
        return
    first = min(quarters)
    ahead = _ahead(first, max(quarters), where)
    begins = first.toordinal()
    for day, counts in quarters.items():
        at = day.toordinal() - begins
        yield day, counts, ahead[at], ahead[at + 1]


@functools.lru_cache(maxsize=64)
def _ahead(first: date, last: date, where: zoneinfo.ZoneInfo) -> list[int]:
    """Return by how many quarters the zone is ahead of UTC as each day begins, one more than there are days."""
    ahead: list[int] = []
    known = _shift(first, where)
    for at in range(first.toordinal(), last.toordinal() + 2, STRIDE):
        following = _shift(date.fromordinal(at + STRIDE), where)
        if following == known:
            ahead += [known] * STRIDE
        else:
            ahead += [_shift(date.fromordinal(at + n), where) for n in range(STRIDE)]
        known = following
    return ahead


def _shift(day: date, where: zoneinfo.ZoneInfo) -> int:
    """Return how many quarters the zone is ahead of UTC when that UTC day begins."""
    offset = datetime(day.year, day.month, day.day, tzinfo=UTC).astimezone(where).utcoffset() or timedelta()
    return round(offset / timedelta(minutes=15))


def _local(day: date, quarter: int, where: zoneinfo.ZoneInfo) -> tuple[date, int]:
    at = datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(minutes=15 * quarter)
    local = at.astimezone(where)
    return local.date(), local.hour
