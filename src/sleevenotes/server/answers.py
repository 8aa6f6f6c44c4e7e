"""Answers that are bytes already: Litestar's own cost more than storing a play when many share a commit."""

from __future__ import annotations

import msgspec
from litestar.types import Receive, Scope, Send


class Json:
    """A 200 with a JSON body; an ASGI application, for handlers whose return type is ASGIApp. May be sent often."""

    def __init__(self, body: bytes) -> None:
        self._body = body
        self._headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]

    async def __call__(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        """Send it."""
        await send({"type": "http.response.start", "status": 200, "headers": self._headers})
        await send({"type": "http.response.body", "body": self._body, "more_body": False})


def json(content: object) -> Json:
    """Encode an answer."""
    return Json(msgspec.json.encode(content))
