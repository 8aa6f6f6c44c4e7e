"""Which plays of one listener are records of the same play, made by different services. Pure.

A service writes down when a track began (Last.fm, ListenBrainz, our own players) or when it ended (Spotify). So two
records of one play lie up to the track's length apart, and a track played twice in a row leaves, of length 240 s:

    Last.fm    0         240
    Spotify              240        480

The record at 240 of one is not the record at 240 of the other. Hence not the nearest pairs are taken, but the best
alignment of the two rows as a whole: in the order of time, each record in at most one pair, as many pairs as there
can be, and among these the nearest times. Where other, single plays have shown by how much the clocks of two services
differ (nothing, or the track's length), the times are held against that, and a record without its like stays alone:
with services that both write down the beginning, the two rows above are three plays, not two.

More than two services are aligned one after the other, each with the plays that the ones before have made out.
"""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final

import msgspec

from sleevenotes.matching import songs

LEAST_WINDOW_S: Final = 30.0
"""Records of one play lie at most this far apart, or the track's length where that is longer."""

ROUNDING_S: Final = 3.0
"""Beginning, end and length are each rounded to a second."""

LONGEST_S: Final = 24 * 3600.0
"""A longer track is a wrong figure."""

NEAR_S: Final = 30.0
"""Names that are only near belong together where the times agree within this."""

_SAMPLES: Final = 5  # single pairs that show how two clocks differ
_TELLING_S: Final = 60.0  # length of a track from which a pair tells that


class Record(msgspec.Struct, frozen=True, gc=False):
    """One service's record of a play. `at` in UNIX seconds, `length_s` of the track, 0 where unknown.

    `recording` is what it was matched to, 0: nothing. Of the records of one play, the one of the lowest `rank` is
    shown, among equals the one that came first.
    """

    id: int
    at: float
    origin: str
    artist: str
    track: str
    length_s: float = 0.0
    recording: int = 0
    rank: int = 0


Lags = Mapping[tuple[str, str], int]
"""By how many lengths of the track the second origin's times are later than the first's: 0, 1 or -1. Only what is
known; what is not here may be any."""


def window(record: Record) -> float:
    """Return how far away, in seconds, another record of the same play may be, by what this one knows."""
    return max(LEAST_WINDOW_S, min(record.length_s, LONGEST_S) + ROUNDING_S)


def heaps(records: Iterable[Record], apart: Collection[frozenset[str]] = ()) -> list[list[Record]]:
    """Put together the records that may be of the same play, over any number of steps; alone ones are left out.

    Records of the pairs of origins in `apart` are never brought together.
    """
    ordered = sorted(records, key=lambda one: (one.at, one.id))
    if not ordered:
        return []
    reach = max(map(window, ordered))
    leader = list(range(len(ordered)))
    for i, one in enumerate(ordered):
        for j in range(i + 1, len(ordered)):
            if ordered[j].at - one.at > reach:
                break
            if _may_pair(one, ordered[j], None, apart):
                _join(leader, i, j)
    found: defaultdict[int, list[Record]] = defaultdict(list)
    for i, one in enumerate(ordered):
        found[_find(leader, i)].append(one)
    return [heap for heap in found.values() if len(heap) > 1]


def is_single(heap: Sequence[Record]) -> bool:
    """Tell whether no origin has more than one record in this heap: there is nothing to choose."""
    return len({one.origin for one in heap}) == len(heap)


def solve(heap: Sequence[Record], lags: Lags, apart: Collection[frozenset[str]] = ()) -> list[list[Record]]:
    """Part a heap into plays: each a list of records of different origins, the one to show first."""
    by_origin: defaultdict[str, list[Record]] = defaultdict(list)
    for one in sorted(heap, key=lambda one: (one.at, one.id)):
        by_origin[one.origin].append(one)
    plays: list[list[Record]] = []
    for origin in sorted(by_origin, key=lambda name: (-len(by_origin[name]), name)):
        plays = _align(plays, by_origin[origin], lags, apart)
    return [sorted(play, key=lambda one: (one.rank, one.id)) for play in plays]


def lags(pairs: Iterable[tuple[Record, Record]]) -> dict[tuple[str, str], int]:
    """Learn from single pairs how the clocks of two origins differ; only of origins with enough of them."""
    samples: defaultdict[tuple[str, str], list[float]] = defaultdict(list)
    for one, other in pairs:
        first, second = sorted((one, other), key=lambda record: record.origin)
        length = max(first.length_s, second.length_s)
        if length >= _TELLING_S:
            samples[first.origin, second.origin].append((second.at - first.at) / length)
    known = {both: round(statistics.median(each)) for both, each in samples.items() if len(each) >= _SAMPLES}
    return {both: lag for both, lag in known.items() if lag in (-1, 0, 1)}


