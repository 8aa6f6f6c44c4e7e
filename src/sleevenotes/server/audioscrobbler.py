"""Last.fm's API, version 2.0, as players speak it: /2.0/ and, for players made for Maloja, /apis/audioscrobbler/2.0/.

Here: routes, who asks, errors. The methods are in the modules named audioscrobbler_…, each listing its own. What
differs from Last.fm on purpose is in docs/reference/lastfm-api.md.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import structlog
from litestar import HttpMethod, Request, Response, Router, route
from litestar.exceptions import HTTPException

from sleevenotes import errors
from sleevenotes.server import (
    audioscrobbler_answers,
    audioscrobbler_call,
    audioscrobbler_charts,
    audioscrobbler_logins,
    audioscrobbler_music,
    audioscrobbler_submits,
    audioscrobbler_users,
    home,
    limits,
)
from sleevenotes.server.audioscrobbler_answers import Failure
from sleevenotes.server.audioscrobbler_call import Call
from sleevenotes.server.audioscrobbler_context import Context, Method

log = structlog.get_logger(__name__)

Asked = Request[Any, Any, Any]

METHODS: dict[str, Method] = {
    **audioscrobbler_logins.METHODS,
    **audioscrobbler_submits.METHODS,
    **audioscrobbler_users.METHODS,
    **audioscrobbler_charts.METHODS,
    **audioscrobbler_music.METHODS,
}


_JSON = "answers_json"


class _Reply(NamedTuple):
    body: bytes
    status: int


@route("/", http_method=[HttpMethod.GET, HttpMethod.POST], opt={"token_only": True, limits.ITSELF: True})
async def call(request: Asked) -> Response[bytes]:
    """Answer a call, or say by Last.fm's codes why not."""
    try:
        read = await _read(request)
        request.scope["state"][_JSON] = read.json
        reply = await _answer(request, read)
    except Failure as failure:
        reply = _failed(failure, json=_wants_json(request))
    except errors.SleevenotesError as error:
        reply = _failed(_as_failure(error), json=_wants_json(request))
    return _response(reply, json=_wants_json(request))


def _wants_json(request: Asked) -> bool:
    """Tell in which format to answer; a form may say so, too, once it is read."""
    told = request.scope["state"].get(_JSON)
    return request.query_params.get("format", "").strip().lower() == "json" if told is None else bool(told)


async def _read(request: Asked) -> Call:
    return audioscrobbler_call.read(
        request.scope["query_string"].decode("latin-1"),
        await request.body() if request.method == "POST" else b"",
        posted=request.method == "POST",
        base_url=home.address(request),
        agent=request.headers.get("user-agent", ""),
    )


async def _answer(request: Asked, read: Call) -> _Reply:
    if limits.is_too_many(request.scope):
        raise Failure(audioscrobbler_answers.TOO_MANY, "Rate limit exceeded - wait a minute")
    method = METHODS.get(read.method)
    if method is None:
        raise Failure(audioscrobbler_answers.BAD_METHOD, "Invalid Method - No method with that name in this package")
    told = await method(Context(request, read))
    return _Reply(audioscrobbler_answers.json(told) if read.json else audioscrobbler_answers.xml(told), 200)


def _failed(failure: Failure, *, json: bool) -> _Reply:
    write = audioscrobbler_answers.failed_json if json else audioscrobbler_answers.failed_xml
    return _Reply(write(failure), failure.status)


def _as_failure(error: errors.SleevenotesError) -> Failure:
    if isinstance(error, errors.Fault):
        log.error("the database does not answer", exc_info=error)
        return Failure(audioscrobbler_answers.UNAVAILABLE, "The database does not answer. Please try again shortly")
    return Failure(audioscrobbler_answers.BAD_PARAMETER, str(error))


def _response(reply: _Reply, *, json: bool) -> Response[bytes]:
    media = "application/json; charset=utf-8" if json else "text/xml"  # to which Litestar adds it
    return Response(reply.body, status_code=reply.status, media_type=media, headers={"Cache-Control": "no-store"})


def broken(request: Asked, error: Exception) -> Response[bytes]:
    """Answer what went wrong outside of a call: another HTTP method, a fault of ours."""
    status = error.status_code if isinstance(error, HTTPException) else 500
    if status >= 500:
        log.error("call failed", query=request.query_params.get("method"), exc_info=error)
    failure = Failure(audioscrobbler_answers.BROKEN, "Operation failed - it is in the server's log", status)
    if status == 405:
        failure = Failure(audioscrobbler_answers.BAD_METHOD, "Only GET and POST", 405)
    json = _wants_json(request)
    return _response(_failed(failure, json=json), json=json)


routers = [
    Router(path, route_handlers=[call], include_in_schema=False, exception_handlers={Exception: broken})
    for path in ("/2.0", "/apis/audioscrobbler/2.0")
]
