"""Budgets: how much may be sent to a host, shared by every process that has this database.

A row holds the last N send times. "At most N in any span of W seconds" then reads: the N-th last send is at least
W ago; that is right for fixed and for moving windows.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec

from sleevenotes import clock
from sleevenotes.store.postgres import Connection


class Budget(msgspec.Struct, frozen=True):
    """What may be sent to one host. `faults` counts consecutive ones; any answer, also "absent", resets it.

    `throttled_at` is when it last told us to slow down.
    """

    sent: list[datetime]
    paused_until: datetime | None
    pause_reason: str
    faults: int
    throttled_at: datetime | None = None

    def wait(self, requests: int, window: float, now: datetime) -> float:
        """Return the seconds until one more request may be sent: 0 when it may be now."""
        free = now
        if len(self.sent) >= requests:
            free = self.sent[-requests] + timedelta(seconds=window)
        if self.paused_until is not None:
            free = max(free, self.paused_until)
        return max(0.0, (free - now).total_seconds())


_COLUMNS = "sent, paused_until, pause_reason, faults, throttled_at"
EMPTY = Budget(sent=[], paused_until=None, pause_reason="", faults=0)


async def look(conn: Connection, host: str) -> Budget:
    """Read a host's budget without taking from it."""
    row = await conn.fetchrow(f"SELECT {_COLUMNS} FROM budgets WHERE host = $1", host)
    return EMPTY if row is None else msgspec.convert(dict(row), Budget)


async def reserve(conn: Connection, host: str, requests: int, window: float, time: clock.Clock) -> datetime | None:
    """Take one send from the budget and return its moment, which is now; None when there is none to take.

    Call it in a transaction of its own, immediately before sending. The moment is read after the row is locked,
    so that waiting for another process does not make it stale; the commit need not reach the disk: a
    database that crashes takes longer to return than a window lasts.
    """
    await conn.execute("SET LOCAL synchronous_commit = off")
    await conn.execute("INSERT INTO budgets (host) VALUES ($1) ON CONFLICT DO NOTHING", host)
    row = await conn.fetchrow(f"SELECT {_COLUMNS} FROM budgets WHERE host = $1 FOR UPDATE", host)
    budget = msgspec.convert(dict(row), Budget)
    now = time.now()
    if budget.wait(requests, window, now) > 0:
        return None
    await conn.execute("UPDATE budgets SET sent = $2 WHERE host = $1", host, [*budget.sent, now][-requests:])
    return now


async def sent_late(conn: Connection, host: str, now: datetime) -> None:
    """Correct the last send to `now`: it left later than it was reserved for."""
    await conn.execute(
        """
        UPDATE budgets SET sent = sent[:cardinality(sent) - 1] || $2::timestamptz
        WHERE host = $1 AND sent[cardinality(sent)] < $2
        """,
        host,
        now,
    )


async def answered(conn: Connection, host: str) -> None:
    """Note that the host answered: whatever was wrong is over."""
    await conn.execute(
        "UPDATE budgets SET faults = 0, paused_until = NULL, pause_reason = '' WHERE host = $1 AND faults > 0",
        host,
    )


async def faulted(conn: Connection, host: str) -> int:
    """Note one more consecutive fault; return how many there are."""
    faults: int = await conn.fetchval(
        """
        INSERT INTO budgets (host, faults) VALUES ($1, 1)
        ON CONFLICT (host) DO UPDATE SET faults = budgets.faults + 1 RETURNING faults
        """,
        host,
    )
    return faults


async def throttled(conn: Connection, host: str, now: datetime) -> None:
    """Note that the host told us to slow down."""
    await conn.execute(
        "INSERT INTO budgets (host, throttled_at) VALUES ($1, $2) ON CONFLICT (host) DO UPDATE SET throttled_at = $2",
        host,
        now,
    )


async def pause(conn: Connection, host: str, until: datetime, reason: str) -> None:
    """Send nothing to this host before `until`; a longer pause stays."""
    await conn.execute(
        """
        INSERT INTO budgets (host, paused_until, pause_reason) VALUES ($1, $2, $3)
        ON CONFLICT (host) DO UPDATE
        SET paused_until = greatest(budgets.paused_until, $2), pause_reason = $3
        """,
        host,
        until,
        reason,
    )
