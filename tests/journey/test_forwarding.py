"""Plays sent on to Last.fm and ListenBrainz, and read back: nothing is doubled, lost or sent twice."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, cast

import pytest

from sleevenotes.model import Band, Scrobble
from sleevenotes.settings import Settings
from sleevenotes.simulator import lastfm, lastfm_listeners, listenbrainz, people
from sleevenotes.store import connections, forwards
from sleevenotes.store.connections import Service
from tests.journey.conftest import House
from tests.journey.somebody import LASTFM, only_histories, until_looked_again

LISTENBRAINZ = "api.listenbrainz.org"
SHOWN = "SELECT count(*) FROM scrobbles WHERE same_as IS NULL"
DONE = "SELECT count(*) FROM forwards WHERE status IN ('sent', 'refused') HAVING count(*) >= $1"


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return only_histories(settings)


def at_lastfm(house: House) -> lastfm_listeners.Listeners:
    return cast("lastfm.LastFm", next(each for each in house.simulator.services if each.name == "lastfm")).listeners


def at_listenbrainz(house: House) -> listenbrainz.ListenBrainz:
    found = next(each for each in house.simulator.services if each.name == "listenbrainz")
    return cast("listenbrainz.ListenBrainz", found)


async def forward(house: House, service: Service, *, since: timedelta = timedelta(hours=6)) -> people.Person:
    """Connect maria, who has played nothing there yet, and have plays sent on to her."""
    maria = house.simulator.people.find("maria", house.clock.now()) and house.simulator.people.add("maria")
    assert maria is not None
    secret = "a session" if service == "lastfm" else "token-maria"
    at_lastfm(house).sessions["a session"] = "maria"
    async with house.parts.database.transaction() as conn:
        now = house.clock.now()
        await connections.connect(conn, house.account_id, service, user_name="maria", secret=secret, now=now)
        assert await forwards.turn_on(conn, house.account_id, service, now - since)
    return maria


def listens(house: House, count: int, *, repeats: int = 0) -> list[dict[str, Any]]:
    """Return listens of the last hours, the first of them again right after, `repeats` times."""
    start = house.clock.now() - timedelta(hours=5)
    plays = house.names(count)
    played = [*plays[:1] * (repeats + 1), *plays[1:]]
    return [house.listen(play, start + timedelta(minutes=4 * place)) for place, play in enumerate(played)]


async def until_synced(house: House) -> None:
    """Have what is there read once more, from now on."""
    async with house.parts.database.connection() as conn:
        await conn.execute("UPDATE connections SET sync_due = $1", house.clock.now())
    await until_looked_again(house)


@pytest.mark.parametrize("service", ["lastfm", "listenbrainz"])
async def test_what_was_sent_on_and_comes_back_is_neither_doubled_nor_lost(house: House, service: Service) -> None:
    maria = await forward(house, service)
    sent = listens(house, 20, repeats=2)
    if service == "lastfm":  # corrects two of them, one beyond recognition
        names = [each["track_metadata"] for each in sent[-2:]]
        at_lastfm(house).taking.corrections = {
            (names[0]["artist_name"], names[0]["track_name"]): (names[0]["artist_name"], "Another Title Altogether"),
            (names[1]["artist_name"], names[1]["track_name"]): ("Somebody Else", "And Another"),
        }
    assert (await house.submit(*sent)).status_code == 200
    await house.until(DONE, len(sent))
    assert len(maria.plays) == len(sent)
    await until_synced(house)
    assert await house.count("SELECT count(*) FROM scrobbles") == len(sent) + (2 if service == "lastfm" else 0)
    assert await house.count(SHOWN) == len(sent)
    await until_synced(house)
    assert await house.count("SELECT count(*) FROM forwards") == len(sent)  # what came back was not sent again
    given = at_lastfm(house).taking.submissions if service == "lastfm" else at_listenbrainz(house).taking.submissions
    assert len(given) == len(sent)


async def test_plays_go_in_their_order_and_nothing_is_doubled_whatever_goes_wrong_meanwhile(house: House) -> None:
    maria = await forward(house, "lastfm")
    sent = listens(house, 60)
    for kind in ("drop", "short", "500", "rate", "html"):
        house.simulator.fail_next(LASTFM, kind)
    await house.submit(*sent[:55])
    await house.submit(*sent[55:])
    await house.until(DONE, 60, at_most=7200)
    assert [play.at for play in maria.plays] == [each["listened_at"] for each in sent]
    assert await house.count("SELECT faults FROM forwarding") == 0


async def test_a_crash_between_sending_and_noting_sends_again_what_is_taken_once(house: House) -> None:
    maria = await forward(house, "lastfm")
    await house.submit(*listens(house, 5))
    await house.until(DONE, 5)
    async with house.parts.database.connection() as conn:  # as if the answers had never been noted
        await conn.execute("UPDATE forwards SET status = 'sending', told_artist = '', told_track = '', done_at = NULL")
        await conn.execute("UPDATE forwarding SET leased_until = $1", house.clock.now() + timedelta(minutes=3))
    await house.until(DONE, 5)
    assert len(maria.plays) == 5
    await until_synced(house)
    assert await house.count("SELECT count(*) FROM scrobbles") == 5


async def test_what_a_service_never_takes_is_kept_with_its_reason_and_the_others_go(house: House) -> None:
    maria = await forward(house, "lastfm", since=timedelta(days=30))
    sent = listens(house, 4)
    sent[0]["track_metadata"]["artist_name"] = "Unknown Artist"
    sent[1]["listened_at"] -= 20 * 86_400
    sent[2]["track_metadata"]["additional_info"] = {"duration_ms": 20_000}
    await house.submit(*sent)
    await house.until(DONE, 4)
    async with house.parts.database.connection() as conn:
        refused = {each.reason for each in await forwards.refusals(conn, house.account_id, "lastfm", 10)}
    assert refused == {
        "Last.fm ignores this artist.",
        "It is too old for Last.fm, which takes plays of the last fortnight.",
        "Last.fm takes no track of thirty seconds or less.",
    }
    assert [play.at for play in maria.plays] == [sent[3]["listened_at"]]


async def test_one_listen_that_listenbrainz_refuses_does_not_keep_the_others(house: House) -> None:
    maria = await forward(house, "listenbrainz")
    sent = listens(house, 9)
    await house.submit(*sent)
    async with house.parts.database.connection() as conn:  # a name that only ListenBrainz finds fault with
        await conn.execute(
            "UPDATE scrobbles SET track = '' WHERE listened_at = (SELECT max(listened_at) FROM scrobbles)"
        )
    await house.until(DONE, 9)
    assert len(maria.plays) == 8
    assert "track_name" in await house.count("SELECT reason FROM forwards WHERE status = 'refused'")


async def test_a_login_that_is_no_longer_accepted_stops_it_until_the_listener_connects_again(house: House) -> None:
    maria = await forward(house, "lastfm")
    at_lastfm(house).sessions.clear()
    await house.submit(*listens(house, 2))
    await house.until("SELECT problem = 'session' FROM connections WHERE note LIKE '%login%'")
    house.clock.turn(3600)
    async with house.parts.database.transaction() as conn:
        told = await forwards.state(conn, house.account_id, "lastfm")
        assert told is not None
        assert (told.stopped, told.waiting, told.sent) == (True, 2, 0)
        at_lastfm(house).sessions["a session"] = "maria"
        now = house.clock.now()
        await connections.connect(conn, house.account_id, "lastfm", user_name="maria", secret="a session", now=now)
    await house.until(DONE, 2)
    assert len(maria.plays) == 2


async def log_in(house: House, who: str) -> None:
    """Connect ListenBrainz by somebody's token, and wait until it is known whose it is."""
    answer = await house.client.post("/api/v1/listenbrainz/connect", json={"token": f"token-{who}"})
    assert answer.status_code == 202, answer.text
    await house.until("SELECT user_name = $1 AND token = '' FROM connections", who)


