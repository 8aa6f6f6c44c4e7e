"""`train`: learn anew, from what was asked, whom to ask; and say how it fares."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sleevenotes.cli import tools

if TYPE_CHECKING:
    from sleevenotes.settings import Settings
    from sleevenotes.store.predictors import Version


def register(app: typer.Typer) -> None:
    """Add this module's command."""
    app.command("train")(train)


def train(
    context: typer.Context,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print the evaluation as JSON.")] = False,
) -> None:
    """Train the source predictor now, on every question that was asked and judged.

    It is put in force where, on later questions than it was trained on, it needs fewer requests than the declared
    order and finds what that finds. A running server notices within a minute. A server trains by itself once a day.
    """
    version = tools.run(_train(tools.load(context)))
    if as_json:
        tools.say_json(version)
    else:
        typer.echo("\n".join(_told(version)))


async def _train(settings: Settings) -> Version:
    from sleevenotes import app
    from sleevenotes.pipeline import learning
    from sleevenotes.store import predictors

    async with app.open(settings) as parts:
        made = await learning.train(parts.database, app.sources_of(settings), parts.clock.now())
        async with parts.database.connection() as conn:
            return next(each for each in await predictors.versions(conn) if each.id == made)


def _told(version: Version) -> Iterator[str]:
    yield f"Predictor {version.id}: {version.status}. {version.reason}"
    if version.evaluation:
        yield from _evaluated(version, version.evaluation)


def _evaluated(version: Version, found: dict[str, Any]) -> Iterator[str]:
    yield f"  trained      on {version.examples} questions in {version.took_s:.1f} s and {version.peak_mb:.0f} MB"
    yield f"  held out     {found['held_out']} of them, each foretold by what was before it"
    yield f"  surprise     {found['log_loss']:.3f}; each source's plain share: {found['plain_log_loss']:.3f}"
    yield f"  requests     {found['requests']:.0f}; in the declared order: {found['declared_requests']:.0f}"
    yield f"  found        {found['found']:.0f}; in the declared order: {found['declared_found']:.0f}"
    yield f"  not asked    whose chance is below {found['threshold']:.3f}"
    yield "  chance       foretold, served, questions"
    for tenth, one in enumerate(found["bins"]):
        if one["count"]:
            told = f"{one['chance']:.3f}     {one['served']:.3f}   {one['count']}"
            yield f"    {tenth / 10:.1f} to {(tenth + 1) / 10:.1f}  {told}"
