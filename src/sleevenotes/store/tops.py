"""The charts' own copy of the counts: for artists, albums, tracks and genres, of whole years and of all.

`store.tallies` counts names; what a name counts for is said by matches and corrections, which change without the
plays. So a chart is made of the names wherever the copy does not hold; where it does, a chart of a million plays is
read from an index. The copy of a span (all, or a year) holds while

    its counts have not been folded anew     `store.tallies.fold` drops its row in tops_spans
    none of its names has been restated      triggers write table `restated` in the transaction that matches, corrects,
                                             or tells a genre; `seen` is the oldest transaction that may have been
                                             under way when the copy was made, so one that commits later is noticed

What is not folded yet (this month's plays, hours between midnights) and single months are counted and added.
"""

from __future__ import annotations

from datetime import date
from typing import Final

from sleevenotes.store import effective, tallies
from sleevenotes.store.postgres import Connection
from sleevenotes.store.tallies import Plan

ARTIST, ALBUM, TRACK, SENT, GENRE = 1, 2, 3, 4, 5
NOWHERE: Final = -1  # the grain of no span

SUBJECTS: Final = {
    ARTIST: """
        SELECT n.artist_id AS subject_id, sum(c.plays)::int AS plays
        FROM (SELECT r.artist_credit_id, sum(d.plays) AS plays FROM decided d
              JOIN {recordings} GROUP BY 1) c,
             LATERAL (SELECT DISTINCT artist_id FROM artist_credit_names n
                      WHERE n.artist_credit_id = c.artist_credit_id) n
        GROUP BY 1
    """,
    ALBUM: """
        SELECT release_group_id AS subject_id, sum(plays)::int AS plays FROM decided
        WHERE release_group_id IS NOT NULL GROUP BY 1
    """,
    TRACK: """
        SELECT recording_id AS subject_id, sum(plays)::int AS plays FROM decided
        WHERE recording_id IS NOT NULL GROUP BY 1
    """,
    SENT: """
        SELECT lookup_id AS subject_id, sum(plays)::int AS plays FROM decided WHERE recording_id IS NULL GROUP BY 1
    """,
    GENRE: """
        SELECT genre_id AS subject_id, sum(plays)::int AS plays FROM (
            SELECT o.genre_id, d.plays
            FROM decided d JOIN own_genres o ON o.account_id = $1 AND o.lookup_id = d.lookup_id
            UNION ALL
            SELECT g.genre_id, d.plays
            FROM (SELECT release_group_id, sum(plays) AS plays FROM decided d WHERE NOT EXISTS
                      (SELECT FROM own_genres o WHERE o.account_id = $1 AND o.lookup_id = d.lookup_id) GROUP BY 1) d,
                 LATERAL (SELECT DISTINCT genre_id FROM release_group_genres g
                          WHERE g.release_group_id = d.release_group_id) g
            UNION ALL
            SELECT g.genre_id, d.plays
            FROM (SELECT r.artist_credit_id, sum(plays) AS plays
                  FROM decided d JOIN {recordings}
                  WHERE NOT EXISTS
                      (SELECT FROM own_genres o WHERE o.account_id = $1 AND o.lookup_id = d.lookup_id)
                  AND NOT EXISTS
                      (SELECT FROM release_group_genres g WHERE g.release_group_id = d.release_group_id) GROUP BY 1) d,
                 LATERAL (SELECT DISTINCT g.genre_id FROM artist_credit_names n JOIN artist_genres g USING (artist_id)
                          WHERE n.artist_credit_id = d.artist_credit_id) g
        ) each GROUP BY 1
    """,
}
"""What `decided` plays (`effective.decided`) come to, by kind."""


def subjects(kind: int, *, few: bool) -> str:
    """Return the query of a kind; of a few plays, where to read all recordings would take longest."""
    one_by_one = "LATERAL (SELECT artist_credit_id FROM recordings WHERE id = d.recording_id LIMIT 1) r ON true"
    return SUBJECTS[kind].format(recordings=one_by_one if few else "recordings r ON r.id = d.recording_id")


