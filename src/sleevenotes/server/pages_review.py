"""The review: what may be wrong, one case at a time, and the forms that put it right. Works without a script."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlencode

import msgspec
from litestar import get, post
from litestar.params import FromQuery, URLEncodedBody
from litestar.response import Redirect, Template

from sleevenotes import errors
from sleevenotes.pipeline import corrections as correcting
from sleevenotes.pipeline import search
from sleevenotes.server import feeds, pages_account, reviews, services, templating, views
from sleevenotes.server.strangers import SignedIn
from sleevenotes.server.templating import Asking
from sleevenotes.store import accounts, corrections, events
from sleevenotes.store.accounts import Account
from sleevenotes.store.postgres import Connection

LISTED = 25  # cases beside the one that is open
LATELY = 6  # corrections to undo


class Chosen(msgspec.Struct):
    """A form of the review: what it is about, what was chosen, and where to go on.

    A candidate is named with the search that found it: "12/MBID", "0/MBID" for one that the decision kept.
    """

    lookup: int = 0
    candidate: str = ""
    search: int = 0
    correction: int = 0
    everybody: str = ""
    next: int = 0
    back: str = ""


class Asked(msgspec.Struct):
    """A search: by names, or by a link."""

    lookup: int = 0
    artist: str = ""
    track: str = ""
    link: str = ""
    album: str = ""
    back: str = ""


# ---------------------------------------------------------------- pages


@get("/review")
async def review(
    request: Asking, account: SignedIn, case: FromQuery[int] = 0, done: FromQuery[int] = 0, back: FromQuery[str] = ""
) -> Template:
    """Show one case, and what comes after it."""
    return await _review(request, account, case, done=done, back=back)


async def _review(
    request: Asking, account: Account, lookup_id: int, *, done: int = 0, back: str = "", asked: Asked | None = None,
    problem: errors.Refused | None = None,
) -> Template:  # fmt: skip
    parts = services.of(request)
    now = parts.clock.now()
    async with parts.database.connection() as conn:
        heard = (await events.read(conn, account.id, "")).cursor
        queue, more = await reviews.queue(conn, account.id)
        shown = lookup_id or (queue[0].case.lookup_id if queue else 0)
        opened = await reviews.opened(conn, account.id, shown) if shown else None
        facts = await _beside(conn, account, done)
    place = next((at for at, each in enumerate(queue) if each.case.lookup_id == shown), None)
    after = queue[(0 if place is None else place + 1) % len(queue)].case.lookup_id if queue else 0
    return templating.page(
        request,
        "review.html",
        account,
        cursor=heard,
        opened=opened,
        queue=queue[:LISTED],
        left=len(queue),
        more=more,
        place=place,
        following=after if after != shown else 0,
        back=pages_account.local(back) if back else "",
        asking=reviews.asking,
        sent=asked,
        problem=problem,
        differences=views.differences,
        tell=feeds.dater(account, now),
        status_code=422 if problem else 200,
        **facts,
    )


async def _beside(conn: Connection, account: Account, done: int) -> dict[str, Any]:
    """Read what stands beside a case: what was done last, how far it is, whether there is anybody else."""
    lately = await corrections.recent(conn, account.id, LATELY)
    return {
        "lately": lately,
        "done": next((each for each in lately if each.id == done and each.undone_at is None), None),
        "corrected": await corrections.count(conn, account.id),
        "others": account.is_owner and await accounts.count(conn) > 1,
    }


@get("/review/album")
async def album(
    request: Asking, account: SignedIn, name: FromQuery[int], done: FromQuery[int] = 0, back: FromQuery[str] = ""
) -> Template:
    """Show the names of one album, to put all of them right at once."""
    return await _album(request, account, name, done=done, back=back)


async def _album(
    request: Asking, account: Account, lookup_id: int, *, done: int = 0, back: str = "", asked: Asked | None = None,
    problem: errors.Refused | None = None,
) -> Template:  # fmt: skip
    parts = services.of(request)
    async with parts.database.connection() as conn:
        heard = (await events.read(conn, account.id, "")).cursor
        opened = await reviews.opened_album(conn, account.id, lookup_id)
        facts = await _beside(conn, account, done)
    return templating.page(
        request,
        "review_album.html",
        account,
        cursor=heard,
        opened=opened,
        back=pages_account.local(back) if back else "",
        asking=reviews.asking,
        sent=asked,
        problem=problem,
        tell=feeds.dater(account, parts.clock.now()),
        status_code=422 if problem else 200,
        **facts,
    )


# ---------------------------------------------------------------- forms


@post("/review/accept", status_code=303)
async def accept(request: Asking, account: SignedIn, data: URLEncodedBody[Chosen]) -> Redirect:
    """Make a name one of its candidates."""
    parts = services.of(request)
    found_by, _, candidate = data.candidate.partition("/")
    async with parts.database.transaction() as conn:
        done = await correcting.accept(
            conn,
            account,
            data.lookup,
            candidate,
            search_id=_number(found_by) or None,
            everybody=bool(data.everybody),
            now=parts.clock.now(),
        )
    return _onward(data, done)


@post("/review/none", status_code=303)
async def none(request: Asking, account: SignedIn, data: URLEncodedBody[Chosen]) -> Redirect:
    """Keep a name silent."""
    parts = services.of(request)
    async with parts.database.transaction() as conn:
        done = await correcting.none(conn, account, data.lookup, everybody=bool(data.everybody), now=parts.clock.now())
    return _onward(data, done)


@post("/review/confirm", status_code=303)
async def confirm(request: Asking, account: SignedIn) -> Redirect:
    """Say that one or several names are right as they are."""
    parts = services.of(request)
    form = await request.form()
    lookup_ids = [_number(text) for text in form.getall("lookups", [])]
    if not lookup_ids:  # nothing was marked
        return Redirect("/review", status_code=303)
    async with parts.database.transaction() as conn:
        done = await correcting.confirm(
            conn, account, lookup_ids, everybody=bool(form.get("everybody")), now=parts.clock.now()
        )
    return _onward(Chosen(next=_number(form.get("next", "")), back=str(form.get("back", ""))), done)


@post("/review/search", status_code=303)
async def begin_search(request: Asking, account: SignedIn, data: URLEncodedBody[Asked]) -> Redirect | Template:
    """Have a search made; the page shows its answer when it is here."""
    parts = services.of(request)
    try:
        async with parts.database.transaction() as conn:
            await corrections.require_played(conn, account.id, [data.lookup])
            now, whole_album = parts.clock.now(), bool(data.album)
            if data.link.strip():
                await search.by_link(conn, account.id, data.lookup, data.link, whole_album=whole_album, now=now)
            else:
                await search.by_names(
                    conn, account.id, data.lookup, data.artist, data.track, whole_album=whole_album, now=now
                )
    except errors.Refused as problem:
        again = _album if data.album else _review
        return await again(request, account, data.lookup, back=data.back, asked=data, problem=problem)
    way, name = ("/review/album", "name") if data.album else ("/review", "case")
    return Redirect(_address(way, {name: data.lookup, "back": data.back}, "found"), status_code=303)


@post("/review/album", status_code=303)
async def fix_album(request: Asking, account: SignedIn, data: URLEncodedBody[Chosen]) -> Redirect:
    """Put an album's names on the album that a search found."""
    parts = services.of(request)
    async with parts.database.transaction() as conn:
        done = await correcting.fix_album(
            conn, account, data.lookup, data.search, everybody=bool(data.everybody), now=parts.clock.now()
        )
    if data.back:
        return Redirect(pages_account.local(data.back), status_code=303)
    return Redirect(_address("/review/album", {"name": data.lookup, "done": done}), status_code=303)


