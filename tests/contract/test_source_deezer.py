"""The Deezer source against what Deezer really said, and against the simulator of it."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest
from tests.contract import recorded

from sleevenotes import errors
from sleevenotes.clock import HandClock
from sleevenotes.simulator import conditions, core, entities, wire
from sleevenotes.simulator.world import World
from sleevenotes.sources import contract, deezer
from sleevenotes.upstream.client import Client

SOURCE = deezer.Deezer()
TRACK = contract.FindRecording("Daft Punk", "One More Time")
ALBUM = contract.FindImages("Daft Punk", "Discovery")


# ---------------------------------------------------------------- what Deezer said


def said(shared_data: Path, start: str) -> list[contract.Reply]:
    return [
        each.reply
        for each in recorded.exchanges(shared_data, "deezer", "api.deezer.com")
        if each.path.startswith(start)
    ]


def test_every_recorded_track_search_is_read_whole(shared_data: Path) -> None:
    replies = [*said(shared_data, "/search?"), *said(shared_data, "/search/track?")]
    assert len(replies) >= 10
    for reply in replies:
        rows = json.loads(reply.body)["data"]
        [answer] = SOURCE.read([TRACK], reply)
        found = [each for each in answer.candidates if isinstance(each, contract.RecordingCandidate)]
        assert {each.recording.title for each in found} == {row["title"] for row in rows}
        assert {release.foreign_id for each in found for release in each.releases} == {
            f"deezer:{row['album']['id']}" for row in rows
        }
        assert all(each.images and each.recording.length_ms for each in found)


def test_the_recorded_album_search_gives_covers_of_a_thousand_pixels(shared_data: Path) -> None:
    [reply] = said(shared_data, "/search/album?")
    [answer] = SOURCE.read([ALBUM], reply)
    images = [each for each in answer.candidates if isinstance(each, contract.ImageAt)]
    assert images[0].artist == "Daft Punk"
    assert images[0].release == "Discovery"
    assert images[0].url.endswith("/2e018122cb56986277102d2041a592c8/1000x1000-000000-80-0-0.jpg")
    assert len(images) == 25


def test_every_recorded_no_data_is_absence_and_every_other_error_a_fault(shared_data: Path) -> None:
    absent = faults = 0
    for each in recorded.exchanges(shared_data, "deezer", "api.deezer.com"):
        error = json.loads(each.reply.body).get("error")
        if error is None:
            continue
        if isinstance(error, dict) and error.get("code") == 800:
            assert SOURCE.read([TRACK], each.reply) == [contract.ABSENT]
            absent += 1
        else:
            with pytest.raises(errors.Fault):
                SOURCE.read([TRACK], each.reply)
            faults += 1
    assert absent >= 5
    assert faults >= 3


def test_a_recorded_album_is_no_search(shared_data: Path) -> None:
    for reply in said(shared_data, "/album/302127"):
        if "data" not in json.loads(reply.body):
            with pytest.raises(errors.Garbled):
                SOURCE.read([TRACK], reply)


# ---------------------------------------------------------------- the simulator


@pytest.fixture(scope="module")
def world() -> World:
    known = conditions.Coverage(mean=0.7, popularity=0.6)
    given = msgspec.structs.replace(conditions.calm(), front_image={"deezer_if_known": 0.8}, coverage={"deezer": known})
    return World.invented(given, artists=60)


@pytest.fixture
def simulator(world: World) -> core.Simulator:
    return core.Simulator(world, HandClock(), limits=False, latency=False)


async def ask(simulator: core.Simulator, question: contract.Question) -> contract.Answer:
    client = Client(core.Mounted(simulator), HandClock(), "SleevenotesTest/0.1 ( test@example.org )")
    [answer] = SOURCE.read([question], await client.send(SOURCE.request([question]), SOURCE.policy.timeout))
    return answer


def recordings(world: World, *, known: bool) -> list[entities.Recording]:
    index = world.known.by("deezer")
    return [each for each in world.catalogue.recordings if (each.credit[0].artist.index in index) == known]


def named(recording: entities.Recording) -> contract.FindRecording:
    return contract.FindRecording(entities.printed(recording.credit), recording.title)


async def test_a_track_by_a_known_artist_is_found_once_with_all_its_albums(
    simulator: core.Simulator, world: World
) -> None:
    for recording in recordings(world, known=True)[:60]:
        answer = await ask(simulator, named(recording))
        guests = f" (feat. {recording.credit[1].credited})" if len(recording.credit) > 1 else ""
        own = [
            each
            for each in answer.candidates
            if isinstance(each, contract.RecordingCandidate)
            and each.recording.isrcs == ((recording.isrc,) if recording.isrc else ())
            and each.recording.title.removesuffix(guests) == recording.title
            and world.catalogue.home(recording.row).title in [release.title for release in each.releases]
        ]
        assert len(own) == 1
        assert own[0].recording.mbid == ""
        assert own[0].recording.foreign_id.startswith("deezer:")


async def test_an_unknown_artist_s_album_is_not_found_under_their_name(simulator: core.Simulator, world: World) -> None:
    for recording in recordings(world, known=False)[:60]:
        home = world.catalogue.home(recording.row)
        if home.credit[0].artist.index < 0:
            continue
        answer = await ask(simulator, contract.FindImages(entities.printed(home.credit), home.title))
        assert all(
            isinstance(each, contract.ImageAt)
            and (each.artist, each.release) != (home.credit[0].artist.name, home.title)
            for each in answer.candidates
        )


async def test_the_cover_named_for_an_album_is_that_album_s(simulator: core.Simulator, world: World) -> None:
    client = Client(core.Mounted(simulator), HandClock(), "SleevenotesTest/0.1 ( test@example.org )")
    checked = missing = 0
    for recording in recordings(world, known=True)[:80:2]:
        group = world.catalogue.home(recording.row).group
        by = entities.printed(group.credit)
        answer = await ask(simulator, contract.FindImages(by, group.title))
        own = [
            each
            for each in answer.candidates
            if isinstance(each, contract.ImageAt) and (each.artist, each.release) == (by, group.title)
        ]
        if not world.shown("deezer", group):
            assert own == []
            missing += 1
        for image in own:
            reply = await client.send(contract.Request(image.url), 10)
            assert world.cover_truth(reply.body) == group.mbid
            checked += 1
    assert checked > 5
    assert missing > 2


async def test_the_quota_is_a_throttle(simulator: core.Simulator) -> None:
    simulator.fail_next("api.deezer.com", "rate")
    with pytest.raises(errors.Throttled):
        await ask(simulator, TRACK)


@pytest.mark.parametrize("kind", ["500", "shed", "truncated", "short", "html", "drop"])
@pytest.mark.parametrize("question", [TRACK, ALBUM])
async def test_no_fault_is_absence(simulator: core.Simulator, question: contract.Question, kind: str) -> None:
    simulator.fail_next("api.deezer.com", kind)
    with pytest.raises(errors.Fault):
        await ask(simulator, question)


async def test_its_pace_is_never_over_the_limit(world: World) -> None:
    clock = HandClock()
    simulator = core.Simulator(world, clock, latency=False)
    for _ in range(4):
        for _ in range(SOURCE.policy.requests):
            await simulator.handle(wire.Request("GET", SOURCE.request([TRACK]).url))
        clock.turn(SOURCE.policy.window)
    assert simulator.statistics.violations == 0


def test_a_recorded_track_reads_as_the_answer_to_its_isrc(shared_data: Path) -> None:
    replies = said(shared_data, "/track/3135556")
    assert replies
    for reply in replies:
        row = json.loads(reply.body)
        [answer] = SOURCE.read([contract.FindByIsrc(row["isrc"], row["artist"]["name"], row["title"])], reply)
        [found] = answer.candidates
        assert isinstance(found, contract.RecordingCandidate)
        assert found.recording.isrcs == (row["isrc"],)
        assert found.recording.length_ms == row["duration"] * 1000


async def test_a_track_is_found_by_its_isrc_alone(simulator: core.Simulator, world: World) -> None:
    recording = next(each for each in recordings(world, known=True) if each.isrc)
    answer = await ask(simulator, contract.FindByIsrc(recording.isrc, "Whoever", "Whatever"))
    [found] = answer.candidates
    assert isinstance(found, contract.RecordingCandidate)
    assert found.recording.isrcs == (recording.isrc,)
    assert await ask(simulator, contract.FindByIsrc("QQQQQ0000000", "Whoever", "Whatever")) == contract.ABSENT
