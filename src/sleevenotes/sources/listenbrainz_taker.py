"""ListenBrainz as a taker of plays: POST /1/submit-listens, up to a thousand at once, and what plays now.

As https://listenbrainz.readthedocs.io/en/latest/users/api/core.html tells it. One listen that it cannot take has all of
them refused; the same listen at the same second again is taken once.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from sleevenotes import model
from sleevenotes.sources import contract, listenbrainz, takers
from sleevenotes.sources.takers import Fate, Verdict

TOGETHER: Final = 100  # of the thousand it takes: where one is refused, the others are sent again in smaller packs
EARLIEST: Final = 1_033_430_400  # 2002-10-01

_ADDRESS: Final = "https://api.listenbrainz.org/1/submit-listens"
_CLIENT: Final = "Sleevenotes"


class ListenBrainzTaker:
    """Submitting listens, on the budget of ListenBrainz' other questions."""

    policy = msgspec.structs.replace(listenbrainz.POLICY, together=TOGETHER, needs="", timeout=30.0)

    def unfit(self, play: model.Scrobble) -> str:
        """Refuse what is older than anything there."""
        if play.listened_at is not None and play.listened_at.timestamp() < EARLIEST:
            return "ListenBrainz takes no play before October 2002."
        return ""

    def request(self, plays: Sequence[model.Scrobble], secret: str) -> contract.Request:
        """Submit listens."""
        payload = [
            {"listened_at": int(play.listened_at.timestamp()), "track_metadata": _metadata(play)}
            for play in plays
            if play.listened_at is not None
        ]
        return _post({"listen_type": "single" if len(payload) == 1 else "import", "payload": payload}, secret)

    def playing(self, play: model.Scrobble, secret: str) -> contract.Request:
        """Tell what plays now."""
        return _post({"listen_type": "playing_now", "payload": [{"track_metadata": _metadata(play)}]}, secret)

    def read(self, plays: Sequence[model.Scrobble], reply: contract.Reply) -> list[Verdict]:
        """Read what became of the plays: of all the same."""
        if reply.status == 401:
            raise takers.Login("ListenBrainz no longer accepts the token.")
        if reply.status in (400, 413):
            raise takers.Unfit(f"ListenBrainz refuses it: {_said(reply)}")
        listenbrainz.refuse_faults(reply)
        told = contract.read_json("ListenBrainz", reply, _Ok)
        if told.status != "ok":
            raise takers.Unfit(f"ListenBrainz refuses it: {_said(reply)}")
        return [Verdict(Fate.TAKEN)] * len(plays)


class _Ok(msgspec.Struct):
    status: str = ""


class _Error(msgspec.Struct):
    error: str = ""


def _said(reply: contract.Reply) -> str:
    try:
        return msgspec.json.decode(reply.body, type=_Error).error or str(reply.status)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return str(reply.status)


def _post(document: dict[str, Any], secret: str) -> contract.Request:
    headers = {"content-type": "application/json", "authorization": f"Token {secret}"}
    return contract.Request(_ADDRESS, "POST", headers, msgspec.json.encode(document))


def _metadata(play: model.Scrobble) -> dict[str, Any]:
    evidence = play.evidence
    info = {
        "media_player": play.source_app,
        "submission_client": _CLIENT,
        "duration_ms": play.duration_ms,
        "recording_mbid": evidence.recording_mbid,
        "release_mbid": evidence.release_mbid,
        "release_group_mbid": evidence.release_group_mbid,
        "artist_mbids": list(evidence.artist_mbids),
        "isrc": evidence.isrc,
        "tracknumber": evidence.track_number,
    }
    metadata = {"artist_name": play.artist, "track_name": play.track, "release_name": play.release}
    return {
        **{name: text for name, text in metadata.items() if text},
        "additional_info": {name: value for name, value in info.items() if value},
    }
