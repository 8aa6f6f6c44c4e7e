"""When what waits will be done: rows read, reckoned (`estimate`), told, and held against how it turns out.

Estimates are made when somebody asks. The first one of each name or cover is kept; when it is done, told and took are
compared, and the next estimates of the same way are corrected by that.
"""

from __future__ import annotations

import asyncio
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

import msgspec

from sleevenotes import clock, model
from sleevenotes.pipeline import artwork, asking, discography, estimate, forecast, trails
from sleevenotes.pipeline.estimate import Estimate
from sleevenotes.sources import contract
from sleevenotes.store import discographies, estimates, pending_names
from sleevenotes.store.played import Play
from sleevenotes.store.postgres import Connection

FRESH = timedelta(seconds=2)
"""For how long what was measured of the lanes stands for the present."""

STALE = timedelta(seconds=0.5)
"""For how long it does where names wait that nothing was measured of."""

FORESEEN = timedelta(seconds=5)
"""The same for an import's queue, which takes longer to play forward."""

LEASE = 30.0
"""Seconds beyond its timeout for which a lane holds a question (upstream.lane)."""

USUAL_TOLD, VOICE = 9.5, 8
"""How many of an import's pack a reply tells of, however large the pack, since its rows are so many; and for how many
requests' measurement that counts.
"""

LONGEST_GAP = 4.0
"""The most by which requests of an import are taken to be further apart than their host's pace."""

SEEN = timedelta(seconds=45)
"""For how long it counts how many names waited."""

FEW = 8
"""Names that must have gone meanwhile for their pace to say something."""

_LOW = model.Band.LOW_PRIORITY
_IMAGE = contract.tag(contract.FetchImage)
_SEARCH = contract.tag(contract.FindRecording)

Subject = tuple[str, int]  # stage and id, as in waiters
Lanes = Mapping[tuple[str, str, bool], estimate.Asked]  # (source, kind, somebody waits)


class Facts(NamedTuple):
    """What was measured of the lanes, once for all who ask within some seconds."""

    at: datetime
    asked: Lanes
    costs: tuple[estimates.Cost, ...]
    hosts: Mapping[str, estimate.Host]
    depths: Mapping[tuple[str, bool], estimates.Depth]
    turned_out: Mapping[str, Sequence[float]]
    cover_gap: float  # seconds between two covers of an import at the archive


