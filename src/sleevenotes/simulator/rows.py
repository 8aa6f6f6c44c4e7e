"""A catalogue in the layout of MusicBrainz' canonical_musicbrainz_data.csv, plain or gzip."""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple, cast

_COLUMNS = (
    "artist_mbids",
    "artist_credit_name",
    "release_mbid",
    "release_name",
    "recording_mbid",
    "recording_name",
    "score",
)


class Row(NamedTuple):
    """One name; `artist_mbids` is comma-joined; the lower the score, the more played."""

    artist_mbids: str
    artist: str
    release_mbid: str
    release: str
    recording_mbid: str
    recording: str
    score: int


def read(path: Path) -> Iterator[Row]:
    """Yield the rows of a file. Raises ValueError naming a column that is missing or the line that cannot be read."""
    with path.open("rb") as file, _unpacked(file, path) as raw, io.TextIOWrapper(raw, "utf-8", newline="") as text:
        lines = csv.reader(text)
        header = next(lines, [])
        missing = [column for column in _COLUMNS if column not in header]
        if missing:
            raise ValueError(f"{path}: no column {missing[0]}")
        places = [header.index(column) for column in _COLUMNS]
        for cells in lines:
            try:
                mbids, artist, release_mbid, release, mbid, title, score = (cells[place] for place in places)
                yield Row(mbids, artist, release_mbid, release, mbid, title, int(score))
            except (IndexError, ValueError):
                raise ValueError(f"{path}: line {lines.line_num} cannot be read") from None


def _unpacked(file: BinaryIO, path: Path) -> BinaryIO:
    return cast("BinaryIO", gzip.GzipFile(fileobj=file)) if path.suffix == ".gz" else file
