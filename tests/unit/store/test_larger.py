"""Covers that are smaller than wanted: which are dated, whose are looked for, what may take their place."""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec

from sleevenotes.clock import HandClock
from sleevenotes.store import artworks, images, larger, preferences
from sleevenotes.store.postgres import Connection, Database
from tests.unit.store.given import account, lookup, play
from tests.unit.store.test_images import COVER, album

DAY = timedelta(days=1)
WANTED = 500


async def picture(conn: Connection, clock: HandClock, side: int, *, expires_at: datetime | None = None) -> int:
    image = msgspec.structs.replace(COVER, digest=f"{side:064x}", width=side, height=side - 10)
    return await images.keep(conn, image, clock.now(), expires_at=expires_at)


async def cover(conn: Connection, clock: HandClock, title: str, side: int) -> tuple[int, int]:
    """Give an album a cover of this longer side; return the album and the image."""
    group_id = await album(conn, title, clock)
    image_id = await picture(conn, clock, side)
    assert await artworks.found(conn, group_id, image_id, "So.", clock.now())
    return group_id, image_id


async def played(conn: Connection, clock: HandClock, group_id: int, *accounts: int) -> None:
    """Let these accounts play a track that is matched to an album."""
    lookup_id = await lookup(conn, "A", f"of {group_id}", clock.now())
    await conn.execute(
        """
        INSERT INTO matches (lookup_id, recording_id, release_group_id, source, distance, reason, decided_at)
        SELECT $1, (SELECT min(id) FROM recordings), $2, 'musicbrainz', 0, '', $3
        """,
        lookup_id,
        group_id,
        clock.now(),
    )
    for account_id in accounts:
        await play(conn, account_id, lookup_id, clock.now())


async def dated(conn: Connection, group_id: int) -> datetime | None:
    date: datetime | None = await conn.fetchval("SELECT larger_at FROM artworks WHERE release_group_id = $1", group_id)
    return date


async def test_small_covers_are_dated_once_and_large_ones_not_at_all(database: Database, clock: HandClock) -> None:
    async with database.connection() as conn:
        small, _ = await cover(conn, clock, "Small", 499)
        large, _ = await cover(conn, clock, "Large", 500)
        await larger.date(conn, None, WANTED, clock.now())
        await larger.date(conn, [small, large], WANTED, clock.now() + DAY)
        assert await dated(conn, small) == clock.now() + DAY
        assert await dated(conn, large) is None
        await larger.date(conn, None, 501, clock.now())  # more is wanted now
        assert await dated(conn, large) == clock.now() + DAY
        await larger.date(conn, None, 0, clock.now())  # and now nothing
        assert await dated(conn, small) is None


async def test_what_everybody_has_chosen_another_cover_for_is_not_looked_for(
    database: Database, clock: HandClock
) -> None:
    async with database.transaction() as conn:
        anna, ben = await account(conn, "anna", clock.now()), await account(conn, "ben", clock.now())
        albums = [
            (await cover(conn, clock, title, side))[0] for title, side in (("One", 100), ("Two", 200), ("3", 300))
        ]
        await played(conn, clock, albums[0], anna)
        await played(conn, clock, albums[1], anna, ben)
        await played(conn, clock, albums[2], ben)
        for group_id in albums[:2]:
            subject = preferences.Subject("A", f"of {group_id}", group_id)
            await preferences.put(conn, anna, subject, await picture(conn, clock, 900), clock.now())
        await larger.date(conn, None, WANTED, clock.now())
        assert await larger.take_due(conn, clock.now(), 20) == []
        assert await larger.take_due(conn, clock.now() + DAY, 20) == albums[1:]
        assert await dated(conn, albums[0]) == clock.now() + 3 * DAY  # in case the choice is undone


async def test_only_what_stands_is_replaced_and_only_by_what_may_be_kept(database: Database, clock: HandClock) -> None:
    async with database.transaction() as conn:
        group_id, small = await cover(conn, clock, "Small", 300)
        gap = await picture(conn, clock, 800, expires_at=clock.now() + DAY)
        big = await picture(conn, clock, 900)
        assert not await larger.replace(conn, group_id, small, gap, "For now.", clock.now())
        assert not await larger.replace(conn, group_id, big, small, "Another stands.", clock.now())
        assert await larger.replace(conn, group_id, small, big, "It is larger.", clock.now())
        current = await larger.current(conn, group_id)
        assert current is not None
        assert (current.image_id, current.width) == (big, 900)
