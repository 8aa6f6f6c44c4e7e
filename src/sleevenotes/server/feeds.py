"""The feed as a page shows it: plays grouped by the listener's days, with what plays now on top."""

from __future__ import annotations

import contextlib
import zoneinfo
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import groupby

import asyncpg
import msgspec

from sleevenotes import errors, model
from sleevenotes.pipeline import sent_images
from sleevenotes.server import views
from sleevenotes.store import library, played, wants
from sleevenotes.store.accounts import Account
from sleevenotes.store.played import Play
from sleevenotes.store.postgres import Connection

PAGE = 40  # plays; the whole page stays under 100 kB
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Tell = Callable[[datetime], views.Moment]


class Day(msgspec.Struct, frozen=True):
    """One day of the feed; `total` counts the whole day, also plays on other pages."""

    date: date
    label: str
    total: int
    plays: tuple[Play, ...]


class Feed(msgspec.Struct, frozen=True):
    """One page of the feed. `older` is the cursor of the next page, "" on the last; `usual_app` needs no mention."""

    days: tuple[Day, ...]
    older: str
    usual_app: str


class Now(msgspec.Struct, frozen=True):
    """What plays now, and until when if nothing else is heard."""

    play: Play
    until: datetime


async def read(conn: Connection, account: Account, before: str, now: datetime) -> Feed:
    """Read one page of the account's feed.

    Raises errors.Refused when the cursor is none of ours.
    """
    where = views.zone(account.time_zone)
    found = await played.feed(conn, account.id, before=parse(before), limit=PAGE + 1)
    plays = found[:PAGE]
    if not plays:
        return Feed((), "", "")
    dates = [views.day(play.listened_at, where) for play in plays]
    totals = await library.plays_by_day(conn, account.id, *views.day_bounds(dates, where), str(where))
    return Feed(
        days=group(plays, totals, now, where),
        older=cursor(plays[-1]) if len(found) > PAGE else "",
        usual_app=usual_app(plays),
    )


async def now_playing(conn: Connection, account: Account, now: datetime) -> Now | None:
    """Read what the account plays now."""
    play = await played.now_playing(conn, account.id, now)
    until = await library.now_playing_until(conn, account.id, now)
    return Now(play, until) if play and until else None


def group(plays: Sequence[Play], totals: dict[date, int], now: datetime, where: zoneinfo.ZoneInfo) -> tuple[Day, ...]:
    """Group plays, newest first, by the listener's calendar day."""
    today = views.day(now, where)
    return tuple(
        Day(which, views.day_label(which, today), totals.get(which, 0), tuple(of_day))
        for which, of_day in groupby(plays, lambda play: views.day(play.listened_at, where))
    )


def usual_app(plays: Sequence[Play]) -> str:
    """Return the player most plays came from; only the others are worth mentioning."""
    apps = Counter(play.source_app for play in plays)
    return apps.most_common(1)[0][0] if apps else ""


async def hurry(conn: Connection, plays: Sequence[Play], now: datetime) -> None:
    """Let what somebody looks at go first: names that are looked up, and covers that are looked for.

    What shows nothing yet and came with an image has that fetched.
    """
    names = sorted({play.lookup_id for play in plays if play.status is model.Status.PENDING})
    bare = {play.release_group_id for play in plays if play.artwork_status == "pending"}
    await _bump(conn, "match", names)
    await hurry_covers(conn, [each for each in bare if each is not None])
    if unseen := [play for play in plays if play.artwork_uri and not play.image_digest]:
        came = [sent_images.Came(play.artwork_uri, play.lookup_id, model.Band.CRITICAL) for play in unseen]
        await sent_images.begin(conn, came, now)


async def hurry_covers(conn: Connection, release_group_ids: Sequence[int]) -> None:
    """Let the covers that somebody waits for before a page go first."""
    await _bump(conn, "artwork", sorted(release_group_ids))


async def _bump(conn: Connection, stage: str, subjects: Sequence[int]) -> None:
    if subjects:
        # A courtesy: where a lane is writing the same rows at this moment, they are being asked anyway.
        with contextlib.suppress(asyncpg.DeadlockDetectedError):
            await wants.bump(conn, stage, subjects, model.Band.CRITICAL)


def teller(account: Account, now: datetime) -> Tell:
    """Return how this account is told times, for the templates."""
    where = views.zone(account.time_zone)
    return lambda at: views.moment(at, now, where)


def dater(account: Account, now: datetime) -> Tell:
    """Return how this account is told times that stand alone, outside a day of the feed."""
    where = views.zone(account.time_zone)
    return lambda at: views.dated(at, now, where)


def cursor(play: Play) -> str:
    """Name the place below this play: microseconds since 1970 and the scrobble's id."""
    return f"{(play.listened_at - EPOCH) // timedelta(microseconds=1)}-{play.id}"


def parse(text: str) -> tuple[datetime, int] | None:
    """Read a cursor; None for "", the top of the feed.

    Raises errors.Refused when it is none of ours.
    """
    if not text:
        return None
    moment, _, play_id = text.rpartition("-")
    try:
        number = int(play_id)
        return EPOCH + timedelta(microseconds=int(moment)), min(number, 2**63 - 1)
    except (ValueError, OverflowError):
        raise errors.Refused(f"before: {text[:40]!r} is not a place in the feed", field="before") from None
