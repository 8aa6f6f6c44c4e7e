"""The web application: which routes there are, and what holds for every answer."""

from __future__ import annotations

from pathlib import Path

from litestar.datastructures import State
from litestar.static_files import create_static_files_router
from litestar.types import Message, Scope

from sleevenotes.server import (
    apidocs,
    audioscrobbler,
    auth,
    connections,
    gauges,
    home,
    images,
    limits,
    listenbrainz,
    listenbrainz_metadata,
    listenbrainz_more,
    native,
    native_artwork,
    native_corrections,
    native_export,
    native_feedback,
    native_forwarding,
    native_live,
    native_same_plays,
    ops,
    pages,
    problems,
    sightings,
    socket,
    submissions,
    templating,
)
from sleevenotes.server.services import Services
from sleevenotes.store import player_logins

HERE = Path(__file__).parent

# Everything comes from here, nothing is inline; covers may be tiny data: pictures until they arrive.
_SECURITY = [
    (
        b"content-security-policy",
        b"default-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    ),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
]


def create(services: Services) -> home.Application:
    """Build the application over these services."""
    return home.Application(
        route_handlers=[
            *listenbrainz.routers,
            *listenbrainz_metadata.routers,
            *listenbrainz_more.routers,
            *audioscrobbler.routers,
            *submissions.handlers,
            native.router,
            native_corrections.router,
            native_feedback.router,
            native_same_plays.router,
            native_forwarding.router,
            connections.router,
            *native_artwork.routers,
            native_export.router,
            native_live.router,
            socket.line,
            *ops.handlers,
            *images.handlers,
            *pages.handlers,
            create_static_files_router(path="/static", directories=[templating.STATIC], include_in_schema=False),
        ],
        state=State(
            {
                "services": services,
                "known_tokens": auth.KnownTokens(services.database, services.clock),
                "known_keys": auth.KnownTokens(services.database, services.clock, player_logins.by_session_key),
                "noticed": sightings.Noticed(services.database, services.clock),
                "gauges": gauges.Gauges(),
                "estimator": native_live.estimator(services),
                "meter": limits.Meter(services.settings.requests_per_minute),
            }
        ),
        middleware=[limits.enforce, auth.check_forms],
        before_send=[_complete],
        exception_handlers={Exception: problems.answer},
        template_config=templating.config(services.settings.root),
        logging_config=None,
        openapi_config=apidocs.config(services.settings.base_url),
        include_in_schema=False,  # but for the native API, which says so itself
    )


async def _complete(message: Message, scope: Scope) -> None:
    """Put on every answer, whoever gave it, what all answers carry."""
    if message["type"] == "http.response.start":
        ops.count(scope["path"], message["status"])
        given = message["headers"]
        named = [name for name, _ in given]
        message["headers"] = [
            *(
                (name, home.outward(value.decode("latin-1")).encode("latin-1"))
                if name == b"location"
                else (name, value)
                for name, value in given
            ),
            *limits.headers(scope),
            *auth.csrf_cookie(scope),
            *[header for header in _SECURITY if header[0] not in named],
        ]
