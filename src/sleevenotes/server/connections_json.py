"""A connection to Last.fm or ListenBrainz as the API tells it. Pure; secrets are not among it."""

from __future__ import annotations

from datetime import datetime

import msgspec

from sleevenotes.store.connections import Connected
from sleevenotes.store.walks import Walk


class ProblemAnswer(msgspec.Struct, frozen=True):
    """Why nothing is read at the moment: "private", "unknown_user", "session", "key" or "unreachable".

    `next_try` is null where nothing happens before the listener connects again.
    """

    code: str
    message: str
    next_try: datetime | None


class HistoryAnswer(msgspec.Struct, frozen=True):
    """How far the history has been read: back to `read_back_to`, `read` of `total` plays (null: not told).

    `stored` of them were new here; `skipped` had no date, no artist or no title. `finished_at` is null under way.
    """

    read: int
    total: int | None
    stored: int
    skipped: int
    read_back_to: datetime | None
    started_at: datetime
    finished_at: datetime | None


class ConnectionAnswer(msgspec.Struct, frozen=True):
    """A connection. `logged_in` says that it rests on a login there, and not on a user name alone.

    `status` is "connecting", "open" or "stopped"; `forwards`, whether plays are forwarded there. `login_problem` says
    why another login was not taken over: everything stayed as it was.
    """

    connected: bool
    service: str
    username: str | None = None
    status: str | None = None
    logged_in: bool = False
    forwards: bool = False
    connected_at: datetime | None = None
    problem: ProblemAnswer | None = None
    login_problem: str | None = None
    history: HistoryAnswer | None = None
    last_sync: datetime | None = None
    next_sync: datetime | None = None
    synced_until: datetime | None = None


class Disconnected(msgspec.Struct, frozen=True):
    """What became of a disconnect: whether there was a connection, and how many plays were removed."""

    disconnected: bool
    removed: int


def written(service: str, connected: Connected | None, walks: dict[str, Walk]) -> ConnectionAnswer:
    """Write a connection; None where there is none."""
    if connected is None:
        return ConnectionAnswer(connected=False, service=service)
    history = walks.get("history")
    return ConnectionAnswer(
        connected=True,
        service=service,
        username=connected.user_name or None,
        status="connecting" if connected.is_logging_in else connected.status,
        logged_in=bool(connected.secret),
        forwards=connected.forwards,
        connected_at=connected.connected_at,
        problem=_problem(connected),
        login_problem=connected.login_note or None,
        history=_history(history) if history else None,
        last_sync=connected.synced_at,
        next_sync=connected.sync_due,
        synced_until=connected.synced_until,
    )


def _problem(connected: Connected) -> ProblemAnswer | None:
    if not connected.problem:
        return None
    return ProblemAnswer(connected.problem, connected.note, connected.sync_due)


def _history(walk: Walk) -> HistoryAnswer:
    return HistoryAnswer(
        read=min(walk.read, walk.total) if walk.total is not None else walk.read,
        total=walk.total,
        stored=walk.stored,
        skipped=walk.skipped,
        read_back_to=walk.before,
        started_at=walk.begun_at,
        finished_at=walk.ended_at,
    )
