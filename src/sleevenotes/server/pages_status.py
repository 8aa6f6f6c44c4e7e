"""Lanes and queues: whom we ask, how many wait, and what came of it."""

from __future__ import annotations

from datetime import datetime

import msgspec
from litestar import get
from litestar.response import Template

from sleevenotes.server import backfilled, feeds, foresight, services, templating, views
from sleevenotes.server.strangers import SignedIn
from sleevenotes.server.templating import Asking
from sleevenotes.settings import Settings
from sleevenotes.sources import contract, registry
from sleevenotes.store import backfills, popular_report, statistics

TICKS = 60  # most marks drawn for a minute's budget
COMPLETE = ("complete", "incomplete")
BANDS = ("critical", "default", "low_priority")


class Tick(msgspec.Struct, frozen=True):
    """One mark of a budget, and whether it is used."""

    x: int
    used: bool


class Share(msgspec.Struct, frozen=True):
    """A stretch of a bar: its class, its number, and where it stands, in per cent."""

    name: str
    count: int
    x: float
    width: float


class Line(msgspec.Struct, frozen=True):
    """One source as the page shows it."""

    name: str
    host: str
    state: str  # asking, resting, idle, off
    words: str
    limit: int  # requests in a minute
    used: int
    ticks: tuple[Tick, ...]
    waiting: tuple[Share, ...]
    waiting_total: int
    said: tuple[Share, ...]
    said_total: int
    p50_ms: int | None
    last: tuple[str, ...]  # outcomes, the oldest first


@get("/status")
async def status(request: Asking, account: SignedIn) -> Template:
    """Show lanes, queues and outcomes."""
    parts = services.of(request)
    now = parts.clock.now()
    async with parts.database.connection() as conn:
        counted = await statistics.snapshot(conn, now)
        new = await backfills.lately(conn, now)
        popular = await popular_report.read(conn, now)
        foreseen = await foresight.read(conn, now)
    tell = feeds.dater(account, now)
    return templating.page(
        request,
        "status.html",
        account,
        lines=[line(source, counted, now, tell, parts.settings) for source in registry.every(contract.Keys())],
        queues=[queue for queue in counted.queues if queue.queued or queue.picked or queue.held],
        lookups=shares(counted.lookups, ("enriched", "pending", "not_found", "failed")),
        artworks=shares(counted.artworks, ("found", "pending", "absent", "failed")),
        counted=counted,
        new_sources=backfilled.told(new),
        popular=popular,
        complete=shares({"complete": popular.complete, "incomplete": popular.names - popular.complete}, COMPLETE),
        per_hour=parts.settings.popular_per_hour if parts.settings.popular_names else 0,
        foreseen=foreseen,
        tell=tell,
    )


def line(
    source: contract.Source, counted: statistics.Snapshot, now: datetime, tell: feeds.Tell, given: Settings
) -> Line:
    """Put one source's numbers into a line."""
    lane = next((lane for lane in counted.lanes if lane.source == source.name), statistics.Lane(source.name))
    budget = next((one for one in counted.budgets if one.host == source.policy.host), None)
    off = registry.why_off(source, given, given.only_sources)
    state, words = ("off", f"Off: {off[0].lower()}{off[1:]}") if off else _state(lane, budget, now, tell)
    limit = round(source.policy.requests * 60 / source.policy.window)
    outcomes = {name: getattr(lane, name) for name in ("answered", "absent", "unknown", "fault")}
    return Line(
        name=views.source_name(source.name),
        host=source.policy.host,
        state=state,
        words=words,
        limit=limit,
        used=lane.requests_last_minute,
        ticks=ticks(lane.requests_last_minute, limit),
        waiting=shares(lane.waiting, BANDS, full=limit),  # a minute's budget fills the bar
        waiting_total=sum(lane.waiting.values()),
        said=shares(outcomes, tuple(outcomes)),
        said_total=sum(outcomes.values()),
        p50_ms=lane.p50_ms,
        last=tuple(reversed(lane.last)),
    )


def _state(lane: statistics.Lane, budget: statistics.Budget | None, now: datetime, tell: feeds.Tell) -> tuple[str, str]:
    if budget and budget.paused_until and budget.paused_until > now:
        seconds = (budget.paused_until - now).total_seconds() * 1000
        reason = f" {views.sentence(budget.pause_reason)}" if budget.pause_reason else ""
        return "resting", f"Resting for another {views.span(seconds)}.{reason}"
    waiting = sum(lane.waiting.values())
    if waiting:
        longest = f", the longest for {views.span(lane.oldest_s * 1000)}" if lane.oldest_s >= 1 else ""
        return "asking", f"Asking. {views.plural(waiting, 'question')} wait{'s' if waiting == 1 else ''}{longest}."
    if budget and budget.last_sent_at:
        return "idle", f"Nothing to ask. Last asked {tell(budget.last_sent_at).text}."
    asked = lane.answered + lane.absent + lane.unknown + lane.fault
    return "idle", "Nothing to ask." if asked else "Not asked yet."


def ticks(used: int, limit: int) -> tuple[Tick, ...]:
    """Draw a minute's budget as marks, one a request where there are few enough."""
    drawn = min(TICKS, max(1, limit))
    filled = min(drawn, -(-used * drawn // max(1, limit)))
    return tuple(Tick(at, at < filled) for at in range(drawn))


def shares(counts: dict[str, int], order: tuple[str, ...], full: int = 0) -> tuple[Share, ...]:
    """Lay counts side by side as shares of one bar, in this order; the bar stands for `full` at least."""
    total = max(full, sum(counts.values()))
    at, laid = 0.0, []
    for name in (*order, *sorted(set(counts) - set(order))):
        width = 100 * counts.get(name, 0) / total if total else 0
        if width:
            laid.append(Share(name, counts[name], round(at, 2), round(width, 2)))
        at += width
    return tuple(laid)


handlers = [status]
