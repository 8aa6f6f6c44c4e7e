"""What is due is taken up a little at a time: what waited longest, and what is played most."""

from __future__ import annotations

from datetime import timedelta

from sleevenotes.clock import HandClock
from sleevenotes.store import drip, lookups
from sleevenotes.store.postgres import Connection, Database
from tests.unit.store.given import account, lookup, play

HOUR = timedelta(hours=1)


async def due(conn: Connection, clock: HandClock, plays: list[int], *, hours: float = 1) -> list[int]:
    """Write names that were not found, each due a minute after the one before, with so many plays each."""
    account_id = await account(conn, f"anna {clock.now().timestamp()} {len(plays)}", clock.now())
    ids = []
    for at, count in enumerate(plays):
        lookup_id = await lookup(conn, "A", f"{len(plays)} {at}", clock.now())
        since = clock.now() - hours * HOUR + timedelta(minutes=at)
        await conn.execute(
            "UPDATE lookups SET status = 'not_found', tries = 1, recheck_at = $2 WHERE id = $1", lookup_id, since
        )
        for minute in range(count):
            await play(conn, account_id, lookup_id, clock.now() - timedelta(minutes=minute + at * 100))
        ids.append(lookup_id)
    return ids


async def test_half_of_a_round_are_the_longest_due_and_half_the_most_played(
    database: Database, clock: HandClock
) -> None:
    async with database.connection() as conn:
        ids = await due(conn, clock, [0, 0, 1, 5, 2, 9])
        assert await lookups.reopen_due(conn, clock.now(), 4) == [ids[0], ids[1], ids[3], ids[5]]
        assert await lookups.reopen_due(conn, clock.now(), 4) == [ids[2], ids[4]]
        assert await lookups.reopen_due(conn, clock.now(), 4) == []


async def test_what_is_never_played_has_its_turn_though_what_is_played_more_comes_due(
    database: Database, clock: HandClock
) -> None:
    async with database.connection() as conn:
        (never,) = await due(conn, clock, [0])
        await due(conn, clock, [3, 3, 3, 3], hours=0.5)
        assert never in await lookups.reopen_due(conn, clock.now(), 2)


async def test_a_round_with_no_room_takes_nothing(database: Database, clock: HandClock) -> None:
    async with database.connection() as conn:
        await due(conn, clock, [1, 1])
        assert await lookups.reopen_due(conn, clock.now(), 0) == []


async def test_what_is_looked_for_again_is_counted_up_to_a_bound(database: Database, clock: HandClock) -> None:
    async with database.connection() as conn:
        await due(conn, clock, [0, 0, 0])
        await lookup(conn, "A", "for the first time", clock.now())
        await lookups.reopen_due(conn, clock.now(), 2)
        assert await lookups.under_way(conn, 10) == 2
        assert await lookups.under_way(conn, 1) == 1


async def test_among_many_that_are_due_a_round_counts_the_plays_of_a_few(database: Database, clock: HandClock) -> None:
    async with database.connection() as conn:
        await conn.execute(
            """
            INSERT INTO lookups (identity, artist, track, artist_key, track_key, release_key, key_version, created_at,
                                 status, recheck_at)
            SELECT convert_to('n' || n, 'UTF8'), 'A', 'n' || n, 'a', 'n' || n, '', 1, $1, 'not_found',
                   $1::timestamptz - interval '1 day' + n * interval '1 second'
            FROM generate_series(1, $2) n
            """,
            clock.now(),
            drip.AMONG + 50,
        )
        behind = await due(conn, clock, [4])
        assert not set(behind) & set(await lookups.reopen_due(conn, clock.now(), 20))
        left = await conn.fetchval("SELECT count(*) FROM lookups WHERE status = 'not_found'")
        assert left == drip.AMONG + 50 + 1 - 20
