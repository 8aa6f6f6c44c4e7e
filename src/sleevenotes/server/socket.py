"""The live line over a WebSocket, for apps: `/api/v1/events/socket`. Texts are JSON.

The client begins with one message, {"token", "after"}; both may be left out. We then say {"type": "listening",
"cursor"}, and after that what happens: each fact of `sleevenotes.events` with its `cursor`, {"type": "reset",
"cursor"} where `after` is older than what is kept, and {"type": "still_here", "cursor"} every fifteen seconds.

Who is asking, the first that is there: the Authorization header; the token of the first message, for clients that
cannot set headers; the session's cookie, from a page of ours only: browsers send cookies with a WebSocket that any
site opens, so its Origin has to be this very host. A token never stands in an address, where logs keep it.

We close with 4401 (who are you? so, too, when a token is revoked or a session ends), 4403 (a token that may not read),
4400 (that is no message of yours, or no cursor of ours), 4429 (too many lines), 1001 (the server ends: come back) or
1013 (the database is away: come back later).
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
from typing import Any
from urllib.parse import urlsplit

import msgspec
from litestar import WebSocket, websocket
from litestar.exceptions import NotAuthorizedException, PermissionDeniedException, WebSocketDisconnect

from sleevenotes import errors
from sleevenotes.server import auth, home, live, services
from sleevenotes.store.accounts import Account, Scope

PATIENCE = 10.0  # seconds of real time for the first message: who opens a line says what for

Socket = WebSocket[Any, Any, Any]


class Beginning(msgspec.Struct, frozen=True):
    """A client's first message."""

    token: str = ""
    after: str = ""


class Closed(Exception):
    """Why we close a line: the code of the WebSocket, and words."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


@websocket("/api/v1/events/socket")
async def line(socket: Socket) -> None:
    """Tell the account that opens it what happens, until one of us ends it."""
    await socket.accept()
    try:
        account, begun = await _begin(socket)
        await _tell(socket, account, begun)
    except WebSocketDisconnect:
        return
    except Closed as closed:
        with contextlib.suppress(WebSocketDisconnect, RuntimeError):  # it is gone already
            await socket.close(closed.code, closed.reason)


async def _begin(socket: Socket) -> tuple[Account, Beginning]:
    try:
        async with asyncio.timeout(PATIENCE):
            begun = msgspec.json.decode(await socket.receive_data(mode="text"), type=Beginning)
    except TimeoutError:
        raise Closed(4400, 'Begin with one message: {"token": "...", "after": ""}.') from None
    except (msgspec.MsgspecError, UnicodeError) as error:
        raise Closed(4400, f"The first message is {{token, after}}: {error}"[:120]) from None
    try:
        account = await _who(socket, begun.token)
    except NotAuthorizedException as error:
        raise Closed(4401, str(error.detail)) from None
    except PermissionDeniedException as error:
        raise Closed(4403, str(error.detail)) from None
    if account is None:
        raise Closed(4401, "Say who you are: a token in the first message, or an Authorization header.")
    return account, begun


async def _who(socket: Socket, token: str) -> Account | None:
    """Find who is asking; a header or a token that is wrong is not made up for by a cookie."""
    if auth.carries_token(socket.scope):
        return await auth.by_token(socket, Scope.READ)
    if token:
        account = await auth.known_account(socket, token)
    else:
        account = await auth.account_of(socket) if is_ours(socket) else None
    return account and auth.permitted(account, Scope.READ)


def is_ours(socket: Socket) -> bool:
    """Tell whether it was opened by a page of this very host: as it is asked, or as the setting base_url has it."""
    origin = urlsplit(socket.headers.get("origin", "")).netloc
    return bool(origin) and origin in (socket.headers.get("host", ""), urlsplit(home.address(socket)).netloc)


async def _may_hear(socket: Socket, account: Account, begun: Beginning) -> bool:
    """Tell whether what a line was opened by still opens it."""
    try:
        asking = await _who(socket, begun.token)
    except (NotAuthorizedException, PermissionDeniedException):
        return False
    return asking is not None and asking.id == account.id


async def _tell(socket: Socket, account: Account, begun: Beginning) -> None:
    """Tell what happens, while hearing whether the client is still there."""
    hub = services.of(socket).hub
    if hub.is_full(account.id):
        raise Closed(4429, f"An account has at most {live.LINES} lines open.")
    telling = asyncio.create_task(_facts(socket, hub, account, begun))
    hearing = asyncio.create_task(_until_gone(socket))
    try:
        await asyncio.wait({telling, hearing}, return_when=asyncio.FIRST_COMPLETED)
        if telling.done():
            await telling
    finally:
        for task in (telling, hearing):
            task.cancel()
        await asyncio.gather(telling, hearing, return_exceptions=True)


async def _facts(socket: Socket, hub: live.Hub, account: Account, begun: Beginning) -> None:
    greeted = False
    may_hear = functools.partial(_may_hear, socket, account, begun)
    try:
        async with contextlib.aclosing(hub.follow(account.id, begun.after, may_hear)) as heard:
            async for told in heard:
                if not greeted:
                    await _say(socket, {"type": "listening", "cursor": begun.after or told.cursor})
                greeted = True
                for fact in _facts_of(told):
                    await _say(socket, fact)
    except errors.Refused as refused:
        raise Closed(4400, str(refused)[:120]) from None
    except live.NoLonger:
        raise Closed(4401, "What this line was opened by no longer opens it.") from None
    raise Closed(1001, "The server ends.") if hub.is_closing else Closed(1013, "The database is away.")


def _facts_of(told: live.Told) -> list[dict[str, object]]:
    if told.beat:
        return [{"type": "still_here", "cursor": told.cursor}]
    if told.reset:
        return [{"type": "reset", "cursor": told.cursor}]
    return [{**fact, "cursor": cursor} for cursor, fact in told.events]


async def _say(socket: Socket, fact: dict[str, object]) -> None:
    await socket.send_text(msgspec.json.encode(fact).decode())


async def _until_gone(socket: Socket) -> None:
    while (await socket.receive())["type"] != "websocket.disconnect":
        pass  # what it says after the beginning is not for us
