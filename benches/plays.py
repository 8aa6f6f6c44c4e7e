"""What a listener's player sends, and what each name truly is.

Where a history has the raw names its player sent (raw_artist, raw_track), these are submitted; elsewhere some names
are spoiled as the world's conditions say (sleevenotes.simulator.dirty). Either way the truth of a name is that of the
history's own, corrected one.
"""

from __future__ import annotations

import csv
import gzip
import itertools
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from benches import common
from sleevenotes.simulator import dirty, world

FINDERS = frozenset({"musicbrainz", "deezer", "itunes", "theaudiodb"})  # sources of names that need no key
ART = frozenset({world.ARCHIVE, "deezer", "itunes", "theaudiodb"})  # sources of covers that need no key
IDENTIFIED = frozenset({"musicbrainz"})  # who gives MBIDs; ListenBrainz' names are all MusicBrainz' too

Name = tuple[str, str]  # (artist, track)


class Plays(NamedTuple):
    """A history as it is submitted, and for every name in it (folded) what the catalogue calls it."""

    rows: list[common.Row]
    true_names: dict[Name, Name]
    raw: int  # plays whose history says what the player sent
    dirty: int  # names spoiled

    @property
    def names(self) -> int:
        """How many different names are submitted."""
        return len(self.true_names)

    def truth(self, true: world.World, artist: str, track: str, release: str) -> world.Truth | None:
        """Return what a submitted name is; None for one that is not of the history or not of the world."""
        name = self.true_names.get((common.same(artist), common.same(track)))
        return true.truth(*name, release) if name else None

    def part(self, start: int, stop: int) -> Plays:
        """Return some of the plays, with the truth of all."""
        return self._replace(rows=self.rows[start:stop])


def load(path: Path, limit: int, true: world.World, skip: int = 0) -> Plays:
    """Read the plays of a history behind the first `skip`, so many at most, all for 0. Exits where no file is there."""
    rows: list[common.Row] = []
    names: dict[Name, Name] = {}
    raw = spoiled = 0
    for row, sent in _lines(path, limit, skip):
        name = sent or _sent(true, row)
        key = (common.same(name[0]), common.same(name[1]))
        raw += sent is not None
        spoiled += key not in names and sent is None and name != (row.artist, row.track)
        names.setdefault(key, (row.artist, row.track))
        rows.append(row._replace(artist=name[0], track=name[1]))
    return Plays(rows, names, raw, spoiled)


def _sent(true: world.World, row: common.Row) -> Name:
    """Spoil a name where the world says so, unless that would make it the name of something else."""
    made = dirty.name(true.given, row.artist, row.track)
    other = true.truth(made.artist, made.track)
    own = true.truth(row.artist, row.track)
    is_another = other is not None and (own is None or other.recording_mbid != own.recording_mbid)
    return (row.artist, row.track) if is_another else (made.artist, made.track)


def _lines(path: Path, limit: int, skip: int) -> Iterator[tuple[common.Row, Name | None]]:
    """Yield each play by its corrected names, with the raw ones where the history has them."""
    if not path.exists():
        sys.exit(f"{path} is not there; give a history with --history")
    with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8") as file:
        head = file.readline()
        delimiter = "\t" if "\t" in head else ","
        lines = csv.DictReader(file, fieldnames=next(csv.reader([head], delimiter=delimiter)), delimiter=delimiter)
        for line in itertools.islice(lines, skip, skip + limit if limit else None):
            text = {column: (line.get(column) or "").strip() for column in ("artist", "track", "album")}
            sent = ((line.get("raw_artist") or "").strip(), (line.get("raw_track") or "").strip())
            row = common.Row(int(line["ts"]), text["artist"], text["track"], text["album"])
            yield row, sent if all(sent) else None
