"""Connections: who a listener is at Last.fm and ListenBrainz, and whether plays go there.

The secret (a session key, a token) is in the row as it was given, since it must be sent; it is in no answer, no log
and no `repr`.
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from datetime import datetime
from typing import Final, Literal

import msgspec

from sleevenotes.store import replies, wants
from sleevenotes.store.postgres import Connection

Service = Literal["lastfm", "listenbrainz"]
Status = Literal["connecting", "open", "stopped"]

ORIGINS: Final[dict[Service, str]] = {"lastfm": "lastfm", "listenbrainz": "listenbrainz_sync"}
"""What a play that was read from a history there has as its origin. ("listenbrainz" is what was submitted.)"""

STAGES: Final = ("session", "history", "sync", "loved")
"""The stages whose subject is a connection: what they ask and are answered holds secrets, and what is private."""


class Problem(enum.StrEnum):
    """Why nothing is read at the moment."""

    PRIVATE = "private"  # the listener hides their plays from others
    UNKNOWN_USER = "unknown_user"  # there is no such listener there
    SESSION = "session"  # the session or token is no longer accepted
    KEY = "key"  # the server has no key, or one that is not accepted
    UNREACHABLE = "unreachable"  # retries are spent; tried again by itself


class Connected(msgspec.Struct, frozen=True):
    """One connection; see the columns of the table.

    A login over one that is open does not touch it until it is accepted: the `token` waits beside the `secret`.
    """

    id: int
    account_id: int
    service: Service
    user_name: str
    secret: str
    token: str
    status: Status
    problem: str
    note: str
    login_note: str
    faults: int
    forwards: bool
    connected_at: datetime
    synced_until: datetime | None
    synced_at: datetime | None
    looked_back: datetime | None
    sync_due: datetime | None

    @property
    def is_logging_in(self) -> bool:
        """Tell whether the service is yet to say whose a token is."""
        return bool(self.token)

    def __repr__(self) -> str:
        """Name it without its secrets."""
        return f"Connected(id={self.id}, service={self.service!r}, status={self.status!r})"


_COLUMNS: Final = ", ".join(Connected.__struct_fields__)


async def connect(
    conn: Connection,
    account_id: int,
    service: Service,
    *,
    user_name: str = "",
    secret: str = "",
    token: str = "",
    now: datetime,
) -> Connected:
    """Connect an account, or connect it anew as the same listener: a secret that is there already stays.

    With a `token` it stays "connecting" until that is exchanged.
    """
    row = await conn.fetchrow(
        f"""
        INSERT INTO connections AS c (account_id, service, user_name, secret, token, status, connected_at, sync_due)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $7)
        ON CONFLICT (account_id, service) DO UPDATE
        SET user_name = CASE WHEN excluded.token = '' THEN excluded.user_name ELSE c.user_name END,
            secret = CASE WHEN excluded.secret = '' THEN c.secret ELSE excluded.secret END,
            token = excluded.token, status = excluded.status, problem = '', note = '', login_note = '', faults = 0,
            sync_due = excluded.sync_due
        RETURNING {_COLUMNS}
        """,
        account_id,
        service,
        user_name,
        secret,
        token,
        "connecting" if token or not user_name else "open",
        now,
    )
    return Connected(**row)


async def try_login(conn: Connection, account_id: int, service: Service, token: str) -> Connected | None:
    """Have a token exchanged for another login at a connection that is open, and stays so; None where none is."""
    row = await conn.fetchrow(
        f"""
        UPDATE connections SET token = $3, login_note = ''
        WHERE account_id = $1 AND service = $2 AND status = 'open' RETURNING {_COLUMNS}
        """,
        account_id,
        service,
        token,
    )
    return row and Connected(**row)


async def keep_login(conn: Connection, connection_id: int, note: str) -> None:
    """Note that the other login came to nothing, and why: all stays as it was."""
    await conn.execute("UPDATE connections SET token = '', login_note = $2 WHERE id = $1", connection_id, note)


async def exchanged(conn: Connection, connection_id: int, user_name: str, secret: str) -> None:
    """Note what the token of the web flow was exchanged for: who the listener is, and the session's key."""
    await conn.execute(
        """
        UPDATE connections
        SET user_name = $2, secret = $3, token = '', status = 'open', problem = '', note = '', login_note = ''
        WHERE id = $1
        """,
        connection_id,
        user_name,
        secret,
    )


async def disconnect(conn: Connection, connection_ids: Sequence[int]) -> None:
    """Forget connections and their secrets, with all that was asked and answered by them. Needs a transaction.

    The plays are another matter. What is being asked at this moment is answered to nobody.
    """
    ids = list(connection_ids)
    await conn.execute("SELECT FROM connections WHERE id = ANY($1) ORDER BY id FOR UPDATE", ids)  # no stage is at it
    await forget_asked(conn, ids)
    await conn.execute("DELETE FROM connections WHERE id = ANY($1)", ids)


async def forget_asked(conn: Connection, connection_ids: Sequence[int]) -> None:
    """Take back what was asked by these connections, which are locked, and drop what was answered."""
    await wants.drop(conn, STAGES, connection_ids)
    for stage in STAGES:  # after the wants: what a lane has just settled is seen now
        await replies.forget(conn, stage, connection_ids, only_unfound=False)


# ---------------------------------------------------------------- reading


