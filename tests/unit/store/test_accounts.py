"""Accounts, tokens and sessions: whoever reads the database can use none of them."""

from __future__ import annotations

import asyncio
import uuid
from datetime import timedelta

import pytest

from sleevenotes import errors
from sleevenotes.clock import HandClock
from sleevenotes.store import accounts
from sleevenotes.store.postgres import Database

PASSWORD = "correct horse battery"


async def test_a_password_opens_its_account_and_no_other_does(database: Database, clock: HandClock) -> None:
    async with database.connection() as conn:
        maria = await accounts.create(conn, " Maria  Callas ", PASSWORD, is_owner=True, now=clock.now())
        assert (maria.name, maria.is_owner, maria.time_zone) == ("Maria Callas", True, "UTC")
        assert await accounts.by_password(conn, "maria callas", PASSWORD) == maria
        assert await accounts.by_password(conn, "Maria Callas", PASSWORD + "!") is None
        assert await accounts.by_password(conn, "nobody", PASSWORD) is None
        kept = await conn.fetchval("SELECT password_hash FROM accounts")
    assert kept.startswith("scrypt$16384$8$5$")
    assert PASSWORD not in kept


async def test_the_same_password_is_kept_differently_each_time(database: Database, clock: HandClock) -> None:
    async with database.connection() as conn:
        for name in ("maria", "otto"):
            await accounts.create(conn, name, PASSWORD, is_owner=False, now=clock.now())
        assert await conn.fetchval("SELECT count(DISTINCT password_hash) FROM accounts") == 2


async def test_an_account_without_a_password_is_opened_by_none(database: Database, clock: HandClock) -> None:
    async with database.connection() as conn:
        await accounts.create(conn, "maria", "", is_owner=False, now=clock.now())
        assert await accounts.by_password(conn, "maria", "") is None
        assert await accounts.by_password(conn, "maria", "!") is None


@pytest.mark.parametrize(
    ("name", "password", "field"),
    [
        ("", PASSWORD, "name"),
        ("x" * 65, PASSWORD, "name"),
        ("a/b", PASSWORD, "name"),
        ("a\0b", PASSWORD, "name"),
        ("a\u202eb", PASSWORD, "name"),
        ("maria", "seven77", "password"),
        ("OTTO", PASSWORD, "name"),
    ],
)
async def test_an_unfit_name_or_password_is_refused_by_field(
    database: Database, clock: HandClock, name: str, password: str, field: str
) -> None:
    async with database.connection() as conn:
        await accounts.create(conn, "otto", "", is_owner=False, now=clock.now())
        with pytest.raises(errors.Refused) as refused:
            await accounts.create(conn, name, password, is_owner=False, now=clock.now())
        assert refused.value.field == field
        assert await accounts.count(conn) == 1


async def test_of_two_first_runs_at_once_one_becomes_the_owner(database: Database, clock: HandClock) -> None:
    async def first(name: str) -> accounts.Account:
        async with database.transaction() as conn:
            return await accounts.create_first(conn, name, "", clock.now())

    results = await asyncio.gather(first("maria"), first("otto"), return_exceptions=True)
    assert sorted(isinstance(result, errors.Refused) for result in results) == [False, True]
    async with database.connection() as conn:
        assert [each.is_owner for each in await accounts.every(conn)] == [True]


async def test_a_token_is_a_uuid_that_only_its_digest_remembers(database: Database, clock: HandClock) -> None:
    async with database.connection() as conn:
        maria = await accounts.create(conn, "maria", "", is_owner=True, now=clock.now())
        token = await accounts.create_token(conn, maria.id, "phone", clock.now(), scopes=accounts.EVERYTHING)
        assert str(uuid.UUID(token)) == token
        assert await accounts.by_token(conn, token, clock.now()) == maria
        assert await accounts.by_token(conn, str(uuid.uuid4()), clock.now()) is None
        assert token not in str(await conn.fetch("SELECT * FROM tokens"))


async def test_a_token_remembers_when_it_was_used_to_the_minute(database: Database, clock: HandClock) -> None:
    async with database.connection() as conn:
        maria = await accounts.create(conn, "maria", "", is_owner=True, now=clock.now())
        token = await accounts.create_token(conn, maria.id, "phone", clock.now(), scopes=accounts.EVERYTHING)
        assert (await accounts.tokens(conn, maria.id))[0].last_used_at is None
        used = []
        for _ in range(3):
            await accounts.by_token(conn, token, clock.now())
            used.append((await accounts.tokens(conn, maria.id))[0].last_used_at)
            clock.turn(40)
    assert used[0] == used[1]
    assert used[0] is not None
    assert used[2] == used[0] + timedelta(seconds=80)


async def test_a_revoked_token_opens_nothing_and_only_its_owner_revokes_it(
    database: Database, clock: HandClock
) -> None:
    async with database.connection() as conn:
        maria = await accounts.create(conn, "maria", "", is_owner=True, now=clock.now())
        otto = await accounts.create(conn, "otto", "", is_owner=False, now=clock.now())
        token = await accounts.create_token(conn, maria.id, "phone", clock.now(), scopes=accounts.EVERYTHING)
        (listed,) = await accounts.tokens(conn, maria.id)
        assert not await accounts.revoke_token(conn, otto.id, listed.id)
        assert await accounts.by_token(conn, token, clock.now()) == maria
        assert await accounts.revoke_token(conn, maria.id, listed.id)
        assert await accounts.by_token(conn, token, clock.now()) is None


async def test_a_session_lasts_until_it_is_closed_or_too_old(database: Database, clock: HandClock) -> None:
    async with database.connection() as conn:
        maria = await accounts.create(conn, "maria", "", is_owner=True, now=clock.now())
        cookie, other = [await accounts.open_session(conn, maria.id, clock.now()) for _ in range(2)]
        assert await accounts.by_session(conn, cookie, clock.now()) == maria
        await accounts.close_session(conn, cookie)
        assert await accounts.by_session(conn, cookie, clock.now()) is None
        clock.turn(accounts.SESSION_DAYS * 86400 - 1)
        assert await accounts.by_session(conn, other, clock.now()) == maria
        clock.turn(1)
        assert await accounts.by_session(conn, other, clock.now()) is None


async def test_a_new_password_ends_the_sessions_of_the_old(database: Database, clock: HandClock) -> None:
    async with database.connection() as conn:
        maria = await accounts.create(conn, "maria", "", is_owner=True, now=clock.now())
        cookie = await accounts.open_session(conn, maria.id, clock.now())
        await accounts.set_password(conn, maria.id, PASSWORD)
        assert await accounts.by_session(conn, cookie, clock.now()) is None
        assert await accounts.by_password(conn, "maria", PASSWORD) == maria


async def test_with_an_account_its_plays_go(database: Database, clock: HandClock) -> None:
    from sleevenotes.model import Band, Scrobble  # noqa: PLC0415
    from sleevenotes.pipeline.submit import Submitter  # noqa: PLC0415

    async with database.connection() as conn:
        maria = await accounts.create(conn, "maria", "", is_owner=True, now=clock.now())
    await Submitter(database, clock).submit(maria.id, [Scrobble("a", "b", listened_at=clock.now())], band=Band.DEFAULT)
    async with database.connection() as conn:
        await conn.execute("DELETE FROM accounts WHERE id = $1", maria.id)
        assert await conn.fetchval("SELECT count(*) FROM scrobbles") == 0
