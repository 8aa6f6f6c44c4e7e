"""For whoever runs the server: is it well, and what has it done."""

from __future__ import annotations

import asyncio
import functools
from typing import Any

import asyncpg
import prometheus_client
from litestar import Request, Response, get

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


@get("/metrics", include_in_schema=False)
async def metrics(request: Request[Any, Any, Any]) -> Response[bytes]:
    """Tell what this process has counted, and the success figures, in Prometheus' text format. Names no account."""
    figures = await request.app.state.gauges.text(services.of(request))
    return Response(prometheus_client.generate_latest() + figures, media_type=prometheus_client.CONTENT_TYPE_LATEST)


def count(path: str, status: int) -> None:
    """Count an answer."""
    _counter(_part(path), status).inc()


@functools.lru_cache(maxsize=256)
def _counter(part: str, status: int) -> prometheus_client.Counter:
    return REQUESTS.labels(part, str(status))


def count_listens(dialect: str, kind: str, *, stored: int, duplicate: int, rejected: int) -> None:
    """Count a committed submit and what became of its listens."""
    _submits(dialect, kind).inc()
    for outcome, number in (("stored", stored), ("duplicate", duplicate), ("rejected", rejected)):
        if number:
            _listens(dialect, outcome).inc(number)


# prometheus-client looks its children up under a lock each time
_submits = functools.cache(SUBMITS.labels)
_listens = functools.cache(LISTENS.labels)


def _part(path: str) -> str:
    if path.startswith(problems.LISTENBRAINZ_PATHS):
        return "listenbrainz"
    if path.startswith(problems.NATIVE_PATHS):
        return "native"
    return path.split("/", 2)[1] if path.startswith(("/images/", "/static/")) else "pages"


handlers = [health, metrics]
