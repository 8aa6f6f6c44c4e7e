"""Migrations: each once, in order, all or nothing, whoever starts at the same time."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from sleevenotes import errors
from sleevenotes.clock import HandClock
from sleevenotes.store import migrate, postgres
from tests.unit.store import earlier


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    for migration in migrate.read():
        (tmp_path / f"{migration.number:04}_{migration.name}.sql").write_text(migration.sql, "utf-8")
    return tmp_path


def add(directory: Path, name: str, sql: str) -> int:
    number = len(list(directory.glob("*.sql"))) + 1
    (directory / f"{number:04}_{name}.sql").write_text(sql, "utf-8")
    return number


async def tables(connection: Any) -> set[str]:
    rows = await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    return {row["tablename"] for row in rows}


async def test_an_open_database_has_our_tables_and_the_queue(database: postgres.Database) -> None:
    async with database.connection() as connection:
        assert {"scrobbles", "lookups", "wants", "events", "pgqueuer"} <= await tables(connection)


async def test_a_migrated_database_is_left_alone(database_url: str, clock: HandClock) -> None:
    connection = await postgres.connect(database_url)
    before = await connection.fetch("SELECT * FROM schema_migrations ORDER BY number")
    clock.turn(60)
    assert await migrate.run(connection, clock.now()) == 0
    assert await connection.fetch("SELECT * FROM schema_migrations ORDER BY number") == before
    await connection.close()


async def test_new_migrations_are_applied_in_order_and_recorded(
    database_url: str, clock: HandClock, directory: Path
) -> None:
    add(directory, "make", "CREATE TABLE fresh (n integer);")
    number = add(directory, "fill", "INSERT INTO fresh VALUES (1); INSERT INTO fresh VALUES (2);")
    connection = await postgres.connect(database_url)
    assert await migrate.run(connection, clock.now(), directory=directory) == 2
    assert await connection.fetchval("SELECT sum(n) FROM fresh") == 3
    row = await connection.fetchrow("SELECT * FROM schema_migrations WHERE number = $1", number)
    assert (row["name"], row["applied_at"]) == ("fill", clock.now())
    await connection.close()


async def test_a_migration_that_fails_leaves_nothing_behind(
    database_url: str, clock: HandClock, directory: Path
) -> None:
    add(directory, "half", "CREATE TABLE half (n integer); SELECT 1 / 0;")
    connection = await postgres.connect(database_url)
    with pytest.raises(asyncpg.DivisionByZeroError):
        await migrate.run(connection, clock.now(), directory=directory)
    assert "half" not in await tables(connection)
    assert await connection.fetchval("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'") == 0
    await connection.close()


async def test_a_database_newer_than_the_code_is_refused_naming_both(
    database_url: str, clock: HandClock, directory: Path
) -> None:
    number = add(directory, "tomorrow", "CREATE TABLE tomorrow (n integer);")
    connection = await postgres.connect(database_url)
    await migrate.run(connection, clock.now(), directory=directory)
    with pytest.raises(errors.Unusable, match=rf"migration {number} \(tomorrow\), this version ends at {number - 1}"):
        await migrate.run(connection, clock.now())
    await connection.close()


async def test_a_database_of_other_migrations_is_refused_before_any_is_applied(
    database_url: str, clock: HandClock, directory: Path
) -> None:
    number = add(directory, "ours", "CREATE TABLE ours (n integer);")
    connection = await postgres.connect(database_url)
    await connection.execute(
        "INSERT INTO schema_migrations (number, name, applied_at, checksum) VALUES ($1, 'theirs', $2, '')",
        number, clock.now(),
    )  # fmt: skip
    add(directory, "next", "CREATE TABLE next (n integer);")
    with pytest.raises(errors.Unusable, match=rf"migration {number} is 'theirs', and here it is 'ours'"):
        await migrate.run(connection, clock.now(), directory=directory)
    assert "next" not in await tables(connection)
    await connection.close()


async def test_many_that_start_at_once_migrate_once(database_url: str, clock: HandClock, directory: Path) -> None:
    add(directory, "once", "CREATE TABLE once (n integer); SELECT pg_sleep(0.05);")
    connections = [await postgres.connect(database_url) for _ in range(5)]
    applied = await asyncio.gather(
        *(migrate.run(connection, clock.now(), directory=directory) for connection in connections)
    )
    assert sorted(applied) == [0, 0, 0, 0, 1]
    for connection in connections:
        await connection.close()


@pytest.mark.parametrize("name", ["0099_gap.sql", "0001_twice.sql", "first.sql"])
def test_a_misnumbered_file_is_refused(directory: Path, name: str) -> None:
    (directory / name).write_text("SELECT 1;", "utf-8")
    with pytest.raises(errors.Unusable, match="migrations: "):
        migrate.read(directory)


async def test_an_older_queue_schema_is_upgraded(database_url: str, clock: HandClock) -> None:
    connection = await postgres.connect(database_url)
    await connection.execute("UPDATE schema_migrations SET checksum = '1.0.0' WHERE number = 0")
    await connection.execute("DROP INDEX pgqueuer_picked_heartbeat_idx")
    await migrate.run(connection, clock.now())
    assert await connection.fetchval("SELECT checksum FROM schema_migrations WHERE number = 0") != "1.0.0"
    assert await connection.fetchval("SELECT to_regclass('pgqueuer_picked_heartbeat_idx')") is not None
    await connection.close()


async def test_covers_found_before_there_were_candidates_become_candidates(
    database_url: str, clock: HandClock, tmp_path: Path
) -> None:
    connection = await earlier.connected(database_url, 1, tmp_path, clock.now())
    await connection.execute(BEFORE_CANDIDATES)
    await migrate.run(connection, clock.now())
    row = await connection.fetchrow("SELECT * FROM artwork_candidates")
    assert (row["source"], row["subject"], row["exact"], row["status"]) == (
        "coverartarchive",
        "release",
        True,
        "fetched",
    )
    assert (row["width"], row["height"], row["phash"]) == (500, 480, None)
    await connection.close()


async def test_matches_made_before_there_were_corrections_stay_as_they_are(
    database_url: str, clock: HandClock, tmp_path: Path
) -> None:
    connection = await earlier.connected(database_url, 6, tmp_path, clock.now())
    await connection.execute(BEFORE_CORRECTIONS)
    before = await connection.fetch("SELECT * FROM matches ORDER BY id")
    await migrate.run(connection, clock.now())
    after = await connection.fetch("SELECT * FROM matches ORDER BY id")
    assert [dict(row) for row in after] == [{**dict(row), "corrected_id": None} for row in before]
    assert len(after) == 2
    for nobodys in ("corrected_id = NULL, lookup_id = NULL, scrobble_id = NULL", "lookup_id = 1, scrobble_id = 1"):
        with pytest.raises(asyncpg.CheckViolationError, match="matches_owner"):
            await connection.execute(f"UPDATE matches SET {nobodys} WHERE id = 2")
    await connection.close()


async def test_rows_that_a_source_named_have_its_id_from_the_migration_on(
    database_url: str, clock: HandClock, tmp_path: Path
) -> None:
    connection = await earlier.connected(database_url, 23, tmp_path, clock.now())
    await connection.execute(BEFORE_SOURCE_IDS)
    await migrate.run(connection, clock.now())
    rows = await connection.fetch(
        """
        SELECT num_nonnulls(recording_id) AS r, num_nonnulls(release_group_id) AS g, source, foreign_kind AS kind,
               foreign_id AS id, page FROM source_ids ORDER BY r DESC, g DESC, source, foreign_id
        """
    )
    assert [tuple(row) for row in rows] == [
        (1, 0, "deezer", "", "31", "https://www.deezer.com/track/31"),
        (0, 1, "discogs", "master", "27", ""),
        (0, 1, "discogs", "release", "28", ""),
        (0, 0, "lastfm", "", "Joni+Mitchell", "https://www.last.fm/music/Joni+Mitchell"),
    ]
    await connection.close()


async def test_what_was_left_to_be_sent_by_a_connection_that_is_gone_goes_from_the_migration_on(
    database_url: str, clock: HandClock, tmp_path: Path
) -> None:
    connection = await earlier.connected(database_url, 30, tmp_path, clock.now())
    await connection.execute(BEFORE_PARTED)
    await migrate.run(connection, clock.now())
    rows = await connection.fetch("SELECT account_id, extract(day FROM since AT TIME ZONE 'UTC')::int FROM forwarding")
    assert sorted(map(tuple, rows)) == [(2, 1), (3, 5)]
    rows = await connection.fetch("SELECT account_id, scrobble_id, status FROM forwards")
    assert sorted(map(tuple, rows)) == [(1, 1, "sent"), (2, 2, "waiting"), (2, 4, "refused"), (3, 6, "waiting")]
    await connection.close()


BEFORE_PARTED = """
    INSERT INTO accounts (id, name, password_hash, created_at) OVERRIDING SYSTEM VALUE
    SELECT n, 'listener ' || n, '', '2026-01-01Z' FROM generate_series(1, 4) AS n;
    INSERT INTO connections (account_id, service, user_name, secret, status, forwards, connected_at) VALUES
        (2, 'lastfm', 'as ever', 'x', 'open', true, '2025-12-01Z'),
        (3, 'lastfm', 'turned on again', 'x', 'open', true, '2026-01-05Z'),
        (4, 'lastfm', 'another', 'x', 'open', false, '2026-01-05Z');
    INSERT INTO forwarding (account_id, service, since, due_at)
    SELECT n, 'lastfm', '2026-01-01Z', '2026-01-01Z' FROM generate_series(1, 4) AS n;
    INSERT INTO forwards (account_id, service, scrobble_id, listened_at, artist, track, status, queued_at)
    SELECT account_id, 'lastfm', id, listened_at::timestamptz, 'Nile', 'Ruins', status, '2026-01-07Z' FROM (VALUES
        (1, 1, '2026-01-02Z', 'sent'), (1, 8, '2026-01-02Z', 'waiting'), (1, 9, '2026-01-02Z', 'refused'),
        (2, 2, '2026-01-02Z', 'waiting'), (2, 4, '2026-01-02Z', 'refused'),
        (3, 5, '2026-01-02Z', 'waiting'), (3, 6, '2026-01-06Z', 'waiting'), (4, 7, '2026-01-06Z', 'waiting')
    ) AS left_over (account_id, id, listened_at, status);
