"""TheAudioDB's source against what the service really said, and against the simulator of it."""

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
from sleevenotes.sources import contract, own_ids
from sleevenotes.sources.theaudiodb import TheAudioDB
from sleevenotes.upstream.client import Client

SOURCE = TheAudioDB()
HOST = "www.theaudiodb.com"


# ---------------------------------------------------------------- what the service said


def said(shared_data: Path, endpoint: str) -> contract.Reply:
    [found] = [
        each.reply
        for each in recorded.exchanges(shared_data, "theaudiodb", HOST)
        if re.search(rf"/{endpoint}\.php", each.path)
    ]
    return found


def test_the_recorded_track_is_read_with_its_mbids(shared_data: Path) -> None:
    question = contract.FindRecording("Luis Fonsi", "Despacito")
    [[candidate]] = [answer.candidates for answer in SOURCE.read([question], said(shared_data, "track-mb"))]
    assert isinstance(candidate, contract.RecordingCandidate)
    recording = candidate.recording
    assert recording.mbid == "1109d8da-ce4a-4739-9414-242dc3e9b81c"
    assert (recording.title, recording.artist_credit.name, recording.length_ms) == ("Despacito", "Luis Fonsi", 231573)
    assert recording.artist_credit.names[0].mbid == "d68fda90-ab8d-4799-be56-317ba4ae700f"
    [release] = candidate.releases
    assert release.title == "Despacito & mis grandes éxitos"
    assert release.release_group.mbid == "76357b1d-db6e-4dfc-b5fc-ed2544764d90"


def test_the_recorded_album_has_the_cover_that_was_asked_for(shared_data: Path) -> None:
    mbid = "aa997ea0-2936-40bd-884d-3af8a0e064dc"
    question = contract.FindImages("Daft Punk", "Random Access Memories", mbid)
    [answer] = SOURCE.read([question], said(shared_data, "album-mb"))
    thumb = f"https://{HOST}/images/media/album/thumb/random-access-memories-51764651042e5.jpg"
    page = f"https://{HOST}/album/2162908"
    cover = contract.ImageAt(
        thumb, "Daft Punk", "Random Access Memories", exact=True, page=page, genres=("House", "Electronic")
    )
    assert answer.candidates == (cover,)


def test_the_recorded_artist_has_a_picture(shared_data: Path) -> None:
    mbid = "5b11f4ce-a62d-471e-81fc-a69a8278c7da"
    [answer] = SOURCE.read([contract.FindArtist("Nirvana", mbid)], said(shared_data, "artist-mb"))
    page = f"https://{HOST}/artist/111319"
    thumb = f"https://{HOST}/images/media/artist/thumb/ryppyp1363124444.jpg"
    picture = contract.ImageAt(thumb, "Nirvana", page=page)
    assert answer.candidates == (
        contract.ArtistCandidate(
            "Nirvana",
            mbid,
            (picture,),
            page=page,
            genres=("Rock", "Pop"),
            ids=(own_ids.SourceId("artist", "111319", "Nirvana", page=page, mbid=mbid),),
        ),
    )


# ---------------------------------------------------------------- the simulator


@pytest.fixture(scope="module")
def world() -> World:
    given = conditions.calm()
    half = conditions.Coverage(mean=0.6, noise=0.5)
    coverage = {**given.coverage, "theaudiodb": half, "musicbrainz": half}
    days = {"calm": {}, "empty": {"theaudiodb_empty": 1.0}}
    return World.invented(msgspec.structs.replace(given, coverage=coverage, faults=days), artists=80)


@pytest.fixture
def simulator(world: World) -> core.Simulator:
    return core.Simulator(world, HandClock(), limits=False, latency=False)


async def ask(simulator: core.Simulator, question: contract.Question, source: TheAudioDB = SOURCE) -> contract.Answer:
    client = Client(core.Mounted(simulator), HandClock(), "SleevenotesTest/0.1 ( test@example.org )")
    [answer] = source.read([question], await client.send(source.request([question]), source.policy.timeout))
    return answer


def songs(world: World, *, known: bool) -> list[entities.Recording]:
    """Return songs by a single artist whom both TheAudioDB and MusicBrainz know, or neither."""
    wanted = {"theaudiodb", "musicbrainz"}
    return [
        each
        for each in world.catalogue.recordings
        if len(each.credit) == 1
        and len(wanted & world.known.sources_of(each.credit[0].artist)) == (2 if known else 0)
        and not world.extras.decoys(each.row)
    ]


def album_of(world: World, *, shown: bool) -> entities.Group:
    return next(
        group
        for each in songs(world, known=True)
        if world.shown("theaudiodb", group := world.catalogue.home(each.row).group) == shown
        and len(group.credit) == 1
        and group.credit[0].artist is each.credit[0].artist
    )


