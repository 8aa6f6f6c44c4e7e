"""Covers that plays come with, and covers that listeners choose: shown at once, kept, and nobody else's affair."""

from __future__ import annotations

import asyncio
import io
from typing import Any

import httpx
from PIL import Image

from sleevenotes import model
from sleevenotes.simulator import imagehosts, listener
from tests.journey.conftest import WORLD, House
from tests.journey.test_corrections import another

API = "/api/v1"


def picture(colour: str, side: int = 300, kind: str = "PNG") -> bytes:
    data = io.BytesIO()
    Image.new("RGB", (side, side), colour).save(data, kind)
    return data.getvalue()


def lastfm_art(house: House, play: listener.Play) -> str:
    """Return where the simulated Last.fm has a picture of the play's album."""
    group = WORLD.catalogue.groups[house.truth(play).release_group_mbid]
    return imagehosts.address(WORLD, "lastfm", group)


def pictured(house: House, count: int = 1) -> list[listener.Play]:
    """Choose songs whose album has a cover at the archive and at Last.fm."""
    chosen = [each for each in house.names(60) if house.truth(each).has_art and lastfm_art(house, each)]
    return chosen[:count]


def native(house: House, play: listener.Play, minutes: int = 5, **more: Any) -> dict[str, Any]:
    at = house.clock.now().timestamp() - 60 * minutes
    names = {"artist_name": play.artist, "track_name": play.track, "album_name": play.release}
    return {**names, "played_at": at, "source_app": "test", **more}


async def submit(house: House, *items: dict[str, Any], token: str = "") -> list[int]:
    headers = {"authorization": f"Token {token}"} if token else {}
    answer = await house.client.post(f"{API}/scrobbles", json={"scrobbles": items}, headers=headers)
    assert answer.status_code == 201, answer.text
    return [each["id"] for each in answer.json()["scrobbles"]]


async def shown(house: House, scrobble_id: int, token: str = "") -> tuple[str, str]:
    """Return what led to a scrobble's cover, and its address."""
    headers = {"authorization": f"Token {token}"} if token else {}
    told = (await house.client.get(f"{API}/scrobbles/{scrobble_id}", headers=headers)).json()
    return told["artwork_by"], told["effective_artwork_url"]


async def turning(house: House, request: Any) -> httpx.Response:
    """Turn the clock while a request waits, slowly: it has patience for ten seconds, and workers take real time."""
    task = asyncio.ensure_future(request)
    while not task.done():
        house.clock.turn(0.005)
        await house.count("SELECT 1")
    answer: httpx.Response = task.result()
    return answer


async def test_lastfms_picture_is_shown_at_once_and_the_albums_cover_takes_its_place(house: House) -> None:
    [play] = pictured(house)
    address = lastfm_art(house, play)
    [first, second] = await submit(
        house, native(house, play, 5, artwork_uri=address), native(house, play, 9, artwork_uri=address)
    )
    await house.until("SELECT status = 'fetched' FROM sent_images")
    by, temporary = await shown(house, first)
    assert by in ("temporary", "preview")
    await house.until_settled()
    assert await shown(house, first) == await shown(house, second)
    by, cover = await shown(house, first)
    assert by == "album"
    assert cover != temporary
    fetched = await house.count("SELECT count(*) FROM traces WHERE source = 'lastfm_images'")
    [third] = await submit(house, native(house, play, 20, artwork_uri=address))
    assert (await shown(house, third))[0] == "album"
    await house.until_settled()
    assert await house.count("SELECT count(*) FROM traces WHERE source = 'lastfm_images'") == fetched


async def test_the_picture_of_a_hidden_record_is_shown_with_the_play_that_is_shown_instead(house: House) -> None:
    [pictured_elsewhere] = pictured(house)
    at = house.clock.now().timestamp() - 600
    unknown: dict[str, Any] = {"artist_name": "Nobody At All", "played_at": at}
    [mine] = await submit(house, {**unknown, "track_name": "No Such Song", "album_name": "None", "source_app": "test"})
    await house.until_settled()
    assert (await shown(house, mine))[0] == ""
    row = {**unknown, "track_name": "No Such Song (Remastered)", "played_at": at + 9}
    row["artwork_uri"] = lastfm_art(house, pictured_elsewhere)
    answer = await house.client.post(f"{API}/scrobbles/from_lastfm", json={"scrobbles": [row]})
    assert answer.status_code == 201, answer.text
    await house.until("SELECT bool_and(status = 'fetched') FROM sent_images")
    assert (await shown(house, mine))[0] == "temporary"
    told = await house.count("SELECT payload FROM events WHERE kind = 'previews_shown' ORDER BY id DESC LIMIT 1")
    lookup_id = await house.count("SELECT lookup_id FROM scrobbles WHERE id = $1", mine)
    assert lookup_id in told["ids"]  # its open page draws it anew


