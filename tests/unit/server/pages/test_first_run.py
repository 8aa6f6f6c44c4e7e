"""First run, logging in, players and lanes."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape
from http import HTTPStatus

import pytest

from sleevenotes.clock import HandClock
from sleevenotes.store import accounts
from sleevenotes.store.postgres import Database
from tests.browser.sample import PASSWORD, Listener
from tests.unit.server.pages.asking import Client, send

# ---------------------------------------------------------------- first run, login


async def test_the_first_visitor_is_led_to_create_the_owner(stranger: Client) -> None:
    answer = await stranger.get("/")
    assert (answer.status_code, answer.headers["location"]) == (302, "/setup")


async def test_the_first_run_creates_the_owner_and_shows_a_token_that_works(
    stranger: Client, database: Database, clock: HandClock
) -> None:
    answer = await send(stranger, "/setup", name="nora", password=PASSWORD, time_zone="Europe/Vienna")
    assert answer.status_code == 200
    shown = re.search(r"<code[^>]*>([0-9a-f-]{36})</code>", answer.text)
    assert shown
    async with database.connection() as conn:
        account = await accounts.by_token(conn, shown[1], clock.now())
    assert account
    assert (account.name, account.is_owner, account.time_zone) == ("nora", True, "Europe/Vienna")
    assert "http://here.example/1/submit-listens" in answer.text
    assert (await stranger.get("/")).status_code == 200  # and the browser is logged in
    assert shown[1] not in (await stranger.get("/players")).text  # only once


async def test_a_second_owner_cannot_be_made(client: Client) -> None:
    assert (await client.get("/setup")).headers["location"] == "/"
    answer = await send(client, "/setup", name="eve", password=PASSWORD, time_zone="UTC")
    assert answer.status_code == 422
    assert "has an owner already" in answer.text


async def test_a_short_password_is_refused_in_words_and_nothing_is_created(
    stranger: Client, database: Database
) -> None:
    answer = await send(stranger, "/setup", name="nora", password="short", time_zone="UTC")
    assert answer.status_code == 422
    assert "at least 8 characters" in answer.text
    assert 'value="nora"' in answer.text
    async with database.connection() as conn:
        assert await accounts.count(conn) == 0


async def test_a_time_zone_that_nobody_knows_is_refused_and_not_replaced(stranger: Client, database: Database) -> None:
    answer = await send(stranger, "/setup", name="nora", password=PASSWORD, time_zone="Europe/Wien")
    assert answer.status_code == 422
    assert "&#39;Europe/Wien&#39; is not a time zone; write it like Europe/Vienna." in answer.text
    assert 'value="nora"' in answer.text
    assert 'value="Europe/Wien"' in answer.text
    async with database.connection() as conn:
        assert await accounts.count(conn) == 0


async def test_a_form_without_its_secret_changes_nothing(stranger: Client, database: Database) -> None:
    answer = await stranger.post("/setup", data={"name": "eve", "password": PASSWORD})
    assert answer.status_code == 403
    async with database.connection() as conn:
        assert await accounts.count(conn) == 0


async def test_a_stranger_is_led_to_the_login_and_back(stranger: Client, listener: Listener) -> None:
    await listener.arrive()
    answer = await stranger.get("/status?x=1")
    assert answer.headers["location"] == "/login?next=%2Fstatus%3Fx%3D1"
    sent = await send(stranger, "/login", name="nora", password=PASSWORD, next="/status?x=1")
    assert sent.headers["location"] == "/status?x=1"


@pytest.mark.parametrize(
    ("sent_to", "sent_from", "back"),
    [
        ("/plays/edit", "http://here.example/scrobbles/980/edit", "/scrobbles/980/edit"),
        ("/review/accept", "http://here.example/review?case=7&back=/albums", "/review?case=7&back=/albums"),
        ("/plays/edit", "http://here.example/plays/edit?ids=7,8&back=", "/plays/edit?ids=7,8&back="),
        ("/plays/delete", "http://here.example/plays/delete", "/"),
        ("/settings/account/password", "http://here.example/settings/account/password", "/settings/account"),
        ("/covers/choose", "http://elsewhere.example/status", "/"),
        ("/covers/choose", "http://here.example//elsewhere.example/", "/"),
        ("/covers/choose", "http://[here.example/status", "/"),
        ("/imports/3/undo", "", "/imports/3"),
    ],
)
async def test_a_form_sent_after_the_session_ended_leads_back_to_its_page(
    client: Client, sent_to: str, sent_from: str, back: str
) -> None:
    secret = {"csrf_token": client.cookies["sleevenotes_csrf"]}
    await client.post("/logout", data=secret)
    lost = await client.post(sent_to, data=secret, headers={"Referer": sent_from} if sent_from else {})
    assert lost.status_code == 302
    login = (await client.get(lost.headers["location"])).text
    assert "You were logged out; nothing was changed." in login
    [kept] = re.findall(r'name="next" value="([^"]+)"', login)
    assert unescape(kept) == back
    there = await client.post("/login", data={**secret, "name": "nora", "password": PASSWORD, "next": unescape(kept)})
    assert there.headers["location"] == back
    assert (await client.get(back)).status_code != 405


async def test_a_wrong_password_opens_nothing(stranger: Client, listener: Listener) -> None:
    await listener.arrive()
    answer = await send(stranger, "/login", name="nora", password="guess after guess")
    assert answer.status_code == 422
    assert "do not belong together" in answer.text
    assert (await stranger.get("/")).status_code == 302


async def test_guessing_passwords_is_slowed_down(stranger: Client, listener: Listener, clock: HandClock) -> None:
    await listener.arrive()
    for _ in range(10):
        await send(stranger, "/login", name="nora", password="guess after guess")
    assert (await send(stranger, "/login", name="nora", password=PASSWORD)).status_code == 429
    clock.turn(61)
    assert (await send(stranger, "/login", name="nora", password=PASSWORD)).status_code == 303


async def test_logging_out_ends_the_session_also_for_who_kept_the_cookie(client: Client) -> None:
    kept = dict(client.cookies)
    assert (await send(client, "/logout")).status_code == 303
    client.cookies.update(kept)
    assert (await client.get("/")).headers["location"] == "/login"


# ---------------------------------------------------------------- players, theme, lanes


async def test_tokens_are_made_shown_once_and_revoked(client: Client, database: Database, clock: HandClock) -> None:
    answer = await send(client, "/players", name="phone", scopes=["submit"])
    token = re.search(r"<code[^>]*>([0-9a-f-]{36})</code>", answer.text)
    assert token
    async with database.connection() as conn:
        account = await accounts.by_token(conn, token[1], clock.now())
        assert account
        kept = await accounts.tokens(conn, account.id)
    phone = next(one for one in kept if one.name == "phone")
    assert (await send(client, f"/players/{phone.id}/revoke")).status_code == 303
    async with database.connection() as conn:
        assert await accounts.by_token(conn, token[1], clock.now()) is None


async def test_the_theme_is_remembered_without_a_script(client: Client) -> None:
    assert "data-theme" not in (await client.get("/")).text
    answer = await send(client, "/theme", theme="dark", back="/players")
    assert (answer.status_code, answer.headers["location"]) == (303, "/players")
    assert 'data-theme="dark"' in (await client.get("/")).text
    await send(client, "/theme", theme="")
    assert "data-theme" not in (await client.get("/")).text


async def test_the_lanes_page_says_who_rests_and_why(client: Client, database: Database, clock: HandClock) -> None:
    async with database.connection() as conn:
        await conn.execute(
            "INSERT INTO budgets (host, paused_until, pause_reason, faults) VALUES ('musicbrainz.org', $1, $2, 3)",
            clock.now() + timedelta(seconds=30),
            "the service sheds load",
        )
    page = (await client.get("/status")).text
    assert "Resting for another 30 s. The service sheds load." in page
    assert "Cover Art Archive" in page


async def test_a_page_that_does_not_exist_says_so_in_our_own_look(client: Client) -> None:
    answer = await client.get("/albums/999")
    assert answer.status_code == 404
    assert "Nothing is here" in answer.text
    assert "/static/sleevenotes.css" in answer.text


@pytest.mark.parametrize(
    ("way", "status", "said"),
    [
        ("/covers/choose", 405, "This address only takes what a form sends"),
        ("/charts/artists?page=many", 404, "This page does not exist"),
        ("/nowhere", 404, "This page does not exist"),
    ],
)
async def test_a_page_of_a_problem_is_no_phrase_of_the_protocol(
    client: Client, way: str, status: int, said: str
) -> None:
    answer = await client.get(way)
    assert (answer.status_code, said in answer.text) == (status, True)
    assert HTTPStatus(status).phrase not in answer.text
    assert "Validation failed" not in answer.text
    assert ">Back<" not in answer.text, "nobody knows where to"


async def test_the_theme_changes_on_a_page_that_answered_a_form(client: Client) -> None:
    answer = await send(client, "/theme", theme="dark", back="/settings/account/password")
    assert answer.headers["location"] == "/settings/account"
    deep = await send(client, "/theme", theme="dark", back="/settings" * 1000)
    assert deep.headers["location"] == "/"


async def test_a_form_that_is_too_large_is_refused_in_plain_words(client: Client) -> None:
    answer = await client.post("/theme", data={"theme": "dark" * 3_000_000})
    assert (answer.status_code, "More was sent than is taken here." in answer.text) == (413, True)
