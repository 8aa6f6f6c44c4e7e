"""Addresses that nobody links to: numbers no table can hold, words for numbers, characters no text can hold."""

from __future__ import annotations

from datetime import timedelta

from tests.browser.sample import Listener
from tests.unit.server.pages.asking import ALMANAC, Client, send

HUGE = "9" * 20  # more than a bigint
PAGES = (
    *(f"/{what}/{HUGE}" for what in ("albums", "artists", "tracks", "scrobbles", "imports")),
    *(f"/albums/{HUGE}/cover", f"/scrobbles/{HUGE}/cover", f"/scrobbles/{HUGE}/edit", f"/imports/{HUGE}/skipped.csv"),
    *(f"/review?case={HUGE}", f"/review/album?name={HUGE}", "/review?case=abc", "/review/album?name=abc"),
    *("/scrobbles/{id}/cover?done=abc", "/albums?page=abc", "/review?done=abc"),
)
BESIDE = (
    *("/review?done={huge}", "/scrobbles/{id}/cover?done={huge}", "/settings/covers?done={huge}"),
    *(
        "/albums?page={huge}",
        "/albums/gaps?page={huge}",
        "/charts/tracks?page={huge}",
        "/settings/same-plays?before={huge}",
    ),
    "/settings/consensus?page={huge}",
)
API = (
    *(f"scrobbles/{HUGE}{what}" for what in ("", "/enrichment_status", "/same_plays")),
    *(f"lookups/{HUGE}", f"searches/{HUGE}"),
)
POSTED = (
    *(f"/scrobbles/{HUGE}/{what}" for what in ("feedback", "own", "not-own")),
    *(f"/imports/{HUGE}/{what}" for what in ("look", "start", "undo", "discard")),
    *(f"/albums/{HUGE}/look-again", f"/plays/deleted/{HUGE}/undo", f"/players/{HUGE}/revoke"),
    *(f"/settings/people/{HUGE}/{what}" for what in ("reset", "owner", "remove")),
    f"/settings/people/invitations/{HUGE}/revoke",
)


async def test_a_page_of_no_possible_number_is_not_there(client: Client, listener: Listener) -> None:
    stored = await listener.play(ALMANAC, "Kelp", listener.clock.now() - timedelta(hours=1))
    for way in PAGES:
        answer = await client.get(way.format(id=stored.id))
        assert answer.status_code == 404, way
        assert "Nothing is here" in answer.text
        assert "Validation" not in answer.text


async def test_a_number_beside_the_page_that_is_too_large_is_no_failure(client: Client, listener: Listener) -> None:
    stored = await listener.play(ALMANAC, "Kelp", listener.clock.now() - timedelta(hours=1))
    for way in BESIDE:
        assert (await client.get(way.format(id=stored.id, huge=HUGE))).status_code in (200, 404, 422), way


async def test_nothing_is_done_to_what_has_no_possible_number(client: Client) -> None:
    for way in POSTED:
        assert (await send(client, way)).status_code in (303, 404, 422), way


async def test_the_api_knows_nothing_of_no_possible_number(client: Client) -> None:
    for way in API:
        answer = await client.get(f"/api/v1/{way}")
        assert answer.status_code == 404, way
        assert answer.json()["error"]["code"] == "not_found"


async def test_a_character_that_no_text_can_hold_is_no_failure(client: Client, listener: Listener) -> None:
    await listener.play(ALMANAC, "Kelp", listener.clock.now() - timedelta(hours=1))
    for way in ("/history/search?q=%00", "/plays/select?q=%00", "/charts?period=%00", "/invitations/%00"):
        assert (await client.get(way)).status_code in (200, 404, 422), way
    assert "Kelp" in (await client.get("/history/search?q=ke%00%20lp")).text
