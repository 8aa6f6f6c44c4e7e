"""Cases: an account's names beside what they are taken for, as the review shows and corrects them.

What a case is taken for leaves a single play's evidence aside: a correction speaks of the name.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Any

import msgspec

from sleevenotes import model
from sleevenotes.store import covers, effective, matches
from sleevenotes.store.postgres import Connection


class Case(msgspec.Struct, frozen=True):
    """A name and what it is taken for: ids are None and texts "" where it is taken for nothing.

    `plays` counts the account's, `scrobble_id` is the latest of them. `led_by` is as `store.effective`'s, `candidates`
    what was too near or too far to choose from, in `matching.decide`'s form. `thumbhash` is base64.
    """

    lookup_id: int
    artist: str
    track: str
    release: str
    plays: int
    scrobble_id: int | None
    status: model.Status
    reason: str
    led_by: str
    candidates: list[dict[str, Any]]
    recording_id: int | None
    recording: str
    recording_mbid: str
    recording_foreign_id: str
    credit: str
    release_id: int | None
    release_title: str
    release_group_id: int | None
    release_group: str
    release_group_mbid: str
    source: str
    distance: float
    penalties: list[model.Penalty]
    image_digest: str
    thumbhash: str

    @property
    def identity(self) -> matches.Identity | None:
        """Return what it is taken for as rows of the catalogue; None where for nothing."""
        if self.recording_id is None:
            return None
        return matches.Identity(
            recording_id=self.recording_id,
            release_id=self.release_id,
            release_group_id=self.release_group_id,
            source=self.source,
            distance=self.distance,
            reason=self.reason,
            penalties=tuple(self.penalties),
        )


async def load(conn: Connection, account_id: int, lookup_ids: Sequence[int]) -> list[Case]:
    """Return the cases of these names, in order of id, whether the account has played them or not."""
    return await _fetch(
        conn, f"{_counted('unnest($2::bigint[]) AS asked (lookup_id)')} {_CASES}", account_id, lookup_ids
    )


async def doubtful(conn: Connection, account_id: int, limit: int) -> list[Case]:
    """Return names that may be wrong, and that nobody has corrected: what deserves a closer look.

    These are undecided names with candidates, matches with any penalty, and those that only a shop knows; by number of
    plays times distance, the most first. Plays that their own evidence matches do not count.
    """
    return await _fetch(conn, f"{_NEAR} {_CASES} {_MOST}", account_id, limit)


async def of_album(conn: Connection, account_id: int, lookup_id: int, limit: int) -> list[int]:
    """Return the account's names of one name's album: sent with the same artist and release, or matched to the same
    release group. The name itself is among them; they come in order of id.
    """
    rows = await conn.fetch(_OF_ALBUM, account_id, lookup_id, limit)
    return [row["lookup_id"] for row in rows]


# ---------------------------------------------------------------- SQL

# Counted roughly first, for which the index alone is read: the exact counting and all that is shown are dear, and are
# for the few that come first.
_NEAR = """
    WITH near AS (
        SELECT id AS lookup_id, 1.0::real AS distance FROM lookups WHERE status = 'not_found' AND candidates <> '[]'
        UNION ALL
        SELECT lookup_id, distance FROM matches WHERE distance > 0 AND lookup_id IS NOT NULL
        UNION ALL
        SELECT m.lookup_id, 0 FROM recordings r JOIN matches m ON m.recording_id = r.id
        WHERE r.mbid IS NULL AND m.lookup_id IS NOT NULL
    ), open AS (
        SELECT lookup_id, greatest(max(distance), 0.05) AS distance FROM near
        WHERE NOT EXISTS (
            SELECT FROM corrected c
            WHERE c.lookup_id = near.lookup_id AND (c.everybody OR (c.own AND c.account_id = $1))
        ) AND NOT EXISTS (SELECT FROM agreements g WHERE g.lookup_id = near.lookup_id)
        GROUP BY lookup_id
    ), first AS (
        SELECT open.lookup_id, own.plays * distance AS score FROM open, LATERAL (
            SELECT count(*) AS plays FROM scrobbles s
            WHERE s.lookup_id = open.lookup_id AND s.account_id = $1 AND s.same_as IS NULL
        ) own
        WHERE own.plays > 0 ORDER BY score DESC, lookup_id LIMIT $2
    ), counted AS (
        SELECT first.lookup_id, score, plays, scrobble_id FROM first, LATERAL (
            SELECT count(*) AS plays, max(id) AS scrobble_id FROM scrobbles s
            WHERE s.lookup_id = first.lookup_id AND s.account_id = $1 AND s.match_id IS NULL AND s.same_as IS NULL
        ) own WHERE plays > 0
    )
