"""The files of MusicBrainz' dumps, row by row: CSV with a header, or PostgreSQL's COPY text; plain or packed.

A file may be plain, compressed (.gz, .bz2, .zst), or a member of a tar, itself compressed or not. Where a row begins is
counted in bytes of the unpacked file, so that reading can go on there later.
https://musicbrainz.org/doc/MusicBrainz_Database/Download
"""

from __future__ import annotations

import bz2
import csv
import gzip
import importlib
import io
import sys
import tarfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Any, cast

import msgspec

from sleevenotes import errors

RECORDINGS = "canonical_musicbrainz_data.csv"
RECORDING_REDIRECTS = "canonical_recording_redirect.csv"
RELEASE_REDIRECTS = "canonical_release_redirect.csv"

_TARS = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.zst")
_CHUNK = 1 << 20


class Table(msgspec.Struct, frozen=True):
    """One file of a dump; `member` is its name within the tar at `path`, "" where it is a file of its own."""

    path: Path
    member: str = ""

    @property
    def name(self) -> str:
        """Return what messages call it."""
        return f"{self.path} ({self.member})" if self.member else str(self.path)

    @property
    def fingerprint(self) -> str:
        """Return what changes when the file does: its name, size and time."""
        stat = self.path.stat()
        return f"{self.path.name}:{self.member}:{stat.st_size}:{stat.st_mtime_ns}"


def tables(given: Path) -> dict[str, Table]:
    """Find the canonical dump's files: in an archive, in a directory, or beside its CSV of recordings.

    Raises errors.Unusable where there are no recordings. What a tar holds is known only when it is read.
    """
    if is_tar(given):
        return {name: Table(given, name) for name in (RECORDINGS, RELEASE_REDIRECTS, RECORDING_REDIRECTS)}
    if given.is_dir():
        found = {name: table for name in _NAMES if (table := _within(given, name))}
        if RECORDINGS not in found:
            raise errors.Unusable(f"{given}: there is no {RECORDINGS} in it")
        return found
    if not given.is_file():
        raise errors.Unusable(f"{given}: there is no such file")
    beside = {name: table for name in _NAMES if (table := _within(given.parent, name))}
    return {**beside, RECORDINGS: Table(given)}


def is_tar(path: Path) -> bool:
    """Tell by its name whether a file is an archive of several."""
    return path.name.endswith(_TARS)


_NAMES = (RECORDINGS, RELEASE_REDIRECTS, RECORDING_REDIRECTS)


def _within(directory: Path, name: str) -> Table | None:
    places = [place / (name + packed) for place in (directory, directory / "canonical") for packed in _PACKED]
    return next((Table(place) for place in places if place.is_file()), None)


_PACKED = ("", ".zst", ".gz", ".bz2")


# ---------------------------------------------------------------- bytes


class Missing(errors.Unusable):
    """An archive has no such member."""


@contextmanager
def opened(table: Table) -> Iterator[tuple[IO[bytes], int]]:
    """Open a file to read its unpacked bytes while the block runs; say how many these are, 0 where nothing tells.

    Raises errors.Unusable where it cannot be read or is damaged, Missing where the tar has no such member.
    """
    try:
        with ExitStack() as stack:
            stream = stack.enter_context(_unpacked(table.path))
            if table.member:
                archive = stack.enter_context(tarfile.open(fileobj=stream, mode="r|"))
                yield _member(archive, table)
            else:
                yield stream, 0 if table.path.suffix in _PACKED else table.path.stat().st_size
    except OSError as error:
        raise errors.Unusable(f"{table.name}: it cannot be read: {error.strerror or error}") from None
    except _damage(table.path) as error:
        raise errors.Unusable(f"{table.name}: it is damaged or cut short: {error}") from None


