"""Plays as Last.fm's protocols write them, without routes: parameters → scrobbles, and what became of each → answer.

Pure. Fields as in https://www.last.fm/api/show/track.scrobble (upstreams §4) and in Submissions 1.2 (§4b). Every
play is judged by itself. Two rules are kinder than Last.fm's: a play may be of any age since the first scrobbler, and
short tracks count, for when to scrobble is the player's to decide.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import NamedTuple

from sleevenotes.model import Evidence, Scrobble
from sleevenotes.server import inputs, listens
from sleevenotes.server.audioscrobbler_answers import BAD_PARAMETER, Failure, Node, numbers, text, tree

MAX_PLAYS = 50
MAX_NAME = 1_000
ORIGIN = "audioscrobbler"

# https://www.last.fm/api/show/track.scrobble: codes of ignoredMessage
ARTIST_IGNORED, TRACK_IGNORED, TOO_OLD, TOO_NEW = 1, 2, 3, 4

_INDEXED = re.compile(r"(\w+)\[(\d{1,9})\]")
_FIELDS = frozenset(
    (
        *("artist", "track", "timestamp", "album", "albumartist", "tracknumber", "mbid", "duration"),
        *("chosenbyuser", "streamid", "context"),
    )
)
_INT32 = 2**31 - 1


class Item(NamedTuple):
    """One play that was sent: its fields as they came, and the scrobble, or why there is none."""

    fields: Mapping[str, str]
    scrobble: Scrobble | None
    code: int = 0
    problem: str = ""


def read_all(params: Mapping[str, str], now: datetime, app: str) -> list[Item]:
    """Read the plays of a track.scrobble, in the order of their indices; a play without index is the first.

    Raises Failure 6 where there is none, or more than 50.
    """
    sent = _sorted_out(params)
    if not sent:
        raise Failure(BAD_PARAMETER, "Invalid parameters - artist, track and timestamp are required")
    if len(sent) > MAX_PLAYS:
        raise Failure(BAD_PARAMETER, f"Invalid parameters - at most {MAX_PLAYS} scrobbles, not {len(sent)}")
    return [read(fields, now, app) for fields in sent]


def read(fields: Mapping[str, str], now: datetime, app: str, *, playing: bool = False) -> Item:
    """Read one play; `playing` for one that plays now and has no timestamp. `app` is who sends it."""
    for field, code in (("artist", ARTIST_IGNORED), ("track", TRACK_IGNORED)):
        if problem := _unfit(field, fields.get(field, "")):
            return Item(fields, None, code, problem)
    at = None
    if not playing:
        at, code, problem = _time(fields.get("timestamp", ""), now)
        if at is None:
            return Item(fields, None, code, problem)
    return Item(fields, _scrobble(fields, at, app))


def _sorted_out(params: Mapping[str, str]) -> list[dict[str, str]]:
    plays: dict[int, dict[str, str]] = {}
    for name, value in params.items():
        found = _INDEXED.fullmatch(name)
        field, index = (found[1].lower(), int(found[2])) if found else (name.lower(), 0)
        if field in _FIELDS:
            plays.setdefault(index, {}).setdefault(field, value.strip())
    named = {index: fields for index, fields in plays.items() if "artist" in fields or "track" in fields}
    return [fields for _, fields in sorted(named.items())]


def single(params: Mapping[str, str]) -> dict[str, str]:
    """Return the fields of a call about one track."""
    return next(iter(_sorted_out(params)), {})


def _unfit(field: str, name: str) -> str:
    if not name:
        return f"{field} is missing"
    if "\0" in name:
        return f"{field} contains a NUL character"
    return f"{field} has more than {MAX_NAME} characters" if len(name) > MAX_NAME else ""


def _time(told: str, now: datetime) -> tuple[datetime | None, int, str]:
    seconds = int(told) if told.isdecimal() and len(told) < 12 else 0
    if seconds < listens.EARLIEST:
        return None, TOO_OLD, "timestamp is missing, or before 2002-10-01; it is in seconds since 1970, UTC"
    if seconds > now.timestamp() + listens.MAX_SKEW_S:
        return None, TOO_NEW, "timestamp is more than an hour ahead of the server's clock"
    return datetime.fromtimestamp(seconds, UTC), 0, ""


def _scrobble(fields: Mapping[str, str], at: datetime | None, app: str) -> Scrobble:
    mbid, number = fields.get("mbid", ""), fields.get("tracknumber", "")
    told = {name: _clean(fields[name]) for name in ("chosenbyuser", "context", "streamid") if fields.get(name)}
    if mbid and not inputs.is_mbid(mbid):
        told["mbid"] = _clean(mbid)
    return Scrobble(
        artist=fields["artist"],
        track=fields["track"],
        release=_clean(fields.get("album", "")),
        listened_at=at,
        album_artist=_clean(fields.get("albumartist", "")),
        duration_ms=_duration_ms(fields.get("duration", "")),
        source_app=app,
        origin=ORIGIN,
        evidence=Evidence(
            recording_mbid=mbid.lower() if inputs.is_mbid(mbid) else "",
            track_number=int(number) if number.isdecimal() and 0 < int(number[:10]) <= _INT32 else None,
        ),
        extra=dict(told),
    )


def _clean(value: str) -> str:
    return value.replace("\0", "")[:MAX_NAME]


def _duration_ms(told: str) -> int | None:
    seconds = int(told) if told.isdecimal() and len(told) < 9 else 0
    return seconds * 1000 if 0 < seconds <= listens.MAX_DURATION_S else None


# ---------------------------------------------------------------- out


def answer(items: list[Item]) -> Node:
    """Write what became of a track.scrobble's plays; a play that was there before counts as accepted."""
    accepted = sum(item.scrobble is not None for item in items)
    told = [_told("scrobble", item, timestamp=True) for item in items]
    # one is an object and many a list, as at Last.fm: clients look at just this
    lists = ("scrobble",) if len(told) != 1 else ()
    return numbers(tree("scrobbles", told, lists, accepted=accepted, ignored=len(items) - accepted))


def answer_now(item: Item) -> Node:
    """Write what became of a track.updateNowPlaying."""
    return _told("nowplaying", item, timestamp=False)


def _told(name: str, item: Item, *, timestamp: bool) -> Node:
    fields = item.fields
    words = [
        text(shown, fields.get(field, ""), corrected=0)
        for shown, field in (
            ("track", "track"),
            ("artist", "artist"),
            ("album", "album"),
            ("albumArtist", "albumartist"),
        )
    ]
    at = [text("timestamp", fields.get("timestamp", ""))] if timestamp else []
    return tree(name, [*words, *at, text("ignoredMessage", item.problem, code=item.code)])
