"""Times as exports write them, and what cannot be one."""

from __future__ import annotations

import functools
import re
import zoneinfo
from datetime import UTC, datetime, tzinfo
from typing import Final

from sleevenotes import errors
from sleevenotes.importers.contract import FUTURE, NO_TIME, Unfit

# 2002-10-01, before the first play of Last.fm and ListenBrainz: an older time is a broken clock.
EARLIEST: Final = 1_033_430_400
_TOO_LARGE: Final = 99_999_999_999  # seconds in the year 5138; milliseconds in 1973
_MONTHS: Final = {
    name: number
    for number, name in enumerate(
        ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"), start=1
    )
}
# As in: 02 Nov 2015 22:04, or 2 November 2015, 22:04:31.
_WRITTEN: Final = re.compile(r"(\d{1,2}) ([A-Za-z]{3})[a-z]*\.? (\d{4})(?:,? (\d{1,2}):(\d{2})(?::(\d{2}))?)?")


@functools.cache
def zone(name: str) -> tzinfo:
    """Return the zone of an IANA name; "" is UTC. Raises errors.Refused where there is none of that name."""
    try:
        return zoneinfo.ZoneInfo(name) if name else UTC
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        raise errors.Refused(f"{name[:60]!r} is not a time zone; write it like Europe/Vienna.", field="zone") from None


def seconds(text: str, until: datetime | None, name: str = "ts") -> datetime:
    """Read UNIX seconds. Raises Unfit, naming the field."""
    if not (text.isascii() and text.isdigit()):
        raise Unfit(f"{name} {text[:40]!r} is not a time in UNIX seconds", NO_TIME)
    number = int(text[:20])
    if number > _TOO_LARGE:
        raise Unfit(f"{name} {text[:40]} is too large for UNIX seconds; are these milliseconds?", NO_TIME)
    return of_seconds(number, until, name)


def of_seconds(number: float, until: datetime | None, name: str = "the time") -> datetime:
    """Turn UNIX seconds into a moment. Raises Unfit where nothing can have been played then."""
    if not number >= EARLIEST:  # which NaN is not, either
        raise Unfit(f"{name} {number:.0f} is before October 2002, when nobody scrobbled: a clock was wrong", NO_TIME)
    if number > _TOO_LARGE:
        raise Unfit(f"{name} {number:.0f} is too large for UNIX seconds", NO_TIME)
    return _checked(datetime.fromtimestamp(number, UTC), until, f"{name} {number:.0f}")


def moment(text: str, until: datetime | None, where: tzinfo = UTC, name: str = "the time") -> datetime:
    """Read a time in any of the ways that exports write it; where it names no zone, it is of `where`.

    UNIX seconds, milliseconds or microseconds; ISO 8601, with a space or a slash too ("2015-11-02 22:04"); "02 Nov 2015
    22:04". Raises Unfit.
    """
    if text.isascii() and text.isdigit():
        number = int(text[:20])
        while number > _TOO_LARGE:
            number //= 1000
        return of_seconds(number, until, name)
    found = _read(text)
    if found is None:
        raise Unfit(f"{name} {text[:40]!r} cannot be read" if text else f"{name} is empty", NO_TIME)
    try:
        at = (found if found.tzinfo else found.replace(tzinfo=where)).astimezone(UTC)
    except OverflowError:  # .NET writes "no date" as 0001-01-01, which east of Greenwich is a day that is not counted
        raise Unfit(f"{name} {text[:40]} is at the edge of the calendar: nothing was played then", NO_TIME) from None
    if at.timestamp() < EARLIEST:
        raise Unfit(f"{name} {text[:40]} is before October 2002, when nobody scrobbled: a clock was wrong", NO_TIME)
    return _checked(at, until, f"{name} {text[:40]}")


def is_time(text: str) -> bool:
    """Tell whether a text is a time written with digits and words, not a bare number."""
    return not text.isdigit() and _read(text) is not None


def _read(text: str) -> datetime | None:
    try:
        if found := _WRITTEN.fullmatch(text):
            day, month, year, hour, minute, second = found.groups(default="0")
            number = _MONTHS[month.lower()]
            return datetime(int(year), number, int(day), int(hour), int(minute), int(second))  # noqa: DTZ001 - `moment` gives it its zone
        return datetime.fromisoformat(text.removesuffix(" UTC").replace("/", "-"))
    except (ValueError, KeyError, OverflowError):
        return None


def _checked(at: datetime, until: datetime | None, said: str) -> datetime:
    if until is not None and at > until:
        raise Unfit(f"{said} lies in the future", FUTURE)
    return at
