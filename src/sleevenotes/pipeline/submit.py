"""Taking plays in: one transaction deduplicates, stores, meets the names and names the next jobs.

Accepted means committed: `Submitter.submit` returns afterwards. Submits that arrive while a commit is under way share
the next one, so that many players cost few commits and none waits for a timer; when a shared commit fails, each
submit in it runs alone, so that no neighbour fails. A submit of many plays runs beside them, in its own transactions.
"""

from __future__ import annotations

import asyncio
import functools
import heapq
import operator
from collections import Counter, defaultdict, deque
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple, TypeVar

import msgspec

from sleevenotes import catalogue, errors, events, names
from sleevenotes.clock import Clock
from sleevenotes.model import Band, Evidence, Scrobble
from sleevenotes.pipeline import offline, reconsider, sameplay, sent_images, tools
from sleevenotes.sources import contract
from sleevenotes.store import events as event_rows
from sleevenotes.store import evidence, forwards, jobs, lookups, same_plays, scrobbles, wants
from sleevenotes.store.postgres import Connection, Database

MAX_ROWS = 1000  # of one transaction
MANY = 100  # from this many plays on, a submit shares no commit
BULK_AT_ONCE = 2  # transactions of large submits under way; more only queue up inside PostgreSQL
NOW_PLAYING_S = 600  # how long a track without a duration plays, as at ListenBrainz (upstreams §3.1)
ANSWERED = 100  # new names that the catalogue answers within a transaction: some 0.4 ms each, and a submit waits for it
TOLD_IDS = 100  # events.ScrobblesStored names at most this many

_NO_EVIDENCE = Evidence()

T = TypeVar("T")


class Stored(msgspec.Struct, frozen=True, gc=False):
    """What became of one scrobble; a duplicate has the id of the one that was there before."""

    id: int
    lookup_id: int
    duplicate: bool
    same_as: int | None = None  # the scrobble that is shown instead: the same play, recorded by another service


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
        self._bulk = asyncio.Semaphore(BULK_AT_ONCE)

    async def submit(
        self, account_id: int, sent: Sequence[Scrobble], *, band: Band, window_s: float = 0
    ) -> list[Stored]:
        """Store plays and return what became of each, in their order, once that is committed.

        The same track within `window_s` seconds counts as the same play (the native API's rule; 0 elsewhere).
        Raises errors.Refused for a scrobble without `listened_at`, errors.Unreachable when the database stays away.
        """
        rows = [_row(account_id, scrobble, band, window_s) for scrobble in sent]
        if len(rows) >= MANY:
            return await self._store_many(rows)
        if not rows:
            return []
        submit = _Submit(rows, asyncio.get_running_loop().create_future())
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
        rows = [_row(account_id, scrobble, Band.LOW_PRIORITY, 0, import_id) for scrobble in sent]

        async def store(conn: Connection) -> None:
            await noted(conn, await _store(conn, rows, self._shelf, self._clock.now()) if rows else [])

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
            asked = await _unanswered(conn, self._shelf, [_Asked(met, Band.DEFAULT, 0, name)], now)
            await _ask(conn, asked)
            await sent_images.begin(
                conn, [sent_images.Came(scrobble.artwork_uri, met.id, Band.DEFAULT)], now, self._sources
            )

        await self._committed(note)

    async def reenter(
        self, account_id: int, band: Band, take_up: Callable[[Connection], Awaitable[Mapping[int, Scrobble]]]
    ) -> list[int]:
        """Write stored plays anew, by id, as `take_up` says within the transaction; return the ids of those it named.

        They meet their names as plays that come in do. Raises what `take_up` raises.
        """

        async def work(conn: Connection) -> list[int]:
            now, changed = self._clock.now(), await take_up(conn)
            if changed:
                rows = [_row(account_id, scrobble, band, 0) for scrobble in changed.values()]
                await _enter(conn, rows, changed, self._shelf, now, scrobbles.rewrite)
                await event_rows.tell(conn, [account_id], events.ScrobblesEdited(tuple(changed)), now)
            return list(changed)

        return await self._committed(work)

    async def _store_many(self, rows: Sequence[_Row]) -> list[Stored]:
        stored: list[Stored] = []
        for start in range(0, len(rows), MAX_ROWS):
            async with self._bulk:
                stored += await self._store(rows[start : start + MAX_ROWS])
        return stored

    async def _flush(self) -> None:
        try:
            while self._waiting:
                await self._commit_together(self._take_group())
        finally:
            self._flushing = None

    def _take_group(self) -> list[_Submit]:
        group = [self._waiting.popleft()]
        size = len(group[0].rows)
        while self._waiting and size + len(self._waiting[0].rows) <= MAX_ROWS:
            size += len(self._waiting[0].rows)
            group.append(self._waiting.popleft())
        return group

    async def _commit_together(self, group: Sequence[_Submit]) -> None:
        try:
            stored = await self._store([row for submit in group for row in submit.rows])
        except Exception as error:  # whatever it was, it is the affair of one of them
            await self._commit_apart(group, error)
            return
        start = 0
        for submit in group:
            submit.finish(stored[start : start + len(submit.rows)])
            start += len(submit.rows)

    async def _commit_apart(self, group: Sequence[_Submit], error: Exception) -> None:
        if len(group) == 1 or isinstance(error, errors.Fault):  # alone already, or the database is away for all
            for submit in group:
                submit.fail(error)
            return
        for submit in group:
            await self._commit_together([submit])

    async def _store(self, rows: Sequence[_Row]) -> list[Stored]:
        async def store(conn: Connection) -> list[Stored]:
            now = self._clock.now()
            stored = await _store(conn, rows, self._shelf, now)
            came = [
                sent_images.Came(row.play.scrobble.artwork_uri, one.lookup_id, row.band)
                for row, one in zip(rows, stored, strict=True)
                if not one.duplicate
            ]
            await sent_images.begin(conn, came, now, self._sources)
            return stored

        return await self._committed(store)

    async def _committed(self, work: Callable[[Connection], Awaitable[T]]) -> T:
        return await tools.committed(self._database, work)


