"""The native API of covers: its shapes, its refusals, and that nobody reaches another's plays."""

from __future__ import annotations

import io
from datetime import timedelta
from typing import Any

import httpx
import msgspec
import pytest
from PIL import Image
from tests.serving import Listener
from tests.unit.pipeline.submits import match_with_album

from sleevenotes.sources import contract
from sleevenotes.store import accounts, artworks, images, replies
from sleevenotes.store.replies import Outcome

API = "/api/v1"
AT = "2025-12-31T20:00:00Z"


def picture(colour: str = "teal", kind: str = "PNG") -> bytes:
    data = io.BytesIO()
    Image.new("RGB", (300, 300), colour).save(data, kind)
    return data.getvalue()


def item(minute: int = 0, **more: Any) -> dict[str, Any]:
    names = {
        "track_name": "Roygbiv",
        "artist_name": "Boards of Canada",
        "album_name": "Music Has the Right to Children",
    }
    return {**names, "played_at": AT.replace("20:00", f"20:{minute:02}"), "source_app": "phone", **more}


async def ask(maria: Listener, method: str, path: str, **more: Any) -> httpx.Response:
    return await maria.client.request(method, path, headers=maria.header, **more)


async def play(maria: Listener, minute: int = 0, **more: Any) -> dict[str, Any]:
    reply = await ask(maria, "POST", f"{API}/scrobbles", json={"scrobbles": [item(minute, **more)]})
    assert reply.status_code == 201, reply.text
    told: dict[str, Any] = reply.json()["scrobbles"][0]
    return told


async def choose(maria: Listener, scrobble_id: int, colour: str = "teal", **more: str) -> dict[str, Any]:
    """Choose a picture of one colour by an upload."""
    reply = await ask(
        maria,
        "PATCH",
        f"{API}/scrobbles/{scrobble_id}/artwork",
        files={"album_art": ("a.png", picture(colour), "image/png")},
        data=more,
    )
    assert reply.status_code == 200, reply.text
    told: dict[str, Any] = reply.json()
    return told


async def show(maria: Listener, scrobble_id: int) -> dict[str, Any]:
    told: dict[str, Any] = (await ask(maria, "GET", f"{API}/scrobbles/{scrobble_id}")).json()
    return told


async def test_an_uploaded_cover_holds_for_the_album_and_delete_forgets_the_preference(maria: Listener) -> None:
    first, second = await play(maria, 0), await play(maria, 5)
    assert (first["artwork_by"], first["preferred_artwork_url"]) == ("", None)
    chosen = await choose(maria, first["id"])
    assert chosen["artwork_by"] == "preference"
    assert chosen["preferred_artwork_url"] == chosen["effective_artwork_url"]
    shown = await ask(maria, "GET", chosen["effective_artwork_url"])
    assert (shown.status_code, shown.headers["content-type"]) == (200, "image/webp")
    third = await play(maria, 10)
    for each in (second, third):
        assert (await show(maria, each["id"]))["preferred_artwork_url"] == chosen["preferred_artwork_url"]
    [kept] = (await ask(maria, "GET", f"{API}/artwork/preferences")).json()["preferences"]
    assert (kept["artist_name"], kept["album_name"], kept["scrobble_id"], kept["address"]) == (
        "Boards of Canada",
        "Music Has the Right to Children",
        None,
        "",
    )
    gone = await ask(maria, "DELETE", f"{API}/scrobbles/{second['id']}/artwork")
    assert (gone.status_code, gone.json()["preferred_artwork_url"]) == (200, None)
    assert (await show(maria, first["id"]))["artwork_by"] == ""
    assert (await ask(maria, "GET", f"{API}/artwork/preferences")).json() == {"preferences": []}
    again = await ask(maria, "DELETE", f"{API}/scrobbles/{second['id']}/artwork")
    assert again.status_code == 200  # nothing chosen is what was asked for


