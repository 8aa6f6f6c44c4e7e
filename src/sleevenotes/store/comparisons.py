"""Which accounts' plays are compared all over again, and how far that is (`pipeline.comparing`)."""

from __future__ import annotations

from datetime import datetime

import msgspec

from sleevenotes.store.postgres import Connection


class Comparison(msgspec.Struct, frozen=True):
    """How far it is: the last play that was compared, by (listened_at, id); None where it has not begun."""

    reached_at: datetime | None
    reached_id: int

    @property
    def after(self) -> tuple[datetime, int] | None:
        """Return behind which play to go on."""
        return (self.reached_at, self.reached_id) if self.reached_at else None


async def begin(conn: Connection, account_id: int, now: datetime) -> None:
    """Have all plays of an account compared, from the first on, also where that is under way."""
    await conn.execute(
        """
        INSERT INTO comparisons (account_id, touched_at) VALUES ($1, $2)
        ON CONFLICT (account_id) DO UPDATE SET reached_at = NULL, reached_id = 0, touched_at = excluded.touched_at
        """,
        account_id,
        now,
    )


async def of_account(conn: Connection, account_id: int) -> Comparison | None:
    """Return how far the account's is; None where none is under way."""
    row = await conn.fetchrow("SELECT reached_at, reached_id FROM comparisons WHERE account_id = $1", account_id)
    return Comparison(**row) if row else None


async def reached(conn: Connection, account_id: int, place: tuple[datetime, int] | None, now: datetime) -> None:
    """Note how far it is; None: at its end."""
    if place is None:
        await conn.execute("DELETE FROM comparisons WHERE account_id = $1", account_id)
        return
    await conn.execute(
        "UPDATE comparisons SET reached_at = $2, reached_id = $3, touched_at = $4 WHERE account_id = $1",
        account_id,
        *place,
        now,
    )


async def lying(conn: Connection, before: datetime) -> list[int]:
    """Return the accounts whose comparison has not gone on since then: after a migration, or a job that was lost."""
    rows = await conn.fetch("SELECT account_id FROM comparisons WHERE touched_at < $1 ORDER BY account_id", before)
    return [row["account_id"] for row in rows]
