"""Portraits: who ends a look."""

from __future__ import annotations

from datetime import timedelta

from sleevenotes.clock import HandClock
from sleevenotes.store import catalog, portraits
from sleevenotes.store.postgres import Database
from tests.unit.store import given


async def test_a_slow_look_does_not_end_the_one_that_was_begun_since(database: Database, clock: HandClock) -> None:
    async with database.transaction() as conn:
        await catalog.keep(conn, [(given.recording("One More Time", "Daft Punk"), None)], clock.now())
        artist_id = await conn.fetchval("SELECT id FROM artists")
        assert await portraits.want(conn, artist_id, clock.now())

    async def told(sought: portraits.Sought, listeners: int) -> None:
        again_at = clock.now() + timedelta(days=30)
        async with database.transaction() as conn:
            await portraits.told(conn, sought, image_id=None, listeners=listeners, page="", look_again_at=again_at)

    async def read() -> list[portraits.Sought]:
        async with database.connection() as conn:
            return await portraits.load_pending(conn, [artist_id])

    [quick], [slow] = await read(), await read()  # two answers came at once and woke the stage twice
    await told(quick, 7)
    clock.turn(31 * 86400)
    async with database.transaction() as conn:
        assert await portraits.want(conn, artist_id, clock.now())  # somebody opens the page a month later
    await told(slow, 7)
    [again] = await read()  # it is still looked for
    await told(again, 8)
    assert await read() == []
    async with database.connection() as conn:
        shown = await portraits.of(conn, artist_id)
        assert shown is not None
        assert shown.listeners == 8


async def test_who_has_read_no_row_ends_a_look_whoever_began_it(database: Database, clock: HandClock) -> None:
    async with database.transaction() as conn:
        await catalog.keep(conn, [(given.recording("One More Time", "Daft Punk"), None)], clock.now())
        artist_id = await conn.fetchval("SELECT id FROM artists")
        assert await portraits.want(conn, artist_id, clock.now())
    async with database.transaction() as conn:
        gone = portraits.Sought(artist_id, "", "")
        await portraits.told(conn, gone, image_id=None, listeners=None, page="", look_again_at=clock.now())
    async with database.connection() as conn:
        assert await portraits.load_pending(conn, [artist_id]) == []
