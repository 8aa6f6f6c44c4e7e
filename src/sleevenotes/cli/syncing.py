"""`sync`: have connected histories looked at now, and say how they are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from sleevenotes import model
from sleevenotes.cli import tools

if TYPE_CHECKING:
    from sleevenotes.settings import Settings
    from sleevenotes.store.connections import Connected

NAMES = {"lastfm": "Last.fm", "listenbrainz": "ListenBrainz"}


class Line(msgspec.Struct):
    """How one connection is."""

    account: str
    service: str
    username: str
    status: str
    problem: str
    last_sync: str
    read: int
    total: int | None
    finished: bool


def register(app: typer.Typer) -> None:
    """Add this module's command."""
    app.command("sync")(sync)


def sync(
    context: typer.Context,
    *,
    account: Annotated[str, typer.Option("--account", help="Only this account's connections.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print how they are as JSON.")] = False,
) -> None:
    """Look for new plays at Last.fm and ListenBrainz now, for every connected account.

    The running server or worker does the reading; this puts it before everything else and says how far each is.
    """
    lines = tools.run(_sync(tools.load(context), account))
    if as_json:
        tools.say_json(lines)
    elif not lines:
        typer.echo("No account is connected. Connect on the page Settings, Last.fm.")
    else:
        for line in lines:
            typer.echo(_told(line))


async def _sync(settings: Settings, name: str) -> list[Line]:
    from sleevenotes import app
    from sleevenotes.pipeline import syncing
    from sleevenotes.store import accounts, connections, walks

    async with app.open(settings) as parts:
        async with parts.database.connection() as conn:
            owners = [await tools.account(conn, name)] if name else await accounts.every(conn)
            known = {owner.id: owner.name for owner in owners}
            found = await connections.every(conn, list(known))
        lines = []
        for connected in found:
            async with parts.database.transaction() as conn:
                await syncing.begin(conn, connected.id, model.Band.CRITICAL, parts.clock.now())
                history = (await walks.of_connection(conn, connected.id)).get("history")
            lines.append(_line(known[connected.account_id], connected))
            if history is not None:
                lines[-1].read, lines[-1].total = history.read, history.total
                lines[-1].finished = history.ended_at is not None
    return lines


def _line(account: str, connected: Connected) -> Line:
    last = connected.synced_at.isoformat(timespec="seconds") if connected.synced_at else ""
    return Line(
        account, connected.service, connected.user_name, connected.status, connected.note, last, 0, None, finished=False
    )


def _told(line: Line) -> str:
    far = "history read" if line.finished else f"{line.read} of {line.total or 'unknown'} plays of the history read"
    last = f"last looked {line.last_sync}" if line.last_sync else "not looked yet"
    wrong = f"; {line.problem}" if line.problem else ""
    return f"{line.account}: {NAMES[line.service]} as {line.username or '?'}, {line.status}, {far}, {last}{wrong}"
