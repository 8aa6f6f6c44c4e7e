"""An import's names and covers, read from where they wait and played forward (`forecast`), for who asks meanwhile."""

from __future__ import annotations

import asyncio
import math
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta

from sleevenotes.pipeline import asking, discography, estimate, forecast, trails
from sleevenotes.pipeline.estimate import Lanes, Subject
from sleevenotes.sources import contract
from sleevenotes.store import discographies, estimates, pending_names
from sleevenotes.store.postgres import Connection

STALE = timedelta(seconds=0.5)
"""For how long what was foreseen stands where names wait of which nothing was foreseen."""

FORESEEN = timedelta(seconds=5)
"""For how long it does else: it takes a while to play a queue forward."""

USUAL_TOLD, USUAL_AGAIN, VOICE = 8.5, 12.0, 8
"""How many of an import's pack a reply tells of, however large the pack, since its rows are so many; how many of those
that others left out; and for how many requests' measurement that counts.
"""

USUAL_ASKS = 1.35
"""Requests to the archive for each cover: what it has none of is asked for twice, as an album's and as an edition's."""

USUAL_MEAN = 1.0
"""Seconds that one of them takes: an image a second and a half, nothing a quarter."""

LONGEST_GAP, LONGEST_COVER = 4.0, 1.5
"""The most by which requests of an import, and for covers, are taken to be further apart than their host bears."""

SEEN = timedelta(seconds=45)
"""For how long it counts how many names waited, and how far apart requests were; half of it for covers."""

FEW = 8
"""Covers that must wait for their pace to say something."""

_IMAGE = contract.tag(contract.FetchImage)
_SEARCH = contract.tag(contract.FindRecording)


