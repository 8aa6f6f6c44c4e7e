"""History, search, charts, the wall and its gaps, and a track's page."""

from __future__ import annotations

import dataclasses
import re
from datetime import UTC, datetime, timedelta

import pytest

from sleevenotes import model
from sleevenotes.clock import HandClock
from sleevenotes.pipeline import tally
from sleevenotes.store import artworks, library
from sleevenotes.store.postgres import Database
from tests.browser.sample import SLEEVES, Listener
from tests.unit.server.pages.asking import ALMANAC, Client, send

LANTERNS = SLEEVES[1]


@pytest.fixture
async def group(client: Client, listener: Listener, clock: HandClock) -> int:
    """Play an album thrice last year and once today, another once; return the first's release group."""
    for hours, sleeve, track in ((2, ALMANAC, "Kelp"), (3000, ALMANAC, "Kelp"), (3001, ALMANAC, "Night Ferry")):
        stored = await listener.play(sleeve, track, clock.now() - timedelta(hours=hours))
        first = await listener.match(stored.lookup_id, sleeve, track)
    await listener.play(ALMANAC, "Kelp", clock.now() - timedelta(hours=3002))
    stored = await listener.play(LANTERNS, "Ash", clock.now() - timedelta(hours=30))
    await listener.match(stored.lookup_id, LANTERNS, "Ash")
    return first


@pytest.mark.parametrize("folded", [False, True])
async def test_charts_count_any_period_whether_its_months_are_counted_or_not(
    client: Client, listener: Listener, group: int, database: Database, *, folded: bool
) -> None:
    digest = await listener.find_cover(group, ALMANAC)
    if folded:
        await tally.fold(database)
    page = (await client.get("/charts?period=all")).text
    assert "<b>5</b> plays of <b>3</b> tracks on <b>2</b> albums by <b>3</b> artists" in page
    assert "Plays by hour of the day" in page
    assert "No genre is known" in page
    for address, plays in (
        ("period=2025", 4),
        ("period=2026", 1),
        ("from=2025-08-01&to=2025-09-30", 3),
        ("from=2026-01-01", 1),
        ("period=2025-12", 1),
    ):
        assert f"<b>{plays}</b> play" in (await client.get(f"/charts?{address}")).text, address
    albums = (await client.get("/charts/albums?period=all")).text
    assert f'href="/albums/{group}"' in albums
    assert re.findall(r'class="count">(\d+)<', albums) == ["4", "1"]
    for way in ("/charts", "/charts/artists", "/charts/tracks", "/charts/albums", "/albums"):
        assert f"/images/{digest}/" in (await client.get(f"{way}?period=all")).text, way
    for way in ("/charts/artists", "/charts/tracks", "/charts/genres", "/charts/hours", "/albums"):
        assert (await client.get(f"{way}?period=all")).status_code == 200


async def test_a_period_that_is_none_is_refused_in_plain_words_with_the_way_back(client: Client) -> None:
    for query, said in (
        ("period=yesterday", "&#39;yesterday&#39; is no period; write a year or a month, like 2025-03."),
        ("from=1.3.2025", "&#39;1.3.2025&#39; is not a day; write it like 2025-03-04."),
        ("from=2025-03-04&to=3.3.2025", "&#39;3.3.2025&#39; is not a day; write it like 2025-03-04."),
    ):
        answer = await client.get(f"/charts?{query}", headers={"Referer": "http://here.example/charts?period=all"})
        assert answer.status_code == 422, query
        assert "<h1>That did not work</h1>" in answer.text
        assert f'<p class="lead">{said}</p>' in answer.text
        assert '<a class="button" href="/charts?period=all">Back</a>' in answer.text
        assert '<a href="/charts" aria-current="page">Charts</a>' in answer.text
    assert (await client.get("/charts/labels")).status_code == 404


@pytest.mark.usefixtures("group")
async def test_two_days_in_the_wrong_order_are_what_lies_between_them(client: Client) -> None:
    for way in ("/charts", "/charts/artists", "/albums"):
        page = (await client.get(f"{way}?from=2025-09-30&to=2025-08-01")).text
        assert 'name="from" value="2025-08-01"' in page, way
        assert 'name="to" value="2025-09-30"' in page, way
    assert "<b>3</b> plays" in (await client.get("/charts?from=2025-09-30&to=2025-08-01")).text
    for alone in ("from=2030-01-01", "to=1960-01-01"):
        assert "Nothing was played in this time" in (await client.get(f"/charts?{alone}")).text


