"""Watching a day from outside: what the API shows of each play, and whether the product's report says the same."""

from __future__ import annotations

import math
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import asyncpg
import msgspec

from benches import common, live, plays, stand, wire
from sleevenotes.simulator import world

LONG = 100.0  # seconds of the clock after which a play without a picture is looked at now and then only
SELDOM = 40  # every how-manieth look is at those, too
SLACK = 0.5  # seconds of the clock from what a row says until others can see it
SHOWN = 100  # plays of a listener that are asked for at once, the newest


@dataclass
class Play:
    """One live play, as seen from outside; seconds of the clock since it was sent, infinite for never."""

    listener: int
    row: common.Row
    sent: float
    is_new: bool
    first_s: float = math.inf  # any picture
    status: str = "pending"
    pictures: tuple[tuple[float, str], ...] = ()  # when each was first seen, and whose front it is
    least_s: float = 0.0  # from when its submit was answered until somebody last looked and saw no picture
    answered: float = math.inf  # when it was, by the clock

    @property
    def shown_s(self) -> tuple[float, str]:
        """Return when the picture that it shows now was first seen, and whose front that is."""
        return self.pictures[-1] if self.pictures else (math.inf, "")


class Watch:
    """Asks the API for the plays of the day until they show a picture, and the database for how much is pending."""

    def __init__(self, run: stand.Stand, tokens: Sequence[str], owners: Callable[[str], str]) -> None:
        self._run = run
        self._clients = [wire.Wire(run.port, token) for token in tokens]
        self._owners = owners
        self._names: set[plays.Name] = set()
        self._by_key: dict[tuple[int, int], Play] = {}
        self.depths: list[int] = []

    @property
    def plays(self) -> list[Play]:
        """Return the plays in the order in which they were sent."""
        return list(self._by_key.values())

    def sent(self, listener: int, row: common.Row, second: float) -> Play:
        """Note that a play is being sent."""
        name = (common.same(row.artist), common.same(row.track))
        play = self._by_key[listener, row.ts] = Play(listener, row, second, name not in self._names)
        self._names.add(name)
        return play

    async def during(self, listening: Coroutine[None, None, None]) -> None:
        """Look until it is over, as in `live.look_during`."""
        await live.look_during(self._run, listening, self._round, self.depths)

    async def _round(self, _conn: asyncpg.Connection, number: int) -> None:
        for listener in self._waiting(everybody=number % SELDOM == 0):
            await self._look(listener)

    async def finish(self) -> None:
        """Look at everything once more, and go."""
        for listener, client in enumerate(self._clients):
            for first in range(0, len(self.plays), SHOWN):
                await self._look(listener, before=first)
            client.close()

    def _waiting(self, *, everybody: bool) -> list[int]:
        now = self._run.seconds
        return sorted(
            {
                each.listener
                for each in self._by_key.values()
                if math.isinf(each.first_s) and (everybody or now - each.sent < LONG)
            }
        )

    async def _look(self, listener: int, before: int = 0) -> None:
        mine = [each for each in self._by_key.values() if each.listener == listener]
        mine = mine[: len(mine) - before]
        if not mine:
            return
        until = datetime.fromtimestamp(mine[-1].row.ts + 1, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        path = f"/api/v1/scrobbles?limit={SHOWN}&until={until}"
        asked = self._run.seconds
        try:
            status, body = await self._clients[listener].get(path)
        except ConnectionError:  # it was idle for so long that the server has closed it
            asked = self._run.seconds
            status, body = await self._clients[listener].get(path)
        if status != 200:
            raise RuntimeError(f"the plays were answered {status}: {body[:300]!r}")
        for told in msgspec.json.decode(body)["scrobbles"]:
            at = int(datetime.fromisoformat(told["played_at"]).timestamp())
            if play := self._by_key.get((listener, at)):
                self._note(play, told, asked, self._run.seconds)

    def _note(self, play: Play, told: dict[str, Any], asked: float, now: float) -> None:
        play.status = told["metadata_status"]
        if address := told["effective_artwork_url"]:
            seconds = max(0.0, now - play.sent)
            play.first_s = min(play.first_s, seconds)
            whose = self._owners(address.split("/")[-2])
            if play.shown_s[1] != whose or not play.pictures:
                play.pictures = (*play.pictures, (seconds, whose))
        else:
            play.least_s = max(play.least_s, asked - play.answered)


def held(seen: Sequence[Play], sent: plays.Plays, true: world.World, art: frozenset[str]) -> list[live.Waited]:
    """Hold every play against the world: it waited until it first showed its album's own front."""
    found = []
    for each in seen:
        truth = sent.truth(true, each.row.artist, each.row.track, each.row.release)
        has_art = truth is not None and bool(truth.has_art & art)
        own = [at for at, whose in each.pictures if truth is not None and whose == truth.release_group_mbid]
        found.append(live.Waited(each.is_new, has_art, min(own, default=math.inf)))
    return found


Figure = tuple[float, float, float]  # as reported, as seen, and by how much they may differ


def agreement(report: dict[str, Any], watch: Watch, pending: int, requests: dict[str, int]) -> dict[str, Figure]:
    """Put the report's figures beside what was seen; benches/day.py says how far they may be apart."""
    seen, told = watch.plays, report["waited_for"]
    pictured = [each for each in seen if math.isfinite(each.first_s)]
    waits, least = [each.first_s for each in pictured], [each.least_s for each in pictured]
    decided = [each for each in seen if each.status != "pending"]
    most = max(watch.depths, default=0)
    found: dict[str, Figure] = {"plays": (told["plays"], len(seen), 0)}
    for part, name in ((0.5, "p50_s"), (0.95, "p95_s")):
        if waits:
            low, high = common.percentile(least, part), common.percentile(waits, part)
            middle, apart = round((low + high) / 2, 2), round((high - low) / 2 + SLACK, 2)
            found[f"first_art_{name}"] = (told["first"][name] or 0.0, middle, apart)
    found["within_minute_share"] = _share(told["within_minute_share"], sum(each <= 60 for each in waits), len(seen))
    found["artwork_share"] = _share(told["artwork_share"], len(waits), len(seen))
    enriched = sum(each.status == "enriched" for each in decided)
    found["success_share"] = _share(report["success"]["plays_share"], enriched, len(decided))
    found["depth_max"] = (report["backlog"]["max"] or 0, most, 8 + most / 4)
    found["pending"] = (report["pending"]["names"] + report["pending"]["covers"], pending, 2)
    by_host = {each["host"]: each["requests"] for each in report["lanes"]}
    for host, count in requests.items():
        found[f"requests_{host}"] = (by_host.get(host, 0), count, 2 + 0.02 * count)
    return found


def _share(told: float | None, part: int, whole: int) -> Figure:
    return told or 0.0, common.share(part, whole) or 0.0, 0.01
