"""The files of an upload: one, plain or compressed by gzip, or those of a zip archive or a directory; as streams.

A meter counts what is read, for the progress; and what comes out of compression, for a small file may unpack to more
than anybody's disk.
"""

from __future__ import annotations

import contextlib
import functools
import gzip
import io
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, NamedTuple, cast

from sleevenotes import errors

GZIP_MAGIC = b"\x1f\x8b"
ZIP_MAGIC = b"PK\x03\x04"
EMPTY_ZIP = b"PK\x05\x06"
HEAD = 65_536  # bytes by which a format is recognised
MAX_UNPACKED = 16 << 30  # bytes out of one upload
MAX_FILES = 20_000  # of an archive; ListenBrainz has one a month, Spotify some dozens
BUFFER = 1 << 15  # bytes read at once; also how finely the progress moves


class Place(NamedTuple):
    """Where a row stands; see `contract.Skipped`."""

    file: str
    unit: str
    line: int


class Meter:
    """How much of an upload has been read, and where the row stands that was read last, where its importer tells."""

    def __init__(self) -> None:
        self.place: Place | None = None
        self.total = 0
        self.read = 0
        self.unpacked = 0

    @property
    def share(self) -> float:
        """Return the part that is read, 0 … 1."""
        return min(1.0, self.read / self.total) if self.total else 0.0

    def unpack(self, count: int) -> None:
        """Count bytes that came out of compression. Raises errors.Refused where they are too many."""
        self.unpacked += count
        if self.unpacked > MAX_UNPACKED:
            raise errors.Refused(f"the file unpacks to more than {MAX_UNPACKED >> 30} GB: not a listening history")


class File:
    """One file: its name within the archive ("" where it is the upload itself), and its first bytes, unpacked."""

    def __init__(self, name: str, size: int, opener: Callable[[], BinaryIO], meter: Meter | None = None) -> None:
        self.name = name
        self.size = size
        self._opener = opener
        self._meter = meter or Meter()
        self.head = self._first()

    def open(self) -> BinaryIO:
        """Open it for reading from the start, unpacked; what is read is metered."""
        stream = self._opener()
        if self._packed:
            return self._unpacking(_Metered(stream, self._meter))
        return cast("BinaryIO", io.BufferedReader(_Metered(stream, self._meter), BUFFER))

    def at(self, number: int, unit: str = "line") -> None:
        """Note which row of it is being read, before what comes of it is yielded."""
        self._meter.place = Place(self.name, unit, number)

    def seekable(self) -> BinaryIO:
        """Open it for reading here and there, as it is; only the upload itself can be."""
        return self._opener()

    def _unpacking(self, stream: io.RawIOBase) -> BinaryIO:
        unpacked = gzip.GzipFile(fileobj=io.BufferedReader(stream, BUFFER))
        return cast("BinaryIO", io.BufferedReader(_Unpacked(unpacked, self._meter), BUFFER))

    def _first(self) -> bytes:
        with self._opener() as stream:
            head = stream.read(HEAD)
        self._packed = head.startswith(GZIP_MAGIC)
        if not self._packed:
            return head
        with (
            self._opener() as stream,
            contextlib.suppress(EOFError, OSError, zlib.error),
            gzip.GzipFile(fileobj=stream) as unpacked,
        ):
            return unpacked.read(HEAD)
        return b""

    @property
    def first_line(self) -> str:
        """Return the first line as text, without a byte order mark; "" for an empty file.

        Raises errors.Refused when it is not UTF-8.
        """
        line = self.head.split(b"\n", 1)[0].rstrip(b"\r")
        try:
            return line.decode("utf-8-sig")
        except UnicodeDecodeError:
            raise errors.Refused("the first line is not UTF-8 text; export the file as UTF-8") from None


class _Metered(io.RawIOBase):
    """Counts what is read of a stream."""

    def __init__(self, stream: BinaryIO, meter: Meter) -> None:
        self._stream = stream
        self._meter = meter

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object) -> int:
        view = memoryview(buffer)  # type: ignore[arg-type] # whatever holds bytes
        try:
            data = self._stream.read(len(view))
        except (zlib.error, zipfile.BadZipFile) as error:
            raise OSError(str(error)) from None
        view[: len(data)] = data
        self._meter.read += len(data)
        return len(data)

    def close(self) -> None:
        self._stream.close()
        super().close()


