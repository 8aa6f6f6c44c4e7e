"""Changing and deleting plays by forms: one, and those that were ticked."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from sleevenotes.store import library
from tests.browser.sample import SLEEVES, Listener
from tests.unit.server.pages.asking import Client, send

ALMANAC = SLEEVES[0]


async def test_a_play_is_told_anew_by_the_clock_of_its_listener(client: Client, listener: Listener) -> None:
    async with listener.database.connection() as conn:
        await library.set_time_zone(conn, listener.account.id, "Europe/Vienna")
    stored = await listener.play(ALMANAC, "Kelp", listener.clock.now() - timedelta(hours=2), sent="Kepl")
    form = (await client.get(f"/scrobbles/{stored.id}/edit")).text
    assert 'value="Kepl"' in form
    assert 'value="2026-01-01T19:00:00"' in form
    told = {"artist_name": ALMANAC.artist, "track_name": "Kelp", "album_name": "", "played_at": "2026-01-01T12:30"}
    answer = await send(client, "/plays/edit", ids=str(stored.id), apply="1", **told)
    assert answer.headers["location"] == f"/scrobbles/{stored.id}"
    async with listener.database.connection() as conn:
        row = await conn.fetchrow("SELECT track, release, listened_at FROM scrobbles")
    assert (row["track"], row["release"], f"{row['listened_at']:%H:%M}") == ("Kelp", "", "11:30")


async def test_an_unfit_change_is_said_on_the_form_which_keeps_what_was_typed(
    client: Client, listener: Listener
) -> None:
    first = await listener.play(ALMANAC, "Kelp", listener.clock.now())
    second = await listener.play(ALMANAC, "Ash", listener.clock.now())
    told = {"artist_name": ALMANAC.artist, "track_name": "Kelp", "played_at": ""}
    answer = await send(client, "/plays/edit", ids=str(second.id), apply="1", **told)
    assert answer.status_code == 422
    assert f"would become the same play as scrobble {first.id}" in answer.text
    assert re.search(r'name="track_name" value="Kelp"', answer.text)


@pytest.mark.parametrize(
    ("unfit", "said"),
    [
        ({"track_name": " "}, "Track must not be empty."),
        ({"artist_name": "a" * 501}, "Artist must be at most 500 characters."),
        ({"played_at": "2026-01-02T20:00"}, "Played at lies in the future."),
        ({"played_at": "1899-12-31T20:00"}, "Played at lies before 1900."),
        ({"played_at": "yesterday"}, "Played at must be a date and a time."),
    ],
)
async def test_what_is_unfit_is_told_by_the_words_of_the_form(
    client: Client, listener: Listener, unfit: dict[str, str], said: str
) -> None:
    stored = await listener.play(ALMANAC, "Kelp", listener.clock.now())
    told = {"artist_name": ALMANAC.artist, "track_name": "Kelp", "played_at": "", **unfit}
    answer = await send(client, "/plays/edit", ids=str(stored.id), apply="1", **told)
    assert answer.status_code == 422
    assert f'id="problem">{said}</p>' in answer.text


async def test_a_cover_that_is_neither_a_file_nor_an_address_is_asked_for_in_plain_words(
    client: Client, listener: Listener
) -> None:
    stored = await listener.play(ALMANAC, "Kelp", listener.clock.now())
    answer = await send(client, "/covers/choose", subject=f"/scrobbles/{stored.id}", address="")
    assert (answer.status_code, "Give a file or an address, one of the two." in answer.text) == (422, True)


async def test_ticked_plays_are_changed_or_deleted_together_and_brought_back(
    client: Client, listener: Listener
) -> None:
    now = listener.clock.now()
    ids = [str((await listener.play(ALMANAC, track, now - timedelta(hours=1))).id) for track in ("Kelp", "Brine")]
    page = (await client.get("/plays/select")).text
    assert all(f'value="{one}"' in page for one in ids)
    form = await send(client, "/plays/edit", ids=ids)
    assert "Change 2 plays" in (await client.get(form.headers["location"])).text
    done = await send(client, "/plays/edit", ids=ids, apply="1", artist_name="", album_name="Salt Almanac (Deluxe)")
    assert done.status_code == 303
    async with listener.database.connection() as conn:
        assert {row["release"] for row in await conn.fetch("SELECT release FROM scrobbles")} == {
            "Salt Almanac (Deluxe)"
        }
        assert {row["artist"] for row in await conn.fetch("SELECT artist FROM scrobbles")} == {ALMANAC.artist}
    gone = await send(client, "/plays/delete", ids=ids)
    listed = (await client.get(gone.headers["location"])).text
    assert "2 plays deleted." in listed
    assert "2 plays" in listed
    way = re.findall(r'action="(/plays/deleted/\d+/undo)"', listed)[0]
    assert (await send(client, way)).status_code == 303
    async with listener.database.connection() as conn:
        assert await conn.fetchval("SELECT count(*) FROM scrobbles") == 2


SEARCHED = "/plays/select?q=salt+%26+almanac"


async def test_the_page_to_tick_plays_on_is_kept_through_a_change_and_says_how_many_changed(
    client: Client, listener: Listener
) -> None:
    ids = [str((await listener.play(ALMANAC, track, listener.clock.now())).id) for track in ("Kelp", "Brine")]
    page = (await client.get("/plays/select?q=salt %26  almanac")).text
    assert f'name="back" value="{SEARCHED}"' in page
    form = await send(client, "/plays/edit", ids=ids, back=SEARCHED)
    assert (form.status_code, form.headers["location"].startswith("/plays/edit?ids=")) == (303, True), "Back leads here"
    assert f'name="back" value="{SEARCHED}"' in (await client.get(form.headers["location"])).text
    for said in ("2 plays changed.", "Nothing changed: they were so already."):
        done = await send(client, "/plays/edit", ids=ids, back=SEARCHED, apply="1", album_name="Salt Almanac (Deluxe)")
        assert done.headers["location"].startswith(SEARCHED)
        assert said in (await client.get(done.headers["location"])).text
    one = await send(
        client, "/plays/edit", ids=ids[0], back="/plays/select", apply="1", artist_name="M", track_name="K"
    )
    assert one.headers["location"] == "/plays/select?changed=1"
    gone = await send(client, "/plays/delete", ids=ids[0], back=SEARCHED)
    page = (await client.get(gone.headers["location"])).text
    assert "1 play deleted." in page
    assert f'href="{SEARCHED}"' in page


async def test_nothing_ticked_leads_back_to_the_plays_and_says_what_to_do(client: Client, listener: Listener) -> None:
    await listener.play(ALMANAC, "Kelp", listener.clock.now())
    for way in ("/plays/edit", "/plays/delete"):
        answer = await send(client, way, back="/plays/select?q=kelp")
        assert (answer.status_code, answer.headers["location"]) == (303, "/plays/select?q=kelp&unticked=1")
        page = (await client.get(answer.headers["location"])).text
        assert "Tick at least one play." in page
        assert 'value="kelp"' in page
    assert (await client.get("/plays/edit")).headers["location"] == "/plays/select?unticked=1"
    for elsewhere in ("//elsewhere.example", "https://elsewhere.example/plays/select", "/plays/selected", "/logout"):
        answer = await send(client, "/plays/delete", back=elsewhere)
        assert answer.headers["location"] == "/plays/select?unticked=1"


async def test_another_s_plays_are_not_there(client: Client) -> None:
    assert (await client.get("/plays/edit?ids=999999")).status_code == 404
    assert (await send(client, "/plays/edit", ids="999999", apply="1")).status_code == 404
    assert (await client.get("/scrobbles/999999/edit")).status_code == 404


async def test_plays_to_tick_are_found_by_day_and_by_words(client: Client, listener: Listener) -> None:
    now = listener.clock.now()
    today = await listener.play(ALMANAC, "Kelp", now - timedelta(hours=1))
    before = await listener.play(ALMANAC, "Brine", now - timedelta(days=1))
    page = (await client.get("/plays/select?day=2026-01-01")).text
    assert (f'value="{today.id}"' in page, f'value="{before.id}"' in page) == (True, False)
    page = (await client.get("/plays/select?q=brine")).text
    assert (f'value="{today.id}"' in page, f'value="{before.id}"' in page) == (False, True)
    assert "You have played nothing with" in (await client.get("/plays/select?q=nowhere")).text
    assert (await client.get("/plays/select?day=yesterday")).status_code == 422
