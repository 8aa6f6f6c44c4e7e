"""Discogs' source against what the service really said, and against the simulator of it."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec
import pytest
from tests.contract import recorded

from sleevenotes import errors, names
from sleevenotes.clock import HandClock
from sleevenotes.simulator import conditions, core, entities
from sleevenotes.simulator.world import World
from sleevenotes.sources import contract, discogs, discogs_names
from sleevenotes.upstream.client import Client

SOURCE = discogs.Discogs("token")
STRANGER = discogs.Discogs()
HOST = "api.discogs.com"
ALBUM = contract.FindImages("Dune", "Dark Side Of The Moon")


# ---------------------------------------------------------------- what the service said


def test_every_recorded_refusal_says_to_wait_a_minute(shared_data: Path) -> None:
    refused = [each.reply for each in recorded.exchanges(shared_data, "discogs", HOST) if each.reply.status == 429]
    assert len(refused) >= 4
    for reply in refused:
        with pytest.raises(errors.Throttled) as raised:
            SOURCE.read([ALBUM], reply)
        assert raised.value.retry_after == 60


def test_no_recorded_page_of_another_kind_is_taken_for_a_search(shared_data: Path) -> None:
    """No search was recorded; a master, release or artist in its place is a fault and not "nothing found"."""
    pages = [each.reply for each in recorded.exchanges(shared_data, "discogs", HOST) if each.reply.status == 200]
    assert len(pages) > 50
    for reply in pages:
        with pytest.raises(errors.Garbled):
            SOURCE.read([ALBUM], reply)


def test_a_recorded_release_tells_tracks_from_their_mixes(shared_data: Path) -> None:
    [reply] = [
        each.reply
        for each in recorded.exchanges(shared_data, "discogs", HOST)
        if each.path.startswith("/releases/430616") and each.reply.status == 200
    ]
    [answer] = SOURCE.read([contract.DescribeRelease("discogs:r430616", "Dark Side Of The Moon")], reply)
    found = [each for each in answer.candidates if isinstance(each, contract.RecordingCandidate)]
    assert (found[0].recording.title, found[0].recording.length_ms) == ("Dark Side Of The Moon (Original Mix)", 487_000)
    assert found[0].recording.artist_credit.name == "Ernesto vs Bastian"
    assert len(found) == len({each.recording.foreign_id for each in found}) >= 2
    [release] = found[0].releases
    assert (release.date, release.release_group.foreign_id) == ("2005-04-04", "discogs:m125017")
    assert SOURCE.read([contract.DescribeRelease("discogs:r430616", "Time")], reply) == [contract.ABSENT]


def test_a_recorded_release_tells_all_its_tracks_to_who_asks_for_none_by_name(shared_data: Path) -> None:
    [reply] = [
        each.reply
        for each in recorded.exchanges(shared_data, "discogs", HOST)
        if each.path.startswith("/releases/430616") and each.reply.status == 200
    ]
    [answer] = SOURCE.read([contract.DescribeRelease("discogs:r430616", "")], reply)
    listed = msgspec.json.decode(reply.body)["tracklist"]
    titles = [each.recording.title for each in answer.candidates if isinstance(each, contract.RecordingCandidate)]
    assert titles == [track["title"] for track in listed if track["type_"] == "track"]


def test_every_recorded_master_leads_to_its_main_release(shared_data: Path) -> None:
    masters = [
        each
        for each in recorded.exchanges(shared_data, "discogs", HOST)
        if each.path.startswith("/masters/") and each.reply.status == 200
    ]
    assert len(masters) >= 4
    for each in masters:
        page = msgspec.json.decode(each.reply.body)
        [answer] = SOURCE.read([contract.DescribeRelease(f"discogs:m{page['id']}", "")], each.reply)
        assert answer.follow_ups == (contract.DescribeRelease(f"discogs:r{page['main_release']}", ""),)


def test_every_recorded_release_reads(shared_data: Path) -> None:
    read = 0
    for each in recorded.exchanges(shared_data, "discogs", HOST):
        if re.match(r"/releases/\d+\?", each.path) and each.reply.status == 200:
            [answer] = SOURCE.read([contract.DescribeRelease("discogs:r1", "")], each.reply)
            assert all(isinstance(one, contract.RecordingCandidate) for one in answer.candidates)
            read += bool(answer.candidates)
    assert read


def test_recorded_artists_are_called_as_others_call_them(shared_data: Path) -> None:
    numbered = {"The Actor (2)": "The Actor", "Ziggy (32)": "Ziggy", "Plank (3)": "Plank", "Dune (3)": "Dune"}
    told = "".join(each.reply.body.decode() for each in recorded.exchanges(shared_data, "discogs", HOST))
    for name, plain in numbered.items():
        assert f'"{name}"' in told
        assert discogs_names.split_title(f"{name} - Title", plain) == (plain, "Title")


# ---------------------------------------------------------------- the simulator


@pytest.fixture(scope="module")
def world() -> World:
    given = conditions.calm()
    coverage = {**given.coverage, "discogs": conditions.Coverage(mean=0.7, noise=0.5)}
    decoys = conditions.Decoys(per_name=0.6)
    days = {"calm": {}, "closed": {"discogs_401": 1.0}}
    return World.invented(msgspec.structs.replace(given, coverage=coverage, decoys=decoys, faults=days), artists=80)


@pytest.fixture
def simulator(world: World) -> core.Simulator:
    return core.Simulator(world, HandClock(), limits=False, latency=False)


async def ask(
    simulator: core.Simulator, question: contract.Question, source: discogs.Discogs = SOURCE
) -> contract.Answer:
    client = Client(core.Mounted(simulator), HandClock(), "SleevenotesTest/0.1 ( test@example.org )")
    [answer] = source.read([question], await client.send(source.request([question]), source.policy.timeout))
    return answer


def known(world: World) -> list[entities.Recording]:
    return [each for each in world.catalogue.recordings if each.credit[0].artist.index in world.known.by("discogs")]


def albums(world: World, *, shown: bool) -> list[entities.Group]:
    """Return albums of artists that Discogs knows, with or without an image there."""
    found = {group.mbid: group for each in known(world) if (group := world.catalogue.home(each.row).group)}
    return [
        group
        for group in found.values()
        if world.shown("discogs", group) == shown and group.credit[0].artist.index in world.known.by("discogs")
    ]


def is_of(image: contract.ImageAt, group: entities.Group) -> bool:
    """Hold an image against an album as a matcher would: by the names the source gives."""
    mine = (names.key(entities.printed(group.credit)), names.key(group.title))
    return (names.key(image.artist), names.key(image.release)) == mine


async def test_covers_bear_their_album_s_names_and_are_the_right_ones(simulator: core.Simulator, world: World) -> None:
    transport = core.Mounted(simulator)
    found = 0
    for group in albums(world, shown=True)[:60]:
        answer = await ask(simulator, contract.FindImages(entities.printed(group.credit), group.title))
        images = [each for each in answer.candidates if isinstance(each, contract.ImageAt) and is_of(each, group)]
        truths = set()
        for image in images:
            status, _, data = await transport.exchange("GET", image.url, {}, b"", max_bytes=8_000_000)
            assert status == 200
            truths.add(world.cover_truth(data))
        assert group.mbid in truths, (group.title, answer.candidates)
        found += truths == {group.mbid}
    assert found >= 55  # the others have a namesake by the very same artist name


async def test_an_album_without_an_image_is_absent_and_so_is_one_that_is_unknown(
    simulator: core.Simulator, world: World
) -> None:
    answers = [
        (group, await ask(simulator, contract.FindImages(entities.printed(group.credit), group.title)))
        for group in albums(world, shown=False)[:20]
    ]
    assert any(not answer.candidates for _, answer in answers)
    for group, answer in answers:
        assert not any(is_of(each, group) for each in answer.candidates if isinstance(each, contract.ImageAt))
    assert await ask(simulator, contract.FindImages("Nobody At All", "Nothing")) == contract.ABSENT


@pytest.mark.parametrize("source", [SOURCE, STRANGER], ids=["token", "stranger"])
async def test_a_known_song_is_found_on_its_album(
    simulator: core.Simulator, world: World, source: discogs.Discogs
) -> None:
    for song in known(world)[:60]:
        question = contract.FindRecording(entities.printed(song.credit), song.title)
        answer = await ask(simulator, question, source)
        found = [each for each in answer.candidates if isinstance(each, contract.RecordingCandidate)]
        assert all(not each.recording.mbid and each.recording.foreign_id for each in found)
        own = [
            release.title
            for each in found
            if names.key(each.recording.artist_credit.name) == names.key(song.credit[0].artist.name)
            for release in each.releases
        ]
        home = world.catalogue.home(song.row)
        if len(song.credit) == 1 and home.group.credit[0].artist is song.credit[0].artist:
            assert home.title in own, (question, own)


async def test_a_song_s_release_says_that_it_is_there_by_its_own_title(simulator: core.Simulator, world: World) -> None:
    looked_up = there = 0
    for song in known(world)[:60]:
        answer = await ask(simulator, contract.FindRecording(entities.printed(song.credit), song.title))
        for question in answer.follow_ups:
            told = await ask(simulator, question)
            titles = [each.recording.title for each in told.candidates if isinstance(each, contract.RecordingCandidate)]
            looked_up, there = looked_up + 1, there + bool(titles)
            assert all(names.key(names.plain(song.title)) in names.key(title) for title in titles)
    assert looked_up >= 40
    assert there >= looked_up * 0.8  # a version's own release lists no tracks in this world


async def test_a_master_leads_to_a_release_with_its_tracks(simulator: core.Simulator, world: World) -> None:
    song = known(world)[0]
    found = await ask(simulator, contract.FindRecording(entities.printed(song.credit), song.title))
    groups = [
        release.release_group.foreign_id
        for each in found.candidates
        if isinstance(each, contract.RecordingCandidate)
        for release in each.releases
    ]
    master = next(each for each in groups if each.startswith("discogs:m"))
    [main] = (await ask(simulator, contract.DescribeRelease(master, ""))).follow_ups
    tracks = (await ask(simulator, main)).candidates
    assert tracks
    for each in tracks:
        assert isinstance(each, contract.RecordingCandidate)
        assert each.releases[0].release_group.foreign_id == master


async def test_a_stranger_is_shown_no_images_and_may_be_refused(simulator: core.Simulator, world: World) -> None:
    song = known(world)[0]
    question = contract.FindRecording(entities.printed(song.credit), song.title)
    answer = await ask(simulator, question, STRANGER)
    assert all(isinstance(each, contract.RecordingCandidate) and not each.images for each in answer.candidates)
    simulator.set_day("closed")
    with pytest.raises(errors.Unconfigured):
        await ask(simulator, question, STRANGER)
    assert (await ask(simulator, question)).candidates


@pytest.mark.parametrize(
    ("kind", "fault"),
    [
        ("500", errors.Unreachable),
        ("rate", errors.Throttled),
        ("shed", errors.Throttled),
        ("html", errors.Garbled),
        ("empty", errors.Garbled),
        ("short", errors.Garbled),
        ("truncated", errors.Unreachable),
        ("drop", errors.Unreachable),
        ("401", errors.Unconfigured),
    ],
)
async def test_no_fault_is_taken_for_absence(
    simulator: core.Simulator, world: World, kind: str, fault: type[errors.Fault]
) -> None:
    group = albums(world, shown=True)[0]
    simulator.fail_next(HOST, kind)
    with pytest.raises(fault):
        await ask(simulator, contract.FindImages(entities.printed(group.credit), group.title))


@pytest.mark.parametrize("source", [SOURCE, STRANGER], ids=["token", "stranger"])
async def test_asked_at_its_policy_s_pace_it_never_refuses(world: World, source: discogs.Discogs) -> None:
    clock = HandClock()
    simulator = core.Simulator(world, clock, latency=False)
    for _ in range(3):
        for _ in range(source.policy.requests):
            await ask(simulator, contract.FindRecording("Nobody", "Nothing"), source)
        clock.turn(source.policy.window)
    assert simulator.statistics.violations == 0
    for _ in range(source.policy.requests):
        await ask(simulator, contract.FindRecording("Nobody", "Nothing"), source)
    with pytest.raises(errors.Throttled):
        await ask(simulator, contract.FindRecording("Nobody", "Nothing"), source)
