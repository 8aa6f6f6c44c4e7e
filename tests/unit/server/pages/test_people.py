"""Several listeners on one server: inviting, helping, removing."""

from __future__ import annotations

import re

import httpx
import pytest

from sleevenotes.store import accounts, invitations
from tests.browser.sample import Listener
from tests.unit.server.pages.asking import Client, send

OTTO = "otto's own password"


async def link(client: Client, way: str, **fields: str) -> str:
    page = (await send(client, way, **fields)).text
    [found] = re.findall(r"http://here\.example(/invitation/[\w-]+)", page)
    return str(found)


async def come(app: Client, way: str, **fields: str) -> httpx.Response:
    """Open an invitation in a browser of one's own, and send its form."""
    async with httpx.AsyncClient(transport=app._transport, base_url="http://here.example") as browser:
        form = await browser.get(way)
        if form.status_code != 200:
            return form
        secret = re.findall(r'name="csrf_token" value="([^"]+)"', form.text)[0]
        answer = await browser.post(way, data={"csrf_token": secret, **fields})
        if answer.status_code == 303:
            assert (await browser.get("/settings/account")).status_code == 200, "logged in"
            assert (await browser.get("/settings/people")).status_code == 404, "not an owner"
        return answer


async def test_an_invitation_makes_one_account_once(client: Client, listener: Listener) -> None:
    way = await link(client, "/settings/people/invite", note="my brother")
    assert "my brother" in (await client.get("/settings/people")).text
    taken = await come(client, way, name="nora", password=OTTO, time_zone="UTC")
    assert (taken.status_code, "is taken" in taken.text) == (422, True)
    short = await come(client, way, name="otto", password="short", time_zone="UTC")
    assert short.status_code == 422
    lost = await come(client, way, name="otto", password=OTTO, time_zone="Europe/Wien")
    assert (lost.status_code, "is not a time zone" in lost.text) == (422, True)
    assert 'value="Europe/Wien"' in lost.text
    made = await come(client, way, name="otto", password=OTTO, time_zone="Asia/Tokyo")
    assert (made.status_code, made.headers["location"]) == (303, "/players")
    async with listener.database.connection() as conn:
        otto = await accounts.by_password(conn, "otto", OTTO)
    assert otto is not None
    assert (otto.is_owner, otto.is_public, otto.time_zone) == (False, False, "Asia/Tokyo")
    again = await come(client, way, name="eve", password=OTTO, time_zone="UTC")
    assert (again.status_code, "has been used, or is too old" in again.text) == (404, True)


async def test_an_invitation_ends_by_itself_or_when_it_is_taken_back(client: Client, listener: Listener) -> None:
    first, second = [await link(client, "/settings/people/invite") for _ in range(2)]
    async with listener.database.connection() as conn:
        newest = (await invitations.open_ones(conn, listener.clock.now()))[0]
    await send(client, f"/settings/people/invitations/{newest.id}/revoke")
    assert (await come(client, second)).status_code == 404
    listener.clock.turn(invitations.LASTS.total_seconds() + 1)  # type: ignore[attr-defined] # turned by hand
    assert (await come(client, first)).status_code == 404


async def test_a_lost_password_is_set_anew_by_its_listener_not_by_the_owner(client: Client, listener: Listener) -> None:
    async with listener.database.connection() as conn:
        otto = await accounts.create(conn, "otto", OTTO, is_owner=False, now=listener.clock.now())
        session = await accounts.open_session(conn, otto.id, listener.clock.now())
    way = await link(client, f"/settings/people/{otto.id}/reset")
    async with listener.database.connection() as conn:
        assert await accounts.by_password(conn, "otto", OTTO), "the old one holds until the link is used"
    assert (await come(client, way, password="a newer password")).status_code == 303
    async with listener.database.connection() as conn:
        assert await accounts.by_password(conn, "otto", "a newer password")
        assert await accounts.by_session(conn, session, listener.clock.now()) is None


async def test_removing_somebody_asks_for_the_name_and_says_what_went(client: Client, listener: Listener) -> None:
    async with listener.database.connection() as conn:
        otto = await accounts.create(conn, "otto", OTTO, is_owner=False, now=listener.clock.now())
        await accounts.create_token(conn, otto.id, "phone", listener.clock.now())
    assert "1 token" in (await client.get(f"/settings/people/{otto.id}/remove")).text
    assert (await send(client, f"/settings/people/{otto.id}/remove", name="nora")).status_code == 422
    gone = await send(client, f"/settings/people/{otto.id}/remove", name="otto")
    assert "otto is deleted" in gone.text
    assert "1 token" in gone.text
    assert "otto" not in (await client.get("/settings/people")).text


async def test_there_is_always_an_owner(client: Client, listener: Listener) -> None:
    own = listener.account.id
    assert (await send(client, f"/settings/people/{own}/owner")).status_code == 422
    async with listener.database.connection() as conn:
        otto = await accounts.create(conn, "otto", OTTO, is_owner=False, now=listener.clock.now())
    assert (await send(client, f"/settings/people/{otto.id}/owner")).status_code == 303
    assert (await send(client, f"/settings/people/{own}/owner")).headers["location"] == "/settings"
    assert (await client.get("/settings/people")).status_code == 404, "handed over"


@pytest.mark.parametrize("way", ["/settings/people", "/settings/people/1/remove"])
async def test_the_owner_s_pages_are_not_there_for_anybody_else(client: Client, listener: Listener, way: str) -> None:
    async with listener.database.connection() as conn:
        await accounts.create(conn, "otto", OTTO, is_owner=True, now=listener.clock.now())
        await conn.execute("UPDATE accounts SET is_owner = false WHERE name = 'nora'")
    assert (await client.get(way)).status_code == 404
    assert "People" not in (await client.get("/settings")).text
