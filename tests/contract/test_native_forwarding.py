"""The native API and the page of plays that are sent on."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec
import pytest
from tests.serving import Listener

from sleevenotes.model import Band, Scrobble
from sleevenotes.settings import Settings
from sleevenotes.store import connections, forwards


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return msgspec.structs.replace(settings, lastfm_key="key", lastfm_secret="secret")


async def ask(maria: Listener, method: str, way: str = "", expected: int = 200) -> Any:
    reply = await maria.client.request(method, f"/api/v1/forwarding{way}", headers=maria.header)
    assert reply.status_code == expected, reply.text
    return reply.json()


async def test_it_takes_a_login_there_and_says_so(maria: Listener) -> None:
    told = (await ask(maria, "GET"))["services"]
    assert [(each["service"], each["on"], each["possible"]) for each in told] == [
        ("lastfm", False, False),
        ("listenbrainz", False, False),
    ]
    assert "Log in at Last.fm" in told[0]["reason"]
    refused = await ask(maria, "PUT", "/lastfm", 422)
    assert "Log in" in refused["error"]["message"]
    await ask(maria, "PUT", "/spotify", 422)


async def test_plays_from_now_on_wait_and_those_before_where_that_is_asked_for(maria: Listener) -> None:
    now = maria.services.clock.now()

    async def play(minutes: float) -> None:
        sent = Scrobble("Nile", "Ruins", listened_at=now + timedelta(minutes=minutes), origin="api")
        await maria.services.submitter.submit(maria.account.id, [sent], band=Band.DEFAULT)

    async with maria.services.database.transaction() as conn:
        await connections.connect(
            conn, maria.account.id, "listenbrainz", user_name="maria", secret="a secret token", now=now
        )
    told = (await ask(maria, "PUT", "/listenbrainz"))["services"][1]
    assert (told["on"], told["waiting"]) == (True, 0)
    await play(-5)
    await play(1)
    told = (await ask(maria, "GET"))["services"][1]
    assert (told["waiting"], told["sent"], told["refused"], told["refusals"]) == (1, 0, 0, [])
    assert "a secret token" not in str(told)
    assert await ask(maria, "POST", "/listenbrainz/past", 202) == {"queued": 1}
    await ask(maria, "POST", "/listenbrainz/past?since=whenever", 422)
    async with maria.services.database.transaction() as conn:
        turn = await forwards.take_turn(conn, now, now)
        assert turn is not None
        assert "secret" not in repr(turn)
        first, second = await forwards.load(conn, turn, 10, now)
        done = [forwards.Done(first.scrobble_id, "refused", "Because."), forwards.Done(second.scrobble_id, "sent")]
        await forwards.note(conn, turn, done, now)
    told = (await ask(maria, "GET"))["services"][1]
    assert [(each["id"], each["reason"]) for each in told["refusals"]] == [(first.scrobble_id, "Because.")]
    assert await ask(maria, "POST", "/listenbrainz/again", 202) == {"queued": 1}
    assert (await ask(maria, "DELETE", "/listenbrainz"))["services"][1]["on"] is False
