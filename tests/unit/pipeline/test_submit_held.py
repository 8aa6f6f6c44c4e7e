"""Submits beside an account that another transaction holds: they wait for it alone, and nobody with them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from sleevenotes.clock import HandClock
from sleevenotes.model import Band
from sleevenotes.pipeline.entering import Stored
from sleevenotes.pipeline.submit import Submitter
from sleevenotes.store import accounts, played, scrobbles
from sleevenotes.store.postgres import Database
from tests import turning
from tests.unit.pipeline.submits import play


async def accounts_of(database: Database, clock: HandClock, count: int, called: str = "of") -> list[int]:
    async with database.connection() as conn:
        made = [await accounts.create(conn, f"{called} {i}", "", is_owner=False, now=clock.now()) for i in range(count)]
    return [each.id for each in made]


@pytest.mark.parametrize("held", [1, 5])
async def test_an_account_is_answered_while_others_that_came_with_it_are_held_by_a_transaction(
    submitter: Submitter, database: Database, clock: HandClock, account: int, held: int
) -> None:
    slow = await accounts_of(database, clock, held)
    async with database.transaction() as conn, asyncio.timeout(10):
        await scrobbles.lock_accounts(conn, slow)
        waiting = [asyncio.create_task(one_native(submitter, each)) for each in slow]
        await one_native(submitter, account)
        await one_native(submitter, account, seconds=300)
        assert not any(task.done() for task in waiting)
    await until_done(waiting, database, clock)
    async with database.connection() as conn:
        assert [await played.count(conn, each) for each in (account, *slow)] == [2] + [1] * held


async def test_what_is_submitted_behind_a_play_that_is_held_up_is_stored_after_it(
    submitter: Submitter, database: Database, clock: HandClock, account: int
) -> None:
    (slow,) = await accounts_of(database, clock, 1)
    async with database.transaction() as conn, asyncio.timeout(10):
        await scrobbles.lock_accounts(conn, [slow])
        first = asyncio.create_task(one_native(submitter, slow))
        await one_native(submitter, account)
        later = [asyncio.create_task(one_native(submitter, slow, seconds=300 * i)) for i in (3, 2, 1)]
        again = asyncio.create_task(one_native(submitter, slow, seconds=10))
        await one_native(submitter, account, seconds=300)
    ids = [(await task).id for task in (first, *later)]
    assert ids == sorted(ids)
    assert (await again).duplicate


async def test_who_is_no_longer_held_is_stored_while_others_are(
    submitter: Submitter, database: Database, clock: HandClock
) -> None:
    slow = await accounts_of(database, clock, 5)
    async with database.transaction() as held, asyncio.timeout(20):
        await scrobbles.lock_accounts(held, slow[:4])
        async with database.transaction() as brief:
            await scrobbles.lock_accounts(brief, slow[4:])
            waiting = [asyncio.create_task(one_native(submitter, each)) for each in slow]
            last = [waiting.pop(), asyncio.create_task(one_native(submitter, slow[4], seconds=300))]
            for each in await accounts_of(database, clock, 3, "free"):  # until all have been tried
                await one_native(submitter, each)
        await until_done(last, database, clock)
        assert not any(task.done() for task in waiting)
    await until_done(waiting, database, clock)


async def until_done(waiting: Sequence[asyncio.Task[Stored]], database: Database, clock: HandClock) -> None:
    async def are_done() -> bool:
        async with database.connection() as conn:
            await conn.fetchval("SELECT 1")
        return all(task.done() for task in waiting)

    await turning.until(are_done, clock)


async def one_native(submitter: Submitter, account_id: int, seconds: float = 0) -> Stored:
    (stored,) = await submitter.submit(account_id, [play(seconds=seconds)], band=Band.DEFAULT, window_s=30)
    return stored
