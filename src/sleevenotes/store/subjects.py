"""What an account played of a track, an album or an artist that is asked for by name or MBID, as Last.fm's API does.

A name is looked for both as plays were sent and as they were matched: whoever sent "Heroes - 2017 Remaster" finds it by
that and by "Heroes". Nothing but the account's own plays is ever found.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

import msgspec

from sleevenotes import names
from sleevenotes.store import effective
from sleevenotes.store.postgres import Connection

NAMED: Final = """
    SELECT l.id FROM lookups l
    WHERE hashtextextended(l.artist_key, 0) = hashtextextended($3, 0)
      AND hashtextextended(l.track_key, 0) = hashtextextended($4, 0) AND l.artist_key = $3 AND l.track_key = $4
"""
"""The names (lookups) of the artist and track whose keys are $3 and $4, whatever the release.

The plays of these are still to be held against the identity: keys say more is the same. (Of all letters, 65 of old
Greek, with an iota below, have a key that is not that of their folded form: by the one they do not find the other.)
"""


class Found(msgspec.Struct, frozen=True):
    """How many plays there are, and the newest: its scrobble's id, and what it was matched to, None for nothing."""

    plays: int
    newest_id: int
    newest_at: datetime
    release_group_id: int | None = None
    artist_id: int | None = None


async def track(conn: Connection, account_id: int, artist: str, title: str, mbid: str = "") -> Found | None:
    """Find the account's plays of a track, by artist and title or by the recording's MBID; None where it has none."""
    rows = await conn.fetch(
        f"""
        WITH chosen AS (
            SELECT * FROM matches WHERE recording_id IN (
                SELECT r.id FROM artist_credits c JOIN recordings r ON r.artist_credit_id = c.id
                WHERE lower(c.name) = lower($5) AND lower(r.title) = lower($6)
                UNION ALL SELECT id FROM recordings WHERE mbid = nullif($7, '')::uuid)
        ), {effective.LED}, every AS (
            SELECT id, listened_at FROM own UNION
            SELECT s.id, s.listened_at FROM ({NAMED}) AS named
            JOIN scrobbles s ON s.lookup_id = named.id
            WHERE s.account_id = $1 AND s.identity = $2 AND s.same_as IS NULL
        )
        SELECT count(*) OVER () AS plays, id AS newest_id, listened_at AS newest_at FROM every
        ORDER BY listened_at DESC, id DESC LIMIT 1
        """,
        account_id,
        names.digest(artist, title),
        names.key(artist),
        names.key(title),
        artist,
        title,
        mbid,
    )
    return Found(**rows[0]) if rows else None


async def album(conn: Connection, account_id: int, artist: str, title: str, mbid: str = "") -> Found | None:
    """Find the account's plays of an album, by artist and title or by the MBID of a release or its group."""
    rows = await conn.fetch(
        f"""
        WITH chosen AS (
            SELECT * FROM matches WHERE release_group_id IN (
                SELECT g.id FROM artist_credits c JOIN release_groups g ON g.artist_credit_id = c.id
                WHERE lower(c.name) = lower($2) AND lower(g.title) = lower($3)
                UNION ALL SELECT id FROM release_groups WHERE mbid = nullif($4, '')::uuid
                UNION ALL SELECT release_group_id FROM releases WHERE mbid = nullif($4, '')::uuid)
        ), {effective.LED}, sent AS (
            SELECT id FROM lookups
            WHERE hashtextextended(artist_key || '/' || release_key, 0) = hashtextextended($5 || '/' || $6, 0)
              AND artist_key = $5 AND release_key = $6 AND release_key <> ''
        ), every AS (
            SELECT id, listened_at, release_group_id FROM own UNION ALL
            SELECT s.id, s.listened_at, NULL FROM sent JOIN scrobbles s ON s.lookup_id = sent.id
            WHERE s.account_id = $1 AND s.same_as IS NULL AND NOT EXISTS (SELECT FROM own WHERE own.id = s.id)
        )
        SELECT count(*) OVER () AS plays, id AS newest_id, listened_at AS newest_at,
               first_value(release_group_id) OVER (ORDER BY release_group_id IS NULL, listened_at DESC)
                   AS release_group_id
        FROM every ORDER BY listened_at DESC, id DESC LIMIT 1
        """,
        account_id,
        artist,
        title,
        mbid,
        names.key(artist),
        names.key(title),
    )
    return Found(**rows[0]) if rows else None


async def artist(conn: Connection, account_id: int, name: str, mbid: str = "") -> Found | None:
    """Find the account's plays of an artist, by name or MBID; plays that are credited to several count."""
    rows = await conn.fetch(
        f"""
        WITH named AS (
            SELECT id FROM artists WHERE lower(name) = lower($2) OR mbid = nullif($3, '')::uuid
        ), chosen AS (
            SELECT * FROM matches WHERE recording_id IN (
                SELECT r.id FROM named JOIN artist_credit_names n ON n.artist_id = named.id
                JOIN recordings r ON r.artist_credit_id = n.artist_credit_id)
        ), {effective.LED}, every AS (
            SELECT id, listened_at, recording_id FROM own UNION ALL
            SELECT s.id, s.listened_at, NULL FROM lookups l JOIN scrobbles s ON s.lookup_id = l.id
            WHERE hashtextextended(l.artist_key, 0) = hashtextextended($4, 0)
              AND l.artist_key = $4 AND s.account_id = $1 AND s.same_as IS NULL
              AND NOT EXISTS (SELECT FROM own WHERE own.id = s.id)
        ), newest AS (
            SELECT *, count(*) OVER () AS plays,
                   first_value(recording_id) OVER (ORDER BY recording_id IS NULL, listened_at DESC) AS known
            FROM every ORDER BY listened_at DESC, id DESC LIMIT 1
        )
        SELECT plays, id AS newest_id, listened_at AS newest_at, (
            SELECT n.artist_id FROM recordings r
            JOIN artist_credit_names n ON n.artist_credit_id = r.artist_credit_id
            WHERE r.id = known AND n.artist_id IN (SELECT id FROM named) LIMIT 1) AS artist_id
        FROM newest
        """,
        account_id,
        name,
        mbid,
        names.key(name),
    )
    return Found(**rows[0]) if rows else None
