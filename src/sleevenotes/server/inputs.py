"""What the dialects check alike."""

from __future__ import annotations

import re

_UUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.IGNORECASE)


MOST_SOUGHT = 200  # characters of a search


def words(sought: str) -> str:
    """Return what somebody searches for: one blank between words, without what PostgreSQL cannot be asked."""
    return " ".join(sought.replace("\0", " ").split())[:MOST_SOUGHT]


def is_mbid(value: object) -> bool:
    """Tell whether this is a UUID in its usual form, as every MusicBrainz id is."""
    return isinstance(value, str) and _UUID.fullmatch(value) is not None


def may_hold_null(raw: bytes) -> bool:
    """Tell whether any text in this JSON may hold a NUL, which PostgreSQL cannot keep; quicker than to look."""
    return b"\\u0000" in raw


def holds_null(value: object) -> bool:
    """Tell whether any text in a decoded JSON value holds a NUL."""
    if isinstance(value, str):
        return "\0" in value
    if isinstance(value, dict):
        return any(holds_null(key) or holds_null(inner) for key, inner in value.items())
    return isinstance(value, list) and any(map(holds_null, value))
