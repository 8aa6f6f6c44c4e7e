"""Portraits: an artist's picture and how many listen to it, as far as sources tell."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec

from sleevenotes.store import drip
from sleevenotes.store.postgres import Connection


class Sought(msgspec.Struct, frozen=True):
    """An artist whose portrait is looked for; `mbid` is "" where there is none, `tries` looks found no picture.

    `version` is that of the row that was read, "" where none was.
    """

    artist_id: int
    name: str
    mbid: str
    tries: int = 0
    version: str = ""


class Portrait(msgspec.Struct, frozen=True):
    """What is shown of an artist; `digest` is "" without a picture, `thumbhash` base64, `page` Last.fm's own."""

    digest: str
    thumbhash: str
    colour: str
    source: str
    link: str
    credit: str
    listeners: int | None
    page: str


async def want(conn: Connection, artist_id: int, now: datetime) -> bool:
    """Have an artist's portrait looked for; tell whether it is to be: it was not, or that is long ago."""
    opened = await conn.fetchval(
        """
        INSERT INTO portraits (artist_id) VALUES ($1)
        ON CONFLICT (artist_id) DO UPDATE SET status = 'pending', look_again_at = NULL
        WHERE portraits.look_again_at <= $2
        RETURNING artist_id
        """,
        artist_id,
        now,
    )
    return opened is not None


async def load_pending(conn: Connection, artist_ids: Sequence[int]) -> list[Sought]:
    """Return those of these artists whose portraits are still looked for."""
    rows = await conn.fetch(f"{_SOUGHT} AND status = 'pending' ORDER BY artist_id", list(artist_ids))
    return [Sought(**row) for row in rows]


async def load_bare(conn: Connection, artist_ids: Sequence[int]) -> list[Sought]:
    """Return those of these artists of whom nobody has told a picture."""
    bare = "status = 'told' AND image_id IS NULL"
    rows = await conn.fetch(f"{_SOUGHT} AND {bare} ORDER BY artist_id", list(artist_ids))
    return [Sought(**row) for row in rows]


_SOUGHT = """
    SELECT artist_id, name, coalesce(mbid::text, '') AS mbid, tries, portraits.xmin::text AS version
    FROM portraits JOIN artists ON artists.id = artist_id WHERE artist_id = ANY($1::bigint[])
"""

_DUE = drip.choose(
    "portraits",
    "artist_id",
    "look_again_at",
    of="status = 'told' AND image_id IS NULL",
    plays="""
        SELECT count(*) FROM artist_credit_names c JOIN recordings r ON r.artist_credit_id = c.artist_credit_id
        JOIN matches m ON m.recording_id = r.id JOIN scrobbles s ON s.lookup_id = m.lookup_id
        WHERE c.artist_id = due.artist_id
    """,
)


async def reopen_due(conn: Connection, now: datetime, limit: int) -> list[int]:
    """Make a few artists without a picture pending whose recheck is due, see `store.drip`; return them."""
    rows = await conn.fetch(
        f"""
        UPDATE portraits SET status = 'pending', look_again_at = NULL
        WHERE artist_id = ANY(ARRAY({_DUE})) RETURNING artist_id
        """,
        now,
        limit,
    )
    return sorted(row["artist_id"] for row in rows)


async def told(
    conn: Connection,
    sought: Sought,
    *,
    image_id: int | None,
    listeners: int | None,
    page: str,
    look_again_at: datetime | None,
) -> None:
    """Store what was told. What was known and is not told again stays; with `look_again_at` None, the date, too.

    Nothing is stored where the row is not of the version that was read any more: two answers that come at once wake the
    stage twice, and the slower of the two would end a look that somebody has begun anew meanwhile, by the old answers.
    """
    await conn.execute(
        """
        UPDATE portraits
        SET status = 'told', image_id = coalesce($2, image_id), listeners = coalesce($3, listeners),
            page = coalesce(nullif($4, ''), page), look_again_at = coalesce($5, look_again_at),
            tries = CASE WHEN coalesce($2, image_id) IS NOT NULL THEN 0
                         WHEN $5::timestamptz IS NULL THEN tries ELSE least(tries + 1, 1000) END
        WHERE artist_id = $1 AND $6 IN ('', xmin::text)
        """,
        sought.artist_id,
        image_id,
        listeners,
        page,
        look_again_at,
        sought.version,
    )


async def of(conn: Connection, artist_id: int) -> Portrait | None:
    """Return an artist's portrait; None where nobody has looked for it."""
    row = await conn.fetchrow(
        """
        SELECT coalesce(encode(digest, 'hex'), '') AS digest,
               coalesce(translate(encode(thumbhash, 'base64'), E'\\n', ''), '') AS thumbhash,
               coalesce(colour, '') AS colour, coalesce(source, '') AS source,
               coalesce(nullif(images.page, ''), source_url, '') AS link, coalesce(credit, '') AS credit,
               listeners, portraits.page
        FROM portraits LEFT JOIN images ON images.id = image_id WHERE artist_id = $1
        """,
        artist_id,
    )
    return row and Portrait(**row)
