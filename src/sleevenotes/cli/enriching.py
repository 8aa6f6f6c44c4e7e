"""`enrich`: write a file again with what its names are."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from sleevenotes.cli import tools

if TYPE_CHECKING:
    from sleevenotes.library import Report

SHOWN = 20  # invalid rows told one by one
STOPPED = 130  # exit code after Ctrl-C, as shells count it

WORDS = {"known": "Looking up what is known", "names": "Asking for names", "covers": "Asking for covers"}


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.command("enrich")(enrich)


def enrich(
    context: typer.Context,
    *,
    file: Annotated[
        Path,
        typer.Argument(
            help="CSV, TSV or JSONL (also gzipped), or Parquet.", exists=True, dir_okay=False, readable=True
        ),
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="The file to write.", dir_okay=False)],
    artist: Annotated[str, typer.Option("--artist", help="Column of the artist, where it is not guessed.")] = "",
    track: Annotated[str, typer.Option("--track", help="Column of the track.")] = "",
    album: Annotated[str, typer.Option("--album", help="Column of the album.")] = "",
    kind: Annotated[
        str, typer.Option("--format", help="csv, tsv, jsonl or parquet. [default: by the output's ending]")
    ] = "",
    prefix: Annotated[str, typer.Option("--prefix", help="Stands before the names of added columns.")] = "sn_",
    offline: Annotated[
        bool, typer.Option("--offline", help="Ask nobody: only the offline catalogue and what is known.")
    ] = False,
    no_artwork: Annotated[bool, typer.Option("--no-artwork", help="Look for no covers.")] = False,
    artwork: Annotated[Path | None, typer.Option("--artwork", help="Copy covers to this directory.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> None:
    """Write a file again with columns that say which recording, release and cover each row is.

    No account is needed. What was found is kept: run it again to go on after it was stopped.
    """
    from sleevenotes import library

    settings = tools.load(context)
    with _progress(quiet=as_json) as progress:
        try:
            report = tools.run(
                library.enrich_file(
                    file,
                    output,
                    artist=artist,
                    track=track,
                    album=album,
                    kind=kind,
                    prefix=prefix,
                    offline=offline,
                    artwork=not no_artwork,
                    images=artwork,
                    heard=progress.heard,
                    given=settings,
                )
            )
        except KeyboardInterrupt:
            progress.stopped(output)
    if as_json:
        tools.say_json(report)
    else:
        _tell(report, output)


class _Progress:
    """Bars on the terminal, and how far it was when it was stopped."""

    def __init__(self, bars: object) -> None:
        from rich.progress import Progress

        self._bars = bars if isinstance(bars, Progress) else None
        self._tasks: dict[str, object] = {}
        self._far: dict[str, tuple[int, int]] = {}

    def heard(self, what: str, done: int, total: int) -> None:
        """Show how far it is."""
        self._far[what] = (done, total)
        if self._bars is None:
            return
        self._bars.start()
        if what not in self._tasks:
            self._tasks[what] = self._bars.add_task(WORDS[what], total=total)
        self._bars.update(self._tasks[what], completed=done, total=total)  # type: ignore[arg-type] # its own id

    def stopped(self, output: Path) -> NoReturn:
        """Say what stands and how to go on, and end."""
        if self._bars is not None:
            self._bars.stop()
        stands = ", ".join(f"{done} of {total} {what}" for what, (done, total) in self._far.items() if what != "known")
        typer.echo(
            f"sleevenotes: stopped; {output} is not written. Decided and kept: {stands or 'nothing yet'}.", err=True
        )
        typer.echo(
            "Run the same command again to go on from there, or with --offline to write what is known now.", err=True
        )
        raise typer.Exit(STOPPED)


@contextmanager
def _progress(*, quiet: bool) -> Iterator[_Progress]:
    """Show bars while the block runs; logs go where the bars go, so that a report on standard output stays one."""
    import structlog
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    looks = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    bars = Progress(*looks, console=console, transient=True, disable=quiet or not console.is_terminal)
    try:
        yield _Progress(bars)
    finally:
        bars.stop()


def _tell(report: Report, output: Path) -> None:
    typer.echo(f"{output}: {report.rows} rows in {report.seconds:g} s")
    typer.echo(f"  names matched   {_rate(report.names_matched, report.names)}")
    typer.echo(f"  plays matched   {_rate(report.plays_matched, report.plays)}")
    typer.echo(f"  albums with art {_rate(report.albums_with_artwork, report.albums)}")
    asked = ", ".join(f"{source} {count}" for source, count in report.requests.items())
    typer.echo(f"  requests        {asked or 'none'}")
    if report.invalid:
        typer.echo(f"  invalid rows    {len(report.invalid)}, kept as they were:")
    for row in report.invalid[:SHOWN]:
        typer.echo(f"    line {row.line}: {row.reason}")
    if len(report.invalid) > SHOWN:
        typer.echo(f"    … and {len(report.invalid) - SHOWN} more; each has its reason in the file")


def _rate(part: int, whole: int) -> str:
    return f"{part} of {whole} ({part / whole:.1%})" if whole else "none"
