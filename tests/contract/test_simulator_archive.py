"""The simulated Cover Art Archive and archive.org: three hops to an image, and their ways of not having one."""

from __future__ import annotations

import io
import json
import re
from urllib.parse import urljoin

import msgspec
import pytest
from PIL import Image

from sleevenotes.clock import HandClock
from sleevenotes.simulator import conditions, core, entities, wire
from sleevenotes.simulator.world import World

CAA = "https://coverartarchive.org/"


@pytest.fixture(scope="module")
def world() -> World:
    given = msgspec.structs.replace(conditions.calm(), faults={"calm": {}, "bad": {"archive_500": 0.5}})
    return World.invented(given, artists=80)


@pytest.fixture
def simulator(world: World) -> core.Simulator:
    return core.Simulator(world, HandClock(), latency=False)


def with_art(world: World, *, art: bool = True) -> entities.Group:
    return next(
        group
        for group in world.catalogue.groups.values()
        if world.has_art(group) == art
        and world.group(group.mbid)
        and (
            not art or all(not world.thumbnail_missing(cover, 500) for r in group.releases for cover in world.covers(r))
        )
    )


async def hop(simulator: core.Simulator, url: str, method: str = "GET") -> wire.Reply:
    return await simulator.handle(wire.Request(method, url))


async def follow(simulator: core.Simulator, url: str) -> list[tuple[str, wire.Reply]]:
    hops = []
    for _ in range(4):
        reply = await hop(simulator, url)
        hops.append((url, reply))
        if "location" not in reply.headers:
            break
        url = urljoin(url, reply.headers["location"])
    return hops


@pytest.mark.parametrize(
    ("suffix", "edge"), [("-250", 250), ("-500", 500), ("-1200.jpg", 1200), ("", 1400), ("-2000", 1400)]
)
async def test_a_front_is_three_hops_away(simulator: core.Simulator, world: World, suffix: str, edge: int) -> None:
    group = with_art(world)
    hops = await follow(simulator, f"{CAA}release-group/{group.mbid}/front{suffix}")
    assert [reply.status for _, reply in hops] == [307, 302, 200]
    assert hops[0][1].headers["location"].startswith("//archive.org/download/mbid-")
    assert re.match(r"https://ia\d{6}\.us\.archive\.org/\d+/items/mbid-", hops[2][0])
    last = hops[-1][1]
    with Image.open(io.BytesIO(last.body)) as image:
        assert image.size == (edge, edge)
        assert Image.MIME[image.format or ""] == last.headers["content-type"]
    assert world.cover_truth(last.body) == group.mbid
    assert last.headers["content-length"] == str(len(last.body))


async def test_the_index_of_a_group_is_that_of_its_chosen_release(simulator: core.Simulator, world: World) -> None:
    group = with_art(world)
    [*_, (_, last)] = await follow(simulator, f"{CAA}release-group/{group.mbid}")
    index = json.loads(last.body)
    front = next(image for image in index["images"] if image["front"])
    assert front["types"] == ["Front"]
    assert front["image"].startswith("http://coverartarchive.org/release/")
    assert {"small", "large"} <= set(front["thumbnails"])
    release = index["release"].removeprefix("https://musicbrainz.org/release/")
    assert release in {each.mbid for each in group.releases}
    by_id = await hop(simulator, f"{CAA}release/{release}/{front['id']}-250.jpg")
    assert by_id.headers["location"].endswith("_thumb250.jpg")


