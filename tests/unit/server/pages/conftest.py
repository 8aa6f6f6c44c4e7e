"""A listener, a stranger's browser and the listener's, at the whole application."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any, cast

import httpx
import pytest
import pytest_asyncio

from sleevenotes.artwork.files import Files
from sleevenotes.clock import HandClock
from sleevenotes.server import live, web
from sleevenotes.server.services import Services
from sleevenotes.settings import Settings
from sleevenotes.store.postgres import Database
from tests.browser.sample import PASSWORD, Listener
from tests.unit.server.pages.asking import Client, send


@pytest.fixture
def clock() -> HandClock:
    """Return a clock that stands in the evening, so that the plays of the last hours are today's."""
    return HandClock(datetime(2026, 1, 1, 20, tzinfo=UTC))


@pytest_asyncio.fixture
async def listener(database: Database, settings: Settings, clock: HandClock) -> Listener:
    return Listener(database, clock, Files(settings.data_path))


@pytest_asyncio.fixture
async def stranger(
    database: Database, settings: Settings, clock: HandClock, listener: Listener
) -> AsyncIterator[Client]:
    """Return a browser that is not logged in, at the whole application."""
    hub = live.Hub(database, clock)
    application = web.create(Services(settings, clock, database, listener.submitter, listener.files, hub))
    transport = httpx.ASGITransport(cast("Any", application))  # on this loop, as the database's connections are
    async with httpx.AsyncClient(transport=transport, base_url="http://here.example") as client:
        yield client
    await hub.close()


@pytest_asyncio.fixture
async def client(stranger: Client, listener: Listener) -> Client:
    """Return the browser of the listener, logged in."""
    await listener.arrive()
    answer = await send(stranger, "/login", name="nora", password=PASSWORD)
    assert answer.status_code == 303
    return stranger
