"""`user` and `token`: who may submit and look."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from sleevenotes import errors
from sleevenotes.cli import serving, tools

if TYPE_CHECKING:
    from sleevenotes.store.accounts import Scope

PASSWORD_VARIABLE = "SLEEVENOTES_PASSWORD"  # noqa: S105 - the variable's name

Name = Annotated[str, typer.Argument(help="The account's name.")]
Password = Annotated[
    str,
    typer.Option(
        prompt=True,
        hide_input=True,
        confirmation_prompt=True,
        envvar=PASSWORD_VARIABLE,
        help="Asked for when not given.",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
ForAccount = Annotated[str, typer.Option("--account", help="Whose token.")]

user = typer.Typer(help="Accounts: add, invite, list, set a password, remove.", no_args_is_help=True)
token = typer.Typer(help="Tokens, with which players submit: create, list, revoke.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.add_typer(user, name="user")
    app.add_typer(token, name="token")


@user.command("add")
def add_user(context: typer.Context, name: Name, password: Password, as_json: AsJson = False) -> None:
    """Create an account and a first token; the very first account owns the installation."""
    account_id, secret = tools.run(_add_user(context, name, password))
    if as_json:
        tools.say_json({"id": account_id, "name": name, "token": secret})
    else:
        typer.echo(f"Account {name!r} is created. Its token, shown only now: {secret}")


async def _add_user(context: typer.Context, name: str, password: str) -> tuple[int, str]:
    from sleevenotes import app
    from sleevenotes.store import accounts

    async with app.open(tools.load(context)) as parts, parts.database.transaction() as conn:
        now = parts.clock.now()
        first = await accounts.count(conn) == 0
        account = await accounts.create(conn, name, password, is_owner=first, now=now)
        return account.id, await accounts.create_token(conn, account.id, "first token", now)


@user.command("list")
def list_users(context: typer.Context, as_json: AsJson = False) -> None:
    """List the accounts."""
    from sleevenotes import app
    from sleevenotes.store import accounts

    async def fetch() -> list[accounts.Account]:
        async with app.open(tools.load(context)) as parts, parts.database.connection() as conn:
            return await accounts.every(conn)

    everybody = tools.run(fetch())
    if as_json:
        tools.say_json(everybody)
        return
    for account in everybody:
        typer.echo(f"{account.id}\t{account.name}{'  (owner)' if account.is_owner else ''}")
    if not everybody:
        typer.echo("No accounts yet. Create one with: sleevenotes user add NAME")


@user.command("password")
def set_password(context: typer.Context, name: Name, password: Password) -> None:
    """Set an account's password; its sessions in browsers end, its tokens stay."""
    from sleevenotes import app
    from sleevenotes.store import accounts

    async def change() -> None:
        async with app.open(tools.load(context)) as parts, parts.database.transaction() as conn:
            account = await tools.account(conn, name)
            await accounts.set_password(conn, account.id, password)

    tools.run(change())
    typer.echo(f"The password of {name!r} is changed.")


@user.command("invite")
def invite(
    context: typer.Context,
    note: Annotated[str, typer.Argument(help="For whom, as you will know it again.")] = "",
    as_json: AsJson = False,
) -> None:
    """Make a link by which somebody makes their account, once, within seven days."""
    _link(context, None, note, as_json=as_json)


@user.command("reset")
def reset(context: typer.Context, name: Name, as_json: AsJson = False) -> None:
    """Make a link by which somebody sets a new password, once, within a day; until then the old one holds."""
    _link(context, name, "", as_json=as_json)


def _link(context: typer.Context, name: str | None, note: str, *, as_json: bool) -> None:
    from sleevenotes import app
    from sleevenotes.store import invitations

    settings = tools.load(context)

    async def create() -> str:
        async with app.open(settings) as parts, parts.database.transaction() as conn:
            whose = (await tools.account(conn, name)).id if name is not None else None
            return await invitations.create(conn, parts.clock.now(), note=note, for_account_id=whose)

    way = f"/invitation/{tools.run(create())}"
    link = f"{settings.base_url.rstrip('/') or serving.reached_at(settings.host, settings.port)}{way}"
    if as_json:
        tools.say_json({"link": link})
    else:
        typer.echo(f"The link, shown only now: {link}")


