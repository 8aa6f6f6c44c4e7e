"""An import's queue at the broadest source, played forward: when will each of its names be told? Pure.

Where a name stands says little of when its turn comes to be *answered*: a search's reply tells of a part of its pack,
whose rows filled it, and the others are asked again; and once a name of an artist is known of whom ten more wait, the
artist's releases are listed, which answers most of them at once. So the queue is played through, slot by slot, as lane
and stages will (the order is that of `store.claims`):

    names that open an artist's releases   first, in packs like all others
    a page of releases waits    the most played artist's before others'; the names that it answers are done
    names left out fill a pack  they go together; the reply tells of more of them than of a first pack
    else                        names not asked yet; at last those left out, in packs that each of them bears
    told of, and ten of its artist wait    a page of the artist's releases joins the others
    not told                    left out: to go in a pack one smaller than this, the next time in three quarters of it

Worked example: two names in a pack, each told with certainty, a slot each second, a request takes half a second, and no
artist has ten names. a, b, c wait: a and b are told after 0.5 s, c after 1.5 s. With replies that tell of one name: the
median of some runs, for instance a after 0.5 s, c after 1.5 s, and b, which was asked again, after 1.5 s as well.
"""

from __future__ import annotations

import heapq
import random
import statistics
from collections import Counter, deque
from collections.abc import Mapping, Sequence

import msgspec

from sleevenotes.store import claims

RUNS = 5
"""How often the queue is played; what is told is the median of these."""

MATES = 12
"""Names of one artist that wait, from which on its releases are mostly listed: ten are worth it, and while one is told,
others are just being asked.
"""

SUREST = 0.9
"""The chance of a name to be told of by a reply that has room for all that were asked."""

A_PAGE = 40
"""Names of one artist for each page of its releases: who has more names here mostly has more pages."""

ANSWERED = 0.9
"""Share of an artist's waiting names that its releases answer; the others are misspelt, or on no album of its own."""

OWN = 0.85
"""How much a name's own time counts beside that of the queue's middle, as powers: whose turn it is, is partly drawn."""

SOON = 3.0
"""Seconds until a name that is not looked at yet is answered by what is known."""

MOST = 20_000
"""Names that are played forward; where more wait, their places alone must do."""


class Name(msgspec.Struct, frozen=True):
    """One name that waits, or is about to: `lookup_ids` share its question, which counts for so many plays."""

    lookup_ids: tuple[int, ...]
    artist: int
    plays: int = 1
    asking: bool = False  # a request with it is under way
    is_read: bool = False  # not looked at yet, and its artist's releases have been read
    opens: bool = False  # before others: it tells whose releases answer many of them
    bears: int = 0  # the largest pack it goes in, as replies to larger ones left it out; 0: none did


class Pace(msgspec.Struct, frozen=True):
    """How a queue goes: seconds between two of its requests and that one takes, names in a request, and how many of
    them a reply tells of, however many there are: its rows are so many. Of names that were left out before, whose
    rows are few, it tells of `tells_again`.
    """

    gap: float
    took: float
    together: int
    tells: float
    tells_again: float


class Queue(msgspec.Struct, frozen=True):
    """What waits, in the lane's order; `pages` are the artists whose releases are asked for already or at once, in
    order, `read` those whose releases have been read.
    """

    names: tuple[Name, ...]
    pages: tuple[int, ...] = ()
    read: tuple[int, ...] = ()


def play(queue: Queue, pace: Pace, first: float = 0.0) -> dict[int, float]:
    """Return the seconds until each lookup's name is told; `first` are those until the next slot."""
    runs = [_Run(queue, pace, random.Random(seed)).play(first) for seed in range(RUNS)]  # noqa: S311 - no secret
    told = [statistics.median(times) for times in zip(*runs, strict=True)]
    return {
        lookup_id: seconds for name, seconds in zip(queue.names, told, strict=True) for lookup_id in name.lookup_ids
    }


