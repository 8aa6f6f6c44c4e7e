"""The simulated ListenBrainz: two indexes, metadata, tokens, and a rate told on every reply.

There is no recording of these exchanges; they are held to the server's own code and documentation.
"""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

import msgspec
import pytest

from sleevenotes.clock import HandClock
from sleevenotes.simulator import conditions, core, entities, extras, listenbrainz, listenbrainz_index, wire
from sleevenotes.simulator.world import World, chosen

BASE = "https://api.listenbrainz.org/1/metadata"
TOKEN = {"authorization": "Token 5a1b8b50-0f5c-4c33-9a0a-5a1b8b500f5c"}
JSON = {"content-type": "application/json"}
NOBODY = "00000000-0000-4000-8000-000000000000"


@pytest.fixture(scope="module")
def world() -> World:
    coverage = {
        **conditions.calm().coverage,
        "listenbrainz_exact": conditions.Coverage(mean=0.6),
        "listenbrainz_fuzzy_get": conditions.Coverage(mean=0.8),
        "musicbrainz": conditions.Coverage(mean=0.95),
    }
    decoys = conditions.Decoys(per_name=1.0, kinds=("homonym artist", "same title by another artist"))
    return World.invented(msgspec.structs.replace(conditions.calm(), coverage=coverage, decoys=decoys), artists=120)


@pytest.fixture
def simulator(world: World) -> core.Simulator:
    return core.Simulator(world, HandClock(), limits=False, latency=False)


def of(world: World, source: str, *, without: str = "") -> list[entities.Recording]:
    """Return the recordings whose artist one index holds (and another does not)."""
    inside, outside = world.known.by(source), world.known.by(without) if without else frozenset()
    found = [
        each
        for each in world.catalogue.recordings
        if (index := each.credit[0].artist.index) in inside and index not in outside
    ]
    assert found
    return found


def asked(recording: entities.Recording) -> dict[str, str]:
    return {"artist_name": entities.printed(recording.credit), "recording_name": recording.title}


def post(
    simulator: core.Simulator, path: str, document: object, headers: dict[str, str] | None = None
) -> tuple[int, Any]:
    given = {**JSON, **(TOKEN if headers is None else headers)}
    reply = simulator.plan(wire.Request("POST", BASE + path, given, json.dumps(document).encode())).reply
    return reply.status, json.loads(reply.body)


def get(simulator: core.Simulator, path: str, headers: dict[str, str] | None = None, **query: str) -> tuple[int, Any]:
    request = wire.Request("GET", f"{BASE}{path}?{urlencode(query)}", TOKEN if headers is None else headers)
    reply = simulator.plan(request).reply
    return reply.status, json.loads(reply.body)


# ---------------------------------------------------------------- many names at once


def test_every_name_has_a_row_and_those_of_known_artists_a_match(simulator: core.Simulator, world: World) -> None:
    known = of(world, listenbrainz_index.EXACT)[:20]
    status, rows = post(simulator, "/lookup/", {"recordings": [asked(each) for each in known]})
    assert status == 200
    assert [row["index"] for row in rows] == list(range(20))
    first, home = rows[0], world.catalogue.home(known[0].row)
    assert first == {
        "artist_name_arg": entities.printed(known[0].credit),
        "recording_name_arg": known[0].title,
        "release_name_arg": None,
        "index": 0,
        "artist_credit_name": entities.printed(known[0].credit),
        "artist_credit_id": first["artist_credit_id"],
        "artist_mbids": [name.artist.mbid for name in known[0].credit],
        "recording_mbid": known[0].mbid,
        "recording_name": known[0].title,
        "release_mbid": home.mbid,
        "release_name": home.title,
    }
    keys = {listenbrainz_index.key(*asked(each).values()) for each in known}
    assert sum("recording_mbid" in row for row in rows) == len(keys)


def test_a_name_without_a_match_has_only_what_was_asked(simulator: core.Simulator) -> None:
    _, rows = post(simulator, "/lookup/", {"recordings": [{"artist_name": "Nobody Whom", "recording_name": "Xyzzy"}]})
    assert rows == [
        {"artist_name_arg": "Nobody Whom", "recording_name_arg": "Xyzzy", "release_name_arg": None, "index": 0}
    ]


def test_punctuation_case_and_accents_do_not_matter_and_a_letter_does(simulator: core.Simulator, world: World) -> None:
    each = next(one for one in of(world, listenbrainz_index.EXACT) if len(one.title) > 8 and one.title.isascii())
    artist, title = entities.printed(each.credit), each.title
    names = [(artist.upper(), title), (artist, f"«{title}!»"), (artist, title + "x")]
    _, rows = post(simulator, "/lookup/", {"recordings": [{"artist_name": a, "recording_name": t} for a, t in names]})
    # The first two are one key: in one pack the last of them only is answered.
    assert ["recording_mbid" in row for row in rows] == [False, True, False]
    assert rows[1]["recording_mbid"] == each.mbid


