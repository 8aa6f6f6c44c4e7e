"""The simulated image hosts: the albums' own covers in other bytes, placeholders, and nothing for the unknown."""

from __future__ import annotations

import io
import re

import msgspec
import pytest
from PIL import Image

from sleevenotes.clock import HandClock
from sleevenotes.simulator import conditions, core, entities, imagehosts, wire
from sleevenotes.simulator.world import World

SOURCES = ("theaudiodb", "discogs", "deezer", "itunes", "lastfm")
SHAPES = {
    "theaudiodb": r"https://r2\.theaudiodb\.com/images/media/album/thumb/\w+\.jpg",
    "discogs": r"https://i\.discogs\.com/[\w-]{43}/rs:fit/g:sm/q:90/h:600/w:600/[\w/-]+\.jpeg",
    "deezer": r"https://cdn-images\.dzcdn\.net/images/cover/[0-9a-f]{32}/1000x1000-000000-80-0-0\.jpg",
    "itunes": r"https://is[1-5]-ssl\.mzstatic\.com/image/thumb/Music115/v4(/\w\w){3}/[\w-]{36}/source\.jpg/100x100bb\.jpg",
    "lastfm": r"https://lastfm\.freetls\.fastly\.net/i/u/300x300/[0-9a-f]{32}\.jpg",
}
EDGES = {"theaudiodb": 700, "discogs": 600, "deezer": 1000, "itunes": 100, "lastfm": 300}


@pytest.fixture(scope="module")
def world() -> World:
    shares = {f"{source}_if_known": 0.7 for source in SOURCES}
    return World.invented(msgspec.structs.replace(conditions.calm(), front_image=shares), artists=60)


@pytest.fixture
def simulator(world: World) -> core.Simulator:
    return core.Simulator(world, HandClock(), latency=False)


async def get(simulator: core.Simulator, url: str) -> wire.Reply:
    return await simulator.handle(wire.Request("GET", url))


def shown(world: World, source: str) -> entities.Group:
    return next(group for group in world.catalogue.groups.values() if world.shown(source, group))


@pytest.mark.parametrize("source", SOURCES)
async def test_an_album_s_cover_lies_at_its_address(simulator: core.Simulator, world: World, source: str) -> None:
    group = shown(world, source)
    url = imagehosts.address(world, source, group)
    assert re.fullmatch(SHAPES[source], url)
    reply = await get(simulator, url)
    assert (reply.status, reply.headers["content-type"]) == (200, "image/jpeg")
    assert reply.headers["content-length"] == str(len(reply.body))
    assert world.cover_truth(reply.body) == group.mbid
    with Image.open(io.BytesIO(reply.body)) as image:
        assert image.size == (EDGES[source], EDGES[source])


async def test_no_two_hosts_send_the_same_bytes_of_the_same_size(simulator: core.Simulator, world: World) -> None:
    group = next(
        group
        for group in world.catalogue.groups.values()
        if world.shown("deezer", group) and world.shown("itunes", group)
    )
    deezer = await get(simulator, imagehosts.address(world, "deezer", group, edge=500))
    itunes = await get(simulator, imagehosts.address(world, "itunes", group, edge=500))
    audio = (
        world.draw_cover(group.releases[0], world.covers(group.releases[0])[0], 500)
        if world.covers(group.releases[0])
        else b""
    )
    assert len({deezer.body, itunes.body, audio}) == 3


@pytest.mark.parametrize("source", SOURCES)
async def test_an_album_without_art_has_no_address_and_an_unknown_image_is_not_found(
    simulator: core.Simulator, world: World, source: str
) -> None:
    bare = next(group for group in world.catalogue.groups.values() if not world.shown(source, group))
    assert imagehosts.address(world, source, bare) == ""
    token = imagehosts.md5(world, source, shown(world, source))
    url = imagehosts.address(world, source, shown(world, source))
    if source == "itunes":
        url = re.sub(r"[0-9a-f-]{36}", "0" * 8 + "-0000" * 3 + "-" + "0" * 12, url)
    url = url.replace(token, "0" * 32)
    if source != "discogs":
        assert (await get(simulator, url)).status == 404


