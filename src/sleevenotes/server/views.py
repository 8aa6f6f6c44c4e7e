"""Facts in the words of the pages: times, lengths, numbers, differences, what a source was asked and said.

Pure; the templates use these as filters. Times come in aware and in UTC, and are told in the listener's zone.
"""

from __future__ import annotations

import difflib
import functools
import re
import zoneinfo
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

import msgspec

from sleevenotes import model
from sleevenotes.pipeline import album_art, offline
from sleevenotes.sources import contract, registry


@functools.cache
def source_name(name: str) -> str:
    """Return a source's name as people write it; one that is no more is capitalised."""
    if name == offline.SOURCE:
        return "the offline catalogue"
    if name == album_art.SOURCE:
        return "Uploaded"
    try:
        return registry.named(name).policy.called.removeprefix("the ")
    except KeyError:
        return name[:1].upper() + name[1:]


def source_credit(name: str, url: str) -> str:
    """Return the words that the terms of a source, or of the host of its image, want shown beside it; "" for none."""
    concerned = [
        each.policy
        for each in registry.every(contract.Keys())
        if each.name == name or contract.fetches(each.policy, url)
    ]
    return next((policy.credit for policy in concerned if policy.credit), "")


# ---------------------------------------------------------------- times


def zone(name: str) -> zoneinfo.ZoneInfo:
    """Return the zone of that IANA name, UTC where the machine does not know it."""
    try:
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        return zoneinfo.ZoneInfo("UTC")


class Moment(msgspec.Struct, frozen=True):
    """A time as the pages tell it: `text` to read, `exact` for the hover, `machine` for the datetime attribute."""

    text: str
    exact: str
    machine: str


def moment(at: datetime, now: datetime, where: zoneinfo.ZoneInfo) -> Moment:
    """Tell a time: relative within the listener's today, the clock on other days."""
    local = at.astimezone(where)
    exact = f"{local:%A} {local.day} {local:%B %Y, %H:%M:%S} {local.tzname() or ''}".rstrip()
    same_day = local.date() == now.astimezone(where).date()
    passed = (now - at).total_seconds()
    text = _ago(passed) if same_day and passed >= 0 else f"{local:%H:%M}"
    return Moment(text, exact, at.astimezone(UTC).isoformat(timespec="seconds"))


def dated(at: datetime, now: datetime, where: zoneinfo.ZoneInfo) -> Moment:
    """Tell a time that stands alone: relative within the listener's today, the date on other days."""
    told = moment(at, now, where)
    same_day = day(at, where) == day(now, where)
    return told if same_day else Moment(on_day(at, where), told.exact, told.machine)


def _ago(seconds: float) -> str:
    if seconds < 60:
        return "just now"
    if seconds < 3600:
        return f"{int(seconds // 60)} min ago"
    return f"{int(seconds // 3600)} h ago"


def day(at: datetime, where: zoneinfo.ZoneInfo) -> date:
    """Return the listener's calendar day of a moment."""
    return at.astimezone(where).date()


def day_bounds(days: Sequence[date], where: zoneinfo.ZoneInfo) -> tuple[datetime, datetime]:
    """Return the first moment of the earliest day and the first moment after the latest."""
    start = datetime.combine(min(days), datetime.min.time(), where)
    end = datetime.combine(max(days) + timedelta(days=1), datetime.min.time(), where)
    return start.astimezone(UTC), end.astimezone(UTC)


def day_label(which: date, today: date) -> str:
    """Name a day: "Today", "Yesterday", "Friday 20 November", with the year where it is not this one."""
    if which == today:
        return "Today"
    if which == today - timedelta(days=1):
        return "Yesterday"
    label = f"{which:%A} {which.day} {which:%B}"
    return label if which.year == today.year else f"{label} {which.year}"


def on_day(at: datetime, where: zoneinfo.ZoneInfo) -> str:
    """Write a date: "20 November 2026"."""
    local = at.astimezone(where)
    return f"{local.day} {local:%B %Y}"


# ---------------------------------------------------------------- numbers


def number(count: int) -> str:
    """Group thousands by a thin space that does not break: "12 345"."""
    return f"{count:,}".replace(",", "\u202f")


