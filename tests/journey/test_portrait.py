"""An artist's page: a picture and the number of listeners, looked for when somebody opens it."""

from __future__ import annotations

import msgspec
import pytest

from sleevenotes.settings import Settings
from tests.journey.conftest import House
from tests.journey.test_many_sources import first

PICTURES = """
    SELECT replace(mbid::text, '-', '') AS mbid, source_url FROM portraits
    JOIN artists ON artists.id = artist_id JOIN images ON images.id = image_id
"""


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Give the house a Last.fm key; the simulator takes any."""
    return msgspec.structs.replace(settings, lastfm_key="8a9f6a2e5b1c4d389e572c4b6f0d1a35")


async def opened(house: House) -> str:
    artist_id = await house.count("SELECT min(artist_id) FROM artist_credit_names")
    answer = await house.client.get(f"/artists/{artist_id}")
    assert answer.status_code == 200
    return answer.text


async def a_dozen_opened(house: House) -> None:
    """Play a dozen names, open every artist's page, and have all portraits told."""
    await house.submit(*(house.listen(play) for play in house.names(12)))
    await house.until_settled()
    async with house.parts.database.connection() as conn:
        artists = [row[0] for row in await conn.fetch("SELECT DISTINCT artist_id FROM artist_credit_names")]
    for artist_id in artists:
        await house.client.get(f"/artists/{artist_id}")
    await house.until("SELECT NOT EXISTS (SELECT FROM portraits WHERE status = 'pending')")


async def test_a_page_that_is_opened_has_the_artist_looked_for_once(house: House) -> None:
    await house.submit(house.listen(first(known={"musicbrainz", "theaudiodb", "lastfm"})))
    await house.until_settled()
    assert await house.count("SELECT count(*) FROM portraits") == 0  # nobody has looked
    assert "Picture of" not in await opened(house)
    await house.until("SELECT status = 'told' FROM portraits")
    asked = await house.count("SELECT array_agg(source ORDER BY source) FROM traces WHERE kind = 'find_artist'")
    assert asked == ["lastfm", "theaudiodb"]
    page = await opened(house)
    assert "at Last.fm" in page
    assert ("Picture of" in page) == await house.count("SELECT image_id IS NOT NULL FROM portraits")
    assert await house.count("SELECT count(*) FROM traces WHERE kind = 'find_artist'") == 2


async def test_a_source_that_is_down_leaves_the_portrait_for_later(house: House) -> None:
    await house.submit(house.listen(first(known={"musicbrainz", "theaudiodb"})))
    await house.until_settled()
    house.simulator.fail_next("www.theaudiodb.com", "500", 40)
    house.simulator.fail_next("ws.audioscrobbler.com", "500", 40)
    await opened(house)
    await house.until("SELECT status = 'told' FROM portraits", at_most=24 * 3600)
    again = "SELECT extract(epoch FROM look_again_at) FROM portraits"
    assert float(await house.count(again)) - house.clock.now().timestamp() <= 3600


async def test_the_picture_is_the_artists_own(house: House) -> None:
    await a_dozen_opened(house)
    async with house.parts.database.connection() as conn:
        shown = await conn.fetch(PICTURES)
    assert len(shown) >= 3
    assert all(row["mbid"] in row["source_url"] for row in shown)


async def test_a_month_later_an_opened_page_has_the_artist_asked_for_anew(house: House) -> None:
    await house.submit(house.listen(first(known={"musicbrainz", "theaudiodb", "lastfm"})))
    await house.until_settled()
    for times in (1, 2):
        await opened(house)
        asked = "SELECT count(*) FROM traces WHERE kind = 'find_artist' AND outcome <> 'fault'"
        await house.until(f"SELECT status = 'told' AND ({asked}) >= $1 FROM portraits", 2 * times)
        assert await house.count(asked) == 2 * times
        house.clock.turn(31 * 24 * 3600)


async def test_a_month_later_the_drip_of_popular_names_has_an_artist_with_a_picture_asked_for_anew(
    house: House,
) -> None:
    await a_dozen_opened(house)
    pictured = await house.count("SELECT min(artist_id) FROM portraits WHERE image_id IS NOT NULL")
    asked = """
        SELECT count(*) FROM traces JOIN inquiries USING (question_key)
        WHERE kind = 'find_artist' AND outcome <> 'fault' AND stage = 'portrait' AND subject_id = $1
    """
    assert await house.count(asked, pictured) == 2
    house.clock.turn(31 * 24 * 3600)
    await house.until(f"SELECT ({asked}) = 4", pictured)
