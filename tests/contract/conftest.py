"""A listener at a served application."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio
from tests import serving

from sleevenotes.clock import HandClock
from sleevenotes.settings import Settings
from sleevenotes.store.postgres import Database


@pytest_asyncio.fixture
async def maria(settings: Settings, clock: HandClock, database: Database) -> AsyncIterator[serving.Listener]:
    async with serving.listening(settings, clock, database) as listener:
        yield listener
