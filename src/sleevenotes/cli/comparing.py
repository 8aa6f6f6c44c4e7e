"""`same-plays`: compare all plays of accounts over again."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from sleevenotes.cli import tools

if TYPE_CHECKING:
    from sleevenotes.settings import Settings


class Line(msgspec.Struct):
    """What comparing changed: how many plays more are hidden behind another service's record than before."""

    account: str
    hidden: int


def register(app: typer.Typer) -> None:
    """Add this module's command."""
    app.command("same-plays")(same_plays)


def same_plays(
    context: typer.Context,
    *,
    account: Annotated[str, typer.Option("--account", help="Only this account's plays.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print what changed as JSON.")] = False,
) -> None:
    """Compare all plays over again: which of them two services recorded, so that each is shown once.

    It makes no difference to plays that were compared before, but where what is known of them has changed since.
    """
    lines = tools.run(_compare(tools.load(context), account, quiet=as_json))
    if as_json:
        tools.say_json(lines)
        return
    for line in lines:
        more = "no change" if not line.hidden else f"{abs(line.hidden)} {'more' if line.hidden > 0 else 'fewer'} hidden"
        typer.echo(f"{line.account}: {more}")


async def _compare(settings: Settings, name: str, *, quiet: bool) -> list[Line]:
    from rich.console import Console

    from sleevenotes import app
    from sleevenotes.pipeline import comparing
    from sleevenotes.store import accounts

    async with app.open(settings) as parts:
        async with parts.database.connection() as conn:
            owners = [await tools.account(conn, name)] if name else await accounts.every(conn)
        lines = []
        with Console(stderr=True, quiet=quiet).status("Comparing") as status:
            for owner in owners:

                def seen(at: datetime, who: str = owner.name) -> None:
                    status.update(f"Comparing the plays of {who}: up to {at:%Y-%m-%d}")

                lines.append(Line(owner.name, await comparing.through(parts, owner.id, seen)))
    return lines
