"""What becomes of a turn during which its listener does something else."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

import pytest

from sleevenotes.artwork.files import Files
from sleevenotes.clock import HandClock
from sleevenotes.model import Band, Scrobble
from sleevenotes.pipeline import connecting, forwarding
from sleevenotes.pipeline.alarms import Alarms
from sleevenotes.pipeline.submit import Submitter
from sleevenotes.pipeline.tools import Tools
from sleevenotes.settings import Settings
from sleevenotes.store import accounts, connections, forwards
from sleevenotes.store.postgres import Database
from sleevenotes.upstream.client import Client


class Meanwhile:
    """ListenBrainz, which answers after something else has happened."""

    def __init__(self, happens: Callable[[], Awaitable[object]], status: int) -> None:
        self.happens = happens
        self.status = status

    async def exchange(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes, *, max_bytes: int
    ) -> tuple[int, dict[str, str], bytes]:
        await self.happens()
        return self.status, {}, b'{"status": "ok"}'


@pytest.fixture
def tools(database: Database, clock: HandClock, tmp_path: Path) -> Tools:
    return Tools(database, clock, Files(tmp_path), (), Alarms(database, clock))


async def log_in(tools: Tools, account_id: int, secret: str) -> None:
    async with tools.database.transaction() as conn:
        await connections.connect(
            conn, account_id, "listenbrainz", user_name="maria", secret=secret, now=tools.clock.now()
        )


async def queue(tools: Tools) -> int:
    """Have a play of somebody who is logged in wait to be sent; return the account."""
    async with tools.database.transaction() as conn:
        account = await accounts.create(conn, "maria", "", is_owner=True, now=tools.clock.now())
    await log_in(tools, account.id, "old")
    async with tools.database.transaction() as conn:
        assert await forwards.turn_on(conn, account.id, "listenbrainz", tools.clock.now())
    play = Scrobble("Nile", "Ruins", listened_at=tools.clock.now(), origin="api")
    await Submitter(tools.database, tools.clock).submit(account.id, [play], band=Band.DEFAULT)
    return account.id


async def send(tools: Tools, meanwhile: Meanwhile) -> None:
    door = Client(meanwhile, tools.clock, "test")
    assert await forwarding.one_turn(tools, door, forwarding.takers_of(Settings()))


async def test_a_login_that_is_made_anew_is_not_lost_to_a_turn_that_was_begun_by_the_old_one(tools: Tools) -> None:
    account_id = await queue(tools)
    await send(tools, Meanwhile(lambda: log_in(tools, account_id, "new"), 401))
    async with tools.database.connection() as conn:
        connected = await connections.of_account(conn, account_id, "listenbrainz")
        assert connected is not None
        assert (connected.secret, connected.problem) == ("new", "")


@pytest.mark.parametrize("status", [200, 401, 429, 500])
async def test_a_turn_that_ends_after_its_listener_has_parted_leaves_nothing_waiting(tools: Tools, status: int) -> None:
    account_id = await queue(tools)

    async def part() -> None:
        await connecting.disconnect(tools.database, account_id, "listenbrainz", keep=True, now=tools.clock.now())

    await send(tools, Meanwhile(part, status))
    async with tools.database.connection() as conn:
        for table in ("connections", "forwarding", "forwards"):
            assert await conn.fetchval(f"SELECT count(*) FROM {table}") == 0
