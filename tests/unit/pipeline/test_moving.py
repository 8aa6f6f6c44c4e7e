"""A history that moves: exported, read back elsewhere, and gone on with there; nothing doubles, nothing is lost."""

from __future__ import annotations

import pytest

from sleevenotes.pipeline import importing
from tests.unit.pipeline.histories import LASTFM, LISTENBRAINZ, SPOTIFY, bring, exported, moved, shown
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
