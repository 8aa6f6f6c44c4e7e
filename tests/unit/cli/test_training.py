"""`sleevenotes train`, as it is run."""

from __future__ import annotations

import asyncio
import json

from benches import asked
from typer.testing import CliRunner

from sleevenotes import cli
from sleevenotes.clock import HandClock
from sleevenotes.settings import Settings
from sleevenotes.store.postgres import Database
from tests.asked_before import history
from tests.commands import said


def train(settings: Settings, *more: str) -> str:
    """Run the command against this test's own database."""
    given = ["--data-dir", settings.data_dir, "--database-url", settings.database_url]
    return said(CliRunner().invoke(cli.app, [*given, "train", *more]))


def test_with_nothing_to_learn_from_it_says_so(settings: Settings) -> None:
    assert "rejected. Not in force: there are 0 questions to learn from" in train(settings)


async def test_it_prints_how_the_predictor_fares(settings: Settings, database: Database, clock: HandClock) -> None:
    await asked.write(database, history({}), clock.now())
    told = await asyncio.to_thread(train, settings)
    assert "active. Saves" in told
    assert "0.9 to 1.0" in told
    version = json.loads(await asyncio.to_thread(train, settings, "--json"))
    assert version["status"] == "active"
    assert version["evaluation"]["kept"] >= 0.995
