"""Tables of plays: a header, then one play a line, separated by tabs, commas or semicolons.

The header decides, in any order. What names artist, track, album and time is guessed by what exports call them, or said
(`contract.Options`); durations, MBIDs and the player are understood where they are named as below, every other column
is kept as it is. Quoting is the csv module's, but never over a line's end: a quote that is not closed on its line is
taken as written and cannot swallow the plays after it.

    ts          artist          artist_mbid  album       album_mbid  track   track_mbid
    1559570092  Massive Attack               Heligoland              Babel

Last.fm's artist MBIDs can be trusted (327 of 330 agree with ListenBrainz), its album and track MBIDs cannot
(136 of 302; 25 of 326), so only the former become evidence; the others are kept among the extra fields.
"""

from __future__ import annotations

import re
import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime

import msgspec

from sleevenotes import errors, model
from sleevenotes.importers import contract, delimited, times
from sleevenotes.importers.contract import Unfit
from sleevenotes.importers.files import File
from sleevenotes.importers.sheets import columns as guessing

DELIMITERS = "\t,;"
NEEDED = ("artist", "track", "time")  # what columns must be found for
SECONDS = ("ts", "uts")  # names that say the time is in UNIX seconds
TIME = (
    *("ts", "uts", "timestamp", "unixtimestamp", "unixtime", "listenedat", "playedat", "scrobbledat", "scrobbletime"),
    *("datetime", "date", "time", "isotime", "utctime", "playedon", "when", "listened"),
)  # fmt: skip
_MBID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_NOT_WORD = re.compile(r"[\W_]+")
# What further columns mean, by their plain names.
_KNOWN = {
    "artistmbid": "artist_mbid",
    "albumartist": "album_artist",
    "albumartistname": "album_artist",
    "rawartist": "raw_artist",
    "rawtrack": "raw_track",
    "durationms": "duration_ms",
    "duration": "duration",
    "length": "duration",
    "sourceapp": "source_app",
    "player": "source_app",
    "application": "source_app",
    "isrc": "isrc",
}
_DAY_MS = 86_400_000
_HOURS = 10_000  # as seconds nearly three hours, as milliseconds ten seconds: between any two usual lengths of tracks
_NO_EVIDENCE = model.Evidence()


class Layout(msgspec.Struct, frozen=True):
    """Which column means what: `roles` has the place of each by its meaning; `names` are as the header has them.

    `told` has for each meaning the name under which mistakes are told.
    """

    delimiter: str
    names: Sequence[str]
    roles: Mapping[str, int]
    header: bool = True

    @property
    def others(self) -> list[tuple[int, str]]:
        """Return place and name of every column that has no meaning of ours."""
        taken = set(self.roles.values())
        return [(place, name) for place, name in enumerate(self.names) if place not in taken and name]


class Table:
    """The importer of tables of plays whose columns are named."""

    name = "table"
    called = "a table of plays"

    def recognises(self, file: File) -> bool:
        """Say whether the first line is a header in which artist, track and time are found."""
        try:
            layout(file, contract.Options())
        except errors.Refused:
            return False
        return True

    def read(self, files: Sequence[File], options: contract.Options) -> Iterator[contract.Item]:
        """Yield a scrobble or a Skipped for every row; see `contract.Importer.read`."""
        for file in files:
            yield from rows(file, layout(file, options), options, options.origin or "import")


def rows(file: File, told: Layout, options: contract.Options, origin: str) -> Iterator[contract.Item]:
    """Read the rows of a table laid out so."""
    if _in_milliseconds(file, told):
        roles = {"duration_ms" if role == "duration" else role: place for role, place in told.roles.items()}
        told = msgspec.structs.replace(told, roles=roles)
    make = _maker(told, options, origin)
    for number, line in contract.lines(file.open()):
        if (number == 1 and told.header) or not line.strip():
            continue
        file.at(number)
        try:
            yield make(_fields(line, told))
        except Unfit as unfit:
            yield contract.Skipped(number, str(unfit), file.name, unfit.kind)


def header(file: File) -> tuple[str, list[str]]:
    """Return the delimiter and the column names of a table's first line."""
    line = file.first_line
    delimiter = delimited.delimiter(line, DELIMITERS)
    return delimiter, [name.strip() for name in delimited.fields(line, delimiter)]


def columns(file: File) -> list[str]:
    """Return the columns of what may be a table, none of what is not even text."""
    try:
        return header(file)[1]
    except errors.Refused:
        return []


def layout(file: File, options: contract.Options) -> Layout:
    """Find out which column means what.

    Raises errors.Refused, naming the meaning, where none is found for artist, track or time.
    """
    delimiter, names = header(file)
    found = guessing.find(names, options.artist, options.track, options.album)
    at = _time(names, options.time)
    if at is None:
        raise errors.Refused(f"no column looks like the time; say which is. Columns: {', '.join(names)}", field="time")
    roles = {"artist": found.artist, "track": found.track, "time": at}
    if found.album is not None:
        roles["album"] = found.album
    plain = [_plain(name) for name in names]
    if plain[at] == "time" and "date" in plain:
        roles["day"] = plain.index("date")
    elif plain[at] == "date" and "time" in plain:
        roles |= {"day": at, "time": plain.index("time")}
    for place, name in enumerate(plain):
        if name in _KNOWN and place not in roles.values():
            roles.setdefault(_KNOWN[name], place)
    return Layout(delimiter, names, roles)


