"""What the dialects check alike."""

from __future__ import annotations

import re
from typing import TypeVar

import msgspec

T = TypeVar("T")

_UUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.IGNORECASE)

# An escape in JSON: a pair of surrogates, or one alone (the group), or any other: `\\ud800` is a backslash and text.
_ESCAPE = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(u[dD][89a-fA-F][0-9a-fA-F]{2})|.)", re.DOTALL
)


def decoded(decoder: msgspec.json.Decoder[T], body: bytes) -> T:
    """Decode JSON, also where it escapes half of a pair of surrogates, which is then U+FFFD.

    JavaScript's JSON.stringify writes so of a title that was cut inside an emoji. Raises as the decoder does.
    """
    try:
        return decoder.decode(body)
    except msgspec.ValidationError:
        raise
    except msgspec.DecodeError:
        mended = _ESCAPE.sub(lambda found: rb"\ufffd" if found[1] else found[0], body)
        if mended == body:
            raise
        return decoder.decode(mended)


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
