"""The native API: what a listener loves and hates."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from litestar import Request, Router, get, put
from litestar.exceptions import NotFoundException
from litestar.openapi.spec import OpenAPIMediaType, Operation, RequestBody, Schema
from litestar.openapi.spec.enums import OpenAPIType
from litestar.params import FromPath, FromQuery

from sleevenotes import errors
from sleevenotes.server import auth, feedbacks, services
from sleevenotes.store import feedback
from sleevenotes.store.accounts import Scope

DEFAULT_LIMIT, MAX_LIMIT = 20, 100

Asked = Request[Any, Any, Any]


class Giving(msgspec.Struct, frozen=True):
    """1 loved, -1 hated, 0 neither any more."""

    score: int


class FeedbackAnswer(msgspec.Struct, frozen=True):
    """A track, by its names as sent, and what its listener thinks of it; holds for every play of it."""

    artist_name: str
    track_name: str
    score: int
    given_at: datetime


class FeedbackPage(msgspec.Struct, frozen=True):
    """Tracks with feedback, the latest word first, and how many there are."""

    feedback: list[FeedbackAnswer]
    total: int


@dataclass
class _GiveOperation(Operation):
    """Describes the body that `give` reads raw, so that a bad one is answered by field."""

    def __post_init__(self) -> None:
        score = Schema(type=OpenAPIType.INTEGER, enum=[1, 0, -1])
        body = Schema(type=OpenAPIType.OBJECT, required=["score"], properties={"score": score})
        self.request_body = RequestBody(content={"application/json": OpenAPIMediaType(schema=body)}, required=True)


@put(
    "/scrobbles/{scrobble_id:int}/feedback",
    status_code=200,
    opt={"token_only": True},
    operation_class=_GiveOperation,
)
async def give(request: Asked, scrobble_id: FromPath[int]) -> Giving:
    """Love (1), hate (-1) or neither (0) the track of a scrobble: holds for every play of the same artist and track."""
    account = await auth.by_token(request, Scope.SUBMIT)
    try:
        given = msgspec.json.decode(await request.body(), type=Giving)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise errors.Refused('The document must be {"score": 1}, 0 or -1.', field="score") from None
    if not await feedbacks.give(request, account, scrobble_id, given.score):
        raise NotFoundException("There is no such scrobble of yours.")
    return given


@get("/feedback")
async def list_page(
    request: Asked,
    score: FromQuery[int] = feedback.LOVED,
    limit: FromQuery[int] = DEFAULT_LIMIT,
    offset: FromQuery[int] = 0,
) -> FeedbackPage:
    """Give the tracks one loves (`score` 1) or hates (-1), the latest first."""
    account = await auth.reader(request)
    if score not in (feedback.LOVED, feedback.HATED):
        raise errors.Refused("score must be 1 (loved) or -1 (hated).", field="score")
    if limit < 1 or not 0 <= offset < 2**31:
        raise errors.Refused("limit must be 1 or more, offset 0 or more.", field="limit")
    async with services.of(request).database.connection() as conn:
        total = await feedback.count(conn, account.id, score)
        rows = await feedback.newest(conn, account.id, score, limit=min(limit, MAX_LIMIT), offset=offset)
    told = [FeedbackAnswer(one.artist, one.track, one.score, one.given_at) for one in rows]
    return FeedbackPage(told, total)


router = Router("/api/v1", route_handlers=[give, list_page], tags=["Feedback"], include_in_schema=True)
