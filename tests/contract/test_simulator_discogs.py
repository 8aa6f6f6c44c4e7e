"""The simulated Discogs: the recorded shapes, its counting, its switches for strangers, and its ways of naming."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import msgspec
import pytest
from tests.contract import recorded
from tests.contract.test_simulator_shapes import places

from sleevenotes.clock import HandClock
from sleevenotes.simulator import conditions, core, entities, imagehosts, wire
from sleevenotes.simulator.world import World

API = "https://api.discogs.com"
AGENT = {"user-agent": "SleevenotesTest/0.1 ( test@example.org )"}
TOKEN = {**AGENT, "authorization": "Discogs token=abc"}


@pytest.fixture(scope="module")
def world() -> World:
    given = conditions.calm()
    coverage = {**given.coverage, "discogs": conditions.Coverage(mean=0.7, noise=0.5)}
    days = {"calm": {}, "closed": {"discogs_401": 1.0}}
    decoys = conditions.Decoys(per_name=0.6)
    return World.invented(msgspec.structs.replace(given, coverage=coverage, decoys=decoys, faults=days), artists=80)


@pytest.fixture
def simulator(world: World) -> core.Simulator:
    return core.Simulator(world, HandClock(), limits=False, latency=False)


def get(simulator: core.Simulator, path: str, headers: dict[str, str] | None = None, **given: Any) -> wire.Reply:
    url = f"{API}{path}" + (f"?{urlencode(given)}" if given else "")
    return simulator.plan(wire.Request("GET", url, TOKEN if headers is None else headers)).reply


def search(simulator: core.Simulator, headers: dict[str, str] | None = None, **given: Any) -> list[dict[str, Any]]:
    reply = get(simulator, "/database/search", headers, **given)
    assert reply.status == 200, reply.body
    results: list[dict[str, Any]] = json.loads(reply.body)["results"]
    return results


def known(world: World, *, by: bool = True) -> list[entities.Recording]:
    """Return songs whose album is the artist's own."""
    return [
        each
        for each in world.catalogue.recordings
        if len(each.credit) == 1
        and (each.credit[0].artist.index in world.known.by("discogs")) == by
        and world.catalogue.home(each.row).group.credit[0].artist is each.credit[0].artist
    ]


def an_album(world: World, *, shown: bool = True) -> entities.Group:
    groups = (world.catalogue.home(each.row).group for each in known(world))
    return next(group for group in groups if world.shown("discogs", group) == shown)


def masters(simulator: core.Simulator, group: entities.Group, **more: Any) -> list[dict[str, Any]]:
    wanted: dict[str, Any] = {"artist": entities.printed(group.credit), "release_title": group.title}
    return search(simulator, type="master", **wanted, **more)


# ---------------------------------------------------------------- shapes


@pytest.mark.parametrize("entity", ["master", "release", "artist"])
def test_what_is_looked_up_has_the_recorded_shape(
    shared_data: Path, simulator: core.Simulator, world: World, entity: str
) -> None:
    theirs = [
        json.loads(each.reply.body)
        for each in recorded.exchanges(shared_data, "discogs", "api.discogs.com")
        if each.reply.status == 200 and re.match(rf"/{entity}s/\d+(\?|$)", each.path)
    ]
    ours = []
    for song in known(world)[:40]:
        [*_, hit] = search(simulator, type="release", artist=song.credit[0].artist.name, track=song.title)
        release = json.loads(get(simulator, f"/releases/{hit['id']}").body)
        path = {
            "release": f"/releases/{hit['id']}",
            "master": f"/masters/{hit['master_id']}",
            "artist": f"/artists/{release['artists'][0]['id']}",
        }[entity]
        ours.append(json.loads(get(simulator, path).body))
    mine, real = places(ours), places(theirs)
    assert set(mine) - set(real) == set()
    for place in mine:
        assert mine[place] <= real[place] | ({"float"} if place == "lowest_price" else set()), place
    always = set.intersection(*(set(each) for each in theirs))
    left_out = {"images", "videos"} if entity != "artist" else set()
    assert always - left_out <= set().union(*(set(each) for each in ours)) | {"notes", "profile"}


