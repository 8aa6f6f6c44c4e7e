"""What a sheet is: a file of rows under named columns, read in batches and written again with columns added.

Nothing is lost: every row that is not blank comes out again, in its order, with what it held. A row that cannot be
read carries its problem, in words that name the line (of Parquet, the row) and what is wrong with it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol

import msgspec

ROWS = 10_000  # of a batch: few enough for memory, enough that a column at a time is quick

Cell = str | float | None  # of an added column; None is "not known": "" in text, null elsewhere


class Batch(msgspec.Struct, frozen=True):
    """Rows of a sheet, in their order.

    lines     where each stands in the file: the number of its line, of Parquet of its row, from 1
    cells     what each holds, one cell a column of the sheet; of a row with a problem, as far as it could be read
    problems  place in this batch -> what is wrong with that row
    native    the rows as the format itself has them, for a writer of the same format; None where it has no own form
    """

    lines: Sequence[int]
    cells: Sequence[Sequence[object]]
    problems: dict[int, str]
    native: Any = None


class Sheet(Protocol):
    """An open file of rows."""

    @property
    def kind(self) -> str:
        """Return the format's name: csv, tsv, jsonl or parquet."""
        ...

    @property
    def columns(self) -> Sequence[str]:
        """Return the names of the columns, in order; of JSON the paths to the values ("track_metadata.artist_name")."""
        ...

    def batches(self) -> Iterator[Batch]:
        """Yield all rows, from the first; may be called again.

        Raises errors.Refused, naming the line, where the file cannot be read from some place on.
        """
        ...


class Writer(Protocol):
    """A file being written; it is complete only after `close`."""

    def write(self, batch: Batch, added: Sequence[Sequence[Cell]]) -> None:
        """Write rows with the added cells of each, in the order of the added columns."""
        ...

    def close(self) -> None:
        """End the file."""
        ...


class Format(Protocol):
    """One format of files."""

    @property
    def kinds(self) -> Sequence[str]:
        """Return the names of what it writes, which are also the endings of such files."""
        ...

    def recognises(self, head: bytes) -> bool:
        """Say whether a file that begins with these bytes is of this format."""
        ...

    def open(self, path: Path) -> Sheet:
        """Open a file. Raises errors.Refused where it is not of this format after all."""
        ...

    def create(self, path: Path, kind: str, sheet: Sheet, added: Sequence[str]) -> Writer:
        """Begin a file for the rows of `sheet` with the added columns."""
        ...
