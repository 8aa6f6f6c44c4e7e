"""Plays whose own evidence led to nothing yet: when their hints are asked about again.

A row for each play whose client named a recording or an ISRC that a source did not know, or that could not be asked.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from sleevenotes.store import drip
from sleevenotes.store.postgres import Connection


async def tries(conn: Connection, scrobble_ids: Sequence[int]) -> dict[int, int]:
    """Return how often these plays' hints led to nothing; 0 for all others."""
    rows = await conn.fetch(
        "SELECT scrobble_id, tries FROM evidence_rechecks WHERE scrobble_id = ANY($1::bigint[])", list(scrobble_ids)
    )
    return dict.fromkeys(scrobble_ids, 0) | {row["scrobble_id"]: row["tries"] for row in rows}


async def date(conn: Connection, again_at: Mapping[int, datetime]) -> None:
    """Look at these plays again at that moment; those that are dated already keep their date."""
    await conn.execute(
        """
        INSERT INTO evidence_rechecks (scrobble_id, tries, recheck_at)
        SELECT id, 1, again_at FROM unnest($1::bigint[], $2::timestamptz[]) AS new (id, again_at)
        JOIN scrobbles USING (id) ORDER BY id
        ON CONFLICT (scrobble_id) DO UPDATE
        SET tries = least(evidence_rechecks.tries + 1, 1000), recheck_at = excluded.recheck_at
        WHERE evidence_rechecks.recheck_at IS NULL
        """,
        list(again_at),
        list(again_at.values()),
    )


async def settle(conn: Connection, scrobble_ids: Sequence[int]) -> None:
    """Forget that these plays' hints led to nothing: they did lead somewhere."""
    await conn.execute("DELETE FROM evidence_rechecks WHERE scrobble_id = ANY($1::bigint[])", list(scrobble_ids))


# Each row is one play: all wait alike, the longest due first.
_DUE = drip.choose("evidence_rechecks", "scrobble_id", "recheck_at", plays="SELECT 1")


async def take_due(conn: Connection, now: datetime, limit: int) -> list[int]:
    """Take up a few plays whose day has come; return them."""
    rows = await conn.fetch(
        f"UPDATE evidence_rechecks SET recheck_at = NULL WHERE scrobble_id = ANY(ARRAY({_DUE})) RETURNING scrobble_id",
        now,
        limit,
    )
    return sorted(row["scrobble_id"] for row in rows)
