"""Backfills: what sources that are new are asked, of all that the others left open.

Which source could be asked what is remembered (`source_abilities`). What can be asked and could not before gets a
backfill: the names, albums or artists that are open are written down once, most played first, and taken up from there
until none is left.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

import msgspec

from sleevenotes.store.postgres import Connection

_LOCK = 0x5C76 << 48  # one process at a time remembers and compares


class Backfill(msgspec.Struct, frozen=True):
    """A source that is new for a kind of question (find_recording …): how many of `total` were taken up."""

    source: str
    kind: str
    begun_at: datetime
    total: int
    asked: int
    ended_at: datetime | None


class Learnt(NamedTuple):
    """Which (source, kind) can be asked that could not before, and which can no longer."""

    came: list[tuple[str, str]]
    went: list[tuple[str, str]]


async def learn(conn: Connection, able: Collection[tuple[str, str]], now: datetime) -> Learnt:
    """Remember which (source, kind) can be asked; return what has changed since it was last remembered.

    Where nothing is remembered, nothing is new. What can no longer be asked has its backfill ended.
    """
    await conn.execute("SELECT pg_advisory_xact_lock($1)", _LOCK)
    known = await conn.fetch("SELECT source, kind, lost_at FROM source_abilities")
    there = {(row["source"], row["kind"]) for row in known if row["lost_at"] is None}
    came, went = sorted(set(able) - there), sorted(there - set(able))
    await conn.execute(
        """
        INSERT INTO source_abilities (source, kind, since) SELECT source, kind, $3
        FROM unnest($1::text[], $2::text[]) AS came (source, kind)
        ON CONFLICT (source, kind) DO UPDATE SET since = excluded.since, lost_at = NULL
        """,
        [source for source, _ in came],
        [kind for _, kind in came],
        now,
    )
    sources, kinds = [source for source, _ in went], [kind for _, kind in went]
    gone = "(source, kind) IN (SELECT * FROM unnest($1::text[], $2::text[]))"
    await conn.execute(f"UPDATE source_abilities SET lost_at = $3 WHERE {gone}", sources, kinds, now)
    await conn.execute(f"DELETE FROM backfills WHERE {gone}", sources, kinds)
    return Learnt(came if known else [], went)


async def begin(
    conn: Connection, source: str, kind: str, now: datetime, *, wanted_px: int = 0, only_by_mbid: bool = False
) -> int:
    """Write down what a source that is new is to be asked; return how many names, albums or artists that are.

    Albums are those without a cover, with a stop-gap, or with one of a longer side under `wanted_px`.
    """
    await conn.execute("DELETE FROM backfills WHERE source = $1 AND kind = $2", source, kind)
    await conn.execute(
        "INSERT INTO backfills (source, kind, begun_at, total) VALUES ($1, $2, $3, 0)", source, kind, now
    )
    values = (wanted_px, only_by_mbid) if kind == "find_images" else ()
    await conn.execute(
        f"""
        INSERT INTO backfill_subjects (source, kind, subject_id, plays)
        SELECT $1, $2, open.id, open.plays FROM ({_OPEN[kind]}) AS open (id, plays)
        """,
        source,
        kind,
        *values,
    )
    total: int = await conn.fetchval(
        """
        UPDATE backfills b SET total = counted.total, ended_at = CASE counted.total WHEN 0 THEN $3::timestamptz END
        FROM (SELECT count(*) AS total FROM backfill_subjects WHERE source = $1 AND kind = $2) counted
        WHERE b.source = $1 AND b.kind = $2 RETURNING b.total
        """,
        source,
        kind,
        now,
    )
    return total


_OPEN = {
    "find_recording": """
        SELECT l.id, (SELECT count(*) FROM scrobbles s WHERE s.lookup_id = l.id)
        FROM lookups l WHERE l.status IN ('not_found', 'failed')
    """,
    "find_images": """
        SELECT a.release_group_id, (SELECT count(*) FROM matches m JOIN scrobbles s ON s.lookup_id = m.lookup_id
                                    WHERE m.release_group_id = a.release_group_id)
        FROM artworks a JOIN release_groups g ON g.id = a.release_group_id LEFT JOIN images i ON i.id = a.image_id
        WHERE (a.status IN ('absent', 'failed')
               OR a.status = 'found' AND (i.expires_at IS NOT NULL OR greatest(i.width, i.height) < $3))
          AND (NOT $4 OR g.mbid IS NOT NULL)
    """,
    "find_artist": """
        SELECT p.artist_id, (SELECT count(*) FROM artist_credit_names c
                             JOIN recordings r ON r.artist_credit_id = c.artist_credit_id
                             JOIN matches m ON m.recording_id = r.id JOIN scrobbles s ON s.lookup_id = m.lookup_id
                             WHERE c.artist_id = p.artist_id)
        FROM portraits p WHERE p.status = 'told' AND p.image_id IS NULL
    """,
}


async def take(conn: Connection, source: str, kind: str, limit: int, now: datetime) -> list[int]:
    """Take up the most played of those that are left; where none is, the backfill has ended."""
    rows = await conn.fetch(
        """
        DELETE FROM backfill_subjects WHERE source = $1 AND kind = $2 AND subject_id = ANY(ARRAY(
            SELECT subject_id FROM backfill_subjects WHERE source = $1 AND kind = $2
            ORDER BY plays DESC, subject_id LIMIT $3 FOR UPDATE SKIP LOCKED))
        RETURNING subject_id, plays
        """,
        source,
        kind,
        limit,
    )
    await conn.execute(
        """
        UPDATE backfills SET asked = asked + $3, ended_at = CASE WHEN NOT EXISTS
            (SELECT FROM backfill_subjects WHERE source = $1 AND kind = $2) THEN $4::timestamptz END
        WHERE source = $1 AND kind = $2
        """,
        source,
        kind,
        len(rows),
        now,
    )
    return [row["subject_id"] for row in sorted(rows, key=lambda row: (-row["plays"], row["subject_id"]))]


async def under_way(conn: Connection) -> list[Backfill]:
    """Return the backfills that are not at their end."""
    return await _read(conn, "ended_at IS NULL")


async def lately(conn: Connection, now: datetime) -> list[Backfill]:
    """Return the backfills that are under way or have ended within a day, where there was anything to ask."""
    return await _read(conn, "total > 0 AND (ended_at IS NULL OR ended_at > $1)", now - timedelta(days=1))


async def sources(conn: Connection, kind: str, now: datetime) -> set[str]:
    """Return the sources that are new for a kind of question, or were so a day ago: answers are still on their way."""
    found = await _read(conn, "kind = $2 AND (ended_at IS NULL OR ended_at > $1)", now - timedelta(days=1), kind)
    return {each.source for each in found}


async def _read(conn: Connection, where: str, *values: object) -> list[Backfill]:
    rows: Sequence[dict[str, object]] = await conn.fetch(
        f"""
        SELECT source, kind, begun_at, total, asked, ended_at FROM backfills WHERE {where}
        ORDER BY begun_at, source, kind
        """,
        *values,
    )
    return [msgspec.convert(dict(row), Backfill) for row in rows]
