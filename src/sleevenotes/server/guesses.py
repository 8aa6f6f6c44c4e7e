"""Wrong passwords, counted by address and minute, whichever door they are tried at."""

from __future__ import annotations

from typing import Any

from litestar.connection import ASGIConnection

from sleevenotes.server import limits, pages_account, services

Connection = ASGIConnection[Any, Any, Any, Any]


def left(connection: Connection) -> int:
    """Return how many this address has left in this minute."""
    return _count(connection, 0)


def count(connection: Connection) -> None:
    """Count a wrong one."""
    _count(connection, 1)


def _count(connection: Connection, number: int) -> int:
    state = connection.app.state
    if "login_meter" not in state:  # the login's own
        state["login_meter"] = limits.Meter(pages_account.TRIES)
    client = connection.client.host if connection.client else "unknown"
    meter: limits.Meter = state["login_meter"]
    return meter.count(client, services.of(connection).clock.now(), number).remaining
