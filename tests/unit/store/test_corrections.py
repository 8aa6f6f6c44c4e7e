"""Corrections: what is in force for whom, and what comes back when one is undone."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio

from sleevenotes import errors, model
from sleevenotes.clock import HandClock
from sleevenotes.store import cases, catalog, corrections, library, matches, played, postgres
from tests.unit.store import given


class World:
    """Two listeners who have played the same name, and recordings that it may be."""

    def __init__(self, conn: postgres.Connection, clock: HandClock) -> None:
        self.conn = conn
        self.clock = clock
        self.ann = 0
        self.ben = 0
        self.lookup = 0

    async def fill(self) -> None:
        now = self.clock.now()
        self.ann = await given.account(self.conn, "ann", now)
        self.ben = await given.account(self.conn, "ben", now)
        self.lookup = await given.lookup(self.conn, "Nirvana", "Lithium", now)
        for account_id in (self.ann, self.ben):
            for minutes in (1, 2):
                await given.play(self.conn, account_id, self.lookup, now - timedelta(minutes=minutes))
        await matches.settle(self.conn, [matches.matched(self.lookup, await self.identity("Shared"))], now)

    async def identity(self, title: str, distance: float = 0.0) -> matches.Identity:
        """Return the recording of that title, on an album named after it."""
        pair = (given.recording(title, f"{title} Band"), given.release(f"The {title} Album", "Nirvana"))
        [kept] = await catalog.keep(self.conn, [pair], self.clock.now())
        return matches.Identity(
            kept.recording_id, kept.release_id, kept.release_group_id, "musicbrainz", distance, "so"
        )

    async def put(self, account_id: int, title: str | None, *, everybody: bool = False, lookup: int = 0) -> int:
        identity = await self.identity(title) if title else None
        says = {lookup or self.lookup: identity}
        now = self.clock.now()
        return await corrections.put(self.conn, account_id, "match", says, now, everybody=everybody)

    async def shown(self, account_id: int) -> list[str]:
        """Return what the account's plays are shown as, and hold its pages of albums and artists against it."""
        plays = await played.feed(self.conn, account_id, limit=10)
        for group in await self.conn.fetch("SELECT id FROM release_groups"):
            counted = await library.album_played(self.conn, account_id, group["id"])
            assert (counted.plays if counted else 0) == sum(each.release_group_id == group["id"] for each in plays)
        for artist in await self.conn.fetch("SELECT id FROM artists"):
            counted = await library.artist_played(self.conn, account_id, artist["id"])
            matched = sum(artist["id"] in {part[0] for part in each.artists} for each in plays)
            assert (counted.plays if counted else 0) == matched
        return [each.recording_title or each.status for each in plays]


@pytest_asyncio.fixture
async def world(database: postgres.Database, clock: HandClock) -> AsyncIterator[World]:
    async with database.transaction() as conn:
        made = World(conn, clock)
        await made.fill()
        yield made


async def test_a_correction_changes_every_play_of_its_account_and_of_nobody_else(world: World) -> None:
    await world.put(world.ann, "Mine")
    assert await world.shown(world.ann) == ["Mine", "Mine"]
    assert await world.shown(world.ben) == ["Shared", "Shared"]
    later = await given.play(world.conn, world.ann, world.lookup, world.clock.now())
    [play] = await played.by_ids(world.conn, world.ann, [later])
    assert (play.recording_title, play.led_by) == ("Mine", "correction")


async def test_undoing_shows_what_was_before_be_that_another_correction_or_the_shared_match(world: World) -> None:
    first = await world.put(world.ann, "First")
    second = await world.put(world.ann, "Second")
    third = await world.put(world.ann, None)
    assert await world.shown(world.ann) == ["not_found", "not_found"]
    assert await corrections.undo(world.conn, world.ann, third, world.clock.now()) == [world.lookup]
    assert await world.shown(world.ann) == ["Second", "Second"]
    await corrections.undo(world.conn, world.ann, first, world.clock.now())  # not in force: nothing changes
    assert await world.shown(world.ann) == ["Second", "Second"]
    await corrections.undo(world.conn, world.ann, second, world.clock.now())
    assert await world.shown(world.ann) == ["Shared", "Shared"]
    assert await corrections.undo(world.conn, world.ann, second, world.clock.now()) == []


