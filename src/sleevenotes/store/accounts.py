"""Accounts, their tokens and their sessions.

Passwords are kept as scrypt hashes, tokens and session cookies as sha256 digests: whoever reads the database
can use none of them.
"""

from __future__ import annotations

import asyncio
import base64
import enum
import hashlib
import hmac
import secrets
import uuid
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any

import msgspec

from sleevenotes import errors
from sleevenotes.store.postgres import Connection

SESSION_DAYS = 90
MIN_PASSWORD = 8
MAX_NAME = 64
MAX_BROWSER = 300  # characters of a User-Agent that are kept

# 16 MB and about a quarter of a second: the smallest memory OWASP's password storage page accepts for scrypt.
_COST, _BLOCK, _LANES = 2**14, 8, 5
_NO_PASSWORD = "!"  # noqa: S105 # a mark, as in /etc/shadow: this account opens by token only
_USED_EVERY = timedelta(minutes=1)  # how exact a token's last_used_at is; more would be a write per request
_SEEN_EVERY = timedelta(hours=1)  # the same of a session


class Scope(enum.StrEnum):
    """What a token may do in its account's name."""

    SUBMIT = "submit"
    """Send plays, what plays now, and what is loved."""

    READ = "read"
    """Read plays, charts and what became of them."""

    MANAGE = "manage"
    """Change and delete plays, choose covers, correct matches, import, connect services."""

    ADMIN = "admin"
    """What only the owner may: say things that hold for everybody."""


EVERYDAY = frozenset({Scope.SUBMIT, Scope.READ, Scope.MANAGE})
EVERYTHING = frozenset(Scope)


class Account(msgspec.Struct, frozen=True):
    """One listener; `time_zone` is an IANA name.

    `may` is what whoever asks in its name may do: everything in a session, what the token's scopes say by a token.
    """

    id: int
    name: str
    is_owner: bool
    time_zone: str
    is_public: bool = False
    may: frozenset[Scope] = EVERYTHING


class Token(msgspec.Struct, frozen=True):
    """A token as its owner sees it afterwards: never the token itself."""

    id: int
    name: str
    created_at: datetime
    last_used_at: datetime | None
    scopes: tuple[Scope, ...] = ()


# ---------------------------------------------------------------- accounts


async def create(conn: Connection, name: str, password: str, *, is_owner: bool, now: datetime) -> Account:
    """Create an account; with an empty password it can be used by token only.

    Raises errors.Refused naming the field when the name is taken or unfit, or the password too short.
    """
    name = _fit_name(name)
    row = await conn.fetchrow(
        """
        INSERT INTO accounts (name, password_hash, is_owner, created_at) VALUES ($1, $2, $3, $4)
        ON CONFLICT (lower(name)) DO NOTHING
        RETURNING id, name, is_owner, time_zone, is_public
        """,
        name,
        await _hash_new(password),
        is_owner,
        now,
    )
    if row is None:
        raise errors.Refused(f"The name {name!r} is taken.", field="name")
    return _account(row)


async def create_first(conn: Connection, name: str, password: str, now: datetime) -> Account:
    """Create the owner of a new installation, inside the caller's transaction.

    Raises errors.Refused when any account exists already, also one created at this very moment.
    """
    await conn.execute("LOCK TABLE accounts IN SHARE ROW EXCLUSIVE MODE")
    if await count(conn):
        raise errors.Refused("This installation has an owner already: log in.", field="name")
    return await create(conn, name, password, is_owner=True, now=now)


async def count(conn: Connection) -> int:
    """Return the number of accounts."""
    number: int = await conn.fetchval("SELECT count(*) FROM accounts")
    return number


async def every(conn: Connection) -> list[Account]:
    """Return all accounts, by name."""
    return [_account(row) for row in await conn.fetch(f"SELECT {_COLUMNS} FROM accounts a ORDER BY lower(name)")]


async def by_name(conn: Connection, name: str) -> Account | None:
    """Find an account by its name, whatever its capitals."""
    if "\0" in name:  # nobody's, and PostgreSQL cannot be asked for it
        return None
    row = await conn.fetchrow(
        f"SELECT {_COLUMNS} FROM accounts a WHERE lower(name) = lower($1) AND leaving_at IS NULL", name
    )
    return row and _account(row)


async def by_id(conn: Connection, account_id: int) -> Account | None:
    """Find an account by its number."""
    row = await conn.fetchrow(f"SELECT {_COLUMNS} FROM accounts a WHERE id = $1", account_id)
    return row and _account(row)


