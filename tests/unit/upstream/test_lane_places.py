"""A lane's places: who waits before the page finds one."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path

from tests import turning
from tests.unit.upstream.test_lane import Knower, Reply, Server, Stand, everything

from sleevenotes import model
from sleevenotes.clock import HandClock
from sleevenotes.store.postgres import Database


async def test_while_somebody_listens_an_import_leaves_a_place_free(
    database: Database, clock: HandClock, tmp_path: Path
) -> None:
    held = asyncio.Event()

    class Slow(Server):
        """Answers what is imported only when told to."""

        async def exchange(
            self, method: str, url: str, headers: Mapping[str, str], body: bytes, *, max_bytes: int
        ) -> Reply:
            reply = await super().exchange(method, url, headers, body, max_bytes=max_bytes)
            if "live" not in url:
                await held.wait()
            return reply

    stand, source, server = Stand(database, clock), Knower(together=1), Slow(clock, everything)
    await stand.want(source, "live")
    async with stand.lane(source, server, tmp_path):
        await stand.until_told(1)
        await stand.want(source, *"abcd", band=model.Band.LOW_PRIORITY)

        async def under_way() -> bool:
            await stand.outcomes()
            return len(server.packs) > 1

        await turning.until(under_way, clock)
        await stand.want(source, "livelier")
        await stand.until_told(2)
        first, [imported], *then = [tracks for _, tracks in server.packs]
        assert (first, imported in "abcd", then) == (["live"], True, [["livelier"]])
        held.set()
        await stand.until_told(6)
