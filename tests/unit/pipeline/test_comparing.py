"""All plays of an account are compared over again: once after a migration, when asked, from where it stopped."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from sleevenotes.clock import HandClock
from sleevenotes.model import Band
from sleevenotes.pipeline import comparing, recheck
from sleevenotes.pipeline.submit import Submitter
from sleevenotes.pipeline.tools import Tools
from sleevenotes.store import comparisons, migrate, postgres
from sleevenotes.store.postgres import Database
from tests.unit.pipeline.submits import queued
from tests.unit.pipeline.test_sameplay import LASTFM, SPOTIFY, account, play, shown, submit, submitter, tools
from tests.unit.store import given

__all__ = ["account", "submitter", "tools"]

TIMES = (0, 3000, 6000)


@pytest.fixture
def leftovers() -> migrate.Migration:
    return next(each for each in migrate.read() if each.name == "leftovers")


async def compared_by_nobody(submitter: Submitter, database: Database, account: int) -> list[int]:
    """Store three plays twice, as they were before the same plays were looked for; return the ids of the second."""
    both = [play(origin, at + late) for at in TIMES for origin, late in ((LASTFM, 0), (SPOTIFY, 5))]
    stored = await submit(submitter, account, *both)
    async with database.connection() as conn:
        await conn.execute("UPDATE scrobbles SET same_as = NULL")
    assert len(await shown(database, account)) == 6
    return [one.id for one in stored[1::2]]


async def test_what_lies_after_a_migration_is_taken_up_once_with_the_least_hurry(
    submitter: Submitter, database: Database, account: int, tools: Tools, clock: HandClock
) -> None:
    await compared_by_nobody(submitter, database, account)
    async with database.connection() as conn:
        await comparisons.begin(conn, account, clock.now() - timedelta(days=1))
    await recheck.tidy(tools)
    assert await queued(database, "same_plays") == [(account, int(Band.LOW_PRIORITY))]
    await comparing.run(tools, [account], Band.LOW_PRIORITY)
    assert await shown(database, account) == [(LASTFM, at) for at in TIMES]
    await recheck.tidy(tools)
    assert len(await queued(database, "same_plays")) == 1  # nothing lies any more


async def test_it_goes_on_where_it_stopped(
    submitter: Submitter, database: Database, account: int, tools: Tools, clock: HandClock
) -> None:
    seconds = await compared_by_nobody(submitter, database, account)
    async with database.connection() as conn:
        await comparisons.begin(conn, account, clock.now())
        at = await conn.fetchval("SELECT listened_at FROM scrobbles WHERE id = $1", seconds[0])
        await comparisons.reached(conn, account, (at + timedelta(seconds=1000), 0), clock.now())
        assert await comparisons.lying(conn, clock.now()) == []  # somebody is at it
    await comparing.run(tools, [account], Band.DEFAULT)
    assert await shown(database, account) == [(LASTFM, 0), (SPOTIFY, 5), (LASTFM, 3000), (LASTFM, 6000)]


async def test_a_long_history_is_compared_in_pieces_and_names_the_next(
    submitter: Submitter, database: Database, account: int, tools: Tools, clock: HandClock
) -> None:
    await submit(submitter, account, play(LASTFM, 0), play(SPOTIFY, 9_000))
    async with database.connection() as conn:
        await conn.execute(
            """
            INSERT INTO scrobbles (account_id, listened_at, identity, lookup_id, artist, track, origin, inserted_at)
            SELECT account_id, listened_at + n * interval '1 hour', identity, lookup_id, artist, track, origin,
                inserted_at
            FROM scrobbles, generate_series(1, $1) AS n WHERE origin = $2
            """,
            comparing.PIECE * comparing.SLICE,
            LASTFM,
        )
        await comparisons.begin(conn, account, clock.now())
    await comparing.run(tools, [account], Band.LOW_PRIORITY)
    assert await queued(database, "same_plays") == [(account, int(Band.LOW_PRIORITY))]
    async with database.connection() as conn:
        under_way = await comparisons.of_account(conn, account)
    assert under_way is not None
    assert under_way.after is not None
    await comparing.run(tools, [account], Band.LOW_PRIORITY)
    async with database.connection() as conn:
        assert await comparisons.of_account(conn, account) is None


@contextlib.asynccontextmanager
async def database_before(
    migration: migrate.Migration, database_url: str, directory: Path, clock: HandClock
) -> AsyncIterator[postgres.Connection]:
    """Make a database of its own, as it was before this migration, which lies in the directory when it comes to run."""
    name = database_url.partition("?")[0].rpartition("/")[2]
    admin = await postgres.connect(database_url)
    await admin.execute(f"CREATE DATABASE {name}_before")
    conn = await postgres.connect(database_url.replace(name, f"{name}_before"))
    for each in migrate.read()[: migration.number - 1]:
        (directory / f"{each.number:04}_{each.name}.sql").write_text(each.sql, "utf-8")
    await migrate.run(conn, clock.now(), directory=directory)
    (directory / f"{migration.number:04}_{migration.name}.sql").write_text(migration.sql, "utf-8")
    try:
        yield conn
    finally:
        await conn.close()
        await admin.execute(f"DROP DATABASE {name}_before")
        await admin.close()


async def test_the_migration_sees_to_accounts_of_several_origins_and_parts_spotifys_exports(
    database_url: str, clock: HandClock, tmp_path: Path, leftovers: migrate.Migration
) -> None:
    async with database_before(leftovers, database_url, tmp_path, clock) as conn:
        await _parts_spotifys_exports(conn, clock, tmp_path)


async def _parts_spotifys_exports(conn: postgres.Connection, clock: HandClock, tmp_path: Path) -> None:
    spotify, both, one = [await given.account(conn, who, clock.now()) for who in ("spotify", "both", "one")]
    lookup = await given.lookup(conn, "Marrow", "Kelp", clock.now())
    rows: tuple[tuple[int, str, str, dict[str, int], int], ...] = (
        (spotify, "spotify", "", {"ms_played": 1}, 1), (spotify, "spotify", "Salt", {"ms_played": 1}, 2),
        (both, "spotify", "", {"ms_played": 1}, 3), (both, "lastfm", "", {}, 4), (one, "lastfm", "", {}, 5),
        (one, "lastfm", "", {"ms_played": 1}, 6),
    )  # fmt: skip
    for account_id, origin, release, extra, import_id in rows:
        await conn.execute(
            """
            INSERT INTO scrobbles (account_id, listened_at, identity, lookup_id, artist, track, release, origin, extra,
                                   import_id, inserted_at)
            VALUES ($1, $2, $3, $4, 'Marrow', 'Kelp', $5, $6, $7, $8, $2)
            """,
            account_id, clock.now() + timedelta(seconds=import_id), b"k", lookup, release, origin, extra, import_id,
        )  # fmt: skip
        await conn.execute("INSERT INTO account_origins VALUES ($1, $2) ON CONFLICT DO NOTHING", account_id, origin)
    await conn.execute("INSERT INTO origins_apart VALUES ($1, 'lastfm', 'spotify', $2)", both, clock.now())
    assert await migrate.run(conn, clock.now(), directory=tmp_path) == 1
    origins = await conn.fetch("SELECT origin FROM scrobbles ORDER BY import_id")
    parted = ["spotify_account", "spotify", "spotify_account", "lastfm", "lastfm", "lastfm"]
    assert [row["origin"] for row in origins] == parted
    assert await comparisons.lying(conn, clock.now()) == [spotify, both]
    known = await conn.fetch("SELECT account_id, origin FROM account_origins ORDER BY 1, 2")
    assert [tuple(row) for row in known] == [
        (spotify, "spotify"), (spotify, "spotify_account"), (both, "lastfm"), (both, "spotify_account"), (one, "lastfm")
    ]  # fmt: skip
    apart = await conn.fetch("SELECT account_id, origin, other_origin FROM origins_apart ORDER BY 3")
    assert [tuple(row) for row in apart] == [(both, "lastfm", "spotify"), (both, "lastfm", "spotify_account")]


async def test_the_migration_parts_what_last_fm_told_to_the_minute(
    database_url: str, clock: HandClock, tmp_path: Path
) -> None:
    migration = next(each for each in migrate.read() if each.name == "lastfm_minutes")
    async with database_before(migration, database_url, tmp_path, clock) as conn:
        rough, both, exact = [await given.account(conn, who, clock.now()) for who in ("rough", "both", "exact")]
        await _imported(conn, clock, rough, origin="lastfm", importer="lastfm_csv", seconds=0)
        await _imported(conn, clock, both, origin="lastfm", importer="lastfm_csv", seconds=0)
        await _imported(conn, clock, both, origin="lastfm", importer="lastfm_csv", seconds=13)
        await _imported(conn, clock, both, origin="spotify", importer="spotify", seconds=0)
        await _imported(conn, clock, exact, origin="lastfm", importer="lastfm_json", seconds=0)
        await conn.execute("INSERT INTO origins_apart VALUES ($1, 'lastfm', 'spotify', $2)", both, clock.now())
        assert await migrate.run(conn, clock.now(), directory=tmp_path) == 1
        known = await conn.fetch("SELECT DISTINCT account_id, origin FROM scrobbles ORDER BY 1, 2")
        assert [tuple(row) for row in known] == [
            (rough, "lastfm_minutes"),
            *[(both, origin) for origin in ("lastfm", "lastfm_minutes", "spotify")],
            (exact, "lastfm"),
        ]
        assert await conn.fetch("SELECT account_id, origin FROM account_origins ORDER BY 1, 2") == known
        assert await comparisons.lying(conn, clock.now()) == [both]
        apart = await conn.fetch("SELECT origin, other_origin FROM origins_apart ORDER BY 1")
        assert [tuple(row) for row in apart] == [("lastfm", "spotify"), ("lastfm_minutes", "spotify")]


async def _imported(
    conn: postgres.Connection, clock: HandClock, account_id: int, *, origin: str, importer: str, seconds: int
) -> None:
    """Store three plays as an import of this format did, so many seconds into their minutes."""
    lookup = await given.lookup(conn, "Marrow", f"Kelp {account_id} {origin} {seconds}", clock.now())
    number = await conn.fetchval(
        """
        INSERT INTO imports (account_id, file_name, upload, size, format, status, created_at)
        VALUES ($1, 'x', '', 1, $2, 'done', $3) RETURNING id
        """,
        account_id, importer, clock.now(),
    )  # fmt: skip
    for minute in range(3):
        at = clock.now().replace(second=seconds, microsecond=0) + timedelta(minutes=minute)
        await conn.execute(
            """
            INSERT INTO scrobbles (account_id, listened_at, identity, lookup_id, artist, track, origin, import_id,
                                   inserted_at)
            VALUES ($1, $2, $3, $4, 'Marrow', 'Kelp', $5, $6, $2)
            """,
            account_id, at, origin.encode(), lookup, origin, number,
        )  # fmt: skip
    await conn.execute("INSERT INTO account_origins VALUES ($1, $2) ON CONFLICT DO NOTHING", account_id, origin)
