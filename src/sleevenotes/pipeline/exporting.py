"""Everything taken away: an account's plays as JSON lines, CSV or Parquet, written as a stream.

JSON lines are listens as ListenBrainz writes and reads them; CSV and Parquet have the columns `own.COLUMNS`. All three
hold each play as it was sent, whether it is hidden and behind which, what its listener thinks of the track, and what it
is matched to; behind them what else the listener has said, as `importers.acts` has it. `importers.own` reads all of it
back but what plays are matched to.
"""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Protocol

import msgspec

from sleevenotes import errors
from sleevenotes.artwork.files import Files
from sleevenotes.importers import acts as act_lines
from sleevenotes.importers import own
from sleevenotes.importers.sheets import parquet
from sleevenotes.pipeline import acts
from sleevenotes.store import exports
from sleevenotes.store.exports import Exported
from sleevenotes.store.feedback import Feedback
from sleevenotes.store.postgres import Database

MEDIA = {
    "jsonl": "application/x-ndjson",
    "csv": "text/csv; charset=utf-8",
    "parquet": "application/vnd.apache.parquet",
}
FORMATS = tuple(MEDIA)


class Writer(Protocol):
    """Turns plays into the bytes of a file."""

    def plays(self, page: Sequence[Exported]) -> bytes:
        """Return the bytes of these plays."""
        ...

    def alone(self, words: Sequence[Feedback]) -> bytes:
        """Return the bytes of tracks that are loved or hated and were not played."""
        ...

    def acts(self, lines: Sequence[act_lines.Line]) -> bytes:
        """Return the bytes of corrections, covers and marks."""
        ...

    def end(self) -> bytes:
        """Return the last bytes of the file."""
        ...


def writer(kind: str) -> Writer:
    """Return what writes this format.

    Raises errors.Refused for a format that is not written, or that this installation lacks something for.
    """
    if kind not in _WRITERS:
        raise errors.Refused(f"format {kind[:40]!r}: must be one of {', '.join(FORMATS)}", field="format")
    try:
        return _WRITERS[kind]()
    except errors.Unusable as why:
        raise errors.Refused(f"format parquet: {why} CSV and JSON lines need nothing.", field="format") from None


async def stream(database: Database, files: Files, account_id: int, write: Writer) -> AsyncIterator[bytes]:
    """Yield the bytes of an account's export."""
    async for page in exports.plays(database, account_id):
        if chunk := write.plays(page):
            yield chunk
    if chunk := write.alone(await exports.feedback_alone(database, account_id)):
        yield chunk
    async for lines in acts.lines(database, files, account_id):
        yield write.acts(lines)
    if chunk := write.end():
        yield chunk


# ---------------------------------------------------------------- JSON lines


class _Lines:
    def plays(self, page: Sequence[Exported]) -> bytes:
        return b"".join(msgspec.json.encode(_listen(play)) + b"\n" for play in page)

    def alone(self, words: Sequence[Feedback]) -> bytes:
        return b"".join(msgspec.json.encode({"feedback": word}) + b"\n" for word in words)

    def acts(self, lines: Sequence[act_lines.Line]) -> bytes:
        return b"".join(msgspec.json.encode({own.MEMBER: line}) + b"\n" for line in lines)

    def end(self) -> bytes:
        return b""


def _listen(play: Exported) -> dict[str, Any]:
    sent = play.scrobble
    info = {key: value for key, value in sent.extra.items() if key != "track_metadata"}
    if sent.duration_ms:
        info["duration_ms"] = sent.duration_ms
    if sent.source_app:
        info.setdefault("media_player", sent.source_app)
    evidence = msgspec.to_builtins(sent.evidence)
    if "track_number" in evidence:
        evidence["tracknumber"] = evidence.pop("track_number")
    info |= {**evidence, own.MEMBER: _member(play)}
    further = sent.extra.get("track_metadata")
    metadata: dict[str, Any] = dict(further) if isinstance(further, dict) else {}
    metadata |= {
        "artist_name": sent.artist,
        "track_name": sent.track,
        "release_name": sent.release,
        "additional_info": info,
    }
    if play.matched.recording_mbid:
        metadata["mbid_mapping"] = _mapping(play)
    return {
        "listened_at": int(sent.listened_at.timestamp()) if sent.listened_at else None,
        "inserted_at": int(play.inserted_at.timestamp()),
        "track_metadata": metadata,
    }


def _member(play: Exported) -> dict[str, Any]:
    member: dict[str, Any] = {"scrobble": play.scrobble}
    if play.same_as:
        member["same_as"] = dict(zip(("listened_at", "artist", "track"), play.same_as, strict=True))
    if play.feedback:
        member |= {"feedback": play.feedback, "feedback_given_at": play.feedback_given_at}
    matched = {
        name: value
        for name in ("status", "led_by", "release_title", "release_group", "cover")
        if (value := getattr(play.matched, name))
    }
    return {**member, "matched": matched}


