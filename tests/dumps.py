"""Small dumps in MusicBrainz' shape, and catalogues built from them; ids follow from names."""

from __future__ import annotations

import csv
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from sleevenotes import catalogue
from sleevenotes.catalogue import build, dump

BUILT = datetime(2025, 12, 1, tzinfo=UTC)

HEADER = (
    "id", "artist_credit_id", "artist_mbids", "artist_credit_name", "release_mbid", "release_name", "recording_mbid",
    "recording_name", "combined_lookup", "score",
)  # fmt: skip


class Row(NamedTuple):
    """One recording; `artists` are MBIDs joined by commas, made from the name where not given."""

    artist: str
    track: str
    release: str = "An Album"
    score: int = 1
    artists: str = ""
    recording: str = ""
    release_mbid: str = ""
    group: str = ""

    @property
    def written(self) -> list[str]:
        """Return the columns of the dump."""
        credit = f"{self.artist}/{self.artists}"
        return [
            "0", str(number(credit)), self.artists or mbid("artist", self.artist), self.artist, self.own_release,
            self.release, self.own_recording, self.track, "", str(self.score),
        ]  # fmt: skip

    @property
    def own_release(self) -> str:
        return self.release_mbid or mbid("release", self.artist, self.release)

    @property
    def own_recording(self) -> str:
        return self.recording or mbid("recording", self.artist, self.artists, self.track)

    @property
    def own_group(self) -> str:
        return self.group or mbid("group", self.artist, self.release)


def mbid(*names: str) -> str:
    """Make an MBID from names."""
    return str(uuid.uuid5(uuid.NAMESPACE_OID, "/".join(names)))


def number(name: str) -> int:
    """Make a row number from a name."""
    return uuid.uuid5(uuid.NAMESPACE_OID, name).int >> 97


def write(
    directory: Path, rows: Sequence[Row], *, groups: bool = True, redirects: Sequence[tuple[str, str]] = ()
) -> Path:
    """Write a dump into a directory of its own; without `groups`, there are no release redirects."""
    directory.mkdir(parents=True, exist_ok=True)
    _table(directory / dump.RECORDINGS, HEADER, [row.written for row in rows])
    if groups:
        pairs = [[row.own_release, row.own_release, row.own_group] for row in rows]
        _table(
            directory / dump.RELEASE_REDIRECTS, ("release_mbid", "canonical_release_mbid", "release_group_mbid"), pairs
        )
    if redirects:
        header = ("recording_mbid", "canonical_recording_mbid", "canonical_release_mbid")
        _table(directory / dump.RECORDING_REDIRECTS, header, [[*pair, mbid("any")] for pair in redirects])
    return directory


def _table(path: Path, header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([header, *rows])


def built(
    directory: Path, rows: Sequence[Row], target: Path | None = None, *, groups: bool = True
) -> catalogue.Catalogue:
    """Build a catalogue of these recordings and open it."""
    path = target or directory / catalogue.NAMES
    build.build(write(directory / "dump", rows, groups=groups), path, BUILT)
    opened = catalogue.open(path)
    assert opened is not None
    return opened
