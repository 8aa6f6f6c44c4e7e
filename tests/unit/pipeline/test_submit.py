"""Taking plays in: stored once, counted, and the next jobs named, whatever runs beside it."""

from __future__ import annotations

import asyncio
import uuid
from datetime import timedelta
from typing import Any

import pytest

from sleevenotes import errors
from sleevenotes.clock import HandClock
from sleevenotes.model import Band, Evidence, Scrobble, Status
from sleevenotes.pipeline.submit import Submitter
from sleevenotes.store import events, lookups, played
from sleevenotes.store.postgres import Database
from tests.unit.pipeline.submits import NOON, match_with_album, play, queued


async def plays_counted(database: Database) -> dict[str, int]:
    """Count the plays that wait for each name, but for those that count their artist's."""
    async with database.connection() as conn:
        ids = [row["id"] for row in await conn.fetch("SELECT id FROM lookups")]
        return {each.track: each.plays for each in await lookups.load_pending(conn, ids) if not each.opens}


async def stored_count(database: Database, account_id: int) -> int:
    async with database.connection() as conn:
        return await played.count(conn, account_id)


# ---------------------------------------------------------------- storing once


async def test_a_play_is_stored_and_its_new_name_gets_a_match_job(
    submitter: Submitter, database: Database, account: int
) -> None:
    (stored,) = await submitter.submit(account, [play()], band=Band.DEFAULT)
    assert not stored.duplicate
    assert await stored_count(database, account) == 1
    assert await queued(database, "match") == [(stored.lookup_id, Band.DEFAULT)]
    assert await plays_counted(database) == {"Roygbiv": 1}


async def test_the_same_play_again_is_accepted_and_ignored(
    submitter: Submitter, database: Database, account: int
) -> None:
    (first,) = await submitter.submit(account, [play()], band=Band.DEFAULT)
    (again,) = await submitter.submit(account, [play("  ROYGBIV ")], band=Band.DEFAULT)
    assert (again.id, again.lookup_id, again.duplicate) == (first.id, first.lookup_id, True)
    assert await stored_count(database, account) == 1
    assert await plays_counted(database) == {"Roygbiv": 1}


async def test_a_batch_whose_first_play_is_stored_already_stores_all_the_rest(
    submitter: Submitter, database: Database, account: int
) -> None:
    await submitter.submit(account, [play(seconds=0)], band=Band.DEFAULT)
    batch = [play(seconds=180 * i) for i in range(150)]
    stored = await submitter.submit(account, batch, band=Band.LOW_PRIORITY)
    assert [one.duplicate for one in stored] == [True] + [False] * 149
    assert await stored_count(database, account) == 150


async def test_two_tracks_in_the_same_second_are_both_stored(
    submitter: Submitter, database: Database, account: int
) -> None:
    stored = await submitter.submit(account, [play("Roygbiv"), play("Olson"), play("Roygbiv")], band=Band.DEFAULT)
    assert [one.duplicate for one in stored] == [False, False, True]
    assert stored[2].id == stored[0].id
    assert await stored_count(database, account) == 2


async def test_a_known_play_with_another_album_leaves_no_name_behind(
    submitter: Submitter, database: Database, account: int
) -> None:
    await submitter.submit(account, [play()], band=Band.DEFAULT)
    (again,) = await submitter.submit(account, [play(release="Geogaddi")], band=Band.DEFAULT)
    assert again.duplicate
    assert await plays_counted(database) == {"Roygbiv": 1}
    assert len(await queued(database, "match")) == 1


async def test_all_that_a_client_sent_is_kept(submitter: Submitter, database: Database, account: int) -> None:
    sent = play(
        release="Geogaddi",
        album_artist="BoC",
        duration_ms=151_000,
        source_app="phone",
        source_device="pocket",
        origin="listenbrainz",
        artwork_uri="https://example.org/a.jpg",
        evidence=Evidence(isrc="GBBPW9800027", track_number=3),
        extra={"mood": ["calm", 3, None]},
    )
    await submitter.submit(account, [sent], band=Band.DEFAULT)
    async with database.connection() as conn:
        (kept,) = await played.feed(conn, account, limit=10)
    for field in ("artist", "track", "release", "album_artist", "duration_ms", "source_app", "source_device"):
        assert getattr(kept, field) == getattr(sent, field), field
    assert (kept.origin, kept.artwork_uri, kept.evidence) == (sent.origin, sent.artwork_uri, sent.evidence)
    assert kept.extra == {"mood": ["calm", 3, None]}


