"""What estimates of waiting plays are made of, and how they turned out: rows counted, for `pipeline.estimate`.

All of it is cheap for a hundred plays: a query for where they wait, one for what is known of their albums, and a few
that the asker keeps for some seconds (`measured`, `depths`, `turned_out`).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec

from sleevenotes import model
from sleevenotes.store import claims
from sleevenotes.store.postgres import Connection

LATELY = timedelta(minutes=3)
"""How far back what a source said is measured."""

REMEMBERED = timedelta(days=1)
"""How far back estimates are held against how they turned out."""

OF_EACH_WAY = 40
"""How many of the last estimates of one way count."""

KEPT = timedelta(days=7)

SHORTEST = 0.1
"""Seconds: what took less is held to have taken this, or the error of nothing would be infinite."""


FEW = 10
"""Questions in a request that are no pack yet."""


class Cost(msgspec.Struct, frozen=True):
    """What one question of a source and kind costs its host: the share of a request; `single`: it is never packed."""

    source: str
    kind: str
    awaited: bool
    slots: float
    host: str
    single: bool


class Measured(msgspec.Struct, frozen=True):
    """What came of a source's questions of a kind lately; `took_ms` is the median of its requests, `mean_ms` the mean.

    `packs` of the requests held FEW questions or more, and told of `packs_told` of them; `again` were others whose
    questions had mostly been asked before, and told of `again_told`. The largest held `largest`.
    """

    source: str
    kind: str
    awaited: bool
    questions: int
    told: int
    found: int
    requests: int
    packs: int
    packs_told: int
    again: int
    again_told: int
    largest: int
    took_ms: float
    mean_ms: float


class Sent(msgspec.Struct, frozen=True):
    """A host's budget row: the last sends, the oldest first, and until when it is left alone."""

    host: str
    sent: list[datetime]
    paused_until: datetime | None


class Depth(msgspec.Struct, frozen=True):
    """What waits at one host, somebody waiting or not, in requests and in questions."""

    host: str
    awaited: bool
    slots: float
    questions: int


class Waiting(msgspec.Struct, frozen=True):
    """One question that a subject waits for.

    `slots` are the requests that go before it at its host, `ahead` the questions.
    """

    stage: str
    subject_id: int
    source: str
    kind: str
    band: model.Band
    slots: float
    ahead: int
    leased_until: datetime | None
    due_at: datetime


class Given(msgspec.Struct, frozen=True):
    """An estimate that is told now, in seconds; `reckoned` before it was corrected by how the last ones turned out."""

    stage: str
    subject_id: int
    band: model.Band
    way: str
    seconds: float
    reckoned: float


class Error(msgspec.Struct, frozen=True):
    """How far off the estimates of one band were: the median of |told - took| / took, over so many."""

    band: str
    estimates: int
    median: float


async def measured(conn: Connection, now: datetime) -> list[Measured]:
    """Measure what the sources said lately, and how long it took."""
    rows = await conn.fetch(
        """
        SELECT source, kind, awaited, sum(questions)::int AS questions, sum(told)::int AS told,
               sum(found)::int AS found, count(*) AS requests,
               count(*) FILTER (WHERE questions >= $3 AND NOT again) AS packs,
               coalesce(sum(told) FILTER (WHERE questions >= $3 AND NOT again), 0)::int AS packs_told,
               count(*) FILTER (WHERE questions >= $3 AND again) AS again,
               coalesce(sum(told) FILTER (WHERE questions >= $3 AND again), 0)::int AS again_told,
               max(questions) AS largest,
               percentile_cont(0.5) WITHIN GROUP (ORDER BY took_ms) AS took_ms,
               avg(took_ms)::float8 AS mean_ms
        FROM (
            SELECT source, kind, band > $2 AS awaited, count(*) AS questions, min(took_ms) AS took_ms,
                   count(*) FILTER (WHERE outcome IN ('answered', 'absent')) AS told,
                   count(*) FILTER (WHERE outcome = 'answered') AS found, avg(earlier) > 0.5 AS again
            FROM (
                SELECT source, kind, band, request_id, took_ms, outcome,
                       (row_number() OVER (PARTITION BY source, question_key ORDER BY asked_at) > 1)::int AS earlier
                FROM traces WHERE asked_at > $1
            ) AS trace GROUP BY source, kind, band > $2, request_id
        ) AS request GROUP BY source, kind, awaited
        """,
        now - LATELY,
        int(model.Band.LOW_PRIORITY),
        FEW,
    )
    return [Measured(**row) for row in rows]


