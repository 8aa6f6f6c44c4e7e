"""`recheck`: what is looked for again, when and why; and looking sooner."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from sleevenotes.cli import tools

if TYPE_CHECKING:
    from datetime import datetime

    from sleevenotes.store.backfills import Backfill
    from sleevenotes.store.due import Due


def register(app: typer.Typer) -> None:
    """Add this module's command."""
    app.command("recheck")(recheck)


def recheck(
    context: typer.Context,
    now: Annotated[
        str, typer.Option("--now", metavar="KIND", help="Make all of this kind due now; it still goes in the drip.")
    ] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show what is looked for again: how much is due, by kind, and why; and what new sources are being asked."""
    from sleevenotes import app, errors
    from sleevenotes.store import backfills, due

    settings = tools.load(context)

    async def fetch() -> tuple[int | None, list[Due], list[Backfill], datetime]:
        if now and now not in due.KINDS:
            raise errors.Refused(f"there is no kind {now!r}. Kinds: {', '.join(due.KINDS)}.", field="now")
        async with app.open(settings) as parts, parts.database.transaction() as conn:
            at = parts.clock.now()
            hastened = await due.hasten(conn, now, at) if now else None
            return hastened, await due.read(conn, at), await backfills.lately(conn, at), at

    hastened, dated, new, at = tools.run(fetch())
    if as_json:
        tools.say_json({"hastened": hastened, "dated": dated, "backfills": new})
        return
    _print(dated, new, at)
    if hastened is not None:
        typer.echo(f"{hastened:,} of {now} are due now; they are taken up a few a minute, the most played among them.")


def _print(dated: list[Due], new: list[Backfill], at: datetime) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table("kind", "why", "due", "later", "the next", title="Looked for again")
    for each in dated:
        when = "now" if each.due else f"{each.next_at:%Y-%m-%d %H:%M} UTC" if each.next_at else ""
        table.add_row(each.kind, each.why, f"{each.due:,}", f"{each.later:,}", when)
    console = Console()
    console.print(table if dated else "Nothing is to be looked for again.")
    if new:
        asked = Table("source", "kind", "asked", "of", "begun", "ended", title="Sources that are new")
        for one in new:
            ended = f"{one.ended_at:%Y-%m-%d %H:%M} UTC" if one.ended_at and one.ended_at <= at else ""
            begun = f"{one.begun_at:%Y-%m-%d %H:%M} UTC"
            asked.add_row(one.source, one.kind, f"{one.asked:,}", f"{one.total:,}", begun, ended)
        console.print(asked)
