"""Albums, artists and plays."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from sleevenotes import model
from sleevenotes.clock import HandClock
from sleevenotes.pipeline.entering import Stored
from sleevenotes.store import accounts
from sleevenotes.store.postgres import Database
from tests.browser.sample import PASSWORD, SLEEVES, Listener
from tests.unit.server.pages.asking import ALMANAC, Client, row_of

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


async def played_by_another(listener: Listener, clock: HandClock, database: Database) -> tuple[Listener, Stored, int]:
    """Have somebody else play a track, just now; return who, the play and its album."""
    other = Listener(database, clock, listener.files)
    async with database.transaction() as conn:
        other.account = await accounts.create(conn, "otto", PASSWORD, is_owner=False, now=clock.now())
    stored = await other.play(ALMANAC, "Kelp", clock.now())
    return other, stored, await other.match(stored.lookup_id, ALMANAC, "Kelp")


async def test_a_listener_sees_nothing_of_what_others_played(
    client: Client, listener: Listener, clock: HandClock, database: Database
) -> None:
    _, stored, group = await played_by_another(listener, clock, database)
    for way in (f"/albums/{group}", "/artists/1", f"/scrobbles/{stored.id}"):
        assert (await client.get(way)).status_code == 404
    assert "Kelp" not in (await client.get(f"/fragments/plays?ids={stored.id}&lookups={stored.lookup_id}")).text
    own = await listener.play(ALMANAC, "Kelp", clock.now() - timedelta(hours=1))
    page = (await client.get(f"/albums/{group}")).text  # now it follows from an own play: one of them
    assert "<dd>1</dd>" in page
    assert "Same name" not in (await client.get(f"/scrobbles/{own.id}")).text
    await listener.play(ALMANAC, "Kelp", clock.now() - timedelta(hours=2))
    assert "stands in 2 plays of yours" in (await client.get(f"/scrobbles/{own.id}")).text


async def test_when_something_was_asked_for_others_is_not_told(
    client: Client, listener: Listener, clock: HandClock, database: Database
) -> None:
    other, _, group = await played_by_another(listener, clock, database)
    await other.find_cover(group, ALMANAC)
    theirs = f'datetime="{clock.now():%Y-%m-%dT%H:%M}'
    clock.turn(5 * 3600)
    own = await listener.play(ALMANAC, "Kelp", clock.now() - timedelta(minutes=4))
    track = re.search(r"/tracks/\d+", (await client.get(f"/albums/{group}")).text)
    assert track
    for way in (f"/scrobbles/{own.id}", f"/albums/{group}", track[0]):
        page = (await client.get(way)).text
        assert "MusicBrainz" in page
        assert theirs not in page, way
    clock.turn(600)
    await listener.match(own.lookup_id, ALMANAC, "Kelp")  # looked at again, as it may be for the own play: that is told
    assert f'datetime="{clock.now():%Y-%m-%dT%H:%M}' in (await client.get(f"/scrobbles/{own.id}")).text


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


@pytest.mark.parametrize("page", ["/", "/scrobbles/1"])
async def test_looking_at_a_page_makes_its_open_questions_urgent(
    client: Client, listener: Listener, clock: HandClock, database: Database, page: str
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
    assert (await client.get(page)).status_code == 200
    async with database.connection() as conn:
        assert await conn.fetchval("SELECT band FROM wants") == model.Band.CRITICAL
