"""Public lists of popular names, in two plain forms.

    CSV, or with tabs or semicolons    a header with artist and track, and maybe release and plays; one name a line
    JSON Lines                         {"artist": "Björk", "track": "Jóga", "release": "Homogenic", "plays": 4312}

Columns are also found by what others call them ("artist_name", "Title", "listen_count"). The most played of a list come
first; one that does not say is in its own order. A row that names nothing becomes a Skipped with its place and reason.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec

from sleevenotes import errors
from sleevenotes.importers import contract, delimited
from sleevenotes.importers.contract import Unfit
from sleevenotes.importers.files import File
from sleevenotes.importers.sheets import columns

PLAYS: Final = ("plays", "playcount", "listencount", "totallistencount", "listens", "scrobbles", "listeners", "count")
LONGEST: Final = 1000  # characters of one name
MOST_PLAYS: Final = 2**62

_NOT_WORD = re.compile(r"[\W_]+")


class Name(NamedTuple):
    """One name of a list; `plays` is 0 where it does not say."""

    artist: str
    track: str
    release: str
    plays: int


def read(file: File) -> Iterator[Name | contract.Skipped]:
    """Read a list row by row.

    Raises errors.Refused where the file is neither form, or the header names no artist or no track.
    """
    name, is_table = (_of_object, False) if file.first_line.lstrip().startswith("{") else (_of_table(file), True)
    for number, line in contract.lines(file.open()):
        if (is_table and number == 1) or not line.strip():
            continue
        try:
            yield _checked(name(contract.text_of(line)))
        except Unfit as unfit:
            yield contract.Skipped(number, str(unfit), file.name, unfit.kind)


def _checked(name: Name) -> Name:
    contract.named(name.artist, name.track)
    if max(map(len, name[:3])) > LONGEST:
        raise Unfit(f"a name is longer than {LONGEST} characters")
    return name


def _of_table(file: File) -> Callable[[str], Name]:
    header = file.first_line
    delimiter = delimited.delimiter(header, "\t,;")
    names = [name.strip() for name in delimited.fields(header, delimiter)]
    found = columns.find(names)
    plays_at = next((at for at, name in enumerate(names) if _plain(name) in PLAYS), None)

    def name(line: str) -> Name:
        fields = [field.strip() for field in delimited.fields(line, delimiter)]
        if len(fields) != len(names):
            raise Unfit(f"{len(fields)} fields where the header has {len(names)}")
        release = fields[found.album] if found.album is not None else ""
        return Name(
            fields[found.artist], fields[found.track], release, _plays(fields[plays_at] if plays_at is not None else "")
        )

    return name


def _of_object(line: str) -> Name:
    try:
        row = msgspec.json.decode(line, type=dict[str, Any])
    except msgspec.DecodeError as error:
        raise Unfit(f"not a JSON object ({error})") from None
    by_plain = {_plain(key): value for key, value in row.items()}

    def text(called: tuple[str, ...]) -> str:
        value = next((by_plain[key] for key in called if key in by_plain), "")
        if value is not None and not isinstance(value, str):
            raise Unfit(f"{called[0]} is not a text")
        return (value or "").strip()

    plays = next((by_plain[key] for key in PLAYS if key in by_plain), "")
    return Name(text(columns.ARTIST), text(columns.TRACK), text(columns.ALBUM), _plays(plays))


def _plays(value: object) -> int:
    if value in ("", None):
        return 0
    try:
        number = int(str(value))
    except ValueError:
        raise Unfit(f"plays is not a whole number: {str(value)[:40]!r}") from None
    if not 0 <= number <= MOST_PLAYS:
        raise Unfit("plays is out of range")
    return number


def _plain(name: str) -> str:
    return _NOT_WORD.sub("", name).lower()


def opened(path: Path) -> File:
    """Open a list on disk. Raises errors.Refused where it cannot be read."""
    try:
        return File("", path.stat().st_size, lambda: path.open("rb"))
    except OSError as error:
        raise errors.Refused(f"{path}: {error.strerror or error}") from None
