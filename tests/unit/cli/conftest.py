"""A command line against a test's own database, and a history to import by it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from sleevenotes import cli
from sleevenotes.cli import people
from sleevenotes.settings import Settings

Run = Callable[..., Result]

HISTORY = """ts\tartist\talbum\ttrack
1559570092\tMassive Attack\tHeligoland\tBabel
1559570092\tMassive Attack\tHeligoland\tBabel
1559570412\tMassive Attack\tHeligoland\tSplitting the Atom
yesterday\tMassive Attack\tHeligoland\tPsyche
"""


@pytest.fixture
def run(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Return a function that runs the command line against this test's own database."""
    monkeypatch.setenv(people.PASSWORD_VARIABLE, "a long enough password")

    def run(*command: str) -> Result:
        given = ["--data-dir", settings.data_dir, "--database-url", settings.database_url]
        return CliRunner().invoke(cli.app, [*given, *command])

    return run


@pytest.fixture
def history(tmp_path: Path) -> Path:
    path = tmp_path / "history.tsv"
    path.write_text(HISTORY, "utf-8")
    return path
