"""What an account's own plays say about albums and artists: counts, firsts and lasts, months.

Everything here starts from the account's plays, so a page built on it shows nobody else's. A play counts for what
it was matched to, as `store.effective` says.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

import msgspec

from sleevenotes.store import covers, effective
from sleevenotes.store.postgres import Connection

_OF_ALBUM = f"WITH chosen AS (SELECT * FROM matches WHERE release_group_id = $2), {effective.LED}"
_OF_ARTIST = f"""
    WITH chosen AS (
        SELECT * FROM matches WHERE recording_id IN (
            SELECT r.id FROM recordings r
            JOIN artist_credit_names n ON n.artist_credit_id = r.artist_credit_id
            WHERE n.artist_id = $2
        )
    ), {effective.LED}
"""


_OF_RECORDING = f"WITH chosen AS (SELECT * FROM matches WHERE recording_id = $2), {effective.LED}"


class Played(msgspec.Struct, frozen=True):
    """How often and between when; no times where it only plays right now, for the first time.

    `met_at` is when it came in first (`effective.MET_AT`): what was asked before was not asked for this account.
    """

    plays: int
    first_at: datetime | None
    last_at: datetime | None
    met_at: datetime | None

    def led_to(self, asked_at: datetime) -> bool:
        """Tell whether what happened then may have happened for this account, so that the time may be told."""
        return self.met_at is not None and asked_at >= self.met_at


class Track(msgspec.Struct, frozen=True):
    """A recording the account has played; `scrobble_id` is the latest play. Lengths in milliseconds."""

    recording_id: int
    mbid: str
    title: str
    artist: str
    length_ms: int | None
    plays: int
    last_at: datetime
    scrobble_id: int


class Album(msgspec.Struct, frozen=True):
    """A release group the account has played, and its cover ("" where there is none)."""

    release_group_id: int
    title: str
    artist: str
    year: str
    plays: int
    artwork_status: str
    image_digest: str
    thumbhash: str


class Name(msgspec.Struct, frozen=True):
    """A name as it was sent, and the account's plays of it."""

    artist: str
    track: str
    release: str
    plays: int
    lookup_id: int


class Month(msgspec.Struct, frozen=True):
    """Plays in one calendar month, named by its first day."""

    month: date
    plays: int


async def album_played(conn: Connection, account_id: int, release_group_id: int) -> Played | None:
    """Count the account's plays of a release group; None when there are none."""
    return await _played(conn, _OF_ALBUM, account_id, release_group_id)


async def artist_played(conn: Connection, account_id: int, artist_id: int) -> Played | None:
    """Count the account's plays of an artist's recordings; None when there are none."""
    return await _played(conn, _OF_ARTIST, account_id, artist_id)


async def recording_played(conn: Connection, account_id: int, recording_id: int) -> Played | None:
    """Count the account's plays of a recording; None when there are none."""
    return await _played(conn, _OF_RECORDING, account_id, recording_id)


async def album_tracks(conn: Connection, account_id: int, release_group_id: int) -> list[Track]:
    """List what the account played of a release group, most played first."""
    return await _tracks(conn, _OF_ALBUM, account_id, release_group_id, 200)


async def artist_tracks(conn: Connection, account_id: int, artist_id: int, limit: int = 12) -> list[Track]:
    """List the artist's recordings the account plays most."""
    return await _tracks(conn, _OF_ARTIST, account_id, artist_id, limit)


async def album_months(conn: Connection, account_id: int, release_group_id: int, zone: str) -> list[Month]:
    """Count plays of a release group by calendar month of that IANA zone; months without plays are left out."""
    return await _months(conn, _OF_ALBUM, account_id, release_group_id, zone)


async def artist_months(conn: Connection, account_id: int, artist_id: int, zone: str) -> list[Month]:
    """Count plays of an artist by calendar month of that IANA zone; months without plays are left out."""
    return await _months(conn, _OF_ARTIST, account_id, artist_id, zone)


async def recording_months(conn: Connection, account_id: int, recording_id: int, zone: str) -> list[Month]:
    """Count plays of a recording by calendar month of that IANA zone; months without plays are left out."""
    return await _months(conn, _OF_RECORDING, account_id, recording_id, zone)


async def recording_albums(conn: Connection, account_id: int, recording_id: int, limit: int = 24) -> list[Album]:
    """List the release groups on which the account plays a recording, most played first."""
    return await _albums(conn, _OF_RECORDING, account_id, recording_id, limit)


async def recording_plays(conn: Connection, account_id: int, recording_id: int, limit: int) -> list[int]:
    """Return the account's latest plays of a recording, newest first."""
    rows = await conn.fetch(
        f"{_OF_RECORDING} SELECT id FROM own ORDER BY listened_at DESC, id DESC LIMIT $3",
        account_id,
        recording_id,
        limit,
    )
    return [row["id"] for row in rows]


async def recording_names(conn: Connection, account_id: int, recording_id: int, limit: int = 20) -> list[Name]:
    """List the names, as sent, by which the account plays a recording, most played first."""
    rows = await conn.fetch(
        f"""
        {_OF_RECORDING}
        SELECT l.artist, l.track, l.release, count(*) AS plays, l.id AS lookup_id
        FROM own JOIN lookups l ON l.id = own.lookup_id GROUP BY l.id ORDER BY 4 DESC, l.id LIMIT $3
        """,
        account_id,
        recording_id,
        limit,
    )
    return [Name(**row) for row in rows]


