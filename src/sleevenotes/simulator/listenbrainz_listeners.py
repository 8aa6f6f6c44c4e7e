"""ListenBrainz' listeners: GET /1/user/NAME/listens, /listen-count, /playing-now, and /1/validate-token.

Histories are public here, whoever hides theirs elsewhere. A token is its owner's name behind "token-".
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from urllib.parse import unquote

from sleevenotes.simulator import entities, people, wire
from sleevenotes.simulator.world import World

Json = dict[str, Any]

OWNED: Final = "token-"  # and the owner's name
_USUAL, _MOST = 25, 1000


class Refused(Exception):
    """A request that is answered with an error."""

    def __init__(self, status: int, error: str) -> None:
        super().__init__(error)
        self.status = status


class Listeners:
    """What ListenBrainz knows of its listeners."""

    def __init__(self, world: World, everybody: people.People) -> None:
        self._world = world
        self._people = everybody

    def answer(self, request: wire.Request, now: datetime) -> Json | None:
        """Answer what is asked of a listener; None where it is something else."""
        if request.path == "/1/validate-token":
            return _whose(request)
        _, _, *parts = request.path.split("/")
        if len(parts) != 3 or parts[0] != "user" or request.method != "GET":
            return None
        person = self._people.find(unquote(parts[1]), now)
        if person is None:
            raise Refused(404, f"Cannot find user: {parts[1]}")
        match parts[2]:
            case "listens":
                return {"payload": self._listens(person, request.query)}
            case "listen-count":
                return {"payload": {"count": len(person.plays)}}
            case "playing-now":
                playing = [{**self._listen(person, person.playing), "playing_now": True}] if person.playing else []
                for each in playing:
                    del each["listened_at"], each["inserted_at"]
                return {
                    "payload": {
                        "count": len(playing),
                        "user_id": person.name,
                        "playing_now": True,
                        "listens": playing,
                    }
                }
        return None

    def _listens(self, person: people.Person, query: Mapping[str, list[str]]) -> Json:
        asked = {name: values[0] for name, values in query.items()}
        count = min(_whole(asked, "count") or _USUAL, _MOST)
        before, after = _whole(asked, "max_ts"), _whole(asked, "min_ts")
        if before and after and after >= before:
            raise Refused(400, "min_ts should be less than max_ts")
        known = [play for play in person.between(after + 1 if after else 0, before) if play.at]
        chosen = known[-count:] if after and not before else known[:count]
        dated = [play.at for play in person.plays if play.at]
        return {
            "count": len(chosen),
            "user_id": person.name,
            "latest_listen_ts": max(dated, default=0),
            "oldest_listen_ts": min(dated, default=0),
            "listens": [self._listen(person, play) for play in chosen],
        }

    def _listen(self, person: people.Person, play: people.Played) -> Json:
        recording = play.recording
        artist = entities.printed(recording.credit)
        info: Json = {"media_player": "Sample player", "submission_client": "sleevenotes simulate"}
        if recording.length:
            info["duration_ms"] = recording.length
        msid = uuid.uuid5(uuid.NAMESPACE_URL, f"{artist}/{recording.title}/{play.release.title}")
        return {
            "inserted_at": play.ends,
            "listened_at": play.at,
            "recording_msid": str(msid),
            "user_name": person.name,
            "track_metadata": {
                "artist_name": artist,
                "track_name": recording.title,
                "release_name": play.release.title,
                "additional_info": {**info, "recording_msid": str(msid)},
            },
        }


def _whose(request: wire.Request) -> Json:
    header = request.headers.get("authorization", "")
    token = header.partition(" ")[2] or request.query.get("token", [""])[0]
    if not token:
        raise Refused(400, "You need to provide an Authorization token.")
    if not token.startswith(OWNED):
        return {"code": 200, "message": "Token invalid.", "valid": False}
    return {"code": 200, "message": "Token valid.", "valid": True, "user_name": token.removeprefix(OWNED)}


def _whole(asked: Mapping[str, str], name: str) -> int:
    text = asked.get(name, "")
    if text and not text.isdecimal():
        raise Refused(400, f"Invalid {name} argument: {text}")
    return int(text or 0)
