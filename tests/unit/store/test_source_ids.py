"""What sources call things: told once, told again, told otherwise, and not told."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio

from sleevenotes.clock import HandClock
from sleevenotes.store import catalog, source_ids
from sleevenotes.store.postgres import Connection, Database
from sleevenotes.store.source_ids import Told
from tests.unit.store import given

DAY = 86400.0


class Shelf:
    """One recording on one album by one artist."""

    def __init__(self, conn: Connection, clock: HandClock, kept: catalog.Kept) -> None:
        self.conn = conn
        self.clock = clock
        self.recording = kept.recording_id
        self.album = kept.release_group_id or 0

    async def tell(self, *told: Told) -> None:
        await source_ids.tell(self.conn, told, self.clock.now())

    async def albums(self) -> list[tuple[str, str, str, str]]:
        found = await source_ids.of_release_group(self.conn, self.album)
        return [(each.source, each.kind, each.id, each.page) for each in found]


@pytest_asyncio.fixture
async def shelf(database: Database, clock: HandClock) -> AsyncIterator[Shelf]:
    async with database.transaction() as conn:
        one = (given.recording("Sunflower", "Low"), given.release("Things We Lost", "Low"))
        [kept] = await catalog.keep(conn, [one], clock.now())
        yield Shelf(conn, clock, kept)


async def test_ids_are_told_by_row_or_by_identity_and_read_in_the_order_of_sources(shelf: Shelf) -> None:
    await shelf.tell(
        Told("release_group", shelf.album, "itunes", "9", page="https://a.org/9"),
        Told("release_group", given.mbid("group Things We Lost"), "discogs", "27", "master"),
        Told("release_group", shelf.album, "discogs", "28", "release"),
        Told("recording", given.mbid("('Low',) Sunflower"), "deezer", "3"),
        Told("artist", given.mbid("Low"), "deezer", "4"),
        Told("artist", "deezer:99", "deezer", "99"),  # of nobody here
    )
    assert await shelf.albums() == [
        ("discogs", "master", "27", ""),
        ("discogs", "release", "28", ""),
        ("itunes", "", "9", "https://a.org/9"),
    ]
    [own] = await source_ids.of_recording(shelf.conn, shelf.recording)
    assert (own.source, own.id) == ("deezer", "3")
    artist = await shelf.conn.fetchval("SELECT id FROM artists")
    assert [own.id for own in await source_ids.of_artist(shelf.conn, artist)] == ["4"]
    found = await source_ids.of_all(shelf.conn, recordings=[shelf.recording], artists=[artist], release_groups=[0])
    assert (len(found.recordings), len(found.artists), len(found.release_groups)) == (1, 1, 0)


async def test_an_id_stands_for_a_while_whatever_other_copy_is_named_and_then_gives_way(shelf: Shelf) -> None:
    await shelf.tell(Told("release_group", shelf.album, "deezer", "1"))
    await shelf.tell(Told("release_group", shelf.album, "deezer", "2"))
    assert await shelf.albums() == [("deezer", "", "1", "")]
    shelf.clock.turn(21 * DAY)
    await shelf.tell(Told("release_group", shelf.album, "deezer", "2", page="https://a.org/2"))
    assert await shelf.albums() == [("deezer", "", "2", "https://a.org/2")]


async def test_a_page_that_is_told_later_is_added_and_one_that_is_not_told_again_stays(shelf: Shelf) -> None:
    await shelf.tell(Told("release_group", shelf.album, "discogs", "1", "master"))
    await shelf.tell(Told("release_group", shelf.album, "discogs", "1", "master", "https://a.org/1"))
    assert await shelf.albums() == [("discogs", "master", "1", "https://a.org/1")]
    await shelf.tell(Told("release_group", shelf.album, "discogs", "1", "master", "https://a.org/1?of=another"))
    assert await shelf.albums() == [("discogs", "master", "1", "https://a.org/1")]
    shelf.clock.turn(21 * DAY)
    await shelf.tell(Told("release_group", shelf.album, "discogs", "1", "master"))
    assert await shelf.albums() == [("discogs", "master", "1", "https://a.org/1")]


async def test_of_two_ids_at_once_the_first_counts_and_what_is_known_is_not_written(shelf: Shelf) -> None:
    both = (Told("release_group", shelf.album, "deezer", "1"), Told("release_group", shelf.album, "deezer", "2"))
    await shelf.tell(*both)
    assert await shelf.albums() == [("deezer", "", "1", "")]
    place = "SELECT ctid::text FROM source_ids"
    before = await shelf.conn.fetchval(place)
    await shelf.tell(*both)
    assert await shelf.conn.fetchval(place) == before


async def test_that_a_source_has_none_is_kept_shown_nowhere_and_gives_way_to_an_id(shelf: Shelf) -> None:
    await shelf.tell(Told("release_group", shelf.album, "deezer", ""))
    assert await shelf.albums() == []
    assert await shelf.conn.fetchval("SELECT count(*) FROM source_ids") == 1
    await shelf.tell(Told("release_group", shelf.album, "deezer", "1"))
    await shelf.tell(Told("release_group", shelf.album, "deezer", ""))
    assert await shelf.albums() == [("deezer", "", "1", "")]


async def test_a_merged_recordings_ids_go_along_and_a_deleted_ones_go(shelf: Shelf) -> None:
    [other] = await catalog.keep(shelf.conn, [(given.recording("Sunflower (again)", "Low"), None)], shelf.clock.now())
    await shelf.tell(
        Told("recording", shelf.recording, "deezer", "1"),
        Told("recording", shelf.recording, "itunes", "1"),
        Told("recording", other.recording_id, "itunes", "2"),
    )
    await source_ids.merge(shelf.conn, shelf.recording, other.recording_id)
    told = await source_ids.of_recording(shelf.conn, other.recording_id)
    assert [(own.source, own.id) for own in told] == [("deezer", "1"), ("itunes", "2")]
    await shelf.conn.execute("DELETE FROM recordings WHERE id = $1", other.recording_id)
    assert await source_ids.of_recording(shelf.conn, other.recording_id) == ()


async def test_what_is_no_https_address_is_no_page(shelf: Shelf) -> None:
    await shelf.tell(Told("release_group", shelf.album, "lastfm", "Low", page="javascript:alert(1)"))
    assert await shelf.albums() == [("lastfm", "", "Low", "")]
