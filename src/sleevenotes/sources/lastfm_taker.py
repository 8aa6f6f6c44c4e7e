"""Last.fm as a taker of plays: track.scrobble, up to fifty at once, and track.updateNowPlaying.

As https://www.last.fm/api/show/track.scrobble tells it, and as it answers: one play is an object where several are a
list; counts are texts or numbers; HTTP 200 with nothing accepted is usual, the plays say why. The same play at the same
second again is taken once, so that what is sent twice after a crash does no harm.
"""

from __future__ import annotations

import urllib.parse
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from sleevenotes import errors, model
from sleevenotes.sources import contract, lastfm, lastfm_history, takers
from sleevenotes.sources.takers import Fate, Verdict

TOGETHER: Final = 50
SHORTEST_MS: Final = 30_000  # "the track must be longer than 30 seconds"

_SESSION: Final = (4, 9, 14, 15, 17)
_KEY: Final = (10, 13, 26, 27, 3)
_IGNORED: Final = {
    1: (Fate.REFUSED, "Last.fm ignores this artist."),
    2: (Fate.REFUSED, "Last.fm ignores this title."),
    3: (Fate.REFUSED, "It is too old for Last.fm, which takes plays of the last fortnight."),
    4: (Fate.REFUSED, "It lies in the future for Last.fm."),
    5: (Fate.LATER, "Last.fm takes no more plays today."),
}


class LastFmTaker:
    """Scrobbling, on the budget of Last.fm's other questions."""

    policy = msgspec.structs.replace(lastfm.LastFm.policy, together=TOGETHER, timeout=30.0)

    def __init__(self, key: str, secret: str) -> None:
        self._key = key
        self._secret = secret

    def unfit(self, play: model.Scrobble) -> str:
        """Refuse what is too short for a scrobble."""
        if play.duration_ms is not None and play.duration_ms <= SHORTEST_MS:
            return "Last.fm takes no track of thirty seconds or less."
        return ""

    def request(self, plays: Sequence[model.Scrobble], secret: str) -> contract.Request:
        """Scrobble."""
        given = {"method": "track.scrobble"}
        for place, play in enumerate(plays):
            at = play.listened_at
            fields = {**_fields(play), "timestamp": str(int(at.timestamp())) if at else "", "chosenByUser": ""}
            given |= {f"{name}[{place}]": text for name, text in fields.items() if text}
        return self._signed(given, secret)

    def playing(self, play: model.Scrobble, secret: str) -> contract.Request:
        """Tell what plays now."""
        return self._signed({"method": "track.updateNowPlaying", **_fields(play)}, secret)

    def read(self, plays: Sequence[model.Scrobble], reply: contract.Reply) -> list[Verdict]:
        """Read what became of each play, in their order."""
        told = lastfm.decode(_reply, reply)
        if told.error is not None:
            _refuse(told.error, told.message, reply)
        contract.refuse_faults("Last.fm", reply)
        rows = told.scrobbles.rows if told.scrobbles else []
        if reply.status != 200 or len(rows) != len(plays):
            raise errors.Garbled(f"Last.fm answered {reply.status}, and not for each play", body=reply.body)
        return [_verdict(row) for row in rows]

    def _signed(self, given: Mapping[str, str], secret: str) -> contract.Request:
        signed = {**given, "api_key": self._key, "sk": secret}
        signed |= {"api_sig": lastfm_history.signature(signed, self._secret), "format": "json"}
        headers = {"content-type": "application/x-www-form-urlencoded"}
        return contract.Request(lastfm.BASE, "POST", headers, urllib.parse.urlencode(signed).encode())


def _fields(play: model.Scrobble) -> dict[str, str]:
    number = play.evidence.track_number
    fields = {
        "artist": play.artist,
        "track": play.track,
        "album": play.release,
        "albumArtist": play.album_artist if play.album_artist != play.artist else "",
        "trackNumber": str(number) if number else "",
        "mbid": play.evidence.recording_mbid,
        "duration": str(play.duration_ms // 1000) if play.duration_ms else "",
    }
    return {name: text for name, text in fields.items() if text}


# ---------------------------------------------------------------- its JSON


class _Named(msgspec.Struct):
    text: str = msgspec.field(name="#text", default="")
    corrected: str | int = "0"


class _Ignored(msgspec.Struct):
    text: str = msgspec.field(name="#text", default="")
    code: str | int = "0"


class _Row(msgspec.Struct):
    artist: _Named = msgspec.field(default_factory=_Named)
    track: _Named = msgspec.field(default_factory=_Named)
    ignored: _Ignored = msgspec.field(name="ignoredMessage", default_factory=_Ignored)


class _Scrobbles(msgspec.Struct):
    scrobble: list[_Row] | _Row = msgspec.field(default_factory=list)

    @property
    def rows(self) -> list[_Row]:
        return [self.scrobble] if isinstance(self.scrobble, _Row) else self.scrobble


class _Reply(msgspec.Struct):
    error: int | None = None
    message: str = ""
    scrobbles: _Scrobbles | None = None


_reply = msgspec.json.Decoder(_Reply)


def _refuse(code: int, message: str, reply: contract.Reply) -> None:
    if code in _SESSION:
        raise takers.Login(f"Last.fm no longer accepts the login ({message or code}).")
    if code in _KEY:
        raise takers.Locked(f"Last.fm does not accept this server's key ({message or code}).")
    if code in (5, 6, 7):
        raise takers.Unfit(f"Last.fm refuses it: {message or code}.")
    lastfm.refuse(code, reply)


def _verdict(row: _Row) -> Verdict:
    code = int(row.ignored.code or 0)
    if code:
        fate, reason = _IGNORED.get(code, (Fate.REFUSED, f"Last.fm ignored it: {row.ignored.text or code}."))
        return Verdict(fate, reason)
    corrected = [each.text if str(each.corrected) == "1" else "" for each in (row.artist, row.track)]
    return Verdict(Fate.TAKEN, "", *corrected)
