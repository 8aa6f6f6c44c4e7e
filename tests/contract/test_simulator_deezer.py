"""The simulated Deezer against what Deezer really sent, and its ways of finding, limiting and failing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import quote

import msgspec
import pytest
from tests.contract import recorded

from sleevenotes.clock import HandClock
from sleevenotes.simulator import conditions, core, entities, extras, wire
from sleevenotes.simulator.world import World

API = "https://api.deezer.com"
# Fields the recordings predate, or which a lookup and a search differ in.
NEWER = {"isrc"}


@pytest.fixture(scope="module")
def world() -> World:
    known = conditions.Coverage(mean=0.7, popularity=0.6)
    given = msgspec.structs.replace(conditions.calm(), front_image={"deezer_if_known": 0.8}, coverage={"deezer": known})
    return World.invented(given, artists=80)


@pytest.fixture
def simulator(world: World) -> core.Simulator:
    return core.Simulator(world, HandClock(), limits=False, latency=False)


async def get(simulator: core.Simulator, path: str) -> Any:
    reply = await simulator.handle(wire.Request("GET", API + path))
    assert reply.status == 200
    return json.loads(reply.body)


def named(world: World, *, known: bool = True) -> list[entities.Recording]:
    """Return recordings by a single artist who is, or is not, known to Deezer."""
    index = world.known.by("deezer")
    return [
        each
        for each in world.catalogue.recordings
        if len(each.credit) == 1 and (each.credit[0].artist.index in index) == known
    ]


def words(recording: entities.Recording) -> str:
    return quote(f"{entities.printed(recording.credit)} {recording.title}")


def shape(document: Any, at: str = "") -> dict[str, str]:
    """Return the kind of value at every place of one object."""
    found = {}
    for name, value in document.items():
        place = f"{at}{name}"
        found[place] = type(value).__name__
        if isinstance(value, dict):
            found |= shape(value, f"{place}.")
    return found


async def ours(simulator: core.Simulator, world: World, entity: str) -> dict[str, Any]:
    """Return one object of a search."""
    [first, *_] = (await get(simulator, f"/search/{entity}?q={words(named(world)[0])}"))["data"] or [{}]
    if entity == "album":
        home = world.catalogue.home(named(world)[0].row)
        text = quote(f"{entities.printed(home.credit)} {home.title}")
        [first, *_] = (await get(simulator, f"/search/album?q={text}"))["data"]
    assert isinstance(first, dict)
    return first


@pytest.mark.parametrize(("entity", "pattern"), [("track", "/search?q=Soliloquy"), ("album", "/search/album?")])
async def test_what_is_found_looks_as_recorded(
    shared_data: Path, simulator: core.Simulator, world: World, entity: str, pattern: str
) -> None:
    exchange = next(
        each
        for each in recorded.exchanges(shared_data, "deezer", "api.deezer.com")
        if each.path.startswith(pattern) and each.reply.status == 200
    )
    real = json.loads(exchange.reply.body)
    shapes = [shape(row) for row in real["data"]]
    told = shape(await ours(simulator, world, entity))
    assert set(told) - NEWER == set(shapes[0])
    assert all(told[place] == shapes[0][place] for place in set(told) - NEWER)


async def test_a_page_looks_as_recorded(shared_data: Path, simulator: core.Simulator, world: World) -> None:
    pages = [
        json.loads(each.reply.body)
        for each in recorded.exchanges(shared_data, "deezer", "api.deezer.com")
        if each.path.startswith("/search")
    ]
    assert {frozenset(page) - {"next", "prev"} for page in pages} == {frozenset({"data", "total"})}
    page = await get(simulator, f"/search?q={words(named(world)[0])}")
    assert set(page) - {"next", "prev"} == {"data", "total"}


async def test_errors_and_headers_are_as_recorded(shared_data: Path, simulator: core.Simulator) -> None:
    real = {each.path: each.reply for each in recorded.exchanges(shared_data, "deezer", "api.deezer.com")}
    for path in ("/track/-1", "/album/-1"):
        reply = await simulator.handle(wire.Request("GET", API + path))
        assert (reply.status, json.loads(reply.body)) == (200, json.loads(real[path].body))
        assert reply.headers["content-type"] == real[path].headers["content-type"]
    lost = await simulator.handle(wire.Request("GET", API + "/does-not-exists"))
    assert (lost.status, json.loads(lost.body)) == (404, json.loads(real["/does-not-exists"].body))


async def test_a_search_without_words_says_so_with_status_200(simulator: core.Simulator) -> None:
    error = (await get(simulator, "/search/track?q="))["error"]
    assert (error["type"], error["code"]) == ("MissingParameterException", 501)


async def test_the_quota_is_fifty_in_five_seconds_and_refused_with_status_200(world: World) -> None:
    clock = HandClock()
    simulator = core.Simulator(world, clock, latency=False)
    for _ in range(50):
        assert "error" not in await get(simulator, "/search/track?q=nothing")
    refused = await get(simulator, "/search/track?q=nothing")
    assert refused == {"error": {"type": "Exception", "message": "Quota limit exceeded", "code": 4}}
    clock.turn(5.0)
    assert "error" not in await get(simulator, "/search/track?q=nothing")
    assert simulator.statistics.violations == 1


async def test_a_track_by_a_known_artist_is_found_with_its_isrc_and_its_length_in_seconds(
    simulator: core.Simulator, world: World
) -> None:
    for recording in named(world)[:60]:
        rows = (await get(simulator, f"/search/track?q={words(recording)}"))["data"]
        own = [row for row in rows if row["title"] == recording.title and row.get("isrc", "") == recording.isrc]
        home = world.catalogue.home(recording.row)
        assert home.title in {row["album"]["title"] for row in own}
        if recording.length:
            assert own[0]["duration"] == round(recording.length / 1000)


async def test_an_artist_who_is_not_known_is_not_sold(simulator: core.Simulator, world: World) -> None:
    for recording in named(world, known=False)[:60]:
        rows = (await get(simulator, f"/search/track?q={words(recording)}"))["data"]
        assert not any(row.get("isrc") == recording.isrc for row in rows if recording.isrc)


async def test_a_search_finds_the_same_title_by_others(simulator: core.Simulator, world: World) -> None:
    others = 0
    for recording in world.catalogue.recordings:
        if any(
            world.extras.decoy_kind(recording.row, number) not in extras.SAME_ARTIST
            for number in range(world.extras.decoys(recording.row))
        ):
            rows = (await get(simulator, f"/search/track?q={words(recording)}"))["data"]
            lead = recording.credit[0].artist.name
            others += any(row["artist"]["name"] != lead or not row.get("isrc") for row in rows)
    assert others > 10


async def test_an_album_search_finds_albums_of_the_same_name_by_others(simulator: core.Simulator, world: World) -> None:
    misled = 0
    for recording in named(world)[:400:4]:
        home = world.catalogue.home(recording.row)
        by = entities.printed(home.credit)
        rows = (await get(simulator, f"/search/album?q={quote(f'{by} {home.title}')}"))["data"]
        assert home.title in {row["title"] for row in rows}
        misled += any(row["title"] == home.title and row["artist"]["name"] != by for row in rows)
    assert misled > 0


async def test_the_field_syntax_finds_less_than_plain_words(simulator: core.Simulator, world: World) -> None:
    recording = named(world)[0]
    by = entities.printed(recording.credit)
    narrow = await get(simulator, "/search?q=" + quote(f'artist:"{by}" track:"{recording.title}"'))
    assert {row["artist"]["name"] for row in narrow["data"]} == {by}
    wrong = await get(simulator, "/search?q=" + quote(f'artist:"Somebody Else" track:"{recording.title}"'))
    assert wrong["data"] == []


async def test_pages_follow_index_and_limit(simulator: core.Simulator, world: World) -> None:
    recording = max(named(world)[:80], key=lambda each: len(each.releases))
    whole = await get(simulator, f"/search/track?q={words(recording)}&limit=100")
    assert whole["total"] == len(whole["data"]) > 25
    assert len((await get(simulator, f"/search/track?q={words(recording)}"))["data"]) == 25
    first = await get(simulator, f"/search/track?q={words(recording)}&limit=1")
    assert (len(first["data"]), first["total"]) == (1, whole["total"])
    second = await get(simulator, first["next"].removeprefix(API))
    assert [*first["data"], *second["data"]] == whole["data"][:2]


async def test_an_album_without_a_cover_has_an_empty_hash_in_its_addresses(
    simulator: core.Simulator, world: World
) -> None:
    seen = set()
    for recording in named(world)[:80]:
        for row in (await get(simulator, f"/search/track?q={words(recording)}"))["data"]:
            md5 = row["album"]["md5_image"]
            assert row["album"]["cover_xl"].endswith(f"/images/cover/{md5}/1000x1000-000000-80-0-0.jpg")
            seen.add(bool(md5))
    assert seen == {True, False}


async def test_what_a_search_told_of_can_be_looked_up(simulator: core.Simulator, world: World) -> None:
    recording = next(each for each in named(world) if each.isrc)
    by_isrc = await get(simulator, f"/track/isrc:{recording.isrc}")
    assert by_isrc["title"] == recording.title
    again = await get(simulator, f"/track/{by_isrc['id']}")
    assert again == by_isrc
    album = await get(simulator, f"/album/{by_isrc['album']['id']}")
    assert album["title"] == by_isrc["album"]["title"]
    assert (await get(simulator, "/track/isrc:QQQQQ0000000"))["error"]["code"] == 800


async def test_its_own_fault_is_an_error_without_a_code(simulator: core.Simulator) -> None:
    simulator.fail_next("api.deezer.com", "shed")
    assert await get(simulator, "/search?q=x") == {"error": {"type": "Exception", "message": "An error has occured"}}
    simulator.fail_next("api.deezer.com", "500")
    assert (await simulator.handle(wire.Request("GET", f"{API}/search?q=x"))).status == 500


async def test_requests_are_counted_by_what_is_asked(simulator: core.Simulator) -> None:
    for path in ("/search?q=x", "/search/track?q=x", "/search/album?q=x", "/album/1", "/nothing"):
        await simulator.handle(wire.Request("GET", API + path))
    kinds = simulator.statistics.snapshot()["hosts"]["api.deezer.com"]["kinds"]
    assert {kind: sum(counts.values()) for kind, counts in kinds.items()} == {
        "track_search": 2,
        "album_search": 1,
        "album_lookup": 1,
        "other": 1,
    }
