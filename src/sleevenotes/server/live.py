"""Telling open pages and apps what happens, as server-sent events or over a WebSocket.

One process listens once, however many lines it serves: a notification only names an account, and each of that
account's lines then reads what happened from the events table, after its own cursor. So nothing is lost while a line
or the database is away: who listens comes back with its last cursor. And nothing is queued for who reads slowly: the
next page of facts is read when the one before was taken, so a line holds one page, whatever happens meanwhile.

As server-sent events (`GET /live` for pages, `GET /api/v1/events` for apps): `id:` is the cursor, `event:` the fact's
name (sleevenotes.events), `data:` its JSON; `event: reset` means that the cursor is older than what is kept, so all
must be loaded afresh; a comment every 15 seconds keeps proxies from closing the line. Over a WebSocket
(server/socket.py) the same facts are JSON texts.

A line outlives the moment at which it was asked who opens it. So that is asked again before anything is told, and at
each heartbeat: a token that was revoked, a session that was ended and an account that is gone hear nothing more. (A
token is remembered for some seconds, auth.KnownTokens, which another process that revokes it cannot shorten.)
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from datetime import datetime

import asyncpg
import msgspec

from sleevenotes import clock as clocks
from sleevenotes import events
from sleevenotes.store import events as stored
from sleevenotes.store import postgres

HEARTBEAT = 15.0  # seconds
BREATH = 0.1  # seconds between two reads for one line, so that an import's thousand facts travel together
LATE = 0.25  # seconds, at most: facts below a transaction that is still open are read a little later …
SOON = 0.03  # … at first this much
LINES = 30  # an account's at most in one process: its open pages and its apps

AWAY = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError)  # the database restarts; who listens comes back

Asked = Callable[[], Awaitable[bool]]  # whether who opened a line may still hear it


class NoLonger(Exception):  # it is not what went wrong, but who asks
    """Who opened a line may not hear it any more."""


class Told(msgspec.Struct, frozen=True):
    """What a line hears next: facts with the cursor after each, or `reset`; `beat`: nothing happened for a while."""

    cursor: str
    events: tuple[tuple[str, dict[str, object]], ...] = ()
    reset: bool = False
    beat: bool = False


class Listener:
    """One open line: whose it is, what tells whether it still is, and whether there is something to do for it."""

    def __init__(self, account_id: int, may_hear: Asked) -> None:
        self.account_id = account_id
        self.may_hear = may_hear
        self.stir = asyncio.Event()
        self.beat = False
        self.read_at: datetime | None = None
        self.late = SOON


class Hub:
    """The open lines of this process."""

    def __init__(self, database: postgres.Database, clock: clocks.Clock) -> None:
        self._database = database
        self._clock = clock
        self._listeners: set[Listener] = set()
        self._by_account: Counter[int] = Counter()
        self._starting = asyncio.Lock()
        self._heart: asyncio.Task[None] | None = None
        self._closing = asyncio.Event()

    @property
    def pages(self) -> int:
        """How many lines are open."""
        return len(self._listeners)

    @property
    def is_closing(self) -> bool:
        """Tell whether the server is ending."""
        return self._closing.is_set()

    def is_full(self, account_id: int) -> bool:
        """Tell whether this account has as many lines open as it may."""
        return self._by_account[account_id] >= LINES

    async def start(self) -> None:
        """Listen, once; the first line does it by itself, so that an unwatched server holds no connection."""
        async with self._starting:
            if self._heart is None:
                await self._database.listen(events.WAKE_EVENTS, self.heard)
                self._heart = asyncio.create_task(self._keep_beating())

    async def close(self) -> None:
        """End every line; browsers and apps come back when the server does."""
        self._closing.set()
        for listener in self._listeners:
            listener.stir.set()
        if self._heart is not None:
            self._heart.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._heart

    def heard(self, payload: str) -> None:
        """Stir the lines of the account whose id this is; "" (connected again) stirs all."""
        for listener in self._listeners:
            if payload in ("", str(listener.account_id)):
                listener.stir.set()

    async def follow(self, account_id: int, after: str, may_hear: Asked) -> AsyncGenerator[Told, None]:
        """Yield what happens to this account after the cursor ("": from now on), until closed or the database is away.

        What is yielded first names the cursor to begin with. An account that has too many lines hears nothing.
        Raises errors.Refused for a cursor that is none of ours, NoLonger when who opened the line may not hear it.
        """
        await self.start()
        if self.is_full(account_id):
            return
        listener = Listener(account_id, may_hear)
        self._listeners.add(listener)
        self._by_account[account_id] += 1
        try:
            with contextlib.suppress(*AWAY):
                async for told in self._follow(listener, after):
                    yield told
        finally:
            self._listeners.discard(listener)
            self._by_account -= Counter({account_id: 1})

    async def stream(self, account_id: int, after: str, may_hear: Asked) -> AsyncIterator[bytes]:
        """Yield the same as server-sent events; who may not hear them any more asks again, and is told so."""
        yield b"retry: 2000\n\n"
        with contextlib.suppress(NoLonger):
            async with contextlib.aclosing(self.follow(account_id, after, may_hear)) as heard:
                async for told in heard:
                    yield _chunk(told)

    async def _follow(self, listener: Listener, cursor: str) -> AsyncIterator[Told]:
        first = True
        while not self._closing.is_set():
            listener.stir.clear()
            listener.read_at = self._clock.now()
            async with self._database.connection() as connection:
                page = await stored.read(connection, listener.account_id, cursor)
            news = first or page.reset or bool(page.events) or page.cursor != cursor
            if (news or listener.beat) and not await listener.may_hear():
                raise NoLonger
            if news:
                yield Told(page.cursor, tuple(page.events), reset=page.reset)
            cursor, first = page.cursor, False
            if listener.beat:
                listener.beat = False
                yield Told(cursor, beat=True)
            await self._pause(listener, late=page.held)

    async def _pause(self, listener: Listener, *, late: bool) -> None:
        """Wait for something to do; after a read, a breath, so that the rest of a burst is read at once."""
        if late:
            await self._rest(listener.late)
            listener.late = min(LATE, 2 * listener.late)
            return
        listener.late = SOON
        await listener.stir.wait()
        since = (self._clock.now() - listener.read_at).total_seconds() if listener.read_at else BREATH
        if since < BREATH:
            await self._rest(BREATH - since)

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


def _chunk(told: Told) -> bytes:
    if told.beat:
        return b": still here\n\n"
    if told.reset:
        return b"event: reset\ndata: {}\n" + _id(told.cursor)
    return b"".join(map(_message, told.events)) + _id(told.cursor)


def _id(cursor: str) -> bytes:
    return b"id: " + cursor.encode() + b"\n\n"


def _message(event: tuple[str, dict[str, object]]) -> bytes:
    cursor, fact = event
    kind = str(fact["type"])
    return b"event: " + kind.encode() + b"\ndata: " + msgspec.json.encode(fact) + b"\n" + _id(cursor)