async def test_the_history_leads_from_the_year_to_the_day_in_the_listeners_zone(
    client: Client, listener: Listener, database: Database
) -> None:
    async with database.transaction() as conn:
        await library.set_time_zone(conn, listener.account.id, "Asia/Kathmandu")  # UTC+5:45
    for minute in (13, 17):  # before and after midnight there
        await listener.play(ALMANAC, "Kelp", datetime(2025, 12, 31, 18, minute, tzinfo=UTC))
    assert "<b>1</b> play on <b>1</b> day" in (await client.get("/history/2025")).text
    year = (await client.get("/history")).text
    assert "<h1>2026</h1>" in year
    assert 'href="/history/2026-01-01"' in year
    month = (await client.get("/history/2026-01")).text
    assert 'href="/history/2026-01-01"' in month
    assert 'rel="prev" href="/history/2025-12"' in month
    day = (await client.get("/history/2026-01-01")).text
    assert day.count('class="play"') == 1
    assert 'rel="prev" href="/history/2025-12-31"' in day
    assert "Nothing was played on this day" in (await client.get("/history/2025-11-11")).text
    for odd in ("2025-13", "2025-02-30", "0000", "soon"):
        assert (await client.get(f"/history/{odd}")).status_code == 404


@pytest.mark.usefixtures("group")
async def test_words_find_artists_albums_and_tracks_however_they_are_written(
    client: Client, listener: Listener, clock: HandClock
) -> None:
    jokull = SLEEVES[-1]
    await listener.play(jokull, "Vatn", clock.now() - timedelta(hours=5))
    found = (await client.get("/history/search?q=BJORK jokull")).text
    assert "Vatn" in found
    assert "Kelp" not in found
    assert "Salt Almanac" in (await client.get("/history/search?q=marrow")).text
    assert "You have played nothing with “%_”" in (await client.get("/history/search?q=%25_")).text
    assert "in any order" in (await client.get("/history/search")).text


async def test_names_with_single_letters_and_signs_in_them_are_found(
    client: Client, listener: Listener, clock: HandClock
) -> None:
    now = clock.now()
    names = ("Guns N' Roses", "A Perfect Circle", "Simon & Garfunkel", "Earth, Wind & Fire", "Plan B", "!!!")
    for hours, name in enumerate((*names, "يا")):
        await listener.play(dataclasses.replace(ALMANAC, artist=name), "Kelp", now - timedelta(hours=hours))
    await listener.play(ALMANAC, "P.S. I Love You", now - timedelta(hours=20))
    for words in (*names, "يا", "P.S. I Love You", "simon + garfunkel", "!!! kelp"):
        for way in ("/history/search", "/plays/select"):
            found = (await client.get(way, params={"q": words})).text
            assert "You have played nothing with" not in found, (way, words)
    assert "Simon" not in (await client.get("/history/search", params={"q": "plan b"})).text


async def test_a_letter_alone_is_looked_for_as_an_artist_s_whole_name(
    client: Client, listener: Listener, clock: HandClock
) -> None:
    await listener.play(dataclasses.replace(ALMANAC, artist="M"), "Pop Muzik", clock.now() - timedelta(hours=1))
    await listener.play(dataclasses.replace(ALMANAC, artist="Mara"), "Brine", clock.now() - timedelta(hours=2))
    for way, words in (("/history/search", "m"), ("/history/search", "& m"), ("/plays/select", "m")):
        page = (await client.get(way, params={"q": words})).text
        assert ("Pop Muzik" in page, "Brine" in page) == (True, False), (way, words)
    nothing = (await client.get("/history/search?q=z")).text
    assert "A single letter is looked for as an artist" in nothing
    assert "A single letter is looked for" in (await client.get("/plays/select?q=z")).text
    assert "A single letter is looked for" not in (await client.get("/history/search?q=zz")).text


async def test_the_gaps_say_why_and_look_again(
    client: Client, group: int, clock: HandClock, database: Database
) -> None:
    async with database.transaction() as conn:
        due = clock.now() + timedelta(days=4)
        await artworks.absent(conn, group, "nobody has it", due, clock.now())
    page = (await client.get("/albums/gaps")).text
    assert "<b>2</b> of your <b>2</b> albums" in page
    assert "Nobody has it." in page
    answer = await send(client, f"/albums/{group}/look-again", back="/albums/gaps")
    assert answer.headers["location"] == "/albums/gaps"
    async with database.connection() as conn:
        assert await conn.fetchval("SELECT status FROM artworks WHERE release_group_id = $1", group) == "pending"
        queued = await conn.fetch(
            "SELECT payload FROM pgqueuer WHERE entrypoint = 'artwork' AND priority = $1", int(model.Band.CRITICAL)
        )
    assert [bytes(row["payload"]) for row in queued] == [b"[%d]" % group]
    assert "Look again" not in (await client.get("/albums/gaps")).text
    assert (await send(client, "/albums/999999/look-again", back="/")).status_code == 404


async def test_the_track_page_tells_its_plays_albums_and_names(client: Client, group: int) -> None:
    album = (await client.get(f"/albums/{group}")).text
    way = re.search(r'<a class="title" href="(/tracks/\d+)">Kelp', album)
    assert way
    page = (await client.get(way[1])).text
    assert "<dd>3</dd>" in page
    assert f'href="/albums/{group}"' in page
    assert page.count('<li><a href="/scrobbles/') == 3
    assert "Sent as" in page
    assert (await client.get("/tracks/999999")).status_code == 404
