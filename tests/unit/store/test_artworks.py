from __future__ import annotations

import base64
from datetime import timedelta

import msgspec
import pytest

from sleevenotes.clock import HandClock
from sleevenotes.store import artworks, catalog, images, sleeves
from sleevenotes.store.postgres import Connection, Database
from tests.unit.store.given import mbid, recording, release
from tests.unit.store.test_images import COVER

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
OTHER = msgspec.structs.replace(COVER, digest="cd" * 32)


async def album(conn: Connection, title: str, clock: HandClock) -> tuple[int, int]:
    """Write an album; return the ids of its release group and its release."""
    (kept,) = await catalog.keep(conn, [(recording(f"{title} song", "Someone"), release(title))], clock.now())
    assert kept.release_group_id is not None
    assert kept.release_id is not None
    return kept.release_group_id, kept.release_id


async def only(conn: Connection, release_group_id: int) -> artworks.Artwork:
    (row,) = await artworks.load(conn, [release_group_id])
    return row


async def test_wanting_opens_a_row_once_and_tells_what_is_pending(database: Database, clock: HandClock) -> None:
    async with database.connection() as conn:
        one, two = await album(conn, "One", clock), await album(conn, "Two", clock)
        assert await artworks.want(conn, dict([one]), clock.now()) == [one[0]]
        assert await artworks.want(conn, dict([two, one]), clock.now()) == sorted([one[0], two[0]])
        await artworks.absent(conn, one[0], "Nobody has one.", clock.now() + DAY, clock.now())
        assert await artworks.want(conn, dict([two, one]), clock.now()) == [two[0]]
        assert await artworks.want(conn, {}, clock.now()) == []


async def test_a_row_is_loaded_with_what_the_addresses_are_made_of(database: Database, clock: HandClock) -> None:
    async with database.connection() as conn:
        group_id, release_id = await album(conn, "One", clock)
        await artworks.want(conn, {group_id: release_id}, clock.now())
        assert await artworks.load(conn, [group_id, 4711]) == [
            artworks.Artwork(
                group_id,
                mbid("group One"),
                release_id,
                mbid("release One"),
                "pending",
                0,
                None,
                0,
                "Someone",
                "One",
                "Album",
                clock.now(),
            )
        ]


async def test_a_found_cover_is_what_pages_read(database: Database, clock: HandClock) -> None:
    async with database.connection() as conn:
        group_id, release_id = await album(conn, "One", clock)
        await artworks.want(conn, {group_id: release_id}, clock.now())
        image_id = await images.keep(conn, COVER, clock.now())
        await artworks.found(conn, group_id, image_id, "It is the front.", clock.now())
        cover = await sleeves.cover(conn, group_id)
    assert cover is not None
    assert (cover.status, cover.reason, cover.digest, cover.colour) == (
        "found",
        "It is the front.",
        COVER.digest,
        "#aa3344",
    )
    assert base64.b64decode(cover.thumbhash) == COVER.thumbhash
    assert (cover.source, cover.fetched_at, cover.recheck_at) == ("coverartarchive", clock.now(), None)


@pytest.mark.parametrize("end", [artworks.absent, artworks.failed])
async def test_without_a_cover_the_tries_are_counted_and_the_next_look_is_dated(
    database: Database, clock: HandClock, end: object
) -> None:
    status = "absent" if end is artworks.absent else "failed"
    async with database.connection() as conn:
        group_id, release_id = await album(conn, "One", clock)
        await artworks.want(conn, {group_id: release_id}, clock.now())
        for _ in range(2):
            await end(conn, group_id, "So it is.", clock.now() + DAY, clock.now())  # type: ignore[operator]
        row, cover = await only(conn, group_id), await sleeves.cover(conn, group_id)
    assert (row.status, row.tries) == (status, 2)
    assert cover is not None
    assert (cover.reason, cover.recheck_at, cover.digest) == ("So it is.", clock.now() + DAY, "")


@pytest.mark.parametrize("end", [artworks.absent, artworks.failed])
async def test_a_later_look_that_finds_nothing_leaves_the_cover(
    database: Database, clock: HandClock, end: object
) -> None:
    async with database.connection() as conn:
        group_id, release_id = await album(conn, "One", clock)
        await artworks.want(conn, {group_id: release_id}, clock.now())
        await artworks.found(conn, group_id, await images.keep(conn, COVER, clock.now()), "The front.", clock.now())
        await end(conn, group_id, "Gone.", clock.now() + DAY, clock.now())  # type: ignore[operator]
        cover = await sleeves.cover(conn, group_id)
    assert cover is not None
    assert (cover.status, cover.reason, cover.digest) == ("found", "The front.", COVER.digest)


