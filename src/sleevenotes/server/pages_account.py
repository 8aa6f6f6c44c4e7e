"""First run, login, theme and time zone: the pages with forms."""

from __future__ import annotations

import zoneinfo
from urllib.parse import urlsplit

import msgspec
from litestar import Router, get, post
from litestar.params import URLEncodedBody
from litestar.response import Redirect, Template

from sleevenotes import errors
from sleevenotes.server import auth, home, limits, pages_players, services, templating, ways
from sleevenotes.server.templating import Asking
from sleevenotes.store import accounts, library

TRIES = 10  # wrong passwords a minute and address; then it has to wait


class Setup(msgspec.Struct):
    """The first-run form."""

    name: str = ""
    password: str = ""
    time_zone: str = "UTC"


class Login(msgspec.Struct):
    """The login form; `next` is the page that was asked for."""

    name: str = ""
    password: str = ""
    next: str = "/"


class Chosen(msgspec.Struct):
    """Theme and the page to go back to."""

    theme: str = ""
    back: str = "/"


# ---------------------------------------------------------------- first run and login


@get("/setup")
async def setup_form(request: Asking) -> Template | Redirect:
    """Show the first-run page while there is no account."""
    async with services.of(request).database.connection() as conn:
        if await accounts.count(conn):
            return Redirect("/")
    return templating.page(request, "setup.html", None, given=Setup(), problem=None)


@post("/setup", status_code=200)
async def setup(request: Asking, data: URLEncodedBody[Setup]) -> Template | Redirect:
    """Create the owner, log the browser in, and show the first token, the only time."""
    parts = services.of(request)
    now = parts.clock.now()
    try:
        zone = known_zone(data.time_zone)
        async with parts.database.transaction() as conn:
            account = await accounts.create_first(conn, data.name, required(data.password), now)
            await library.set_time_zone(conn, account.id, zone)
            token = await accounts.create_token(conn, account.id, "first player", now)
    except errors.Refused as problem:
        return templating.page(request, "setup.html", None, given=data, problem=problem, status_code=422)
    shown = await pages_players.page(request, account, token=token, first=True)
    shown.cookies = [*shown.cookies, await auth.open_session(request, account)]
    return shown


@get("/login")
async def login_form(request: Asking) -> Template | Redirect:
    """Show the login."""
    way = local(request.query_params.get("next", "/"))
    if await auth.account_of(request):
        return Redirect(way)
    async with services.of(request).database.connection() as conn:
        if not await accounts.count(conn):
            return Redirect("/setup")
    ended = "ended" in request.query_params
    return templating.page(request, "login.html", None, given=Login(next=way), problem="", ended=ended)


@post("/login", status_code=200)
async def login(request: Asking, data: URLEncodedBody[Login]) -> Template | Redirect:
    """Open a session, or say that name and password do not fit."""
    parts = services.of(request)
    if _tries(request, 1) < 0:
        problem = "Too many tries from here. Wait a minute, then try again."
        return templating.page(request, "login.html", None, given=data, problem=problem, ended=False, status_code=429)
    async with parts.database.connection() as conn:
        account = await accounts.by_password(conn, data.name, data.password)
    if account is None:
        problem = "This name and password do not belong together."
        return templating.page(request, "login.html", None, given=data, problem=problem, ended=False, status_code=422)
    return Redirect(local(data.next), status_code=303, cookies=[await auth.open_session(request, account)])


@post("/logout", status_code=303)
async def logout(request: Asking) -> Redirect:
    """End the session."""
    return Redirect("/login", status_code=303, cookies=[await auth.close_session(request)])


@post("/theme", status_code=303)
async def theme(request: Asking, data: URLEncodedBody[Chosen]) -> Redirect:
    """Remember light, dark, or what the system says, in this browser."""
    chosen = data.theme if data.theme in templating.THEMES else ""
    answer = Redirect(ways.nearest(request, local(data.back)), status_code=303)
    year = 365 * 86400 if chosen else 0
    answer.set_cookie(
        templating.THEME_COOKIE,
        chosen,
        max_age=year,
        path=home.root() or "/",
        httponly=True,
        samesite="lax",
        secure=home.is_secure(request),
    )
    return answer


def base_url(request: Asking) -> str:
    """Return the address under which this very browser reaches us, without a slash at the end."""
    return home.address(request)


def local(way: str) -> str:
    """Keep a way back inside this site; anything else leads to the feed."""
    parts = urlsplit(way)
    inside = way.startswith("/") and not way.startswith(("//", "/\\")) and not parts.netloc and not parts.scheme
    return way if inside and way.isprintable() else "/"


def known_zone(name: str) -> str:
    """Return the name of an IANA time zone as it was typed, without spaces around it.

    Raises errors.Refused where there is none of that name.
    """
    name = name.strip()
    if name not in zoneinfo.available_timezones():
        raise errors.Refused(f"{name[:60]!r} is not a time zone; write it like Europe/Vienna.", field="time_zone")
    return name


def required(password: str) -> str:
    """Return the password of a person, who must have one (an account without is for tokens only).

    Raises errors.Refused when it is empty.
    """
    if not password:
        raise errors.Refused(f"A password has at least {accounts.MIN_PASSWORD} characters.", field="password")
    return password


def _tries(request: Asking, count: int) -> int:
    """Count a try to log in from this address, and return how many are left in this minute."""
    state = request.app.state
    if "login_meter" not in state:
        state["login_meter"] = limits.Meter(TRIES)
    client = request.client.host if request.client else "unknown"
    now = services.of(request).clock.now()
    return state["login_meter"].count(client, now, count).remaining  # type: ignore[no-any-return] # a State is untyped


handlers = [
    Router(path="/", route_handlers=[setup_form, setup, login_form, login, logout, theme], include_in_schema=False)
]
