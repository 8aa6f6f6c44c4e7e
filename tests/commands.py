"""What a command said: when it ended well, and when it was used wrongly."""

from __future__ import annotations

from typer.testing import Result


def said(result: Result) -> str:
    """Return what a command that ended well printed."""
    assert result.exit_code == 0, result.output
    return result.stdout


def mistake(result: Result) -> str:
    """Return what a command said of how it was used."""
    assert result.exit_code == 2, result.output
    assert "Traceback" not in result.output
    return result.stderr