def _time(names: Sequence[str], wanted: str) -> int | None:
    if wanted:
        if wanted not in names:
            raise errors.Refused(f"time: there is no column {wanted!r}. Columns: {', '.join(names)}", field="time")
        return list(names).index(wanted)
    plain = [_plain(name) for name in names]
    return next((plain.index(name) for name in TIME if name in plain), None)


def _plain(name: str) -> str:
    return _NOT_WORD.sub("", name.partition("#")[0]).lower()  # lastfmstats.com writes "Date#user"


def _fields(line: bytes, told: Layout) -> list[str]:
    fields = delimited.fields(contract.text_of(line), told.delimiter)
    if len(fields) != len(told.names):
        raise Unfit(f"{len(fields)} fields where the header names {len(told.names)}")
    return [field.strip() for field in fields]


def _maker(told: Layout, options: contract.Options, origin: str) -> Callable[[list[str]], model.Scrobble]:
    """Return what turns the fields of a row into a scrobble."""
    roles, others = told.roles, told.others
    when = _clock(told, options)
    named = [(role, roles[role]) for role in roles if role not in ("time", "day", "duration", "duration_ms")]

    def make(fields: list[str]) -> model.Scrobble:
        row = {role: fields[place] for role, place in named}
        artist, track = _names(row, raw=options.raw)
        contract.named(artist, track)
        return model.Scrobble(
            artist=artist,
            track=track,
            release=row.get("album", ""),
            listened_at=when(fields),
            album_artist=row.get("album_artist", ""),
            duration_ms=_duration(fields, roles),
            source_app=row.get("source_app", ""),
            origin=origin,
            evidence=_evidence(row),
            extra=_extra(row, artist, track, [(name, fields[place]) for place, name in others]),
        )

    return make


def _clock(told: Layout, options: contract.Options) -> Callable[[list[str]], datetime]:
    place, name = told.roles["time"], told.names[told.roles["time"]] or "the time"
    if _plain(name) in SECONDS:
        return lambda fields: times.seconds(fields[place], options.until, name)
    where = times.zone(options.zone)
    if "day" in told.roles:
        day = told.roles["day"]
        return lambda fields: times.moment(f"{fields[day]} {fields[place]}", options.until, where)
    return lambda fields: times.moment(fields[place], options.until, where, name)


def _in_milliseconds(file: File, told: Layout) -> bool:
    """Tell whether a column that says no unit is in milliseconds: half of its first values would be hours."""
    if "duration" not in told.roles or "duration_ms" in told.roles:
        return False
    place = told.roles["duration"]
    lines = file.head.decode("utf-8", "replace").split("\n")
    cells = [fields[place].strip() for line in lines if len(fields := delimited.fields(line, told.delimiter)) > place]
    values = [int(cell) for cell in cells if cell.isascii() and cell.isdigit() and len(cell) < 20]
    return bool(values) and statistics.median(values) > _HOURS


def _names(row: Mapping[str, str], *, raw: bool) -> tuple[str, str]:
    """Return artist and track: the raw pair where wanted and whole, else the corrected one; never mixed."""
    if raw and row.get("raw_artist") and row.get("raw_track"):
        return row["raw_artist"], row["raw_track"]
    return row["artist"], row["track"]


def _duration(fields: Sequence[str], roles: Mapping[str, int]) -> int | None:
    """Read a duration: in milliseconds where the column says so or it is above a day, else in seconds or "4:33".

    None where it is none.
    """
    for role, unit in (("duration_ms", 1), ("duration", 1000)):
        text = fields[roles[role]] if role in roles else ""
        minutes, colon, rest = text.partition(":")
        try:
            value = (int(minutes) * 60 + float(rest) if colon else float(text)) * unit
        except ValueError:
            continue
        if value > _DAY_MS and not colon:
            value /= unit
        if 0 < value < 2**31:
            return round(value)
    return None


def _evidence(row: Mapping[str, str]) -> model.Evidence:
    mbid, isrc = row.get("artist_mbid", "").lower(), row.get("isrc", "")
    if not _MBID.fullmatch(mbid):  # what does not look like one is no evidence
        return model.Evidence(isrc=isrc) if isrc else _NO_EVIDENCE
    return model.Evidence(artist_mbids=(mbid,), isrc=isrc)


def _extra(row: Mapping[str, str], artist: str, track: str, others: Sequence[tuple[str, str]]) -> dict[str, object]:
    extra: dict[str, object] = {name: text for name, text in others if text}
    if row["artist"] != artist:
        extra["corrected_artist"] = row["artist"]
    if row["track"] != track:
        extra["corrected_track"] = row["track"]
    return extra
