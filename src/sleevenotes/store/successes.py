"""How enriching went over a period: of names by when they were met, of plays by when they were received."""

from __future__ import annotations

from datetime import datetime

import msgspec

from sleevenotes.store import connections, effective
from sleevenotes.store.arrivals import share
from sleevenotes.store.postgres import Connection


class Names(msgspec.Struct, frozen=True):
    """Names that were met first in a period, by what is known of them now.

    `abstained` are those not found of which there were candidates, too close or too far to choose; `unasked` those
    decided without one question of their own: by the offline catalogue, or by what was answered or asked before.
    """

    names: int
    pending: int
    enriched: int
    not_found: int
    failed: int
    abstained: int
    unasked: int

    @property
    def decided(self) -> int:
        """Return how many are decided, a failure included."""
        return self.names - self.pending


class Plays(msgspec.Struct, frozen=True):
    """Plays that somebody waited for, by their status as pages show it now."""

    plays: int
    pending: int
    enriched: int
    not_found: int
    failed: int

    @property
    def success_share(self) -> float | None:
        """Return the share of those decided that are enriched."""
        return share(self.enriched, self.plays - self.pending)


class Others(msgspec.Struct, frozen=True):
    """Plays of a period that nobody waited for."""

    synced: int
    imported: int


async def names(conn: Connection, since: datetime, until: datetime) -> Names:
    """Count the names met first from `since` on and before `until`."""
    row = await conn.fetchrow(
        """
        WITH met AS MATERIALIZED (
            SELECT id, status, status = 'not_found' AND candidates <> '[]' AS offered, created_at FROM lookups
            WHERE created_at >= $1 AND created_at < $2
        ), asked AS (
            SELECT count(DISTINCT met.id) AS names FROM met
            JOIN inquiries ON stage = 'match' AND subject_id = met.id
            JOIN traces USING (question_key)
            WHERE met.status <> 'pending' AND asked_at >= met.created_at
        )
        SELECT count(*) AS names,
               count(*) FILTER (WHERE status = 'pending') AS pending,
               count(*) FILTER (WHERE status = 'enriched') AS enriched,
               count(*) FILTER (WHERE status = 'not_found') AS not_found,
               count(*) FILTER (WHERE status = 'failed') AS failed,
               count(*) FILTER (WHERE offered) AS abstained,
               count(*) FILTER (WHERE status <> 'pending') - (SELECT names FROM asked) AS unasked
        FROM met
        """,
        since,
        until,
    )
    return Names(**row)


async def plays(conn: Connection, since: datetime, until: datetime) -> Plays:
    """Count the plays received from `since` on and before `until` that somebody waited for."""
    rows = await conn.fetch(
        f"""
        SELECT {effective.STATUS} AS status, count(*) AS plays
        FROM arrivals a JOIN scrobbles s ON s.id = a.scrobble_id JOIN lookups l ON l.id = s.lookup_id {effective.JOINS}
        WHERE a.received_at >= $1 AND a.received_at < $2 GROUP BY 1
        """,
        since,
        until,
    )
    found = {row["status"]: row["plays"] for row in rows}
    return Plays(sum(found.values()), *(found.get(each, 0) for each in Plays.__struct_fields__[1:]))


async def others(conn: Connection, since: datetime, until: datetime) -> Others:
    """Count the plays of the period that a sync or an import brought, or that came before arrivals were noted."""
    row = await conn.fetchrow(
        """
        SELECT count(*) FILTER (WHERE origin = ANY($3)) AS synced, count(*) FILTER (WHERE origin <> ALL($3)) AS imported
        FROM scrobbles s WHERE inserted_at >= $1 AND inserted_at < $2 AND same_as IS NULL
          AND NOT EXISTS (SELECT FROM arrivals a WHERE a.scrobble_id = s.id)
        """,
        since,
        until,
        sorted(connections.ORIGINS.values()),
    )
    return Others(**row)


async def began(conn: Connection) -> datetime | None:
    """Return when the first play was received; None where there is none."""
    at: datetime | None = await conn.fetchval("SELECT inserted_at FROM scrobbles ORDER BY id LIMIT 1")
    return at


async def overdue_s(conn: Connection, now: datetime) -> float:
    """Return for how many seconds what is longest due to be looked for again has been."""
    due: float = await conn.fetchval(
        """
        SELECT greatest(0, extract(epoch FROM $1 - least(
            (SELECT min(recheck_at) FROM lookups WHERE status IN ('not_found', 'failed')),
            (SELECT min(recheck_at) FROM artworks))))::float8
        """,
        now,
    )
    return due or 0.0
