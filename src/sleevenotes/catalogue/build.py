"""Building the catalogue from MusicBrainz' canonical dump: read, sort, finish; then the new file replaces the old.

    read    row by row into a working file beside it, noting every BATCH rows how far the dump has been read
    sort    part after part of the artists' hashes into the new file, each in one transaction
    finish  the halves of artists' keys, the redirects; the file is written through to the disk, then renamed

Whoever was interrupted begins where the last transaction ended: in the middle of a file, or with the next part. A dump
that has changed since, or keys that have (names.KEY_VERSION), begin anew. Nobody sees the new file before it is whole,
and who has the old one open keeps it until he looks again.

A row that is broken is left out, told and counted; where more than one in a hundred is, the file is not what it should
be, and building ends.
"""

from __future__ import annotations

import itertools
import operator
import os
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import msgspec

from sleevenotes import errors, names
from sleevenotes.catalogue import dump, layout

BATCH = 50_000
"""Rows in one transaction while reading."""

MOST_BROKEN = 100
"""Broken rows that are always put up with; beyond, one in a hundred is."""

_TOLD_BROKEN = 20
_CACHE_KB = 128 * 1024

Tell = Callable[[str, int, int], None]
"""Is told what goes on: in words, how much of how much."""


class Built(msgspec.Struct, frozen=True):
    """What came of it: recordings, artist credits, redirects; the first few broken rows, and how many there were."""

    recordings: int
    credits: int
    redirects: int
    broken: int
    told: tuple[dump.Broken, ...]
    resumed: bool


def build(given: Path, target: Path, now: datetime, tell: Tell = lambda *_: None) -> Built:
    """Build the catalogue at `target` from the dump at `given`: an archive, a directory, or the CSV of recordings.

    Raises errors.Unusable naming file, line and column where the dump is none, or where the files cannot be written;
    what was there stays then.
    """
    tables = dump.tables(given)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with _Work(target, tables) as work:
            told = _read(work, tables, tell)
            _sort(work, tell)
            return _finish(work, target, now, told, tell)
    except (OSError, sqlite3.OperationalError) as error:  # no room, no right to write, another that builds
        raise errors.Unusable(f"{target}: it cannot be built: {error}") from None


# ---------------------------------------------------------------- the working file

_STAGED = "artist, track, score, mbid, credit, title, release, album"

_WORK_TABLES = """
    CREATE TABLE state (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
    CREATE TABLE credits (id INTEGER PRIMARY KEY, artist INTEGER NOT NULL, key TEXT NOT NULL, name TEXT NOT NULL,
                          mbids BLOB NOT NULL);
    CREATE TABLE release_groups (release BLOB PRIMARY KEY, mbid BLOB NOT NULL) WITHOUT ROWID;
    CREATE TABLE redirects (mbid BLOB PRIMARY KEY, canonical BLOB NOT NULL) WITHOUT ROWID;
""" + "".join(f"CREATE TABLE staged_{part} ({_STAGED});" for part in range(layout.PARTS))


class _Work:
    """The two files beside the target, what is read and what is being written, and how far they are."""

    def __init__(self, target: Path, tables: dict[str, dump.Table]) -> None:
        self.read_path = target.with_name(target.name + ".reading")
        self.new_path = target.with_name(target.name + ".new")
        fingerprint = "\n".join(
            [f"{layout.FORMAT} {names.KEY_VERSION}", *(each.fingerprint for each in tables.values())]
        )
        self.resumed = self._matches(fingerprint)
        if not self.resumed:
            self.remove()
        self.conn = _connect(self.read_path)
        if not self.resumed:
            self.conn.executescript(_WORK_TABLES)
            self.put("fingerprint", fingerprint)
            self.conn.commit()

    def __enter__(self) -> _Work:
        return self

    def __exit__(self, *_: object) -> None:
        self.conn.close()

    def _matches(self, fingerprint: str) -> bool:
        if not self.read_path.is_file():
            return False
        conn = _connect(self.read_path)
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


def _connect(path: Path) -> sqlite3.Connection:
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
        if len(self.told) < _TOLD_BROKEN:
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


def _read(work: _Work, tables: dict[str, dump.Table], tell: Tell) -> list[dump.Broken]:
    """Read what has not been read yet of each file; return the first broken rows met."""
    told: list[dump.Broken] = []
    for kind in _KINDS:
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


def _read_table(work: _Work, kind: _Kind, table: dump.Table, tell: Tell) -> list[dump.Broken]:
    offset, number = work.number(f"{kind.file} offset"), work.number(f"{kind.file} line")
    with dump.opened(table) as (stream, total):
        head = dump.Lines(stream)
        places = dump.columns(table, next(dump.csv_rows(table, head), []), kind.columns)
        if offset:
            stream.seek(offset)  # at once in a plain file, by unpacking what lies before it in another
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


