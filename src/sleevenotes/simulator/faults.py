"""What goes wrong on order: faults that a test or a rehearsal asks for, one request at a time."""

from __future__ import annotations

import socket
import ssl
from collections import deque
from typing import NamedTuple

from sleevenotes.simulator import wire

KINDS = {
    "500": "an HTML page with status 500",
    "rate": "refused as if over the limit (MusicBrainz: its first kind of 503)",
    "shed": "MusicBrainz' second kind of 503: the whole site is busy; elsewhere a bare 503",
    "truncated": "the connection breaks in the middle of the body",
    "short": "half of the body, in a reply that says it is whole",
    "slow": "the reply takes a minute and a half longer",
    "html": "an HTML page with status 200 in place of the answer",
    "wrong type": "the right body under the content type text/html",
    "drop": "the connection breaks before any reply",
    "dns": "the host's name cannot be resolved: no request goes out (over a port: as `drop`)",
    "tls": "the host's certificate is not valid: no request goes out (over a port: as `drop`)",
    "empty": "an empty body with the reply's own status (TheAudioDB: where it has nothing, as it does)",
    "401": "refused for want of a key (Discogs: the search without a token)",
    **{f"error {code}": f"Last.fm: its error {code}, with status 200" for code in (8, 11, 16, 26, 29)},
}
UNREACHED = {  # the kinds that no request survives, and what a client meets then
    "dns": socket.gaierror(socket.EAI_NONAME, "Name or service not known"),
    "tls": ssl.SSLCertVerificationError("certificate verify failed: certificate has expired"),
}
SLOW = 90.0  # seconds
_STATUSES = {"shed": 503, "401": 401}
_PAGE = b"<!DOCTYPE html>\n<html><head><title>Down for maintenance</title></head><body>Be right back</body></html>\n"


class Broken(NamedTuple):
    """A reply as a fault left it; `cut` is what a client gets to see of it: "whole", "half", "part" or "nothing"."""

    reply: wire.Reply
    delay: float = 0.0
    cut: str = "whole"


class Schedule:
    """The faults on order, per host."""

    def __init__(self) -> None:
        self._orders: dict[str, deque[str]] = {}

    def fail_next(self, host: str, kind: str, times: int = 1) -> None:
        """Let the next requests to a host fail that way. Raises ValueError for a kind that is not in KINDS."""
        if kind not in KINDS:
            raise ValueError(f"fault {kind!r}: must be one of {', '.join(KINDS)}")
        self._orders.setdefault(host, deque()).extend([kind] * times)

    def take(self, host: str) -> str:
        """Return the next fault on order for a host, "" for none."""
        orders = self._orders.get(host)
        return orders.popleft() if orders else ""

    def clear(self) -> None:
        """Forget all orders."""
        self._orders.clear()


def html(status: int, body: bytes, kind: str) -> wire.Reply:
    """Return an HTML page."""
    return wire.Reply(status, {"content-type": "text/html"}, body, kind)


def broken(kind: str, service: wire.Service, request: wire.Request, reply: wire.Reply) -> Broken:
    """Return what becomes of a reply under a fault. A service may have its own way of most kinds."""
    if kind == "500":
        return Broken(html(500, _PAGE, reply.kind)._replace(quick=True))
    if kind == "rate":
        return Broken(service.refuse(request))
    if own := service.fail(request, {f"{service.name}_{kind}": 1.0}, 0.0):
        return Broken(own)
    if kind in _STATUSES:
        return Broken(html(_STATUSES[kind], _PAGE, reply.kind)._replace(quick=True))
    if kind == "html":
        return Broken(html(200, _PAGE, reply.kind))
    if kind == "empty":
        return Broken(reply._replace(body=b"", drawing=None))
    if kind == "wrong type":
        return Broken(reply._replace(headers={**reply.headers, "content-type": "text/html"}))
    cut = {"truncated": "part", "short": "half", "drop": "nothing"}.get(kind, "whole")
    return Broken(reply, SLOW if kind == "slow" else 0.0, cut)
