"""Who is asking: an account by its token or its session; and that a form was sent from one of our pages.

A token comes in `Authorization: Token …` (ListenBrainz' way) or `Bearer …`; a session is a cookie. Every form post
carries a double-submitted secret: the same random text in a cookie and in the field `csrf_token` (or the header
X-CSRF-Token). A request with a token needs none, for no other site can make a browser send one, and then no session
counts. A header of another scheme is for a proxy before us (HTTP Basic, say): a browser sends that with whatever a
foreign page makes it send, so it frees no form from the secret.
"""

from __future__ import annotations

import secrets
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any

from litestar import Request
from litestar.connection import ASGIConnection
from litestar.datastructures import Cookie
from litestar.enums import ScopeType
from litestar.exceptions import NotAuthorizedException, NotFoundException, PermissionDeniedException
from litestar.types import ASGIApp, Receive, Send
from litestar.types import Scope as ASGIScope

from sleevenotes.clock import Clock
from sleevenotes.server import home, services
from sleevenotes.store import accounts
from sleevenotes.store.accounts import Account, Scope
from sleevenotes.store.postgres import Connection as StoreConnection
from sleevenotes.store.postgres import Database

SESSION_COOKIE = "sleevenotes_session"
CSRF_COOKIE = "sleevenotes_csrf"
CSRF_FIELD = "csrf_token"
CSRF_HEADER = "x-csrf-token"

NO_HEADER = "You need to provide an Authorization header."  # these three are ListenBrainz' words, upstreams §3
BAD_HEADER = "Provided Authorization header is invalid."
BAD_TOKEN = "Invalid authorization token."  # noqa: S105

Connection = ASGIConnection[Any, Any, Any, Any]
Find = Callable[[StoreConnection, str, datetime], Awaitable[Account | None]]  # whose a token is


class KnownTokens:
    """Accounts by token, remembered for a few seconds: players send many requests, and a read each would show.

    A revoked token therefore works for up to REMEMBERED longer.
    """

    REMEMBERED = timedelta(seconds=10)
    SIZE = 1000

    def __init__(self, database: Database, clock: Clock, find: Find = accounts.by_token) -> None:
        self._database = database
        self._clock = clock
        self._find = find
        self._known: OrderedDict[str, tuple[datetime, Account]] = OrderedDict()

    def remembers(self, token: str) -> bool:
        """Tell, without asking the database, whether this token was good a moment ago."""
        return token in self._known

    async def account(self, token: str) -> Account | None:
        """Find the account this token opens."""
        now = self._clock.now()
        since, account = self._known.get(token, (None, None))
        if since and abs(now - since) < self.REMEMBERED:
            return account
        async with self._database.connection() as conn:
            account = await self._find(conn, token, now)
        if account:  # only real tokens are kept: guesses must not push them out
            self._known[token] = now, account
            self._known.move_to_end(token)
            while len(self._known) > self.SIZE:
                self._known.popitem(last=False)
        return account

    def forget(self, account_id: int) -> None:
        """Ask the database again about the tokens of this account."""
        for token in [token for token, (_, account) in self._known.items() if account.id == account_id]:
            del self._known[token]


def forget(connection: Connection, account_id: int) -> None:
    """Open nothing any more, in this process, with the tokens of this account, nor with the session keys that follow
    from them; others forget them in a moment.
    """
    for known in (connection.app.state.known_tokens, connection.app.state.known_keys):
        known.forget(account_id)


def authorization(scope: ASGIScope) -> str:
    """Return the Authorization header, "" where there is none; read raw, as every request's is."""
    return next((value.decode("latin-1") for name, value in scope["headers"] if name == b"authorization"), "")


def carries_token(scope: ASGIScope) -> bool:
    """Tell whether the Authorization header is for us: whoever sends one is who its token says, or nobody."""
    return authorization(scope).strip().partition(" ")[0].lower() in ("token", "bearer")


def token_in_header(connection: Connection) -> str:
    """Return the token of the Authorization header, "" where there is no such header.

    Raises NotAuthorizedException when the header is there but is neither `Token …` nor `Bearer …`.
    """
    header = authorization(connection.scope)
    if not header:
        return ""
    token = header.strip().partition(" ")[2].strip()
    if not (token and carries_token(connection.scope)):
        raise NotAuthorizedException(BAD_HEADER)
    return token


async def by_token(connection: Connection, needs: Scope | None = Scope.MANAGE) -> Account:
    """Return the account of the request's token; what every writing API route uses.

    Raises NotAuthorizedException, in ListenBrainz' words, and PermissionDeniedException naming the scope that the
    token lacks of those the route `needs`.
    """
    token = token_in_header(connection)
    if not token:
        raise NotAuthorizedException(NO_HEADER)
    account = await known_account(connection, token)
    if account is None:
        raise NotAuthorizedException(BAD_TOKEN)
    return permitted(account, needs)


def permitted(account: Account, needs: Scope | None) -> Account:
    """Return the account if whoever asks in its name may do this.

    Raises PermissionDeniedException naming the missing scope.
    """
    if needs is not None and needs not in account.may:
        raise PermissionDeniedException(f"This token lacks the scope {needs.value!r}: make one that has it.")
    return account