# ---------------------------------------------------------------- reading


async def values(conn: Connection, account_id: int, plan: Plan) -> tuple[bool, tuple[object, ...]]:
    """Return whether the copy holds for what a plan adds up, and the parameters $1 to $9 of `merged`."""
    wide = [span for span in plan.spans if span.grain != tallies.MONTH]
    base = wide[0] if wide else tallies.Span(NOWHERE, tallies.EVER, 1)
    months = [span for span in plan.spans if span.grain == tallies.MONTH]
    holds = await _holds(conn, account_id, [span.grain for span in wide], [span.starts for span in wide])
    return holds, (
        account_id,
        *plan.sliced,
        base.grain,
        base.starts,
        [span.starts for span in months],
        [span.sign for span in months],
        [span.starts for span in wide[1:]],
    )


async def _holds(conn: Connection, account_id: int, grains: list[int], starts: list[date]) -> bool:
    holds: bool = await conn.fetchval(
        """
        WITH used AS (
            SELECT s.seen FROM unnest($2::smallint[], $3::date[]) AS span (grain, starts)
            LEFT JOIN tops_spans s ON s.account_id = $1 AND s.grain = span.grain AND s.starts = span.starts
        )
        SELECT NOT EXISTS (SELECT FROM used WHERE seen IS NULL) AND NOT EXISTS (
            SELECT FROM restated r JOIN tallies t ON t.account_id = $1 AND t.grain = 0 AND t.starts = $4
            AND t.lookup_id = r.lookup_id WHERE r.xid >= (SELECT min(seen) FROM used)
        )
        """,
        account_id,
        grains,
        starts,
        tallies.EVER,
    )
    return holds


def merged(kind: int, *, copied: bool, found: bool = False) -> str:
    """Begin a query over the subjects of a period, for `values`; with `copied`, only where the copy holds.

    Gives `base` (grain, starts: the span whose copy is read in order), `moved` (subject_id, plays, known: all that
    anything else speaks of, with its sum; `known` what the copy has, too) and `sent` (lookup_id, plays). With `found`,
    only the names of $12.
    """
    counted = _counted(copied=copied, found=found)
    years = f"""
            UNION ALL
            SELECT t.subject_id, t.plays FROM unnest($9::date[]) AS year
            JOIN tops t ON t.account_id = $1 AND t.grain = 1 AND t.starts = year AND t.kind = {kind}
    """
    return f"""
    {counted}, {effective.decided()}, base AS (
        SELECT {"$5::int" if copied else NOWHERE} AS grain, $6::date AS starts
    ), delta AS MATERIALIZED (
        SELECT subject_id, sum(plays)::int AS plays FROM (
            SELECT * FROM ({subjects(kind, few=copied or found)}) live {years if copied else ""}
        ) each GROUP BY 1
    ), moved AS MATERIALIZED (
        SELECT d.subject_id, d.plays + coalesce(t.plays, 0) AS plays, t.plays AS known
        FROM delta d LEFT JOIN tops t ON t.account_id = $1 AND t.grain = {"$5" if copied else NOWHERE}
             AND t.starts = $6 AND t.kind = {kind} AND t.subject_id = d.subject_id
    ), sent AS MATERIALIZED (
        SELECT lookup_id, sum(plays)::int AS plays FROM (
            SELECT lookup_id, plays FROM decided WHERE recording_id IS NULL
            {_SENT_COPIED if copied else ""}
        ) each GROUP BY 1 HAVING sum(plays) > 0
    )
    """


