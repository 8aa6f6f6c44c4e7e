"""Every importer, in the order in which they are asked whether a file is theirs."""

from __future__ import annotations

from collections.abc import Generator
from typing import NamedTuple

from sleevenotes import errors
from sleevenotes.importers import (
    contract,
    lastfm,
    lastfm_json,
    listenbrainz,
    maloja,
    own,
    rockbox,
    spotify,
    table,
)
from sleevenotes.importers.files import File, Upload

ALL: tuple[contract.Importer, ...] = (
    own.Own(),
    rockbox.Rockbox(),
    listenbrainz.ListenBrainz(),
    spotify.Spotify(),
    maloja.Maloja(),
    lastfm_json.LastfmJson(),
    lastfm.LastfmTable(),
    table.Table(),
)
_COLUMNS = ("artist", "track", "album", "time")  # options that name columns: only tables have these


class Plan(NamedTuple):
    """Who reads which files of an upload; `left` are read by nobody."""

    importer: contract.Importer
    files: list[File]
    left: list[File]


def plan(upload: Upload, options: contract.Options | None = None) -> Plan:
    """Find the importer of an upload: the first that knows a file of it, with all the files that it knows.

    Raises errors.Refused when none does; the message says which formats there are.
    """
    if not any(file.head.strip() for file in upload.files):
        raise errors.Refused("the file is empty" if upload.files else "the archive is empty")
    if options is not None and any(getattr(options, name) for name in _COLUMNS):
        return _planned(table.Table(), upload, _with_columns(upload, options))
    for importer in ALL:
        mine = [file for file in upload.files if importer.recognises(file)]
        if mine:
            return _planned(importer, upload, mine)
    raise errors.Refused(_unknown(upload))


def _with_columns(upload: Upload, options: contract.Options) -> list[File]:
    """Return the files with the columns named. Raises errors.Refused, naming the likeliest file, where none is."""
    mine: list[File] = []
    refused: list[tuple[File, errors.Refused]] = []
    for file in upload.files:
        try:
            table.layout(file, options)
            mine.append(file)
        except errors.Refused as why:
            refused.append((file, why))
    if not mine:
        file, nearest = next((each for each in refused if _looks_like_one(each[0])), refused[0])
        raise errors.Refused(_of(file, nearest), field=nearest.field)
    return mine


def _looks_like_one(file: File) -> bool:
    return len(table.columns(file)) >= len(table.NEEDED)


def _of(file: File, why: errors.Refused) -> str:
    return f"{file.name}: {why}" if file.name else str(why)


def _planned(importer: contract.Importer, upload: Upload, mine: list[File]) -> Plan:
    upload.expect(mine)
    return Plan(importer, mine, [file for file in upload.files if file not in mine])


def read(plan: Plan, options: contract.Options) -> Generator[contract.Item]:
    """Read an upload as planned; see `contract.Importer.read`. Files that nobody reads are told first."""
    for file in plan.left:
        yield contract.Skipped(0, f"not a file of {plan.importer.called}", file.name, contract.FOREIGN, "file")
    yield from plan.importer.read(plan.files, options)


def _unknown(upload: Upload) -> str:
    known = "; ".join(importer.called for importer in ALL) + ", with a header naming at least ts, artist and track"
    if lacking := _lacking(upload):
        return lacking
    if len(upload.files) > 1:
        names = ", ".join(file.name for file in upload.files[:5])
        return (
            f"the archive holds {names}{' …' if len(upload.files) > 5 else ''}, which no importer knows. Known: {known}"
        )
    head = upload.files[0].first_line
    if not head.strip():
        return "the file begins with a blank line; a table begins with the names of its columns"
    return f"the file begins with {head[:80]!r}, which no importer knows. Known: {known}"


def _lacking(upload: Upload) -> str:
    """Say which column is not found in the first file that looks like a table; "" where none does."""
    least = len(table.NEEDED) if len(upload.files) > 1 else 2  # any delimiter at all
    for file in upload.files:
        if len(table.columns(file)) < least:
            continue
        try:
            table.layout(file, contract.Options())
        except errors.Refused as why:
            return _of(file, why)
    return ""
