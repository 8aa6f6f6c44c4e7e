"""What holds for every process of an installation."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
import pytest
import structlog

from sleevenotes import app
from sleevenotes.settings import Settings


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    yield
    structlog.reset_defaults()


async def test_what_is_below_the_log_level_is_not_written(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    async with app.open(msgspec.structs.replace(settings, log_level="error")):
        structlog.get_logger().warning("quiet")
        structlog.get_logger().error("loud")
    written = capsys.readouterr().out
    assert "loud" in written
    assert "quiet" not in written


def test_a_traceback_in_the_log_shows_no_variables(capsys: pytest.CaptureFixture[str]) -> None:
    def fail(session_key: str) -> None:
        raise ValueError(str(len(session_key)))

    app.configure_log("info")
    try:
        fail("-".join(["not", "for", "the", "log"]))
    except ValueError:
        structlog.get_logger().exception("it failed")
    written = capsys.readouterr().out
    assert "ValueError: 15" in written
    assert "not-for-the-log" not in written
