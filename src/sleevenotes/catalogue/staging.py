"""Reading the dump into a working file: row by row, in parts, noting how far it is.

A row that is broken is left out, told and counted; where more than one in a hundred is, the file is not what it should
be, and building ends.
"""

from __future__ import annotations

import itertools
import operator
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from sleevenotes import errors, names
from sleevenotes.catalogue import dump, layout

BATCH = 50_000
"""Rows in one transaction."""

MOST_BROKEN = 100
"""Broken rows that are always put up with; beyond, one in a hundred is."""

MOST_TOLD = 20
"""Broken rows that are told one by one."""

_CACHE_KB = 128 * 1024

Tell = Callable[[str, int, int], None]
"""Is told what goes on: in words, how much of how much."""


# ---------------------------------------------------------------- the working file

_STAGED = "artist, track, score, mbid, credit, title, release, album"

_WORK_TABLES = """
    CREATE TABLE state (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
    CREATE TABLE credits (id INTEGER PRIMARY KEY, artist INTEGER NOT NULL, key TEXT NOT NULL, name TEXT NOT NULL,
                          mbids BLOB NOT NULL);
    CREATE TABLE release_groups (release BLOB PRIMARY KEY, mbid BLOB NOT NULL) WITHOUT ROWID;
    CREATE TABLE redirects (mbid BLOB PRIMARY KEY, canonical BLOB NOT NULL) WITHOUT ROWID;
""" + "".join(f"CREATE TABLE staged_{part} ({_STAGED});" for part in range(layout.PARTS))


class Work:
    """The two files beside the target, what is read and what is being written, and how far they are."""

    def __init__(self, target: Path, tables: Mapping[str, dump.Table]) -> None:
        self.read_path = target.with_name(target.name + ".reading")
        self.new_path = target.with_name(target.name + ".new")
        fingerprint = "\n".join(
            [f"{layout.FORMAT} {names.KEY_VERSION}", *(each.fingerprint for each in tables.values())]
        )
        self.resumed = self._matches(fingerprint)
        if not self.resumed:
            self.remove()
        self.conn = connect(self.read_path)
        if not self.resumed:
            self.conn.executescript(_WORK_TABLES)
            self.put("fingerprint", fingerprint)
            self.conn.commit()

    def __enter__(self) -> Work:
        return self

    def __exit__(self, *_: object) -> None:
        self.conn.close()

    def _matches(self, fingerprint: str) -> bool:
        if not self.read_path.is_file():
            return False
        conn = connect(self.read_path)
        try:
            row = conn.execute("SELECT value FROM state WHERE name = 'fingerprint'").fetchone()
        except sqlite3.DatabaseError:  # interrupted before there was anything
            return False
        finally:
            conn.close()
        return row is not None and row[0] == fingerprint

    def get(self, name: str) -> str:
        """Return a note of how far it is, "" where there is none."""
        row = self.conn.execute("SELECT value FROM state WHERE name = ?", (name,)).fetchone()
        return row[0] if row else ""

    def number(self, name: str) -> int:
        """Return such a note as a number, 0 where there is none."""
        return int(self.get(name) or 0)

    def put(self, name: str, value: object) -> None:
        """Note how far it is, within the current transaction."""
        self.conn.execute("INSERT OR REPLACE INTO state VALUES (?, ?)", (name, str(value)))

    def remove(self) -> None:
        """Remove both files."""
        for path in (self.read_path, self.new_path):
            for each in (path, path.with_name(path.name + "-journal")):
                each.unlink(missing_ok=True)


def connect(path: Path) -> sqlite3.Connection:
    """Open a file that is being built, so that a killed process leaves it as its last transaction did."""
    conn = sqlite3.connect(path)
    conn.execute(f"PRAGMA cache_size = -{_CACHE_KB}")
    conn.execute("PRAGMA journal_mode = TRUNCATE")
    conn.execute("PRAGMA synchronous = NORMAL")
    return conn


# ---------------------------------------------------------------- read


class _Kind(NamedTuple):
    """One file of the dump: its columns, and what makes rows of a batch and stores them."""

    file: str
    columns: tuple[str, ...]
    store: Callable[[sqlite3.Connection, Iterator[tuple[int, Sequence[str]]], _Broken], int]
    doing: str


class _Broken:
    """Counts broken rows; too many end the building."""

    def __init__(self, table: dump.Table, columns: Sequence[str], count: int) -> None:
        self.count = count
        self.told: list[dump.Broken] = []
        self._table = table
        self._columns = columns

    def add(self, line: int, row: Sequence[str], why: Exception) -> None:
        """Count one; find out which column it is about."""
        self.count += 1
        broken = dump.Broken(self._table.name, line, *self._where(row, why))
        if len(self.told) < MOST_TOLD:
            self.told.append(broken)
        if self.count > MOST_BROKEN + line // 100:
            raise errors.Unusable(f"more than one row in a hundred is broken; the last: {broken}")

    def _where(self, row: Sequence[str], why: Exception) -> tuple[str, str]:
        if isinstance(why, IndexError):
            return str(len(row) + 1), f"the row ends after {len(row)} columns"
        for name, value in zip(self._columns, row, strict=False):
            if "\ufffd" in value:
                return name, "not UTF-8"
            if name.endswith("_name") and not value.strip():
                return name, "it is empty"
            if wrong := _wrong(name, value):
                return name, wrong
        return self._columns[0], str(why)


def _wrong(name: str, value: str) -> str:
    read = dump.mbids if name == "artist_mbids" else dump.mbid if name.endswith("_mbid") else None
    try:
        if read is not None:
            read(value)
        elif name in ("score", "artist_credit_id"):
            int(value)
    except ValueError as error:
        return str(error) if read else f"not a number: {value[:80]!r}"
    return ""


