"""Noticing what each token sends, and keeping it a moment later, so that no submit waits for it."""

from __future__ import annotations

import asyncio

import asyncpg

from sleevenotes import errors
from sleevenotes.clock import Clock
from sleevenotes.store import player_logins, sightings
from sleevenotes.store.postgres import Database
from sleevenotes.store.sightings import Sighting

KEPT_AFTER_S = 1.0  # a play is told this much later to other processes' pages


class Noticed:
    """The last sighting of each token since they were last kept."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._seen: dict[bytes, Sighting] = {}
        self._keeping: asyncio.Task[None] | None = None

    def note(
        self, token: str, dialect: str, kind: str, *, artist: str = "", track: str = "", problem: str = ""
    ) -> None:
        """Note what came with this token or session key; kept a moment later."""
        digest = player_logins.key_digest(token)
        self._seen[digest] = Sighting(dialect, kind, self._clock.now(), artist, track, problem)
        if self._keeping is None:
            self._keeping = asyncio.create_task(self._keep_soon(), name="keep what tokens sent")

    async def keep(self) -> None:
        """Keep what was noticed now; a page does so before it tells of it."""
        seen, self._seen = self._seen, {}
        if seen:
            async with self._database.connection() as conn:
                await sightings.write(conn, seen)

    async def _keep_soon(self) -> None:
        try:
            await self._clock.sleep(KEPT_AFTER_S)
        finally:
            self._keeping = None
        try:
            await self.keep()
        except (errors.Fault, OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
            return  # a courtesy; the plays themselves are stored