class _Row(msgspec.Struct, frozen=True, gc=False):
    """One scrobble on its way in."""

    play: scrobbles.New
    name: bytes  # the lookup's identity
    band: Band
    window_s: float


class _Submit(NamedTuple):
    """One caller's rows, and where it waits."""

    rows: list[_Row]
    done: asyncio.Future[list[Stored]]

    def finish(self, stored: list[Stored]) -> None:
        if not self.done.done():  # the caller may have gone; its plays are stored all the same
            self.done.set_result(stored)

    def fail(self, error: Exception) -> None:
        if not self.done.done():
            self.done.set_exception(error)


def _row(account_id: int, scrobble: Scrobble, band: Band, window_s: float, import_id: int | None = None) -> _Row:
    if scrobble.listened_at is None:
        raise errors.Refused("A scrobble needs the time it was played at.", field="listened_at")
    play, name = _identities(scrobble.artist, scrobble.track, scrobble.release)
    new = scrobbles.New(account_id, scrobble.listened_at, play, scrobble, import_id=import_id)
    return _Row(new, name, band, window_s)


@functools.lru_cache(maxsize=8192)  # a listener's plays repeat: 38 to 85 % of them
def _identities(artist: str, track: str, release: str) -> tuple[bytes, bytes]:
    """Return the identity of the play (its instant aside) and of its lookup."""
    return names.digest(artist, track), names.digest(artist, track, release)


def _playing_time(scrobble: Scrobble) -> timedelta:
    return timedelta(milliseconds=scrobble.duration_ms or NOW_PLAYING_S * 1000)


# ---------------------------------------------------------------- inside the transaction


async def _store(conn: Connection, rows: Sequence[_Row], shelf: catalogue.Shelf, now: datetime) -> list[Stored]:
    many = await _lock_accounts(conn, rows)
    ids, crowded = await scrobbles.reserve(conn, len(rows), _spans(rows))
    there = await _there(conn, rows) if crowded else {}
    same_as = _repeats(rows, there)
    fresh = [i for i in range(len(rows)) if i not in there and i not in same_as]
    done = {i: Stored(stored.id, stored.lookup_id, duplicate=True) for i, stored in there.items()}
    if fresh:
        done.update(zip(fresh, await _add(conn, [rows[i] for i in fresh], ids, shelf, many, now), strict=True))
    for i, first in same_as.items():
        done[i] = Stored(done[first].id, done[first].lookup_id, duplicate=True)
    return [done[i] for i in range(len(rows))]


