"""How plays enter: all that one transaction does with a batch of them, in the order in which it happens.

Accounts are locked where plays are compared by their nearness in time; what is there already is found; the rest meets
its names, is written, and has looked up what is not known. `pipeline.submit` opens the transaction.
"""

from __future__ import annotations

import functools
import heapq
import operator
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

import msgspec

from sleevenotes import catalogue, errors, events, names
from sleevenotes.model import Band, Evidence, Scrobble
from sleevenotes.pipeline import offline, reconsider, sameplay
from sleevenotes.store import arrivals, connections, evidence, forwards, jobs, lookups, same_plays, scrobbles, wants
from sleevenotes.store import events as event_rows
from sleevenotes.store.postgres import Connection

ANSWERED = 100  # new names that the catalogue answers within a transaction: some 0.4 ms each, and a submit waits for it
TOLD_IDS = 100  # events.ScrobblesStored names at most this many

_NO_EVIDENCE = Evidence()


class Stored(msgspec.Struct, frozen=True, gc=False):
    """What became of one scrobble; a duplicate has the id of the one that was there before."""

    id: int
    lookup_id: int
    duplicate: bool
    same_as: int | None = None  # the scrobble that is shown instead: the same play, recorded by another service


class Row(msgspec.Struct, frozen=True, gc=False):
    """One scrobble on its way in."""

    play: scrobbles.New
    name: bytes  # the lookup's identity
    band: Band
    window_s: float


def to_row(account_id: int, scrobble: Scrobble, band: Band, window_s: float, import_id: int | None = None) -> Row:
    """Make a scrobble a row. Raises errors.Refused where it has no `listened_at`."""
    if scrobble.listened_at is None:
        raise errors.Refused("A scrobble needs the time it was played at.", field="listened_at")
    play, name = _identities(scrobble.artist, scrobble.track, scrobble.release)
    new = scrobbles.New(account_id, scrobble.listened_at, play, scrobble, import_id=import_id)
    return Row(new, name, band, window_s)


@functools.lru_cache(maxsize=8192)  # a listener's plays repeat: 38 to 85 % of them
def _identities(artist: str, track: str, release: str) -> tuple[bytes, bytes]:
    """Return the identity of the play (its instant aside) and of its lookup."""
    return names.digest(artist, track), names.digest(artist, track, release)


async def store(
    conn: Connection, rows: Sequence[Row], shelf: catalogue.Shelf, now: datetime, *, wait: bool = True
) -> list[Stored]:
    """Store rows, and return what became of each, in their order.

    Raises errors.HeldUp, unless told to `wait`, where another transaction holds accounts that have to be locked.
    """
    many = await _lock_accounts(conn, rows, wait=wait)
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


def _spans(rows: Iterable[Row]) -> list[scrobbles.Span]:
    """Return the stretch of each account's time in which a play may already be one of these."""
    by_account: dict[int, list[datetime]] = {}
    for row in rows:
        by_account.setdefault(row.play.account_id, []).append(row.play.listened_at)
    window = timedelta(seconds=max(row.window_s for row in rows))
    return [scrobbles.Span(each, min(times) - window, max(times) + window) for each, times in by_account.items()]


async def _lock_accounts(conn: Connection, rows: Iterable[Row], *, wait: bool) -> set[int]:
    """Lock accounts whose plays are compared by their nearness in time; return those with plays of several origins."""
    several = await same_plays.several(conn, {(row.play.account_id, row.play.scrobble.origin) for row in rows})
    compared = several | {row.play.account_id for row in rows if row.window_s}
    if wait:
        await scrobbles.lock_accounts(conn, compared)
    elif compared:
        await scrobbles.lock_unheld(conn, compared)
    return several


async def _there(conn: Connection, rows: Sequence[Row]) -> dict[int, scrobbles.Stored]:
    """Find which rows are stored already: position → the stored play nearest in time."""
    widest = max(row.window_s for row in rows)
    there: dict[int, scrobbles.Stored] = {}
    for i, near in (await scrobbles.brought_again(conn, [row.play for row in rows], widest)).items():
        window = timedelta(seconds=rows[i].window_s)
        if abs(near[0].listened_at - rows[i].play.listened_at) <= window:
            there[i] = near[0]
    return there


def _repeats(rows: Sequence[Row], there: dict[int, scrobbles.Stored]) -> dict[int, int]:
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
    rows: Sequence[Row],
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

    await enter(conn, rows, ids, shelf, now, write)
    if waited_for := {row.play.id: row.play.lookup_id for row in rows if _is_waited_for(row)}:
        await arrivals.keep(conn, waited_for, now)
    await _tell(conn, [row.play for row in rows if row.play.same_as is None], now)
    await sameplay.tell(conn, changes, now)
    return [Stored(row.play.id, row.play.lookup_id, False, row.play.same_as) for row in rows]


def _is_waited_for(row: Row) -> bool:
    """Tell whether somebody listens: not to what is imported, synced, or shown by another play."""
    shown, synced = row.play.same_as is None, row.play.scrobble.origin in connections.ORIGINS.values()
    return row.band > Band.LOW_PRIORITY and shown and not synced


async def enter(
    conn: Connection,
    rows: Sequence[Row],
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
    asked = [Asked(met[name], new.band, plays[name], new) for name, new in news.items()]
    left = await unanswered(conn, shelf, asked, now)
    await write(conn, [row.play for row in rows])
    await ask(conn, left)
    await _reconsider(conn, asked, left)
    await _look_closer(conn, rows, met)


def _names(rows: Iterable[Row]) -> tuple[dict[bytes, lookups.New], Counter[bytes]]:
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


class Asked(NamedTuple):
    """A name that was played: what is known of it, and how urgently it is wanted by how many plays."""

    met: lookups.Met
    band: Band
    plays: int
    new: lookups.New


async def unanswered(
    conn: Connection, shelf: catalogue.Shelf, asked: Sequence[Asked], now: datetime
) -> Sequence[Asked]:
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


async def ask(conn: Connection, asked: Sequence[Asked]) -> None:
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


async def _reconsider(conn: Connection, asked: Sequence[Asked], left: Sequence[Asked]) -> None:
    """Have the plays looked at of names that the catalogue has answered; they must be stored."""
    waiting = {each.met.id for each in left}
    answered = [each for each in asked if each.met.id not in waiting]
    for band in sorted({each.band for each in answered}):
        await reconsider.begin(conn, [each.met.id for each in answered if each.band is band], band)


async def _look_closer(conn: Connection, rows: Sequence[Row], met: Mapping[bytes, lookups.Met]) -> None:
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
