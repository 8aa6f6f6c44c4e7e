"""Deleting an account and all that hangs on it.

What is an account's own is what carries its number: every row of every table with a column `account_id`, found in
PostgreSQL's own catalogue, so that no table that is added later can be forgotten. What is shared (names of music and
what was found out about them) names nobody and stays.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

import msgspec

from sleevenotes import errors
from sleevenotes.store import connections
from sleevenotes.store.postgres import Connection

AT_ONCE = 10_000  # plays deleted in one transaction

_AS_IMAGE = r"(^|_)image_id$"


class Belongings(msgspec.Struct, frozen=True):
    """What goes with an account; `images` are those that nothing else shows, known afterwards."""

    plays: int
    tokens: int
    corrections: int
    loved: int
    images: int = 0


class _Place(NamedTuple):
    table: str
    column: str


async def belongings(conn: Connection, account_id: int) -> Belongings:
    """Count what would go."""
    row = await conn.fetchrow(
        """
        SELECT (SELECT count(*) FROM scrobbles WHERE account_id = $1) AS plays,
               (SELECT count(*) FROM tokens WHERE account_id = $1) AS tokens,
               (SELECT count(*) FROM corrections WHERE account_id = $1 AND undone_at IS NULL) AS corrections,
               (SELECT count(*) FROM feedback WHERE account_id = $1) AS loved
        """,
        account_id,
    )
    return Belongings(**row)


async def begin(conn: Connection, account_id: int, now: datetime) -> None:
    """Close an account: from now on no password, session or token opens it, and it opens nothing elsewhere.

    Needs a transaction.

    Raises errors.Refused when it is the last owner, errors.Gone when there is no such account.
    """
    await conn.execute("LOCK TABLE accounts IN SHARE ROW EXCLUSIVE MODE")
    row = await conn.fetchrow("SELECT is_owner FROM accounts WHERE id = $1", account_id)
    if row is None:
        raise errors.Gone("There is no such account.")
    others = await conn.fetchval(
        "SELECT count(*) FROM accounts WHERE is_owner AND leaving_at IS NULL AND id <> $1", account_id
    )
    if row["is_owner"] and not others:
        raise errors.Refused(
            "This is the last owner of the installation: make somebody else an owner first.", field="name"
        )
    await conn.execute(
        "UPDATE accounts SET leaving_at = coalesce(leaving_at, $2), is_public = false WHERE id = $1", account_id, now
    )
    for table in ("sessions", "tokens", "now_playing"):
        await conn.execute(f"DELETE FROM {table} WHERE account_id = $1", account_id)
    await _disconnect(conn, account_id)


async def _disconnect(conn: Connection, account_id: int) -> None:
    """Part with other services: what is asked of them carries the connection's number, not the account's."""
    await connections.disconnect(conn, [each.id for each in await connections.every(conn, [account_id])])


async def leaving(conn: Connection) -> list[int]:
    """Return the accounts that are closed and not yet deleted."""
    return [row["id"] for row in await conn.fetch("SELECT id FROM accounts WHERE leaving_at IS NOT NULL ORDER BY id")]


async def own_images(conn: Connection, account_id: int) -> set[int]:
    """Return the images that the account's rows name; which of them nothing else names, `drop_images` finds."""
    owned = {place.table for place in await _places(conn, "^account_id$")}
    found: set[int] = set()
    for place in await _places(conn, _AS_IMAGE):
        if place.table in owned:
            rows = await conn.fetch(
                f"SELECT DISTINCT {place.column} AS id FROM {place.table} "
                f"WHERE account_id = $1 AND {place.column} IS NOT NULL",
                account_id,
            )
            found |= {row["id"] for row in rows}
    return found


async def sent_addresses(conn: Connection, account_id: int) -> list[str]:
    """Return the addresses of images that the account's plays came with."""
    rows = await conn.fetch(
        "SELECT DISTINCT artwork_uri FROM scrobbles WHERE account_id = $1 AND artwork_uri <> ''", account_id
    )
    return [row["artwork_uri"] for row in rows]


async def forget_addresses(conn: Connection, addresses: Sequence[str]) -> set[int]:
    """Forget those of these addresses that no play names any more; return the images that came from there."""
    rows = await conn.fetch(
        """
        DELETE FROM sent_images s
        WHERE digest IN (SELECT sha256(convert_to(address, 'UTF8')) FROM unnest($1::text[]) AS address)
          AND NOT EXISTS (SELECT FROM scrobbles p WHERE p.artwork_uri = s.address)
        RETURNING image_id
        """,
        list(addresses),
    )
    return {row["image_id"] for row in rows if row["image_id"] is not None}


async def delete_some_plays(conn: Connection, account_id: int) -> int:
    """Delete up to AT_ONCE of the account's plays and return how many went; 0 when none are left."""
    done: str = await conn.execute(
        "DELETE FROM scrobbles WHERE id = ANY(ARRAY(SELECT id FROM scrobbles WHERE account_id = $1 LIMIT $2))",
        account_id,
        AT_ONCE,
    )
    return int(done.rpartition(" ")[2])


async def finish(conn: Connection, account_id: int) -> None:
    """Delete the account itself and whatever still carries its number; needs a transaction."""
    await _disconnect(conn, account_id)  # what was connected while it was being closed
    await conn.execute("DELETE FROM accounts WHERE id = $1 AND leaving_at IS NOT NULL", account_id)
    for place in await _places(conn, "^account_id$"):  # what is bound to the account by no constraint
        await conn.execute(f"DELETE FROM {place.table} WHERE account_id = $1", account_id)


async def drop_images(conn: Connection, image_ids: Sequence[int]) -> list[str]:
    """Delete those of these images that nothing names any more; return their digests (hex), whose files are to go."""
    named = " OR ".join(
        f"EXISTS (SELECT FROM {place.table} n WHERE n.{place.column} = i.id)"
        for place in await _places(conn, _AS_IMAGE)
    )
    rows = await conn.fetch(
        f"DELETE FROM images i WHERE id = ANY($1::bigint[]) AND NOT ({named}) RETURNING digest", list(image_ids)
    )
    return [row["digest"].hex() for row in rows]


async def _places(conn: Connection, name: str) -> list[_Place]:
    """Return the tables of ours with a column whose name matches, quoted as SQL wants them."""
    rows = await conn.fetch(
        """
        SELECT quote_ident(c.relname) AS "table", quote_ident(a.attname) AS "column"
        FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
        WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
          AND a.attnum > 0 AND NOT a.attisdropped AND a.attname ~ $1
        ORDER BY 1, 2
        """,
        name,
    )
    return [_Place(row["table"], row["column"]) for row in rows]
