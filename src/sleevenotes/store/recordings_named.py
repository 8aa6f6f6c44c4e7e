"""Which names a listener's plays of a recording were sent with: feedback is kept by names, clients speak of ids."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from sleevenotes import names
from sleevenotes.store import effective
from sleevenotes.store.postgres import Connection

NEWEST = 5_000  # plays among which a recording_msid is looked for: clients get it with a listen and use it at once


class Named(NamedTuple):
    """A track, as its plays were sent."""

    artist: str
    track: str


async def by_mbid(conn: Connection, account_id: int, mbid: str) -> list[Named]:
    """Return the names of the account's plays of a recording, by what they were matched to or sent with."""
    rows = await conn.fetch(
        f"""
        WITH chosen AS (
            SELECT * FROM matches WHERE recording_id = (SELECT id FROM recordings WHERE mbid = $2::uuid)
        ), {effective.LED}
        SELECT DISTINCT l.artist, l.track FROM own JOIN lookups l ON l.id = own.lookup_id
        UNION SELECT DISTINCT artist, track FROM (
            SELECT artist, track, evidence FROM scrobbles WHERE account_id = $1
            ORDER BY listened_at DESC LIMIT {NEWEST}
        ) newest WHERE evidence ->> 'recording_mbid' = $2::uuid::text
        """,
        account_id,
        mbid,
    )
    return _different(rows)


async def by_msid(conn: Connection, account_id: int, msid: str, name_of: Callable[[str, str, str], str]) -> list[Named]:
    """Return the names of a recording_msid, which follows from artist, track and release by `name_of`.

    It is looked for among the account's newest plays and its feedback; () where it is in neither.
    """
    rows = await conn.fetch(
        f"""
        SELECT DISTINCT artist, track, release FROM (
            SELECT artist, track, release FROM scrobbles WHERE account_id = $1
            ORDER BY listened_at DESC LIMIT {NEWEST}
        ) newest
        UNION SELECT artist, track, '' FROM feedback WHERE account_id = $1
        """,
        account_id,
    )
    same = [row for row in rows if name_of(row["artist"], row["track"], row["release"]) == msid]
    return _different(same)


async def mbids(conn: Connection, account_id: int, tracks: Sequence[Named]) -> dict[bytes, str]:
    """Return the recording MBIDs of these tracks, by names.digest(artist, track), as far as their plays are matched."""
    identities = [names.digest(track.artist, track.track) for track in tracks]
    rows = await conn.fetch(
        f"""
        SELECT DISTINCT ON (s.identity) s.identity, r.mbid::text
        FROM scrobbles s JOIN lookups l ON l.id = s.lookup_id
        {effective.JOINS}
        JOIN matches m ON m.id = {effective.MATCH}
        JOIN recordings r ON r.id = m.recording_id
        WHERE s.account_id = $1 AND s.identity = ANY($2) AND r.mbid IS NOT NULL
        ORDER BY s.identity, s.listened_at DESC
        """,
        account_id,
        identities,
    )
    return {row["identity"]: row["mbid"] for row in rows}


def _different(rows: Sequence[object]) -> list[Named]:
    by_identity = {names.digest(row["artist"], row["track"]): Named(row["artist"], row["track"]) for row in rows}  # type: ignore[index] # rows of asyncpg
    return list(by_identity.values())
