"""Changing and deleting plays on pages: one, or those that were ticked; and bringing back what was deleted."""

from __future__ import annotations

import zoneinfo
from datetime import date, datetime
from typing import Any

import msgspec
from litestar import get, post
from litestar.exceptions import NotFoundException
from litestar.params import FromPath, FromQuery
from litestar.response import Redirect, Template

from sleevenotes import errors
from sleevenotes.pipeline import deletions as undeleting
from sleevenotes.pipeline import edits
from sleevenotes.server import feeds, inputs, native_edits, periods, services, templating, views
from sleevenotes.server.native_edits import Changing
from sleevenotes.server.strangers import SignedIn
from sleevenotes.server.templating import Asking
from sleevenotes.store import charts, deletions, played
from sleevenotes.store.accounts import Account
from sleevenotes.store.played import Play

ROWS = 100  # plays on one page to tick

_FIELDS = ("artist_name", "track_name", "album_name", "album_artist")


class Told(msgspec.Struct):
    """What an edit form holds; `played_at` is the clock of the listener's zone, as browsers write it."""

    artist_name: str = ""
    track_name: str = ""
    album_name: str = ""
    album_artist: str = ""
    played_at: str = ""


@get("/plays/select")
async def select(
    request: Asking, account: SignedIn, before: FromQuery[str] = "", day: FromQuery[str] = "", q: FromQuery[str] = ""
) -> Template:
    """Show plays with a box to tick before each: the newest, those of a day, or the newest with these words."""
    parts = services.of(request)
    now = parts.clock.now()
    words = inputs.words(q)
    async with parts.database.connection() as conn:
        if words:
            found = await played.by_lookups(conn, account.id, await charts.lookups_of(conn, account.id, words), ROWS)
        else:
            period = _of_day(day, account)
            found = await played.feed(
                conn, account.id, before=feeds.parse(before), since=period.first, until=period.past, limit=ROWS + 1
            )
    plays = found[:ROWS]
    return templating.page(
        request,
        "select.html",
        account,
        plays=plays,
        older=feeds.cursor(plays[-1]) if len(found) > ROWS else "",
        before=before,
        day=day,
        q=words,
        most=ROWS,
        tell=feeds.dater(account, now),
    )


def _of_day(day: str, account: Account) -> charts.Period:
    if not day:
        return charts.Period()
    try:
        which = date.fromisoformat(day)
    except ValueError:
        raise errors.Refused(f"day: {day[:20]!r} is no day like 2025-03-04.", field="day") from None
    return periods.of_days(which, which, views.zone(account.time_zone))


@get("/scrobbles/{scrobble_id:int}/edit")
async def edit_form(request: Asking, account: SignedIn, scrobble_id: FromPath[int]) -> Template:
    """Show a play as it was sent, to be told anew."""
    [play] = await _plays(request, account, [scrobble_id])
    return _form(request, account, [play], _told(play, account))


@post("/plays/edit", status_code=200)
async def edit(request: Asking, account: SignedIn) -> Template | Redirect:
    """Show the form for the plays that were ticked; with `apply`, tell them anew."""
    form = await request.form()
    plays = await _plays(request, account, _ids(form.getall("ids", [])))
    if not form.get("apply"):
        return _form(request, account, plays, _told(plays[0], account) if len(plays) == 1 else Told())
    told = Told(**{name: str(form.get(name, "")) for name in Told.__struct_fields__})
    parts = services.of(request)
    try:
        change = native_edits.change(_changing(told, plays, account), parts.clock.now())
        await edits.edit(parts.submitter, account.id, [play.id for play in plays], change)
    except errors.Refused as problem:
        return _form(request, account, plays, told, problem)
    return Redirect(f"/scrobbles/{plays[0].id}" if len(plays) == 1 else "/", status_code=303)


@post("/plays/delete", status_code=303)
async def delete(request: Asking, account: SignedIn) -> Redirect:
    """Delete the plays that were ticked; they can be brought back for a day, from the page this leads to."""
    form = await request.form()
    ids = _ids(form.getall("ids", []))
    parts = services.of(request)
    async with parts.database.connection() as conn:
        await deletions.delete(conn, account.id, ids, parts.clock.now())
    return Redirect("/plays/deleted", status_code=303)


@get("/plays/deleted")
async def deleted(request: Asking, account: SignedIn) -> Template:
    """Show what was deleted and can be brought back."""
    parts = services.of(request)
    now = parts.clock.now()
    async with parts.database.connection() as conn:
        found = await deletions.recent(conn, account.id, now)
    return templating.page(request, "deleted.html", account, deletions=found, tell=feeds.dater(account, now))


@post("/plays/deleted/{deletion_id:int}/undo", status_code=303)
async def undo(request: Asking, account: SignedIn, deletion_id: FromPath[int]) -> Redirect:
    """Bring back what one deletion took."""
    if await undeleting.undo(services.of(request), account.id, native_edits.checked([deletion_id])[0]) is None:
        raise NotFoundException
    return Redirect("/plays/deleted", status_code=303)


# ---------------------------------------------------------------- inside


def _ids(ticked: list[Any]) -> list[int]:
    try:
        return native_edits.checked([int(str(one)) for one in ticked])
    except ValueError:
        raise errors.Refused("ids: these are not numbers of plays.", field="ids") from None


async def _plays(request: Asking, account: Account, ids: list[int]) -> list[Play]:
    async with services.of(request).database.connection() as conn:
        plays = await played.by_ids(conn, account.id, native_edits.checked(ids))
    if len(plays) < len(set(ids)):
        raise NotFoundException
    return plays


def _told(play: Play, account: Account) -> Told:
    return Told(play.artist, play.track, play.release, play.album_artist, _clock(play.listened_at, account))


def _clock(at: datetime, account: Account) -> str:
    return at.astimezone(views.zone(account.time_zone)).strftime("%Y-%m-%dT%H:%M:%S")


def _changing(told: Told, plays: list[Play], account: Account) -> Changing:
    """Read the form: of one play all that is in it, of many what is filled in."""
    if len(plays) > 1:
        return Changing(**{name: getattr(told, name) or None for name in _FIELDS})
    at = told.played_at.strip()
    same = not at or _with_seconds(at) == _clock(plays[0].listened_at, account)  # the form knows no parts of a second
    return Changing(
        **{name: getattr(told, name) for name in _FIELDS},
        played_at=None if same else _moment(at, views.zone(account.time_zone)),
    )


def _moment(clock: str, zone: zoneinfo.ZoneInfo) -> str:
    try:
        return datetime.fromisoformat(clock).replace(tzinfo=zone).isoformat()
    except ValueError:
        raise errors.Refused(f"played_at: {clock[:40]!r} is no date and time.", field="played_at") from None


def _with_seconds(clock: str) -> str:
    return clock if clock.count(":") > 1 else f"{clock}:00"  # browsers leave out seconds that are 0


def _form(
    request: Asking, account: Account, plays: list[Play], told: Told, problem: errors.Refused | None = None
) -> Template:
    return templating.page(
        request,
        "edit.html",
        account,
        plays=plays,
        one=plays[0] if len(plays) == 1 else None,
        told=told,
        problem=problem,
        status_code=422 if problem else 200,
    )


handlers = [select, edit_form, edit, delete, deleted, undo]
