"""What an importer is: it recognises the files of an export and turns them, row by row, into scrobbles.

Importers are pure: no database, no clock; they read bytes as a stream, so that memory stays bounded whatever the
size. Nothing is lost silently: a row that cannot become a scrobble becomes a `Skipped` with its place and the
reason, in words the listener can act on.
"""

from __future__ import annotations

import gzip
import io
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import BinaryIO, Protocol, cast

import msgspec

from sleevenotes import errors, model
from sleevenotes.importers import acts
from sleevenotes.importers.files import GZIP_MAGIC, File

MAX_LINE_BYTES = 100_000  # no play needs more; a longer "line" is a damaged or foreign file

# Why a row is left out, in one word or two: what reports count.
UNREADABLE = "unreadable"
UNNAMED = "no name"
NO_TIME = "no time"
FUTURE = "in the future"
SHORT = "too short"
SKIPPED = "skipped while playing"
NO_MUSIC = "not music"
PRIVATE = "private session"
FOREIGN = "other files"
NOT_APPLIED = "not applied"
DELETED = "deleted here"


class Skipped(msgspec.Struct, frozen=True):
    """A row that is not imported, and why.

    line    where it stands: its line in the file, or its number in a JSON list, from 1; 0 is the file itself
    file    the file within the archive; "" where there is only one
    kind    the reason in a word or two, to count by
    unit    what `line` counts: "line", "item" (of a JSON list), "row" (of Parquet) or "file"
    """

    line: int
    reason: str
    file: str = ""
    kind: str = UNREADABLE
    unit: str = "line"

    @property
    def place(self) -> str:
        """Say where the row stands: "line 12", "listens/2024/1.jsonl, line 12", "notes.txt"."""
        if self.unit == "file":
            return self.file
        return f"{self.file}, {self.unit} {self.line}" if self.file else f"{self.unit} {self.line}"


class Hidden(msgspec.Struct, frozen=True):
    """A scrobble that an export of ours told to be the same play as another of that export."""

    scrobble: model.Scrobble
    same_as: acts.Key


class Feedback(msgspec.Struct, frozen=True):
    """A track that the listener loves (1) or hates (-1), and since when where the export says so."""

    artist: str
    track: str
    score: int
    given_at: datetime | None = None


class Acted(msgspec.Struct, frozen=True):
    """What the listener said of plays, of an export of ours; where it stands as of `Skipped`."""

    act: acts.Act
    line: int
    file: str = ""
    unit: str = "line"


Item = model.Scrobble | Hidden | Feedback | Acted | Skipped


class Options(msgspec.Struct, frozen=True, omit_defaults=True):
    """How to read an export; each format looks at those that concern it.

    raw           take the names the player sent, where the export has them beside corrected ones
    until         plays after this moment are skipped: they cannot have happened yet; None: no such check
    artist, track, album, time   the columns of a table, where they are not guessed
    zone          the time zone (IANA) of times that name none; "" is UTC
    origin        the service that recorded the plays, where the format does not say so; "" as the format says
    min_played_s  Spotify: a play counts that lasted so many seconds, or ended with its track
    private       Spotify: plays of private sessions count, too
    include_deleted  plays that the listener has deleted here come back; no format's affair, but the pipeline's
    """

    raw: bool = True
    until: datetime | None = None
    artist: str = ""
    track: str = ""
    album: str = ""
    time: str = ""
    zone: str = ""
    origin: str = ""
    min_played_s: int = 30
    private: bool = True
    include_deleted: bool = False


class Importer(Protocol):
    """One export format."""

    @property
    def name(self) -> str:
        """Return the format's name in the database and the API."""
        ...

    @property
    def called(self) -> str:
        """Return what the format is called, for people."""
        ...

    def recognises(self, file: File) -> bool:
        """Say, by its first bytes and its name, whether a file is of this format."""
        ...

    def read(self, files: Sequence[File], options: Options) -> Iterator[Item]:
        """Yield, in the files' order, an item or more for every row that is not blank.

        Raises errors.Refused where a file cannot be read from some place on; its message names the place.
        """
        ...


class Unfit(Exception):  # it says of a row what it is, and never leaves the importers
    """Why a row is no scrobble; `kind` as of `Skipped`."""

    def __init__(self, reason: str, kind: str = UNREADABLE) -> None:
        super().__init__(reason)
        self.kind = kind


def opened(data: bytes) -> io.BufferedIOBase:
    """Open an export for reading; gzip is undone as it is read, so memory stays bounded."""
    if data.startswith(GZIP_MAGIC):
        return gzip.GzipFile(fileobj=io.BytesIO(data))
    return io.BytesIO(data)


def lines(source: bytes | BinaryIO) -> Iterator[tuple[int, bytes]]:
    r"""Yield (line number from 1, bytes without the line's end); only "\n" and "\r\n" end a line.

    Raises errors.Refused for damaged gzip and for a line longer than MAX_LINE_BYTES.
    """
    number = 0
    with cast("BinaryIO", opened(source)) if isinstance(source, bytes) else source as file:
        try:
            while line := file.readline(MAX_LINE_BYTES + 1):
                number += 1
                if len(line) > MAX_LINE_BYTES:
                    raise errors.Refused(f"line {number} is longer than {MAX_LINE_BYTES} bytes: not a list of plays")
                yield number, line.rstrip(b"\r\n")
        except (EOFError, OSError) as error:
            raise errors.Refused(f"the compressed file is damaged after line {number}: {error}") from None


def text_of(line: bytes) -> str:
    """Read a line as text. Raises Unfit where it is not UTF-8 or holds a NUL, which PostgreSQL cannot keep."""
    try:
        text = line.decode("utf-8")
    except UnicodeDecodeError:
        raise Unfit("not UTF-8 text") from None
    if "\0" in text:
        raise Unfit("holds a NUL character")
    return text


def named(artist: str, track: str) -> None:
    """Check that a play is named. Raises Unfit naming what is empty."""
    for field, text in (("artist", artist), ("track", track)):
        if not text:
            raise Unfit(f"{field} is empty", UNNAMED)
