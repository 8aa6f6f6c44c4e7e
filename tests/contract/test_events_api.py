"""What happens, told to apps over a real port: server-sent events and a WebSocket, resumed after a lost line."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

import aiohttp
import pytest
import pytest_asyncio
from tests import serving
from tests.contract import clients
from tests.serving import Listener

from sleevenotes import events
from sleevenotes.clock import SystemClock
from sleevenotes.server import auth, live
from sleevenotes.settings import Settings
from sleevenotes.store import accounts
from sleevenotes.store import events as stored
from sleevenotes.store.postgres import Database

PATIENCE = 20  # seconds of real time: a line that says nothing fails


class Ground(NamedTuple):
    """A listener whose application is served on a port, and a client that browses it."""

    maria: Listener
    address: str
    client: aiohttp.ClientSession

    async def tell(self, *ids: int) -> None:
        async with self.maria.services.database.transaction() as conn:
            now = self.maria.services.clock.now()
            await stored.tell(conn, [self.maria.account.id], events.LookupsDecided(ids), now)

    async def cursor(self) -> str:
        async with self.maria.services.database.connection() as conn:
            return (await stored.read(conn, self.maria.account.id, "")).cursor

    @asynccontextmanager
    async def socket(self, beginning: object, **headers: str) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
        async with self.client.ws_connect(f"{self.address}/api/v1/events/socket", headers=headers) as socket:
            await socket.send_json(beginning)
            yield socket

    async def refusal(self, beginning: object, **headers: str) -> int | None:
        """Return the code with which a WebSocket that began like this was closed."""
        async with self.socket(beginning, **headers) as socket:
            message = await socket.receive(timeout=PATIENCE)
            assert message.type is aiohttp.WSMsgType.CLOSE
            return socket.close_code


@pytest_asyncio.fixture
async def ground(settings: Settings, database: Database) -> AsyncIterator[Ground]:
    async with (
        serving.listening(settings, SystemClock(), database) as maria,
        clients.on_a_port(maria.app) as address,
        aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=60)) as client,
    ):
        yield Ground(maria, address, client)
        await maria.services.hub.close()


async def heard(socket: aiohttp.ClientWebSocketResponse, count: int) -> list[dict[str, Any]]:
    return [await socket.receive_json(timeout=PATIENCE) for _ in range(count)]


async def test_server_sent_events_tell_an_app_and_resume_after_the_last_one(ground: Ground) -> None:
    address, header = f"{ground.address}/api/v1/events", ground.maria.header
    cursor = await ground.cursor()
    await ground.tell(7)
    async with ground.client.get(f"{address}?after={cursor}", headers=header) as stream:
        assert stream.headers["content-type"].startswith("text/event-stream")
        told = await _block(stream, "lookups_decided")
    assert told["data"] == '{"ids":[7],"type":"lookups_decided"}' or '"ids":[7]' in told["data"]
    await ground.tell(8)
    async with ground.client.get(address, headers={**header, "Last-Event-ID": told["id"]}) as stream:
        assert '"ids":[8]' in (await _block(stream, "lookups_decided"))["data"]


async def _block(stream: aiohttp.ClientResponse, kind: str) -> dict[str, str]:
    """Read server-sent events until one of this kind."""
    async with asyncio.timeout(PATIENCE):
        while True:
            block = (await stream.content.readuntil(b"\n\n")).decode().strip()
            fields = dict(line.split(": ", 1) for line in block.split("\n") if not line.startswith(":"))
            if fields.get("event") == kind:
                return fields


async def test_events_want_a_token_and_a_cursor_of_ours_and_lines_are_counted(ground: Ground) -> None:
    address, header = f"{ground.address}/api/v1/events", ground.maria.header
    async with ground.client.get(address) as stranger, ground.client.get(f"{address}?after=7", headers=header) as odd:
        assert (stranger.status, odd.status) == (401, 422)
        assert "after" in await odd.text()
    open_lines = [await ground.client.get(address, headers=header) for _ in range(live.LINES)]
    for each in open_lines:
        await each.content.readuntil(b"\n\n")  # it has begun
    async with ground.client.get(address, headers=header) as one_too_many:
        assert one_too_many.status == 429
        assert one_too_many.headers["retry-after"]
    assert await ground.refusal({"token": ground.maria.token}) == 4429
    for each in open_lines:
        each.close()


async def test_a_socket_tells_what_happens_and_resumes_after_what_was_heard_last(ground: Ground) -> None:
    async with ground.socket({"token": ground.maria.token}) as socket:
        (listening,) = await heard(socket, 1)
        assert listening["type"] == "listening"
        await ground.tell(1, 2)
        (fact,) = await heard(socket, 1)
        assert (fact["type"], fact["ids"]) == ("lookups_decided", [1, 2])
    await ground.tell(3)
    await ground.tell(4)
    async with ground.socket({"after": fact["cursor"]}, **ground.maria.header) as socket:
        assert [each.get("ids") for each in await heard(socket, 3)] == [None, [3], [4]]


async def test_a_socket_that_comes_back_too_late_is_told_to_load_afresh(ground: Ground) -> None:
    cursor = await ground.cursor()
    await ground.tell(1)
    async with ground.maria.services.database.connection() as conn:
        await conn.execute("UPDATE events SET created_at = created_at - interval '25 hours'")
        await stored.purge(conn, ground.maria.services.clock.now())
    async with ground.socket({"token": ground.maria.token, "after": cursor}) as socket:
        assert [each["type"] for each in await heard(socket, 2)] == ["listening", "reset"]


async def test_a_socket_wants_to_know_who_is_asking_and_takes_no_token_from_an_address(ground: Ground) -> None:
    assert await ground.refusal({}) == 4401
    assert await ground.refusal({"token": "guessed"}) == 4401
    assert await ground.refusal({}, Authorization="Token guessed") == 4401
    async with ground.maria.services.database.connection() as conn:
        now, account_id = ground.maria.services.clock.now(), ground.maria.account.id
        scopes = frozenset({accounts.Scope.SUBMIT})
        token = await accounts.create_token(conn, account_id, "player", now, scopes=scopes)
    assert await ground.refusal({"token": token}) == 4403
    address = f"{ground.address}/api/v1/events/socket?token={ground.maria.token}"
    async with ground.client.ws_connect(address) as socket:
        await socket.send_json({})
        await socket.receive(timeout=PATIENCE)
        assert socket.close_code == 4401


async def test_a_session_opens_a_socket_from_our_own_pages_only(ground: Ground) -> None:
    async with ground.maria.services.database.connection() as conn:
        now = ground.maria.services.clock.now()
        cookie = await accounts.open_session(conn, ground.maria.account.id, now)
    session = {"Cookie": f"{auth.SESSION_COOKIE}={cookie}"}
    async with ground.socket({}, Origin=ground.address, **session) as socket:
        assert (await heard(socket, 1))[0]["type"] == "listening"
    assert await ground.refusal({}, Origin="https://elsewhere.example", **session) == 4401
    assert await ground.refusal({}, **session) == 4401


async def test_a_beginning_that_cannot_be_read_is_told_so(ground: Ground) -> None:
    token = ground.maria.token
    beginnings: list[object] = [[], {"token": 7}, {"token": token, "after": "yesterday"}]
    for beginning in beginnings:
        assert await ground.refusal(beginning) == 4400


async def test_a_server_that_ends_says_so(ground: Ground) -> None:
    async with ground.socket({"token": ground.maria.token}) as socket:
        await heard(socket, 1)
        await ground.maria.services.hub.close()
        message = await socket.receive(timeout=PATIENCE)
        assert (message.type, socket.close_code) == (aiohttp.WSMsgType.CLOSE, 1001)


async def revoke(ground: Ground) -> None:
    """Revoke maria's tokens, as the page Players does."""
    async with ground.maria.services.database.connection() as conn:
        for token in await accounts.tokens(conn, ground.maria.account.id):
            assert await accounts.revoke_token(conn, ground.maria.account.id, token.id)
    ground.maria.app.state.known_tokens.forget(ground.maria.account.id)


