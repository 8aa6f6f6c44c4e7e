"""Comparing all plays of an account over again: the stage `same_plays`, whose subjects are accounts.

    the listener asks for it, or brings two origins together   soon
    a migration made plays comparable that were not            once, as whatever has least hurry

How far it is stands in `comparisons`, written with what each slice changes. So a worker that dies loses nothing, a
piece ends soon and names the next, and what lies (after a migration there is no job yet) is taken up by `take_up`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from sleevenotes import model
from sleevenotes.pipeline import sameplay
from sleevenotes.pipeline.sameplay import Desk
from sleevenotes.pipeline.tools import committed
from sleevenotes.store import comparisons, jobs, same_plays, scrobbles
from sleevenotes.store.postgres import Connection

SLICE = 1_000
"""Plays that are compared in one transaction."""

PIECE = 20
"""Slices of one job."""

LYING = timedelta(minutes=10)
"""What has not gone on for so long, nobody is at."""


async def run(desk: Desk, account_ids: Sequence[int], band: model.Band) -> None:
    """Compare some more plays of these accounts, and have the rest compared in the next piece."""
    for account_id in account_ids:
        for _ in range(PIECE):
            if not await _slice(desk, account_id):
                break
        else:
            async with desk.database.transaction() as conn:
                await jobs.enqueue(conn, sameplay.STAGE, [account_id], band)


async def give_up(_desk: Desk, _account_ids: Sequence[int], _why: str) -> None:
    """Leave the plays as they are shown; what is left lies, and is taken up again."""


async def through(desk: Desk, account_id: int, seen: Callable[[datetime], None]) -> int:
    """Compare all plays of an account in place; return how many more are hidden than before (fewer: below 0).

    `seen` is told the time of the last play of each slice. For the command line.
    """
    before = await _hidden(desk, account_id)
    async with desk.database.transaction() as conn:
        await comparisons.begin(conn, account_id, desk.clock.now())
    while at := await _slice(desk, account_id):
        seen(at)
    return await _hidden(desk, account_id) - before


async def take_up(conn: Connection, now: datetime) -> None:
    """Have comparisons go on that lie."""
    lying = await comparisons.lying(conn, now - LYING)
    await jobs.enqueue(conn, sameplay.STAGE, lying, model.Band.LOW_PRIORITY)


async def _slice(desk: Desk, account_id: int) -> datetime | None:
    """Compare the next plays; return the time of the last of them, None at the end."""

    async def work(conn: Connection) -> datetime | None:
        await scrobbles.lock_accounts(conn, [account_id])
        under_way = await comparisons.of_account(conn, account_id)
        if under_way is None:
            return None
        places = await same_plays.slice_of(conn, account_id, under_way.after, SLICE)
        now = desk.clock.now()
        await comparisons.reached(conn, account_id, places[-1] if places else None, now)
        await sameplay.tell(conn, await sameplay.compare(conn, [scrobble_id for _, scrobble_id in places]), now)
        return places[-1][0] if places else None

    return await committed(desk.database, work)


async def _hidden(desk: Desk, account_id: int) -> int:
    async with desk.database.connection() as conn:
        return await same_plays.count_hidden(conn, account_id)
