"""What is shown as played of late: what Last.fm tells at this moment, merged with what is here."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import httpx
import pytest

from sleevenotes.settings import Settings
from tests import turning
from tests.journey.conftest import House
from tests.journey.somebody import LASTFM, Row, connect, only_histories, play_on, somebody, there, until_read


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return only_histories(settings)


async def test_recently_played_reads_lastfm_at_once_and_shows_every_play_once(house: House) -> None:
    maria = somebody(house, "maria", 5)
    await connect(house, username="maria")
    await until_read(house)
    house.clock.turn(30)
    play_on(house, maria, seed=9)
    maria.playing = maria.plays[0]._replace(at=int(house.clock.now().timestamp()))
    asking = asyncio.create_task(house.client.get("/recently-played"))
    # a second of the clock takes half a second: workers hear of a job in real time
    await turning.until(_done(house, asking), house.clock, step=0.002, at_most=3600)
    told = (await asking).json()
    assert told["lastfm"]["fresh"]
    assert told["now_playing"]["track_name"] == maria.playing.recording.title
    assert [each["track_name"] for each in told["scrobbles"]] == [track for _, _, track in reversed(there(maria))]


async def recently(house: House) -> list[dict[str, Any]]:
    asking = asyncio.create_task(house.client.get("/recently-played"))
    await turning.until(_done(house, asking), house.clock, step=0.002, at_most=3600)
    told = (await asking).json()
    assert told["lastfm"]["fresh"]
    plays: list[dict[str, Any]] = told["scrobbles"]
    return plays


def otherwise(row: Row, seconds: int) -> dict[str, Any]:
    """Write a play as a player of ours does: some seconds later, in capitals, with its album."""
    at, artist, track = row
    names = {"artist_name": artist.upper(), "track_name": track.upper(), "release_name": "An Album"}
    return {"listened_at": at + seconds, "track_metadata": names}


async def test_recently_played_shows_once_what_lastfm_and_a_player_of_ours_recorded(house: House) -> None:
    maria = somebody(house, "maria", 5)
    both = there(maria)[:3]
    await house.submit(*(otherwise(row, 7) for row in both))
    await connect(house, username="maria")
    await until_read(house)
    house.clock.turn(30)
    play_on(house, maria, seed=9)
    expected = [track for _, _, track in there(maria)]
    plays = await recently(house)
    assert [each["track_name"].lower() for each in plays] == [track.lower() for track in reversed(expected)]
    assert [each["album_name"] == "An Album" for each in plays] == [False, False, False, True, True, True]

    await house.submit(otherwise(there(maria)[-1], 4))  # our player tells later than Last.fm does
    plays = await recently(house)
    assert [each["track_name"].lower() for each in plays] == [track.lower() for track in reversed(expected)]
    assert plays[0]["album_name"] != "An Album"  # both tell an album, and Last.fm's came first

    shown = plays[0]["id"]
    hidden = await house.count("SELECT id FROM scrobbles WHERE same_as = $1", shown)
    assert (await house.client.put(f"/api/v1/scrobbles/{hidden}/own")).status_code == 200
    plays = await recently(house)
    assert [each["id"] for each in plays[:2]] == [hidden, shown]  # four seconds later
    assert len(plays) == 7


async def test_a_play_that_plays_on_after_it_was_scrobbled_is_told_as_both(house: House) -> None:
    maria = somebody(house, "maria", 2)
    await connect(house, username="maria")
    await until_read(house)
    house.clock.turn(30)
    _, artist, track = there(maria)[-1]
    names = {"artist_name": artist, "track_name": track}
    await house.client.post(
        "/1/submit-listens", json={"listen_type": "playing_now", "payload": [{"track_metadata": names}]}
    )
    told = (await asyncio.gather(recently(house), house.client.get("/recently-played")))[1].json()
    assert told["now_playing"]["track_name"] == track
    assert len(told["scrobbles"]) == 2


async def test_recently_played_does_not_wait_for_lastfm_for_long(house: House) -> None:
    somebody(house, "maria", 5)
    await connect(house, username="maria")
    await until_read(house)
    house.clock.turn(30)
    house.simulator.fail_next(LASTFM, "slow")
    before = house.clock.now()
    asking = asyncio.create_task(house.client.get("/recently-played"))
    await turning.until(_done(house, asking), house.clock, at_most=3600)
    told = (await asking).json()
    assert not told["lastfm"]["fresh"]
    assert len(told["scrobbles"]) == 5
    assert house.clock.now() - before < timedelta(seconds=60)  # the reply takes ninety


def _done(house: House, task: asyncio.Task[httpx.Response]) -> turning.Condition:
    async def is_done() -> bool:
        await house.count("SELECT 1")  # the time in which the others work
        return task.done()

    return is_done
