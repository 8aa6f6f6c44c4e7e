"""A sample listener: somebody who likes some artists more than others, plays albums through, and repeats favourites."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import NamedTuple

from sleevenotes.simulator import draw, entities
from sleevenotes.simulator.world import World

_FAVOURITES = 40  # artists
_ALBUM, _REPEAT = 0.35, 0.2  # of all choices; the rest are single songs


class Play(NamedTuple):
    """One play, as a player would send it."""

    artist: str
    track: str
    release: str
    duration_ms: int | None


def choices(world: World, seed: int = 0) -> Iterator[Play]:
    """Yield plays without end, the same for the same world and seed."""
    for recording in recordings(world, seed):
        yield play(world, recording)


def recordings(world: World, seed: int = 0) -> Iterator[entities.Recording]:
    """Yield what is played, as the world has it."""
    dice = draw.Dice(world.seed, "listener", seed)
    shelves = _shelves(world)
    recent: list[entities.Recording] = []
    while True:
        chosen = dice.number()
        if recent and chosen < _REPEAT:
            queue = [dice.pick(recent)]
        else:
            songs = shelves[int(dice.number() ** 2 * len(shelves))]  # towards the favourites
            queue = [dice.pick(songs)]
            if chosen < _REPEAT + _ALBUM:
                album = world.catalogue.home(queue[0].row)
                queue = album.tracks[: dice.between(2, 6)]
        for recording in queue:
            recent = [*recent[-30:], recording]
            yield recording


async def plays(world: World, seed: int = 0) -> AsyncIterator[Play]:
    """Yield the same plays to those who wait between them; the waiting is theirs."""
    for chosen in choices(world, seed):
        yield chosen


def _shelves(world: World) -> list[list[entities.Recording]]:
    """Return the recordings of each favourite artist, the most played artist first."""
    shelves: dict[int, list[entities.Recording]] = {}
    for recording in world.catalogue.recordings:
        shelves.setdefault(recording.credit[0].artist.index, []).append(recording)
    ranked = sorted(shelves.items(), key=lambda shelf: world.catalogue.artists[shelf[0]].rank)
    return [songs for _, songs in ranked[:_FAVOURITES]]


def play(world: World, recording: entities.Recording) -> Play:
    """Write a recording as a player would send it: with the album it is at home on."""
    home = world.catalogue.home(recording.row)
    return Play(entities.printed(recording.credit), recording.title, home.title, recording.length)
