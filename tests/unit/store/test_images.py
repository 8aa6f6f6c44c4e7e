from __future__ import annotations

from datetime import timedelta

import msgspec

from sleevenotes import model
from sleevenotes.clock import HandClock
from sleevenotes.store import artwork_candidates, artworks, catalog, images
from sleevenotes.store.postgres import Connection, Database
from tests.unit.store.given import recording, release

HOUR = timedelta(hours=1)

COVER = model.Image(
    digest="ab" * 32,
    width=500,
    height=480,
    mime="image/jpeg",
    size=40_000,
    thumbhash=b"\x01\x02\x03\x04\x05",
    colour="#aa3344",
    source="coverartarchive",
    source_url="https://coverartarchive.org/release/x/front-500",
)


async def test_an_image_reads_as_it_was_kept(database: Database, clock: HandClock) -> None:
    async with database.connection() as conn:
        image_id = await images.keep(conn, COVER, clock.now())
        assert await images.by_digest(conn, COVER.digest) == images.Stored(image_id, COVER)


async def test_an_image_is_kept_once_and_stays_named_after_who_brought_it_first(
    database: Database, clock: HandClock
) -> None:
    async with database.connection() as conn:
        first = await images.keep(conn, COVER, clock.now())
        again = await images.keep(conn, msgspec.structs.replace(COVER, source="discogs"), clock.now())
        stored = await images.by_digest(conn, COVER.digest)
    assert first == again
    assert stored is not None
    assert stored.image.source == "coverartarchive"


async def test_an_unknown_digest_is_none(database: Database) -> None:
    async with database.connection() as conn:
        assert await images.by_digest(conn, "00" * 32) is None


async def test_digests_are_told_as_the_files_are_named(database: Database, clock: HandClock) -> None:
    async with database.connection() as conn:
        for digest in ("ab" * 32, "cd" * 32):
            await images.keep(conn, msgspec.structs.replace(COVER, digest=digest), clock.now())
        assert await images.digests(conn) == {"ab" * 32, "cd" * 32}


async def test_a_stop_gap_brought_again_lasts_longer_but_never_shorter(database: Database, clock: HandClock) -> None:
    async with database.connection() as conn:
        for hours in (6, 9, 2):
            await images.keep(conn, COVER, clock.now(), expires_at=clock.now() + hours * HOUR)
        stored = await images.by_digest(conn, COVER.digest)
    assert stored is not None
    assert stored.expires_at == clock.now() + 9 * HOUR


async def test_the_same_bytes_from_a_source_that_lets_them_be_kept_are_kept_in_its_name(
    database: Database, clock: HandClock
) -> None:
    gap = msgspec.structs.replace(COVER, source="discogs", credit="Data provided by Discogs.")
    async with database.connection() as conn:
        await images.keep(conn, gap, clock.now(), expires_at=clock.now() + HOUR)
        image_id = await images.keep(conn, COVER, clock.now())
        assert await images.by_digest(conn, COVER.digest) == images.Stored(image_id, COVER)
        await images.keep(conn, gap, clock.now(), expires_at=clock.now() + HOUR)
        assert await images.by_digest(conn, COVER.digest) == images.Stored(image_id, COVER)


async def test_expired_stop_gaps_go_with_their_candidates_and_their_albums_are_looked_for_again(
    database: Database, clock: HandClock
) -> None:
    gap = msgspec.structs.replace(COVER, digest="cd" * 32, source="discogs")
    async with database.transaction() as conn:
        bare, kept = await album(conn, "Bare", clock), await album(conn, "Kept", clock)
        expires_at = clock.now() + 6 * HOUR
        gap_id = await images.keep(conn, gap, clock.now(), expires_at=expires_at)
        cover_id = await images.keep(conn, COVER, clock.now())
        await artworks.found(conn, bare, gap_id, "For now.", clock.now(), expires_at=expires_at)
        await artworks.found(conn, kept, cover_id, "For good.", clock.now())
        for group_id, image_id in ((bare, gap_id), (kept, gap_id), (kept, cover_id)):
            await stand(conn, group_id, image_id, clock)
        clock.turn(6 * 3600 - 1)
        assert await images.purge(conn, clock.now()) == images.Purged((), ())
        clock.turn(1)
        assert await images.purge(conn, clock.now()) == images.Purged((gap.digest,), (bare,))
        rows = {row.release_group_id: row for row in await artworks.load(conn, [bare, kept])}
        assert (rows[bare].status, rows[bare].image_id) == ("pending", None)
        assert (rows[kept].status, rows[kept].image_id) == ("found", cover_id)
        assert await artwork_candidates.load(conn, bare) == []
        assert [each.image_id for each in await artwork_candidates.load(conn, kept)] == [cover_id]
        assert await images.digests(conn) == {COVER.digest}
        assert await images.purge(conn, clock.now()) == images.Purged((), ())


async def test_an_open_choice_that_a_purged_image_stood_for_is_taken_up_again(
    database: Database, clock: HandClock
) -> None:
    async with database.transaction() as conn:
        group_id = await album(conn, "Open", clock)
        shown = await images.keep(conn, COVER, clock.now())
        await artworks.show(conn, group_id, shown, "The first to come.", clock.now())
        gap = msgspec.structs.replace(COVER, digest="cd" * 32)
        gap_id = await images.keep(conn, gap, clock.now(), expires_at=clock.now())
        await stand(conn, group_id, gap_id, clock)
        assert await images.purge(conn, clock.now()) == images.Purged((gap.digest,), (group_id,))
        (row,) = await artworks.load(conn, [group_id])
    assert (row.status, row.image_id) == ("pending", shown)


async def album(conn: Connection, title: str, clock: HandClock) -> int:
    (kept,) = await catalog.keep(conn, [(recording(f"{title} song", "Someone"), release(title))], clock.now())
    await artworks.want(conn, {kept.release_group_id or 0: kept.release_id or 0}, clock.now())
    return kept.release_group_id or 0


async def stand(conn: Connection, group_id: int, image_id: int, clock: HandClock) -> None:
    """Have this image stand for the choice of an album's cover."""
    url = f"https://images/{image_id}"
    await artwork_candidates.put(conn, group_id, [artwork_candidates.New("discogs", url, clock.now())])
    (wanted,) = [each for each in await artwork_candidates.load(conn, group_id) if each.url == url]
    await artwork_candidates.fetched(conn, wanted.id, image_id, 1, (500, 480))