def _spans(rows: Iterable[_Row]) -> list[scrobbles.Span]:
    """Return the stretch of each account's time in which a play may already be one of these."""
    by_account: dict[int, list[datetime]] = {}
    for row in rows:
        by_account.setdefault(row.play.account_id, []).append(row.play.listened_at)
    window = timedelta(seconds=max(row.window_s for row in rows))
    return [scrobbles.Span(each, min(times) - window, max(times) + window) for each, times in by_account.items()]


async def _lock_accounts(conn: Connection, rows: Iterable[_Row]) -> set[int]:
    """Lock accounts whose plays are compared by their nearness in time; return those with plays of several origins."""
    several = await same_plays.several(conn, {(row.play.account_id, row.play.scrobble.origin) for row in rows})
    await scrobbles.lock_accounts(conn, several | {row.play.account_id for row in rows if row.window_s})
    return several


async def _there(conn: Connection, rows: Sequence[_Row]) -> dict[int, scrobbles.Stored]:
    """Find which rows are stored already: position → the stored play nearest in time."""
    widest = max(row.window_s for row in rows)
    there: dict[int, scrobbles.Stored] = {}
    for i, near in (await scrobbles.existing(conn, [row.play for row in rows], widest)).items():
        window = timedelta(seconds=rows[i].window_s)
        if abs(near[0].listened_at - rows[i].play.listened_at) <= window:
            there[i] = near[0]
    return there


def _repeats(rows: Sequence[_Row], there: dict[int, scrobbles.Stored]) -> dict[int, int]:
    """Find rows that repeat an earlier row of the same transaction: position → position of the first.

    [10:00:00 A, 10:00:00 A, 10:00:20 A] with windows of 30 s gives {1: 0, 2: 0}.
    """
    repeats: dict[int, int] = {}
    kept: dict[tuple[int, bytes], list[tuple[datetime, int]]] = {}
    for i, row in enumerate(rows):
        if i in there:
            continue
        at, near = row.play.listened_at, kept.setdefault((row.play.account_id, row.play.identity), [])
        first = _first_within(near, at, row.window_s) if near else None
        if first is None:
            near.append((at, i))
        else:
            repeats[i] = first
    return repeats


def _first_within(near: Sequence[tuple[datetime, int]], at: datetime, window_s: float) -> int | None:
    window = timedelta(seconds=window_s)
    return next((i for other, i in near if abs(other - at) <= window), None)


async def _add(
    conn: Connection,
    rows: Sequence[_Row],
    ids: Iterable[int],
    shelf: catalogue.Shelf,
    several: Collection[int],
    now: datetime,
) -> list[Stored]:
    """Store rows that are new; those of accounts in `several` may be the same play as another service's."""
    changes: list[same_plays.Changed] = []

    async def write(conn: Connection, plays: Sequence[scrobbles.New]) -> None:
        changes.extend(await sameplay.link(conn, [play for play in plays if play.account_id in several]))
        await scrobbles.insert(conn, plays, now)
        await forwards.queue(conn, [play.id for play in plays if play.same_as is None], now)

    await _enter(conn, rows, ids, shelf, now, write)
    await _tell(conn, [row.play for row in rows if row.play.same_as is None], now)
    await sameplay.tell(conn, changes, now)
    return [Stored(row.play.id, row.play.lookup_id, False, row.play.same_as) for row in rows]


async def _enter(
    conn: Connection,
    rows: Sequence[_Row],
    ids: Iterable[int],
    shelf: catalogue.Shelf,
    now: datetime,
    write: Callable[[Connection, Sequence[scrobbles.New]], Awaitable[None]],
) -> None:
    """Have plays meet their names, write them under these ids, and have looked up what is not known."""
    news, plays = _names(rows)
    met = await lookups.meet(conn, news, now)
    for row, reserved in zip(rows, ids, strict=False):
        row.play.id, row.play.lookup_id = reserved, met[row.name].id
    asked = [_Asked(met[name], new.band, plays[name], new) for name, new in news.items()]
    left = await _unanswered(conn, shelf, asked, now)
    await write(conn, [row.play for row in rows])
    await _ask(conn, left)
    await _reconsider(conn, asked, left)
    await _look_closer(conn, rows, met)