async def by_password(conn: Connection, name: str, password: str) -> Account | None:
    """Find the account this name and password open; takes as long when there is none."""
    row = await conn.fetchrow(
        f"SELECT {_COLUMNS}, password_hash FROM accounts a WHERE lower(name) = lower($1) AND leaving_at IS NULL",
        "" if "\0" in name else name.strip(),  # a name with a NUL is nobody's, and cannot be asked for
    )
    kept = row["password_hash"] if row else _NO_PASSWORD
    matches = await asyncio.to_thread(_verify, password, kept)
    return _account(row) if row and matches else None


async def set_public(conn: Connection, account_id: int, *, is_public: bool) -> None:
    """Show or hide the account's profile to strangers."""
    await conn.execute("UPDATE accounts SET is_public = $2 WHERE id = $1", account_id, is_public)


async def set_password(conn: Connection, account_id: int, password: str) -> None:
    """Change a password and end all sessions that the old one opened; tokens stay."""
    hashed = await _hash_new(password)
    await conn.execute("UPDATE accounts SET password_hash = $2 WHERE id = $1", account_id, hashed)
    await conn.execute("DELETE FROM sessions WHERE account_id = $1", account_id)


# ---------------------------------------------------------------- tokens


async def create_token(
    conn: Connection, account_id: int, name: str, now: datetime, *, scopes: Collection[Scope] = EVERYDAY
) -> str:
    """Create a token and return it, the only time it can be seen: a UUID, as ListenBrainz clients expect.

    Raises errors.Refused when it could do nothing.
    """
    if not scopes:
        raise errors.Refused("A token needs at least one scope.", field="scopes")
    token = str(uuid.uuid4())
    await conn.execute(
        "INSERT INTO tokens (account_id, name, digest, created_at, scopes) VALUES ($1, $2, $3, $4, $5)",
        account_id,
        name,
        digest(token),
        now,
        [scope.value for scope in Scope if scope in scopes],
    )
    return token


async def by_token(conn: Connection, token: str, now: datetime) -> Account | None:
    """Find the account this token opens, and note (to the minute) that it was used."""
    return await by_digest(conn, digest(token), now)


async def by_digest(conn: Connection, hashed: bytes, now: datetime) -> Account | None:
    """Find the account that the token of this digest opens, and note (to the minute) that it was used."""
    row = await conn.fetchrow(
        f"""
        SELECT {_COLUMNS}, t.last_used_at, t.scopes FROM tokens t JOIN accounts a ON a.id = t.account_id
        WHERE digest = $1 AND a.leaving_at IS NULL
        """,
        hashed,
    )
    if row is None:
        return None
    if row["last_used_at"] is None or now - row["last_used_at"] > _USED_EVERY:
        await conn.execute("UPDATE tokens SET last_used_at = $2 WHERE digest = $1", hashed, now)
    return msgspec.structs.replace(_account(row), may=frozenset(map(Scope, row["scopes"])))


async def tokens(conn: Connection, account_id: int) -> list[Token]:
    """Return the account's tokens, oldest first."""
    rows = await conn.fetch(
        "SELECT id, name, created_at, last_used_at, scopes FROM tokens WHERE account_id = $1 ORDER BY id", account_id
    )
    return [Token(**{**row, "scopes": tuple(map(Scope, row["scopes"]))}) for row in rows]


async def revoke_token(conn: Connection, account_id: int, token_id: int) -> bool:
    """End one of the account's tokens; False when it has no such token."""
    done = await conn.execute("DELETE FROM tokens WHERE account_id = $1 AND id = $2", account_id, token_id)
    return bool(done.endswith(" 1"))


# ---------------------------------------------------------------- sessions


class Session(msgspec.Struct, frozen=True):
    """A browser that is logged in; `current` is the one that asks, `last_seen_at` is exact to the hour."""

    id: int
    browser: str
    created_at: datetime
    last_seen_at: datetime | None
    current: bool


async def open_session(conn: Connection, account_id: int, now: datetime, browser: str = "") -> str:
    """Open a browser's session and return its cookie; it ends after SESSION_DAYS."""
    cookie = secrets.token_urlsafe(32)
    await conn.execute("DELETE FROM sessions WHERE expires_at <= $1", now)
    await conn.execute(
        """
        INSERT INTO sessions (digest, account_id, created_at, expires_at, browser, last_seen_at)
        VALUES ($1, $2, $3, $4, $5, $3)
        """,
        digest(cookie),
        account_id,
        now,
        now + timedelta(days=SESSION_DAYS),
        browser[:MAX_BROWSER],
    )
    return cookie


