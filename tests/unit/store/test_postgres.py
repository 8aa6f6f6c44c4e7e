"""The pool, transactions and the listening connection, on a real PostgreSQL."""

from __future__ import annotations

import asyncio

import pytest

from sleevenotes import events
from sleevenotes.store.postgres import Database


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
    with pytest.raises(ZeroDivisionError):
        async with database.transaction() as connection:
            await connection.execute("INSERT INTO kept VALUES (1)")
            raise ZeroDivisionError
    async with database.connection() as connection:
        assert await connection.fetchval("SELECT count(*) FROM kept") == 0
