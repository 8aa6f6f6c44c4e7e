"""Spotify's streaming histories: of the account data, and the extended one.

    StreamingHistory_music_0.json       [{"endTime": "2022-12-05 16:52", "artistName", "trackName", "msPlayed"}]
    Streaming_History_Audio_2022_3.json [{"ts": "2022-06-17T19:53:06Z", "ms_played", "master_metadata_track_name",
    (endsong_3.json)                      "master_metadata_album_artist_name", "master_metadata_album_album_name",
                                          "spotify_track_uri", "reason_end", "incognito_mode", "platform", …}]

Times are UTC and when a stream ended ("Understanding my data", Spotify's support pages), so a play began `ms_played`
before. Every stream is listed, however short; which count is said by `contract.Options`: those of at least
`min_played_s`, and shorter ones that ended with their track. How long a track is, is not told; where a stream ended
with its track, it is as long as the track, and becomes the play's duration. Podcasts, audiobooks and videos are
skipped. The account data are of an origin of their own, so that who imports both has each play
once (matching.sameplay).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sleevenotes import model
from sleevenotes.importers import contract, jsonitems, times
from sleevenotes.importers.contract import Unfit
from sleevenotes.importers.files import File

ORIGIN = "spotify"
BRIEF_ORIGIN = "spotify_account"  # another record of the same plays, hence another origin
APP = "Spotify"
ENDED = "trackdone"  # reason_end of a stream that ended with its track
_BRIEF = (b'"endTime"', b'"msPlayed"')
_FULL = (b'"ms_played"', b'"ts"')
# Kept with a play: what tells the track, and how it was played. Not: addresses, places, user names.
_KEPT = ("spotify_track_uri", "reason_start", "reason_end", "shuffle", "skipped", "offline", "incognito_mode")


class Spotify:
    """The importer of Spotify's data."""

    name = "spotify"
    called = "Spotify, the account data or the extended streaming history"

    def recognises(self, file: File) -> bool:
        """Say whether the file is a list of streams."""
        return all(sign in file.head for sign in _BRIEF) or all(sign in file.head for sign in _FULL)

    def read(self, files: Sequence[File], options: contract.Options) -> Iterator[contract.Item]:
        """Yield a scrobble or a Skipped for every stream; see `contract.Importer.read`."""
        for file in files:
            video = "video" in file.name.rpartition("/")[2].lower()

            def make(item: Any, video: bool = video) -> Iterator[contract.Item]:
                yield _scrobble(item, options, video=video)

            yield from jsonitems.read(file, make)


def _scrobble(stream: Any, options: contract.Options, *, video: bool) -> model.Scrobble:
    if not isinstance(stream, dict):
        raise Unfit(f"not a stream: {str(stream)[:40]}")
    if video:
        raise Unfit("a video", contract.NO_MUSIC)
    if "endTime" in stream:
        return _brief(stream, options)
    return _full(stream, options)


def _brief(stream: Mapping[str, Any], options: contract.Options) -> model.Scrobble:
    if "podcastName" in stream:
        raise Unfit("a podcast", contract.NO_MUSIC)
    artist, track = _text(stream.get("artistName")), _text(stream.get("trackName"))
    contract.named(artist, track)
    played_ms = _played(stream.get("msPlayed"))
    _long_enough(played_ms, "", options)
    return model.Scrobble(
        artist=artist,
        track=track,
        listened_at=_began(stream.get("endTime"), "endTime", played_ms, options.until),
        source_app=APP,
        origin=options.origin or BRIEF_ORIGIN,
        extra={"ms_played": played_ms},
    )


def _full(stream: Mapping[str, Any], options: contract.Options) -> model.Scrobble:
    if stream.get("episode_name") or stream.get("spotify_episode_uri"):
        raise Unfit("a podcast", contract.NO_MUSIC)
    if stream.get("audiobook_title") or stream.get("audiobook_uri"):
        raise Unfit("an audiobook", contract.NO_MUSIC)
    artist = _text(stream.get("master_metadata_album_artist_name"))
    track = _text(stream.get("master_metadata_track_name"))
    contract.named(artist, track)
    if stream.get("incognito_mode") is True and not options.private:
        raise Unfit("played in a private session", contract.PRIVATE)
    played_ms, reason = _played(stream.get("ms_played")), _text(stream.get("reason_end"))
    _long_enough(played_ms, reason, options)
    kept = {name: stream[name] for name in _KEPT if stream.get(name) not in (None, "", False)}
    return model.Scrobble(
        artist=artist,
        track=track,
        release=_text(stream.get("master_metadata_album_album_name")),
        listened_at=_began(stream.get("ts"), "ts", played_ms, options.until),
        duration_ms=played_ms if reason == ENDED else None,
        source_app=APP,
        source_device=_text(stream.get("platform")),
        origin=options.origin or ORIGIN,
        extra={"ms_played": played_ms, **kept},
    )


def _played(value: object) -> int:
    if not isinstance(value, int) or not 0 <= value < 2**31:
        raise Unfit(f"how long it was played is not said: {str(value)[:40]}")
    return value


def _long_enough(played_ms: int, reason: str, options: contract.Options) -> None:
    if played_ms >= options.min_played_s * 1000 or (reason == ENDED and played_ms > 0):
        return
    raise Unfit(f"played for {played_ms // 1000} s, less than {options.min_played_s} s", contract.SHORT)


def _began(value: object, name: str, played_ms: int, until: datetime | None) -> datetime:
    ended = times.moment(_text(value), until, name=name)
    # To the millisecond: rounded, it would often be the very second of Last.fm's record of the play, which would then
    # count as a duplicate and leave no trace of having been recorded twice.
    return ended - timedelta(milliseconds=played_ms)


def _text(value: object) -> str:
    return value.strip() if isinstance(value, str) else ""