def test_fifty_names_are_the_most(simulator: core.Simulator) -> None:
    one = {"artist_name": "a", "recording_name": "b"}
    assert post(simulator, "/lookup/", {"recordings": [one] * 50})[0] == 200
    assert post(simulator, "/lookup/", {"recordings": [one] * 51}) == (
        400,
        {"code": 400, "error": "Number of recordings in request body exceeds maximum permitted. (50)"},
    )


@pytest.mark.parametrize("bad", [{"artist_name": ""}, {"recording_name": ""}, {"recording_name": "x" * 250}])
def test_one_malformed_name_refuses_the_whole_pack(simulator: core.Simulator, bad: dict[str, str]) -> None:
    good = {"artist_name": "a", "recording_name": "b"}
    status, told = post(simulator, "/lookup/", {"recordings": [good, {**good, **bad}]})
    assert status == 400
    assert told["error"].startswith("Recording 1 ")


def test_bodies_that_are_none_are_refused(simulator: core.Simulator) -> None:
    assert post(simulator, "/lookup/", {"recordings": []})[0] == 400
    request = wire.Request("POST", BASE + "/lookup/", {**TOKEN, **JSON}, b"{")
    assert simulator.plan(request).reply.status == 400
    request = wire.Request("POST", BASE + "/lookup/", TOKEN, b"{}")
    assert simulator.plan(request).reply.status == 415


# ---------------------------------------------------------------- one name


def test_the_fuzzy_index_holds_artists_that_the_exact_one_lacks(simulator: core.Simulator, world: World) -> None:
    each = of(world, listenbrainz_index.FUZZY, without=listenbrainz_index.EXACT)[0]
    assert get(simulator, "/lookup/", None, **asked(each))[1]["recording_mbid"] == each.mbid
    _, [row] = post(simulator, "/lookup/", {"recordings": [asked(each)]})
    assert row.get("recording_mbid") != each.mbid


def test_a_misspelt_title_is_found_and_a_wholly_other_one_is_not(simulator: core.Simulator, world: World) -> None:
    each = next(one for one in of(world, listenbrainz_index.FUZZY) if len(one.title) > 12)
    misspelt = each.title[:4] + each.title[5:]
    _, told = get(simulator, "/lookup/", artist_name=entities.printed(each.credit), recording_name=misspelt)
    assert told["recording_name"] == each.title
    assert get(simulator, "/lookup/", artist_name="Nobody Whom", recording_name=each.title[::-1]) == (200, {})


def test_metadata_come_with_it_when_asked_for(simulator: core.Simulator, world: World) -> None:
    each = of(world, listenbrainz_index.FUZZY)[0]
    _, bare = get(simulator, "/lookup/", None, **asked(each))
    assert set(bare) == {
        "artist_credit_name",
        "artist_mbids",
        "recording_mbid",
        "recording_name",
        "release_mbid",
        "release_name",
    }
    _, told = get(simulator, "/lookup/", None, **asked(each), metadata="true", inc="artist release")
    assert set(told["metadata"]) == {"recording", "artist", "release"}
    assert told["metadata"]["release"]["release_group_mbid"] == world.catalogue.home(each.row).group.mbid


def test_names_too_long_or_missing_are_refused(simulator: core.Simulator) -> None:
    status, told = get(simulator, "/lookup/", artist_name="a" * 125, recording_name="b" * 126)
    assert (status, "must be less than 250" in told["error"]) == (400, True)
    assert get(simulator, "/lookup/", artist_name="a" * 125, recording_name="b" * 125)[0] == 200
    assert get(simulator, "/lookup/", artist_name="a")[0] == 400


def test_a_namesake_answers_where_the_true_artist_is_not_held(simulator: core.Simulator, world: World) -> None:
    unheld = [
        each
        for each in world.catalogue.recordings
        if each.credit[0].artist.index not in world.known.by(listenbrainz_index.EXACT)
        and len(each.credit) == 1
        and world.extras.decoy_kind(each.row, 0) == extras.HOMONYM
    ]
    rows = [post(simulator, "/lookup/", {"recordings": [asked(each)]})[1][0] for each in unheld]
    matched = [row for row in rows if "recording_mbid" in row]
    assert 0.4 < len(matched) / len(rows) < 0.8  # the namesakes have a draw of their own
    assert not {row["recording_mbid"] for row in matched} & {each.mbid for each in unheld}
    assert all(row["artist_credit_name"] == row["artist_name_arg"] for row in matched)


# ---------------------------------------------------------------- metadata


