"""Running jobs: PgQueuer hands them out; here they become calls of stages.

A stage is one idempotent function of subjects. What may go wrong with its job:

    the worker dies            PgQueuer hands the job out again; we count starts, since its `attempts` does not
    the database is away       the job is tried again shortly
    a stage trips on a subject the job is split into one job a subject, so that the others go on
    one subject keeps tripping, or kills its worker three times
                               the job is held (status "failed" in the queue, shown by `status`), not looped,
                               and the stage's `give_up` marks the subject
"""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta

import structlog
from pgqueuer import errors as pgqueuer_errors
from pgqueuer import models as pgqueuer_models
from pgqueuer.core.qm import QueueManager
from pgqueuer.queries import Queries

from sleevenotes import clock, errors, model
from sleevenotes.store import jobs, postgres
from sleevenotes.store.postgres import Database

enqueue = jobs.enqueue

MAX_STARTS = 3
"""Starts after which a job that never came to its end is held."""

HEARTBEAT = timedelta(seconds=20)
"""A job whose worker has been silent for this long runs again."""

LOOK_AGAIN = timedelta(seconds=5)
"""A job that is to be tried again is not announced: the queue is looked at this often."""

log = structlog.get_logger(__name__)


@dataclasses.dataclass(frozen=True)
class Stage:
    """A stage of the pipeline: what to run for subjects, and how to mark one that cannot be run."""

    name: str
    run: Callable[[Sequence[int], model.Band], Awaitable[None]]
    give_up: Callable[[Sequence[int], str], Awaitable[None]]


class Held(errors.SleevenotesError):
    """A job that is not run again until somebody looks at it."""


class Worker:
    """Runs jobs of these stages until stopped, whatever becomes of the database meanwhile."""

    def __init__(self, database: Database, stages: Sequence[Stage], time: clock.Clock, at_once: int) -> None:
        self._database = database
        self._stages: Mapping[str, Stage] = {stage.name: stage for stage in stages}
        self._time = time
        self._at_once = at_once
        self._stopping = False
        self._manager: QueueManager | None = None

    async def run(self) -> None:
        """Work until `stop`; when the connection breaks, begin again with a new one."""
        while not self._stopping:
            try:
                await self._run_once()
            except Exception as error:
                log.warning("worker: lost the queue, beginning again", error=repr(error))
                await asyncio.sleep(1.0)  # of real time: the database does not run on our clock

    async def _run_once(self) -> None:
        """Run one queue manager, on a connection of its own without our codecs, until it stops or breaks."""
        conn = await postgres.connect(self._database.url, patience=postgres.PATIENCE, codecs=False)
        try:
            self._manager = self._managing(Queries.from_asyncpg_connection(conn))
            await self._manager.run(
                batch_size=min(10, self._at_once // 2),
                max_concurrent_tasks=self._at_once,
                heartbeat_timeout=HEARTBEAT,
                dequeue_timeout=LOOK_AGAIN,
                shutdown_on_listener_failure=True,
            )
        finally:
            conn.terminate()

    def stop(self) -> None:
        """Take no further job; `run` returns when those under way have ended."""
        self._stopping = True
        if self._manager is not None:
            self._manager.shutdown.set()

    def _managing(self, queries: Queries) -> QueueManager:
        manager = QueueManager(queries)
        for stage in self._stages.values():

            async def run(job: pgqueuer_models.Job, stage: Stage = stage) -> None:
                await self._run(stage, job)

            manager.entrypoint(stage.name, on_failure="hold", accepts_context=False)(run)
        return manager

    async def _run(self, stage: Stage, job: pgqueuer_models.Job) -> None:
        subjects = jobs.subjects(job.payload)
        band = model.Band(job.priority)
        try:
            async with self._database.connection() as conn:
                starts = await jobs.started(conn, job.id, self._time.now())
            if starts > MAX_STARTS:
                await self._hold(stage, job, subjects, f"its worker died {MAX_STARTS} times")
            elif starts > 1 and len(subjects) > 1:
                await self._split(stage, subjects, band)
            else:
                await self._attempt(stage, job, subjects, band)
            async with self._database.connection() as conn:
                await jobs.finished(conn, job.id)
        except Exception as error:
            if not postgres.is_passing(error):
                raise
            raise pgqueuer_errors.RetryRequested(timedelta(seconds=2), repr(error)) from error

    async def _attempt(self, stage: Stage, job: pgqueuer_models.Job, subjects: Sequence[int], band: model.Band) -> None:
        try:
            await stage.run(subjects, band)
        except errors.Gone:
            return
        except Exception as error:
            if postgres.is_passing(error):
                async with self._database.connection() as conn:
                    await jobs.finished(conn, job.id)  # not a death: this start does not count
                raise
            log.exception("worker: a stage tripped", stage=stage.name, subjects=list(subjects))
            if len(subjects) == 1:
                await self._hold(stage, job, subjects, f"the stage tripped: {error!r}")
            await self._split(stage, subjects, band)

    async def _split(self, stage: Stage, subjects: Sequence[int], band: model.Band) -> None:
        async with self._database.transaction() as conn:
            for subject in subjects:
                await jobs.enqueue(conn, stage.name, [subject], band)

    async def _hold(self, stage: Stage, job: pgqueuer_models.Job, subjects: Sequence[int], why: str) -> None:
        await stage.give_up(subjects, why)
        async with self._database.connection() as conn:
            await jobs.finished(conn, job.id)
        raise Held(f"{stage.name} {list(subjects)}: {why}")
