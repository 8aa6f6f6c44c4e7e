"""A listener's history at Last.fm and ListenBrainz, read through a whole house over the simulated services."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import httpx
import pytest

from sleevenotes import app
from sleevenotes.clock import HandClock
from sleevenotes.server import web
from sleevenotes.settings import Settings
from sleevenotes.simulator import core, lastfm_listeners, people, wire
from sleevenotes.store import accounts, connections
from tests.journey.conftest import QUIET, WORLD, House
from tests.journey.somebody import (
    LASTFM,
    connect,
    here,
    only_histories,
    person,
    play_on,
    somebody,
    status,
    there,
    until_looked_again,
    until_read,
)


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return only_histories(settings)


async def test_a_whole_history_comes_in_and_plays_made_meanwhile_are_neither_lost_nor_doubled(house: House) -> None:
    maria = somebody(house, "maria", 900)
    moment = maria.plays[400].at
    maria.add(*(play._replace(at=moment) for play in maria.plays[401:404]))  # four in one second
    maria.add(maria.plays[500]._replace(at=0))  # lost its date
    await connect(house, username="maria")
    for seed in range(6):
        read = await house.count("SELECT coalesce(max(read), 0) FROM walks WHERE kind = 'history'")
        await house.until(
            "SELECT coalesce(max(read), 0) > $1 OR bool_or(ended_at IS NOT NULL) FROM walks WHERE kind = 'history'",
            read,
        )
        play_on(house, maria, seed=50 + seed)
    await until_read(house)
    house.clock.turn(60)
    await until_looked_again(house)
    await house.until("SELECT count(*) = $1 FROM scrobbles", len(there(maria)), at_most=7200)
    assert await here(house) == there(maria)
    told = await status(house)
    assert told["history"]["finished_at"]
    assert told["history"]["skipped"] == 1
    assert (await house.client.get("/api/v1/lastfm/status")).json() == told


async def test_a_history_with_more_plays_in_one_second_than_a_page_holds_comes_in_whole(house: House) -> None:
    maria = somebody(house, "maria", 700)
    moment = maria.plays[300].at
    for place in range(200, 520):  # more than a page of one second
        maria.plays[place] = maria.plays[place]._replace(at=moment)
    maria.plays.sort(key=lambda play: play.at)
    await connect(house, username="maria")
    await until_read(house)
    assert await here(house) == there(maria)


async def test_a_history_is_read_to_its_end_whatever_lastfm_answers_meanwhile(house: House) -> None:
    maria = somebody(house, "maria", 500)
    await connect(house, username="maria")
    for kind in ("error 29", "error 8", "html", "short", "drop", "500", "empty"):
        house.simulator.fail_next(LASTFM, kind)
    await until_read(house, at_most=3600)  # told to slow down again and again, it waits minutes
    assert await here(house) == there(maria)
    assert (await status(house))["problem"] is None


async def test_a_server_that_died_in_the_middle_goes_on_where_it_was(settings: Settings, clock: HandClock) -> None:
    simulator = core.Simulator(WORLD, clock)
    maria = person(simulator, clock, "maria", 900)
    async with app.open(settings, time=clock) as parts:
        async with parts.database.transaction() as conn:
            account = await accounts.create(conn, "anna", "a good password", is_owner=True, now=clock.now())
            token = await accounts.create_token(conn, account.id, "test", clock.now())
        application: Any = web.create(app.services_of(parts))
        headers = {"authorization": f"Token {token}"}
        transport = httpx.ASGITransport(application)
        async with httpx.AsyncClient(transport=transport, base_url="http://test", headers=headers) as client:
            house = House(parts, clock, simulator, client, account.id)
            async with app.working(parts, core.Mounted(simulator)):
                await connect(house, username="maria")
                await house.until("SELECT max(read) >= 400 FROM walks WHERE kind = 'history'")
            read = await house.count("SELECT read FROM walks WHERE kind = 'history'")
            assert read < 900
            async with parts.database.connection() as conn:  # the last page was stored, and that was not noted
                await conn.execute("UPDATE walks SET before = before + interval '10 hours' WHERE kind = 'history'")
                await conn.execute("DELETE FROM pgqueuer")
                await conn.execute("DELETE FROM wants")
            async with app.working(parts, core.Mounted(simulator)):
                await until_read(house)
            assert await here(house) == there(maria)


async def test_later_plays_come_by_themselves_with_what_plays_now_its_picture_and_what_is_loved(house: House) -> None:
    maria = somebody(house, "maria", 30)
    maria.loved = maria.plays[3:5]
    await connect(house, username="maria")
    await until_read(house)
    assert await house.count("SELECT count(*) FROM feedback WHERE score = 1") == 2
    assert await house.count("SELECT bool_and(origin = 'lastfm' AND source_app = 'Last.fm') FROM scrobbles")
    pictures = await house.count("SELECT array_agg(DISTINCT artwork_uri) FROM scrobbles WHERE artwork_uri <> ''")
    assert pictures
    assert all("/i/u/300x300/" in each and "2a96cbd8" not in each for each in pictures)
    assert await house.count("SELECT count(*) FROM scrobbles WHERE evidence ? 'artist_mbids'")
    assert not await house.count("SELECT count(*) FROM scrobbles WHERE evidence ? 'recording_mbid'")

    maria.playing = people.Played(int(house.clock.now().timestamp()), maria.plays[7].recording, maria.plays[7].release)
    play_on(house, maria, seed=77)
    await until_looked_again(house)
    assert await here(house) == there(maria)
    assert await house.count("SELECT scrobble ->> 'track' FROM now_playing") == maria.playing.recording.title
    maria.playing = None
    await until_looked_again(house)
    assert await house.count("SELECT count(*) FROM now_playing") == 0


async def test_plays_that_a_player_submitted_late_are_found_within_a_day(house: House) -> None:
    maria = somebody(house, "maria", 10)
    await connect(house, username="maria")
    await until_read(house)
    play_on(house, maria, seed=3)
    await until_looked_again(house)
    late = maria.plays[4]._replace(at=int((house.clock.now() - timedelta(days=5)).timestamp()))
    maria.add(late)
    house.clock.turn(86_400)
    await house.until("SELECT count(*) = $1 FROM scrobbles", len(there(maria)))
    assert await here(house) == there(maria)


async def test_what_a_listener_deleted_or_told_anew_does_not_come_back(house: House) -> None:
    maria = somebody(house, "maria", 6)
    await connect(house, username="maria")
    await until_read(house)
    first, second = (await house.client.get("/api/v1/scrobbles")).json()["scrobbles"][:2]
    assert (await house.client.delete(f"/api/v1/scrobbles/{first['id']}")).status_code < 300
    edited = await house.client.patch(f"/api/v1/scrobbles/{second['id']}", json={"track_name": "As it should be"})
    assert edited.status_code == 200, edited.text
    play_on(house, maria, seed=8)
    house.clock.turn(86_400)  # the last days are read once more
    await house.until("SELECT count(*) = 6 FROM scrobbles", at_most=7200)
    await until_looked_again(house)
    tracks = [row[2] for row in await here(house)]
    assert len(tracks) == 6
    assert "As it should be" in tracks
    assert first["track_name"] not in tracks
    await house.client.delete("/lastfm/disconnect?keep_plays=false")
    await connect(house, username="maria")  # removing all of them was no judgement on each
    await until_read(house)
    tracks = [row[2] for row in await here(house)]
    assert (len(tracks), first["track_name"] in tracks, second["track_name"] in tracks) == (6, False, True)


async def test_a_hidden_history_says_so_and_is_read_once_it_is_shown(house: House) -> None:
    maria = somebody(house, "maria", 30)
    maria.private = True
    await connect(house, username="maria")
    await house.until("SELECT problem <> '' FROM connections")
    told = await status(house)
    assert (told["status"], told["problem"]["code"]) == ("open", "private")
    assert told["problem"]["next_try"]
    # what else was asked while it was hidden is answered, too: that would be noted as refused anew
    await house.until(QUIET)
    maria.private = False
    house.clock.turn(6 * 3600)
    await until_read(house)
    assert (await status(house))["problem"] is None
    assert await here(house) == there(maria)


async def test_who_does_not_exist_is_not_asked_for_again(house: House) -> None:
    await connect(house, username="nobody")
    await house.until("SELECT status = 'stopped' FROM connections")
    assert (await status(house))["problem"]["code"] == "unknown_user"
    answer = await house.client.post("/lastfm/connect", json={"username": ""})
    assert "auth_url" in answer.json()
    answer = await house.client.post("/lastfm/connect", json={"username": "a/b"})
    assert answer.status_code == 422
    assert answer.json()["error"]["details"][0]["field"] == "username"


@pytest.mark.parametrize(("name", "count"), [("newcomer", 0), ("single", 1)])
async def test_the_smallest_histories_are_read_to_their_end(house: House, name: str, count: int) -> None:
    await connect(house, username=name)
    await until_read(house)
    assert await house.count("SELECT count(*) FROM scrobbles") == count
    assert (await status(house))["history"]["total"] == count


async def test_a_login_reads_what_is_hidden_from_others(house: House) -> None:
    hidden = somebody(house, lastfm_listeners.WHO, 30)
    hidden.private = True
    callback = "https://music.example/settings/lastfm/callback/x"
    answer = await house.client.post("/lastfm/connect", json={"callback": callback})
    confirmed = house.simulator.plan(wire.Request("GET", answer.json()["auth_url"])).reply
    token = httpx.URL(confirmed.headers["location"]).params["token"]
    await connect(house, token=token)
    await until_read(house)
    told = await status(house)
    assert (told["username"], told["logged_in"]) == (lastfm_listeners.WHO, True)
    assert await here(house) == there(hidden)
    key = await house.count("SELECT secret FROM connections")
    assert len(key) == 32
    assert key not in str(told)
    assert not await house.count("SELECT count(*) FROM replies WHERE answer::text LIKE '%' || $1 || '%'", key)


async def test_a_session_that_has_ended_is_forgotten_and_reading_goes_on_by_the_name(house: House) -> None:
    maria = somebody(house, "maria", 30)
    async with house.parts.database.transaction() as conn:
        await connections.connect(
            conn, house.account_id, "lastfm", user_name="maria", secret="a dead key", now=house.clock.now()
        )
    await house.until("SELECT status = 'stopped' FROM connections")
    assert (await status(house))["problem"]["code"] == "session"
    await connect(house, username="maria")
    await until_read(house)
    assert await here(house) == there(maria)
    assert not (await status(house))["logged_in"]


async def test_parting_keeps_or_removes_what_came_from_there_and_nothing_else(house: House) -> None:
    somebody(house, "maria", 20)
    own = house.names(1)[0]
    await house.submit(house.listen(own))
    await connect(house, username="maria")
    await until_read(house)
    kept = await house.client.delete("/lastfm/disconnect")
    assert kept.json() == {"disconnected": True, "removed": 0}
    assert await house.count("SELECT count(*) FROM scrobbles") == 21
    assert not (await status(house))["connected"]
    removed = await house.client.delete("/lastfm/disconnect?keep_plays=false")
    assert removed.json() == {"disconnected": True, "removed": 20}
    assert await house.count("SELECT array_agg(track) FROM scrobbles") == [own.track]
    assert await house.count("SELECT count(*) FROM connections") == 0
    assert await house.count("SELECT count(*) FROM walks") == 0


async def test_plays_that_a_client_read_at_lastfm_are_taken_whatever_their_age(house: House) -> None:
    star = "https://lastfm.freetls.fastly.net/i/u/300x300/2a96cbd8b46e442fc41c2b86b821562f.png"
    row = {
        "artist_name": "Sigur Rós",
        "track_name": "Hoppípolla",
        "played_at": "2009-01-01T10:00:00Z",
        "artwork_uri": star,
        "lastfm_loved": True,
    }
    answer = await house.client.post("/api/v1/scrobbles/from_lastfm", json={"scrobbles": [row]})
    assert answer.status_code == 201, answer.text
    assert await house.count("SELECT origin || source_app || artwork_uri FROM scrobbles") == "lastfmLast.fm"
    assert await house.count("SELECT count(*) FROM feedback") == 1
    assert (await house.client.post("/api/v1/scrobbles/from_lastfm")).status_code == 404


async def test_a_listenbrainz_history_comes_in_by_its_token_and_keeps_coming(house: House) -> None:
    maria = somebody(house, "maria", 1200)
    answer = await house.client.post("/api/v1/listenbrainz/connect", json={"token": "token-maria"})
    assert answer.status_code == 202, answer.text
    await house.until("SELECT count(*) > 0 AND bool_and(ended_at IS NOT NULL) FROM walks WHERE kind = 'history'")
    play_on(house, maria, seed=4)
    maria.playing = maria.plays[2]._replace(at=int(house.clock.now().timestamp()))
    await house.until("SELECT count(*) = $1 FROM scrobbles", len(there(maria)), at_most=7200)
    assert await here(house) == there(maria)
    assert await house.count("SELECT bool_and(origin = 'listenbrainz_sync' AND foreign_id <> '') FROM scrobbles")
    await house.until("SELECT count(*) = 1 FROM now_playing", at_most=7200)
    told = (await house.client.get("/api/v1/listenbrainz/status")).json()
    assert (told["username"], told["logged_in"]) == ("maria", True)


async def test_a_listenbrainz_token_that_is_none_is_refused_in_words(house: House) -> None:
    await house.client.post("/api/v1/listenbrainz/connect", json={"token": "guessed"})
    await house.until("SELECT status = 'stopped' FROM connections")
    told = (await house.client.get("/api/v1/listenbrainz/status")).json()
    assert told["problem"]["code"] == "session"
    assert "token" in told["problem"]["message"]
