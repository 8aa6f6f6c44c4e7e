"""Logins of players that speak Last.fm's protocols: what follows from a token, and applications that ask to be let in.

Old protocols (Submissions 1.2, auth.getMobileSession with an authToken) never send a password, only an md5 made of
its md5. Passwords are kept as scrypt hashes, against which that cannot be checked, and they stay so. Instead a token
may be made for such a player: its md5 is kept, and four things follow from the md5 alone:

    secret         md5 of the token, 16 bytes; in hex, what the player makes its proofs of
    session key    what a player holds after the login; 32 hex digits
    API key        names this token to whoever asks for one; 32 hex digits, not secret
    shared secret  signs calls that are made with that API key; 32 hex digits

Whoever reads the database can therefore act as such a player, which is why only a token made for one has a row here,
and why it can do no more than a player must: see docs/decisions/0021.
"""

from __future__ import annotations

import functools
import hashlib
import hmac
import secrets
import uuid
from datetime import datetime, timedelta

import msgspec

from sleevenotes.store import accounts
from sleevenotes.store.accounts import Account, Scope
from sleevenotes.store.postgres import Connection

SCOPES = frozenset({Scope.SUBMIT, Scope.READ})  # what a player may: not more, whoever it is let in by
REQUESTS = 10_000  # strangers may ask, so no more than these are kept, the newest
REQUEST_LASTS = timedelta(hours=1)  # as at Last.fm: a request token lives 60 minutes


class Handshake(msgspec.Struct, frozen=True):
    """A token that may log in the old way: whose it is, what the listener calls it, and its secret."""

    account: Account
    name: str
    secret: bytes

    @property
    def password_md5(self) -> str:
        """Return the md5 of the password (which is the token), in hex: what players make their proofs of."""
        return self.secret.hex()

    @property
    def session_key(self) -> str:
        """Return the session key that this token's player is given."""
        return _derived(self.secret, "session key")

    @property
    def shared_secret(self) -> str:
        """Return what calls with this token's API key are signed with."""
        return _derived(self.secret, "shared secret")

    @property
    def api_key(self) -> str:
        """Return the API key that names this token."""
        return _derived(self.secret, "api key")


class Request(msgspec.Struct, frozen=True):
    """An application that asks to be let in; `called` is what it says of itself, `account_id` who has allowed it."""

    api_key: str
    called: str
    account_id: int | None
    created_at: datetime

    def expired(self, now: datetime) -> bool:
        """Tell whether its hour is over."""
        return now - self.created_at > REQUEST_LASTS


def of_token(account: Account, name: str, token: str) -> Handshake:
    """Return what follows from a token."""
    return Handshake(account, name, _md5(token))


def session_key(token: str) -> str:
    """Write one of our tokens as the 32 hex digits that Last.fm's clients expect of a session key."""
    return token.replace("-", "")


# ---------------------------------------------------------------- tokens that log in the old way


async def allow(conn: Connection, token: str) -> None:
    """Let this token log in the old way, too."""
    secret = _md5(token)
    await conn.execute(
        """
        INSERT INTO handshakes (token_id, secret, session_digest, api_key)
        SELECT id, $2, $3, $4 FROM tokens WHERE digest = $1
        ON CONFLICT (token_id) DO NOTHING
        """,
        _sha256(token),
        secret,
        key_digest(_derived(secret, "session key")),
        bytes.fromhex(_derived(secret, "api key")),
    )


async def allowed(conn: Connection, account_id: int) -> set[int]:
    """Return which of the account's tokens may log in the old way."""
    rows = await conn.fetch(
        "SELECT token_id FROM handshakes h JOIN tokens t ON t.id = h.token_id WHERE t.account_id = $1", account_id
    )
    return {row["token_id"] for row in rows}


async def of_account(conn: Connection, name: str) -> list[Handshake]:
    """Return what an account's name may log in with the old way, the tokens used last first."""
    account = await accounts.by_name(conn, name.strip())
    if account is None:
        return []
    rows = await conn.fetch(
        """
        SELECT t.name, h.secret FROM handshakes h JOIN tokens t ON t.id = h.token_id
        WHERE t.account_id = $1 ORDER BY t.last_used_at DESC NULLS LAST
        """,
        account.id,
    )
    return [Handshake(account, row["name"], row["secret"]) for row in rows]