"""


def _counted(names: str) -> str:
    return f"""
        WITH counted AS (
            SELECT asked.lookup_id, plays, scrobble_id FROM {names}, LATERAL (
                SELECT count(*) FILTER (WHERE same_as IS NULL) AS plays, max(id) AS scrobble_id FROM scrobbles s
                WHERE s.lookup_id = asked.lookup_id AND s.account_id = $1
            ) own
        )
    """


_CASES = f"""
    SELECT counted.lookup_id, l.artist, l.track, l.release, counted.plays, counted.scrobble_id,
           CASE WHEN mine.id IS NULL AND ours.id IS NULL AND theirs.lookup_id IS NULL THEN l.status
                WHEN m.id IS NULL THEN 'not_found' ELSE 'enriched' END AS status,
           CASE WHEN mine.id IS NULL AND ours.id IS NULL AND theirs.lookup_id IS NOT NULL THEN {effective.AGREED}
                ELSE coalesce(m.reason, l.reason) END AS reason,
           CASE WHEN mine.id IS NOT NULL THEN 'correction' WHEN ours.id IS NOT NULL THEN 'everybody'
                WHEN theirs.lookup_id IS NOT NULL THEN 'consensus' ELSE '' END AS led_by,
           coalesce(l.candidates, '[]') AS candidates,
           r.id AS recording_id, r.title AS recording, r.mbid AS recording_mbid,
           r.foreign_id AS recording_foreign_id, a.name AS credit,
           m.release_id, e.title AS release_title,
           m.release_group_id, g.title AS release_group, g.mbid AS release_group_mbid,
           m.source, coalesce(m.distance, 0)::float AS distance, coalesce(m.penalties, '[]') AS penalties,
           i.digest AS image_digest, i.thumbhash
    FROM counted
    JOIN lookups l ON l.id = counted.lookup_id
    {effective.NAME_JOINS}
    LEFT JOIN matches m ON m.id = {effective.NAME_MATCH}
    LEFT JOIN recordings r ON r.id = m.recording_id
    LEFT JOIN artist_credits a ON a.id = r.artist_credit_id
    LEFT JOIN releases e ON e.id = m.release_id
    LEFT JOIN release_groups g ON g.id = m.release_group_id
    {covers.ALBUM_JOINS}
    LEFT JOIN images i ON i.id = {covers.ALBUM_IMAGE}
"""
_MOST = "ORDER BY counted.score DESC, counted.lookup_id"

_OF_ALBUM = f"""
    WITH anchor AS (
        SELECT l.*, {effective.NAME_MATCH} AS in_force FROM lookups l {effective.NAME_JOINS} WHERE l.id = $2
    ), grouped AS (
        SELECT release_group_id FROM matches JOIN anchor ON matches.id = anchor.in_force
    ), named AS (
        SELECT id AS lookup_id FROM anchor
        UNION
        SELECT l.id FROM anchor a JOIN lookups l
            ON hashtextextended(l.artist_key || '/' || l.release_key, 0)
             = hashtextextended(a.artist_key || '/' || a.release_key, 0)
        WHERE l.release_key <> '' AND l.artist_key = a.artist_key AND l.release_key = a.release_key
        UNION
        SELECT m.lookup_id FROM grouped JOIN matches m USING (release_group_id)
        WHERE m.lookup_id IS NOT NULL AND NOT EXISTS (
            SELECT FROM corrected c WHERE c.lookup_id = m.lookup_id AND (c.everybody OR (c.own AND c.account_id = $1)))
          AND NOT EXISTS (SELECT FROM agreements g WHERE g.lookup_id = m.lookup_id)
        UNION
        SELECT g.lookup_id FROM grouped JOIN matches m USING (release_group_id)
        JOIN agreements g ON g.match_id = m.id
        WHERE NOT EXISTS (SELECT FROM corrected c
            WHERE c.lookup_id = g.lookup_id AND (c.everybody OR (c.own AND c.account_id = $1)))
        UNION
        SELECT c.lookup_id FROM grouped JOIN matches m USING (release_group_id)
        JOIN corrected c ON c.id = m.corrected_id
        WHERE (c.own AND c.account_id = $1) OR (c.everybody AND NOT EXISTS (
            SELECT FROM corrected x WHERE x.lookup_id = c.lookup_id AND x.own AND x.account_id = $1))
        UNION
        SELECT s.lookup_id FROM grouped JOIN matches m USING (release_group_id)
        JOIN scrobbles s ON s.id = m.scrobble_id AND s.match_id = m.id
        WHERE s.account_id = $1
    )
    SELECT lookup_id FROM named
    WHERE lookup_id = $2 OR EXISTS (SELECT FROM scrobbles s WHERE s.lookup_id = named.lookup_id AND s.account_id = $1)
    ORDER BY lookup_id LIMIT $3
"""

_TEXTS = (
    *("recording", "recording_mbid", "recording_foreign_id", "credit", "release_title", "release_group"),
    *("release_group_mbid", "source"),
)


async def _fetch(conn: Connection, sql: str, *values: object) -> list[Case]:
    return [_case(dict(row)) for row in await conn.fetch(sql, *values)]


def _case(facts: dict[str, Any]) -> Case:
    facts |= {name: str(facts[name] or "") for name in _TEXTS}
    facts["image_digest"] = (facts["image_digest"] or b"").hex()
    facts["thumbhash"] = base64.b64encode(facts["thumbhash"] or b"").decode()
    return msgspec.convert(facts, Case)
