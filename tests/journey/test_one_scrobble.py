"""From a player's request to a cover, with everything real but the internet and the time."""

from __future__ import annotations

import random
from datetime import timedelta

import pytest

from sleevenotes import app
from sleevenotes.pipeline import recheck
from sleevenotes.pipeline.alarms import Alarms
from sleevenotes.pipeline.tools import Tools
from tests.journey.conftest import House


async def test_a_submitted_play_becomes_a_recording_an_album_and_a_cover(house: House) -> None:
    play = house.with_cover()
    truth = house.truth(play)
    assert (await house.submit(house.listen(play), kind="single")).json() == {"status": "ok"}
    await house.until_settled()
    [shown] = (await house.client.get("/api/v1/scrobbles")).json()["scrobbles"]
    assert shown["metadata_status"] == "enriched"
    assert shown["track"]["mbid"] == truth.recording_mbid
    assert shown["album"]["mbid"] == truth.release_group_mbid
    image = await house.client.get(shown["effective_artwork_url"])
    assert image.headers["content-type"] == "image/webp"


async def test_submitting_does_not_wait_for_enrichment(house: House) -> None:
    [play] = house.names(1)
    before = house.clock.now()
    await house.submit(house.listen(play), kind="single")
    assert house.clock.now() == before
    [shown] = (await house.client.get("/api/v1/scrobbles")).json()["scrobbles"]
    assert shown["metadata_status"] == "pending"


async def test_a_name_known_from_another_play_is_enriched_as_it_is_stored(house: House) -> None:
    [play] = house.names(1)
    await house.submit(house.listen(play))
    await house.until_settled()
    asked = house.simulator.statistics.requests
    await house.submit(house.listen(play, house.clock.now() - timedelta(days=1)))
    shown = (await house.client.get("/api/v1/scrobbles")).json()["scrobbles"]
    assert [each["metadata_status"] for each in shown] == ["enriched", "enriched"]
    assert house.simulator.statistics.requests == asked


async def test_an_import_is_settled_within_the_limits_and_each_play_stored_once(house: House) -> None:
    plays = house.names(25)
    start = house.clock.now() - timedelta(days=3)
    listens = [house.listen(play, start + timedelta(minutes=4 * i)) for i, play in enumerate(plays)]
    await house.submit(*listens)
    await house.submit(*listens)
    await house.until_settled()
    assert await house.count("SELECT count(*) FROM scrobbles") == 25
    assert await house.count("SELECT count(*) FROM lookups WHERE status = 'enriched'") >= 24
    assert house.simulator.statistics.violations == 0


async def test_a_live_play_overtakes_an_import_that_waits(house: House) -> None:
    *imported, live = house.names(120)
    start = house.clock.now() - timedelta(days=3)
    await house.submit(*(house.listen(play, start + timedelta(minutes=4 * i)) for i, play in enumerate(imported)))
    await house.until("SELECT count(*) > 20 FROM wants")
    await house.submit(house.listen(live), kind="single")
    await house.until("SELECT EXISTS (SELECT FROM lookups WHERE track = $1 AND status <> 'pending')", live.track)
    assert await house.count("SELECT count(*) FROM lookups WHERE status = 'pending'") > 10


@pytest.mark.parametrize("field", ["artist_name", "track_name", "release_name"])
async def test_a_name_too_long_for_any_index_is_looked_for_like_others(house: House, field: str) -> None:
    """ListenBrainz allows some 10,000 bytes a listen; drawn at random, for PostgreSQL presses what repeats."""
    dice = random.Random(1)  # noqa: S311 - no secret
    long = "".join(chr(dice.randrange(0x4E00, 0x9FA5)) for _ in range(2_900))
    unknown = {"artist_name": "Nobody At All", "track_name": "Nothing Whatsoever", field: long}
    await house.submit({"listened_at": int(house.clock.now().timestamp()) - 60, "track_metadata": unknown})
    await house.until_settled()
    assert await house.count("SELECT status FROM lookups") == "not_found"


async def test_what_nobody_knows_is_not_found_with_a_date_to_look_again_and_then_is_looked_for(house: House) -> None:
    unknown = {"artist_name": "Nobody At All", "track_name": "Nothing Whatsoever"}
    await house.submit({"listened_at": int(house.clock.now().timestamp()) - 60, "track_metadata": unknown})
    await house.until_settled()
    due = await house.count("SELECT recheck_at FROM lookups WHERE status = 'not_found'")
    assert timedelta(hours=23) < due - house.clock.now() <= timedelta(days=1)
    house.clock.turn(25 * 3600)
    await recheck.one_round(_tools(house))
    await house.until("SELECT status = 'not_found' AND tries = 2 FROM lookups")
    assert await house.count("SELECT count(*) FROM traces WHERE source = 'musicbrainz'") == 2


async def test_an_outage_delays_and_never_becomes_not_found(house: House) -> None:
    plays = house.names(3)
    house.simulator.fail_next("musicbrainz.org", "shed", 2)
    house.simulator.fail_next("musicbrainz.org", "500", 1)
    house.simulator.fail_next("musicbrainz.org", "html", 1)
    house.simulator.fail_next("musicbrainz.org", "truncated", 1)
    house.simulator.fail_next("musicbrainz.org", "drop", 1)
    start = house.clock.now() - timedelta(days=1)
    await house.submit(*(house.listen(play, start + timedelta(minutes=4 * i)) for i, play in enumerate(plays)))
    await house.until_settled()
    assert await house.count("SELECT count(*) FROM lookups WHERE status = 'enriched'") == 3
    assert await house.count("SELECT count(*) FROM traces WHERE outcome = 'fault'") >= 6


async def test_an_image_that_arrives_damaged_is_fetched_again(house: House) -> None:
    play = house.with_cover()
    house.simulator.fail_next("us.archive.org", "500", 2)
    house.simulator.fail_next("us.archive.org", "short", 1)
    house.simulator.fail_next("us.archive.org", "html", 1)
    await house.submit(house.listen(play), kind="single")
    await house.until_settled()
    assert await house.count("SELECT status FROM artworks") == "found"


async def test_a_known_album_without_a_cover_gets_one_looked_for_when_it_is_played_again(house: House) -> None:
    play = house.with_cover()
    await house.submit(house.listen(play))
    await house.until_settled()
    await house.count("DELETE FROM artworks")
    await house.submit(house.listen(play, house.clock.now() - timedelta(days=1)))
    await house.until("SELECT status = 'found' FROM artworks")


async def test_the_trace_tells_who_was_asked_and_why_it_was_chosen(house: House) -> None:
    [play] = house.names(1)
    await house.submit(house.listen(play), kind="single")
    await house.until_settled()
    await house.until("SELECT recheck_at IS NULL FROM artworks")  # the archive is asked in the end
    await house.until_settled()
    told = await house.count("SELECT string_agg(source || ' ' || outcome, ', ' ORDER BY id) FROM traces")
    assert "musicbrainz answered" in told
    assert "coverartarchive " in told
    assert await house.count("SELECT reason FROM matches")


def _tools(house: House) -> Tools:
    database = house.parts.database
    sources = app.sources_of(house.parts.settings)
    return Tools(database, house.clock, house.parts.files, sources, Alarms(database, house.clock))