def ranked(kind: int, *, copied: bool, besides: str = "0") -> str:
    """Give `ranked` (subject_id, plays), behind `merged`: whatever may be among the first $10 + $11 and `besides` more.

    Of the base the first ones, and as many more as anything else speaks of; of these, the sums. And `different`
    (subjects): how many there are in all.
    """
    base = f"""
        SELECT b.subject_id, b.plays FROM (
            SELECT subject_id, plays FROM tops
            WHERE account_id = $1 AND grain = $5 AND starts = $6 AND kind = {kind}
            ORDER BY plays DESC, subject_id LIMIT $10::bigint + $11::bigint + (SELECT count(*) FROM moved) + {besides}
        ) b WHERE NOT EXISTS (SELECT FROM moved m WHERE m.subject_id = b.subject_id)
        UNION ALL
    """
    return f"""
    ranked AS MATERIALIZED (
        {base if copied else ""} SELECT subject_id, plays FROM moved WHERE plays > 0
    ), different AS (
        SELECT coalesce((SELECT s.subjects[{kind}] FROM tops_spans s
                         JOIN base USING (grain, starts) WHERE s.account_id = $1), 0)
               + (SELECT count(*) FILTER (WHERE plays > 0 AND known IS NULL)
                         - count(*) FILTER (WHERE plays <= 0 AND known IS NOT NULL) FROM moved) AS subjects
    )
    """


_SENT_COPIED: Final = f"""
    UNION ALL
    SELECT t.subject_id, t.plays FROM unnest($9::date[]) AS year
    JOIN tops t ON t.account_id = $1 AND t.grain = 1 AND t.starts = year AND t.kind = {SENT}
    UNION ALL
    SELECT t.subject_id, t.plays FROM tops t
    WHERE t.account_id = $1 AND t.grain = $5 AND t.starts = $6 AND t.kind = {SENT}
"""


def _counted(*, copied: bool, found: bool) -> str:
    """Count slices and months; without the copy, the rest as well."""
    of_play, of_count = ("AND s.lookup_id = ANY($12::bigint[])", "AND t.lookup_id = ANY($12)") if found else ("", "")
    rest = f"""
            UNION ALL
            SELECT t.lookup_id, t.match_id, t.plays FROM unnest($9::date[]) AS year
            JOIN tallies t ON t.account_id = $1 AND t.grain = 1 AND t.starts = year {of_count}
            UNION ALL
            SELECT t.lookup_id, t.match_id, t.plays FROM tallies t
            WHERE t.account_id = $1 AND t.grain = $5 AND t.starts = $6 {of_count}
    """
    return f"""
    counted AS MATERIALIZED (
        SELECT lookup_id, match_id, sum(plays)::int AS plays FROM (
            SELECT s.lookup_id, coalesce(s.match_id, 0) AS match_id, part.sign AS plays
            FROM unnest($2::timestamptz[], $3::timestamptz[], $4::int[]) AS part (first, past, sign)
            JOIN scrobbles s ON s.account_id = $1 AND s.listened_at >= part.first AND s.listened_at < part.past
            WHERE s.same_as IS NULL {of_play}
            UNION ALL
            SELECT t.lookup_id, t.match_id, t.plays * span.sign
            FROM unnest($7::date[], $8::int[]) AS span (starts, sign)
            JOIN tallies t ON t.account_id = $1 AND t.grain = 2 AND t.starts = span.starts {of_count}
            {"" if copied else rest}
        ) parts GROUP BY 1, 2 HAVING sum(plays) <> 0
    )
    """


# ---------------------------------------------------------------- copying


async def accounts(conn: Connection) -> list[int]:
    """Return the accounts of whose counts, or of whose names, the copy may be missing something."""
    rows = await conn.fetch(
        """
        SELECT DISTINCT account_id FROM tally_days d WHERE NOT EXISTS
            (SELECT FROM tops_spans s WHERE s.account_id = d.account_id AND s.grain = 1
             AND s.starts = date_trunc('year', d.day)::date)
        UNION
        SELECT DISTINCT account_id FROM tally_days d WHERE NOT EXISTS
            (SELECT FROM tops_spans s WHERE s.account_id = d.account_id AND s.grain = 0)
        UNION
        SELECT account_id FROM tops_spans GROUP BY 1 HAVING min(seen) <= (SELECT max(xid) FROM restated)
        ORDER BY 1
        """
    )
    return [row["account_id"] for row in rows]


