"""Which time a page is about: presets, a year, a month, or any days, read from the address.

?period=7d 30d 365d     the last days, today included
?period=2025, 2025-03   a year, a month
?period=all             all there is
?from=2025-03-01&to=2025-04-04    any days, both included, in either order; one end may be left out
"""

from __future__ import annotations

import re
import zoneinfo
from datetime import date, datetime, timedelta

import msgspec

from sleevenotes import errors
from sleevenotes.server import views
from sleevenotes.store.charts import Period

DEFAULT = "365d"
LAST = {"7d": "7 days", "30d": "30 days", "365d": "12 months"}
_LENGTHS = {"7d": 7, "30d": 30, "365d": 365}
MOST_YEARS = 30  # offered as presets


class Chosen(msgspec.Struct, frozen=True):
    """A period as it was asked for: `query` leads back to it, `label` names it; first and last day, None for all."""

    query: str
    label: str
    first: date | None
    last: date | None
    period: Period

    @property
    def days(self) -> int:
        """Return how many days it has, 0 for all."""
        return (self.last - self.first).days + 1 if self.first and self.last else 0


class Preset(msgspec.Struct, frozen=True):
    """A period to choose."""

    label: str
    query: str
    current: bool


def read(period: str, since: str, until: str, today: date, where: zoneinfo.ZoneInfo) -> Chosen:
    """Read a period from the address; the listener's last twelve months where nothing is said.

    Raises errors.Refused that names the field.
    """
    if since or until:
        return _between(since, until, today, where)
    period = period or DEFAULT
    if period == "all":
        return Chosen("period=all", "All time", None, None, Period())
    if period in _LENGTHS:
        first = today - timedelta(days=_LENGTHS[period] - 1)
        return Chosen(f"period={period}", f"The last {LAST[period]}", first, today, of_days(first, today, where))
    first, last = _calendar(period)
    label = str(first.year) if len(period) == 4 else f"{first:%B %Y}"
    return Chosen(f"period={period}", label, first, last, of_days(first, last, where))


def presets(chosen: Chosen, began: date | None, today: date) -> list[Preset]:
    """Offer the usual periods: the last days, every year since the first play, all."""
    offered = [(label, f"period={key}") for key, label in LAST.items()]
    first = max(began.year, today.year - MOST_YEARS + 1) if began else today.year
    offered += [(str(year), f"period={year}") for year in range(today.year, first - 1, -1)]
    offered.append(("All time", "period=all"))
    return [Preset(label, query, query == chosen.query) for label, query in offered]


def of_days(first: date, last: date, where: zoneinfo.ZoneInfo) -> Period:
    """Return the time from the beginning of one of the listener's days to the end of another."""
    return Period(*views.day_bounds([first, last], where))


def day(field: str, text: str) -> date:
    """Read a day, "2025-03-04". Raises errors.Refused that names the field."""
    try:
        found = date.fromisoformat(text)
    except ValueError:
        found = date.min
    if not 1900 <= found.year <= 9000:
        raise errors.Refused(f"{field}: {text[:40]!r} is not a day; write it like 2025-03-04.", field=field)
    return found


def _between(since: str, until: str, today: date, where: zoneinfo.ZoneInfo) -> Chosen:
    first = day("from", since) if since else None
    last = day("to", until) if until else max(today, first or today)
    first = first or min(date(1970, 1, 1), last)
    if last < first:  # both were given, and the wrong way round
        first, last, since, until = last, first, until, since
    query = "&".join(f"{name}={text}" for name, text in (("from", since), ("to", until)) if text)
    return Chosen(query, span(first, last), first, last, of_days(first, last, where))


def span(first: date, last: date) -> str:
    """Name the days from one to another: "1-4 March 2025", "28 February - 4 March 2025", with real dashes."""
    if first == last:
        return f"{first.day} {first:%B %Y}"
    if (first.year, first.month) == (last.year, last.month):
        return f"{first.day}\u2013{last.day} {last:%B %Y}"
    begins = f"{first.day} {first:%B}" if first.year == last.year else f"{first.day} {first:%B %Y}"
    return f"{begins} \u2013 {last.day} {last:%B %Y}"


def _calendar(text: str) -> tuple[date, date]:
    found = re.fullmatch(r"(\d{4})(?:-(\d\d))?", text)
    if found is None or not 1900 <= int(found[1]) <= 9000 or not 1 <= int(found[2] or 1) <= 12:
        raise errors.Refused(
            f"period: {text[:40]!r} is no period; write a year or a month, like 2025-03.", field="period"
        )
    year = int(found[1])
    if not found[2]:
        return date(year, 1, 1), date(year, 12, 31)
    return month(year, int(found[2]))


def month(year: int, which: int) -> tuple[date, date]:
    """Return the first and the last day of a month."""
    after = date(year + which // 12, which % 12 + 1, 1)
    return date(year, which, 1), after - timedelta(days=1)


def began(bounds: tuple[datetime, datetime] | None, where: zoneinfo.ZoneInfo) -> date | None:
    """Return the listener's day of the first play."""
    return bounds[0].astimezone(where).date() if bounds else None
