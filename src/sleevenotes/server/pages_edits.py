"""Changing and deleting plays on pages: one, or those that were ticked; and bringing back what was deleted.

/plays/select?q=&day=&before=   tick some      `back` of all forms that follow
/plays/edit?ids=1,2&back=       tell them anew; an address, so that Back and a login lead to it again
/plays/select?…&changed=2       says what was done; or `unticked=1`
"""

from __future__ import annotations

import re
import zoneinfo
from datetime import date, datetime
from typing import Any
from urllib.parse import urlencode

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

WAY = "/plays/select"
ROWS = 100  # plays on one page to tick

_LABELS = {"artist_name": "Artist", "track_name": "Track", "album_name": "Album", "album_artist": "Album artist"}
_ALL_LABELS = {**_LABELS, "played_at": "Played at"}


class Told(msgspec.Struct):
    """What an edit form holds; `played_at` is the clock of the listener's zone, as browsers write it."""

    artist_name: str = ""
    track_name: str = ""
    album_name: str = ""
    album_artist: str = ""
    played_at: str = ""


@get(WAY)
async def select(
    request: Asking,
    account: SignedIn,
    before: FromQuery[str] = "",
    day: FromQuery[str] = "",
    q: FromQuery[str] = "",
    changed: FromQuery[int | None] = None,
    unticked: FromQuery[str] = "",
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
        back=_select(before=before, day=day, q=words),
        changed=changed,
        unticked=unticked,
        tell=feeds.dater(account, now),
    )


def _select(**asked: str) -> str:
    """Return the address of the page to tick plays on that shows the same."""
    kept = urlencode({name: text for name, text in asked.items() if text})
    return f"{WAY}?{kept}" if kept else WAY


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


@get("/plays/edit")
async def edit_ticked(
    request: Asking, account: SignedIn, ids: FromQuery[str] = "", back: FromQuery[str] = ""
) -> Template | Redirect:
    """Show the form for the plays that were ticked."""
    if not ids:
        return Redirect(_said(back, unticked=1))
    plays = await _plays(request, account, _ids(ids.split(",")))
    return _form(request, account, plays, _told(plays[0], account) if len(plays) == 1 else Told(), back=back)


@post("/plays/edit", status_code=200)
async def edit(request: Asking, account: SignedIn) -> Template | Redirect:
    """Lead to the form for the plays that were ticked; with `apply`, tell them anew."""
    form = await request.form()
    back, ticked = str(form.get("back", "")), form.getall("ids", [])
    if not ticked:
        return Redirect(_said(back, unticked=1), status_code=303)
    ids = _ids(ticked)
    if not form.get("apply"):
        chosen = urlencode({"ids": ",".join(map(str, ids)), "back": back}, safe=",")
        return Redirect(f"/plays/edit?{chosen}", status_code=303)
    plays = await _plays(request, account, ids)
    told = Told(**{name: str(form.get(name, "")) for name in Told.__struct_fields__})
    parts = services.of(request)
    try:
        change = native_edits.change(_changing(told, plays, account), parts.clock.now())
        done = await edits.edit(parts.submitter, account.id, [play.id for play in plays], change)
    except errors.Refused as problem:
        return _form(request, account, plays, told, problem, back=back)
    alone = len(plays) == 1 and not back
    return Redirect(f"/scrobbles/{plays[0].id}" if alone else _said(back, changed=len(done)), status_code=303)


@post("/plays/delete", status_code=303)
async def delete(request: Asking, account: SignedIn) -> Redirect:
    """Delete the plays that were ticked; they can be brought back for a day, from the page this leads to."""
    form = await request.form()
    back, ticked = str(form.get("back", "")), form.getall("ids", [])
    if not ticked:
        return Redirect(_said(back, unticked=1), status_code=303)
    parts = services.of(request)
    async with parts.database.connection() as conn:
        done = await deletions.delete(conn, account.id, _ids(ticked), parts.clock.now())
    said = urlencode({"done": len(done.scrobble_ids), "back": back})
    return Redirect(f"/plays/deleted?{said}", status_code=303)


@get("/plays/deleted")
async def deleted(
    request: Asking, account: SignedIn, done: FromQuery[int | None] = None, back: FromQuery[str] = ""
) -> Template:
    """Show what was deleted and can be brought back; and how many plays have just been."""
    parts = services.of(request)
    now = parts.clock.now()
    async with parts.database.connection() as conn:
        found = await deletions.recent(conn, account.id, now)
    return templating.page(
        request,
        "deleted.html",
        account,
        deletions=found,
        done=done,
        back=_back(back),
        tell=feeds.dater(account, now),
    )


@post("/plays/deleted/{deletion_id:int}/undo", status_code=303)
async def undo(request: Asking, account: SignedIn, deletion_id: FromPath[int]) -> Redirect:
    """Bring back what one deletion took."""
    if await undeleting.undo(services.of(request), account.id, native_edits.checked([deletion_id])[0]) is None:
        raise NotFoundException
    return Redirect("/plays/deleted", status_code=303)


# ---------------------------------------------------------------- inside


def _back(back: str) -> str:
    """Return the page to tick plays on from which somebody came; the newest plays' where they came from elsewhere."""
    return back if re.match(rf"{WAY}(\?|$)", back) and back.isprintable() else WAY


def _said(back: str, **said: int) -> str:
    """Return the address of the page somebody came from, on which this is said."""
    back = _back(back)
    return f"{back}{'&' if '?' in back else '?'}{urlencode(said)}"


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
        return Changing(**{name: getattr(told, name) or None for name in _LABELS})
    at = told.played_at.strip()
    same = not at or _with_seconds(at) == _clock(plays[0].listened_at, account)  # the form knows no parts of a second
    return Changing(
        **{name: getattr(told, name) for name in _LABELS},
        played_at=None if same else _moment(at, views.zone(account.time_zone)),
    )


def _moment(clock: str, zone: zoneinfo.ZoneInfo) -> str:
    try:
        return datetime.fromisoformat(clock).replace(tzinfo=zone).isoformat()
    except ValueError:
        raise errors.Refused("played_at: must be a date and a time.", field="played_at") from None


def _with_seconds(clock: str) -> str:
    return clock if clock.count(":") > 1 else f"{clock}:00"  # browsers leave out seconds that are 0


def _form(
    request: Asking,
    account: Account,
    plays: list[Play],
    told: Told,
    problem: errors.Refused | None = None,
    *,
    back: str = "",
) -> Template:
    return templating.page(
        request,
        "edit.html",
        account,
        plays=plays,
        one=plays[0] if len(plays) == 1 else None,
        told=told,
        labels=_LABELS,
        problem=problem,
        said=problem.of_field(_ALL_LABELS) if problem else "",
        back=back,
        status_code=422 if problem else 200,
    )


handlers = [select, edit_form, edit_ticked, edit, delete, deleted, undo]