class _Unpacked(io.RawIOBase):
    """Counts what comes out of compression."""

    def __init__(self, stream: gzip.GzipFile, meter: Meter) -> None:
        self._stream = stream
        self._meter = meter

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object) -> int:
        view = memoryview(buffer)  # type: ignore[arg-type] # whatever holds bytes
        try:
            data = self._stream.read(len(view))
        except zlib.error as error:
            raise OSError(f"not gzip any more: {error}") from None
        self._meter.unpack(len(data))
        view[: len(data)] = data
        return len(data)


class Upload:
    """What was given to be imported: its files, and how much of them is read. A context manager."""

    def __init__(self, source: Path | bytes, name: str = "") -> None:
        self.meter = Meter()
        self.name = name
        self._zip: zipfile.ZipFile | None = None
        self._source = source
        try:
            self.files = self._found()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Upload:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the archive."""
        if self._zip is not None:
            self._zip.close()

    def expect(self, files: list[File]) -> None:
        """Say which files will be read, for the progress."""
        self.meter.total = sum(file.size for file in files)

    def _found(self) -> list[File]:
        if isinstance(self._source, Path) and self._source.is_dir():
            return self._beneath(self._source)
        with self._open() as stream:
            head = stream.read(4)
        return self._members() if head in (ZIP_MAGIC, EMPTY_ZIP) else [self._only()]

    def _beneath(self, directory: Path) -> list[File]:
        """Return the files of an archive that was unpacked."""
        inside = {str(path.relative_to(directory)): path for path in directory.rglob("*") if path.is_file()}
        if len(inside) > MAX_FILES:
            raise errors.Refused(f"the directory holds more than {MAX_FILES} files: not a listening history")
        return [
            File(name, path.stat().st_size, functools.partial(_opened, path), self.meter)
            for name, path in sorted(inside.items(), key=lambda named: _natural(named[0]))
            if not _is_litter(name)
        ]

    def _open(self) -> BinaryIO:
        return io.BytesIO(self._source) if isinstance(self._source, bytes) else self._source.open("rb")

    def _only(self) -> File:
        size = len(self._source) if isinstance(self._source, bytes) else self._source.stat().st_size
        return File("", size, self._open, self.meter)

    def _members(self) -> list[File]:
        try:
            self._zip = zipfile.ZipFile(io.BytesIO(self._source) if isinstance(self._source, bytes) else self._source)
            inside = [info for info in self._zip.infolist() if not info.is_dir() and not _is_litter(info.filename)]
            if len(inside) > MAX_FILES:
                raise errors.Refused(f"the archive holds more than {MAX_FILES} files: not a listening history")
            if sum(info.file_size for info in inside) > MAX_UNPACKED:
                raise errors.Refused(f"the archive unpacks to more than {MAX_UNPACKED >> 30} GB")
            return [self._member(info) for info in sorted(inside, key=lambda info: _natural(info.filename))]
        except (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError, zlib.error) as error:
            raise errors.Refused(f"the zip archive cannot be read: {error}") from None

    def _member(self, info: zipfile.ZipInfo) -> File:
        archive = self._zip
        assert archive is not None  # noqa: S101 - the caller has just opened it
        return File(info.filename, info.file_size, lambda: cast("BinaryIO", archive.open(info)), self.meter)


def _opened(path: Path) -> BinaryIO:
    return path.open("rb")


def _is_litter(name: str) -> bool:
    """Tell the files that macOS puts beside others."""
    return name.startswith("__MACOSX/") or name.rpartition("/")[2] in (".DS_Store", "Thumbs.db")


def _natural(name: str) -> tuple[tuple[int, int, str], ...]:
    """Return what sorts "listens/2024/9.jsonl" before "listens/2024/10.jsonl"."""
    parts, digits = [], ""
    for character in [*name, ""]:
        if character.isdecimal():
            digits += character
            continue
        if digits:
            parts.append((0, int(digits), ""))
            digits = ""
        parts.append((1, 0, character))
    return tuple(parts)
