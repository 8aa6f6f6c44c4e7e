"""Which albums an account's own plays lead to, for who asks by a recording, by an artist's name or by a title."""

from __future__ import annotations

from sleevenotes import names
from sleevenotes.store import effective, library
from sleevenotes.store.postgres import Connection

LATELY = 5_000
"""Plays among which a title's album is looked for."""


async def of_recording(conn: Connection, account_id: int, recording_id: int) -> list[int] | None:
    """Return the release groups on which the account plays a recording; None where it does not."""
    return await _led_to(conn, account_id, "recording_id", recording_id)


async def of_album(conn: Connection, account_id: int, release_group_id: int) -> list[int] | None:
    """Return this release group where the account plays it; None where it does not."""
    return await _led_to(conn, account_id, "release_group_id", release_group_id)


async def _led_to(conn: Connection, account_id: int, column: str, subject_id: int) -> list[int] | None:
    rows = await conn.fetch(
        f"""
        WITH chosen AS (SELECT * FROM matches WHERE {column} = $2), {effective.LED}
        SELECT DISTINCT release_group_id FROM own
        """,
        account_id,
        subject_id,
    )
    return sorted(row["release_group_id"] for row in rows if row["release_group_id"]) if rows else None


async def of_artist(conn: Connection, account_id: int, artist: str, limit: int) -> list[int]:
    """Return the release groups of artists of this name that the account plays, the most played first."""
    rows = await conn.fetch("SELECT id FROM artists WHERE lower(name) = lower($1) ORDER BY id LIMIT 10", artist)
    found = [each for row in rows for each in await library.artist_albums(conn, account_id, row["id"], limit)]
    return [each.release_group_id for each in found][:limit]


async def release_of(conn: Connection, account_id: int, artist: str, track: str) -> str:
    """Return the album with which the account sent this title lately; "" where it did not, or without one."""
    release: str | None = await conn.fetchval(
        """
        SELECT release FROM (
            SELECT identity, release, listened_at FROM scrobbles WHERE account_id = $1 AND same_as IS NULL
            ORDER BY listened_at DESC, id DESC LIMIT $3
        ) lately WHERE identity = $2 AND release <> '' ORDER BY listened_at DESC LIMIT 1
        """,
        account_id,
        names.digest(artist, track),
        LATELY,
    )
    return release or ""
