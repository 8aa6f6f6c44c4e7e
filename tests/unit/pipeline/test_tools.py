"""When to look again: absences after doubling days, faults after doubling minutes, not all at one moment."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from sleevenotes.pipeline import tools

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def test_absences_are_looked_at_again_after_1_2_4_to_32_days() -> None:
    days = [(tools.recheck_absence(tries, NOW) - NOW).days for tries in (0, 1, 2, 3, 4, 5, 6, 1000)]
    assert days == [1, 2, 4, 8, 16, 32, 32, 32]


@pytest.mark.parametrize(("tries", "minutes"), [(0, 10), (1, 20), (2, 40), (7, 1280), (8, 1440), (1000, 1440)])
def test_faults_wait_exponentially_and_up_to_a_half_longer(tries: int, minutes: int) -> None:
    assert tools.fault_minutes(tries, 0.0) == minutes
    assert tools.fault_minutes(tries, 1.0) == 1.5 * minutes


def test_what_failed_together_does_not_come_back_together() -> None:
    dates = {tools.recheck_fault(3, NOW) for _ in range(20)}
    assert len(dates) > 10
    assert all(timedelta(minutes=80) <= date - NOW <= timedelta(minutes=120) for date in dates)
