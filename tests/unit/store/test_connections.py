from __future__ import annotations

from datetime import timedelta

from sleevenotes import model
from sleevenotes.clock import HandClock
from sleevenotes.sources import contract, personal
from sleevenotes.store import accounts, connections, replies, walks, wants
from sleevenotes.store.connections import Connected, Problem
from sleevenotes.store.postgres import Connection, Database


async def connect(conn: Connection, clock: HandClock, name: str = "maria", secret: str = "hush") -> Connected:  # noqa: S107
    owner = await accounts.by_name(conn, name)
    owner = owner or await accounts.create(conn, name, "", is_owner=False, now=clock.now())
    return await connections.connect(conn, owner.id, "lastfm", user_name=name, secret=secret, now=clock.now())


async def test_a_secret_is_in_no_repr_and_outlives_connecting_again_by_name(
    database: Database, clock: HandClock
) -> None:
    async with database.connection() as conn:
        assert "hush" not in repr(await connect(conn, clock))
        again = await connect(conn, clock, secret="")
    assert again.secret == "hush"


async def test_plays_go_where_there_is_a_secret_that_is_accepted(database: Database, clock: HandClock) -> None:
    async with database.connection() as conn:
        nobody = await connect(conn, clock, "nobody", secret="")
        maria = await connect(conn, clock)
        ids = [nobody.account_id, maria.account_id]
        assert not await connections.set_forwards(conn, nobody.account_id, "lastfm", on=True)
        assert await connections.set_forwards(conn, maria.account_id, "lastfm", on=True)
        assert [each.account_id for each in await connections.forwarding(conn, ids)] == [maria.account_id]
        await connections.trouble(conn, maria.id, Problem.SESSION, "It has ended.", due=None, stop=True)
        assert await connections.forwarding(conn, ids) == []
        ended = await connections.look(conn, maria.id)
    assert ended is not None
    assert (ended.status, ended.secret, ended.problem) == ("stopped", "", "session")


async def test_another_login_leaves_an_open_connection_alone_until_it_is_accepted(
    database: Database, clock: HandClock
) -> None:
    async with database.connection() as conn:
        maria = await connect(conn, clock)
        await connections.trouble(conn, maria.id, Problem.PRIVATE, "Hidden.", due=clock.now(), stop=False)
        trying = await connections.try_login(conn, maria.account_id, "lastfm", "a token")
        assert trying is not None
        assert (trying.is_logging_in, trying.status, trying.secret, trying.problem) == (True, "open", "hush", "private")
        await connections.keep_login(conn, maria.id, "No.")
        kept = await connections.look(conn, maria.id)
        assert kept is not None
        assert (kept.is_logging_in, kept.status, kept.secret, kept.login_note) == (False, "open", "hush", "No.")
        await connections.look_anew(conn, maria.id)
        again = await connections.look(conn, maria.id)
        assert again is not None
        assert again.login_note == ""
        await connections.trouble(conn, maria.id, Problem.SESSION, "It has ended.", due=None, stop=True)
        assert await connections.try_login(conn, maria.account_id, "lastfm", "a token") is None


async def test_few_are_looked_at_at_once_and_each_again_only_when_its_time_has_come(
    database: Database, clock: HandClock
) -> None:
    now, later = clock.now(), clock.now() + timedelta(minutes=10)
    async with database.connection() as conn:
        ids = [(await connect(conn, clock, f"listener {number}")).id for number in range(5)]
        first = await connections.take_due(conn, now, later, 3)
        second = await connections.take_due(conn, now, later, 3)
        assert (len(first), len(second)) == (3, 2)
        assert sorted(first + second) == ids
        assert await connections.take_due(conn, now, later, 3) == []
        assert len(await connections.take_due(conn, later, later, 9)) == 5


async def test_a_walk_that_nobody_is_at_is_taken_up_unless_its_connection_is_in_trouble(
    database: Database, clock: HandClock
) -> None:
    rest = timedelta(minutes=2)
    async with database.connection() as conn:
        maria, otto = await connect(conn, clock), await connect(conn, clock, "otto")
        for each in (maria, otto):
            await walks.begin(conn, each.id, "history", since=None, now=clock.now())
        await connections.trouble(conn, otto.id, Problem.PRIVATE, "Hidden.", due=None, stop=False)
        assert await walks.take_resting(conn, clock.now(), rest, 9) == []
        clock.turn(121)
        assert await walks.take_resting(conn, clock.now(), rest, 9) == [(maria.id, "history")]
        assert await walks.take_resting(conn, clock.now(), rest, 9) == []


async def test_what_was_asked_and_answered_by_a_secret_goes_with_the_connection(
    database: Database, clock: HandClock
) -> None:
    async with database.transaction() as conn:
        maria = await connect(conn, clock)
        for token in ("asked", "answered"):
            question = personal.OpenSession(token)
            new = wants.New("lastfm_history", contract.key(question), contract.kind(question), question, maria.id)
            await wants.want(conn, "session", [new], model.Band.CRITICAL, clock.now())
        answered = await conn.fetchval("SELECT id FROM wants WHERE question ->> 'token' = 'answered'")
        said = contract.Answer((personal.Session("maria", "hush"),))
        await wants.answer(conn, [(answered, "lastfm_history", new.key, replies.Outcome.ANSWERED, said)], clock.now())
        assert await conn.fetchval("SELECT count(*) FROM replies WHERE answer::text LIKE '%hush%'") == 1
    async with database.transaction() as conn:
        await connections.disconnect(conn, [maria.id])
    async with database.connection() as conn:
        for table in ("connections", "wants", "waiters", "replies"):
            assert await conn.fetchval(f"SELECT count(*) FROM {table}") == 0
