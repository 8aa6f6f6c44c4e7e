"""What the status page and `sleevenotes status` show: lanes, queues and outcomes, counted from rows."""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec

from sleevenotes import model
from sleevenotes.store import estimates
from sleevenotes.store.postgres import Connection

LAST = 40  # outcomes told of each lane


class Lane(msgspec.Struct):
    """One source's queue of questions and its last hour. `waiting` by band's name; times in s and ms."""

    source: str
    waiting: dict[str, int] = {}
    leased: int = 0
    oldest_s: float = 0.0
    answered: int = 0
    absent: int = 0
    unknown: int = 0
    fault: int = 0
    requests_last_minute: int = 0
    p50_ms: int | None = None
    last: list[str] = []  # outcomes of the latest questions, the newest first, LAST at most


class Budget(msgspec.Struct, frozen=True):
    """A host's budget row: told to wait or not, and why."""

    host: str
    last_sent_at: datetime | None
    paused_until: datetime | None
    pause_reason: str
    faults: int


class Queue(msgspec.Struct, frozen=True):
    """Jobs of one stage and band; `held` are those that are not tried again by themselves."""

    stage: str
    band: str
    queued: int
    picked: int
    held: int
    oldest_s: float


class Snapshot(msgspec.Struct, frozen=True):
    """Everything, counted once. `lookups` and `artworks` by status.

    Names that nobody has played, as those of an enriched file, were asked for as well: each counts as one scrobble
    where requests are told for each thousand of them.
    """

    lanes: list[Lane]
    budgets: list[Budget]
    queues: list[Queue]
    lookups: dict[str, int]
    artworks: dict[str, int]
    scrobbles: int
    requests_per_1000_scrobbles: float
    estimates: list[estimates.Error]  # how far off the last day's were


async def snapshot(conn: Connection, now: datetime) -> Snapshot:
    """Count everything once."""
    scrobbles = await conn.fetchval("SELECT count(*) FROM scrobbles")
    unplayed = await conn.fetchval(
        "SELECT count(*) FROM lookups WHERE NOT EXISTS (SELECT FROM scrobbles WHERE lookup_id = lookups.id)"
    )
    requests = await conn.fetchval("SELECT count(DISTINCT request_id) FROM traces")
    await estimates.settle(conn)
    return Snapshot(
        lanes=await _lanes(conn, now),
        budgets=await budgets(conn),
        queues=await queues(conn),
        lookups=dict(await conn.fetch("SELECT status, count(*) FROM lookups GROUP BY status")),
        artworks=dict(await conn.fetch("SELECT status, count(*) FROM artworks GROUP BY status")),
        scrobbles=scrobbles,
        requests_per_1000_scrobbles=round(1000 * requests / max(1, scrobbles + unplayed), 1),
        estimates=await estimates.errors(conn, now),
    )


async def _lanes(conn: Connection, now: datetime) -> list[Lane]:
    lanes: dict[str, Lane] = {}
    await _count_waiting(conn, now, lanes)
    await _count_asked(conn, now, lanes)
    return [lanes[source] for source in sorted(lanes)]


async def _count_waiting(conn: Connection, now: datetime, lanes: dict[str, Lane]) -> None:
    rows = await conn.fetch(
        """
        SELECT source, band, count(*) AS waiting, count(*) FILTER (WHERE leased_until > $1) AS leased,
               extract(epoch FROM $1 - min(wanted_at))::float AS oldest_s
        FROM wants GROUP BY source, band
        """,
        now,
    )
    for row in rows:
        lane = lanes.setdefault(row["source"], Lane(row["source"]))
        lane.waiting[model.Band(row["band"]).label] = row["waiting"]
        lane.leased += row["leased"]
        lane.oldest_s = max(lane.oldest_s, row["oldest_s"])


async def _count_asked(conn: Connection, now: datetime, lanes: dict[str, Lane]) -> None:
    rows = await conn.fetch(
        """
        SELECT source,
               count(*) FILTER (WHERE outcome = 'answered') AS answered,
               count(*) FILTER (WHERE outcome = 'absent') AS absent,
               count(*) FILTER (WHERE outcome = 'unknown') AS unknown,
               count(*) FILTER (WHERE outcome = 'fault') AS fault,
               count(DISTINCT request_id) FILTER (WHERE asked_at > $2) AS requests_last_minute,
               (percentile_cont(0.5) WITHIN GROUP (ORDER BY took_ms)
                   FILTER (WHERE outcome = 'answered'))::int AS p50_ms,
               (array_agg(outcome ORDER BY asked_at DESC, id DESC))[1:$3] AS last
        FROM traces WHERE asked_at > $1 GROUP BY source
        """,
        now - timedelta(hours=1),
        now - timedelta(minutes=1),
        LAST,
    )
    for row in rows:
        lane = lanes.setdefault(row["source"], Lane(row["source"]))
        for name, value in row.items():
            setattr(lane, name, value)


async def budgets(conn: Connection) -> list[Budget]:
    """Return every host's budget row."""
    rows = await conn.fetch(
        """
        SELECT host, sent[cardinality(sent)] AS last_sent_at, paused_until, pause_reason, faults
        FROM budgets ORDER BY host
        """
    )
    return [msgspec.convert(dict(row), Budget) for row in rows]


async def queues(conn: Connection) -> list[Queue]:
    """Count PgQueuer's rows; its times are the database's own, so its ages are too."""
    rows = await conn.fetch(
        """
        SELECT entrypoint AS stage, priority,
               count(*) FILTER (WHERE status = 'queued') AS queued,
               count(*) FILTER (WHERE status = 'picked') AS picked,
               count(*) FILTER (WHERE status = 'failed') AS held,
               coalesce(extract(epoch FROM now() - min(created) FILTER (WHERE status <> 'failed')), 0)::float
                   AS oldest_s
        FROM pgqueuer GROUP BY entrypoint, priority ORDER BY entrypoint, priority DESC
        """
    )
    return [
        Queue(
            stage=row["stage"],
            band=model.Band(row["priority"]).label,
            queued=row["queued"],
            picked=row["picked"],
            held=row["held"],
            oldest_s=row["oldest_s"],
        )
        for row in rows
    ]
