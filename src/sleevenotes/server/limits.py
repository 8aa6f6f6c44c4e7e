"""How many requests a client may make to our APIs, and the X-RateLimit headers that tell it, on every answer.

The window is fixed: it opens with a client's first request and lasts WINDOW_S. A client is a token that works, else
an address: an invented token must not buy a fresh allowance. Each process counts for itself, in memory.
"""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from litestar import Litestar
from litestar.enums import ScopeType
from litestar.exceptions import TooManyRequestsException
from litestar.types import ASGIApp, Receive, Scope, Send

from sleevenotes.server import auth

WINDOW_S = 60
CLIENTS = 10_000  # remembered at most; beyond it, the closed windows are dropped

TOO_MANY = (  # ListenBrainz' words, upstreams §3.3
    "You have exceeded your rate limit. See the X-RateLimit-* response headers for more information on your "
    "current rate limit."
)

_STANDING = "rate_limit_standing"
ITSELF = "refuses_too_many"

COUNTED = ("/1/", "/2.0", "/api/", "/apis/", "/submissions", "/artwork/search", "/artwork/refresh/")


class Standing(NamedTuple):
    """Where a client stands: requests left, and when (UNIX seconds) and in how many seconds the window ends."""

    limit: int
    remaining: int
    resets_at: int
    resets_in: int

    @property
    def exceeded(self) -> bool:
        """Tell whether this very request is one too many."""
        return self.remaining < 0

    def headers(self) -> list[tuple[bytes, bytes]]:
        """Write it as ListenBrainz does, upstreams §3.3; Retry-After where it is exceeded."""
        told = [
            (b"x-ratelimit-limit", b"%d" % self.limit),
            (b"x-ratelimit-remaining", b"%d" % max(0, self.remaining)),
            (b"x-ratelimit-reset", b"%d" % self.resets_at),
            (b"x-ratelimit-reset-in", b"%d" % self.resets_in),
        ]
        return [*told, (b"retry-after", b"%d" % self.resets_in)] if self.exceeded else told


class Meter:
    """Counts requests by client."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._windows: dict[str, tuple[float, int]] = {}  # client -> when its window opened, requests in it

    def count(self, client: str, now: datetime, requests: int = 1) -> Standing:
        """Count requests of this client (0 only looks) and say where it stands."""
        moment = now.timestamp()
        opened, used = self._windows.get(client, (moment, 0))
        if not 0 <= moment - opened < WINDOW_S:
            opened, used = moment, 0
        used += requests
        if requests:
            self._make_room(moment)
            self._windows[client] = opened, used
        resets_in = max(1, round(opened + WINDOW_S - moment))
        return Standing(self._limit, self._limit - used, round(opened + WINDOW_S), resets_in)

    def _make_room(self, moment: float) -> None:
        if len(self._windows) < CLIENTS:
            return
        self._windows = {client: window for client, window in self._windows.items() if moment - window[0] < WINDOW_S}


def enforce(app: ASGIApp) -> ASGIApp:
    """Count each API request before it is handled, and refuse it when it is one too many; a middleware.

    A handler with the option `refuses_too_many` does so itself, for it must read the request to know how to say it.
    """

    async def counted(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == ScopeType.HTTP and is_too_many(scope) and not scope["route_handler"].opt.get(ITSELF):
            raise TooManyRequestsException(TOO_MANY)
        await app(scope, receive, send)

    return counted


def is_too_many(scope: Scope) -> bool:
    """Tell whether this request is one too many."""
    return _standing(scope).exceeded


def headers(scope: Scope) -> list[tuple[bytes, bytes]]:
    """Return the headers of this answer, which may be one that no handler gave."""
    return _standing(scope).headers()


def _standing(scope: Scope) -> Standing:
    state = scope.setdefault("state", {})
    standing: Standing | None = state.get(_STANDING)
    if standing is None:
        app: Litestar = scope["litestar_app"]
        # Pages, covers and scripts are told the headers but cost nothing: a feed loads a hundred covers.
        cost = 1 if scope["path"].startswith(COUNTED) else 0
        standing = app.state.meter.count(_client(scope, app), app.state.services.clock.now(), cost)
        state[_STANDING] = standing
    return standing


def _client(scope: Scope, app: Litestar) -> str:
    token = auth.authorization(scope).partition(" ")[2].strip()
    if token and app.state.known_tokens.remembers(token):
        return token
    client = scope.get("client")
    return f"address {client[0]}" if client else "address unknown"
