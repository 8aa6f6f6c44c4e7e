"""Asking the catalogue: many names exactly, or one name with a few letters wrong.

A step down the tree answers an exact name; a thousand of them take some 30 ms. A fuzzy question first finds the artist
(by the name sent, without its article or guests, else by the halves of its key, `layout`), then the titles among all
the artist has, by rapidfuzz.

A catalogue may be asked from several threads at once; SQLite lets one after the other. What is read stays in the
system's page cache, not in this process.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

import msgspec
from rapidfuzz import fuzz, process

from sleevenotes import errors, names
from sleevenotes.catalogue import dump, layout

MANY: Final = 5
"""Times as many recordings as any homonym's make an artist the one who is meant (as in matching.decide)."""

NEAREST: Final = 8
"""Entries that a fuzzy question brings at most."""

MOST_TITLES: Final = 3_000
"""Titles of one artist that are looked through; of who has more, those that begin alike."""

_ALIKE_ARTIST: Final = 80.0  # rapidfuzz ratios of keys, 0..100
_ALIKE_TITLE: Final = 70.0
_ARTISTS: Final = 5  # alike ones whose titles are looked through

_JOINER: Final = re.compile(
    r"\s*(?:[,;/&+\u00d7\u30fb]|\b(?:and|und|et|y|e|og|och|with|vs|x|feat|ft|featuring|presents)\b\.?)\s*",
    re.IGNORECASE,
)


class Part(msgspec.Struct, frozen=True, gc=False):
    """One artist of a credit: the MBID, the name as credited, and what joins the next one."""

    mbid: str
    name: str
    join_phrase: str = ""


class Entry(msgspec.Struct, frozen=True, gc=False):
    """A canonical recording by an artist credit, and the release it is canonically on.

    `parts` tells whose each part of the credit's name is; of several artists that is known only where the catalogue
    knows each of them alone by that name, else it is (). `release_group_mbid` is "" where no redirect names it.
    `recordings` counts what the catalogue has by these artists under this name, `rivals` what it has by the most
    recorded of other artists of the same name. The lower the `score`, the more canonical.
    """

    artist_credit_id: int
    artist_credit_name: str
    artist_mbids: tuple[str, ...]
    recording_mbid: str
    recording_name: str
    release_mbid: str
    release_name: str
    release_group_mbid: str
    score: int
    recordings: int
    rivals: int
    parts: tuple[Part, ...]

    @property
    def is_homonym(self) -> bool:
        """Tell whether another artist of the same name may as well be meant."""
        return self.rivals > 0 and self.recordings < MANY * self.rivals


class Info(msgspec.Struct, frozen=True):
    """What the file says of itself: `release_groups` counts recordings on a known one, `size` is in bytes."""

    path: str
    built_at: str
    key_version: int
    recordings: int
    release_groups: int
    credits: int
    redirects: int
    broken: int
    size: int


def open(path: Path | str) -> Catalogue | None:  # noqa: A001 - read as catalogue.open
    """Open the catalogue at this path; None where there is none.

    Raises errors.Unusable for a file that is none, is damaged, or was built with other keys than ours.
    """
    place = Path(path)
    if not place.is_file():
        return None
    conn, meta = layout.connect(place, _AGAIN)
    try:
        _check(place, meta)
    except errors.Unusable:
        conn.close()
        raise
    return Catalogue(place, conn, meta)


_AGAIN: Final = "build it again with `sleevenotes catalogue build`"


def _check(path: Path, meta: dict[str, str]) -> None:
    if meta.get("format") != str(layout.FORMAT):
        raise errors.Unusable(f"{path} is a catalogue of another format ({meta.get('format')}): {_AGAIN}")
    if meta.get("key_version") != str(names.KEY_VERSION):
        raise errors.Unusable(
            f"{path} was built with version {meta.get('key_version')} of the keys of names, and this is version "
            f"{names.KEY_VERSION}: {_AGAIN}"
        )


_ENTRY = """
    SELECT credits.id, credits.name, credits.mbids, recordings.mbid, title, release, album, release_group, score,
           credits.recordings, rivals
    FROM recordings JOIN credits ON credits.id = credit
"""
_EXACT = f"{_ENTRY} WHERE recordings.artist = ? AND track = ?"
_JOINING_WORDS: Final = ("", "and", "feat", "featuring", "ft", "with", "vs", "x")  # "&" and "," leave no letters
_Row = tuple[int, str, bytes, bytes, str, bytes, str, bytes | None, int, int, int]