def _names(rows: Iterable[_Row]) -> tuple[dict[bytes, lookups.New], Counter[bytes]]:
    """Return each name once, with the most urgent band of its plays, and how many plays it has here."""
    news: dict[bytes, lookups.New] = {}
    plays: Counter[bytes] = Counter()
    for row in rows:
        new = news.get(row.name)
        if new is None or new.band < row.band:
            sent = row.play.scrobble
            news[row.name] = lookups.New(sent.artist, sent.track, sent.release, row.band)
        plays[row.name] += 1
    return news, plays


class _Asked(NamedTuple):
    """A name that was played: what is known of it, and how urgently it is wanted by how many plays."""

    met: lookups.Met
    band: Band
    plays: int
    new: lookups.New


async def _unanswered(
    conn: Connection, shelf: catalogue.Shelf, asked: Sequence[_Asked], now: datetime
) -> Sequence[_Asked]:
    """Have the catalogue, where there is one, answer names that are new; return all others.

    Where they are more than ANSWERED, it answers them in their match jobs, so that accepting an import stays quick.
    """
    offered = shelf.current()
    if offered is None:
        return asked
    new = [
        offline.Name(each.met.id, each.new.artist, each.new.track, each.new.release, each.band)
        for each in asked
        if each.met.unasked
    ]
    if len(new) > ANSWERED:
        return asked
    done = await offline.answer(conn, offered, new, now, covers=shelf.covers())
    return [each for each in asked if each.met.id not in done]


async def _ask(conn: Connection, asked: Sequence[_Asked]) -> None:
    """Name the next jobs: match what is new, hurry what is pending, find covers for known albums without."""
    for band in sorted({name.band for name in asked}):
        mine = [name for name in asked if name.band is band]
        await jobs.enqueue(conn, "match", sorted(name.met.id for name in mine if name.met.unasked), band)
        bare = {name.met.bare_group_id for name in mine if name.met.bare_group_id is not None}
        await jobs.enqueue(conn, "artwork", sorted(bare), band)
        waiting = {name.met.id: name.plays for name in mine if name.met.pending and not name.met.unasked}
        if waiting:
            ids = sorted(waiting)
            await wants.bump(conn, "match", ids, band, [waiting[i] for i in ids])


async def _reconsider(conn: Connection, asked: Sequence[_Asked], left: Sequence[_Asked]) -> None:
    """Have the plays looked at of names that the catalogue has answered; they must be stored."""
    waiting = {each.met.id for each in left}
    answered = [each for each in asked if each.met.id not in waiting]
    for band in sorted({each.band for each in answered}):
        await reconsider.begin(conn, [each.met.id for each in answered if each.band is band], band)


async def _look_closer(conn: Connection, rows: Sequence[_Row], met: Mapping[bytes, lookups.Met]) -> None:
    """Have plays looked at that may know more than their names, or tell the album of one beside them.

    Where names are decided already, at once; while they are looked for, only where a question of the play's own can
    be asked: the rest is looked at when they are decided.
    """
    decided = [row for row in rows if not met[row.name].pending]
    closer = {
        row.play.id for row in rows if row.play.scrobble.evidence.recording_mbid or row.play.scrobble.evidence.isrc
    }
    closer |= {row.play.id for row in decided if _knows_more(row.play.scrobble)}
    if others := [row.play.id for row in decided if row.play.id not in closer]:
        closer |= set(await evidence.near_bare(conn, others, reconsider.WITHIN))
    by_band: defaultdict[Band, list[int]] = defaultdict(list)
    for row in rows:
        if row.play.id in closer:
            by_band[row.band].append(row.play.same_as or row.play.id)  # what is hidden tells of what is shown
    for band, ids in sorted(by_band.items()):
        await jobs.enqueue(conn, "evidence", sorted(set(ids)), band)


def _knows_more(sent: Scrobble) -> bool:
    return not sent.release or sent.duration_ms is not None or sent.evidence != _NO_EVIDENCE


async def _tell(conn: Connection, plays: Sequence[scrobbles.New], now: datetime) -> None:
    by_account: defaultdict[int, list[scrobbles.New]] = defaultdict(list)
    for play in plays:
        by_account[play.account_id].append(play)
    for account_id, mine in sorted(by_account.items()):
        newest = heapq.nlargest(TOLD_IDS, mine, key=operator.attrgetter("listened_at", "id"))
        told = events.ScrobblesStored(tuple(play.id for play in newest), len(mine))
        await event_rows.tell(conn, [account_id], told, now)
