"""Pages are for listeners who are logged in: everybody else is shown the way."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from litestar import Request, Response
from litestar.di import NamedDependency
from litestar.response import Redirect

from sleevenotes.server import auth, services, ways
from sleevenotes.store import accounts
from sleevenotes.store.accounts import Account

KNOWN = "account"
"""Where the state of a request has the account that asks, once it is known."""

SignedIn = NamedDependency[Account]  # the account that asks, found by `signed_in`


class Stranger(Exception):  # it is who asks, not what went wrong
    """Somebody without an account asks for a page; `way` is where to go first."""

    def __init__(self, way: str) -> None:
        super().__init__(way)
        self.way = way


async def signed_in(request: Request[Any, Any, Any]) -> Account:
    """Return the account that asks; a dependency of every page.

    A token is as good as a session where it may do all that a page can. Raises Stranger: to the first-run page while
    there is no account at all, else to the login; PermissionDeniedException for a token that may do less.
    """
    account = await auth.account_of(request)
    if account is not None:
        for scope in accounts.EVERYTHING if account.is_owner else accounts.EVERYDAY:
            auth.permitted(account, scope)
        request.state[KNOWN] = account
        return account
    async with services.of(request).database.connection() as conn:
        first = await accounts.count(conn) == 0
    raise Stranger("/setup" if first else _login(request))


def _login(request: Request[Any, Any, Any]) -> str:
    """Return the login's address, which leads back from there; after a form, to the page the form is on."""
    if request.method not in ("GET", "HEAD"):
        page = ways.came_from(request) or ways.nearest(request, request.url.path)
        return f"/login?next={quote(page, safe='')}&ended=1"
    asked = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    return f"/login?next={quote(asked, safe='')}" if asked != "/" else "/login"


def show_the_way(_request: Request[Any, Any, Any], error: Stranger) -> Redirect:
    """Send a browser on; the exception handler of pages."""
    return Redirect(error.way, headers={"Cache-Control": "no-store"})


def refuse(_request: Request[Any, Any, Any], error: Stranger) -> Response[dict[str, str]]:
    """Answer a script of ours, which must not be given another page in place of a fragment."""
    return Response({"go": error.way}, status_code=401)
