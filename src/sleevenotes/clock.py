"""Now and sleep: the system's, one that runs faster, and one turned by hand.

Nothing else in Sleevenotes asks for the time or waits; SQL takes "now" as a parameter.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import time
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """What every part may know of time."""

    def now(self) -> datetime:
        """Return the present, aware, in UTC."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Return when that many seconds of this clock have passed."""
        ...


class SystemClock:
    """The machine's own time."""

    def now(self) -> datetime:
        """Return the present, aware, in UTC."""
        return datetime.now(UTC)

    async def sleep(self, seconds: float) -> None:
        """Wait real seconds."""
        await asyncio.sleep(max(0.0, seconds))


class ScaledClock:
    """Time that runs `scale` times as fast, counted from `anchor` (UNIX seconds).

    Processes that are given the same anchor and scale agree about now, so a benchmark's server, workers and
    simulator share one time: limits and latencies shrink together, and our own work counts `scale`-fold.
    """

    def __init__(self, scale: float, anchor: float) -> None:
        self.scale = scale
        self.anchor = anchor

    def now(self) -> datetime:
        """Return the scaled present, aware, in UTC."""
        passed = (time.time() - self.anchor) * self.scale
        return datetime.fromtimestamp(self.anchor + passed, UTC)

    async def sleep(self, seconds: float) -> None:
        """Wait scaled seconds."""
        await asyncio.sleep(max(0.0, seconds) / self.scale)


class HandClock:
    """A clock that moves only when told; for tests."""

    def __init__(self, start: datetime | None = None) -> None:
        self._now = start or datetime(2026, 1, 1, tzinfo=UTC)
        self._order = itertools.count()
        self._sleepers: list[tuple[datetime, int, asyncio.Future[None]]] = []

    def now(self) -> datetime:
        """Return the moment the clock was last turned to."""
        return self._now

    async def sleep(self, seconds: float) -> None:
        """Wait until somebody turns the clock that far."""
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        waker: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        due = self._now + timedelta(seconds=seconds)
        heapq.heappush(self._sleepers, (due, next(self._order), waker))
        await waker

    @property
    def next_due(self) -> datetime | None:
        """When the earliest sleeper wants to wake; None when nobody sleeps."""
        while self._sleepers and self._sleepers[0][2].done():
            heapq.heappop(self._sleepers)
        return self._sleepers[0][0] if self._sleepers else None

    def turn(self, seconds: float) -> None:
        """Move forward and wake, in order, all who are due; they run when the caller next awaits."""
        self._now += timedelta(seconds=seconds)
        while self._sleepers and self._sleepers[0][0] <= self._now:
            waker = heapq.heappop(self._sleepers)[2]
            if not waker.done():
                waker.set_result(None)


def from_text(text: str) -> Clock:
    """Read a clock from a setting.

    "" or "system" is the machine's time; "scale:20:1700000000" runs twenty-fold from that UNIX second.

    Raises ValueError for anything else.
    """
    if text in ("", "system"):
        return SystemClock()
    kind, _, rest = text.partition(":")
    if kind != "scale":
        raise ValueError(f"clock: {text!r} is neither 'system' nor 'scale:FACTOR:ANCHOR'")
    factor, _, anchor = rest.partition(":")
    return ScaledClock(float(factor), float(anchor))
