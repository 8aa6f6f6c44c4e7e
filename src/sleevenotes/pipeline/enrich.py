"""Enriching names that nobody has played: those of a file, or of who uses Sleevenotes as a library.

    meet      every name becomes a lookup, as if it had been played; what the offline catalogue knows is matched in the
              same transaction, the rest is left to the match stage: the most frequent names first
    decided   wait until the stages and lanes, here or in a server beside us, have decided all of them
    covered   the same for the covers of their albums
    read      what became of each

A lookup is never undone, so whatever was learnt is known to the next run, and to the server: a run that was stopped
goes on where it stood. A name without plays asks like an import's: packed, and after whatever somebody waits for.
"""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import TypeVar

import msgspec

from sleevenotes import clock, events, model, names
from sleevenotes.catalogue import Shelf
from sleevenotes.pipeline import offline, tools
from sleevenotes.store import enriched, jobs, lookups
from sleevenotes.store.postgres import Connection, Database

TOGETHER = 1000
"""Names a transaction: each is written and, with a catalogue, matched in it."""

READ_TOGETHER = 10_000
"""Lookups read at once."""

PAUSE = 1.0
"""Seconds between two looks at what is decided, however often we are woken."""

BAND = model.Band.LOW_PRIORITY

T = TypeVar("T")


class Name(msgspec.Struct, frozen=True):
    """What is to be enriched: an artist and a track, and the release where it is known, as anybody may write them."""

    artist: str
    track: str
    release: str = ""

    @property
    def identity(self) -> bytes:
        """Return what makes two names the same: letter case and spaces do not count."""
        return names.digest(self.artist, self.track, self.release)


class Met(msgspec.Struct, frozen=True):
    """Names that have become lookups: their ids, the most frequent first, and how many different names were given."""

    ids: dict[Name, int]
    different: int


Answering = Callable[[Connection, Mapping[int, Name], datetime], Awaitable[set[int]]]
"""What matches names, lookup id -> name, from an offline catalogue, and returns the ids of those it knows."""

Heard = Callable[[int, int], None]
"""What is told how far it is: (done, of how many)."""


def from_catalogue(shelf: Shelf, *, fetch_covers: bool, in_any_writing: bool) -> Answering | None:
    """Return what answers from the catalogue that is on the shelf now; None where there is none.

    Only names that are spelt as the catalogue has them, unless `in_any_writing`: where a job follows, it does the rest.
    """
    catalogue, covers = shelf.current(), shelf.covers()
    if catalogue is None:
        return None

    async def answer(conn: Connection, pending: Mapping[int, Name], now: datetime) -> set[int]:
        sent = [offline.Name(each, name.artist, name.track, name.release, BAND) for each, name in pending.items()]
        return await offline.answer(
            conn, catalogue, sent, now, covers=covers, fetch_covers=fetch_covers, in_any_writing=in_any_writing
        )

    return answer


async def meet(
    database: Database,
    time: clock.Clock,
    counted: Mapping[Name, int],
    *,
    answering: Answering | None,
    ask: bool,
    heard: Heard | None = None,
) -> Met:
    """Make names, with how often each occurs, lookups.

    With `ask`, whoever is not known has a job waiting when this returns. Without, names that neither the database nor
    the catalogue knows leave nothing behind, and are not in what is returned.
    """
    identities = {name: name.identity for name in counted}
    by_identity: dict[bytes, Name] = {}
    plays: dict[bytes, int] = {}
    for name, count in counted.items():
        identity = identities[name]
        by_identity.setdefault(identity, name)
        plays[identity] = plays.get(identity, 0) + count
    in_order = sorted(by_identity, key=lambda identity: -plays[identity])
    met: dict[bytes, int] = {}
    for done, some in enumerate(_chunks(in_order, TOGETHER)):
        part = {identity: by_identity[identity] for identity in some}
        met |= await tools.committed(
            database, functools.partial(_meet, now=time.now(), part=part, answering=answering, ask=ask)
        )
        if heard is not None:
            heard(min((done + 1) * TOGETHER, len(in_order)), len(in_order))
    by_frequency = sorted(counted, key=lambda name: -plays[identities[name]])
    known = {name: met[identities[name]] for name in by_frequency if identities[name] in met}
    return Met(known, len(in_order))


async def _meet(
    conn: Connection, *, now: datetime, part: Mapping[bytes, Name], answering: Answering | None, ask: bool
) -> dict[bytes, int]:
    news = {identity: lookups.New(each.artist, each.track, each.release, BAND) for identity, each in part.items()}
    met = await lookups.meet(conn, news, now)
    pending = {met[identity].id: part[identity] for identity in part if met[identity].pending}
    answered = await answering(conn, pending, now) if answering is not None and pending else set()
    left = [lookup_id for lookup_id in pending if lookup_id not in answered]
    if ask:  # also what waits already: its job may have been lost with whoever was to run it
        await jobs.enqueue(conn, "match", left, BAND)
        return {identity: met[identity].id for identity in part}
    unknown = {each.id for each in met.values() if each.new} & set(left)
    await lookups.take_back(conn, sorted(unknown))
    return {identity: met[identity].id for identity in part if met[identity].id not in unknown}


async def want_covers(database: Database, lookup_ids: Sequence[int]) -> None:
    """Have the covers of these lookups' albums looked for, where none is decided yet."""
    async with database.transaction() as conn:
        await jobs.enqueue(conn, "artwork", await enriched.bare(conn, lookup_ids), BAND)


async def is_settled(database: Database, lookup_ids: Sequence[int], *, covers: bool) -> bool:
    """Say whether all these lookups are decided, and with `covers` their albums' covers as well."""
    async with database.connection() as conn:
        if await enriched.undecided(conn, lookup_ids):
            return False
        return not covers or not await enriched.bare(conn, lookup_ids)


async def decided(database: Database, time: clock.Clock, lookup_ids: Sequence[int], heard: Heard) -> None:
    """Return when none of these lookups is pending."""
    await _until_none(database, time, lookup_ids, enriched.undecided, heard)


async def covered(database: Database, time: clock.Clock, lookup_ids: Sequence[int], heard: Heard) -> None:
    """Return when the cover of every album that these lookups are matched to is decided."""
    async with database.connection() as conn:
        bare = await enriched.bare(conn, lookup_ids)
    await _until_none(database, time, bare, enriched.bare_groups, heard)


async def _until_none(
    database: Database,
    time: clock.Clock,
    subjects: Sequence[int],
    left_of: Callable[[Connection, Sequence[int]], Awaitable[list[int]]],
    heard: Heard,
) -> None:
    """Look, whenever something was decided, what is left of the subjects, until nothing is."""
    woken = asyncio.Event()
    await database.listen(events.WAKE_DECIDED, lambda _: woken.set())
    left = list(subjects)
    while True:
        woken.clear()
        async with database.connection() as conn:
            left = await left_of(conn, left) if left else []
        heard(len(subjects) - len(left), len(subjects))
        if not left:
            return
        await woken.wait()
        await time.sleep(PAUSE)


async def read(database: Database, lookup_ids: Sequence[int]) -> dict[int, enriched.Row]:
    """Return what is known of these lookups, by id."""
    found: dict[int, enriched.Row] = {}
    async with database.connection() as conn:
        for some in _chunks(lookup_ids, READ_TOGETHER):
            found |= {row.id: row for row in await enriched.read(conn, some)}
    return found


def _chunks(things: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    for start in range(0, len(things), size):
        yield things[start : start + size]