async def test_only_whose_correction_it_is_can_undo_it(world: World) -> None:
    made = await world.put(world.ann, "Mine")
    assert await corrections.undo(world.conn, world.ben, made, world.clock.now()) == []
    assert await corrections.share(world.conn, world.ben, made) == []
    assert await world.shown(world.ann) == ["Mine", "Mine"]


async def test_the_order_is_own_then_evidence_then_everybodys_then_shared(world: World) -> None:
    newest = await world.conn.fetchval("SELECT max(id) FROM scrobbles WHERE account_id = $1", world.ben)
    await matches.keep(world.conn, await world.identity("Evidence"), world.clock.now(), scrobble_id=newest)
    assert sorted(await world.shown(world.ben)) == ["Evidence", "Shared"]
    await world.put(world.ann, "Everybody", everybody=True)
    assert sorted(await world.shown(world.ben)) == ["Everybody", "Evidence"]
    assert await world.shown(world.ann) == ["Everybody", "Everybody"]
    own = await world.put(world.ben, "Own")
    assert await world.shown(world.ben) == ["Own", "Own"]
    await corrections.undo(world.conn, world.ben, own, world.clock.now())
    assert sorted(await world.shown(world.ben)) == ["Everybody", "Evidence"]


async def test_a_new_match_of_the_name_leaves_the_correction_in_force(world: World) -> None:
    await world.put(world.ann, "Mine")
    newer = matches.matched(world.lookup, await world.identity("Newer"))
    await matches.settle(world.conn, [newer], world.clock.now())
    assert await world.shown(world.ann) == ["Mine", "Mine"]
    assert await world.shown(world.ben) == ["Newer", "Newer"]


async def test_one_made_for_everybody_later_and_undone_gives_way_to_the_one_before(world: World) -> None:
    before = await world.put(world.ann, "Before", everybody=True)
    made = await world.put(world.ann, "Made")
    assert await world.shown(world.ben) == ["Before", "Before"]  # the owner's newer one is for the owner alone
    assert await world.shown(world.ann) == ["Made", "Made"]
    assert await corrections.share(world.conn, world.ann, made) == [world.lookup]
    assert await world.shown(world.ben) == ["Made", "Made"]
    await corrections.undo(world.conn, world.ann, made, world.clock.now())
    assert await world.shown(world.ben) == ["Before", "Before"]
    await corrections.undo(world.conn, world.ann, before, world.clock.now())
    assert await world.shown(world.ben) == ["Shared", "Shared"]
    assert await world.shown(world.ann) == ["Shared", "Shared"]


async def test_several_names_are_undone_as_a_unit_or_one_by_one(world: World) -> None:
    other = await given.lookup(world.conn, "Nirvana", "Breed", world.clock.now())
    await given.play(world.conn, world.ann, other, world.clock.now())
    says = {world.lookup: await world.identity("A"), other: await world.identity("B")}
    made = await corrections.put(world.conn, world.ann, "album", says, world.clock.now())
    [told] = await corrections.recent(world.conn, world.ann, 5)
    assert (told.id, told.kind, told.names, told.undone_at) == (made, "album", 2, None)
    await corrections.undo(world.conn, world.ann, made, world.clock.now(), lookup_id=other)
    assert await world.shown(world.ann) == ["pending", "A", "A"]
    [told] = await corrections.recent(world.conn, world.ann, 5)
    assert (told.names, told.undone_at) == (1, None)
    await corrections.undo(world.conn, world.ann, made, world.clock.now())
    assert await world.shown(world.ann) == ["pending", "Shared", "Shared"]
    [told] = await corrections.recent(world.conn, world.ann, 5)
    assert told.undone_at == world.clock.now()
    assert await corrections.count(world.conn, world.ann) == 0


async def test_an_account_takes_its_corrections_with_it(world: World) -> None:
    await world.put(world.ann, "Mine", everybody=True)
    await world.conn.execute("DELETE FROM accounts WHERE id = $1", world.ann)
    await world.conn.execute("SET CONSTRAINTS ALL IMMEDIATE")
    assert await world.shown(world.ben) == ["Shared", "Shared"]
    assert await world.conn.fetchval("SELECT count(*) FROM matches WHERE corrected_id IS NOT NULL") == 0


