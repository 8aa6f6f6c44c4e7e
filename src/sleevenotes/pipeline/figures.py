"""The success figures over a period, put together from what is stored; docs/reference/figures.md says what each is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

import msgspec

from sleevenotes import errors
from sleevenotes.sources import contract, registry
from sleevenotes.store import arrivals, asked, backlog, successes
from sleevenotes.store.arrivals import share
from sleevenotes.store.postgres import Connection

SPANS: Final = {
    "hour": timedelta(hours=1),
    "day": timedelta(days=1),
    "week": timedelta(days=7),
    "month": timedelta(days=30),
    "all": None,
}
"""The periods that have a name, all of which end now; None begins with the first play."""


class Period(msgspec.Struct, frozen=True):
    """From `since` on and before `until`; `name` is one of SPANS, or "" for one that was given by its ends."""

    since: datetime
    until: datetime
    name: str = ""

    @property
    def seconds(self) -> float:
        """Return how long it is."""
        return max(0.0, (self.until - self.since).total_seconds())


class Success(msgspec.Struct, frozen=True):
    """Names first met in the period, and the plays of it, by what became of them; shares are of those decided."""

    names: successes.Names
    plays: successes.Plays
    names_share: float | None  # enriched of the decided
    plays_share: float | None
    match_rate: float | None  # enriched of those about whom everybody answered: enriched or not found
    abstained_share: float | None  # not found though there were candidates, of the same
    nothing_share: float | None  # not found, and nobody had anything


class Known(msgspec.Struct, frozen=True):
    """How much needed no asking: shares of the plays somebody waited for, and of the names first met."""

    by_plays: dict[str, int]
    name_share: float | None  # plays whose name was matched before they came
    catalogue_share: float | None  # plays that the offline catalogue matched as they were stored
    cover_share: float | None  # plays that showed a picture at once
    reply_share: float | None  # decided names without one question of their own


class Source(msgspec.Struct, frozen=True):
    """What one source was asked, and for each 1,000 plays received, imports included; None where there were none."""

    asked: asked.Asked
    requests_per_1000_plays: float | None
    fault_share: float | None  # of the questions


class Lane(msgspec.Struct, frozen=True):
    """What one host was sent, of what its budget allows in the period."""

    host: str
    requests: int
    allowed: int
    utilisation: float


class Report(msgspec.Struct, frozen=True):
    """All success figures. Seconds from when a play was received; counts and shares as the parts say."""

    period: Period
    waited_for: arrivals.Arrived
    first_plays: arrivals.Arrived
    others: successes.Others
    success: Success
    known: Known
    pending: backlog.Pending
    queues: list[backlog.Queue]
    bands: list[backlog.Band]
    backlog: backlog.Sampled
    sources: list[Source]
    lanes: list[Lane]
    requests_per_1000_plays: float | None


def named(name: str, now: datetime, began: datetime | None = None) -> Period:
    """Return the period of that name, which ends now. Raises errors.Refused for a name that is none."""
    if name not in SPANS:
        raise errors.Refused(f"{name[:40]!r} is no period: say {', '.join(SPANS)}.", field="period")
    length = SPANS[name]
    since = (began or now) if length is None else now - length
    return Period(min(since, now), now + timedelta(microseconds=1), name)


def between(since: str, until: str, now: datetime) -> Period:
    """Read a period from its ends, as dates or times of ISO 8601, UTC where they say no zone; "" is a day ago, or now.

    A day that ends a period belongs to it. Raises errors.Refused for what cannot be read, or ends before it begins.
    """
    end = _moment(until, "to", whole_day=True) if until else now + timedelta(microseconds=1)
    start = _moment(since, "from") if since else end - timedelta(days=1)
    if start >= end:
        raise errors.Refused("from: the period ends before it begins.", field="from")
    return Period(start, end)


async def report(conn: Connection, period: Period, now: datetime) -> Report:
    """Work out all figures of a period as they are known now."""
    await arrivals.settle(conn, now)
    span = (period.since, period.until)
    others, waited_for = await successes.others(conn, *span), await arrivals.count(conn, *span, now)
    received = waited_for.plays + others.synced + others.imported
    names = await successes.names(conn, *span)
    said = await asked.count(conn, *span)
    return Report(
        period=period,
        waited_for=waited_for,
        first_plays=await arrivals.count(conn, *span, now, firsts=True),
        others=others,
        success=_success(names, await successes.plays(conn, *span)),
        known=_known(names, await arrivals.met(conn, *span), waited_for.plays),
        pending=await backlog.pending(conn),
        queues=await backlog.queues(conn, now),
        backlog=await backlog.sampled(conn, *span),
        bands=await backlog.bands(conn, *span),
        sources=[Source(each, _per_1000(each.requests, received), share(each.fault, each.questions)) for each in said],
        lanes=lanes(said, period),
        requests_per_1000_plays=_per_1000(sum(each.requests for each in said), received),
    )


def lanes(said: Sequence[asked.Asked], period: Period) -> list[Lane]:
    """Hold what each host was sent against what its budget allows; sources of one host share it."""
    policies = {source.name: source.policy for source in registry.every(contract.Keys())}
    sent: Counter[str] = Counter()
    for each in said:
        if each.source in policies:
            sent[policies[each.source].host] += each.requests
    allowed = {policy.host: int(period.seconds / policy.pace) for policy in policies.values()}
    return [Lane(host, sent[host], allowed[host], share(sent[host], allowed[host]) or 0.0) for host in sorted(sent)]


def _success(names: successes.Names, plays: successes.Plays) -> Success:
    answered = names.enriched + names.not_found
    return Success(
        names=names,
        plays=plays,
        names_share=share(names.enriched, names.decided),
        plays_share=plays.success_share,
        match_rate=share(names.enriched, answered),
        abstained_share=share(names.abstained, answered),
        nothing_share=share(names.not_found - names.abstained, answered),
    )


def _known(names: successes.Names, met: dict[str, int], plays: int) -> Known:
    return Known(
        by_plays=met,
        name_share=share(met.get("known", 0), plays),
        catalogue_share=share(met.get("catalogue", 0), plays),
        cover_share=share(met["pictured"], plays),
        reply_share=share(names.unasked, names.decided),
    )


def _per_1000(requests: int, plays: int) -> float | None:
    return round(1000 * requests / plays, 1) if plays else None


def _moment(text: str, field: str, *, whole_day: bool = False) -> datetime:
    try:
        read = datetime.fromisoformat(text.strip())
    except ValueError as error:
        raise errors.Refused(f"{field}: {text[:40]!r} is no date and no time.", field=field) from error
    is_day = len(text.strip()) == len("2026-01-01")
    return (read if read.tzinfo else read.replace(tzinfo=UTC)) + timedelta(days=1 if is_day and whole_day else 0)
