"""Last.fm histories as tables, in the ways of the usual exporters. Times are UTC.

lastfm.ghan.nl          uts,utc_time,artist,artist_mbid,album,album_mbid,track,track_mbid
lastfmstats.com         Artist;Album;AlbumId;Track;Date#user      Date in milliseconds
benjaminbenben.com      Radiohead,OK Computer,Lucky,15 Jun 2007 22:30      no header, to the minute
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from sleevenotes import errors
from sleevenotes.importers import contract, table, times
from sleevenotes.importers.files import File

ORIGIN = "lastfm"
MINUTES_ORIGIN = "lastfm_minutes"  # another record of the same plays, hence another origin
_HEADERLESS = ("artist", "album", "track", "time")
_GHAN = {"uts", "artist", "track"}
_DERIVED = "utc_time"  # says what uts says


class LastfmTable:
    """The importer of Last.fm histories as CSV."""

    name = "lastfm_csv"
    called = "Last.fm, as CSV of lastfm.ghan.nl, lastfmstats.com or lastfm-to-csv"

    def recognises(self, file: File) -> bool:
        """Say whether the first line is the header of such an exporter, or a play as one without header writes it."""
        try:
            delimiter, names = table.header(file)
        except errors.Refused:
            return False
        if _is_headerless(names):
            return True
        plain = {name.lower() for name in names}
        return plain >= _GHAN or (delimiter == ";" and any(name.startswith("date#") for name in plain))

    def read(self, files: Sequence[File], options: contract.Options) -> Iterator[contract.Item]:
        """Yield a scrobble or a Skipped for every row; see `contract.Importer.read`."""
        for file in files:
            told = _layout(file)
            yield from table.rows(file, told, options, options.origin or (ORIGIN if told.header else MINUTES_ORIGIN))


def _is_headerless(names: Sequence[str]) -> bool:
    return len(names) == len(_HEADERLESS) and times.is_time(names[-1])


def _layout(file: File) -> table.Layout:
    delimiter, names = table.header(file)
    if _is_headerless(names):
        roles = {name: place for place, name in enumerate(_HEADERLESS)}
        return table.Layout(delimiter, _HEADERLESS, roles, header=False)
    found = table.layout(file, contract.Options())
    return msgspec.structs.replace(found, names=["" if name.lower() == _DERIVED else name for name in names])
