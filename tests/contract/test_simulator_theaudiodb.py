"""The simulated TheAudioDB: the recorded rows' fields, its ways of finding, and its ways of having nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import msgspec
import pytest
from tests.contract import recorded

from sleevenotes.clock import HandClock
from sleevenotes.simulator import conditions, core, entities, extras, wire
from sleevenotes.simulator.world import World

API = "https://www.theaudiodb.com/api/v1/json/123/"
# Since the recordings were made, English texts lost their suffix and tracks gained an ISRC.
NEWER = {"strDescription", "strBiography", "strISRC"}
OLDER = {"strDescriptionEN", "strBiographyEN"}


@pytest.fixture(scope="module")
def world() -> World:
    given = conditions.calm()
    coverage = {**given.coverage, "theaudiodb": conditions.Coverage(mean=0.7, noise=0.5)}
    decoys = conditions.Decoys(per_name=1.0, kinds=(extras.HOMONYM, "cover"))
    calm = {"calm": {}, "empty": {"theaudiodb_empty": 1.0}}
    return World.invented(msgspec.structs.replace(given, coverage=coverage, decoys=decoys, faults=calm), artists=60)


@pytest.fixture
def simulator(world: World) -> core.Simulator:
    return core.Simulator(world, HandClock(), limits=False, latency=False)


def get(simulator: core.Simulator, endpoint: str, **parameters: object) -> wire.Reply:
    url = f"{API}{endpoint}.php?{urlencode(parameters)}"
    return simulator.plan(wire.Request("GET", url)).reply


def rows(simulator: core.Simulator, endpoint: str, **parameters: object) -> list[dict[str, Any]]:
    reply = get(simulator, endpoint, **parameters)
    assert reply.status == 200
    assert reply.headers["content-type"] == "application/json"
    [found] = json.loads(reply.body).values()
    return found or []


def known(world: World, *, by: bool = True) -> entities.Recording:
    return next(
        each
        for each in world.catalogue.recordings
        if len(each.credit) == 1
        and world.recording(each.mbid)
        and ("theaudiodb" in world.known.sources_of(each.credit[0].artist)) == by
        and world.catalogue.home(each.row).group.credit[0].artist is each.credit[0].artist
    )


@pytest.mark.parametrize(
    ("recorded_endpoint", "endpoint"),
    [("artist-mb", "search"), ("track-mb", "searchtrack"), ("album-mb", "searchalbum")],
)
def test_rows_have_the_recorded_fields_all_of_them_text_or_null(
    shared_data: Path, simulator: core.Simulator, world: World, recorded_endpoint: str, endpoint: str
) -> None:
    [theirs] = [
        json.loads(each.reply.body)
        for each in recorded.exchanges(shared_data, "theaudiodb", "www.theaudiodb.com")
        if f"/{recorded_endpoint}.php" in each.path
    ]
    song = known(world)
    names = {"s": song.credit[0].artist.name, "t": song.title, "a": world.catalogue.home(song.row).group.title}
    ours = json.loads(get(simulator, endpoint, **names).body)
    assert set(ours) == set(theirs)
    [envelope] = ours
    assert set(ours[envelope][0]) - NEWER == set(theirs[envelope][0]) - OLDER
    assert {type(value) for value in ours[envelope][0].values()} <= {str, type(None)}


def test_a_track_is_found_by_names_without_regard_to_case_and_punctuation(
    simulator: core.Simulator, world: World
) -> None:
    song = known(world)
    artist, title = song.credit[0].artist.name, song.title
    [row] = rows(simulator, "searchtrack", s=artist.upper(), t=f"{title.lower()}!")
    assert (row["strTrack"], row["strArtist"]) == (title, artist)
    assert row["strMusicBrainzID"] in world.catalogue.recording_rows


def test_one_row_at_most_is_given_and_the_played_come_before_their_homonyms(
    simulator: core.Simulator, world: World
) -> None:
    song = known(world)
    [row] = rows(simulator, "searchtrack", s=song.credit[0].artist.name, t=song.title)
    assert row["strMusicBrainzArtistID"] == song.credit[0].artist.mbid
    [album] = rows(simulator, "album", i=row["idArtist"])
    assert album["strArtist"] == song.credit[0].artist.name


def test_where_the_artist_is_unknown_a_homonym_may_be_found_without_mbids(
    simulator: core.Simulator, world: World
) -> None:
    unknown = [
        each
        for each in world.catalogue.recordings
        if each.credit[0].artist.index not in world.known.by("theaudiodb") and len(each.credit) == 1
    ]
    found = [
        row for each in unknown for row in rows(simulator, "searchtrack", s=each.credit[0].artist.name, t=each.title)
    ]
    assert 0 < len(found) < len(unknown)
    assert {row["strMusicBrainzID"] for row in found} == {None}


def test_ids_and_mbids_lead_to_the_same_rows_as_names(simulator: core.Simulator, world: World) -> None:
    song = known(world)
    [track] = rows(simulator, "searchtrack", s=song.credit[0].artist.name, t=song.title)
    assert rows(simulator, "track", h=track["idTrack"]) == [track]
    assert rows(simulator, "track-mb", i=track["strMusicBrainzID"]) == [track]
    [album] = rows(simulator, "album", m=track["idAlbum"])
    assert album["strAlbum"] == track["strAlbum"]
    assert rows(simulator, "album-mb", i=album["strMusicBrainzID"]) == [album]
    assert rows(simulator, "searchalbum", s=album["strArtist"], a=album["strAlbum"]) == [album]
    [artist] = rows(simulator, "artist", i=track["idArtist"])
    assert rows(simulator, "artist-mb", i=artist["strMusicBrainzID"]) == [artist]
    assert rows(simulator, "search", s=artist["strArtist"]) == [artist]
    assert rows(simulator, "track", m=track["idAlbum"])[0]["strAlbum"] == track["strAlbum"]


def test_who_is_unknown_is_null_or_an_empty_body(simulator: core.Simulator, world: World) -> None:
    mbid = world.catalogue.home(known(world, by=False).row).group.mbid
    for endpoint, envelope in (("search", "artists"), ("searchalbum", "album"), ("searchtrack", "track")):
        assert json.loads(get(simulator, endpoint, s="Nobody", a="X", t="X").body) == {envelope: None}
    assert json.loads(get(simulator, "album-mb", i=mbid).body) == {"album": None}
    simulator.fail_next("www.theaudiodb.com", "empty")
    reply = get(simulator, "album-mb", i=mbid)
    assert (reply.status, reply.body) == (200, b"")


def test_an_empty_body_never_stands_for_something_that_is_there(simulator: core.Simulator, world: World) -> None:
    song = known(world)
    simulator.fail_next("www.theaudiodb.com", "empty")
    assert rows(simulator, "searchtrack", s=song.credit[0].artist.name, t=song.title)


@pytest.mark.parametrize("path", ["wrong/search.php", "123/nothing.php", "123/search", "123/discography.php"])
def test_a_wrong_key_and_what_is_not_there_are_a_404_page(simulator: core.Simulator, path: str) -> None:
    reply = simulator.plan(wire.Request("GET", f"https://www.theaudiodb.com/api/v1/json/{path}?s=A")).reply
    assert (reply.status, reply.headers["content-type"]) == (404, "text/html; charset=UTF-8")
    assert reply.body.startswith(b"<!DOCTYPE html>")


def test_the_bare_domain_leads_to_the_one_with_www(simulator: core.Simulator) -> None:
    url = f"https://theaudiodb.com/api/v1/json/123/search.php?s={quote('A B')}"
    reply = simulator.plan(wire.Request("GET", url)).reply
    assert (reply.status, reply.headers["location"]) == (301, url.replace("//theaudiodb", "//www.theaudiodb"))


def test_thirty_a_minute_are_allowed_and_nobody_is_told_how_long_to_wait(world: World) -> None:
    clock = HandClock()
    simulator = core.Simulator(world, clock, latency=False)
    statuses = [get(simulator, "search", s="A").status for _ in range(31)]
    assert statuses == [200] * 30 + [429]
    assert "retry-after" not in get(simulator, "search", s="A").headers
    clock.turn(61)
    assert get(simulator, "search", s="A").status == 200
    assert simulator.statistics.violations == 2
