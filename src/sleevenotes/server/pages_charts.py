"""Charts: what was played most in any period, and when; a year in a glance, and each list by itself."""

from __future__ import annotations

import asyncio
import zoneinfo
from collections.abc import Awaitable, Callable
from datetime import date, datetime, timedelta
from typing import Any

import msgspec
from litestar import get
from litestar.exceptions import NotFoundException
from litestar.params import FromPath, FromQuery
from litestar.response import Template

from sleevenotes import errors
from sleevenotes.server import covers, drawn, periods, rhythm, services, templating, views
from sleevenotes.server.strangers import SignedIn
from sleevenotes.server.templating import Asking
from sleevenotes.store import charts, tallies
from sleevenotes.store.accounts import Account
from sleevenotes.store.charts import Tops
from sleevenotes.store.postgres import Connection, Database

GLANCE = 10  # of each list on the overview
SLEEVES = len(drawn.MOSAIC)  # on its wall
LONG = 100  # on one page of a list
GENRES = 60
LISTS = {"artists": charts.artists, "albums": charts.albums, "tracks": charts.tracks}
EVERY: dict[str, Callable[[Connection, int, charts.Prepared, int], Awaitable[Any]]] = {**LISTS, "genres": charts.genres}
NAMES = {"artists": "Artists", "albums": "Albums", "tracks": "Tracks", "genres": "Genres", "hours": "Hours"}


class Times(msgspec.Struct, frozen=True):
    """When an account played in a period: by day, and by weekday and hour."""

    first: date
    last: date
    days: dict[date, int]
    week: list[list[int]]

    @property
    def plays(self) -> int:
        """Return how many plays these are."""
        return sum(self.days.values())


@get("/charts")
async def overview(
    request: Asking,
    account: SignedIn,
    period: FromQuery[str] = "",
    to: FromQuery[str] = "",
) -> Template:
    """Show a period in a glance: days, artists, albums, tracks, genres, hours."""
    parts = services.of(request)
    now = parts.clock.now()
    async with parts.database.connection() as conn:
        frame = await _frame(conn, request, account, now, period, to)
    facts = await _glance(parts.database, account, frame["chosen"], now)
    return templating.page(request, "charts.html", account, **frame, **facts, names=NAMES, what="")


@get("/charts/{what:str}")
async def one(
    request: Asking,
    account: SignedIn,
    what: FromPath[str],
    period: FromQuery[str] = "",
    to: FromQuery[str] = "",
    page: FromQuery[int] = 1,
) -> Template:
    """Show one list of a period, or its hours."""
    if what not in NAMES:
        raise NotFoundException
    if not 1 <= page <= 10_000:
        raise errors.Refused("page: there is no such page.", field="page")
    parts = services.of(request)
    now = parts.clock.now()
    async with parts.database.connection() as conn:
        frame = await _frame(conn, request, account, now, period, to)
        facts = await _one(conn, account, what, frame["chosen"], now, page)
    return templating.page(request, "chart.html", account, **frame, **facts, names=NAMES, what=what, page=page)


async def _frame(
    conn: Connection, request: Asking, account: Account, now: datetime, period: str, to: str
) -> dict[str, Any]:
    """Read what every chart has around it: the period, and those to choose from."""
    where = views.zone(account.time_zone)
    today = views.day(now, where)
    chosen = periods.read(period, request.query_params.get("from", ""), to, today, where)
    bounds = await tallies.bounds(conn, account.id)
    return {"chosen": chosen, "presets": periods.presets(chosen, periods.began(bounds, where), today)}


async def _one(
    conn: Connection, account: Account, what: str, chosen: periods.Chosen, now: datetime, page: int
) -> dict[str, Any]:
    if what == "hours":
        when = await times(conn, account, chosen, now)
        return {"when": when, **_hours(when), "tint": ""}
    if what == "genres":
        return {"genres": await charts.genres(conn, account.id, chosen.period, GENRES), "tint": ""}
    tops = await LISTS[what](conn, account.id, chosen.period, LONG, LONG * (page - 1))
    most = tops.entries[0].plays if tops.entries else 1
    if page > 1:
        first = await LISTS[what](conn, account.id, chosen.period, 1)
        most = first.entries[0].plays if first.entries else 1
    return {"tops": tops, "most": most, "tint": tint(tops), "more": tops.different > LONG * page}


