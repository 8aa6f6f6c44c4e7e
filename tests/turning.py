"""Turning a clock by hand while real parts work."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from sleevenotes.clock import HandClock

Condition = Callable[[], Awaitable[object]]


async def until(condition: Condition, clock: HandClock, *, step: float = 0.05, at_most: float = 3600.0) -> None:
    """Turn the clock in steps until `condition`, which asks the database, comes true.

    The asking itself gives the other tasks their time. Raises AssertionError after `at_most` seconds of the clock.
    """
    start = clock.now()
    while not await condition():
        clock.turn(step)
        assert (clock.now() - start).total_seconds() < at_most, "it did not happen"
