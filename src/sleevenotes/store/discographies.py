"""Discographies: which names of one artist wait to be searched for, though the artist's releases might answer all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from sleevenotes.store.postgres import Connection

WORTH = 10
"""Names of one artist that wait, for each page of releases: a few more than one request of a search answers."""


class Waiting(NamedTuple):
    """A name that waits for the answer to its search; `plays` is how many plays its want counts."""

    want_id: int
    key: bytes
    lookup_id: int
    artist: str
    track: str
    release: str
    plays: int


# Of one artist's key, $1; $2 is the source, $3 the kind of question.
_WAITING = """
    FROM lookups
    JOIN waiters ON waiters.stage = 'match' AND waiters.subject_id = lookups.id
    JOIN wants ON wants.id = waiters.want_id AND wants.source = $2 AND wants.kind = $3
    WHERE hashtextextended(lookups.artist_key, 0) = hashtextextended($1, 0) AND lookups.artist_key = $1
      AND lookups.status = 'pending' AND wants.leased_until IS NULL
"""


async def count(conn: Connection, source: str, kind: str, artists: Mapping[str, datetime | None]) -> dict[str, int]:
    """Count, by artist key, the names that wait for a source; only those met after the moment given with the artist."""
    found: dict[str, int] = {}
    for artist_key, since in artists.items():
        found[artist_key] = await conn.fetchval(
            f"SELECT count(*) {_WAITING} AND lookups.created_at > coalesce($4, '-infinity'::timestamptz)",
            artist_key,
            source,
            kind,
            since,
        )
    return found


async def waiting(conn: Connection, source: str, kind: str, artist_key: str) -> list[Waiting]:
    """Return the names of an artist that wait for a source and are not just being asked."""
    rows = await conn.fetch(
        f"""
        SELECT wants.id AS want_id, wants.question_key AS key, lookups.id AS lookup_id, artist, track, release, plays
        {_WAITING} ORDER BY lookups.id
        """,
        artist_key,
        source,
        kind,
    )
    return [Waiting(*row.values()) for row in rows]


async def opened(conn: Connection, artist_keys: Sequence[str]) -> None:
    """Let no further name of these artists go before others: it is known who they are."""
    await conn.execute(
        """
        UPDATE wants SET opens = false
        FROM waiters JOIN lookups ON lookups.id = subject_id
        WHERE want_id = wants.id AND stage = 'match' AND opens AND artist_key = ANY($1::text[])
        """,
        list(artist_keys),
    )


class Told(NamedTuple):
    """A name that told who its artist is."""

    lookup_id: int
    artist_key: str
    artist_mbid: str


async def told(conn: Connection, lookup_ids: Sequence[int]) -> list[Told]:
    """Return, of these matched names, those by one artist who has an MBID."""
    rows = await conn.fetch(
        """
        SELECT lookups.id, artist_key, min(artists.mbid::text)
        FROM lookups
        JOIN matches ON matches.id = lookups.match_id
        JOIN recordings ON recordings.id = matches.recording_id
        JOIN artist_credit_names USING (artist_credit_id)
        JOIN artists ON artists.id = artist_id
        WHERE lookups.id = ANY($1::bigint[])
        GROUP BY lookups.id, artist_key HAVING count(*) = 1 AND min(artists.mbid::text) IS NOT NULL
        ORDER BY lookups.id
        """,
        list(lookup_ids),
    )
    return [Told(*row.values()) for row in rows]


async def known(conn: Connection, lookup_ids: Sequence[int]) -> dict[int, Told]:
    """Return, for each of these waiting names, an earlier one that told who its artist is, where there is any."""
    rows = await conn.fetch(
        """
        SELECT mine.id AS waiting, told.id, mine.artist_key, told.mbid
        FROM lookups AS mine CROSS JOIN LATERAL (
            SELECT other.id, artists.mbid::text AS mbid
            FROM lookups AS other
            JOIN matches ON matches.id = other.match_id
            JOIN recordings ON recordings.id = matches.recording_id
            JOIN artist_credit_names AS name USING (artist_credit_id)
            JOIN artists ON artists.id = artist_id
            WHERE hashtextextended(other.artist_key, 0) = hashtextextended(mine.artist_key, 0)
              AND other.artist_key = mine.artist_key AND artists.mbid IS NOT NULL
              AND NOT EXISTS (
                  SELECT FROM artist_credit_names AS part
                  WHERE part.artist_credit_id = name.artist_credit_id AND part.position <> name.position
              )
            ORDER BY other.id LIMIT 1
        ) AS told WHERE mine.id = ANY($1::bigint[])
        """,
        list(lookup_ids),
    )
    return {row["waiting"]: Told(row["id"], row["artist_key"], row["mbid"]) for row in rows}
