"""MBIDs that carry what they stand for.

A MusicBrainz search finds hundreds of rows of one name; a world of 64,000 names would hold a million of them. They
are made when asked for, so their ids must lead back: an id holds (kind, row, member), scrambled so that it looks
like any version 4 UUID, and a check so that a foreign id is not taken for one of ours.

Worked example: read(1, make(1, RECORDING, 7, 3)) == (RECORDING, 7, 3), and read(2, …) of the same id is None.
"""

from __future__ import annotations

import hashlib

RECORDING, RELEASE, RELEASE_GROUP, ARTIST, MERGED_RECORDING, MERGED_RELEASE = range(1, 7)

_MASK64 = (1 << 64) - 1


def mix(value: int) -> int:
    """Scramble 64 bits (the finaliser of splitmix64)."""
    value = (value + 0x9E3779B97F4A7C15) & _MASK64
    value = ((value ^ (value >> 30)) * 0xBF58476D1CE4E5B9) & _MASK64
    value = ((value ^ (value >> 27)) * 0x94D049BB133111EB) & _MASK64
    return value ^ (value >> 31)


def make(seed: int, kind: int, row: int, member: int) -> str:
    """Return the id of the member-th thing of that kind at that row (kind < 64, row < 2^28, member < 2^16)."""
    payload = kind << 44 | row << 16 | member
    check = mix(payload ^ mix(seed)) >> 16
    body = payload ^ (mix(check) >> 14)
    text = f"{check:012x}{0x4000 | body >> 38:04x}{2 << 62 | (body & (1 << 38) - 1) << 24 | mix(body) >> 40:016x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def read(seed: int, mbid: str) -> tuple[int, int, int] | None:
    """Return (kind, row, member) of an id made with this seed; None for any other."""
    try:
        value = int(mbid.replace("-", ""), 16)
    except ValueError:
        return None
    check, body = value >> 80, (value >> 64 & 0xFFF) << 38 | value >> 24 & (1 << 38) - 1
    payload = body ^ (mix(check) >> 14)
    kind, row, member = payload >> 44, payload >> 16 & (1 << 28) - 1, payload & 0xFFFF
    if kind >= 64 or make(seed, kind, row, member) != mbid:
        return None
    return kind, row, member


def plain(*parts: object) -> str:
    """Return the UUID of a thing nobody looks up by it (a track, a medium, an area)."""
    text = hashlib.md5("\n".join(map(str, parts)).encode(), usedforsecurity=False).hexdigest()
    return f"{text[:8]}-{text[8:12]}-3{text[13:16]}-8{text[17:20]}-{text[20:]}"
