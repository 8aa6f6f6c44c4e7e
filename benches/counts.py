"""Requests as the simulator counted them, by what they were for.

Image chains are what fetches the bytes of a cover: every request to the Cover Art Archive, to archive.org and to the
image hosts. An image search asks a service of names where an album's cover is. Everything else is for metadata, and so
is whatever this table does not know: a new kind of request never makes a figure look better.
"""

from __future__ import annotations

from typing import Any, NamedTuple

IMAGE_HOSTS = ("coverartarchive.org", "archive.org", "us.archive.org")
IMAGE_KINDS = frozenset({"image", "index", "back", "cover", "placeholder"})


class Counts(NamedTuple):
    """Requests, retries and refused ones included."""

    metadata: int
    image_searches: int
    image_chains: int
    by_host: dict[str, int]

    @classmethod
    def of(cls, snapshot: dict[str, Any]) -> Counts:
        """Read the simulator's statistics."""
        sums = {"metadata": 0, "image_searches": 0, "image_chains": 0}
        for host, counted in snapshot["hosts"].items():
            for kind, statuses in counted["kinds"].items():
                sums[_purpose(host, kind)] += sum(statuses.values())
        return cls(**sums, by_host={host: counted["requests"] for host, counted in snapshot["hosts"].items()})


def violations(snapshot: dict[str, Any]) -> dict[str, int]:
    """Return the requests over a limit, of the hosts that had any."""
    hosts = {host: counted["violations"] for host, counted in snapshot["hosts"].items()}
    return {host: count for host, count in hosts.items() if count}


def _purpose(host: str, kind: str) -> str:
    if host in IMAGE_HOSTS or kind in IMAGE_KINDS:
        return "image_chains"
    return "image_searches" if "album" in kind or kind.startswith("master") else "metadata"