def hedged(told: Mapping[int, float]) -> dict[int, float]:
    """Draw the times of a queue's names towards its middle (OWN)."""
    middle = statistics.median(told.values()) if told else 0.0
    return {lookup_id: seconds**OWN * middle ** (1.0 - OWN) for lookup_id, seconds in told.items()}


def in_turn(lookup_ids: Sequence[int], each: float) -> dict[int, float]:
    """Return the seconds until each of these names is told, of which one is done each `each` seconds."""
    return {lookup_id: (place + 1) * each for place, lookup_id in enumerate(lookup_ids)}


TOGETHER = 1.0
"""Seconds within which names of one album are told together: their plays count together where its cover queues."""


class Cover(msgspec.Struct, frozen=True):
    """A cover that waits at the archive, and the requests that it takes."""

    release_group_id: int
    plays: int
    asks: float = 1.0


class Archive(msgspec.Struct, frozen=True):
    """How covers go: those that wait already, seconds between two requests, how many a new one takes, seconds each."""

    waiting: tuple[Cover, ...]
    gap: float
    asks: float
    took: float


class Sleeve(msgspec.Struct, frozen=True):
    """The album of a name, without a cover yet: the name's plays, and its release group where the cover is `wanted`."""

    album: int
    plays: int = 1
    wanted: int | None = None


def then_covers(
    told: Mapping[int, float], sleeves: Mapping[int, Sleeve], archive: Archive
) -> tuple[dict[int, float], dict[int, float]]:
    """Return the seconds until each name is told and its album's cover decided, and until each cover that waits is.

    `sleeves` are those that have no cover yet. One is wanted when the first name of its album is told; what is played
    most goes first. Worked example: the cover of release group 9, with one play, waits, one goes each second and takes
    half a second; a is told after 1 s, b of the same album after 5 s, c of another after 1 s and is played twice: the
    cover of 9 goes after 1 s, that of c after 2 s and of a after 3 s, so that a is done after 3.5 s, c after 2.5 s, b
    after 5 s.
    """
    bare = {each: sleeve for each, sleeve in sleeves.items() if each in told and sleeve.wanted is None}
    in_order = sorted(bare, key=lambda each: told[each])
    first = {bare[each].album: told[each] for each in reversed(in_order)}
    weighs = Counter[int]()
    for each in in_order:
        if told[each] <= first[bare[each].album] + TOGETHER:
            weighs[bare[each].album] += bare[each].plays
    coming = deque(dict.fromkeys(bare[each].album for each in in_order))
    queue = [(-each.plays, place, each.release_group_id, each.asks) for place, each in enumerate(archive.waiting)]
    heapq.heapify(queue)
    now, shown, came = 0.0, dict[int, float](), dict[int, float]()
    while queue or coming:
        now = now if queue else max(now, first[coming[0]])
        while coming and first[coming[0]] <= now:
            album = coming.popleft()
            place = len(archive.waiting) + len(first) - len(coming)
            heapq.heappush(queue, (-weighs[album], place, album, archive.asks))
        _, place, key, asks = heapq.heappop(queue)
        now += archive.gap * asks
        (shown if place < len(archive.waiting) else came)[key] = now + archive.took
    covered = {each: came[sleeve.album] for each, sleeve in bare.items()}
    covered |= {each: shown.get(sleeve.wanted, 0.0) for each, sleeve in sleeves.items() if sleeve.wanted is not None}
    return {each: max(at, covered.get(each, 0.0)) for each, at in told.items()}, shown