async def test_finding_a_cover_forgets_the_tries(database: Database, clock: HandClock) -> None:
    async with database.connection() as conn:
        group_id, release_id = await album(conn, "One", clock)
        await artworks.want(conn, {group_id: release_id}, clock.now())
        await artworks.failed(conn, group_id, "Not reached.", clock.now() + DAY, clock.now())
        await artworks.found(conn, group_id, await images.keep(conn, COVER, clock.now()), "The front.", clock.now())
        assert (await only(conn, group_id)).tries == 0


async def test_what_is_due_is_reopened_the_longest_due_first(database: Database, clock: HandClock) -> None:
    async with database.connection() as conn:
        groups = [await album(conn, title, clock) for title in ("One", "Two", "Three", "Four")]
        await artworks.want(conn, dict(groups), clock.now())
        for days, (group_id, _) in zip((3, 1, 2, 9), groups, strict=True):
            await artworks.absent(conn, group_id, "None.", clock.now() + days * DAY, clock.now())
        assert await artworks.reopen_due(conn, clock.now(), 10) == []
        clock.turn(3 * 86400)
        assert await artworks.reopen_due(conn, clock.now(), 2) == [groups[1][0], groups[2][0]]
        assert await artworks.reopen_due(conn, clock.now(), 2) == [groups[0][0]]
        assert await artworks.reopen_due(conn, clock.now(), 2) == []
        reopened = await only(conn, groups[0][0])
    assert (reopened.status, reopened.tries) == ("pending", 1)


async def test_two_processes_never_reopen_the_same_row(database: Database, clock: HandClock) -> None:
    async with database.connection() as conn:
        groups = dict([await album(conn, title, clock) for title in ("One", "Two")])
        await artworks.want(conn, groups, clock.now())
        for group_id in groups:
            await artworks.absent(conn, group_id, "None.", clock.now(), clock.now())
    async with database.transaction() as one, database.transaction() as two:
        first = await artworks.reopen_due(one, clock.now(), 1)
        assert await artworks.reopen_due(two, clock.now(), 1) == []  # that one is taken; the drip is one for all
    async with database.connection() as conn:
        assert sorted(first + await artworks.reopen_due(conn, clock.now(), 1)) == sorted(groups)


async def test_a_finished_choice_is_not_replaced_by_a_late_source_but_by_a_later_look(
    database: Database, clock: HandClock
) -> None:
    async with database.connection() as conn:
        group_id, release_id = await album(conn, "One", clock)
        await artworks.want(conn, {group_id: release_id}, clock.now())
        first, late = await images.keep(conn, COVER, clock.now()), await images.keep(conn, OTHER, clock.now())
        assert await artworks.found(conn, group_id, first, "Sure.", clock.now(), recheck_at=clock.now() + DAY)
        assert not await artworks.found(conn, group_id, late, "Late.", clock.now())
        assert (await only(conn, group_id)).image_id == first
        clock.turn(86400)
        assert await artworks.reopen_due(conn, clock.now(), 10) == [group_id]
        assert await artworks.found(conn, group_id, late, "Better.", clock.now())
        row, cover = await only(conn, group_id), await sleeves.cover(conn, group_id)
    assert row.image_id == late
    assert cover is not None
    assert (cover.reason, cover.recheck_at) == ("Better.", None)


@pytest.mark.parametrize("end", [artworks.absent, artworks.failed])
async def test_a_late_cover_is_better_than_none(database: Database, clock: HandClock, end: object) -> None:
    async with database.connection() as conn:
        group_id, release_id = await album(conn, "One", clock)
        await artworks.want(conn, {group_id: release_id}, clock.now())
        await end(conn, group_id, "None.", clock.now() + DAY, clock.now())  # type: ignore[operator]
        assert await artworks.found(conn, group_id, await images.keep(conn, COVER, clock.now()), "It is.", clock.now())


