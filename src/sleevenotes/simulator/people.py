"""Listeners of Last.fm and ListenBrainz, and their histories there: the same people at both.

Everybody has a history, of whatever name they are asked by, but for some whose name says what is odd about them:

    nobody          does not exist
    newcomer…       has played nothing, and plays nothing
    single…         has played one track
    private…        hides the history from others
    others          some hundreds of plays of the last months, and a new one whenever a track has ended

A test may make people of its own (`add`), whose history is what it says and grows when it says so.
"""

from __future__ import annotations

import bisect
import itertools
from collections.abc import Iterator
from datetime import datetime
from typing import Final, NamedTuple

from sleevenotes.simulator import draw, entities, listener
from sleevenotes.simulator.world import World

PAST_PLAYS: Final = 640
_LENGTH: Final = 200  # seconds, of a track whose length nobody knows
_LOVED: Final = 0.08  # share of a history's tracks


class Played(NamedTuple):
    """One play: the UNIX second it began, and what was played; 0 is a play that lost its date."""

    at: int
    recording: entities.Recording
    release: entities.Release

    @property
    def ends(self) -> int:
        """Return the second it ends."""
        return self.at + (self.recording.length or _LENGTH * 1000) // 1000


class Person:
    """Somebody with a history, oldest first; `alive` plays on by themselves."""

    def __init__(self, name: str, plays: list[Played], coming: Iterator[entities.Recording] | None = None) -> None:
        self.name = name
        self.private = False
        self.plays = plays
        self.playing: Played | None = None
        self.loved: list[Played] = []
        self._coming = coming

    def live(self, now: datetime, world: World) -> None:
        """Let tracks that have ended since then be played, and the next begin."""
        if self._coming is None:
            return
        second = int(now.timestamp())
        begins = self.playing.at if self.playing else second
        for recording in self._coming if self.playing is None else ():
            self.playing = Played(begins, recording, world.catalogue.home(recording.row))
            break
        while self.playing is not None and self.playing.ends <= second:
            self.plays.append(self.playing)
            recording = next(self._coming)
            self.playing = Played(self.playing.ends, recording, world.catalogue.home(recording.row))

    def between(self, since: int, before: int) -> list[Played]:
        """Return what was played from one second to before the other, newest first; 0 is no bound."""
        first = bisect.bisect_left(self.plays, since, key=_at) if since else 0
        last = bisect.bisect_left(self.plays, before, key=_at) if before else len(self.plays)
        return self.plays[first:last][::-1]

    def add(self, *plays: Played) -> None:
        """Let these have been played, at whatever time."""
        for play in plays:
            bisect.insort(self.plays, play, key=_at)


def _at(play: Played) -> int:
    return play.at


class People:
    """All listeners there are, made when they are first asked for."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._people: dict[str, Person] = {}

    def add(self, name: str, *plays: Played) -> Person:
        """Make somebody with this history, who plays nothing by themselves."""
        self._people[name.casefold()] = person = Person(name, sorted(plays, key=_at))
        return person

    def find(self, name: str, now: datetime) -> Person | None:
        """Return who has this name, as they are now."""
        if not name or name.casefold() == "nobody":
            return None
        person = self._people.get(name.casefold())
        if person is None:
            person = self._people[name.casefold()] = self._make(name, now)
        person.live(now, self._world)
        return person

    def choose(self, count: int, *, seed: int = 1) -> Iterator[entities.Recording]:
        """Return what somebody would choose to play, `count` times; the same for the same seed."""
        return itertools.islice(listener.recordings(self._world, seed), count)

    def dated(self, recordings: Iterator[entities.Recording], until: int, every: int = 0) -> list[Played]:
        """Date recordings so that the last ends at that second; `every` seconds apart, or as long as each lasts."""
        plays, at = [], until
        for recording in reversed(list(recordings)):
            at -= every or (recording.length or _LENGTH * 1000) // 1000
            plays.append(Played(at, recording, self._world.catalogue.home(recording.row)))
        return plays[::-1]

    def _make(self, name: str, now: datetime) -> Person:
        kind = name.casefold()
        count = 0 if kind.startswith("newcomer") else 1 if kind.startswith("single") else PAST_PLAYS
        seed = int(draw.number(self._world.seed, "person", kind) * 2**31)
        coming = listener.recordings(self._world, seed)
        plays = self._with_pauses(self.dated(itertools.islice(coming, count), int(now.timestamp())), seed)
        person = Person(name, plays, coming if count > 1 else None)
        person.private = kind.startswith("private")
        seen: dict[str, Played] = {play.recording.mbid: play for play in plays}
        person.loved = [
            play for play in seen.values() if draw.number(self._world.seed, "loved", kind, play.recording.mbid) < _LOVED
        ]
        return person

    def _with_pauses(self, plays: list[Played], seed: int) -> list[Played]:
        """Move plays apart, so that a dozen fill an evening and the evenings some months."""
        moved, pause = [], 0
        for number, play in enumerate(reversed(plays)):
            pause += draw.Dice("pause", seed, number).between(10, 40) * 3600 if number and number % 12 == 0 else 0
            moved.append(play._replace(at=play.at - pause))
        return moved[::-1]
