"""The pool, transactions and the listening connection, on a real PostgreSQL."""

from __future__ import annotations

import asyncio

import pytest
from asyncpg import DivisionByZeroError

from sleevenotes import errors, events
from sleevenotes.settings import Settings
from sleevenotes.store import postgres
from sleevenotes.store.postgres import Database


async def insert_and_fail(database: Database) -> None:
    async with database.transaction() as connection:
        await connection.execute("INSERT INTO kept VALUES (1)")
        await connection.execute("SELECT 1 / 0")


async def test_jsonb_goes_in_and_out_as_python_values(database: Database) -> None:
    async with database.connection() as connection:
        assert await connection.fetchval("SELECT $1::jsonb", {"a": [1, None, "é"]}) == {"a": [1, None, "é"]}
        assert await connection.fetchval("SELECT $1::jsonb", events.LookupsDecided(ids=(1, 2))) == {
            "type": "lookups_decided",
            "ids": [1, 2],
        }


async def test_arrays_of_jsonb_take_python_values_element_by_element(database: Database) -> None:
    values = [{"a": [1]}, "text", 3, None]
    async with database.connection() as connection:
        assert await connection.fetchval("SELECT $1::jsonb[]", values) == values


async def test_a_transaction_is_kept_at_its_end_and_undone_by_an_exception(database: Database) -> None:
    async with database.transaction() as connection:
        await connection.execute("CREATE TABLE kept (n integer)")
    with pytest.raises(DivisionByZeroError):
        await insert_and_fail(database)
    async with database.connection() as connection:
        assert await connection.fetchval("SELECT count(*) FROM kept") == 0


async def test_a_listener_hears_every_payload_of_its_channel_and_no_other(database: Database) -> None:
    heard: asyncio.Queue[str] = asyncio.Queue()
    await database.listen("ours", heard.put_nowait)
    async with database.connection() as connection:
        await connection.execute("SELECT pg_notify('theirs', 'a'), pg_notify('ours', 'b'), pg_notify('ours', 'c')")
    async with asyncio.timeout(10):
        assert [await heard.get(), await heard.get()] == ["b", "c"]
    assert heard.empty()


async def test_a_lost_listener_returns_and_is_told_to_look(database: Database) -> None:
    heard: asyncio.Queue[str] = asyncio.Queue()
    for channel in ("one", "two"):
        await database.listen(channel, heard.put_nowait)
    async with database.connection() as connection:
        await connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND query LIKE 'LISTEN%'"
        )
        async with asyncio.timeout(10):
            assert [await heard.get(), await heard.get()] == ["", ""]
            await connection.execute("SELECT pg_notify('two', 'again')")
            assert await heard.get() == "again"


async def test_a_hearer_that_fails_does_not_deafen_the_others(database: Database) -> None:
    heard: asyncio.Queue[str] = asyncio.Queue()

    def fail(_payload: str) -> None:
        raise ValueError

    await database.listen("ours", fail)
    await database.listen("ours", heard.put_nowait)
    async with database.connection() as connection:
        await connection.execute("SELECT pg_notify('ours', 'still')")
    async with asyncio.timeout(10):
        assert await heard.get() == "still"


async def test_the_pool_replaces_connections_that_were_lost(database: Database) -> None:
    async with database.connection() as one, database.connection() as other:
        doomed = await one.fetchval("SELECT pg_backend_pid()")
        await other.execute("SELECT pg_terminate_backend($1, 5000)", doomed)
    async with database.connection() as one, database.connection() as other:
        assert [await each.fetchval("SELECT 1") for each in (one, other)] == [1, 1]


async def test_days_in_sql_are_those_of_utc(database: Database) -> None:
    async with database.connection() as connection:
        assert await connection.fetchval("SHOW timezone") == "UTC"


async def test_a_url_that_is_none_is_named() -> None:
    with pytest.raises(errors.Unusable, match="database_url: "):
        await Database.open(Settings(database_url="nonsense"))


async def test_a_server_that_is_not_there_is_waited_for_and_then_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sleevenotes.store.postgres.PATIENCE", 0.1)
    with pytest.raises(errors.Unusable, match="database_url: the database does not answer"):
        await Database.open(Settings(database_url="postgresql://nobody@/none?host=/nowhere"))


async def test_a_database_that_does_not_exist_is_named(server_url: str) -> None:
    url = server_url.replace("/sleevenotes?", "/missing?")
    with pytest.raises(errors.Unusable, match='database "missing" does not exist'):
        await Database.open(Settings(database_url=url))


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://bob:sek/ret@127.0.0.1/x",
        "postgresql://bob:sek?ret@127.0.0.1/x",
        "postgresql://bob:sek[ret@127.0.0.1/x",
        "postgresql://:sek/x",
        "postgresql://bob@127.0.0.1:99999/x",
    ],
)
async def test_a_url_that_cannot_be_read_is_told_without_a_word_of_it(url: str) -> None:
    with pytest.raises(errors.Unusable, match="database_url cannot be read: percent-encode") as refused:
        await Database.open(Settings(database_url=url))
    assert "sek" not in str(refused.value)
    assert refused.value.__suppress_context__  # nor in a traceback


async def test_a_database_of_another_encoding_is_refused(server_url: str) -> None:
    admin = await postgres.connect(server_url.replace("/sleevenotes?", "/postgres?"))
    await admin.execute("CREATE DATABASE latin ENCODING 'LATIN1' TEMPLATE template0 LOCALE_PROVIDER libc LOCALE 'C'")
    try:
        with pytest.raises(errors.Unusable, match=r"database_url: .*LATIN1.*UTF8"):
            await Database.open(Settings(database_url=server_url.replace("/sleevenotes?", "/latin?")))
    finally:
        await admin.execute("DROP DATABASE latin")
        await admin.close()


async def test_a_role_that_may_make_no_tables_is_told_what_it_lacks(server_url: str) -> None:
    admin = await postgres.connect(server_url.replace("/sleevenotes?", "/postgres?"))
    await admin.execute("CREATE DATABASE others")
    await admin.execute("CREATE ROLE guest LOGIN")
    url = server_url.replace("/sleevenotes?", "/others?").replace("sleevenotes@", "guest@")
    try:
        with pytest.raises(errors.Unusable, match=r"database_url: permission denied for schema public.*GRANT CREATE"):
            await Database.open(Settings(database_url=url))
    finally:
        await admin.execute("DROP DATABASE others WITH (FORCE)")
        await admin.execute("DROP ROLE guest")
        await admin.close()