@post("/review/undo", status_code=303)
async def undo(request: Asking, account: SignedIn, data: URLEncodedBody[Chosen]) -> Redirect:
    """Undo a correction as a whole, or what it says of one name."""
    parts = services.of(request)
    async with parts.database.transaction() as conn:
        names = await correcting.undo(
            conn, account, data.correction, lookup_id=data.lookup or None, now=parts.clock.now()
        )
    if data.back:
        return Redirect(pages_account.local(data.back), status_code=303)
    return Redirect(_address("/review", {"case": names[0] if len(names) == 1 else 0}), status_code=303)


@post("/review/everybody", status_code=303)
async def share(request: Asking, account: SignedIn, data: URLEncodedBody[Chosen]) -> Redirect:
    """Make a correction of the owner hold for everybody."""
    parts = services.of(request)
    async with parts.database.transaction() as conn:
        await correcting.share(conn, account, data.correction, now=parts.clock.now())
    return Redirect(pages_account.local(data.back) if data.back else "/review", status_code=303)


def _number(text: object) -> int:
    """Read an id out of a form; 0, which nothing has, for anything else."""
    return int(str(text)) if re.fullmatch("[0-9]{1,18}", str(text)) else 0


def _onward(data: Chosen, done: int) -> Redirect:
    """Go on: back to where the listener came from, or to the next case."""
    if data.back:
        return Redirect(pages_account.local(data.back), status_code=303)
    return Redirect(_address("/review", {"case": data.next, "done": done}), status_code=303)


def _address(way: str, given: dict[str, object], at: str = "") -> str:
    query = urlencode({name: value for name, value in given.items() if value})
    return way + (f"?{query}" if query else "") + (f"#{at}" if at else "")


handlers = [review, album, accept, none, confirm, begin_search, fix_album, undo, share]