async def session_of(ground: Ground) -> str:
    async with ground.maria.services.database.connection() as conn:
        return await accounts.open_session(conn, ground.maria.account.id, ground.maria.services.clock.now())


async def last_words(stream: aiohttp.ClientResponse) -> bytes:
    async with asyncio.timeout(PATIENCE):
        return await stream.content.read()


async def test_a_line_ends_when_its_token_is_revoked_and_tells_nothing_of_what_comes_then(ground: Ground) -> None:
    address = f"{ground.address}/api/v1/events?after={await ground.cursor()}"
    await ground.tell(7)
    async with ground.client.get(address, headers=ground.maria.header) as stream:
        await _block(stream, "lookups_decided")
        await revoke(ground)
        await ground.tell(8)
        assert b"lookups_decided" not in await last_words(stream)


async def test_a_page_that_is_still_open_somewhere_hears_nothing_after_the_log_out(ground: Ground) -> None:
    cookie = await session_of(ground)
    session = {"Cookie": f"{auth.SESSION_COOKIE}={cookie}"}
    async with ground.client.get(f"{ground.address}/live", headers=session) as stream:
        await stream.content.readuntil(b"id: ")
        await stream.content.readuntil(b"\n\n")  # it has begun
        await ground.tell(8)
        await _block(stream, "lookups_decided")
        async with ground.maria.services.database.connection() as conn:
            await accounts.close_session(conn, cookie)
        await ground.tell(9)
        assert b"lookups_decided" not in await last_words(stream)


@pytest.mark.parametrize("by_header", [False, True])
async def test_a_socket_is_closed_when_its_token_is_revoked(ground: Ground, *, by_header: bool) -> None:
    beginning, headers = ({}, ground.maria.header) if by_header else ({"token": ground.maria.token}, {})
    async with ground.socket(beginning, **headers) as socket:
        await heard(socket, 1)
        await ground.tell(7)
        assert (await heard(socket, 1))[0]["ids"] == [7]
        await revoke(ground)
        await ground.tell(8)
        message = await socket.receive(timeout=PATIENCE)
        assert (message.type, socket.close_code) == (aiohttp.WSMsgType.CLOSE, 4401)
