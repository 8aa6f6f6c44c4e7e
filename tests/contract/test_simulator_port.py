"""The simulator on a loopback port: hosts by header, broken connections, control."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from typing import Any, NamedTuple

import aiohttp
import msgspec
import pytest
import pytest_asyncio

from sleevenotes.clock import SystemClock
from sleevenotes.simulator import asgi, conditions, entities
from sleevenotes.simulator.world import World

AGENT = "SleevenotesTest/0.1 ( test@example.org )"


class Port(NamedTuple):
    base: str
    world: World
    session: aiohttp.ClientSession

    async def get(self, host: str, path: str) -> tuple[int, dict[str, str], bytes]:
        headers = {"Host": host, "User-Agent": AGENT}
        async with self.session.get(self.base + path, headers=headers, allow_redirects=False) as reply:
            return reply.status, {name.lower(): value for name, value in reply.headers.items()}, await reply.read()

    async def control(self, method: str, path: str, body: object = None) -> Any:
        data = body if isinstance(body, bytes) else msgspec.json.encode(body)
        async with self.session.request(method, f"{self.base}/_simulator/{path}", data=data) as reply:
            return reply.status, await reply.json()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def port() -> AsyncIterator[Port]:
    given = msgspec.structs.replace(
        conditions.calm(),
        latency=dict.fromkeys(conditions.calm().latency, 0.001),
        faults={"calm": {}, "bad_day": {"archive_500": 1.0}},
    )
    world = World.invented(given, artists=20)
    door = socket.create_server(("127.0.0.1", 0))
    serving = asyncio.create_task(asgi.serve("127.0.0.1", 0, world, SystemClock(), door=door))
    async with aiohttp.ClientSession() as session:
        yield Port(f"http://127.0.0.1:{door.getsockname()[1]}", world, session)
    serving.cancel()
    await asyncio.gather(serving, return_exceptions=True)
    door.close()


pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_it_says_that_it_is_well(port: Port) -> None:
    status, told = await port.control("GET", "health")
    assert (status, told) == (
        200,
        {"status": "ok", "world": port.world.digest, "names": len(port.world.catalogue.recordings)},
    )


async def test_an_image_is_three_hops_away_by_the_host_header(port: Port) -> None:
    group = next(each for each in port.world.catalogue.groups.values() if port.world.has_art(each))
    status, headers, _ = await port.get("coverartarchive.org", f"/release-group/{group.mbid}/front-250")
    assert status == 307
    host, _, path = headers["location"].removeprefix("//").partition("/")
    status, headers, _ = await port.get(host, f"/{path}")
    assert status == 302
    host, _, path = headers["location"].removeprefix("https://").partition("/")
    status, headers, body = await port.get(host, f"/{path}")
    assert (status, headers["content-type"]) == (200, "image/jpeg")
    assert await port.control("POST", "cover", body) == (200, {"release_group_mbid": group.mbid})


async def test_what_is_posted_arrives(port: Port) -> None:
    headers = {"Host": "api.listenbrainz.org", "Authorization": "Token x", "Content-Type": "application/json"}
    body = msgspec.json.encode({"recordings": [{"artist_name": "Nobody", "recording_name": "Nothing"}]})
    async with port.session.post(f"{port.base}/1/metadata/lookup/", data=body, headers=headers) as reply:
        told = (reply.status, await reply.json())
    unmatched = {"artist_name_arg": "Nobody", "recording_name_arg": "Nothing", "release_name_arg": None, "index": 0}
    assert told == (200, [unmatched])


async def test_requests_and_violations_are_counted_and_can_be_forgotten(port: Port) -> None:
    await port.control("POST", "reset")
    path = f"/ws/2/recording/{port.world.catalogue.recordings[0].mbid}?fmt=json"
    statuses = [(await port.get("musicbrainz.org", path))[0] for _ in range(3)]
    assert statuses[1:] == [503, 503]
    _, told = await port.control("GET", "stats")
    assert (told["requests"], told["violations"]) == (3, 2)
    assert told["hosts"]["musicbrainz.org"]["violations"] == 2
    await port.control("POST", "reset")
    assert (await port.control("GET", "stats"))[1]["requests"] == 0


@pytest.mark.parametrize("kind", ["drop", "truncated"])
async def test_a_connection_can_be_broken(port: Port, kind: str) -> None:
    times = 2 if kind == "drop" else 1  # aiohttp silently asks a second time when no reply has begun
    order = {"host": "coverartarchive.org", "kind": kind, "times": times}
    assert await port.control("POST", "faults", order) == (200, {"ordered": times})
    with pytest.raises(aiohttp.ClientError):
        await port.get("coverartarchive.org", "/release/xyz")
    assert (await port.get("coverartarchive.org", "/release/xyz"))[0] == 400


async def test_truth_can_be_asked_for_one_name_and_for_many(port: Port) -> None:
    recording = port.world.catalogue.recordings[0]
    name = [entities.printed(recording.credit), recording.title, port.world.catalogue.home(0).title]
    _, many = await port.control("POST", "truth", [name, ["Nobody", "Nothing", ""]])
    assert many[0]["recording_mbid"] == recording.mbid
    assert many[1] is None
    async with port.session.get(
        port.base + "/_simulator/truth", params=dict(zip(("artist", "track", "release"), name, strict=True))
    ) as reply:
        assert json.loads(await reply.read()) == many[0]


async def test_the_day_can_be_changed_and_a_wrong_one_is_refused(port: Port) -> None:
    status, told = await port.control("POST", "day", {"day": "doomsday"})
    assert (status, "day 'doomsday'" in told["error"]) == (400, True)
    assert await port.control("POST", "day", {"day": "bad_day"}) == (200, {"day": "bad_day"})
    assert (await port.get("archive.org", "/download/mbid-x/index.json"))[0] == 500
    await port.control("POST", "day", {"day": "calm"})


async def test_an_unknown_host_or_control_is_said_plainly(port: Port) -> None:
    status, _, body = await port.get("example.org", "/")
    assert (status, b"nobody at example.org" in body) == (502, True)
    assert (await port.control("GET", "tea"))[0] == 404
