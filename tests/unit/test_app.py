"""What holds for every process of an installation."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
import structlog

from sleevenotes import app, errors
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


async def test_a_data_directory_that_cannot_be_made_is_named(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", "utf-8")
    with pytest.raises(errors.Unusable, match=r"data_dir: .*file/data"):
        async with app.open(msgspec.structs.replace(settings, data_dir=str(tmp_path / "file" / "data"))):
            pass


async def test_a_source_that_there_is_not_keeps_an_installation_from_starting(settings: Settings) -> None:
    with pytest.raises(errors.Unusable, match="napster"):
        async with app.open(msgspec.structs.replace(settings, sources="musicbrainz, napster")):
            pass


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


def test_a_log_that_goes_to_no_terminal_has_no_colours(capsys: pytest.CaptureFixture[str]) -> None:
    app.configure_log("info")
    structlog.get_logger().warning("plain", why="a file")
    assert "\x1b" not in capsys.readouterr().out
