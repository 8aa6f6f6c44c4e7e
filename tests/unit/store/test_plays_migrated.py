"""What migrations make of the plays of earlier versions."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest_asyncio

from sleevenotes.clock import HandClock
from sleevenotes.store import migrate
from tests.unit.store import earlier

Until = Callable[[int], Coroutine[Any, Any, Any]]

LISTENERS = """
    INSERT INTO accounts (name, password_hash, is_owner, created_at)
    SELECT name, '', false, '2026-01-01Z' FROM unnest(ARRAY['ann', 'ben', 'cleo']) WITH ORDINALITY AS a (name, n)
    ORDER BY n;
    INSERT INTO lookups (identity, artist, track, artist_key, track_key, release_key, key_version, created_at)
    VALUES ('x', 'Joni', 'River', 'joni', 'river', '', 1, '2026-01-01Z');
"""


def play(account_id: int, minute: int, same_as: int | None = None) -> str:
    """Return the statement that stores a play; plays are numbered from 1 on."""
    return f"""
        INSERT INTO scrobbles (account_id, listened_at, identity, lookup_id, artist, track, origin,
                               same_as, inserted_at)
        VALUES ({account_id}, timestamptz '2026-01-01Z' + {minute} * interval '1 minute', '\\x0a', 1, 'Joni', 'River',
                'lastfm', {same_as or "NULL"}, '2026-01-01Z');
    """


@pytest_asyncio.fixture
async def until(database_url: str, clock: HandClock, tmp_path: Path) -> AsyncIterator[Until]:
    """Return what makes a database as it was after this migration, with three listeners, and connects to it."""
    opened = []

    async def made(number: int) -> Any:
        connection = await earlier.connected(database_url, number, tmp_path, clock.now())
        opened.append(connection)
        await connection.execute(LISTENERS)
        return connection

    yield made
    for connection in opened:
        await connection.close()


async def test_what_was_hidden_behind_a_play_that_is_gone_is_shown_again(until: Until, clock: HandClock) -> None:
    connection = await until(26)
    await connection.execute(play(1, 0) + play(1, 1, same_as=1) + play(2, 0) + play(2, 1, same_as=99))
    await migrate.run(connection, clock.now())
    rows = await connection.fetch("SELECT same_as FROM scrobbles ORDER BY id")
    assert [row["same_as"] for row in rows] == [None, 1, None, None]
    assert [row["account_id"] for row in await connection.fetch("SELECT account_id FROM comparisons")] == [2]


async def test_marks_that_nobody_made_are_gone_and_those_of_listeners_stay(until: Until, clock: HandClock) -> None:
    connection = await until(26)
    await connection.execute(play(1, 0) + play(1, 1, same_as=1) + play(2, 0) + play(2, 1))
    await connection.execute("INSERT INTO own_plays SELECT id, '2026-01-02Z' FROM scrobbles WHERE id IN (1, 4)")
    await connection.execute("INSERT INTO comparisons VALUES (1, '2026-01-01Z', 1, '2026-01-02Z')")
    await migrate.run(connection, clock.now())
    assert [row["scrobble_id"] for row in await connection.fetch("SELECT scrobble_id FROM own_plays")] == [4]
    [compared] = await connection.fetch("SELECT account_id, reached_id FROM comparisons")
    assert tuple(compared) == (1, 0)


async def test_what_was_deleted_within_the_last_day_stays_deleted_and_what_was_told_anew_is_not(
    until: Until, clock: HandClock
) -> None:
    connection = await until(27)
    await connection.execute(play(1, 0) + play(1, 5))
    await connection.execute(
        """
        INSERT INTO deletions (account_id, deleted_at) VALUES (1, '2026-01-02Z');
        WITH gone AS (DELETE FROM scrobbles WHERE id = 1 RETURNING *)
        INSERT INTO deleted_scrobbles (deletion_id, scrobble_id, scrobble) SELECT 1, id, to_jsonb(gone) FROM gone;
        INSERT INTO former_plays VALUES (1, '2025-12-31Z', '\\x0b', 2);
        INSERT INTO dismissed_plays VALUES (1, '2025-12-31Z', '\\x0b'), (1, '2025-12-30Z', '\\x0c');
        """
    )
    await migrate.run(connection, clock.now())
    rows = await connection.fetch("SELECT listened_at::date::text AS day, identity FROM dismissed_plays ORDER BY 1")
    assert [tuple(row) for row in rows] == [("2025-12-30", b"\x0c"), ("2026-01-01", b"\x0a")]
