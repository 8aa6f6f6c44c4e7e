"""When what waits will be done: rows read, reckoned (`estimate`), told, and held against how it turns out.

Estimates are made when somebody asks. The first one of each name or cover is kept; when it is done, told and took are
compared, and the next estimates of the same way are corrected by that.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

import msgspec

from sleevenotes import clock, model
from sleevenotes.pipeline import artwork, asking, estimate, trails
from sleevenotes.pipeline.estimate import Estimate, Lanes, Subject
from sleevenotes.pipeline.forecasting import Forecaster
from sleevenotes.sources import contract
from sleevenotes.store import estimates, pending_names
from sleevenotes.store.played import Play
from sleevenotes.store.postgres import Connection

FRESH = timedelta(seconds=2)
"""For how long what was measured of the lanes stands for the present."""

LEASE = 30.0
"""Seconds beyond its timeout for which a lane holds a question (upstream.lane)."""

_LOW = model.Band.LOW_PRIORITY
_IMAGE = contract.tag(contract.FetchImage)


class Facts(NamedTuple):
    """What was measured of the lanes, once for all who ask within some seconds."""

    at: datetime
    asked: Lanes
    costs: tuple[estimates.Cost, ...]
    hosts: Mapping[str, estimate.Host]
    depths: Mapping[tuple[str, bool], estimates.Depth]
    turned_out: Mapping[str, Sequence[float]]


class Estimator:
    """Estimates when plays will be done; one a process."""

    def __init__(self, sources: Sequence[contract.Source], time: clock.Clock) -> None:
        self._policies = {source.name: source.policy for source in sources}
        self._time = time
        self._facts: Facts | None = None
        self._forecaster = Forecaster(self._policies)

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
        of_imports = [each for each in names if each.band is _LOW]
        new = [("match", each.lookup_id) for each in of_imports if _is_new(waits, each)]
        foreseen: Mapping[Subject, float] = {}
        if of_imports or any(row.stage == "artwork" and row.band is _LOW for rows in waits.values() for row in rows):
            foreseen = await self._forecaster.of(conn, new, facts.asked, facts.hosts, now)
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
                each.questions,
                each.told,
                each.found,
                each.requests,
                each.took_ms / 1000,
                each.mean_ms / 1000,
                each.packs,
                each.packs_told,
                each.again,
                each.again_told,
                each.largest,
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
        )
        return self._facts

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
        foreseen: Mapping[Subject, float],
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
        is_foreseen = not awaited and of in foreseen and (of[0] == "match" or asked.asked_for is None)
        if is_foreseen:
            seconds, way = foreseen[of], f"{of[0]}, foreseen"
        elif awaited:
            way += " waited for, asking" if asked.asked_for is not None else " waited for"
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
