"""The iTunes source against the simulator of it."""

from __future__ import annotations

import msgspec
import pytest

from sleevenotes import errors
from sleevenotes.clock import HandClock
from sleevenotes.simulator import conditions, core, entities, wire
from sleevenotes.simulator.world import World
from sleevenotes.sources import contract, itunes
from sleevenotes.upstream.client import Client

SOURCE = itunes.ITunes()
HOST = "itunes.apple.com"
SONG = contract.FindRecording("Jack Johnson", "Better Together")
ALBUM = contract.FindImages("Jack Johnson", "In Between Dreams")


@pytest.fixture(scope="module")
def world() -> World:
    known = conditions.Coverage(mean=0.7, popularity=0.6)
    given = msgspec.structs.replace(conditions.calm(), front_image={"itunes_if_known": 0.8}, coverage={"itunes": known})
    return World.invented(given, artists=60)


@pytest.fixture
def simulator(world: World) -> core.Simulator:
    return core.Simulator(world, HandClock(), limits=False, latency=False)


def client(simulator: core.Simulator) -> Client:
    return Client(core.Mounted(simulator), HandClock(), "SleevenotesTest/0.1 ( test@example.org )")


async def ask(simulator: core.Simulator, question: contract.Question) -> contract.Answer:
    reply = await client(simulator).send(SOURCE.request([question]), SOURCE.policy.timeout)
    [answer] = SOURCE.read([question], reply)
    return answer


def recordings(world: World, *, known: bool) -> list[entities.Recording]:
    """Return recordings of one artist alone: iTunes wants all words, and a guest's are not asked for."""
    index = world.known.by("itunes")
    return [
        each
        for each in world.catalogue.recordings
        if (each.credit[0].artist.index in index) == known and len(each.credit) == 1
    ]


async def test_a_song_by_a_known_artist_is_found_once_with_all_its_albums(
    simulator: core.Simulator, world: World
) -> None:
    for recording in recordings(world, known=True)[:60]:
        asked = contract.FindRecording(entities.printed(recording.credit), recording.title)
        own = [
            each
            for each in (await ask(simulator, asked)).candidates
            if isinstance(each, contract.RecordingCandidate)
            and each.recording.title == recording.title
            and (recording.length is None or each.recording.length_ms == recording.length)
            and world.catalogue.home(recording.row).title in [release.title for release in each.releases]
        ]
        assert len(own) == 1
        assert own[0].recording.foreign_id.startswith("itunes:")


async def test_the_shop_s_endings_are_gone_from_releases_and_still_there_on_images(
    simulator: core.Simulator, world: World
) -> None:
    single = next(
        group
        for group in world.catalogue.groups.values()
        if group.primary == "Single"
        and world.shown("itunes", group)
        and group.credit[0].artist.index in world.known.by("itunes")
        and len(group.credit) == 1
        and not group.title.endswith("Single")
    )
    by = entities.printed(single.credit)
    images = (await ask(simulator, contract.FindImages(by, single.title))).candidates
    assert f"{single.title} - Single" in [each.release for each in images if isinstance(each, contract.ImageAt)]
    track = contract.FindRecording(by, single.releases[0].tracks[0].title)
    found = [each for each in (await ask(simulator, track)).candidates if isinstance(each, contract.RecordingCandidate)]
    releases = [release for each in found for release in each.releases]
    assert not any(release.title.endswith(" - Single") for release in releases)
    assert (single.title, "Single") in [(each.title, each.release_group.primary_type) for each in releases]


async def test_the_artwork_named_for_an_album_is_that_album_s_at_six_hundred_pixels(
    simulator: core.Simulator, world: World
) -> None:
    checked = missing = 0
    for recording in recordings(world, known=True)[:80:2]:
        group = world.catalogue.home(recording.row).group
        by = entities.printed(group.credit)
        found = (await ask(simulator, contract.FindImages(by, group.title))).candidates
        own = [
            each
            for each in found
            if isinstance(each, contract.ImageAt) and (each.artist, each.release) == (by, group.title)
        ]
        if not world.shown("itunes", group):
            assert own == []
            missing += 1
        for image in own:
            assert image.url.endswith("/600x600bb.jpg")
            reply = await client(simulator).send(contract.Request(image.url), 10)
            assert world.cover_truth(reply.body) == group.mbid
            checked += 1
    assert checked > 5
    assert missing > 2


async def test_what_it_does_not_have_is_absent(simulator: core.Simulator) -> None:
    assert await ask(simulator, SONG) == contract.ABSENT
    assert await ask(simulator, ALBUM) == contract.ABSENT


async def test_the_refusal_is_a_throttle(simulator: core.Simulator) -> None:
    simulator.fail_next(HOST, "rate")
    with pytest.raises(errors.Throttled) as raised:
        await ask(simulator, SONG)
    assert raised.value.retry_after == 60.0


@pytest.mark.parametrize("kind", ["500", "truncated", "short", "html", "drop"])
@pytest.mark.parametrize("question", [SONG, ALBUM])
async def test_no_fault_is_absence(simulator: core.Simulator, question: contract.Question, kind: str) -> None:
    simulator.fail_next(HOST, kind)
    with pytest.raises(errors.Fault):
        await ask(simulator, question)


async def test_its_pace_is_never_over_the_limit(world: World) -> None:
    clock = HandClock()
    simulator = core.Simulator(world, clock, latency=False)
    for _ in range(4):
        for _ in range(SOURCE.policy.requests):
            await simulator.handle(wire.Request("GET", SOURCE.request([SONG]).url))
        clock.turn(SOURCE.policy.window)
    assert simulator.statistics.violations == 0
