"""Neighbours: plays that were sent without an album, and what the same account played right before and after."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import NamedTuple

from sleevenotes import model
from sleevenotes.store.postgres import Connection


class Neighbour(NamedTuple):
    """A play near another, `place` plays before (negative) or after it; `apart` is the time to the play between.

    `song` is its lookup, `album` the id of the release group it is matched to (0: none). `akin`: the first artist of
    its credit is the other play's, too.
    """

    place: int
    apart: timedelta
    song: int
    album: int
    akin: bool


class Bare(NamedTuple):
    """A play without an album, the release group its names are matched to (0: none), and its neighbours."""

    scrobble_id: int
    song: int
    album: int
    neighbours: tuple[Neighbour, ...]


async def of_scrobbles(conn: Connection, ids: Sequence[int], *, reach: int, within: timedelta) -> list[Bare]:
    """Return those of these plays, and of the `reach` plays on either side, that may be on another album.

    That is: sent without an album, matched by their names alone, everything around them decided, and at least two
    neighbours by the same artist matched to another release group. `within` is the longest time looked across.
    """
    return await _around(conn, "SELECT * FROM scrobbles WHERE id = ANY($1::bigint[])", ids, reach, within)


async def of_lookups(conn: Connection, ids: Sequence[int], *, reach: int, within: timedelta, limit: int) -> list[Bare]:
    """Return the same for the newest plays of these names, at most `limit` plays."""
    newest = f"SELECT * FROM scrobbles WHERE lookup_id = ANY($1::bigint[]) ORDER BY id DESC LIMIT {limit}"
    return await _around(conn, newest, ids, reach, within)


async def albums(conn: Connection, ids: Sequence[int]) -> dict[int, model.ReleaseGroup]:
    """Return release groups by id: what they are identified by, and their titles."""
    rows = await conn.fetch(
        """
        SELECT id, coalesce(mbid::text, '') AS mbid, coalesce(foreign_id, '') AS foreign_id, title
        FROM release_groups WHERE id = ANY($1::bigint[])
        """,
        list(ids),
    )
    return {
        row["id"]: model.ReleaseGroup(mbid=row["mbid"], title=row["title"], foreign_id=row["foreign_id"])
        for row in rows
    }


def _side(of: str, direction: str, most: str) -> str:
    """Write the query for the plays on one side of a play, the nearest first."""
    before = direction == "before"
    order = "DESC" if before else "ASC"
    span = (
        f"BETWEEN {of}.listened_at - $3::interval AND {of}.listened_at"
        if before
        else (f"BETWEEN {of}.listened_at AND {of}.listened_at + $3::interval")
    )
    return f"""
        SELECT p.id, p.account_id, p.listened_at, p.identity, p.lookup_id, p.release, p.match_id FROM scrobbles p
        WHERE p.account_id = {of}.account_id AND p.same_as IS NULL AND p.listened_at {span}
          AND (p.listened_at, p.identity) {"<" if before else ">"} ({of}.listened_at, {of}.identity)
        ORDER BY p.listened_at {order}, p.identity {order} LIMIT {most}
    """


_AROUND = f"""
    WITH subject AS ({{subject}}), near AS (
        SELECT id, account_id, listened_at, identity, lookup_id FROM subject
        WHERE release = '' AND match_id IS NULL AND same_as IS NULL
        UNION
        SELECT p.id, p.account_id, p.listened_at, p.identity, p.lookup_id
        FROM subject CROSS JOIN LATERAL (
            ({_side("subject", "before", "$2::int")}) UNION ALL ({_side("subject", "after", "$2::int")})
        ) AS p
        WHERE p.release = '' AND p.match_id IS NULL
    ), bare AS MATERIALIZED (
        SELECT near.*, coalesce(m.release_group_id, 0) AS album, c.artist_id
        FROM near
        JOIN lookups l ON l.id = near.lookup_id AND l.status = 'enriched'
        JOIN matches m ON m.id = l.match_id
        JOIN recordings r ON r.id = m.recording_id
        JOIN artist_credit_names c ON c.artist_credit_id = r.artist_credit_id AND c.position = 0
    )
    SELECT bare.id, bare.lookup_id, bare.album,
           array_agg(n.place) AS places, array_agg(n.apart) AS aparts, array_agg(n.lookup_id) AS songs,
           array_agg(coalesce(nm.release_group_id, 0)) AS albums,
           array_agg(coalesce(nc.artist_id = bare.artist_id, false)) AS akin
    FROM bare CROSS JOIN LATERAL (
        SELECT -row_number() OVER past AS place, lookup_id, match_id,
               lag(listened_at, 1, bare.listened_at) OVER past - listened_at AS apart
        FROM ({_side("bare", "before", "$2::int")}) AS earlier
        WINDOW past AS (ORDER BY listened_at DESC, identity DESC)
        UNION ALL
        SELECT row_number() OVER to_come, lookup_id, match_id,
               listened_at - lag(listened_at, 1, bare.listened_at) OVER to_come
        FROM ({_side("bare", "after", "$2::int")}) AS later
        WINDOW to_come AS (ORDER BY listened_at, identity)
    ) AS n
    JOIN lookups nl ON nl.id = n.lookup_id
    LEFT JOIN matches nm ON nm.id = coalesce(n.match_id, nl.match_id)
    LEFT JOIN recordings nr ON nr.id = nm.recording_id
    LEFT JOIN artist_credit_names nc ON nc.artist_credit_id = nr.artist_credit_id AND nc.position = 0
    GROUP BY bare.id, bare.lookup_id, bare.album
    HAVING NOT bool_or(nl.status = 'pending' AND n.match_id IS NULL)
       AND count(*) FILTER (WHERE nc.artist_id = bare.artist_id AND nm.release_group_id <> bare.album) >= 2
    ORDER BY bare.id
"""


async def _around(conn: Connection, subject: str, ids: Sequence[int], reach: int, within: timedelta) -> list[Bare]:
    rows = await conn.fetch(_AROUND.format(subject=subject), list(ids), reach, within)
    return [
        Bare(
            row["id"],
            row["lookup_id"],
            row["album"],
            tuple(
                Neighbour(*each)
                for each in zip(row["places"], row["aparts"], row["songs"], row["albums"], row["akin"], strict=True)
            ),
        )
        for row in rows
    ]
