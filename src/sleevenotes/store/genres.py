"""Genres: what sources tell of albums and artists, beside what they were asked for. Kept in lower case."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from sleevenotes.store.postgres import Connection

LONGEST = 40  # letters; what is longer is no genre


async def tell(
    conn: Connection, of: Literal["release_group", "artist"], subject_id: int, source: str, names: Sequence[str]
) -> None:
    """Keep the genres that a source tells of an album or an artist; call it in a transaction.

    Those it told before stay: a reply may name none.
    """
    told = sorted({name.strip().lower() for name in names if 1 < len(name.strip()) <= LONGEST})
    if not told:
        return
    await conn.execute(
        """
        INSERT INTO genres (name) SELECT name FROM unnest($1::text[]) AS name
        WHERE name NOT IN (SELECT g.name FROM genres g WHERE g.name = ANY($1)) ORDER BY 1 ON CONFLICT DO NOTHING
        """,
        told,
    )
    await conn.execute(
        f"""
        INSERT INTO {of}_genres ({of}_id, genre_id, source)
        SELECT $1, id, $2 FROM genres g WHERE name = ANY($3) AND NOT EXISTS
            (SELECT FROM {of}_genres WHERE {of}_id = $1 AND genre_id = g.id AND source = $2)
        ORDER BY id ON CONFLICT DO NOTHING
        """,
        subject_id,
        source,
        told,
    )


async def of_release_group(conn: Connection, release_group_id: int) -> list[tuple[str, tuple[str, ...]]]:
    """Return an album's genres and who tells each, in the order of their names."""
    rows = await conn.fetch(
        """
        SELECT g.name, array_agg(r.source ORDER BY r.source) AS sources
        FROM release_group_genres r JOIN genres g ON g.id = r.genre_id
        WHERE release_group_id = $1 GROUP BY 1 ORDER BY 1
        """,
        release_group_id,
    )
    return [(row["name"], tuple(row["sources"])) for row in rows]


async def of_artist(conn: Connection, artist_id: int) -> list[tuple[str, tuple[str, ...]]]:
    """Return an artist's genres and who tells each, in the order of their names."""
    rows = await conn.fetch(
        """
        SELECT g.name, array_agg(r.source ORDER BY r.source) AS sources
        FROM artist_genres r JOIN genres g ON g.id = r.genre_id
        WHERE artist_id = $1 GROUP BY 1 ORDER BY 1
        """,
        artist_id,
    )
    return [(row["name"], tuple(row["sources"])) for row in rows]
