"""Which match a play shows, in SQL: the one place that says in which order what is known of it counts.

    1. the listener's own correction of its name      (corrected, own)
    2. the match of the play's own evidence           (scrobbles.match_id)
    3. the owner's correction for everybody           (corrected, everybody)
    4. what several listeners say alike of the name   (agreements, see store.consensus)
    5. the match that all who play the name share     (lookups.match_id)

A correction may say "none of these": it is in force, and there is no match.
"""

from __future__ import annotations

from typing import Final

JOINS: Final = """
    LEFT JOIN corrected mine ON mine.account_id = s.account_id AND mine.lookup_id = s.lookup_id AND mine.own
    LEFT JOIN corrected ours ON ours.lookup_id = s.lookup_id AND ours.everybody
    LEFT JOIN agreements theirs ON theirs.lookup_id = s.lookup_id
"""
"""To be joined to plays `s` (account_id, lookup_id, match_id) beside their lookups `l`."""

MATCH: Final = """
    CASE WHEN mine.id IS NOT NULL THEN mine.match_id
         WHEN s.match_id IS NOT NULL THEN s.match_id
         WHEN ours.id IS NOT NULL THEN ours.match_id
         WHEN theirs.lookup_id IS NOT NULL THEN theirs.match_id
         ELSE l.match_id END
"""
"""The id of the match in force; NULL where there is none."""

BY: Final = """
    CASE WHEN mine.id IS NOT NULL THEN 'correction'
         WHEN s.match_id IS NOT NULL THEN 'evidence'
         WHEN ours.id IS NOT NULL THEN 'everybody'
         WHEN theirs.lookup_id IS NOT NULL THEN 'consensus'
         ELSE '' END
"""
"""What led to it: 'correction' the listener, 'evidence' this play alone, 'everybody' the owner, 'consensus' several
listeners, '' the shared match.
"""

AGREED: Final = "'several listeners agreed'"
"""All that is told of why consensus is in force: not how one of them came to say so, nor when."""

STATUS: Final = """
    CASE WHEN mine.id IS NOT NULL THEN CASE WHEN mine.match_id IS NULL THEN 'not_found' ELSE 'enriched' END
         WHEN s.match_id IS NOT NULL THEN 'enriched'
         WHEN ours.id IS NOT NULL THEN CASE WHEN ours.match_id IS NULL THEN 'not_found' ELSE 'enriched' END
         WHEN theirs.lookup_id IS NOT NULL THEN CASE WHEN theirs.match_id IS NULL THEN 'not_found' ELSE 'enriched' END
         ELSE l.status END
"""
"""The status of the play."""

PREVIEW: Final = """
    CASE WHEN mine.id IS NULL AND (s.match_id IS NOT NULL OR ours.id IS NULL AND theirs.lookup_id IS NULL)
         THEN l.image_id END
"""
"""The temporary cover by the names as sent; none where somebody has said that they mean something else."""

SHARED_JOIN: Final = """
    LEFT JOIN corrected ours ON ours.lookup_id = l.id AND ours.everybody
    LEFT JOIN agreements theirs ON theirs.lookup_id = l.id
"""
"""To be joined to lookups `l`: what everybody sees a name as, where neither listener nor play says otherwise."""

SHARED_MATCH: Final = """
    CASE WHEN ours.id IS NOT NULL THEN ours.match_id
         WHEN theirs.lookup_id IS NOT NULL THEN theirs.match_id ELSE l.match_id END
"""
"""The id of that match; NULL where there is none."""

NAME_JOINS: Final = """
    LEFT JOIN corrected mine ON mine.account_id = $1 AND mine.lookup_id = l.id AND mine.own
    LEFT JOIN corrected ours ON ours.lookup_id = l.id AND ours.everybody
    LEFT JOIN agreements theirs ON theirs.lookup_id = l.id
"""
"""To be joined to lookups `l`: what account $1 sees a name as, where no single play knows more."""

NAME_MATCH: Final = """
    CASE WHEN mine.id IS NOT NULL THEN mine.match_id WHEN ours.id IS NOT NULL THEN ours.match_id
         WHEN theirs.lookup_id IS NOT NULL THEN theirs.match_id ELSE l.match_id END
"""
"""The id of the match of a name in force; NULL where there is none."""

