"""Agreeing: what follows when several listeners say alike of a name, or no longer do (`store.consensus`).

Every function is to be called in a transaction.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sleevenotes import events, model
from sleevenotes.pipeline import reconsider
from sleevenotes.store import consensus, matches
from sleevenotes.store import events as store_events
from sleevenotes.store.postgres import Connection


async def hold(conn: Connection, lookup_ids: Sequence[int], now: datetime) -> None:
    """Derive these names anew, since an account says something else of them than before."""
    await tell(conn, await consensus.derive(conn, lookup_ids), now)


async def tell(conn: Connection, changed: Sequence[int], now: datetime) -> None:
    """Tell the pages of everybody who plays these names, which show something else; look at their plays' evidence."""
    if not changed:
        return
    for account_id, ids in (await matches.accounts_of_lookups(conn, changed)).items():
        await store_events.tell(conn, [account_id], events.LookupsDecided(tuple(ids)), now)
    await reconsider.begin(conn, changed, model.Band.LOW_PRIORITY)


async def set_rule(conn: Connection, *, in_force: bool, accounts: int, now: datetime) -> None:
    """Change from how many listeners on there is consensus, or whether at all.

    Raises errors.Refused as `consensus.set_rule` does.
    """
    await tell(conn, await consensus.set_rule(conn, in_force=in_force, accounts=accounts), now)


async def set_contributes(conn: Connection, account_id: int, *, contributes: bool, now: datetime) -> None:
    """Have an account's corrections counted, or not."""
    await tell(conn, await consensus.set_contributes(conn, account_id, contributes=contributes), now)
