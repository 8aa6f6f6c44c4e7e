"""How long something that waits will still take; pure arithmetic over what `store.estimates` has counted.

    one question     the requests that go before it at its host, each at the host's pace
                     + how long a request takes there, as often as it has to be asked
    a name           the question that will decide it, of those that wait; then its cover, unless it is known
    a cover          the archive's question; where somebody waits, no longer than the patience of the choice
    what is told     that, times how the last ones turned out that had the same way to go

Worked example. A live play's name waits at MusicBrainz (one request each 1.08 s, ten awaited names in a request) behind
25 others; of ten asked, the last minute's replies told of eight; a request took 0.7 s; the last one was sent 0.4 s ago:

    names told in a request    10 x 8/10 = 8
    requests that go before    25 / 8 = 3.1
    until it is sent           1.08 - 0.4 for the first slot, then 3 x 1.08: 3.9 s
    until it is told           0.7 s, asked 10/8 = 1.25 times, 1.08 s apart: 0.7 + 0.25 x (0.7 + 1.08) = 1.1 s
    its cover                  the archive is idle: it takes 1.5 s, as measured
    reckoned                   3.9 + 1.1 + 1.5 = 6.6 s

The last forty that waited at MusicBrainz and then for a cover took 1.2 times what was reckoned: told are 7.7 s.

A paused host (told to wait, or its breaker open) sends nothing before the pause is over. What was handed to a host and
has no answer yet is ahead of nobody. Where no question waits, a stage is about to look: it joins the end of its band.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import msgspec

SHORTEST = 0.2
"""Seconds: less is never told, a stage takes about as long to look."""

MOST_ASKS = 4.0
"""How often one question is expected to be asked, at most."""

DOUBTED = 4.0
"""As many earlier estimates have to speak before their own median counts for half."""

FURTHEST = 6.0
"""The most by which earlier estimates may stretch or shrink what is reckoned, where somebody waits."""

FURTHEST_OF_IMPORTS = 1.5
"""The same of an import's: what held its beginning up, thousands of rows at once, does not hold up its end."""

TOOK = 1.0
"""Seconds that a request is taken to take where none has been measured lately."""


class Host(msgspec.Struct, frozen=True):
    """What a host may be sent. `sent_ago`: seconds since each of the last sends, the oldest first."""

    requests: int
    window: float
    parallel: int
    sent_ago: tuple[float, ...] = ()
    paused_for: float = 0.0  # seconds, 0 when it is not


class Asked(msgspec.Struct, frozen=True):
    """What came of one source's questions of a kind lately: questions, those told of, what was found, the requests.

    `took` is the median of a request, in seconds, `mean` what all took on average; `packs` of the requests held many,
    of which they told `packs_told`, and `again` others held many that had been left out before. The largest held
    `largest`.
    """

    questions: int = 0
    told: int = 0
    found: int = 0
    requests: int = 0
    took: float = TOOK
    mean: float = TOOK
    packs: int = 0
    packs_told: int = 0
    again: int = 0
    again_told: int = 0
    largest: int = 0


Subject = tuple[str, int]
"""What an estimate is of: the stage that it waits in and its id, as in `waiters`."""

Lanes = Mapping[tuple[str, str, bool], Asked]
"""What was measured, by source, kind of question, and whether somebody waits."""


class Waits(msgspec.Struct, frozen=True):
    """One question that something waits for.

    `slots` are the requests that go before it at its host, `ahead` the questions in them.
    `asked_for` is how many seconds ago it was handed to the host, None where it still waits.
    """

    source: str
    kind: str
    awaited: bool  # somebody waits: it is in a band above low_priority
    slots: float
    ahead: int
    asked_for: float | None = None
    due_in: float = 0.0  # seconds before which it is not asked, after a fault


class Estimate(msgspec.Struct, frozen=True):
    """What is told of one thing that waits: seconds, whom it waits for ("" nobody yet) and how many go before it."""

    seconds: float
    reckoned: float
    way: str
    source: str = ""
    kind: str = ""
    ahead: int = 0
    asking: bool = False  # the question is with the source at this moment
    paused_for: float = 0.0