def plural(count: int, one: str, many: str = "") -> str:
    """Count a thing: "1 play", "12 plays"."""
    return f"{number(count)} {one if count == 1 else many or one + 's'}"


def playing_time(milliseconds: int | None) -> str:
    """Write a track's length: "4:33", "1:02:10"; "" where unknown."""
    if not milliseconds:
        return ""
    minutes, seconds = divmod(round(milliseconds / 1000), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


def span(milliseconds: float) -> str:
    """Write how long something took: "40 ms", "0.8 s", "12 s", "3 min", "2 h"."""
    if milliseconds < 100:
        return f"{round(milliseconds)} ms"
    seconds = milliseconds / 1000
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    if seconds < 90:
        return f"{round(seconds)} s"
    return f"{round(seconds / 60)} min" if seconds < 5400 else f"{round(seconds / 3600)} h"


def file_size(size: int) -> str:
    """Write a number of bytes: "812 kB", "2.4 MB"."""
    return f"{round(size / 1000)} kB" if size < 1_000_000 else f"{size / 1_000_000:.1f} MB"


# ---------------------------------------------------------------- what was sent, what it became

_WORDS = re.compile(r"\s+|[^\s\w]|\w+")


class Piece(msgspec.Struct, frozen=True):
    """A stretch of text, and whether the other side has it otherwise."""

    text: str
    differs: bool


def differences(text: str, other: str) -> tuple[Piece, ...]:
    """Mark the words of `text` that `other` does not have in the same place.

    differences("Heroes (2017 Remaster)", "Heroes") == ("Heroes", and " (2017 Remaster)" that differs).
    """
    mine, theirs = _WORDS.findall(text), _WORDS.findall(other)
    matcher = difflib.SequenceMatcher(None, mine, theirs, autojunk=False)
    return tuple(
        Piece("".join(mine[start:end]), tag != "equal")
        for tag, start, end, _, _ in matcher.get_opcodes()
        if start < end
    )


def sentence(text: str) -> str:
    """Make a reason a sentence: a capital in front, a full stop behind."""
    text = text.strip()
    return text and text[0].upper() + text[1:] + ("" if text[-1] in ".!?…" else ".")


def likeness(distance: float) -> str:
    """Say in words how far a match is from what was sent."""
    if distance < 0.005:
        return "The same name"
    if distance < 0.1:
        return "Nearly the same name"
    return "A similar name" if distance < 0.25 else "A rather different name"


# ---------------------------------------------------------------- statuses and traces

STATUS = {
    model.Status.PENDING: ("Looking it up", "Its name is in the queue; nothing has to be done."),
    model.Status.ENRICHED: ("Matched", ""),
    model.Status.NOT_FOUND: ("No match", "Every source answered, and none has it. We look again later."),
    model.Status.FAILED: ("Not reachable", "A source did not answer. The play is kept, and we try again later."),
}


def status_text(status: model.Status) -> str:
    """Say a status in two words."""
    return STATUS[status][0]


def status_hint(status: model.Status) -> str:
    """Say what a status means for the listener; "" where it means nothing more."""
    return STATUS[status][1]


_ASKED = {
    "find_recording": "Which recording is it?",
    "find_by_isrc": "Which recording has this ISRC?",
    "describe_recording": "What is the recording with this id?",
    "describe_release": "Is it on this release?",
    "list_recordings": "What is on this album?",
    "browse_releases": "What is on the artist's releases?",
    "find_artist": "Who is it?",
    "find_images": "Which covers does the album have?",
    "fetch_image": "Is there a front cover?",
}


def asked(kind: str) -> str:
    """Say what kind of question a source was asked."""
    return _ASKED.get(kind, kind.replace("_", " "))


def said(outcome: str, candidates: int, kind: str, note: str) -> str:
    """Say what a source answered."""
    if outcome == "answered":
        if kind == "fetch_image":
            return "Sent the image"
        return plural(candidates, "cover" if kind == "find_images" else "candidate")
    if outcome == "absent":
        return "Has none" if kind in ("fetch_image", "find_images") else "Does not know it"
    if outcome == "unknown":
        return "Its answer was cut short; asked again"
    return f"Did not answer: {note}" if note else "Did not answer"