async def test_a_cover_for_one_scrobble_alone_leaves_the_others(maria: Listener) -> None:
    first, second = await play(maria, 0), await play(maria, 5)
    await choose(maria, first["id"], "teal")
    alone = await choose(maria, second["id"], "gold", remember="false")
    assert alone["artwork_by"] == "choice"
    assert (await show(maria, first["id"]))["artwork_by"] == "preference"
    cleared = (await ask(maria, "DELETE", f"{API}/scrobbles/{second['id']}/artwork")).json()
    assert cleared["artwork_by"] == "preference"  # the choice made no preference: what was there before it stays
    # An image that is here already is chosen by its address on this server; the last word holds for all.
    own = alone["preferred_artwork_url"]
    reply = await ask(maria, "PATCH", f"{API}/scrobbles/{second['id']}/artwork", json={"preferred_artwork_url": own})
    assert reply.json()["artwork_by"] == "preference"
    assert (await show(maria, first["id"]))["preferred_artwork_url"] == own


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "preferred_artwork_url"),
        ({"preferred_artwork_url": 7}, "preferred_artwork_url"),
        ({"preferred_artwork_url": "file:///etc/passwd"}, "preferred_artwork_url"),
        ({"preferred_artwork_url": "https://localhost/a.jpg"}, "preferred_artwork_url"),
        ({"preferred_artwork_url": "/images/" + "0" * 64 + "/500"}, "preferred_artwork_url"),
        ({"preferred_artwork_url": "https://a.example/" + "a" * 2000}, "preferred_artwork_url"),
        ({"preferred_artwork_url": "https://a.example/a.jpg", "remember": "maybe"}, "remember"),
    ],
)
async def test_what_cannot_be_a_cover_is_refused_by_its_field_and_changes_nothing(
    maria: Listener, body: dict[str, Any], field: str
) -> None:
    mine = await play(maria)
    reply = await ask(maria, "PATCH", f"{API}/scrobbles/{mine['id']}/artwork", json=body)
    assert reply.status_code == 422, reply.text
    assert reply.json()["error"]["details"][0]["field"] == field
    assert (await show(maria, mine["id"]))["preferred_artwork_url"] is None


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "is empty."),
        (b"<html>", "is no JPEG, PNG or WebP image that can be read (the image does not decode)."),
        (picture(kind="GIF"), "is no JPEG, PNG or WebP image that can be read (it is image/gif)."),
        (picture()[:-200], "is no JPEG, PNG or WebP image that can be read (the image does not decode: image file is"),
        (b"\xff\xd8\xff" + b"0" * 6_000_000, "is larger than 5 MB."),
    ],
)
async def test_an_upload_that_is_no_picture_is_refused_by_its_field(maria: Listener, data: bytes, said: str) -> None:
    mine = await play(maria)
    path = f"{API}/scrobbles/{mine['id']}/artwork"
    reply = await ask(maria, "PATCH", path, files={"album_art": ("a.png", data, "image/png")})
    assert reply.status_code == 422, reply.text
    assert reply.json()["error"]["details"][0]["field"] == "album_art"
    assert reply.json()["error"]["message"].startswith(f"album_art: {said}")


async def test_a_stop_gap_cannot_be_chosen_and_the_answer_says_why(maria: Listener) -> None:
    mine = await play(maria)
    other = await choose(maria, (await play(maria, 5, album_name="Twoism"))["id"])
    digest = other["preferred_artwork_url"].split("/")[2]
    async with maria.services.database.connection() as conn:
        stored = await images.by_digest(conn, digest)
        assert stored is not None
        stop_gap = msgspec.structs.replace(stored.image, digest="ab" * 32, source="discogs")
        await images.keep(
            conn, stop_gap, maria.services.clock.now(), expires_at=maria.services.clock.now() + timedelta(1)
        )
    address = f"/images/{'ab' * 32}/500"
    reply = await ask(maria, "PATCH", f"{API}/scrobbles/{mine['id']}/artwork", json={"preferred_artwork_url": address})
    assert reply.status_code == 422
    assert "let it be kept for some hours only" in reply.json()["error"]["message"]


async def test_what_is_not_yours_is_not_there(maria: Listener) -> None:
    mine = await play(maria)
    async with maria.services.database.transaction() as conn:
        now = maria.services.clock.now()
        otto = await accounts.create(conn, "otto", "", is_owner=False, now=now)
        token = await accounts.create_token(conn, otto.id, "phone", now)
    theirs = {"Authorization": f"Token {token}"}
    for method, path in (
        ("PATCH", f"{API}/scrobbles/{mine['id']}/artwork"),
        ("DELETE", f"{API}/scrobbles/{mine['id']}/artwork"),
        ("POST", f"{API}/scrobbles/{mine['id']}/refresh_artwork"),
        ("POST", f"/artwork/refresh/scrobble/{mine['id']}"),
        ("POST", "/artwork/refresh/album/1"),
        ("POST", f"{API}/artwork/refresh/track/9223372036854775808"),
        ("POST", "/artwork/refresh/artist/1"),
        ("POST", f"{API}/artwork/preferences/1/undo"),
    ):
        reply = await maria.client.request(method, path, headers=theirs)
        assert (reply.status_code, reply.json()["error"]["code"]) == (404, "not_found"), (method, path)
        assert (await maria.client.request(method, path)).status_code == 401