async def test_a_stop_gap_is_replaced_by_whatever_comes_and_looked_for_again_when_it_expires(
    database: Database, clock: HandClock
) -> None:
    async with database.connection() as conn:
        group_id, release_id = await album(conn, "One", clock)
        await artworks.want(conn, {group_id: release_id}, clock.now())
        expires_at = clock.now() + 6 * HOUR
        gap = await images.keep(conn, OTHER, clock.now(), expires_at=expires_at)
        assert await artworks.found(
            conn, group_id, gap, "For now.", clock.now(), expires_at=expires_at, recheck_at=clock.now() + DAY
        )
        cover = await sleeves.cover(conn, group_id)
        assert cover is not None
        assert (cover.status, cover.expires_at, cover.recheck_at) == ("found", expires_at, expires_at)
        kept = await images.keep(conn, COVER, clock.now())
        assert await artworks.found(conn, group_id, kept, "For good.", clock.now())
        cover = await sleeves.cover(conn, group_id)
    assert cover is not None
    assert (cover.digest, cover.expires_at, cover.recheck_at) == (COVER.digest, None, None)


async def test_what_is_expired_or_gone_is_not_made_a_cover(database: Database, clock: HandClock) -> None:
    async with database.connection() as conn:
        group_id, release_id = await album(conn, "One", clock)
        await artworks.want(conn, {group_id: release_id}, clock.now())
        gap = await images.keep(conn, COVER, clock.now(), expires_at=clock.now() + HOUR)
        clock.turn(3600)
        for image_id in (gap, 4711):
            assert not await artworks.found(conn, group_id, image_id, "So it is.", clock.now())
            assert not await artworks.show(conn, group_id, image_id, "For now.", clock.now())
        assert (await only(conn, group_id)).status == "pending"


async def test_a_first_image_is_shown_while_the_choice_is_still_open_and_makes_way_for_the_chosen(
    database: Database, clock: HandClock
) -> None:
    async with database.connection() as conn:
        group_id, release_id = await album(conn, "One", clock)
        await artworks.want(conn, {group_id: release_id}, clock.now())
        early, best = await images.keep(conn, OTHER, clock.now()), await images.keep(conn, COVER, clock.now())
        assert await artworks.show(conn, group_id, early, "The first to come.", clock.now())
        assert not await artworks.show(conn, group_id, best, "The second.", clock.now())
        row = await only(conn, group_id)
        assert (row.status, row.image_id) == ("pending", early)
        assert await artworks.found(conn, group_id, best, "The best.", clock.now())
        assert not await artworks.show(conn, group_id, early, "Too late.", clock.now())
        assert (await only(conn, group_id)).image_id == best


async def test_attribution_is_read_with_the_cover(database: Database, clock: HandClock) -> None:
    named = msgspec.structs.replace(
        COVER, source="discogs", page="https://www.discogs.com/master/1", credit="By Discogs."
    )
    async with database.connection() as conn:
        group_id, release_id = await album(conn, "One", clock)
        await artworks.want(conn, {group_id: release_id}, clock.now())
        await artworks.found(conn, group_id, await images.keep(conn, named, clock.now()), "It is.", clock.now())
        cover = await sleeves.cover(conn, group_id)
    assert cover is not None
    assert (cover.source, cover.credit, cover.link) == ("discogs", "By Discogs.", "https://www.discogs.com/master/1")
    assert msgspec.structs.replace(cover, page="").link == COVER.source_url


async def test_who_begins_to_wait_for_what_was_long_looked_for_waits_from_now_on(
    database: Database, clock: HandClock
) -> None:
    async with database.connection() as conn:
        old = await album(conn, "Old", clock)
        await artworks.want(conn, dict([old]), clock.now())
        clock.turn(90)
        new = await album(conn, "New", clock)
        await artworks.want(conn, dict([new]), clock.now())
        clock.turn(30)
        before = clock.now() - timedelta(minutes=1)
        await artworks.wait_anew(conn, [old[0], new[0]], before, clock.now())
        assert (await only(conn, old[0])).wanted_at == clock.now()
        assert (await only(conn, new[0])).wanted_at == clock.now() - timedelta(seconds=30)
        await artworks.absent(conn, old[0], "Nobody has one.", clock.now() + DAY, clock.now())
        clock.turn(600)
        await artworks.wait_anew(conn, [old[0]], clock.now(), clock.now())
        assert (await only(conn, old[0])).wanted_at == clock.now() - timedelta(seconds=600)
