"""Parting from a service, and what stays of it."""

from __future__ import annotations

from sleevenotes.model import Band, Scrobble
from sleevenotes.pipeline import connecting
from sleevenotes.pipeline.submit import Submitter
from sleevenotes.store import played
from tests.unit.pipeline.importing_house import House, house, rows

__all__ = ["house"]


async def test_what_was_imported_from_a_file_of_the_service_stays_when_its_plays_are_removed(
    house: House,
) -> None:
    await house.finish(await house.offered(rows(3), origin="lastfm"))
    now = house.clock.now()
    read = Scrobble("Nile", "Ruins", listened_at=now, origin="lastfm")
    await Submitter(house.database, house.clock).submit(house.account_id, [read], band=Band.DEFAULT)
    async with house.database.connection() as conn:
        assert await played.count_of_origin(conn, house.account_id, "lastfm") == 1
        assert [play.track for play in await played.of_origin(conn, house.account_id, "lastfm", 9)] == ["Ruins"]
    assert await connecting.disconnect(house.database, house.account_id, "lastfm", keep=False, now=now) == 1
    assert await connecting.disconnect(house.database, house.account_id, "lastfm", keep=False, now=now) is None
    assert await house.plays() == 3