async def test_absence_is_a_404_page_and_a_bad_id_a_400(simulator: core.Simulator, world: World) -> None:
    bare = with_art(world, art=False)
    absent = await hop(simulator, f"{CAA}release-group/{bare.mbid}/front-500")
    assert (absent.status, absent.headers["content-type"]) == (404, "text/html")
    assert f"No cover art found for release group {bare.mbid}".encode() in absent.body
    group = with_art(world)
    shouted = await hop(simulator, f"{CAA}release-group/{group.mbid.upper()}/front")
    assert (shouted.status, b"invalid MBID specified" in shouted.body) == (400, True)
    assert b"no MBID specified" in (await hop(simulator, f"{CAA}release")).body
    back = await hop(simulator, f"{CAA}release-group/{group.mbid}/back")
    assert (back.status, b"not supported for release groups" in back.body) == (400, True)
    assert (await hop(simulator, f"{CAA}release/{group.releases[0].mbid}/front", "POST")).status == 405
    assert (await hop(simulator, f"{CAA}release", "OPTIONS")).headers["allow"] == "GET, HEAD, OPTIONS"


async def test_a_release_with_only_a_back_has_no_front(simulator: core.Simulator, world: World) -> None:
    release = next(
        release
        for release in world.catalogue.releases.values()
        if [cover.back for cover in world.covers(release)] == [True] and world.release(release.mbid)
    )
    reply = await hop(simulator, f"{CAA}release/{release.mbid}/front-500")
    assert reply.status == 404
    assert f"No front cover image found for release with identifier {release.mbid}".encode() in reply.body
    assert (await hop(simulator, f"{CAA}release/{release.mbid}/back")).status == 307


async def test_merged_releases_are_resolved_silently(simulator: core.Simulator, world: World) -> None:
    row = next(
        each.row
        for each in world.catalogue.recordings
        if world.recording(each.mbid) and world.covers(world.catalogue.home(each.row))
    )
    old = world.merged_release(world.catalogue.recordings[row].mbid)
    reply = await hop(simulator, f"{CAA}release/{old}")
    assert reply.headers["location"] == f"//archive.org/download/mbid-{world.catalogue.home(row).mbid}/index.json"


async def test_one_thumbnail_in_a_hundred_is_missing_behind_a_promising_redirect(
    simulator: core.Simulator, world: World
) -> None:
    found = [
        (release, cover)
        for release in world.catalogue.releases.values()
        for cover in world.covers(release)
        if cover.front and world.release(release.mbid)
    ]
    missing = [(release, cover) for release, cover in found if world.thumbnail_missing(cover, 500)]
    assert len(missing) / len(found) == pytest.approx(0.01, abs=0.01)
    release, _ = missing[0]
    hops = await follow(simulator, f"{CAA}release/{release.mbid}/front-500")
    assert [reply.status for _, reply in hops] == [307, 302, 404]
    hops = await follow(simulator, f"{CAA}release/{release.mbid}/front")
    assert hops[-1][1].status == 200


async def test_on_a_bad_day_both_archive_hops_fail_half_of_the_time_with_170_bytes(
    simulator: core.Simulator, world: World
) -> None:
    simulator.set_day("bad")
    url = f"{CAA}release-group/{with_art(world).mbid}/front-250"
    first = urljoin(url, (await hop(simulator, url)).headers["location"])
    replies = [await hop(simulator, first) for _ in range(400)]
    failed = [reply for reply in replies if reply.status == 500]
    assert len(failed) / 400 == pytest.approx(0.5, abs=0.08)
    assert {len(reply.body) for reply in failed} == {170}
    assert {reply.headers["content-type"] for reply in failed} == {"text/html", "image/jpeg"}
    node = next(reply for reply in replies if reply.status == 302).headers["location"]
    nodes = [await hop(simulator, node) for _ in range(200)]
    assert sum(reply.status == 500 for reply in nodes) / 200 == pytest.approx(0.5, abs=0.1)
    assert {(await hop(simulator, url)).status for _ in range(20)} == {307}


async def test_hops_are_counted_by_host(simulator: core.Simulator, world: World) -> None:
    await follow(simulator, f"{CAA}release-group/{with_art(world).mbid}/front-500")
    hosts = simulator.statistics.snapshot()["hosts"]
    assert {host: told["requests"] for host, told in hosts.items()} == {
        "archive.org": 1,
        "coverartarchive.org": 1,
        "us.archive.org": 1,
    }
