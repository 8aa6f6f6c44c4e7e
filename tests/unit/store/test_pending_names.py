"""An import's names in the order of their queue, those included that are about to join it."""

from __future__ import annotations

import random
from datetime import timedelta

from sleevenotes import model
from sleevenotes.clock import HandClock
from sleevenotes.sources import contract
from sleevenotes.store import claims, lookups, pending_names, wants
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
    assert [each.opens for each in queued] == [True] * 6 + [False] * 34  # two of each artist
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
