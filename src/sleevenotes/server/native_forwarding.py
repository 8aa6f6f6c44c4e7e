"""The native API of plays that are sent on to Last.fm and ListenBrainz.

Writing takes a token; reading a token or a session.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec
from litestar import Request, Router, delete, get, post, put
from litestar.params import FromPath, FromQuery

from sleevenotes import errors
from sleevenotes.server import auth, forwarding, scrobble_json, services

Asked = Request[Any, Any, Any]


class RefusalAnswer(msgspec.Struct, frozen=True):
    """A play that the service does not take, and why."""

    id: int
    played_at: datetime
    artist_name: str
    track_name: str
    reason: str


class ForwardingAnswer(msgspec.Struct, frozen=True):
    """How it stands with one service. `possible` is false where you have not logged in there; `reason` says why.

    `since` is from when on plays are sent. `note` says what keeps the waiting ones; they go on at `due_at`, or where
    `stopped` is true, when you have logged in anew.
    """

    service: str
    on: bool
    possible: bool
    reason: str
    since: datetime | None
    waiting: int
    sent: int
    refused: int
    last_sent_at: datetime | None
    due_at: datetime | None
    stopped: bool
    note: str
    refusals: list[RefusalAnswer]


class ForwardingsAnswer(msgspec.Struct, frozen=True):
    """How it stands with each service."""

    services: list[ForwardingAnswer]


class QueuedAnswer(msgspec.Struct, frozen=True):
    """How many plays were queued."""

    queued: int


@get("/forwarding")
async def show(request: Asked) -> ForwardingsAnswer:
    """Tell which services your plays are sent on to, what waits and what was refused."""
    account = await auth.reader(request)
    return ForwardingsAnswer([_written(each) for each in await forwarding.told(services.of(request), account.id)])


@put("/forwarding/{name:str}", opt={"token_only": True})
async def turn_on(request: Asked, name: FromPath[str]) -> ForwardingsAnswer:
    """Have plays sent on to `lastfm` or `listenbrainz` from now on."""
    account = await auth.by_token(request)
    await forwarding.turn_on(services.of(request), account.id, forwarding.service(name))
    return await _all(request, account.id)


@delete("/forwarding/{name:str}", opt={"token_only": True}, status_code=200)
async def turn_off(request: Asked, name: FromPath[str]) -> ForwardingsAnswer:
    """Send nothing on any more; what waited is forgotten."""
    account = await auth.by_token(request)
    await forwarding.turn_off(services.of(request), account.id, forwarding.service(name))
    return await _all(request, account.id)


@post("/forwarding/{name:str}/past", opt={"token_only": True}, status_code=202)
async def queue_past(request: Asked, name: FromPath[str], since: FromQuery[str] = "") -> QueuedAnswer:
    """Send on what is here already, imports included; Last.fm takes the last fortnight.

    `since` is ISO 8601 or UNIX seconds.
    """
    account = await auth.by_token(request)
    first = scrobble_json.moment(since) if since else None
    if since and first is None:
        raise errors.Refused(f"since must be an ISO 8601 time or UNIX seconds, not {since!r}.", field="since")
    return QueuedAnswer(await forwarding.queue_past(services.of(request), account.id, forwarding.service(name), first))


@post("/forwarding/{name:str}/again", opt={"token_only": True}, status_code=202)
async def try_again(request: Asked, name: FromPath[str]) -> QueuedAnswer:
    """Send once more what was refused, and now what waits."""
    account = await auth.by_token(request)
    return QueuedAnswer(await forwarding.try_again(services.of(request), account.id, forwarding.service(name)))


async def _all(request: Asked, account_id: int) -> ForwardingsAnswer:
    return ForwardingsAnswer([_written(each) for each in await forwarding.told(services.of(request), account_id)])


def _written(told: forwarding.Told) -> ForwardingAnswer:
    state = told.state
    return ForwardingAnswer(
        service=told.service,
        on=state is not None,
        possible=told.can,
        reason=told.why_not,
        since=state and state.since,
        waiting=state.waiting if state else 0,
        sent=state.sent if state else 0,
        refused=state.refused if state else 0,
        last_sent_at=state and state.last_sent,
        due_at=state.due_at if state and state.waiting and not state.stopped else None,
        stopped=state is not None and state.stopped,
        note=state.note if state else "",
        refusals=[RefusalAnswer(*each) for each in told.refusals],
    )


router = Router(
    "/api/v1",
    route_handlers=[show, turn_on, turn_off, queue_past, try_again],
    tags=["Forwarding"],
    include_in_schema=True,
)
