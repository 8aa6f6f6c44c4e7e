"""Who is asking, and that a form was sent from one of our pages."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from sleevenotes.clock import HandClock
from sleevenotes.server import auth
from sleevenotes.settings import Settings
from sleevenotes.store import accounts
from sleevenotes.store.postgres import Database
from tests import serving


@pytest_asyncio.fixture
async def maria(settings: Settings, clock: HandClock, database: Database) -> AsyncIterator[serving.Listener]:
    async with serving.listening(settings, clock, database) as listener:
        yield listener


async def log_in(maria: serving.Listener) -> str:
    """Open a session for the client and return the secret that its forms must carry."""
    async with maria.services.database.connection() as conn:
        cookie = await accounts.open_session(conn, maria.account.id, maria.services.clock.now())
    maria.client.cookies.set(auth.SESSION_COOKIE, cookie)
    await maria.client.get("/players")
    return str(maria.client.cookies[auth.CSRF_COOKIE])


async def test_a_page_with_a_form_sets_the_secret_for_scripts_and_strangers_out_of_reach(
    maria: serving.Listener,
) -> None:
    reply = await maria.client.get("/login")
    (cookie,) = [line for line in reply.headers.get_list("set-cookie") if line.startswith(auth.CSRF_COOKIE)]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert maria.client.cookies[auth.CSRF_COOKIE] in reply.text


@pytest.mark.parametrize("given", [None, "", "something else"])
async def test_a_form_without_the_secret_is_refused(maria: serving.Listener, given: str | None) -> None:
    await log_in(maria)
    form = {} if given is None else {auth.CSRF_FIELD: given}
    reply = await maria.client.post("/logout", data=form)
    assert reply.status_code == 403
    assert "load the page again" in reply.text
    assert (await maria.client.get("/players")).status_code == 200


async def test_without_the_cookie_no_secret_is_right(maria: serving.Listener) -> None:
    secret = await log_in(maria)
    del maria.client.cookies[auth.CSRF_COOKIE]
    assert (await maria.client.post("/logout", data={auth.CSRF_FIELD: secret})).status_code == 403
    assert (await maria.client.post("/logout", data={auth.CSRF_FIELD: ""})).status_code == 403


@pytest.mark.parametrize("in_header", [True, False])
async def test_a_form_with_the_secret_is_taken_and_logging_out_ends_the_session(
    maria: serving.Listener, *, in_header: bool
) -> None:
    secret = await log_in(maria)
    asked: dict[str, Any] = (
        {"headers": {auth.CSRF_HEADER: secret}} if in_header else {"data": {auth.CSRF_FIELD: secret}}
    )
    assert (await maria.client.post("/logout", **asked)).status_code == 303
    assert (await maria.client.get("/players")).headers["location"].startswith("/login")


async def test_a_session_reads_the_apis_and_a_closed_one_does_not(maria: serving.Listener) -> None:
    await log_in(maria)
    assert (await maria.client.get("/api/v1/scrobbles")).status_code == 200
    maria.client.cookies.set(auth.SESSION_COOKIE, "made-up")
    assert (await maria.client.get("/api/v1/scrobbles")).status_code == 401


async def test_a_bad_token_is_not_helped_by_a_good_session(maria: serving.Listener) -> None:
    await log_in(maria)
    reply = await maria.client.get("/api/v1/scrobbles", headers={"Authorization": "Bearer nonsense"})
    assert reply.status_code == 401


BASIC = {"Authorization": "Basic bWFyaWE6cHJveHk="}  # of the proxy before us: a browser sends it on with everything


async def test_pages_open_behind_a_proxy_with_a_password_of_its_own(maria: serving.Listener) -> None:
    assert (await maria.client.get("/login", headers=BASIC)).status_code == 200
    assert (await maria.client.get("/players", headers=BASIC)).headers["location"].startswith("/login")
    secret = await log_in(maria)
    for path in ("/", "/players", "/api/v1/scrobbles"):
        assert (await maria.client.get(path, headers=BASIC)).status_code == 200
    assert (await maria.client.post("/logout", headers=BASIC, data={auth.CSRF_FIELD: secret})).status_code == 303


@pytest.mark.parametrize(
    "header", ["Basic bWFyaWE6cHJveHk=", "Negotiate x", "Digest x", "x", "Tokens x", "Basic Token x"]
)
async def test_a_proxys_password_does_not_make_a_foreign_form_ours(maria: serving.Listener, header: str) -> None:
    await log_in(maria)
    for path in ("/logout", "/players"):
        assert (await maria.client.post(path, headers={"Authorization": header})).status_code == 403
    assert (await maria.client.get("/players")).status_code == 200


@pytest.mark.parametrize("header", ["Token", "Bearer", "token nonsense", "BEARER nonsense"])
async def test_a_header_that_frees_a_form_from_the_secret_is_never_made_up_for_by_a_session(
    maria: serving.Listener, header: str
) -> None:
    await log_in(maria)
    assert (await maria.client.post("/players", headers={"Authorization": header})).status_code == 401


async def test_a_token_that_may_not_read_does_not_open_its_own_private_profile(maria: serving.Listener) -> None:
    async def status(*scopes: accounts.Scope) -> int:
        now = maria.services.clock.now()
        async with maria.services.database.connection() as conn:
            token = await accounts.create_token(conn, maria.account.id, "one", now, scopes=set(scopes))
        reply = await maria.client.get("/user/maria", headers={"Authorization": f"Token {token}"})
        return reply.status_code

    assert await status(accounts.Scope.SUBMIT) == 404
    assert await status(accounts.Scope.SUBMIT, accounts.Scope.MANAGE) == 404
    assert await status(accounts.Scope.READ) == 200


async def test_a_revoked_token_ends_within_seconds(maria: serving.Listener, clock: HandClock) -> None:
    async def status() -> int:
        return (await maria.client.get("/api/v1/scrobbles", headers=maria.header)).status_code

    assert await status() == 200
    async with maria.services.database.connection() as conn:
        (token,) = await accounts.tokens(conn, maria.account.id)
        await accounts.revoke_token(conn, maria.account.id, token.id)
    clock.turn(auth.KnownTokens.REMEMBERED.total_seconds())
    assert await status() == 401


async def test_only_tokens_that_work_are_remembered(database: Database, clock: HandClock) -> None:
    known = auth.KnownTokens(database, clock)
    async with database.connection() as conn:
        maria = await accounts.create(conn, "maria", "", is_owner=True, now=clock.now())
        token = await accounts.create_token(conn, maria.id, "phone", clock.now(), scopes=accounts.EVERYTHING)
    assert await known.account(token) == maria
    assert await known.account("a guess") is None
    assert (known.remembers(token), known.remembers("a guess")) == (True, False)


async def test_every_answer_forbids_foreign_scripts_and_frames(maria: serving.Listener) -> None:
    for path in ("/login", "/api/docs", "/1/validate-token", "/nothing"):
        headers = (await maria.client.get(path)).headers
        assert "default-src 'self'" in headers["content-security-policy"]
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
