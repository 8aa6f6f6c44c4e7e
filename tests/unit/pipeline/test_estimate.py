from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from sleevenotes.pipeline import estimate
from sleevenotes.pipeline.estimate import Asked, Host, Waits

MUSICBRAINZ = Host(requests=1, window=1.08, parallel=4, sent_ago=(0.4,))
SAID = Asked(questions=10, told=8, requests=1, took=0.7)
NOW = datetime(2026, 1, 1, 20, 0, tzinfo=UTC)


def waits(slots: float, *, awaited: bool = True, asked_for: float | None = None, due_in: float = 0.0) -> Waits:
    return Waits("musicbrainz", "find_recording", awaited, slots, 25, asked_for, due_in)


def test_the_worked_example_comes_out_as_written() -> None:
    together = estimate.told_together(SAID, most=10)
    assert together == pytest.approx(8)
    until = estimate.question(waits(25 / together), MUSICBRAINZ, SAID)
    assert until == pytest.approx(3.92 + 0.7 + 0.25 * (0.7 + 1.08))
    assert estimate.corrected(until + 1.5, [1.2] * 40) == pytest.approx(7.7, abs=0.05)


def test_requests_that_were_nearly_empty_say_nothing_of_full_ones() -> None:
    assert estimate.told_together(Asked(questions=5, told=5, requests=5), most=32) == 32
    assert estimate.told_together(Asked(questions=0, told=0, requests=0), most=50) == 50
    assert estimate.told_together(Asked(questions=160, told=80, requests=10), most=32) == 8


@pytest.mark.parametrize(
    ("place", "seconds"),
    [
        (0, 0.0),  # two of three were sent: one more may go
        (1, 10.0 - 6.0),  # when the older of the two is a window old
        (2, 10.0 - 1.0),
        (3, 10.0),  # a window after the one that goes now
        (4, 10.0 + 4.0),
    ],
)
def test_a_budget_of_three_in_ten_seconds_opens_as_its_sends_grow_old(place: int, seconds: float) -> None:
    host = Host(requests=3, window=10.0, parallel=50, sent_ago=(6.0, 1.0))
    assert estimate.opens_in(host, place, took=0.1) == pytest.approx(seconds)


def test_slow_answers_hold_a_host_up_where_its_pace_would_not() -> None:
    images = Host(requests=10, window=1.0, parallel=5)
    assert estimate.opens_in(images, 49, took=2.0) == pytest.approx(45 * 2.0 / 5)


def test_a_paused_host_sends_nothing_before_its_pause_is_over() -> None:
    paused = Host(requests=1, window=1.08, parallel=4, sent_ago=(0.4,), paused_for=20.0)
    assert estimate.opens_in(paused, 0, took=0.7) == pytest.approx(20.0)
    assert estimate.opens_in(paused, 2, took=0.7) == pytest.approx(22.16)


def test_what_is_being_asked_waits_for_no_slot_and_is_never_overdue() -> None:
    sure = Asked(questions=10, told=10, requests=10, took=0.7)
    assert estimate.question(waits(90, asked_for=0.2), MUSICBRAINZ, sure) == pytest.approx(0.5)
    assert estimate.question(waits(90, asked_for=60), MUSICBRAINZ, sure) == pytest.approx(0.28)


def test_what_met_a_fault_is_not_asked_before_it_is_due() -> None:
    sure = Asked(questions=10, told=10, requests=10, took=0.7)
    assert estimate.question(waits(0, due_in=5.0), MUSICBRAINZ, sure) == pytest.approx(5.7)


def test_who_describes_decides_before_the_bulk_source_and_that_before_the_broadest() -> None:
    until = {"musicbrainz": 9.0, "deezer": 1.0, "listenbrainz": 2.0}
    assert estimate.deciding(until, ["listenbrainz", "musicbrainz"]) == "listenbrainz"
    assert estimate.deciding({"deezer": 1.0, "itunes": 7.0}, ["listenbrainz", "musicbrainz"]) == "itunes"


def test_a_cover_is_the_archives_or_the_last_that_is_heard_within_the_patience() -> None:
    assert estimate.cover({"coverartarchive": 2.0, "itunes": 9.0}, "coverartarchive", 3.8) == "coverartarchive"
    assert estimate.cover({"deezer": 1.0, "itunes": 9.0}, "coverartarchive", 3.8) == "deezer"
    assert estimate.cover({"deezer": 1.0, "itunes": 9.0}, "coverartarchive", None) == "itunes"


def test_earlier_estimates_correct_the_more_the_more_of_them_there_are() -> None:
    assert estimate.corrected(10.0, []) == 10.0
    few, many = estimate.corrected(10.0, [2.0]), estimate.corrected(10.0, [2.0] * 40)
    assert 10.0 < few < many < 20.0
    assert estimate.corrected(10.0, [1000.0] * 400) < 10.0 * estimate.FURTHEST
    assert estimate.corrected(0.0, []) == estimate.SHORTEST


def test_an_estimate_that_creeps_is_the_same_moment_when_it_is_told_again() -> None:
    first = estimate.moment(NOW, 40.0)
    again = [estimate.moment(NOW + timedelta(seconds=passed), 40.0 - passed * 0.9) for passed in range(1, 20)]
    assert len({first, *again}) <= 3  # of twenty answers
    assert abs((first - NOW).total_seconds() - 40.0) <= 5.0
