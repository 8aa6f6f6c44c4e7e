"""What is taken back while a lane asks it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path

import pytest
from tests import turning
from tests.unit.upstream.test_lane import Knower, Reply, Server, Stand, everything

from sleevenotes.clock import HandClock
from sleevenotes.store import wants
from sleevenotes.store.postgres import Database


class Held(Server):
    """Answers only when told to."""

    let_go: asyncio.Event

    async def exchange(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes, *, max_bytes: int
    ) -> Reply:
        reply = await super().exchange(method, url, headers, body, max_bytes=max_bytes)
        await self.let_go.wait()
        return reply


@pytest.mark.parametrize("status", [200, 500])
async def test_an_answer_to_what_was_taken_back_meanwhile_is_kept_by_nobody_and_not_asked_again(
    database: Database, clock: HandClock, tmp_path: Path, status: int
) -> None:
    stand, source = Stand(database, clock), Knower()
    server = Held(clock, lambda tracks: (status, {}, everything(tracks)[2]))
    server.let_go = asyncio.Event()
    await stand.want(source, "hers", "ours", "ours")  # of the subjects 1, 2 and 3
    async with stand.lane(source, server, tmp_path):

        async def asked() -> bool:
            await stand.outcomes()
            return bool(server.packs)

        await turning.until(asked, clock)
        async with database.transaction() as conn:
            await wants.drop(conn, ["match"], [1, 2])
        server.let_go.set()
        server.answer = everything
        assert await stand.until_told(1) == {"ours": "answered"}
    assert set(stand.woken) == {3}
    assert [tracks for _, tracks in server.packs][1:] == ([] if status == 200 else [["ours"]])
    async with database.connection() as conn:
        assert await conn.fetchval("SELECT count(*) FROM wants") == 0