async def album_releases(conn: Connection, account_id: int, release_group_id: int) -> set[int]:
    """Return which editions of a release group the account's plays were matched to."""
    rows = await conn.fetch(
        f"{_OF_ALBUM} SELECT DISTINCT release_id FROM own WHERE release_id IS NOT NULL",
        account_id,
        release_group_id,
    )
    return {row["release_id"] for row in rows}


async def album_name(conn: Connection, account_id: int, release_group_id: int) -> int | None:
    """Return the name (a lookup's id) by which the account played a release group most; None where only now."""
    found: int | None = await conn.fetchval(
        f"{_OF_ALBUM} SELECT lookup_id FROM own GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT 1",
        account_id,
        release_group_id,
    )
    return found


async def artist_albums(conn: Connection, account_id: int, artist_id: int, limit: int = 60) -> list[Album]:
    """List the release groups on which the account plays this artist, most played first."""
    return await _albums(conn, _OF_ARTIST, account_id, artist_id, limit)


async def plays_by_day(
    conn: Connection, account_id: int, since: datetime, until: datetime, zone: str
) -> dict[date, int]:
    """Count the account's plays by calendar day of that IANA zone, from `since` until before `until`."""
    rows = await conn.fetch(
        """
        SELECT (listened_at AT TIME ZONE $4)::date AS day, count(*) AS plays FROM scrobbles
        WHERE account_id = $1 AND same_as IS NULL AND listened_at >= $2 AND listened_at < $3 GROUP BY 1
        """,
        account_id,
        since,
        until,
        zone,
    )
    return {row["day"]: row["plays"] for row in rows}


async def now_playing_until(conn: Connection, account_id: int, now: datetime) -> datetime | None:
    """Return when what the account plays now will have ended; None when nothing plays."""
    ends: datetime | None = await conn.fetchval(
        "SELECT expires_at FROM now_playing WHERE account_id = $1 AND expires_at > $2", account_id, now
    )
    return ends


async def set_time_zone(conn: Connection, account_id: int, zone: str) -> None:
    """Remember the listener's zone, an IANA name that the caller has checked."""
    await conn.execute("UPDATE accounts SET time_zone = $2 WHERE id = $1", account_id, zone)


# ---------------------------------------------------------------- inside


async def _played(conn: Connection, of: str, account_id: int, subject_id: int) -> Played | None:
    row = await conn.fetchrow(
        f"""
        {of}
        SELECT count(*) AS plays, min(listened_at) AS first_at, max(listened_at) AS last_at, min(met_at) AS met_at,
               EXISTS (SELECT FROM led JOIN now_playing USING (lookup_id) WHERE account_id = $1) AS plays_now
        FROM own
        """,
        account_id,
        subject_id,
    )
    if not (row["plays"] or row["plays_now"]):
        return None
    return Played(row["plays"], row["first_at"], row["last_at"], row["met_at"])


async def _tracks(conn: Connection, of: str, account_id: int, subject_id: int, limit: int) -> list[Track]:
    rows = await conn.fetch(
        f"""
        {of}, tracks AS (
            SELECT recording_id, count(*) AS plays, max(listened_at) AS last_at,
                   (array_agg(id ORDER BY listened_at DESC))[1] AS scrobble_id
            FROM own GROUP BY 1 ORDER BY 2 DESC, 3 DESC LIMIT $3
        )
        SELECT t.recording_id, coalesce(r.mbid::text, '') AS mbid, r.title, c.name AS artist, r.length_ms,
               t.plays, t.last_at, t.scrobble_id
        FROM tracks t JOIN recordings r ON r.id = t.recording_id
        JOIN artist_credits c ON c.id = r.artist_credit_id
        ORDER BY t.plays DESC, t.last_at DESC
        """,
        account_id,
        subject_id,
        limit,
    )
    return [Track(**row) for row in rows]


async def _albums(conn: Connection, of: str, account_id: int, subject_id: int, limit: int) -> list[Album]:
    rows = await conn.fetch(
        f"""
        {of}, albums AS (
            SELECT release_group_id, count(*) AS plays FROM own WHERE release_group_id IS NOT NULL
            GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT $3
        )
        SELECT g.id AS release_group_id, g.title, c.name AS artist, left(g.first_release_date, 4) AS year, a.plays,
               coalesce(w.status, '') AS artwork_status, i.digest, i.thumbhash
        FROM albums a JOIN release_groups g ON g.id = a.release_group_id
        JOIN artist_credits c ON c.id = g.artist_credit_id
        {covers.ALBUM_JOINS}
        LEFT JOIN images i ON i.id = {covers.ALBUM_IMAGE}
        ORDER BY a.plays DESC, g.id
        """,
        account_id,
        subject_id,
        limit,
    )
    return [_album(row) for row in rows]


async def _months(conn: Connection, of: str, account_id: int, subject_id: int, zone: str) -> list[Month]:
    rows = await conn.fetch(
        f"""
        {of} SELECT date_trunc('month', listened_at AT TIME ZONE $3)::date AS month, count(*) AS plays
        FROM own GROUP BY 1 ORDER BY 1
        """,
        account_id,
        subject_id,
        zone,
    )
    return [Month(**row) for row in rows]


def _album(row: Mapping[str, Any]) -> Album:
    facts = {name: value for name, value in row.items() if name not in ("digest", "thumbhash")}
    return Album(
        **facts,
        image_digest=row["digest"].hex() if row["digest"] else "",
        thumbhash=base64.b64encode(row["thumbhash"]).decode() if row["thumbhash"] else "",
    )