async def of_account(conn: Connection, account_id: int, service: Service) -> Connected | None:
    """Return the account's connection to this service."""
    row = await conn.fetchrow(
        f"SELECT {_COLUMNS} FROM connections WHERE account_id = $1 AND service = $2", account_id, service
    )
    return row and Connected(**row)


async def look(conn: Connection, connection_id: int) -> Connected | None:
    """Return a connection; None where it is gone."""
    row = await conn.fetchrow(f"SELECT {_COLUMNS} FROM connections WHERE id = $1", connection_id)
    return row and Connected(**row)


async def load(conn: Connection, connection_id: int) -> Connected | None:
    """Return a connection, its row locked until the transaction ends; None where it is gone."""
    row = await conn.fetchrow(f"SELECT {_COLUMNS} FROM connections WHERE id = $1 FOR UPDATE", connection_id)
    return row and Connected(**row)


async def every(conn: Connection, account_ids: Sequence[int]) -> list[Connected]:
    """Return all connections of these accounts."""
    rows = await conn.fetch(
        f"SELECT {_COLUMNS} FROM connections WHERE account_id = ANY($1) ORDER BY account_id, service",
        list(account_ids),
    )
    return [Connected(**row) for row in rows]


# ---------------------------------------------------------------- forwarding


async def set_forwards(conn: Connection, account_id: int, service: Service, *, on: bool) -> bool:
    """Have plays forwarded there, or no longer; False where that cannot be: no connection, or no secret to write by."""
    done: str = await conn.execute(
        """
        UPDATE connections SET forwards = $3
        WHERE account_id = $1 AND service = $2 AND (NOT $3 OR secret <> '')
        """,
        account_id,
        service,
        on,
    )
    return done.endswith(" 1")


async def forwarding(conn: Connection, account_ids: Sequence[int]) -> list[Connected]:
    """Return the connections of these accounts to which plays go now."""
    rows = await conn.fetch(
        f"""
        SELECT {_COLUMNS} FROM connections
        WHERE account_id = ANY($1) AND forwards AND secret <> '' AND status = 'open' AND problem <> 'session'
        ORDER BY account_id, service
        """,
        list(account_ids),
    )
    return [Connected(**row) for row in rows]


# ---------------------------------------------------------------- what becomes of it


async def trouble(
    conn: Connection, connection_id: int, problem: Problem, note: str, *, due: datetime | None, stop: bool
) -> None:
    """Note why nothing can be read: until `due`, or with `stop` until the listener connects again.

    A secret that is no longer accepted is forgotten.
    """
    await conn.execute(
        """
        UPDATE connections
        SET problem = $2, note = $3, sync_due = $4, faults = faults + 1, token = CASE WHEN $5 THEN '' ELSE token END,
            status = CASE WHEN $5 THEN 'stopped' ELSE status END,
            secret = CASE WHEN $2 = 'session' THEN '' ELSE secret END
        WHERE id = $1
        """,
        connection_id,
        problem.value,
        note,
        due,
        stop,
    )


async def well(conn: Connection, connection_id: int) -> None:
    """Note that the service has answered: whatever was wrong is over."""
    await conn.execute(
        "UPDATE connections SET problem = '', note = '', faults = 0 WHERE id = $1 AND (problem <> '' OR faults > 0)",
        connection_id,
    )


async def synced(
    conn: Connection, connection_id: int, *, until: datetime | None, looked_back: bool, due: datetime, now: datetime
) -> None:
    """Note that everything played until then has been read (None: nothing was ever played), and when to look again."""
    await conn.execute(
        """
        UPDATE connections
        SET synced_until = greatest(synced_until, $2), synced_at = $3, sync_due = $4,
            looked_back = CASE WHEN $5 THEN $3 ELSE looked_back END
        WHERE id = $1
        """,
        connection_id,
        until,
        now,
        due,
        looked_back,
    )


async def look_anew(conn: Connection, connection_id: int) -> None:
    """Have a connection looked at whatever was wrong, and however lately it was looked at."""
    await conn.execute(
        """
        UPDATE connections SET problem = '', note = '', login_note = '', synced_at = NULL, faults = 0 WHERE id = $1
        """,
        connection_id,
    )


async def forget_sync(conn: Connection, connection_id: int) -> None:
    """Forget how far new plays have been read: it is another listener."""
    await conn.execute(
        "UPDATE connections SET synced_until = NULL, synced_at = NULL, looked_back = NULL WHERE id = $1", connection_id
    )


async def take_due(conn: Connection, now: datetime, again: datetime, limit: int) -> list[int]:
    """Return connections that are to be looked at, and have them looked at `again` should that come to nothing."""
    rows = await conn.fetch(
        """
        UPDATE connections SET sync_due = $2 WHERE id IN (
            SELECT id FROM connections WHERE status <> 'stopped' AND sync_due <= $1
            ORDER BY sync_due LIMIT $3 FOR UPDATE SKIP LOCKED
        ) RETURNING id
        """,
        now,
        again,
        limit,
    )
    return sorted(row["id"] for row in rows)


async def count_open(conn: Connection, service: Service) -> int:
    """Count the connections to a service that are looked at."""
    number: int = await conn.fetchval(
        "SELECT count(*) FROM connections WHERE service = $1 AND status = 'open'", service
    )
    return number
