"""Chance that is always the same: every draw is a digest of the seed and of what is drawn.

So two processes that load one world agree on all of it, and a test can name any part of it.
"""

from __future__ import annotations

import hashlib
import math
import struct
from collections.abc import Sequence
from statistics import NormalDist
from typing import TypeVar

T = TypeVar("T")

_NORMAL = NormalDist()
_SIXTEEN = struct.Struct(">16I")


def number(*parts: object) -> float:
    """Return a number in [0, 1): the first 8 bytes of the sha256 of the parts, joined by line feeds."""
    digest = hashlib.sha256("\n".join(map(str, parts)).encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64


def normal(*parts: object) -> float:
    """Return a draw of the standard normal distribution."""
    return _NORMAL.inv_cdf(min(max(number(*parts), 1e-12), 1 - 1e-12))


def lognormal(median: float, sigma: float, *parts: object) -> float:
    """Return a draw of the lognormal distribution with that median."""
    return median * math.exp(sigma * normal(*parts))


class Dice:
    """A row of draws for one thing; the n-th draw is the same for ever."""

    def __init__(self, *parts: object) -> None:
        self._key = "\n".join(map(str, parts)).encode()
        self._left: list[int] = []
        self._round = 0

    def number(self) -> float:
        """Return the next number in [0, 1)."""
        if not self._left:
            digest = hashlib.blake2b(self._key, person=self._round.to_bytes(4, "big")).digest()
            self._left = list(_SIXTEEN.unpack(digest))
            self._round += 1
        return self._left.pop() / 2**32

    def chance(self, share: float) -> bool:
        """Tell whether the next number is below `share`."""
        return self.number() < share

    def between(self, low: int, high: int) -> int:
        """Return a whole number, both ends included."""
        return low + int(self.number() * (high - low + 1))

    def pick(self, choices: Sequence[T]) -> T:
        """Return one of the choices, all alike."""
        return choices[int(self.number() * len(choices))]
