"""The simulated iTunes Search API. No exchange of the real one is recorded: it is held to what is documented of it."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

import msgspec
import pytest

from sleevenotes.clock import HandClock
from sleevenotes.simulator import conditions, core, entities, wire
from sleevenotes.simulator.world import World

API = "https://itunes.apple.com/search?"
SONG = {
    "wrapperType", "kind", "artistId", "collectionId", "trackId", "artistName", "collectionName", "trackName",
    "collectionCensoredName", "trackCensoredName", "artistViewUrl", "collectionViewUrl", "trackViewUrl", "previewUrl",
    "artworkUrl30", "artworkUrl60", "artworkUrl100", "collectionPrice", "trackPrice", "releaseDate",
    "collectionExplicitness", "trackExplicitness", "discCount", "discNumber", "trackCount", "trackNumber",
    "trackTimeMillis", "country", "currency", "primaryGenreName", "isStreamable",
}  # fmt: skip


@pytest.fixture(scope="module")
def world() -> World:
    known = conditions.Coverage(mean=0.7, popularity=0.6)
    given = msgspec.structs.replace(conditions.calm(), front_image={"itunes_if_known": 0.8}, coverage={"itunes": known})
    return World.invented(given, artists=80)


@pytest.fixture
def simulator(world: World) -> core.Simulator:
    return core.Simulator(world, HandClock(), limits=False, latency=False)


async def ask(simulator: core.Simulator, **given: object) -> wire.Reply:
    return await simulator.handle(wire.Request("GET", API + urlencode({"media": "music", **given})))


async def rows(simulator: core.Simulator, entity: str, term: str, **given: object) -> list[dict[str, Any]]:
    reply = await ask(simulator, entity=entity, term=term, **given)
    assert reply.status == 200
    document = json.loads(reply.body)
    assert document["resultCount"] == len(document["results"])
    found = document["results"]
    assert isinstance(found, list)
    return found


def named(world: World, *, known: bool = True) -> list[entities.Recording]:
    index = world.known.by("itunes")
    return [each for each in world.catalogue.recordings if (each.credit[0].artist.index in index) == known]


def words(recording: entities.Recording) -> str:
    return f"{entities.printed(recording.credit)} {recording.title}"


async def test_a_body_starts_with_line_feeds_and_is_called_javascript(simulator: core.Simulator) -> None:
    reply = await ask(simulator, entity="song", term="nobody at all")
    assert reply.body.startswith(b"\n\n\n{")
    assert reply.headers["content-type"] == "text/javascript; charset=utf-8"
    assert reply.headers["cache-control"] == "max-age=86400"
    assert json.loads(reply.body) == {"resultCount": 0, "results": []}


async def test_a_missing_term_finds_nothing_and_is_no_error(simulator: core.Simulator) -> None:
    assert json.loads((await ask(simulator, entity="song")).body)["resultCount"] == 0


async def test_a_song_has_the_documented_fields(simulator: core.Simulator, world: World) -> None:
    seen: set[str] = set()
    for recording in named(world)[:40]:
        for row in await rows(simulator, "song", words(recording)):
            assert set(row) <= SONG | {"collectionArtistName", "collectionArtistId"}
            seen |= set(row)
    assert seen >= SONG


async def test_a_song_by_a_known_artist_is_found_on_its_album(simulator: core.Simulator, world: World) -> None:
    for recording in named(world)[:60]:
        own = [row for row in await rows(simulator, "song", words(recording)) if row["trackName"] == recording.title]
        home = world.catalogue.home(recording.row)
        assert any(row["collectionName"].startswith(home.title) for row in own)
        if recording.length:
            assert recording.length in {row["trackTimeMillis"] for row in own}


async def test_an_artist_who_is_not_known_is_not_sold(simulator: core.Simulator, world: World) -> None:
    for recording in named(world, known=False)[:60]:
        found = await rows(simulator, "song", words(recording))
        assert recording.length is None or recording.length not in {row["trackTimeMillis"] for row in found}


async def test_all_words_must_be_there(simulator: core.Simulator, world: World) -> None:
    recording = named(world)[0]
    assert await rows(simulator, "song", words(recording))
    assert await rows(simulator, "song", words(recording) + " zzzyx") == []


async def test_singles_say_so_in_their_names(simulator: core.Simulator, world: World) -> None:
    singles = 0
    for group in list(world.catalogue.groups.values()):
        if group.credit[0].artist.index in world.known.by("itunes") and group.primary == "Single":
            found = await rows(simulator, "album", f"{entities.printed(group.credit)} {group.title}")
            assert f"{group.title} - Single" in {row["collectionName"] for row in found}
            singles += 1
    assert singles > 10


async def test_an_album_without_artwork_names_none(simulator: core.Simulator, world: World) -> None:
    seen = set()
    for group in list(world.catalogue.groups.values())[:80]:
        for row in await rows(simulator, "album", f"{entities.printed(group.credit)} {group.title}"):
            assert (row["wrapperType"], row["collectionType"]) == ("collection", "Album")
            assert "trackName" not in row
            seen.add("artworkUrl100" in row)
            assert row.get("artworkUrl100", "/100x100bb.jpg").endswith("/100x100bb.jpg")
    assert seen == {True, False}


async def test_a_limit_is_obeyed(simulator: core.Simulator, world: World) -> None:
    recording = max(named(world)[:80], key=lambda each: len(each.releases))
    assert len(await rows(simulator, "song", words(recording), limit=1)) == 1


async def test_a_wrong_country_or_entity_is_refused(simulator: core.Simulator) -> None:
    for wrong in ({"country": "USA", "entity": "song"}, {"entity": "songs"}):
        reply = await ask(simulator, term="x", **wrong)
        assert (reply.status, b"errorMessage" in reply.body) == (400, True)


async def test_twenty_a_minute_are_allowed_and_the_rest_is_refused_in_three_ways(world: World) -> None:
    clock = HandClock()
    simulator = core.Simulator(world, clock, latency=False)
    recording = named(world)[0]
    for _ in range(20):
        assert await rows(simulator, "song", words(recording))
    refused = [await ask(simulator, entity="song", term=words(recording)) for _ in range(20)]
    assert {reply.status for reply in refused} == {403, 429, 200}
    assert all("retry-after" not in reply.headers for reply in refused)
    assert sum(reply.status == 403 for reply in refused) > 10
    silent = next(reply for reply in refused if reply.status == 200)
    assert json.loads(silent.body) == {"resultCount": 0, "results": []}
    clock.turn(60)
    assert await rows(simulator, "song", words(recording))
    assert simulator.statistics.violations == 20


async def test_its_own_fault_is_to_find_nothing(simulator: core.Simulator, world: World) -> None:
    simulator.fail_next("itunes.apple.com", "shed")
    assert await rows(simulator, "song", words(named(world)[0])) == []
    simulator.fail_next("itunes.apple.com", "rate")
    assert (await ask(simulator, entity="song", term="x")).status in (403, 429)
