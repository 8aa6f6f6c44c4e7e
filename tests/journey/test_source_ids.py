"""What sources call a popular name's recording, album and artists: complete after the drip, and true."""

from __future__ import annotations

from datetime import timedelta
from html import escape

import msgspec
import pytest

from sleevenotes.settings import Settings
from sleevenotes.simulator import listener, shops
from sleevenotes.store import popular_report
from tests.journey.conftest import WORLD, House
from tests.journey.test_many_sources import first
from tests.journey.test_popular import days_later

EVERYBODY = frozenset(("deezer", "itunes", "theaudiodb", "lastfm", "discogs"))

TOLD = """
    SELECT coalesce(array_agg(source ORDER BY source) FILTER (WHERE foreign_id <> ''), '{{}}') FROM source_ids
    WHERE {of}_id IS NOT NULL
"""

COLLECTED = """
    SELECT count(*) > 0 AND bool_and(looked_at IS NOT NULL AND ids_at IS NULL)
       AND NOT EXISTS (SELECT FROM portraits WHERE status = 'pending') FROM popular
"""


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Give the house all keys; the simulator takes any."""
    keys = {"lastfm_key": "8a9f6a2e5b1c4d389e572c4b6f0d1a35", "discogs_token": "dTokenOfNobody"}
    return msgspec.structs.replace(settings, **keys)


async def told(house: House, of: str) -> set[str]:
    return set(await house.count(TOLD.format(of=of)))


async def played(house: House, play: listener.Play) -> None:
    """Have a name played, matched, and completed on the first night."""
    await house.submit(house.listen(play))
    await house.until_settled()
    await days_later(house, 1)
    await house.until(COLLECTED)
    await house.until_quiet()


async def collected_since(house: House) -> None:
    """Turn the clock until the name has been looked at, and its ids collected, from now on."""
    since = house.clock.now() - timedelta(seconds=1)
    await house.until("SELECT looked_at >= $1 AND ids_at IS NULL FROM popular", since)


async def asked(house: House, source: str, kind: str = "find_recording") -> int:
    sql = "SELECT count(*) FROM traces WHERE source = $1 AND kind = $2"
    return int(await house.count(sql, source, kind))


async def test_a_popular_names_ids_are_complete_where_everybody_knows_it(house: House) -> None:
    play = first(known={"musicbrainz", *EVERYBODY})
    await played(house, play)
    assert await told(house, "recording") == EVERYBODY - {"discogs"}  # which has no ids of recordings
    assert await told(house, "release_group") == EVERYBODY
    assert await told(house, "artist") == EVERYBODY
    recording = next(each for each in WORLD.catalogue.recordings if each.mbid == house.truth(play).recording_mbid)
    own = await house.count("SELECT foreign_id FROM source_ids WHERE source = 'deezer' AND recording_id IS NOT NULL")
    assert int(own) in {shops.number("deezer", "track", recording.mbid, each.mbid) for each in recording.releases}
    artist = await house.count("SELECT foreign_id FROM source_ids WHERE source = 'discogs' AND artist_id IS NOT NULL")
    assert int(artist) == shops.number("discogs", "artist", recording.credit[0].artist.mbid)
    master = "SELECT foreign_id FROM source_ids WHERE foreign_kind = 'master'"
    assert int(await house.count(master)) == shops.number("discogs", "master", house.truth(play).release_group_mbid)
    async with house.parts.database.connection() as conn:
        report = await popular_report.read(conn, house.clock.now())
    await house.until("SELECT NOT 'source_ids' = ANY(missing) FROM popular")
    assert report.names == 1
    assert await house.count(
        "SELECT bool_and(band = 0) FROM traces JOIN inquiries USING (question_key) WHERE stage = 'source_ids'"
    )


async def test_who_has_told_its_id_is_not_asked_and_who_tells_all_at_once_is_asked_once(house: House) -> None:
    await played(house, first(known={"musicbrainz", *EVERYBODY}, art={"coverartarchive"}))
    assert [await asked(house, source) for source in ("deezer", "itunes", "lastfm")] == [1, 1, 1]
    assert [await asked(house, source, "find_images") for source in ("deezer", "itunes", "discogs")] == [0, 0, 1]
    await days_later(house, 31)
    await collected_since(house)
    assert [await asked(house, source) for source in ("deezer", "itunes", "lastfm")] == [1, 1, 1]


async def test_who_has_none_is_not_asked_again_the_next_night_and_is_when_the_name_is_due(house: House) -> None:
    await played(house, first(known={"musicbrainz"}, unknown={"itunes"}))
    assert "itunes" not in await told(house, "recording") | await told(house, "release_group")
    none = "SELECT count(*) FROM source_ids WHERE source = 'itunes' AND foreign_id = '' AND artist_id IS NULL"
    assert await house.count(none) == 2
    assert await house.count("SELECT ids_due_at IS NULL FROM popular")
    assert (await asked(house, "itunes"), await asked(house, "itunes", "find_images")) == (1, 1)
    listed = await house.count("SELECT listed_at FROM popular_drip")
    await days_later(house, 1)
    await house.until("SELECT listed_at > $1 FROM popular_drip", listed)
    await house.until_quiet()
    assert await asked(house, "itunes") == 1
    assert await house.count("SELECT NOT 'source_ids' = ANY(missing) FROM popular")
    await days_later(house, 31)
    await collected_since(house)
    assert await asked(house, "itunes") == 2


async def test_a_source_that_is_down_has_not_said_that_it_has_none_and_is_asked_the_next_night(house: House) -> None:
    play = first(known={"musicbrainz", *EVERYBODY})
    await house.submit(house.listen(play))
    await house.until_settled()
    house.simulator.fail_next("api.deezer.com", "500", 500)
    await days_later(house, 1)
    await house.until(COLLECTED)
    assert await house.count("SELECT count(*) FROM source_ids WHERE source = 'deezer'") == 0
    assert "itunes" in await told(house, "recording")
    due = await house.count("SELECT ids_due_at FROM popular")
    assert timedelta(0) < due - house.clock.now() <= timedelta(days=1)
    house.simulator.schedule.clear()
    await days_later(house, 1)
    await house.until("SELECT EXISTS (SELECT FROM source_ids WHERE source = 'deezer' AND foreign_id <> '')")
    assert await house.count("SELECT ids_due_at IS NULL FROM popular")


async def test_a_live_plays_shops_tell_their_ids_with_the_match(house: House) -> None:
    play = first(known={"deezer"}, unknown={"musicbrainz"}, art={"deezer"})
    await house.submit(house.listen(play), kind="single")
    await house.until_settled()
    assert "deezer" in await told(house, "recording")
    assert "deezer" in await told(house, "release_group")
    assert await house.count(
        "SELECT bool_and(page LIKE 'https://www.deezer.com/%') FROM source_ids WHERE source = 'deezer'"
    )


async def test_pages_link_to_where_else_a_thing_is_and_the_api_names_the_ids_beside_the_mbids(house: House) -> None:
    await played(house, first(known={"musicbrainz", *EVERYBODY}))
    [shown] = (await house.client.get("/api/v1/scrobbles")).json()["scrobbles"]
    own = shown["track"]["source_ids"]
    assert set(own) == EVERYBODY - {"discogs"}
    assert own["deezer"]["page"] == f"https://www.deezer.com/track/{own['deezer']['id']}"
    assert shown["album"]["source_ids"]["discogs"]["kind"] == "master"
    assert set(shown["artist"]["credits"][0]["source_ids"]) == EVERYBODY
    places = {
        f"/tracks/{shown['track']['id']}": own,
        f"/albums/{shown['album']['id']}": shown["album"]["source_ids"],
        f"/artists/{shown['artist']['id']}": shown["artist"]["credits"][0]["source_ids"],
    }
    for place, ids in places.items():
        page = (await house.client.get(place)).text
        assert "<dt>Elsewhere</dt>" in page
        for each in ids.values():
            link = f'<a href="{escape(each["page"])}" rel="noreferrer" title="{escape(each["id"])}">'
            assert link in page if each["page"] else f'<code class="mbid">{each["id"]}</code>' in page
    alone = (await house.client.get(f"/api/v1/scrobbles/{shown['id']}")).json()
    assert alone["track"] == shown["track"]


async def test_a_page_of_what_nobody_has_told_an_id_of_says_nothing_of_elsewhere(house: House) -> None:
    await house.submit(house.listen(house.with_cover()))
    await house.until_settled()
    album = await house.count("SELECT min(release_group_id) FROM matches")
    page = (await house.client.get(f"/albums/{album}")).text
    assert "Small print" in page
    assert "Elsewhere" not in page
    [shown] = (await house.client.get("/api/v1/scrobbles")).json()["scrobbles"]
    assert shown["track"]["source_ids"] == shown["album"]["source_ids"] == {}


TRUE = """
    SELECT s.source, s.foreign_id, r.mbid::text AS recording, g.mbid::text AS release_group, a.mbid::text AS artist
    FROM source_ids s LEFT JOIN recordings r ON r.id = recording_id
    LEFT JOIN release_groups g ON g.id = release_group_id LEFT JOIN artists a ON a.id = artist_id
    WHERE s.source IN ('deezer', 'itunes', 'discogs') AND s.foreign_id <> '' AND foreign_kind <> 'release'
"""


async def test_amid_decoys_every_id_is_of_the_very_thing(house: House) -> None:
    await house.submit(*(house.listen(play) for play in house.names(40)))
    await house.until_settled()
    await days_later(house, 1)
    await house.until(COLLECTED)
    async with house.parts.database.connection() as conn:
        rows = await conn.fetch(TRUE)
    recordings = {each.mbid: each for each in WORLD.catalogue.recordings}
    for row in rows:
        source, own = row["source"], int(row["foreign_id"])
        if row["recording"]:
            releases = recordings[row["recording"]].releases
            assert own in {shops.number(source, "track", row["recording"], each.mbid) for each in releases}
        elif row["release_group"] and source == "discogs":
            assert own == shops.number(source, "master", row["release_group"])
        elif row["release_group"]:
            releases = WORLD.catalogue.groups[row["release_group"]].releases
            assert own in {shops.number(source, "album", each.mbid) for each in releases}
        else:
            assert own == shops.number(source, "artist", row["artist"])
    assert len(rows) > 100
