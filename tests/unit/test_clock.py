from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from sleevenotes import clock


async def _settle() -> None:
    """Let everything that can run, run."""
    for _ in range(5):
        await asyncio.sleep(0)


async def test_a_hand_clock_wakes_sleepers_in_order_of_their_time() -> None:
    hand = clock.HandClock()
    woken: list[str] = []

    async def sleeper(name: str, seconds: float) -> None:
        await hand.sleep(seconds)
        woken.append(name)

    tasks = [asyncio.ensure_future(sleeper(name, seconds)) for name, seconds in (("c", 3), ("a", 1), ("b", 2))]
    await _settle()
    hand.turn(10)
    await asyncio.gather(*tasks)
    assert woken == ["a", "b", "c"]


async def test_sleepers_of_the_same_moment_wake_in_the_order_they_fell_asleep() -> None:
    hand = clock.HandClock()
    woken: list[int] = []

    async def sleeper(number: int) -> None:
        await hand.sleep(1)
        woken.append(number)

    tasks = [asyncio.ensure_future(sleeper(number)) for number in range(5)]
    await _settle()
    hand.turn(1)
    await asyncio.gather(*tasks)
    assert woken == [0, 1, 2, 3, 4]


async def test_a_hand_clock_wakes_nobody_early() -> None:
    hand = clock.HandClock()
    task = asyncio.ensure_future(hand.sleep(60))
    await _settle()
    hand.turn(59.9)
    await _settle()
    assert not task.done()
    hand.turn(0.1)
    await task


async def test_a_hand_clock_stands_still_until_turned() -> None:
    start = datetime(2030, 1, 1, tzinfo=UTC)
    hand = clock.HandClock(start)
    await hand.sleep(0)
    assert hand.now() == start
    hand.turn(90)
    assert hand.now() == start + timedelta(seconds=90)


async def test_a_hand_clock_knows_who_wakes_next_and_forgets_the_cancelled() -> None:
    hand = clock.HandClock()
    assert hand.next_due is None
    soon, late = asyncio.ensure_future(hand.sleep(5)), asyncio.ensure_future(hand.sleep(50))
    await _settle()
    assert hand.next_due == hand.now() + timedelta(seconds=5)
    soon.cancel()
    await _settle()
    assert hand.next_due == hand.now() + timedelta(seconds=50)
    late.cancel()


async def test_sleeping_no_time_lets_the_others_run() -> None:
    hand = clock.HandClock()
    ran = asyncio.ensure_future(asyncio.sleep(0))
    await hand.sleep(0)
    await hand.sleep(-1)
    assert ran.done()


def test_a_scaled_clock_agrees_with_the_machine_at_its_anchor_and_runs_ahead_after_it() -> None:
    real = clock.SystemClock().now().timestamp()
    scaled = clock.ScaledClock(scale=20, anchor=real - 100)
    ahead = scaled.now().timestamp() - real
    assert ahead == pytest.approx(100 * 19, abs=20 * 5)  # five seconds for a machine under load


def test_two_processes_with_the_same_anchor_share_one_time() -> None:
    anchor = clock.SystemClock().now().timestamp() - 1000
    one, other = clock.ScaledClock(20, anchor), clock.ScaledClock(20, anchor)
    first, second, third = one.now(), other.now(), one.now()
    assert first <= second <= third


async def test_scaled_sleep_takes_its_share_of_real_time() -> None:
    scaled = clock.ScaledClock(scale=1000, anchor=0)
    loop = asyncio.get_running_loop()
    before = loop.time()
    await scaled.sleep(20)
    assert 0.015 <= loop.time() - before < 5


def test_times_are_aware_and_in_utc() -> None:
    for each in (clock.SystemClock(), clock.ScaledClock(2, 0), clock.HandClock()):
        assert each.now().tzinfo is UTC


def test_a_clock_is_read_from_its_setting() -> None:
    assert isinstance(clock.from_text(""), clock.SystemClock)
    assert isinstance(clock.from_text("system"), clock.SystemClock)
    scaled = clock.from_text("scale:20:1700000000")
    assert isinstance(scaled, clock.ScaledClock)
    assert (scaled.scale, scaled.anchor) == (20, 1_700_000_000)


@pytest.mark.parametrize("text", ["sundial", "scale", "scale:fast:0", "scale:20", "scale:20:"])
def test_a_clock_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        clock.from_text(text)
