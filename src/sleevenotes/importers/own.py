"""What our own exports say, so that reading one back gives the same plays: see pipeline.exporting for the writing.

In JSON lines, a listen as ListenBrainz has it carries {"sleevenotes": {…}} in its additional_info: the scrobble as
it was sent (`model.Scrobble`), which play it is hidden behind, and what the listener thinks of the track. A track
that is loved or hated and was not played is a line {"feedback": {…}}. In CSV and Parquet each row is a play, in the
columns COLUMNS; a row without a time is such a track. What else the listener said stands behind them: see `acts`.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import MAXYEAR, datetime
from typing import Any

import msgspec

from sleevenotes import errors, model
from sleevenotes.importers import acts, contract, delimited, jsonitems
from sleevenotes.importers.contract import Unfit
from sleevenotes.importers.files import File
from sleevenotes.importers.sheets import parquet

MEMBER = "sleevenotes"
FEEDBACK_SIGN = b'{"feedback":'

# As sent: what reading back restores.
SENT = (
    *("listened_at", "artist", "track", "release", "album_artist", "duration_ms", "source_app", "source_device"),
    *("origin", "foreign_id", "artwork_uri", "evidence", "extra"),
)
LINKS = ("same_as_listened_at", "same_as_artist", "same_as_track", "feedback", "feedback_given_at")
# What it was matched to: for people and programs, not read back.
MATCHED = (
    *("status", "led_by", "recording_mbid", "recording", "artist_credit", "artist_mbids", "release_mbid"),
    *("release_title", "release_group_mbid", "release_group", "cover"),
)
ACT = "act"  # exports of before have no such column
COLUMNS = (*SENT, *LINKS, *MATCHED, ACT)
DELIMITERS = ",;\t"  # we write commas; spreadsheets save what they have read with their own
_UUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.IGNORECASE)
_FIRST_YEAR = 1900  # as of plays sent to the API; no page could show the calendar's last day in every zone
_FIELD = 10_000_000  # characters a field may have: `extra` holds whatever a client sent


class Link(msgspec.Struct, frozen=True, omit_defaults=True):
    """A play of our own export, whole."""

    scrobble: model.Scrobble
    same_as: acts.Key | None = None
    feedback: int = 0
    feedback_given_at: datetime | None = None


class Own:
    """The importer of our own CSV and Parquet."""

    name = "sleevenotes"
    called = "Sleevenotes' own export, CSV or Parquet"

    def recognises(self, file: File) -> bool:
        """Say whether the file has the columns of our export, whatever program has saved it since."""
        if file.head.startswith(parquet.MAGIC):
            return not file.name  # Parquet is read from its end: no zip member
        try:
            return {*SENT, *LINKS} <= set(_header(file)[1])
        except errors.Refused:
            return False

    def read(self, files: Sequence[File], options: contract.Options) -> Iterator[contract.Item]:
        """Yield a scrobble, Hidden, Feedback, Acted or a Skipped for every row; see `contract.Importer.read`."""
        del options  # what was exported is read back as it was
        for file in files:
            yield from _file(file)


def read_act(gather: acts.Gather, value: Any, place: contract.Skipped) -> Iterator[contract.Item]:
    """Read a line of what the listener said, at this place; None as its value is the end of the file."""
    try:
        for act in gather.end() if value is None else gather.take(value):
            yield contract.Acted(act, place.line, place.file, place.unit)
    except ValueError as error:
        yield msgspec.structs.replace(place, reason=f"not as Sleevenotes writes it: {error}")


def _file(file: File) -> Iterator[contract.Item]:
    gather = acts.Gather()
    unit = "row" if file.head.startswith(parquet.MAGIC) else "line"
    number = 0
    for number, row in _parquet(file) if unit == "row" else _csv(file):
        file.at(number, unit)
        try:
            if isinstance(row, Unfit):
                raise row
            if row.get(ACT):
                place = contract.Skipped(number, "", file.name, unit=unit)
                yield from read_act(gather, _decoded(ACT, row[ACT]), place)
            else:
                yield from _items(row)
        except Unfit as unfit:
            yield contract.Skipped(number, str(unfit), file.name, unfit.kind, unit)
    yield from read_act(gather, None, contract.Skipped(number, "", file.name, unit=unit))


def read_member(value: Any) -> Iterator[contract.Item]:
    """Read what a listen of our own export says beyond ListenBrainz' words. Raises Unfit."""
    try:
        link = msgspec.convert(value, Link)
    except msgspec.ValidationError as error:
        raise Unfit(f"additional_info.{MEMBER} is not as Sleevenotes writes it: {error}") from None
    return _told(link)


def read_feedback(value: Any) -> contract.Feedback:
    """Read a track that is loved or hated and was not played. Raises Unfit."""
    try:
        return _sound(msgspec.convert(value, contract.Feedback))
    except msgspec.ValidationError as error:
        raise Unfit(f"feedback is not as Sleevenotes writes it: {error}") from None


