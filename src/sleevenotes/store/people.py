"""Accounts as the owner of the installation sees them: who there is, when they were last here, how much they play."""

from __future__ import annotations

from datetime import datetime

import msgspec

from sleevenotes import errors
from sleevenotes.store.postgres import Connection


class Person(msgspec.Struct, frozen=True):
    """One account; `last_seen_at` is the latest of its sessions and tokens. Never what it plays."""

    id: int
    name: str
    is_owner: bool
    is_public: bool
    created_at: datetime
    last_seen_at: datetime | None
    plays: int
    leaving: bool


async def everyone(conn: Connection, account_id: int = 0) -> list[Person]:
    """Return all accounts, by name; or only this one."""
    rows = await conn.fetch(
        """
        SELECT a.id, a.name, a.is_owner, a.is_public, a.created_at, a.leaving_at IS NOT NULL AS leaving,
               greatest((SELECT max(last_seen_at) FROM sessions s WHERE s.account_id = a.id),
                        (SELECT max(last_used_at) FROM tokens t WHERE t.account_id = a.id)) AS last_seen_at,
               (SELECT count(*) FROM scrobbles p WHERE p.account_id = a.id AND p.same_as IS NULL) AS plays
        FROM accounts a WHERE $1::bigint IN (0, a.id) ORDER BY lower(a.name)
        """,
        account_id,
    )
    return [Person(**row) for row in rows]


async def set_owner(conn: Connection, account_id: int, *, is_owner: bool) -> None:
    """Make an account an owner, or no longer one; needs a transaction.

    Raises errors.Refused when nobody would own the installation any more.
    """
    await conn.execute("LOCK TABLE accounts IN SHARE ROW EXCLUSIVE MODE")
    await conn.execute("UPDATE accounts SET is_owner = $2 WHERE id = $1 AND leaving_at IS NULL", account_id, is_owner)
    if not await conn.fetchval("SELECT EXISTS (SELECT FROM accounts WHERE is_owner AND leaving_at IS NULL)"):
        raise errors.Refused("Somebody has to own the installation: make somebody else an owner first.", field="owner")
    if not is_owner:  # a token speaks for everybody only while its account may
        await conn.execute("DELETE FROM tokens WHERE account_id = $1 AND scopes = '{admin}'", account_id)
        await conn.execute("UPDATE tokens SET scopes = array_remove(scopes, 'admin') WHERE account_id = $1", account_id)