@user.command("remove")
def remove_user(
    context: typer.Context,
    name: Name,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: AsJson = False,
) -> None:
    """Delete an account with all its plays and all that hangs on it; the last owner stays."""
    from sleevenotes import app
    from sleevenotes.pipeline import farewell
    from sleevenotes.store import farewells

    if not yes:
        typer.confirm(f"Delete {name!r} with all plays? This cannot be undone", abort=True)

    async def remove() -> farewells.Belongings:
        async with app.open(tools.load(context)) as parts:
            async with parts.database.transaction() as conn:
                account = await tools.account(conn, name)
            counted, gone = await farewell.leave(parts.database, parts.files, account.id, parts.clock.now())
            if not gone:  # nobody waits in a browser here: to the end
                await farewell.delete(parts.database, parts.files, account.id)
            return counted

    went = tools.run(remove())
    if as_json:
        tools.say_json(went)
    else:
        typer.echo(f"{name!r} is deleted: {went.plays:,} plays, {went.tokens} tokens, {went.corrections} corrections.")


@token.command("create")
def create_token(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="What you call it, so that you can revoke it: phone.")],
    account: ForAccount,
    scopes: Annotated[
        list[str] | None,
        typer.Option("--scope", help="submit, read, manage, admin; repeatable. Without: all but admin."),
    ] = None,
    old: Annotated[
        bool,
        typer.Option("--old-player", help="It logs in with name and password (Last.fm, Audioscrobbler): this is it."),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Create a token for a player; it is shown only now."""
    from sleevenotes import app
    from sleevenotes.store import accounts, player_logins

    async def create() -> str:
        may = player_logins.SCOPES if old and not scopes else _scopes(scopes)
        async with app.open(tools.load(context)) as parts, parts.database.transaction() as conn:
            found = await tools.account(conn, account)
            if accounts.Scope.ADMIN in may and not found.is_owner:
                raise errors.Refused(f"--scope: {found.name!r} is no owner, whose tokens alone may have admin")
            if old and not may <= player_logins.SCOPES:
                raise errors.Refused("--scope: a token for an old player may submit and read, and no more")
            made = await accounts.create_token(conn, found.id, name, parts.clock.now(), scopes=may)
            if old:
                await player_logins.allow(conn, made)
            return made

    secret = tools.run(create())
    if as_json:
        tools.say_json({"name": name, "token": secret})
    else:
        typer.echo(f"Token {name!r}, shown only now: {secret}")


def _scopes(names: list[str] | None) -> frozenset[Scope]:
    from sleevenotes.store import accounts

    if not names:
        return accounts.EVERYDAY
    try:
        return frozenset(map(accounts.Scope, names))
    except ValueError:
        known = ", ".join(accounts.Scope)
        raise errors.Refused(f"--scope: there are {known}, not {', '.join(names)}") from None


@token.command("list")
def list_tokens(context: typer.Context, account: ForAccount, as_json: AsJson = False) -> None:
    """List an account's tokens: number, name, what they may do, when created and last used."""
    from sleevenotes import app
    from sleevenotes.store import accounts

    async def fetch() -> list[accounts.Token]:
        async with app.open(tools.load(context)) as parts, parts.database.connection() as conn:
            return await accounts.tokens(conn, (await tools.account(conn, account)).id)

    tokens = tools.run(fetch())
    if as_json:
        tools.say_json(tokens)
        return
    for found in tokens:
        used = found.last_used_at.strftime("%Y-%m-%d %H:%M UTC") if found.last_used_at else "never"
        scopes = ",".join(found.scopes)
        typer.echo(f"{found.id}\t{found.name}\t{scopes}\tcreated {found.created_at:%Y-%m-%d}\tlast used {used}")


@token.command("revoke")
def revoke_token(
    context: typer.Context,
    number: Annotated[int, typer.Argument(help="The token's number, as `token list` shows it.")],
    account: ForAccount,
) -> None:
    """Revoke a token: the player that has it can no longer submit."""
    from sleevenotes import app
    from sleevenotes.store import accounts

    async def revoke() -> None:
        async with app.open(tools.load(context)) as parts, parts.database.transaction() as conn:
            found = await tools.account(conn, account)
            if not await accounts.revoke_token(conn, found.id, number):
                raise errors.Refused(f"{found.name!r} has no token {number}; see `sleevenotes token list`")

    tools.run(revoke())
    typer.echo(f"Token {number} is revoked.")
