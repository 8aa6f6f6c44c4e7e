"""The feed and its fragments."""

from __future__ import annotations

import re
from datetime import timedelta

from sleevenotes import model
from sleevenotes.clock import HandClock
from sleevenotes.server import feeds
from sleevenotes.store.postgres import Database
from tests.browser.sample import Listener, an_evening
from tests.unit.server.pages.asking import ALMANAC, Client, row_of

# ---------------------------------------------------------------- the feed


async def test_an_empty_feed_says_how_to_fill_it(client: Client) -> None:
    page = (await client.get("/")).text
    assert "Nothing played yet" in page
    assert "http://here.example" in page


async def test_a_play_shows_at_once_under_the_name_it_was_sent_with(
    client: Client, listener: Listener, clock: HandClock
) -> None:
    stored = await listener.play(ALMANAC, "Kelp", clock.now() - timedelta(minutes=3))
    page = (await client.get("/")).text
    row = row_of(page, stored.id)
    assert "Kelp" in row
    assert "Marrow &amp; Tide" in row
    assert "3 min ago" in row
    assert "Looking it up" in row
    assert "/images/" not in row


async def test_a_decided_play_shows_its_cover_and_links(client: Client, listener: Listener, clock: HandClock) -> None:
    stored = await listener.play(ALMANAC, "Kelp", clock.now(), sent="kelp (Remastered)")
    group = await listener.match(stored.lookup_id, ALMANAC, "Kelp")
    digest = await listener.find_cover(group, ALMANAC)
    row = row_of((await client.get("/")).text, stored.id)
    assert ">Kelp<" in row
    assert f'href="/albums/{group}"' in row
    assert row.count('href="/artists/') == 2
    assert f"/images/{digest}/64" in row
    assert "data:image/png;base64," in row  # its placeholder
    assert "Looking it up" not in row


async def test_the_feed_is_grouped_by_the_listeners_days(
    client: Client, listener: Listener, clock: HandClock, database: Database
) -> None:
    async with database.connection() as conn:
        await conn.execute("UPDATE accounts SET time_zone = 'Pacific/Auckland'")
    clock.turn(14.5 * 3600)  # 10:30 in UTC is 23:30 in Auckland
    await listener.play(ALMANAC, "Kelp", clock.now())
    await listener.play(ALMANAC, "Kelp", clock.now() - timedelta(hours=5))
    clock.turn(3600)
    await listener.play(ALMANAC, "Kelp", clock.now())
    page = (await client.get("/")).text
    assert re.findall(r'<h2 id="d[^"]+">([^<]+)', page) == ["Today", "Yesterday"]
    assert re.findall(r'<p class="total">([^<]+)', page) == ["1 play", "2 plays"]


async def test_paging_shows_every_play_once(client: Client, listener: Listener, clock: HandClock) -> None:
    scrobbles = [
        model.Scrobble("Ann", f"Track {n}", listened_at=clock.now() - timedelta(seconds=n // 3)) for n in range(95)
    ]
    stored = await listener.submitter.submit(listener.account.id, scrobbles, band=model.Band.LOW_PRIORITY)
    seen: list[str] = []
    way = "/"
    pages = 0
    while way:
        page = (await client.get(way)).text
        seen += re.findall(r'id="p(\d+)"', page)
        older = re.search(r'rel="next" href="([^"]+)"', page)
        way = older[1] if older else ""
        pages += 1
    assert pages == 3
    assert len(seen) == len(set(seen)) == 95
    assert set(seen) == {str(one.id) for one in stored}


async def test_what_plays_now_stands_on_top_until_it_is_over(
    client: Client, listener: Listener, clock: HandClock
) -> None:
    await listener.play_now(ALMANAC, "Harbour Weather")
    assert "Playing now" in (await client.get("/")).text
    clock.turn(3600)
    assert "Playing now" not in (await client.get("/")).text
    assert "Playing now" not in (await client.get("/fragments/now")).text


async def test_an_album_that_only_plays_now_has_a_page_already(
    client: Client, listener: Listener, database: Database
) -> None:
    await listener.play_now(ALMANAC, "Harbour Weather")
    async with database.connection() as conn:
        lookup_id = await conn.fetchval("SELECT lookup_id FROM now_playing")
    group = await listener.match(lookup_id, ALMANAC, "Harbour Weather")
    card = (await client.get("/fragments/now")).text
    assert f'href="/albums/{group}"' in card
    for path in sorted(set(re.findall(r'href="(/(?:albums|artists)/\d+)"', card))):
        page = await client.get(path)
        assert page.status_code == 200
        assert "<dd>0</dd>" in page.text


async def test_names_are_never_markup(client: Client, listener: Listener, clock: HandClock) -> None:
    evil = model.Scrobble(
        "<script>alert(1)</script>", '"><img src=x>', release="<b>", listened_at=clock.now(), extra={"<i>": "<u>"}
    )
    stored = (await listener.submitter.submit(listener.account.id, [evil], band=model.Band.DEFAULT))[0]
    for way in ("/", f"/scrobbles/{stored.id}"):
        page = (await client.get(way)).text
        assert "<script>alert" not in page
        assert "<img src=x>" not in page
        assert "<i>" not in page.replace('<i class="none">', "")


async def test_a_feed_page_is_light(client: Client, listener: Listener) -> None:
    await an_evening(listener)
    page = await client.get("/")
    assert page.text.count('class="play"') == feeds.PAGE
    ways = re.findall(r'(?:href|src)="(/static/[^"]+)"', page.text)
    weight = len(page.content) + sum([len((await client.get(way)).content) for way in ways])
    assert weight < 100_000


async def test_nothing_on_the_pages_is_inline_or_elsewhere(client: Client, listener: Listener) -> None:
    await an_evening(listener)
    for way in ("/", "/albums/1", "/artists/1", "/scrobbles/1", "/players", "/status"):
        answer = await client.get(way)
        assert answer.status_code == 200, way
        assert not re.search(r"\sstyle=|<style|\son\w+=|<script(?![^>]*\ssrc=)", answer.text), way
        assert not re.search(r'(?:src|action)="(?!/|data:)', answer.text), way
        assert not re.search(r'<link[^>]*href="(?!/static)', answer.text), way
        assert "default-src 'self'" in answer.headers["content-security-policy"]
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"]


# ---------------------------------------------------------------- fragments


async def test_a_fragment_holds_the_asked_rows_only(client: Client, listener: Listener, clock: HandClock) -> None:
    one = await listener.play(ALMANAC, "Kelp", clock.now())
    two = await listener.play(ALMANAC, "Night Ferry", clock.now() - timedelta(minutes=5))
    rows = (await client.get(f"/fragments/plays?ids={one.id}")).text
    assert re.findall(r'id="p(\d+)"', rows) == [str(one.id)]
    rows = (await client.get(f"/fragments/plays?lookups={two.lookup_id}")).text
    assert re.findall(r'id="p(\d+)"', rows) == [str(two.id)]


async def test_fragments_are_refused_to_strangers_rather_than_replaced_by_a_login(
    stranger: Client, listener: Listener
) -> None:
    await listener.arrive()
    for way in ("/fragments/feed", "/fragments/now", "/fragments/plays?ids=1", "/live"):
        assert (await stranger.get(way)).status_code == 401


async def test_a_fragment_of_nonsense_is_refused_by_what_was_sent(client: Client) -> None:
    answer = await client.get("/fragments/plays?ids=1,x")
    assert answer.status_code == 422
    assert "&#39;1,x&#39; is not a list of numbers" in answer.text
