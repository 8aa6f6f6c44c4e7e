"""Connecting with Last.fm and ListenBrainz, by the API; and what was played lately, there and here.

Last.fm's addresses are served as its old clients know them (/lastfm/connect …) and below /api/v1.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import urlencode

import msgspec
from litestar import Request, Response, Router, delete, get, post
from litestar.exceptions import NotFoundException
from litestar.params import FromQuery

from sleevenotes import errors, model
from sleevenotes.pipeline import connecting, syncing
from sleevenotes.server import (
    answered,
    auth,
    bodies,
    connections_json,
    inputs,
    native,
    problems,
    scrobble_json,
    services,
)
from sleevenotes.server.connections_json import ConnectionAnswer, Disconnected
from sleevenotes.server.scrobble_json import ScrobbleAnswer
from sleevenotes.server.services import Services
from sleevenotes.settings import Settings
from sleevenotes.sources import lastfm_history
from sleevenotes.store import connections, feedback, played, walks
from sleevenotes.store.accounts import Scope
from sleevenotes.store.connections import Connected, Service

FRESH: Final = timedelta(seconds=15)
"""What was read of Last.fm within this is live enough."""

PATIENCE: Final = 3.0
"""Seconds for which an answer waits for Last.fm's newest plays; without them it is given all the same."""

_LOOK: Final = 0.1

_ANYTHING = msgspec.json.Decoder()

Asked = Request[Any, Any, Any]


class ConnectBody(msgspec.Struct, frozen=True):
    """Who to connect as: a `username`, or the `token` with which Last.fm sends a listener back after the login.

    With neither, or no body, the answer says where the listener logs in; `callback` is where Last.fm then sends them.
    """

    username: str = ""
    token: str = ""
    callback: str = ""


class ListenBrainzBody(msgspec.Struct, frozen=True):
    """Who to connect as: by the listener's `token` at ListenBrainz, or by `username` alone, to read only."""

    username: str = ""
    token: str = ""


class LoginAnswer(msgspec.Struct, frozen=True):
    """Where the listener logs in at Last.fm; the token it sends back goes into a second request."""

    auth_url: str


class LiveAnswer(msgspec.Struct, frozen=True):
    """How live Last.fm's part is: when it was read, whether that is just now, and what was wrong."""

    connected: bool
    username: str | None
    read_at: datetime | None
    fresh: bool
    problem: connections_json.ProblemAnswer | None


class RecentlyPlayed(msgspec.Struct, frozen=True):
    """What plays now (null for nothing; its id is 0), and the newest plays, Last.fm's and all players', each once."""

    now_playing: ScrobbleAnswer | None
    scrobbles: list[ScrobbleAnswer]
    lastfm: LiveAnswer


# ---------------------------------------------------------------- Last.fm


@post(
    ["/lastfm/connect", "/api/v1/lastfm/connect"],
    opt={"token_only": True},
    status_code=202,
    operation_class=bodies.documented(username=bodies.TEXT, token=bodies.TEXT, callback=bodies.TEXT),
)
async def connect_lastfm(request: Asked) -> Response[ConnectionAnswer] | Response[LoginAnswer]:
    """Connect with Last.fm, and begin to read the history; 202, since that takes its time."""
    account = await auth.by_token(request)
    data = bodies.read(await request.body() or b"{}", ConnectBody)
    settings = services.of(request).settings
    require_key(settings, login=not data.username)
    if not data.username and not data.token:
        return Response(LoginAnswer(login_address(settings, data.callback)), status_code=200)
    if data.username and data.token:
        raise errors.Refused("Give username or token, not both.", field="username")
    answer = await connect(request, account.id, "lastfm", user_name=data.username, token=data.token)
    return Response(answer, status_code=202)


@get(["/lastfm/status", "/api/v1/lastfm/status"])
async def lastfm_status(request: Asked) -> ConnectionAnswer:
    """Tell how the connection with Last.fm is."""
    return await status(request, (await auth.reader(request)).id, "lastfm")


@delete(["/lastfm/disconnect", "/api/v1/lastfm/disconnect"], opt={"token_only": True}, status_code=200)
async def disconnect_lastfm(request: Asked, keep_plays: FromQuery[bool] = True) -> Disconnected:
    """Forget the connection; with `keep_plays=false`, remove the plays that came from Last.fm, too."""
    account = await auth.by_token(request)
    return await disconnect(request, account.id, "lastfm", keep=keep_plays)


