"""What an account settles for itself: time zone, password, where it is logged in, its public profile; and leaving."""

from __future__ import annotations

import re

import msgspec
from litestar import get, post
from litestar.params import FromQuery, URLEncodedBody
from litestar.response import Redirect, Template

from sleevenotes import errors
from sleevenotes.pipeline import farewell
from sleevenotes.server import auth, feeds, guesses, home, pages_account, services, templating
from sleevenotes.server.strangers import SignedIn
from sleevenotes.server.templating import Asking
from sleevenotes.store import accounts, consensus, farewells, library
from sleevenotes.store.accounts import Account

WAY = "/settings/account"

_BROWSERS = (  # the first that a User-Agent names; most name several, for reasons of history
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("Firefox/", "Firefox"),
    ("Chrom", "Chrome"),
    ("Safari/", "Safari"),
)
_SYSTEMS = (  # as above: Android names Linux, too
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Mac OS", "macOS"),
    ("Linux", "Linux"),
)


class Zone(msgspec.Struct):
    """The form of the time zone."""

    time_zone: str = ""


class NewPassword(msgspec.Struct):
    """The form that changes a password; the old one shows that it is not somebody at an open screen."""

    old: str = ""
    new: str = ""


class Privacy(msgspec.Struct):
    """The form of the public profile; a box that is not ticked is not sent."""

    is_public: str = ""


class Leaving(msgspec.Struct):
    """The form that deletes an account: its name and password once more."""

    name: str = ""
    password: str = ""


@get("/settings/account")
async def account_page(request: Asking, account: SignedIn, done: FromQuery[str] = "") -> Template:
    """Show what an account settles for itself, and what of it was just settled."""
    said = f"Days, calendar and charts follow {account.time_zone} now." if done == "time-zone" else ""
    return await _page(request, account, said=said)


@post("/settings/account/time-zone", status_code=303)
async def time_zone(request: Asking, account: SignedIn, data: URLEncodedBody[Zone]) -> Redirect | Template:
    """Remember the listener's time zone, or say that there is none of that name."""
    try:
        zone = pages_account.known_zone(data.time_zone)
    except errors.Refused as problem:
        return await _page(request, account, problem=problem, zone=data.time_zone)
    async with services.of(request).database.connection() as conn:
        await library.set_time_zone(conn, account.id, zone)
    return Redirect(f"{WAY}?done=time-zone", status_code=303)


@post("/settings/account/password", status_code=200)
async def password(request: Asking, account: SignedIn, data: URLEncodedBody[NewPassword]) -> Template:
    """Change the password; every other session ends, tokens stay."""
    problem = await _wrong(request, account, data.old, "old")
    if problem is None:
        try:
            async with services.of(request).database.transaction() as conn:
                await accounts.set_password(conn, account.id, pages_account.required(data.new))
        except errors.Refused as unfit:
            problem = errors.Refused(str(unfit), field="new")
    if problem is not None:
        return await _page(request, account, problem=problem)
    cookie = await auth.open_session(request, account)
    shown = await _page(request, account, said="Your password is changed. You are logged out everywhere else.")
    shown.cookies = [*shown.cookies, cookie]
    return shown


@post("/settings/account/sessions", status_code=303)
async def log_out_elsewhere(request: Asking, account: SignedIn) -> Redirect:
    """End all sessions but the one that asks."""
    async with services.of(request).database.connection() as conn:
        await accounts.close_other_sessions(conn, account.id, request.cookies.get(auth.SESSION_COOKIE, ""))
    return Redirect(WAY, status_code=303)


@post("/settings/account/privacy", status_code=303)
async def privacy(request: Asking, account: SignedIn, data: URLEncodedBody[Privacy]) -> Redirect:
    """Show the profile to strangers, or hide it."""
    async with services.of(request).database.connection() as conn:
        await accounts.set_public(conn, account.id, is_public=bool(data.is_public))
    return Redirect(WAY, status_code=303)


# ---------------------------------------------------------------- leaving


@get("/settings/account/delete")
async def delete_form(request: Asking, account: SignedIn) -> Template:
    """Say what would go with the account, and ask once more."""
    return await _leaving(request, account)


@post("/settings/account/delete", status_code=200)
async def delete(request: Asking, account: SignedIn, data: URLEncodedBody[Leaving]) -> Template:
    """Delete the account and all that hangs on it; say what is gone."""
    problem = await _wrong(request, account, data.password, "password")
    if problem is None and data.name.strip().lower() != account.name.lower():
        problem = errors.Refused(f"Write {account.name} to say that you mean it.", field="name")
    if problem is None:
        try:
            return await said_farewell(request, account.id, account.name, own=True)
        except errors.Refused as last:
            problem = last
    return await _leaving(request, account, problem)


async def said_farewell(
    request: Asking, account_id: int, name: str, *, own: bool, viewer: Account | None = None
) -> Template:
    """Delete an account and draw the page that says what went; `own` where it is the one that asks.

    Raises errors.Refused when it is the last owner, errors.Gone when it is not there.
    """
    parts = services.of(request)
    went, gone = await farewell.leave(parts.database, parts.files, account_id, parts.clock.now())
    auth.forget(request, account_id)
    shown = templating.page(request, "farewell.html", viewer, whose=name, went=went, gone=gone, own=own)
    if own:
        shown.cookies = [*shown.cookies, await auth.close_session(request)]
    return shown


# ---------------------------------------------------------------- inside


async def _page(
    request: Asking, account: Account, *, said: str = "", problem: errors.Refused | None = None, zone: str = ""
) -> Template:
    parts = services.of(request)
    now = parts.clock.now()
    async with parts.database.connection() as conn:
        fresh = await accounts.by_id(conn, account.id) or account
        contributes = await consensus.contributes(conn, account.id)
        sessions = await accounts.sessions(conn, account.id, request.cookies.get(auth.SESSION_COOKIE, ""), now)
    return templating.page(
        request,
        "account.html",
        fresh,
        sessions=sessions,
        contributes=contributes,
        browser=browser,
        tell=feeds.dater(account, now),
        said=said,
        problem=problem,
        zone=zone or fresh.time_zone,
        address=f"{home.address(request)}/user/{account.name}",
        status_code=422 if problem else 200,
    )


async def _leaving(request: Asking, account: Account, problem: errors.Refused | None = None) -> Template:
    async with services.of(request).database.connection() as conn:
        would_go = await farewells.belongings(conn, account.id)
    return templating.page(
        request, "leaving.html", account, goes=would_go, problem=problem, status_code=422 if problem else 200
    )


async def _wrong(request: Asking, account: Account, password: str, field: str) -> errors.Refused | None:
    """Check a password as the login does, with its patience; None where it is right."""
    if guesses.left(request) <= 0:
        return errors.Refused("Too many wrong passwords from here. Wait a minute, then try again.", field=field)
    async with services.of(request).database.connection() as conn:
        if await accounts.by_password(conn, account.name, password):
            return None
    guesses.count(request)
    return errors.Refused("This is not your password.", field=field)


def browser(agent: str) -> str:
    """Name a browser and its system in a few words: "Firefox on Linux"."""
    name = next((name for mark, name in _BROWSERS if mark in agent), "")
    system = next((name for mark, name in _SYSTEMS if mark in agent), "")
    if name and system:
        return f"{name} on {system}"
    return name or re.split(r"[/\s]", agent.strip())[0][:40] or "A browser that does not say which"


handlers = [account_page, time_zone, password, log_out_elsewhere, privacy, delete_form, delete]
