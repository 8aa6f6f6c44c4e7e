"""The simulated MusicBrainz' rules: limits, scores, packing, merged ids, caps, browsing, refusals."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote, urlencode

import msgspec
import pytest

from sleevenotes.clock import HandClock
from sleevenotes.simulator import conditions, core, entities, ids, wire
from sleevenotes.simulator.world import World

AGENT = {"user-agent": "SleevenotesTest/0.1 ( test@example.org )"}
API = "https://musicbrainz.org/ws/2/"


@pytest.fixture(scope="module")
def world() -> World:
    everyone = conditions.Coverage(mean=1.0)
    given = msgspec.structs.replace(
        conditions.calm(), coverage={"musicbrainz": everyone}, faults={"calm": {}}, decoys=conditions.Decoys(0.5)
    )
    return World.invented(given, artists=60)


@pytest.fixture(scope="module")
def simulator(world: World) -> core.Simulator:
    return core.Simulator(world, HandClock(), limits=False, latency=False)


def get(simulator: core.Simulator, path: str, **query: object) -> wire.Reply:
    url = f"{API}{path}?{urlencode({'fmt': 'json', **query}, quote_via=quote)}"
    return simulator.plan(wire.Request("GET", url, AGENT)).reply


def read(simulator: core.Simulator, path: str, **query: object) -> Any:
    reply = get(simulator, path, **query)
    assert reply.status == 200, reply.body
    return json.loads(reply.body)


def quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def asking(recording: entities.Recording) -> str:
    return f"recording:{quoted(recording.title)} AND artist:{quoted(entities.printed(recording.credit))}"


def test_every_name_finds_its_recording_and_its_crowd(simulator: core.Simulator, world: World) -> None:
    for each in world.catalogue.recordings[::25]:
        found = read(simulator, "recording", query=asking(each), limit=100)
        assert found["count"] >= 1 + world.extras.crowd(each.row)
        assert found["recordings"][0]["score"] == 100
        if found["count"] <= 100:
            assert each.mbid in {hit["id"] for hit in found["recordings"]}
            assert len(found["recordings"]) == found["count"]


def test_scores_fall_and_a_plain_title_is_among_the_best(simulator: core.Simulator, world: World) -> None:
    each = next(each for each in world.catalogue.recordings if 20 < world.extras.crowd(each.row) < 90)
    hits = read(simulator, "recording", query=asking(each), limit=100)["recordings"]
    scores = [hit["score"] for hit in hits]
    assert scores == sorted(scores, reverse=True)
    by_title = {hit["title"]: hit["score"] for hit in hits}
    assert by_title[each.title] == 100
    assert by_title[f"{each.title} (live)"] < 100


@pytest.mark.parametrize(
    ("limit", "rows"), [("", 25), ("0", 25), ("-1", 25), ("101", 25), ("x", 25), ("100", 100), ("7", 7)]
)
def test_search_limits_outside_1_to_100_become_25(simulator: core.Simulator, limit: str, rows: int) -> None:
    found = read(simulator, "recording", query="the", limit=limit)
    assert found["count"] > 100
    assert len(found["recordings"]) == rows


def test_pages_follow_each_other_without_gap_or_repeat(simulator: core.Simulator, world: World) -> None:
    each = max(world.catalogue.recordings[:800], key=lambda each: world.extras.crowd(each.row))
    whole = read(simulator, "recording", query=asking(each), limit=100)["recordings"]
    paged = [
        hit["id"]
        for offset in range(0, len(whole), 10)
        for hit in read(simulator, "recording", query=asking(each), limit=10, offset=offset)["recordings"]
    ]
    assert paged == [hit["id"] for hit in whole]


def test_several_names_can_be_asked_for_in_one_query(simulator: core.Simulator, world: World) -> None:
    some = [each for each in world.catalogue.recordings if world.extras.crowd(each.row) < 8][:6]
    found = read(simulator, "recording", query=" OR ".join(f"({asking(each)})" for each in some), limit=100)
    assert {each.mbid for each in some} <= {hit["id"] for hit in found["recordings"]}
    assert found["recordings"][0]["score"] == 100


def test_recordings_can_be_asked_for_by_their_ids(simulator: core.Simulator, world: World) -> None:
    each = next(each for each in world.catalogue.recordings if world.extras.crowd(each.row) > 3)
    wanted = {each.mbid, world.extras.recording(each.row, 2).mbid}
    found = read(simulator, "recording", query=f"rid:({' OR '.join(wanted)})")
    assert {hit["id"] for hit in found["recordings"]} == wanted
    coded = next(each for each in world.catalogue.recordings if each.isrc)
    assert [hit["id"] for hit in read(simulator, "recording", query=f"isrc:{coded.isrc}")["recordings"]] == [coded.mbid]


def test_an_unquoted_query_is_a_trap(simulator: core.Simulator, world: World) -> None:
    each = world.catalogue.recordings[0]
    loose = read(simulator, "recording", query=f"{entities.printed(each.credit)} {each.title}")["count"]
    assert loose > read(simulator, "recording", query=asking(each))["count"]


def test_conditions_on_the_release_narrow_a_search(simulator: core.Simulator, world: World) -> None:
    each = next(each for each in world.catalogue.recordings if 10 < world.extras.crowd(each.row) < 60)
    official = read(simulator, "recording", query=f"{asking(each)} AND NOT status:bootleg", limit=100)
    assert all(any(release["status"] != "Bootleg" for release in hit["releases"]) for hit in official["recordings"])
    everything = read(simulator, "recording", query=asking(each), limit=100)
    assert 0 < official["count"] < everything["count"]
    own = f"{asking(each)} AND release:{quoted(world.catalogue.home(each.row).title)}"
    assert each.mbid in {hit["id"] for hit in read(simulator, "recording", query=own)["recordings"]}


def test_decoys_are_found_beside_the_true_recording(simulator: core.Simulator, world: World) -> None:
    seen = set()
    for each in world.catalogue.recordings[:400]:
        for number in range(world.extras.decoys(each.row)):
            decoy = world.extras.recording(each.row, 0xF000 + number)
            kind = world.extras.decoy_kind(each.row, number)
            if kind in seen:
                continue
            seen.add(kind)
            found = read(simulator, "recording", query=f"rid:{decoy.mbid}")
            assert found["count"] == 1
            named = {hit["id"] for hit in read(simulator, "recording", query=asking(each), limit=100)["recordings"]}
            if kind in ("homonym artist", "live", "remix"):
                assert decoy.mbid in named or len(named) == 100
            if kind in ("same title by another artist", "cover"):
                assert decoy.mbid not in named
    assert seen == set(conditions.Decoys().kinds)


def test_a_name_nobody_has_is_an_empty_answer(simulator: core.Simulator) -> None:
    found = read(simulator, "recording", query='recording:"Xyzzy" AND artist:"Nobody"')
    assert (found["count"], found["offset"], found["recordings"]) == (0, 0, [])


@pytest.mark.parametrize(
    ("path", "query", "status", "error"),
    [
        ("recording", {"query": " "}, 400, "do not match any available query type for the recording resource"),
        ("recording", {}, 400, "do not match any available query type for the recording resource"),
        ("recording", {"query": '"open'}, 400, "Search server could not complete query: Bad request"),
        ("recording", {"query": "nosuchfield:x"}, 400, "Search server could not complete query: Bad request"),
        ("recording/xyz", {}, 400, "Invalid mbid."),
        (f"recording/{ids.plain('nothing')}", {}, 404, "Not Found"),
        ("isrc/USXXX0000000", {}, 404, "Not Found"),
        (f"release-group?artist={ids.plain('nobody')}", {}, 404, "Not Found"),
        (f"release?artist={ids.plain('nobody')}&limit=x", {}, 400, "must be positive integers"),
        ("nothing", {}, 404, "Not Found"),
    ],
)
def test_refusals_come_in_the_service_s_words(
    simulator: core.Simulator, path: str, query: dict[str, object], status: int, error: str
) -> None:
    url = f"{API}{path}{'&' if '?' in path else '?'}{urlencode({'fmt': 'json', **query})}"
    reply = simulator.plan(wire.Request("GET", url, AGENT)).reply
    told = json.loads(reply.body)
    assert reply.status == status
    assert error in told["error"]
    assert told["help"] == "For usage, please see: https://musicbrainz.org/development/mmd"


def test_a_query_given_twice_is_refused(simulator: core.Simulator) -> None:
    request = wire.Request("GET", f"{API}recording?query=a&query=b&fmt=json", AGENT)
    assert "at most 1 query" in json.loads(simulator.plan(request).reply.body)["error"]


def test_xml_is_refused_plainly(simulator: core.Simulator, world: World) -> None:
    url = f"{API}recording/{world.catalogue.recordings[0].mbid}"
    assert simulator.plan(wire.Request("GET", url, AGENT)).reply.status == 406
    accepting = {**AGENT, "accept": "application/json"}
    assert simulator.plan(wire.Request("GET", url, accepting)).reply.status == 200


@pytest.mark.parametrize("agent", ["", "python-requests/2.31", "Java/17", "Sleevenotes", "Sleevenotes/0.1"])
def test_a_program_that_does_not_say_who_runs_it_is_refused(simulator: core.Simulator, agent: str) -> None:
    request = wire.Request("GET", f"{API}recording?query=x&fmt=json", {"user-agent": agent})
    reply = simulator.plan(request).reply
    assert reply.status == 403
    assert reply.headers["x-ratelimit-who"] == "ua-missing"
    assert "has not identified itself" in json.loads(reply.body)["error"]


def test_search_and_lookup_name_a_medium_s_tracks_differently(simulator: core.Simulator, world: World) -> None:
    each = world.catalogue.recordings[0]
    [hit] = read(simulator, "recording", query=f"rid:{each.mbid}")["recordings"]
    assert [track["title"] for track in hit["releases"][0]["media"][0]["track"]] == [each.title]
    found = read(simulator, f"recording/{each.mbid}", inc="releases+media+release-groups+artist-credits+isrcs")
    [track] = found["releases"][0]["media"][0]["tracks"]
    assert (track["title"], found["video"], hit["video"]) == (each.title, False, None)
    assert found["releases"][0]["release-group"]["title"] == each.releases[0].group.title
    assert found["artist-credit"][-1]["joinphrase"] == ""
    assert "joinphrase" not in hit["artist-credit"][-1]


def test_linked_lists_are_cut_at_25_and_browsing_gives_the_rest(simulator: core.Simulator, world: World) -> None:
    counts: dict[str, int] = {}
    for recording in world.catalogue.recordings:
        mbid = recording.credit[0].artist.mbid
        counts[mbid] = counts.get(mbid, 0) + 1
    artist = max(counts, key=lambda mbid: counts[mbid])
    assert counts[artist] > 25
    assert len(read(simulator, f"artist/{artist}", inc="recordings")["recordings"]) == 25
    browsed = read(simulator, "recording", artist=artist, limit=1000)
    assert browsed["recording-count"] >= counts[artist]
    assert len(browsed["recordings"]) == min(100, browsed["recording-count"])
    mbids = [each["id"] for each in browsed["recordings"]]
    assert mbids == sorted(mbids)


def test_a_browsed_page_with_recordings_ends_at_500_tracks(simulator: core.Simulator, world: World) -> None:
    various = entities.VARIOUS_ARTISTS
    page = read(simulator, "release", artist=various, inc="recordings", limit=100)
    tracks = sum(medium["track-count"] for release in page["releases"] for medium in release["media"])
    plain = read(simulator, "release", artist=various, limit=100)
    assert len(plain["releases"]) == min(100, plain["release-count"])
    assert len(page["releases"]) <= len(plain["releases"])
    assert tracks < 500 + max(len(release.tracks) for release in world.catalogue.releases.values())


def test_browsing_can_keep_to_types_and_statuses(simulator: core.Simulator, world: World) -> None:
    artist = world.catalogue.recordings[0].credit[0].artist.mbid
    albums = read(simulator, "release-group", artist=artist, type="album")["release-groups"]
    assert albums
    assert {each["primary-type"] for each in albums} == {"Album"}


def test_merged_releases_move_to_the_surviving_one(simulator: core.Simulator, world: World) -> None:
    each = world.catalogue.recordings[3]
    home = world.catalogue.home(3)
    reply = get(simulator, f"release/{world.merged_release(each.mbid)}")
    assert reply.status == 301
    assert reply.headers["location"] == f"http://musicbrainz.org/ws/2/release/{home.mbid}?fmt=json"


def test_a_release_says_what_the_cover_art_archive_has(simulator: core.Simulator, world: World) -> None:
    for release in list(world.catalogue.releases.values())[:40]:
        told = read(simulator, f"release/{release.mbid}")["cover-art-archive"]
        assert told["front"] == any(cover.front for cover in world.covers(release))
        assert told["count"] == len(world.covers(release))


def test_some_lengths_are_missing_and_some_dates_are_partial(world: World) -> None:
    lengths = [each.length for each in world.catalogue.recordings]
    assert 0 < lengths.count(None) < len(lengths) / 10
    assert {len(release.date) for release in world.catalogue.releases.values()} == {0, 4, 7, 10}
