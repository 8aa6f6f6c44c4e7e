"""Last.fm takes plays: track.scrobble and track.updateNowPlaying.

What it takes is in the listener's history from then on, under the names it holds for right; the same play at the same
second is taken once. What it ignores it says for each: an artist called "Unknown Artist" (1), a title called "Unknown"
(2), older than a fortnight (3), more than a day ahead (4), over the day's limit (5).
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from sleevenotes.simulator import entities, people
from sleevenotes.simulator.world import World

Json = dict[str, Any]

MOST: Final = 50
A_DAY: Final = 2800
_OLDEST_S: Final = 14 * 86_400
_AHEAD_S: Final = 86_400
_IGNORED: Final = {
    0: "",
    1: "Artist was ignored",
    2: "Track was ignored",
    3: "Timestamp was too old",
    4: "Timestamp was too new",
    5: "Daily scrobble limit exceeded",
}


class Unfit(Exception):
    """A request that lacks something: error 6."""


class Taking:
    """What Last.fm has been given; `corrections` are names that it writes otherwise: (artist, track) -> the same."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.corrections: dict[tuple[str, str], tuple[str, str]] = {}
        self.submissions: list[Json] = []  # as they came, for tests to look at
        self._taken: dict[tuple[str, int], int] = {}  # (listener, day) -> plays

    def scrobble(self, given: Mapping[str, str], person: people.Person, now: datetime) -> Json:
        """Take up to fifty plays. Raises Unfit for more, and where one lacks artist, title or time."""
        plays = _plays(given)
        if not 1 <= len(plays) <= MOST:
            raise Unfit
        rows = [self._take(play, person, int(now.timestamp())) for play in plays]
        ignored = sum(row["ignoredMessage"]["code"] != "0" for row in rows)
        attributes = {"accepted": len(rows) - ignored, "ignored": ignored}
        return {"scrobbles": {"scrobble": rows[0] if len(rows) == 1 else rows, "@attr": attributes}}

    def playing(self, given: Mapping[str, str], person: people.Person, now: datetime) -> Json:
        """Note what plays now."""
        if not given.get("artist") or not given.get("track"):
            raise Unfit
        self.submissions.append({**given})
        artist, track = self._corrected(given["artist"], given["track"])
        person.playing = _played(self._world, int(now.timestamp()), artist, track, given.get("album", ""))
        row = _row({**given, "timestamp": ""}, artist, track, 0)
        del row["timestamp"]
        return {"nowplaying": row}

    def _take(self, play: Json, person: people.Person, now: int) -> Json:
        if not play.get("artist") or not play.get("track") or not play.get("timestamp", "").isdecimal():
            raise Unfit
        self.submissions.append(play)
        at = int(play["timestamp"])
        artist, track = self._corrected(play["artist"], play["track"])
        code = self._code(play, person, at, now)
        if code == 0:
            played = _played(self._world, at, artist, track, play.get("album", ""))
            if all(_name(each) != _name(played) for each in person.between(at, at + 1)):
                person.add(played)
                self._taken[person.name, now // 86_400] = self._taken.get((person.name, now // 86_400), 0) + 1
        return _row(play, artist, track, code)

    def _code(self, play: Json, person: people.Person, at: int, now: int) -> int:
        if play["artist"].lower() == "unknown artist":
            return 1
        if play["track"].lower() == "unknown":
            return 2
        if at < now - _OLDEST_S:
            return 3
        if at > now + _AHEAD_S:
            return 4
        return 5 if self._taken.get((person.name, now // 86_400), 0) >= A_DAY else 0

    def _corrected(self, artist: str, track: str) -> tuple[str, str]:
        return self.corrections.get((artist, track), (artist, track))


def _plays(given: Mapping[str, str]) -> list[Json]:
    """Gather artist[0], track[0] … into plays; without an index it is one."""
    if "artist" in given:
        return [dict(given)]
    plays: dict[int, Json] = {}
    for name, text in given.items():
        field, bracket, place = name.partition("[")
        if bracket and place.rstrip("]").isdecimal():
            plays.setdefault(int(place.rstrip("]")), {})[field] = text
    return [play for _, play in sorted(plays.items())]


def _row(play: Json, artist: str, track: str, code: int) -> Json:
    def named(text: str, sent: str) -> Json:
        return {"corrected": "1" if text != sent else "0", **({"#text": text} if text else {})}

    return {
        "artist": named(artist, play["artist"]),
        "track": named(track, play["track"]),
        "album": named(play.get("album", ""), play.get("album", "")),
        "albumArtist": {"corrected": "0", "#text": play.get("albumArtist", "")},
        "timestamp": play["timestamp"],
        "ignoredMessage": {"code": str(code), "#text": _IGNORED[code]},
    }


# ---------------------------------------------------------------- what was played


def _played(world: World, at: int, artist: str, track: str, album: str) -> people.Played:
    return people.Played(at, *as_sent(world, artist, track, album))


def as_sent(world: World, artist: str, track: str, album: str) -> tuple[entities.Recording, entities.Release]:
    """Return what the world has under these names, else something of these names that nobody else knows."""
    truth = world.truth(artist, track, album)
    if truth is not None:
        row = world.catalogue.recording_rows[truth.recording_mbid]
        return world.catalogue.recordings[row], world.catalogue.home(row)
    credit = (entities.Name(entities.Artist(_id(artist), artist, artist), artist),)
    group = entities.Group(_id(artist, album), album, credit)
    return entities.Recording(_id(artist, track), track, credit, row=0), entities.Release(
        group.mbid, album, group, credit
    )


def _id(*names: str) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_URL, "/".join(names)))


def _name(play: people.Played) -> tuple[str, str]:
    return entities.printed(play.recording.credit).casefold(), play.recording.title.casefold()
