"""The page on which a listener lets an application in: where Last.fm's clients send people's browsers.

At Last.fm it is www.last.fm/api/auth/?api_key=…&token=…; clients that can be pointed elsewhere keep that path. Nothing
is known of an application but its API key and how its program called itself when it asked, and the page says so.
"""

from __future__ import annotations

from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import msgspec
from litestar import get, post
from litestar.exceptions import NotFoundException
from litestar.params import FromQuery, URLEncodedBody
from litestar.response import Template

from sleevenotes.server import services, templating
from sleevenotes.server.strangers import SignedIn
from sleevenotes.server.templating import Asking
from sleevenotes.store import player_logins
from sleevenotes.store.player_logins import Request


class Allowed(msgspec.Struct):
    """The form: the request token, and where the application wants the browser back (only for web applications)."""

    token: str = ""
    api_key: str = ""
    back: str = ""


@get("/api/auth")
async def ask(
    request: Asking,
    account: SignedIn,
    token: FromQuery[str] = "",
    api_key: FromQuery[str] = "",
    cb: FromQuery[str] = "",
) -> Template:
    """Ask the listener whether this application may act for them."""
    asked = await _asked(request, token) if token else _by_callback(api_key, request)
    return templating.page(
        request,
        "letting_in.html",
        account,
        asked=asked,
        token=token,
        api_key=api_key,
        back=cb if _is_web(cb) else "",
        host=urlsplit(cb).netloc if _is_web(cb) else "",
        onward="",
    )


@post("/api/auth", status_code=200)
async def allow(request: Asking, account: SignedIn, data: URLEncodedBody[Allowed]) -> Template:
    """Let the application in, and show the way back to it."""
    parts = services.of(request)
    now = parts.clock.now()
    async with parts.database.transaction() as conn:
        token = data.token
        if not token and data.api_key and _is_web(data.back):  # a web application: the token is made for it now
            token = await player_logins.ask(conn, data.api_key[:64], "", now)
        asked = await player_logins.asked(conn, token)
        if asked is None or asked.expired(now) or not await player_logins.let_in(conn, token, account.id):
            raise NotFoundException("This request is over: start again in the application.")
    onward = _with_token(data.back, token) if _is_web(data.back) else ""
    return templating.page(
        request,
        "letting_in.html",
        account,
        asked=asked,
        token="",
        api_key=asked.api_key,
        back="",
        host=urlsplit(onward).netloc,
        onward=onward,
    )


async def _asked(request: Asking, token: str) -> Request:
    parts = services.of(request)
    async with parts.database.connection() as conn:
        asked = await player_logins.asked(conn, token)
    if asked is None or asked.account_id is not None or asked.expired(parts.clock.now()):
        raise NotFoundException("This request is over: start again in the application.")
    return asked


def _by_callback(api_key: str, request: Asking) -> Request:
    if not api_key or not _is_web(request.query_params.get("cb", "")):
        raise NotFoundException("An application sends you here with api_key and token, or with api_key and cb.")
    return Request(api_key, "", None, services.of(request).clock.now())


def _is_web(way: str) -> bool:
    parts = urlsplit(way)
    return parts.scheme in ("http", "https") and bool(parts.netloc) and way.isprintable()


def _with_token(way: str, token: str) -> str:
    parts = urlsplit(way)
    query = [*parse_qsl(parts.query, keep_blank_values=True), ("token", token)]
    return urlunsplit(parts._replace(query=urlencode(query)))


handlers = [ask, allow]
