"""What Last.fm's protocol asks of a listener's plays that nothing else does: pages by number, plays of a track."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec

from sleevenotes import names
from sleevenotes.store import charts, subjects
from sleevenotes.store.postgres import Connection


class Facts(msgspec.Struct, frozen=True):
    """How many plays there are, and since when there is an account."""

    plays: int
    registered_at: datetime


async def facts(conn: Connection, account_id: int) -> Facts:
    """Return what is said of a listener."""
    registered_at: datetime = await conn.fetchval("SELECT created_at FROM accounts WHERE id = $1", account_id)
    return Facts(await charts.plays(conn, account_id, charts.Period()), registered_at)


async def count(conn: Connection, account_id: int, since: datetime | None, until: datetime | None) -> int:
    """Count the plays after `since` (inclusive) and before `until` (exclusive), from what is kept of each month."""
    if since is None and until is None:
        return await charts.plays(conn, account_id, charts.Period())
    return await charts.plays(conn, account_id, charts.Period(since or _BEFORE_ALL, until or _AFTER_ALL))


async def page(
    conn: Connection, account_id: int, since: datetime | None, until: datetime | None, *, limit: int, offset: int
) -> list[int]:
    """Return the ids of plays within those bounds, newest first."""
    rows = await conn.fetch(
        f"""
        SELECT id FROM scrobbles WHERE {_WITHIN}
        ORDER BY listened_at DESC, id DESC LIMIT $4 OFFSET $5
        """,
        account_id,
        since,
        until,
        limit,
        offset,
    )
    return [row["id"] for row in rows]


async def of_track(conn: Connection, account_id: int, artist: str, track: str) -> list[int]:
    """Return the ids of the plays of artist and track, as sent, newest first."""
    rows = await conn.fetch(
        f"""
        SELECT s.id FROM ({subjects.NAMED}) AS named JOIN scrobbles s ON s.lookup_id = named.id
        WHERE s.account_id = $1 AND s.identity = $2 AND s.same_as IS NULL
        ORDER BY s.listened_at DESC, s.id DESC
        """,
        account_id,
        names.digest(artist, track),
        names.key(artist),
        names.key(track),
    )
    return [row["id"] for row in rows]


_BEFORE_ALL = datetime(1900, 1, 1, tzinfo=UTC)  # no dialect takes plays from before, or from after
_AFTER_ALL = datetime(2200, 1, 1, tzinfo=UTC)
_WITHIN = """
    account_id = $1 AND same_as IS NULL
    AND listened_at >= coalesce($2, '-infinity'::timestamptz) AND listened_at < coalesce($3, 'infinity'::timestamptz)
"""
