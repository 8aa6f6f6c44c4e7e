"""The owner's page of consensus: from how many listeners on, or not at all; and the names of which it is in force.

It tells what names show, never who said so, nor how many.
"""

from __future__ import annotations

import msgspec
from litestar import Router, get, post
from litestar.di import Provide
from litestar.params import FromQuery, URLEncodedBody
from litestar.response import Redirect, Template

from sleevenotes import errors
from sleevenotes.pipeline import agreeing
from sleevenotes.server import pages_people, services, strangers, templating
from sleevenotes.server.pages_people import Owner
from sleevenotes.server.strangers import SignedIn
from sleevenotes.server.templating import Asking
from sleevenotes.store import consensus
from sleevenotes.store.accounts import Account

WAY = "/settings/consensus"
PAGE = 100
MOST_PAGES = 10_000


class Settling(msgspec.Struct):
    """The form of the rule; a box that is not ticked is not sent."""

    in_force: str = ""
    accounts: str = str(consensus.FEWEST)


class Sharing(msgspec.Struct):
    """The form of who contributes; a box that is not ticked is not sent."""

    contributes: str = ""


@get(WAY)
async def show(request: Asking, account: Owner, page: FromQuery[int] = 1) -> Template:
    """Show the rule, and the names of which consensus is in force."""
    return await _page(request, account, page=min(max(page, 1), MOST_PAGES))


@post(WAY, status_code=303)
async def settle(request: Asking, account: Owner, data: URLEncodedBody[Settling]) -> Redirect | Template:
    """Change the rule; what names show follows at once."""
    parts = services.of(request)
    try:
        number = int(data.accounts) if data.accounts.strip().isdecimal() else 0
        async with parts.database.transaction() as conn:
            await agreeing.set_rule(conn, in_force=bool(data.in_force), accounts=number, now=parts.clock.now())
    except errors.Refused as unfit:
        return await _page(request, account, problem=unfit)
    return Redirect(WAY, status_code=303)


@post("/settings/account/corrections", status_code=303)
async def share(request: Asking, account: SignedIn, data: URLEncodedBody[Sharing]) -> Redirect:
    """Have the listener's corrections counted for consensus, or not."""
    parts = services.of(request)
    async with parts.database.transaction() as conn:
        await agreeing.set_contributes(conn, account.id, contributes=bool(data.contributes), now=parts.clock.now())
    return Redirect("/settings/account", status_code=303)


async def _page(request: Asking, account: Account, *, page: int = 1, problem: errors.Refused | None = None) -> Template:
    async with services.of(request).database.connection() as conn:
        rule = await consensus.rule(conn)
        agreed = await consensus.names(conn, PAGE + 1, (page - 1) * PAGE)
    return templating.page(
        request,
        "settings_consensus.html",
        account,
        rule=rule,
        fewest=consensus.FEWEST,
        most=consensus.MOST,
        agreed=agreed[:PAGE],
        more=len(agreed) > PAGE,
        page=page,
        problem=problem,
        status_code=422 if problem else 200,
    )


handlers = [share]
owners = Router(
    path="/",
    route_handlers=[show, settle],
    dependencies={"account": Provide(pages_people.owner)},
    exception_handlers={strangers.Stranger: strangers.show_the_way},
    include_in_schema=False,
)
