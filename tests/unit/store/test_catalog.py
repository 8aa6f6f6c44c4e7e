from __future__ import annotations

import asyncio
from datetime import timedelta

import msgspec
import pytest

from sleevenotes import model
from sleevenotes.clock import HandClock
from sleevenotes.store import catalog, sleeves
from sleevenotes.store.postgres import Database
from tests.unit.store.given import credit, mbid, recording, release


async def counts(database: Database) -> dict[str, int]:
    tables = ("artists", "artist_credits", "artist_credit_names", "release_groups", "releases", "recordings")
    async with database.connection() as conn:
        return {table: await conn.fetchval(f"SELECT count(*) FROM {table}") for table in tables}


async def test_a_recording_and_its_release_are_kept_with_all_they_mention(database: Database, clock: HandClock) -> None:
    song = recording("Under Pressure", "Queen", "David Bowie", length_ms=248_000, isrcs=("GBUM71029604",))
    album = release("Hot Space", "Queen", status="Official", date="1982-05-21", country="GB", track_count=11)
    async with database.transaction() as conn:
        (kept,) = await catalog.keep(conn, [(song, album)], clock.now())
        read = await sleeves.recording(conn, kept.recording_id)
        group = await sleeves.release_group(conn, kept.release_group_id or 0)
    assert read is not None
    assert (read.mbid, read.title, read.length_ms, read.isrcs) == (
        song.mbid,
        "Under Pressure",
        248_000,
        ("GBUM71029604",),
    )
    assert read.credit.name == "Queen & David Bowie"
    assert [(part.mbid, part.name, part.join_phrase) for part in read.credit.parts] == [
        (mbid("Queen"), "Queen", " & "),
        (mbid("David Bowie"), "David Bowie", ""),
    ]
    assert group is not None
    assert (group.title, group.primary_type, group.credit.name, group.cover) == ("Hot Space", "Album", "Queen", None)
    (edition,) = group.editions
    assert edition == sleeves.Edition(kept.release_id or 0, album.mbid, "Hot Space", "Official", "1982-05-21", "GB", 11)


async def test_a_release_without_a_credit_of_its_own_has_the_recording_s(database: Database, clock: HandClock) -> None:
    async with database.transaction() as conn:
        (kept,) = await catalog.keep(conn, [(recording("So What", "Miles"), release("Kind of Blue"))], clock.now())
        group = await sleeves.release_group(conn, kept.release_group_id or 0)
    assert group is not None
    assert group.credit.name == "Miles"


async def test_a_recording_may_be_kept_without_a_release(database: Database, clock: HandClock) -> None:
    async with database.transaction() as conn:
        (kept,) = await catalog.keep(conn, [(recording("So What", "Miles"), None)], clock.now())
    assert (kept.release_id, kept.release_group_id) == (None, None)


async def test_keeping_nothing_is_no_work(database: Database, clock: HandClock) -> None:
    async with database.transaction() as conn:
        assert await catalog.keep(conn, [], clock.now()) == []


async def test_ids_come_back_in_the_order_given_also_for_repeats(database: Database, clock: HandClock) -> None:
    one, two = recording("Zebra", "A"), recording("Aardvark", "A")
    async with database.transaction() as conn:
        kept = await catalog.keep(conn, [(one, release("X")), (two, release("Y", group="X")), (one, None)], clock.now())
        titles = [each.title for row in kept if (each := await sleeves.recording(conn, row.recording_id))]
    assert titles == ["Zebra", "Aardvark", "Zebra"]
    assert kept[0].release_group_id == kept[1].release_group_id
    assert kept[0].release_id != kept[1].release_id


async def test_an_mbid_in_capitals_is_the_same_row(database: Database, clock: HandClock) -> None:
    song = recording("Blue", "Joni")
    shouted = msgspec.structs.replace(song, mbid=song.mbid.upper())
    async with database.transaction() as conn:
        one, two = await catalog.keep(conn, [(song, None), (shouted, None)], clock.now())
    assert one == two
    assert (await counts(database))["recordings"] == 1


async def test_repeating_a_reply_writes_nothing(database: Database, clock: HandClock) -> None:
    pair = (recording("Blue", "Joni"), release("Blue"))
    async with database.transaction() as conn:
        first = await catalog.keep(conn, [pair], clock.now())
    before = await versions(database)
    clock.turn(60)
    async with database.transaction() as conn:
        assert await catalog.keep(conn, [pair], clock.now()) == first
    assert await versions(database) == before


async def versions(database: Database) -> list[object]:
    """Return the row versions of the whole catalogue: any write, even of equal values, makes a new one."""
    async with database.connection() as conn:
        return [
            tuple(row)
            for table in (
                "artists",
                "artist_credits",
                "artist_credit_names",
                "release_groups",
                "releases",
                "recordings",
            )
            for row in await conn.fetch(f"SELECT ctid::text, xmin::text FROM {table}")
        ]


