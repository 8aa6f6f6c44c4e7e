"""Building the catalogue from MusicBrainz' canonical dump: read, sort, finish; then the new file replaces the old.

    read    row by row into a working file beside it, noting how far the dump has been read
    sort    part after part of the artists' hashes into the new file, each in one transaction
    finish  the halves of artists' keys, the redirects; the file is written through to the disk, then renamed

Whoever was interrupted begins where the last transaction ended: in the middle of a file, or with the next part. A dump
that has changed since, or keys that have (names.KEY_VERSION), begin anew. Nobody sees the new file before it is whole,
and who has the old one open keeps it until he looks again.
"""

from __future__ import annotations

import itertools
import operator
import os
import sqlite3
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path

import msgspec

from sleevenotes import errors, names
from sleevenotes.catalogue import dump, layout, staging


class Built(msgspec.Struct, frozen=True):
    """What came of it.

    `release_groups` counts the recordings on a known one; `told` are the first few of the `broken` rows.
    """

    recordings: int
    release_groups: int
    credits: int
    redirects: int
    broken: int
    told: tuple[dump.Broken, ...]
    resumed: bool


def build(given: Path, target: Path, now: datetime, tell: staging.Tell = lambda *_: None) -> Built:
    """Build the catalogue at `target` from the dump at `given`: an archive, a directory, or the CSV of recordings.

    Raises errors.Unusable naming file, line and column where the dump is none, or where the files cannot be written;
    what was there stays then.
    """
    tables = dump.tables(given)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with staging.Work(target, tables) as work:
            told = staging.read(work, tables, tell)
            _sort(work, tell)
            return _finish(work, target, now, told, tell)
    except (OSError, sqlite3.OperationalError) as error:  # no room, no right to write, another that builds
        raise errors.Unusable(f"{target}: it cannot be built: {error}") from None


# ---------------------------------------------------------------- sort


def _sort(work: staging.Work, tell: staging.Tell) -> None:
    """Write the new file's recordings and credits, part after part."""
    if work.get("sorted"):
        return
    new = staging.connect(work.new_path)
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


def _finish(work: staging.Work, target: Path, now: datetime, told: Sequence[dump.Broken], tell: staging.Tell) -> Built:
    """Complete the new file and put it in the old one's place."""
    tell("Finishing", 0, 1)
    new = staging.connect(work.new_path)
    try:
        new.execute("ATTACH ? AS work", (str(work.read_path),))
        with new:
            new.execute("DELETE FROM redirects")
            new.execute("INSERT INTO redirects SELECT * FROM work.redirects ORDER BY mbid")
            built = Built(
                recordings=_count(new, "recordings"),
                release_groups=int(new.execute("SELECT count(release_group) FROM recordings").fetchone()[0]),
                credits=_count(new, "credits"),
                redirects=_count(new, "redirects"),
                broken=sum(work.number(f"{kind.file} broken") for kind in staging.KINDS),
                told=tuple(told[: staging.MOST_TOLD]),
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
        "release_groups": str(built.release_groups),
        "credits": str(built.credits),
        "redirects": str(built.redirects),
        "broken": str(built.broken),
    }
