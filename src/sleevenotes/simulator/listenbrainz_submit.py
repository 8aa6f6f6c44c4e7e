"""ListenBrainz takes listens: POST /1/submit-listens.

What it takes is in the listener's history from then on, as sent; the same listen at the same second is taken once. One
listen that it cannot take has all of them refused, as at the real one.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

import msgspec

from sleevenotes.simulator import entities, lastfm_submit, people, wire
from sleevenotes.simulator.listenbrainz_listeners import OWNED, Refused
from sleevenotes.simulator.world import World

Json = dict[str, Any]

MOST: Final = 1000
EARLIEST: Final = 1_033_430_400  # 2002-10-01
_AHEAD_S: Final = 3600


class Taking:
    """What ListenBrainz has been given."""

    def __init__(self, world: World, everybody: people.People) -> None:
        self._world = world
        self._people = everybody
        self.submissions: list[Json] = []  # as they came, for tests to look at

    def answer(self, request: wire.Request, now: datetime) -> Json | None:
        """Answer a submission; None where it is something else. Raises Refused."""
        if request.path != "/1/submit-listens" or request.method != "POST":
            return None
        token = request.headers.get("authorization", "").partition(" ")[2]
        person = self._people.find(token.removeprefix(OWNED), now) if token.startswith(OWNED) else None
        if person is None:
            raise Refused(401, "Invalid authorization token.")
        try:
            document = msgspec.json.decode(request.body)
            kind, payload = document["listen_type"], document["payload"]
        except (msgspec.DecodeError, KeyError, TypeError):
            raise Refused(400, "Invalid JSON document submitted.") from None
        self._check(kind, payload, int(now.timestamp()))
        self.submissions += payload
        if kind == "playing_now":
            person.playing = people.Played(int(now.timestamp()), *self._what(payload[0]))
        else:
            self._add(person, payload)
        return {"status": "ok"}

    def _check(self, kind: str, payload: list[Json], now: int) -> None:
        if len(payload) > MOST:
            raise Refused(400, "Too many listens. You may not submit more than 1000 listens at once.")
        if kind != "import" and len(payload) != 1:
            raise Refused(400, "JSON document contains more than listen for single/playing_now.")
        for listen in payload:
            metadata = listen.get("track_metadata", {})
            if not metadata.get("artist_name") or not metadata.get("track_name"):
                raise Refused(400, "JSON document does not contain required track_metadata.artist_name or track_name.")
            if kind == "playing_now":
                continue
            at = listen.get("listened_at")
            if not isinstance(at, int):
                raise Refused(400, "JSON document does not contain the key listened_at at the top level.")
            if not EARLIEST <= at <= now + _AHEAD_S:
                raise Refused(400, f"Value for key listened_at is too {'low' if at < EARLIEST else 'high'}.")

    def _add(self, person: people.Person, payload: list[Json]) -> None:
        for listen in payload:
            at = listen["listened_at"]
            played = people.Played(at, *self._what(listen))
            if all(_name(each) != _name(played) for each in person.between(at, at + 1)):
                person.add(played)

    def _what(self, listen: Json) -> tuple[entities.Recording, entities.Release]:
        metadata = listen["track_metadata"]
        names = (metadata["artist_name"], metadata["track_name"], metadata.get("release_name") or "")
        return lastfm_submit.as_sent(self._world, *names)


def _name(play: people.Played) -> tuple[str, str]:
    return entities.printed(play.recording.credit).casefold(), play.recording.title.casefold()
