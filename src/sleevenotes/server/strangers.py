"""Pages are for listeners who are logged in: everybody else is shown the way."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote, urlsplit

from litestar import Request, Response
from litestar.di import NamedDependency
from litestar.exceptions import HTTPException
from litestar.response import Redirect

from sleevenotes.server import auth, home, services
from sleevenotes.store import accounts
from sleevenotes.store.accounts import Account

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
        return account
    async with services.of(request).database.connection() as conn:
        first = await accounts.count(conn) == 0
    raise Stranger("/setup" if first else _login(request))


def _login(request: Request[Any, Any, Any]) -> str:
    """Return the login's address, which leads back from there; after a form, to the page the form is on."""
    if request.method not in ("GET", "HEAD"):
        return f"/login?next={quote(_page_of_form(request), safe='')}&ended=1"
    asked = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    return f"/login?next={quote(asked, safe='')}" if asked != "/" else "/login"


def _page_of_form(request: Request[Any, Any, Any]) -> str:
    """Return the page from which a form came, as far as the browser tells and we have it; else what is above it.

    A form may be on a page that was itself the answer to a form, /settings/account/password: that one is not there to
    be asked for, but /settings/account is.
    """
    path = request.url.path
    try:
        referer = urlsplit(request.headers.get("referer", ""))
    except ValueError:
        referer = urlsplit("")
    if referer.netloc and referer.netloc in (request.url.netloc, urlsplit(home.address(request)).netloc):
        path = home.inward(referer.path)
        if _is_page(request, path):
            return f"{path}?{referer.query}" if referer.query else path
    while path and not _is_page(request, path):
        path = path.rpartition("/")[0]
    return path or "/"


def _is_page(request: Request[Any, Any, Any], path: str) -> bool:
    """Tell whether this address can be asked for, rather than only be sent forms; routing itself knows."""
    try:
        request.app.asgi_router.handle_routing(path=path, method="GET")
    except HTTPException:
        return False
    return not path.startswith("//")  # which a browser takes for another host


def show_the_way(_request: Request[Any, Any, Any], error: Stranger) -> Redirect:
    """Send a browser on; the exception handler of pages."""
    return Redirect(error.way, headers={"Cache-Control": "no-store"})


def refuse(_request: Request[Any, Any, Any], error: Stranger) -> Response[dict[str, str]]:
    """Answer a script of ours, which must not be given another page in place of a fragment."""
    return Response({"go": error.way}, status_code=401)
