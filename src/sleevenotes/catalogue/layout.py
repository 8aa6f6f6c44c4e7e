"""What the catalogue's file looks like, and how names become its keys.

It is a SQLite file that is written once and then only read. Recordings lie sorted by the hash of their artist's key,
then by their title's key, so that one step down the tree finds a name, and one run through neighbouring pages all that
an artist has recorded.

    "AC/DC", "T.N.T."  ->  artist_hash("acdc"), "tnt"

An artist with a letter wrong is found by the halves of its key. One wrong letter lies in one half, so the other one is
as it was; with the length of the whole key it is the row's number in `halves`:

    "radiohead" (9)    ->  9 "radio", 9 "head"
    "radiohaed"        ->  the first half of a key of 9 letters is "radio": radiohead is among those that share it
"""

from __future__ import annotations

import hashlib
import sqlite3
import urllib.parse
from collections.abc import Iterator
from pathlib import Path

from sleevenotes import errors

FORMAT = 1
"""Of the file; a file of another is refused."""

PARTS = 64
"""Into how many parts the recordings are sorted, one after another."""

_CACHE_KB = 16 * 1024
_MAPPED = 1 << 40  # as much as SQLite was built to map; what is beyond is read

LEAST_LETTERS = 5
"""Artists' keys that are shorter are never found by their halves: of four letters, one is a quarter."""

TABLES = """
    CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
    CREATE TABLE credits (
        id INTEGER PRIMARY KEY,      -- MusicBrainz' artist credit
        artist INTEGER NOT NULL,     -- artist_hash of the key of its name
        name TEXT NOT NULL,
        mbids BLOB NOT NULL,         -- 16 bytes for each artist
        recordings INTEGER NOT NULL, -- here, by these artists under this key
        rivals INTEGER NOT NULL      -- here, by whoever else of the same key has the most
    );
    CREATE INDEX credits_by_artist ON credits (artist);
    CREATE TABLE recordings (
        artist INTEGER NOT NULL,     -- artist_hash
        track TEXT NOT NULL,         -- names.key of the title
        score INTEGER NOT NULL,      -- the lower, the more canonical
        mbid BLOB NOT NULL,
        credit INTEGER NOT NULL,
        title TEXT NOT NULL,
        release BLOB NOT NULL,
        album TEXT NOT NULL,         -- the release's title
        release_group BLOB,          -- NULL where no redirect names it
        PRIMARY KEY (artist, track, score, mbid)
    ) WITHOUT ROWID;
    CREATE TABLE halves (
        half INTEGER NOT NULL, artist INTEGER NOT NULL, key TEXT NOT NULL, PRIMARY KEY (half, artist)
    ) WITHOUT ROWID;
    CREATE TABLE redirects (mbid BLOB PRIMARY KEY, canonical BLOB NOT NULL) WITHOUT ROWID;
"""


def artist_hash(key: str) -> int:
    """Return the 64 bits, with a sign, that stand for an artist's key. Stored."""
    return int.from_bytes(hashlib.blake2b(key.encode(), digest_size=8).digest(), "big", signed=True)


def part_of(artist: int) -> int:
    """Return the part, 0 to PARTS - 1, that an artist's recordings are sorted in; parts follow the order of hashes."""
    return (artist >> 58) + PARTS // 2


def own_halves(key: str) -> tuple[int, int]:
    """Return what a key is kept by in `halves`."""
    return _first(key, len(key)), _last(key, len(key))


def asked_halves(key: str) -> Iterator[int]:
    """Yield the halves of all keys that differ by one letter, missing, added or changed; and of many by more."""
    for length in (len(key) - 1, len(key), len(key) + 1):
        yield _first(key, length)
        yield _last(key, length)


def _first(key: str, length: int) -> int:
    return artist_hash(f"{length}<{key[: (length + 1) // 2]}")


def _last(key: str, length: int) -> int:
    return artist_hash(f"{length}>{key[-(length // 2) :]}")


def connect(path: Path, again: str) -> tuple[sqlite3.Connection, dict[str, str]]:
    """Open a file of this kind to read it from any thread; return what its table `meta` says, too.

    Raises errors.Unusable for a file that is none; `again` tells how to mend it.
    """
    address = f"file:{urllib.parse.quote(str(path.absolute()))}?mode=ro&immutable=1"
    conn = sqlite3.connect(address, uri=True, check_same_thread=False, cached_statements=64)
    try:
        conn.execute(f"PRAGMA cache_size = -{_CACHE_KB}")
        conn.execute(f"PRAGMA mmap_size = {_MAPPED}")
        return conn, dict(conn.execute("SELECT name, value FROM meta"))
    except sqlite3.DatabaseError as error:
        conn.close()
        raise errors.Unusable(f"{path} is not what it should be ({error}): {again}") from None