def test_every_reply_counts_as_the_recorded_ones_do(shared_data: Path, world: World) -> None:
    simulator = core.Simulator(world, HandClock(), latency=False)
    theirs = next(
        each.reply for each in recorded.exchanges(shared_data, "discogs", "api.discogs.com") if each.reply.status == 429
    )
    replies = [get(simulator, "/database/search", artist="Nobody") for _ in range(61)]
    assert [reply.status for reply in replies] == [200] * 60 + [429]
    assert [reply.headers["x-discogs-ratelimit-used"] for reply in replies[:2]] == ["1", "2"]
    assert replies[59].headers["x-discogs-ratelimit-remaining"] == "0"
    refused = replies[60]
    assert json.loads(refused.body) == json.loads(theirs.body)
    for name in ("retry-after", "x-discogs-ratelimit", "x-discogs-ratelimit-used", "x-discogs-ratelimit-remaining"):
        assert refused.headers[name] == theirs.headers[name]


# ---------------------------------------------------------------- limits and strangers


def test_strangers_have_twenty_five_a_minute_and_are_counted_apart(world: World) -> None:
    clock = HandClock()
    simulator = core.Simulator(world, clock, latency=False)
    statuses = [get(simulator, "/database/search", AGENT, artist="Nobody").status for _ in range(26)]
    assert statuses == [200] * 25 + [429]
    assert get(simulator, "/database/search", AGENT, artist="X").headers["x-discogs-ratelimit"] == "25"
    assert get(simulator, "/database/search", artist="Nobody").status == 200
    assert simulator.statistics.violations == 2
    clock.turn(30)
    assert get(simulator, "/database/search", AGENT, artist="Nobody").status == 429  # what was refused counts too
    clock.turn(61)
    assert get(simulator, "/database/search", AGENT, artist="Nobody").status == 200


@pytest.mark.parametrize(
    ("headers", "query"),
    [
        (TOKEN, {}),
        ({**AGENT, "authorization": "Discogs key=a, secret=b"}, {}),
        (AGENT, {"token": "abc"}),
        (AGENT, {"key": "a", "secret": "b"}),
    ],
)
def test_a_token_or_a_key_with_its_secret_says_who_asks(
    simulator: core.Simulator, headers: dict[str, str], query: dict[str, str]
) -> None:
    reply = get(simulator, "/database/search", headers, artist="Nobody", **query)
    assert reply.headers["x-discogs-ratelimit"] == "60"


def test_strangers_see_no_images_and_on_a_closed_day_nothing(simulator: core.Simulator, world: World) -> None:
    group = an_album(world)
    wanted: dict[str, Any] = {"artist": entities.printed(group.credit), "release_title": group.title}
    wanted["type"] = "master"
    assert {hit["cover_image"] + hit["thumb"] for hit in search(simulator, AGENT, **wanted)} == {""}
    [mine] = [hit for hit in search(simulator, **wanted) if hit["cover_image"] == address(world, group)]
    page = json.loads(get(simulator, f"/masters/{mine['id']}", AGENT).body)
    assert {image["uri"] for image in page["images"]} == {""}
    simulator.set_day("closed")
    refused = get(simulator, "/database/search", AGENT, **wanted)
    assert (refused.status, "authenticate" in json.loads(refused.body)["message"]) == (401, True)
    assert get(simulator, "/database/search", **wanted).status == 200


def address(world: World, group: entities.Group) -> str:
    return imagehosts.address(world, "discogs", group, edge=600)


def test_without_a_user_agent_nothing_is_said(simulator: core.Simulator) -> None:
    reply = get(simulator, "/database/search", {"authorization": "Discogs token=abc"}, artist="Nobody")
    assert (reply.status, reply.body) == (403, b"")


# ---------------------------------------------------------------- search


