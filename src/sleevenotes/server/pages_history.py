"""Listening history: years, months and days, each with its plays as a picture; and search in all that was played."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

import msgspec
from litestar import get
from litestar.exceptions import NotFoundException
from litestar.params import FromPath, FromQuery
from litestar.response import Template

from sleevenotes.server import drawn, feeds, inputs, pages_charts, periods, rhythm, services, templating, views
from sleevenotes.server.strangers import SignedIn
from sleevenotes.server.templating import Asking
from sleevenotes.store import charts, played, tallies
from sleevenotes.store.accounts import Account
from sleevenotes.store.postgres import Connection

ROWS = 60  # plays on one page of a day
FOUND = 60  # of each kind
SLEEVES = 9  # of a month: they fill a rectangle


class Square(msgspec.Struct, frozen=True):
    """A day of a month's calendar; `day` is None in front of the first and behind the last."""

    day: date | None
    plays: int
    level: int
    future: bool


@get("/history")
async def history(request: Asking, account: SignedIn) -> Template:
    """Show the year in which was played last."""
    return await _shown(request, account, "", "")


@get("/history/{when:str}")
async def some(request: Asking, account: SignedIn, when: FromPath[str], before: FromQuery[str] = "") -> Template:
    """Show a year ("2025"), a month ("2025-03") or a day ("2025-03-04")."""
    return await _shown(request, account, when, before)


@get("/history/search")
async def search(request: Asking, account: SignedIn, q: FromQuery[str] = "") -> Template:
    """Find words in what was played."""
    words = inputs.words(q)
    async with services.of(request).database.connection() as conn:
        found = await charts.search(conn, account.id, words, FOUND)
    return templating.page(request, "search.html", account, q=words, found=found)


async def _shown(request: Asking, account: Account, when: str, before: str) -> Template:
    parts = services.of(request)
    now = parts.clock.now()
    where = views.zone(account.time_zone)
    today = views.day(now, where)
    async with parts.database.connection() as conn:
        bounds = await tallies.bounds(conn, account.id)
        if bounds is None:
            return templating.page(request, "history.html", account, years=[], year=today.year, total=0)
        ends = [views.day(at, where) for at in bounds]
        if re.fullmatch(r"\d{4}-\d\d-\d\d", when):
            return await _day(request, conn, account, _checked(when), before, now)
        if re.fullmatch(r"\d{4}-\d\d", when):
            month = _checked(f"{when}-01")
            return await _month(request, conn, account, month, today, ends)
        if when and not re.fullmatch(r"(?:19|20|21)\d\d", when):
            raise NotFoundException
        return await _year(request, conn, account, int(when or ends[1].year))


def _checked(text: str) -> date:
    try:
        found = date.fromisoformat(text)
    except ValueError:
        raise NotFoundException from None
    if not 1900 <= found.year <= 9000:
        raise NotFoundException
    return found


# ---------------------------------------------------------------- a year


async def _year(request: Asking, conn: Connection, account: Account, year: int) -> Template:
    first, last = date(year, 1, 1), date(year, 12, 31)
    mine = await _days(conn, account, first, last)
    albums = await charts.albums(conn, account.id, periods.of_days(first, last, views.zone(account.time_zone)), 1)
    return templating.page(
        request,
        "history.html",
        account,
        year=year,
        total=sum(mine.values()),
        years=await _years(conn, account),
        heats=drawn.calendar(mine, first, last, lambda day: f"/history/{day}"),
        months=[month for month in drawn.months(mine, first, last) if month[1]],
        tint=pages_charts.tint(albums),
        best=max(mine.items(), key=lambda pair: pair[1], default=None),
        active=len(mine),
        streak=streak(mine),
    )


async def _years(conn: Connection, account: Account) -> list[tuple[int, int, float]]:
    """Return (year, plays, share of the fullest year in per cent), newest first, none left out in between."""
    sums, days = await tallies.years(conn, account.id)
    for day, plays in rhythm.by_day(days, views.zone(account.time_zone)).items():
        sums[day.year] = sums.get(day.year, 0) + plays
    most = max(sums.values(), default=1)
    counted = [(year, sums.get(year, 0)) for year in range(min(sums), max(sums) + 1)] if sums else []
    return [(year, plays, round(100 * plays / most, 1)) for year, plays in reversed(counted)]


