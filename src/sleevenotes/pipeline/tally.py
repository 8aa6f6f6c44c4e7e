"""Keeping the counts that pages read (`store.tallies`): a round a minute counts anew the months whose plays changed."""

from __future__ import annotations

import asyncio

from sleevenotes.pipeline.tools import Tools
from sleevenotes.store import postgres, tallies
from sleevenotes.store.postgres import Database

ROUND = 60.0
"""Seconds between rounds."""

AT_ONCE = 6
"""Months counted in one transaction: a heavy listener's take some tenths of a second."""


async def run(tools: Tools) -> None:
    """Go round for ever."""
    while True:
        try:
            await fold(tools.database)
        except Exception as error:
            if not postgres.is_passing(error):
                raise
            await asyncio.sleep(1.0)  # of real time: the database is away
        await tools.clock.sleep(ROUND)


async def fold(database: Database) -> None:
    """Count every marked month of every account anew."""
    async with database.connection() as conn:
        accounts = await tallies.waiting(conn)
    for account_id in accounts:
        async with database.connection() as conn:
            months = await tallies.marked(conn, account_id)
        for at in range(0, len(months), AT_ONCE):
            async with database.transaction() as conn:
                await tallies.fold(conn, account_id, months[at : at + AT_ONCE])
