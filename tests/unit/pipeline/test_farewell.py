"""An account that leaves takes with it what is its own, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from sleevenotes import app, errors, model
from sleevenotes.artwork.files import Files
from sleevenotes.clock import HandClock
from sleevenotes.pipeline import farewell
from sleevenotes.pipeline.submit import Submitter
from sleevenotes.settings import Settings
from sleevenotes.store import accounts, farewells, images, sent_images
from sleevenotes.store.postgres import Connection, Database


async def picture(conn: Connection, files: Files, text: str, clock: HandClock) -> int:
    digest = files.keep(text.encode())
    image = model.Image(digest, 500, 500, "image/png", len(text), b"", "#000000")
    return await images.keep(conn, image, clock.now())


async def test_pictures_that_only_it_shows_go_with_it_and_shared_ones_stay(
    database: Database, clock: HandClock, tmp_path: Path
) -> None:
    files, submitter = Files(tmp_path), Submitter(database, clock)
    async with database.connection() as conn:
        maria = await accounts.create(conn, "maria", "", is_owner=True, now=clock.now())
        otto = await accounts.create(conn, "otto", "", is_owner=False, now=clock.now())
        own, shared, chosen = [await picture(conn, files, name, clock) for name in ("own", "shared", "chosen")]
    play = model.Scrobble("Nina Simone", "Sinnerman", listened_at=clock.now())
    for account in (maria, otto):
        await submitter.submit(account.id, [play], band=model.Band.DEFAULT)
    async with database.connection() as conn:
        await conn.execute("UPDATE scrobbles SET image_id = $1", shared)
        await conn.execute(
            "UPDATE scrobbles SET image_id = $1, preferred_image_id = $2 WHERE account_id = $3", own, chosen, otto.id
        )
        await conn.execute("UPDATE lookups SET image_id = $1", chosen)
    went, gone = await farewell.leave(database, files, otto.id, clock.now())
    assert (went.plays, went.images, gone) == (1, 1, True)
    async with database.connection() as conn:
        assert {row["id"] for row in await conn.fetch("SELECT id FROM images")} == {shared, chosen}
        assert await conn.fetchval("SELECT count(*) FROM scrobbles") == 1
    assert len([path for path in files.root.rglob("*") if path.is_file()]) == 2


async def test_an_image_that_its_players_sent_goes_with_its_last_play(
    database: Database, clock: HandClock, tmp_path: Path
) -> None:
    files, submitter = Files(tmp_path), Submitter(database, clock)
    async with database.connection() as conn:
        maria = await accounts.create(conn, "maria", "", is_owner=True, now=clock.now())
        otto = await accounts.create(conn, "otto", "", is_owner=False, now=clock.now())
        for name in ("own", "shared"):
            address = f"https://otto.example/{name}.jpg"
            await conn.execute(
                """
                INSERT INTO sent_images (digest, address, temporary, status, image_id, asked_at)
                VALUES ($1, $2, false, 'fetched', $3, $4)
                """,
                sent_images.digest(address),
                address,
                await picture(conn, files, name, clock),
                clock.now(),
            )
    for account, name in ((otto, "own"), (otto, "shared"), (maria, "shared")):
        sent = model.Scrobble(
            "Nina Simone", name, listened_at=clock.now(), artwork_uri=f"https://otto.example/{name}.jpg"
        )
        await submitter.submit(account.id, [sent], band=model.Band.DEFAULT)
    went, _ = await farewell.leave(database, files, otto.id, clock.now())
    assert went.images == 1
    async with database.connection() as conn:
        assert await conn.fetchval("SELECT array_agg(address) FROM sent_images") == ["https://otto.example/shared.jpg"]


async def test_every_table_that_names_accounts_is_emptied_of_one_that_leaves(
    database: Database, clock: HandClock, tmp_path: Path
) -> None:
    async with database.connection() as conn:
        await accounts.create(conn, "maria", "", is_owner=True, now=clock.now())
        otto = await accounts.create(conn, "otto", "", is_owner=False, now=clock.now())
        await conn.execute("CREATE TABLE added_later (account_id bigint NOT NULL, secret text)")
        await conn.execute("INSERT INTO added_later VALUES ($1, 'x'), (1000, 'y')", otto.id)
    await farewell.leave(database, Files(tmp_path), otto.id, clock.now())
    async with database.connection() as conn:
        assert await conn.fetchval("SELECT count(*) FROM added_later") == 1


async def test_an_account_with_many_plays_is_closed_at_once_and_deleted_by_a_job(
    settings: Settings, clock: HandClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(farewell, "SOON", 1)
    monkeypatch.setattr(farewells, "AT_ONCE", 2)
    async with app.open(settings, time=clock) as parts:
        async with parts.database.connection() as conn:
            await accounts.create(conn, "maria", "", is_owner=True, now=clock.now())
            otto = await accounts.create(conn, "otto", "a good password", is_owner=False, now=clock.now())
        plays = [model.Scrobble("Nina Simone", f"Song {n}", listened_at=clock.now()) for n in range(5)]
        await parts.submitter.submit(otto.id, plays, band=model.Band.DEFAULT)
        went, gone = await farewell.leave(parts.database, parts.files, otto.id, clock.now())
        assert (went.plays, gone) == (5, False)
        async with parts.database.connection() as conn:
            assert await accounts.by_password(conn, "otto", "a good password") is None
            assert await conn.fetchval("SELECT count(*) FROM pgqueuer WHERE entrypoint = 'farewell'") == 1
        await farewell.delete(parts.database, parts.files, otto.id)
        async with parts.database.connection() as conn:
            assert await conn.fetchval("SELECT count(*) FROM scrobbles") == 0
            assert await conn.fetchval("SELECT count(*) FROM accounts") == 1


async def test_what_is_not_closed_is_not_deleted(database: Database, clock: HandClock, tmp_path: Path) -> None:
    async with database.connection() as conn:
        maria = await accounts.create(conn, "maria", "", is_owner=True, now=clock.now())
    with pytest.raises(errors.Refused, match="last owner"):
        await farewell.leave(database, Files(tmp_path), maria.id, clock.now())
    async with database.connection() as conn:
        assert await conn.fetchval("SELECT leaving_at FROM accounts") is None
