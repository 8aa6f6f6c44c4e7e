"""The owner's page: who is here, inviting, helping with a lost password, removing; and where an invitation leads.

The owner sees when somebody was last here and how many plays they have, never which.
"""

from __future__ import annotations

import msgspec
from litestar import Router, get, post
from litestar.di import NamedDependency, Provide
from litestar.exceptions import NotFoundException, PermissionDeniedException
from litestar.params import FromPath, URLEncodedBody
from litestar.response import Redirect, Template

from sleevenotes import errors
from sleevenotes.server import auth, feeds, home, pages_account, pages_self, services, strangers, templating
from sleevenotes.server.templating import Asking
from sleevenotes.store import farewells, invitations, library, people
from sleevenotes.store.accounts import Account, Scope
from sleevenotes.store.people import Person

WAY = "/settings/people"


class Inviting(msgspec.Struct):
    """The form that makes an invitation."""

    note: str = ""


class Removing(msgspec.Struct):
    """The form that removes somebody: their name once more."""

    name: str = ""


class Accepting(msgspec.Struct):
    """The form that an invitation leads to."""

    name: str = ""
    password: str = ""
    time_zone: str = "UTC"


async def owner(request: Asking) -> Account:
    """Return the account that asks, which must own the installation; a dependency of these pages.

    To anybody else they do not exist. Raises Stranger as `strangers.signed_in` does.
    """
    account = await strangers.signed_in(request)
    if not account.is_owner:
        raise NotFoundException
    return auth.permitted(account, Scope.ADMIN)


Owner = NamedDependency[Account]


# ---------------------------------------------------------------- the owner's


@get("/settings/people")
async def show(request: Asking, account: Owner) -> Template:
    """Show who is here, and the invitations that are open."""
    return await _page(request, account)


@post("/settings/people/invite", status_code=200)
async def invite(request: Asking, account: Owner, data: URLEncodedBody[Inviting]) -> Template:
    """Make an invitation and show its link, the only time."""
    parts = services.of(request)
    async with parts.database.transaction() as conn:
        secret = await invitations.create(conn, parts.clock.now(), note=data.note)
    return await _page(request, account, link=_link(request, secret))


@post("/settings/people/invitations/{invitation_id:int}/revoke", status_code=303)
async def revoke(
    request: Asking,
    account: Owner,  # noqa: ARG001 - named, so that nobody else is let in
    invitation_id: FromPath[int],
) -> Redirect:
    """End an invitation."""
    async with services.of(request).database.connection() as conn:
        await invitations.revoke(conn, invitation_id)
    return Redirect(WAY, status_code=303)


@post("/settings/people/{account_id:int}/reset", status_code=200)
async def reset(request: Asking, account: Owner, account_id: FromPath[int]) -> Template:
    """Make a link by which somebody sets a new password; the old one holds until it is used."""
    parts = services.of(request)
    person = await _person(request, account_id)
    async with parts.database.transaction() as conn:
        secret = await invitations.create(conn, parts.clock.now(), for_account_id=person.id)
    return await _page(request, account, link=_link(request, secret), person=person)


@post("/settings/people/{account_id:int}/owner", status_code=303)
async def share(request: Asking, account: Owner, account_id: FromPath[int]) -> Redirect:
    """Make somebody an owner, or no longer one."""
    person = await _person(request, account_id)
    async with services.of(request).database.transaction() as conn:
        await people.set_owner(conn, person.id, is_owner=not person.is_owner)
    auth.forget(request, person.id)
    return Redirect(WAY if person.id != account.id else "/settings", status_code=303)


@get("/settings/people/{account_id:int}/remove")
async def remove_form(request: Asking, account: Owner, account_id: FromPath[int]) -> Template:
    """Say what would go with somebody, and ask once more."""
    return await _removing(request, account, await _person(request, account_id))