async def test_a_scrobble_without_a_time_is_refused_by_name(submitter: Submitter, account: int) -> None:
    with pytest.raises(errors.Refused) as refused:
        await submitter.submit(account, [Scrobble("a", "b")], band=Band.DEFAULT)
    assert refused.value.field == "listened_at"


async def test_several_thousand_plays_are_stored_in_their_order(
    submitter: Submitter, database: Database, account: int
) -> None:
    batch = [play(f"track {i % 700}", seconds=i) for i in range(2_500)]
    stored = await submitter.submit(account, batch, band=Band.LOW_PRIORITY)
    assert len({one.id for one in stored}) == 2_500
    async with database.connection() as conn:
        kept = {each.id: each.track for each in await played.feed(conn, account, limit=5_000)}
    assert [kept[one.id] for one in stored] == [sent.track for sent in batch]
    counted = await plays_counted(database)
    assert (len(counted), set(counted.values())) == (699, {3, 4})  # one of them counts all of its artist's


# ---------------------------------------------------------------- the native API's window


async def test_within_the_window_the_same_track_is_the_same_play(
    submitter: Submitter, database: Database, account: int
) -> None:
    (first,) = await submitter.submit(account, [play(seconds=0)], band=Band.DEFAULT, window_s=30)
    near, far, other = await submitter.submit(
        account, [play(seconds=30), play(seconds=31), play("Olson", seconds=5)], band=Band.DEFAULT, window_s=30
    )
    assert (near.id, near.duplicate) == (first.id, True)
    assert not far.duplicate
    assert not other.duplicate
    assert await stored_count(database, account) == 3


async def test_the_window_holds_within_one_batch_and_not_for_imports(submitter: Submitter, account: int) -> None:
    pair = [play(seconds=0), play(seconds=20)]
    assert [one.duplicate for one in await submitter.submit(account, pair, band=Band.DEFAULT, window_s=30)] == [
        False,
        True,
    ]
    imported = [play("Olson", seconds=0), play("Olson", seconds=20)]
    assert not any(one.duplicate for one in await submitter.submit(account, imported, band=Band.LOW_PRIORITY))


async def test_two_processes_with_windows_store_one_play(database: Database, clock: HandClock, account: int) -> None:
    doors = [Submitter(database, clock) for _ in range(4)]
    results = await asyncio.gather(
        *(door.submit(account, [play(seconds=i)], band=Band.DEFAULT, window_s=30) for i, door in enumerate(doors))
    )
    assert sorted(one.duplicate for (one,) in results) == [False, True, True, True]
    assert await stored_count(database, account) == 1


# ---------------------------------------------------------------- what follows


async def test_a_known_name_is_enriched_at_once_and_asks_nobody(
    submitter: Submitter, database: Database, account: int, clock: HandClock
) -> None:
    (first,) = await submitter.submit(account, [play()], band=Band.DEFAULT)
    async with database.transaction() as conn:
        group_id = await match_with_album(conn, first.lookup_id, clock.now())
    await submitter.submit(account, [play(seconds=200)], band=Band.DEFAULT)
    async with database.connection() as conn:
        newest, _ = await played.feed(conn, account, limit=2)
    assert newest.status is Status.ENRICHED
    assert newest.recording_title == "Roygbiv"
    assert len(await queued(database, "match")) == 1
    assert await queued(database, "artwork") == [(group_id, Band.DEFAULT)]


