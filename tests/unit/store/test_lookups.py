"""Lookups: a name is written once, whoever sends it, however it is folded."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio

from sleevenotes import names
from sleevenotes.clock import HandClock
from sleevenotes.model import Band
from sleevenotes.store import lookups
from sleevenotes.store.postgres import Connection, Database

NAME = names.digest("Boards of Canada", "Roygbiv", "")


def named(band: Band, plays: int = 1) -> dict[bytes, lookups.New]:
    return {NAME: lookups.New("Boards of Canada", "Roygbiv", "", band, plays)}


@pytest_asyncio.fixture
async def conn(database: Database) -> AsyncIterator[Connection]:
    async with database.connection() as connection:
        yield connection


async def test_a_new_name_is_written_with_its_keys_and_unasked(conn: Connection, clock: HandClock) -> None:
    met = (await lookups.meet(conn, named(Band.DEFAULT, 2), clock.now()))[NAME]
    assert (met.pending, met.unasked, met.bare_group_id) == (True, True, None)
    row = await conn.fetchrow("SELECT * FROM lookups")
    assert (row["id"], row["plays"], row["band"], row["status"]) == (met.id, 2, Band.DEFAULT, "pending")
    assert (row["artist"], row["artist_key"], row["track_key"], row["release_key"]) == (
        *("Boards of Canada", "boardsofcanada", "roygbiv", ""),
    )
    assert (row["key_version"], row["created_at"]) == (names.KEY_VERSION, clock.now())


async def test_a_known_name_counts_its_plays_and_keeps_the_most_urgent_band(conn: Connection, clock: HandClock) -> None:
    first = (await lookups.meet(conn, named(Band.DEFAULT), clock.now()))[NAME]
    again = (await lookups.meet(conn, named(Band.LOW_PRIORITY, 3), clock.now()))[NAME]
    assert (again.id, again.unasked) == (first.id, False)
    row = await conn.fetchrow("SELECT plays, band FROM lookups")
    assert tuple(row) == (4, Band.DEFAULT)


async def test_a_pending_name_that_became_more_urgent_is_to_be_asked_anew(conn: Connection, clock: HandClock) -> None:
    await lookups.meet(conn, named(Band.LOW_PRIORITY), clock.now())
    assert (await lookups.meet(conn, named(Band.CRITICAL), clock.now()))[NAME].unasked


async def test_a_decided_name_is_not_asked_anew_however_urgent(conn: Connection, clock: HandClock) -> None:
    await lookups.meet(conn, named(Band.LOW_PRIORITY), clock.now())
    await conn.execute("UPDATE lookups SET status = 'not_found'")
    met = (await lookups.meet(conn, named(Band.CRITICAL), clock.now()))[NAME]
    assert (met.pending, met.unasked) == (False, False)


async def test_plays_are_taken_off_and_never_below_none(conn: Connection, clock: HandClock) -> None:
    met = (await lookups.meet(conn, named(Band.DEFAULT, 3), clock.now()))[NAME]
    await lookups.count_off(conn, {met.id: 2})
    assert await conn.fetchval("SELECT plays FROM lookups") == 1
    await lookups.count_off(conn, {met.id: 5})
    assert await conn.fetchval("SELECT plays FROM lookups") == 0
