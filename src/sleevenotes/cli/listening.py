"""`import`: bring a listening history in."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from sleevenotes import model
from sleevenotes.cli import tools
from sleevenotes.importers import contract

if TYPE_CHECKING:
    from sleevenotes.pipeline.submit import Submitter
    from sleevenotes.settings import Settings

BATCH = 1000  # rows a transaction at most, as pipeline.submit asks for
SHOWN = 20  # skipped rows told one by one


class Summary(msgspec.Struct):
    """What became of a file's rows."""

    stored: int = 0
    duplicates: int = 0
    skipped: list[contract.Skipped] = []

    @property
    def rows(self) -> int:
        """Return how many rows are accounted for."""
        return self.stored + self.duplicates + len(self.skipped)


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.command("import")(import_)


def import_(
    context: typer.Context,
    *,
    file: Annotated[
        Path,
        typer.Argument(help="The export; it may be compressed by gzip.", exists=True, dir_okay=False, readable=True),
    ],
    account: Annotated[str, typer.Option("--account", help="Whose plays these are.")],
    raw: Annotated[
        bool, typer.Option("--raw/--corrected", help="Which names to take where the export has both.")
    ] = True,
    skipped: Annotated[
        Path | None, typer.Option("--skipped", help="Write every skipped line and its reason to this file.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the summary as JSON.")] = False,
) -> None:
    """Import a listening history: a table (TSV or CSV) that names at least ts, artist and track.

    Plays that are there already are counted as duplicates, so an import may be repeated.
    """
    settings = tools.load(context)
    summary = tools.run(_import(settings, file.read_bytes(), account, raw=raw, quiet=as_json))
    if skipped is not None:
        skipped.write_text("".join(f"{row.line}\t{row.reason}\n" for row in summary.skipped), "utf-8")
    if as_json:
        tools.say_json(summary)
    else:
        _tell(summary)


async def _import(settings: Settings, data: bytes, account: str, *, raw: bool, quiet: bool) -> Summary:
    from rich.console import Console
    from rich.progress import Progress

    from sleevenotes import app
    from sleevenotes.importers import registry

    importer = registry.choose(data)
    async with app.open(settings) as parts:
        async with parts.database.connection() as conn:
            owner = await tools.account(conn, account)
        options = contract.Options(raw=raw, until=parts.clock.now() + timedelta(hours=1))
        with Progress(console=Console(stderr=True), transient=True, disable=quiet) as progress:
            task = progress.add_task("Importing", total=_rows(data))
            summary = Summary()
            for batch in _batches(importer.read(data, options), summary):
                await _submit(parts.submitter, owner.id, batch, summary)
                progress.update(task, completed=summary.rows)
    return summary


def _rows(data: bytes) -> int:
    """Count the rows of a table without its header, for the progress bar."""
    return max(0, sum(1 for _, line in contract.lines(data) if line.strip()) - 1)


def _batches(items: Iterator[model.Scrobble | contract.Skipped], summary: Summary) -> Iterator[list[model.Scrobble]]:
    """Yield scrobbles in batches; what is skipped goes to the summary."""
    batch: list[model.Scrobble] = []
    for item in items:
        if isinstance(item, contract.Skipped):
            summary.skipped.append(item)
            continue
        batch.append(item)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


async def _submit(submitter: Submitter, account_id: int, batch: list[model.Scrobble], summary: Summary) -> None:
    results = await submitter.submit(account_id, batch, band=model.Band.LOW_PRIORITY)
    duplicates = sum(result.duplicate for result in results)
    summary.duplicates += duplicates
    summary.stored += len(results) - duplicates


def _tell(summary: Summary) -> None:
    typer.echo(f"{summary.stored} stored, {summary.duplicates} duplicates, {len(summary.skipped)} skipped")
    for row in summary.skipped[:SHOWN]:
        typer.echo(f"  line {row.line}: {row.reason}")
    if len(summary.skipped) > SHOWN:
        typer.echo(f"  … and {len(summary.skipped) - SHOWN} more; --skipped FILE writes them all")
