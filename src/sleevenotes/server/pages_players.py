"""Players: what to write where in each, the tokens there are, and what came with each of them last."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import msgspec
from litestar import get, post
from litestar.params import FromPath, FromQuery, URLEncodedBody
from litestar.response import Redirect, Template

from sleevenotes.server import auth, feeds, home, players, services, templating, views
from sleevenotes.server.strangers import SignedIn
from sleevenotes.server.templating import Asking
from sleevenotes.store import accounts, player_logins, sightings
from sleevenotes.store.accounts import Account, Scope

SAYS = {  # what a scope lets a token do, in a listener's words
    Scope.SUBMIT: "send what you play and what you love",
    Scope.READ: "read your plays and charts",
    Scope.MANAGE: "change and delete plays, choose covers, correct matches, import",
    Scope.ADMIN: "say as the owner what holds for everybody",
}


class NewToken(msgspec.Struct):
    """The form that makes a token: what it is called, for which player, whether it logs in the old way.

    What it may do is sent as several fields `scopes`, and read apart; a player's own form sends none.
    """

    name: str = ""
    player: str = ""
    old: str = ""


@get("/players")
async def show(request: Asking, account: SignedIn, player: FromQuery[str] = "") -> Template:
    """Show how to point a player here, and the tokens there are."""
    return await page(request, account, chosen=player)


@post("/players", status_code=200)
async def create_token(request: Asking, account: SignedIn, data: URLEncodedBody[NewToken]) -> Template:
    """Make a token for a player and show it, the only time, in the player's own configuration."""
    parts = services.of(request)
    chosen = players.BY_SLUG.get(data.player)
    name = " ".join(data.name.split())[:64] or (chosen.name.partition(" (")[0][:64] if chosen else "player")
    old = bool(data.old) or (chosen is not None and chosen.old)
    scopes = player_logins.SCOPES if old or chosen else await _scopes(request, account)
    async with parts.database.transaction() as conn:
        token = await accounts.create_token(conn, account.id, name, parts.clock.now(), scopes=scopes)
        if old:
            await player_logins.allow(conn, token)
    return await page(request, account, token=token, chosen=data.player, old=old)


async def _scopes(request: Asking, account: Account) -> set[Scope]:
    """Read what was ticked; nobody gives away what they may not do."""
    ticked = {str(one) for one in (await request.form()).getall("scopes", [])}
    return {scope for scope in Scope if scope.value in ticked and scope in account.may and _offered(scope, account)}


def _offered(scope: Scope, account: Account) -> bool:
    return scope is not Scope.ADMIN or account.is_owner


@post("/players/{token_id:int}/revoke", status_code=303)
async def revoke_token(request: Asking, account: SignedIn, token_id: FromPath[int]) -> Redirect:
    """End a token."""
    async with services.of(request).database.connection() as conn:
        await accounts.revoke_token(conn, account.id, token_id)
    auth.forget(request, account.id)
    return Redirect("/players", status_code=303)


async def page(
    request: Asking,
    account: Account,
    *,
    token: str = "",
    chosen: str = "",
    old: bool = False,
    first: bool = False,
) -> Template:
    """Draw the page; `token` is one that was made just now, `chosen` the player it is for ("": none in particular)."""
    parts = services.of(request)
    now = parts.clock.now()
    where = views.zone(account.time_zone)
    await request.app.state.noticed.keep()
    async with parts.database.connection() as conn:
        kept = await accounts.tokens(conn, account.id)
        seen = await sightings.of_account(conn, account.id)
        old_ones = await player_logins.allowed(conn, account.id)
    base = home.address(request)
    values = _values(account, base, token if not chosen or chosen in players.BY_SLUG else "", old=old)
    return templating.page(
        request,
        "players.html",
        account,
        base_url=base,
        tokens=kept,
        seen=seen,
        old_ones=old_ones,
        token=token,
        chosen=chosen,
        players=[players.filled(player, _for(player, chosen, values)) for player in players.PLAYERS],
        first=first,
        scopes=[(scope.value, SAYS[scope]) for scope in Scope if _offered(scope, account)],
        tell=feeds.dater(account, now),
        on_day=lambda at: views.on_day(at, where),
    )


def _values(account: Account, base: str, token: str, *, old: bool) -> dict[str, str]:
    values = {"base": base, "host": urlsplit(base).netloc, "name": account.name, "token": token}
    if token and old:
        handshake = player_logins.of_token(account, "", token)
        values |= {"key": handshake.api_key, "secret": handshake.shared_secret}
    return values


def _for(player: players.Player, chosen: str, values: dict[str, str]) -> dict[str, str]:
    """Fill a token in where it belongs: in the player it was made for, else in all that take such a token."""
    mine = player.slug == chosen if chosen else player.old == ("key" in values)
    return values if mine else {name: value for name, value in values.items() if name in ("base", "host", "name")}


handlers: list[Any] = [show, create_token, revoke_token]
