"""The Last.fm source against what Last.fm really said, and against the simulator of it."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import msgspec
import pytest
from tests.contract import recorded

from sleevenotes import errors
from sleevenotes.clock import HandClock
from sleevenotes.simulator import conditions, core, entities
from sleevenotes.simulator.world import World
from sleevenotes.sources import contract, lastfm
from sleevenotes.upstream.client import Client

SOURCE = lastfm.LastFm("b25b959554ed76058ac220b7b2e0a026")
AGENT = "SleevenotesTest/0.1 ( test@example.org )"
TRACK = contract.FindRecording("Nobody Whom Anybody Knows", "Xyzzy")
ALBUM = contract.FindImages("Nobody Whom Anybody Knows", "Xyzzy")


def exchanges(shared_data: Path, method: str) -> list[recorded.Exchange]:
    found = [
        each
        for each in recorded.exchanges(shared_data, "lastfm", "ws.audioscrobbler.com")
        if parse_qs(urlsplit(each.path).query).get("method") == [method]
    ]
    assert found, method
    return found


def tracks(answer: contract.Answer) -> list[contract.RecordingCandidate]:
    return [each for each in answer.candidates if isinstance(each, contract.RecordingCandidate)]


def images(answer: contract.Answer) -> list[contract.ImageAt]:
    return [each for each in answer.candidates if isinstance(each, contract.ImageAt)]


# ---------------------------------------------------------------- what Last.fm said


def test_a_recorded_track_reads_with_its_facts(shared_data: Path) -> None:
    reply = exchanges(shared_data, "track.getInfo")[0].reply
    [found] = tracks(SOURCE.read([TRACK], reply)[0])
    assert (found.recording.title, found.recording.length_ms) == ("Paranoid Android", 383_000)
    assert (found.recording.mbid, found.recording.foreign_id) == ("", "lastfm:Radiohead/_/Paranoid+Android")
    [artist] = found.recording.artist_credit.names
    assert (artist.name, artist.mbid) == ("Radiohead", "a74b1b7f-71a5-4011-9441-d0b5e4122711")
    [release] = found.releases
    assert (release.mbid, release.title, release.foreign_id) == ("", "OK Computer", "lastfm:Radiohead/OK+Computer")
    original, reduced = found.images
    assert original.url == "https://lastfm.freetls.fastly.net/i/u/62d26c6cb4ac4bdccb8f3a2a0fd55421.png"
    assert reduced.url == "https://lastfm.freetls.fastly.net/i/u/300x300/62d26c6cb4ac4bdccb8f3a2a0fd55421.png"
    assert (reduced.width, reduced.release, reduced.exact) == (300, "OK Computer", False)


def test_every_recorded_artist_reads_or_is_absent(shared_data: Path) -> None:
    listeners = []
    for each in exchanges(shared_data, "artist.getInfo"):
        [answer] = SOURCE.read([contract.FindArtist("Nobody")], each.reply)
        listeners += [one.listeners for one in answer.candidates if isinstance(one, contract.ArtistCandidate)]
    assert len(listeners) > 10
    assert all(count and count > 1000 for count in listeners)


def test_every_recorded_track_reads_or_is_absent(shared_data: Path) -> None:
    read = absent = 0
    for each in exchanges(shared_data, "track.getInfo"):
        [answer] = SOURCE.read([TRACK], each.reply)
        if b'"error": 6' in each.reply.body:
            assert answer == contract.ABSENT
            absent += 1
        else:
            [found] = tracks(answer)
            assert found.recording.title
            read += 1
    assert read > 10
    assert absent


def test_a_track_of_unknown_length_and_without_an_album_reads(shared_data: Path) -> None:
    [each] = [each for each in exchanges(shared_data, "track.getInfo") if "No%20Tears" in each.path]
    [found] = tracks(SOURCE.read([TRACK], each.reply)[0])
    assert (found.recording.length_ms, found.releases, found.images) == (None, (), ())


def test_a_compilations_track_is_on_an_album_by_various_artists(shared_data: Path) -> None:
    [each] = [each for each in exchanges(shared_data, "track.getInfo") if "track=Solo" in each.path]
    [found] = tracks(SOURCE.read([TRACK], each.reply)[0])
    credit = found.releases[0].artist_credit
    assert credit
    assert credit.names[0].mbid == "89ad4ac3-39f7-470e-963a-56509c546377"


def test_recorded_albums_read_with_their_covers_or_are_absent(shared_data: Path) -> None:
    read = 0
    for each in exchanges(shared_data, "album.getInfo"):
        [answer] = SOURCE.read([ALBUM], each.reply)
        found = images(answer)
        assert bool(found) == (b'"error": 6' not in each.reply.body)
        for image in found:
            assert (image.artist, image.release) == ("Pink Floyd", "The Dark Side Of The Moon")
            assert image.page == "https://www.last.fm/music/Pink+Floyd/The+Dark+Side+Of+The+Moon"
            read += 1
    assert read


def test_replies_to_other_questions_are_garbled_and_never_absent(shared_data: Path) -> None:
    other = 0
    for each in recorded.exchanges(shared_data, "lastfm", "ws.audioscrobbler.com"):
        if not re.search(r"method=(track|album)\.getInfo", each.path) and b'"error"' not in each.reply.body:
            for question in (TRACK, ALBUM):
                with pytest.raises(errors.Garbled):
                    SOURCE.read([question], each.reply)
            other += 1
    assert other > 20


# ---------------------------------------------------------------- the simulator


@pytest.fixture(scope="module")
def world() -> World:
    return World.invented(msgspec.structs.replace(conditions.calm(), faults={"calm": {}}), artists=60)


@pytest.fixture
def simulator(world: World) -> core.Simulator:
    return core.Simulator(world, HandClock(), limits=False, latency=False)


async def ask(
    simulator: core.Simulator, question: contract.Question, source: contract.Source = SOURCE
) -> contract.Answer:
    client = Client(core.Mounted(simulator), HandClock(), AGENT)
    [answer] = source.read([question], await client.send(source.request([question]), source.policy.timeout))
    return answer


def known(world: World) -> list[entities.Recording]:
    held = world.known.by("lastfm")
    return [each for each in world.catalogue.recordings if each.credit[0].artist.index in held]


async def test_tracks_it_knows_are_found(simulator: core.Simulator, world: World) -> None:
    on_home = covered = 0
    for each in known(world)[::10]:
        question = contract.FindRecording(entities.printed(each.credit), each.title)
        [found] = tracks(await ask(simulator, question))
        assert (found.recording.title, found.recording.artist_credit.name) == (each.title, question.artist)
        assert found.recording.foreign_id.startswith("lastfm:")
        on_home += any(one.title == world.catalogue.home(each.row).title for one in found.releases)
        covered += bool(found.images)
    total = len(known(world)[::10])
    assert on_home > 0.8 * total
    assert covered > 0.6 * total


async def test_covers_are_the_albums_own(simulator: core.Simulator, world: World) -> None:
    client = Client(core.Mounted(simulator), HandClock(), AGENT)
    fetched = bare = 0
    for each in known(world)[::40]:
        release = world.catalogue.home(each.row)
        question = contract.FindImages(entities.printed(release.credit), release.title)
        found = images(await ask(simulator, question))
        assert bool(found) == world.shown("lastfm", release.group)
        bare += not found
        for image in found:
            reply = await client.send(contract.Request(image.url), 30)
            assert world.cover_truth(reply.body) == release.group.mbid
            fetched += 1
    assert fetched > 10
    assert bare


@pytest.mark.parametrize("number", range(6))  # half of these replies have status 404, half 200
async def test_what_it_does_not_have_is_absent(simulator: core.Simulator, number: int) -> None:
    for question in (contract.FindRecording(f"Nobody {number}", "Xyzzy"), contract.FindImages(f"No {number}", "Xyz")):
        assert await ask(simulator, question) == contract.ABSENT


async def test_a_refused_key_is_unconfigured(simulator: core.Simulator) -> None:
    with pytest.raises(errors.Unconfigured, match="lastfm_key"):
        await ask(simulator, TRACK, lastfm.LastFm("invalid"))


@pytest.mark.parametrize("kind", ["rate", "error 29"])
async def test_too_fast_is_throttled_whatever_the_status(simulator: core.Simulator, kind: str) -> None:
    simulator.fail_next("ws.audioscrobbler.com", kind)
    with pytest.raises(errors.Throttled):
        await ask(simulator, TRACK)


@pytest.mark.parametrize(
    "kind",
    ["500", "shed", "html", "truncated", "short", "drop", "empty", "error 8", "error 11", "error 16", "error 26"],
)
@pytest.mark.parametrize("question", [TRACK, ALBUM], ids=["track", "album"])
async def test_a_reply_that_is_broken_is_a_fault(
    simulator: core.Simulator, question: contract.Question, kind: str
) -> None:
    simulator.fail_next("ws.audioscrobbler.com", kind)
    with pytest.raises(errors.Fault):
        await ask(simulator, question)


async def test_its_pace_is_within_the_limit(world: World) -> None:
    clock = HandClock()
    simulator = core.Simulator(world, clock, latency=False)
    for _ in range(5):
        for _ in range(SOURCE.policy.requests):
            await ask(simulator, TRACK)
        clock.turn(SOURCE.policy.window)
    assert simulator.statistics.violations == 0


async def test_the_simulated_lastfm_counts_the_listeners_of_artists_it_knows(
    simulator: core.Simulator, world: World
) -> None:
    known = world.known.by("lastfm")
    for artist in world.catalogue.artists[:40]:
        answer = await ask(simulator, contract.FindArtist(artist.name))
        if artist.index in known:
            [found] = answer.candidates
            assert isinstance(found, contract.ArtistCandidate)
            assert found.listeners
        else:
            assert answer == contract.ABSENT
