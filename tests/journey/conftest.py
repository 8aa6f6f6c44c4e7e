"""A whole house: HTTP in front, real worker, lanes and database behind, a simulated internet, time turned by hand."""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest_asyncio

from sleevenotes import app
from sleevenotes.clock import HandClock
from sleevenotes.server import web
from sleevenotes.settings import Settings
from sleevenotes.simulator import core, listener
from sleevenotes.simulator.world import Truth, World
from sleevenotes.store import accounts
from tests import turning

WORLD = World.invented(artists=120)


@dataclasses.dataclass
class House:
    """The parts, a client with a token, the simulated internet, and the hand on the clock."""

    parts: app.Parts
    clock: HandClock
    simulator: core.Simulator
    client: httpx.AsyncClient
    account_id: int

    def names(self, count: int, *, seed: int = 1) -> list[listener.Play]:
        """Choose different songs that the simulated MusicBrainz knows."""
        chosen: dict[tuple[str, str], listener.Play] = {}
        for play in listener.choices(WORLD, seed):
            truth = WORLD.truth(play.artist, play.track, play.release)
            if truth is not None and "musicbrainz" in truth.known_to:
                chosen.setdefault((play.artist, play.track), play)
            if len(chosen) == count:
                return list(chosen.values())
        raise AssertionError("the listener never ends")

    def with_cover(self) -> listener.Play:
        """Choose a song whose album has a cover at the archive."""
        return next(play for play in self.names(40) if self.truth(play).has_art)

    def truth(self, play: listener.Play) -> Truth:
        """Return what the world knows a play to be."""
        truth = WORLD.truth(play.artist, play.track, play.release)
        assert truth is not None
        return truth

    def listen(self, play: listener.Play, at: datetime | None = None) -> dict[str, Any]:
        """Write a play as a ListenBrainz listen."""
        when = at or self.clock.now() - timedelta(minutes=5)
        names = {"artist_name": play.artist, "track_name": play.track, "release_name": play.release}
        return {"listened_at": int(when.timestamp()), "track_metadata": names}

    async def submit(self, *listens: dict[str, Any], kind: str = "import") -> httpx.Response:
        """Submit listens over HTTP."""
        return await self.client.post("/1/submit-listens", json={"listen_type": kind, "payload": listens})

    async def count(self, sql: str, *args: object) -> Any:
        """Ask the database for one value."""
        async with self.parts.database.connection() as conn:
            return await conn.fetchval(sql, *args)

    async def until(self, sql: str, *args: object, at_most: float = 3600.0) -> None:
        """Turn the clock until the database says yes."""
        await turning.until(lambda: self.count(sql, *args), self.clock, at_most=at_most)

    async def until_settled(self, at_most: float = 3600.0) -> None:
        """Turn the clock until no lookup and no cover is pending, nothing is asked about a play, and no job is left."""
        await self.until(SETTLED, at_most=at_most)

    async def until_quiet(self, at_most: float = 3600.0) -> None:
        """Turn the clock until nobody wants anything of anybody, and what was withdrawn under way is answered."""
        await self.until(QUIET, at_most=at_most)
        answered = self.clock.now() + timedelta(seconds=30)

        async def is_over() -> bool:
            return await self.count(QUIET) and self.clock.now() >= answered

        await turning.until(is_over, self.clock, at_most=at_most)


QUIET = "SELECT NOT EXISTS (SELECT FROM wants) AND NOT EXISTS (SELECT FROM pgqueuer WHERE status <> 'failed')"

SETTLED = """
    SELECT NOT EXISTS (SELECT FROM lookups WHERE status = 'pending')
       AND NOT EXISTS (SELECT FROM artworks WHERE status = 'pending')
       AND NOT EXISTS (SELECT FROM waiters WHERE stage = 'evidence')
       AND NOT EXISTS (SELECT FROM pgqueuer WHERE status <> 'failed')
"""


@pytest_asyncio.fixture
async def house(settings: Settings, clock: HandClock) -> AsyncIterator[House]:
    """Open a house with one listener."""
    simulator = core.Simulator(WORLD, clock)
    async with app.open(settings, time=clock) as parts:
        async with parts.database.transaction() as conn:
            account = await accounts.create(conn, "anna", "a good password", is_owner=True, now=clock.now())
            token = await accounts.create_token(conn, account.id, "test", clock.now(), scopes=accounts.EVERYTHING)
        application: Any = web.create(app.services_of(parts))  # httpx and Litestar type the same protocol differently
        transport = httpx.ASGITransport(application)
        headers = {"authorization": f"Token {token}"}
        async with (
            app.working(parts, core.Mounted(simulator)),
            httpx.AsyncClient(transport=transport, base_url="http://test", headers=headers) as client,
        ):
            yield House(parts, clock, simulator, client, account.id)