class Estimator:
    """Estimates when plays will be done; one a process."""

    def __init__(self, sources: Sequence[contract.Source], time: clock.Clock) -> None:
        self._policies = {source.name: source.policy for source in sources}
        self._time = time
        self._facts: Facts | None = None
        self._foreseen: tuple[datetime, dict[int, float]] | None = None
        self._seen: list[tuple[datetime, int]] = []  # when so many of an import's names waited, lately
        self._usual_each = 0.0

    async def of(self, conn: Connection, plays: Sequence[Play]) -> dict[Subject, Estimate]:
        """Return an estimate for each subject (see `subject`) that any of these plays waits for."""
        subjects = sorted({each for play in plays if (each := subject(play))})
        if not subjects:
            return {}
        now = self._time.now()
        facts = await self._measure(conn, now)
        names = await pending_names.names(conn, [number for stage, number in subjects if stage == "match"])
        by_name = {each.lookup_id: each for each in names}
        waits: dict[Subject, list[estimates.Waiting]] = {each: [] for each in subjects}
        for row in await estimates.waiting(conn, subjects, facts.costs, now):
            waits[row.stage, row.subject_id].append(row)
        foreseen = await self._foresee(conn, [each for each in names if each.band is _LOW], waits, facts, now)
        found: dict[Subject, Estimate] = {}
        given: list[estimates.Given] = []
        for each, rows in waits.items():
            name = by_name.get(each[1]) if each[0] == "match" else None
            band = max((row.band for row in rows), default=name.band if name else model.Band.DEFAULT)
            told = self._reckon(each, rows, name, band, facts, foreseen, now)
            if told is not None:
                found[each] = told
                given.append(estimates.Given(*each, band, told.way, told.seconds, told.reckoned))
        await estimates.keep(conn, given, now)
        return found

    # ---------------------------------------------------------------- measuring

    async def _measure(self, conn: Connection, now: datetime) -> Facts:
        if self._facts is not None and abs(now - self._facts.at) < FRESH:
            return self._facts
        await estimates.settle(conn)
        asked = {
            (each.source, each.kind, each.awaited): estimate.Asked(
                each.questions, each.told, each.requests, each.took_ms / 1000, each.packs, each.packs_told, each.largest
            )
            for each in await estimates.measured(conn, now)
        }
        costs = tuple(self._costs(asked))
        budgets = {each.host: each for each in await estimates.sent(conn)}
        hosts = {policy.host: _host(policy, budgets.get(policy.host), now) for policy in self._policies.values()}
        self._facts = Facts(
            at=now,
            asked=asked,
            costs=costs,
            hosts=hosts,
            depths={(each.host, each.awaited): each for each in await estimates.depths(conn, costs, now)},
            turned_out=await estimates.turned_out(conn, now),
            cover_gap=await self._cover_gap(conn, asked, now),
        )
        return self._facts

    async def _cover_gap(self, conn: Connection, asked: Lanes, now: datetime) -> float:
        policy = self._policies.get(trails.ARCHIVE)
        if policy is None:
            return 0.0
        took = asked.get((trails.ARCHIVE, _IMAGE, False), estimate.Asked()).took
        able = max(policy.window / policy.requests, took / policy.parallel)
        return _towards(able, await estimates.pace(conn, trails.ARCHIVE, now) or able, 0.5)

    async def _foresee(
        self,
        conn: Connection,
        names: Sequence[pending_names.Name],
        waits: Mapping[Subject, Sequence[estimates.Waiting]],
        facts: Facts,
        now: datetime,
    ) -> Mapping[int, float]:
        """Return the seconds until an import's names are told, by lookup: as foreseen a while ago, or anew."""
        if not names:
            return {}
        at, known = self._foreseen or (now - FORESEEN, {})
        strange = any(name.lookup_id not in known and _is_new(waits, name) for name in names)  # an import came since
        if now - at >= (STALE if strange else FORESEEN):
            at, known = self._foreseen = now, await self._play_forward(conn, facts, now)
        passed = (now - at).total_seconds()
        return {lookup_id: max(0.0, seconds - passed) for lookup_id, seconds in known.items()}

    async def _play_forward(self, conn: Connection, facts: Facts, now: datetime) -> dict[int, float]:
        """Foresee when an import's names will be done, covers and all: those that wait at the bulk source, which
        answers most, or without one at the broadest; or that are about to.
        """
        bulk = next((name for name in asking.BULK if name in self._policies), None)
        source = bulk or next((name for name in asking.BROAD if name in self._policies), None)
        if source is None:
            return {}
        queued = await pending_names.queue(conn, source, now, forecast.MOST)
        albums = {each.lookup_id: each.album for each in queued if each.album is not None}
        if bulk:
            described = await pending_names.describing(conn, contract.tag(contract.DescribeRecording), forecast.MOST)
            albums |= {lookup_id: album for lookup_id, album in described if album is not None}
            order = [*(lookup_id for lookup_id, _ in described), *(each.lookup_id for each in queued)]
            told = forecast.in_turn(list(dict.fromkeys(order)), self._each(bulk, len(order), now))
        elif queued and len(queued) < forecast.MOST:
            told = await self._play_search(conn, source, queued, facts, now)
        else:
            return {}
        if trails.ARCHIVE not in self._policies:
            return told
        took = facts.asked.get((trails.ARCHIVE, _IMAGE, False), estimate.Asked()).took
        depth = facts.depths.get((self._policies[trails.ARCHIVE].host, False))
        archive = forecast.Archive(depth.questions if depth else 0, facts.cover_gap, took)
        done = forecast.then_covers(told, albums, archive)
        return done if bulk else forecast.hedged(done)

    def _each(self, bulk: str, waiting: int, now: datetime) -> float:
        """Return the seconds that one of an import's names takes: as lately while they went, else the source's pace."""
        if self._seen and waiting > self._seen[-1][1]:
            self._seen.clear()  # more have come
        self._seen = [*(each for each in self._seen if now - each[0] < SEEN), (now, waiting)]
        since, went = self._seen[0][0], self._seen[0][1] - waiting
        if went >= FEW:
            self._usual_each = (now - since).total_seconds() / went
        policy = self._policies[bulk]
        return max(policy.pace / policy.together, self._usual_each)

    async def _play_search(
        self, conn: Connection, broad: str, queued: Sequence[pending_names.Queued], facts: Facts, now: datetime
    ) -> dict[int, float]:
        known = await self._known(conn, broad, [each for each in queued if each.want_id is None])
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
            )
            for alike in by_want.values()
        )
        host, policy = facts.hosts[self._policies[broad].host], self._policies[broad]
        searched = facts.asked.get((broad, _SEARCH, False), estimate.Asked())
        pace = forecast.Pace(
            gap=await self._gap(conn, broad, facts.asked, now),
            took=searched.took,
            together=searched.largest or policy.together,
            tells=(searched.packs_told + VOICE * USUAL_TOLD) / (searched.packs + VOICE),
        )
        asked = await estimates.listing(conn, broad)
        pages = dict.fromkeys((*asked, *(artist for artist, is_read in known.items() if not is_read)))
        read = (artist for artist, is_read in known.items() if is_read)
        first = estimate.opens_in(host, 0, searched.took)
        return await asyncio.to_thread(forecast.play, forecast.Queue(names, tuple(pages), tuple(read)), pace, first)

    async def _known(self, conn: Connection, broad: str, new: Sequence[pending_names.Queued]) -> dict[int, bool]:
        """Tell, of the artists of whom many names are about to be looked at and who are known, whose releases are."""
        waiting = Counter(each.artist for each in new)
        one_of = {each.lookup_id: each.artist for each in new if waiting[each.artist] >= discographies.WORTH}
        first = {artist: lookup_id for lookup_id, artist in one_of.items()}
        read = await discography.read(conn, broad, list(first.values())) if first else {}
        return {one_of[lookup_id]: is_read for lookup_id, is_read in read.items()}

    async def _gap(self, conn: Connection, source: str, asked: Lanes, now: datetime) -> float:
        """Return the seconds between two requests of an import: as they are, else what is left to it by who listens."""
        policy = self._policies[source]
        if measured := await estimates.pace(conn, source, now):
            return _towards(policy.pace, measured, 0.3)
        spent = sum(each.requests for (name, _, awaited), each in asked.items() if awaited and name == source)
        return policy.pace / max(0.2, 1 - spent * policy.pace / estimates.LATELY.total_seconds())

    def _costs(self, asked: Lanes) -> list[estimates.Cost]:
        return [
            estimates.Cost(
                source=name,
                kind=contract.tag(kind),
                awaited=awaited,
                slots=1.0
                / estimate.told_together(
                    asked.get((name, contract.tag(kind), awaited), estimate.Asked()), _together(policy, kind, awaited)
                ),
                host=policy.host,
                single=policy.together == 1,
            )
            for name, policy in self._policies.items()
            for kind in policy.answers
            for awaited in (False, True)
        ]

    # ---------------------------------------------------------------- reckoning

    def _reckon(
        self,
        of: Subject,
        rows: Sequence[estimates.Waiting],
        name: pending_names.Name | None,
        band: model.Band,
        facts: Facts,
        foreseen: Mapping[int, float],
        now: datetime,
    ) -> Estimate | None:
        """Reckon how long one subject will take, None where nobody can be asked about it."""
        questions = {row.source: self._waits(row, now) for row in rows if row.source in self._policies}
        awaited = band > _LOW
        if not questions and (joined := self._joining(of[0], awaited, facts)):
            questions = {joined.source: joined}
        until = {source: self._until(each, facts) for source, each in questions.items()}
        if not until:
            return None
        if of[0] == "match":
            first = estimate.deciding(until, _before_all(rows))
        else:
            first = estimate.cover(until, trails.ARCHIVE, artwork.PATIENCE if awaited else None)
        asked = questions[first]
        seconds, way = until[first], f"{of[0]} {first}"
        is_foreseen = of[0] == "match" and not awaited and of[1] in foreseen
        if is_foreseen:
            seconds, way = foreseen[of[1]], f"{of[0]}, foreseen"
        elif awaited:
            way += " waited for, asking" if asked.asked_for is not None else " waited for"
        elif first == trails.ARCHIVE and asked.asked_for is None:
            seconds = max(seconds, asked.slots * facts.cover_gap)
        if (
            name is not None
            and not is_foreseen
            and not name.covered
            and (cover := self._joining("artwork", awaited, facts))
        ):
            seconds, way = seconds + self._until(cover, facts), f"{way}, then a cover"
        host = facts.hosts[self._policies[first].host]
        furthest = estimate.FURTHEST if awaited else estimate.FURTHEST_OF_IMPORTS
        turned_out = () if is_foreseen else facts.turned_out.get(way, ())  # what is foreseen goes by what is measured
        return Estimate(
            seconds=estimate.corrected(seconds, turned_out, furthest),
            reckoned=seconds,
            way=way,
            source=first,
            kind=asked.kind,
            ahead=asked.ahead,
            asking=asked.asked_for is not None,
            paused_for=host.paused_for,
        )

    def _waits(self, row: estimates.Waiting, now: datetime) -> estimate.Waits:
        asked_for = None
        if row.leased_until is not None and row.leased_until > now:
            lease = self._policies[row.source].timeout + LEASE
            asked_for = max(0.0, lease - (row.leased_until - now).total_seconds())
        return estimate.Waits(
            source=row.source,
            kind=row.kind,
            awaited=row.band > _LOW,
            slots=row.slots,
            ahead=row.ahead,
            asked_for=asked_for,
            due_in=max(0.0, (row.due_at - now).total_seconds()),
        )

    def _joining(self, stage: str, awaited: bool, facts: Facts) -> estimate.Waits | None:
        """Return the question that a subject of this stage will wait for, at the end of its band."""
        kind: type[contract.Question] = contract.FindRecording if stage == "match" else contract.FetchImage
        first = (*asking.BULK, *asking.BROAD, *asking.QUICK) if stage == "match" else (trails.ARCHIVE,)
        able = [name for name, policy in self._policies.items() if kind in policy.answers]
        source = next((name for name in first if name in able), None)
        if source is None:
            return None
        host = self._policies[source].host
        before = [facts.depths.get((host, True))] + ([] if awaited else [facts.depths.get((host, False))])
        slots = sum(each.slots for each in before if each)
        ahead = sum(each.questions for each in before if each)
        return estimate.Waits(source, contract.tag(kind), awaited, slots, ahead)

    def _until(self, waits: estimate.Waits, facts: Facts) -> float:
        asked = facts.asked.get((waits.source, waits.kind, waits.awaited))
        asked = asked or facts.asked.get((waits.source, waits.kind, not waits.awaited)) or estimate.Asked()
        return estimate.question(waits, facts.hosts[self._policies[waits.source].host], asked)