class _Run:
    """One way in which it may go."""

    def __init__(self, queue: Queue, pace: Pace, draw: random.Random) -> None:
        self._names = queue.names
        self._pace = pace
        self._draw = draw
        self._told: list[float | None] = [None] * len(queue.names)
        self._bears = [name.bears for name in queue.names]
        self._mates: dict[int, list[int]] = {}
        for number, name in enumerate(queue.names):
            self._mates.setdefault(name.artist, []).append(number)
        self._waiting = Counter({artist: len(numbers) for artist, numbers in self._mates.items()})
        self._listed = {*queue.pages, *queue.read}
        self._openers = deque[int]()
        self._fresh = deque[int]()
        self._left_out: dict[int, deque[int]] = {}  # by the pack that they bear
        for number, name in enumerate(queue.names):
            if not name.asking:
                self._line(number).append(number)
        self._pages: list[tuple[int, int, int]] = []  # (most plays first, artist, pages left)
        for artist in queue.pages:
            self._want_pages(artist)

    def play(self, now: float) -> list[float]:
        """Go through all slots; return when each name is told."""
        for number, name in enumerate(self._names):
            if name.is_read and self._draw.random() < ANSWERED:
                self._tell(number, SOON)
        self._ask([number for number, name in enumerate(self._names) if name.asking], 0.0)
        for _ in range(len(self._names) * 20):  # slots: a chance near nothing must not keep it for ever
            if not self._opens() and self._pages:
                self._list_releases(now + self._pace.took)
            elif pack := self._next_pack():
                self._ask(pack, now + self._pace.took)
            else:
                break
            now += self._pace.gap
        return [now if at is None else at for at in self._told]

    def _line(self, number: int) -> deque[int]:
        """Return the line in which a name waits."""
        if self._names[number].opens and self._names[number].artist not in self._listed:
            return self._openers
        bears = self._bears[number]
        return self._left_out.setdefault(bears, deque()) if bears else self._fresh

    def _opens(self) -> bool:
        """Tell whether the next name opens an artist's releases; those of whom another has done so join the others."""
        while self._openers:
            number = self._openers[0]
            if self._told[number] is None and self._line(number) is self._openers:
                return True
            self._openers.popleft()
            if self._told[number] is None:
                self._line(number).appendleft(number)
        return False

    def _want_pages(self, artist: int) -> None:
        plays = sum(self._names[number].plays for number in self._mates.get(artist, ()) if self._told[number] is None)
        heapq.heappush(self._pages, (-plays, artist, 1 + self._waiting[artist] // A_PAGE))

    def _list_releases(self, at: float) -> None:
        plays, artist, left = heapq.heappop(self._pages)
        if left > 1:
            heapq.heappush(self._pages, (plays, artist, left - 1))
            return
        for number in self._mates.get(artist, ()):
            if self._told[number] is None and self._draw.random() < ANSWERED:
                self._tell(number, at)

    def _next_pack(self) -> list[int]:
        """Take what opens releases; else what was left out, once it fills a pack; else what was not asked yet."""
        left_out = [self._left_out[bears] for bears in sorted(self._left_out, reverse=True)]
        full = (line for line in left_out if claims.FILLED < self._bears[line[0]] <= self._length(line))
        first = self._openers if self._opens() else next(full, self._fresh)
        pack: list[int] = []
        for line in (first, self._fresh, *left_out):
            while line:
                number = line[0]
                if len(pack) >= min(self._pace.together, *(self._bears[each] or 999 for each in (*pack[:1], number))):
                    break
                line.popleft()
                if self._told[number] is None:
                    pack.append(number)
        self._left_out = {bears: line for bears, line in self._left_out.items() if line}
        return pack

    def _length(self, line: deque[int]) -> int:
        return sum(self._told[number] is None for number in line)

    def _ask(self, pack: Sequence[int], at: float) -> None:
        again = sum(self._bears[number] > 0 for number in pack) * 2 > len(pack)
        tells = self._pace.tells_again if again else self._pace.tells
        chance = min(SUREST, tells / max(1, len(pack)))
        for number in pack:
            if self._draw.random() >= chance:
                self._bears[number] = max(1, len(pack) * 3 // 4 if self._bears[number] else len(pack) - 1)
                self._line(number).append(number)
                continue
            self._tell(number, at)
            artist = self._names[number].artist
            if self._waiting[artist] >= MATES and artist not in self._listed:
                self._listed.add(artist)
                self._want_pages(artist)

    def _tell(self, number: int, at: float) -> None:
        self._told[number] = at
        self._waiting[self._names[number].artist] -= 1
