"""Live plays: sent one by one as a player does, and how long each waited for its cover.

A play has its cover from the moment its page shows its album's own front: the one its matched album has, or before that
a temporary one. Which image an album or a name has is looked up twenty times a real second (a first, passing image is
seen that much late), and what an album ended with counts from its own time of decision.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import asyncpg

from benches import common, facts, outcomes, plays, stand, wire

EACH = 0.05  # real seconds between two looks
_SHOWN = """
    SELECT artworks.release_group_id, encode(images.digest, 'hex')
    FROM artworks JOIN images ON images.id = artworks.image_id
    WHERE artworks.decided_at > $1 OR artworks.status = 'pending'
"""
_PREVIEWS = """
    SELECT lookups.id, encode(images.digest, 'hex')
    FROM lookups JOIN images ON images.id = lookups.image_id WHERE lookups.created_at > $1
"""
RECENT = 60.0  # seconds of the clock in which a new name may come to show a temporary cover


class Waited(NamedTuple):
    """One live play: whether its name is new, whether its album has art in play, and the seconds until it showed."""

    new: bool
    has_art: bool
    seconds: float  # infinite where it never did


async def play(run: stand.Stand, rows: Sequence[common.Row], every: float, first: float) -> None:
    """Submit plays, one each `every` seconds of the clock, the first at second `first`."""
    async with wire.Wire(run.port, run.token) as client:
        for number, row in enumerate(rows):
            await until(run, first + number * every)
            now = row._replace(ts=int(run.anchor + first + number * every))  # when it is due: no two in one second
            status, answer = await client.post("/1/submit-listens", wire.submission([now], "single"))
            if status != 200:
                raise RuntimeError(f"a live play was answered {status}: {answer[:300]!r}")


async def until(run: stand.Stand, second: float) -> None:
    """Wait for a second of the stand's clock."""
    await asyncio.sleep(max(0.0, (second - run.seconds) / run.scale))


async def look_during(
    run: stand.Stand,
    listening: Coroutine[None, None, None],
    look: Callable[[asyncpg.Connection, int], Awaitable[None]],
    depths: list[int],
) -> None:
    """Look, with the number of the look, until listening is over; add to `depths` how many names and covers wait.

    Raises what listening raises, and RuntimeError when a process has ended.
    """
    task = asyncio.ensure_future(listening)
    rounds = 0
    async with run.connection() as conn:
        while not task.done():
            run.check()
            await look(conn, rounds)
            if rounds % 10 == 0:
                row = await conn.fetchrow(facts.PENDING)
                depths.append(row["lookups"] + row["artworks"])
            rounds += 1
            await asyncio.sleep(EACH)
    await task


class Watch:
    """Looks, while plays come in, which image each album has, and how much is pending."""

    def __init__(self, run: stand.Stand) -> None:
        self._run = run
        self.shown: dict[int, list[tuple[datetime, str]]] = {}  # by release group: when first seen, and the digest
        self.previews: dict[int, tuple[datetime, str]] = {}  # the same, by lookup
        self.depths: list[int] = []

    async def during(self, listening: Coroutine[None, None, None]) -> None:
        """Look until it is over, as in `look_during`."""
        await look_during(self._run, listening, lambda conn, _: self._look(conn), self.depths)

    async def _look(self, conn: asyncpg.Connection) -> None:
        now = datetime.fromtimestamp(self._run.anchor + self._run.seconds, UTC)
        rows = await conn.fetch(_SHOWN, now - timedelta(seconds=4 * EACH * self._run.scale + 2))
        for group, digest in rows:
            seen = self.shown.setdefault(group, [])
            if all(digest != other for _, other in seen):
                seen.append((now, digest))
        for lookup, digest in await conn.fetch(_PREVIEWS, now - timedelta(seconds=RECENT)):
            self.previews.setdefault(lookup, (now, digest))


async def waited(
    conn: asyncpg.Connection,
    judged: list[outcomes.Judged],
    owners: Callable[[str], str],
    watch: Watch,
    art: frozenset[str],
    since: datetime,
    known: set[plays.Name] | None = None,
) -> list[Waited]:
    """Return what every play stored since then waited; names in `known` (folded) are not new.

    `owners` tells whose front an image is, by its digest.
    """
    by_lookup = {each.outcome.lookup_id: each for each in judged}
    stored = await conn.fetch("SELECT lookup_id, inserted_at FROM scrobbles WHERE inserted_at >= $1 ORDER BY id", since)
    seen, found = set(known or ()), []
    for lookup_id, at in stored:
        each = by_lookup[lookup_id]
        name = (common.same(each.outcome.artist), common.same(each.outcome.track))
        has_art = each.truth is not None and bool(each.truth.has_art & art)
        found.append(Waited(name not in seen, has_art, _seconds(each, owners, watch, at)))
        seen.add(name)
    return found


def _seconds(each: outcomes.Judged, owners: Callable[[str], str], watch: Watch, at: datetime) -> float:
    if each.truth is None:
        return math.inf
    lookup = each.outcome.lookup_id
    preview = [watch.previews[lookup]] if lookup in watch.previews else []
    times = [when for when, digest in preview if owners(digest) == each.truth.release_group_mbid]
    if each.outcome.decided_at is not None:
        looked = watch.shown.get(each.outcome.release_group_id or 0, [])
        own = [when for when, digest in looked if owners(digest) == each.truth.release_group_mbid]
        if each.right_image and each.outcome.shown_at is not None:
            own.append(each.outcome.shown_at)
        times += [max(when, each.outcome.decided_at) for when in own]
    return max(0.0, (min(times) - at).total_seconds()) if times else math.inf


def within(found: Sequence[Waited], seconds: float) -> float | None:
    """Return the share of the plays whose album has art that had it within so many seconds."""
    pictured = [each for each in found if each.has_art]
    return common.share(sum(each.seconds <= seconds for each in pictured), len(pictured))


def percentile(found: Sequence[Waited], part: float) -> float | None:
    """Return a percentile of the wait of plays whose album has art; None where it is "never"."""
    times = [each.seconds for each in found if each.has_art]
    value = common.percentile(times, part) if times else math.inf
    return round(value, 2) if math.isfinite(value) else None


def success(judged: Sequence[outcomes.Judged], finders: frozenset[str]) -> float | None:
    """Return the share of names known to a source in play that were matched, and not wrongly."""
    known = [each for each in judged if each.truth and each.truth.known_to & finders]
    return common.share(sum(each.outcome.status == "enriched" and not each.wrong for each in known), len(known))
