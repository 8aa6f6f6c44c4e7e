"""How far the completing of popular names is: counts only, of all accounts together."""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec

from sleevenotes.store import popular
from sleevenotes.store.postgres import Connection


class Report(msgspec.Struct, frozen=True):
    """`names` are the most played, of which so many are `complete` and so many were `looked` at.

    `missing` counts by kind (popular.KINDS). `oldest_at` is when the one was looked at that has waited longest,
    `under_way` how many are being looked at, `last_hour` how many were taken up in the last hour, `holds` why the drip
    waits ("" where it does not). `seeds` are the names of the public list, of which `seeds_left` are still to come.
    """

    names: int
    complete: int
    looked: int
    missing: dict[str, int]
    oldest_at: datetime | None
    under_way: int
    last_hour: int
    listed_at: datetime | None
    holds: str
    seeds: int
    seeds_left: int


async def read(conn: Connection, now: datetime) -> Report:
    """Say how far it is."""
    row = await conn.fetchrow(
        """
        SELECT count(place) AS names, count(*) FILTER (WHERE place IS NOT NULL AND missing = '{}') AS complete,
               count(*) FILTER (WHERE place IS NOT NULL AND looked_at IS NOT NULL) AS looked,
               min(looked_at) FILTER (WHERE place IS NOT NULL) AS oldest_at,
               count(*) FILTER (WHERE taken_at > $1 AND looked_at IS NULL) AS under_way,
               (SELECT count(*) FROM popular p JOIN lookups l ON l.id = p.lookup_id
                WHERE p.taken_at > $2 AND p.taken_at IS DISTINCT FROM l.decided_at) AS last_hour
        FROM popular
        """,
        now - popular.LONG_OPEN,
        now - timedelta(hours=1),
    )
    kinds = await conn.fetch(
        "SELECT kind, count(*) AS names FROM popular, unnest(missing) AS kind WHERE place IS NOT NULL GROUP BY kind"
    )
    drip = await conn.fetchrow("SELECT listed_at, holds FROM popular_drip")
    seeds = await conn.fetchrow("SELECT count(*) AS seeds, count(*) - count(met_at) AS seeds_left FROM popular_seeds")
    counted = {kind["kind"]: kind["names"] for kind in kinds}
    missing = {kind: counted[kind] for kind in popular.KINDS if kind in counted}
    return Report(**row, **drip, **seeds, missing=missing)
