"""Who submits, and the door through which it comes in."""

from __future__ import annotations

import pytest_asyncio

from sleevenotes.clock import HandClock
from sleevenotes.pipeline.submit import Submitter
from sleevenotes.store import accounts
from sleevenotes.store.postgres import Database


@pytest_asyncio.fixture
async def account(database: Database, clock: HandClock) -> int:
    async with database.connection() as conn:
        return (await accounts.create(conn, "maria", "", is_owner=True, now=clock.now())).id


@pytest_asyncio.fixture
async def submitter(database: Database, clock: HandClock) -> Submitter:
    return Submitter(database, clock)
