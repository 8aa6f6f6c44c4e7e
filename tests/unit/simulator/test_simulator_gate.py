"""The simulator's gate: rates over every window, counts, faults on order, latencies, days."""

from __future__ import annotations

import asyncio
import math
import socket
import ssl
import statistics

import pytest

from sleevenotes.clock import HandClock
from sleevenotes.simulator import conditions, core, faults, limits, wire
from sleevenotes.simulator.world import World

AGENT = {"user-agent": "SleevenotesTest/0.1 ( test@example.org )"}
SEARCH = wire.Request("GET", "https://musicbrainz.org/ws/2/recording?query=recording:x&fmt=json", AGENT)


@pytest.fixture(scope="module")
def world() -> World:
    return World.invented(artists=20)


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def simulator(world: World, clock: HandClock) -> core.Simulator:
    return core.Simulator(world, clock, latency=False)


def steady(simulator: core.Simulator) -> None:
    """Take the day's own faults away: every share is nought."""
    given = simulator.world.given
    given.faults["none"] = {}
    simulator.set_day("none")


def test_a_meter_allows_so_many_in_any_window_and_not_one_more() -> None:
    meter = limits.Meter(limits.Limit(3, 10.0))
    assert [meter.over(at) for at in (0, 1, 9, 9.5)] == [False, False, False, True]
    assert meter.over(10.7)  # 1, 9 and 9.5 are within the last ten seconds: refused requests count
    assert not meter.over(18.9)  # 9 is just out


def test_a_meter_tolerates_two_per_cent_of_jitter_and_no_more() -> None:
    meter = limits.Meter(limits.Limit(1, 1.0))
    assert [meter.over(at) for at in (100.0, 100.981, 101.95)] == [False, False, True]


def test_a_request_too_soon_is_answered_as_musicbrainz_does_and_counted(
    simulator: core.Simulator, clock: HandClock
) -> None:
    steady(simulator)
    assert simulator.plan(SEARCH).reply.status == 200
    clock.turn(0.5)
    refused = simulator.plan(SEARCH).reply
    assert (refused.status, refused.headers["retry-after"]) == (503, "1")
    assert b"exceeding the allowable rate limit" in refused.body
    assert refused.headers["x-ratelimit-zone"].startswith("ws ip=")
    clock.turn(1.0)
    assert simulator.plan(SEARCH).reply.status == 200
    told = simulator.statistics.snapshot()
    assert (told["requests"], told["violations"]) == (3, 1)
    assert told["hosts"]["musicbrainz.org"]["kinds"] == {"recording_search": {"200": 2, "503": 1}}


def test_limits_can_be_switched_off_and_counts_forgotten(world: World, clock: HandClock) -> None:
    simulator = core.Simulator(world, clock, limits=False, latency=False)
    steady(simulator)
    assert {simulator.plan(SEARCH).reply.status for _ in range(5)} == {200}
    simulator.reset()
    assert simulator.statistics.snapshot() == {"requests": 0, "violations": 0, "hosts": {}}


def test_the_cover_art_archive_states_no_rate(simulator: core.Simulator) -> None:
    request = wire.Request("GET", "https://coverartarchive.org/release/xyz")
    assert {simulator.plan(request).reply.status for _ in range(50)} == {400}
    assert simulator.statistics.violations == 0


async def test_latencies_are_drawn_around_the_stated_median_and_pass_on_the_clock(world: World) -> None:
    clock = HandClock()
    simulator = core.Simulator(world, clock, limits=False)
    delays = [planned.delay for _ in range(800) if not (planned := simulator.plan(SEARCH)).reply.quick]
    assert statistics.median(delays) == pytest.approx(0.7, rel=0.1)
    assert statistics.stdev(math.log(delay) for delay in delays) == pytest.approx(conditions.SIGMA, rel=0.1)
    task = asyncio.create_task(simulator.handle(SEARCH))
    await asyncio.sleep(0)
    assert not task.done()
    clock.turn(60)
    assert (await task).status in (200, 503)


