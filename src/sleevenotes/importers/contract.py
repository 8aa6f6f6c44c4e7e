"""What an importer is: it recognises an export by its bytes and turns it, row by row, into scrobbles.

Importers are pure: no database, no clock, no files. Nothing is lost silently: a row that cannot become a
scrobble becomes a `Skipped` with its line and the reason, in words the listener can act on.
"""

from __future__ import annotations

import gzip
import io
from collections.abc import Iterator
from datetime import datetime
from typing import Protocol

import msgspec

from sleevenotes import errors, model

GZIP_MAGIC = b"\x1f\x8b"
MAX_LINE_BYTES = 100_000  # no play needs more; a longer "line" is a damaged or foreign file


class Skipped(msgspec.Struct, frozen=True):
    """A row that is not imported: its line in the file (the first is 1) and why."""

    line: int
    reason: str


class Options(msgspec.Struct, frozen=True):
    """How to read an export.

    raw    take the names the player sent, where the export has them beside corrected ones
    until  plays after this moment are skipped: they cannot have happened yet; None: no such check
    """

    raw: bool = True
    until: datetime | None = None


class Importer(Protocol):
    """One export format."""

    @property
    def name(self) -> str:
        """Return what the format is called, for people."""
        ...

    def recognises(self, first_line: str) -> bool:
        """Say whether an export that begins with this line is of this format."""
        ...

    def read(self, data: bytes, options: Options) -> Iterator[model.Scrobble | Skipped]:
        """Yield, in the file's order, a scrobble or a Skipped for every row that is not blank.

        Raises errors.Refused where the export cannot be read from some place on; its message names the place.
        """
        ...


def opened(data: bytes) -> io.BufferedIOBase:
    """Open an export for reading; gzip is undone as it is read, so memory stays bounded."""
    if data.startswith(GZIP_MAGIC):
        return gzip.GzipFile(fileobj=io.BytesIO(data))
    return io.BytesIO(data)


def lines(data: bytes) -> Iterator[tuple[int, bytes]]:
    r"""Yield (line number from 1, bytes without the line's end); only "\n" and "\r\n" end a line.

    Raises errors.Refused for damaged gzip and for a line longer than MAX_LINE_BYTES.
    """
    number = 0
    with opened(data) as file:
        try:
            while line := file.readline(MAX_LINE_BYTES + 1):
                number += 1
                if len(line) > MAX_LINE_BYTES:
                    raise errors.Refused(f"line {number} is longer than {MAX_LINE_BYTES} bytes: not a list of plays")
                yield number, line.rstrip(b"\r\n")
        except (EOFError, OSError) as error:
            raise errors.Refused(f"the compressed file is damaged after line {number}: {error}") from None


def first_line(data: bytes) -> str:
    """Return the first line as text, without a byte order mark; "" for an empty file.

    Raises errors.Refused when it is not UTF-8.
    """
    for _, line in lines(data):
        try:
            return line.decode("utf-8-sig")
        except UnicodeDecodeError:
            raise errors.Refused("the first line is not UTF-8 text; export the file as UTF-8") from None
    return ""
