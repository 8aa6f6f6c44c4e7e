"""What the dialects check alike."""

from __future__ import annotations

import re

_UUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.IGNORECASE)


def is_mbid(value: object) -> bool:
    """Tell whether this is a UUID in its usual form, as every MusicBrainz id is."""
    return isinstance(value, str) and _UUID.fullmatch(value) is not None


def has_null(raw: bytes, value: object) -> bool:
    """Tell whether any text in `value`, decoded from the JSON in `raw`, holds a NUL, which PostgreSQL cannot keep."""
    return b"\\u0000" in raw and _null_in(value)


def _null_in(value: object) -> bool:
    if isinstance(value, str):
        return "\0" in value
    if isinstance(value, dict):
        return any(_null_in(key) or _null_in(inner) for key, inner in value.items())
    return isinstance(value, list) and any(map(_null_in, value))