async def stands(house: House) -> dict[str, Any]:
    """Ask how the forwarding to ListenBrainz stands."""
    told: dict[str, Any] = (await house.client.get("/api/v1/forwarding")).json()["services"][1]
    return told


async def play(house: House, seed: int) -> None:
    """Submit a play that was made just now."""
    house.clock.turn(2)  # it is sent with whole seconds, and was played since the switch was turned
    play = house.names(1, seed=seed)[0]
    assert (await house.submit(house.listen(play, house.clock.now()))).status_code == 200


async def test_what_is_played_while_nothing_is_connected_goes_to_nobody_who_is_connected_later(house: House) -> None:
    await log_in(house, "newcomer1")
    assert (await house.client.put("/api/v1/forwarding/listenbrainz")).status_code == 200
    await play(house, 1)
    await house.until(DONE, 1)
    house.simulator.fail_next(LISTENBRAINZ, "500")  # one waits while the listener disconnects
    await play(house, 2)
    await house.client.delete("/api/v1/listenbrainz/disconnect")
    house.clock.turn(60)
    await play(house, 3)
    assert await house.count("SELECT count(*) FROM forwarding") == 0
    assert await house.count("SELECT count(*) FROM forwards WHERE status <> 'sent'") == 0
    await log_in(house, "newcomer2")
    told = (await house.client.put("/api/v1/forwarding/listenbrainz")).json()["services"][1]
    assert (told["on"], told["waiting"]) == (True, 0)
    since = datetime.fromisoformat(told["since"])
    assert since > house.clock.now() - timedelta(seconds=30)
    await play(house, 4)
    await house.until("SELECT count(*) = 1 FROM forwards WHERE status = 'sent' AND queued_at >= $1", since)
    newcomer = house.simulator.people.find("newcomer2", house.clock.now())
    assert newcomer is not None
    assert len(newcomer.plays) == 1


