"""Walks: how far a listener's history has been read, page by page, back in time.

The next page ends where the one before began, so that plays which arrive meanwhile shift nothing; and a crash
repeats one page, whose plays are there already.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final, Literal

import msgspec

from sleevenotes.store.postgres import Connection

Kind = Literal["history", "sync", "loved"]


class Walk(msgspec.Struct, frozen=True):
    """One walk; see the columns of the table."""

    connection_id: int
    kind: Kind
    since: datetime | None
    before: datetime | None
    page: int
    newest: datetime | None
    total: int | None
    read: int
    stored: int
    skipped: int
    begun_at: datetime
    moved_at: datetime
    ended_at: datetime | None

    @property
    def place(self) -> tuple[datetime | None, int, datetime]:
        """Return which page of which walk is to be read next."""
        return self.before, self.page, self.begun_at


class Step(msgspec.Struct, frozen=True):
    """What one page brought, and where the next one ends; `done` where there is none."""

    before: datetime | None
    page: int
    newest: datetime | None
    total: int | None
    read: int
    stored: int
    skipped: int
    done: bool


_COLUMNS: Final = ", ".join(Walk.__struct_fields__)


async def begin(conn: Connection, connection_id: int, kind: Kind, *, since: datetime | None, now: datetime) -> None:
    """Begin a walk at the newest, anew where there was one."""
    await conn.execute(
        """
        INSERT INTO walks (connection_id, kind, since, begun_at, moved_at) VALUES ($1, $2, $3, $4, $4)
        ON CONFLICT (connection_id, kind) DO UPDATE
        SET since = excluded.since, before = NULL, page = 1, newest = NULL, total = NULL, read = 0, stored = 0,
            skipped = 0, begun_at = excluded.begun_at, moved_at = excluded.moved_at, ended_at = NULL
        """,
        connection_id,
        kind,
        since,
        now,
    )


async def load(conn: Connection, connection_id: int, kind: Kind) -> Walk | None:
    """Return a walk; None where there never was one."""
    row = await conn.fetchrow(
        f"SELECT {_COLUMNS} FROM walks WHERE connection_id = $1 AND kind = $2", connection_id, kind
    )
    return row and Walk(**row)


async def of_connection(conn: Connection, connection_id: int) -> dict[str, Walk]:
    """Return the walks of a connection, by kind."""
    rows = await conn.fetch(f"SELECT {_COLUMNS} FROM walks WHERE connection_id = $1", connection_id)
    return {row["kind"]: Walk(**row) for row in rows}


async def step(conn: Connection, walk: Walk, step: Step, now: datetime) -> None:
    """Note that a page has been read; `newest` and `total` stay what they were where the page tells nothing of them."""
    await conn.execute(
        """
        UPDATE walks
        SET before = $3, page = $4, newest = greatest(newest, $5), total = coalesce(total, $6), read = read + $7,
            stored = stored + $8, skipped = skipped + $9, moved_at = $11,
            ended_at = CASE WHEN $10 THEN $11::timestamptz END
        WHERE connection_id = $1 AND kind = $2
        """,
        walk.connection_id,
        walk.kind,
        step.before,
        step.page,
        step.newest,
        step.total,
        step.read,
        step.stored,
        step.skipped,
        step.done,
        now,
    )


async def forget(conn: Connection, connection_id: int) -> None:
    """Forget how far was read: it is another history."""
    await conn.execute("DELETE FROM walks WHERE connection_id = $1", connection_id)


async def take_resting(conn: Connection, now: datetime, rest: timedelta, limit: int) -> Sequence[tuple[int, Kind]]:
    """Return walks under way that have not moved for that long and that nobody waits for: (connection, kind).

    Those of a connection in trouble rest with it.
    """
    rows = await conn.fetch(
        """
        UPDATE walks SET moved_at = $1 WHERE (connection_id, kind) IN (
            SELECT w.connection_id, w.kind FROM walks w JOIN connections c ON c.id = w.connection_id
            WHERE w.ended_at IS NULL AND w.moved_at < $1::timestamptz - $2::interval
              AND c.status = 'open' AND c.problem = ''
              AND NOT EXISTS (SELECT FROM waiters
                              WHERE waiters.stage = w.kind AND waiters.subject_id = w.connection_id)
            ORDER BY w.moved_at LIMIT $3 FOR UPDATE OF w SKIP LOCKED
        ) RETURNING connection_id, kind
        """,
        now,
        rest,
        limit,
    )
    return [(row["connection_id"], row["kind"]) for row in rows]
