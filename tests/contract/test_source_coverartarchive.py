"""The Cover Art Archive source against what the archive really said, and against the simulator of it."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.contract import recorded

from sleevenotes import errors
from sleevenotes.clock import HandClock
from sleevenotes.simulator import core
from sleevenotes.simulator.world import ARCHIVE, World
from sleevenotes.sources import contract, coverartarchive
from sleevenotes.upstream.client import Client

SOURCE = coverartarchive.CoverArtArchive()
FRONT = coverartarchive.front_of_release("76df3287-6cda-33eb-8e9a-044b5e15ffdd")


# ---------------------------------------------------------------- what the archive said


def test_every_recorded_not_found_is_absence(shared_data: Path) -> None:
    missing = [
        each.reply
        for each in recorded.exchanges(shared_data, "coverartarchive", "coverartarchive.org")
        if each.reply.status == 404
    ]
    assert len(missing) >= 10
    assert all(SOURCE.read([FRONT], reply) == [contract.ABSENT] for reply in missing)


def test_the_recorded_refusal_of_an_mbid_is_absence(shared_data: Path) -> None:
    [refusal] = [
        each.reply
        for each in recorded.exchanges(shared_data, "coverartarchive", "coverartarchive.org")
        if each.reply.status == 400
    ]
    assert SOURCE.read([FRONT], refusal) == [contract.ABSENT]


@pytest.mark.parametrize(
    ("service", "host"), [("coverartarchive", "coverartarchive.org"), ("archiveorg", "archive.org")]
)
def test_a_redirect_nobody_followed_is_a_fault(shared_data: Path, service: str, host: str) -> None:
    for each in recorded.exchanges(shared_data, service, host):
        if each.reply.status in (302, 307):
            with pytest.raises(errors.Fault):
                SOURCE.read([FRONT], each.reply)


# ---------------------------------------------------------------- the simulator


@pytest.fixture(scope="module")
def world() -> World:
    return World.invented(artists=30)


@pytest.fixture
def simulator(world: World) -> core.Simulator:
    return core.Simulator(world, HandClock(), limits=False, latency=False)


async def ask(simulator: core.Simulator, question: contract.FetchImage) -> contract.Answer:
    client = Client(core.Mounted(simulator), HandClock(), "SleevenotesTest/0.1 ( test@example.org )")
    [answer] = SOURCE.read([question], await client.send(SOURCE.request([question]), SOURCE.policy.timeout))
    return answer


async def ask_until_answered(simulator: core.Simulator, question: contract.FetchImage) -> contract.Answer:
    """Ask again after a fault of the simulated day, which are one in a hundred."""
    for _ in range(10):
        try:
            return await ask(simulator, question)
        except errors.Fault:
            continue
    raise AssertionError("ten faults in a row")


def an_album(world: World, *, with_art: bool) -> str:
    """Return the id of a release group that MusicBrainz knows, with or without art."""
    return next(
        group.mbid
        for group in world.catalogue.groups.values()
        if world.group(group.mbid) and world.has_art(group) == with_art
    )


async def test_the_front_of_an_album_comes_over_all_hops_and_is_the_right_one(
    simulator: core.Simulator, world: World
) -> None:
    mbid = an_album(world, with_art=True)
    answer = await ask_until_answered(simulator, coverartarchive.front_of_release_group(mbid))
    [image] = answer.candidates
    assert isinstance(image, contract.ImageFile)
    assert image.content_type == "image/jpeg"
    assert world.cover_truth(image.data) == mbid


async def test_the_front_of_a_release_is_its_album_s(simulator: core.Simulator, world: World) -> None:
    recording = next(
        each
        for each in world.catalogue.recordings
        if (truth := world.truth("".join(n.credited + n.join for n in each.credit), each.title))
        and ARCHIVE in truth.has_art
        and world.covers(world.catalogue.home(each.row))
        and world.covers(world.catalogue.home(each.row))[0].front
    )
    home = world.catalogue.home(recording.row)
    [image] = (await ask_until_answered(simulator, coverartarchive.front_of_release(home.mbid))).candidates
    assert isinstance(image, contract.ImageFile)
    assert world.cover_truth(image.data) == home.group.mbid


async def test_an_album_without_art_is_absent(simulator: core.Simulator, world: World) -> None:
    question = coverartarchive.front_of_release_group(an_album(world, with_art=False))
    assert await ask_until_answered(simulator, question) == contract.ABSENT


@pytest.mark.parametrize("host", ["archive.org", "us.archive.org"])
async def test_a_broken_node_is_a_fault_and_never_absence(simulator: core.Simulator, world: World, host: str) -> None:
    question = coverartarchive.front_of_release_group(an_album(world, with_art=True))
    simulator.fail_next(host, "500")
    with pytest.raises(errors.Unreachable):
        await ask(simulator, question)


async def test_a_web_page_called_an_image_is_a_fault(simulator: core.Simulator, world: World) -> None:
    question = coverartarchive.front_of_release_group(an_album(world, with_art=True))
    simulator.fail_next("us.archive.org", "html")
    with pytest.raises(errors.Fault):
        await ask(simulator, question)