"""

BEFORE_SOURCE_IDS = """
    INSERT INTO artists (foreign_id, name) VALUES ('lastfm:Joni+Mitchell', 'Joni'), ('discogs:Joni (2)', 'Joni');
    INSERT INTO artist_credits (digest, name) VALUES ('x', 'Joni');
    INSERT INTO recordings (mbid, foreign_id, title, artist_credit_id, fetched_at)
    SELECT NULL::uuid, foreign_id, 'River', id, timestamptz '2026-01-01Z'
    FROM artist_credits, unnest(ARRAY['deezer:31', 'discogs:r28', 'itunes:0']) AS foreign_id
    UNION ALL SELECT gen_random_uuid(), NULL, 'River', id, timestamptz '2026-01-01Z' FROM artist_credits;
    INSERT INTO release_groups (foreign_id, title, artist_credit_id, fetched_at)
    SELECT foreign_id, 'Blue', id, timestamptz '2026-01-01Z'
    FROM artist_credits, unnest(ARRAY['discogs:m27', 'discogs:r28']) AS foreign_id;
"""

BEFORE_CORRECTIONS = """
    INSERT INTO artist_credits (digest, name) VALUES ('x', 'Joni');
    INSERT INTO recordings (mbid, title, artist_credit_id, fetched_at)
    SELECT gen_random_uuid(), 'River', id, timestamptz '2026-01-01Z' FROM artist_credits;
    INSERT INTO lookups (identity, artist, track, artist_key, track_key, release_key, key_version, created_at)
    VALUES ('x', 'Joni', 'River', 'joni', 'river', '', 1, '2026-01-01Z');
    INSERT INTO scrobbles (account_id, listened_at, identity, lookup_id, artist, track, origin, inserted_at)
    VALUES (1, '2026-01-01Z', 'x', 1, 'Joni', 'River', 'api', '2026-01-01Z');
    INSERT INTO matches (lookup_id, recording_id, source, distance, reason, decided_at)
    VALUES (1, 1, 'musicbrainz', 0, 'so', '2026-01-01Z');
    INSERT INTO matches (scrobble_id, recording_id, source, distance, reason, decided_at)
    VALUES (1, 1, 'musicbrainz', 0, 'so', '2026-01-01Z');
"""

BEFORE_CANDIDATES = """
    INSERT INTO artist_credits (digest, name) VALUES ('x', 'Joni');
    INSERT INTO release_groups (mbid, title, artist_credit_id, fetched_at)
    SELECT gen_random_uuid(), 'Blue', id, timestamptz '2026-01-01Z' FROM artist_credits;
    INSERT INTO releases (mbid, release_group_id, title, artist_credit_id, fetched_at)
    SELECT gen_random_uuid(), id, 'Blue', artist_credit_id, '2026-01-01Z' FROM release_groups;
    INSERT INTO images (digest, mime, width, height, size, thumbhash, colour, source, source_url, created_at)
    VALUES ('d', 'image/jpeg', 500, 480, 9, 't', '#aa3344', 'coverartarchive',
            'https://coverartarchive.org/release/x/front-500', '2026-01-01Z');
    INSERT INTO artworks (release_group_id, release_id, status, image_id, wanted_at)
    SELECT release_group_id, releases.id, 'found', images.id, '2026-01-01Z' FROM releases, images;
"""
