"""Title clean-up beside metadata-filter's fixtures (the clean-up rules of Web Scrobbler)."""

from __future__ import annotations

from pathlib import Path


def figures(path: Path) -> dict[str, object]:
    return {}
