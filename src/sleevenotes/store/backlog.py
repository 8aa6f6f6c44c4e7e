"""The backlog: what waits now, and samples of it, one a minute, so that it can be said whether it grows.

It is looked at several times a minute; the fullest look is the minute's sample, so that short rushes are not missed. Of
the last two days every sample is kept, of ninety days one of ten minutes, by the full minute.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec

from sleevenotes import model
from sleevenotes.store.postgres import Connection

FINE = timedelta(days=2)
KEPT = timedelta(days=90)


class Queue(msgspec.Struct, frozen=True):
    """What waits in one queue. `of` is "questions" (then `name` is a source) or "jobs" (a stage); ages in seconds."""

    of: str
    name: str
    band: str
    waiting: int
    oldest_s: float


class Pending(msgspec.Struct, frozen=True):
    """Names and covers that are not decided yet."""

    names: int
    covers: int


class Sampled(msgspec.Struct, frozen=True):
    """Pending names and covers together over a period.

    `growth_per_hour` is the slope of the line that lies nearest to the samples; None of fewer than three.
    """

    samples: int
    last: int | None = None
    mean: float | None = None
    max: int | None = None
    growth_per_hour: float | None = None


class Band(msgspec.Struct, frozen=True):
    """What waited in the queues of one band over a period, all sources or stages together."""

    of: str
    band: str
    mean: float
    max: int
    oldest_s: float


async def pending(conn: Connection) -> Pending:
    """Count what is not decided."""
    row = await conn.fetchrow(
        """
        SELECT (SELECT count(*) FROM lookups WHERE status = 'pending') AS names,
               (SELECT count(*) FROM artworks WHERE status = 'pending') AS covers
        """
    )
    return Pending(**row)


async def queues(conn: Connection, now: datetime) -> list[Queue]:
    """Say what waits: questions by source and band, jobs by stage and band; PgQueuer's ages by the database's clock.

    A question is old from when it was wanted, one that waits out a fault included.
    """
    rows = await conn.fetch(
        """
        SELECT 'questions' AS of, source AS name, band, count(*) AS waiting,
               greatest(0, extract(epoch FROM $1 - min(wanted_at)))::float8 AS oldest_s
        FROM wants GROUP BY source, band
        UNION ALL
        SELECT 'jobs', entrypoint, priority, count(*), greatest(0, extract(epoch FROM now() - min(created)))::float8
        FROM pgqueuer WHERE status IN ('queued', 'picked') GROUP BY entrypoint, priority
        ORDER BY 1 DESC, 3 DESC, 2
        """,
        now,
    )
    return [
        Queue(row["of"], row["name"], model.Band(row["band"]).label, row["waiting"], round(row["oldest_s"], 1))
        for row in rows
    ]


async def sample(conn: Connection, now: datetime) -> None:
    """Note what waits now, unless more was pending before in the same minute."""
    counted, waiting = await pending(conn), await queues(conn, now)
    await conn.execute(
        """
        INSERT INTO backlog (at, names, covers, queues) VALUES ($1, $2, $3, $4)
        ON CONFLICT (at) DO UPDATE
        SET names = excluded.names, covers = excluded.covers, queues = excluded.queues
        WHERE excluded.names + excluded.covers > backlog.names + backlog.covers
        """,
        now.replace(second=0, microsecond=0),
        counted.names,
        counted.covers,
        [msgspec.to_builtins(each) for each in waiting],
    )


async def sampled(conn: Connection, since: datetime, until: datetime) -> Sampled:
    """Say how much was pending over a period."""
    row = await conn.fetchrow(
        """
        SELECT count(*) AS samples, (array_agg(names + covers ORDER BY at DESC))[1] AS last,
               round(avg(names + covers), 1)::float8 AS mean, max(names + covers) AS max,
               CASE WHEN count(*) > 2
                    THEN round((3600 * regr_slope(names + covers, extract(epoch FROM at)))::numeric, 1)::float8
               END AS growth_per_hour
        FROM backlog WHERE at >= $1 AND at < $2
        """,
        since,
        until,
    )
    return Sampled(**row)


class Depth(msgspec.Struct, frozen=True):
    """The most that was pending, names and covers together, in a stretch that begins at `at`."""

    at: datetime
    pending: int


async def course(conn: Connection, since: datetime, until: datetime, stretches: int) -> list[Depth]:
    """Say how the backlog went over a period, cut into at most so many equal stretches; those unsampled are left out.

    The period begins with the first sample in it.
    """
    rows = await conn.fetch(
        """
        WITH taken AS (SELECT at, names + covers AS pending FROM backlog WHERE at >= $1 AND at < $2),
        span AS (SELECT min(at) AS first, max(at) AS last FROM taken)
        SELECT date_bin(greatest(interval '1 minute', (last - first) / ($3 - 1)), at, first) AS at,
               max(pending) AS pending
        FROM taken, span GROUP BY 1 ORDER BY 1
        """,
        since,
        until,
        stretches,
    )
    return [Depth(**row) for row in rows]


async def bands(conn: Connection, since: datetime, until: datetime) -> list[Band]:
    """Say what waited in each band over a period; a sample in which nothing did counts as nothing."""
    rows = await conn.fetch(
        """
        WITH taken AS (SELECT * FROM backlog WHERE at >= $1 AND at < $2),
        by_sample AS (
            SELECT at, of, band, sum(waiting) AS waiting, max(oldest_s) AS oldest_s
            FROM taken, jsonb_to_recordset(queues) AS queue (of text, band text, waiting integer, oldest_s float8)
            GROUP BY at, of, band
        )
        SELECT of, band, round(sum(waiting) / (SELECT count(*) FROM taken), 1)::float8 AS mean,
               max(waiting)::int AS max, max(oldest_s) AS oldest_s
        FROM by_sample GROUP BY of, band
        ORDER BY of DESC, array_position(ARRAY['critical', 'default', 'low_priority'], band)
        """,
        since,
        until,
    )
    return [Band(**row) for row in rows]


async def last_sample(conn: Connection) -> datetime | None:
    """Return when what waits was noted last: a worker was there then."""
    at: datetime | None = await conn.fetchval("SELECT max(at) FROM backlog")
    return at


async def purge(conn: Connection, now: datetime) -> None:
    """Drop samples that are too old, and of those that are not new all but one of ten."""
    await conn.execute(
        "DELETE FROM backlog WHERE at < $1 OR at < $2 AND extract(minute FROM at)::int % 10 <> 0",
        now - KEPT,
        now - FINE,
    )
