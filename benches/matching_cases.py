"""The material of `make bench B=matching`: cases (names as sent, and what they mean) and catalogues.

A file is known by its header, so that other files of the same kinds can be given with CASES:

    cluster_id, title, artist …            records of recordings, equal cluster_id = the same: linkage
    raw_artist, raw_track, corrected_…     names and what they mean, to be found in the catalogue
    raw_artist, raw_track, artist, track   a history with raw names: the same
    artist, track [album] [duration_ms] [set], expected | expected_artist, expected_track
                                           cases; nothing expected: must not match
    JSON, a list with "lesson"             golden cases, which bring their own candidates
"""

from __future__ import annotations

import csv
import random
import re
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from benches import common
from sleevenotes import model, names
from sleevenotes.matching import decide

csv.field_size_limit(sys.maxsize)


class Case(NamedTuple):
    """One name as sent; `expected` are the ids that are right, none: it must not match."""

    asked: decide.Asked
    expected: frozenset[str]
    means: str = ""  # what is right, in words
    options: tuple[decide.Option, ...] | None = None  # its own candidates; None: search the catalogue
    hidden: str = ""  # an id that the catalogue shall not have for this case


class Set(NamedTuple):
    """Cases of one kind and the catalogue they are looked up in."""

    name: str
    cases: list[Case]
    catalogue: Sequence[decide.Option]
    notes: Mapping[str, object] = {}


def read(path: Path, world: Path) -> list[Set]:
    """Read a file of cases, whatever its kind."""
    if path.suffix == ".json":
        return json_cases(path)
    rows = table(path)
    name, columns = path.name.split(".")[0], set(rows[0]) if rows else set()
    if "cluster_id" in columns:
        return linkage(name, rows)
    if {"raw_artist", "raw_track"} <= columns:
        return [corrections(name, rows, world)]
    if {"artist", "track"} <= columns:
        return [*plain(name, rows, world)]
    sys.exit(f"{path}: no known kind of cases; its columns are {', '.join(sorted(columns))}")


def table(path: Path) -> list[dict[str, str]]:
    """Read a CSV or TSV with a header, gzip or not."""
    with common.text(path) as file:
        head = file.readline()
        delimiter = "\t" if "\t" in head else ","
        return list(csv.DictReader(file, fieldnames=next(csv.reader([head], delimiter=delimiter)), delimiter=delimiter))


# ---------------------------------------------------------------- the world of real names


class World:
    """A catalogue in the columns of MusicBrainz' canonical dump, and where each name is in it."""

    def __init__(self, path: Path) -> None:
        aliases = _aliases(path.parent / "artists.tsv.gz")
        self.options = [_canonical(row, aliases) for row in table(path)]
        self.ids: dict[tuple[str, str], set[str]] = defaultdict(set)
        for option in self.options:
            self._note(option)

    def _note(self, option: decide.Option) -> None:
        recording = option.recording
        self.ids[_identity(recording.artist_credit.name, recording.title)].add(recording.mbid)

    def expected(self, artist: str, track: str) -> frozenset[str]:
        """Return the ids of this name in the catalogue. A name it lacks is added: then it can be found."""
        if not self.ids.get(_identity(artist, track)):
            option = _record(f"added {artist}\0{track}", artist, track)
            self.options.append(option)
            self._note(option)
        return frozenset(self.ids[_identity(artist, track)])


def _identity(artist: str, track: str) -> tuple[str, str]:
    """Names that differ in case, accents and punctuation only are one recording's, though the world has two ids."""
    return names.key(artist), names.key(track)


def _aliases(path: Path) -> dict[str, tuple[str, tuple[str, ...]]]:
    if not path.exists():
        return {}
    rows = table(path)
    return {
        row["mbid"]: (row["sort_name"] or "", tuple(filter(None, (row["aliases"] or "").split("|")))) for row in rows
    }


def _canonical(row: Mapping[str, str], aliases: Mapping[str, tuple[str, tuple[str, ...]]]) -> decide.Option:
    mbids = row["artist_mbids"].split(",")
    sort_name, others = aliases.get(mbids[0], ("", ())) if len(mbids) == 1 else ("", ())
    named = model.ArtistCreditName(mbids[0], row["artist_credit_name"], sort_name=sort_name, aliases=others)
    album = row["release_name"]
    releases = (model.Release(row["release_mbid"], album, model.ReleaseGroup("", album, "Album")),) if album else ()
    recording = model.Recording(row["recording_mbid"], row["recording_name"], model.ArtistCredit((named,)))
    return decide.Option(recording, releases, "catalogue")


