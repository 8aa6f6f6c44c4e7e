"""Covers, as thumbnails of ours: GET /images/{digest}/{size}.

An address names bytes for ever (the digest is that of the original), so answers may be kept for ever: but those of a
stop-gap only until it expires, and by the listener's own browser alone. What is sent was decoded and encoded again by
us: an original is never served, nor anything without a row in `images`.
Covers are public: whoever knows the 64 digits has seen the image.
"""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Any

from litestar import HttpMethod, Request, Response, route
from litestar.exceptions import NotFoundException
from litestar.params import FromPath

from sleevenotes import errors
from sleevenotes.artwork import files, image
from sleevenotes.server import services
from sleevenotes.store import images

FOREVER = "public, max-age=31536000, immutable"

_MISSING = "There is no such image."


@route(
    "/images/{digest:str}/{size:int}",
    http_method=[HttpMethod.GET, HttpMethod.HEAD],
    summary="Show a cover",
    description="A cover as WebP, its longest side at most 64, 250 or 500 pixels. Cache-Control says how long it may "
    "be kept: for ever, or until it expires where its source's terms forbid to keep it.",
    media_type="image/webp",
    tags=["images"],
)
async def show(request: Request[Any, Any, Any], digest: FromPath[str], size: FromPath[int]) -> Response[bytes]:
    """Send a thumbnail, or 304 to whoever has it; 404 for what is not stored or another size."""
    if size not in image.SIZES or not files.is_digest(digest):
        raise _missing()
    parts = services.of(request)
    async with parts.database.connection() as conn:
        stored = await images.by_digest(conn, digest)
    now = parts.clock.now()
    if stored is None or (stored.expires_at is not None and stored.expires_at <= now):
        raise _missing()
    data = await asyncio.to_thread(_thumbnail, parts.files, digest, size)
    if data is None:
        raise _missing()
    tag = f'"{digest}-{size}"'
    headers = {"Cache-Control": _caching(stored.expires_at, now), "ETag": tag, "X-Content-Type-Options": "nosniff"}
    if has(request.headers.get("if-none-match", ""), tag):
        return Response(b"", status_code=304, headers=headers, media_type="image/webp")
    return Response(data, headers=headers, media_type="image/webp")


handlers: list[Any] = [show]


def has(if_none_match: str, tag: str) -> bool:
    """Tell whether an If-None-Match header names this tag (RFC 9110, 13.1.2: weak comparison, or "*")."""
    named = [each.strip().removeprefix("W/") for each in if_none_match.split(",")]
    return tag in named or named == ["*"]


def _caching(expires_at: datetime | None, now: datetime) -> str:
    """Say how long an answer may be kept; a stop-gap by nobody but the listener's browser, and until it expires."""
    return FOREVER if expires_at is None else f"private, max-age={int((expires_at - now).total_seconds())}"


def _thumbnail(store: files.Files, digest: str, size: int) -> bytes | None:
    """Read a thumbnail; where it is not there yet, make all sizes and keep them. Blocks on the disk."""
    data = store.thumbnail(digest, size)
    if data is not None:
        return data
    original = store.original(digest)
    if original is None:
        return None
    try:
        thumbnails = image.thumbnails(original)
    except errors.Garbled:  # the file was damaged after it was examined: there is no such image any more
        return None
    store.keep_thumbnails(digest, thumbnails)
    return thumbnails[size]


def _missing() -> NotFoundException:
    return NotFoundException(_MISSING, headers={"Cache-Control": "no-store"})  # it may come yet
