"""The fanart.tv source against what it really said, and against the simulator of it."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from tests.contract import recorded
from tests.contract.test_simulator_shapes import places

from sleevenotes import errors
from sleevenotes.clock import HandClock
from sleevenotes.simulator import conditions, core, entities
from sleevenotes.simulator.world import World
from sleevenotes.sources import contract, fanarttv
from sleevenotes.upstream.client import Client

SOURCE = fanarttv.FanartTv("any key")
MOON = "f5093c06-23e3-404f-aeaa-40f72885ee3a"


@pytest.fixture(scope="module")
def world() -> World:
    known = {"fanarttv": conditions.Coverage(mean=0.7, popularity=0.6)}
    given = msgspec.structs.replace(conditions.calm(), front_image={"fanarttv_if_known": 0.6}, coverage=known)
    return World.invented(given, artists=40)


@pytest.fixture
def simulator(world: World) -> core.Simulator:
    return core.Simulator(world, HandClock(), limits=False, latency=False)


async def fetch(simulator: core.Simulator, question: contract.Question) -> contract.Reply:
    client = Client(core.Mounted(simulator), HandClock(), "SleevenotesTest/0.1 ( test@example.org )")
    return await client.send(SOURCE.request([question]), SOURCE.policy.timeout)


async def ask(simulator: core.Simulator, question: contract.Question) -> contract.Answer:
    [answer] = SOURCE.read([question], await fetch(simulator, question))
    return answer


def images(answer: contract.Answer) -> list[contract.ImageAt]:
    return [each for each in answer.candidates if isinstance(each, contract.ImageAt)]


def shown(world: World, group: entities.Group) -> bool:
    return group.credit[0].artist.index in world.known.by("fanarttv") and world.shown("fanarttv", group)


def test_a_recorded_album_leads_to_its_best_liked_covers(shared_data: Path) -> None:
    [reply] = [
        each.reply
        for each in recorded.exchanges(shared_data, "fanarttv", "webservice.fanart.tv")
        if each.path.startswith("/v3/music/albums/")
    ]
    [answer] = SOURCE.read([contract.FindImages("Pink Floyd", "The Dark Side of the Moon", MOON)], reply)
    found = images(answer)
    assert found[0].url.endswith("the-dark-side-of-the-moon-53afcfaa65a86.jpg")  # thirteen like it
    assert all(each.exact and contract.fetches(SOURCE.policy, each.url) for each in found)


async def test_the_simulated_document_has_the_recorded_shape(
    simulator: core.Simulator, world: World, shared_data: Path
) -> None:
    group = next(group for group in world.catalogue.groups.values() if shown(world, group))
    ours = msgspec.json.decode((await fetch(simulator, contract.FindImages("", "", group.mbid))).body)
    theirs = [
        msgspec.json.decode(each.reply.body)
        for each in recorded.exchanges(shared_data, "fanarttv", "webservice.fanart.tv")
        if each.path.startswith("/v3/music/albums/")
    ]

    def unnamed(document: dict[str, object]) -> dict[str, object]:
        albums = document["albums"]
        assert isinstance(albums, dict)
        return {**document, "albums": list(albums.values())}

    mine, real = places([unnamed(ours)]), places([unnamed(each) for each in theirs])
    assert set(mine) <= set(real)
    assert all(mine[place] <= real[place] for place in mine)


async def test_an_albums_cover_is_its_own_and_another_has_none(simulator: core.Simulator, world: World) -> None:
    checked = missing = 0
    for group in list(world.catalogue.groups.values())[:60]:
        found = images(await ask(simulator, contract.FindImages("", "", group.mbid)))
        assert bool(found) == shown(world, group)
        missing += not found
        for image in found[:1]:
            reply = await fetch(simulator, contract.FetchImage(image.url))
            assert world.cover_truth(reply.body) == group.mbid
            checked += 1
    assert checked > 5
    assert missing > 5


async def test_without_a_key_the_fault_says_so(simulator: core.Simulator, world: World) -> None:
    keyless = fanarttv.FanartTv("")
    client = Client(core.Mounted(simulator), HandClock(), "SleevenotesTest/0.1 ( test@example.org )")
    question = contract.FindImages("", "", next(iter(world.catalogue.groups)))
    reply = await client.send(keyless.request([question]), 10)
    with pytest.raises(errors.Unconfigured):
        keyless.read([question], reply)


@pytest.mark.parametrize("kind", ["500", "truncated", "html", "drop", "rate"])
async def test_no_fault_is_absence(simulator: core.Simulator, world: World, kind: str) -> None:
    group = next(group for group in world.catalogue.groups.values() if shown(world, group))
    simulator.fail_next("webservice.fanart.tv", kind)
    with pytest.raises(errors.Fault):
        await ask(simulator, contract.FindImages("", "", group.mbid))
