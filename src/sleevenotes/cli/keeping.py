"""`backup` and `restore`: everything of an installation in one file."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sleevenotes.cli import tools

if TYPE_CHECKING:
    from sleevenotes.pipeline.backup import Progress, Report

AsJson = Annotated[bool, typer.Option("--json", help="Print the report as JSON.")]


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.command("backup")(backup)
    app.command("restore")(restore)


def backup(
    context: typer.Context,
    file: Annotated[Path | None, typer.Argument(help="Where to; sleevenotes-DATE.zip here when not given.")] = None,
    as_json: AsJson = False,
) -> None:
    """Back up database and images into one file; the server may run meanwhile.

    The file holds hashes of passwords and tokens, and the keys of connected services: keep it as you keep those.
    """
    from sleevenotes import clock
    from sleevenotes.pipeline import backup as backing

    settings = tools.load(context)
    now = clock.SystemClock().now()
    target = (file or Path(f"sleevenotes-{now:%Y-%m-%d}.zip")).absolute()
    with _shown(quiet=as_json) as progress:
        report = tools.run(backing.make(settings, target, now, progress))
    if as_json:
        tools.say_json(report)
        return
    typer.echo(f"{target}: {_told(report)}.")
    if report.missing:
        typer.echo(f"{report.missing:,} images are not in it: their files were lost before.")


def restore(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="A backup.")],
    check: Annotated[
        bool, typer.Option("--check", help="Only read the file from end to end and say what it holds.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Restore a backup into an empty installation; a damaged file is refused with nothing changed."""
    from sleevenotes import clock
    from sleevenotes.pipeline import backup as backing

    settings = tools.load(context)
    with _shown(quiet=as_json) as progress, tools.telling():
        if check:
            report = backing.check(file, progress)
        else:
            report = tools.run(backing.restore(settings, file, clock.SystemClock().now(), progress))
    if as_json:
        tools.say_json(report)
        return
    typer.echo(
        f"{'The backup is whole' if check else 'Restored'}: {_told(report)}, made {report.made_at:%Y-%m-%d %H:%M} UTC."
    )


def _told(report: Report) -> str:
    return (
        f"{report.plays:,} plays, {report.rows:,} rows in all, {report.images:,} images, {report.bytes / 1e6:,.1f} MB"
    )


@contextmanager
def _shown(*, quiet: bool) -> Iterator[Progress]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    shown = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*shown, console=Console(stderr=True), transient=True, disable=quiet) as bars:
        tasks = {}

        def progress(what: str, done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = bars.add_task(what, total=total)
            bars.update(tasks[what], completed=done, total=total)

        yield progress
