"""A history that moves: exported, read back elsewhere, and gone on with there; nothing doubles, nothing is lost."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from sleevenotes import names
from sleevenotes.pipeline import edits, exporting, importing
from sleevenotes.pipeline.submit import Submitter
from sleevenotes.store import imports
from tests.unit.pipeline.histories import LASTFM, LISTENBRAINZ, SPOTIFY, another, bring, exported, moved, shown
from tests.unit.pipeline.importing_house import House, house

__all__ = ["house"]  # pytest finds it here

# ---------------------------------------------------------------- what two services recorded


@pytest.fixture(params=["in one batch", "in many"])
def batches(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "in many":
        take = importing.Reading.take
        monkeypatch.setattr(importing.Reading, "take", lambda self, count=1: take(self, count))


@pytest.mark.usefixtures("batches")
async def test_an_export_read_back_says_nothing_that_its_listener_has_not_said(house: House) -> None:
    await bring(house, LASTFM, "lf.csv")
    await bring(house, SPOTIFY, "sp.json")
    assert [origin for origin, _ in await shown(house)] == ["lastfm"] * 5
    there = await moved(house)
    assert await shown(there) == await shown(house)
    assert await exported(there) == await exported(house)


@pytest.mark.usefixtures("batches")
async def test_a_third_service_doubles_nothing_where_an_export_was_read_back(house: House) -> None:
    await bring(house, LASTFM, "lf.csv")
    await bring(house, SPOTIFY, "sp.json")
    there = await moved(house)
    for each in (house, there):
        await bring(each, LISTENBRAINZ, "lb.jsonl")
    assert [len(await shown(each)) for each in (house, there)] == [5, 5]


# ---------------------------------------------------------------- plays that were told anew


async def edited(house: House) -> None:
    """Tell "One" anew by its artist, and "Two" by its time."""
    submitter = Submitter(house.database, house.clock)
    for track, change in (
        ("One", edits.Change(artist="Alpha Fixed")),
        ("Two", edits.Change(listened_at=datetime.fromtimestamp(1599990000, UTC))),
    ):
        async with house.database.connection() as conn:
            number = await conn.fetchval(
                "SELECT id FROM scrobbles WHERE account_id = $1 AND track = $2 AND same_as IS NULL",
                house.account_id,
                track,
            )
        await edits.edit(submitter, house.account_id, [number], change)


async def again(house: House, data: str | bytes, name: str) -> tuple[int, int, int]:
    told = await house.told(await bring(house, data, name))
    return told.stored, told.duplicates, told.skipped


@pytest.mark.parametrize("kind", exporting.FORMATS)
async def test_an_edited_play_is_known_by_what_it_was_where_an_export_is_read_back(house: House, kind: str) -> None:
    await bring(house, LASTFM, "lf.csv")
    await edited(house)
    assert await again(house, LASTFM, "lf.csv") == (0, 5, 0)
    there = await moved(house, kind)
    assert await exported(there, kind) == await exported(house, kind)
    assert await again(there, LASTFM, "lf.csv") == (0, 5, 0)
    assert await again(there, await exported(house, kind), f"plays.{kind}") == (0, 5, 0)
    assert len(await shown(there)) == 5


async def test_a_play_that_was_edited_back_is_exported_without_the_name_it_has(house: House) -> None:
    await bring(house, LASTFM, "lf.csv")
    await edited(house)
    async with house.database.connection() as conn:
        one = await conn.fetchval("SELECT id FROM scrobbles WHERE track = 'One'")
    await edits.edit(Submitter(house.database, house.clock), house.account_id, [one], edits.Change(artist="Alpha"))
    acts = [json.loads(line) for line in (await exported(house)).splitlines() if b'"edited_play"' in line]
    assert [act["sleevenotes"]["play"]["track"] for act in acts] == ["Two", "One"]
    assert acts[1]["sleevenotes"]["identity"] == names.digest("Alpha Fixed", "One").hex()


async def test_undoing_an_import_forgets_what_it_said_plays_were(house: House) -> None:
    await bring(house, LASTFM, "lf.csv")
    await edited(house)
    there = await another(house)
    data = await exported(house)
    plays = b"\n".join(line for line in data.splitlines() if b'"edited_play"' not in line)
    await bring(there, plays, "plays.jsonl")
    number = await bring(there, data, "plays.jsonl")
    await there.stage().undone(number)
    assert await again(there, LASTFM, "lf.csv") == (2, 3, 0)


async def test_a_play_that_is_here_under_both_names_is_told_and_both_stay(house: House) -> None:
    await bring(house, LASTFM, "lf.csv")
    await edited(house)
    there = await another(house)
    await bring(there, LASTFM, "lf.csv")
    number = await bring(there, await exported(house), "plays.jsonl")
    async with there.database.connection() as conn:
        reasons = [skip.reason for page in [await imports.skips(conn, number)] for skip in page]
    assert reasons == [
        "an edit: Alpha, Two of 2020-09-13 12:31:40 is here, too, as it was before",
        "an edit: Alpha, One of 2020-09-13 12:26:40 is here, too, as it was before",
    ]
    assert len(await shown(there)) == 7
