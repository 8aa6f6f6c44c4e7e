"""The simulated Last.fm against what Last.fm really said, and its ways of being wrong."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import msgspec
import pytest

from sleevenotes.clock import HandClock
from sleevenotes.simulator import conditions, core, entities, imagehosts, lastfm, wire
from sleevenotes.simulator.world import World

BASE = "https://ws.audioscrobbler.com/2.0/"


@pytest.fixture(scope="module")
def world() -> World:
    given = conditions.calm()
    coverage = {**given.coverage, "lastfm": conditions.Coverage(mean=0.8)}
    return World.invented(msgspec.structs.replace(given, coverage=coverage, faults={"calm": {}}), artists=120)


@pytest.fixture
def simulator(world: World) -> core.Simulator:
    return core.Simulator(world, HandClock(), limits=False, latency=False)


def get(simulator: core.Simulator, method: str, **asked: str) -> wire.Reply:
    parameters = {"method": method, "api_key": "any", "format": "json", **asked}
    return simulator.plan(wire.Request("GET", f"{BASE}?{urlencode(parameters)}")).reply


def known(world: World, *, known: bool = True) -> list[entities.Recording]:
    held = world.known.by("lastfm")
    return [each for each in world.catalogue.recordings if (each.credit[0].artist.index in held) is known]


def track(simulator: core.Simulator, each: entities.Recording) -> dict[str, Any]:
    reply = get(simulator, "track.getInfo", artist=entities.printed(each.credit), track=each.title)
    assert reply.status == 200
    told: dict[str, Any] = json.loads(reply.body)["track"]
    return told


def album(simulator: core.Simulator, release: entities.Release) -> dict[str, Any]:
    reply = get(simulator, "album.getInfo", artist=entities.printed(release.credit), album=release.title)
    assert reply.status == 200
    told: dict[str, Any] = json.loads(reply.body)["album"]
    return told


# ---------------------------------------------------------------- as recorded


def recordings(shared_data: Path, method: str) -> list[dict[str, Any]]:
    with gzip.open(shared_data / "recorded" / "lastfm.jsonl.gz", "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    found = [row for row in rows if parse_qs(urlsplit(row["path"]).query).get("method") == [method]]
    assert found, method
    for row in found:
        row["body"] = json.loads(row["body"]) if isinstance(row["body"], str) else row["body"]
    return found


def shape(value: object, path: str = "") -> Iterator[tuple[str, str]]:
    """Yield (path, type) of everything in a document."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from shape(inner, f"{path}.{name}")
    elif isinstance(value, list):
        for inner in value:
            yield from shape(inner, f"{path}[]")
    else:
        yield path, type(value).__name__