class Forecaster:
    """Foresees when what an import brought will be done; one a process. What it says is kept for some seconds."""

    def __init__(self, policies: Mapping[str, contract.Policy]) -> None:
        self._policies = policies
        self._at: datetime | None = None
        self._known: dict[Subject, float] = {}
        self._seen: list[tuple[datetime, int]] = []  # when so many of an import's names waited, lately
        self._usual_each = 0.0

    async def of(
        self,
        conn: Connection,
        new: Collection[Subject],
        asked: Lanes,
        hosts: Mapping[str, estimate.Host],
        now: datetime,
    ) -> Mapping[Subject, float]:
        """Return the seconds until names that nobody waits for, and covers at the archive, are done.

        Anew after a while, and at once where nothing was foreseen of some of the `new` ones: an import came since.
        """
        strange = any(each not in self._known for each in new)
        if self._at is None or now - self._at >= (STALE if strange else FORESEEN):
            self._at, self._known = now, await self._play_forward(conn, asked, hosts, now)
        passed = (now - self._at).total_seconds()
        return {each: max(0.0, seconds - passed) for each, seconds in self._known.items()}

    async def _play_forward(
        self, conn: Connection, asked: Lanes, hosts: Mapping[str, estimate.Host], now: datetime
    ) -> dict[Subject, float]:
        """Foresee names, of which each is done with its album's cover, and the covers that wait at the archive."""
        told, sleeves, is_sure = await self._names(conn, asked, hosts, now)
        shown: dict[int, float] = {}
        if trails.ARCHIVE in self._policies:
            told, shown = forecast.then_covers(told, sleeves, await self._archive(conn, asked, now))
        names = told if is_sure else forecast.hedged(told)
        return {
            **{("match", lookup_id): seconds for lookup_id, seconds in names.items()},
            **{("artwork", release_group_id): seconds for release_group_id, seconds in shown.items()},
        }

    async def _names(
        self, conn: Connection, asked: Lanes, hosts: Mapping[str, estimate.Host], now: datetime
    ) -> tuple[dict[int, float], dict[int, forecast.Sleeve], bool]:
        """Foresee when names are told, and return the albums that have no cover yet; and whether names go in turn.

        They wait at the bulk source, which answers most and in turn, or without one at the broadest; or are about to.
        """
        bulk = next((name for name in asking.BULK if name in self._policies), None)
        source = bulk or next((name for name in asking.BROAD if name in self._policies), None)
        queued = await pending_names.queue(conn, source, now, forecast.MOST) if source else []
        waiting: list[pending_names.Queued | pending_names.Described] = [*queued]
        told: dict[int, float] = {}
        if bulk:
            kind = contract.tag(contract.DescribeRecording)
            waiting = [*await pending_names.describing(conn, kind, forecast.MOST), *queued]
            order = list(dict.fromkeys(each.lookup_id for each in waiting))
            told = forecast.in_turn(order, self._each(bulk, len(order), now))
        elif source and len(queued) < forecast.MOST:
            told = await self._play_search(conn, source, queued, asked, hosts, now)
        sleeves = {
            each.lookup_id: forecast.Sleeve(each.album, each.own, each.cover)
            for each in waiting
            if each.album is not None
        }
        return told, sleeves, bulk is not None

    async def _archive(self, conn: Connection, asked: Lanes, now: datetime) -> forecast.Archive:
        """Say how covers go: at the pace of the last ones where they queue, else at the archive's."""
        policy = self._policies[trails.ARCHIVE]
        covers = await pending_names.covers(conn, trails.ARCHIVE, now, forecast.MOST)
        lately = asked.get((trails.ARCHIVE, _IMAGE, False), estimate.Asked())
        mean = (lately.requests * lately.mean + VOICE * USUAL_MEAN) / (lately.requests + VOICE)
        gap = max(policy.window / policy.requests, mean / policy.parallel)
        if len(covers) >= FEW and (measured := await estimates.pace(conn, trails.ARCHIVE, now, SEEN / 2)):
            gap = _towards(gap, measured, 0.5, LONGEST_COVER)
        held = lately.found + (lately.told - lately.found) / 2  # covers: what it has none of took two requests
        asks = (lately.told + VOICE * USUAL_ASKS) / (held + VOICE)
        waiting = tuple(
            forecast.Cover(each.release_group_id, each.plays, 1.0 if each.last else asks) for each in covers
        )
        return forecast.Archive(waiting, gap, asks, lately.took)

    def _each(self, bulk: str, waiting: int, now: datetime) -> float:
        """Return the seconds that one of an import's names takes: as lately while they went, else the source's pace.

        A request's worth must have gone: the first few names of an import go while its others are still written.
        """
        if self._seen and waiting > self._seen[-1][1]:
            self._seen.clear()  # more have come
        self._seen = [*(each for each in self._seen if now - each[0] < SEEN), (now, waiting)]
        since, went = self._seen[0][0], self._seen[0][1] - waiting
        policy = self._policies[bulk]
        if went >= policy.together:
            self._usual_each = (now - since).total_seconds() / went
        return max(policy.pace / policy.together, self._usual_each)

    async def _play_search(
        self,
        conn: Connection,
        broad: str,
        queued: Sequence[pending_names.Queued],
        asked: Lanes,
        hosts: Mapping[str, estimate.Host],
        now: datetime,
    ) -> dict[int, float]:
        known = await self._artists(conn, broad, [each for each in queued if each.want_id is None])
        by_want: dict[int, list[pending_names.Queued]] = {}
        for each in queued:
            by_want.setdefault(each.want_id or -each.lookup_id, []).append(each)
        names = tuple(
            forecast.Name(
                tuple(each.lookup_id for each in alike),
                alike[0].artist,
                sum(each.plays for each in alike),
                alike[0].asking,
                is_read=alike[0].want_id is None and known.get(alike[0].artist, False),
                opens=alike[0].opens,
                bears=alike[0].bears,
            )
            for alike in by_want.values()
        )
        policy = self._policies[broad]
        searched = asked.get((broad, _SEARCH, False), estimate.Asked())
        pace = forecast.Pace(
            gap=await self._gap(conn, broad, asked, now),
            took=searched.took,
            together=searched.largest or policy.together,
            tells=(searched.packs_told + VOICE * USUAL_TOLD) / (searched.packs + VOICE),
            tells_again=(searched.again_told + VOICE * USUAL_AGAIN) / (searched.again + VOICE),
        )
        listing = await estimates.listing(conn, broad)
        pages = dict.fromkeys((*listing, *(artist for artist, is_read in known.items() if not is_read)))
        read = tuple(artist for artist, is_read in known.items() if is_read)
        first = estimate.opens_in(hosts[policy.host], 0, searched.took)
        return await asyncio.to_thread(forecast.play, forecast.Queue(names, tuple(pages), read), pace, first)

    async def _artists(self, conn: Connection, broad: str, new: Sequence[pending_names.Queued]) -> dict[int, bool]:
        """Tell, of the artists of whom many names are about to be looked at and who are known, whose releases are."""
        waiting = Counter(each.artist for each in new)
        one_of = {each.lookup_id: each.artist for each in new if waiting[each.artist] >= discographies.WORTH}
        first = {artist: lookup_id for lookup_id, artist in one_of.items()}
        read = await discography.read(conn, broad, list(first.values())) if first else {}
        return {one_of[lookup_id]: is_read for lookup_id, is_read in read.items()}

    async def _gap(self, conn: Connection, source: str, asked: Lanes, now: datetime) -> float:
        """Return the seconds between two requests of an import: as they are, else what is left to it by who listens."""
        policy = self._policies[source]
        if measured := await estimates.pace(conn, source, now, SEEN):
            return _towards(policy.pace, measured, 0.3)
        spent = sum(each.requests for (name, _, awaited), each in asked.items() if awaited and name == source)
        return policy.pace / max(0.2, 1 - spent * policy.pace / estimates.LATELY.total_seconds())


def _towards(able: float, measured: float, power: float, longest: float = LONGEST_GAP) -> float:
    """Return what is between a host's pace and the measured one, as factors: what holds an import up, its own beginning
    most of all, passes.
    """
    return able * math.pow(min(max(measured / able, 1.0), longest), power)
