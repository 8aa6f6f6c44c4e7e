"""`catalogue`: build the offline catalogue and the index of covers, ask them, and say what they hold."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sleevenotes.cli import tools

if TYPE_CHECKING:
    from sleevenotes.catalogue import Catalogue, Entry
    from sleevenotes.catalogue.staging import Tell

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]

catalogue = typer.Typer(
    help="The offline catalogue: names that are answered with no request at all.", no_args_is_help=True
)


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.add_typer(catalogue, name="catalogue")


@catalogue.command("build")
def build(
    context: typer.Context,
    dump: Annotated[
        Path,
        typer.Argument(help="MusicBrainz' canonical dump: the .tar.zst, the unpacked directory, or the CSV in it."),
    ],
    as_json: AsJson = False,
) -> None:
    """Build the catalogue. A running server takes it up by itself.

    Interrupted, the same command goes on where it was.
    """
    from sleevenotes import catalogue as room
    from sleevenotes import clock
    from sleevenotes.catalogue import build as building

    target = tools.load(context).catalogue_path / room.NAMES
    with tools.telling(), _progress(quiet=as_json) as tell:
        built = building.build(dump, target, clock.SystemClock().now(), tell)
    if as_json:
        tools.say_json(built)
        return
    for broken in built.told:
        typer.echo(f"left out: {broken}", err=True)
    if built.broken > len(built.told):
        typer.echo(f"… and {built.broken - len(built.told)} more rows", err=True)
    went_on = ", gone on with where it was interrupted" if built.resumed else ""
    typer.echo(f"{target}: {built.recordings:,} recordings by {built.credits:,} artist credits{went_on}")
    if not built.release_groups:
        typer.echo("No release groups: without the release redirects, plays are not matched from it.", err=True)


@catalogue.command("covers")
def covers(
    context: typer.Context,
    archive: Annotated[Path, typer.Argument(help="mbdump-cover-art-archive.tar.bz2", exists=True)],
    releases: Annotated[
        Path,
        typer.Option("--releases", help="mbdump.tar.bz2, or its table `release`.", exists=True),
    ],
    as_json: AsJson = False,
) -> None:
    """Build the index of the Cover Art Archive: which release has which front."""
    from sleevenotes import catalogue as room
    from sleevenotes import clock
    from sleevenotes.catalogue import covers as index

    target = tools.load(context).catalogue_path / room.COVERS
    with tools.telling(), _progress(quiet=as_json) as tell:
        info = index.build(archive, releases, target, clock.SystemClock().now(), tell)
    if as_json:
        tools.say_json(info)
    else:
        typer.echo(f"{target}: {info.fronts:,} releases with a front")


@catalogue.command("lookup")
def lookup(context: typer.Context, artist: str, track: str, as_json: AsJson = False) -> None:
    """Look a name up: exactly, else the nearest."""
    opened = _opened(context)
    [exact] = opened.exact([(artist, track)])
    found = [exact] if exact else opened.fuzzy(artist, track)
    if as_json:
        tools.say_json({"exact": exact is not None, "entries": found})
    elif not found:
        typer.echo("Nothing like it.")
    else:
        typer.echo("Exactly:" if exact else "Nearest:")
        for entry in found:
            typer.echo(_described(entry))


@catalogue.command("canonical")
def canonical(context: typer.Context, recording: Annotated[str, typer.Argument(help="A recording's MBID.")]) -> None:
    """Print the MBID of the canonical recording that another one goes with."""
    try:
        typer.echo(_opened(context).canonical(recording))
    except ValueError:
        tools.fail(f"{recording!r} is no MBID")


@catalogue.command("info")
def info(context: typer.Context, as_json: AsJson = False) -> None:
    """Say what the catalogue and the index of covers hold, and when they were built."""
    from sleevenotes import catalogue as room
    from sleevenotes.catalogue import covers as index

    held = _opened(context).info()
    with tools.telling():
        fronts = index.open(tools.load(context).catalogue_path / room.COVERS)
    shown = fronts.info() if fronts else None
    if as_json:
        tools.say_json({"names": held, "covers": shown})
        return
    typer.echo(f"{held.path}: {held.size / 1e6:,.0f} MB, built {held.built_at}")
    typer.echo(f"  {held.recordings:,} recordings by {held.credits:,} artist credits, {held.redirects:,} redirects")
    typer.echo(f"  {held.release_groups:,} of them on a known release group; {held.broken:,} rows left out")
    if shown:
        typer.echo(f"{shown.path}: {shown.size / 1e6:,.0f} MB, built {shown.built_at}")
        typer.echo(f"  {shown.fronts:,} releases with a front")
    else:
        typer.echo("No index of covers.")


def _opened(context: typer.Context) -> Catalogue:
    from sleevenotes import catalogue as room

    path = tools.load(context).catalogue_path / room.NAMES
    with tools.telling():
        opened = room.open(path)
    if opened is None:
        tools.fail(f"there is no catalogue at {path}; build one with `sleevenotes catalogue build DUMP`")
    return opened


def _described(entry: Entry) -> str:
    doubt = f"; another artist of this name has {entry.rivals:,}" if entry.rivals else ""
    group = entry.release_group_mbid or "unknown"
    return (
        f"  {entry.artist_credit_name} - {entry.recording_name}\n"
        f"    recording {entry.recording_mbid}, score {entry.score:,}\n"
        f"    on {entry.release_name}: release {entry.release_mbid}, release group {group}\n"
        f"    artist {', '.join(entry.artist_mbids)}: {entry.recordings:,} recordings{doubt}"
    )


@contextmanager
def _progress(*, quiet: bool) -> Iterator[Tell]:
    """Show how far it is, on the terminal only; give the function that is told."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    shown = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    with Progress(*shown, console=Console(stderr=True), transient=True, disable=quiet) as progress:
        task = progress.add_task("Beginning", total=None)

        def tell(doing: str, done: int, total: int) -> None:
            progress.update(task, description=doing, completed=done, total=total or None)

        yield tell
