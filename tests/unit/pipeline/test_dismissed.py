"""What a listener deletes stays deleted: files, connections and other servers do not bring it back, unless told to."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from sleevenotes import model, names
from sleevenotes.pipeline import deletions, edits, exporting
from sleevenotes.pipeline.submit import Submitter
from sleevenotes.store import connections
from sleevenotes.store import deletions as rows
from sleevenotes.store.imports import Import, every_skip
from tests.unit.pipeline.histories import LASTFM, SPOTIFY, another, bring, delete, exported, shown
from tests.unit.pipeline.importing_house import House, house

__all__ = ["house"]  # pytest finds it here

WHY = "You deleted it here."
AT = datetime.fromtimestamp(1600000000, UTC)
ONE = model.Scrobble("Alpha", "One", "Al", AT, origin="lastfm")


async def again(house: House, data: str | bytes, name: str, **options: object) -> Import:
    return await house.told(await bring(house, data, name, **options))


async def left_out(house: House, number: int) -> list[tuple[str, int, str, str]]:
    async with house.database.connection() as conn:
        found = [skip async for page in every_skip(conn, number) for skip in page]
    return [(skip.unit, skip.line, skip.kind, skip.reason) for skip in found]


async def tracks(house: House) -> list[str]:
    return [track for _, track in await shown(house)]


async def dismissed(house: House) -> bool:
    """Tell whether a history that is read at Last.fm leaves "One" out."""
    async with house.database.connection() as conn:
        found = await rows.dismissed(conn, house.account_id, [(AT, names.digest("Alpha", "One"))])
    return bool(found)


async def connect(house: House) -> None:
    async with house.database.transaction() as conn:
        now = house.clock.now()
        await connections.connect(conn, house.account_id, "lastfm", user_name="maria", token="", now=now)


# ---------------------------------------------------------------- a file that is imported again


async def test_a_deleted_play_does_not_come_back_by_its_file_and_the_report_says_where_it_stands(house: House) -> None:
    await bring(house, LASTFM, "lf.csv")
    await delete(house, "Two")
    newer = f'{LASTFM}1600001500,"x",Beta,,Be,,Five,\n'
    told = await again(house, newer, "lf.csv")
    assert (told.stored, told.duplicates, told.skipped) == (1, 4, 1)
    assert await left_out(house, told.id) == [("line", 3, "deleted here", WHY)]
    assert await tracks(house) == ["One", "Three", "Four", "Four", "Five"]


async def test_all_records_of_a_deleted_play_stay_deleted(house: House) -> None:
    await bring(house, LASTFM, "lf.csv")
    await bring(house, SPOTIFY, "sp.json")
    await delete(house, "One")
    told = await again(house, SPOTIFY, "sp.json")
    assert (told.stored, told.duplicates) == (0, 1)
    assert await left_out(house, told.id) == [("item", 1, "deleted here", WHY)]
    assert "One" not in await tracks(house)


@pytest.mark.parametrize("kind", exporting.FORMATS)
async def test_an_export_of_ours_from_before_does_not_bring_it_back_either(house: House, kind: str) -> None:
    await bring(house, LASTFM, "lf.csv")
    data = await exported(house, kind)
    await delete(house, "Two")
    told = await again(house, data, f"plays.{kind}")
    assert (told.stored, told.duplicates, told.skipped) == (0, 4, 1)
    [(unit, line, _, reason)] = await left_out(house, told.id)
    assert (unit, line, reason) == ("row" if kind == "parquet" else "line", 3 if kind == "csv" else 2, WHY)


async def test_an_import_that_is_told_to_takes_deleted_plays_too_and_they_stay(house: House) -> None:
    await bring(house, LASTFM, "lf.csv")
    await delete(house, "Two")
    told = await again(house, LASTFM, "lf.csv", include_deleted=True)
    assert (told.stored, told.duplicates, told.skipped) == (1, 4, 0)
    await house.stage().undone(told.id)
    assert "Two" not in await tracks(house)
    told = await again(house, LASTFM, "lf.csv")
    assert (told.stored, told.skipped) == (0, 1)  # as it was before that import


async def test_an_undone_deletion_is_forgotten(house: House) -> None:
    first = await bring(house, LASTFM, "lf.csv")
    await deletions.undo(house, house.account_id, await delete(house, "One"))
    assert not await dismissed(house)
    await house.stage().undone(first)
    assert (await again(house, LASTFM, "lf.csv")).stored == 5


async def test_what_is_sent_live_is_stored_though_it_was_deleted(house: House) -> None:
    await bring(house, LASTFM, "lf.csv")
    await delete(house, "One")
    [stored] = await Submitter(house.database, house.clock).submit(house.account_id, [ONE], band=model.Band.DEFAULT)
    assert not stored.duplicate
    told = await again(house, LASTFM, "lf.csv")
    assert (told.stored, told.duplicates, told.skipped) == (0, 5, 0)


async def test_a_play_that_was_told_anew_and_deleted_does_not_come_back_under_its_old_name(house: House) -> None:
    await bring(house, LASTFM, "lf.csv")
    submitter = Submitter(house.database, house.clock)
    async with house.database.connection() as conn:
        one = await conn.fetchval("SELECT id FROM scrobbles WHERE track = 'One'")
    await edits.edit(submitter, house.account_id, [one], edits.Change(artist="Alpha Fixed"))
    deletion_id = await delete(house, "One")
    assert (await again(house, LASTFM, "lf.csv")).skipped == 1
    await deletions.undo(house, house.account_id, deletion_id)
    told = await again(house, LASTFM, "lf.csv")
    assert (told.stored, told.duplicates, told.skipped) == (0, 5, 0)


# ---------------------------------------------------------------- what is read at a service


async def test_a_deleted_play_of_an_import_is_left_out_where_its_history_is_read(house: House) -> None:
    await connect(house)
    number = await bring(house, LASTFM, "lf.csv")
    await delete(house, "One")
    assert await dismissed(house)
    await house.stage().undone(number)
    assert await dismissed(house)


@pytest.mark.parametrize("connected", [True, False])
async def test_undoing_an_import_is_no_judgement_on_its_plays(house: House, *, connected: bool) -> None:
    if connected:
        await connect(house)
    await house.stage().undone(await bring(house, LASTFM, "lf.csv"))
    assert not await dismissed(house)
    assert (await again(house, LASTFM, "lf.csv")).stored == 5


# ---------------------------------------------------------------- on another server


@pytest.mark.parametrize("kind", exporting.FORMATS)
async def test_what_was_deleted_stays_so_where_an_export_is_read_back(house: House, kind: str) -> None:
    await bring(house, LASTFM, "lf.csv")
    await delete(house, "One")
    there = await another(house)
    told = await again(there, data := await exported(house, kind), f"plays.{kind}")
    assert (told.stored, told.acts, told.skipped) == (4, 1, 0)
    assert await exported(there, kind) == data
    assert await dismissed(there)
    assert (await again(there, LASTFM, "lf.csv")).skipped == 1
    assert "One" not in await tracks(there)


async def test_undoing_the_import_of_an_export_takes_back_what_it_said_was_deleted(house: House) -> None:
    await bring(house, LASTFM, "lf.csv")
    await delete(house, "One")
    there = await another(house)
    number = await bring(there, await exported(house), "plays.jsonl")
    await there.stage().undone(number)
    assert not await dismissed(there)
    assert (await again(there, LASTFM, "lf.csv")).stored == 5


async def test_a_play_that_is_here_stays_whatever_an_export_says_was_deleted(house: House) -> None:
    await bring(house, LASTFM, "lf.csv")
    there = await another(house)
    await bring(there, LASTFM, "lf.csv")
    await delete(house, "One")
    told = await again(there, await exported(house), "plays.jsonl")
    assert (told.stored, told.acts, told.skipped) == (0, 0, 0)
    assert (await tracks(there), await dismissed(there)) == (["One", "Two", "Three", "Four", "Four"], False)


async def test_an_export_does_not_say_what_a_deleted_play_was_called(house: House) -> None:
    await bring(house, LASTFM, "lf.csv")
    await delete(house, "One")
    data = await exported(house)
    assert b"One" not in data
    acts = [json.loads(line)["sleevenotes"] for line in data.splitlines() if line.startswith(b'{"sleevenotes"')]
    assert acts == [
        {
            "act": "deleted_play",
            "listened_at": "2020-09-13T12:26:40Z",
            "identity": names.digest("Alpha", "One").hex(),
        }
    ]
