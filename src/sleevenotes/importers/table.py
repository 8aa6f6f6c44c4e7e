"""Tables of plays: a header, then one play a line, separated by tabs or commas, as Last.fm exporters write.

The header decides, in any order: `ts`, `artist` and `track` must be there; `album`, `artist_mbid`,
`album_mbid`, `track_mbid`, `raw_artist` and `raw_track` may be. Quoting is the csv module's, but never over a
line's end: a quote that is not closed on its line is taken as written and cannot swallow the plays after it.

    ts          artist          artist_mbid  album       album_mbid  track   track_mbid
    1559570092  Massive Attack               Heligoland              Babel

Last.fm's artist MBIDs can be trusted (327 of 330 agree with ListenBrainz), its album and track MBIDs cannot
(136 of 302; 25 of 326), so only the former become evidence; the others are kept among the extra fields.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

from sleevenotes import errors, model
from sleevenotes.importers import contract, delimited

NEEDED = ("ts", "artist", "track")
KNOWN = (*NEEDED, "album", "artist_mbid", "album_mbid", "track_mbid", "raw_artist", "raw_track")

# 2002-10-01, before the first play of Last.fm and ListenBrainz: an older time is a broken clock.
_EARLIEST = 1_033_430_400
_MBID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
# Kept as extra fields: what is only a hint, and the corrected names where the raw ones are taken.
_EXTRA = ("album_mbid", "track_mbid")


class _UnfitError(Exception):
    """Why a row is no scrobble."""


class Table:
    """The importer of tables of plays."""

    name = "a table of plays: a header naming at least ts, artist and track, separated by tabs or commas"

    def recognises(self, first_line: str) -> bool:
        """Say whether the line is a header with the needed columns."""
        return set(NEEDED) <= set(_header(first_line)[1])

    def read(self, data: bytes, options: contract.Options) -> Iterator[model.Scrobble | contract.Skipped]:
        """Yield a scrobble or a Skipped for every row; see `contract.Importer.read`."""
        delimiter, columns = _header(contract.first_line(data))
        missing = [name for name in NEEDED if name not in columns]
        if missing:
            raise errors.Refused(f"the header does not name {', '.join(missing)}")
        for number, line in contract.lines(data):
            if number == 1 or not line.strip():
                continue
            try:
                yield _scrobble(_row(line, delimiter, columns), options)
            except _UnfitError as unfit:
                yield contract.Skipped(number, str(unfit))


def _header(line: str) -> tuple[str, list[str]]:
    delimiter = delimited.delimiter(line)
    return delimiter, [name.strip().lower() for name in delimited.fields(line, delimiter)]


def _row(line: bytes, delimiter: str, columns: list[str]) -> dict[str, str]:
    try:
        fields = delimited.fields(line.decode("utf-8"), delimiter)
    except UnicodeDecodeError:
        raise _UnfitError("not UTF-8 text") from None
    if len(fields) != len(columns):
        raise _UnfitError(f"{len(fields)} fields where the header names {len(columns)}")
    return {name: field.strip() for name, field in zip(columns, fields, strict=True)}


def _scrobble(row: Mapping[str, str], options: contract.Options) -> model.Scrobble:
    artist, track = _names(row, raw=options.raw)
    for name, text in (("artist", artist), ("track", track)):
        if not text:
            raise _UnfitError(f"{name} is empty")
    if any("\0" in text for text in row.values()):
        raise _UnfitError("holds a NUL character")
    return model.Scrobble(
        artist=artist,
        track=track,
        release=row.get("album", ""),
        listened_at=_moment(row["ts"], options.until),
        origin="import",
        evidence=model.Evidence(artist_mbids=_mbids(row.get("artist_mbid", ""))),
        extra=_extra(row, artist, track),
    )


def _names(row: Mapping[str, str], *, raw: bool) -> tuple[str, str]:
    """Return artist and track: the raw pair where wanted and whole, else the corrected one; never mixed."""
    if raw and row.get("raw_artist") and row.get("raw_track"):
        return row["raw_artist"], row["raw_track"]
    return row["artist"], row["track"]


def _moment(text: str, until: datetime | None) -> datetime:
    if not (text.isascii() and text.isdigit()):
        raise _UnfitError(f"ts {text[:40]!r} is not a time in UNIX seconds")
    seconds = int(text[:20])
    if seconds < _EARLIEST:
        raise _UnfitError(f"ts {seconds} is before October 2002, when nobody scrobbled: a clock was wrong")
    if seconds > 99_999_999_999:
        raise _UnfitError(f"ts {text[:40]} is too large for UNIX seconds; are these milliseconds?")
    moment = datetime.fromtimestamp(seconds, UTC)
    if until is not None and moment > until:
        raise _UnfitError(f"ts {seconds} lies in the future")
    return moment


def _mbids(text: str) -> tuple[str, ...]:
    """Read one MBID; what does not look like one is no evidence."""
    return (text.lower(),) if _MBID.fullmatch(text.lower()) else ()


def _extra(row: Mapping[str, str], artist: str, track: str) -> dict[str, object]:
    extra: dict[str, object] = {name: row[name] for name in _EXTRA if row.get(name)}
    extra |= {name: text for name, text in row.items() if name and text and name not in KNOWN}
    if row.get("artist") and row["artist"] != artist:
        extra["corrected_artist"] = row["artist"]
    if row.get("track") and row["track"] != track:
        extra["corrected_track"] = row["track"]
    return extra
