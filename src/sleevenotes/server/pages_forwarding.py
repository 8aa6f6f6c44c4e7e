"""The settings of what is sent on to Last.fm and ListenBrainz: a switch for each, what waits, and what was refused."""

from __future__ import annotations

from litestar import get, post
from litestar.params import FromPath
from litestar.response import Redirect, Template

from sleevenotes import errors
from sleevenotes.server import feeds, forwarding, services, templating
from sleevenotes.server.strangers import SignedIn
from sleevenotes.server.templating import Asking
from sleevenotes.store.accounts import Account

WAY = "/settings/forwarding"


@get(WAY)
async def show(request: Asking, account: SignedIn) -> Template:
    """Show how it stands."""
    return await _page(request, account)


@post(WAY + "/{name:str}/on", status_code=303)
async def turn_on(request: Asking, account: SignedIn, name: FromPath[str]) -> Redirect | Template:
    """Have plays sent on from now on."""
    try:
        await forwarding.turn_on(services.of(request), account.id, forwarding.service(name))
    except errors.Refused as problem:
        return await _page(request, account, problem=problem)
    return Redirect(WAY, status_code=303)


@post(WAY + "/{name:str}/off", status_code=303)
async def turn_off(request: Asking, account: SignedIn, name: FromPath[str]) -> Redirect:
    """Send nothing on any more."""
    await forwarding.turn_off(services.of(request), account.id, forwarding.service(name))
    return Redirect(WAY, status_code=303)


@post(WAY + "/{name:str}/past", status_code=303)
async def queue_past(request: Asking, account: SignedIn, name: FromPath[str]) -> Redirect:
    """Send on what is here already."""
    await forwarding.queue_past(services.of(request), account.id, forwarding.service(name))
    return Redirect(WAY, status_code=303)


@post(WAY + "/{name:str}/again", status_code=303)
async def try_again(request: Asking, account: SignedIn, name: FromPath[str]) -> Redirect:
    """Send once more what was refused, and now what waits."""
    await forwarding.try_again(services.of(request), account.id, forwarding.service(name))
    return Redirect(WAY, status_code=303)


async def _page(request: Asking, account: Account, problem: errors.Refused | None = None) -> Template:
    parts = services.of(request)
    return templating.page(
        request,
        "forwarding.html",
        account,
        told=await forwarding.told(parts, account.id),
        problem=problem,
        tell=feeds.dater(account, parts.clock.now()),
        status_code=422 if problem else 200,
    )


handlers = [show, turn_on, turn_off, queue_past, try_again]
