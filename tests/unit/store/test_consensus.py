"""Consensus: what several listeners say alike of a name is shown to the others, as long as they say so."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
import pytest_asyncio

from sleevenotes import errors
from sleevenotes.clock import HandClock
from sleevenotes.store import (
    cases,
    catalog,
    consensus,
    corrections,
    enriched,
    explanations,
    farewells,
    library,
    matches,
    migrate,
    played,
    postgres,
)
from tests.unit.store import given

LISTENERS = ("ann", "ben", "cid", "dot", "eve")


class World:
    """Five listeners who have played one name, whose shared match is "Shared"."""

    def __init__(self, conn: postgres.Connection, clock: HandClock) -> None:
        self.conn = conn
        self.clock = clock
        self.account: dict[str, int] = {}
        self.lookup = 0
        self.acts: dict[str, int] = {}

    async def fill(self) -> None:
        now = self.clock.now()
        self.lookup = await given.lookup(self.conn, "Nirvana", "Lithium", now)
        for name in LISTENERS:
            self.account[name] = await given.account(self.conn, name, now)
            await given.play(self.conn, self.account[name], self.lookup, now - timedelta(minutes=1))
        await matches.settle(self.conn, [matches.matched(self.lookup, await self.identity("Shared"))], now)

    async def identity(self, title: str, album: str = "") -> matches.Identity:
        pair = (given.recording(title, "Nirvana"), given.release(album or f"The {title} Album", "Nirvana"))
        [kept] = await catalog.keep(self.conn, [pair], self.clock.now())
        return matches.Identity(
            kept.recording_id, kept.release_id, kept.release_group_id, "musicbrainz", 0.0, "set by hand; so"
        )

    async def say(self, name: str, title: str | None, album: str = "", *, everybody: bool = False) -> list[int]:
        """Have a listener correct the name; return the names that changed for others."""
        says = {self.lookup: await self.identity(title, album) if title else None}
        self.acts[name] = await corrections.put(
            self.conn, self.account[name], "match", says, self.clock.now(), everybody=everybody
        )
        return await consensus.derive(self.conn, [self.lookup])

    async def take_back(self, name: str) -> list[int]:
        await corrections.undo(self.conn, self.account[name], self.acts[name], self.clock.now())
        return await consensus.derive(self.conn, [self.lookup])

    async def shown(self, name: str) -> tuple[str, str]:
        """Return what the listener's play is shown as and what led to it; hold the pages of albums against it."""
        [play] = await played.feed(self.conn, self.account[name], limit=10)
        for group in await self.conn.fetch("SELECT id FROM release_groups"):
            counted = await library.album_played(self.conn, self.account[name], group["id"])
            assert (counted.plays if counted else 0) == int(play.release_group_id == group["id"])
        [case] = await cases.load(self.conn, self.account[name], [self.lookup])
        assert (case.recording, case.led_by) == (play.recording_title, play.led_by if play.led_by != "evidence" else "")
        return play.recording_title or play.status, play.led_by


@pytest_asyncio.fixture
async def world(database: postgres.Database, clock: HandClock) -> AsyncIterator[World]:
    async with database.transaction() as conn:
        made = World(conn, clock)
        await made.fill()
        yield made


async def test_two_equal_corrections_are_none_and_three_are_what_the_fourth_listener_sees(world: World) -> None:
    assert await world.say("ann", "Right") == []
    assert await world.say("ben", "Right") == []
    assert await world.shown("dot") == ("Shared", "")
    assert await world.say("cid", "Right") == [world.lookup]
    assert await world.shown("dot") == ("Right", "consensus")
    assert await world.shown("ann") == ("Right", "correction")
    assert await world.say("dot", "Right") == []  # a fourth who says so changes nothing for anybody


async def test_one_that_is_undone_takes_the_agreement_with_it_and_its_listener_is_a_new_one_again(
    world: World,
) -> None:
    for name in ("ann", "ben", "cid", "dot"):
        await world.say(name, "Right")
    assert await world.take_back("dot") == []
    assert await world.shown("dot") == ("Right", "consensus")
    assert await world.take_back("ann") == [world.lookup]
    assert await world.shown("dot") == ("Shared", "")
    assert await world.shown("ann") == ("Shared", "")
    assert await world.shown("ben") == ("Right", "correction")


async def test_more_than_a_quarter_who_say_otherwise_leave_no_agreement(world: World) -> None:
    for name in ("ann", "ben", "cid"):
        await world.say(name, "Right")
    assert await world.say("dot", "Wrong") == []  # one of four
    assert await world.shown("eve") == ("Right", "consensus")
    assert await world.say("eve", None) == [world.lookup]  # two of five
    await world.take_back("eve")
    assert await world.shown("eve") == ("Right", "consensus")


async def test_none_of_these_is_agreed_on_as_well(world: World) -> None:
    for name in ("ann", "ben", "cid"):
        await world.say(name, None)
    assert await world.shown("dot") == ("not_found", "consensus")
    [row] = await enriched.read(world.conn, [world.lookup])
    assert (row.status, row.reason) == ("not_found", "several listeners agreed")


