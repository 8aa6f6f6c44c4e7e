"""Arrivals: how soon each play that somebody waited for showed a picture, and how well its name was known.

A row is written with the play, and looked at again until the play shows a picture that stays. When it came to show one
is read from the rows that brought it (`store.covers`), not from when somebody looked: looking late costs nothing but
that the figure comes late. What was told once stays, whatever becomes of the picture.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

import msgspec

from sleevenotes.store import covers, effective
from sleevenotes.store.postgres import Connection

SOON = timedelta(seconds=5)
"""How long after it came in, at the least, a play is looked at again; an old one after a sixteenth of its age."""

PATIENCE = timedelta(days=64)
"""After so long nobody looks any more: the doubling intervals of rechecks have reached their end."""

AT_ONCE = 2000
MINUTE = timedelta(minutes=1)


class Waits(msgspec.Struct, frozen=True):
    """Seconds until plays showed a picture, by nearest rank, over the `plays` that show one."""

    plays: int
    p50_s: float | None = None
    p95_s: float | None = None
    p99_s: float | None = None


class Arrived(msgspec.Struct, frozen=True):
    """Some plays that somebody waited for. `minute_over` counts those received over a minute before the count."""

    plays: int
    first: Waits
    chosen: Waits
    minute_over: int
    within_minute: int
    within_minute_share: float | None
    artwork_share: float | None  # of all of them, those that have come to show a picture, however late
    of_those_share: float | None  # of those that show one and whose minute is over, those that did within it


async def keep(conn: Connection, plays: Mapping[int, int], now: datetime) -> None:
    """Note plays that were just stored (id → lookup id), in the same transaction."""
    await conn.execute(
        """
        INSERT INTO arrivals (scrobble_id, received_at, is_first, met, look_at)
        SELECT play.id, $3,
               NOT EXISTS (SELECT FROM scrobbles e WHERE e.lookup_id = l.id AND e.id < play.id),
               CASE WHEN l.status = 'enriched' AND l.created_at = $3 AND l.decided_at = $3 THEN 'catalogue'
                    WHEN l.match_id IS NOT NULL THEN 'known'
                    WHEN l.status <> 'pending' THEN 'unmatched'
                    WHEN l.created_at = $3 THEN 'new' ELSE 'waiting' END,
               $3
        FROM unnest($1::bigint[], $2::bigint[]) AS play (id, lookup_id) JOIN lookups l ON l.id = play.lookup_id
        """,
        list(plays),
        list(plays.values()),
        now,
    )


async def settle(conn: Connection, now: datetime) -> int:
    """Look at plays that are due, AT_ONCE at the most, and note since when they show a picture; return how many."""
    done: str = await conn.execute(_SETTLE, now, AT_ONCE, SOON, PATIENCE)
    return int(done.rpartition(" ")[2])


_SETTLE = f"""
    WITH a AS MATERIALIZED (
        SELECT scrobble_id, received_at, met FROM arrivals WHERE look_at <= $1
        ORDER BY look_at LIMIT $2 FOR UPDATE SKIP LOCKED
    ), seen AS (
        SELECT a.scrobble_id, extract(epoch FROM {covers.FIRST_AT} - a.received_at) AS first_s,
               extract(epoch FROM {covers.CHOSEN_AT} - a.received_at) AS chosen_s
        FROM a JOIN scrobbles s ON s.id = a.scrobble_id JOIN lookups l ON l.id = s.lookup_id
        {effective.JOINS} LEFT JOIN matches m ON m.id = {effective.MATCH} {covers.JOINS} {covers.SINCE_JOINS}
    )
    UPDATE arrivals SET
        first_s = coalesce(arrivals.first_s, seen.first_s),
        chosen_s = seen.chosen_s,
        look_at = CASE WHEN seen.chosen_s IS NULL AND received_at > $1 - $4::interval
                       THEN $1 + greatest($3::interval, ($1 - received_at) / 16) END
    FROM seen WHERE seen.scrobble_id = arrivals.scrobble_id
"""


async def count(conn: Connection, since: datetime, until: datetime, now: datetime, *, firsts: bool = False) -> Arrived:
    """Count the plays received from `since` on and before `until`, as known at `now`; with `firsts`, of names alone
    that had not been played before.
    """
    row = await conn.fetchrow(
        """
        SELECT count(*) AS plays, count(first_s) AS first, count(chosen_s) AS chosen,
               percentile_disc(ARRAY[.5, .95, .99]) WITHIN GROUP (ORDER BY first_s) AS first_s,
               percentile_disc(ARRAY[.5, .95, .99]) WITHIN GROUP (ORDER BY chosen_s) AS chosen_s,
               count(*) FILTER (WHERE received_at <= $3) AS minute_over,
               count(first_s) FILTER (WHERE received_at <= $3) AS shown,
               count(*) FILTER (WHERE received_at <= $3 AND first_s <= $4) AS within_minute
        FROM arrivals WHERE received_at >= $1 AND received_at < $2 AND (is_first OR NOT $5)
        """,
        since,
        until,
        now - MINUTE,
        MINUTE.total_seconds(),
        firsts,
    )
    return Arrived(
        plays=row["plays"],
        first=_waits(row["first"], row["first_s"]),
        chosen=_waits(row["chosen"], row["chosen_s"]),
        minute_over=row["minute_over"],
        within_minute=row["within_minute"],
        within_minute_share=share(row["within_minute"], row["minute_over"]),
        artwork_share=share(row["first"], row["plays"]),
        of_those_share=share(row["within_minute"], row["shown"]),
    )


async def met(conn: Connection, since: datetime, until: datetime) -> dict[str, int]:
    """Count plays of a period by how well their names were known; "pictured" are those that showed one at once."""
    rows = await conn.fetch(
        """
        SELECT met, count(*) AS plays, count(*) FILTER (WHERE first_s = 0) AS pictured
        FROM arrivals WHERE received_at >= $1 AND received_at < $2 GROUP BY met
        """,
        since,
        until,
    )
    return {row["met"]: row["plays"] for row in rows} | {"pictured": sum(row["pictured"] for row in rows)}


def share(part: int, whole: int) -> float | None:
    """Return part / whole to four places; None of nothing."""
    return round(part / whole, 4) if whole else None


def _waits(plays: int, seconds: list[float] | None) -> Waits:
    return Waits(plays, *(round(each, 3) for each in seconds or ()))
