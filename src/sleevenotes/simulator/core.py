"""The simulator: takes a request at the gate, lets the service answer, and lets time pass as the network would.

Order, as at a real gate: arrival is counted and the limit enforced, then faults, then the answer, then latency.
Everything drawn goes by (seed, source, request number).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import Executor
from typing import NamedTuple

from sleevenotes.clock import Clock
from sleevenotes.simulator import conditions, draw, faults, limits, people, registry, sleeves, wire
from sleevenotes.simulator.world import World

QUICK = 0.05  # seconds, of what is refused at the gate
Draw = Callable[[wire.Drawing], Awaitable[bytes]]


class Planned(NamedTuple):
    """What will be answered, after how many seconds, and how much of it arrives; or which fault kept it away."""

    reply: wire.Reply
    delay: float
    cut: str


class Simulator:
    """All simulated services over one world and one clock.

    `day` names the faults of the conditions ("calm", "bad_day"); `limits` and `latency` can be switched off for
    tests of other things. Not safe for several threads.
    """

    def __init__(
        self,
        world: World,
        clock: Clock,
        *,
        day: str = "calm",
        limits: bool = True,
        latency: bool = True,
        draw_with: Executor | None = None,
    ) -> None:
        self.world = world
        self.schedule = faults.Schedule()
        self._clock = clock
        self._limits = limits
        self._latency = latency
        self._draw_with = draw_with
        self.people = people.People(world)
        self._services = registry.services(world, self.people)
        self.set_day(day)
        self.reset()

    @property
    def services(self) -> tuple[wire.Service, ...]:
        """Return the services."""
        return self._services

    def warm(self) -> None:
        """Build the indexes now, so that the first requests are as quick as the later ones."""
        for service in self._services:
            service.warm()

    def set_day(self, day: str) -> None:
        """Choose the faults of a day. Raises ValueError for a day the conditions do not have."""
        if day not in self.world.given.faults:
            raise ValueError(f"day {day!r}: must be one of {', '.join(self.world.given.faults)}")
        self.day = day

    def reset(self) -> None:
        """Forget all counts, arrivals and faults on order."""
        self.statistics = limits.Statistics()
        self.schedule.clear()
        self._numbers: dict[str, int] = {}
        self._meters: dict[tuple[str, limits.Limit], limits.Meter] = {}

    def fail_next(self, host: str, kind: str, times: int = 1) -> None:
        """Let the next requests to a host fail; `kind` is one of faults.KINDS, nodes are "us.archive.org"."""
        self.schedule.fail_next(host, kind, times)

    async def handle(self, request: wire.Request) -> wire.Reply:
        """Answer a request after its latency. Raises OSError where no whole reply arrives."""
        planned = self.plan(request)
        await self._clock.sleep(planned.delay)
        return whole(await self.finish(planned))

    def plan(self, request: wire.Request) -> Planned:
        """Count an arrival and decide its reply; takes no time. Raises ConnectionError for an unknown host."""
        service = next((service for service in self._services if service.serves(request.host)), None)
        if service is None:
            self.statistics.count(request.host, "unknown", 0)
            raise ConnectionError(f"the simulator has nobody at {request.host}")
        kind = self.schedule.take(service.host)
        if kind in faults.UNREACHED:
            return Planned(wire.Reply(0, {}, b"", kind), 0.0, kind)
        planned = self._plan(service, request, kind)
        status = 0 if planned.cut == "nothing" else planned.reply.status
        self.statistics.count(service.host, planned.reply.kind, status)
        return planned

    async def finish(self, planned: Planned) -> Planned:
        """Draw the image, where the reply is one, and state the length of the body."""
        reply = planned.reply
        if reply.drawing:
            reply = reply._replace(body=await self._drawn(reply.drawing), drawing=None)
        headers = {**reply.headers, "content-length": str(len(reply.body))}
        return planned._replace(reply=reply._replace(headers=headers))

    def _plan(self, service: wire.Service, request: wire.Request, kind: str) -> Planned:
        now = self._clock.now()
        number = self._numbers[service.host] = self._numbers.get(service.host, 0) + 1
        limit = service.limit_of(request) if isinstance(service, wire.Metered) else service.limit
        if self._is_over(service, limit, now.timestamp()):
            self.statistics.violate(service.host)
            return Planned(service.refuse(request), self._delay(service, number, quick=True), "whole")
        seed, shares = self.world.seed, self.world.given.faults[self.day]
        failed = service.fail(request, shares, draw.number(seed, service.name, "fault", number))
        reply = failed or service.answer(request, now)
        if isinstance(service, wire.Metered) and limit:
            reply = service.told(reply, limit, self._meter(service, limit).used(now.timestamp()))
        broken = faults.Broken(reply)
        if kind:
            broken = faults.broken(kind, service, request, reply)
        delay = self._delay(service, number, quick=broken.reply.quick) + broken.delay
        return Planned(broken.reply, delay, broken.cut)

    def _is_over(self, service: wire.Service, limit: limits.Limit | None, now: float) -> bool:
        """Note an arrival; tell whether it is one too many, where limits are enforced."""
        return limit is not None and self._meter(service, limit).over(now) and self._limits

    def _meter(self, service: wire.Service, limit: limits.Limit) -> limits.Meter:
        return self._meters.setdefault((service.host, limit), limits.Meter(limit))

    def _delay(self, service: wire.Service, number: int, *, quick: bool) -> float:
        if not self._latency:
            return 0.0
        median = self.world.given.latency.get(service.name, 0.3)
        seed = self.world.seed
        drawn = draw.lognormal(median, conditions.SIGMA, seed, service.name, "latency", number)
        return min(drawn, QUICK) if quick else drawn

    async def _drawn(self, drawing: wire.Drawing) -> bytes:
        if self._draw_with is None:
            return sleeves.image(*drawing)
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._draw_with, sleeves.image, *drawing)


def whole(planned: Planned) -> wire.Reply:
    """Return the reply as a client sees it. Raises OSError where it sees less than it was promised."""
    reply = planned.reply
    if planned.cut in faults.UNREACHED:
        raise faults.UNREACHED[planned.cut]
    if planned.cut == "nothing":
        raise ConnectionResetError("the simulator dropped the connection")
    if planned.cut == "part":
        raise ConnectionResetError("the simulator broke off in the middle of the body")
    if planned.cut == "half":
        body = reply.body[: len(reply.body) // 2]
        return reply._replace(body=body, headers={**reply.headers, "content-length": str(len(body))})
    return reply


class Mounted:
    """The simulator as a transport, in the same process: one hop, no socket."""

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator

    async def exchange(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: bytes,
        *,
        max_bytes: int,
    ) -> tuple[int, dict[str, str], bytes]:
        """Return status, headers with lower-case names, and the body, cut after `max_bytes` + 1."""
        lower = {name.lower(): value for name, value in headers.items()}
        reply = await self._simulator.handle(wire.Request(method, url, lower, body))
        answered = reply.body if method != "HEAD" else b""
        return reply.status, dict(reply.headers), answered[: max_bytes + 1]
