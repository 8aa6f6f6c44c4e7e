"""The same play from several services: found when plays come in, and again when their names are matched.

    plays come in         compared with what is stored near them, in the transaction that stores them (`link`)
    names were decided    plays of the same recording under other names are compared again (the stage `same_play`,
                          whose subjects are lookups)
    the listener changes  what they keep apart: everything of the account is compared again (the stage `same_plays`,
    what they keep apart  see pipeline.comparing)

Comparing always looks at all records that could be meant, whichever came first and whatever was decided of them
before. So the order in which histories arrive makes no difference, and a late record can set right what an early one
made look otherwise.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple, Protocol

from sleevenotes import events, model, names
from sleevenotes.clock import Clock
from sleevenotes.matching import sameplay
from sleevenotes.pipeline import recognition
from sleevenotes.pipeline.tools import Tools, committed
from sleevenotes.store import comparisons, jobs, same_plays, scrobbles
from sleevenotes.store import events as event_rows
from sleevenotes.store.postgres import Connection, Database
from sleevenotes.store.same_plays import Near, Seed

LEAST_REACH_S = 20 * 60.0
"""Other records are looked for this far away, further where a play knows that it is longer."""

MOST_STEPS = 4
"""A row of repeats that goes on beyond reach is followed this often."""

STAGE = "same_plays"
"""The stage that compares all plays of an account."""

MOST = 1_000
"""Plays of names that were decided that are compared in one transaction."""

IN_THREAD = 300
"""From so many plays on, they are compared beside the event loop: some 40 ms for a thousand and what lies near."""

TOLD_IDS = 100  # as pipeline.entering: events name at most this many

_SAMPLED = 200


class Desk(Protocol):
    """What it takes to act: the stages' tools, or the server's services."""

    @property
    def database(self) -> Database:
        """Return the database."""
        ...

    @property
    def clock(self) -> Clock:
        """Return the time."""
        ...


class Heap(NamedTuple):
    """Records of one account that may be of the same play, over any number of steps."""

    account_id: int
    records: list[sameplay.Record]


async def link(conn: Connection, news: Sequence[scrobbles.New]) -> list[same_plays.Changed]:
    """Compare plays that are about to be stored, by accounts of several origins, with each other and what is there.

    Says in each play's `same_as` which scrobble is shown instead of it, and writes what that changes of stored ones.
    The caller has locked the accounts.
    """
    if not news:
        return []
    facts = await same_plays.facts(conn, {new.lookup_id for new in news})
    fresh = [_of_new(new, facts.get(new.lookup_id)) for new in news]
    same_as = await _decide(conn, await _around(conn, fresh, fresh))
    for new in news:
        new.same_as = same_as.pop(new.id, None)
    return await same_plays.write(conn, same_as)


async def compare(conn: Connection, scrobble_ids: Sequence[int]) -> list[same_plays.Changed]:
    """Compare stored plays with what lies near them, and write what has changed. The caller has locked the account."""
    subjects = await same_plays.by_ids(conn, scrobble_ids)
    if not subjects:
        return []
    return await same_plays.write(conn, await _decide(conn, await _around(conn, subjects)))


async def compare_anew(conn: Connection, scrobble_ids: Sequence[int], now: datetime) -> None:
    """Forget that these were the same plays as others, since they have changed, and compare all of them again.

    The caller has locked the account.
    """
    ids = await same_plays.members(conn, scrobble_ids)
    parted = await same_plays.write(conn, dict.fromkeys(ids))
    await tell(conn, [*parted, *await compare(conn, ids)], now)


async def tell(conn: Connection, changes: Iterable[same_plays.Changed], now: datetime) -> None:
    """Tell pages which plays are gone and which have come forward, and have those looked at that know more now."""
    for account_id, hidden, shown in changes:
        if hidden:
            await event_rows.tell(conn, [account_id], events.ScrobblesDeleted(tuple(sorted(hidden)[-TOLD_IDS:])), now)
        if shown:
            told = events.ScrobblesStored(tuple(sorted(shown)[-TOLD_IDS:]), len(shown))
            await event_rows.tell(conn, [account_id], told, now)


# ---------------------------------------------------------------- what the listener says


async def show_as_own(tools: Desk, account_id: int, scrobble_id: int) -> None:
    """Show a scrobble as a play of its own, now and whatever comes in later."""

    async def work(conn: Connection) -> None:
        await scrobbles.lock_accounts(conn, [account_id])
        now = tools.clock.now()
        await tell(conn, await same_plays.make_own(conn, account_id, scrobble_id, now), now)

    await committed(tools.database, work)


async def show_as_before(tools: Desk, account_id: int, scrobble_id: int) -> bool:
    """Take that back, and compare the scrobble with what lies near it; False where it was not said."""

    async def work(conn: Connection) -> bool:
        await scrobbles.lock_accounts(conn, [account_id])
        said = await same_plays.no_longer_own(conn, account_id, scrobble_id)
        await tell(conn, await compare(conn, [scrobble_id] if said else []), tools.clock.now())
        return said

    return await committed(tools.database, work)


async def keep_apart(tools: Desk, account_id: int, origin: str, other: str) -> int:
    """Show all plays of two origins that are hidden behind each other, and hide none from now on; return how many."""

    async def work(conn: Connection) -> int:
        await scrobbles.lock_accounts(conn, [account_id])
        now = tools.clock.now()
        changes = await same_plays.keep_apart(conn, account_id, origin, other, now)
        await tell(conn, changes, now)
        return sum(len(change.shown) for change in changes)

    return await committed(tools.database, work)


async def bring_together(tools: Desk, account_id: int, origin: str, other: str) -> bool:
    """Take that back, and have all plays of the account compared again; False where it was not said."""

    async def work(conn: Connection) -> bool:
        said = await same_plays.bring_together(conn, account_id, origin, other)
        if said:
            await compare_all(conn, account_id, tools.clock.now())
        return said

    return await committed(tools.database, work)


async def compare_all(conn: Connection, account_id: int, now: datetime) -> None:
    """Have all plays of an account compared soon."""
    await scrobbles.lock_accounts(conn, [account_id])
    await comparisons.begin(conn, account_id, now)
    await jobs.enqueue(conn, STAGE, [account_id], model.Band.DEFAULT)


# ---------------------------------------------------------------- stages


async def begin(conn: Connection, lookup_ids: Sequence[int], band: model.Band) -> None:
    """Have plays of these names, which were just decided, compared where another name may mean the same recording."""
    await jobs.enqueue(conn, "same_play", sorted(await same_plays.of_several_origins(conn, lookup_ids)), band)


async def run(tools: Tools, lookup_ids: Sequence[int], _band: model.Band) -> None:
    """Compare the plays of these names with plays of the same recording under other names."""

    async def work(conn: Connection) -> None:
        ids = await same_plays.plays_of(conn, lookup_ids, timedelta(seconds=LEAST_REACH_S), MOST)
        await _compared(conn, ids, tools.clock.now())

    await committed(tools.database, work)


async def give_up(tools: Tools, subject_ids: Sequence[int], why: str) -> None:
    """Leave the plays as they are shown."""


async def _compared(conn: Connection, scrobble_ids: Sequence[int], now: datetime) -> None:
    await scrobbles.lock_accounts(conn, await scrobbles.accounts_of(conn, scrobble_ids))
    await tell(conn, await compare(conn, scrobble_ids), now)


# ---------------------------------------------------------------- inside


def _of_new(new: scrobbles.New, facts: same_plays.Facts | None) -> Near:
    sent = new.scrobble
    return Near(
        new.id,
        new.account_id,
        new.listened_at,
        new.lookup_id,
        sent.origin,
        sent.artist,
        sent.track,
        same_plays.sound(names.key(sent.track)),
        None,
        sent.duration_ms or (facts.length_ms if facts else 0),
        heard if isinstance(heard := sent.extra.get("ms_played"), int) else 0,
        facts.recording_id if facts else 0,
        bool(sent.release),
        False,
    )


def _seed(one: Near) -> Seed:
    width = max(LEAST_REACH_S, sameplay.window(_record(one)))
    return Seed(one.account_id, one.listened_at, width, one.sound, one.recording_id)


def _record(one: Near, sure: int = 0) -> sameplay.Record:
    """See a scrobble as a record; shown first is what its listener has seen to, then what tells an album, then seconds.

    A track is no shorter than it was played. Where the play ended on the minute, that is all its service tells.
    """
    at, heard_s = one.listened_at.timestamp(), one.heard_ms / 1000
    rough = one.origin in sameplay.TO_THE_MINUTE
    return sameplay.Record(
        id=one.id,
        at=at,
        origin=one.origin,
        artist=one.artist,
        track=one.track,
        length_s=max(one.length_ms / 1000, heard_s),
        recording=one.recording_id,
        sure=sure,
        rank=0 if one.chosen else (1 if one.on_album else 3) + rough,
        heard_s=heard_s,
        blur_s=60.0 if rough or (heard_s and (at + heard_s + 1) % 60 < 1.5) else 0.0,
    )


async def _around(conn: Connection, subjects: Sequence[Near], fresh: Sequence[Near] = ()) -> list[Heap]:
    """Fetch what lies near these, and near that, until a row of repeats has ended; with what is `fresh`, not stored."""
    known = {one.id: one for one in fresh}
    reached: defaultdict[int, list[Seed]] = defaultdict(list)
    seeds, heaps, sure = [_seed(one) for one in subjects], list[Heap](), dict[int, int]()
    for _ in range(MOST_STEPS):
        for seed in seeds:
            reached[seed.account_id].append(seed)
        found = {one.id: one for one in await same_plays.near(conn, seeds) if one.id not in known}
        if heaps and not found:
            break
        sure |= await _sent(conn, found.values() if heaps else [*known.values(), *found.values()])
        known |= found
        if len(known) > IN_THREAD:
            heaps = await asyncio.to_thread(_heaps, known.values(), sure)
        else:
            heaps = _heaps(known.values(), sure)
        seeds = [
            _seed(found[record.id])
            for heap in heaps
            for record in heap.records
            if record.id in found and not _covered(found[record.id], reached)
        ]
        if not seeds:
            break
    return heaps


async def _sent(conn: Connection, near: Iterable[Near]) -> dict[int, int]:
    """Find what we sent to a service and what of it has come back: each id -> the id of our own scrobble."""
    sure: dict[int, int] = {}
    for account_id, mine in _by_account(near).items():
        came = [recognition.Came(one.id, one.listened_at, one.origin, one.artist, one.track) for one in mine]
        for back, own in (await recognition.recognised(conn, account_id, came)).items():
            sure |= {back: own, own: own}
    return sure


def _by_account(near: Iterable[Near]) -> dict[int, list[Near]]:
    by_account: dict[int, list[Near]] = {}
    for one in near:
        by_account.setdefault(one.account_id, []).append(one)
    return by_account


def _heaps(near: Iterable[Near], sure: Mapping[int, int]) -> list[Heap]:
    """Put together those that may be of the same play, account by account."""
    return [
        Heap(account_id, heap)
        for account_id, mine in _by_account(near).items()
        for heap in sameplay.heaps(_record(one, sure.get(one.id, 0)) for one in mine)
    ]


def _covered(one: Near, reached: Mapping[int, list[Seed]]) -> bool:
    """Tell whether what may be of the same play as this was fetched with one of these seeds."""
    reach = timedelta(seconds=sameplay.window(_record(one)))
    return any(
        abs(seed.at - one.listened_at) + reach <= timedelta(seconds=seed.width_s)
        for seed in reached[one.account_id]
        if seed.sound == one.sound
    )


async def _decide(conn: Connection, heaps: Sequence[Heap]) -> dict[int, int | None]:
    """Decide for all of these: which is shown, and instead of which."""
    by_account: defaultdict[int, list[list[sameplay.Record]]] = defaultdict(list)
    for heap in heaps:
        by_account[heap.account_id].append(heap.records)
    decided: dict[int, int | None] = {}
    for account_id, mine in by_account.items():
        apart = await same_plays.apart(conn, account_id)
        lags = await _lags(conn, account_id, mine)
        for records in mine:
            for first, *others in sameplay.solve(records, lags, apart):
                decided[first.id] = None
                decided.update((other.id, first.id) for other in others)
    return decided


async def _lags(conn: Connection, account_id: int, heaps: Sequence[list[sameplay.Record]]) -> sameplay.Lags:
    """Learn how the clocks of origins differ, where that makes a difference."""
    solved = [sameplay.solve(heap, {}) for heap in heaps if sameplay.is_single(heap)]
    if len(solved) == len(heaps) and all(len(plays) == 1 for plays in solved):
        return {}
    here = [(play[0], other) for plays in solved for play in plays for other in play[1:]]
    before = await same_plays.pairs(conn, account_id, _SAMPLED)
    return sameplay.lags([*here, *((_record(one), _record(other)) for one, other in before)])