def read(work: Work, tables: Mapping[str, dump.Table], tell: Tell) -> list[dump.Broken]:
    """Read what has not been read yet of each file; return the first broken rows met."""
    told: list[dump.Broken] = []
    for kind in KINDS:
        table = tables.get(kind.file)
        if table is None or work.get(f"{kind.file} done"):
            continue
        try:
            told += _read_table(work, kind, table, tell)
        except dump.Missing:
            if kind.file == dump.RECORDINGS:
                raise
        with work.conn:
            work.put(f"{kind.file} done", "yes")
    return told


def _read_table(work: Work, kind: _Kind, table: dump.Table, tell: Tell) -> list[dump.Broken]:
    offset, number = work.number(f"{kind.file} offset"), work.number(f"{kind.file} line")
    with dump.opened(table) as (stream, total):
        head = dump.Lines(stream)
        places = dump.columns(table, next(dump.csv_rows(table, head), []), kind.columns)
        if offset:
            dump.skip(table, stream, head.offset, offset)
        lines = dump.Lines(stream, offset, number) if offset else head
        pick = operator.itemgetter(*places)
        broken = _Broken(table, kind.columns, work.number(f"{kind.file} broken"))
        rows = dump.csv_rows(table, lines)
        while batch := [(lines.number, row) for row in itertools.islice(rows, BATCH)]:
            with work.conn:
                kept = kind.store(work.conn, _picked(batch, pick, broken), broken)
                work.put(f"{kind.file} offset", lines.offset)
                work.put(f"{kind.file} line", lines.number)
                work.put(f"{kind.file} broken", broken.count)
                work.put(f"{kind.file} rows", work.number(f"{kind.file} rows") + kept)
            tell(kind.doing, lines.offset, total)
    return broken.told


def _picked(
    batch: Sequence[tuple[int, list[str]]], pick: Callable[[list[str]], Sequence[str]], broken: _Broken
) -> Iterator[tuple[int, Sequence[str]]]:
    for line, row in batch:
        try:
            yield line, pick(row)
        except IndexError as error:
            if row:  # an empty line is none
                broken.add(line, row, error)


_Credit = tuple[int, int, str, str, bytes]  # id, artist_hash, key, name, MBIDs


def _store_recordings(conn: sqlite3.Connection, rows: Iterator[tuple[int, Sequence[str]]], broken: _Broken) -> int:
    credits_: dict[str, _Credit] = {}
    parts: list[list[tuple[object, ...]]] = [[] for _ in range(layout.PARTS)]
    for line, row in rows:
        credit_id, mbids, artist, release, album, recording, title, score = row
        try:
            credit = credits_.get(credit_id)
            if credit is None or credit[3] != artist:
                credit = credits_[credit_id] = _credit(credit_id, mbids, artist)
            staged = (
                credit[1], names.key(_name(title)), int(score), dump.mbid(recording), credit[0], title,
                dump.mbid(release), _name(album),
            )  # fmt: skip
        except ValueError as error:
            broken.add(line, row, error)
        else:
            parts[layout.part_of(credit[1])].append(staged)
    conn.executemany("INSERT OR IGNORE INTO credits VALUES (?, ?, ?, ?, ?)", credits_.values())
    for part, staged_rows in enumerate(parts):
        conn.executemany(f"INSERT INTO staged_{part} VALUES (?, ?, ?, ?, ?, ?, ?, ?)", staged_rows)
    return sum(map(len, parts))


def _credit(credit_id: str, mbids: str, artist: str) -> _Credit:
    key = names.key(_name(artist))
    return int(credit_id), layout.artist_hash(key), key, artist, dump.mbids(mbids)


def _name(text: str) -> str:
    """Return a name as it is. Raises ValueError for what is none: empty, or bytes that were not UTF-8."""
    if "\ufffd" in text or not text.strip():
        raise ValueError("no name")
    return text


def _store_release_groups(conn: sqlite3.Connection, rows: Iterator[tuple[int, Sequence[str]]], broken: _Broken) -> int:
    return _store_pairs(conn, "release_groups", rows, broken)


def _store_redirects(conn: sqlite3.Connection, rows: Iterator[tuple[int, Sequence[str]]], broken: _Broken) -> int:
    return _store_pairs(conn, "redirects", rows, broken)


def _store_pairs(
    conn: sqlite3.Connection, table: str, rows: Iterator[tuple[int, Sequence[str]]], broken: _Broken
) -> int:
    pairs: list[tuple[bytes, bytes]] = []
    for line, row in rows:
        try:
            pairs.append((dump.mbid(row[0]), dump.mbid(row[1])))
        except ValueError as error:
            broken.add(line, row, error)
    conn.executemany(f"INSERT OR REPLACE INTO {table} VALUES (?, ?)", sorted(pairs))
    return len(pairs)


KINDS = (
    _Kind(
        dump.RECORDINGS,
        ("artist_credit_id", "artist_mbids", "artist_credit_name", "release_mbid", "release_name", "recording_mbid",
         "recording_name", "score"),
        _store_recordings,
        "Reading recordings",
    ),
    _Kind(
        dump.RELEASE_REDIRECTS,
        ("release_mbid", "release_group_mbid"),
        _store_release_groups,
        "Reading release groups",
    ),
    _Kind(
        dump.RECORDING_REDIRECTS,
        ("recording_mbid", "canonical_recording_mbid"),
        _store_redirects,
        "Reading redirects",
    ),
)  # fmt: skip
