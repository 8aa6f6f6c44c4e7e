"""Keeping the counts that pages read (`store.tallies`): a round a minute counts anew the months whose plays changed."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import date, datetime

from sleevenotes.pipeline.tools import Tools
from sleevenotes.store import postgres, tallies, tops
from sleevenotes.store.postgres import Database

ROUND = 60.0
"""Seconds between rounds."""

AT_ONCE = 6
"""Months counted in one transaction: a heavy listener's take some tenths of a second."""

ENOUGH = 200
"""Changes of this month that are worth counting it anew; fewer are counted with every page, in some milliseconds."""


async def run(tools: Tools) -> None:
    """Go round for ever."""
    while True:
        try:
            await one_round(tools.database, tools.clock.now())
        except Exception as error:
            if not postgres.is_passing(error):
                raise
            await asyncio.sleep(1.0)  # of real time: the database is away
        await tools.clock.sleep(ROUND)


async def one_round(database: Database, now: datetime) -> None:
    """Count anew what has changed but for a few plays of this month, and copy what does not hold."""
    this_month = date(now.year, now.month, 1)
    async with database.connection() as conn:
        accounts = await tallies.waiting(conn)
    for account_id in accounts:
        async with database.connection() as conn:
            counted = await tallies.marks(conn, account_id)
        await _fold(database, account_id, [m for m, marks in counted.items() if m != this_month or marks >= ENOUGH])
    await copy(database)


async def fold(database: Database) -> None:
    """Count every marked month of every account anew, and copy."""
    async with database.connection() as conn:
        accounts = await tallies.waiting(conn)
    for account_id in accounts:
        async with database.connection() as conn:
            months = await tallies.marked(conn, account_id)
        await _fold(database, account_id, months)
    await copy(database)


async def _fold(database: Database, account_id: int, months: Sequence[date]) -> None:
    for at in range(0, len(months), AT_ONCE):
        async with database.transaction() as conn:
            await tallies.fold(conn, account_id, months[at : at + AT_ONCE])


async def copy(database: Database) -> None:
    """Copy the spans whose copy is missing or does not hold."""
    async with database.connection() as conn:
        accounts = await tops.accounts(conn)
    for account_id in accounts:
        async with database.transaction() as conn:
            spans = await tops.outdated(conn, account_id)
        for grain, starts in spans:
            async with database.transaction() as conn:
                await tops.copy(conn, account_id, grain, starts)
    async with database.transaction() as conn:
        await tops.purge(conn)
