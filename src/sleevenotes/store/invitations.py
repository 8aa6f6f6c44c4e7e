"""Invitations: one-time links by which somebody sets a name and password without the owner learning the password.

One that names an account sets that account's new password (the owner's way to help somebody who has lost theirs); any
other makes a new account. The secret in the link is kept as its sha256 only.
"""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta

import msgspec

from sleevenotes import errors
from sleevenotes.store import accounts
from sleevenotes.store.accounts import Account
from sleevenotes.store.postgres import Connection

LASTS = timedelta(days=7)
RESET_LASTS = timedelta(days=1)
MAX_NOTE = 64

USED_UP = "This link has been used, or is too old. Ask whoever sent it for a new one."


class Invitation(msgspec.Struct, frozen=True):
    """A link that is still good; `name` is the account whose password it sets, "" where it makes a new one."""

    id: int
    note: str
    name: str
    created_at: datetime
    expires_at: datetime


async def create(conn: Connection, now: datetime, *, note: str = "", for_account_id: int | None = None) -> str:
    """Make an invitation and return its secret, the only time it can be seen.

    Of several that set one account's password, only the newest is good.
    """
    secret = secrets.token_urlsafe(24)
    await purge(conn, now)
    if for_account_id is not None:
        await conn.execute("DELETE FROM invitations WHERE for_account_id = $1", for_account_id)
    await conn.execute(
        """
        INSERT INTO invitations (digest, for_account_id, note, created_at, expires_at) VALUES ($1, $2, $3, $4, $5)
        """,
        accounts.digest(secret),
        for_account_id,
        " ".join(note.split())[:MAX_NOTE],
        now,
        now + (LASTS if for_account_id is None else RESET_LASTS),
    )
    return secret


async def find(conn: Connection, secret: str, now: datetime) -> Invitation:
    """Return the invitation of this secret.

    Raises errors.Gone when it was used, has expired, or never was.
    """
    row = await conn.fetchrow(f"{_SELECT} WHERE i.digest = $1 AND i.expires_at > $2", accounts.digest(secret), now)
    if row is None:
        raise errors.Gone(USED_UP)
    return Invitation(**row)


async def open_ones(conn: Connection, now: datetime) -> list[Invitation]:
    """Return the invitations that can still be used, the newest first."""
    rows = await conn.fetch(f"{_SELECT} WHERE i.expires_at > $1 ORDER BY i.id DESC", now)
    return [Invitation(**row) for row in rows]


async def accept(conn: Connection, secret: str, name: str, password: str, now: datetime) -> Account:
    """Use an invitation up: make the account, or set the password of the one it names; needs a transaction.

    Raises errors.Gone when it is not good any more, errors.Refused naming the field that is unfit; the invitation
    then stays good.
    """
    used = await conn.fetchrow(
        "DELETE FROM invitations WHERE digest = $1 AND expires_at > $2 RETURNING for_account_id",
        accounts.digest(secret),
        now,
    )
    if used is None:
        raise errors.Gone(USED_UP)
    if used["for_account_id"] is None:
        return await accounts.create(conn, name, password, is_owner=False, now=now)
    await accounts.set_password(conn, used["for_account_id"], password)
    account = await accounts.by_id(conn, used["for_account_id"])
    if account is None:
        raise errors.Gone(USED_UP)
    return account


async def revoke(conn: Connection, invitation_id: int) -> None:
    """End an invitation."""
    await conn.execute("DELETE FROM invitations WHERE id = $1", invitation_id)


async def purge(conn: Connection, now: datetime) -> None:
    """Drop invitations that have expired."""
    await conn.execute("DELETE FROM invitations WHERE expires_at <= $1", now)


_SELECT = """
    SELECT i.id, i.note, coalesce(a.name, '') AS name, i.created_at, i.expires_at
    FROM invitations i LEFT JOIN accounts a ON a.id = i.for_account_id
"""
