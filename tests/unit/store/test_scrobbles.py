"""What lists read of plays: their order, their owner, and which match is shown."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta

import pytest_asyncio

from sleevenotes.clock import HandClock
from sleevenotes.model import Band, Image, Scrobble, Status
from sleevenotes.pipeline.submit import Submitter
from sleevenotes.store import accounts, artworks, events, images, matches, played, scrobbles
from sleevenotes.store.postgres import Database
from tests.unit.pipeline.submits import match_with_album, play

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
DIGEST = "ab" * 32


@pytest_asyncio.fixture
async def account(database: Database, clock: HandClock) -> int:
    async with database.connection() as conn:
        return (await accounts.create(conn, "maria", "", is_owner=True, now=clock.now())).id


async def store(database: Database, clock: HandClock, account: int, *sent: Scrobble) -> list[int]:
    stored = await Submitter(database, clock).submit(account, sent, band=Band.DEFAULT)
    return [one.id for one in stored]


async def test_a_feed_is_newest_first_and_pages_through_one_second_without_repeating(
    database: Database, clock: HandClock, account: int
) -> None:
    ids = await store(database, clock, account, *(play(f"t{i}", seconds=i // 4) for i in range(10)))
    seen: list[int] = []
    before = None
    async with database.connection() as conn:
        while page := await played.feed(conn, account, before=before, limit=3):
            seen += [each.id for each in page]
            before = (page[-1].listened_at, page[-1].id)
    # t8 and t9 share a second, as do the four before them
    times = [NOON + timedelta(seconds=s) for s in (2, 2, 1, 1, 1, 1, 0, 0, 0, 0)]
    expected = sorted(zip([NOON + timedelta(seconds=i // 4) for i in range(10)], ids, strict=True), reverse=True)
    assert [at for at, _ in expected] == times
    assert seen == [scrobble_id for _, scrobble_id in expected]


async def test_bounds_and_the_oldest_first_page(database: Database, clock: HandClock, account: int) -> None:
    await store(database, clock, account, *(play(f"t{i}", seconds=i) for i in range(6)))

    async def tracks(**asked: object) -> list[str]:
        async with database.connection() as conn:
            return [each.track for each in await played.feed(conn, account, limit=2, **asked)]  # type: ignore[arg-type] # passed on

    assert await tracks() == ["t5", "t4"]
    assert await tracks(until=NOON + timedelta(seconds=4)) == ["t3", "t2"]
    assert await tracks(since=NOON + timedelta(seconds=5)) == ["t5"]
    assert await tracks(since=NOON + timedelta(seconds=2), oldest=True) == ["t3", "t2"]


async def test_nobody_sees_or_deletes_anothers_plays(database: Database, clock: HandClock, account: int) -> None:
    (mine,) = await store(database, clock, account, play())
    async with database.connection() as conn:
        other = (await accounts.create(conn, "otto", "", is_owner=False, now=clock.now())).id
        assert await played.by_ids(conn, other, [mine]) == []
        assert await played.feed(conn, other, limit=5) == []
        assert await scrobbles.delete(conn, other, [mine], clock.now()) == []
        assert await played.count(conn, account) == 1


async def test_deleting_tells_the_pages(database: Database, clock: HandClock, account: int) -> None:
    first, second = await store(database, clock, account, play(seconds=0), play(seconds=200))
    async with database.connection() as conn:
        cursor = (await events.read(conn, account, "")).cursor
        assert await scrobbles.delete(conn, account, [first, second, 999_999], clock.now()) == [first, second]
        told = [event for _, event in (await events.read(conn, account, cursor)).events]
    assert told == [{"type": "scrobbles_deleted", "ids": [first, second]}]


async def test_a_matched_play_shows_its_recording_artists_album_and_cover(
    database: Database, clock: HandClock, account: int
) -> None:
    (stored,) = await store(database, clock, account, play())
    async with database.transaction() as conn:
        (bare,) = await played.by_ids(conn, account, [stored])
        assert (bare.status, bare.artists, bare.artwork_status, bare.image_digest) == (Status.PENDING, (), "", "")
        group_id = await match_with_album(conn, bare.lookup_id, clock.now())
        release_id = await conn.fetchval("SELECT id FROM releases")
        await artworks.want(conn, {group_id: release_id}, clock.now())
        image = Image(DIGEST, 500, 500, "image/jpeg", 1000, b"\1\2\3", "#336699")
        await artworks.found(conn, group_id, await images.keep(conn, image, clock.now()), "Its own front.", clock.now())
        (shown,) = await played.by_lookups(conn, account, [bare.lookup_id], 5)
    assert (shown.status, shown.recording_title, shown.length_ms) == (Status.ENRICHED, "Roygbiv", 151_000)
    assert shown.artist_credit == "Boards of Canada"
    assert [(name, join) for _, _, name, join in shown.artists] == [("Boards of Canada", "")]
    assert shown.release_group_id == group_id
    assert (shown.artwork_status, shown.image_digest, shown.colour) == ("found", DIGEST, "#336699")
    assert base64.b64decode(shown.thumbhash) == b"\1\2\3"
    assert len(shown.recording_mbid) == len(shown.release_mbid) == len(shown.release_group_mbid) == 36


async def test_a_plays_own_match_goes_before_the_shared_one(database: Database, clock: HandClock, account: int) -> None:
    first, second = await store(database, clock, account, play(seconds=0), play(seconds=200))
    async with database.transaction() as conn:
        (one,) = await played.by_ids(conn, account, [first])
        await match_with_album(conn, one.lookup_id, clock.now())
        row = await conn.fetchrow("SELECT recording_id, release_id, release_group_id FROM matches")
        other = await conn.fetchval(
            "INSERT INTO recordings (mbid, title, artist_credit_id, fetched_at) "
            "SELECT gen_random_uuid(), 'Roygbiv (Peel Session)', artist_credit_id, fetched_at FROM recordings "
            "RETURNING id"
        )
        own = matches.Identity(other, row["release_id"], row["release_group_id"], "evidence", 0.0, "Its own id.")
        await matches.keep(conn, own, clock.now(), scrobble_id=second)
        plays = await played.by_ids(conn, account, [first, second])
    assert [each.recording_title for each in plays] == ["Roygbiv (Peel Session)", "Roygbiv"]


async def test_a_feed_of_many_reads_only_its_page(database: Database, clock: HandClock, account: int) -> None:
    await store(database, clock, account, *(play(f"t{i % 50}", seconds=i) for i in range(5_000)))
    async with database.connection() as conn:
        await conn.execute("ANALYZE scrobbles")
        plan = await conn.fetch(
            "EXPLAIN "
            + played._plays(
                "SELECT * FROM scrobbles s WHERE s.account_id = $1 ORDER BY s.listened_at DESC, s.id DESC LIMIT $2"
            ),
            account,
            20,
        )
    text = "\n".join(row[0] for row in plan)
    assert "Index Scan Backward using scrobbles_account_id_listened_at_identity_key" in text
    assert "Seq Scan on scrobbles" not in text