async def by_session(conn: Connection, cookie: str, now: datetime) -> Account | None:
    """Find the account whose session this cookie is, None when it has ended; note (to the hour) that it was used."""
    hashed = digest(cookie)
    row = await conn.fetchrow(
        f"""
        SELECT {_COLUMNS}, s.last_seen_at FROM sessions s JOIN accounts a ON a.id = s.account_id
        WHERE digest = $1 AND expires_at > $2 AND a.leaving_at IS NULL
        """,
        hashed,
        now,
    )
    if row is None:
        return None
    if row["last_seen_at"] is None or now - row["last_seen_at"] > _SEEN_EVERY:
        await conn.execute("UPDATE sessions SET last_seen_at = $2 WHERE digest = $1", hashed, now)
    return _account(row)


async def sessions(conn: Connection, account_id: int, cookie: str, now: datetime) -> list[Session]:
    """Return the account's sessions, the one of this cookie first, then those used last."""
    rows = await conn.fetch(
        """
        SELECT id, browser, created_at, last_seen_at, digest = $2 AS current FROM sessions
        WHERE account_id = $1 AND expires_at > $3
        ORDER BY digest = $2 DESC, last_seen_at DESC NULLS LAST, id DESC
        """,
        account_id,
        digest(cookie),
        now,
    )
    return [Session(**row) for row in rows]


async def close_other_sessions(conn: Connection, account_id: int, cookie: str) -> int:
    """End all the account's sessions but that of this cookie ("" ends all); return how many ended."""
    done: str = await conn.execute(
        "DELETE FROM sessions WHERE account_id = $1 AND digest <> $2", account_id, digest(cookie)
    )
    return int(done.rpartition(" ")[2])


async def close_session(conn: Connection, cookie: str) -> None:
    """End the session of this cookie."""
    await conn.execute("DELETE FROM sessions WHERE digest = $1", digest(cookie))


# ---------------------------------------------------------------- inside

_COLUMNS = "a.id, a.name, a.is_owner, a.time_zone, a.is_public"


def _account(row: Mapping[str, Any]) -> Account:
    return Account(**{name: row[name] for name in ("id", "name", "is_owner", "time_zone", "is_public")})


def digest(secret: str) -> bytes:
    """Return what is kept of a token, a session's cookie or an invitation's secret."""
    # Tokens and cookies are 122 random bits or more: a plain hash cannot be searched, and is fast.
    return hashlib.sha256(secret.encode()).digest()


def _fit_name(name: str) -> str:
    name = " ".join(name.split())
    if not name or len(name) > MAX_NAME:
        raise errors.Refused(f"A name has 1 to {MAX_NAME} characters.", field="name")
    if "/" in name or not name.isprintable():
        raise errors.Refused("A name has no slashes and no invisible characters: it stands in addresses.", field="name")
    return name


async def _hash_new(password: str) -> str:
    if not password:
        return _NO_PASSWORD
    if len(password) < MIN_PASSWORD:
        raise errors.Refused(f"A password has at least {MIN_PASSWORD} characters.", field="password")
    return await asyncio.to_thread(_hash, password, secrets.token_bytes(16))


def _hash(password: str, salt: bytes, cost: int = _COST, block: int = _BLOCK, lanes: int = _LANES) -> str:
    hashed = hashlib.scrypt(password.encode(), salt=salt, n=cost, r=block, p=lanes, maxmem=128 * 2**20)
    encoded = (base64.b64encode(part).decode() for part in (salt, hashed))
    return "$".join(("scrypt", str(cost), str(block), str(lanes), *encoded))


def _verify(password: str, kept: str) -> bool:
    if kept == _NO_PASSWORD:
        _hash(password, b"nobody's salt...")  # as slow as a real one: a stranger learns no names from the clock
        return False
    _, cost, block, lanes, salt, _ = kept.split("$")
    hashed = _hash(password, base64.b64decode(salt), int(cost), int(block), int(lanes))
    return hmac.compare_digest(hashed, kept)


async def purge_sessions(conn: Connection, now: datetime) -> None:
    """Drop sessions that have expired."""
    await conn.execute("DELETE FROM sessions WHERE expires_at <= $1", now)
