"""The periods that Last.fm's and ListenBrainz' charts are asked for by name. Pure."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sleevenotes.store.charts import Period

WEEK = timedelta(days=7)
LATEST_S = 7_258_118_400  # the start of 2200: after all plays, also where milliseconds are sent for seconds
_A_SUNDAY = datetime(2005, 2, 13, 12, tzinfo=UTC)  # when the first week of Last.fm's charts began

LASTFM = {"overall": 0, "7day": 7, "1month": 30, "3month": 90, "6month": 180, "12month": 365}  # days, to now

LISTENBRAINZ = (
    *("this_week", "this_month", "this_year"),
    *("week", "month", "quarter", "half_yearly", "year", "all_time"),
)


def lastfm(name: str, now: datetime) -> Period | None:
    """Return Last.fm's period of this name: the days up to now. None for a name that is none."""
    days = LASTFM.get(name)
    if days is None:
        return None
    return Period(now - timedelta(days=days), now + timedelta(hours=1)) if days else Period()


def week_of(at: datetime) -> datetime:
    """Return when the week of a moment began: on Sunday at 12:00 UTC, as at Last.fm."""
    return _A_SUNDAY + (at - _A_SUNDAY) // WEEK * WEEK


def weeks(first: datetime, now: datetime) -> list[datetime]:
    """Return the beginnings of the weeks from that of `first` on that are over."""
    begin, found = week_of(first), []
    while begin + WEEK <= now:
        found.append(begin)
        begin += WEEK
    return found


def listenbrainz(name: str, now: datetime) -> Period | None:
    """Return ListenBrainz' range of this name, in UTC: "week" is the last whole one, "this_week" the running one.

    None for a name that is none.
    """
    today = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    monday, month, soon = today - timedelta(days=today.weekday()), today.replace(day=1), now + timedelta(hours=1)
    quarter = month.replace(month=month.month - (month.month - 1) % 3)
    half = month.replace(month=1 if month.month < 7 else 7)
    year = month.replace(month=1)
    return {
        "this_week": Period(monday, soon),
        "this_month": Period(month, soon),
        "this_year": Period(year, soon),
        "week": Period(monday - WEEK, monday),
        "month": Period(_months_before(month, 1), month),
        "quarter": Period(_months_before(quarter, 3), quarter),
        "half_yearly": Period(_months_before(half, 6), half),
        "year": Period(_months_before(year, 12), year),
        "all_time": Period(),
    }.get(name)


def _months_before(first: datetime, months: int) -> datetime:
    number = first.year * 12 + first.month - 1 - months
    return first.replace(year=number // 12, month=number % 12 + 1)
