"""The image hosts against the simulator of them: what the services' own addresses lead to."""

from __future__ import annotations

import json
import re
from pathlib import Path

import msgspec
import pytest
from tests.contract import recorded

from sleevenotes import errors
from sleevenotes.clock import HandClock
from sleevenotes.simulator import conditions, core, entities, imagehosts
from sleevenotes.simulator.world import World
from sleevenotes.sources import contract
from sleevenotes.sources.imagehosts import HOSTS
from sleevenotes.upstream.client import Client

SOURCES = ("theaudiodb", "discogs", "deezer", "itunes", "lastfm")
BUDGETS = {
    "theaudiodb": "r2.theaudiodb.com",
    "discogs": "i.discogs.com",
    "deezer": "cdn-images.dzcdn.net",
    "itunes": "mzstatic.com",
    "lastfm": "lastfm.freetls.fastly.net",
}


@pytest.fixture(scope="module")
def world() -> World:
    shares = {f"{source}_if_known": 0.7 for source in SOURCES}
    return World.invented(msgspec.structs.replace(conditions.calm(), front_image=shares), artists=40)


@pytest.fixture
def simulator(world: World) -> core.Simulator:
    return core.Simulator(world, HandClock(), latency=False)


async def fetch(simulator: core.Simulator, url: str) -> contract.Answer:
    """Ask whichever host an address is for."""
    [host] = [each for each in HOSTS if contract.fetches(each.policy, url)]
    client = Client(core.Mounted(simulator), HandClock(), "SleevenotesTest/0.1 ( test@example.org )")
    question = contract.FetchImage(url)
    [answer] = host.read([question], await client.send(host.request([question]), host.policy.timeout))
    return answer


def shown(world: World, source: str) -> entities.Group:
    return next(group for group in world.catalogue.groups.values() if world.shown(source, group))


@pytest.mark.parametrize("source", SOURCES)
async def test_the_right_cover_comes_from_every_host(simulator: core.Simulator, world: World, source: str) -> None:
    group = shown(world, source)
    [image] = (await fetch(simulator, imagehosts.address(world, source, group))).candidates
    assert isinstance(image, contract.ImageFile)
    assert image.content_type == "image/jpeg"
    assert world.cover_truth(image.data) == group.mbid


@pytest.mark.parametrize(
    "url",
    [
        "https://cdn-images.dzcdn.net/images/cover//1000x1000-000000-80-0-0.jpg",
        f"https://lastfm.freetls.fastly.net/i/u/300x300/{imagehosts.STAR}.png",
        f"https://cdn-images.dzcdn.net/images/cover/{'0' * 32}/1000x1000-000000-80-0-0.jpg",
    ],
)
async def test_placeholders_and_unknown_images_are_absent(simulator: core.Simulator, url: str) -> None:
    assert await fetch(simulator, url) == contract.ABSENT


@pytest.mark.parametrize("kind", ["500", "rate", "shed", "truncated", "short", "html", "drop"])
@pytest.mark.parametrize("source", SOURCES)
async def test_no_fault_is_absence(simulator: core.Simulator, world: World, source: str, kind: str) -> None:
    simulator.fail_next(BUDGETS[source], kind)
    url = imagehosts.address(world, source, shown(world, source))
    if kind == "short":  # its length was told as if it were whole: bytes alone cannot say, decoding will
        [image] = (await fetch(simulator, url)).candidates
        assert isinstance(image, contract.ImageFile)
        return
    with pytest.raises(errors.Fault):
        await fetch(simulator, url)


async def test_the_budget_s_name_is_the_host_the_simulator_counts_under(
    simulator: core.Simulator, world: World
) -> None:
    for source in SOURCES:
        await fetch(simulator, imagehosts.address(world, source, shown(world, source)))
    assert set(simulator.statistics.snapshot()["hosts"]) == {host.policy.host for host in HOSTS}


@pytest.mark.parametrize("service", ["deezer", "theaudiodb", "discogs", "lastfm"])
def test_every_cover_a_recorded_reply_names_is_for_exactly_one_host(shared_data: Path, service: str) -> None:
    pattern = re.compile(r'"(https?://[^"\s]+/(?:images/cover|images/media/album|discogs-images|i/u)/[^"\s]+)"')
    found = {
        url
        for each in recorded.exchanges(shared_data, service, "x.example.org")
        for url in pattern.findall(json.dumps(json.loads(each.reply.body or b"null")) if _is_json(each) else "")
    }
    assert found
    assert {sum(contract.fetches(host.policy, url) for host in HOSTS) for url in found} == {1}


def _is_json(exchange: recorded.Exchange) -> bool:
    return exchange.reply.body[:1] in (b"{", b"[")
