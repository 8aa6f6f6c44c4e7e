"""The simulator's replies against what the services really sent: the same keys, the same kinds of values."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from sleevenotes.clock import HandClock
from sleevenotes.simulator import core, entities, wire
from sleevenotes.simulator.world import MUSICBRAINZ, World

AGENT = {"user-agent": "SleevenotesTest/0.1 ( test@example.org )"}
API = "https://musicbrainz.org/ws/2/"
# The service has added these since the recordings were made.
NEWER = frozenset(
    {"recordings[].artist-credit-id", "recordings[].releases[].media[].id", "release-groups[].secondary-type-ids"}
)
# A recorded search of one entity happens to have nobody with an alias or a joint credit; another's has.
CREDITS = ("artist-credit[].joinphrase", "artist-credit[].artist.aliases")


@pytest.fixture(scope="module")
def world() -> World:
    return World.invented(artists=60)


@pytest.fixture(scope="module")
def simulator(world: World) -> core.Simulator:
    simulator = core.Simulator(world, HandClock(), limits=False, latency=False)
    world.given.faults["none"] = {}
    simulator.set_day("none")
    return simulator


@pytest.fixture(scope="module")
def recorded(shared_data: Path) -> Callable[[str, str], list[dict[str, Any]]]:
    def read(service: str, pattern: str) -> list[dict[str, Any]]:
        with gzip.open(shared_data / "recorded" / f"{service}.jsonl.gz", "rt", encoding="utf-8") as lines:
            found = [row for row in map(json.loads, lines) if re.search(pattern, row["path"])]
        assert found, f"nothing recorded for {pattern}"
        return found

    return read


Recorded = Callable[[str, str], list[dict[str, Any]]]


def paths(value: object, at: str = "") -> Iterator[tuple[str, str]]:
    """Yield (place, kind of value) for everything in a document; lists are one place."""
    if isinstance(value, dict):
        yield at, "object"
        for key, inner in value.items():
            yield from paths(inner, f"{at}.{key}" if at else key)
    elif isinstance(value, list):
        yield at, "list"
        for inner in value:
            yield from paths(inner, f"{at}[]")
    elif value is not None:
        yield at, type(value).__name__


def places(documents: list[Any]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for document in documents:
        for place, kind in paths(document):
            found.setdefault(place, set()).add(kind)
    return found


def required(documents: list[Any]) -> set[str]:
    """Return the keys that every object at a place has."""
    seen: dict[str, set[str]] = {}

    def walk(value: object, at: str) -> None:
        if isinstance(value, dict):
            seen[at] = seen[at] & set(value) if at in seen else set(value)
            for key, inner in value.items():
                walk(inner, f"{at}.{key}" if at else key)
        elif isinstance(value, list):
            for inner in value:
                walk(inner, f"{at}[]")

    for document in documents:
        walk(document, "")
    return {f"{at}.{key}".lstrip(".") for at, keys in seen.items() for key in keys}


def assert_alike(ours: list[Any], theirs: list[Any], optional: frozenset[str] | set[str] = frozenset()) -> None:
    """Ours has no key theirs lacks, no kind of value theirs does not have, and every key theirs always has."""
    mine, real = places(ours), places(theirs)
    added = {place.removesuffix("[]") for place in set(mine) - set(real)} - NEWER
    assert {place for place in added if not any(credit in place for credit in CREDITS)} == set()
    for place in set(mine) & set(real):
        assert mine[place] <= real[place], place
    always = {key for key in required(theirs) if key.rpartition(".")[0] in mine or "." not in key}
    missing = {key for key in always - required(ours) if not any(key.startswith(each) for each in optional)}
    assert missing == set()


def get(simulator: core.Simulator, path: str) -> wire.Reply:
    return simulator.plan(wire.Request("GET", API + path, AGENT)).reply


def document(simulator: core.Simulator, path: str) -> Any:
    reply = get(simulator, path)
    assert reply.status == 200, reply.body
    return json.loads(reply.body)


def held(world: World, count: int = 60) -> list[entities.Recording]:
    found = [each for each in world.catalogue.recordings if world.recording(each.mbid)]
    return found[:: len(found) // count]


def test_recording_searches_look_like_the_recorded_ones(
    simulator: core.Simulator, world: World, recorded: Recorded
) -> None:
    # the recording of 2021; that of 2018 lacks names the service has added since
    theirs = [row["body"] for row in recorded("musicbrainz", r"/recording\?query=Burn")]
    ours = [
        document(simulator, f"recording?fmt=json&limit=100&query=recording:{quote(json.dumps(each.title))}")
        for each in held(world)
    ]
    assert_alike(ours, theirs, optional={"recordings[].isrcs"})


def test_release_searches_look_like_the_recorded_ones(
    simulator: core.Simulator, world: World, recorded: Recorded
) -> None:
    theirs = [row["body"] for row in recorded("musicbrainz", r"/release\?(limit=\d+&)?query=")]
    titles = {each.releases[0].title for each in held(world)}
    ours = [document(simulator, f"release?fmt=json&query=release:{quote(json.dumps(title))}") for title in titles]
    assert_alike(ours, theirs, optional={"releases[].label-info"})


def test_release_group_searches_look_like_the_recorded_ones(
    simulator: core.Simulator, world: World, recorded: Recorded
) -> None:
    theirs = [row["body"] for row in recorded("musicbrainz", r"/release-group\?.*query=")]
    titles = {each.releases[0].group.title for each in held(world)}
    ours = [document(simulator, f"release-group?fmt=json&query={quote(json.dumps(title))}") for title in titles]
    assert_alike(ours, theirs)


def test_artist_searches_look_like_the_recorded_ones(
    simulator: core.Simulator, world: World, recorded: Recorded
) -> None:
    theirs = [row["body"] for row in recorded("musicbrainz", r"/artist\?.*query=")]
    names = {each.credit[0].artist.name for each in held(world)}
    ours = [document(simulator, f"artist?fmt=json&query={quote(json.dumps(name))}") for name in names]
    assert_alike(
        ours, theirs, optional={"artists[].tags", "artists[].life-span", "artists[].area", "artists[].country"}
    )


@pytest.mark.parametrize(
    ("entity", "inc", "pattern"),
    [
        ("recording", "", r"/recording/[^?]*\?fmt"),
        ("recording", "artist-credits", r"/recording/[^?]*\?inc=artist-credits&fmt"),
        ("recording", "isrcs", r"/recording/[^?]*\?inc=isrcs&fmt"),
        ("release", "", r"/release/[^?]*\?fmt"),
        ("release", "artist-credits", r"/release/[^?]*\?inc=artist-credits&fmt"),
        ("release", "media", r"/release/[^?]*\?inc=media&fmt"),
        ("release", "media%2Brecordings", r"/release/[^?]*\?inc=media%2Brecordings&fmt"),
        ("release-group", "", r"/release-group/[^?]*\?fmt"),
        ("release-group", "artist-credits", r"/release-group/[^?]*\?inc=artist-credits&fmt"),
        ("release-group", "ratings", r"/release-group/[^?]*\?inc=ratings&fmt"),
        ("artist", "", r"/artist/[^?]*\?fmt"),
        ("artist", "aliases", r"/artist/[^?]*\?inc=aliases&fmt"),
    ],
)
def test_lookups_look_like_the_recorded_ones(
    simulator: core.Simulator, world: World, recorded: Recorded, entity: str, inc: str, pattern: str
) -> None:
    theirs = [row["body"] for row in recorded("musicbrainz", pattern) if row["status"] == 200]
    ours = []
    for each in held(world):
        release = each.releases[0]
        mbid = {
            "recording": each.mbid,
            "release": release.mbid,
            "release-group": release.group.mbid,
            "artist": each.credit[0].artist.mbid,
        }[entity]
        ours.append(document(simulator, f"{entity}/{mbid}?{f'inc={inc}&' if inc else ''}fmt=json"))
    undated = {"date", "country", "release-events", "first-release-date"}  # absent where a release has no date
    assert_alike(ours, theirs, optional=undated | {"media[].tracks[].recording.first-release-date", "aliases"})


def test_browsing_looks_like_the_recorded_one(simulator: core.Simulator, world: World, recorded: Recorded) -> None:
    artist = held(world)[0].credit[0].artist.mbid
    for path, pattern in (
        ("release-group?artist={}&inc=artist-credits", r"/release-group\?artist=.*inc=artist-credits"),
        ("release?artist={}", r"/release\?label="),
        ("recording?artist={}&inc=ratings", r"/recording\?artist="),
    ):
        theirs = [row["body"] for row in recorded("musicbrainz", pattern)]
        ours = [document(simulator, path.format(artist) + "&fmt=json")]
        assert_alike(ours, theirs, optional={"recordings[].first-release-date", "releases[]."})


def test_an_isrc_looks_like_the_recorded_one(simulator: core.Simulator, world: World, recorded: Recorded) -> None:
    [theirs] = recorded("musicbrainz", r"/isrc/")
    code = next(each.isrc for each in held(world) if each.isrc)
    assert_alike([document(simulator, f"isrc/{code}?inc=isrcs&fmt=json")], [theirs["body"]])


def test_a_bad_inc_is_refused_in_the_recorded_words(
    simulator: core.Simulator, world: World, recorded: Recorded
) -> None:
    [theirs] = recorded("musicbrainz", "inc=foobar")
    reply = get(simulator, f"artist/{held(world)[0].credit[0].artist.mbid}?inc=foobar&fmt=json")
    assert (reply.status, json.loads(reply.body)) == (theirs["status"], theirs["body"])


def test_headers_are_those_of_the_recordings(simulator: core.Simulator, world: World, recorded: Recorded) -> None:
    connection = {"connection", "transfer-encoding", "content-length", "date", "pragma", "expires", "x-cache-status"}
    for path, pattern in (
        (f"recording/{held(world)[0].mbid}?fmt=json", r"/recording/[^?]*\?fmt"),
        ("recording?fmt=json&query=x", r"/recording\?query=Burn"),
    ):
        theirs = recorded("musicbrainz", pattern)[0]["headers"]
        ours = get(simulator, path).headers
        assert set(theirs) - connection <= set(ours)
        assert ours["content-type"] == theirs["content-type"]


def test_a_merged_id_is_moved_as_in_the_recording(simulator: core.Simulator, world: World, recorded: Recorded) -> None:
    [theirs] = [row for row in recorded("musicbrainz", r"\bwork/") if row["status"] == 301]
    each = held(world)[0]
    old = world.merged_recording(each.mbid)
    reply = get(simulator, f"recording/{old}?fmt=json")
    assert reply.status == theirs["status"]
    assert theirs["headers"]["location"].split("/")[:6] == ["http:", "", "musicbrainz.org", "ws", "2", "work"]
    assert reply.headers["location"] == f"http://musicbrainz.org/ws/2/recording/{each.mbid}?fmt=json"
    assert json.loads(reply.body)["id"] == each.mbid


def test_the_cover_art_archive_redirects_as_recorded(
    world: World, simulator: core.Simulator, recorded: Recorded
) -> None:
    theirs = next(row for row in recorded("coverartarchive", "^/release/") if row["status"] == 307 and row["body"])
    group = next(each for each in world.catalogue.groups.values() if world.has_art(each) and world.group(each.mbid))
    release = next(each for each in group.releases if world.covers(each))
    reply = simulator.plan(wire.Request("GET", f"https://coverartarchive.org/release/{release.mbid}")).reply
    assert reply.headers["content-type"] == theirs["headers"]["content-type"]
    mbid = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}")
    scheme = re.compile(r"^(See: )?http:")  # theirs was asked for over http; the scheme follows the client's
    assert mbid.sub("X", reply.body.decode()) == scheme.sub(r"\1", mbid.sub("X", theirs["body"]))
    assert mbid.sub("X", reply.headers["location"]) == scheme.sub("", mbid.sub("X", theirs["headers"]["location"]))


@pytest.mark.parametrize("status", [400, 404])
def test_the_cover_art_archive_refuses_in_the_recorded_words(
    simulator: core.Simulator, recorded: Recorded, status: int
) -> None:
    theirs = next(row for row in recorded("coverartarchive", "^/release/") if row["status"] == status)
    reply = simulator.plan(wire.Request("GET", "https://coverartarchive.org" + theirs["path"])).reply
    assert reply.status == status
    assert reply.body.decode() == theirs["body"]
    assert reply.headers["content-type"] == theirs["headers"]["content-type"]


def test_archive_org_redirects_to_a_node_as_recorded(simulator: core.Simulator, recorded: Recorded) -> None:
    theirs = recorded("archiveorg", "index.json")[0]
    reply = simulator.plan(wire.Request("GET", "https://archive.org" + theirs["path"])).reply
    assert reply.status == theirs["status"] == 302
    shape = re.compile(r"ia\d{6}\.us\.archive\.org/\d+/")
    assert shape.search(reply.headers["location"])
    ours, real = (shape.sub("NODE/", each) for each in (reply.headers["location"], theirs["headers"]["location"]))
    assert ours == real.replace("http://", "https://")
    assert set(theirs["headers"]) - {"connection", "transfer-encoding"} <= set(reply.headers)


def test_only_known_artists_are_there(simulator: core.Simulator, world: World) -> None:
    for each in world.catalogue.recordings[::50]:
        known = MUSICBRAINZ in world.known.sources_of(each.credit[0].artist)
        assert get(simulator, f"recording/{each.mbid}?fmt=json").status == (200 if known else 404)