def test_nothing_found_is_an_empty_page(simulator: core.Simulator) -> None:
    reply = get(simulator, "/database/search", artist="Nobody At All", per_page=20)
    assert json.loads(reply.body) == {
        "pagination": {"page": 1, "pages": 1, "per_page": 20, "items": 0, "urls": {}},
        "results": [],
    }


def test_an_album_without_an_image_has_a_spacer(simulator: core.Simulator, world: World) -> None:
    hits = masters(simulator, an_album(world, shown=False))
    assert imagehosts.SPACER in {hit["cover_image"] for hit in hits}


def test_unknown_artists_are_not_found_but_what_imitates_them_may_be(simulator: core.Simulator, world: World) -> None:
    found = []
    for song in known(world, by=False):
        group = world.catalogue.home(song.row).group
        for hit in masters(simulator, group):
            assert hit["cover_image"] != address(world, group)
            found.append(hit)
    assert found


def test_a_search_for_a_track_also_finds_decoys_by_others(simulator: core.Simulator, world: World) -> None:
    titles = [
        (song.credit[0].artist.name, hit["title"])
        for song in known(world)[:80]
        for hit in search(simulator, type="release", artist=song.credit[0].artist.name, track=song.title)
    ]
    assert any(artist.lower() not in title.lower().split(" - ")[0] or "Tribute" in title for artist, title in titles)


def test_artists_are_named_in_discogs_own_ways(simulator: core.Simulator, world: World) -> None:
    titles = [hit["title"] for song in known(world) for hit in masters(simulator, world.catalogue.home(song.row).group)]
    assert all(" - " in title for title in titles)
    assert any(re.search(r" \(\d+\) - ", title) for title in titles)
    assert any("* - " in title for title in titles) or any(", The" in title for title in titles)


def test_pages_are_cut_as_asked_and_say_where_the_others_are(simulator: core.Simulator, world: World) -> None:
    words: dict[str, Any] = {"q": known(world)[0].credit[0].artist.name, "per_page": 1}
    first = json.loads(get(simulator, "/database/search", **words).body)
    assert len(first["results"]) == 1
    assert first["pagination"]["pages"] == first["pagination"]["items"] > 1
    following = first["pagination"]["urls"]["next"].removeprefix(API)
    second = json.loads(get(simulator, following).body)
    assert second["pagination"]["page"] == 2
    assert second["results"][0]["id"] != first["results"][0]["id"]
    beyond = get(simulator, "/database/search", **words, page=10_000)
    assert (beyond.status, json.loads(beyond.body)) == (404, {"message": "The requested resource was not found."})
    assert (
        json.loads(get(simulator, "/database/search", **words | {"per_page": 500}).body)["pagination"]["per_page"]
        == 100
    )


def test_masters_and_releases_name_each_other(simulator: core.Simulator, world: World) -> None:
    group = an_album(world)
    [hit] = [each for each in masters(simulator, group) if each["cover_image"] == address(world, group)]
    assert hit["master_id"] == hit["id"]
    master = json.loads(get(simulator, f"/masters/{hit['id']}").body)
    release = json.loads(get(simulator, f"/releases/{master['main_release']}").body)
    assert (release["master_id"], master["title"]) == (hit["id"], group.title)
    assert [track["title"] for track in release["tracklist"]]
    assert get(simulator, "/releases/1").status == 404
    both = {
        each["type"] for each in search(simulator, artist=entities.printed(group.credit), release_title=group.title)
    }
    assert both == {"master", "release"}


def test_a_filter_that_is_not_known_of_finds_nothing(simulator: core.Simulator, world: World) -> None:
    assert masters(simulator, an_album(world), barcode="123") == []


def test_artists_are_found_by_their_names_alone(simulator: core.Simulator, world: World) -> None:
    artist = known(world)[0].credit[0].artist
    hits = search(simulator, type="artist", q=artist.name)
    assert any(artist.name in hit["title"] or ", The" in hit["title"] for hit in hits)
    assert all(" - " not in hit["title"] for hit in hits)
