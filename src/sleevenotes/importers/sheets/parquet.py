"""Sheets in Parquet. pyarrow reads and writes them: an extra, since it is larger than all of Sleevenotes.

From Parquet to Parquet every column keeps its type. What comes from elsewhere is written as text; what goes elsewhere
is text where it is neither a number nor true or false.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from sleevenotes import errors
from sleevenotes.importers.sheets import contract, delimited

MAGIC = b"PAR1"
NEEDED = "Parquet files need pyarrow, which is not installed; install it with: pip install 'sleevenotes[parquet]'"


class Parquet:
    """The format of Parquet files."""

    kinds = ("parquet",)

    def recognises(self, head: bytes) -> bool:
        """Say whether a file begins like Parquet."""
        return head.startswith(MAGIC)

    def open(self, path: Path) -> contract.Sheet:
        """Open a file; see `contract.Format.open`. Raises errors.Unusable, naming the extra, without pyarrow."""
        return Columns(path)

    def create(self, path: Path, kind: str, sheet: contract.Sheet, added: Sequence[str]) -> contract.Writer:
        """Begin a file; see `contract.Format.create`. Raises errors.Unusable, naming the extra, without pyarrow."""
        del kind  # there is one
        return _Writer(path, sheet, added)


def pyarrow() -> Any:
    """Return pyarrow, with its Parquet. Raises errors.Unusable, naming the extra, without it."""
    try:
        import pyarrow.parquet  # noqa: PLC0415 - an extra, and slow to import
    except ImportError:
        raise errors.Unusable(NEEDED) from None
    return pyarrow


class Columns:
    """A Parquet file."""

    kind = "parquet"

    def __init__(self, path: Path) -> None:
        self._arrow = pyarrow()
        self._path = path
        try:
            self.schema = self._arrow.parquet.read_schema(path)
        except (self._arrow.ArrowException, OSError) as error:
            raise errors.Refused(f"the file begins like Parquet and is damaged: {error}") from None
        self.columns: list[str] = list(self.schema.names)

    def batches(self) -> Iterator[contract.Batch]:
        """Yield all rows; see `contract.Sheet.batches`."""
        row = 1
        with self._arrow.parquet.ParquetFile(self._path) as file:
            try:
                for batch in file.iter_batches(batch_size=contract.ROWS):
                    columns = [self._cells(column) for column in batch.columns]
                    cells = list(zip(*columns, strict=True)) if columns else [()] * batch.num_rows
                    yield contract.Batch(range(row, row + batch.num_rows), cells, {}, batch)
                    row += batch.num_rows
            except (self._arrow.ArrowException, OSError) as error:
                raise errors.Refused(f"the file is damaged after row {row - 1}: {error}") from None

    def _cells(self, column: Any) -> list[object]:
        """Return a column as Python values; times and what else JSON has no word for as text."""
        types = self._arrow.types
        if types.is_nested(column.type) or types.is_boolean(column.type) or types.is_integer(column.type):
            return list(column.to_pylist())
        if types.is_floating(column.type):
            return list(column.to_pylist())
        if types.is_dictionary(column.type):
            column = column.dictionary_decode()
        return list(column.cast(self._arrow.string()).to_pylist())


class _Writer:
    """Writes Parquet: the columns as they were, where they were Parquet's, else as text; the added ones behind."""

    def __init__(self, path: Path, sheet: contract.Sheet, added: Sequence[str]) -> None:
        self._arrow = pyarrow()
        self._columns = list(sheet.columns)
        self._added = list(added)
        self._types = [self._arrow.float64() if name.endswith("distance") else self._arrow.string() for name in added]
        self._own = isinstance(sheet, Columns)
        own = list(sheet.schema) if isinstance(sheet, Columns) else self._fields(self._columns)
        more = [self._arrow.field(name, kind) for name, kind in zip(self._added, self._types, strict=True)]
        self._schema = self._arrow.schema([*own, *more])
        self._file = self._arrow.parquet.ParquetWriter(path, self._schema, compression="zstd")

    def _fields(self, names: Sequence[str]) -> list[Any]:
        return [self._arrow.field(name, self._arrow.string()) for name in names]

    def write(self, batch: contract.Batch, added: Sequence[Sequence[contract.Cell]]) -> None:
        count = len(batch.cells)
        own = list(batch.native.columns) if self._own else self._texts(batch.cells)
        columns = list(zip(*added, strict=True)) if count else [()] * len(self._added)
        more = [self._arrow.array(cells, kind) for cells, kind in zip(columns, self._types, strict=True)]
        self._file.write_batch(self._arrow.record_batch([*own, *more], schema=self._schema))

    def _texts(self, rows: Sequence[Sequence[object]]) -> list[Any]:
        columns = zip(*rows, strict=True) if rows else [()] * len(self._columns)
        return [
            self._arrow.array([None if cell is None else delimited.written(cell) for cell in column], "string")
            for column in columns
        ]

    def close(self) -> None:
        self._file.close()
