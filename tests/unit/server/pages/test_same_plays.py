"""Plays that several services recorded, as their listener sees them and takes them apart."""

from __future__ import annotations

from datetime import timedelta

from sleevenotes.model import Band, Scrobble
from tests.browser.sample import Listener
from tests.unit.server.pages.asking import Client, send


async def two_records(listener: Listener) -> tuple[int, int]:
    """Play once, and have two services record it; return the shown scrobble and the hidden one."""
    at = listener.clock.now() - timedelta(hours=1)
    [shown] = await listener.submitter.submit(
        listener.account.id,
        [Scrobble("Nile", "Ruins", "Shrines", listened_at=at, origin="lastfm")],
        band=Band.DEFAULT,
    )
    ended = at + timedelta(seconds=200)
    [hidden] = await listener.submitter.submit(
        listener.account.id,
        [Scrobble("NILE", "Ruins - Remastered", listened_at=ended, duration_ms=200_000, origin="spotify")],
        band=Band.DEFAULT,
    )
    return shown.id, hidden.id


async def test_a_play_that_two_services_recorded_stands_in_the_feed_once(client: Client, listener: Listener) -> None:
    shown, hidden = await two_records(listener)
    feed = (await client.get("/")).text
    assert f'id="p{shown}"' in feed
    assert f'id="p{hidden}"' not in feed
    rows = (await client.get("/fragments/plays", params={"ids": f"{shown},{hidden}"})).text
    assert f'id="p{hidden}"' not in rows


async def test_its_page_tells_who_else_recorded_it_and_shows_that_as_a_play_of_its_own(
    client: Client, listener: Listener
) -> None:
    shown, hidden = await two_records(listener)
    page = (await client.get(f"/scrobbles/{shown}")).text
    assert "Also recorded by Spotify" in page
    assert "Shown instead of this" in (await client.get(f"/scrobbles/{hidden}")).text
    answer = await send(client, f"/scrobbles/{hidden}/own", back=f"/scrobbles/{shown}")
    assert (answer.status_code, answer.headers["location"]) == (303, f"/scrobbles/{shown}")
    assert "Also recorded" not in (await client.get(f"/scrobbles/{shown}")).text
    assert f'id="p{hidden}"' in (await client.get("/")).text
    await send(client, f"/scrobbles/{hidden}/not-own", back="//elsewhere.example")
    assert f'id="p{hidden}"' not in (await client.get("/")).text


async def test_the_overview_counts_by_pairs_of_services_and_takes_a_pair_apart(
    client: Client, listener: Listener
) -> None:
    _, hidden = await two_records(listener)
    page = (await client.get("/settings/same-plays")).text
    assert "1 play recorded by both, shown once" in page
    assert "as “Ruins - Remastered” by NILE" in page
    await send(client, "/settings/same-plays/apart", origin="lastfm", other="spotify")
    assert "Kept apart, as you said" in (await client.get("/settings/same-plays")).text
    assert f'id="p{hidden}"' in (await client.get("/")).text
    await send(client, "/settings/same-plays/together", origin="lastfm", other="spotify")
    assert "Kept apart" not in (await client.get("/settings/same-plays")).text


async def test_everything_is_compared_again_when_its_listener_asks_for_it(client: Client, listener: Listener) -> None:
    await two_records(listener)
    assert "Have all of it compared over again" in (await client.get("/settings/same-plays")).text
    assert (await send(client, "/settings/same-plays/again")).status_code == 303
    page = (await client.get("/settings/same-plays")).text
    assert "Your plays are being compared" in page
    assert "Have all of it compared over again" not in page
