"""The pages on which a listener connects with Last.fm and with ListenBrainz, and sees how far the reading is."""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Final, Literal

import msgspec
from litestar import get, post
from litestar.exceptions import NotFoundException
from litestar.params import FromPath, FromQuery, URLEncodedBody
from litestar.response import Redirect, Template

from sleevenotes import errors
from sleevenotes.server import auth, connections, feeds, pages_account, services, templating
from sleevenotes.server.strangers import SignedIn
from sleevenotes.server.templating import Asking
from sleevenotes.store import connections as stored
from sleevenotes.store import feedback, played, walks
from sleevenotes.store.accounts import Account
from sleevenotes.store.connections import Connected, Service
from sleevenotes.store.walks import Walk

NAMES: Final[dict[str, str]] = {"lastfm": "Last.fm", "listenbrainz": "ListenBrainz"}
SEEN: Final = 3  # plays shown of what was seen there last
A_TEST: Final = 6.0  # seconds for which a test waits for its answer


class Given(msgspec.Struct):
    """The form to connect by."""

    username: str = ""
    token: str = ""


class Parting(msgspec.Struct):
    """The form to disconnect by; `plays` is "keep" or "remove"."""

    plays: Literal["keep", "remove"] = "keep"


@get("/settings/{service:str}")
async def show(request: Asking, account: SignedIn, service: FromPath[str], looked: FromQuery[str] = "") -> Template:
    """Show the connection, or how to make one; `looked` says that a test has just been made."""
    return await _page(request, account, _service(service), looked=bool(looked))


@post("/settings/{service:str}/connect", status_code=303)
async def connect(
    request: Asking, account: SignedIn, service: FromPath[str], data: URLEncodedBody[Given]
) -> Redirect | Template:
    """Connect by what was given; say what is wrong with it on the same page."""
    which = _service(service)
    try:
        if which == "lastfm":
            connections.require_key(services.of(request).settings, login=False)
        await connections.connect(request, account.id, which, user_name=data.username, token=data.token)
    except errors.Refused as problem:
        return await _page(request, account, which, problem=problem, given=data, status_code=422)
    return Redirect(f"/settings/{which}", status_code=303)


@get("/settings/{service:str}/login")
async def login(request: Asking, account: SignedIn, service: FromPath[str]) -> Redirect | Template:
    """Send the listener to Last.fm, to let us in there."""
    _only_lastfm(service)
    settings = services.of(request).settings
    try:
        connections.require_key(settings, login=True)
    except errors.Refused as problem:
        return await _page(request, account, "lastfm", problem=problem, status_code=422)
    callback = f"{pages_account.base_url(request)}/settings/lastfm/callback/{_stamp(request)}"
    return Redirect(connections.login_address(settings, callback), status_code=303)


@get("/settings/{service:str}/callback/{stamp:str}")
async def callback(
    request: Asking, account: SignedIn, service: FromPath[str], stamp: FromPath[str], token: FromQuery[str] = ""
) -> Redirect | Template:
    """Take the token with which Last.fm sends the listener back.

    The stamp is of the browser that began: nobody else can have a listener's plays read from their own account.
    """
    _only_lastfm(service)
    if stamp != _stamp(request) or not token:
        problem = errors.Refused("This login was not begun here, or it was not finished. Try it once more.")
        return await _page(request, account, "lastfm", problem=problem, status_code=422)
    try:
        await connections.connect(request, account.id, "lastfm", token=token)
    except errors.Refused as refused:
        return await _page(request, account, "lastfm", problem=refused, status_code=422)
    return Redirect("/settings/lastfm", status_code=303)


@post("/settings/{service:str}/test", status_code=303)
async def test(request: Asking, account: SignedIn, service: FromPath[str]) -> Redirect:
    """Look at the service now, and come back to say what was seen."""
    which = _service(service)
    parts = services.of(request)
    async with parts.database.transaction() as conn:
        connected = await stored.of_account(conn, account.id, which)
        if connected:
            await stored.look_anew(conn, connected.id)
    await connections.look_now(parts, account.id, which, A_TEST)
    return Redirect(f"/settings/{which}?looked=1", status_code=303)


@post("/settings/{service:str}/disconnect", status_code=303)
async def disconnect(
    request: Asking, account: SignedIn, service: FromPath[str], data: URLEncodedBody[Parting]
) -> Redirect:
    """Forget the connection, and its plays where that was chosen."""
    which = _service(service)
    await connections.disconnect(request, account.id, which, keep=data.plays == "keep")
    return Redirect(f"/settings/{which}", status_code=303)


# ---------------------------------------------------------------- inside


def _service(name: str) -> Service:
    if name == "lastfm":
        return "lastfm"
    if name == "listenbrainz":
        return "listenbrainz"
    raise NotFoundException


def _only_lastfm(service: str) -> None:
    if service != "lastfm":
        raise NotFoundException


def _stamp(request: Asking) -> str:
    return hashlib.sha256(f"lastfm {auth.csrf_token(request)}".encode()).hexdigest()[:32]


class Reading(msgspec.Struct, frozen=True):
    """How far a history has been read, as the page tells it; `seconds_left` is None while nobody can tell."""

    read: int
    total: int | None
    skipped: int
    back_to: datetime | None
    done: bool
    seconds_left: float | None

    @property
    def share(self) -> float:
        """Return how much of it is read, 0 to 100."""
        if self.done:
            return 100.0
        return min(100.0, 100.0 * self.read / self.total) if self.total else 0.0


def reading(walk: Walk) -> Reading:
    """Tell how far a walk is, and how long it takes yet at the pace it had."""
    left = None
    if walk.ended_at is None and walk.total and walk.read:
        pace = (walk.moved_at - walk.begun_at).total_seconds() / walk.read
        left = max(0.0, (walk.total - walk.read) * pace)
    read = min(walk.read, walk.total) if walk.total is not None else walk.read
    return Reading(read, walk.total, walk.skipped, walk.before, walk.ended_at is not None, left)


async def _page(
    request: Asking,
    account: Account,
    service: Service,
    *,
    problem: errors.Refused | None = None,
    given: Given | None = None,
    looked: bool = False,
    status_code: int = 200,
) -> Template:
    parts = services.of(request)
    now = parts.clock.now()
    origin = stored.ORIGINS[service]
    async with parts.database.connection() as conn:
        connected = await stored.of_account(conn, account.id, service)
        found = await walks.of_connection(conn, connected.id) if connected else {}
        seen = await played.of_origin(conn, account.id, origin, SEEN)
        kept = await played.count_of_origin(conn, account.id, origin)
        loved = await feedback.count(conn, account.id, feedback.LOVED)
    history = reading(found["history"]) if "history" in found else None
    return templating.page(
        request,
        "connection.html",
        account,
        service=service,
        called=NAMES[service],
        connected=connected,
        history=history,
        seen=seen,
        kept=kept,
        loved=loved,
        looked=looked,
        fresh=connected is not None and connections.is_fresh(connected, now),
        busy=_is_busy(connected, history),
        has_key=service != "lastfm" or bool(parts.settings.lastfm_key),
        has_secret=bool(parts.settings.lastfm_secret),
        tell=feeds.dater(account, now),
        problem=problem,
        given=given or Given(),
        status_code=status_code,
    )


def _is_busy(connected: Connected | None, history: Reading | None) -> bool:
    """Tell whether the page changes by itself."""
    if connected is None or connected.status == "stopped":
        return False
    return connected.is_logging_in or connected.synced_at is None or (history is not None and not history.done)


handlers = [show, connect, login, callback, test, disconnect]
