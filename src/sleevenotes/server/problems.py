"""Every failed request's answer, in the dialect of the address it went to.

ListenBrainz routes answer {"code", "error"}; the native API {"error": {"code", "message", "details"}}; pages a
short page in plain words.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

import asyncpg
import msgspec
import structlog
from litestar import Request, Response
from litestar.exceptions import HTTPException, ValidationException
from litestar.exceptions.http_exceptions import RequestEntityTooLarge

from sleevenotes import errors
from sleevenotes.server import strangers, templating, views, ways
from sleevenotes.store import postgres

LISTENBRAINZ_PATHS = ("/1/", "/apis/listenbrainz/")
NATIVE_PATHS = ("/api/", "/lastfm/", "/recently-played", "/artwork/search", "/artwork/refresh/")
LETTING_IN_PATH = "/api/auth"  # a page, where Last.fm's clients look for it
MAX_LISTENS_BYTES = 10_240_000  # of one ListenBrainz submit, upstreams §3.1

_CODES = {  # the native API's words, as its clients know them
    400: "bad_request",
    401: "unauthorized",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    413: "payload_too_large",
    422: "validation_failed",
    429: "rate_limited",
    503: "unavailable",
}
_TITLES = {  # of pages; of other statuses, "That did not work"
    404: "Nothing is here",
    413: "That is too much",
    429: "Not so fast",
    500: "Something broke",
    503: "Not at the moment",
}
_PLAIN = {  # for what the framework says in words of its own
    400: "Something in the address or the form could not be read. Nothing was changed.",
    405: "This address only takes what a form sends. Nothing was changed.",
    413: "More was sent than is taken here. Nothing was changed.",
}
_UNAVAILABLE = "The database does not answer at the moment. Nothing of this request was kept: send it again shortly."
_TOO_LARGE = "Nothing here has a number as large as this."
_NULL = "A NUL (U+0000) is in it, which no text here may hold."
_BROKEN = "Sleevenotes failed at this request. It is in the server's log; nothing was half done."

log = structlog.get_logger(__name__)


class FieldProblem(msgspec.Struct, frozen=True):
    """What is wrong with one field."""

    field: str
    message: str


class ItemProblem(msgspec.Struct, frozen=True):
    """What is wrong with one item of a batch; `index` counts from 0."""

    index: int
    errors: list[FieldProblem]


class Problem(msgspec.Struct, frozen=True, omit_defaults=True):
    """The inside of the native API's errors."""

    code: str
    message: str
    details: object = None


class ProblemAnswer(msgspec.Struct, frozen=True):
    """The native API's answer to a request that failed."""

    error: Problem


class Invalid(errors.Refused):
    """A request of which nothing is valid; `details` says per field or item what is wrong."""

    def __init__(self, message: str, details: object) -> None:
        super().__init__(message)
        self.details = details


def answer(request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
    """Answer a request that ended with this error; the application's exception handler."""
    status, message = _read(error)
    if status >= 500:
        log.error("request failed", path=request.url.path, status=status, exc_info=error)
    headers = {**(getattr(error, "headers", None) or {}), **({"Retry-After": "5"} if status == 503 else {})}
    return _in_dialect(request, status, message, error, headers)


def _in_dialect(
    request: Request[Any, Any, Any], status: int, message: str, error: Exception, headers: dict[str, str]
) -> Response[Any]:
    path = request.url.path
    told: dict[str, object]
    if path.startswith(LISTENBRAINZ_PATHS):
        if status == 413:
            message = f"Payload too large. Payload cannot exceed {MAX_LISTENS_BYTES} bytes"
        status = 400 if status in (413, 422) else status  # ListenBrainz has only this one
        told = {"code": status, "error": message}
        if isinstance(error, Invalid) and error.details is not None:
            told["rejected"] = error.details
        return Response(told, status_code=status, headers=headers)
    if path.startswith(NATIVE_PATHS) and path != LETTING_IN_PATH:
        problem = Problem(_CODES.get(status, "internal_error"), message, _details(error))
        return Response(ProblemAnswer(problem), status_code=status, headers=headers)
    if isinstance(error, ValidationException) and request.method in ("GET", "HEAD"):
        status = 404  # its address has a word where a number is due: no link of ours leads there
    return Response(_page(request, status, message, error), status_code=status, media_type="text/html", headers=headers)


def _read(error: Exception) -> tuple[int, str]:
    match error:
        case errors.Refused():
            return 422, str(error)
        case errors.Gone():
            return 404, str(error)
        case errors.Fault():
            return 503, _UNAVAILABLE
        case _ if postgres.is_away(error):
            return 503, _UNAVAILABLE
        case asyncpg.CharacterNotInRepertoireError():
            return 422, _NULL
        case asyncpg.DataError() if "out of int64 range" in str(error):  # an id of an address; none is so large
            return 404, _TOO_LARGE
        case HTTPException() if error.status_code < 500:
            return error.status_code, error.detail
        case _:
            return 500, _BROKEN


def _details(error: Exception) -> object:
    if isinstance(error, Invalid):
        return error.details
    if isinstance(error, errors.Refused) and error.field:
        return [FieldProblem(error.field, str(error))]
    return None


def _page(request: Request[Any, Any, Any], status: int, message: str, error: Exception) -> str:
    account = request.scope.get("state", {}).get(strangers.KNOWN)  # where it is known: nothing is asked for here
    title = _TITLES.get(status, "That did not work")
    return templating.problem(request, account, title, _plainly(status, message, error), ways.came_from(request))


def _plainly(status: int, message: str, error: Exception) -> str:
    """Say on a page what was wrong: without the name of a field, or what the framework says to clients."""
    if status == 404 and not isinstance(error, errors.Gone):  # what is gone says so itself
        return "This page does not exist, or it is about plays that are not yours."
    if isinstance(error, errors.Refused):
        return views.sentence(error.of_field({}))
    if isinstance(error, ValidationException) or message in (HTTPStatus(status).phrase, RequestEntityTooLarge.detail):
        return _PLAIN.get(status, _PLAIN[400])
    return message
