"""The settings of what several services recorded: what was taken for one play, and how to say that it was two."""

from __future__ import annotations

import msgspec
from litestar import get, post
from litestar.params import FromPath, FromQuery, URLEncodedBody
from litestar.response import Redirect, Template

from sleevenotes.pipeline import sameplay
from sleevenotes.server import feeds, pages_account, services, templating
from sleevenotes.server.strangers import SignedIn
from sleevenotes.server.templating import Asking
from sleevenotes.store import comparisons, linked_plays

LISTED = 50


class Origins(msgspec.Struct):
    """Two origins, to keep apart or to bring together."""

    origin: str = ""
    other: str = ""


class Back(msgspec.Struct):
    """The page to go back to."""

    back: str = "/settings/same-plays"


@get("/settings/same-plays")
async def same_plays(request: Asking, account: SignedIn, before: FromQuery[int] = 0) -> Template:
    """Show what was taken for the same play, by pair of origins, and the latest of it."""
    parts = services.of(request)
    async with parts.database.connection() as conn:
        pairs = await linked_plays.pairs(conn, account.id)
        found = await linked_plays.latest(conn, account.id, LISTED + 1, before or None)
        comparing = await comparisons.of_account(conn, account.id)
    return templating.page(
        request,
        "same_plays.html",
        account,
        pairs=pairs,
        linked=found[:LISTED],
        older=found[LISTED - 1].hidden.id if len(found) > LISTED else 0,
        newest=not before,
        comparing=comparing,
        tell=feeds.dater(account, parts.clock.now()),
    )


@post("/settings/same-plays/again", status_code=303)
async def again(request: Asking, account: SignedIn) -> Redirect:
    """Have all plays compared over again."""
    parts = services.of(request)
    async with parts.database.transaction() as conn:
        await sameplay.compare_all(conn, account.id, parts.clock.now())
    return Redirect("/settings/same-plays", status_code=303)


@post("/settings/same-plays/apart", status_code=303)
async def apart(request: Asking, account: SignedIn, data: URLEncodedBody[Origins]) -> Redirect:
    """Keep two origins apart."""
    await sameplay.keep_apart(services.of(request), account.id, data.origin, data.other)
    return Redirect("/settings/same-plays", status_code=303)


@post("/settings/same-plays/together", status_code=303)
async def together(request: Asking, account: SignedIn, data: URLEncodedBody[Origins]) -> Redirect:
    """Bring two origins together again."""
    await sameplay.bring_together(services.of(request), account.id, data.origin, data.other)
    return Redirect("/settings/same-plays", status_code=303)


@post("/scrobbles/{scrobble_id:int}/own", status_code=303)
async def own(request: Asking, account: SignedIn, scrobble_id: FromPath[int], data: URLEncodedBody[Back]) -> Redirect:
    """Show a scrobble as a play of its own."""
    await sameplay.show_as_own(services.of(request), account.id, scrobble_id)
    return Redirect(pages_account.local(data.back), status_code=303)


@post("/scrobbles/{scrobble_id:int}/not-own", status_code=303)
async def not_own(
    request: Asking, account: SignedIn, scrobble_id: FromPath[int], data: URLEncodedBody[Back]
) -> Redirect:
    """Let a scrobble be the same play as another again."""
    await sameplay.show_as_before(services.of(request), account.id, scrobble_id)
    return Redirect(pages_account.local(data.back), status_code=303)


handlers = [same_plays, again, apart, together, own, not_own]
