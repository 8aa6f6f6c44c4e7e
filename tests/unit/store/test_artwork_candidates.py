from __future__ import annotations

import msgspec
import pytest
import pytest_asyncio

from sleevenotes.clock import HandClock
from sleevenotes.store import artwork_candidates, catalog, images
from sleevenotes.store.postgres import Database
from tests.unit.store.given import recording, release
from tests.unit.store.test_images import COVER


@pytest_asyncio.fixture
async def album(database: Database, clock: HandClock) -> int:
    """Return the id of a release group."""
    async with database.connection() as conn:
        (kept,) = await catalog.keep(conn, [(recording("River", "Joni"), release("Blue"))], clock.now())
    return kept.release_group_id or 0


def offered(clock: HandClock, source: str = "deezer", **facts: object) -> artwork_candidates.New:
    new = artwork_candidates.New(source, f"https://{source}/1.jpg", clock.now(), artist="Joni", release="Blue")
    return msgspec.structs.replace(new, **facts)


async def test_what_is_offered_is_wanted_or_refused_with_the_reason(
    database: Database, clock: HandClock, album: int
) -> None:
    async with database.connection() as conn:
        await artwork_candidates.put(
            conn,
            album,
            [
                offered(clock, "itunes", refused="another release: Blue Train"),
                offered(clock, exact=True, subject="release", width=1000, height=990, page="https://deezer/album/1"),
            ],
        )
        await artwork_candidates.put(conn, album, [])
        deezer, itunes = await artwork_candidates.load(conn, album)
    assert (deezer.source, deezer.status, deezer.exact, deezer.subject) == ("deezer", "wanted", True, "release")
    assert (deezer.artist, deezer.release, deezer.width, deezer.height) == ("Joni", "Blue", 1000, 990)
    assert (deezer.page, deezer.seen_at, deezer.reason) == ("https://deezer/album/1", clock.now(), "")
    assert (deezer.image_id, deezer.digest, deezer.phash, deezer.expires_at) == (None, "", None, None)
    assert (itunes.status, itunes.reason, itunes.exact) == ("refused", "another release: Blue Train", False)


@pytest.mark.parametrize("phash", [0, 1, (1 << 63) - 1, 1 << 63, (1 << 64) - 1, None])
async def test_a_fetched_candidate_reads_with_its_image_and_every_bit_of_its_hash(
    database: Database, clock: HandClock, album: int, phash: int | None
) -> None:
    async with database.connection() as conn:
        await artwork_candidates.put(conn, album, [offered(clock)])
        (wanted,) = await artwork_candidates.load(conn, album)
        image_id = await images.keep(conn, COVER, clock.now(), expires_at=clock.now())
        await artwork_candidates.fetched(conn, wanted.id, image_id, phash, (500, 480))
        (fetched,) = await artwork_candidates.load(conn, album)
    assert (fetched.status, fetched.image_id, fetched.digest) == ("fetched", image_id, COVER.digest)
    assert (fetched.phash, fetched.width, fetched.height, fetched.expires_at) == (phash, 500, 480, clock.now())


async def test_repeating_an_answer_changes_nothing_a_newer_one_makes_the_refused_wanted_again(
    database: Database, clock: HandClock, album: int
) -> None:
    answer = offered(clock)
    async with database.connection() as conn:
        await artwork_candidates.put(conn, album, [answer, answer])
        (wanted,) = await artwork_candidates.load(conn, album)
        await artwork_candidates.refused(conn, wanted.id, "It does not decode.")
        clock.turn(60)
        await artwork_candidates.put(conn, album, [answer])
        (same,) = await artwork_candidates.load(conn, album)
        assert (same.status, same.reason) == ("refused", "It does not decode.")
        await artwork_candidates.put(conn, album, [offered(clock)])
        (again,) = await artwork_candidates.load(conn, album)
    assert (again.id, again.status, again.reason, again.seen_at) == (wanted.id, "wanted", "", clock.now())


async def test_what_is_fetched_stays_so_when_offered_again(database: Database, clock: HandClock, album: int) -> None:
    async with database.connection() as conn:
        await artwork_candidates.put(conn, album, [offered(clock)])
        (wanted,) = await artwork_candidates.load(conn, album)
        await artwork_candidates.fetched(conn, wanted.id, await images.keep(conn, COVER, clock.now()), 7, (500, 480))
        clock.turn(60)
        await artwork_candidates.put(conn, album, [offered(clock, width=9, height=9, page="https://deezer/new")])
        (still,) = await artwork_candidates.load(conn, album)
    assert (still.status, still.phash, still.width, still.page) == ("fetched", 7, 500, "https://deezer/new")


async def test_why_a_cover_was_passed_over_is_kept_with_it(database: Database, clock: HandClock, album: int) -> None:
    async with database.connection() as conn:
        await artwork_candidates.put(conn, album, [offered(clock), offered(clock, "itunes")])
        deezer, itunes = await artwork_candidates.load(conn, album)
        await artwork_candidates.explain(conn, {deezer.id: "It is the cover.", itunes.id: "Deezer comes first."})
        assert [each.reason for each in await artwork_candidates.load(conn, album)] == [
            "It is the cover.",
            "Deezer comes first.",
        ]


async def test_candidates_are_the_album_s_own(database: Database, clock: HandClock, album: int) -> None:
    async with database.connection() as conn:
        await artwork_candidates.put(conn, album, [offered(clock)])
        assert await artwork_candidates.load(conn, album + 1) == []


async def test_fetches_that_did_not_decode_are_counted_until_the_source_offers_the_cover_anew(
    database: Database, clock: HandClock, album: int
) -> None:
    async with database.connection() as conn:
        await artwork_candidates.put(conn, album, [offered(clock), offered(clock, "itunes")])
        url = offered(clock).url
        counted = [await artwork_candidates.count_undecodable(conn, album, "deezer", url) for _ in range(3)]
        assert [times for _, times in counted] == [1, 2, 3]
        assert [each.undecodable for each in await artwork_candidates.load(conn, album)] == [3, 0]
        clock.turn(60)
        await artwork_candidates.put(conn, album, [offered(clock)])
        assert [each.undecodable for each in await artwork_candidates.load(conn, album)] == [0, 0]
