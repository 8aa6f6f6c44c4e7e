"""How many requests a client may make."""

from __future__ import annotations

from collections.abc import AsyncIterator

import msgspec
import pytest_asyncio

from sleevenotes.clock import HandClock
from sleevenotes.server import limits
from sleevenotes.settings import Settings
from sleevenotes.store.postgres import Database
from tests import serving

LIMIT = 5


@pytest_asyncio.fixture
async def maria(settings: Settings, clock: HandClock, database: Database) -> AsyncIterator[serving.Listener]:
    few = msgspec.structs.replace(settings, requests_per_minute=LIMIT)
    async with serving.listening(few, clock, database) as listener:
        yield listener


def test_a_window_opens_with_the_first_request_and_closes_a_minute_later(clock: HandClock) -> None:
    meter = limits.Meter(LIMIT)
    start = clock.now().timestamp()
    left = []
    for _ in range(3):
        left.append(meter.count("a", clock.now()).remaining)
        clock.turn(20)
    assert left == [4, 3, 2]
    standing = meter.count("a", clock.now())  # 60 s after the first: a new window
    assert (standing.remaining, standing.resets_at, standing.resets_in) == (4, start + 120, 60)


def test_clients_are_counted_apart_and_looking_costs_nothing(clock: HandClock) -> None:
    meter = limits.Meter(LIMIT)
    for _ in range(LIMIT + 1):
        last = meter.count("a", clock.now())
    assert last.exceeded
    assert meter.count("b", clock.now(), 0).remaining == LIMIT
    assert not meter.count("a", clock.now(), 0).remaining > -1


def test_the_clients_of_closed_windows_are_forgotten(clock: HandClock) -> None:
    meter = limits.Meter(LIMIT)
    for i in range(limits.CLIENTS):
        meter.count(f"address {i}", clock.now())
    clock.turn(61)
    meter.count("one more", clock.now())
    assert len(meter._windows) == 1


async def test_one_request_too_many_is_429_in_the_dialect_and_does_nothing(
    maria: serving.Listener, clock: HandClock
) -> None:
    remaining = []
    for i in range(LIMIT + 2):
        body = {
            "listen_type": "single",
            "payload": [{"listened_at": 1_767_000_000 + i, "track_metadata": {"artist_name": "a", "track_name": "b"}}],
        }
        reply = await maria.client.post("/1/submit-listens", json=body, headers=maria.header)
        remaining.append(int(reply.headers["x-ratelimit-remaining"]))
    assert (reply.status_code, reply.json()) == (429, {"code": 429, "error": limits.TOO_MANY})
    assert remaining[-1] == 0
    clock.turn(60)
    counted = await maria.client.get("/1/user/maria/listen-count", headers=maria.header)
    # the first request was counted by address, for its token was not yet known to work
    assert counted.json() == {"payload": {"count": LIMIT + 1}}


async def test_a_call_of_lastfms_api_too_many_is_told_in_the_format_of_the_call(maria: serving.Listener) -> None:
    for _ in range(LIMIT + 1):
        reply = await maria.client.post("/2.0/", data={"method": "user.getInfo", "format": "json"})
    assert (reply.status_code, reply.json()["error"], reply.headers["retry-after"]) == (429, 29, "60")
    reply = await maria.client.post("/2.0/", data={"method": "user.getInfo"})
    assert (reply.status_code, reply.headers["content-type"]) == (429, "text/xml; charset=utf-8")


async def test_invented_tokens_buy_no_fresh_allowance(maria: serving.Listener) -> None:
    statuses = []
    for i in range(LIMIT + 1):
        header = {"Authorization": f"Token invented-{i}"}
        statuses.append((await maria.client.get("/1/validate-token", headers=header)).status_code)
    assert statuses == [200] * LIMIT + [429]


async def test_pages_and_covers_cost_nothing(maria: serving.Listener) -> None:
    for _ in range(LIMIT + 1):
        reply = await maria.client.get("/login")
    assert (reply.status_code, reply.headers["x-ratelimit-remaining"]) == (200, str(LIMIT))
