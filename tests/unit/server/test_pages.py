from __future__ import annotations

import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import httpx
import pytest
import pytest_asyncio

from sleevenotes import model
from sleevenotes.artwork.files import Files
from sleevenotes.clock import HandClock
from sleevenotes.server import feeds, live, web
from sleevenotes.server.services import Services
from sleevenotes.settings import Settings
from sleevenotes.store import accounts
from sleevenotes.store.postgres import Database
from tests.browser.sample import PASSWORD, SLEEVES, Listener, an_evening

Client = httpx.AsyncClient
ALMANAC = SLEEVES[0]


@pytest.fixture
def clock() -> HandClock:
    """Return a clock that stands in the evening, so that the plays of the last hours are today's."""
    return HandClock(datetime(2026, 1, 1, 20, tzinfo=UTC))


@pytest_asyncio.fixture
async def listener(database: Database, settings: Settings, clock: HandClock) -> Listener:
    return Listener(database, clock, Files(settings.data_path))


@pytest_asyncio.fixture
async def stranger(
    database: Database, settings: Settings, clock: HandClock, listener: Listener
) -> AsyncIterator[Client]:
    """Return a browser that is not logged in, at the whole application."""
    hub = live.Hub(database, clock)
    application = web.create(Services(settings, clock, database, listener.submitter, listener.files, hub))
    transport = httpx.ASGITransport(cast("Any", application))  # on this loop, as the database's connections are
    async with httpx.AsyncClient(transport=transport, base_url="http://here.example") as client:
        yield client
    await hub.close()


@pytest_asyncio.fixture
async def client(stranger: Client, listener: Listener) -> Client:
    """Return the browser of the listener, logged in."""
    await listener.arrive()
    answer = await send(stranger, "/login", name="nora", password=PASSWORD)
    assert answer.status_code == 303
    return stranger


async def send(client: Client, path: str, **fields: str) -> httpx.Response:
    """Load a page with a form and send the form as a browser does."""
    form = await client.get("/login" if path in ("/login", "/theme") else "/setup" if path == "/setup" else "/players")
    token = re.search(r'name="csrf_token" value="([^"]+)"', form.text)
    if token:
        fields["csrf_token"] = token[1]
    else:  # logged in already: the pages have it in their footer
        shown = await client.get("/players")
        found = re.search(r'name="csrf_token" value="([^"]+)"', shown.text)
        assert found
        fields["csrf_token"] = found[1]
    return await client.post(path, data=fields)


# ---------------------------------------------------------------- first run, login


async def test_the_first_visitor_is_led_to_create_the_owner(stranger: Client) -> None:
    answer = await stranger.get("/")
    assert (answer.status_code, answer.headers["location"]) == (302, "/setup")


async def test_the_first_run_creates_the_owner_and_shows_a_token_that_works(
    stranger: Client, database: Database, clock: HandClock
) -> None:
    answer = await send(stranger, "/setup", name="nora", password=PASSWORD, time_zone="Europe/Vienna")
    assert answer.status_code == 200
    shown = re.search(r"<code[^>]*>([0-9a-f-]{36})</code>", answer.text)
    assert shown
    async with database.connection() as conn:
        account = await accounts.by_token(conn, shown[1], clock.now())
    assert account
    assert (account.name, account.is_owner, account.time_zone) == ("nora", True, "Europe/Vienna")
    assert "http://here.example/1/submit-listens" in answer.text
    assert (await stranger.get("/")).status_code == 200  # and the browser is logged in
    assert shown[1] not in (await stranger.get("/players")).text  # only once


async def test_a_second_owner_cannot_be_made(client: Client) -> None:
    assert (await client.get("/setup")).headers["location"] == "/"
    answer = await send(client, "/setup", name="eve", password=PASSWORD, time_zone="UTC")
    assert answer.status_code == 422
    assert "has an owner already" in answer.text


async def test_a_short_password_is_refused_in_words_and_nothing_is_created(
    stranger: Client, database: Database
) -> None:
    answer = await send(stranger, "/setup", name="nora", password="short", time_zone="UTC")
    assert answer.status_code == 422
    assert "at least 8 characters" in answer.text
    assert 'value="nora"' in answer.text
    async with database.connection() as conn:
        assert await accounts.count(conn) == 0


async def test_a_form_without_its_secret_changes_nothing(stranger: Client, database: Database) -> None:
    answer = await stranger.post("/setup", data={"name": "eve", "password": PASSWORD})
    assert answer.status_code == 403
    async with database.connection() as conn:
        assert await accounts.count(conn) == 0


async def test_a_stranger_is_led_to_the_login_and_back(stranger: Client, listener: Listener) -> None:
    await listener.arrive()
    answer = await stranger.get("/status?x=1")
    assert answer.headers["location"] == "/login?next=%2Fstatus%3Fx%3D1"
    sent = await send(stranger, "/login", name="nora", password=PASSWORD, next="/status?x=1")
    assert sent.headers["location"] == "/status?x=1"