def test_a_recording_is_described_without_a_token(simulator: core.Simulator, world: World) -> None:
    each = next(one for one in of(world, "musicbrainz") if one.length and world.catalogue.home(one.row).date)
    question = {"recording_mbids": [each.mbid], "inc": "artist release"}
    status, told = post(simulator, "/recording/", question, headers={})
    home = world.catalogue.home(each.row)
    assert status == 200
    assert set(told[each.mbid]) == {"recording", "artist", "release"}
    assert told[each.mbid]["recording"] == {
        "name": each.title,
        "rels": [],
        "length": each.length,
        "first_release_date": each.first_date,
    }
    artist = told[each.mbid]["artist"]
    assert "".join(one["name"] + one["join_phrase"] for one in artist["artists"]) == artist["name"]
    release = told[each.mbid]["release"]
    assert (release["mbid"], release["name"]) == (home.mbid, home.title)
    assert (release["release_group_mbid"], release["year"]) == (home.group.mbid, int(home.date[:4]))


def test_the_cover_named_is_the_albums_front(simulator: core.Simulator, world: World) -> None:
    with_cover = 0
    for each in of(world, "musicbrainz")[:60]:
        _, told = post(simulator, "/recording/", {"recording_mbids": [each.mbid], "inc": "release"}, headers={})
        release, group = told[each.mbid]["release"], world.catalogue.home(each.row).group
        assert ("caa_id" in release) == world.has_art(group)
        if "caa_id" in release:
            held = world.release(release["caa_release_mbid"])
            assert held
            assert held.group is group
            assert release["caa_id"] in [cover.id for cover in world.covers(held) if cover.front]
            assert held in (world.catalogue.home(each.row), chosen(group))
            with_cover += 1
    assert with_cover > 40


def test_unknown_and_merged_ids_are_left_out(simulator: core.Simulator, world: World) -> None:
    each = of(world, "musicbrainz")[0]
    mbids = [NOBODY, world.merged_recording(each.mbid), each.mbid]
    status, told = post(simulator, "/recording/", {"recording_mbids": mbids}, headers={})
    assert (status, list(told)) == (200, [each.mbid])
    assert list(told[each.mbid]) == ["recording"]
    _, same = get(simulator, "/recording/", headers={}, recording_mbids=",".join(mbids))
    assert same == told


def test_malformed_metadata_questions_are_refused(simulator: core.Simulator) -> None:
    for question, error in (
        ({"recording_mbids": [NOBODY], "inc": "artist isrcs"}, "invalid inc argument 'isrcs'"),
        ({"recording_mbids": [NOBODY, "xyz"]}, "recording_mbid xyz is not valid."),
        ({"recording_mbids": []}, "At least one valid recording_mbid must be present."),
        ({"recording_mbids": [NOBODY] * 1001}, "Maximum number of recordings_mbids"),
    ):
        status, told = post(simulator, "/recording/", question, headers={})
        assert (status, told["code"]) == (400, 400)
        assert told["error"].startswith(error)
    assert post(simulator, "/recording/", {"recording_mbids": [NOBODY] * 1000}, headers={}) == (200, {})


# ---------------------------------------------------------------- the gate


@pytest.mark.parametrize(
    ("headers", "error"),
    [
        ({}, "You need to provide an Authorization header."),
        ({"authorization": "Basic x"}, "Provided Authorization header is invalid."),
        ({"authorization": f"Token {listenbrainz.REFUSED_TOKEN}"}, "Invalid authorization token."),
    ],
)
def test_lookups_need_a_token(simulator: core.Simulator, headers: dict[str, str], error: str) -> None:
    question = {"artist_name": "a", "recording_name": "b"}
    assert post(simulator, "/lookup/", {"recordings": [question]}, headers) == (401, {"code": 401, "error": error})
    assert get(simulator, "/lookup/", headers, **question) == (401, {"code": 401, "error": error})


def test_the_rate_is_told_on_every_reply_and_kept(world: World) -> None:
    clock = HandClock()
    simulator = core.Simulator(world, clock, latency=False)
    request = wire.Request("GET", BASE + "/lookup/?artist_name=a&recording_name=b", TOKEN)
    replies = [simulator.plan(request).reply for _ in range(31)]
    assert [reply.status for reply in replies] == [200] * 30 + [429]
    assert [reply.headers["x-ratelimit-remaining"] for reply in replies[:3]] == ["29", "28", "27"]
    assert {reply.headers["x-ratelimit-limit"] for reply in replies} == {"30"}
    assert 1 <= int(replies[0].headers["x-ratelimit-reset-in"]) <= 10
    assert "retry-after" not in replies[30].headers
    assert json.loads(replies[30].body)["error"].startswith("You have exceeded your rate limit.")
    assert simulator.statistics.violations == 1
    clock.turn(10.5)
    assert simulator.plan(request).reply.status == 200


def test_elsewhere_is_404_and_another_method_405(simulator: core.Simulator) -> None:
    assert get(simulator, "/nothing/")[0] == 404
    assert simulator.plan(wire.Request("DELETE", BASE + "/lookup/", TOKEN)).reply.status == 405
