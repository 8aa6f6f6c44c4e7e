"""Everything that was not found or not reached is looked at again by itself, at ever longer intervals."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from sleevenotes.settings import Settings
from tests.journey.conftest import QUIET, House
from tests.journey.test_artwork import lastfm_art, native, pictured, submit
from tests.journey.test_many_sources import first
from tests.journey.test_portrait import opened

DAY = 86_400


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Leave few to be asked: Last.fm knows artists, and never has a picture of one."""
    return msgspec.structs.replace(
        settings, sources="musicbrainz,coverartarchive,lastfm,lastfm_images,elsewhere", lastfm_key="k"
    )


async def intervals(house: House, table: str, date: str, looks: int) -> list[float]:
    """Turn the clock from look to look; return the days between the end of each and the next."""
    waits: list[float] = []
    for _ in range(looks):
        await house.until(f"SELECT {date} IS NOT NULL FROM {table}")
        due = await house.count(f"SELECT {date} FROM {table}")
        waits.append(round((due - house.clock.now()).total_seconds() / DAY, 1))
        house.clock.turn((due - house.clock.now()).total_seconds() - 90)
        await house.until(f"SELECT {date} IS DISTINCT FROM $1 FROM {table}", due)
        await house.until(QUIET)
    return waits


async def test_a_name_that_nobody_knows_is_asked_again_after_doubling_intervals(house: House) -> None:
    play = first(known={"musicbrainz"})._replace(artist="Nobody At All", track="A Song Nobody Has")
    await house.submit(house.listen(play))
    await house.until_settled()
    assert await intervals(house, "lookups", "recheck_at", 7) == [1, 2, 4, 8, 16, 32, 32]
    assert await house.count("SELECT count(*) FROM traces WHERE source = 'musicbrainz' AND band > 0") == 0
    assert await house.count("SELECT count(DISTINCT asked_at) FROM traces WHERE source = 'musicbrainz'") >= 8


async def test_an_artist_without_a_picture_is_asked_about_again_though_nobody_opens_the_page(house: House) -> None:
    await house.submit(house.listen(first(known={"musicbrainz", "lastfm"})))
    await house.until_settled()
    await opened(house)
    assert await intervals(house, "portraits", "look_again_at", 3) == [1, 2, 4]
    assert await house.count("SELECT count(*) FROM traces WHERE kind = 'find_artist' AND outcome <> 'fault'") == 4


async def test_an_address_with_no_image_is_asked_again_after_doubling_intervals(house: House) -> None:
    [play] = pictured(house)
    await submit(house, native(house, play, artwork_uri=lastfm_art(house, play)[:-8] + "00000000"))
    await house.until("SELECT status <> 'pending' FROM sent_images")
    assert await house.count("SELECT status FROM sent_images") == "refused"
    assert await intervals(house, "sent_images", "recheck_at", 3) == [1, 2, 4]
    assert await house.count("SELECT tries FROM sent_images") == 4


async def test_an_address_that_is_not_reached_is_asked_again_soon_and_shown_when_it_is(house: House) -> None:
    [play] = pictured(house)
    address = lastfm_art(house, play)
    house.simulator.fail_next("lastfm.freetls.fastly.net", "500", 20)
    await submit(house, native(house, play, artwork_uri=address))
    await house.until("SELECT status = 'failed' FROM sent_images")
    due = await house.count("SELECT recheck_at FROM sent_images")
    assert 9 * 60 <= (due - house.clock.now()).total_seconds() <= 15 * 60
    house.clock.turn((due - house.clock.now()).total_seconds())
    await house.until("SELECT status = 'fetched' FROM sent_images")


async def test_a_hint_that_led_to_nothing_is_asked_about_again(house: House) -> None:
    play = first(known={"musicbrainz"})
    listen: dict[str, Any] = house.listen(play)
    listen["track_metadata"]["additional_info"] = {"recording_mbid": "11111111-2222-4333-8444-555555555555"}
    await house.submit(listen, kind="single")
    await house.until_settled()
    await house.until("SELECT count(*) = 1 FROM evidence_rechecks")
    assert await intervals(house, "evidence_rechecks", "recheck_at", 3) == [1, 2, 4]
    asked = "SELECT count(*) FROM traces WHERE kind = 'describe_recording' AND outcome = 'absent'"
    assert await house.count(asked) == 4