async def test_a_refresh_opens_the_album_again_once_a_minute_and_keeps_what_is_shown(maria: Listener) -> None:
    mine = await play(maria)
    async with maria.services.database.transaction() as conn:
        group_id = await match_with_album(conn, mine["lookup_id"], maria.services.clock.now())
    digest = (await choose(maria, (await play(maria, 5, album_name="Twoism"))["id"]))["preferred_artwork_url"].split(
        "/"
    )[2]
    async with maria.services.database.connection() as conn:
        now = maria.services.clock.now()
        stored = await images.by_digest(conn, digest)
        assert stored is not None
        await artworks.want_matched(conn, [group_id], now)
        await artworks.found(conn, group_id, stored.id, "so", now)
    recording_id = (await show(maria, mine["id"]))["track"]["id"]
    for path in (f"/artwork/refresh/album/{group_id}", f"{API}/artwork/refresh/track/{recording_id}"):
        reply = await ask(maria, "POST", path)
        assert (reply.status_code, reply.json()["album_ids"]) == (202, [group_id])
    async with maria.services.database.connection() as conn:
        assert await conn.fetchval("SELECT status FROM artworks") == "found"  # it was decided just now
    maria.services.clock.turn(61)  # type: ignore[attr-defined] # a hand clock
    assert (await ask(maria, "POST", f"{API}/scrobbles/{mine['id']}/refresh_artwork")).status_code == 202
    async with maria.services.database.connection() as conn:
        assert await conn.fetchval("SELECT status FROM artworks") == "pending"
        assert await conn.fetchval("SELECT count(*) FROM pgqueuer WHERE entrypoint = 'artwork' AND priority = 2") > 0
    assert (await show(maria, mine["id"]))["effective_artwork_url"] == f"/images/{digest}/500"


async def test_pictures_come_with_a_submit_and_one_that_is_none_spoils_its_item_alone(maria: Listener) -> None:
    document = msgspec.json.encode(
        {"scrobbles": [item(0), item(5, track_name="Aquarius"), item(9, track_name="Olson")]}
    )
    files = [
        ("scrobbles", (None, document, "application/json")),
        ("album_art[0]", ("a.jpg", picture(kind="JPEG"), "image/jpeg")),
        ("album_art[2]", ("b.jpg", b"no picture", "image/jpeg")),
    ]
    reply = await ask(maria, "POST", f"{API}/scrobbles", files=files)
    assert reply.status_code == 201, reply.text
    told = reply.json()
    assert [each["index"] for each in told["scrobbles"]] == [0, 1]
    assert [each["artwork_by"] for each in told["scrobbles"]] == ["sent", ""]
    [problem] = told["errors"]
    assert (problem["index"], problem["errors"][0]["field"]) == (2, "album_art")
    stray = [files[0], ("album_art[7]", ("a.jpg", picture(), "image/png"))]
    refused = await ask(maria, "POST", f"{API}/scrobbles", files=stray)
    assert (refused.status_code, refused.json()["error"]["details"][0]["field"]) == (422, "album_art[7]")


async def test_a_search_tells_the_albums_covers_from_others_of_the_artist(maria: Listener) -> None:
    album, now = "Music Has the Right to Children", maria.services.clock.now()
    question = contract.FindImages("Boards of Canada", album)
    answer = contract.Answer(
        (
            contract.ImageAt(
                "https://cdn-images.dzcdn.net/images/cover/a/1000.jpg", question.artist, album, 1000, 1000
            ),
            contract.ImageAt(
                "https://cdn-images.dzcdn.net/images/cover/b/1000.jpg", question.artist, "Twoism", 1000, 1000
            ),
            contract.ImageAt(
                "https://cdn-images.dzcdn.net/images/cover/c/1000.jpg", "Somebody Else", album, 1000, 1000
            ),
            contract.ImageAt("https://cdn-images.dzcdn.net/images/cover//1000.jpg", question.artist, album),
        )
    )
    async with maria.services.database.connection() as conn:
        key = contract.key(question)
        await replies.keep(conn, [("deezer", key, Outcome.ANSWERED, answer)], now)
        for source in ("theaudiodb", "itunes", "discogs", "lastfm"):
            await replies.keep(conn, [(source, key, Outcome.ABSENT, contract.ABSENT)], now)
    reply = await ask(maria, "GET", "/artwork/search", params={"artist": "Boards of Canada", "album": album})
    assert reply.status_code == 200, reply.text
    told = reply.json()
    assert told["complete"] is True
    assert [(each["album_name"], each["match_type"], each["source"]) for each in told["options"]] == [
        (album, "exact", "deezer"),
        ("Twoism", "artist_catalog", "deezer"),
    ]
    await play(maria)
    by_track = await ask(
        maria, "GET", f"{API}/artwork/search", params={"artist": "Boards of Canada", "track": "Roygbiv"}
    )
    assert by_track.json() == told
    nobody = await ask(maria, "GET", "/artwork/search")
    assert (nobody.status_code, nobody.json()["error"]["details"][0]["field"]) == (422, "artist")
