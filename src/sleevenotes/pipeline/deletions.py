"""Bringing back what a listener has deleted, amid what has come in since then."""

from __future__ import annotations

from sleevenotes import events
from sleevenotes.pipeline import sameplay
from sleevenotes.pipeline.tools import committed
from sleevenotes.store import deletions, same_plays, scrobbles
from sleevenotes.store import events as event_rows
from sleevenotes.store.postgres import Connection


async def undo(desk: sameplay.Desk, account_id: int, deletion_id: int) -> int | None:
    """Bring back what one act deleted and return how many plays are shown again; None when there is nothing to undo.

    A play that was stored again meanwhile stays as it is. What comes back is compared as if it came in: another
    service's record of the same play may have come, which had nothing to be compared with.
    """

    async def work(conn: Connection) -> int | None:
        await scrobbles.lock_accounts(conn, [account_id])
        now = desk.clock.now()
        back = await deletions.undo(conn, account_id, deletion_id, now)
        if back is None:
            return None
        changes = await sameplay.compare(conn, back)
        shown = await same_plays.shown_of(conn, back)
        if shown:
            told = events.ScrobblesStored(tuple(shown[-sameplay.TOLD_IDS :][::-1]), len(shown))
            await event_rows.tell(conn, [account_id], told, now)
        others = [each._replace(shown=sorted({*each.shown} - {*back})) for each in changes]
        await sameplay.tell(conn, others, now)
        return len(shown)

    return await committed(desk.database, work)
