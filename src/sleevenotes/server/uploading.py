"""Taking in an uploaded file: a form's body, read as it comes and written to disk, whatever its size.

The form is multipart/form-data: the field `csrf_token` first (or its header), then the file. Nothing is kept of a form
that is not ours, and nothing of a file that is longer than the settings allow. Several files (an archive that a browser
unpacked by itself) become one archive again.
"""

from __future__ import annotations

import asyncio
import secrets
import zipfile
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import BinaryIO, NamedTuple

from litestar.exceptions import ClientException, HTTPException, PermissionDeniedException
from multipart import MultipartError, MultipartSegment, PushMultipartParser, parse_options_header

from sleevenotes.pipeline.uploads import Uploads
from sleevenotes.server import auth
from sleevenotes.server.templating import Asking

FIELD = "file"
WRITTEN_TOGETHER = 1 << 20  # bytes; each write goes to a thread
FRAME = 1_000_000  # bytes that a form has around its files, at most
MAX_PARTS = 1000  # files and fields of a form
_FIELD_LENGTH = 1000  # of what is no file


class Incoming(NamedTuple):
    """A file that has come in: its name at home, the upload's name here, its size in bytes."""

    file_name: str
    upload: str
    size: int


async def receive(request: Asking, uploads: Uploads, limit: int) -> Incoming:
    """Take a form's file in, at most `limit` bytes.

    Several files come in as one archive. Raises PermissionDeniedException for a form that is not ours, ClientException
    for one without a file, and an HTTPException 413 for a file that is too large; nothing is kept then.
    """
    told = request.headers.get("content-length", "")
    if told.isdecimal() and int(told[:20]) > limit + FRAME:
        raise _too_large(limit)
    upload = await asyncio.to_thread(uploads.new)
    path = uploads.path(upload)
    try:
        name, size = await _written(request, path, limit)
    except BaseException:
        await asyncio.to_thread(uploads.remove, upload)
        raise
    return Incoming(name, upload, size)


async def _written(request: Asking, path: Path, limit: int) -> tuple[str, int]:
    with await asyncio.to_thread(path.open, "wb") as file:
        form = _Form(auth.is_ours_by_header(request), request, _Sink(file, limit))
        try:
            with PushMultipartParser(_boundary(request), max_segment_count=MAX_PARTS) as parser:
                async for chunk in _chunks(request):
                    for event in parser.parse(chunk):
                        form.take(event)
                    await form.sink.flush()
        except MultipartError as error:
            raise ClientException(f"The form cannot be read: {error}") from None
        await form.sink.flush(last=True)
    if not form.files:
        raise ClientException("No file came with the form: choose one first.")
    first, *others = form.files
    if not others:
        return first.name, form.sink.size
    await asyncio.to_thread(_pack, path, form.files, form.sink.size)
    return f"{first.name} and {len(others)} more", form.sink.size


class _Part(NamedTuple):
    """A file of the form: its name, and where its bytes begin in what was written."""

    name: str
    start: int


def _pack(path: Path, parts: Sequence[_Part], end: int) -> None:
    """Make an archive of files that were written one behind the other. Blocks."""
    packed = path.with_suffix(".zip")
    ends = [*(part.start for part in parts[1:]), end]
    try:
        with (
            path.open("rb") as together,
            zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
        ):
            for number, (part, behind) in enumerate(zip(parts, ends, strict=True), start=1):
                with archive.open(f"{number}/{part.name}", "w", force_zip64=True) as file:
                    left = behind - part.start
                    while left and (chunk := together.read(min(left, WRITTEN_TOGETHER))):
                        file.write(chunk)
                        left -= len(chunk)
        packed.replace(path)
    finally:
        packed.unlink(missing_ok=True)


class _Sink:
    """Where the file goes: gathered, then written in a thread."""

    def __init__(self, file: BinaryIO, limit: int) -> None:
        self._file = file
        self._limit = limit
        self._waiting = bytearray()
        self.size = 0

    def take(self, data: bytes | bytearray) -> None:
        self.size += len(data)
        if self.size > self._limit:
            raise _too_large(self._limit)
        self._waiting += data

    async def flush(self, *, last: bool = False) -> None:
        if len(self._waiting) >= WRITTEN_TOGETHER or (last and self._waiting):
            waiting, self._waiting = self._waiting, bytearray()
            await asyncio.to_thread(self._file.write, waiting)


class _Form:
    """The form's parts as they come."""

    def __init__(self, ours: bool, request: Asking, sink: _Sink) -> None:
        self.sink = sink
        self.files: list[_Part] = []
        self._ours = ours
        self._request = request
        self._segment: MultipartSegment | None = None
        self._text = b""

    def take(self, event: MultipartSegment | bytes | bytearray | None) -> None:
        if isinstance(event, MultipartSegment):
            self._segment, self._text = event, b""
            if event.filename and event.name == FIELD:
                self._begin_file(event.filename)
        elif event is None:
            self._end_field()
        elif self._segment is not None and self._segment.filename and self._segment.name == FIELD:
            self.sink.take(event)
        elif len(self._text) < _FIELD_LENGTH:
            self._text += event

    def _begin_file(self, name: str) -> None:
        if not self._ours:
            raise PermissionDeniedException(auth.NOT_OURS)
        self.files.append(_Part(name.replace("\\", "/").rpartition("/")[2][:200] or "upload", self.sink.size))

    def _end_field(self) -> None:
        if self._segment is not None and self._segment.name == auth.CSRF_FIELD:
            kept = self._request.cookies.get(auth.CSRF_COOKIE, "")
            self._ours = self._ours or (bool(kept) and secrets.compare_digest(self._text, kept.encode()))
        self._segment = None


def _boundary(request: Asking) -> str:
    kind, options = parse_options_header(request.headers.get("content-type", ""))
    if kind != "multipart/form-data" or not options.get("boundary"):
        raise ClientException("A file is sent as multipart/form-data.")
    return str(options["boundary"])


async def _chunks(request: Asking) -> AsyncIterator[bytes]:
    async for chunk in request.stream():
        if chunk:
            yield chunk


def _too_large(limit: int) -> HTTPException:
    return HTTPException(
        f"The file is larger than {limit // 1_000_000} MB, which is all this server takes at once (its setting "
        "upload_limit_mb). Compress it, or import it on the server: sleevenotes import FILE --account NAME.",
        status_code=413,
    )
