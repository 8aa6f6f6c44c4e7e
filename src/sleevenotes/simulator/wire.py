"""What passes between a client and a simulated service, and what a service is."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple, Protocol, runtime_checkable
from urllib.parse import parse_qs, unquote, urlsplit

from sleevenotes.simulator import limits, sleeves


class Request(NamedTuple):
    """One HTTP request as it arrives; header names are lower-case, `url` is absolute."""

    method: str
    url: str
    headers: Mapping[str, str] = {}
    body: bytes = b""

    @property
    def host(self) -> str:
        """Return the host without its port."""
        return (urlsplit(self.url).hostname or "").lower()

    @property
    def path(self) -> str:
        """Return the path, decoded."""
        return unquote(urlsplit(self.url).path)

    @property
    def query(self) -> dict[str, list[str]]:
        """Return the parameters, each with all its values."""
        return parse_qs(urlsplit(self.url).query, keep_blank_values=True)


class Drawing(NamedTuple):
    """An image still to be drawn: that is done last, and where serving is measured, in another process."""

    picture: sleeves.Picture
    size: int
    extension: str
    quality: int = 82  # of a JPEG; another host's copy of a cover has other bytes


class Reply(NamedTuple):
    """What a service answers; `kind` says in a word what was asked, for the statistics."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    kind: str
    drawing: Drawing | None = None
    quick: bool = False  # refused at the gate: without the usual latency


class Service(Protocol):
    """One simulated service."""

    @property
    def name(self) -> str:
        """Return its name, as in the conditions' latencies and faults."""
        ...

    @property
    def host(self) -> str:
        """Return the host it is counted under."""
        ...

    @property
    def limit(self) -> limits.Limit | None:
        """Return the rate it allows; None where it states none."""
        ...

    def serves(self, host: str) -> bool:
        """Tell whether requests to a host are for it."""
        ...

    def warm(self) -> None:
        """Build now what would make the first request slow."""
        ...

    def answer(self, request: Request, now: datetime, /) -> Reply:
        """Answer a request."""
        ...

    def refuse(self, request: Request) -> Reply:
        """Answer a request over the limit."""
        ...

    def fail(self, request: Request, share: Mapping[str, float], chance: float, /) -> Reply | None:
        """Return the fault of the day, where `chance`, in [0, 1), is below its share."""
        ...


@runtime_checkable
class Metered(Protocol):
    """A service whose rate depends on who asks, and whose replies say how much of it is used."""

    def limit_of(self, request: Request) -> limits.Limit:
        """Return the rate that holds for whoever sent this request; each is counted by itself."""
        ...

    def told(self, reply: Reply, limit: limits.Limit, used: int) -> Reply:
        """Return the reply with what its headers say of the rate; `used` counts this request."""
        ...