async def outdated(conn: Connection, account_id: int) -> list[tuple[int, date]]:
    """Return the spans (grain, start) of an account whose copy is missing or does not hold; renew the dates of others.

    Call it in a transaction.
    """
    seen = await conn.fetchval("SELECT pg_snapshot_xmin(pg_current_snapshot())::text")
    restated = "SELECT FROM restated r JOIN tallies t USING (lookup_id) WHERE r.xid >= s.seen"
    own = "t.account_id = s.account_id AND t.grain = s.grain AND t.starts = s.starts"
    await conn.execute(f"DELETE FROM tops_spans s WHERE account_id = $1 AND EXISTS ({restated} AND {own})", account_id)
    await conn.execute(
        f"""
        UPDATE tops_spans s SET seen = $2::text::xid8
        WHERE account_id = $1 AND seen < $2::text::xid8 AND NOT EXISTS ({restated} AND {own})
        """,
        account_id,
        seen,
    )
    rows = await conn.fetch(
        """
        SELECT 0 AS grain, $2::date AS starts WHERE EXISTS (SELECT FROM tally_days WHERE account_id = $1)
        UNION
        SELECT DISTINCT 1, date_trunc('year', day)::date FROM tally_days WHERE account_id = $1
        EXCEPT
        SELECT grain, starts FROM tops_spans WHERE account_id = $1 ORDER BY 1, 2
        """,
        account_id,
        tallies.EVER,
    )
    return [(row["grain"], row["starts"]) for row in rows]


async def copy(conn: Connection, account_id: int, grain: int, starts: date) -> None:
    """Copy one span anew. Call it in a transaction of its own."""
    await tallies.lock(conn, account_id)
    # before the counting: what is under way by now may commit unseen
    seen = await conn.fetchval("SELECT pg_snapshot_xmin(pg_current_snapshot())::text")
    span = account_id, grain, starts
    await conn.execute("DELETE FROM tops WHERE account_id = $1 AND grain = $2 AND starts = $3", *span)
    told = " UNION ALL ".join(f"SELECT {kind}, * FROM ({subjects(kind, few=False)}) of_{kind}" for kind in SUBJECTS)
    await conn.execute(
        f"""
        WITH counted AS MATERIALIZED (
            SELECT lookup_id, match_id, plays FROM tallies
            WHERE account_id = $1 AND grain = $2 AND starts = $3 AND plays > 0
        ), {effective.decided()}
        INSERT INTO tops (account_id, grain, starts, kind, subject_id, plays)
        SELECT $1, $2, $3, told.* FROM ({told}) told (kind, subject_id, plays)
        """,
        *span,
    )
    await conn.execute(
        """
        INSERT INTO tops_spans (account_id, grain, starts, seen, subjects)
        SELECT $1, $2, $3, $4::text::xid8,
               ARRAY(SELECT (SELECT count(*)::int FROM tops
                             WHERE account_id = $1 AND grain = $2 AND starts = $3 AND tops.kind = k)
                     FROM generate_series(1, 5) AS k ORDER BY k)
        ON CONFLICT (account_id, grain, starts) DO UPDATE SET seen = excluded.seen, subjects = excluded.subjects
        """,
        *span,
        seen,
    )


async def purge(conn: Connection) -> None:
    """Drop what no copy can be missing any more, and the copies of accounts without plays."""
    await conn.execute("DELETE FROM restated WHERE xid < (SELECT min(seen) FROM tops_spans)")
    await conn.execute(
        """
        DELETE FROM tops_spans s WHERE NOT EXISTS (SELECT FROM tally_days d WHERE d.account_id = s.account_id);
        DELETE FROM tops t WHERE NOT EXISTS (SELECT FROM tally_days d WHERE d.account_id = t.account_id)
        """
    )
