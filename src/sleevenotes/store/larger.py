"""Covers that are smaller than wanted: when they are looked for again, and what replaces them.

A cover is small where its longer side has fewer pixels than wanted. It is looked for again a day after it was found,
and then after 2, 4 … 32 days, for as long as it stays small; it is shown meanwhile. `artworks.larger_at` is the date.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec

from sleevenotes.store import artworks, drip
from sleevenotes.store.postgres import Connection


class Current(msgspec.Struct, frozen=True):
    """The cover that stands: its size in pixels, and until when its source's terms let it be kept."""

    image_id: int
    digest: str
    source: str
    width: int
    height: int
    expires_at: datetime | None
    tries: int


async def date(conn: Connection, release_group_ids: Sequence[int] | None, wanted_px: int, now: datetime) -> None:
    """Date the first look for a larger cover of these albums (None: of all), where theirs is small; else none.

    What is dated already keeps its date.
    """
    await conn.execute(
        """
        UPDATE artworks a SET
            larger_at = CASE WHEN small THEN coalesce(larger_at, $3::timestamptz + interval '1 day') END,
            larger_tries = CASE WHEN small THEN larger_tries ELSE 0 END
        FROM (
            SELECT w.release_group_id, greatest(i.width, i.height) < $2 AND w.status = 'found' AS small
            FROM artworks w JOIN images i ON i.id = w.image_id
            WHERE ($1::bigint[] IS NULL OR w.release_group_id = ANY($1))
              AND (w.larger_at IS NULL) = (greatest(i.width, i.height) < $2 AND w.status = 'found')
            ORDER BY w.release_group_id FOR NO KEY UPDATE OF w
        ) AS now
        WHERE a.release_group_id = now.release_group_id
        """,
        None if release_group_ids is None else list(release_group_ids),
        wanted_px,
        now,
    )


_DUE = drip.choose(
    "artworks", "release_group_id", "larger_at", of="status = 'found' AND image_id IS NOT NULL", plays=artworks.PLAYS
)

# A listener's own choice stands above the album's cover: where everybody who plays the album chose, none is missed.
_SEEN = " OR ".join(
    f"""
    EXISTS (
        SELECT FROM matches m JOIN scrobbles s ON {led}
        WHERE m.release_group_id = a.release_group_id AND NOT EXISTS (
            SELECT FROM artwork_preferences p
            WHERE p.account_id = s.account_id AND p.release_group_id = a.release_group_id
              AND p.in_force AND p.scrobble_id IS NULL AND p.image_id IS NOT NULL))
    """
    for led in ("s.lookup_id = m.lookup_id", "s.id = m.scrobble_id")
)


async def take_due(conn: Connection, now: datetime, limit: int) -> list[int]:
    """Take up a few small covers whose day has come, see `store.drip`, and date the look after this one.

    Returns those that somebody sees who has not chosen another.
    """
    rows = await conn.fetch(
        f"""
        UPDATE artworks a SET
            larger_tries = least(larger_tries + 1, 1000),
            larger_at = $1::timestamptz + least(32, power(2, least(larger_tries + 1, 16))) * interval '1 day'
        WHERE release_group_id = ANY(ARRAY({_DUE})) RETURNING release_group_id, ({_SEEN}) AS seen
        """,
        now,
        limit,
    )
    return sorted(row["release_group_id"] for row in rows if row["seen"])


async def current(conn: Connection, release_group_id: int) -> Current | None:
    """Return the cover that stands for an album; None where there is none."""
    row = await conn.fetchrow(
        """
        SELECT i.id AS image_id, encode(i.digest, 'hex') AS digest, i.source, i.width, i.height, i.expires_at,
               larger_tries AS tries
        FROM artworks JOIN images i ON i.id = image_id WHERE release_group_id = $1
        """,
        release_group_id,
    )
    return row and Current(**row)


async def replace(conn: Connection, release_group_id: int, image_id: int, by: int, reason: str, now: datetime) -> bool:
    """Let a larger image take the place of this one; False, and nothing changed, where another stands by now."""
    replaced = await conn.fetchval(
        """
        UPDATE artworks SET image_id = $3, reason = $4, decided_at = $5
        WHERE release_group_id = $1 AND image_id = $2 AND status = 'found'
          AND EXISTS (SELECT FROM images WHERE id = $3 AND expires_at IS NULL FOR KEY SHARE)
        RETURNING true
        """,
        release_group_id,
        image_id,
        by,
        reason,
        now,
    )
    return bool(replaced)


async def postpone(conn: Connection, release_group_id: int, until: datetime) -> None:
    """Look again at this moment already: not every source was reached."""
    await conn.execute(
        "UPDATE artworks SET larger_at = least(larger_at, $2) WHERE release_group_id = $1 AND larger_at IS NOT NULL",
        release_group_id,
        until,
    )