def told_together(asked: Asked, most: int) -> float:
    """Return how many names one request will tell of, where enough wait to fill it.

    Requests that were nearly empty say nothing of full ones: then it is `most`, times the share that was told.
    """
    share = asked.told / asked.questions if asked.questions else 1.0
    share = max(share, 1.0 / MOST_ASKS)
    if asked.requests and asked.questions >= asked.requests * most / 4:
        return max(asked.questions / asked.requests * share, 1.0 / MOST_ASKS)
    return max(most * share, 1.0 / MOST_ASKS)


def opens_in(host: Host, place: float, took: float) -> float:
    """Return the seconds until a host is sent its request number `place` from now (0 is the next).

    At most `requests` in any span of `window`, as the budget counts; and no more at once than it takes in parallel.
    """
    number, wait = math.floor(place), 0.0
    number += len(host.sent_ago) - host.requests  # the send that must be a window old by then
    if number >= len(host.sent_ago):
        windows = (number - len(host.sent_ago)) // host.requests + 1
        number -= windows * host.requests
        wait = windows * host.window
    if number >= 0:
        wait += max(0.0, host.window - host.sent_ago[number] - host.paused_for)  # it ages while the host is paused
    at_once = max(0.0, place + 1 - host.parallel) * took / host.parallel
    return host.paused_for + max(wait, at_once)


def question(waits: Waits, host: Host, asked: Asked) -> float:
    """Return the seconds until one question is answered."""
    gap = max(host.window / host.requests, asked.took / host.parallel)
    share = asked.told / asked.questions if asked.questions else 1.0
    again = min(MOST_ASKS, 1.0 / max(share, 0.01)) - 1.0 if waits.awaited else 0.0
    if waits.asked_for is not None:
        left = max(asked.took - waits.asked_for, 0.4 * asked.took)
        return left + again * (asked.took + gap)
    start = max(opens_in(host, waits.slots, asked.took), waits.due_in)
    return start + asked.took + again * (asked.took + gap)


def deciding(until: Mapping[str, float], before_all: Sequence[str]) -> str:
    """Name the source whose answer will decide a name, of those it waits for (seconds until each answers).

    The first of `before_all` that is among them; where none is, all are heard.
    """
    first = next((source for source in before_all if source in until), None)
    return first or max(until, key=lambda source: until[source])


def cover(until: Mapping[str, float], archive: str, patience: float | None) -> str:
    """Name the source whose answer ends the search for a cover: the archive's front, else the last that is heard.

    `patience` are the seconds until the choice is made among what came, None where nobody waits.
    """
    if archive in until:
        return archive
    if patience is not None:
        soon = {source: seconds for source, seconds in until.items() if seconds <= max(patience, 0.0)}
        until = soon or until
    return max(until, key=lambda source: until[source])


def corrected(reckoned: float, turned_out: Sequence[float], furthest: float = FURTHEST) -> float:
    """Return the seconds to tell: what is reckoned, times the median of took / reckoned of the last ones.

    Few are believed little: with n of them, the median's power is n / (n + DOUBTED).
    """
    if not turned_out:
        return max(SHORTEST, reckoned)
    middle = min(furthest, max(1.0 / furthest, statistics.median(turned_out)))
    power = len(turned_out) / (len(turned_out) + DOUBTED)
    return max(SHORTEST, reckoned * math.pow(middle, power))


STEPS = ((5.0, 0.5), (10.0, 1.0), (20.0, 2.0), (60.0, 5.0), (120.0, 10.0), (600.0, 30.0))


def moment(now: datetime, seconds: float) -> datetime:
    """Return when that is, no finer than the estimate is good for: to half a second of the next five, to a minute of
    what is more than ten minutes away.

    So an estimate that only creeps is the same moment when it is told again, and polling answers stay the same.
    """
    step = next((fine for limit, fine in STEPS if seconds < limit), 60.0)
    stamp = (now + timedelta(seconds=seconds)).timestamp()
    return datetime.fromtimestamp(math.ceil(stamp / step) * step, now.tzinfo)