async def _glance(database: Database, account: Account, chosen: periods.Chosen, now: datetime) -> dict[str, Any]:
    """Read all that a period shows in a glance: its lists on two connections while its times are turned here."""
    first, others, when = await asyncio.gather(
        _lists(database, account, chosen, albums=SLEEVES, tracks=GLANCE),
        _lists(database, account, chosen, artists=GLANCE, genres=GLANCE),
        _when(database, account, chosen, now),
    )
    return {
        **first,
        **others,
        "when": when,
        "tint": tint(first["albums"]),
        "sizes": drawn.MOSAIC,
        **days_of(when),
        **_hours(when),
    }


async def _lists(database: Database, account: Account, chosen: periods.Chosen, **wanted: int) -> dict[str, Any]:
    async with database.connection() as conn:
        period = await charts.prepare(conn, account.id, chosen.period)
        return {what: await EVERY[what](conn, account.id, period, most) for what, most in wanted.items()}


async def _when(database: Database, account: Account, chosen: periods.Chosen, now: datetime) -> Times:
    async with database.connection() as conn:
        return await times(conn, account, chosen, now)


def days_of(when: Times) -> dict[str, Any]:
    """Draw the days of a period: squares up to a good year, bars beyond."""
    length = (when.last - when.first).days + 1
    if length <= 62:
        each = [when.first + timedelta(days=n) for n in range(length)]
        counts = [(f"{day.day} {day:%b}", when.days.get(day, 0), f"/history/{day}") for day in each]
        return {"heats": [], "bars": drawn.bars(counts, "Plays by day")}
    if length <= 400:
        return {"heats": drawn.calendar(when.days, when.first, when.last, lambda day: f"/history/{day}"), "bars": None}
    counts = drawn.months(when.days, when.first, when.last)
    return {"heats": [], "bars": drawn.bars(counts, "Plays by month")}


def _hours(when: Times) -> dict[str, Any]:
    return {
        "dial_picture": drawn.dial(when.week),
        "grid": drawn.week_grid(when.week),
        "busiest": drawn.busiest(when.week),
    }


async def times(conn: Connection, account: Account, chosen: periods.Chosen, now: datetime) -> Times:
    """Read when an account played in a period; without one, from the first play to the last."""
    where = views.zone(account.time_zone)
    first, last = chosen.first, chosen.last
    today = views.day(now, where)
    bounds = await tallies.bounds(conn, account.id)
    if bounds is None:
        return Times(first or today, last or today, {}, [[0] * 24 for _ in range(7)])
    ends = [views.day(at, where) for at in bounds]
    first, last = first or ends[0], last or max(ends[1], today)
    shown = max(first, ends[0]), max(min(last, ends[1]), first, ends[0])
    day = timedelta(days=1)
    counted = await tallies.quarters(conn, account.id, shown[0] - day, shown[1] + day)
    return _times(counted, where, first, last, ends)


def _times(counted: rhythm.Quarters, where: zoneinfo.ZoneInfo, first: date, last: date, ends: list[date]) -> Times:
    days = {day: plays for day, plays in rhythm.by_day(counted, where).items() if first <= day <= last}
    week = rhythm.by_hour(counted, where, first, last)
    if (last - first).days > 400:  # bars by month begin where plays do
        first, last = max(first, ends[0]), min(last, max(ends[1], first))
    return Times(first, last, days, week)


def tint(tops: Tops) -> str:
    """Take a period's colour from the cover of what was played most; "" where there is none."""
    return next((covers.tint(top.colour) for top in tops.entries if top.colour), "")


handlers = [overview, one]
