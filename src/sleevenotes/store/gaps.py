"""Albums that an account plays and whose cover nobody has: which, how much they are played, and why."""

from __future__ import annotations

from datetime import datetime

import msgspec

from sleevenotes.store import effective, tallies
from sleevenotes.store.postgres import Connection


class Gap(msgspec.Struct, frozen=True):
    """An album without a cover. `status` is pending, absent or failed; `reason` one sentence, "" where none is known."""

    release_group_id: int
    mbid: str
    title: str
    artist: str
    plays: int
    status: str
    reason: str
    decided_at: datetime | None
    recheck_at: datetime | None


class Gaps(msgspec.Struct, frozen=True):
    """The most played of them, how many there are, and among how many albums."""

    entries: tuple[Gap, ...]
    bare: int
    albums: int


async def read(conn: Connection, account_id: int, limit: int, offset: int = 0) -> Gaps:
    """Return an account's albums without a cover, most played first."""
    plan = tallies.plan(None, None, await tallies.marked(conn, account_id))
    rows = await conn.fetch(
        f"""
        WITH {tallies.COUNTED}, {effective.decided()}, played AS MATERIALIZED (
            SELECT release_group_id, sum(plays)::int AS plays FROM decided
            WHERE release_group_id IS NOT NULL GROUP BY 1
        ), bare AS (
            SELECT p.*, w.status, w.reason, w.decided_at, w.recheck_at, count(*) OVER ()::int AS bare
            FROM played p LEFT JOIN artworks w USING (release_group_id) WHERE w.image_id IS NULL
            ORDER BY plays DESC, release_group_id LIMIT $8 OFFSET $9
        )
        SELECT g.id AS release_group_id, coalesce(g.mbid::text, '') AS mbid, g.title, c.name AS artist, bare.plays,
               coalesce(bare.status, 'pending') AS status, coalesce(bare.reason, '') AS reason,
               bare.decided_at, bare.recheck_at, bare.bare
        FROM bare JOIN release_groups g ON g.id = bare.release_group_id
        JOIN artist_credits c ON c.id = g.artist_credit_id ORDER BY bare.plays DESC, g.id
        """,
        account_id,
        *plan.values,
        limit,
        offset,
    )
    albums: int = await conn.fetchval(
        f"""
        WITH {tallies.COUNTED}, {effective.decided()}
        SELECT count(DISTINCT release_group_id) FROM decided
        """,
        account_id,
        *plan.values,
    )
    entries = tuple(Gap(**{name: value for name, value in row.items() if name != "bare"}) for row in rows)
    return Gaps(entries, rows[0]["bare"] if rows else 0, albums)


async def reopen(conn: Connection, release_group_id: int, now: datetime) -> bool:
    """Make an album's cover one that is looked for, unless it has one or is looked for; tell whether it was done.

    Call it in a transaction, with the naming of the artwork job.
    """
    row = await conn.fetchrow(
        """
        UPDATE artworks SET status = 'pending', wanted_at = $2, recheck_at = NULL
        WHERE release_group_id = $1 AND image_id IS NULL AND status <> 'pending' RETURNING release_group_id
        """,
        release_group_id,
        now,
    )
    return row is not None
