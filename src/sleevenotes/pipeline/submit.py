"""Taking plays in: one transaction deduplicates, stores, meets the names and names the next jobs.

Accepted means committed: `Submitter.submit` returns afterwards. Submits that arrive while a commit is under way share
the next one, so that many players cost few commits and none waits for a timer; when a shared commit fails, each
submit in it runs alone, so that no neighbour fails. A submit of many plays runs beside them, in its own transactions.

    maria, ben, maria            share a commit
    another holds ben's account  maria's are committed without his, and his wait for the account in a line of their own,
                                 behind which his next ones stand: order is kept, and nobody waits for somebody else
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta
from typing import NamedTuple, TypeVar

from sleevenotes import catalogue, errors, events, names
from sleevenotes.clock import Clock
from sleevenotes.model import Band, Scrobble
from sleevenotes.pipeline import entering, sameplay, sent_images, tools
from sleevenotes.pipeline.entering import Stored
from sleevenotes.sources import contract
from sleevenotes.store import events as event_rows
from sleevenotes.store import forwards, lookups, scrobbles
from sleevenotes.store.postgres import Connection, Database

MAX_ROWS = 1000  # of one transaction
MANY = 100  # from this many plays on, a submit shares no commit
HELD_UP_AT_ONCE = 3  # connections that wait for accounts which other transactions hold
TRIED_EVERY_S = 0.1  # where more are held
BULK_AT_ONCE = 2  # transactions of large submits under way; more only queue up inside PostgreSQL
NOW_PLAYING_S = 600  # how long a track without a duration plays, as at ListenBrainz (upstreams §3.1)

T = TypeVar("T")


class Submitter:
    """The door through which every play comes in."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        shelf: catalogue.Shelf = catalogue.EMPTY,
        sources: Sequence[contract.Source] = (),
    ) -> None:
        self._database = database
        self._clock = clock
        self._shelf = shelf
        self._sources = sources
        self._waiting: deque[_Submit] = deque()
        self._flushing: asyncio.Task[None] | None = None
        self._held_up: dict[int, deque[_Submit]] = {}  # by account; each has a task that waits for it
        self._waiters: set[asyncio.Task[None]] = set()
        self._patient = asyncio.Semaphore(HELD_UP_AT_ONCE)
        self._bulk = asyncio.Semaphore(BULK_AT_ONCE)

    async def submit(
        self, account_id: int, sent: Sequence[Scrobble], *, band: Band, window_s: float = 0
    ) -> list[Stored]:
        """Store plays and return what became of each, in their order, once that is committed.

        The same track within `window_s` seconds counts as the same play (the native API's rule; 0 elsewhere).
        Raises errors.Refused for a scrobble without `listened_at`, errors.Unreachable when the database stays away.
        """
        rows = [entering.to_row(account_id, scrobble, band, window_s) for scrobble in sent]
        if len(rows) >= MANY:
            return await self._store_many(rows)
        if not rows:
            return []
        submit = _Submit(account_id, rows, asyncio.get_running_loop().create_future())
        self._waiting.append(submit)
        if self._flushing is None:
            self._flushing = asyncio.create_task(self._flush(), name="commit what is submitted")
        return await submit.done

    async def bring(
        self,
        account_id: int,
        sent: Sequence[Scrobble],
        import_id: int,
        noted: Callable[[Connection, Sequence[Stored]], Awaitable[None]],
    ) -> None:
        """Store at most MAX_ROWS plays of an import, and let it note in the same transaction what became of each.

        Raises whatever `noted` raises, and nothing is stored then.
        """
        rows = [entering.to_row(account_id, scrobble, Band.LOW_PRIORITY, 0, import_id) for scrobble in sent]

        async def store(conn: Connection) -> None:
            await noted(conn, await self._stored(conn, rows) if rows else [])

        async with self._bulk:
            await self._committed(store)

    async def play_now(self, account_id: int, scrobble: Scrobble) -> None:
        """Note what an account plays now, and look its name up like any other."""

        async def note(conn: Connection) -> None:
            now = self._clock.now()
            identity = names.digest(scrobble.artist, scrobble.track, scrobble.release)
            name = lookups.New(scrobble.artist, scrobble.track, scrobble.release, Band.DEFAULT)
            met = (await lookups.meet(conn, {identity: name}, now))[identity]
            until = now + _playing_time(scrobble)
            if await scrobbles.play_now(conn, account_id, met.id, scrobble, started_at=now, expires_at=until):
                await event_rows.tell(conn, [account_id], events.NowPlayingChanged(), now)
                await forwards.play_now(conn, account_id, scrobble)
            asked = await entering.unanswered(conn, self._shelf, [entering.Asked(met, Band.DEFAULT, 0, name)], now)
            await entering.ask(conn, asked)
            await sent_images.begin(
                conn, [sent_images.Came(scrobble.artwork_uri, met.id, Band.DEFAULT)], now, self._sources
            )

        await self._committed(note)

    async def reenter(
        self, account_id: int, band: Band, take_up: Callable[[Connection], Awaitable[Mapping[int, Scrobble]]]
    ) -> list[int]:
        """Write stored plays anew, as `take_up` says within the transaction, and return their ids.

        They meet their names as plays that come in do. Raises what `take_up` raises.
        """

        async def work(conn: Connection) -> list[int]:
            await scrobbles.lock_accounts(conn, [account_id])
            now, changed = self._clock.now(), await take_up(conn)
            if changed:
                rows = [entering.to_row(account_id, scrobble, band, 0) for scrobble in changed.values()]
                await entering.enter(conn, rows, changed, self._shelf, now, scrobbles.rewrite)
                await event_rows.tell(conn, [account_id], events.ScrobblesEdited(tuple(changed)), now)
                await sameplay.compare_anew(conn, list(changed), now)
            return list(changed)

        return await self._committed(work)

    async def _store_many(self, rows: Sequence[entering.Row]) -> list[Stored]:
        stored: list[Stored] = []
        for start in range(0, len(rows), MAX_ROWS):
            async with self._bulk:
                stored += await self._store(rows[start : start + MAX_ROWS])
        return stored

    async def _flush(self) -> None:
        try:
            while self._waiting:
                group = _take_group(self._waiting)
                free = [submit for submit in group if submit.account_id not in self._held_up]
                self._put_aside([submit for submit in group if submit.account_id in self._held_up])
                self._put_aside(await self._commit_together(free))
        finally:
            self._flushing = None

    async def _commit_together(self, group: Sequence[_Submit], *, wait: bool = False) -> list[_Submit]:
        """Commit a group and give each its answer; return those whose accounts are held, none where told to `wait`."""
        if not group:
            return []
        try:
            stored = await self._store([row for submit in group for row in submit.rows], wait=wait)
        except errors.HeldUp as held:
            free = [submit for submit in group if submit.account_id not in held.accounts]
            more = await self._commit_together(free)
            return [submit for submit in group if submit.account_id in held.accounts] + more
        except Exception as error:  # whatever it was, it is the affair of one of them
            return await self._commit_apart(group, error, wait=wait)
        start = 0
        for submit in group:
            submit.finish(stored[start : start + len(submit.rows)])
            start += len(submit.rows)
        return []

    async def _commit_apart(self, group: Sequence[_Submit], error: Exception, *, wait: bool) -> list[_Submit]:
        if len(group) == 1 or isinstance(error, errors.Fault):  # alone already, or the database is away for all
            for submit in group:
                submit.fail(error)
            return []
        held: list[_Submit] = []
        for submit in group:
            behind = submit.account_id in {each.account_id for each in held}
            held += [submit] if behind else await self._commit_together([submit], wait=wait)
        return held

    def _put_aside(self, group: Sequence[_Submit]) -> None:
        """Let submits wait for their accounts, each behind what waits for the same account already."""
        for submit in group:
            if submit.account_id not in self._held_up:
                self._held_up[submit.account_id] = deque()
                waiter = asyncio.create_task(self._wait_for(submit.account_id), name="wait for an account")
                self._waiters.add(waiter)
                waiter.add_done_callback(self._waiters.discard)
            self._held_up[submit.account_id].append(submit)

    async def _wait_for(self, account_id: int) -> None:
        """Commit what waits for an account, in order: on a connection that waits, else by trying now and then."""
        try:
            while line := self._held_up[account_id]:
                group = _take_group(line)
                if self._patient.locked():
                    line.extendleft(reversed(await self._commit_together(group)))
                    if line and line[0] is group[0]:
                        await self._clock.sleep(TRIED_EVERY_S)
                    continue
                async with self._patient:
                    await self._commit_together(group, wait=True)
        finally:
            del self._held_up[account_id]

    async def _store(self, rows: Sequence[entering.Row], *, wait: bool = True) -> list[Stored]:
        return await self._committed(lambda conn: self._stored(conn, rows, wait=wait))

    async def _stored(self, conn: Connection, rows: Sequence[entering.Row], *, wait: bool = True) -> list[Stored]:
        """Store rows, and have the images looked at that came with them."""
        now = self._clock.now()
        stored = await entering.store(conn, rows, self._shelf, now, wait=wait)
        came = [
            sent_images.Came(row.play.scrobble.artwork_uri, one.lookup_id, row.band)
            for row, one in zip(rows, stored, strict=True)
            if not one.duplicate
        ]
        await sent_images.begin(conn, came, now, self._sources)
        return stored

    async def _committed(self, work: Callable[[Connection], Awaitable[T]]) -> T:
        return await tools.committed(self._database, work)


class _Submit(NamedTuple):
    """One caller's rows, and where it waits."""

    account_id: int
    rows: list[entering.Row]
    done: asyncio.Future[list[Stored]]

    def finish(self, stored: list[Stored]) -> None:
        if not self.done.done():  # the caller may have gone; its plays are stored all the same
            self.done.set_result(stored)

    def fail(self, error: Exception) -> None:
        if not self.done.done():
            self.done.set_exception(error)


def _take_group(line: deque[_Submit]) -> list[_Submit]:
    """Take from the head of a line as many as go into one transaction."""
    group = [line.popleft()]
    size = len(group[0].rows)
    while line and size + len(line[0].rows) <= MAX_ROWS:
        size += len(line[0].rows)
        group.append(line.popleft())
    return group


def _playing_time(scrobble: Scrobble) -> timedelta:
    return timedelta(milliseconds=scrobble.duration_ms or NOW_PLAYING_S * 1000)
