"""Logging in at Last.fm and ListenBrainz over a connection that works: a login that fails takes nothing away."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from sleevenotes.pipeline import farewell
from sleevenotes.settings import Settings
from sleevenotes.simulator import lastfm_listeners, wire
from sleevenotes.store import accounts
from tests.journey.conftest import House
from tests.journey.somebody import LASTFM, connect, here, only_histories, play_on, somebody, status, there, until_read
from tests.journey.test_forwarding import log_in, play, stands

LISTENBRAINZ = "/api/v1/listenbrainz"


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return only_histories(settings)


async def until_refused(house: House) -> None:
    await house.until("SELECT token = '' AND login_note <> '' FROM connections")


async def let_in(house: House) -> None:
    """Log in at Last.fm, as its page does it."""
    answer = await house.client.post("/lastfm/connect", json={"callback": "https://music.example/back"})
    confirmed = house.simulator.plan(wire.Request("GET", answer.json()["auth_url"])).reply
    await connect(house, token=httpx.URL(confirmed.headers["location"]).params["token"])
    await house.until("SELECT secret <> '' AND token = '' FROM connections")


async def test_a_token_that_lastfm_does_not_accept_leaves_the_login_and_the_forwarding_as_they_were(
    house: House,
) -> None:
    who = somebody(house, lastfm_listeners.WHO, 30)
    await let_in(house)
    await until_read(house)
    assert (await house.client.put("/api/v1/forwarding/lastfm")).status_code == 200
    secret = await house.count("SELECT secret FROM connections")
    answer = await house.client.post("/lastfm/connect", json={"token": "0123456789abcdef0123456789abcdef"})
    assert answer.json()["status"] == "connecting"
    await until_refused(house)
    told = await status(house)
    assert (told["status"], told["logged_in"], told["forwards"]) == ("open", True, True)
    assert told["problem"] is None
    assert told["login_problem"] == "Last.fm did not accept the login."
    assert await house.count("SELECT secret FROM connections") == secret
    before = len(who.plays)
    await play(house, 1)
    await house.until("SELECT count(*) = 1 FROM forwards WHERE status = 'sent'")
    assert len(who.plays) == before + 1
    await let_in(house)
    told = await status(house)
    assert (told["login_problem"], told["forwards"]) == (None, True)


async def test_a_mistyped_token_leaves_listenbrainz_as_it_was(house: House) -> None:
    await log_in(house, "newcomer1")
    await house.client.put("/api/v1/forwarding/listenbrainz")
    await house.client.post(f"{LISTENBRAINZ}/connect", json={"token": "tokn-typo"})
    await until_refused(house)
    told: dict[str, Any] = (await house.client.get(f"{LISTENBRAINZ}/status")).json()
    assert (told["status"], told["username"], told["logged_in"]) == ("open", "newcomer1", True)
    assert told["login_problem"] == "ListenBrainz does not accept the token."
    assert (await stands(house))["on"]
    await log_in(house, "newcomer1")
    assert (await house.client.get(f"{LISTENBRAINZ}/status")).json()["login_problem"] is None


async def test_a_connection_by_name_goes_on_by_the_name_where_a_login_comes_to_nothing(house: House) -> None:
    maria = somebody(house, "maria", 300)
    await connect(house, username="maria")
    await connect(house, token="0123456789abcdef0123456789abcdef")  # while the history is being read
    await until_refused(house)
    play_on(house, maria, seed=5)
    await until_read(house)
    await house.until("SELECT count(*) = $1 FROM scrobbles", len(there(maria)), at_most=7200)
    assert await here(house) == there(maria)
    assert (await status(house))["status"] == "open"


async def test_a_session_that_has_ended_waits_for_a_login_that_is_accepted(house: House) -> None:
    somebody(house, lastfm_listeners.WHO, 3)
    await let_in(house)
    await until_read(house)
    await house.client.put("/api/v1/forwarding/lastfm")
    async with house.parts.database.connection() as conn:
        await conn.execute("UPDATE connections SET secret = 'a dead key', sync_due = $1", house.clock.now())
    await house.until("SELECT status = 'stopped' FROM connections")
    await connect(house, token="0123456789abcdef0123456789abcdef")
    await house.until("SELECT status = 'stopped' AND token = '' FROM connections")
    state = (await house.client.get("/api/v1/forwarding")).json()["services"][0]
    assert (state["on"], state["stopped"]) == (True, True)
    await let_in(house)
    state = (await house.client.get("/api/v1/forwarding")).json()["services"][0]
    assert (state["on"], state["stopped"]) == (True, False)


@pytest.mark.parametrize("leaves", ["the account", "the connection"])
async def test_a_token_that_waits_to_be_asked_about_goes_with_whose_it_is(house: House, leaves: str) -> None:
    house.simulator.fail_next(LASTFM, "500", times=3)
    await connect(house, token="0123456789abcdef0123456789abcdef")
    await house.until("SELECT faults > 0 FROM wants WHERE kind = 'open_session'")
    if leaves == "the account":
        async with house.parts.database.transaction() as conn:
            await accounts.create(conn, "otto", "a good password", is_owner=True, now=house.clock.now())
        await farewell.leave(house.parts.database, house.parts.files, house.account_id, house.clock.now())
    else:
        await house.client.delete("/lastfm/disconnect")
    for table in ("connections", "wants", "replies"):
        assert await house.count(f"SELECT count(*) FROM {table}") == 0
