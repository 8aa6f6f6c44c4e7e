"""With a ListenBrainz token: names by the packful, described and pictured without asking anybody else."""

from __future__ import annotations

import msgspec
import pytest

from sleevenotes.settings import Settings
from sleevenotes.sources import contract, coverartarchive
from tests.journey.conftest import House
from tests.journey.test_evidence import best_of, listen, without_album
from tests.journey.test_many_sources import first


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Give the house a token; the simulator takes any."""
    return msgspec.structs.replace(settings, listenbrainz_token="8a9f6a2e-5b1c-4d38-9e57-2c4b6f0d1a35")


DESCRIBED = "SELECT count(*) FROM traces WHERE kind = 'describe_recording' AND source = 'musicbrainz'"


async def test_an_imported_name_gets_recording_album_and_cover_from_its_own_answer(house: House) -> None:
    play = first(known={"listenbrainz_exact", "musicbrainz"}, art={"coverartarchive"})
    await house.submit(house.listen(play))
    await house.until_settled()
    truth = house.truth(play)
    assert str(await house.count("SELECT mbid FROM recordings")) == truth.recording_mbid
    assert str(await house.count("SELECT mbid FROM release_groups")) == truth.release_group_mbid
    assert await house.count("SELECT status FROM artworks") == "found"
    assert await house.count("SELECT url FROM artwork_candidates") == await house.count("SELECT source_url FROM images")
    asked = await house.count("SELECT array_agg(source || ' ' || outcome ORDER BY id) FROM traces")
    assert asked == ["listenbrainz answered", "listenbrainz_metadata answered", "coverartarchive answered"]


async def test_a_name_with_a_slip_is_found_by_the_lookup_that_forgives(house: House) -> None:
    play = first(known={"listenbrainz_fuzzy_get", "musicbrainz"}, long_title=True)
    listen = house.listen(play)
    listen["track_metadata"]["track_name"] = play.track[:4] + "x" + play.track[4:]
    await house.submit(listen)
    await house.until_settled()
    assert str(await house.count("SELECT mbid FROM recordings")) == house.truth(play).recording_mbid
    assert await house.count("SELECT count(*) FROM traces WHERE source = 'deezer'") == 0


async def test_while_a_live_plays_recording_is_described_the_front_of_its_release_is_on_its_way(house: House) -> None:
    play = first(known={"listenbrainz_exact", "musicbrainz"}, art={"coverartarchive"})
    house.simulator.fail_next("musicbrainz.org", "500", 3)  # ListenBrainz is to be first
    await house.submit(house.listen(play), kind="single")
    await house.until_settled()
    front = contract.key(coverartarchive.front_of_release(house.truth(play).release_mbid))
    asked = "SELECT count(*) FROM inquiries WHERE question_key = $1 AND stage = $2"
    assert await house.count(asked, front, "preview") == 1
    assert await house.count(asked, front, "artwork") <= 1  # none where it was there already
    answered = "SELECT count(*) FROM traces WHERE question_key = $1 AND outcome = 'answered'"
    assert await house.count(answered, front) == 1
    assert await house.count("SELECT status FROM artworks") == "found"


async def test_a_play_amid_an_album_is_shown_on_it_whoever_answered_first(house: House) -> None:
    release, plays = best_of(3)
    sent = [plays[0]._replace(release=release.title), without_album(plays[1]), plays[2]._replace(release=release.title)]
    for at, play in enumerate(sent):
        await house.submit(listen(house, play, 30 - 4 * at), kind="single")
    await house.until_settled()
    told = (await house.client.get("/api/v1/scrobbles")).json()["scrobbles"]
    assert [each["album"]["mbid"] for each in told] == [release.group.mbid] * 3
    assert await house.count(DESCRIBED) <= 1


async def test_in_an_import_no_request_goes_to_one_plays_album(house: House) -> None:
    release, plays = best_of(3)
    sent = [plays[0]._replace(release=release.title), without_album(plays[1]), plays[2]._replace(release=release.title)]
    await house.submit(*(listen(house, play, 30 - 4 * at) for at, play in enumerate(sent)))
    await house.until_settled()
    assert await house.count(DESCRIBED) == 0