class Catalogue:
    """An open catalogue."""

    def __init__(self, path: Path, conn: sqlite3.Connection, meta: dict[str, str]) -> None:
        self._path = path
        self._conn = conn
        self._meta = meta

    def exact(self, sent: Sequence[tuple[str, str]]) -> list[Entry | None]:
        """Return for each (artist, track) the recording of that name, None where there is none.

        Names are the same by their keys (names.key). Of several recordings, the one spelt as sent goes before the more
        canonical one.
        """
        hashes: dict[str, int] = {}
        execute = self._conn.execute
        found: list[Entry | None] = []
        for artist, track in sent:
            hashed = hashes.get(artist)
            if hashed is None:
                hashed = hashes[artist] = layout.artist_hash(names.key(artist))
            rows: list[_Row] = execute(_EXACT, (hashed, names.key(track))).fetchall()
            if not rows:
                found.append(None)
            else:
                found.append(self._entry(rows[0] if len(rows) == 1 else _nearest(rows, artist, track)))
        return found

    def fuzzy(self, artist: str, track: str) -> list[Entry]:
        """Return recordings that may be meant, the nearest first, at most NEAREST.

        They are of artists whose name is the one sent, in another writing or with a letter or two wrong, and have a
        title like the one sent. Whoever decides measures again: these are candidates.
        """
        title = names.key(names.plain(track)) or names.key(track)
        scored: dict[bytes, tuple[float, _Row]] = {}
        for likeness, hashed in self._artists(artist):
            for alike, row in self._titles(hashed, names.key(track), title):
                scored.setdefault(row[3], (likeness + alike, row))
        best = sorted(scored.values(), key=lambda one: (-one[0], one[1][8]))
        return [self._entry(row) for _, row in best[:NEAREST]]

    def canonical(self, recording_mbid: str) -> str:
        """Return the canonical recording that this one goes with; itself where no redirect names it.

        Raises ValueError for what is no MBID.
        """
        packed = dump.mbid(recording_mbid)
        row = self._conn.execute("SELECT canonical FROM redirects WHERE mbid = ?", (packed,)).fetchone()
        return dump.text(row[0] if row else packed)

    @property
    def built_at(self) -> datetime:
        """Return when it was built: as new as what it says is taken to be."""
        return datetime.fromisoformat(self._meta["built_at"])

    def info(self) -> Info:
        """Tell what it holds and when it was built."""
        meta = {name: value for name, value in self._meta.items() if name in Info.__struct_fields__}
        told = {**meta, "path": str(self._path), "size": self._path.stat().st_size}
        return msgspec.convert(told, Info, strict=False)

    def close(self) -> None:
        """Close the file; it must not be asked any more."""
        self._conn.close()

    def artists(self, artist: str) -> tuple[str, ...]:
        """Split a name into its artists where the catalogue knows each of them; "Earth, Wind & Fire" stays whole."""
        return names.split_artists(artist, lambda name: self._knows(names.key(name)))

    # ------------------------------------------------------------ artists

    def _artists(self, artist: str) -> list[tuple[float, int]]:
        """Return how alike, and the hash, of artists here that may be meant: exactly, else the nearest."""
        ways = [*_other_writings(artist), *_other_credits(self.artists(artist))]
        known = [(100.0 - place, layout.artist_hash(key)) for place, key in enumerate(ways) if self._knows(key)]
        return known or self._alike(ways[0])

    def _knows(self, key: str) -> bool:
        hashed = layout.artist_hash(key)
        return self._conn.execute("SELECT 1 FROM credits WHERE artist = ? LIMIT 1", (hashed,)).fetchone() is not None

    def _alike(self, key: str) -> list[tuple[float, int]]:
        if len(key) < layout.LEAST_LETTERS:
            return []
        halves = list(layout.asked_halves(key))
        rows = self._conn.execute(
            f"SELECT DISTINCT key, artist FROM halves WHERE half IN ({', '.join('?' * len(halves))})", halves
        ).fetchall()
        near = process.extract(
            key, [row[0] for row in rows], scorer=fuzz.ratio, score_cutoff=_ALIKE_ARTIST, limit=_ARTISTS
        )
        return [(score - _ALIKE_ARTIST, rows[place][1]) for _, score, place in near]

    # ------------------------------------------------------------ titles

    def _titles(self, artist: int, whole: str, plain: str) -> Iterator[tuple[float, _Row]]:
        """Yield how alike, and the row, of the titles of one artist that are like what was sent."""
        keys = self._title_keys(artist, plain)
        wanted = dict.fromkeys((whole, plain), 100.0)
        near = process.extract(plain, keys, scorer=fuzz.ratio, score_cutoff=_ALIKE_TITLE, limit=NEAREST)
        wanted |= {key: score for key, score, _ in near if key not in wanted}
        if whole != plain:
            near = process.extract(whole, keys, scorer=fuzz.ratio, score_cutoff=_ALIKE_TITLE, limit=NEAREST)
            wanted |= {key: max(score, wanted.get(key, 0)) for key, score, _ in near}
        for key, score in wanted.items():
            for row in self._conn.execute(_EXACT, (artist, key)):
                yield score, row

    def _title_keys(self, artist: int, key: str) -> list[str]:
        sql = "SELECT track FROM recordings WHERE artist = ? {} ORDER BY track LIMIT ?"
        found = self._conn.execute(sql.format(""), (artist, MOST_TITLES + 1)).fetchall()
        if len(found) > MOST_TITLES:
            start = key[:3]
            within = (artist, start, start + "\U0010ffff", MOST_TITLES)
            found = self._conn.execute(sql.format("AND track >= ? AND track < ?"), within).fetchall()
        return [row[0] for row in found]

    # ------------------------------------------------------------ entries

    def _entry(self, row: _Row) -> Entry:
        credit_id, name, packed, mbid, title, release, album, group, score, recordings, rivals = row
        text = dump.text
        if len(packed) == 16:
            artists: tuple[str, ...] = (text(packed),)
            parts: tuple[Part, ...] = (Part(artists[0], name),)
        else:
            artists = tuple(text(packed[start : start + 16]) for start in range(0, len(packed), 16))
            parts = self._parts(name, artists)
        return Entry(
            credit_id, name, artists, text(mbid), title, text(release), album, text(group) if group else "", score,
            recordings, rivals, parts,
        )  # fmt: skip

    def _parts(self, name: str, artists: Sequence[str]) -> tuple[Part, ...]:
        """Split a credit's name among its artists, each of whom the catalogue knows alone by that part.

        "Earth, Wind & Fire feat. The Emotions" of two artists is cut where both sides are names of these two.
        """
        cuts = list(_JOINER.finditer(name))
        split = self._split(name, cuts, set(artists)) if len(cuts) >= len(artists) - 1 else None
        return tuple(split or ())

    def _split(self, name: str, cuts: Sequence[re.Match[str]], left: set[str]) -> list[Part] | None:
        if len(left) == 1:
            (mbid,) = left & self._alone(name) or {""}
            return [Part(mbid, name)] if mbid else None
        for place, cut in enumerate(cuts):
            first = name[: cut.start()]
            for mbid in sorted(left & self._alone(first)):
                offset = cut.end()
                rest = [each for each in _JOINER.finditer(name[offset:]) if each.start() > 0]
                if place < len(cuts) and (others := self._split(name[offset:], rest, left - {mbid})):
                    return [Part(mbid, first, cut[0]), *others]
        return None

    def _alone(self, name: str) -> set[str]:
        """Return the MBIDs of artists that are credited alone by this name."""
        key = names.key(name)
        rows = self._conn.execute(
            "SELECT DISTINCT mbids FROM credits WHERE artist = ? AND length(mbids) = 16",
            (layout.artist_hash(key),),
        )
        return {dump.text(row[0]) for row in rows}


def _nearest(rows: Iterable[_Row], artist: str, track: str) -> _Row:
    """Choose among recordings of one key: spelt as sent, else the most canonical."""
    sent = (names.fold(track), names.fold(artist))
    return min(rows, key=lambda row: (names.fold(row[4]) != sent[0], names.fold(row[1]) != sent[1], row[8], row[3]))


def _other_credits(artists: Sequence[str]) -> list[str]:
    """Return the keys by which two artists may be credited together: either first, whatever joins them."""
    if len(artists) != 2:
        return []
    one, other = map(names.key, artists)
    joined = [(one + word + other, other + word + one) for word in _JOINING_WORDS]
    return [key for pair in zip(*joined, strict=True) for key in pair]


def _other_writings(artist: str) -> list[str]:
    """Return the keys that a name may be known by: as sent, without guests, without or with its article."""
    alone = names.split_guests(artist)[0]
    bare = names.key(names.without_article(alone))
    return list(dict.fromkeys((names.key(artist), names.key(alone), bare, "the" + bare)))
