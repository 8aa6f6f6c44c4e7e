"""auth.*: how an application comes to a session key, which is a token of ours without hyphens.

Three ways, as at Last.fm: the listener allows it on our page (getToken, the page in pages_letting_in, getSession); name
and password, or a token in the password's place (getMobileSession); the same by md5, as old clients do, which works
with tokens made for it only.
"""

from __future__ import annotations

import hmac

from sleevenotes.server import auth, guesses
from sleevenotes.server.audioscrobbler_answers import (
    BAD_LOGIN,
    BAD_PARAMETER,
    NOT_ALLOWED_YET,
    TOKEN_EXPIRED,
    TOO_MANY,
    Failure,
    Node,
    numbers,
    text,
    tree,
)
from sleevenotes.server.audioscrobbler_call import application, md5
from sleevenotes.server.audioscrobbler_context import Context, Method
from sleevenotes.store import accounts, player_logins
from sleevenotes.store.accounts import Account, Scope

SESSIONS = 20  # by password alone, of one application: players that log in at every start would pile them up


async def get_token(context: Context) -> Node:
    """auth.getToken: a request token, for the listener to allow."""
    await context.check_signature()
    call = context.call
    key = call.required("api_key")[:64]
    async with context.parts.database.connection() as conn:
        token = await player_logins.ask(conn, key, application(call.agent), context.now)
    return text("token", token)


async def get_session(context: Context) -> Node:
    """auth.getSession: a session key for a request token that the listener has allowed; it works once."""
    await context.check_signature()
    token = context.call.required("token")
    now = context.now
    async with context.parts.database.transaction() as conn:
        request = await player_logins.asked(conn, token)
        if request is None:
            raise Failure(BAD_LOGIN, "Invalid authentication token supplied")
        if request.expired(now):
            raise Failure(TOKEN_EXPIRED, "This token has expired")
        if request.api_key != context.call.required("api_key")[:64]:
            raise Failure(BAD_LOGIN, "This token was given to another API key")
        allowed = await player_logins.redeem(conn, token)
        account = await accounts.by_id(conn, allowed.account_id) if allowed and allowed.account_id else None
        if account is None:
            raise Failure(NOT_ALLOWED_YET, "Unauthorized Token - This token has not been authorized")
        key = await accounts.create_token(
            conn, account.id, request.called or "an application", now, scopes=player_logins.SCOPES
        )
    return _session(account, player_logins.session_key(key))


async def get_mobile_session(context: Context) -> Node:
    """auth.getMobileSession: a session key for name and password, or for a proof of them."""
    await context.check_signature()
    call = context.call
    if not call.posted:
        raise Failure(BAD_PARAMETER, "Invalid parameters - this method wants POST")
    if guesses.left(context.request) <= 0:
        raise Failure(TOO_MANY, "Too many wrong passwords from here. Wait a minute, then try again")
    name = call.required("username")
    proof = call.get("authToken") or call.get("authtoken")
    found = await (_by_proof(context, name, proof) if proof else _by_password(context, name))
    if found is None:
        guesses.count(context.request)
        raise Failure(BAD_LOGIN, "Authentication Failed - You do not have permissions to access the service")
    return _session(*found)


async def _by_proof(context: Context, name: str, proof: str) -> tuple[Account, str] | None:
    async with context.parts.database.connection() as conn:
        known = await player_logins.of_account(conn, name)
    for handshake in known:
        if hmac.compare_digest(md5(name + handshake.password_md5).encode(), proof.lower().encode()):
            return handshake.account, handshake.session_key
    return None


async def _by_password(context: Context, name: str) -> tuple[Account, str] | None:
    password = context.call.params.get("password", "")
    if not password:
        raise Failure(BAD_PARAMETER, "Invalid parameters - password or authToken is required")
    by_token = await auth.known_account(context.request, password.strip())
    if by_token is not None:
        key = player_logins.session_key(password.strip())
        return (by_token, key) if by_token.name.lower() == name.lower() else None
    called = f"{application(context.call.agent) or 'an application'}, by password"
    async with context.parts.database.connection() as conn:
        account = await accounts.by_password(conn, name, password)
        if account is None:
            return None
        token = await accounts.create_token(conn, account.id, called, context.now, scopes=player_logins.SCOPES)
        await player_logins.keep_newest(conn, account.id, called, SESSIONS)
    return account, player_logins.session_key(token)


async def get_session_info(context: Context) -> Node:
    """auth.getSessionInfo: whose a session key is."""
    account = await context.account(Scope.READ)
    return tree("application", [_session(account, context.call.get("sk"))])


def _session(account: Account, key: str) -> Node:
    return tree("session", [text("name", account.name), text("key", key), numbers(text("subscriber", 0))])


METHODS: dict[str, Method] = {
    "auth.gettoken": get_token,
    "auth.getsession": get_session,
    "auth.getmobilesession": get_mobile_session,
    "auth.getsessioninfo": get_session_info,
}
