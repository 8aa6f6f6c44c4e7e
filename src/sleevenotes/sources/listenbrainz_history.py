"""ListenBrainz as the keeper of a listener's history, and whose token it is that a listener gave.

GET /1/user/NAME/listens takes `max_ts`, exclusive, newest first, and knows no pages; whether there are older listens is
told by `oldest_listen_ts`, the listener's first of all. Histories are public there. GET /1/validate-token answers 200
for a bad token, too.
https://listenbrainz.readthedocs.io/en/latest/users/api/core.html
"""

from __future__ import annotations

import re
import urllib.parse
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final, NoReturn

import msgspec

from sleevenotes import errors, model
from sleevenotes.sources import contract, listenbrainz, personal

PAGE: Final = 1000
"""Listens of one page, the most there can be."""

_BASE: Final = "https://api.listenbrainz.org/1"
_MBID: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_LONGEST_MS: Final = 2_073_600_000  # what ListenBrainz takes for a duration, 24 days
_REFUSED: Final = personal.Closed("session", "ListenBrainz does not accept the token.")


class ListenBrainzHistory:
    """Histories and tokens; on the same lane and budget as ListenBrainz' other questions."""

    name = "listenbrainz_history"
    policy = msgspec.structs.replace(
        listenbrainz.POLICY,
        called="ListenBrainz, for a listener's history",
        timeout=30.0,
        answers=(personal.PlaysSince, personal.PlayingNow, personal.OpenSession),
        needs="",
        keep_s=3600.0,  # a page is read at once; what nobody came for is not kept
    )

    def request(self, questions: Sequence[contract.Question]) -> contract.Request:
        """Ask for a page of listens, or whose a token is.

        Further "pages" within the same bounds, of a history with more plays in a second than a page holds, begin a
        second earlier each.
        """
        match questions[0]:
            case personal.PlaysSince(name, _, before, page, most, secret):
                asked = {"count": str(most or PAGE)} | ({"max_ts": str(before - page + 1)} if before else {})
                way = f"user/{urllib.parse.quote(name, safe='')}/listens?{urllib.parse.urlencode(asked)}"
            case personal.PlayingNow(name, secret):
                way = f"user/{urllib.parse.quote(name, safe='')}/playing-now"
            case personal.OpenSession(secret):
                way = "validate-token"
            case other:
                raise TypeError(f"ListenBrainz cannot answer {other!r}")
        headers = {"authorization": f"Token {secret}"} if secret else {}
        return contract.Request(f"{_BASE}/{way}", headers=headers, max_bytes=32_000_000)

    def read(self, questions: Sequence[contract.Question], reply: contract.Reply) -> list[contract.Answer]:
        """Answer with the page, with who it is, or with why it cannot be had."""
        if reply.status == 401:
            return [contract.Answer((_REFUSED,))]
        match questions[0]:
            case personal.OpenSession(token):
                found: contract.Candidate = _session(reply, token)
            case personal.PlaysSince() as asked:
                found = _page(reply, asked)
            case personal.PlayingNow(name):
                found = _playing(reply, name)
            case other:
                raise TypeError(f"ListenBrainz cannot answer {other!r}")
        return [contract.Answer((found,))]


# ---------------------------------------------------------------- its JSON


class _Valid(msgspec.Struct):
    valid: bool = False
    user_name: str = ""


class _Metadata(msgspec.Struct):
    artist_name: str = ""
    track_name: str = ""
    release_name: str | None = None
    additional_info: dict[str, Any] | None = None


class _Listen(msgspec.Struct):
    track_metadata: _Metadata
    listened_at: int = 0
    recording_msid: str = ""


class _Payload(msgspec.Struct):
    listens: list[_Listen]
    oldest_listen_ts: int | None = None


class _Listens(msgspec.Struct):
    payload: _Payload


def _session(reply: contract.Reply, token: str) -> personal.Session | personal.Closed:
    if reply.status != 200:
        _refuse(reply)
    told = contract.read_json("ListenBrainz", reply, _Valid)
    return personal.Session(told.user_name, token) if told.valid and told.user_name else _REFUSED


