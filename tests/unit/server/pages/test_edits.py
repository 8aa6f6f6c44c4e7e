"""Changing and deleting plays by forms: one, and those that were ticked."""

from __future__ import annotations

import re
from datetime import timedelta

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


async def test_ticked_plays_are_changed_or_deleted_together_and_brought_back(
    client: Client, listener: Listener
) -> None:
    now = listener.clock.now()
    ids = [str((await listener.play(ALMANAC, track, now - timedelta(hours=1))).id) for track in ("Kelp", "Brine")]
    page = (await client.get("/plays/select")).text
    assert all(f'value="{one}"' in page for one in ids)
    form = await send(client, "/plays/edit", ids=ids)
    assert "Change 2 plays" in form.text
    done = await send(client, "/plays/edit", ids=ids, apply="1", artist_name="", album_name="Salt Almanac (Deluxe)")
    assert done.status_code == 303
    async with listener.database.connection() as conn:
        assert {row["release"] for row in await conn.fetch("SELECT release FROM scrobbles")} == {
            "Salt Almanac (Deluxe)"
        }
        assert {row["artist"] for row in await conn.fetch("SELECT artist FROM scrobbles")} == {ALMANAC.artist}
    gone = await send(client, "/plays/delete", ids=ids)
    assert gone.headers["location"] == "/plays/deleted"
    listed = (await client.get("/plays/deleted")).text
    assert "2 plays" in listed
    way = re.findall(r'action="(/plays/deleted/\d+/undo)"', listed)[0]
    assert (await send(client, way)).status_code == 303
    async with listener.database.connection() as conn:
        assert await conn.fetchval("SELECT count(*) FROM scrobbles") == 2


async def test_nothing_ticked_and_another_s_plays_are_told_in_words(client: Client) -> None:
    assert (await send(client, "/plays/delete")).status_code == 422
    assert (await send(client, "/plays/edit", ids="999999")).status_code == 404
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