def _record(mbid: str, artist: str, track: str, album: str = "", length_ms: int | None = None) -> decide.Option:
    credit = model.ArtistCredit((model.ArtistCreditName("", artist),))
    releases = (model.Release(f"release {album}", album, model.ReleaseGroup("", album, "Album")),) if album else ()
    return decide.Option(model.Recording(mbid, track, credit, length_ms), releases, "catalogue")


def corrections(name: str, rows: Iterable[Mapping[str, str]], world: Path) -> Set:
    """Raw names and the names they were corrected to; of a name that comes several times, the first."""
    catalogue = World(world)
    before = len(catalogue.options)
    cases: dict[tuple[str, str, str], Case] = {}
    for row in rows:
        artist, track = (row.get(f"corrected_{what}") or row.get(what) or "" for what in ("artist", "track"))
        raw = row["raw_artist"], row["raw_track"], row.get("album") or ""
        if raw[0] and raw[1] and raw not in cases:
            means = f"{artist} | {track}"
            cases[raw] = Case(decide.Asked(*raw), catalogue.expected(artist, track), means)
    return Set(name, list(cases.values()), catalogue.options, {"added_names": len(catalogue.options) - before})


def plain(name: str, rows: Iterable[Mapping[str, str]], world: Path) -> Iterator[Set]:
    """Cases in the plainest form, by the column `set` where there is one."""
    catalogue = World(world)
    sets: dict[str, list[Case]] = defaultdict(list)
    for row in rows:
        duration = row.get("duration_ms") or ""
        asked = decide.Asked(row["artist"], row["track"], row.get("album") or "", int(duration) if duration else None)
        ids = row.get("expected") or row.get("recording_mbid") or ""
        expected = frozenset(filter(None, ids.split("|")))
        wanted = (row.get("expected_artist") or "", row.get("expected_track") or "")
        if not expected and all(wanted):
            expected = catalogue.expected(*wanted)
        sets[row.get("set") or name].append(Case(asked, expected, " | ".join(filter(None, (*wanted, ids)))))
    for title, cases in sets.items():
        yield Set(title, cases, catalogue.options)


# ---------------------------------------------------------------- linkage


class _Row(NamedTuple):
    cluster: str
    option: decide.Option
    asked: decide.Asked


def linkage(name: str, rows: Iterable[Mapping[str, str]]) -> list[Set]:
    """Of each cluster with several rows hide one and ask for it; the rest are the catalogue.

    The second set asks for what the catalogue does not have: single rows, each hidden from itself alone; they must
    not match.
    """
    clusters: dict[str, list[_Row]] = defaultdict(list)
    for row in rows:
        clusters[row["cluster_id"]].append(_row(row))
    shared = _shared_keys(clusters.values())
    cases: list[Case] = []
    strangers: list[Case] = []
    catalogue: list[decide.Option] = []
    excluded = 0
    for cluster, members in sorted(clusters.items()):
        hidden = random.Random(cluster).choice(members) if len(members) > 1 else None
        rest = [member for member in members if member is not hidden]
        if hidden is None:
            strangers.append(Case(rest[0].asked, frozenset(), hidden=rest[0].option.recording.mbid))
        elif _key(hidden) in shared:
            excluded += 1
            rest = members
        else:
            ids = frozenset(member.option.recording.mbid for member in rest)
            cases.append(Case(hidden.asked, ids, " / ".join(_told(member.option) for member in rest)))
        catalogue.extend(member.option for member in rest)
    return [
        Set(name, cases, catalogue, {"shared_keys": len(shared), "excluded": excluded}),
        Set(f"{name}_strangers", strangers, catalogue),
    ]


def _key(row: _Row) -> tuple[str, str]:
    return names.key(row.asked.artist), names.key(row.asked.track)


