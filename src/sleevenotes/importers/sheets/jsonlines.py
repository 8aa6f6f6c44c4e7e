"""Sheets of one JSON object a line, as ListenBrainz exports listens: {"track_metadata": {"artist_name": …}, …}.

A column is the path to a value. Objects within objects are walked into, lists are kept whole; the columns are all paths
of the file, in the order in which they are met first.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from sleevenotes import errors
from sleevenotes.importers import contract as files
from sleevenotes.importers.sheets import contract, delimited


class JsonLines:
    """The format of one JSON object a line."""

    kinds = ("jsonl",)

    def recognises(self, head: bytes) -> bool:
        """Say whether a file begins like an object (or, to be told what is wrong with it, a list)."""
        return head.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] in (b"{", b"[")

    def open(self, path: Path) -> contract.Sheet:
        """Open a file; see `contract.Format.open`."""
        return Objects(path.read_bytes())

    def create(self, path: Path, kind: str, sheet: contract.Sheet, added: Sequence[str]) -> contract.Writer:
        """Begin a file; see `contract.Format.create`. The added names become members of each line's object."""
        del kind  # there is one
        return _Writer(path, sheet, added)


class Objects:
    """Objects in memory, as bytes, plain or compressed by gzip."""

    kind = "jsonl"

    def __init__(self, data: bytes) -> None:
        self._data = data
        first = next((line for _, line in files.lines(data) if line.strip()), b"")
        if first.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"["):
            raise errors.Refused("the file is one JSON list; write one object a line instead (jq -c '.[]' does)")
        paths = (path for _, value, _ in self._objects() for path in _flat(value))
        self.columns = list(dict.fromkeys(paths))

    def batches(self) -> Iterator[contract.Batch]:
        """Yield all rows; see `contract.Sheet.batches`."""
        rows = self._objects()
        while some := list(itertools.islice(rows, contract.ROWS)):
            yield contract.Batch(
                lines=[line for line, _, _ in some],
                cells=[self._cells(value) for _, value, _ in some],
                problems={place: problem for place, (_, _, problem) in enumerate(some) if problem},
                native=[value for _, value, _ in some],
            )

    def _cells(self, value: Mapping[str, Any]) -> list[object]:
        flat = _flat(value)
        return [flat.get(column) for column in self.columns]

    def _objects(self) -> Iterator[tuple[int, dict[str, Any], str]]:
        """Yield line, object ({} where there is none) and problem of each row."""
        for number, line in files.lines(self._data):
            if not line.strip():
                continue
            told = delimited.text(number, line)
            try:
                yield number, msgspec.json.decode(told, type=dict[str, Any]), ""
            except msgspec.DecodeError as error:
                yield number, {}, f"not a JSON object ({error}); as it was: {told}"


def _flat(value: Mapping[str, Any], before: str = "") -> dict[str, object]:
    flat: dict[str, object] = {}
    for name, inner in value.items():
        if isinstance(inner, dict):
            flat |= _flat(inner, f"{before}{name}.")
        else:
            flat[before + name] = inner
    return flat


class _Writer:
    """Writes objects: each as it was, where it was one, and the added members behind."""

    def __init__(self, path: Path, sheet: contract.Sheet, added: Sequence[str]) -> None:
        self._file = path.open("wb")
        self._columns = list(sheet.columns)
        self._added = added
        self._own = sheet.kind == Objects.kind

    def write(self, batch: contract.Batch, added: Sequence[Sequence[contract.Cell]]) -> None:
        objects = batch.native if self._own else [dict(zip(self._columns, row, strict=True)) for row in batch.cells]
        for value, more in zip(objects, added, strict=True):
            whole = value | dict(zip(self._added, more, strict=True))
            self._file.write(msgspec.json.encode(whole, enc_hook=str) + b"\n")

    def close(self) -> None:
        self._file.close()
