"""Evidence: plays that know more of themselves than their names, beside what the names were decided to be.

That is the shared match, or the owner's correction for everybody: a play's evidence goes before both.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import msgspec

from sleevenotes import model
from sleevenotes.store import effective, same_plays
from sleevenotes.store.postgres import Connection


class Play(msgspec.Struct, frozen=True):
    """A play without a match of its own, and the shared match of its names.

    `recording` and `release_group` are identities (an MBID, else a foreign id), "" where the names are not matched;
    `artist_mbids` are the recording's artists'; `pending` says that the match of the names is still looked for.
    """

    id: int
    account_id: int
    lookup_id: int
    artist: str
    track: str
    release: str
    duration_ms: int | None
    evidence: model.Evidence
    pending: bool
    recording: str
    release_group: str
    artist_mbids: frozenset[str]


async def promising(conn: Connection, lookup_ids: Sequence[int], within: timedelta) -> list[int]:
    """Return those of these names of which a play may be worth a closer look.

    That is: a client told more than its names, or it or a play within this time of it came without an album.
    """
    rows = await conn.fetch(
        """
        SELECT lookup_id FROM unnest($1::bigint[]) AS asked (lookup_id)
        WHERE EXISTS (
            SELECT FROM scrobbles s WHERE s.lookup_id = asked.lookup_id
              AND (s.evidence IS NOT NULL OR s.duration_ms IS NOT NULL OR EXISTS (
                  SELECT FROM scrobbles p WHERE p.account_id = s.account_id AND p.release = ''
                    AND p.listened_at BETWEEN s.listened_at - $2::interval AND s.listened_at + $2::interval))
        )
        ORDER BY lookup_id
        """,
        list(lookup_ids),
        within,
    )
    return [row["lookup_id"] for row in rows]


async def near_bare(conn: Connection, scrobble_ids: Sequence[int], within: timedelta) -> list[int]:
    """Return those of these plays near which, within this time, the same account has a play without an album."""
    rows = await conn.fetch(
        """
        SELECT id FROM scrobbles s
        WHERE id = ANY($1::bigint[]) AND EXISTS (
            SELECT FROM scrobbles p WHERE p.account_id = s.account_id AND p.release = ''
              AND p.listened_at BETWEEN s.listened_at - $2::interval AND s.listened_at + $2::interval)
        ORDER BY id
        """,
        list(scrobble_ids),
        within,
    )
    return [row["id"] for row in rows]


async def load(conn: Connection, scrobble_ids: Sequence[int]) -> list[Play]:
    """Fetch those of these plays that have no match of their own yet, with what is known by records hidden behind."""
    rows = await conn.fetch(
        f"""
        SELECT s.id, s.account_id, s.lookup_id, s.artist, s.track, s.release,
               coalesce(s.duration_ms, hidden.duration_ms) AS duration_ms,
               coalesce(hidden.evidence, '{{}}') || coalesce(s.evidence, '{{}}') AS evidence,
               l.status = 'pending' AS pending,
               coalesce(r.mbid::text, r.foreign_id, '') AS recording,
               coalesce(g.mbid::text, g.foreign_id, '') AS release_group,
               ARRAY(SELECT a.mbid::text FROM artist_credit_names c JOIN artists a ON a.id = c.artist_id
                     WHERE c.artist_credit_id = r.artist_credit_id AND a.mbid IS NOT NULL) AS artist_mbids
        FROM scrobbles s
        JOIN lookups l ON l.id = s.lookup_id
        {effective.SHARED_JOIN}
        LEFT JOIN matches m ON m.id = {effective.SHARED_MATCH}
        LEFT JOIN recordings r ON r.id = m.recording_id
        LEFT JOIN release_groups g ON g.id = m.release_group_id
        {same_plays.COMPLETED}
        WHERE s.id = ANY($1::bigint[]) AND s.match_id IS NULL ORDER BY s.id
        """,
        list(scrobble_ids),
    )
    return [msgspec.convert(dict(row), Play) for row in rows]


async def disagreeing(
    conn: Connection, lookup_ids: Sequence[int], *, apart_ms: int, codes: bool, limit: int
) -> list[int]:
    """Return plays of these decided names of which a client told what the shared match does not say, newest first.

    That is another MBID, or a duration that is `apart_ms` away; with `codes`, also an ISRC that it is not known to
    have. Where the names are not matched, it is anything that tells who or what was played.
    """
    rows = await conn.fetch(
        f"""
        SELECT coalesce(s.same_as, s.id) AS id FROM scrobbles s
        JOIN lookups l ON l.id = s.lookup_id AND l.status <> 'pending'
        {effective.SHARED_JOIN}
        LEFT JOIN matches m ON m.id = {effective.SHARED_MATCH}
        LEFT JOIN recordings r ON r.id = m.recording_id
        LEFT JOIN releases e ON e.id = m.release_id
        LEFT JOIN release_groups g ON g.id = m.release_group_id
        WHERE s.lookup_id = ANY($1::bigint[]) AND s.match_id IS NULL
          AND (s.evidence IS NOT NULL OR s.duration_ms IS NOT NULL)
          AND CASE
              WHEN m.id IS NULL THEN s.evidence ?| ARRAY['recording_mbid', 'isrc', 'artist_mbids']
              ELSE abs(s.duration_ms - r.length_ms) > $2
                OR s.evidence ->> 'recording_mbid' IS DISTINCT FROM r.mbid::text AND s.evidence ? 'recording_mbid'
                OR s.evidence ->> 'release_mbid' IS DISTINCT FROM e.mbid::text AND s.evidence ? 'release_mbid'
                OR s.evidence ->> 'release_group_mbid' IS DISTINCT FROM g.mbid::text
                   AND s.evidence ? 'release_group_mbid'
                OR $3 AND s.evidence ? 'isrc' AND s.evidence ->> 'recording_mbid' IS DISTINCT FROM r.mbid::text
                   AND NOT s.evidence ->> 'isrc' = ANY (r.isrcs)
                OR s.evidence ? 'artist_mbids' AND NOT EXISTS (
                    SELECT FROM artist_credit_names c JOIN artists a ON a.id = c.artist_id
                    WHERE c.artist_credit_id = r.artist_credit_id AND s.evidence -> 'artist_mbids' ? a.mbid::text)
              END
        ORDER BY s.id DESC LIMIT $4
        """,
        list(lookup_ids),
        apart_ms,
        codes,
        limit,
    )
    return [row["id"] for row in rows]
