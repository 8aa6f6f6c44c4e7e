"""Lookups: a name is written once, whoever sends it, however it is folded."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest_asyncio

from sleevenotes import names
from sleevenotes.clock import HandClock
from sleevenotes.model import Band
from sleevenotes.store import lookups
from sleevenotes.store.postgres import Connection, Database
from tests.unit.store import given

NAME = names.digest("Boards of Canada", "Roygbiv", "")


def named(band: Band) -> dict[bytes, lookups.New]:
    return {NAME: lookups.New("Boards of Canada", "Roygbiv", "", band)}


@pytest_asyncio.fixture
async def conn(database: Database) -> AsyncIterator[Connection]:
    async with database.connection() as connection:
        yield connection


async def test_a_new_name_is_written_with_its_keys_and_unasked(conn: Connection, clock: HandClock) -> None:
    met = (await lookups.meet(conn, named(Band.DEFAULT), clock.now()))[NAME]
    assert (met.pending, met.unasked, met.bare_group_id) == (True, True, None)
    row = await conn.fetchrow("SELECT * FROM lookups")
    assert (row["id"], row["band"], row["status"]) == (met.id, Band.DEFAULT, "pending")
    assert (row["artist"], row["artist_key"], row["track_key"], row["release_key"]) == (
        *("Boards of Canada", "boardsofcanada", "roygbiv", ""),
    )
    assert (row["key_version"], row["created_at"]) == (names.KEY_VERSION, clock.now())


async def test_a_known_name_is_found_again_and_keeps_the_most_urgent_band(conn: Connection, clock: HandClock) -> None:
    first = (await lookups.meet(conn, named(Band.DEFAULT), clock.now()))[NAME]
    again = (await lookups.meet(conn, named(Band.LOW_PRIORITY), clock.now()))[NAME]
    assert (again.id, again.unasked) == (first.id, False)
    assert [row["band"] for row in await conn.fetch("SELECT band FROM lookups")] == [Band.DEFAULT]


async def test_a_name_that_another_transaction_is_just_writing_is_waited_for_and_found(
    database: Database, clock: HandClock
) -> None:
    async with database.connection() as second:
        async with database.transaction() as first:
            met = (await lookups.meet(first, named(Band.DEFAULT), clock.now()))[NAME]
            late = asyncio.create_task(lookups.meet(second, named(Band.DEFAULT), clock.now()))
            await until_it_waits(database)
        assert (await late)[NAME] == lookups.Met(met.id, pending=True, unasked=False, bare_group_id=None)


async def test_where_ten_names_of_an_artist_wait_the_first_opens_its_releases(
    conn: Connection, clock: HandClock
) -> None:
    account = await given.account(conn, "nora", clock.now())
    many = [await given.lookup(conn, "Boards of Canada", f"track {number}", clock.now()) for number in range(12)]
    few = [await given.lookup(conn, "Autechre", f"track {number}", clock.now()) for number in range(9)]
    for second, lookup_id in enumerate((*many, *many, *few)):
        await given.play(conn, account, lookup_id, clock.now() + timedelta(seconds=second))
    waiting = {each.id: each for each in await lookups.load_pending(conn, [*many, *few])}
    opening = [each.id for each in waiting.values() if each.opens]
    assert opening == [many[0]]
    assert [each.id for each in waiting.values() if each.is_tenth] == [many[9]]
    assert {waiting[each].plays for each in opening} == {24}  # those of all the artist's names
    assert {each.plays for each in waiting.values() if not each.opens} == {1, 2}


async def until_it_waits(database: Database) -> None:
    """Return when a statement waits for another transaction."""
    async with database.connection() as conn, asyncio.timeout(10):
        while not await conn.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted"):
            pass


async def test_a_pending_name_that_became_more_urgent_is_to_be_asked_anew(conn: Connection, clock: HandClock) -> None:
    await lookups.meet(conn, named(Band.LOW_PRIORITY), clock.now())
    assert (await lookups.meet(conn, named(Band.CRITICAL), clock.now()))[NAME].unasked
    assert await conn.fetchval("SELECT band FROM lookups") == Band.CRITICAL


async def test_a_decided_name_is_not_asked_anew_however_urgent(conn: Connection, clock: HandClock) -> None:
    await lookups.meet(conn, named(Band.LOW_PRIORITY), clock.now())
    await conn.execute("UPDATE lookups SET status = 'not_found'")
    met = (await lookups.meet(conn, named(Band.CRITICAL), clock.now()))[NAME]
    assert (met.pending, met.unasked) == (False, False)


async def test_the_first_name_of_an_album_counts_the_plays_of_all_of_it(database: Database, clock: HandClock) -> None:
    async with database.transaction() as conn:
        account = await given.account(conn, "ann", clock.now())
        plays = {("Roygbiv", "Music Has the Right"): 1, ("Olson", "Music Has The Right!"): 3, ("Single", ""): 2}
        ids = {}
        for (track, release), times in plays.items():
            identity = names.digest("Boards of Canada", track, release)
            new = lookups.New("Boards of Canada", track, release, Band.LOW_PRIORITY)
            ids[track] = (await lookups.meet(conn, {identity: new}, clock.now()))[identity].id
            for later in range(times):
                await given.play(conn, account, ids[track], clock.now() + timedelta(seconds=later))
        pending = {each.track: each.plays for each in await lookups.load_pending(conn, list(ids.values()))}
    assert pending == {"Roygbiv": 4, "Olson": 3, "Single": 2}