@post("/api/v1/scrobbles/from_lastfm", opt={"token_only": True}, status_code=201)
async def from_lastfm(request: Asked) -> Response[native.SubmitAnswer] | Response[ConnectionAnswer]:
    """Store plays that a client has read from Last.fm; without a body, read Last.fm's newest plays now.

    The body is as of POST /scrobbles, of any age; `source_app` may be left out, and `lastfm_loved` marks the track as
    loved. An `artwork_uri` that is Last.fm's star counts as none.
    """
    account = await auth.by_token(request, Scope.SUBMIT)
    body = await request.body()
    if not body.strip():
        connected = await _hurry(services.of(request), account.id, "lastfm")
        if connected is None:
            raise NotFoundException("No connection with Last.fm: connect first, or send scrobbles.")
        return Response(await status(request, account.id, "lastfm"), status_code=202)
    return await _store(request, account.id, body)


# ---------------------------------------------------------------- ListenBrainz


@post(
    "/api/v1/listenbrainz/connect",
    opt={"token_only": True},
    status_code=202,
    operation_class=bodies.documented(username=bodies.TEXT, token=bodies.TEXT),
)
async def connect_listenbrainz(request: Asked) -> ConnectionAnswer:
    """Connect with ListenBrainz, and begin to read the history; 202, since that takes its time."""
    account = await auth.by_token(request)
    data = bodies.read(await request.body() or b"{}", ListenBrainzBody)
    return await connect(request, account.id, "listenbrainz", user_name=data.username, token=data.token)


@get("/api/v1/listenbrainz/status")
async def listenbrainz_status(request: Asked) -> ConnectionAnswer:
    """Tell how the connection with ListenBrainz is."""
    return await status(request, (await auth.reader(request)).id, "listenbrainz")


@delete("/api/v1/listenbrainz/disconnect", opt={"token_only": True}, status_code=200)
async def disconnect_listenbrainz(request: Asked, keep_plays: FromQuery[bool] = True) -> Disconnected:
    """Forget the connection; with `keep_plays=false`, remove the plays that came from ListenBrainz, too."""
    account = await auth.by_token(request)
    return await disconnect(request, account.id, "listenbrainz", keep=keep_plays)


# ---------------------------------------------------------------- recently played


@get(["/recently-played", "/api/v1/recently-played"])
async def recently_played(request: Asked, limit: FromQuery[int] = native.DEFAULT_LIMIT) -> RecentlyPlayed:
    """Give what plays now and the newest plays, Last.fm's among them, which is read at once unless it just has been.

    Where Last.fm takes longer than three seconds, the answer says so (`fresh` is false) and holds what is known.
    """
    account = await auth.reader(request)
    parts = services.of(request)
    if limit < 1:
        raise errors.Refused("limit must be 1 or more.", field="limit")
    connected = await look_now(parts, account.id, "lastfm", PATIENCE)
    now = parts.clock.now()
    async with parts.database.connection() as conn:
        playing = await played.now_playing(conn, account.id, now)
        plays = await played.feed(conn, account.id, limit=min(limit, native.MAX_LIMIT))
        answers = await answered.all_of(conn, [*([playing] if playing else []), *plays])
    told = connections_json.written("lastfm", connected, {})
    live = LiveAnswer(
        told.connected, told.username, told.last_sync, connected is not None and is_fresh(connected, now), told.problem
    )
    return RecentlyPlayed(answers.pop(0) if playing else None, answers, live)


# ---------------------------------------------------------------- shared with the pages


def require_key(settings: Settings, *, login: bool) -> None:
    """Raise errors.Refused, in words for the listener, where the operator has not set what this needs."""
    if not settings.lastfm_key:
        raise errors.Refused(
            "This server has no key for Last.fm yet. Whoever runs it gets one at "
            "https://www.last.fm/api/account/create and sets lastfm_key.",
            field="lastfm_key",
        )
    if login and not settings.lastfm_secret:
        raise errors.Refused(
            "A login needs lastfm_secret, the shared secret that came with the key. Without it, connect by username.",
            field="lastfm_secret",
        )


def login_address(settings: Settings, callback: str) -> str:
    """Return where a listener lets us in at Last.fm, to be sent back to `callback` with a token."""
    base = f"http://{settings.simulator}" if settings.simulator else "https://www.last.fm"
    query = {"api_key": settings.lastfm_key} | ({"cb": callback} if callback else {})
    return f"{base}/api/auth/?{urlencode(query)}"


