"""A file of rows, enriched: its names counted, and written again with what became of them.

Every row comes out again, with all its columns, in its order; the added ones stand behind. The file is written beside
its place and moved there when it is whole, so that nobody ever sees half of one.
"""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import msgspec

from sleevenotes import errors
from sleevenotes.artwork.files import Files
from sleevenotes.importers.sheets import columns, contract, registry
from sleevenotes.pipeline.enrich import Name
from sleevenotes.store.enriched import Row

ADDED = (
    "status", "recording_mbid", "recording", "artist_mbids", "artist_credit", "release_mbid", "release",
    "release_group_mbid", "release_group", "first_release_date", "artwork", "artwork_status", "source", "distance",
    "reason",
)  # fmt: skip
"""The added columns, without the prefix. docs/howto/enrich-a-file.md says what each holds."""

INVALID = "invalid"  # the status of a row that names no artist or no track
UNKNOWN = "Neither the catalogue nor the database knows it, and nobody was asked."

_ENDINGS = {"image/jpeg": ".jpg", "image/png": ".png", "image/gif": ".gif", "image/webp": ".webp"}


class Invalid(msgspec.Struct, frozen=True):
    """A row that names nothing to look up: its line (of Parquet, its row) and why."""

    line: int
    reason: str


class Source(msgspec.Struct, frozen=True):
    """An open file and where its names stand."""

    sheet: contract.Sheet
    named: columns.Named

    def names(self, batch: contract.Batch) -> Iterator[Name | str]:
        """Yield each row's name, or why it has none."""
        for place, cells in enumerate(batch.cells):
            yield batch.problems.get(place) or self._name(cells)

    def _name(self, cells: Sequence[object]) -> Name | str:
        artist, track = _text(cells[self.named.artist]), _text(cells[self.named.track])
        release = "" if self.named.album is None else _text(cells[self.named.album])
        empty = [
            self.sheet.columns[place] for place, text in zip(self.named[:2], (artist, track), strict=True) if not text
        ]
        if empty:
            return f"{' and '.join(empty)}: empty"
        if any("\0" in text for text in (artist, track, release)):
            return "a name holds a NUL character"
        return Name(artist, track, release)


class Counted(msgspec.Struct, frozen=True):
    """The names of a file, how many rows each has, and the rows without one."""

    names: Counter[Name]
    invalid: list[Invalid]

    @property
    def rows(self) -> int:
        """Return how many rows the file has."""
        return self.names.total() + len(self.invalid)


def read(path: Path, artist: str = "", track: str = "", album: str = "") -> Source:
    """Open a file and find the columns of its names.

    Raises errors.Refused, naming what is wrong, and errors.Unusable where an extra is missing.
    """
    sheet = registry.open(path)
    return Source(sheet, columns.find(sheet.columns, artist, track, album))


def check(source: Source, path: Path, out: Path, kind: str, prefix: str) -> str:
    """Return the kind of file to be written; raise errors.Refused for what could not be, before any work is done."""
    if out.exists() and out.samefile(path):
        raise errors.Refused(f"{out} is the file that is read; write to another", field="output")
    if not out.parent.is_dir():
        raise errors.Refused(f"{out.parent} is not a directory", field="output")
    taken = [prefix + name for name in ADDED if prefix + name in source.sheet.columns]
    if taken:
        raise errors.Refused(f"the file has a column {taken[0]} already; choose another --prefix", field="prefix")
    return registry.kind_of(out, kind) or source.sheet.kind


def count(source: Source) -> Counted:
    """Go through all rows once. Raises errors.Refused, naming the line, where the file cannot be read on."""
    found: Counter[Name] = Counter()
    invalid: list[Invalid] = []
    for batch in source.sheet.batches():
        for line, name in zip(batch.lines, source.names(batch), strict=True):
            if isinstance(name, Name):
                found[name] += 1
            else:
                invalid.append(Invalid(line, name))
    return Counted(found, invalid)


def write(source: Source, out: Path, kind: str, prefix: str, told: Mapping[Name, Sequence[contract.Cell]]) -> None:
    """Write the file with the added cells of each name. Raises errors.Refused where that cannot be done."""
    with _whole(out) as path:
        writer = registry.create(path, kind, source.sheet, [prefix + name for name in ADDED])
        try:
            for batch in source.sheet.batches():
                added = [told[each] if isinstance(each, Name) else unread(each) for each in source.names(batch)]
                writer.write(batch, added)
        finally:
            writer.close()


def cells(row: Row | None, artwork: str = "") -> tuple[contract.Cell, ...]:
    """Return what is added for a name; None where it is not known and nobody was asked."""
    if row is None:
        return ("pending", *[None] * (len(ADDED) - 2), UNKNOWN)
    known: tuple[contract.Cell, ...] = (
        row.status, row.recording_mbid, row.recording, ",".join(row.artist_mbids), row.artist_credit,
        row.release_mbid, row.release, row.release_group_mbid, row.release_group, row.first_release_date,
        artwork or row.image_url, row.artwork_status, row.source, row.distance, row.reason,
    )  # fmt: skip
    return tuple(None if cell == "" else cell for cell in known)


def unread(why: str) -> tuple[contract.Cell, ...]:
    """Return what is added to a row without a name."""
    return (INVALID, *[None] * (len(ADDED) - 2), why)


def copy_images(files: Files, rows: Sequence[Row], into: Path) -> dict[str, str]:
    """Copy the images of these names' albums into a directory, each once; return where, by digest.

    Those that their source's terms forbid to keep are left out: their addresses stand in the file instead.
    """
    into.mkdir(parents=True, exist_ok=True)
    copied: dict[str, str] = {}
    for row in rows:
        if not row.image_digest or row.image_expires or row.image_digest in copied:
            continue
        original = files.original_path(row.image_digest)
        copy = into / (row.image_digest + _ENDINGS.get(row.image_mime, ""))
        if not copy.exists() and original.exists():
            with _whole(copy) as path:
                shutil.copyfile(original, path)
        if copy.exists():
            copied[row.image_digest] = str(copy)
    return copied


@contextlib.contextmanager
def _whole(out: Path) -> Iterator[Path]:
    """Give a path to write to, and move what was written to `out` when the block ends well."""
    try:
        with tempfile.NamedTemporaryFile(dir=out.parent, prefix=f".{out.name}.", delete=False) as file:
            path = Path(file.name)
    except OSError as error:
        raise errors.Refused(f"{out} cannot be written: {error.strerror}", field="output") from None
    try:
        yield path
        path.chmod(0o644)  # a temporary file is the owner's alone, a file that was asked for is not
        path.replace(out)
    finally:
        path.unlink(missing_ok=True)


def _text(cell: object) -> str:
    """Return a name as text: whatever is no text is no name, but for numbers ("1979")."""
    if isinstance(cell, str):
        return cell.strip()
    return str(cell) if isinstance(cell, int | float) and not isinstance(cell, bool) else ""