@post("/settings/people/{account_id:int}/remove", status_code=200)
async def remove(
    request: Asking, account: Owner, account_id: FromPath[int], data: URLEncodedBody[Removing]
) -> Template:
    """Delete somebody's account and all that hangs on it; say what is gone."""
    person = await _person(request, account_id)
    if data.name.strip().lower() != person.name.lower():
        problem = errors.Refused(f"Write {person.name} to say that you mean it.", field="name")
        return await _removing(request, account, person, problem)
    if person.id == account.id:
        raise PermissionDeniedException(
            "Delete your own account on the page of your account: it asks for your password."
        )
    return await pages_self.said_farewell(request, person.id, person.name, own=False, viewer=account)


# ---------------------------------------------------------------- the invited


@get("/invitation/{secret:str}")
async def invitation_form(request: Asking, secret: FromPath[str]) -> Template:
    """Show where an invitation leads: a name and a password to choose, or a new password alone."""
    return await _invitation(request, secret, Accepting())


@post("/invitation/{secret:str}", status_code=200)
async def accept(request: Asking, secret: FromPath[str], data: URLEncodedBody[Accepting]) -> Template | Redirect:
    """Use the invitation up, and log the browser in."""
    parts = services.of(request)
    now = parts.clock.now()
    try:
        async with parts.database.transaction() as conn:
            fresh = not (await invitations.find(conn, secret, now)).name
            account = await invitations.accept(conn, secret, data.name, pages_account.required(data.password), now)
            if fresh:
                await library.set_time_zone(conn, account.id, pages_account.known_zone(data.time_zone))
    except errors.Refused as problem:
        return await _invitation(request, secret, data, problem)
    cookie = await auth.open_session(request, account)
    return Redirect("/players" if fresh else "/", status_code=303, cookies=[cookie])


# ---------------------------------------------------------------- inside


async def _page(request: Asking, account: Account, *, link: str = "", person: Person | None = None) -> Template:
    parts = services.of(request)
    now = parts.clock.now()
    async with parts.database.connection() as conn:
        everyone = await people.everyone(conn)
        open_ones = await invitations.open_ones(conn, now)
    return templating.page(
        request,
        "people.html",
        account,
        people=everyone,
        owners=sum(each.is_owner and not each.leaving for each in everyone),
        invitations=open_ones,
        link=link,
        person=person,
        tell=feeds.dater(account, now),
    )


async def _person(request: Asking, account_id: int) -> Person:
    async with services.of(request).database.connection() as conn:
        found = await people.everyone(conn, account_id) if 0 < account_id < 2**63 else []
    if not found or found[0].leaving:
        raise NotFoundException
    return found[0]


async def _removing(
    request: Asking, account: Account, person: Person, problem: errors.Refused | None = None
) -> Template:
    async with services.of(request).database.connection() as conn:
        would_go = await farewells.belongings(conn, person.id)
    status = 422 if problem else 200
    return templating.page(
        request, "removing.html", account, person=person, goes=would_go, problem=problem, status_code=status
    )


async def _invitation(
    request: Asking, secret: str, given: Accepting, problem: errors.Refused | None = None
) -> Template:
    parts = services.of(request)
    async with parts.database.connection() as conn:
        found = await invitations.find(conn, secret, parts.clock.now())
    return templating.page(
        request,
        "invitation.html",
        None,
        invitation=found,
        secret=secret,
        given=given,
        problem=problem,
        host=home.address(request).partition("://")[2],
        status_code=422 if problem else 200,
    )


def _link(request: Asking, secret: str) -> str:
    return f"{home.address(request)}/invitation/{secret}"


handlers = [
    Router(
        path="/",
        route_handlers=[show, invite, revoke, reset, share, remove_form, remove],
        dependencies={"account": Provide(owner)},
        exception_handlers={strangers.Stranger: strangers.show_the_way},
        include_in_schema=False,
    ),
    Router(path="/", route_handlers=[invitation_form, accept], include_in_schema=False),
]