def _unpacked(path: Path) -> IO[bytes]:
    match path.suffix:
        case ".zst":
            return cast("IO[bytes]", io.BufferedReader(_zstd().open(path), _CHUNK))
        case ".gz" | ".tgz":
            return cast("IO[bytes]", gzip.open(path))
        case ".bz2":
            return bz2.open(path)
        case _:
            return path.open("rb", _CHUNK)


def _damage(path: Path) -> tuple[type[Exception], ...]:
    """Return what unpacking raises where the bytes are no such thing, or end too soon."""
    return (tarfile.TarError, EOFError, zlib.error, *((_zstd().ZstdError,) if path.suffix == ".zst" else ()))


def _zstd() -> Any:
    """Return the standard library's compression.zstd, or for Python before 3.14 the same from PyPI."""
    return importlib.import_module("compression.zstd" if sys.version_info >= (3, 14) else "backports.zstd")


def _member(archive: tarfile.TarFile, table: Table) -> tuple[IO[bytes], int]:
    for info in archive:
        if info.isfile() and info.name.rpartition("/")[2] == table.member:
            file = archive.extractfile(info)
            if file is not None:
                return io.BufferedReader(cast("io.RawIOBase", file), _CHUNK), info.size
    raise Missing(f"{table.path}: there is no {table.member} in it")


class Lines:
    """The lines of a file as text, and where they are: `offset` in bytes and `number` of what has been read.

    Bytes that are not UTF-8 become U+FFFD.
    """

    def __init__(self, stream: IO[bytes], offset: int = 0, number: int = 0) -> None:
        self._stream = iter(stream)
        self.offset = offset
        self.number = number

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = next(self._stream)
        self.offset += len(line)
        self.number += 1
        return line.decode("utf-8", "replace")


def skip(table: Table, stream: IO[bytes], offset: int, to: int) -> None:
    """Go on from one offset to a later one: at once in a plain file, else by unpacking what lies between."""
    if not table.member:
        stream.seek(to)
        return
    while offset < to:
        read = len(stream.read(min(to - offset, _CHUNK)))
        if not read:
            raise errors.Unusable(f"{table.name}: it is shorter than it was")
        offset += read


# ---------------------------------------------------------------- rows


class Broken(msgspec.Struct, frozen=True):
    """A row that was left out: where it is, and what is wrong with it."""

    file: str
    line: int
    column: str
    what: str

    def __str__(self) -> str:
        return f"{self.file}, line {self.line}, column {self.column}: {self.what}"


def columns(table: Table, header: Sequence[str], wanted: Sequence[str]) -> list[int]:
    """Return the places of the wanted columns. Raises errors.Unusable naming those that the header lacks."""
    missing = [name for name in wanted if name not in header]
    if missing:
        raise errors.Unusable(f"{table.name}, line 1: there is no column {', '.join(missing)}")
    return [header.index(name) for name in wanted]


def csv_rows(table: Table, lines: Lines) -> Iterator[list[str]]:
    """Read CSV. Raises errors.Unusable with the line where a quotation mark never ends."""
    try:
        yield from csv.reader(lines, strict=True)
    except csv.Error as error:
        raise errors.Unusable(f"{table.name}, line {lines.number}: {error}") from None


def mbids(text: str) -> bytes:
    """Return MBIDs joined by commas as 16 bytes each. Raises ValueError."""
    packed = bytes.fromhex(text.replace("-", "").replace(",", ""))
    if not packed or len(packed) % 16:
        raise ValueError(f"no MBID: {text[:80]!r}")
    return packed


def mbid(text: str) -> bytes:
    """Return an MBID as 16 bytes. Raises ValueError."""
    packed = bytes.fromhex(text.replace("-", ""))
    if len(packed) != 16:
        raise ValueError(f"no MBID: {text[:80]!r}")
    return packed


def text(packed: bytes) -> str:
    """Return 16 bytes as an MBID: "8f3471b5-7e6a-48da-86a9-c1c07a0f47ae"."""
    digits = packed.hex()
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"
