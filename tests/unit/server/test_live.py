from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import NamedTuple

import msgspec
import pytest_asyncio

from sleevenotes import events
from sleevenotes.clock import HandClock
from sleevenotes.server import live
from sleevenotes.store import accounts, postgres
from sleevenotes.store import events as stored
from sleevenotes.store.postgres import Connection, Database
from tests import turning


class Told(NamedTuple):
    """One server-sent event; a comment's kind is ":"."""

    kind: str
    data: str
    cursor: str


class Page:
    """An open page: reads the stream as a browser does, while the clock is turned for it."""

    def __init__(self, ground: Ground, account_id: int, after: str) -> None:
        self.ground = ground
        self.last = after  # what a browser sends as Last-Event-ID
        self.told: list[Told] = []
        self.over = False
        self.may_hear = True
        self.task = asyncio.create_task(self._read(account_id, after))

    async def _read(self, account_id: int, after: str) -> None:
        async for chunk in self.ground.hub.stream(account_id, after, self._asked):
            for block in filter(None, chunk.decode().split("\n\n")):
                self._hear(block)
        self.over = True

    async def _asked(self) -> bool:
        return self.may_hear

    def _hear(self, block: str) -> None:
        if block.startswith(":"):
            self.told.append(Told(":", block, ""))
            return
        fields = dict(line.split(": ", 1) for line in block.split("\n"))
        self.last = fields.get("id", self.last)
        if "event" in fields:
            self.told.append(Told(fields["event"], fields["data"], fields["id"]))

    async def next(self, kind: str = "", *, step: float = 0.05) -> Told:
        """Return the next event (of this kind), turning the clock until it is there; heartbeats are passed over."""

        async def there() -> bool:
            await self.ground.breathe()
            self.told = [one for one in self.told if (one.kind == kind if kind else one.kind != ":")]
            return bool(self.told) or self.task.done()

        await turning.until(there, self.ground.clock, step=step)
        assert self.told, "the stream ended"
        return self.told.pop(0)

    async def ended(self) -> None:
        """Turn the clock until the stream has ended by itself."""

        async def is_over() -> bool:
            await self.ground.breathe()
            return self.over

        await turning.until(is_over, self.ground.clock, at_most=10 * live.HEARTBEAT)

    async def close(self) -> None:
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)


class Ground:
    """A hub over a real database, two accounts, and pages that are closed at the end."""

    def __init__(self, database: Database, clock: HandClock) -> None:
        self.database = database
        self.clock = clock
        self.hub = live.Hub(database, clock)
        self.pages: list[Page] = []
        self.nora = self.otto = 0

    async def people(self) -> None:
        async with self.database.transaction() as conn:
            nora = await accounts.create(conn, "nora", "", is_owner=True, now=self.clock.now())
            otto = await accounts.create(conn, "otto", "", is_owner=False, now=self.clock.now())
        self.nora, self.otto = nora.id, otto.id

    async def cursor(self) -> str:
        async with self.database.connection() as conn:
            return (await stored.read(conn, self.nora, "")).cursor

    async def open(self, account_id: int, after: str | None = None) -> Page:
        page = Page(self, account_id, await self.cursor() if after is None else after)
        self.pages.append(page)
        return page

    async def tell(self, account_id: int, *ids: int, conn: Connection | None = None) -> None:
        if conn is not None:
            await stored.tell(conn, [account_id], events.LookupsDecided(ids), self.clock.now())
            return
        async with self.database.transaction() as own:
            await self.tell(account_id, *ids, conn=own)

    async def breathe(self) -> None:
        """Give the hub's tasks the time of a question to the database."""
        async with self.database.connection() as conn:
            await conn.fetchval("SELECT 1")


@pytest_asyncio.fixture
async def ground(database: Database, clock: HandClock) -> AsyncIterator[Ground]:
    made = Ground(database, clock)
    await made.people()
    yield made
    for page in made.pages:
        await page.close()
    await made.hub.close()


def ids(told: Told) -> list[int]:
    found: list[int] = msgspec.json.decode(told.data)["ids"]
    return found


async def test_a_page_is_told_what_happens_with_a_cursor(ground: Ground) -> None:
    page = await ground.open(ground.nora)
    await ground.tell(ground.nora, 1, 2)
    told = await page.next()
    assert (told.kind, ids(told)) == ("lookups_decided", [1, 2])
    assert told.cursor


async def test_every_open_page_of_an_account_is_told(ground: Ground) -> None:
    pages = [await ground.open(ground.nora) for _ in range(3)]
    await ground.tell(ground.nora, 7)
    assert [ids(await page.next()) for page in pages] == [[7]] * 3
    assert ground.hub.pages == 3


async def test_nobody_hears_of_another_account(ground: Ground) -> None:
    page = await ground.open(ground.nora)
    await ground.tell(ground.otto, 1)
    await ground.tell(ground.nora, 2)
    assert ids(await page.next()) == [2]


async def test_a_page_that_comes_back_misses_nothing_and_hears_nothing_twice(ground: Ground) -> None:
    page = await ground.open(ground.nora)
    await ground.tell(ground.nora, 1)
    assert ids(await page.next()) == [1]
    await page.close()
    await ground.tell(ground.nora, 2)
    await ground.tell(ground.nora, 3)
    again = await ground.open(ground.nora, page.last)
    assert [ids(await again.next()), ids(await again.next())] == [[2], [3]]