async def test_a_wrong_password_opens_nothing(stranger: Client, listener: Listener) -> None:
    await listener.arrive()
    answer = await send(stranger, "/login", name="nora", password="guess after guess")
    assert answer.status_code == 422
    assert "do not belong together" in answer.text
    assert (await stranger.get("/")).status_code == 302


async def test_guessing_passwords_is_slowed_down(stranger: Client, listener: Listener, clock: HandClock) -> None:
    await listener.arrive()
    for _ in range(10):
        await send(stranger, "/login", name="nora", password="guess after guess")
    assert (await send(stranger, "/login", name="nora", password=PASSWORD)).status_code == 429
    clock.turn(61)
    assert (await send(stranger, "/login", name="nora", password=PASSWORD)).status_code == 303


async def test_logging_out_ends_the_session_also_for_who_kept_the_cookie(client: Client) -> None:
    kept = dict(client.cookies)
    assert (await send(client, "/logout")).status_code == 303
    client.cookies.update(kept)
    assert (await client.get("/")).headers["location"] == "/login"


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


async def test_a_fragment_of_nonsense_is_refused_by_name(client: Client) -> None:
    answer = await client.get("/fragments/plays?ids=1,x")
    assert answer.status_code == 422
    assert "ids" in answer.text


# ---------------------------------------------------------------- album, artist, scrobble


async def test_the_album_page_counts_own_plays_and_says_where_the_cover_is_from(
    client: Client, listener: Listener, clock: HandClock
) -> None:
    for hours, track in ((1, "Kelp"), (2, "Kelp"), (3, "Night Ferry")):
        stored = await listener.play(ALMANAC, track, clock.now() - timedelta(hours=hours))
        group = await listener.match(stored.lookup_id, ALMANAC, track)
    digest = await listener.find_cover(group, ALMANAC)
    page = (await client.get(f"/albums/{group}")).text
    assert "<dd>3</dd>" in page
    assert re.findall(r'class="count">([^<]+)', page) == ["2 plays", "1 play"]
    assert f"/images/{digest}/500" in page
    assert ALMANAC.mbid in page
    assert "Cover Art Archive" in page
    assert "The front of the edition that was matched." in page


async def test_a_listener_sees_nothing_of_what_others_played(
    client: Client, listener: Listener, clock: HandClock, database: Database
) -> None:
    other = Listener(database, clock, listener.files)
    async with database.transaction() as conn:
        other.account = await accounts.create(conn, "otto", PASSWORD, is_owner=False, now=clock.now())
    stored = await other.play(ALMANAC, "Kelp", clock.now())
    group = await other.match(stored.lookup_id, ALMANAC, "Kelp")
    for way in (f"/albums/{group}", "/artists/1", f"/scrobbles/{stored.id}"):
        assert (await client.get(way)).status_code == 404
    assert "Kelp" not in (await client.get(f"/fragments/plays?ids={stored.id}&lookups={stored.lookup_id}")).text
    await listener.play(ALMANAC, "Kelp", clock.now() - timedelta(hours=1))
    page = (await client.get(f"/albums/{group}")).text  # now it follows from an own play: one of them
    assert "<dd>1</dd>" in page


async def test_the_artist_page_shows_the_albums_played(client: Client, listener: Listener, clock: HandClock) -> None:
    stored = await listener.play(ALMANAC, "Kelp", clock.now())
    group = await listener.match(stored.lookup_id, ALMANAC, "Kelp")
    row = row_of((await client.get("/")).text, stored.id)
    artist = re.search(r'href="(/artists/\d+)"', row)
    assert artist
    page = (await client.get(artist[1])).text
    assert "<h1>Marrow</h1>" in page
    assert f'href="/albums/{group}"' in page
    assert "Kelp" in page


async def test_a_plays_own_match_counts_for_its_own_album_only(
    client: Client, listener: Listener, clock: HandClock, database: Database
) -> None:
    shared = await listener.play(ALMANAC, "Kelp", clock.now())
    special = await listener.play(ALMANAC, "Kelp", clock.now() - timedelta(hours=1))
    group = await listener.match(shared.lookup_id, ALMANAC, "Kelp")
    other = await listener.play(SLEEVES[4], "Thaw", clock.now() - timedelta(hours=2))
    other_group = await listener.match(other.lookup_id, SLEEVES[4], "Thaw")
    async with database.transaction() as conn:
        match_id = await conn.fetchval(
            """
            INSERT INTO matches (scrobble_id, recording_id, release_id, release_group_id, source, distance, reason,
                                 decided_at)
            SELECT $1, recording_id, release_id, release_group_id, source, 0, reason, decided_at
            FROM matches WHERE lookup_id = $2 RETURNING id
            """,
            special.id,
            other.lookup_id,
        )
        await conn.execute("UPDATE scrobbles SET match_id = $2 WHERE id = $1", special.id, match_id)
    assert "<dd>1</dd>" in (await client.get(f"/albums/{group}")).text
    assert "<dd>2</dd>" in (await client.get(f"/albums/{other_group}")).text


