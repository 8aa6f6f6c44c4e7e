"""Albums that an account plays and whose cover nobody has: which, how much they are played, and why."""

from __future__ import annotations

from datetime import datetime

import msgspec

from sleevenotes.store import covers, tallies, tops
from sleevenotes.store.postgres import Connection


class Gap(msgspec.Struct, frozen=True):
    """An album without a cover. `status` is pending, absent or failed; `reason` one sentence, "" where none is told."""

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
    copied, values = await tops.values(conn, account_id, plan)
    rows = await conn.fetch(
        f"""
        WITH {tops.merged(tops.ALBUM, copied=copied)}, {tops.ranked(tops.ALBUM, copied=copied, besides=_EVERY)},
        bare AS (
            SELECT p.*, w.status, w.reason, w.decided_at, w.recheck_at, count(*) OVER ()::int AS bare
            FROM ranked p JOIN release_groups g ON g.id = p.subject_id {covers.ALBUM_JOINS}
            WHERE {covers.ALBUM_IMAGE} IS NULL
        ), first AS (SELECT * FROM bare ORDER BY plays DESC, subject_id LIMIT $10::bigint OFFSET $11::bigint)
        SELECT g.id AS release_group_id, coalesce(g.mbid::text, '') AS mbid, g.title, c.name AS artist, first.plays,
               coalesce(first.status, 'pending') AS status, coalesce(first.reason, '') AS reason,
               first.decided_at, first.recheck_at, coalesce(first.bare, 0) AS bare, different.subjects::int AS albums
        FROM different LEFT JOIN first ON true LEFT JOIN release_groups g ON g.id = first.subject_id
        LEFT JOIN artist_credits c ON c.id = g.artist_credit_id ORDER BY first.plays DESC, g.id
        """,
        *values,
        limit,
        offset,
    )
    entries = [
        Gap(**{name: value for name, value in row.items() if name not in ("bare", "albums")})
        for row in rows
        if row["release_group_id"] is not None
    ]
    return Gaps(tuple(entries), rows[0]["bare"], rows[0]["albums"])


_EVERY = "1000000000"  # all of them may be bare


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
