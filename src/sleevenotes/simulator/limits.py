"""Strict rates, and the count of everything that arrived.

A rate holds over every window: a request is a violation when, with it, more than the allowed number arrived within
the last window. Refused requests count too, as MusicBrainz refuses all until the rate drops. Two per cent of the
window are tolerated, for the jitter of arrival on a loopback port.
"""

from __future__ import annotations

from collections import Counter, deque
from typing import Any, NamedTuple

TOLERANCE = 0.02


class Limit(NamedTuple):
    """That many requests in any window of that many seconds."""

    requests: int
    window: float


class Meter:
    """Watches one limit."""

    def __init__(self, limit: Limit) -> None:
        self._limit = limit
        self._arrivals: deque[float] = deque(maxlen=limit.requests)

    def over(self, now: float) -> bool:
        """Note an arrival at that second; tell whether it is one too many."""
        window = self._limit.window * (1 - TOLERANCE)
        full = len(self._arrivals) == self._limit.requests
        over = full and now - self._arrivals[0] < window
        self._arrivals.append(now)
        return over

    def used(self, now: float) -> int:
        """Return how many arrivals the window that ends at that second holds, at most as many as are allowed."""
        return sum(now - arrival < self._limit.window for arrival in self._arrivals)


class Statistics:
    """Counts requests by host, kind and status, and violations by host."""

    def __init__(self) -> None:
        self._requests: Counter[tuple[str, str, int]] = Counter()
        self._violations: Counter[str] = Counter()

    def count(self, host: str, kind: str, status: int) -> None:
        """Count one request; status 0 is a connection that was dropped."""
        self._requests[host, kind, status] += 1

    def violate(self, host: str) -> None:
        """Count one violation."""
        self._violations[host] += 1

    @property
    def requests(self) -> int:
        """Return how many requests arrived."""
        return self._requests.total()

    @property
    def violations(self) -> int:
        """Return how many requests were over a limit."""
        return self._violations.total()

    def snapshot(self) -> dict[str, Any]:
        """Return {requests, violations, hosts: {host: {requests, violations, kinds: {kind: {status: count}}}}}."""
        hosts: dict[str, Any] = {}
        for (host, kind, status), count in sorted(self._requests.items()):
            known = hosts.setdefault(host, {"requests": 0, "violations": self._violations[host], "kinds": {}})
            known["requests"] += count
            known["kinds"].setdefault(kind, {})[str(status)] = count
        return {"requests": self.requests, "violations": self.violations, "hosts": hosts}