async def test_the_order_is_own_then_evidence_then_the_owners_then_consensus_then_shared(world: World) -> None:
    for name in ("ann", "ben", "cid"):
        await world.say(name, "Agreed")
    assert await world.shown("eve") == ("Agreed", "consensus")
    await world.say("ann", "Owner", everybody=True)
    await world.say("dot", "Agreed")
    assert await world.shown("eve") == ("Owner", "everybody")
    play = await world.conn.fetchval("SELECT id FROM scrobbles WHERE account_id = $1", world.account["eve"])
    await matches.keep(world.conn, await world.identity("Evidence"), world.clock.now(), scrobble_id=play)
    [shown] = await played.feed(world.conn, world.account["eve"], limit=1)
    assert (shown.recording_title, shown.led_by) == ("Evidence", "evidence")
    await world.say("eve", "Own")
    assert await world.shown("eve") == ("Own", "correction")


async def test_a_deleted_account_agrees_no_longer_from_the_moment_it_is_closed(world: World) -> None:
    for name in ("ann", "ben", "cid"):
        await world.say(name, "Right")
    await world.conn.execute("UPDATE accounts SET is_owner = true WHERE name = 'dot'")
    await farewells.begin(world.conn, world.account["ann"], world.clock.now())
    assert await consensus.derive(world.conn, [world.lookup]) == [world.lookup]
    assert await world.shown("dot") == ("Shared", "")
    await world.say("eve", "Right")
    assert await world.shown("dot") == ("Right", "consensus")
    await farewells.delete_some_plays(world.conn, world.account["ann"])
    await farewells.finish(world.conn, world.account["ann"])
    assert await consensus.derive(world.conn, [world.lookup]) == []
    assert await world.shown("dot") == ("Right", "consensus")


async def test_deleting_who_lent_the_match_leaves_the_agreement_of_the_others(world: World) -> None:
    for name in ("ann", "ben", "cid", "dot"):
        await world.say(name, "Right")
    said = await consensus.spoken_of(world.conn, world.account["ann"])
    await world.conn.execute("DELETE FROM scrobbles WHERE account_id = $1", world.account["ann"])
    await world.conn.execute("DELETE FROM accounts WHERE id = $1", world.account["ann"])
    await consensus.derive(world.conn, said)
    assert await world.shown("eve") == ("Right", "consensus")
    await world.conn.execute("SET CONSTRAINTS ALL IMMEDIATE")


async def test_who_would_rather_not_is_not_counted(world: World) -> None:
    for name in ("ann", "ben", "cid"):
        await world.say(name, "Right")
    assert await consensus.contributes(world.conn, world.account["cid"])
    changed = await consensus.set_contributes(world.conn, world.account["cid"], contributes=False)
    assert changed == [world.lookup]
    assert await world.shown("cid") == ("Right", "correction")  # their own stays theirs
    assert await world.shown("dot") == ("Shared", "")
    assert await consensus.set_contributes(world.conn, world.account["cid"], contributes=True) == [world.lookup]


async def test_the_owner_raises_the_number_and_switches_it_off_and_can_not_go_below_three(world: World) -> None:
    for name in ("ann", "ben", "cid"):
        await world.say(name, "Right")
    assert await consensus.set_rule(world.conn, in_force=True, accounts=4) == [world.lookup]
    assert await world.shown("dot") == ("Shared", "")
    await consensus.set_rule(world.conn, in_force=True, accounts=3)
    assert await world.shown("dot") == ("Right", "consensus")
    assert await consensus.set_rule(world.conn, in_force=False, accounts=3) == [world.lookup]
    assert await world.shown("dot") == ("Shared", "")
    with pytest.raises(errors.Refused):
        await consensus.set_rule(world.conn, in_force=True, accounts=2)


async def test_the_release_that_most_say_is_shown(world: World) -> None:
    await world.say("ann", "Right", "The Compilation")
    await world.say("ben", "Right", "The Album")
    await world.say("cid", "Right", "The Album")
    [play] = await played.feed(world.conn, world.account["dot"], limit=1)
    assert play.release_title == "The Album"


async def test_the_explanation_tells_nothing_of_who_agreed_nor_how(world: World) -> None:
    for name in ("ann", "ben", "cid"):
        await world.say(name, "Right")
    play = await world.conn.fetchval("SELECT id FROM scrobbles WHERE account_id = $1", world.account["dot"])
    told = await explanations.explain(world.conn, play)
    assert told is not None
    assert told.match is not None
    assert (told.led_by, told.match.recording, told.match.reason) == ("consensus", "Right", "several listeners agreed")


async def test_the_owners_list_has_names_alone(world: World) -> None:
    for name in ("ann", "ben"):
        await world.say(name, "Right")
    assert await consensus.names(world.conn, 10) == []
    await world.say("cid", "Right")
    [agreed] = await consensus.names(world.conn, 10)
    assert (agreed.artist, agreed.track, agreed.became, agreed.by) == ("Nirvana", "Lithium", "Right", "Nirvana")
    assert await consensus.count(world.conn) == 1


async def test_what_was_said_before_there_was_consensus_counts_from_the_migration_on(world: World) -> None:
    for name in ("ann", "ben", "cid"):
        await world.say(name, "Right")
    derived = await world.conn.fetch("SELECT * FROM agreements")
    await world.conn.execute("DELETE FROM agreements")
    migration = next(each for each in migrate.read() if each.name == "popular")
    await world.conn.execute(migration.sql[migration.sql.rindex("WITH said AS") :])
    assert await world.conn.fetch("SELECT * FROM agreements") == derived