def test_the_same_requests_meet_the_same_latencies_and_faults(world: World, clock: HandClock) -> None:
    def told() -> list[tuple[int, float]]:
        simulator = core.Simulator(world, clock, day="bad_day", limits=False)
        return [(planned.reply.status, planned.delay) for planned in (simulator.plan(SEARCH) for _ in range(60))]

    assert told() == told()


def test_a_bad_day_sheds_a_quarter_of_the_requests(world: World, clock: HandClock) -> None:
    simulator = core.Simulator(world, clock, day="bad_day", limits=False, latency=False)
    replies = [simulator.plan(SEARCH).reply for _ in range(800)]
    shed = [reply for reply in replies if reply.status == 503]
    assert len(shed) / 800 == pytest.approx(0.25, abs=0.04)
    assert shed[0].headers["retry-after"] == "0"
    assert shed[0].headers["x-ratelimit-zone"] == "search-global"
    assert b"currently busy" in shed[0].body


def test_an_unknown_day_fault_or_host_is_refused_by_name(simulator: core.Simulator) -> None:
    with pytest.raises(ValueError, match="day 'sunday'"):
        simulator.set_day("sunday")
    with pytest.raises(ValueError, match="fault 'explosion'"):
        simulator.fail_next("musicbrainz.org", "explosion")
    with pytest.raises(ConnectionError, match=r"nobody at example\.org"):
        simulator.plan(wire.Request("GET", "https://example.org/"))


@pytest.mark.parametrize(
    ("kind", "status", "needle"),
    [
        ("500", 500, b"<html>"),
        ("rate", 503, b"exceeding"),
        ("shed", 503, b"busy"),
        ("html", 200, b"maintenance"),
        ("wrong type", 200, b"recordings"),
        ("short", 200, b"created"),
    ],
)
async def test_faults_on_order_come_once_and_in_order(
    simulator: core.Simulator, clock: HandClock, kind: str, status: int, needle: bytes
) -> None:
    steady(simulator)
    simulator.fail_next("musicbrainz.org", kind)
    reply = await simulator.handle(SEARCH)
    assert reply.status == status
    assert needle in reply.body
    if kind in ("html", "wrong type"):
        assert reply.headers["content-type"] == "text/html"
    clock.turn(2)
    after = await simulator.handle(SEARCH)
    assert (after.status, after.body[:1], after.body[-1:]) == (200, b"{", b"}")


@pytest.mark.parametrize("kind", ["drop", "truncated"])
async def test_a_broken_connection_is_an_error_and_never_a_reply(simulator: core.Simulator, kind: str) -> None:
    simulator.fail_next("musicbrainz.org", kind)
    with pytest.raises(ConnectionError):
        await simulator.handle(SEARCH)


@pytest.mark.parametrize(("kind", "error"), [("dns", socket.gaierror), ("tls", ssl.SSLCertVerificationError)])
async def test_a_host_that_cannot_be_reached_has_seen_no_request(
    simulator: core.Simulator, kind: str, error: type[OSError]
) -> None:
    simulator.fail_next("musicbrainz.org", kind)
    with pytest.raises(error):
        await simulator.handle(SEARCH)
    assert simulator.statistics.snapshot()["hosts"] == {}


def test_a_slow_reply_takes_a_minute_and_a_half_longer(simulator: core.Simulator) -> None:
    simulator.fail_next("musicbrainz.org", "slow")
    assert simulator.plan(SEARCH).delay == faults.SLOW


async def test_the_mounted_transport_cuts_the_body_one_byte_past_what_is_allowed(simulator: core.Simulator) -> None:
    steady(simulator)
    mounted = core.Mounted(simulator)
    status, headers, body = await mounted.exchange(
        "GET", SEARCH.url, {"User-Agent": AGENT["user-agent"]}, b"", max_bytes=9
    )
    assert (status, len(body), headers["content-type"]) == (200, 10, "application/json")
    assert all(name == name.lower() for name in headers)


def test_the_built_in_conditions_know_nearly_everything() -> None:
    given = conditions.calm()
    assert given.coverage["musicbrainz"].mean >= 0.95
    assert given.front_share("coverartarchive") >= 0.9