async def test_a_known_song_is_found_with_the_true_mbids(simulator: core.Simulator, world: World) -> None:
    for song in songs(world, known=True)[:100]:
        answer = await ask(simulator, contract.FindRecording(entities.printed(song.credit), song.title))
        [candidate] = answer.candidates
        assert isinstance(candidate, contract.RecordingCandidate)
        found = world.recording(candidate.recording.mbid)
        assert found is not None
        assert found.credit[0].artist is song.credit[0].artist
        assert names.key(names.plain(found.title)) == names.key(names.plain(song.title))
        assert candidate.recording.artist_credit.names[0].mbid == song.credit[0].artist.mbid


async def test_an_unknown_song_is_absent_whichever_way_it_is_told(simulator: core.Simulator, world: World) -> None:
    song = songs(world, known=False)[0]
    question = contract.FindRecording(entities.printed(song.credit), song.title)
    assert await ask(simulator, question) == contract.ABSENT
    simulator.set_day("empty")
    assert await ask(simulator, question) == contract.ABSENT


async def test_a_day_of_empty_bodies_hides_nothing_that_is_there(simulator: core.Simulator, world: World) -> None:
    simulator.set_day("empty")
    song = songs(world, known=True)[0]
    assert (await ask(simulator, contract.FindRecording(entities.printed(song.credit), song.title))).candidates


@pytest.mark.parametrize("by_mbid", [True, False])
async def test_an_album_s_cover_is_found_and_is_the_right_one(
    simulator: core.Simulator, world: World, by_mbid: bool
) -> None:
    group = album_of(world, shown=True)
    question = contract.FindImages(entities.printed(group.credit), group.title, group.mbid if by_mbid else "")
    [image] = (await ask(simulator, question)).candidates
    assert isinstance(image, contract.ImageAt)
    assert (image.artist, image.release, image.exact) == (entities.printed(group.credit), group.title, by_mbid)
    status, _, data = await core.Mounted(simulator).exchange("GET", image.url, {}, b"", max_bytes=8_000_000)
    assert (status, world.cover_truth(data)) == (200, group.mbid)


async def test_an_album_without_a_cover_and_an_album_unknown_are_absent(
    simulator: core.Simulator, world: World
) -> None:
    bare = album_of(world, shown=False)
    assert (await ask(simulator, contract.FindImages("", bare.title, bare.mbid))).candidates == ()
    nobody = contract.FindImages("Nobody", "Nothing", "00000000-0000-4000-8000-000000000000")
    assert await ask(simulator, nobody) == contract.ABSENT


@pytest.mark.parametrize(
    ("kind", "fault"),
    [
        ("500", errors.Unreachable),
        ("rate", errors.Throttled),
        ("shed", errors.Throttled),
        ("html", errors.Garbled),
        ("short", errors.Garbled),
        ("truncated", errors.Unreachable),
        ("drop", errors.Unreachable),
        ("401", errors.Unreachable),
    ],
)
async def test_no_fault_is_taken_for_absence(
    simulator: core.Simulator, world: World, kind: str, fault: type[errors.Fault]
) -> None:
    song = songs(world, known=True)[0]
    simulator.fail_next(HOST, kind)
    with pytest.raises(fault):
        await ask(simulator, contract.FindRecording(entities.printed(song.credit), song.title))


async def test_a_key_it_does_not_know_is_a_matter_of_settings(simulator: core.Simulator) -> None:
    with pytest.raises(errors.Unconfigured):
        await ask(simulator, contract.FindRecording("A", "B"), TheAudioDB("wrong"))


async def test_asked_at_its_policy_s_pace_it_never_refuses(world: World) -> None:
    clock = HandClock()
    simulator = core.Simulator(world, clock, latency=False)
    for _ in range(3):
        for _ in range(SOURCE.policy.requests):
            await ask(simulator, contract.FindRecording("A", "B"))
        clock.turn(SOURCE.policy.window)
    assert simulator.statistics.violations == 0


async def test_the_picture_of_an_artist_lies_where_it_is_said_to(simulator: core.Simulator, world: World) -> None:
    transport = core.Mounted(simulator)
    pictured = bare = 0
    for index in sorted(world.known.by("theaudiodb"))[:40]:
        artist = world.catalogue.artists[index]
        for question in (contract.FindArtist(artist.name, artist.mbid), contract.FindArtist(artist.name)):
            [found, *_] = [
                each
                for each in (await ask(simulator, question)).candidates
                if isinstance(each, contract.ArtistCandidate)
            ] or [contract.ArtistCandidate("")]
            for image in found.images:
                status, headers, _ = await transport.exchange("GET", image.url, {}, b"", max_bytes=8_000_000)
                assert (status, headers["content-type"]) == (200, "image/jpeg")
            pictured, bare = pictured + bool(found.images), bare + (not found.images)
    assert pictured > 5
    assert bare > 2
