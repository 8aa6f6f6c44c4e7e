"""`import` and `export`: bring a listening history in, and take everything out again."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO

import msgspec
import typer

from sleevenotes import errors
from sleevenotes.cli import tools

if TYPE_CHECKING:
    from sleevenotes.importers import contract
    from sleevenotes.pipeline.importing import Importing
    from sleevenotes.settings import Settings
    from sleevenotes.store.imports import Import, Skip

SHOWN = 20  # skipped rows told one by one


class Skipped(msgspec.Struct, omit_defaults=True):
    """A row that was left out, as `--json` tells it; `unit` is line, item or row, "file" a whole file."""

    line: int
    reason: str
    kind: str
    file: str = ""
    unit: str = "line"

    @property
    def place(self) -> str:
        """Say where the row stands."""
        place = f"{self.unit} {self.line}"
        return self.file if self.unit == "file" else f"{self.file}, {place}" if self.file else place


class Summary(msgspec.Struct):
    """What became of a file's rows."""

    id: int
    format: str
    stored: int
    duplicates: int
    feedback: int
    acts: int
    skipped: list[Skipped]


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.command("import")(import_)
    app.command("export")(export)


def import_(
    context: typer.Context,
    *,
    file: Annotated[
        Path,
        typer.Argument(
            help="The export; it may be a zip archive, the directory it was unpacked to, or compressed by gzip.",
            exists=True,
            readable=True,
        ),
    ],
    account: Annotated[str, typer.Option("--account", help="Whose plays these are.")],
    raw: Annotated[
        bool, typer.Option("--raw/--corrected", help="Which names to take where the export has both.")
    ] = True,
    artist: Annotated[str, typer.Option("--artist", help="A table's column of artists, where it is not guessed.")] = "",
    track: Annotated[str, typer.Option("--track", help="A table's column of tracks.")] = "",
    album: Annotated[str, typer.Option("--album", help="A table's column of albums.")] = "",
    time: Annotated[str, typer.Option("--time", help="A table's column of times.")] = "",
    zone: Annotated[str, typer.Option("--zone", help="Time zone of times that name none; UTC without it.")] = "",
    origin: Annotated[str, typer.Option("--origin", help="The service that recorded the plays of a table.")] = "",
    min_played: Annotated[
        int, typer.Option("--min-played", help="Spotify: seconds after which a play counts.", min=0)
    ] = 30,
    private: Annotated[
        bool, typer.Option("--private/--no-private", help="Spotify: whether private sessions count.")
    ] = True,
    include_deleted: Annotated[
        bool, typer.Option("--include-deleted", help="Bring back plays that the listener has deleted, too.")
    ] = False,
    skipped: Annotated[
        Path | None, typer.Option("--skipped", help="Write every skipped row and its reason to this file.")
    ] = None,
    undo: Annotated[bool, typer.Option("--undo", help="Undo the last import of a file of this name instead.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the summary as JSON.")] = False,
) -> None:
    """Import a listening history of Last.fm, ListenBrainz, Spotify, Maloja, Rockbox, or a table.

    Plays that are there already are counted as duplicates, so an import may be repeated. What the listener has deleted
    is left out.
    """
    from sleevenotes.importers import contract

    settings = tools.load(context)
    file = file.resolve()  # "." has a name, too
    if undo:
        typer.echo(f"{tools.run(_undo(settings, file.name, account))} plays deleted")
        return
    options = contract.Options(
        raw=raw,
        artist=artist,
        track=track,
        album=album,
        time=time,
        zone=zone,
        origin=origin,
        min_played_s=min_played,
        private=private,
        include_deleted=include_deleted,
    )
    summary = tools.run(_import(settings, file, account, options, quiet=as_json))
    if skipped is not None:
        skipped.write_text("".join(f"{_short(row)}\t{row.reason}\n" for row in summary.skipped), "utf-8")
    if as_json:
        tools.say_json(summary)
    else:
        _tell(summary)


async def _import(settings: Settings, path: Path, account: str, options: contract.Options, *, quiet: bool) -> Summary:
    from rich.console import Console
    from rich.progress import Progress

    from sleevenotes import app
    from sleevenotes.pipeline import importing
    from sleevenotes.store import imports

    with importing.looked_at(path, path.name, options) as plan:
        importer, size = plan.importer, sum(file.size for file in plan.files)
    async with app.open(settings) as parts:
        now = parts.clock.now()
        async with parts.database.transaction() as conn:
            owner = await tools.account(conn, account)
            number = await imports.offer(
                conn, owner.id, file_name=path.name, upload="-", size=size, importer=importer.name, now=now
            )
            await imports.begin(conn, owner.id, number, importing.kept(options), importer.name, now)
            told = await imports.by_id(conn, number)
        with Progress(console=Console(stderr=True), transient=True, disable=quiet) as progress:
            task = progress.add_task(f"Importing, {importer.called.partition(',')[0]}", total=1.0)
            stage = app.importing_of(parts)
            done = await stage.through(told, path, lambda seen: progress.update(task, completed=seen.share))
        async with parts.database.connection() as conn:
            left = [skip async for page in imports.every_skip(conn, number) for skip in page]
    return _summary(done, left)


