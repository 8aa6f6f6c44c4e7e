"""Imports as jobs: in pieces, resumed, undone, and one bad row among good ones."""

from __future__ import annotations

import itertools
import os
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from sleevenotes import errors, model
from sleevenotes.importers import contract, registry, table
from sleevenotes.importers.files import File
from sleevenotes.pipeline import importing, uploads
from sleevenotes.pipeline.importing import Importing
from sleevenotes.store import imports
from tests.unit.pipeline.importing_house import BAND, START, House, house, rows

__all__ = ["house"]  # pytest finds it here


@pytest.fixture
def in_small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have a piece hold three batches of ten rows."""
    monkeypatch.setattr(importing, "PIECE", 3)
    take = importing.Reading.take
    monkeypatch.setattr(importing.Reading, "take", lambda self, count=10: take(self, count))


async def test_an_import_accounts_for_every_row_and_lets_its_file_go(house: House) -> None:
    number = await house.offered(rows(5) + "1559570092,Artist,Track 0\nyesterday,A,B\n")
    told = await house.finish(number)
    assert (told.status, told.stored, told.duplicates, told.skipped, told.share) == ("done", 5, 1, 1, 1)
    assert not list(house.uploads.root.iterdir())
    async with house.database.connection() as conn:
        (skip,) = await imports.skips(conn, number)
        assert (skip.line, skip.unit, skip.reason) == (8, "line", "ts 'yesterday' is not a time in UNIX seconds")
        assert await imports.kinds(conn, number) == [("no time", 1)]


@pytest.mark.usefixtures("in_small_pieces")
async def test_a_killed_worker_is_followed_by_one_that_goes_on_and_doubles_nothing(house: House) -> None:
    number = await house.offered(rows(75) + "x,A,B\n")
    await house.stage().run([number], BAND)
    half = await house.told(number)
    assert (half.status, half.position, half.stored) == ("running", 30, 30)
    assert 0 < half.share <= 1
    told = await house.finish(number, house.stage())
    assert (told.status, told.stored, told.duplicates, told.skipped) == ("done", 75, 0, 1)
    assert await house.plays() == 75


@pytest.mark.usefixtures("in_small_pieces")
async def test_two_workers_at_one_import_do_not_count_it_twice(house: House) -> None:
    number = await house.offered(rows(40))
    slow = house.stage()
    reading = await slow._resumed(await house.told(number))
    batch = reading.take()
    assert (await house.finish(number)).stored == 40
    with pytest.raises(errors.Gone):
        await slow._keep(await house.told(number), batch, 0, 0.5)
    assert (await house.told(number)).duplicates == 0


async def test_a_file_that_was_only_offered_outlasts_undoing(house: House) -> None:
    number = await house.offered(rows(3))
    async with house.database.connection() as conn:
        await conn.execute("UPDATE imports SET status = 'offered'")
    with pytest.raises(errors.Gone):
        await house.stage().undone(number)
    async with house.database.connection() as conn:
        assert await imports.begin(conn, house.account_id, number, {}, "table", house.clock.now())
    assert (await house.finish(number)).stored == 3


async def test_importing_again_adds_nothing_and_undoing_that_deletes_nothing(house: House) -> None:
    await house.finish(await house.offered(rows(20)))
    again = await house.offered(rows(30))
    told = await house.finish(again)
    assert (told.stored, told.duplicates) == (10, 20)
    async with house.database.connection() as conn:
        assert await imports.undo(conn, house.account_id, again)
    undone = await house.finish(again)
    assert (undone.status, undone.removed) == ("undone", 10)
    assert await house.plays() == 20


@pytest.mark.usefixtures("in_small_pieces")
async def test_an_import_that_runs_is_undone_from_where_it_is(house: House) -> None:
    number = await house.offered(rows(75))
    stage = house.stage()
    await stage.run([number], BAND)
    async with house.database.connection() as conn:
        assert await imports.undo(conn, house.account_id, number)
    told = await house.finish(number, stage)
    assert (told.status, told.removed, await house.plays()) == ("undone", 30, 0)


@pytest.mark.usefixtures("in_small_pieces")
async def test_undoing_while_a_piece_is_at_work_ends_both(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    number = await house.offered(rows(75))
    stage = house.stage()
    await stage.run([number], BAND)
    keep = Importing._keep

    async def undone_meanwhile(self: Importing, told: imports.Import, *rest: Any) -> None:
        async with house.database.connection() as conn:
            await imports.undo(conn, house.account_id, number)
        await stage.run([number], BAND)  # the other job, while the file of this one is being read
        await keep(self, told, *rest)

    monkeypatch.setattr(Importing, "_keep", undone_meanwhile)
    with pytest.raises(errors.Gone):
        await stage.run([number], BAND)
    told = await house.told(number)
    assert (told.status, told.removed, await house.plays()) == ("undone", 30, 0)


async def test_a_file_that_breaks_off_keeps_what_was_read_and_says_so(house: House) -> None:
    number = await house.offered(rows(3) + "x" * 200_000)
    told = await house.finish(number)
    assert (told.status, told.stored) == ("failed", 3)
    assert "line 5 is longer" in told.problem


async def test_a_row_that_the_database_refuses_is_left_out_and_its_neighbours_are_stored(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Careless(table.Table):
        def read(self, files: list[File], options: contract.Options) -> Iterator[contract.Item]:  # type: ignore[override]
            for at in range(7):
                name = "Artist\0" if at == 4 else "Artist"
                when = datetime.fromtimestamp(START, UTC) + timedelta(minutes=at)
                yield model.Scrobble(artist=name, track="Track", listened_at=when, origin="import")

    monkeypatch.setattr(registry, "ALL", (Careless(),))
    number = await house.offered(rows(1))
    told = await house.finish(number)
    assert (told.status, told.stored, told.skipped) == ("done", 6, 1)
    async with house.database.connection() as conn:
        (skip,) = await imports.skips(conn, number)
    assert (skip.line, skip.unit) == (5, "item")
    assert "the database refused it" in skip.reason


class Stumbling(table.Table):
    """Reads a row, and trips over the next as a defect of ours would."""

    def read(self, files: Sequence[File], options: contract.Options) -> Iterator[contract.Item]:
        yield from itertools.islice(super().read(files, options), 1)
        raise ZeroDivisionError("a defect")


async def test_what_was_read_before_a_defect_is_stored_and_the_import_ends(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry, "ALL", (Stumbling(),))
    number = await house.offered(rows(3))
    with pytest.raises(ZeroDivisionError):
        await house.stage().run([number], BAND)
    assert (await house.told(number)).stored == 1


async def test_an_import_in_place_never_stays_running(
    house: House, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(registry, "ALL", (Stumbling(),))
    number = await house.offered(rows(3))
    told = await house.told(number)
    with pytest.raises(ZeroDivisionError):
        await house.stage().through(told, house.uploads.path(told.upload), lambda _: None)
    ended = await house.told(number)
    assert (ended.status, ended.stored) == ("failed", 1)
    assert "ZeroDivisionError" in ended.problem
    gone = await house.told(await house.offered(rows(3)))
    with pytest.raises(errors.Refused, match="is gone"):
        await house.stage().through(gone, tmp_path / "nowhere", lambda _: None)
    assert (await house.told(gone.id)).status == "failed"


async def test_parquet_without_its_extra_ends_the_import_in_words(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    told = await house.finish(await house.offered(b"PAR1...", "plays.parquet"))
    assert told.status == "failed"
    assert "sleevenotes[parquet]" in told.problem


async def test_a_stopped_import_goes_on_where_it_was_once_it_is_told_to(house: House) -> None:
    number = await house.offered(rows(5))
    await house.stage().give_up([number], "its worker died 3 times")
    assert (await house.told(number)).problem == "its worker died 3 times"
    async with house.database.connection() as conn:
        assert await imports.begin(conn, house.account_id, number, {}, "table", house.clock.now())
    assert (await house.finish(number)).stored == 5


async def test_uploads_that_were_never_begun_or_whose_import_is_gone_are_dropped(house: House) -> None:
    kept, offered, orphan, coming = (house.uploads.new() for _ in range(4))
    for name in (kept, offered, orphan, coming):
        house.uploads.path(name).write_bytes(b"x")
    os.utime(house.uploads.path(orphan), (0, 0))
    now = house.clock.now()
    async with house.database.connection() as conn:
        for upload in (kept, offered):
            number = await imports.offer(
                conn, house.account_id, file_name="x", upload=upload, size=1, importer="table", now=now
            )
            if upload == kept:
                await imports.begin(conn, house.account_id, number, {}, "table", now)
    await uploads.tidy(house.database, house.uploads, now)
    assert {path.name for path in house.uploads.root.iterdir()} == {kept, offered, coming}
    await uploads.tidy(house.database, house.uploads, now + uploads.OFFERED_FOR + timedelta(seconds=1))
    assert {path.name for path in house.uploads.root.iterdir()} == {kept, coming}
