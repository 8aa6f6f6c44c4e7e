"""The owner's page of what listeners agree on, and the listener's own say in it."""

from __future__ import annotations

import re

from sleevenotes.clock import HandClock
from sleevenotes.store import accounts, corrections
from tests.browser.sample import Listener
from tests.unit.server.pages.asking import Client, send
from tests.unit.store import given
from tests.unit.store.test_consensus import World

NAMES = ("ann", "ben", "cid", "dot", "eve")


async def agreed(listener: Listener) -> World:
    """Have three listeners agree on a name."""
    assert isinstance(listener.clock, HandClock)
    async with listener.database.transaction() as conn:
        world = World(conn, listener.clock)
        await world.fill()
        for name in NAMES[:3]:
            await world.say(name, "Right")
    return world


async def test_the_owner_sees_the_names_and_nobody_who_said_so(client: Client, listener: Listener) -> None:
    assert "None yet." in (await client.get("/settings/consensus")).text
    await agreed(listener)
    page = (await client.get("/settings/consensus")).text
    assert "Lithium, Nirvana" in page
    assert "shown as Right, Nirvana" in page
    assert not any(re.search(rf"\b{name}\b", page) for name in NAMES)
    assert "What listeners agree on" in (await client.get("/settings")).text


async def test_the_owner_switches_it_off_and_asks_for_more(client: Client, listener: Listener) -> None:
    await agreed(listener)
    assert (await send(client, "/settings/consensus", in_force="1", accounts="2")).status_code == 422
    assert (await send(client, "/settings/consensus", in_force="1", accounts="many")).status_code == 422
    assert (await send(client, "/settings/consensus", in_force="1", accounts="4")).status_code == 303
    assert "Lithium" not in (await client.get("/settings/consensus")).text
    await send(client, "/settings/consensus", in_force="1", accounts="3")
    assert "Lithium" in (await client.get("/settings/consensus")).text
    await send(client, "/settings/consensus", accounts="3")
    assert "switched off" in (await client.get("/settings/consensus")).text


async def test_it_is_the_owners_page_alone(client: Client, listener: Listener) -> None:
    async with listener.database.connection() as conn:
        await conn.execute("UPDATE accounts SET is_owner = false WHERE name = 'nora'")
    assert (await client.get("/settings/consensus")).status_code == 404
    assert (await send(client, "/settings/consensus", accounts="3")).status_code in (403, 404)
    async with listener.database.connection() as conn:
        assert await conn.fetchval("SELECT in_force FROM consensus")


async def test_a_listener_is_not_counted_who_would_rather_not_be(client: Client, listener: Listener) -> None:
    page = (await client.get("/settings/account")).text
    assert "Do not count them" in page
    assert (await send(client, "/settings/account/corrections")).status_code == 303
    assert "Count them" in (await client.get("/settings/account")).text
    async with listener.database.connection() as conn:
        assert not await conn.fetchval("SELECT contributes FROM accounts WHERE name = 'nora'")
    await send(client, "/settings/account/corrections", contributes="1")
    assert "Do not count them" in (await client.get("/settings/account")).text


async def test_the_pages_of_a_play_say_that_several_listeners_agreed(client: Client, listener: Listener) -> None:
    world = await agreed(listener)
    async with listener.database.transaction() as conn:
        nora = await accounts.by_name(conn, "nora")
        assert nora is not None
        play = await given.play(conn, nora.id, world.lookup, listener.clock.now())
        assert await corrections.in_force(conn, nora.id, world.lookup) is None
    page = (await client.get(f"/scrobbles/{play}")).text
    assert "Several listeners agreed" in page
    assert "set by hand" not in page
    assert "As several listeners agreed" in (await client.get(f"/review?case={world.lookup}")).text


async def test_the_lanes_page_shows_how_complete_popular_names_are(client: Client, listener: Listener) -> None:
    assert "Popular names" not in (await client.get("/status")).text
    async with listener.database.transaction() as conn:
        await conn.execute("UPDATE popular_drip SET listed_at = $1", listener.clock.now())
        name = await given.lookup(conn, "Low", "Words", listener.clock.now())
        await conn.execute("INSERT INTO popular (lookup_id, place, missing) VALUES ($1, 1, '{art,dates}')", name)
    page = (await client.get("/status")).text
    assert "1 without a cover" in page
    assert "1 without dates" in page
    assert "300 at most" in page