@pytest.mark.parametrize(
    ("status", "band", "asked"),
    [
        ("absent", Band.DEFAULT, False),
        ("pending", Band.LOW_PRIORITY, False),
        ("pending", Band.DEFAULT, True),  # an import may still look for it, and now somebody waits
    ],
)
async def test_an_album_that_was_looked_at_is_asked_for_again_only_where_somebody_waits_and_nothing_is_decided(
    submitter: Submitter, database: Database, account: int, clock: HandClock, status: str, band: Band, asked: bool
) -> None:
    (first,) = await submitter.submit(account, [play()], band=Band.DEFAULT)
    async with database.transaction() as conn:
        group_id = await match_with_album(conn, first.lookup_id, clock.now())
        await conn.execute(
            "INSERT INTO artworks (release_group_id, release_id, wanted_at, status) "
            "SELECT $1, id, $2, $3 FROM releases WHERE release_group_id = $1",
            group_id,
            clock.now(),
            status,
        )
    await submitter.submit(account, [play(seconds=200)], band=band)
    assert await queued(database, "artwork") == ([(group_id, band)] if asked else [])


async def test_a_live_play_hurries_a_name_that_an_import_left_waiting(
    submitter: Submitter, database: Database, account: int
) -> None:
    (first,) = await submitter.submit(account, [play()], band=Band.LOW_PRIORITY)
    await submitter.submit(account, [play(seconds=200)], band=Band.DEFAULT)
    await submitter.submit(account, [play(seconds=400)], band=Band.LOW_PRIORITY)
    assert await queued(database, "match") == [
        (first.lookup_id, Band.LOW_PRIORITY),
        (first.lookup_id, Band.DEFAULT),
    ]
    async with database.connection() as conn:
        assert await conn.fetchval("SELECT band FROM lookups") == Band.DEFAULT


async def test_a_play_with_its_own_recording_id_is_looked_at_more_closely(
    submitter: Submitter, database: Database, account: int
) -> None:
    with_id = play(evidence=Evidence(recording_mbid=str(uuid.uuid4())))
    stored = await submitter.submit(account, [play("Olson"), with_id], band=Band.DEFAULT)
    assert await queued(database, "evidence") == [(stored[1].id, Band.DEFAULT)]


async def test_a_play_of_a_decided_name_is_looked_at_where_it_knows_more_or_one_beside_it_may(
    submitter: Submitter, database: Database, account: int, clock: HandClock
) -> None:
    async def submit(seconds: float, **more: Any) -> int:
        sent = play(seconds=seconds, **({"release": "Hi Scores"} | more))
        (stored,) = await submitter.submit(account, [sent], band=Band.DEFAULT)
        async with database.transaction() as conn:
            await match_with_album(conn, stored.lookup_id, clock.now())
        return stored.id

    hours = 3600.0
    await submit(0 * hours)
    await submit(2 * hours)  # nothing more than its name, and nothing around it
    lasted = await submit(4 * hours, duration_ms=151_000)
    named = await submit(6 * hours, evidence=Evidence(artist_mbids=(str(uuid.uuid4()),)))
    await submit(8 * hours, release="")  # its name is new
    bare = await submit(10 * hours, release="")
    beside = await submit(10.5 * hours)
    assert [each for each, _ in await queued(database, "evidence")] == [lasted, named, bare, beside]


async def test_one_submit_is_told_once_with_its_newest_plays(
    submitter: Submitter, database: Database, account: int
) -> None:
    async with database.connection() as conn:
        before = (await events.read(conn, account, "")).cursor
    stored = await submitter.submit(account, [play(seconds=i) for i in range(150)], band=Band.LOW_PRIORITY)
    async with database.connection() as conn:
        told = [event for _, event in (await events.read(conn, account, before)).events]
    assert told == [{"type": "scrobbles_stored", "ids": [one.id for one in reversed(stored)][:100], "count": 150}]


# ---------------------------------------------------------------- beside each other


async def test_many_single_plays_at_once_share_commits_and_are_all_stored(
    submitter: Submitter, database: Database, account: int
) -> None:
    results = await asyncio.gather(
        *(submitter.submit(account, [play(f"track {i % 40}", i)], band=Band.DEFAULT) for i in range(300))
    )
    assert len({stored.id for (stored,) in results}) == 300
    assert await stored_count(database, account) == 300
    async with database.connection() as conn:
        commits = await conn.fetchval("SELECT count(DISTINCT xid) FROM events")
    assert commits < 30


