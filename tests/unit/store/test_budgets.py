"""Budgets: at most N sends in any window, whoever sends."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from sleevenotes.clock import HandClock
from sleevenotes.store import budgets
from sleevenotes.store.postgres import Database

HOST = "musicbrainz.org"


async def reserve(database: Database, clock: HandClock, requests: int = 1, window: float = 1.0) -> bool:
    async with database.transaction() as conn:
        return await budgets.reserve(conn, HOST, requests, window, clock) is not None


async def look(database: Database) -> budgets.Budget:
    async with database.connection() as conn:
        return await budgets.look(conn, HOST)


async def test_a_second_send_waits_for_the_window_to_pass(database: Database, clock: HandClock) -> None:
    assert await reserve(database, clock)
    assert not await reserve(database, clock)
    clock.turn(0.99)
    assert not await reserve(database, clock)
    clock.turn(0.01)
    assert await reserve(database, clock)


async def test_of_many_at_once_only_as_many_as_allowed_get_a_slot(database: Database, clock: HandClock) -> None:
    got = await asyncio.gather(*(reserve(database, clock, requests=3, window=10.0) for _ in range(9)))
    assert sum(got) == 3


async def test_no_span_of_a_window_ever_holds_more_than_allowed(database: Database, clock: HandClock) -> None:
    sends = []
    for _ in range(60):
        if await reserve(database, clock, requests=3, window=10.0):
            sends.append(clock.now())
        clock.turn(0.7)
    spans = [later - earlier for earlier, later in zip(sends, sends[3:], strict=False)]
    assert min(spans) >= timedelta(seconds=10)


async def test_a_send_that_left_late_moves_the_next_slot(database: Database, clock: HandClock) -> None:
    await reserve(database, clock)
    clock.turn(0.4)
    async with database.connection() as conn:
        await budgets.sent_late(conn, HOST, clock.now())
    clock.turn(0.7)
    assert not await reserve(database, clock)


async def test_a_pause_holds_everything_and_an_answer_after_faults_ends_it(
    database: Database, clock: HandClock
) -> None:
    async with database.connection() as conn:
        await budgets.faulted(conn, HOST)
        await budgets.pause(conn, HOST, clock.now() + timedelta(seconds=60), "told to wait")
    assert not await reserve(database, clock)
    assert (await look(database)).wait(1, 1.0, clock.now()) == 60
    async with database.connection() as conn:
        await budgets.answered(conn, HOST)
    assert await reserve(database, clock)
    assert (await look(database)).faults == 0
