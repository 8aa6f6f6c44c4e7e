"""What happened, per account: rows that pages read forward from where they were. NOTIFY only says "look".

Rows become visible in the order of commits, not of numbers, so reading past the newest visible number would skip
a slower transaction's rows for ever. Every row therefore carries its transaction's number, and a reader goes only
as far as all transactions are over (`pg_snapshot_xmin`). Two transactions, A slow and B quick:

    A begins (xid 7), writes row 1          reader: cursor 7.0, nothing (7 still runs)
    B begins (xid 8), writes row 2, commits reader: cursor 7.0, nothing (not past 7, though row 2 is visible)
    A commits                               reader: rows 1 and 2, cursor 9.0

The price: a transaction that writes for long, in any database of the same PostgreSQL, holds the telling back.
Keep them short.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec

from sleevenotes import errors, events
from sleevenotes.store.postgres import Connection

KEPT = timedelta(hours=24)


class Page(msgspec.Struct, frozen=True):
    """Events in order, and where to read on. With `reset`, what was asked for is gone: load everything anew.

    `held` says that more is there already, and no wake-up will come for it: beyond the limit, or behind a
    transaction that still runs. Read again soon.
    """

    events: list[tuple[str, dict[str, Any]]]  # the cursor after each, and the event as events.py encodes it
    cursor: str
    reset: bool = False
    held: bool = False


async def tell(connection: Connection, account_ids: Sequence[int], event: events.Event, now: datetime) -> None:
    """Tell the accounts, if and when the connection's transaction commits."""
    await connection.execute(
        """
        WITH told AS (
            INSERT INTO events (account_id, kind, payload, created_at)
            SELECT DISTINCT account_id, $2, $3::jsonb, $4::timestamptz FROM unnest($1::bigint[]) AS account_id
            RETURNING account_id
        )
        SELECT pg_notify($5, account_id::text) FROM told
        """,
        account_ids,
        event.__struct_config__.tag,
        event,
        now,
        events.WAKE_EVENTS,
    )


async def wake_waiting(connection: Connection) -> None:
    """Wake, if and when this commits, whoever waits for decisions and has no account (pipeline.enrich)."""
    await connection.execute("SELECT pg_notify($1, '')", events.WAKE_DECIDED)


async def read(connection: Connection, account_id: int, after: str, limit: int = 500) -> Page:
    """Return the account's events behind the cursor `after`, at most `limit`; "" means from now on.

    Raises errors.Refused for a cursor that none of our pages ever gave.
    """
    xid, row_id = _parse(after)
    rows = await connection.fetch(
        """
        WITH here AS (SELECT pg_snapshot_xmin(pg_current_snapshot()) AS over),
             seen AS (SELECT $2::text::xid8 AS xid, $3::bigint AS id)
        SELECT here.over::text AS over,
               seen.xid > here.over
               OR EXISTS (SELECT FROM events_purged p WHERE (p.xid, p.id) > (seen.xid, seen.id)) AS lost,
               EXISTS (SELECT FROM events h WHERE h.account_id = $1 AND h.xid >= here.over) AS held,
               e.xid::text || '.' || e.id AS cursor, e.payload
        FROM here CROSS JOIN seen LEFT JOIN LATERAL (
            SELECT xid, id, payload FROM events
            WHERE account_id = $1 AND (xid, id) > ($2::text::xid8, $3::bigint) AND xid < here.over AND $2 <> '0'
            ORDER BY xid, id LIMIT $4
        ) e ON true
        ORDER BY e.xid, e.id
        """,
        account_id,
        xid,
        row_id,
        limit,
    )
    # Everything of transactions before `over` is read now: no need to come back to it.
    here = f"{rows[0]['over']}.0"
    if not after:
        return Page(events=[], cursor=here)
    if rows[0]["lost"]:
        return Page(events=[], cursor=here, reset=True)
    told = [(row["cursor"], row["payload"]) for row in rows if row["cursor"]]
    full = len(told) == limit
    return Page(events=told, cursor=told[-1][0] if full else here, held=full or rows[0]["held"])


def check(cursor: str) -> None:
    """Raise errors.Refused for a cursor that none of our lines ever gave."""
    _parse(cursor)


async def purge(connection: Connection, now: datetime) -> int:
    """Forget events older than a day, and remember how far that went; return how many there were."""
    gone: int = await connection.fetchval(
        """
        WITH gone AS (DELETE FROM events WHERE created_at < $1 RETURNING xid, id),
             marked AS (
                INSERT INTO events_purged (xid, id) SELECT xid, id FROM gone ORDER BY xid DESC, id DESC LIMIT 1
                ON CONFLICT (one) DO UPDATE SET xid = EXCLUDED.xid, id = EXCLUDED.id
                WHERE (EXCLUDED.xid, EXCLUDED.id) > (events_purged.xid, events_purged.id)
             )
        SELECT count(*) FROM gone
        """,
        now - KEPT,
    )
    return gone


def _parse(cursor: str) -> tuple[str, int]:
    """Return transaction and row of a cursor; transaction 0 is none."""
    if not cursor:
        return "0", 0
    xid, dot, row_id = cursor.partition(".")
    # 19 digits at most: both are 64-bit numbers, and a longer one is none of ours
    if not (dot and xid.isdecimal() and row_id.isdecimal() and len(xid) < 20 and len(row_id) < 19):
        raise errors.Refused(f"after: {cursor[:40]!r} is not a cursor of ours", field="after")
    return xid, int(row_id)
