"""Noting, all the time, what the success figures are made of: what waits, what shows a picture, what was asked."""

from __future__ import annotations

import structlog

from sleevenotes.pipeline.tools import Tools
from sleevenotes.store import arrivals, asked, backlog, postgres

ROUND = 10.0
"""Seconds between rounds."""

TIDY_EVERY = 360
"""Rounds between two tidyings."""

log = structlog.get_logger(__name__)


async def run(tools: Tools) -> None:
    """Go round for ever."""
    rounds = 0
    while True:
        try:
            await one_round(tools, tidy=rounds % TIDY_EVERY == 0)
        except Exception as error:
            if not postgres.is_passing(error):
                raise
            log.warning("sampling: the database is away", error=repr(error))
        rounds += 1
        await tools.clock.sleep(ROUND)


async def one_round(tools: Tools, *, tidy: bool = False) -> None:
    """Take a sample, and bring up to date what is counted from rows."""
    now = tools.clock.now()
    async with tools.database.connection() as conn:
        await backlog.sample(conn, now)
        while await arrivals.settle(conn, now) == arrivals.AT_ONCE:
            pass
        await asked.roll_up(conn, now)
        if tidy:
            await backlog.purge(conn, now)