async def known_account(connection: Connection, token: str) -> Account | None:
    """Find the account this token opens, by the application's memory of tokens."""
    known: KnownTokens = connection.app.state.known_tokens
    return await known.account(token)


async def account_of(connection: Connection) -> Account | None:
    """Find who is asking, by token or else by session; None for a stranger."""
    if carries_token(connection.scope):
        return await by_token(connection, None)
    cookie = connection.cookies.get(SESSION_COOKIE, "")
    if not cookie:
        return None
    parts = services.of(connection)
    async with parts.database.connection() as conn:
        return await accounts.by_session(conn, cookie, parts.clock.now())


async def reader(connection: Connection) -> Account:
    """Return who is asking, by token or session; what every reading API route uses.

    Raises NotAuthorizedException, and PermissionDeniedException for a token that may not read.
    """
    account = await account_of(connection)
    if account is None:
        raise NotAuthorizedException(NO_HEADER)
    return permitted(account, Scope.READ)


async def readable(connection: Connection, name: str) -> Account:
    """Return the account of this name if who asks may read its plays: its own listener, or anybody if it is public.

    To all others it is not there: raises NotFoundException, in ListenBrainz' words.
    """
    asking = await account_of(connection)
    if asking is not None and asking.name.lower() == name.lower():
        return permitted(asking, Scope.READ)
    async with services.of(connection).database.connection() as conn:
        found = await accounts.by_name(conn, name)
    if found is None or not found.is_public:
        raise NotFoundException(f"Cannot find user: {name}")
    return found


# ---------------------------------------------------------------- sessions


async def open_session(connection: Connection, account: Account) -> Cookie:
    """Open a session and return the cookie to answer with."""
    parts = services.of(connection)
    async with parts.database.connection() as conn:
        value = await accounts.open_session(
            conn, account.id, parts.clock.now(), connection.headers.get("user-agent", "")
        )
    return _cookie(connection, SESSION_COOKIE, value, accounts.SESSION_DAYS * 86400)


async def close_session(connection: Connection) -> Cookie:
    """End the request's session, if it has one, and return the cookie that makes the browser forget it."""
    cookie = connection.cookies.get(SESSION_COOKIE, "")
    if cookie:
        async with services.of(connection).database.connection() as conn:
            await accounts.close_session(conn, cookie)
    return _cookie(connection, SESSION_COOKIE, "", 0)


def _cookie(connection: Connection, key: str, value: str, max_age: int) -> Cookie:
    return Cookie(
        key=key,
        value=value,
        max_age=max_age,
        path=home.root() or "/",
        httponly=True,
        samesite="lax",
        secure=home.is_secure(connection),
    )


# ---------------------------------------------------------------- forms


def csrf_token(connection: Connection) -> str:
    """Return the secret to put into every form's `csrf_token` field; the cookie is set by the answer itself."""
    kept = connection.cookies.get(CSRF_COOKIE, "") or connection.scope["state"].get(CSRF_COOKIE, "")
    if kept:
        return str(kept)
    fresh = secrets.token_urlsafe(24)
    connection.scope["state"][CSRF_COOKIE] = fresh
    return fresh


def csrf_cookie(scope: ASGIScope) -> list[tuple[bytes, bytes]]:
    """Return the header that sets a secret which `csrf_token` made for this answer; none where it made none."""
    fresh = scope.get("state", {}).get(CSRF_COOKIE, "")
    if not fresh:
        return []
    return [_cookie(ASGIConnection(scope), CSRF_COOKIE, fresh, accounts.SESSION_DAYS * 86400).to_encoded_header()]


def check_forms(app: ASGIApp) -> ASGIApp:
    """Refuse every changing request that no page of ours sent; a middleware of the whole application.

    Raises PermissionDeniedException, in words for a person at a form.
    """

    async def checked(scope: ASGIScope, receive: Receive, send: Send) -> None:
        if scope["type"] == ScopeType.HTTP and scope["method"] not in ("GET", "HEAD", "OPTIONS"):
            # a handler of an API that takes tokens only answers 401 itself, in its dialect
            opt = scope["route_handler"].opt
            exempt = carries_token(scope) or opt.get("token_only") or opt.get("checks_form_itself")
            if not exempt and not await _is_ours(Request(scope, receive, send)):
                raise PermissionDeniedException(NOT_OURS)
        await app(scope, receive, send)

    return checked


NOT_OURS = "This form is too old, or cookies are switched off. Go back, load the page again and send it once more."


def is_ours_by_header(request: Connection) -> bool:
    """Tell whether a script of our pages sent this request, and said so in its header."""
    given, kept = request.headers.get(CSRF_HEADER, ""), request.cookies.get(CSRF_COOKIE, "")
    return bool(kept) and secrets.compare_digest(given.encode(), kept.encode())


async def _is_ours(request: Request[Any, Any, Any]) -> bool:
    given = request.headers.get(CSRF_HEADER, "") or str((await request.form()).get(CSRF_FIELD, ""))
    kept = request.cookies.get(CSRF_COOKIE, "")
    return bool(kept) and secrets.compare_digest(given.encode(), kept.encode())