async def test_a_page_that_was_away_too_long_is_told_to_load_afresh(ground: Ground) -> None:
    after = await ground.cursor()
    await ground.tell(ground.nora, 1)
    ground.clock.turn(timedelta(hours=25).total_seconds())
    async with ground.database.connection() as conn:
        await stored.purge(conn, ground.clock.now())
    page = await ground.open(ground.nora, after)
    assert (await page.next()).kind == "reset"
    await ground.tell(ground.nora, 2)
    assert ids(await page.next()) == [2]


async def test_a_fact_behind_an_open_transaction_is_told_once_it_is_over(ground: Ground) -> None:
    page = await ground.open(ground.nora)
    other = await postgres.connect(ground.database.url)
    try:
        slow = other.transaction()
        await slow.start()
        await ground.tell(ground.otto, 9, conn=other)  # somebody else's, and not finished: its end will not wake nora
        await ground.tell(ground.nora, 1)
        for _ in range(5):
            ground.clock.turn(live.LATE)
            await ground.breathe()
        assert not page.told
        await slow.commit()
        assert ids(await page.next()) == [1]
    finally:
        await other.close()


async def test_a_burst_is_told_whole_and_in_order(ground: Ground) -> None:
    page = await ground.open(ground.nora)
    async with ground.database.transaction() as conn:
        for number in range(1200):
            await ground.tell(ground.nora, number, conn=conn)
    assert [ids(await page.next())[0] for _ in range(1200)] == list(range(1200))


async def told_after(ground: Ground, page: Page, number: int) -> float:
    """Tell one fact after a second of silence; return the seconds of the clock until the page has it."""
    ground.clock.turn(1)
    for _ in range(10):  # whatever is being read is read before
        await ground.breathe()
    start = ground.clock.now()
    await ground.tell(ground.nora, number)
    assert ids(await page.next(step=0.001)) == [number]
    return (ground.clock.now() - start).total_seconds()


async def test_a_fact_that_comes_alone_is_told_at_once_and_the_next_one_a_breath_later(ground: Ground) -> None:
    page = await ground.open(ground.nora)
    await ground.tell(ground.nora, 0)
    await page.next()
    # a transaction of somebody else at the same database holds a read up, not five times running
    assert min([await told_after(ground, page, number) for number in range(1, 6)]) < live.BREATH
    await ground.tell(ground.nora, 6)
    for _ in range(10):
        await ground.breathe()
    assert not page.told
    ground.clock.turn(live.BREATH)
    assert ids(await page.next()) == [6]


async def test_an_account_has_so_many_lines_and_no_more(ground: Ground) -> None:
    pages = [await ground.open(ground.nora) for _ in range(live.LINES)]
    while ground.hub.pages < live.LINES:
        await ground.breathe()
    assert ground.hub.is_full(ground.nora)
    one_too_many = await ground.open(ground.nora)
    await asyncio.wait_for(one_too_many.task, 10)
    other = await ground.open(ground.otto)
    await ground.tell(ground.otto, 1)
    assert ids(await other.next()) == [1]
    await pages[0].close()
    assert not ground.hub.is_full(ground.nora)


async def test_a_silent_line_is_kept_open_by_heartbeats(ground: Ground) -> None:
    page = await ground.open(ground.nora)
    start = ground.clock.now()
    await page.next(":")
    # the hand that turns the clock does not wait for a busy machine: some beats may pass before one is seen
    assert timedelta(0) < ground.clock.now() - start <= timedelta(seconds=4 * live.HEARTBEAT)


async def test_a_page_that_leaves_is_forgotten(ground: Ground) -> None:
    page = await ground.open(ground.nora)
    await ground.tell(ground.nora, 1)
    await page.next()
    await page.close()
    assert ground.hub.pages == 0


async def test_closing_the_hub_ends_every_stream(ground: Ground) -> None:
    page = await ground.open(ground.nora)
    await ground.tell(ground.nora, 1)
    await page.next()
    await ground.hub.close()
    await asyncio.wait_for(page.task, 10)
    assert page.over


async def test_a_database_that_goes_away_ends_the_stream_and_the_next_one_resumes(ground: Ground) -> None:
    page = await ground.open(ground.nora)
    await ground.tell(ground.nora, 1)
    await page.next()
    async with ground.database.connection() as conn:
        await conn.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
            " AND pid <> pg_backend_pid()"
        )
    await ground.tell(ground.nora, 2)
    try:
        told = await page.next()  # heard by the connection that was made anew
    except AssertionError:  # the stream ended first, as a browser would see it, which opens another
        told = await (await ground.open(ground.nora, page.last)).next()
    assert ids(told) == [2]


async def test_who_may_hear_no_more_is_told_nothing_and_the_line_ends(ground: Ground) -> None:
    page, other = await ground.open(ground.nora), await ground.open(ground.nora)
    await ground.tell(ground.nora, 1)
    assert [ids(await page.next()), ids(await other.next())] == [[1], [1]]
    page.may_hear = False
    await ground.tell(ground.nora, 2)
    assert ids(await other.next()) == [2]
    await page.ended()
    assert (page.told, ground.hub.pages) == ([], 1)


async def test_a_silent_line_of_who_may_hear_no_more_ends_with_the_next_heartbeat(ground: Ground) -> None:
    page = await ground.open(ground.nora)
    await page.next(":")
    page.may_hear = False
    await page.ended()