async def test_after_a_day_a_repeated_reply_at_least_dates_its_rows(database: Database, clock: HandClock) -> None:
    pair = (recording("Blue", "Joni"), release("Blue"))
    async with database.transaction() as conn:
        (kept,) = await catalog.keep(conn, [pair], clock.now())
    clock.turn(2 * 86400)
    async with database.transaction() as conn:
        await catalog.keep(conn, [pair], clock.now())
        read = await sleeves.recording(conn, kept.recording_id)
    assert read is not None
    assert read.fetched_at == clock.now()


async def test_a_newer_reply_overrides_but_what_it_leaves_out_stays(database: Database, clock: HandClock) -> None:
    full = recording("Blu", "Joni", length_ms=180_000, disambiguation="mono", isrcs=("US1", "US2"))
    spare = msgspec.structs.replace(full, title="Blue", length_ms=None, disambiguation="", isrcs=())
    album = release("Blue", status="Official", date="1971", track_count=10)
    bare = msgspec.structs.replace(album, status="", date="1971-06-22", track_count=None)
    async with database.transaction() as conn:
        (kept,) = await catalog.keep(conn, [(full, album)], clock.now())
    clock.turn(60)
    async with database.transaction() as conn:
        await catalog.keep(conn, [(spare, bare)], clock.now())
        read = await sleeves.recording(conn, kept.recording_id)
        group = await sleeves.release_group(conn, kept.release_group_id or 0)
    assert read is not None
    assert (read.title, read.length_ms, read.disambiguation, read.isrcs) == ("Blue", 180_000, "mono", ("US1", "US2"))
    assert group is not None
    assert [(each.status, each.date, each.track_count) for each in group.editions] == [("Official", "1971-06-22", 10)]


async def test_an_older_reply_that_comes_late_overrides_nothing(database: Database, clock: HandClock) -> None:
    song = recording("Blue", "Joni")
    async with database.transaction() as conn:
        (kept,) = await catalog.keep(conn, [(song, None)], clock.now())
        old = msgspec.structs.replace(song, title="Blu")
        await catalog.keep(conn, [(old, None)], clock.now() - timedelta(hours=1))
        read = await sleeves.recording(conn, kept.recording_id)
    assert read is not None
    assert read.title == "Blue"


async def test_gaps_within_one_reply_are_filled_from_its_other_mentions(database: Database, clock: HandClock) -> None:
    song = recording("Blue", "Joni", length_ms=180_000)
    again = msgspec.structs.replace(song, length_ms=None)
    async with database.transaction() as conn:
        kept = await catalog.keep(conn, [(song, None), (again, None)], clock.now())
        read = await sleeves.recording(conn, kept[0].recording_id)
    assert read is not None
    assert read.length_ms == 180_000


async def test_an_artist_keeps_its_own_name_however_it_is_credited(database: Database, clock: HandClock) -> None:
    formal = model.ArtistCreditName(mbid("Sean"), "Diddy", artist_name="Sean Combs", sort_name="Combs, Sean")
    casual = model.ArtistCreditName(mbid("Sean"), "P. Diddy")
    async with database.transaction() as conn:
        for part in (formal, casual):
            song = msgspec.structs.replace(recording(part.name, "x"), artist_credit=model.ArtistCredit((part,)))
            (kept,) = await catalog.keep(conn, [(song, None)], clock.now())
        read = await sleeves.recording(conn, kept.recording_id)
        assert read is not None
        artist = await sleeves.artist(conn, read.credit.parts[0].artist_id)
    assert read.credit.name == "P. Diddy"
    assert artist is not None
    assert (artist.name, artist.sort_name, artist.mbid) == ("Sean Combs", "Combs, Sean", mbid("Sean"))


def test_a_credit_s_digest_is_frozen_and_tells_names_and_joins_apart() -> None:
    assert catalog.credit_digest(credit("Queen")).hex() == "c5fad7b2da7aee400e08ef8468586bb0"
    assert catalog.credit_digest(credit("A", "B")) != catalog.credit_digest(credit("A", "B", join=" feat. "))
    assert catalog.credit_digest(credit("A", "B")) != catalog.credit_digest(credit("B", "A"))


async def test_workers_that_learn_of_the_same_artists_at_once_neither_fail_nor_double(
    database: Database, clock: HandClock
) -> None:
    artists = [f"Artist {number}" for number in range(12)]
    songs = [
        (
            recording(f"Song {at}", artists[at % 12], artists[(at * 7 + 5) % 12]),
            release(f"Album {at % 6}", artists[at % 12]),
        )
        for at in range(48)
    ]

    async def keep(turn: int) -> list[catalog.Kept]:
        mine = songs[turn:] + songs[:turn]
        async with database.transaction() as conn:
            kept = await catalog.keep(conn, mine[::-1] if turn % 2 else mine, clock.now())
        kept = kept[::-1] if turn % 2 else kept
        return kept[-turn:] + kept[:-turn] if turn else kept

    results = await asyncio.gather(*(keep(turn) for turn in range(16)))
    assert all([row.recording_id for row in result] == [row.recording_id for row in results[0]] for result in results)
    counted = await counts(database)
    assert (counted["artists"], counted["recordings"], counted["releases"]) == (12, 48, 6)