def shapes(documents: list[Any]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for document in documents:
        for path, kind in shape(document):
            found.setdefault(path, set()).add(kind)
    return found


def assert_alike(ours: list[Any], theirs: list[Any], *, less: tuple[str, ...], more: tuple[str, ...] = ()) -> None:
    """Hold our fields and their types against the recorded ones; `less` we leave out, `more` were not seen."""
    here, there = shapes(ours), shapes(theirs)
    assert {path for path in there if not path.startswith(less)} <= set(here)
    assert {path for path in here if not path.startswith(more)} <= set(there)
    for path in set(here) & set(there):
        assert here[path] <= there[path] | {"NoneType"}, path


def test_tracks_look_like_the_recorded_ones(simulator: core.Simulator, world: World, shared_data: Path) -> None:
    theirs = [row["body"] for row in recordings(shared_data, "track.getInfo") if "track" in row["body"]]
    ours = [{"track": track(simulator, each)} for each in known(world)[::7]]
    assert_alike(ours, theirs, less=(".track.wiki", ".track.toptags"))
    sizes = [image["size"] for image in theirs[0]["track"]["album"]["image"]]
    assert (
        next([image["size"] for image in one["track"]["album"]["image"]] for one in ours if "album" in one["track"])
        == sizes
    )


def test_albums_look_like_the_recorded_ones(simulator: core.Simulator, world: World, shared_data: Path) -> None:
    theirs = [row["body"] for row in recordings(shared_data, "album.getInfo") if "album" in row["body"]]
    ours = [{"album": album(simulator, world.catalogue.home(each.row))} for each in known(world)[::7]]
    # The two recorded albums happen to list no tracks and to have tags.
    assert_alike(ours, theirs, less=(".album.wiki",), more=(".album.tracks", ".album.tags"))
    assert [i["size"] for i in ours[0]["album"]["image"]] == [i["size"] for i in theirs[0]["album"]["image"]]


def test_artists_look_like_the_recorded_ones(simulator: core.Simulator, world: World, shared_data: Path) -> None:
    theirs = [row["body"] for row in recordings(shared_data, "artist.getInfo") if "artist" in row["body"]]
    names = [world.catalogue.artists[index].name for index in sorted(world.known.by("lastfm"))[:20]]
    ours = [json.loads(get(simulator, "artist.getInfo", artist=name).body) for name in names]
    left_out = (".artist.similar", ".artist.tags", ".artist.stats.userplaycount")
    assert_alike(ours, theirs, less=left_out, more=left_out)


@pytest.mark.parametrize("method", ["track.getInfo", "album.getInfo", "artist.getInfo"])
def test_what_is_missing_is_said_in_the_recorded_words(
    simulator: core.Simulator, shared_data: Path, method: str
) -> None:
    theirs = next(row for row in recordings(shared_data, method) if "error" in row["body"])
    replies = [get(simulator, method, artist=f"Nobody {n}", track="Xyzzy", album="Xyzzy") for n in range(20)]
    assert all(json.loads(reply.body) == theirs["body"] for reply in replies)
    assert {reply.status for reply in replies} == {200, 404}  # recorded were only the 200s of old
    assert theirs["status"] == 200


def test_headers_are_those_of_the_recordings(simulator: core.Simulator, shared_data: Path) -> None:
    theirs = recordings(shared_data, "track.getInfo")[0]["headers"]
    ours = get(simulator, "track.getInfo", artist="a", track="b").headers
    assert {name.lower() for name in theirs} - {"connection", "content-length", "date"} <= set(ours)
    assert ours["content-type"] == theirs["content-type"]


# ---------------------------------------------------------------- who is there


def test_only_known_artists_are_there(simulator: core.Simulator, world: World) -> None:
    for each in known(world)[::20]:
        assert track(simulator, each)["name"] == each.title
    for each in known(world, known=False)[::20]:
        reply = get(simulator, "track.getInfo", artist=entities.printed(each.credit), track=each.title)
        assert json.loads(reply.body)["error"] == 6
        home = world.catalogue.home(each.row)
        if home.credit[0].artist is each.credit[0].artist:
            reply = get(simulator, "album.getInfo", artist=entities.printed(home.credit), album=home.title)
            assert json.loads(reply.body)["error"] == 6


def test_letter_case_does_not_matter_and_spelling_does(simulator: core.Simulator, world: World) -> None:
    each = next(one for one in known(world) if len(one.title) > 6)
    artist = entities.printed(each.credit)
    reply = get(simulator, "track.getInfo", artist=artist.upper(), track=each.title.lower())
    assert json.loads(reply.body)["track"]["name"] == each.title
    reply = get(simulator, "track.getInfo", artist=artist, track=each.title[1:])
    assert json.loads(reply.body)["error"] == 6


def test_artists_ids_can_be_trusted_and_the_others_cannot(simulator: core.Simulator, world: World) -> None:
    told = [(each, track(simulator, each)) for each in known(world) if len(each.credit) == 1]
    artists = [one["artist"]["mbid"] == each.credit[0].artist.mbid for each, one in told]
    assert sum(artists) / len(artists) > 0.95
    tracks = [one["mbid"] == each.mbid for each, one in told if "mbid" in one]
    assert 0.3 < len(tracks) / len(told) < 0.7
    assert sum(tracks) / len(tracks) < 0.4
    joint = next(each for each in known(world) if len(each.credit) > 1)
    assert "mbid" not in track(simulator, joint)["artist"]


def test_one_track_is_an_object_and_many_are_a_list(simulator: core.Simulator, world: World) -> None:
    releases = [release for each in known(world) for release in each.releases]
    told = [(release, album(simulator, release)) for release in releases[:400]]
    tracks = [(len(release.tracks), one["tracks"]["track"]) for release, one in told if one["name"] == release.title]
    assert {type(listed) for count, listed in tracks if count == 1} == {dict}
    assert {type(listed) for count, listed in tracks if count > 1} == {list}


# ---------------------------------------------------------------- covers


async def test_covers_are_the_albums_own_and_the_placeholder_is_nobodys(
    simulator: core.Simulator, world: World
) -> None:
    seen = {"cover": 0, "star": 0, "empty": 0}
    for each in known(world)[::3]:
        release = world.catalogue.home(each.row)
        addresses = {image["#text"] for image in album(simulator, release)["image"]}
        if addresses == {""}:
            seen["empty"] += 1
            continue
        kind = "star" if any(imagehosts.STAR in address for address in addresses) else "cover"
        seen[kind] += 1
        assert (kind == "cover") == world.shown("lastfm", release.group)
        if seen[kind] <= 3:
            reply = await simulator.handle(wire.Request("GET", max(addresses)))
            assert reply.status == 200
            assert world.cover_truth(reply.body) == (release.group.mbid if kind == "cover" else "")
    assert all(seen.values())


# ---------------------------------------------------------------- errors


def test_without_a_key_it_says_error_ten(simulator: core.Simulator) -> None:
    for key in ("", lastfm.REFUSED_KEY):
        reply = get(simulator, "track.getInfo", artist="a", track="b", api_key=key)
        assert (reply.status, json.loads(reply.body)["error"]) == (403, 10)


def test_a_missing_parameter_is_error_six_and_an_unknown_method_error_three(simulator: core.Simulator) -> None:
    for method in ("track.getInfo", "album.getInfo"):
        assert json.loads(get(simulator, method, artist="a").body)["error"] == 6
    reply = get(simulator, "track.nothing")
    assert (reply.status, json.loads(reply.body)["error"]) == (400, 3)


def test_the_sixth_request_of_a_second_is_error_twenty_nine(world: World) -> None:
    clock = HandClock()
    simulator = core.Simulator(world, clock, latency=False)
    replies = [get(simulator, "track.getInfo", artist="a", track="b") for _ in range(6)]
    assert replies[5].status == 429
    assert [json.loads(reply.body)["error"] for reply in replies] == [6, 6, 6, 6, 6, 29]
    assert simulator.statistics.violations == 1


@pytest.mark.parametrize("code", [8, 11, 16, 26, 29])
def test_errors_on_order_come_with_200(simulator: core.Simulator, code: int) -> None:
    simulator.fail_next("ws.audioscrobbler.com", f"error {code}")
    reply = get(simulator, "track.getInfo", artist="a", track="b")
    assert (reply.status, json.loads(reply.body)["error"]) == (200, code)
