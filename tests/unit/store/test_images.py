from __future__ import annotations

import msgspec

from sleevenotes import model
from sleevenotes.clock import HandClock
from sleevenotes.store import images
from sleevenotes.store.postgres import Database

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