async def test_what_an_account_has_not_played_is_not_there(world: World) -> None:
    await corrections.require_played(world.conn, world.ann, [world.lookup, world.lookup])
    unplayed = await given.lookup(world.conn, "Nirvana", "Breed", world.clock.now())
    for lookup_ids in ([unplayed], [world.lookup, unplayed], [2**62]):
        with pytest.raises(errors.Gone):
            await corrections.require_played(world.conn, world.ann, lookup_ids)


async def test_a_cover_that_is_decided_is_told_to_whom_a_correction_led_there(world: World) -> None:
    mine = await world.identity("Mine")
    assert mine.release_group_id
    await world.put(world.ann, "Mine")
    told = await matches.accounts_of_release_groups(world.conn, [mine.release_group_id])
    assert told == {world.ann: [mine.release_group_id]}
    await world.put(world.ann, "Mine", everybody=True)
    told = await matches.accounts_of_release_groups(world.conn, [mine.release_group_id])
    assert set(told) == {world.ann, world.ben}


# ---------------------------------------------------------------- cases


async def doubtful(world: World, account_id: int) -> list[str]:
    return [case.track for case in await cases.doubtful(world.conn, account_id, 10)]


async def a_name(world: World, track: str, plays: int, *, distance: float | None, near: Any = ()) -> int:
    """Play a name, decided at a distance or left alone with candidates."""
    now = world.clock.now()
    lookup_id = await given.lookup(world.conn, "Nirvana", track, now)
    for at in range(plays):
        await given.play(world.conn, world.ann, lookup_id, now - timedelta(hours=lookup_id, minutes=at))
    if distance is None:
        status = model.Status.NOT_FOUND
        outcome = matches.Outcome(lookup_id, status, "two are too near", candidates=near)
    else:
        outcome = matches.matched(lookup_id, await world.identity(f"{track} found", distance))
    await matches.settle(world.conn, [outcome], now)
    return lookup_id


async def test_doubtful_are_undecided_names_with_candidates_and_matches_at_a_distance(world: World) -> None:
    await a_name(world, "Far", 4, distance=0.1)
    await a_name(world, "Near", 3, distance=0.0)
    await a_name(world, "Undecided", 1, distance=None, near=[{"option": {}}])
    await a_name(world, "Unknown", 9, distance=None)
    assert await doubtful(world, world.ann) == ["Undecided", "Far"]
    assert await doubtful(world, world.ben) == []  # has played none of them


async def test_what_was_corrected_is_no_longer_doubtful_for_whom_that_holds(world: World) -> None:
    far = await a_name(world, "Far", 1, distance=0.1)
    await given.play(world.conn, world.ben, far, world.clock.now() - timedelta(days=1))
    made = await world.put(world.ann, "Right", lookup=far)
    assert await doubtful(world, world.ann) == []
    assert await doubtful(world, world.ben) == ["Far"]
    await corrections.share(world.conn, world.ann, made)
    assert await doubtful(world, world.ben) == []


async def test_an_albums_names_are_those_sent_with_it_and_those_shown_on_it(world: World) -> None:
    now = world.clock.now()
    sent, also, elsewhere, unplayed = [
        await given.lookup(world.conn, "Nirvana", track, now) for track in ("One", "Two", "Three", "Four")
    ]
    ids = [sent, also, unplayed]
    await world.conn.execute("UPDATE lookups SET release = 'In Utero', release_key = 'inutero' WHERE id = ANY($1)", ids)
    for lookup_id in (sent, also, elsewhere):
        await given.play(world.conn, world.ann, lookup_id, now - timedelta(days=lookup_id))
    assert await cases.of_album(world.conn, world.ann, sent, 50) == [sent, also]
    await world.put(world.ann, "Shared", lookup=sent)
    assert await cases.of_album(world.conn, world.ann, sent, 50) == sorted([world.lookup, sent, also])
    assert await cases.of_album(world.conn, world.ann, world.lookup, 50) == sorted([world.lookup, sent])
    assert await cases.of_album(world.conn, world.ben, world.lookup, 50) == [world.lookup]
    play = await world.conn.fetchval("SELECT id FROM scrobbles WHERE lookup_id = $1", elsewhere)
    await matches.keep(world.conn, await world.identity("Shared"), now, scrobble_id=play)
    assert await cases.of_album(world.conn, world.ann, sent, 50) == sorted([world.lookup, sent, also, elsewhere])
