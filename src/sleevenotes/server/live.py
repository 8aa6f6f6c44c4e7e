"""Telling open pages what happens, as server-sent events.

One process listens once, however many pages it serves: a notification only names an account, and each of that
account's pages then reads what happened from the events table, after its own cursor. So nothing is lost while a
page or the database is away: the browser comes back with its last id.

On the wire (`GET /live`): `id:` is the cursor, `event:` the fact's name (sleevenotes.events), `data:` its JSON;
`event: reset` means that the cursor is older than what is kept, so the page must be loaded afresh; a comment every
15 seconds keeps proxies from closing the line.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import asyncpg
import msgspec

from sleevenotes import clock as clocks
from sleevenotes import events
from sleevenotes.store import events as stored
from sleevenotes.store import postgres

HEARTBEAT = 15.0  # seconds
BREATH = 0.1  # seconds between two reads for one page, so that an import's thousand facts travel together
LATE = 0.25  # seconds: facts below a transaction that is still open are read a little later

AWAY = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError)  # the database restarts; the browser comes back


class Listener:
    """One open page: who it belongs to, and whether there is something to do for it."""

    def __init__(self, account_id: int) -> None:
        self.account_id = account_id
        self.stir = asyncio.Event()
        self.beat = False


class Hub:
    """The open pages of this process."""

    def __init__(self, database: postgres.Database, clock: clocks.Clock) -> None:
        self._database = database
        self._clock = clock
        self._listeners: set[Listener] = set()
        self._starting = asyncio.Lock()
        self._heart: asyncio.Task[None] | None = None
        self._closing = asyncio.Event()

    @property
    def pages(self) -> int:
        """How many pages are open."""
        return len(self._listeners)

    async def start(self) -> None:
        """Listen, once; the first page does it by itself, so that an unwatched server holds no connection."""
        async with self._starting:
            if self._heart is None:
                await self._database.listen(events.WAKE_EVENTS, self.heard)
                self._heart = asyncio.create_task(self._keep_beating())

    async def close(self) -> None:
        """End every page's stream; the browsers come back when the server does."""
        self._closing.set()
        for listener in self._listeners:
            listener.stir.set()
        if self._heart is not None:
            self._heart.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._heart

    def heard(self, payload: str) -> None:
        """Stir the pages of the account whose id this is; "" (connected again) stirs all."""
        for listener in self._listeners:
            if payload in ("", str(listener.account_id)):
                listener.stir.set()

    async def stream(self, account_id: int, after: str) -> AsyncIterator[bytes]:
        """Yield what happens to this account after the cursor, as server-sent events, until closed."""
        await self.start()
        listener = Listener(account_id)
        self._listeners.add(listener)
        try:
            with contextlib.suppress(*AWAY):
                async for chunk in self._follow(listener, after):
                    yield chunk
        finally:
            self._listeners.discard(listener)

    async def _follow(self, listener: Listener, cursor: str) -> AsyncIterator[bytes]:
        yield b"retry: 2000\n\n"
        while not self._closing.is_set():
            listener.stir.clear()
            async with self._database.connection() as connection:
                page = await stored.read(connection, listener.account_id, cursor)
            if page.reset:
                yield b"event: reset\ndata: {}\n" + _id(page.cursor)
            elif page.events or page.cursor != cursor:
                yield b"".join(map(_message, page.events)) + _id(page.cursor)
            cursor = page.cursor
            if listener.beat:
                listener.beat = False
                yield b": still here\n\n"
            await self._pause(listener, late=page.held)

    async def _pause(self, listener: Listener, *, late: bool) -> None:
        """Wait for something to do, and a breath longer so that a burst is read at once."""
        if late:
            await self._rest(LATE)
            return
        await listener.stir.wait()
        if not listener.beat:
            await self._rest(BREATH)

    async def _rest(self, seconds: float) -> None:
        """Wait that long, or until the hub closes."""
        waits = {
            asyncio.ensure_future(self._clock.sleep(seconds)),
            asyncio.ensure_future(self._closing.wait()),
        }
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()

    async def _keep_beating(self) -> None:
        while True:
            await self._clock.sleep(HEARTBEAT)
            for listener in self._listeners:
                listener.beat = True
                listener.stir.set()


def _id(cursor: str) -> bytes:
    return b"id: " + cursor.encode() + b"\n\n"


def _message(event: tuple[str, dict[str, object]]) -> bytes:
    cursor, fact = event
    kind = str(fact["type"])
    return b"event: " + kind.encode() + b"\ndata: " + msgspec.json.encode(fact) + b"\n" + _id(cursor)
