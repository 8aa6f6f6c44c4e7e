"""Maloja's export: {"maloja": {"export_time"}, "scrobbles": [scrobble, …]}.

A scrobble is {"time": UNIX seconds, "track": {"artists": [name, …], "title", "album": {"albumtitle", "artists"} or
null, "length": seconds or null}, "duration": seconds listened or null, "origin": "client:…"}
(maloja/proccontrol/tasks/export.py; before its version 3.2 the album's title was "name").
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from sleevenotes import model
from sleevenotes.importers import contract, jsonitems, times
from sleevenotes.importers.contract import Unfit
from sleevenotes.importers.files import File

ORIGIN = "maloja"


class Maloja:
    """The importer of Maloja's export."""

    name = "maloja"
    called = "Maloja"

    def recognises(self, file: File) -> bool:
        """Say whether the file is JSON with scrobbles whose artists are lists."""
        begins = file.head.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] == b"{"
        return begins and b'"artists"' in file.head and (b'"scrobbles"' in file.head or b'"list"' in file.head)

    def read(self, files: Sequence[File], options: contract.Options) -> Iterator[contract.Item]:
        """Yield a scrobble or a Skipped for every scrobble of Maloja's; see `contract.Importer.read`."""

        def make(item: Any) -> Iterator[contract.Item]:
            yield _scrobble(item, options)

        for file in files:
            yield from jsonitems.read(file, make, lists={"scrobbles", "list"})


def _scrobble(item: Any, options: contract.Options) -> model.Scrobble:
    track = item.get("track") if isinstance(item, dict) else None
    if not isinstance(track, dict):
        raise Unfit("no track")
    artists = _names(track.get("artists"))
    title = _text(track.get("title"))
    contract.named(", ".join(artists), title)
    album = track.get("album")
    album = album if isinstance(album, dict) else {}
    return model.Scrobble(
        artist=", ".join(artists),
        track=title,
        release=_text(album.get("albumtitle")) or _text(album.get("name")),
        listened_at=times.of_seconds(_number(item.get("time")), options.until, "time"),
        album_artist=", ".join(_names(album.get("artists"))),
        duration_ms=_milliseconds(track.get("length")),
        origin=options.origin or ORIGIN,
        extra=_extra(item, artists),
    )


def _extra(item: dict[str, Any], artists: Sequence[str]) -> dict[str, object]:
    extra: dict[str, object] = {"artists": list(artists)} if len(artists) > 1 else {}
    if item.get("duration"):
        extra["duration_played"] = item["duration"]
    if item.get("origin"):
        extra["maloja_origin"] = item["origin"]
    return extra


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise Unfit(f"time {str(value)[:40]!r} is not a time in UNIX seconds", contract.NO_TIME)
    return value


def _milliseconds(seconds: object) -> int | None:
    if isinstance(seconds, (int, float)) and not isinstance(seconds, bool) and 0 < seconds < 2_073_600:
        return round(seconds * 1000)
    return None


def _names(value: object) -> list[str]:
    return [name for each in value if (name := _text(each))] if isinstance(value, list) else []


def _text(value: object) -> str:
    return value.strip() if isinstance(value, str) else ""
