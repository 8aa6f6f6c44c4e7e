"""Jobs: PgQueuer's queue, on the caller's own transaction, and how often each was started.

A job names a stage and the subjects it shall look at. Stages are idempotent, so jobs carry no deduplication key:
PgQueuer's also covers running jobs, and would swallow the wake-up that arrives while its twin is ending.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

import msgspec
from pgqueuer.adapters.drivers.asyncpg import AsyncpgDriver
from pgqueuer.queries import Queries

from sleevenotes import model
from sleevenotes.store.postgres import Connection

if TYPE_CHECKING:
    from sleevenotes.store import wants

SUBJECTS_PER_JOB = 50
"""Enough that a pack's answers are decided together, few enough that a job is short."""


class _Enqueuing(AsyncpgDriver):
    """PgQueuer's driver on one of our connections: it writes jsonb as text, which our codec would quote again."""

    async def fetch(self, query: str, *args: object) -> list[dict[str, object]]:
        *others, headers = args
        return await super().fetch(query, *others, [msgspec.json.decode(text) for text in headers])  # type: ignore[attr-defined] # a list of JSON texts


async def enqueue(conn: Connection, stage: str, subject_ids: Sequence[int], band: model.Band) -> None:
    """Have `stage` look at these subjects soon; nothing happens unless the caller's transaction commits."""
    chunks = [subject_ids[i : i + SUBJECTS_PER_JOB] for i in range(0, len(subject_ids), SUBJECTS_PER_JOB)]
    if chunks:
        await Queries(_Enqueuing(conn)).enqueue(
            [stage] * len(chunks),
            [msgspec.json.encode(list(chunk)) for chunk in chunks],
            [int(band)] * len(chunks),
        )


async def wake(conn: Connection, waiters: Sequence[wants.Waiter]) -> None:
    """Turn settled wants into jobs of the stages that waited, in the settling transaction."""
    groups: dict[tuple[str, model.Band], list[int]] = {}
    for waiter in waiters:
        groups.setdefault((waiter.stage, waiter.band), []).append(waiter.subject_id)
    for (stage, band), subject_ids in groups.items():
        await enqueue(conn, stage, subject_ids, band)


def subjects(payload: bytes | None) -> list[int]:
    """Read what `enqueue` wrote."""
    return msgspec.json.decode(payload or b"[]", type=list[int])


async def started(conn: Connection, job_id: int, now: datetime) -> int:
    """Count a start of this job and say the how-manieth it is; a worker that dies leaves the count behind."""
    starts: int = await conn.fetchval(
        """
        INSERT INTO job_starts (job_id, starts, started_at) VALUES ($1, 1, $2)
        ON CONFLICT (job_id) DO UPDATE SET starts = job_starts.starts + 1, started_at = $2
        RETURNING starts
        """,
        job_id,
        now,
    )
    return starts


async def finished(conn: Connection, job_id: int) -> None:
    """Forget the count of a job that came to its end."""
    await conn.execute("DELETE FROM job_starts WHERE job_id = $1", job_id)


async def purge(conn: Connection, before: datetime) -> int:
    """Drop PgQueuer's log of jobs ended before that moment, and counts of jobs that no longer exist."""
    ended = await conn.execute("DELETE FROM pgqueuer_log WHERE created < $1", before)
    await conn.execute(
        "DELETE FROM job_starts WHERE NOT EXISTS (SELECT FROM pgqueuer WHERE pgqueuer.id = job_starts.job_id)"
    )
    return int(ended.split()[-1])
