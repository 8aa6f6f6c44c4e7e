"""Running jobs: split when a stage trips, held when one subject keeps tripping or killing, never looped."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import asyncpg
import pytest

from sleevenotes import errors, model
from sleevenotes.clock import HandClock
from sleevenotes.pipeline import jobs
from sleevenotes.store.postgres import Database

_CUT = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()
"""


class Recorder:
    """A stage that remembers what it was run for; trips on the subjects it is told to."""

    def __init__(self, *trips_on: int, error: Exception | None = None) -> None:
        self.trips_on = set(trips_on)
        self.error = error or ValueError("tripped")
        self.runs: list[tuple[list[int], model.Band]] = []
        self.given_up: list[int] = []

    async def run(self, subjects: Sequence[int], band: model.Band) -> None:
        self.runs.append((list(subjects), band))
        if self.trips_on & set(subjects):
            raise self.error

    async def give_up(self, subjects: Sequence[int], why: str) -> None:
        self.given_up += subjects

    def done(self) -> set[int]:
        return {subject for subjects, _ in self.runs for subject in subjects if not self.trips_on & set(subjects)}


@asynccontextmanager
async def working(database: Database, clock: HandClock, recorder: Recorder) -> AsyncIterator[None]:
    stage = jobs.Stage("match", recorder.run, recorder.give_up)
    worker = jobs.Worker(database, [stage], clock, at_once=20)
    running = asyncio.create_task(worker.run())
    try:
        yield
    finally:
        worker.stop()
        await running


async def put(database: Database, subjects: Sequence[int], band: model.Band = model.Band.DEFAULT) -> None:
    async with database.transaction() as conn:
        await jobs.enqueue(conn, "match", subjects, band)


async def put_and_fail(database: Database) -> None:
    async with database.transaction() as conn:
        await jobs.enqueue(conn, "match", [1], model.Band.DEFAULT)
        raise ZeroDivisionError


async def left(database: Database) -> dict[str, int]:
    async with database.connection() as conn:
        return dict(await conn.fetch("SELECT status::text, count(*) FROM pgqueuer GROUP BY status"))


async def until_settled(database: Database, held: int = 0) -> None:
    async with asyncio.timeout(20):
        while await left(database) != ({"failed": held} if held else {}):
            pass


async def test_a_job_is_run_for_its_subjects_in_its_band(database: Database, clock: HandClock) -> None:
    recorder = Recorder()
    await put(database, [1, 2, 3], model.Band.CRITICAL)
    async with working(database, clock, recorder):
        await until_settled(database)
    assert recorder.runs == [([1, 2, 3], model.Band.CRITICAL)]


async def test_a_job_written_in_a_transaction_that_fails_never_runs(database: Database, clock: HandClock) -> None:
    recorder = Recorder()
    with pytest.raises(ZeroDivisionError):
        await put_and_fail(database)
    await put(database, [2])
    async with working(database, clock, recorder):
        await until_settled(database)
    assert recorder.done() == {2}


async def test_one_subject_that_trips_is_held_and_the_others_go_on(database: Database, clock: HandClock) -> None:
    recorder = Recorder(2)
    await put(database, [1, 2, 3])
    async with working(database, clock, recorder):
        await until_settled(database, held=1)
    assert recorder.done() == {1, 3}
    assert recorder.given_up == [2]


async def test_a_job_that_killed_its_worker_three_times_is_held_not_run(database: Database, clock: HandClock) -> None:
    recorder = Recorder()
    await put(database, [7])
    await count_starts(database, 3)
    async with working(database, clock, recorder):
        await until_settled(database, held=1)
    assert recorder.runs == []
    assert recorder.given_up == [7]


async def test_a_job_whose_worker_died_runs_again_one_subject_at_a_time(database: Database, clock: HandClock) -> None:
    recorder = Recorder()
    await put(database, [1, 2])
    await count_starts(database, 1)
    async with working(database, clock, recorder):
        await until_settled(database)
    assert sorted(recorder.runs) == [([1], model.Band.DEFAULT), ([2], model.Band.DEFAULT)]


async def test_a_subject_that_is_gone_is_nothing_to_do(database: Database, clock: HandClock) -> None:
    recorder = Recorder(1, error=errors.Gone())
    await put(database, [1])
    async with working(database, clock, recorder):
        await until_settled(database)
    assert recorder.given_up == []


async def test_a_deadlock_is_tried_again_and_held_against_nobody(database: Database, clock: HandClock) -> None:
    recorder = Recorder(1, error=asyncpg.DeadlockDetectedError("deadlock detected"))
    await put(database, [1])
    async with working(database, clock, recorder):
        async with asyncio.timeout(20):
            while len(recorder.runs) < 2:
                await left(database)
        recorder.trips_on.clear()
        await until_settled(database)
    assert recorder.given_up == []


async def test_the_worker_goes_on_after_its_connection_was_cut(database: Database, clock: HandClock) -> None:
    recorder = Recorder()
    async with working(database, clock, recorder):
        await put(database, [1])
        await until_settled(database)
        async with database.connection() as conn:
            await conn.execute(_CUT)
        await put(database, [2])
        await until_settled(database)
    assert recorder.done() == {1, 2}


async def count_starts(database: Database, starts: int) -> None:
    async with database.connection() as conn:
        await conn.execute(
            "INSERT INTO job_starts (job_id, starts, started_at) SELECT id, $1, now() FROM pgqueuer", starts
        )
