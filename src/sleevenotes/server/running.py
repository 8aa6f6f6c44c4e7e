"""The HTTP server itself: uvicorn, ended in the order that suits open pages."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Iterator
from types import FrameType

import uvicorn
from litestar import Litestar

from sleevenotes.server.live import Hub
from sleevenotes.settings import Settings

WORD = 4096  # bytes of the longest message that a WebSocket's client may send us


class Server(uvicorn.Server):
    """uvicorn, ended by the usual signals: pages' streams first, then requests; closing the database comes after."""

    def __init__(self, application: Litestar, settings: Settings, hub: Hub) -> None:
        super().__init__(
            uvicorn.Config(
                application,
                host=settings.host,
                port=settings.port,
                loop="none",
                http="httptools",
                ws="websockets-sansio",
                ws_max_size=WORD,
                lifespan="on",
                proxy_headers=True,
                forwarded_allow_ips=settings.trusted_proxies,
                log_config=None,
                access_log=False,
                server_header=False,
                timeout_graceful_shutdown=5,
            )
        )
        self._hub = hub
        self._closing: asyncio.Task[None] | None = None

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to end: open streams would otherwise hold the server until its patience ends."""
        self._closing = self._closing or asyncio.get_running_loop().create_task(self._hub.close())
        super().handle_exit(sig, frame)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Take the signals without raising them again afterwards, as uvicorn's own would."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self.handle_exit, number, None)
        try:
            yield
        finally:
            for number in (signal.SIGINT, signal.SIGTERM):
                loop.remove_signal_handler(number)

    async def until_ready(self, serving: asyncio.Task[None]) -> None:
        """Return when requests are answered, or when serving has ended without."""
        while not self.started and not serving.done():  # noqa: ASYNC110 - uvicorn has no event for it
            await asyncio.sleep(0.01)  # of real time: it is the machine that starts