async def connect(
    request: Asked, account_id: int, service: Service, *, user_name: str = "", token: str = ""
) -> ConnectionAnswer:
    """Connect, and tell how that is. Raises errors.Refused naming the field that is no good."""
    parts = services.of(request)
    async with parts.database.transaction() as conn:
        await connecting.connect(conn, account_id, service, user_name=user_name, token=token, now=parts.clock.now())
    return await status(request, account_id, service)


async def status(request: Asked, account_id: int, service: Service) -> ConnectionAnswer:
    """Tell how a connection is."""
    async with services.of(request).database.connection() as conn:
        connected = await connections.of_account(conn, account_id, service)
        found = await walks.of_connection(conn, connected.id) if connected else {}
    return connections_json.written(service, connected, found)


async def disconnect(request: Asked, account_id: int, service: Service, *, keep: bool) -> Disconnected:
    """Forget a connection, and its plays unless they are kept."""
    parts = services.of(request)
    gone = await connecting.disconnect(parts.database, account_id, service, keep=keep, now=parts.clock.now())
    return Disconnected(gone is not None, gone or 0)


async def look_now(parts: Services, account_id: int, service: Service, patience: float) -> Connected | None:
    """Have a service's newest plays read unless that was done just now, and wait for them that many seconds at most.

    Returns the connection as it is then; None where there is none.
    """
    connected = await _hurry(parts, account_id, service)
    waited = 0.0
    while connected and connected.status == "open" and not is_fresh(connected, parts.clock.now()) and waited < patience:
        if connected.problem:
            break
        await parts.clock.sleep(_LOOK)
        waited += _LOOK
        async with parts.database.connection() as conn:
            connected = await connections.look(conn, connected.id)
    return connected


def is_fresh(connected: Connected, now: datetime) -> bool:
    """Tell whether a connection's newest plays were read just now."""
    return connected.synced_at is not None and now - connected.synced_at <= FRESH


async def _hurry(parts: Services, account_id: int, service: Service) -> Connected | None:
    """Begin to read what is new, before everything else, unless that was done just now."""
    now = parts.clock.now()
    async with parts.database.transaction() as conn:
        connected = await connections.of_account(conn, account_id, service)
        if connected and connected.status == "open" and not is_fresh(connected, now):
            await syncing.begin(conn, connected.id, model.Band.CRITICAL, now)
    return connected


# ---------------------------------------------------------------- plays that a client has read


async def _store(request: Asked, account_id: int, body: bytes) -> Response[native.SubmitAnswer]:
    parts = services.of(request)
    batch = scrobble_json.read(_completed(body), parts.clock.now())
    if not batch.valid:
        raise problems.Invalid("None of these scrobbles is valid.", batch.problems)
    sent = [_from_lastfm(scrobble) for _, scrobble in batch.valid]
    stored = await parts.submitter.submit(account_id, sent, band=model.Band.DEFAULT, window_s=native.WINDOW_S)
    loved = [
        (play.artist, play.track, play.listened_at)
        for play in sent
        if play.listened_at and str(play.extra.get("lastfm_loved", "")).lower() in ("1", "true")
    ]
    async with parts.database.connection() as conn:
        if loved:
            await feedback.learn(conn, account_id, loved)
    return await native.submitted(request, account_id, batch, stored)


def _completed(body: bytes) -> bytes:
    """Name the player of plays for which none is named: Last.fm does not tell it."""
    try:
        document = inputs.decoded(_ANYTHING, body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return body  # what is wrong with it is told by who reads it
    rows = document.get("scrobbles") if isinstance(document, dict) else None
    for row in rows if isinstance(rows, list) else ():
        if isinstance(row, dict):
            row.setdefault("source_app", "Last.fm")
    return msgspec.json.encode(document)


def _from_lastfm(scrobble: model.Scrobble) -> model.Scrobble:
    return msgspec.structs.replace(
        scrobble,
        origin=connections.ORIGINS["lastfm"],
        artwork_uri="" if lastfm_history.is_star(scrobble.artwork_uri) else scrobble.artwork_uri,
    )


router = Router(
    "/",
    route_handlers=[
        connect_lastfm,
        lastfm_status,
        disconnect_lastfm,
        from_lastfm,
        connect_listenbrainz,
        listenbrainz_status,
        disconnect_listenbrainz,
        recently_played,
    ],
    tags=["Connections"],
    include_in_schema=True,
)