def is_mbid(value: object) -> bool:
    """Tell whether this is a UUID in its usual form, as every MusicBrainz id is."""
    return isinstance(value, str) and _UUID.fullmatch(value) is not None


def _told(link: Link) -> Iterator[contract.Item]:
    sent = link.scrobble
    contract.named(sent.artist, sent.track)
    if sent.listened_at is None or sent.listened_at.tzinfo is None:
        raise Unfit("no time with its zone", contract.NO_TIME)
    if not _FIRST_YEAR <= sent.listened_at.year < MAXYEAR:
        raise Unfit(f"listened_at {sent.listened_at:%Y-%m-%d} is at the edge of the calendar", contract.NO_TIME)
    yield contract.Hidden(sent, link.same_as) if link.same_as else sent
    if link.feedback:
        yield _sound(contract.Feedback(sent.artist, sent.track, link.feedback, link.feedback_given_at))


def _sound(feedback: contract.Feedback) -> contract.Feedback:
    contract.named(feedback.artist, feedback.track)
    if feedback.score not in (1, -1):
        raise Unfit("feedback is neither 1 (loved) nor -1 (hated)")
    return feedback


def _items(row: Mapping[str, Any]) -> Iterator[contract.Item]:
    jsonitems.check(list(row.values()))
    if not row["listened_at"]:
        told = {name: row[name] for name in ("artist", "track")}
        yield read_feedback({**told, "score": _number(row["feedback"]), "given_at": row["feedback_given_at"] or None})
        return
    sent = {name: row[name] for name in SENT if row[name] not in (None, "")}
    for name in ("evidence", "extra"):
        if name in sent:
            sent[name] = _decoded(name, sent[name])
    if "duration_ms" in sent:
        sent["duration_ms"] = _number(sent["duration_ms"])
    value: dict[str, Any] = {"scrobble": sent, "feedback": _number(row["feedback"] or 0)}
    value["feedback_given_at"] = row["feedback_given_at"] or None
    if row["same_as_listened_at"]:
        value["same_as"] = {name: row[f"same_as_{name}"] for name in ("listened_at", "artist", "track")}
    yield from read_member(value)


def _decoded(name: str, text: Any) -> Any:
    try:
        return msgspec.json.decode(str(text))
    except msgspec.DecodeError as error:
        raise Unfit(f"{name} is not JSON: {error}") from None


def _number(value: Any) -> int:
    try:
        return int(value)
    except (TypeError, ValueError):
        raise Unfit(f"{str(value)[:40]!r} is not a number") from None


def _header(file: File) -> tuple[str, list[str]]:
    delimiter = delimited.delimiter(file.first_line, DELIMITERS)
    return delimiter, delimited.fields(file.first_line, delimiter)


def _csv(file: File) -> Iterator[tuple[int, Mapping[str, Any] | Unfit]]:
    """Yield line and row, or why it is none; a quoted field may hold line ends, as ours may."""
    csv.field_size_limit(_FIELD)
    delimiter, names = _header(file)
    with io.TextIOWrapper(file.open(), "utf-8-sig", "surrogateescape", newline="") as text:
        reader = csv.reader(text, delimiter=delimiter, strict=True)
        try:
            next(reader)
            for fields in _rows(reader):
                yield reader.line_num, fields if isinstance(fields, Unfit) else _whole(names, fields)
        except (EOFError, OSError) as error:
            raise errors.Refused(f"the file is damaged at line {reader.line_num}: {error}") from None


def _rows(reader: Any) -> Iterator[list[str] | Unfit]:
    """Yield the rows of a csv.reader that are not blank; behind one it cannot read, it goes on with the next line."""
    while True:
        first = reader.line_num + 1
        try:
            fields = next(reader, None)
        except csv.Error as error:
            yield Unfit(f"the row that begins in line {first} is not CSV: {error}")
            continue
        if fields is None:
            return
        if fields:
            yield fields


def _whole(names: Sequence[str], fields: Sequence[str]) -> Mapping[str, Any] | Unfit:
    if len(fields) != len(names):
        return Unfit(f"{len(fields)} fields where the header names {len(names)}")
    return dict(zip(names, fields, strict=True))


def _parquet(file: File) -> Iterator[tuple[int, Mapping[str, Any]]]:
    try:
        arrow = parquet.pyarrow()
    except errors.Unusable as why:  # of this file alone: the import ends, and says so
        raise errors.Refused(str(why)) from None
    number = 0
    try:
        with file.seekable() as stream, arrow.parquet.ParquetFile(stream) as table:
            missing = [name for name in (*SENT, *LINKS) if name not in table.schema_arrow.names]
            if missing:
                raise errors.Refused(f"this Parquet file is no export of Sleevenotes: it has no {', '.join(missing)}")
            wanted = [*SENT, *LINKS, *({ACT} & set(table.schema_arrow.names))]
            for batch in table.iter_batches(batch_size=1000, columns=wanted):
                for row in batch.to_pylist():
                    number += 1
                    yield number, row
    except (arrow.ArrowException, OSError) as error:
        raise errors.Refused(f"the file is damaged after row {number}: {error}") from None
