"""The index of the Cover Art Archive: which release has which front, so that its address is known without asking.

It is made of two of MusicBrainz' full dumps, since the archive's names releases by the numbers of their rows and not by
MBIDs: `mbdump-cover-art-archive.tar.bz2` (cover_art, cover_art_type, art_type) and `mbdump.tar.bz2`, of which the table
`release` alone is read (row number, MBID). Tables are PostgreSQL's COPY text, without a header; the first columns of

    cover_art       id, release, comment, edit, ordering, date_uploaded, edits_pending, mime_type, …
    cover_art_type  id, type_id
    art_type        id, name, …
    release         id, gid, …

admin/sql/caa/CreateTables.sql and admin/sql/CreateTables.sql of musicbrainz-server. The index metadata is CC0.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Final

import msgspec

from sleevenotes import errors
from sleevenotes.catalogue import dump, layout

FORMAT: Final = 1

_SCHEMA: Final = "cover_art_archive."
_BATCH: Final = 100_000
_TABLES: Final = """
    CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
    CREATE TABLE covers (release BLOB PRIMARY KEY, image INTEGER NOT NULL) WITHOUT ROWID;
"""
_WORK: Final = """
    CREATE TEMP TABLE art (id INTEGER PRIMARY KEY, release INTEGER, ordering INTEGER);
    CREATE TEMP TABLE art_kind (id INTEGER, type INTEGER, PRIMARY KEY (id, type)) WITHOUT ROWID;
    CREATE TEMP TABLE kind (id INTEGER PRIMARY KEY, name TEXT);
    CREATE TEMP TABLE gid (id INTEGER PRIMARY KEY, mbid BLOB);
    CREATE TEMP TABLE front (release INTEGER PRIMARY KEY, image INTEGER);
"""
_FRONTS: Final = """
    INSERT OR IGNORE INTO front
    SELECT art.release, art.id FROM art
    JOIN art_kind USING (id) JOIN kind ON kind.id = art_kind.type AND kind.name = 'Front'
    ORDER BY art.release, ordering, art.id
"""
_COVERS: Final = "INSERT INTO covers SELECT mbid, image FROM front JOIN gid ON gid.id = front.release ORDER BY mbid"

_Row = tuple[object, ...]


class Info(msgspec.Struct, frozen=True):
    """What the index says of itself; `size` is in bytes."""

    path: str
    built_at: str
    fronts: int
    size: int


class Covers:
    """An open index."""

    def __init__(self, path: Path, conn: sqlite3.Connection, meta: dict[str, str]) -> None:
        self._path = path
        self._conn = conn
        self._meta = meta

    @property
    def built_at(self) -> datetime:
        """Return when it was built."""
        return datetime.fromisoformat(self._meta["built_at"])

    def front(self, release_mbid: str, size: int = 500) -> str:
        """Return the address of a release's front, 250, 500 or 1200 px; "" where the index has none."""
        row = self._conn.execute("SELECT image FROM covers WHERE release = ?", (dump.mbid(release_mbid),)).fetchone()
        return f"https://coverartarchive.org/release/{release_mbid.lower()}/{row[0]}-{size}.jpg" if row else ""

    def info(self) -> Info:
        """Tell how many fronts it knows and when it was built."""
        size = self._path.stat().st_size
        return Info(str(self._path), self._meta["built_at"], int(self._meta["fronts"]), size)

    def close(self) -> None:
        """Close the file; it must not be asked any more."""
        self._conn.close()


def open(path: Path | str) -> Covers | None:  # noqa: A001 - read as covers.open
    """Open the index at this path; None where there is none. Raises errors.Unusable for a file that is none."""
    place = Path(path)
    if not place.is_file():
        return None
    again = "build it again with `sleevenotes catalogue covers`"
    conn, meta = layout.connect(place, again)
    if meta.get("format") != str(FORMAT):
        conn.close()
        raise errors.Unusable(f"{place} is an index of another format: {again}")
    return Covers(place, conn, meta)


# ---------------------------------------------------------------- building


def build(
    archive: Path, releases: Path, target: Path, now: datetime, tell: Callable[[str, int, int], None] = lambda *_: None
) -> Info:
    """Build the index from the archive's dump and the table `release`: of `mbdump.tar.bz2`, or a file of its own.

    Instead of a tar, either may be a directory with its tables as files.

    It takes a few minutes, begins anew when interrupted, and replaces the old index when it is whole.
    Raises errors.Unusable naming file, line and column of what cannot be read.
    """
    new = target.with_name(target.name + ".new")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        new.unlink(missing_ok=True)
        count = _write(new, archive, releases, now, tell)
        with new.open("rb+") as file:
            os.fsync(file.fileno())
        new.replace(target)
    except (OSError, sqlite3.OperationalError) as error:
        raise errors.Unusable(f"{target}: it cannot be built: {error}") from None
    return Info(str(target), now.isoformat(), count, target.stat().st_size)


def _write(new: Path, archive: Path, releases: Path, now: datetime, tell: Callable[[str, int, int], None]) -> int:
    conn = sqlite3.connect(new)
    try:
        conn.executescript(_TABLES + _WORK)
        for member, sql, read in _READ:
            table = _table(releases if member == "release" else archive, member)
            conn.executemany(sql, _rows(table, read, tell))
        conn.execute(_FRONTS)
        count = conn.execute(_COVERS).rowcount
        if count <= 0:
            raise errors.Unusable(f"{archive} and {releases} have no release with a front in common: nothing is built")
        meta = {"format": FORMAT, "built_at": now.isoformat(), "fronts": count}
        conn.executemany("INSERT INTO meta VALUES (?, ?)", meta.items())
        conn.commit()
    finally:
        conn.close()
    return int(count)


def _table(place: Path, member: str) -> dump.Table:
    """Find a table within a tar, as a file of a directory, or as the file itself."""
    if dump.is_tar(place):
        return dump.Table(place, member)
    return dump.Table(place / member if place.is_dir() else place)


def _rows(
    table: dump.Table, read: Callable[[list[str]], _Row | None], tell: Callable[[str, int, int], None]
) -> Iterator[_Row]:
    with dump.opened(table) as (stream, total):
        lines = dump.Lines(stream)
        for line in lines:
            try:
                row = read(line.rstrip("\n").split("\t"))
            except (ValueError, IndexError) as error:
                raise errors.Unusable(f"{table.name}, line {lines.number}: no row of that table: {error}") from None
            if row is not None:
                yield row
            if lines.number % _BATCH == 0:
                tell(f"Reading {table.member or table.path.name}", lines.offset, total)


def _art(row: list[str]) -> _Row | None:
    """Read cover_art, without documents: an archive's PDF has no thumbnail that is sure to be there."""
    return None if row[7] == "application/pdf" else (int(row[0]), int(row[1]), int(row[4]))


def _pair(row: list[str]) -> _Row:
    return int(row[0]), int(row[1])


def _kind(row: list[str]) -> _Row:
    return int(row[0]), row[1]


def _release(row: list[str]) -> _Row:
    return int(row[0]), dump.mbid(row[1])


_READ: Final = (
    (f"{_SCHEMA}art_type", "INSERT INTO kind VALUES (?, ?)", _kind),
    (f"{_SCHEMA}cover_art_type", "INSERT OR IGNORE INTO art_kind VALUES (?, ?)", _pair),
    (f"{_SCHEMA}cover_art", "INSERT INTO art VALUES (?, ?, ?)", _art),
    ("release", "INSERT INTO gid VALUES (?, ?)", _release),
)
