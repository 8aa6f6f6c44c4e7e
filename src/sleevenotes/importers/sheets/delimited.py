"""Sheets whose lines are fields between tabs, commas or semicolons: CSV and TSV.

A quoted field may go on over the next lines. Where it has not ended after CONTINUED lines with as many fields as there
are columns, the quote was a stray one: its line is taken as written and swallows nothing.
"""

from __future__ import annotations

import csv
import io
import itertools
import json
from collections import deque
from collections.abc import Iterator, Sequence
from pathlib import Path

from sleevenotes import errors
from sleevenotes.importers import contract as files
from sleevenotes.importers import delimited
from sleevenotes.importers.sheets import contract

DELIMITERS = "\t,;"
CONTINUED = 50  # lines that a quoted field may take


class Delimited:
    """The format of CSV and TSV."""

    kinds = ("csv", "tsv")

    def recognises(self, head: bytes) -> bool:
        """Say whether a file may be such a table: it is the format of whatever is no other."""
        return b"\0" not in head

    def open(self, path: Path) -> contract.Sheet:
        """Open a table by its header; see `contract.Format.open`."""
        return Table(path.read_bytes())

    def create(self, path: Path, kind: str, sheet: contract.Sheet, added: Sequence[str]) -> contract.Writer:
        """Begin a table; see `contract.Format.create`."""
        return _Writer(path, "\t" if kind == "tsv" else ",", [*sheet.columns, *added])


class Table:
    """A table in memory, as bytes, plain or compressed by gzip."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        head = text(1, next(files.lines(data), (1, b""))[1])
        if not head.strip():
            raise errors.Refused("line 1 is blank; it must name the columns")
        self._delimiter = delimited.delimiter(head, DELIMITERS)
        self.columns = [name.strip() for name in delimited.fields(head, self._delimiter)]

    @property
    def kind(self) -> str:
        """Return "tsv" or "csv"."""
        return "tsv" if self._delimiter == "\t" else "csv"

    def batches(self) -> Iterator[contract.Batch]:
        """Yield all rows; see `contract.Sheet.batches`."""
        rows = self._rows()
        while some := list(itertools.islice(rows, contract.ROWS)):
            problems = {place: problem for place, (_, _, problem) in enumerate(some) if problem}
            yield contract.Batch([line for line, _, _ in some], [cells for _, cells, _ in some], problems)

    def _rows(self) -> Iterator[tuple[int, list[str], str]]:
        """Yield line, cells and problem ("" where there is none) of each row."""
        ahead: deque[tuple[int, str]] = deque()
        lines = ((number, text(number, line)) for number, line in files.lines(self._data))
        next(lines, None)
        while (row := ahead.popleft() if ahead else next(lines, None)) is not None:
            number, line = row
            if line.strip():
                yield number, *self._row(line, ahead, lines)

    def _row(self, line: str, ahead: deque[tuple[int, str]], lines: Iterator[tuple[int, str]]) -> tuple[list[str], str]:
        whole = _fields(line, self._delimiter)
        cells = whole if whole is not None else self._continued(line, ahead, lines)
        if len(cells) == len(self.columns):
            return cells, ""
        problem = f"{len(cells)} fields where the header names {len(self.columns)}; as it was: {line}"
        return [*cells, *[""] * len(self.columns)][: len(self.columns)], problem

    def _continued(self, line: str, ahead: deque[tuple[int, str]], lines: Iterator[tuple[int, str]]) -> list[str]:
        """Read a row whose line ends within quotes: with the lines it goes on over, else as it is written."""
        together = line
        for place in range(CONTINUED):
            if place == len(ahead):
                another = next(lines, None)
                if another is None:
                    break
                ahead.append(another)
            together += "\n" + ahead[place][1]
            cells = _fields(together, self._delimiter)
            if cells is not None:
                if len(cells) == len(self.columns):
                    for _ in range(place + 1):
                        ahead.popleft()
                    return cells
                break
        return delimited.fields(line, self._delimiter)


def text(number: int, line: bytes) -> str:
    """Read a line as UTF-8. Raises errors.Refused naming it where it is not."""
    try:
        return line.decode("utf-8-sig" if number == 1 else "utf-8")
    except UnicodeDecodeError as error:
        raise errors.Refused(
            f"line {number} is not UTF-8 text (byte {error.start + 1} of it); export the file as UTF-8"
        ) from None


def _fields(line: str, delimiter: str) -> list[str] | None:
    """Cut a row into its fields; None where its quotes do not close."""
    if '"' not in line:
        return line.split(delimiter)
    try:
        return next(csv.reader(io.StringIO(line, newline="\n"), delimiter=delimiter, strict=True), [])
    except csv.Error:
        return None


class _Writer:
    """Writes a table. What is no text is written as JSON would; what is not known is empty."""

    def __init__(self, path: Path, delimiter: str, columns: Sequence[str]) -> None:
        self._file = path.open("w", encoding="utf-8", newline="")
        self._csv = csv.writer(self._file, delimiter=delimiter, lineterminator="\n")
        self._csv.writerow(columns)

    def write(self, batch: contract.Batch, added: Sequence[Sequence[contract.Cell]]) -> None:
        self._csv.writerows(
            [written(cell) for cell in (*cells, *more)] for cells, more in zip(batch.cells, added, strict=True)
        )

    def close(self) -> None:
        self._file.close()


def written(cell: object) -> str:
    """Return a cell as text."""
    if isinstance(cell, str):
        return cell
    return "" if cell is None else json.dumps(cell, ensure_ascii=False, default=str)
