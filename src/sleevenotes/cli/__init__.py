"""The command line. Each group of commands has a module; a command imports what it needs when it runs.

A mistake is told in one sentence, what is wrong and how to mend it, with exit code 2 and never a traceback.
"""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from sleevenotes.cli import (
    cataloguing,
    comparing,
    completing,
    enriching,
    keeping,
    listening,
    people,
    rechecking,
    serving,
    showing,
    syncing,
    tools,
    training,
)

app = typer.Typer(
    name="sleevenotes",
    help="A scrobble server that gives every play its recording, album, artists and cover art.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
serving.register(app)
listening.register(app)
enriching.register(app)
showing.register(app)
people.register(app)
cataloguing.register(app)
completing.register(app)
keeping.register(app)
syncing.register(app)
rechecking.register(app)
comparing.register(app)
training.register(app)


@app.callback()
def options(
    context: typer.Context,
    data_dir: Annotated[
        str | None, typer.Option("--data-dir", help="Directory of database, images and configuration.")
    ] = None,
    database_url: Annotated[
        str | None, typer.Option("--database-url", help="PostgreSQL to use instead of the bundled one.")
    ] = None,
) -> None:
    """Keep what holds for every command; settings come from the environment and a file too."""
    context.obj = tools.Given(data_dir=data_dir, database_url=database_url)


def main() -> None:
    """Run the command line; an interruption by the keyboard ends it without noise."""
    try:
        app()
    except KeyboardInterrupt:
        sys.exit(130)
