"""Album sessions: a play that came without an album, amid plays of one album, is likely of that album, too.

    21:03  Have I Told You Lately   Avalon Sunset
    21:07  Coney Island             (none sent; alone it would be taken for "The Best Of")
    21:09  I'm Tired Joey Boy       Avalon Sunset

What counts are up to two plays before it and two after, of the same listener and the same artist, each within half an
hour of the next. At least two different songs of them must be matched to one release group, one of them right beside
it, and more of them than to any other, its own included. Whether the recording is on that album at all is for
`sleevenotes.matching.evidence`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Final, Protocol

BREAK: Final = timedelta(minutes=30)
"""A longer pause between two plays ends a session."""

REACH: Final = 2
"""Plays on either side that are looked at."""

_AGREEING: Final = 2


class Neighbour(Protocol):
    """A play near another."""

    @property
    def place(self) -> int:
        """Return how many plays it is away: -2, -1, 1 or 2."""
        ...

    @property
    def apart(self) -> timedelta:
        """Return the time between it and the play next to it, on the side of the play that is asked about."""
        ...

    @property
    def song(self) -> int:
        """Identify its name."""
        ...

    @property
    def album(self) -> int:
        """Identify the release group it is matched to; 0 where it is matched to none."""
        ...

    @property
    def akin(self) -> bool:
        """Tell whether it is by the same artist."""
        ...


def album_amid(neighbours: Sequence[Neighbour], song: int, album: int) -> int | None:
    """Return the album that a play of `song`, by itself matched to `album`, is amid; None where it is amid none."""
    counted = [one for one in _in_session(neighbours) if one.akin and one.song != song]
    songs: dict[int, set[int]] = {}
    for one in counted:
        songs.setdefault(one.album, set()).add(one.song)
    ranked = sorted(((len(those), each) for each, those in songs.items() if each), reverse=True)
    if not ranked or ranked[0][0] < _AGREEING or (len(ranked) > 1 and ranked[1][0] == ranked[0][0]):
        return None
    best = ranked[0][1]
    beside = any(one.album == best and abs(one.place) == 1 for one in counted)
    return best if beside and best != album else None


def _in_session(neighbours: Sequence[Neighbour]) -> list[Neighbour]:
    """Leave out what a longer pause parts from the play."""
    near = {one.place for one in neighbours if one.apart <= BREAK}
    steps = {place: range(1, abs(place) + 1) for place in near}
    return [
        one
        for one in neighbours
        if one.place in near and all((step if one.place > 0 else -step) in near for step in steps[one.place])
    ]
