"""Which columns of a sheet name the artist, the track and the album: named by the caller, else guessed.

Guessed by what exports call them, in this order; letter case, spaces, dashes and underscores do not count, and of a
path ("track_metadata.artist_name") the whole is compared first, then its end.

    artist,track,album                            Last.fm exporters, most tables
    track_metadata.artist_name, …                 ListenBrainz listens
    master_metadata_album_artist_name, …          Spotify's extended history
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from sleevenotes import errors

ARTIST = (
    "artist", "artistname", "trackartist", "artistnames", "artists", "trackmetadataartistname",
    "mastermetadataalbumartistname", "artistcredit", "artistcreditname", "performer", "creator", "albumartist",
)  # fmt: skip
TRACK = (
    "track", "trackname", "tracktitle", "title", "song", "songname", "songtitle", "trackmetadatatrackname",
    "mastermetadatatrackname", "recording", "recordingname", "name",
)  # fmt: skip
ALBUM = (
    "album", "albumname", "albumtitle", "release", "releasename", "releasetitle", "trackmetadatareleasename",
    "mastermetadataalbumalbumname",
)  # fmt: skip

_NOT_WORD = re.compile(r"[\W_]+")


class Named(NamedTuple):
    """Places of the columns; `album` is None where there is none."""

    artist: int
    track: int
    album: int | None


def find(columns: Sequence[str], artist: str = "", track: str = "", album: str = "") -> Named:
    """Return where artist, track and album stand.

    Raises errors.Refused where a column that was named is not there, or none can be guessed for artist or track; the
    message lists the columns there are.
    """
    artist_at = _place(columns, "artist", artist, ARTIST)
    track_at = _place(columns, "track", track, TRACK)
    missing = [name for name, place in (("artist", artist_at), ("track", track_at)) if place is None]
    if artist_at is None or track_at is None:
        raise errors.Refused(
            f"no column looks like the {' or the '.join(missing)}; say which is. {_there(columns)}", field=missing[0]
        )
    return Named(artist_at, track_at, _place(columns, "album", album, ALBUM))


def _place(columns: Sequence[str], role: str, wanted: str, known: Sequence[str]) -> int | None:
    if wanted:
        if wanted not in columns:
            raise errors.Refused(f"{role}: there is no column {wanted!r}. {_there(columns)}", field=role)
        return list(columns).index(wanted)
    for reading in (_plain, _end):
        read = [reading(column) for column in columns]
        for name in known:
            if name in read:
                return read.index(name)
    return None


def _plain(column: str) -> str:
    return _NOT_WORD.sub("", column).lower()


def _end(column: str) -> str:
    return _plain(column.rpartition(".")[2])


def _there(columns: Sequence[str]) -> str:
    return f"Columns: {', '.join(columns)}"
