"""The web application: which routes there are, and what holds for every answer."""

from __future__ import annotations

from pathlib import Path

from litestar import Litestar
from litestar.datastructures import State
from litestar.static_files import create_static_files_router
from litestar.types import Message, Scope

from sleevenotes.server import apidocs, auth, images, limits, listenbrainz, native, ops, pages, problems, templating
from sleevenotes.server.services import Services

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


def create(services: Services) -> Litestar:
    """Build the application over these services."""
    return Litestar(
        route_handlers=[
            *listenbrainz.routers,
            native.router,
            *ops.handlers,
            *images.handlers,
            *pages.handlers,
            create_static_files_router(path="/static", directories=[templating.STATIC], include_in_schema=False),
        ],
        state=State(
            {
                "services": services,
                "known_tokens": auth.KnownTokens(services.database, services.clock),
                "meter": limits.Meter(services.settings.requests_per_minute),
            }
        ),
        middleware=[limits.enforce],
        guards=[auth.check_form],
        before_send=[ops.count, limits.tell, auth.send_csrf_cookie, _secure],
        exception_handlers={Exception: problems.answer},
        template_config=templating.config(),
        openapi_config=apidocs.config(),
        include_in_schema=False,  # but for the native API, which says so itself
    )


async def _secure(message: Message, scope: Scope) -> None:  # noqa: ARG001 # a hook's shape
    if message["type"] == "http.response.start":
        given = {name.lower() for name, _ in message["headers"]}
        message["headers"] = [*message["headers"], *(header for header in _SECURITY if header[0] not in given)]
