"""Everything of an installation goes into one file and comes back; what is damaged changes nothing."""

from __future__ import annotations

import asyncio
import itertools
import os
import shutil
import zipfile
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
import pytest_asyncio

from sleevenotes import app, errors, model
from sleevenotes.artwork.files import Files
from sleevenotes.clock import HandClock
from sleevenotes.pipeline import backup
from sleevenotes.settings import Settings
from sleevenotes.store import accounts, backups, deletions, images, migrate, postgres
from sleevenotes.store.postgres import Database
from tests.browser.sample import SLEEVES, Listener, draw

_numbers = itertools.count(1)

New = Callable[[], Settings]


@pytest_asyncio.fixture
async def empty(server_url: str, tmp_path: Path) -> AsyncIterator[Settings]:
    """Return the settings of an installation that has never been started, on a database of its own."""
    name = f"restored_{next(_numbers)}"
    base, _, query = server_url.partition("?")
    server = base.rpartition("/")[0]
    admin = await postgres.connect(f"{server}/postgres?{query}")
    try:
        await admin.execute(f"CREATE DATABASE {name}")
        yield Settings(database_url=f"{server}/{name}?{query}", data_dir=str(tmp_path / name))
        await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
    finally:
        await admin.close()


async def live(settings: Settings, database: Database, clock: HandClock) -> Listener:
    """Fill an installation with a little of everything."""
    listener = Listener(database, clock, Files(settings.data_path))
    account = await listener.arrive()
    for sleeve in SLEEVES[:2]:
        stored = await listener.play(sleeve, sleeve.tracks[0], clock.now())
        group = await listener.match(stored.lookup_id, sleeve, sleeve.tracks[0])
        await listener.find_cover(group, sleeve)
    gone = await listener.play(SLEEVES[2], 'A "quoted"\ttrack \\ with\nall sorts', clock.now())
    waiting = await listener.play(SLEEVES[3], SLEEVES[3].tracks[1], clock.now())
    async with database.connection() as conn:
        await conn.execute(
            "UPDATE scrobbles SET extra = $1 WHERE id = $2", {"odd": "\\N \t tab", "list": [1, None]}, waiting.id
        )
        await deletions.delete(conn, account.id, [gone.id], clock.now())
    return listener


async def everything(conn: Any) -> dict[str, list[str]]:
    """Return the rows of all tables as text, sorted."""
    found = {}
    for table in await backups.tables(conn):
        rows = await conn.fetch(f'SELECT t::text AS row FROM "{table.name}" t')
        found[table.name] = sorted(row["row"] for row in rows)
    return found


async def test_all_rows_images_and_waiting_jobs_come_back_as_they_were(
    settings: Settings, database: Database, clock: HandClock, tmp_path: Path, empty: Settings
) -> None:
    listener = await live(settings, database, clock)
    file = tmp_path / "backup.zip"
    seen: list[tuple[str, int, int]] = []
    made = await backup.make(settings, file, clock.now(), lambda *said: seen.append(said))
    assert (made.plays, made.images, made.missing) == (3, 2, 0)
    assert {what for what, _, _ in seen} == {"rows", "images"}
    assert all(done <= total for _, done, total in seen)
    assert file.stat().st_mode & 0o077 == 0, "it holds secrets"
    async with database.connection() as conn:
        before = await everything(conn)
        jobs = await conn.fetch("SELECT entrypoint, priority, payload FROM pgqueuer ORDER BY id")

    restored = await backup.restore(empty, file, clock.now())
    assert restored == made
    async with app.open(empty, time=clock) as parts, parts.database.connection() as conn:
        assert await everything(conn) == before
        again = await conn.fetch("SELECT entrypoint, priority, payload FROM pgqueuer ORDER BY id")
        assert [tuple(job) for job in again] == [tuple(job) for job in jobs]
        assert await accounts.by_token(conn, listener.token, clock.now()), "players need not be told anything"
        for digest in await images.digests(conn):
            assert parts.files.original(digest)
        [kept] = await deletions.recent(conn, listener.account.id, clock.now())
        assert len(await deletions.undo(conn, listener.account.id, kept.id, clock.now()) or ()) == 1
        stored = await parts.submitter.submit(
            listener.account.id, [model.Scrobble("Moondog", "Lament", listened_at=clock.now())], band=model.Band.DEFAULT
        )
        assert not stored[0].duplicate
        with pytest.raises(Exception, match="violates foreign key"):
            await conn.execute("INSERT INTO tokens (account_id, name, digest, created_at) VALUES (99, '', '', now())")


async def test_a_backup_of_an_earlier_schema_is_brought_forward(
    empty: Settings, tmp_path: Path, clock: HandClock, server_url: str
) -> None:
    old = msgspec.structs.replace(empty, data_dir=str(tmp_path / "old"))
    file = tmp_path / "old.zip"
    first = [each for each in migrate.read() if each.number <= 2]
    async with postgres.bare(old) as conn:
        async with conn.transaction():
            await migrate.apply(conn, first, clock.now())
        await conn.execute(
            "INSERT INTO accounts (name, password_hash, is_owner, created_at) VALUES ('nora', '!', true, $1)",
            clock.now(),
        )
        await conn.execute(
            "INSERT INTO tokens (account_id, name, digest, created_at) VALUES (1, 'old', sha256('old'), $1)",
            clock.now(),
        )
        await conn.execute(
            """
            INSERT INTO lookups
                (identity, artist, track, artist_key, track_key, release_key, key_version, plays, created_at)
            VALUES ('\\x01', 'Nina Simone', 'Sinnerman', 'nina simone', 'sinnerman', '', 1, 1, $1)
            """,
            clock.now(),
        )
        await conn.execute(
            """
            INSERT INTO scrobbles (account_id, listened_at, identity, lookup_id, artist, track, origin, inserted_at)
            VALUES (1, $1, '\\x02', 1, 'Nina Simone', 'Sinnerman', 'api', $1)
            """,
            clock.now(),
        )
    await backup.make(old, file, clock.now())
    async with postgres.bare(old) as conn:
        await conn.execute("DELETE FROM scrobbles; DELETE FROM accounts")
    await backup.restore(empty, file, clock.now())
    async with app.open(empty, time=clock) as parts, parts.database.connection() as conn:
        found = await accounts.by_token(conn, "old", clock.now())
        assert found is not None
        assert found.may == accounts.EVERYTHING, "the migrations in between ran on the data"
        assert await conn.fetchval("SELECT track FROM scrobbles") == "Sinnerman"
        assert await backups.schema(conn) == [each.name for each in migrate.read()]


