"""Which names a listener's plays of a recording were sent with: feedback is kept by names, clients speak of ids."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from sleevenotes import names
from sleevenotes.store import effective
from sleevenotes.store.postgres import Connection

NEWEST = (
    5_000  # plays among which an MBID that was sent with one is looked for, where it was matched to no such recording
)


class Named(NamedTuple):
    """A track, as its plays were sent."""

    artist: str
    track: str


async def by_mbid(conn: Connection, account_id: int, mbid: str) -> list[Named]:
    """Return the names of the account's plays of a recording, by what they were matched to or sent with.

    What plays now counts as a play, also when it is over: who loves it was given its id a moment ago.
    """
    rows = await conn.fetch(
        f"""
        WITH chosen AS (
            SELECT * FROM matches WHERE recording_id = (SELECT id FROM recordings WHERE mbid = $2::uuid)
        ), {effective.LED}
        SELECT DISTINCT l.artist, l.track FROM own JOIN lookups l ON l.id = own.lookup_id
        UNION SELECT n.scrobble ->> 'artist', n.scrobble ->> 'track' FROM now_playing n
        WHERE n.account_id = $1 AND (EXISTS (SELECT FROM led WHERE led.lookup_id = n.lookup_id)
                                     OR n.scrobble -> 'evidence' ->> 'recording_mbid' = $2::uuid::text)
        UNION SELECT DISTINCT artist, track FROM (
            SELECT artist, track, evidence FROM scrobbles WHERE account_id = $1
            ORDER BY listened_at DESC LIMIT {NEWEST}
        ) newest WHERE evidence ->> 'recording_mbid' = $2::uuid::text
        """,
        account_id,
        mbid,
    )
    return _different(rows)


async def by_identities(conn: Connection, account_id: int, identities: Sequence[bytes]) -> list[Named]:
    """Return the account's names among these, each a names.digest(artist, track, release).

    They are looked for among its plays, what plays now (as above) and, without a release, its feedback.
    """
    rows = await conn.fetch(
        """
        WITH named AS MATERIALIZED (SELECT id FROM lookups WHERE identity = ANY($2))
        SELECT DISTINCT s.artist, s.track FROM named JOIN scrobbles s ON s.lookup_id = named.id
        WHERE s.account_id = $1
        UNION SELECT n.scrobble ->> 'artist', n.scrobble ->> 'track' FROM named
        JOIN now_playing n ON n.lookup_id = named.id WHERE n.account_id = $1
        """,
        account_id,
        identities,
    )
    if rows:
        return _different(rows)
    given = await conn.fetch("SELECT artist, track FROM feedback WHERE account_id = $1", account_id)
    return _different([row for row in given if names.digest(row["artist"], row["track"], "") in identities])


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