async def sent(conn: Connection) -> list[Sent]:
    """Return what each host was sent last."""
    rows = await conn.fetch("SELECT host, sent, paused_until FROM budgets")
    return [Sent(**row) for row in rows]


async def depths(conn: Connection, costs: Sequence[Cost], now: datetime) -> list[Depth]:
    """Count what waits at each host and is not being asked at this moment."""
    rows = await conn.fetch(
        f"""
        WITH {_COSTS}
        SELECT host, awaited, sum(slots)::float8 AS slots, count(*) AS questions
        FROM wants JOIN costs USING (source, kind) WHERE awaited = (band > {_LOW})
          AND (leased_until IS NULL OR leased_until <= $1)
        GROUP BY host, awaited
        """,
        now,
        *_columns(costs),
    )
    return [Depth(**row) for row in rows]


async def waiting(
    conn: Connection, subjects: Sequence[tuple[str, int]], costs: Sequence[Cost], now: datetime
) -> list[Waiting]:
    """Return what these subjects, (stage, id), wait for, and what goes before it, in the order that lanes claim by
    (`store.claims`). What is being asked at this moment goes before nobody.
    """
    rows = await conn.fetch(
        f"""
        WITH {_COSTS},
        mine AS (
            SELECT want_id, stage, subject_id FROM waiters
            JOIN unnest($8::text[], $9::bigint[]) AS subject (stage, subject_id) USING (stage, subject_id)
        ),
        concerned AS (
            SELECT DISTINCT other.source FROM mine JOIN wants ON wants.id = want_id
            JOIN costs AS own ON own.source = wants.source JOIN costs AS other ON other.host = own.host
        ),
        placed AS (
            SELECT wants.id, source, wants.band, leased_until, due_at, kind,
                   coalesce(sum(CASE WHEN leased_until > $1 THEN 0 ELSE slots END) OVER at_host, 0)::float8 AS slots,
                   count(*) FILTER (WHERE leased_until IS NULL OR leased_until <= $1) OVER at_host AS ahead
            FROM wants JOIN costs USING (source, kind)
            WHERE awaited = (band > {_LOW}) AND source IN (SELECT source FROM concerned)
            WINDOW at_host AS (PARTITION BY host ORDER BY {_ORDER}
                               ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
        )
        SELECT stage, subject_id, source, kind, band, slots, ahead, leased_until, due_at
        FROM mine JOIN placed ON placed.id = want_id
        """,
        now,
        *_columns(costs),
        [stage for stage, _ in subjects],
        [subject_id for _, subject_id in subjects],
    )
    return [msgspec.convert(dict(row), Waiting) for row in rows]


async def pace(conn: Connection, source: str, now: datetime, span: timedelta) -> float | None:
    """Return the seconds between two requests of an import to this source within `span`, None where there were too few.

    What somebody waits for goes in between, and is part of why they are that far apart.
    """
    row = await conn.fetchrow(
        """
        SELECT count(DISTINCT request_id) AS requests, min(asked_at) AS since FROM traces
        WHERE asked_at > $2 AND source = $1 AND band = $3
        """,
        source,
        now - span,
        _LOW,
    )
    return (now - row["since"]).total_seconds() / row["requests"] if row["requests"] >= 8 else None


async def listing(conn: Connection, source: str) -> list[int]:
    """Return the artists (as in Queued) whose releases are asked for in place of their names, the foremost first."""
    rows = await conn.fetch(
        """
        SELECT hashtextextended(artist_key, 0) AS artist FROM wants
        JOIN waiters ON want_id = wants.id AND stage = 'discography'
        JOIN lookups ON lookups.id = subject_id
        WHERE wants.source = $1 GROUP BY artist_key ORDER BY max(wants.plays) DESC
        """,
        source,
    )
    return [row["artist"] for row in rows]


# ---------------------------------------------------------------- how they turned out