def _page(reply: contract.Reply, asked: personal.PlaysSince) -> personal.Played | personal.Closed:
    if reply.status == 404:
        return personal.Closed("unknown_user", f"ListenBrainz knows no listener called {asked.user_name}.")
    if reply.status != 200:
        _refuse(reply)
    told = contract.read_json("ListenBrainz", reply, _Listens).payload
    plays = [play for play in map(_scrobble, told.listens) if play is not None]
    return personal.Played(tuple(plays), more=_more(told, asked), skipped=len(told.listens) - len(plays))


def _playing(reply: contract.Reply, user_name: str) -> personal.Played | personal.Closed:
    if reply.status == 404:
        return personal.Closed("unknown_user", f"ListenBrainz knows no listener called {user_name}.")
    if reply.status != 200:
        _refuse(reply)
    told = contract.read_json("ListenBrainz", reply, _Listens).payload
    return personal.Played(playing=next(filter(None, map(_named, told.listens)), None))


def _more(told: _Payload, asked: personal.PlaysSince) -> bool:
    """Tell whether older listens are left that are asked for."""
    if not told.listens:
        return False
    last = min(listen.listened_at for listen in told.listens)
    oldest = told.oldest_listen_ts
    left = len(told.listens) >= (asked.most or PAGE) if oldest is None else last > oldest
    return left and last >= asked.since


def _refuse(reply: contract.Reply) -> NoReturn:
    listenbrainz.refuse_faults(reply)
    raise errors.Garbled(f"ListenBrainz answered {reply.status}, and not what was asked", body=reply.body)


# ---------------------------------------------------------------- into our nouns


def _scrobble(listen: _Listen) -> model.Scrobble | None:
    """Return what a listen tells, None where it names no artist, no title or no time."""
    named = _named(listen)
    if named is None or listen.listened_at <= 0:
        return None
    return msgspec.structs.replace(named, listened_at=datetime.fromtimestamp(listen.listened_at, UTC))


def _named(listen: _Listen) -> model.Scrobble | None:
    """Return what a listen tells but its time, None where it names no artist or no title."""
    told = listen.track_metadata
    artist, track = _clean(told.artist_name), _clean(told.track_name)
    if not artist or not track:
        return None
    info = dict(told.additional_info or {})
    return model.Scrobble(
        artist=artist,
        track=track,
        release=_clean(told.release_name),
        album_artist=_clean(info.get("release_artist_name")),
        duration_ms=_duration(info),
        source_app=next(filter(None, (_clean(info.get(field)) for field in _PLAYERS)), "") or "ListenBrainz",
        foreign_id=listen.recording_msid,
        evidence=_evidence(info),
        extra={name: value for name, value in info.items() if name not in _TAKEN and not _has_null(value)},
    )


_PLAYERS: Final = ("media_player", "listening_from", "submission_client")
_TAKEN: Final = ("duration_ms", "duration", "recording_mbid", "release_mbid", "artist_mbids", "isrc", "tracknumber")


def _clean(text: object) -> str:
    return text.replace("\0", "").strip() if isinstance(text, str) else ""


def _has_null(value: object) -> bool:
    return "\\u0000" in msgspec.json.encode(value).decode()


def _duration(info: dict[str, Any]) -> int | None:
    for field, unit_ms in (("duration_ms", 1), ("duration", 1000)):
        told = str(info.get(field, ""))
        if told.isdecimal() and 0 < int(told) * unit_ms <= _LONGEST_MS:
            return int(told) * unit_ms
    return None


def _evidence(info: dict[str, Any]) -> model.Evidence:
    artists = info.get("artist_mbids")
    number = str(info.get("tracknumber", ""))
    return model.Evidence(
        recording_mbid=_mbid(info.get("recording_mbid")),
        release_mbid=_mbid(info.get("release_mbid")),
        artist_mbids=tuple(filter(None, map(_mbid, artists))) if isinstance(artists, list) else (),
        isrc=_clean(info.get("isrc")),
        track_number=int(number) if number.isdecimal() and len(number) < 5 else None,
    )


def _mbid(value: object) -> str:
    told = value.lower() if isinstance(value, str) else ""
    return told if _MBID.fullmatch(told) else ""