async def test_who_is_connected_over_somebody_else_is_sent_nothing_unasked(house: House) -> None:
    await log_in(house, "newcomer1")
    await house.client.put("/api/v1/forwarding/listenbrainz")
    await log_in(house, "newcomer1")  # the same listener once more: it goes on
    assert (await stands(house))["on"]
    await log_in(house, "newcomer3")
    assert not (await stands(house))["on"]
    assert not (await house.client.get("/api/v1/listenbrainz/status")).json()["forwards"]
    await play(house, 1)
    assert await house.count("SELECT count(*) FROM forwards") == 0


async def test_what_plays_now_is_told_and_nothing_goes_where_it_came_from_or_unasked(house: House) -> None:
    maria = await forward(house, "lastfm", since=timedelta(minutes=30))
    playing = listens(house, 1)[0]
    del playing["listened_at"]
    await house.submit(playing, kind="playing_now")
    await house.until("SELECT playing IS NULL FROM forwarding")
    await house.until("SELECT leased_until IS NULL FROM forwarding")
    assert maria.playing is not None
    await house.submit(*listens(house, 3))  # hours before the switch
    person = house.simulator.people
    maria.add(*person.dated(person.choose(2, seed=5), int(house.clock.now().timestamp()), every=200))
    await until_synced(house)
    assert await house.count("SELECT count(*) FROM scrobbles WHERE origin = 'lastfm'") == 2
    assert await house.count("SELECT count(*) FROM forwards") == 0
    two_hours_ago = house.clock.now() - timedelta(hours=2)
    rough = Scrobble(artist="Air", track="Talisman", listened_at=two_hours_ago, origin="lastfm_minutes")
    await house.parts.submitter.submit(house.account_id, [rough], band=Band.LOW_PRIORITY)
    async with house.parts.database.transaction() as conn:  # until it is asked for
        asked = house.clock.now() - timedelta(days=1)
        assert await forwards.queue_past(conn, house.account_id, "lastfm", asked, house.clock.now()) == 3
    await house.until(DONE, 3)
    assert len(maria.plays) == 5