def streak(days: Mapping[date, int]) -> int:
    """Return the most days in a row with plays."""
    longest = run = 0
    before = date.min
    for day in sorted(days):
        run = run + 1 if day - before == timedelta(days=1) else 1
        longest, before = max(longest, run), day
    return longest


async def _days(conn: Connection, account: Account, first: date, last: date) -> dict[date, int]:
    margin = timedelta(days=1)
    counted = await tallies.quarters(conn, account.id, first - margin, last + margin)
    days = rhythm.by_day(counted, views.zone(account.time_zone))
    return {day: plays for day, plays in days.items() if first <= day <= last}


# ---------------------------------------------------------------- a month


async def _month(
    request: Asking, conn: Connection, account: Account, month: date, today: date, ends: list[date]
) -> Template:
    first, last = periods.month(month.year, month.month)
    days = await _days(conn, account, first, last)
    period = periods.of_days(first, last, views.zone(account.time_zone))
    albums = await charts.albums(conn, account.id, period, SLEEVES)
    before, after = first - timedelta(days=1), last + timedelta(days=1)
    return templating.page(
        request,
        "month.html",
        account,
        month=month,
        called=drawn.month_name(month),
        total=sum(days.values()),
        weeks=_weeks(days, first, last, today),
        albums=albums,
        artists=await charts.artists(conn, account.id, period, 6),
        sizes=drawn.MOSAIC,
        tint=pages_charts.tint(albums),
        before=(f"{before:%Y-%m}", f"{before:%B}") if before >= ends[0].replace(day=1) else None,
        after=(f"{after:%Y-%m}", f"{after:%B}") if after <= max(ends[1], today) else None,
    )


def _weeks(days: Mapping[date, int], first: date, last: date, today: date) -> list[list[Square]]:
    full = drawn.full_day(days)
    start = first - timedelta(days=first.weekday())
    rows = []
    while start <= last:
        rows.append([_square(start + timedelta(days=n), days, first, last, today, full) for n in range(7)])
        start += timedelta(days=7)
    return rows


def _square(day: date, days: Mapping[date, int], first: date, last: date, today: date, full: int) -> Square:
    if not first <= day <= last:
        return Square(None, 0, 0, future=False)
    plays = days.get(day, 0)
    return Square(day, plays, drawn.level(plays, full), future=day > today)


# ---------------------------------------------------------------- a day


async def _day(request: Asking, conn: Connection, account: Account, day: date, before: str, now: datetime) -> Template:
    where = views.zone(account.time_zone)
    period = periods.of_days(day, day, where)
    found = await played.feed(
        conn, account.id, before=feeds.parse(before), since=period.first, until=period.past, limit=ROWS + 1
    )
    plays = found[:ROWS]
    await feeds.hurry(conn, plays, now)
    return templating.page(
        request,
        "day.html",
        account,
        day=day,
        label=views.day_label(day, views.day(now, where)),
        exact=f"{day:%A} {day.day} {day:%B %Y}",
        total=await charts.plays(conn, account.id, period),
        plays=plays,
        usual_app=feeds.usual_app(plays),
        tell=feeds.teller(account, now),
        older=feeds.cursor(plays[-1]) if len(found) > ROWS else "",
        before=_step(await _neighbour(conn, account, period, day, earlier=True)),
        after=_step(await _neighbour(conn, account, period, day, earlier=False)),
        month=drawn.month_name(day),
    )


def _step(day: date | None) -> tuple[str, str] | None:
    return (day.isoformat(), f"{day:%a} {day.day} {day:%b}") if day else None


async def _neighbour(
    conn: Connection, account: Account, period: charts.Period, day: date, *, earlier: bool
) -> date | None:
    """Return the nearest day before or after with plays."""
    if earlier:
        plays = await played.feed(conn, account.id, until=period.first, limit=1)
    else:
        plays = await played.feed(conn, account.id, since=period.past, limit=1, oldest=True)
    found = views.day(plays[0].listened_at, views.zone(account.time_zone)) if plays else day
    return found if found != day else None


handlers: list[Any] = [history, search, some]
