"""An import's names in the order of their queue, those included that are about to join it."""

from __future__ import annotations

import random
from datetime import timedelta

from sleevenotes import model, names
from sleevenotes.clock import HandClock
from sleevenotes.sources import contract, coverartarchive
from sleevenotes.store import artworks, catalog, claims, discographies, lookups, pending_names, wants
from sleevenotes.store.postgres import Connection, Database
from tests.unit.store import given

SOURCE = "musicbrainz"


async def played(conn: Connection, clock: HandClock, artists: int) -> list[int]:
    """Write forty names of six albums and of none, each played some times; return their ids."""
    draw = random.Random(5)  # noqa: S311 - no secret
    account = await given.account(conn, "nora", clock.now())
    news = {
        bytes([number]): lookups.New(
            f"artist {number % artists}",
            f"track {number}",
            f"album {number % 6}" if number % 4 else "",
            model.Band.LOW_PRIORITY,
        )
        for number in range(40)
    }
    met = await lookups.meet(conn, news, clock.now())
    ids = [each.id for each in met.values()]
    for minute, lookup_id in enumerate(sorted(ids)):
        for second in range(draw.randint(1, 4)):
            await given.play(conn, account, lookup_id, clock.now() + timedelta(minutes=minute, seconds=second))
    return sorted(ids)


async def want(conn: Connection, clock: HandClock, ids: list[int]) -> None:
    for each in await lookups.load_pending(conn, ids):
        question = contract.FindRecording(each.artist, each.track, each.release)
        key, kind = contract.key(question), contract.kind(question)
        new = wants.New(SOURCE, key, kind, question, each.id, each.plays, leads=each.leads, opens=each.opens)
        await wants.want(conn, "match", [new], model.Band.LOW_PRIORITY, clock.now())


async def test_a_name_has_the_place_that_it_is_about_to_have(database: Database, clock: HandClock) -> None:
    async with database.transaction() as conn:
        ids = await played(conn, clock, artists=3)
        foreseen = await pending_names.queue(conn, SOURCE, clock.now(), 100)
        assert {each.want_id for each in foreseen} == {None}
        await want(conn, clock, ids)
        queued = await pending_names.queue(conn, SOURCE, clock.now(), 100)
    assert [each.opens for each in queued] == [True] * 3 + [False] * 37  # one of each artist
    order = [each.lookup_id for each in queued]
    assert [each.lookup_id for each in foreseen] == order
    assert [each.plays for each in foreseen] == [each.plays for each in queued]
    claimed: list[int] = []
    while len(claimed) < len(order):
        async with database.transaction() as conn:
            pack = await claims.claim(conn, {SOURCE: 1}, clock.now(), lease=30.0)
            claimed += [waiter.subject_id for waiter in await wants.settle(conn, [each.id for each in pack])]
    assert claimed == order


async def test_what_is_being_asked_and_what_was_left_out_say_so(database: Database, clock: HandClock) -> None:
    async with database.transaction() as conn:
        ids = await played(conn, clock, artists=30)
        await want(conn, clock, ids)
    async with database.transaction() as conn:
        asked = await claims.claim(conn, {SOURCE: 3}, clock.now(), lease=30.0)
        await wants.postpone(conn, [asked[0].id], clock.now(), own_fault=False, pack_limit=2)
        queued = await pending_names.queue(conn, SOURCE, clock.now(), 100)
        foremost = await pending_names.queue(conn, SOURCE, clock.now(), 5)
    assert queued[-1].want_id == asked[0].id
    assert {each.want_id for each in queued if each.asking} == {each.id for each in asked[1:]}
    assert foremost == queued[:5]
    assert [each.bears for each in queued] == [0] * 39 + [2]


async def test_names_of_a_known_artist_go_before_nobody_any_more(database: Database, clock: HandClock) -> None:
    async with database.transaction() as conn:
        ids = await played(conn, clock, artists=3)
        await want(conn, clock, ids)
        await discographies.opened(conn, [names.key("artist 1")])
        queued = await pending_names.queue(conn, SOURCE, clock.now(), 100)
        opens = await conn.fetch(
            """
            SELECT artist FROM wants JOIN waiters ON want_id = wants.id JOIN lookups ON lookups.id = subject_id
            WHERE opens ORDER BY artist
            """
        )
    assert [row["artist"] for row in opens] == ["artist 0", "artist 2"]
    assert sum(each.opens for each in queued) == 2


async def test_a_name_says_which_cover_of_its_album_is_wanted_already(database: Database, clock: HandClock) -> None:
    async with database.transaction() as conn:
        ids = await played(conn, clock, artists=1)
        album = [each.id for each in await lookups.load_pending(conn, ids) if each.release == "album 1"]
        found = (given.recording("track 1", "artist 0"), given.release("album 1"))
        (kept,) = await catalog.keep(conn, [found], clock.now())
        group = kept.release_group_id
        assert group is not None
        assert kept.release_id is not None
        match_id = await conn.fetchval(
            """
            INSERT INTO matches (lookup_id, recording_id, release_group_id, source, distance, reason, decided_at)
            VALUES ($1, $2, $3, 'musicbrainz', 0, 'It fits.', $4) RETURNING id
            """,
            album[0],
            kept.recording_id,
            group,
            clock.now(),
        )
        await conn.execute("UPDATE lookups SET match_id = $2, status = 'enriched' WHERE id = $1", album[0], match_id)
        await artworks.want(conn, {group: kept.release_id}, clock.now())
        queued = {each.lookup_id: each for each in await pending_names.queue(conn, SOURCE, clock.now(), 100)}
        assert [queued[each].cover for each in album[1:]] == [group] * len(album[1:])
        assert {each.cover for each in queued.values() if each.lookup_id not in album} == {None}
        await conn.execute("UPDATE artworks SET status = 'absent' WHERE release_group_id = $1", group)
        queued = {each.lookup_id: each for each in await pending_names.queue(conn, SOURCE, clock.now(), 100)}
    assert [(queued[each].album, queued[each].cover) for each in album[1:]] == [(None, None)] * len(album[1:])


async def test_covers_wait_in_the_order_in_which_they_go_and_say_which_is_asked_for_the_last_time(
    database: Database, clock: HandClock
) -> None:
    mbid = "d1d1d1d1-0000-4000-8000-000000000001"
    edition, group = coverartarchive.front_of_release(mbid), coverartarchive.front_of_release_group(mbid)
    async with database.transaction() as conn:
        for subject_id, question, plays in ((1, edition, 2), (2, group, 5)):
            new = wants.New(
                "coverartarchive", contract.key(question), contract.kind(question), question, subject_id, plays
            )
            await wants.want(conn, "artwork", [new], model.Band.LOW_PRIORITY, clock.now())
        covers = await pending_names.covers(conn, "coverartarchive", clock.now(), 10)
    assert [(each.release_group_id, each.plays, each.last) for each in covers] == [(2, 5, True), (1, 2, False)]
