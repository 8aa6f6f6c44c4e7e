"""`popular`: how far the completing of the most played names is, and a public list of names for it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sleevenotes.cli import tools

if TYPE_CHECKING:
    from sleevenotes.pipeline.seeding import Told
    from sleevenotes.settings import Settings
    from sleevenotes.store.popular_report import Report

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.command("popular")(popular)


def popular(
    context: typer.Context,
    seed: Annotated[
        Path | None, typer.Option("--seed", help="A list of popular names to look for ahead: CSV or JSON Lines.")
    ] = None,
    count: Annotated[bool, typer.Option("--count", help="Count the most played anew now, not only at night.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show how complete the most played names are; a running server or worker completes them little by little."""
    from sleevenotes import app
    from sleevenotes.pipeline import popular as completing
    from sleevenotes.pipeline import seeding
    from sleevenotes.store import popular_report

    settings = tools.load(context)

    async def work() -> tuple[Told | None, Report, datetime]:
        async with app.open(settings) as parts:
            told = await seeding.renew(parts.database, seed) if seed else None
            async with parts.database.transaction() as conn:
                now = parts.clock.now()
                if count:
                    await completing.list_anew(conn, app.popular_rule(settings), now)
                return told, await popular_report.read(conn, now), now

    with tools.telling():
        told, report, now = tools.run(work())
    if as_json:
        tools.say_json({"list": told, "popular": report} if seed else report)
        return
    if seed:
        typer.echo("\n".join(_list(told)))
    typer.echo("\n".join(story(report, settings, now)))


def _list(told: Told | None) -> Iterator[str]:
    if told is None:
        yield "This list has been read already."
        return
    for each in told.skipped:
        yield f"Left out: {each.place}: {each.reason}"
    cut = "; the list has more, which are not taken" if told.cut else ""
    yield f"{told.read:,} names of the list, {told.new:,} of them new{cut}. {len(told.skipped):,} rows left out."


def story(report: Report, settings: Settings, now: datetime) -> Iterator[str]:
    """Tell in a few lines how far it is."""
    if settings.popular_names <= 0:
        yield "Popular names are not kept complete: popular_names is 0."
        return
    if report.listed_at is None:
        yield "The most played names have not been counted yet; a running server or worker does it."
        return
    yield f"{report.complete:,} of the {report.names:,} most played names are complete, {report.looked:,} looked at"
    if report.missing:
        yield f"  missing  {', '.join(f'{kind} {number:,}' for kind, number in report.missing.items())}"
    if report.oldest_at:
        yield f"  oldest   looked at {(now - report.oldest_at).days:,} d ago"
    yield (
        f"  rate     {report.last_hour:,} taken up in the last hour, {settings.popular_per_hour:,} at most; "
        f"{report.under_way:,} under way"
    )
    if report.holds:
        yield f"  waits    {report.holds}"
    if report.seeds:
        yield f"  list     {report.seeds:,} names, {report.seeds_left:,} still to come"