# ---------------------------------------------------------------- pairs


def _may_pair(one: Record, other: Record, lag: int | None, apart: Collection[frozenset[str]]) -> bool:
    """Tell whether two records may be of one play; `lag` as in `Lags`, from one to other, None where unknown."""
    if one.origin == other.origin or (apart and frozenset((one.origin, other.origin)) in apart):
        return False
    if abs(other.at - one.at) > max(window(one), window(other)):
        return False
    if one.recording and one.recording == other.recording:
        return True
    alike = songs.likeness(one.artist, one.track, other.artist, other.track)
    return alike is songs.Likeness.SAME or (
        alike is songs.Likeness.NEAR and min(_gap(one, other, each) for each in _possible(lag)) <= NEAR_S
    )


def _possible(lag: int | None) -> tuple[int, ...]:
    return (0, 1, -1) if lag is None else (lag,)


def _gap(one: Record, other: Record, lag: int) -> float:
    """Return how far the times are from what the lag lets expect, in seconds."""
    length = min(max(one.length_s, other.length_s), LONGEST_S)
    return abs(other.at - one.at - lag * length)


def _lag(one: Record, other: Record, lags: Lags) -> int | None:
    if one.origin < other.origin:
        return lags.get((one.origin, other.origin))
    turned = lags.get((other.origin, one.origin))
    return None if turned is None else -turned


# ---------------------------------------------------------------- alignment

_Score = tuple[int, float]
_NOTHING: Final[_Score] = (0, 0.0)


def _align(
    plays: list[list[Record]], records: Sequence[Record], lags: Lags, apart: Collection[frozenset[str]]
) -> list[list[Record]]:
    """Give each record to one of the plays, or make it a play of its own; all in the order of time.

    `best[i][j]` is the best score of the first i plays with the first j records; a step leaves out a play, leaves out
    a record, or pairs the two.
    """
    if not plays:
        return [[one] for one in records]
    worth = [[_worth(play, one, lags, apart) for one in records] for play in plays]
    best = [[_NOTHING] * (len(records) + 1) for _ in range(len(plays) + 1)]
    for i in range(1, len(plays) + 1):
        for j in range(1, len(records) + 1):
            best[i][j] = max(best[i - 1][j], best[i][j - 1], _plus(best[i - 1][j - 1], worth[i - 1][j - 1]))
    pairs = dict(_steps(best))
    joined = [[*play, records[pairs[i]]] if i in pairs else play for i, play in enumerate(plays)]
    taken = set(pairs.values())
    alone = [[one] for j, one in enumerate(records) if j not in taken]
    return sorted(joined + alone, key=lambda play: min(one.at for one in play))


def _steps(best: Sequence[Sequence[_Score]]) -> list[tuple[int, int]]:
    """Go back the way that led to the best score: the pairs (play, record) on it."""
    i, j = len(best) - 1, len(best[0]) - 1
    pairs = []
    while i and j:
        if best[i][j] == best[i - 1][j]:
            i -= 1
        elif best[i][j] == best[i][j - 1]:
            j -= 1
        else:
            i, j = i - 1, j - 1
            pairs.append((i, j))
    return pairs


def _plus(one: _Score, other: _Score) -> _Score:
    return (one[0] + other[0], one[1] + other[1]) if other > _NOTHING else one


def _worth(play: Sequence[Record], record: Record, lags: Lags, apart: Collection[frozenset[str]]) -> _Score:
    """Say what it is worth to take a record for one of this play; `_NOTHING` where it cannot be.

    Where the lag is known to all, pairs are not counted, only how well they fit: up to the window, less the gap.
    """
    known = [(one, _lag(one, record, lags)) for one in play]
    if not all(_may_pair(one, record, lag, apart) for one, lag in known):
        return _NOTHING
    room = max(window(record), *map(window, play))
    gap = min(_gap(one, record, lag or 0) for one, lag in known)
    if any(lag is None for _, lag in known):
        return 1, -gap
    return (0, room - gap) if gap < room else _NOTHING


def _find(leader: list[int], i: int) -> int:
    while leader[i] != i:
        leader[i] = leader[leader[i]]
        i = leader[i]
    return i


def _join(leader: list[int], i: int, j: int) -> None:
    one, other = _find(leader, i), _find(leader, j)
    leader[max(one, other)] = min(one, other)
