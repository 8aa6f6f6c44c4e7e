"""Counts by quarter on the listener's clock, against turning every single one."""

from __future__ import annotations

import array
import random
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from sleevenotes.server import rhythm


@pytest.mark.parametrize(
    "zone", ["UTC", "Europe/Vienna", "America/St_Johns", "Asia/Kathmandu", "Pacific/Kiritimati", "Pacific/Apia"]
)
def test_days_and_hours_are_the_listeners(zone: str) -> None:
    chance, where = random.Random(zone), ZoneInfo(zone)  # noqa: S311
    moments = [datetime(2023, 1, 1, tzinfo=UTC) + timedelta(minutes=chance.randrange(400 * 1440)) for _ in range(4000)]
    quarters: dict[date, list[int]] = {}
    for at in moments:
        quarters.setdefault(at.date(), [0] * 96)[at.hour * 4 + at.minute // 15] += 1
    local = [at.astimezone(where) for at in moments]
    assert rhythm.by_day(quarters, where) == dict(Counter(at.date() for at in local))
    for first, last in ((date(2022, 1, 1), date(2025, 1, 1)), (date(2023, 3, 20), date(2023, 11, 9))):
        week = rhythm.by_hour(quarters, where, first, last)
        plain = Counter((at.weekday(), at.hour) for at in local if first <= at.date() <= last)
        assert {(day, hour): n for day, hours in enumerate(week) for hour, n in enumerate(hours) if n} == dict(plain)


def test_counts_that_outgrow_sixteen_bits_are_added_up_all_the_same() -> None:
    full = memoryview(array.array("H", [65_535, *[0] * 94, 65_535])).cast("B").cast("H")
    few = [1, *[2] * 95]
    assert rhythm.summed([full, full, few]) == [131_071, *[2] * 94, 131_072]


def test_twenty_years_know_every_change_of_the_clock() -> None:
    where, first, last = ZoneInfo("Africa/Casablanca"), date(2004, 1, 3), date(2024, 5, 2)  # changes four times a year
    quarters = {date.fromordinal(at): [1] + [0] * 95 for at in range(first.toordinal(), last.toordinal() + 1)}
    midnights = (datetime(day.year, day.month, day.day, tzinfo=UTC).astimezone(where) for day in quarters)
    assert rhythm.by_day(quarters, where) == dict(Counter(at.date() for at in midnights))
