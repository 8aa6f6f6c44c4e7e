"""The success figures of the whole installation over any period, for its owner.

Owners alone: an hour on a server of two tells each when the other listens.
"""

from __future__ import annotations

import zoneinfo
from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from typing import Final

import msgspec
from litestar import Router, get
from litestar.di import Provide
from litestar.params import FromQuery
from litestar.response import Template

from sleevenotes.pipeline import figures
from sleevenotes.server import pages_people, pages_status, periods, services, strangers, templating, views
from sleevenotes.server.pages_people import Owner
from sleevenotes.server.templating import Asking
from sleevenotes.store import arrivals, backlog, successes

LABELS: Final = {
    "hour": "The last hour",
    "day": "The last 24 hours",
    "week": "The last 7 days",
    "month": "The last 30 days",
    "all": "All time",
}
SHORT: Final = {"hour": "Hour", "day": "24 hours", "week": "7 days", "month": "30 days", "all": "All time"}

BARS, FEWEST = 60, 5
NOTHING = "\u2013"


class Target(msgspec.Struct, frozen=True):
    """One of the figures the project is held to; `met` is None where there is nothing to measure."""

    name: str
    value: str
    aim: str
    met: bool | None


class Row(msgspec.Struct, frozen=True):
    """Waits of some plays, as a line of the table."""

    picture: str
    of: str
    shown: int
    p50: str
    p95: str
    p99: str


class Chosen(msgspec.Struct, frozen=True):
    """The period as the picker shows it."""

    label: str
    query: str
    first: date | None = None
    last: date | None = None


class Bar(msgspec.Struct, frozen=True):
    """One stretch of the period in the drawing of the backlog."""

    x: int
    y: float
    height: float
    title: str


class Drawing(msgspec.Struct, frozen=True):
    """The backlog over the period."""

    width: int
    height: int
    bars: tuple[Bar, ...]
    summary: str
    ends: tuple[str, str]


@get("/figures")
async def page(request: Asking, account: Owner, period: FromQuery[str] = "", to: FromQuery[str] = "") -> Template:
    """Show how well it went over a period: ?period=hour, day, week, month or all, or ?from=2026-03-01&to=2026-03-31."""
    parts = services.of(request)
    now = parts.clock.now()
    since = request.query_params.get("from", "")
    async with parts.database.connection() as conn:
        span, chosen = _read(period, since, to, now, await successes.began(conn))
        told = await figures.report(conn, span, now)
        depths = await backlog.course(conn, span.since, span.until, BARS)
    where = views.zone(account.time_zone)
    return templating.page(
        request,
        "figures.html",
        account,
        told=told,
        chosen=chosen,
        presets=[periods.Preset(label, f"period={name}", name == span.name) for name, label in SHORT.items()],
        targets=targets(told),
        rows=rows(told),
        names=pages_status.shares(statuses(told.success.names), STATUSES),
        plays=pages_status.shares(statuses(told.success.plays), STATUSES),
        drawing=draw(depths, lambda at: _clock(at, where)),
        percent=percent,
    )


def _read(name: str, since: str, until: str, now: datetime, began: datetime | None) -> tuple[figures.Period, Chosen]:
    """Read the period from the address. Raises errors.Refused for one that is none."""
    if since or until:
        if len(since) == len(until) == len("2026-03-01"):
            since, until = sorted((since, until))  # two days that were picked are what lies between them
        span = figures.between(since, until, now)
        first, last = span.since.date(), (span.until - timedelta(microseconds=1)).date()
        return span, Chosen(f"{first} to {last}", f"from={first}&to={last}", first, last)
    name = name or "day"
    return figures.named(name, now, began), Chosen(LABELS[name], f"period={name}")


# ---------------------------------------------------------------- what is drawn

MINUS: Final = "\u2212"
STATUSES: Final = ("enriched", "pending", "not_found", "failed")


def targets(told: figures.Report) -> tuple[Target, ...]:
    """Hold the figures against what the project is held to."""
    wait, success = told.waited_for.first.p95_s, told.success.plays_share
    minute, growth = told.waited_for.within_minute_share, told.backlog.growth_per_hour
    return (
        Target("To the first picture", seconds(wait), "95 % of plays in under 5 s", None if wait is None else wait < 5),
        Target("Within a minute", percent(minute), "over 90 % of plays", None if minute is None else minute > 0.9),
        Target("Enriched", percent(success), "over 95 % of plays", None if success is None else success > 0.95),
        Target("Backlog", grown(growth), "not growing", None if growth is None else growth < 1),
    )


def grown(growth: float | None) -> str:
    """Say by how many names and covers the backlog grew in an hour: "+2.5 an hour"."""
    if growth is None:
        return NOTHING
    size = abs(growth)
    if size < 0.05:
        return "steady"
    return f"{'+' if growth > 0 else MINUS}{views.number(round(size)) if size >= 10 else f'{size:.1f}'} an hour"


def rows(told: figures.Report) -> tuple[Row, ...]:
    """List the waits: to the first picture and to the chosen cover, of all plays and of first ones."""
    kinds = (("all", told.waited_for), ("first of their name", told.first_plays))
    return (
        *(_row("First picture", of, some.first) for of, some in kinds),
        *(_row("Chosen cover", of, some.chosen) for of, some in kinds),
    )


def _row(picture: str, of: str, waits: arrivals.Waits) -> Row:
    return Row(picture, of, waits.plays, seconds(waits.p50_s), seconds(waits.p95_s), seconds(waits.p99_s))


def statuses(counted: successes.Names | successes.Plays) -> dict[str, int]:
    """Return the counts by status."""
    return {name: getattr(counted, name) for name in STATUSES}


def seconds(value: float | None) -> str:
    """Write a wait: "0.0 s", "3.8 s", "12 min"; a dash where there is none."""
    return NOTHING if value is None else "0 s" if value < 0.05 else views.span(value * 1000)


def percent(share: float | None) -> str:
    """Write a share: "93.4 %"; a dash of nothing."""
    return NOTHING if share is None else f"{100 * share:.1f} %".replace("100.0", "100")


def draw(course: Sequence[backlog.Depth], tell: Callable[[datetime], str]) -> Drawing | None:
    """Draw how much was pending, stretch by stretch; None where there are too few samples to draw."""
    if len(course) < FEWEST:
        return None
    most = max(each.pending for each in course)
    bars = tuple(
        Bar(
            x=12 * place,
            y=round(60 - 58 * each.pending / max(1, most), 1),
            height=round(58 * each.pending / max(1, most), 1),
            title=f"{tell(each.at)}: {views.number(each.pending)} pending",
        )
        for place, each in enumerate(course)
    )
    summary = f"Names and covers pending, {views.number(most)} at the most"
    return Drawing(12 * len(bars), 60, bars, summary, (tell(course[0].at), tell(course[-1].at)))


def _clock(at: datetime, where: zoneinfo.ZoneInfo) -> str:
    local = at.astimezone(where)
    return f"{local.day} {local:%b %H:%M}"


handlers = [
    Router(
        path="/",
        route_handlers=[page],
        dependencies={"account": Provide(pages_people.owner)},
        exception_handlers={strangers.Stranger: strangers.show_the_way},
        include_in_schema=False,
    )
]
