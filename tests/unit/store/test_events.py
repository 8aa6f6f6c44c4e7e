"""Events: told on commit, read in order, never skipped, never told to others."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from sleevenotes import errors
from sleevenotes.clock import HandClock
from sleevenotes.events import WAKE_EVENTS, LookupsDecided, NowPlayingChanged
from sleevenotes.store import events
from sleevenotes.store.postgres import Connection, Database


async def new_account(connection: Connection, name: str, clock: HandClock) -> int:
    number: int = await connection.fetchval(
        "INSERT INTO accounts (name, password_hash, created_at) VALUES ($1, '', $2) RETURNING id", name, clock.now()
    )
    return number


def ids(page: events.Page) -> list[int]:
    return [number for _, event in page.events for number in event["ids"]]


async def test_what_is_told_is_read_in_order_and_only_once(database: Database, clock: HandClock) -> None:
    async with database.connection() as connection:
        account = await new_account(connection, "ann", clock)
        start = (await events.read(connection, account, "")).cursor
        await events.tell(connection, [account], LookupsDecided(ids=(1,)), clock.now())
        await events.tell(connection, [account], LookupsDecided(ids=(2,)), clock.now())
        page = await events.read(connection, account, start)
        assert [event for _, event in page.events] == [
            {"type": "lookups_decided", "ids": [1]},
            {"type": "lookups_decided", "ids": [2]},
        ]
        assert ids(await events.read(connection, account, page.events[0][0])) == [2]
        assert await events.read(connection, account, page.cursor) == events.Page([], page.cursor)


async def test_from_now_on_leaves_out_what_was_before(database: Database, clock: HandClock) -> None:
    async with database.connection() as connection:
        account = await new_account(connection, "ann", clock)
        await events.tell(connection, [account], LookupsDecided(ids=(1,)), clock.now())
        page = await events.read(connection, account, "")
        assert page.events == []
        await events.tell(connection, [account], LookupsDecided(ids=(2,)), clock.now())
        assert ids(await events.read(connection, account, page.cursor)) == [2]


async def test_a_transaction_that_commits_late_is_not_skipped(database: Database, clock: HandClock) -> None:
    async with database.connection() as reader:
        account = await new_account(reader, "ann", clock)
        cursor = (await events.read(reader, account, "")).cursor
        async with database.connection() as slow:
            slow_transaction = slow.transaction()
            await slow_transaction.__aenter__()
            await events.tell(slow, [account], LookupsDecided(ids=(1,)), clock.now())
            async with database.transaction() as quick:
                await events.tell(quick, [account], LookupsDecided(ids=(2,)), clock.now())
            early = await events.read(reader, account, cursor)
            assert early.events == []
            await slow_transaction.__aexit__(None, None, None)
        assert ids(await events.read(reader, account, early.cursor)) == [1, 2]


async def test_a_full_page_goes_on_where_it_ended(database: Database, clock: HandClock) -> None:
    async with database.connection() as connection:
        account = await new_account(connection, "ann", clock)
        cursor = (await events.read(connection, account, "")).cursor
        async with connection.transaction():
            for number in range(5):
                await events.tell(connection, [account], LookupsDecided(ids=(number,)), clock.now())
        seen: list[int] = []
        for _ in range(3):
            page = await events.read(connection, account, cursor, limit=2)
            seen += ids(page)
            cursor = page.cursor
        assert seen == [0, 1, 2, 3, 4]


async def test_each_account_reads_only_its_own(database: Database, clock: HandClock) -> None:
    async with database.connection() as connection:
        ann, bob = [await new_account(connection, name, clock) for name in ("ann", "bob")]
        cursor = (await events.read(connection, ann, "")).cursor
        await events.tell(connection, [bob], LookupsDecided(ids=(1,)), clock.now())
        await events.tell(connection, [ann, bob, ann], LookupsDecided(ids=(2,)), clock.now())
        assert ids(await events.read(connection, ann, cursor)) == [2]
        assert ids(await events.read(connection, bob, cursor)) == [1, 2]


async def test_a_cursor_from_before_what_is_kept_gets_a_reset(database: Database, clock: HandClock) -> None:
    async with database.connection() as connection:
        account = await new_account(connection, "ann", clock)
        old = (await events.read(connection, account, "")).cursor
        await events.tell(connection, [account], LookupsDecided(ids=(1,)), clock.now())
        clock.turn(23 * 3600)
        await events.tell(connection, [account], LookupsDecided(ids=(2,)), clock.now())
        assert await events.purge(connection, clock.now()) == 0
        assert ids(await events.read(connection, account, old)) == [1, 2]
        clock.turn(2 * 3600)
        assert await events.purge(connection, clock.now()) == 1
        page = await events.read(connection, account, old)
        assert page.reset
        assert page.events == []
        assert not (await events.read(connection, account, page.cursor)).reset


async def test_a_quiet_day_resets_nobody_who_kept_reading(database: Database, clock: HandClock) -> None:
    async with database.connection() as connection:
        account = await new_account(connection, "ann", clock)
        cursor = (await events.read(connection, account, "")).cursor
        await events.tell(connection, [account], LookupsDecided(ids=(1,)), clock.now())
        cursor = (await events.read(connection, account, cursor)).cursor
        clock.turn(timedelta(days=3).total_seconds())
        assert await events.purge(connection, clock.now()) == 1
        page = await events.read(connection, account, cursor)
        assert not page.reset
        await events.tell(connection, [account], LookupsDecided(ids=(2,)), clock.now())
        assert ids(await events.read(connection, account, page.cursor)) == [2]


async def test_a_cursor_of_another_database_gets_a_reset(database: Database, clock: HandClock) -> None:
    async with database.connection() as connection:
        account = await new_account(connection, "ann", clock)
        assert (await events.read(connection, account, "99999999999.3")).reset


@pytest.mark.parametrize("cursor", ["x", "12", "12.", ".3", "1.2.3", "-1.2", "1.1e3", "9" * 30 + ".1", "²³.1"])
async def test_what_is_no_cursor_is_refused_by_name(database: Database, cursor: str) -> None:
    async with database.connection() as connection:
        with pytest.raises(errors.Refused) as refused:
            await events.read(connection, 1, cursor)
    assert refused.value.field == "after"


async def test_readers_are_woken_with_the_accounts_number_on_commit(database: Database, clock: HandClock) -> None:
    heard: asyncio.Queue[str] = asyncio.Queue()
    await database.listen(WAKE_EVENTS, heard.put_nowait)
    async with database.transaction() as connection:
        account = await new_account(connection, "ann", clock)
        await events.tell(connection, [account], NowPlayingChanged(), clock.now())
        assert heard.empty()
    async with asyncio.timeout(10):
        assert await heard.get() == str(account)
