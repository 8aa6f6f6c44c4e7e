"""What an account settles for itself."""

from __future__ import annotations

import re

import httpx
import pytest

from sleevenotes.server import pages_self
from sleevenotes.store import accounts
from tests.browser.sample import PASSWORD, SLEEVES, Listener
from tests.unit.server.pages.asking import Client, send

ALMANAC = SLEEVES[0]
NEW = "another good password"


async def test_a_time_zone_that_does_not_exist_is_refused_where_it_was_typed(client: Client) -> None:
    refused = await send(client, "/settings/account/time-zone", time_zone="Mars/X")
    assert (refused.status_code, "is not a time zone; write it like" in refused.text) == (422, True)
    assert 'value="Mars/X"' in refused.text
    assert "Delete your account" in refused.text, "the page it was typed on"


async def test_a_time_zone_that_is_kept_is_said(client: Client) -> None:
    kept = await send(client, "/settings/account/time-zone", time_zone=" Asia/Tokyo ")
    page = (await client.get(kept.headers["location"])).text
    assert "Days, calendar and charts follow Asia/Tokyo now." in page
    assert 'value="Asia/Tokyo"' in page


async def test_a_password_changes_only_for_who_knows_the_old_one_and_others_are_logged_out(
    client: Client, listener: Listener
) -> None:
    async with listener.database.connection() as conn:
        phone = await accounts.open_session(conn, listener.account.id, listener.clock.now(), "phone")
    wrong = await send(client, "/settings/account/password", old="not the one", new=NEW)
    assert (wrong.status_code, "This is not your password." in wrong.text) == (422, True)
    short = await send(client, "/settings/account/password", old=PASSWORD, new="short")
    assert (short.status_code, "at least 8 characters" in short.text) == (422, True)
    done = await send(client, "/settings/account/password", old=PASSWORD, new=NEW)
    assert "Your password is changed." in done.text
    assert (await client.get("/settings/account")).status_code == 200, "this browser stays"
    async with listener.database.connection() as conn:
        assert await accounts.by_session(conn, phone, listener.clock.now()) is None
        assert await accounts.by_password(conn, "nora", NEW)
        assert not await accounts.by_password(conn, "nora", PASSWORD)
        assert await accounts.by_token(conn, listener.token, listener.clock.now()), "players stay, too"


async def test_wrong_passwords_are_counted_here_as_at_the_login(client: Client) -> None:
    for _ in range(9):
        await send(client, "/settings/account/password", old="not the one", new=NEW)
    last = await send(client, "/settings/account/password", old=PASSWORD, new=NEW)
    assert "Too many wrong passwords" in last.text


async def test_sessions_are_told_apart_and_ended_but_for_this_one(client: Client, listener: Listener) -> None:
    async with listener.database.connection() as conn:
        agent = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
        other = await accounts.open_session(conn, listener.account.id, listener.clock.now(), agent)
    page = (await client.get("/settings/account")).text
    assert "Firefox on Linux" in page
    assert page.count("this browser") == 1
    assert (await send(client, "/settings/account/sessions")).status_code == 303
    async with listener.database.connection() as conn:
        assert await accounts.by_session(conn, other, listener.clock.now()) is None
    assert "Firefox on Linux" not in (await client.get("/settings/account")).text


@pytest.mark.parametrize(
    ("agent", "name"),
    [
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Safari/604", "Safari on iPhone"),
        ("Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 Chrome/130.0 Mobile Safari/537.36", "Chrome on Android"),
        ("Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/130 Safari/537.36 Edg/130", "Edge on Windows"),
        ("curl/8.10", "curl"),
        ("", "A browser that does not say which"),
    ],
)  # fmt: skip
def test_a_browser_is_named_in_a_few_words(agent: str, name: str) -> None:
    assert pages_self.browser(agent) == name


async def test_a_profile_is_there_for_strangers_only_where_its_listener_chose_so(
    client: Client, listener: Listener
) -> None:
    app = client._transport
    async with httpx.AsyncClient(transport=app, base_url="http://here.example") as stranger:
        await listener.play(ALMANAC, "Kelp", listener.clock.now())
        assert (await stranger.get("/user/nora")).status_code == 404
        assert (await stranger.get("/1/user/nora/listens")).status_code == 404
        assert "Only you see this page" in (await client.get("/user/nora")).text
        await send(client, "/settings/account/privacy", is_public="1")
        page = (await stranger.get("/user/Nora")).text
        assert "Kelp" in page
        assert not re.findall(r'href="/(?:albums|artists|scrobbles|settings|players)', page)
        listens = (await stranger.get("/1/user/nora/listens")).json()["payload"]
        assert listens["listens"][0]["track_metadata"]["track_name"] == "Kelp"
        assert (await stranger.get("/1/user/nora/listen-count")).json()["payload"]["count"] == 1
        assert (await stranger.get("/1/latest-import?user_name=nora")).status_code == 401
        for way in ("/", "/settings/account", "/api/v1/scrobbles", "/plays/select"):
            assert (await stranger.get(way)).status_code in (302, 401), way
        await send(client, "/settings/account/privacy")
        assert (await stranger.get("/user/nora")).status_code == 404


async def test_the_last_owner_cannot_leave(client: Client, listener: Listener) -> None:
    answer = await send(client, "/settings/account/delete", name="nora", password=PASSWORD)
    assert (answer.status_code, "the last owner" in answer.text) == (422, True)
    async with listener.database.connection() as conn:
        assert await accounts.by_password(conn, "nora", PASSWORD)
        assert await accounts.by_token(conn, listener.token, listener.clock.now())


async def test_an_account_is_deleted_with_all_that_hangs_on_it_and_says_what_went(
    client: Client, listener: Listener
) -> None:
    await listener.play(ALMANAC, "Kelp", listener.clock.now())
    async with listener.database.connection() as conn:
        await accounts.create(conn, "otto", PASSWORD, is_owner=True, now=listener.clock.now())
    form = (await client.get("/settings/account/delete")).text
    assert "1 play" in form
    refused = await send(client, "/settings/account/delete", name="otto", password=PASSWORD)
    assert "Write nora to say that you mean it" in refused.text
    refused = await send(client, "/settings/account/delete", name="nora", password="not the one")
    assert "This is not your password" in refused.text
    answer = await send(client, "/settings/account/delete", name="NORA", password=PASSWORD)
    assert "Gone are 1 play, 1 token" in answer.text
    assert (await client.get("/")).headers["location"] == "/login"
    async with listener.database.connection() as conn:
        assert await conn.fetchval("SELECT count(*) FROM accounts") == 1
        assert await conn.fetchval("SELECT count(*) FROM scrobbles") == 0
        assert await accounts.by_token(conn, listener.token, listener.clock.now()) is None
