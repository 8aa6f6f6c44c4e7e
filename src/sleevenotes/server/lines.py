"""The answer that is a live line: server-sent events, the same for pages and for apps."""

from __future__ import annotations

from typing import Any

from litestar.connection import ASGIConnection
from litestar.exceptions import NotAuthorizedException, PermissionDeniedException, TooManyRequestsException
from litestar.response import Stream

from sleevenotes.server import auth, live, services
from sleevenotes.store import events

AGAIN = 10  # seconds after which somebody with too many lines may try again


def sse(request: ASGIConnection[Any, Any, Any, Any], account_id: int, after: str) -> Stream:
    """Answer with what happens to the account behind the header Last-Event-ID, else behind `after`.

    Raises errors.Refused for a cursor that is none of ours, TooManyRequestsException for one line too many.
    """
    hub = services.of(request).hub
    cursor = request.headers.get("last-event-id") or after
    events.check(cursor)
    if hub.is_full(account_id):
        raise TooManyRequestsException(
            f"An account has at most {live.LINES} lines open.", headers={"Retry-After": str(AGAIN)}
        )

    async def may_hear() -> bool:
        try:
            return (await auth.reader(request)).id == account_id
        except (NotAuthorizedException, PermissionDeniedException):
            return False

    return Stream(
        hub.stream(account_id, cursor, may_hear),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )
