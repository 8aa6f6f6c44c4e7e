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

Two exports of one service (ONE_CLOCK) tell the same end of each play, or beginning, up to their rounding: there is
nothing to learn.

More than two services are aligned one after the other, each with the plays that the ones before have made out.
"""

from __future__ import annotations

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
"""Names that are only near belong together where both began within this, or one ended while the other was played."""

ONE_CLOCK: Final = (frozenset(("spotify", "spotify_account")), frozenset(("lastfm", "lastfm_minutes")))
"""Origins whose records are read off the same clock: both tell a play's end, or both its begin, one to the minute."""

TO_THE_MINUTE: Final = frozenset(("lastfm_minutes",))
"""Origins that tell the minute in which a play began. (Of Spotify's account data its end shows it.)"""

_SAMPLES: Final = 5  # single pairs that show how two clocks differ
_TELLING_S: Final = 60.0  # length of a track from which a pair tells that
_TOGETHER: Final = 0.35  # of the length; a clock that knows whole minutes only is a minute off
_APART: Final = 0.15
_NEARLY_ALL: Final = 0.85


class Record(msgspec.Struct, frozen=True, gc=False):
    """One service's record of a play. `at` in UNIX seconds, `length_s` of the track, 0 where unknown.

    `blur_s` is by how much `at` may be off, `heard_s` how long it was played, 0 where unknown, `recording` what it was
    matched to, 0: nothing. Of the records of one play, the one of the lowest `rank` is shown, among equals the one that
    came first. Records of the same `sure`, unless that is 0, are known to be of one play whatever they are called.
    """

    id: int
    at: float
    origin: str
    artist: str
    track: str
    length_s: float = 0.0
    recording: int = 0
    rank: int = 0
    blur_s: float = 0.0
    sure: int = 0
    heard_s: float = 0.0


Lags = Mapping[tuple[str, str], int]
"""By how many lengths of the track the second origin's times are later than the first's: 0, 1 or -1. Only what is
known; what is not here may be any."""


def window(record: Record) -> float:
    """Return how far away, in seconds, another record of the same play may be, by what this one knows."""
    return max(LEAST_WINDOW_S, min(record.length_s, LONGEST_S) + ROUNDING_S) + record.blur_s


def heaps(records: Iterable[Record]) -> list[list[Record]]:
    """Put together the records that may be of the same play, over any number of steps; alone ones are left out."""
    ordered = sorted(records, key=lambda one: (one.at, one.id))
    windows = [window(one) for one in ordered]
    reach = max(windows, default=0.0)
    leader = list(range(len(ordered)))
    for i, one in enumerate(ordered):
        for j in range(i + 1, len(ordered)):
            other = ordered[j]
            apart = other.at - one.at
            if apart > reach:
                break
            if other.origin == one.origin or (apart > windows[i] and apart > windows[j]):
                continue
            if _named_alike(one, other) is not songs.Likeness.OTHER:
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
    enough = {both: each for both, each in samples.items() if len(each) >= _SAMPLES}
    told = {both: next((lag for lag in (0, 1, -1) if _tells(each, lag)), None) for both, each in enough.items()}
    return {both: lag for both, lag in told.items() if lag is not None}


def _tells(samples: Sequence[float], lag: int) -> bool:
    """Tell whether nearly all of these shares of a track's length speak for this lag.

    A track that was not played to its end lies between: what begins together is always together.
    """
    fitting = [each for each in samples if (abs(each) < _TOGETHER if lag == 0 else lag * each > _APART)]
    return len(fitting) >= _NEARLY_ALL * len(samples)


# ---------------------------------------------------------------- pairs


def _likeness(one: Record, other: Record, lag: int | None) -> songs.Likeness:
    """Say how alike two records are; OTHER where they cannot be of one play. `lag` as in `Lags`, from one to other."""
    if one.origin == other.origin or abs(other.at - one.at) > max(window(one), window(other)):
        return songs.Likeness.OTHER
    if _one_clock(one, other):
        apart = abs(other.at + other.heard_s - one.at - one.heard_s)
        is_same = (
            apart <= max(one.blur_s, other.blur_s) + ROUNDING_S and _named_alike(one, other) is songs.Likeness.SAME
        )
        return songs.Likeness.SAME if is_same else songs.Likeness.OTHER  # spelled alike, too: it is one service
    if lag and lag * (other.at - one.at) < -LEAST_WINDOW_S:
        return songs.Likeness.OTHER  # it ended before it began
    alike = _named_alike(one, other)
    if alike is songs.Likeness.NEAR and not lag and _gap(one, other, 0) > NEAR_S + one.blur_s + other.blur_s:
        return songs.Likeness.OTHER
    return alike


def _named_alike(one: Record, other: Record) -> songs.Likeness:
    if (one.recording and one.recording == other.recording) or (one.sure and one.sure == other.sure):
        return songs.Likeness.SAME
    return songs.compare(songs.fold(one.artist, one.track), songs.fold(other.artist, other.track))


def _gap(one: Record, other: Record, lag: int) -> float:
    """Return how far the times are from what the lag lets expect, in seconds."""
    length = min(max(one.length_s, other.length_s), LONGEST_S)
    return abs(other.at - one.at - lag * length)


def _one_clock(one: Record, other: Record) -> bool:
    return {one.origin, other.origin} in ONE_CLOCK


def _lag(one: Record, other: Record, lags: Lags) -> int | None:
    if _one_clock(one, other):
        return 0
    if one.origin < other.origin:
        return lags.get((one.origin, other.origin))
    turned = lags.get((other.origin, one.origin))
    return None if turned is None else -turned


# ---------------------------------------------------------------- alignment

_Score = tuple[int, int, float]  # pairs that are the same by their names, other pairs, how well all fit
_NOTHING: Final[_Score] = (0, 0, 0.0)


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
    return (one[0] + other[0], one[1] + other[1], one[2] + other[2]) if other > _NOTHING else one


def _worth(play: Sequence[Record], record: Record, lags: Lags, apart: Collection[frozenset[str]]) -> _Score:
    """Say what it is worth to take a record for one of this play; `_NOTHING` where it cannot be.

    Where all are known to write down the same moment, pairs are not counted, only how well they fit: up to the room
    there is, less the gap.
    """
    known = [(one, _lag(one, record, lags)) for one in play]
    if any(frozenset((one.origin, record.origin)) in apart for one in play):
        return _NOTHING
    alike = min(_likeness(one, record, lag) for one, lag in known)
    if alike is songs.Likeness.OTHER:
        return _NOTHING
    gap = min(_gap(one, record, lag or 0) for one, lag in known)
    is_same = alike is songs.Likeness.SAME
    if any(lag != 0 for _, lag in known):
        return int(is_same), int(not is_same), -gap
    room = (
        max(window(record), *map(window, play)) if is_same else NEAR_S + record.blur_s + max(one.blur_s for one in play)
    )
    return (0, 0, room - gap) if gap < room else _NOTHING


def _find(leader: list[int], i: int) -> int:
    while leader[i] != i:
        leader[i] = leader[leader[i]]
        i = leader[i]
    return i


def _join(leader: list[int], i: int, j: int) -> None:
    one, other = _find(leader, i), _find(leader, j)
    leader[max(one, other)] = min(one, other)
