"""Every format of sheets, in the order in which they are asked whether a file is theirs."""

from __future__ import annotations

import gzip
from collections.abc import Sequence
from pathlib import Path

from sleevenotes import errors
from sleevenotes.importers import files
from sleevenotes.importers.sheets import contract, delimited, jsonlines, parquet

ALL: tuple[contract.Format, ...] = (parquet.Parquet(), jsonlines.JsonLines(), delimited.Delimited())
KINDS = tuple(kind for each in ALL for kind in each.kinds)
_HEAD = 4096
_UTF16 = (b"\xff\xfe", b"\xfe\xff")


def open(path: Path) -> contract.Sheet:  # noqa: A001 - read as registry.open
    """Open a file of any known format, plain or compressed by gzip.

    Raises errors.Refused where it cannot be read, errors.Unusable where an extra is missing.
    """
    head = _head(path)
    if not head.strip():
        raise errors.Refused(f"{path} is empty")
    if head.startswith(_UTF16):
        raise errors.Refused(f"{path} is UTF-16 text; export it as UTF-8")
    for each in ALL:
        if each.recognises(head):
            return each.open(path)
    raise errors.Refused(f"{path} is none of {', '.join(KINDS)}")


def kind_of(path: Path, wanted: str = "") -> str:
    """Return which format a file to be written has: as wanted, else by its ending; "" where neither tells.

    Raises errors.Refused for a format that is not written.
    """
    kind = wanted or path.suffix.removeprefix(".").lower()
    if wanted and kind not in KINDS:
        raise errors.Refused(f"format {wanted!r}: must be one of {', '.join(KINDS)}", field="format")
    return kind if kind in KINDS else ""


def create(path: Path, kind: str, sheet: contract.Sheet, added: Sequence[str]) -> contract.Writer:
    """Begin a file of this kind for the rows of `sheet` with columns added."""
    return next(each for each in ALL if kind in each.kinds).create(path, kind, sheet, added)


def _head(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD)
        if head.startswith(files.GZIP_MAGIC):
            with gzip.open(path) as file:
                head = file.read(_HEAD)
    except (OSError, EOFError) as error:
        raise errors.Refused(f"{path} cannot be read: {error}") from None
    return head