def cut_short(file: Path) -> None:
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def flip_a_byte_of_a_picture(file: Path) -> None:
    data = bytearray(file.read_bytes())
    at = data.index(draw(SLEEVES[0])[1000:1100])
    data[at] ^= 1
    file.write_bytes(data)


def rewrite_a_table(file: Path) -> None:
    _changed(file, "tables/accounts.copy", lambda text: text.replace(b"nora", b"eve!"))


def leave_a_table_out(file: Path) -> None:
    _changed(file, "tables/scrobbles.copy", None)


def come_from_the_future(file: Path) -> None:
    _changed(file, "sleevenotes.json", lambda text: text.replace(b'"first"', b'"other"'))


def be_something_else(file: Path) -> None:
    file.write_bytes(b"no zip at all")


def _changed(file: Path, name: str, change: Callable[[bytes], bytes] | None) -> None:
    copy = file.with_suffix(".copy")
    with zipfile.ZipFile(file) as read, zipfile.ZipFile(copy, "w") as written:
        for member in read.namelist():
            if member != name:
                written.writestr(member, read.read(member))
            elif change:
                written.writestr(member, change(read.read(member)))
    shutil.move(copy, file)


async def test_what_is_damaged_is_refused_with_nothing_changed(
    settings: Settings, database: Database, clock: HandClock, tmp_path: Path, empty: Settings
) -> None:
    await live(settings, database, clock)
    whole = tmp_path / "whole.zip"
    await backup.make(settings, whole, clock.now())
    for damage in (
        cut_short,
        flip_a_byte_of_a_picture,
        rewrite_a_table,
        leave_a_table_out,
        come_from_the_future,
        be_something_else,
    ):
        file = Path(shutil.copy(whole, tmp_path / "damaged.zip"))
        damage(file)
        with pytest.raises(errors.Refused):
            backup.check(file)
        with pytest.raises(errors.Refused):
            await backup.restore(empty, file, clock.now())
    async with postgres.bare(empty) as conn:
        assert await conn.fetch("SELECT FROM pg_class WHERE relnamespace = 'public'::regnamespace") == []
    assert not Files(empty.data_path).root.exists()
    backup.check(whole)


async def test_a_restore_is_refused_where_somebody_is_or_something_was(
    settings: Settings, database: Database, clock: HandClock, tmp_path: Path, empty: Settings
) -> None:
    await live(settings, database, clock)
    file = tmp_path / "backup.zip"
    await backup.make(settings, file, clock.now())
    async with app.open(empty, time=clock):
        with pytest.raises(errors.Refused, match="stop it first"):
            await backup.restore(empty, file, clock.now())
    await backup.restore(empty, file, clock.now())  # started once, and empty: that is new enough
    with pytest.raises(errors.Refused, match="not empty"):
        await backup.restore(empty, file, clock.now())


async def test_a_backup_that_fails_leaves_no_file(
    settings: Settings, clock: HandClock, tmp_path: Path, empty: Settings
) -> None:
    with pytest.raises(errors.Unusable, match="never been started"):
        await backup.make(empty, tmp_path / "backup.zip", clock.now())
    (tmp_path / "a file").write_text("not a directory", "utf-8")
    with pytest.raises(errors.Unusable, match="a file"):
        await backup.make(settings, tmp_path / "a file" / "backup.zip", clock.now())
    assert left_by_backups(tmp_path) == []


def left_by_backups(directory: Path) -> list[str]:
    return [path.name for path in directory.iterdir() if "backup" in path.name]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files to others")
async def test_what_root_restores_belongs_to_whom_the_data_directory_belongs_to(
    settings: Settings, database: Database, clock: HandClock, tmp_path: Path, empty: Settings
) -> None:
    await live(settings, database, clock)
    file = tmp_path / "backup.zip"
    await backup.make(settings, file, clock.now())
    empty.data_path.mkdir()
    os.chown(empty.data_path, 12345, 54321)
    await backup.restore(empty, file, clock.now())
    root = Files(empty.data_path).root
    owners = {(path.stat().st_uid, path.stat().st_gid) for path in (root, *root.rglob("*"))}
    assert owners == {(12345, 54321)}


@pytest.mark.skipif(os.geteuid() != 0, reason="root's database would be somebody else's")
def test_root_is_refused_a_restore_for_somebody_who_could_not_open_its_database(tmp_path: Path) -> None:
    os.chown(tmp_path, 12345, 54321)
    with pytest.raises(errors.Unusable, match=r"belongs to user 12345.*as that user"):
        asyncio.run(backup.restore(Settings(data_dir=str(tmp_path)), tmp_path / "any.zip", HandClock().now()))
    assert not list(tmp_path.iterdir())