def _towards(able: float, measured: float, power: float) -> float:
    """Return what is between a host's pace and the measured one, as factors: what holds an import up, its own beginning
    most of all, passes.
    """
    return able * math.pow(min(max(measured / able, 1.0), LONGEST_GAP), power)


def subject(play: Play) -> Subject | None:
    """Return what a play waits for: its name, or its album's cover; None where it is done."""
    if play.status is model.Status.PENDING:
        return "match", play.lookup_id
    if play.release_group_id is not None and play.artwork_status == "pending":
        return "artwork", play.release_group_id
    return None


def _is_new(waits: Mapping[Subject, Sequence[estimates.Waiting]], name: pending_names.Name) -> bool:
    """Tell whether a name waits where all do that are asked about for the first time, or does not wait yet."""
    return all(row.source in (*asking.BULK, *asking.BROAD) for row in waits["match", name.lookup_id])


def _before_all(rows: Sequence[estimates.Waiting]) -> list[str]:
    """List whose answer decides a name, the likeliest first: who describes the recording that another source named,
    then the bulk source, which decides most by itself, then the broadest.
    """
    describing = [row.source for row in rows if row.kind == contract.tag(contract.DescribeRecording)]
    return [*describing, *asking.BULK, *asking.BROAD]


def _together(policy: contract.Policy, kind: type[msgspec.Struct], awaited: bool) -> int:
    if kind in policy.singly:
        return 1
    return policy.awaited if awaited and policy.awaited else policy.together


def _host(policy: contract.Policy, budget: estimates.Sent | None, now: datetime) -> estimate.Host:
    paused = budget.paused_until if budget else None
    return estimate.Host(
        requests=policy.requests,
        window=policy.window,
        parallel=policy.parallel,
        sent_ago=tuple((now - at).total_seconds() for at in budget.sent[-policy.requests :]) if budget else (),
        paused_for=max(0.0, (paused - now).total_seconds()) if paused else 0.0,
    )
