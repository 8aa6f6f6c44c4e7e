"""Previews: the cover that a name shows while its own album's is not chosen; `lookups.image_id`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from sleevenotes.store.postgres import Connection


class Cover(NamedTuple):
    """The cover of the album that another name of the same artist and release was matched to."""

    lookup_id: int
    image_id: int
    artist: str
    title: str
    primary_type: str


class Bare(NamedTuple):
    """A name that shows no cover, and has no album yet whose own was decided."""

    lookup_id: int
    artist: str
    release: str


async def of_same_album(conn: Connection, lookup_ids: Sequence[int]) -> list[Cover]:
    """Return covers that stand for good of albums which other names of these lookups' (artist, release) are on."""
    rows = await conn.fetch(
        """
        SELECT DISTINCT ON (mine.id) mine.id, images.id AS image_id, artist_credits.name, release_groups.title,
               release_groups.primary_type
        FROM lookups AS mine
        JOIN lookups AS other
          ON hashtextextended(other.artist_key || '/' || other.release_key, 0)
             = hashtextextended(mine.artist_key || '/' || mine.release_key, 0)
             AND other.release_key <> '' AND other.id <> mine.id
        JOIN matches ON matches.id = other.match_id
        JOIN artworks USING (release_group_id)
        JOIN images ON images.id = artworks.image_id AND images.expires_at IS NULL
        JOIN release_groups ON release_groups.id = release_group_id
        JOIN artist_credits ON artist_credits.id = release_groups.artist_credit_id
        WHERE mine.id = ANY($1::bigint[]) AND artworks.status = 'found'
        ORDER BY mine.id, other.id
        """,
        list(lookup_ids),
    )
    return [Cover(*row) for row in rows]


async def bare(conn: Connection, lookup_ids: Sequence[int]) -> list[Bare]:
    """Return those of these lookups that show nothing and may: their album's cover is not decided."""
    rows = await conn.fetch(
        """
        SELECT lookups.id, artist, release FROM lookups
        LEFT JOIN matches ON matches.id = match_id
        LEFT JOIN artworks USING (release_group_id)
        WHERE lookups.id = ANY($1::bigint[]) AND lookups.image_id IS NULL AND release <> ''
          AND artworks.image_id IS NULL AND coalesce(artworks.status, 'pending') = 'pending'
        ORDER BY lookups.id
        """,
        list(lookup_ids),
    )
    return [Bare(row["id"], row["artist"], row["release"]) for row in rows]


async def show(conn: Connection, covers: Mapping[int, int], now: datetime) -> list[int]:
    """Let these lookups show these images (lookup id → image id) unless they show one; return those that do now."""
    rows = await conn.fetch(
        """
        WITH new AS (SELECT * FROM unnest($1::bigint[], $2::bigint[]) AS new (lookup_id, image_id)),
        locked AS (
            SELECT id FROM lookups JOIN new ON new.lookup_id = id ORDER BY identity FOR NO KEY UPDATE OF lookups
        )
        UPDATE lookups SET image_id = new.image_id, image_at = $3 FROM new, locked
        WHERE lookups.id = new.lookup_id AND locked.id = lookups.id AND lookups.image_id IS NULL
        RETURNING lookups.id
        """,
        list(covers),
        list(covers.values()),
        now,
    )
    return sorted(row["id"] for row in rows)
