"""The native API: how far plays are, asked for (`enrichment_status`) or told as it happens (`events`).

Polling answers carry an ETag, made of the very bytes. Estimates are moments, and no finer than they are good for
(`pipeline.estimate.moment`), so that an answer in which nothing happened stays the same, and is answered 304.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec
from litestar import Request, Response, Router, get
from litestar.connection import ASGIConnection
from litestar.exceptions import NotFoundException
from litestar.params import FromPath, FromQuery
from litestar.response import Stream

from sleevenotes import errors
from sleevenotes.model import Status
from sleevenotes.pipeline import estimate, waiting
from sleevenotes.server import auth, lines, services
from sleevenotes.server.services import Services
from sleevenotes.sources import contract, registry
from sleevenotes.store import played
from sleevenotes.store.played import Play
from sleevenotes.store.postgres import Connection

MOST = 100  # scrobbles in one question

Asked = Request[Any, Any, Any]


class EnrichmentAnswer(msgspec.Struct, frozen=True):
    """How far a scrobble's enrichment is. `estimated_completion` is when name and cover will be decided.

    It is null when they are, and while there is nobody to ask. `has_artwork` counts temporary covers, too.
    """

    status: Status
    has_artwork: bool
    estimated_completion: datetime | None


class EnrichmentOf(EnrichmentAnswer, frozen=True, kw_only=True):
    """The same of one scrobble among several."""

    id: int


class EnrichmentsAnswer(msgspec.Struct, frozen=True):
    """How far several scrobbles are, in the order they were asked for; `missing` are ids of none of yours."""

    scrobbles: list[EnrichmentOf]
    missing: list[int]


def estimator(parts: Services) -> waiting.Estimator:
    """Make what estimates for this process: by the sources that the settings let be asked."""
    keys = msgspec.convert(parts.settings, contract.Keys, from_attributes=True)
    return waiting.Estimator(registry.usable(keys, parts.settings.only_sources), parts.clock)


def estimator_of(connection: ASGIConnection[Any, Any, Any, Any]) -> waiting.Estimator:
    """Return the estimator of the application that serves this connection."""
    made: waiting.Estimator = connection.app.state.estimator
    return made


@get("/scrobbles/{scrobble_id:int}/enrichment_status")
async def enrichment_status(request: Asked, scrobble_id: FromPath[int]) -> Response[EnrichmentAnswer]:
    """Tell how far a scrobble's enrichment is; with If-None-Match, 304 where nothing changed."""
    account = await auth.reader(request)
    ids = [scrobble_id] if 0 < scrobble_id < 2**63 else []
    async with services.of(request).database.connection() as conn:
        plays = await played.by_ids(conn, account.id, ids)
        found = await _estimates(request, conn, plays)
    if not plays:
        raise NotFoundException("There is no such scrobble of yours.")
    return _tagged(request, EnrichmentAnswer(**_how_far(plays[0], found)))


@get("/scrobbles/enrichment_status")
async def enrichment_statuses(request: Asked, ids: FromQuery[str] = "") -> Response[EnrichmentsAnswer]:
    """Tell how far up to 100 scrobbles are; `ids` are separated by commas. With If-None-Match, 304."""
    account = await auth.reader(request)
    wanted = numbers(ids)
    async with services.of(request).database.connection() as conn:
        plays = await played.by_ids(conn, account.id, wanted)
        found = await _estimates(request, conn, plays)
    by_id = {play.id: play for play in plays}
    told = [EnrichmentOf(id=each, **_how_far(by_id[each], found)) for each in wanted if each in by_id]
    return _tagged(request, EnrichmentsAnswer(told, [each for each in wanted if each not in by_id]))


@get("/events", media_type="text/event-stream")
async def events(request: Asked, after: FromQuery[str] = "") -> Stream:
    """Stream what happens to the account as server-sent events; resumes after `Last-Event-ID` or `after`."""
    account = await auth.reader(request)
    return lines.sse(request, account.id, after)


def numbers(ids: str) -> list[int]:
    """Read 1 to MOST ids, separated by commas.

    Raises errors.Refused naming the field.
    """
    parts = [part.strip() for part in ids.split(",") if part.strip()]
    if not 1 <= len(parts) <= MOST:
        raise errors.Refused(f"ids must be 1 to {MOST} numbers, separated by commas, not {len(parts)}.", field="ids")
    strange = next((part for part in parts if not (part.isascii() and part.isdecimal())), None)
    if strange is not None:
        raise errors.Refused(f"ids: {strange[:40]!r} is not the id of a scrobble.", field="ids")
    return list(dict.fromkeys(min(int(part[:20]), 2**63 - 1) for part in parts))


# ---------------------------------------------------------------- inside


async def _estimates(request: Asked, conn: Connection, plays: list[Play]) -> Mapping[estimate.Subject, datetime]:
    now = services.of(request).clock.now()
    found = await estimator_of(request).of(conn, plays)
    return {each: estimate.moment(now, told.seconds) for each, told in found.items()}


def _how_far(play: Play, found: Mapping[estimate.Subject, datetime]) -> dict[str, Any]:
    waits_for = waiting.subject(play)
    return {
        "status": play.status,
        "has_artwork": bool(play.image_digest),
        "estimated_completion": found.get(waits_for) if waits_for else None,
    }


def _tagged(request: Asked, answer: Any) -> Response[Any]:
    """Answer with the ETag of the bytes, or 304 where the client has them."""
    body = msgspec.json.encode(answer)
    tag = f'"{hashlib.sha256(body).hexdigest()[:20]}"'
    headers = {"ETag": tag, "Cache-Control": "private, no-cache"}
    known = [each.strip().removeprefix("W/") for each in request.headers.get("if-none-match", "").split(",")]
    if tag in known or "*" in known:
        return Response(b"", status_code=304, headers=headers)
    return Response(body, media_type="application/json", headers=headers)


router = Router(
    "/api/v1",
    route_handlers=[enrichment_status, enrichment_statuses, events],
    tags=["Live"],
    include_in_schema=True,
)