def foreign(title: str, number: int, **facts: object) -> tuple[model.Recording, model.Release]:
    """Return a recording and its release as a source without MBIDs tells of them."""
    credit_ = model.ArtistCredit((model.ArtistCreditName("", "Joni", foreign_id="deezer:7"),))
    group = model.ReleaseGroup("", "Blue", "Album", foreign_id="deezer:100")
    song = model.Recording("", title, credit_, foreign_id=f"deezer:{number}", length_ms=180_000)
    return msgspec.structs.replace(song, **facts), model.Release("", "Blue", group, foreign_id="deezer:100")


async def test_what_has_no_mbid_is_kept_by_its_source_s_own_id(database: Database, clock: HandClock) -> None:
    async with database.transaction() as conn:
        one, two = await catalog.keep(conn, [foreign("River", 1), foreign("Carey", 2)], clock.now())
        read = await sleeves.recording(conn, one.recording_id)
        group = await sleeves.release_group(conn, one.release_group_id or 0)
        assert read is not None
        artist = await sleeves.artist(conn, read.credit.parts[0].artist_id)
    assert (read.mbid, read.foreign_id, read.title, read.length_ms) == ("", "deezer:1", "River", 180_000)
    assert artist is not None
    assert (artist.mbid, artist.foreign_id) == ("", "deezer:7")
    assert group is not None
    assert (group.mbid, group.foreign_id, group.editions[0].foreign_id) == ("", "deezer:100", "deezer:100")
    assert one.release_id == two.release_id
    assert one.recording_id != two.recording_id
    counted = await counts(database)
    assert (counted["artists"], counted["artist_credits"], counted["releases"]) == (1, 1, 1)


async def test_foreign_rows_are_repeated_and_corrected_as_others_are(database: Database, clock: HandClock) -> None:
    async with database.transaction() as conn:
        first = await catalog.keep(conn, [foreign("River", 1)], clock.now())
    before = await versions(database)
    clock.turn(60)
    async with database.transaction() as conn:
        assert await catalog.keep(conn, [foreign("River", 1)], clock.now()) == first
    assert await versions(database) == before
    async with database.transaction() as conn:
        await catalog.keep(conn, [foreign("The River", 1, length_ms=None)], clock.now())
        read = await sleeves.recording(conn, first[0].recording_id)
    assert read is not None
    assert (read.title, read.length_ms) == ("The River", 180_000)


async def test_both_kinds_of_id_are_kept_together_and_in_order(database: Database, clock: HandClock) -> None:
    song, album = foreign("River", 1)
    known = msgspec.structs.replace(
        album, release_group=release("Blue").release_group
    )  # TheAudioDB knows just the album's
    async with database.transaction() as conn:
        kept = await catalog.keep(
            conn, [(song, known), (recording("River", "Joni"), release("Blue")), foreign("Carey", 2)], clock.now()
        )
        titles = [each.foreign_id for row in kept if (each := await sleeves.recording(conn, row.recording_id))]
    assert titles == ["deezer:1", "", "deezer:2"]
    assert kept[0].release_group_id == kept[1].release_group_id != kept[2].release_group_id


async def test_an_mbid_goes_before_a_foreign_id(database: Database, clock: HandClock) -> None:
    song = recording("River", "Joni")
    both = msgspec.structs.replace(song, foreign_id="deezer:1")
    async with database.transaction() as conn:
        one, two = await catalog.keep(conn, [(both, None), (song, None)], clock.now())
        other, _ = await catalog.keep(conn, [foreign("River", 1), (both, None)], clock.now())
    assert one == two
    assert other.recording_id != one.recording_id


async def test_what_has_neither_id_is_refused_by_name(database: Database, clock: HandClock) -> None:
    nameless = msgspec.structs.replace(recording("River", "Joni"), mbid="", foreign_id="")
    async with database.transaction() as conn:
        with pytest.raises(ValueError, match="River"):
            await catalog.keep(conn, [(nameless, None)], clock.now())


def test_credits_of_one_name_are_told_apart_by_foreign_ids() -> None:
    credits_ = [
        model.ArtistCredit((model.ArtistCreditName("", "Nirvana", foreign_id=each),))
        for each in ("deezer:1", "deezer:2")
    ]
    assert len({catalog.credit_digest(each) for each in credits_}) == 2


@pytest.mark.parametrize("read", [sleeves.artist, sleeves.recording, sleeves.release_group, sleeves.cover])
async def test_what_is_not_there_reads_as_none(database: Database, read: object) -> None:
    async with database.connection() as conn:
        assert await read(conn, 4711) is None  # type: ignore[operator]