def _shared_keys(clusters: Iterable[Sequence[_Row]]) -> set[tuple[str, str]]:
    owners: dict[tuple[str, str], set[str]] = defaultdict(set)
    for members in clusters:
        for member in members:
            owners[_key(member)].add(member.cluster)
    return {key for key, clusters_ in owners.items() if len(clusters_) > 1}


def _row(row: Mapping[str, str]) -> _Row:
    """Take a record as a player would send it. One without an artist names it before the title."""
    artist, track = row["artist"].strip(), row["title"].strip()
    if not artist and " - " in track:
        artist, track = (part.strip() for part in track.split(" - ", 1))
    length = _milliseconds(row["source"], row["length"])
    option = _record(row["id"], artist, track, row["album"].strip(), length)
    return _Row(row["cluster_id"], option, decide.Asked(artist, track, row["album"].strip(), length))


def _milliseconds(source: str, text: str) -> int | None:
    """Read a length: each of the five sources writes its own (4:16, 256, 4.267, 4m 16sec, 256000)."""
    numbers = [float(number) for number in re.findall(r"\d+(?:\.\d+)?", text)]
    if not numbers or (re.search(r"[a-z]", text) and source != "4"):
        return None
    if source in {"1", "4"}:
        seconds = numbers[0] * 60 + numbers[1] if len(numbers) == 2 else 0.0
    else:
        seconds = numbers[0] * {"2": 1.0, "3": 60.0, "5": 0.001}.get(source, 0.0)
    return round(seconds * 1000) or None


def _told(option: decide.Option) -> str:
    album = option.releases[0].title if option.releases else ""
    return f"{option.recording.artist_credit.name} | {option.recording.title} | {album}"


# ---------------------------------------------------------------- JSON: multi-scrobbler's and our own


def json_cases(path: Path) -> list[Set]:
    """Read golden cases, or multi-scrobbler's; title clean-up is no set of cases (`benches.matching_titles`)."""
    content = msgspec.json.decode(path.read_bytes())
    if isinstance(content, list):
        return [golden([path])]
    if any("listenbrainz" in file for file in content):
        return [mapped(content)]
    return []


def mapped(content: Mapping[str, Any]) -> Set:
    """Plays that ListenBrainz mapped, rightly or not, as people judged. The catalogue: all they were mapped to.

    What was mapped wrongly has the wrong recording alone as its candidate: it must not match.
    """
    catalogue: dict[str, decide.Option] = {}
    cases: list[Case] = []
    for file, judged in content.items():
        for case in judged if "listenbrainz" in file else []:
            play = case["data"]["track_metadata"]
            asked = decide.Asked(play["artist_name"], play["track_name"], play.get("release_name") or "")
            option = _mapped(play.get("mbid_mapping") or {})
            wrong = "incorrectly" in file
            if option and not wrong:
                catalogue.setdefault(option.recording.mbid, option)
            right = frozenset([option.recording.mbid]) if option and not wrong else frozenset[str]()
            cases.append(Case(asked, right, file.rpartition("/")[2], (option,) if option and wrong else None))
    return Set("multi_scrobbler", cases, list(catalogue.values()))


def _mapped(mapping: Mapping[str, Any]) -> decide.Option | None:
    artists = mapping.get("artists") or []
    if not artists:
        return None
    named = [
        model.ArtistCreditName(each["artist_mbid"], each["artist_credit_name"], each["join_phrase"]) for each in artists
    ]
    recording = model.Recording(mapping["recording_mbid"], mapping["recording_name"], model.ArtistCredit(tuple(named)))
    return decide.Option(recording, (), "catalogue")


def golden(paths: Iterable[Path]) -> Set:
    """Our own cases; those that expect an abstention must not match."""
    cases = [_golden(case) for path in paths for case in msgspec.json.decode(path.read_bytes())]
    return Set("golden", cases, ())


def _golden(case: dict[str, Any]) -> Case:
    from tests.golden import reading  # noqa: PLC0415 - the tests' own reader: one meaning of the format

    expected = case["expect"]
    right = frozenset() if expected in {"abstain", "nothing"} else frozenset([expected])
    return Case(reading.asked(case), right, case["lesson"], tuple(map(reading.option, case["found"])))


def golden_files() -> list[Path]:
    """Return the files of golden cases."""
    return sorted((common.CHECKOUT / "tests" / "golden").glob("decide*.json"))