_KINDS = (
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


# ---------------------------------------------------------------- sort


def _sort(work: _Work, tell: Tell) -> None:
    """Write the new file's recordings and credits, part after part."""
    if work.get("sorted"):
        return
    new = _connect(work.new_path)
    try:
        if not new.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
            new.executescript("BEGIN;" + layout.TABLES + "COMMIT;")
        new.execute("ATTACH ? AS work", (str(work.read_path),))
        done = new.execute("SELECT coalesce(max(CAST(value AS INTEGER)), 0) FROM meta WHERE name = 'parts'").fetchone()
        for part in range(done[0], layout.PARTS):
            tell("Sorting", part, layout.PARTS)
            with new:
                _sort_part(new, part)
                new.execute("INSERT OR REPLACE INTO meta VALUES ('parts', ?)", (str(part + 1),))
    finally:
        new.close()


def _sort_part(new: sqlite3.Connection, part: int) -> None:
    new.execute(
        f"""
        INSERT OR IGNORE INTO recordings
        SELECT artist, track, score, staged.mbid, credit, title, staged.release, album, release_groups.mbid
        FROM work.staged_{part} AS staged LEFT JOIN work.release_groups ON release_groups.release = staged.release
        ORDER BY artist, track, score, staged.mbid
        """
    )
    found = new.execute(
        f"""
        SELECT credits.artist, credits.id, credits.key, credits.name, credits.mbids, counted.recordings
        FROM (SELECT credit, count(*) AS recordings FROM work.staged_{part} GROUP BY credit) AS counted
        JOIN work.credits ON credits.id = counted.credit
        ORDER BY credits.artist, credits.id
        """
    )
    halves: list[tuple[int, int, str]] = []
    for artist, alike in itertools.groupby(found, key=operator.itemgetter(0)):
        group = list(alike)
        new.executemany("INSERT OR IGNORE INTO credits VALUES (?, ?, ?, ?, ?, ?)", _credits(group))
        key = group[0][2]
        if len(key) >= layout.LEAST_LETTERS:
            halves += [(half, artist, key) for half in layout.own_halves(key)]
    new.executemany("INSERT OR IGNORE INTO halves VALUES (?, ?, ?)", sorted(halves))


def _credits(alike: Sequence[tuple[int, int, str, str, bytes, int]]) -> Iterator[tuple[int, int, str, bytes, int, int]]:
    """Count, for credits of one key, the recordings by the same artists, and by the most recorded of the others."""
    own: dict[bytes, int] = {}
    for *_, mbids, recordings in alike:
        own[mbids] = own.get(mbids, 0) + recordings
    for artist, number, _, name, mbids, _ in alike:
        others = [count for other, count in own.items() if not _share(mbids, other)] if len(own) > 1 else []
        yield number, artist, name, mbids, own[mbids], max(others, default=0)


def _share(one: bytes, other: bytes) -> bool:
    return not set(_each(one)).isdisjoint(_each(other))


def _each(mbids: bytes) -> Iterator[bytes]:
    return (mbids[start : start + 16] for start in range(0, len(mbids), 16))


# ---------------------------------------------------------------- finish


def _finish(work: _Work, target: Path, now: datetime, told: Sequence[dump.Broken], tell: Tell) -> Built:
    """Complete the new file and put it in the old one's place."""
    tell("Finishing", 0, 1)
    new = _connect(work.new_path)
    try:
        new.execute("ATTACH ? AS work", (str(work.read_path),))
        with new:
            new.execute("DELETE FROM redirects")
            new.execute("INSERT INTO redirects SELECT * FROM work.redirects ORDER BY mbid")
            built = Built(
                recordings=_count(new, "recordings"),
                credits=_count(new, "credits"),
                redirects=_count(new, "redirects"),
                broken=sum(work.number(f"{kind.file} broken") for kind in _KINDS),
                told=tuple(told[:_TOLD_BROKEN]),
                resumed=work.resumed,
            )
            if not built.recordings:
                raise errors.Unusable("the dump has no recordings: nothing is built")
            new.executemany("INSERT OR REPLACE INTO meta VALUES (?, ?)", _meta(built, now).items())
    finally:
        new.close()
    with work.new_path.open("rb+") as file:
        os.fsync(file.fileno())
    work.new_path.replace(target)
    work.conn.close()
    work.remove()
    tell("Finishing", 1, 1)
    return built


def _count(conn: sqlite3.Connection, table: str) -> int:
    return int(conn.execute(f"SELECT count(*) FROM main.{table}").fetchone()[0])


def _meta(built: Built, now: datetime) -> dict[str, str]:
    return {
        "format": str(layout.FORMAT),
        "key_version": str(names.KEY_VERSION),
        "built_at": now.isoformat(),
        "recordings": str(built.recordings),
        "credits": str(built.credits),
        "redirects": str(built.redirects),
        "broken": str(built.broken),
    }
