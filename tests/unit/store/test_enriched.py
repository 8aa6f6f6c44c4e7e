from __future__ import annotations

from datetime import timedelta

from sleevenotes.clock import HandClock
from sleevenotes.model import Status
from sleevenotes.store import (
    artwork_candidates,
    artworks,
    catalog,
    corrections,
    enriched,
    matches,
    statistics,
    traces,
    wants,
)
from sleevenotes.store.postgres import Connection, Database
from tests.unit.store import given


async def matched(conn: Connection, clock: HandClock, title: str, album: str) -> tuple[int, int]:
    """Write a lookup that is matched to a song of an album; return its id and the release group's."""
    now = clock.now()
    [kept] = await catalog.keep(
        conn, [(given.recording(title, "Air", first_release_date="1998"), given.release(album))], now
    )
    lookup_id = await given.lookup(conn, "Air", title, now)
    identity = matches.Identity(*kept, source="musicbrainz", distance=0.1, reason="agrees")
    await matches.settle(conn, [matches.matched(lookup_id, identity)], now)
    assert kept.release_group_id is not None
    return lookup_id, kept.release_group_id


async def test_a_matched_name_is_told_with_everything_that_is_known_of_it(database: Database, clock: HandClock) -> None:
    async with database.connection() as conn:
        lookup_id, _ = await matched(conn, clock, "La femme d'argent", "Moon Safari")
        [row] = await enriched.read(conn, [lookup_id])
    assert (row.status, row.recording, row.artist_credit) == ("enriched", "La femme d'argent", "Air")
    assert (row.artist_mbids, row.release_group) == ((given.mbid("Air"),), "Moon Safari")
    assert (row.first_release_date, row.artwork_status, row.image_url) == ("1998", "pending", "")


async def test_an_undecided_name_is_told_without_a_match(database: Database, clock: HandClock) -> None:
    async with database.connection() as conn:
        lookup_id = await given.lookup(conn, "Air", "Remember", clock.now())
        [row] = await enriched.read(conn, [lookup_id])
    assert row == enriched.Row(lookup_id, "pending", "")


async def test_what_the_owner_says_for_everybody_goes_before_the_shared_match(
    database: Database, clock: HandClock
) -> None:
    now = clock.now()
    async with database.connection() as conn:
        owner = await given.account(conn, "owner", now)
        wrong, other = [await matched(conn, clock, title, "Moon Safari") for title in ("Remember", "Sexy Boy")]
        [kept] = await catalog.keep(conn, [(given.recording("Remember", "Beach Boys"), given.release("20/20"))], now)
        right = matches.Identity(*kept, source="musicbrainz", distance=0.0, reason="the owner knows")
        await corrections.put(conn, owner, "match", {wrong[0]: right, other[0]: None}, now, everybody=True)
        rows = {row.id: row for row in await enriched.read(conn, [wrong[0], other[0]])}
    assert (rows[wrong[0]].status, rows[wrong[0]].artist_credit) == ("enriched", "Beach Boys")
    assert (rows[other[0]].status, rows[other[0]].recording) == ("not_found", "")
    assert "none of what was found" in rows[other[0]].reason


async def test_the_address_of_a_cover_is_told_before_anybody_has_looked_and_not_after_nobody_had_it(
    database: Database, clock: HandClock
) -> None:
    async with database.connection() as conn:
        lookup_id, group_id = await matched(conn, clock, "La femme d'argent", "Moon Safari")
        offers = {"https://a/guess": False, "https://b/front": True}
        news = [
            artwork_candidates.New("coverartarchive", url, clock.now(), exact=is_own) for url, is_own in offers.items()
        ]
        await artwork_candidates.put(conn, group_id, news)
        [offered] = await enriched.read(conn, [lookup_id])
        await artworks.want_matched(conn, [group_id], clock.now())
        await artworks.absent(conn, group_id, "nobody", clock.now(), clock.now())
        [absent] = await enriched.read(conn, [lookup_id])
    assert (offered.image_url, offered.artwork_status) == ("https://b/front", "pending")
    assert (absent.image_url, absent.artwork_status) == ("", "absent")


async def test_what_is_left_is_told_in_the_order_asked(database: Database, clock: HandClock) -> None:
    async with database.connection() as conn:
        first, album = await matched(conn, clock, "La femme d'argent", "Moon Safari")
        second, other = await matched(conn, clock, "Alpha Beta Gaga", "Talkie Walkie")
        third, _ = await matched(conn, clock, "All I Need", "Moon Safari")
        waiting = [await given.lookup(conn, "Air", title, clock.now()) for title in ("Run", "Biological")]
        assert await enriched.undecided(conn, [waiting[1], first, waiting[0]]) == [waiting[1], waiting[0]]
        assert await enriched.bare(conn, [second, third, first]) == [other, album]
        await artworks.want_matched(conn, [other], clock.now())
        await artworks.absent(conn, other, "nobody", clock.now(), clock.now())
        assert await enriched.bare(conn, [second, third, first]) == [album]
        assert await enriched.bare_groups(conn, [other, album]) == [album]


async def test_only_requests_for_these_names_since_then_are_counted_each_once(
    database: Database, clock: HandClock
) -> None:
    async def ask(source: str, *keys: bytes) -> None:
        news = [traces.New(key, "find_recording", 0, clock.now(), "answered") for key in keys]
        await traces.keep(conn, source, news, asked_at=clock.now(), took_ms=1, status=200)

    mine, other = b"m" * 16, b"o" * 16
    async with database.connection() as conn:
        lookup_id, group_id = await matched(conn, clock, "La femme d'argent", "Moon Safari")
        await wants.inquired(conn, "match", [(lookup_id, mine), (lookup_id + 1, other)])
        await wants.inquired(conn, "artwork", [(group_id, b"c" * 16)])
        await ask("musicbrainz", mine)
        clock.turn(60)
        await ask("musicbrainz", mine, other)
        await ask("musicbrainz", other)
        await ask("coverartarchive", b"c" * 16)
        since = clock.now() - timedelta(seconds=1)
        assert await enriched.requests(conn, [lookup_id], since) == {"coverartarchive": 1, "musicbrainz": 1}


async def test_a_name_that_nobody_played_counts_as_one_play_where_requests_are_told_for_each_thousand(
    database: Database, clock: HandClock
) -> None:
    async with database.connection() as conn:
        played = await given.lookup(conn, "Air", "Run", clock.now())
        await given.lookup(conn, "Air", "Remember", clock.now())
        account_id = await given.account(conn, "ana", clock.now())
        for minute in range(3):
            await given.play(conn, account_id, played, clock.now() + timedelta(minutes=minute))
        new = traces.New(b"k" * 16, "find_recording", 0, clock.now(), "answered")
        await traces.keep(conn, "musicbrainz", [new], asked_at=clock.now(), took_ms=1, status=200)
        told = await statistics.snapshot(conn, clock.now())
    assert (told.scrobbles, told.requests_per_1000_scrobbles) == (3, 250.0)
    assert told.lookups == {Status.PENDING: 2}