async def by_api_key(conn: Connection, api_key: str) -> Handshake | None:
    """Find the token that an API key names; None for a key that is none of ours."""
    if not _is_key(api_key):
        return None
    row = await conn.fetchrow(
        """
        SELECT t.account_id, t.name, h.secret FROM handshakes h JOIN tokens t ON t.id = h.token_id
        WHERE h.api_key = $1
        """,
        bytes.fromhex(api_key),
    )
    account = await accounts.by_id(conn, row["account_id"]) if row else None
    return Handshake(account, row["name"], row["secret"]) if account else None


async def by_session_key(conn: Connection, key: str, now: datetime) -> Account | None:
    """Find the account that a session key opens: a token of ours without hyphens, or what follows from one."""
    if not _is_key(key):
        return None
    account = await accounts.by_token(conn, str(uuid.UUID(key)), now)
    if account is not None:
        return account
    digest = await conn.fetchval(
        "SELECT t.digest FROM handshakes h JOIN tokens t ON t.id = h.token_id WHERE h.session_digest = $1",
        key_digest(key),
    )
    return await accounts.by_digest(conn, digest, now) if digest else None


async def keep_newest(conn: Connection, account_id: int, name: str, number: int) -> None:
    """Of an account's tokens of this name, revoke those that were used longest ago, but for that many."""
    await conn.execute(
        """
        DELETE FROM tokens WHERE id IN (
            SELECT id FROM tokens WHERE account_id = $1 AND name = $2
            ORDER BY coalesce(last_used_at, created_at) DESC, id DESC OFFSET $3)
        """,
        account_id,
        name,
        number,
    )


@functools.lru_cache(maxsize=4_096)  # every submit asks, and players are few
def key_digest(key: str) -> bytes:
    """Return the digest by which a token or a session key is known; the same whether written with hyphens or not."""
    return _sha256(str(uuid.UUID(key)) if _is_key(key.replace("-", "")) else key)


# ---------------------------------------------------------------- applications that ask to be let in


async def ask(conn: Connection, api_key: str, called: str, now: datetime) -> str:
    """Note that an application asks to be let in, and return its request token; forget those whose hour is over."""
    token = secrets.token_hex(16)
    await conn.execute(
        """
        DELETE FROM request_tokens WHERE created_at < $1 OR created_at <
            (SELECT created_at FROM request_tokens ORDER BY created_at DESC OFFSET $2 LIMIT 1)
        """,
        now - 2 * REQUEST_LASTS,
        REQUESTS,
    )
    await conn.execute(
        "INSERT INTO request_tokens (digest, api_key, called, created_at) VALUES ($1, $2, $3, $4)",
        _sha256(token),
        api_key,
        called,
        now,
    )
    return token


async def asked(conn: Connection, token: str) -> Request | None:
    """Find who asks with this request token."""
    row = await conn.fetchrow(
        "SELECT api_key, called, account_id, created_at FROM request_tokens WHERE digest = $1", _sha256(token)
    )
    return row and Request(**row)


async def let_in(conn: Connection, token: str, account_id: int) -> bool:
    """Allow the application to act for this account; False where somebody has allowed it before."""
    done = await conn.execute(
        "UPDATE request_tokens SET account_id = $2 WHERE digest = $1 AND account_id IS NULL",
        _sha256(token),
        account_id,
    )
    return bool(done.endswith(" 1"))


async def redeem(conn: Connection, token: str) -> Request | None:
    """Take an allowed request token: it works once. None where there is none, or nobody has allowed it."""
    row = await conn.fetchrow(
        """
        DELETE FROM request_tokens WHERE digest = $1 AND account_id IS NOT NULL
        RETURNING api_key, called, account_id, created_at
        """,
        _sha256(token),
    )
    return row and Request(**row)


# ---------------------------------------------------------------- inside


def _derived(secret: bytes, what: str) -> str:
    return hmac.new(secret, f"sleevenotes {what}".encode(), hashlib.sha256).hexdigest()[:32]


def _is_key(text: str) -> bool:
    return len(text) == 32 and all(digit in "0123456789abcdefABCDEF" for digit in text)


def _md5(text: str) -> bytes:
    return hashlib.md5(text.encode(), usedforsecurity=False).digest()


def _sha256(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()