async def test_a_play_that_cannot_be_stored_spoils_no_neighbour(
    submitter: Submitter, database: Database, account: int
) -> None:
    bad = Scrobble("artist", "track with a \0", listened_at=NOON)
    results = await asyncio.gather(
        submitter.submit(account, [play("before")], band=Band.DEFAULT),
        submitter.submit(account, [bad], band=Band.DEFAULT),
        submitter.submit(account, [play("after")], band=Band.DEFAULT),
        return_exceptions=True,
    )
    assert [isinstance(result, Exception) for result in results] == [False, True, False]
    assert await stored_count(database, account) == 2


async def test_submitters_of_the_same_names_in_opposite_orders_all_succeed(
    database: Database, clock: HandClock, account: int
) -> None:
    doors = [Submitter(database, clock) for _ in range(4)]
    tracks = [f"track {i}" for i in range(120)]
    await asyncio.gather(
        *(
            door.submit(
                account,
                [play(track, 1000 * n + i) for i, track in enumerate(tracks if n % 2 else reversed(tracks))],
                band=Band.LOW_PRIORITY,
            )
            for n, door in enumerate(doors)
        )
    )
    assert set((await plays_counted(database)).values()) == {4}


async def test_the_same_batch_from_two_processes_at_once_is_stored_once(
    database: Database, clock: HandClock, account: int
) -> None:
    batch = [play(f"track {i}", i) for i in range(200)]
    one, other = await asyncio.gather(
        Submitter(database, clock).submit(account, batch, band=Band.LOW_PRIORITY),
        Submitter(database, clock).submit(account, batch, band=Band.LOW_PRIORITY),
    )
    assert [a.id for a in one] == [b.id for b in other]
    assert all(a.duplicate != b.duplicate for a, b in zip(one, other, strict=True))
    assert set((await plays_counted(database)).values()) == {1}


async def test_a_lost_connection_is_tried_again(submitter: Submitter, database: Database, account: int) -> None:
    await submitter.submit(account, [play()], band=Band.DEFAULT)
    async with database.connection() as conn:
        await conn.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    results = await asyncio.gather(
        *(submitter.submit(account, [play(f"track {i}", 1 + i)], band=Band.DEFAULT) for i in range(20)),
        submitter.submit(account, [play("many", 100 + i) for i in range(200)], band=Band.DEFAULT),
    )
    assert not any(stored.duplicate for result in results for stored in result)
    assert await stored_count(database, account) == 221


# ---------------------------------------------------------------- what plays now


async def test_what_plays_now_is_shown_until_it_is_over(
    submitter: Submitter, database: Database, account: int, clock: HandClock
) -> None:
    await submitter.play_now(account, Scrobble("Boards of Canada", "Roygbiv", duration_ms=151_000))
    async with database.connection() as conn:
        now = await played.now_playing(conn, account, clock.now())
        assert now is not None
        assert (now.id, now.track, now.status) == (0, "Roygbiv", Status.PENDING)
        assert await played.now_playing(conn, account, clock.now() + timedelta(seconds=151)) is None
    assert len(await queued(database, "match")) == 1
    assert await plays_counted(database) == {"Roygbiv": 0}


async def test_a_player_that_repeats_itself_makes_no_track_longer_and_tells_once(
    submitter: Submitter, database: Database, account: int, clock: HandClock
) -> None:
    async with database.connection() as conn:
        before = (await events.read(conn, account, "")).cursor
    await submitter.play_now(account, Scrobble("Boards of Canada", "Roygbiv"))
    clock.turn(590)
    await submitter.play_now(account, Scrobble("Boards of Canada", "Roygbiv"))
    async with database.connection() as conn:
        told = [event["type"] for _, event in (await events.read(conn, account, before)).events]
        assert told == ["now_playing_changed"]
        assert await played.now_playing(conn, account, clock.now()) is not None
        assert await played.now_playing(conn, account, clock.now() + timedelta(seconds=10)) is None