async def test_discogs_addresses_cannot_be_made_up(simulator: core.Simulator, world: World) -> None:
    url = imagehosts.address(world, "discogs", shown(world, "discogs"))
    assert (await get(simulator, url)).status == 200
    assert (await get(simulator, url.replace("h:600/w:600", "h:1200/w:1200"))).status == 403


@pytest.mark.parametrize(("edge", "real"), [(600, 600), (1000, 1000), (3000, 1400)])
async def test_itunes_scales_down_from_the_original(
    simulator: core.Simulator, world: World, edge: int, real: int
) -> None:
    url = imagehosts.address(world, "itunes", shown(world, "itunes"))
    larger = await get(simulator, url.replace("100x100bb", f"{edge}x{edge}bb"))
    with Image.open(io.BytesIO(larger.body)) as image:
        assert image.size == (real, real)


@pytest.mark.parametrize(("suffix", "edge"), [("/preview", 200), ("/small", 250), ("/medium", 500)])
async def test_theaudiodb_has_smaller_ones_by_suffix(
    simulator: core.Simulator, world: World, suffix: str, edge: int
) -> None:
    reply = await get(simulator, imagehosts.address(world, "theaudiodb", shown(world, "theaudiodb")) + suffix)
    with Image.open(io.BytesIO(reply.body)) as image:
        assert image.size == (edge, edge)


@pytest.mark.parametrize(
    ("url", "mime"),
    [
        ("https://cdn-images.dzcdn.net/images/cover//500x500-000000-80-0-0.jpg", "image/jpeg"),
        ("https://e-cdns-images.dzcdn.net/images/artist//500x500-000000-80-0-0.jpg", "image/jpeg"),
        (f"https://lastfm.freetls.fastly.net/i/u/300x300/{imagehosts.STAR}.png", "image/png"),
        (imagehosts.SPACER, "image/gif"),
    ],
)
async def test_placeholders_are_images_of_no_album(
    simulator: core.Simulator, world: World, url: str, mime: str
) -> None:
    reply = await get(simulator, url)
    assert (reply.status, reply.headers["content-type"]) == (200, mime)
    with Image.open(io.BytesIO(reply.body)) as image:
        assert Image.MIME[image.format or ""] == mime
    assert world.cover_truth(reply.body) == ""


async def test_one_album_in_ten_has_a_namesake_with_a_cover_of_its_own(simulator: core.Simulator, world: World) -> None:
    groups = list(world.catalogue.groups.values())
    found = [group for group in groups if imagehosts.namesake(world, group)]
    assert len(found) / len(groups) == pytest.approx(0.1, abs=0.05)
    group = next(group for group in found if imagehosts.address(world, "deezer", group, of_namesake=True))
    other = imagehosts.namesake(world, group)
    assert other is not None
    assert (other.title, other.credit[0].artist is group.credit[0].artist) == (group.title, False)
    reply = await get(simulator, imagehosts.address(world, "deezer", group, of_namesake=True))
    assert world.cover_truth(reply.body) == other.mbid != group.mbid


async def test_the_album_of_a_decoy_has_a_cover_of_its_own(simulator: core.Simulator, world: World) -> None:
    row = next(row for row in range(500) if world.extras.decoys(row) and _shown_decoy(world, row))
    group = world.extras.recording(row, 0xF000).releases[0].group
    reply = await get(simulator, imagehosts.address(world, "itunes", group))
    assert world.cover_truth(reply.body) == group.mbid


def _shown_decoy(world: World, row: int) -> bool:
    return world.shown("itunes", world.extras.recording(row, 0xF000).releases[0].group)


async def test_ids_of_images_are_not_musicbrainz_and_differ_by_service(world: World) -> None:
    group = shown(world, "deezer")
    tokens = {imagehosts.md5(world, source, group) for source in SOURCES} - {""}
    assert len(tokens) >= 2
    assert group.mbid.replace("-", "") not in tokens


@pytest.mark.parametrize(("kind", "status"), [("500", 500), ("rate", 429), ("shed", 503)])
async def test_hosts_fail_on_order(simulator: core.Simulator, world: World, kind: str, status: int) -> None:
    simulator.fail_next("cdn-images.dzcdn.net", kind)
    url = imagehosts.address(world, "deezer", shown(world, "deezer"))
    assert (await get(simulator, url)).status == status
    assert (await get(simulator, url)).status == 200
