"""The album wall, and the albums on it whose cover nobody has."""

from __future__ import annotations

from litestar import get, post
from litestar.exceptions import NotFoundException
from litestar.params import FromPath, FromQuery, URLEncodedBody
from litestar.response import Redirect, Template

from sleevenotes import errors
from sleevenotes.pipeline import recheck
from sleevenotes.server import drawn, feeds, pages_account, periods, services, templating, views
from sleevenotes.server.strangers import SignedIn
from sleevenotes.server.templating import Asking
from sleevenotes.store import charts, gaps, library, tallies

WALL = 200  # covers on one page
GAPS = 60


@get("/albums")
async def wall(
    request: Asking, account: SignedIn, period: FromQuery[str] = "", to: FromQuery[str] = "", page: FromQuery[int] = 1
) -> Template:
    """Show the albums of a period as a wall of covers, the more played the larger."""
    _require(page)
    parts = services.of(request)
    where = views.zone(account.time_zone)
    today = views.day(parts.clock.now(), where)
    since = request.query_params.get("from", "")
    chosen = periods.read(period or ("" if since or to else "all"), since, to, today, where)
    async with parts.database.connection() as conn:
        bounds = await tallies.bounds(conn, account.id)
        albums = await charts.albums(conn, account.id, chosen.period, WALL, WALL * (page - 1))
    return templating.page(
        request,
        "albums.html",
        account,
        chosen=chosen,
        presets=periods.presets(chosen, periods.began(bounds, where), today),
        albums=albums,
        sizes=drawn.sizes([album.plays for album in albums.entries]) if page == 1 else [1] * len(albums.entries),
        page=page,
        more=albums.different > WALL * page,
    )


@get("/albums/gaps")
async def bare(request: Asking, account: SignedIn, page: FromQuery[int] = 1) -> Template:
    """Show the albums without a cover, most played first, and why."""
    _require(page)
    parts = services.of(request)
    async with parts.database.connection() as conn:
        found = await gaps.read(conn, account.id, GAPS, GAPS * (page - 1))
    tell = feeds.dater(account, parts.clock.now())
    return templating.page(
        request, "gaps.html", account, gaps=found, tell=tell, page=page, more=found.bare > GAPS * page
    )


class Back(pages_account.Chosen):
    """The form that asks for another look; `back` is the page it was on."""


@post("/albums/{release_group_id:int}/look-again", status_code=303)
async def look_again(
    request: Asking, account: SignedIn, release_group_id: FromPath[int], data: URLEncodedBody[Back]
) -> Redirect:
    """Look for the cover of an album once more, now."""
    parts = services.of(request)
    async with parts.database.transaction() as conn:
        if await library.album_played(conn, account.id, release_group_id) is None:
            raise NotFoundException
        await recheck.look_again(conn, release_group_id, parts.clock.now())
    return Redirect(pages_account.local(data.back), status_code=303)


def _require(page: int) -> None:
    if not 1 <= page <= 10_000:
        raise errors.Refused("page: there is no such page.", field="page")


handlers = [wall, bare, look_again]