MET_AT: Final = "least(s.inserted_at, greatest(s.listened_at, s.inserted_at - interval '1 hour'))"
"""From when on anything may have been asked because of play `s`: what plays is looked up before it is scrobbled.

What was asked before an account's first such moment was asked for others, and when that was is not told (design, 5).
"""

LED: Final = f"""
    led AS (
        SELECT c.lookup_id, true AS before_evidence, m.recording_id, m.release_id, m.release_group_id
        FROM chosen m JOIN corrected c ON c.id = m.corrected_id
        WHERE c.account_id = $1 AND c.own
        UNION ALL
        SELECT c.lookup_id, false, m.recording_id, m.release_id, m.release_group_id
        FROM chosen m JOIN corrected c ON c.id = m.corrected_id
        WHERE c.everybody AND NOT EXISTS
            (SELECT FROM corrected x WHERE x.account_id = $1 AND x.lookup_id = c.lookup_id AND x.own)
        UNION ALL
        SELECT g.lookup_id, false, m.recording_id, m.release_id, m.release_group_id
        FROM chosen m JOIN agreements g ON g.match_id = m.id
        WHERE NOT EXISTS (SELECT FROM corrected x WHERE x.account_id = $1 AND x.lookup_id = g.lookup_id AND x.own)
          AND NOT EXISTS (SELECT FROM corrected x WHERE x.lookup_id = g.lookup_id AND x.everybody)
        UNION ALL
        SELECT m.lookup_id, false, m.recording_id, m.release_id, m.release_group_id
        FROM chosen m
        WHERE m.lookup_id IS NOT NULL
          AND NOT EXISTS (SELECT FROM corrected x WHERE x.account_id = $1 AND x.lookup_id = m.lookup_id AND x.own)
          AND NOT EXISTS (SELECT FROM corrected x WHERE x.lookup_id = m.lookup_id AND x.everybody)
          AND NOT EXISTS (SELECT FROM agreements g WHERE g.lookup_id = m.lookup_id)
    ),
    own AS (
        SELECT s.id, s.listened_at, {MET_AT} AS met_at, s.lookup_id,
               led.recording_id, led.release_id, led.release_group_id
        FROM led JOIN scrobbles s ON s.lookup_id = led.lookup_id
        WHERE s.account_id = $1 AND s.same_as IS NULL AND (led.before_evidence OR s.match_id IS NULL)
        UNION ALL
        SELECT s.id, s.listened_at, {MET_AT}, s.lookup_id, m.recording_id, m.release_id, m.release_group_id
        FROM chosen m JOIN scrobbles s ON s.id = m.scrobble_id
        WHERE s.account_id = $1 AND s.same_as IS NULL AND s.match_id = m.id AND NOT EXISTS
            (SELECT FROM corrected x WHERE x.account_id = $1 AND x.lookup_id = s.lookup_id AND x.own)
    )
"""
"""The other way round, for `chosen` matches: the names that lead account $1 to them, and its `own` plays of them.

Plays that are hidden are none.
"""


def decided(counted: str = "counted") -> str:
    """Return a query `decided`: what the plays of account $1 counted there (`store.tallies.COUNTED`) are.

    Gives lookup_id, plays, recording_id, release_group_id: the last two NULL where a name is not matched. The names
    that nothing but the shared match speaks of, nearly all, go without a join to their lookups.
    """
    said = """
        SELECT FROM corrected x WHERE x.lookup_id = c.lookup_id AND (x.everybody OR x.own AND x.account_id = $1)
        UNION ALL SELECT FROM agreements g WHERE g.lookup_id = c.lookup_id
    """
    return f"""
    decided AS MATERIALIZED (
        SELECT c.lookup_id, c.plays, m.recording_id, m.release_group_id
        FROM {counted} c LEFT JOIN matches m ON m.lookup_id = c.lookup_id
        WHERE c.match_id = 0 AND NOT EXISTS ({said})
        UNION ALL
        SELECT s.lookup_id, s.plays, m.recording_id, m.release_group_id
        FROM (
            SELECT $1::bigint AS account_id, lookup_id, nullif(match_id, 0) AS match_id, plays FROM {counted} c
            WHERE c.match_id <> 0 OR EXISTS ({said})
        ) s
        JOIN lookups l ON l.id = s.lookup_id
        {JOINS}
        LEFT JOIN matches m ON m.id = {MATCH}
    )
    """