def _summary(done: Import, left: list[Skip]) -> Summary:
    rows = [Skipped(skip.line, skip.reason, skip.kind, skip.file, skip.unit) for skip in left]
    return Summary(done.id, done.format, done.stored, done.duplicates, done.feedback, done.acts, rows)


async def _undo(settings: Settings, name: str, account: str) -> int:
    from sleevenotes import app
    from sleevenotes.store import imports

    async with app.open(settings) as parts:
        async with parts.database.connection() as conn:
            owner = await tools.account(conn, account)
            mine = await imports.newest(conn, owner.id, 1000)
        begun = (imports.RUNNING, imports.DONE, imports.FAILED, imports.UNDOING)
        last = next((each for each in mine if each.file_name == name and each.status in begun), None)
        if last is None:
            raise errors.Refused(f"nothing was imported from a file named {name!r}, or it is undone already")
        stage: Importing = app.importing_of(parts)
        return await stage.undone(last.id)


def _short(row: Skipped) -> str:
    return str(row.line) if row.unit == "line" and not row.file else row.place


def _tell(summary: Summary) -> None:
    from sleevenotes.importers import contract

    typer.echo(f"{summary.stored} stored, {summary.duplicates} duplicates, {len(summary.skipped)} skipped")
    if summary.feedback:
        typer.echo(f"{summary.feedback} loved or hated tracks")
    if summary.acts:
        typer.echo(f"{summary.acts} corrections, covers and marks")
    for row in summary.skipped[:SHOWN]:
        typer.echo(f"  {row.place}: {row.reason}")
    if len(summary.skipped) > SHOWN:
        typer.echo(f"  … and {len(summary.skipped) - SHOWN} more; --skipped FILE writes them all")
    if any(row.kind == contract.DELETED for row in summary.skipped):
        typer.echo("  --include-deleted brings back what was deleted here")


# ---------------------------------------------------------------- export


def export(
    context: typer.Context,
    *,
    file: Annotated[Path, typer.Argument(help='The file to write; "-" is the standard output.', dir_okay=False)],
    account: Annotated[str, typer.Option("--account", help="Whose plays.")],
    kind: Annotated[str, typer.Option("--format", help="jsonl, csv or parquet; else FILE's ending says it.")] = "",
) -> None:
    """Write all plays of an account to a file: as sent, what they are matched to, what is loved, corrected and chosen.

    `sleevenotes import` reads it back. The file appears whole or not at all.
    """
    from sleevenotes.pipeline import exporting

    settings = tools.load(context)
    ending = file.suffix.removeprefix(".").lower()
    if not kind and ending and ending not in exporting.FORMATS:
        tools.fail(f"{file.name}: its ending says none of {', '.join(exporting.FORMATS)}; say which with --format")
    plays = tools.run(_export(settings, file, account, kind or ending or "jsonl"))
    if str(file) != "-":
        typer.echo(f"{plays} bytes written to {file}")


async def _export(settings: Settings, path: Path, account: str, kind: str) -> int:
    from sleevenotes import app
    from sleevenotes.pipeline import exporting

    write = exporting.writer(kind)
    async with _logs_aside(), app.open(settings) as parts:
        async with parts.database.connection() as conn:
            owner = await tools.account(conn, account)
        chunks = exporting.stream(parts.database, parts.files, owner.id, write)
        if str(path) == "-":
            return await _written(chunks, sys.stdout.buffer)
        beside = path.with_name(f".{path.name}.new")
        try:
            with beside.open("wb") as file:
                size = await _written(chunks, file)
            beside.replace(path)
        except OSError as error:
            raise errors.Refused(f"{path} cannot be written: {error}") from None
        finally:
            beside.unlink(missing_ok=True)
    return size


@contextlib.asynccontextmanager
async def _logs_aside() -> AsyncIterator[None]:
    """Have logs go to the standard error output: the other one may be the file."""
    import structlog

    before = structlog.get_config()["logger_factory"]
    structlog.configure(logger_factory=lambda *_: structlog.PrintLogger(sys.stderr))
    try:
        yield
    finally:
        structlog.configure(logger_factory=before)


async def _written(chunks: AsyncIterator[bytes], file: BinaryIO) -> int:
    size = 0
    async for chunk in chunks:
        await asyncio.to_thread(file.write, chunk)
        size += len(chunk)
    return size