def _mapping(play: Exported) -> dict[str, Any]:
    matched = play.matched
    mapping: dict[str, Any] = {
        "recording_mbid": matched.recording_mbid,
        "recording_name": matched.recording,
        "artist_mbids": [mbid for mbid, _, _ in matched.artists],
        "artists": [
            {"artist_mbid": mbid, "artist_credit_name": name, "join_phrase": join}
            for mbid, name, join in matched.artists
        ],
    }
    ids = {"release_mbid": matched.release_mbid, "release_group_mbid": matched.release_group_mbid}
    return mapping | {name: mbid for name, mbid in ids.items() if mbid}


# ---------------------------------------------------------------- tables


def _row(play: Exported) -> dict[str, Any]:
    """Return a play's cells by column; what is not there is None."""
    sent, matched = play.scrobble, play.matched
    row: dict[str, Any] = {name: getattr(sent, name) or None for name in own.SENT}
    row["evidence"] = _json(msgspec.to_builtins(sent.evidence))
    row["extra"] = _json(sent.extra)
    if play.same_as:
        row |= zip(("same_as_listened_at", "same_as_artist", "same_as_track"), play.same_as, strict=True)
    row |= {"feedback": play.feedback or None, "feedback_given_at": play.feedback_given_at}
    row |= {name: getattr(matched, name, None) or None for name in own.MATCHED}
    row["artist_mbids"] = " ".join(mbid for mbid, _, _ in matched.artists if mbid) or None
    return row


def _word(word: Feedback) -> dict[str, Any]:
    told = {"artist": word.artist, "track": word.track}
    return {**told, "feedback": word.score, "feedback_given_at": word.given_at}


def _act(line: act_lines.Line) -> dict[str, Any]:
    return {own.ACT: msgspec.json.encode(line).decode()}


def _json(value: Mapping[str, Any]) -> str | None:
    return msgspec.json.encode(value).decode() if value else None


class _Csv:
    def __init__(self) -> None:
        self._text = io.StringIO()
        self._csv = csv.DictWriter(self._text, own.COLUMNS, lineterminator="\n")
        self._csv.writeheader()

    def plays(self, page: Sequence[Exported]) -> bytes:
        return self._written(_row(play) for play in page)

    def alone(self, words: Sequence[Feedback]) -> bytes:
        return self._written(_word(word) for word in words)

    def acts(self, lines: Sequence[act_lines.Line]) -> bytes:
        return self._written(map(_act, lines))

    def end(self) -> bytes:
        return self._written(())

    def _written(self, rows: Iterable[dict[str, Any]]) -> bytes:
        for row in rows:
            self._csv.writerow({name: _cell(value) for name, value in row.items()})
        text = self._text.getvalue()
        self._text.seek(0)
        self._text.truncate()
        return text.encode()


def _cell(value: object) -> object:
    return value.astimezone(UTC).isoformat() if isinstance(value, datetime) else value


class _Parquet:
    def __init__(self) -> None:
        self._arrow = parquet.pyarrow()
        times, numbers = self._arrow.timestamp("us", "UTC"), self._arrow.int64()
        kinds = {"listened_at": times, "same_as_listened_at": times, "feedback_given_at": times}
        kinds |= {"duration_ms": numbers, "feedback": numbers}
        fields = [self._arrow.field(name, kinds.get(name, self._arrow.string())) for name in own.COLUMNS]
        self._schema = self._arrow.schema(fields)
        self._sink = _Sink()
        self._file = self._arrow.parquet.ParquetWriter(self._sink, self._schema, compression="zstd")

    def plays(self, page: Sequence[Exported]) -> bytes:
        return self._written([_row(play) for play in page])

    def alone(self, words: Sequence[Feedback]) -> bytes:
        return self._written([_word(word) for word in words])

    def acts(self, lines: Sequence[act_lines.Line]) -> bytes:
        return self._written([_act(line) for line in lines])

    def end(self) -> bytes:
        self._file.close()
        return self._sink.drain()

    def _written(self, rows: Sequence[dict[str, Any]]) -> bytes:
        if rows:
            whole = [{name: row.get(name) for name in own.COLUMNS} for row in rows]
            self._file.write_table(self._arrow.Table.from_pylist(whole, schema=self._schema))
        return self._sink.drain()


class _Sink(io.RawIOBase):
    """A file that is taken away while it is written."""

    def __init__(self) -> None:
        self._chunks: list[bytes] = []
        self._written = 0

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        chunk = bytes(data)
        self._chunks.append(chunk)
        self._written += len(chunk)
        return len(chunk)

    def tell(self) -> int:
        return self._written

    def drain(self) -> bytes:
        """Return what was written since the last time."""
        chunks, self._chunks = self._chunks, []
        return b"".join(chunks)


_WRITERS: dict[str, Callable[[], Writer]] = {"jsonl": _Lines, "csv": _Csv, "parquet": _Parquet}
