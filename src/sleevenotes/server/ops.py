"""For whoever runs the server: is it well, and what has it done."""

from __future__ import annotations

import asyncio
from typing import Any

import asyncpg
import prometheus_client
from litestar import Request, Response, get
from litestar.types import Message, Scope

from sleevenotes import errors
from sleevenotes.server import problems, services

HEALTH_TIMEOUT_S = 2

REQUESTS = prometheus_client.Counter(
    "sleevenotes_requests", "Answers given, by the part of the server and the HTTP status.", ["part", "status"]
)
SUBMITS = prometheus_client.Counter(
    "sleevenotes_submits", "Submits that were committed, by dialect and kind.", ["dialect", "kind"]
)
LISTENS = prometheus_client.Counter(
    "sleevenotes_listens", "What became of the listens submitted.", ["dialect", "outcome"]
)


@get("/health", include_in_schema=False)
async def health(request: Request[Any, Any, Any]) -> Response[dict[str, str]]:
    """Tell whether this server can do its work: whether the database answers."""
    try:
        async with asyncio.timeout(HEALTH_TIMEOUT_S), services.of(request).database.connection() as conn:
            await conn.fetchval("SELECT 1")
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, errors.Fault) as error:
        said = str(error) or f"no answer within {HEALTH_TIMEOUT_S} s"
        return Response({"status": "unavailable", "database": said}, status_code=503)
    return Response({"status": "ok"})


@get("/metrics", include_in_schema=False, sync_to_thread=False)
def metrics() -> Response[bytes]:
    """Tell what this process has counted, in Prometheus' text format. Names no account."""
    return Response(prometheus_client.generate_latest(), media_type=prometheus_client.CONTENT_TYPE_LATEST)


async def count(message: Message, scope: Scope) -> None:
    """Count an answer; a hook of the application."""
    if message["type"] == "http.response.start":
        REQUESTS.labels(_part(scope["path"]), str(message["status"])).inc()


def count_listens(dialect: str, kind: str, *, stored: int, duplicate: int, rejected: int) -> None:
    """Count a committed submit and what became of its listens."""
    SUBMITS.labels(dialect, kind).inc()
    for outcome, number in (("stored", stored), ("duplicate", duplicate), ("rejected", rejected)):
        if number:
            LISTENS.labels(dialect, outcome).inc(number)


def _part(path: str) -> str:
    if path.startswith(problems.LISTENBRAINZ_PATHS):
        return "listenbrainz"
    if path.startswith(problems.NATIVE_PATHS):
        return "native"
    return path.split("/", 2)[1] if path.startswith(("/images/", "/static/")) else "pages"


handlers = [health, metrics]