async def test_a_chosen_cover_stays_for_past_and_future_plays_of_that_listener_alone_and_can_be_undone(
    house: House,
) -> None:
    play, other = pictured(house, 2)
    token = await another(house)
    [old] = await submit(house, native(house, play, 60))
    [mine] = await submit(house, native(house, play))
    [theirs] = await submit(house, native(house, play), token=token)
    await house.until_settled()
    _, cover = await shown(house, mine)

    address = lastfm_art(house, other)
    chosen = await turning(
        house, house.client.patch(f"{API}/scrobbles/{mine}/artwork", json={"preferred_artwork_url": address})
    )
    assert chosen.status_code == 200, chosen.text
    by, picked = await shown(house, mine)
    assert (by, picked) == ("preference", chosen.json()["preferred_artwork_url"])
    assert picked != cover
    assert await shown(house, old) == ("preference", picked)
    [later] = await submit(house, native(house, play, 1))
    assert await shown(house, later) == ("preference", picked)
    assert await shown(house, theirs, token) == ("album", cover)

    refreshed = await house.client.post(f"{API}/scrobbles/{mine}/refresh_artwork")
    assert refreshed.status_code == 202
    await house.until_settled()
    assert await shown(house, mine) == ("preference", picked)  # no look replaces what the listener chose

    [told] = (await house.client.get(f"{API}/artwork/preferences")).json()["preferences"]
    assert (told["album_name"], told["address"]) == (play.release, address)
    assert (await house.client.post(f"{API}/artwork/preferences/{told['id']}/undo")).status_code == 204
    for each in (old, mine, later):
        assert await shown(house, each) == ("album", cover)


async def test_an_imports_pictures_are_fetched_only_where_there_is_nothing_better(house: House) -> None:
    [play] = pictured(house)
    address = lastfm_art(house, play)
    unknown = play._replace(artist="Nobody At All", track="Nothing", release="Nowhere")
    async with house.parts.database.connection() as conn:
        assert await conn.fetchval("SELECT count(*) FROM sent_images") == 0
    sent = [
        model.Scrobble(each.artist, each.track, each.release, house.clock.now(), origin="lastfm", artwork_uri=uri)
        for each, uri in ((play, address), (unknown, address + "?other"))
    ]
    await house.parts.submitter.submit(house.account_id, sent, band=model.Band.LOW_PRIORITY)
    assert await house.count("SELECT count(*) FROM sent_images") == 0
    await house.until_settled()
    await house.until("SELECT count(*) = 1 FROM sent_images WHERE status <> 'pending'")
    assert await house.count("SELECT address FROM sent_images") == address + "?other"


async def test_a_dead_address_costs_its_play_a_picture_and_nothing_else_and_its_page_says_so(house: House) -> None:
    play, other = pictured(house, 2)
    dead, star = "https://nowhere.example/a.jpg", f"https://lastfm.freetls.fastly.net/i/u/300x300/{imagehosts.STAR}.png"
    [first] = await submit(house, native(house, play, artwork_uri=dead))
    [second] = await submit(house, native(house, other, artwork_uri=star))
    await house.until_settled()
    await house.until("SELECT bool_and(status <> 'pending') FROM sent_images")
    assert (await shown(house, first))[0] == (await shown(house, second))[0] == "album"
    assert await house.count("SELECT status FROM sent_images WHERE address = $1", dead) == "failed"
    assert await house.count("SELECT paused_until IS NULL FROM budgets WHERE host = 'elsewhere'")
    assert await house.count("SELECT count(*) FROM traces WHERE source = 'lastfm_images'") == 0
    pages = [(await house.client.get(f"/scrobbles/{each}")).text for each in (first, second)]
    assert "could not be fetched; tried again when it is sent again. It could not be reached" in pages[0]
    assert "It is what the service shows where it has no picture." in pages[1]

    path = f"{API}/scrobbles/{first}/artwork"
    refused = await turning(
        house, house.client.patch(path, json={"preferred_artwork_url": "https://dead.example/b.jpg"})
    )
    assert refused.status_code == 422
    [said] = refused.json()["error"]["details"]
    assert said["field"] == "preferred_artwork_url"
    assert "It could not be reached" in said["message"]
    assert (await shown(house, first))[0] == "album"


async def test_opening_the_choice_has_everybody_asked_and_shows_their_covers_side_by_side(house: House) -> None:
    play = next(
        each
        for each in pictured(house, 30)
        if imagehosts.address(WORLD, "deezer", WORLD.catalogue.groups[house.truth(each).release_group_mbid])
        and {"deezer", "itunes"} <= house.truth(each).known_to
    )
    await house.submit(house.listen(play))  # an import: the archive alone was asked
    await house.until_settled()
    [scrobble_id] = [each["id"] for each in (await house.client.get(f"{API}/scrobbles")).json()["scrobbles"]]
    before = await house.count("SELECT count(*) FROM artwork_candidates WHERE status = 'fetched'")
    opened = await house.client.get(f"/scrobbles/{scrobble_id}/cover")
    assert opened.status_code == 200
    await house.until("SELECT count(*) = 0 FROM pgqueuer")
    await house.until("SELECT NOT EXISTS (SELECT FROM waiters WHERE stage = 'offers')")
    await house.until("SELECT count(*) = 0 FROM pgqueuer")
    sources = await house.count("SELECT array_agg(DISTINCT source) FROM artwork_candidates WHERE status = 'fetched'")
    assert "deezer" in sources
    assert await house.count("SELECT count(*) FROM artwork_candidates WHERE status = 'fetched'") > before
    page = (await house.client.get(f"/scrobbles/{scrobble_id}/cover")).text
    assert "Shown now: Cover Art Archive" in page
    assert "Choose: Deezer" in page
    assert (await shown(house, scrobble_id))[0] == "album"  # nothing was decided by it

    found = await turning(
        house, house.client.get("/artwork/search", params={"artist": play.artist, "album": play.release})
    )
    exact = [each for each in found.json()["options"] if each["match_type"] == "exact"]
    assert {"deezer"} <= {each["source"] for each in exact}
