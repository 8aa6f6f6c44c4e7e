"""The simulator on a loopback port: requests are told apart by their Host header.

A client that is told "simulator = host:port" sends what is meant for https://H/path to http://host:port/path with
`Host: H`. Under /_simulator/, whatever the host, the simulator itself answers:

    GET  /_simulator/health         {"status": "ok", "world": DIGEST, "names": N}
    GET  /_simulator/stats          limits.Statistics.snapshot()
    POST /_simulator/reset          forgets counts, arrivals and faults on order
    POST /_simulator/day            {"day": "bad_day"}
    POST /_simulator/faults         {"host": "musicbrainz.org", "kind": "500", "times": 2}
    GET  /_simulator/truth          ?artist=&track=&release=   -> a truth, or null
    POST /_simulator/truth          [[artist, track, release], …] -> [truth or null, …]
    POST /_simulator/cover          image bytes -> {"release_group_mbid": "…" or ""}
"""

from __future__ import annotations

import gc
import logging
import socket
from collections.abc import Awaitable, Callable, MutableMapping
from types import FrameType
from typing import Any
from urllib.parse import parse_qs

import msgspec
import uvicorn

from sleevenotes.clock import Clock
from sleevenotes.simulator import core, faults, studio, wire
from sleevenotes.simulator.world import Truth, World

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

CONTROL = "/_simulator/"
log = logging.getLogger(__name__)


class _Order(msgspec.Struct):
    host: str
    kind: str
    times: int = 1


class _Day(msgspec.Struct):
    day: str


class App:
    """The ASGI application."""

    def __init__(self, simulator: core.Simulator, clock: Clock) -> None:
        self._simulator = simulator
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one HTTP request."""
        if scope["type"] != "http":
            raise RuntimeError(f"the simulator speaks HTTP only, not {scope['type']}")
        if scope["path"].startswith(CONTROL):
            status, document = self._control(scope, await _body(receive))
            await _answer(send, status, {"content-type": "application/json"}, msgspec.json.encode(document))
            return
        await self._serve(scope, receive, send)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        path = scope["raw_path"].decode("latin-1").partition("?")[0]
        query = scope["query_string"].decode("latin-1")
        # A browser comes by our own address to the page that lets an application in.
        host = "www.last.fm" if path.startswith("/api/auth") else headers.get("host", "")
        url = f"https://{host}{path}" + (f"?{query}" if query else "")
        try:
            planned = self._simulator.plan(wire.Request(scope["method"], url, headers, await _body(receive)))
        except ConnectionError as error:
            await _answer(send, 502, {"content-type": "text/plain"}, f"{error}\n".encode())
            return
        await self._clock.sleep(planned.delay)
        planned = await self._simulator.finish(planned)
        if planned.cut in ("part", "nothing", *faults.UNREACHED):
            await _break_off(planned, receive, send)
            return
        reply = core.whole(planned)
        await _answer(send, reply.status, dict(reply.headers), b"" if scope["method"] == "HEAD" else reply.body)

    # ------------------------------------------------------------ control

    def _control(self, scope: Scope, body: bytes) -> tuple[int, object]:
        command = (scope["method"], scope["path"].removeprefix(CONTROL))
        handlers: dict[tuple[str, str], Callable[[Scope, bytes], object]] = {
            ("GET", "health"): self._health,
            ("GET", "stats"): lambda *_: self._simulator.statistics.snapshot(),
            ("POST", "reset"): lambda *_: self._simulator.reset(),
            ("POST", "day"): self._day,
            ("POST", "faults"): self._faults,
            ("GET", "truth"): self._truth,
            ("POST", "truth"): self._truths,
            ("POST", "cover"): self._cover,
        }
        if command not in handlers:
            return 404, {"error": f"{' '.join(command)}: no such control"}
        try:
            return 200, handlers[command](scope, body)
        except (ValueError, msgspec.DecodeError) as error:
            return 400, {"error": str(error)}

    def _health(self, _: Scope, __: bytes) -> object:
        world = self._simulator.world
        return {"status": "ok", "world": world.digest, "names": len(world.catalogue.recordings)}

    def _day(self, _: Scope, body: bytes) -> object:
        self._simulator.set_day(msgspec.json.decode(body, type=_Day).day)
        return {"day": self._simulator.day}

    def _faults(self, _: Scope, body: bytes) -> object:
        order = msgspec.json.decode(body, type=_Order)
        self._simulator.fail_next(order.host, order.kind, order.times)
        return {"ordered": order.times}

    def _truth(self, scope: Scope, _: bytes) -> object:
        given = parse_qs(scope["query_string"].decode(), keep_blank_values=True)
        artist, track, release = (given.get(name, [""])[0] for name in ("artist", "track", "release"))
        return _told(self._simulator.world.truth(artist, track, release))

    def _truths(self, _: Scope, body: bytes) -> object:
        wanted = msgspec.json.decode(body, type=list[tuple[str, str, str]])
        return [_told(self._simulator.world.truth(*names)) for names in wanted]

    def _cover(self, _: Scope, body: bytes) -> object:
        return {"release_group_mbid": self._simulator.world.cover_truth(body)}


def _told(truth: Truth | None) -> dict[str, object] | None:
    if truth is None:
        return None
    return truth._asdict() | {"known_to": sorted(truth.known_to), "has_art": sorted(truth.has_art)}


async def _body(receive: Receive) -> bytes:
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False) and message["type"] == "http.request"
    return body


async def _answer(send: Send, status: int, headers: dict[str, str], body: bytes) -> None:
    headers = {"content-length": str(len(body)), **headers}
    encoded = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": status, "headers": encoded})
    await send({"type": "http.response.body", "body": body})


async def _break_off(planned: core.Planned, receive: Receive, send: Send) -> None:
    """Send half of the body, or nothing, and close the socket.

    ASGI has no way to do that, so uvicorn's own transport is closed: `receive` is a method of the request's cycle.
    """
    reply = planned.reply
    transport = getattr(getattr(receive, "__self__", None), "transport", None)
    if transport is None:
        raise RuntimeError("this ASGI server does not let the simulator break a connection; run it under uvicorn")
    if planned.cut == "part":
        encoded = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in reply.headers.items()]
        await send({"type": "http.response.start", "status": reply.status, "headers": encoded})
        half = reply.body[: len(reply.body) // 2]
        await send({"type": "http.response.body", "body": half, "more_body": True})
        transport.close()
    else:
        transport.abort()


class _Server(uvicorn.Server):
    """Stops on a signal and does not raise it again: the drawing process is still to be closed."""

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002 - uvicorn's names
        """Stop serving."""
        self.should_exit = True


async def serve(
    host: str, port: int, world: World, clock: Clock, *, day: str = "calm", door: socket.socket | None = None
) -> None:
    """Serve a world until cancelled or told to stop by a signal; `door`: a socket that listens already.

    Images are drawn in a process of their own, and the world is kept out of the garbage collector's way: a pause of
    the event loop would shift arrivals, and two of them could look like a violation that nobody committed.
    """
    with studio.opened() as pool:
        simulator = core.Simulator(world, clock, day=day, draw_with=pool)
        simulator.warm()
        gc.collect()
        gc.freeze()
        config = uvicorn.Config(
            App(simulator, clock),
            host=host,
            port=port,
            log_level="warning",
            access_log=False,
            server_header=False,
            date_header=True,
            lifespan="off",
        )
        log.info("the simulator answers on %s:%s", host, port)
        await _Server(config).serve(sockets=[door] if door else None)