async def keep(conn: Connection, given: Sequence[Given], now: datetime) -> None:
    """Keep the first estimate of each subject that waits."""
    await conn.execute(
        """
        INSERT INTO estimates (stage, subject_id, band, way, given_at, seconds, reckoned)
        SELECT stage, subject_id, band, way, $1, seconds, reckoned
        FROM unnest($2::text[], $3::bigint[], $4::smallint[], $5::text[], $6::real[], $7::real[])
             AS given (stage, subject_id, band, way, seconds, reckoned)
        ON CONFLICT (stage, subject_id) WHERE settled_at IS NULL DO NOTHING
        """,
        now,
        [each.stage for each in given],
        [each.subject_id for each in given],
        [int(each.band) for each in given],
        [each.way for each in given],
        [each.seconds for each in given],
        [each.reckoned for each in given],
    )


async def settle(conn: Connection) -> None:
    """Hold the estimates of what is done by now against how long it took: from the name, or the cover, being told.

    A name is done with its album's cover, if one is looked for. Rows that another process is settling are left to it.
    """
    await conn.execute(
        """
        WITH open AS (SELECT * FROM estimates WHERE settled_at IS NULL FOR UPDATE SKIP LOCKED),
        done AS (
            SELECT open.id, greatest(lookups.decided_at, artworks.decided_at) AS at
            FROM open JOIN lookups ON lookups.id = subject_id
            LEFT JOIN matches ON matches.id = match_id
            LEFT JOIN artworks USING (release_group_id)
            WHERE stage = 'match' AND lookups.status <> 'pending' AND coalesce(artworks.status, '') <> 'pending'
            UNION ALL
            SELECT open.id, artworks.decided_at FROM open JOIN artworks ON release_group_id = subject_id
            WHERE stage = 'artwork' AND artworks.status <> 'pending'
        )
        UPDATE estimates SET settled_at = greatest(at, given_at),
               took = greatest(0, extract(epoch FROM at - given_at))
        FROM done WHERE estimates.id = done.id
        """
    )


async def turned_out(conn: Connection, now: datetime) -> dict[str, list[float]]:
    """Return, for each way, took / reckoned of the last estimates that should have come true by now.

    By those alone: of an import's names, those that are done first are done early, and of all that are done they would
    speak first. What should be done and is not has taken the time until now, at least.
    """
    rows = await conn.fetch(
        """
        SELECT way, array_agg(ratio) AS ratios FROM (
            SELECT way, row_number() OVER (PARTITION BY way ORDER BY given_at DESC, id DESC) AS place,
                   greatest(coalesce(took, extract(epoch FROM $4 - given_at)), $2) / greatest(reckoned, $2) AS ratio
            FROM estimates
            WHERE (settled_at IS NULL OR settled_at > $1) AND given_at > $1
              AND given_at + reckoned * interval '1 second' <= $4
        ) AS last WHERE place <= $3 GROUP BY way
        """,
        now - REMEMBERED,
        SHORTEST,
        OF_EACH_WAY,
        now,
    )
    return {row["way"]: row["ratios"] for row in rows}


async def errors(conn: Connection, now: datetime) -> list[Error]:
    """Say how far off the last day's estimates were, band by band, the most urgent first."""
    rows = await conn.fetch(
        """
        SELECT band, count(*) AS estimates,
               percentile_cont(0.5) WITHIN GROUP (ORDER BY abs(seconds - took) / greatest(took, $2)) AS median
        FROM estimates WHERE settled_at > $1 GROUP BY band ORDER BY band DESC
        """,
        now - REMEMBERED,
        SHORTEST,
    )
    return [Error(model.Band(row["band"]).label, row["estimates"], round(row["median"], 3)) for row in rows]


async def purge(conn: Connection, now: datetime) -> None:
    """Drop estimates that no error is measured by any more, and those whose subject never came to an end."""
    await conn.execute("DELETE FROM estimates WHERE given_at < $1", now - KEPT)


# ---------------------------------------------------------------- inside

_LOW = int(model.Band.LOW_PRIORITY)

_COSTS = """
    costs AS (
        SELECT * FROM unnest($2::text[], $3::text[], $4::boolean[], $5::float8[], $6::text[], $7::boolean[])
                      AS cost (source, kind, awaited, slots, host, single)
    )
"""

# What `claims.claim` looks for first, the packs that fill themselves aside.
_ORDER = f"band DESC, single AND band = {_LOW}, {claims.MOST_WANTED}"


def _columns(costs: Sequence[Cost]) -> tuple[list[object], ...]:
    return (
        [each.source for each in costs],
        [each.kind for each in costs],
        [each.awaited for each in costs],
        [each.slots for each in costs],
        [each.host for each in costs],
        [each.single for each in costs],
    )