async def test_the_scrobble_page_sets_sent_beside_became_and_tells_why(
    client: Client, listener: Listener, clock: HandClock
) -> None:
    stored = await listener.play(ALMANAC, "Kelp", clock.now(), sent="Kelp (Remastered)")
    group = await listener.match(stored.lookup_id, ALMANAC, "Kelp")
    await listener.find_cover(group, ALMANAC)
    page = (await client.get(f"/scrobbles/{stored.id}")).text
    assert "<mark> (Remastered)</mark>" in page
    assert "Asked MusicBrainz" in page
    assert "3 candidates" in page
    assert "waited 0.4 s for its turn, took 0.8 s" in page
    assert "Same artist and title, and the album that was sent." in page
    assert page.index("Asked MusicBrainz") < page.index("Matched from") < page.index("Asked Cover Art Archive")


async def test_a_fault_is_told_as_a_fault_and_not_as_absence(
    client: Client, listener: Listener, clock: HandClock
) -> None:
    stored = await listener.play(ALMANAC, "Kelp", clock.now())
    await listener.decide(stored.lookup_id, model.Status.FAILED, "MusicBrainz could not be reached")
    page = (await client.get(f"/scrobbles/{stored.id}")).text
    assert "Not reachable" in page
    assert "MusicBrainz could not be reached." in page
    assert "No match" not in page


async def test_looking_at_a_page_makes_its_open_questions_urgent(
    client: Client, listener: Listener, clock: HandClock, database: Database
) -> None:
    scrobble = model.Scrobble("Ann", "One", listened_at=clock.now())
    stored = (await listener.submitter.submit(listener.account.id, [scrobble], band=model.Band.LOW_PRIORITY))[0]
    async with database.transaction() as conn:
        want = await conn.fetchval(
            """
            INSERT INTO wants (source, question_key, question, kind, band, wanted_at, due_at)
            VALUES ('musicbrainz', '\\x01', '{}', 'find_recording', 0, $1, $1) RETURNING id
            """,
            clock.now(),
        )
        await conn.execute("INSERT INTO waiters VALUES ($1, 'match', $2)", want, stored.lookup_id)
    await client.get("/")
    async with database.connection() as conn:
        assert await conn.fetchval("SELECT band FROM wants") == model.Band.CRITICAL


# ---------------------------------------------------------------- players, theme, lanes


async def test_tokens_are_made_shown_once_and_revoked(client: Client, database: Database, clock: HandClock) -> None:
    answer = await send(client, "/players", name="phone")
    token = re.search(r"<code[^>]*>([0-9a-f-]{36})</code>", answer.text)
    assert token
    async with database.connection() as conn:
        account = await accounts.by_token(conn, token[1], clock.now())
        assert account
        kept = await accounts.tokens(conn, account.id)
    phone = next(one for one in kept if one.name == "phone")
    assert (await send(client, f"/players/{phone.id}/revoke")).status_code == 303
    async with database.connection() as conn:
        assert await accounts.by_token(conn, token[1], clock.now()) is None


async def test_a_time_zone_that_does_not_exist_is_refused(client: Client) -> None:
    assert (await send(client, "/players/time-zone", time_zone="Atlantis/Capital")).status_code == 422
    assert (await send(client, "/players/time-zone", time_zone="Asia/Tokyo")).status_code == 303
    assert 'value="Asia/Tokyo"' in (await client.get("/players")).text


async def test_the_theme_is_remembered_without_a_script(client: Client) -> None:
    assert "data-theme" not in (await client.get("/")).text
    answer = await send(client, "/theme", theme="dark", back="/players")
    assert (answer.status_code, answer.headers["location"]) == (303, "/players")
    assert 'data-theme="dark"' in (await client.get("/")).text
    await send(client, "/theme", theme="")
    assert "data-theme" not in (await client.get("/")).text


async def test_the_lanes_page_says_who_rests_and_why(client: Client, database: Database, clock: HandClock) -> None:
    async with database.connection() as conn:
        await conn.execute(
            "INSERT INTO budgets (host, paused_until, pause_reason, faults) VALUES ('musicbrainz.org', $1, $2, 3)",
            clock.now() + timedelta(seconds=30),
            "the service sheds load",
        )
    page = (await client.get("/status")).text
    assert "Resting for another 30 s. The service sheds load." in page
    assert "Cover Art Archive" in page


async def test_a_page_that_does_not_exist_says_so_in_our_own_look(client: Client) -> None:
    answer = await client.get("/albums/999")
    assert answer.status_code == 404
    assert "Nothing is here" in answer.text
    assert "/static/sleevenotes.css" in answer.text


def row_of(page: str, play_id: int) -> str:
    found = re.search(rf'<li class="play" id="p{play_id}".*?</li>', page, re.DOTALL)
    assert found
    return found[0]
