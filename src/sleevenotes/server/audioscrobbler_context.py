"""What a method of Last.fm's API works with: the call, who makes it, and the parts of the server."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

from litestar import Request

from sleevenotes.server import auth, services
from sleevenotes.server.audioscrobbler_answers import BAD_SESSION, LOGIN_NEEDED, Failure, Node, not_found
from sleevenotes.server.audioscrobbler_call import Call
from sleevenotes.server.services import Services
from sleevenotes.store import player_logins
from sleevenotes.store.accounts import Account

Method = Callable[["Context"], Awaitable[Node | None]]


class Context:
    """One call on its way through a method."""

    def __init__(self, request: Request[Any, Any, Any], call: Call) -> None:
        self.request = request
        self.call = call

    @property
    def parts(self) -> Services:
        """Return the parts of the server."""
        return services.of(self.request)

    @property
    def now(self) -> datetime:
        """Return the clock's now."""
        return self.parts.clock.now()

    async def account(self) -> Account:
        """Return who makes the call: by session key, by a token in the Authorization header, or by a signature.

        A signature counts where the API key names a token of ours; then it must be right, also beside a session key.
        Raises Failure 9 for a session key that opens nothing, 13 for a wrong signature, 17 where nothing is given.
        """
        signed = await self.check_signature()
        key = self.call.get("sk")
        if key:
            return await self._by_session_key(key)
        if auth.authorization(self.request.scope):
            return await auth.by_token(self.request)
        if signed is None:
            raise Failure(LOGIN_NEEDED, "Login: User requires to be logged in - plays are private here, send sk")
        return signed.account

    async def _by_session_key(self, key: str) -> Account:
        account = await self.request.app.state.known_keys.account(key)
        if account is None:
            raise Failure(BAD_SESSION, "Invalid session key - Please re-authenticate")
        return account  # type: ignore[no-any-return] # a State is untyped

    async def check_signature(self) -> player_logins.Handshake | None:
        """Return the token that the API key names where the call is signed with its shared secret.

        An API key that is none of ours says nothing: its secret is the application's own. None then, and for a call
        without signature. Raises Failure 13 where the signature is there, and wrong.
        """
        if not self.call.get("api_sig"):
            return None
        async with self.parts.database.connection() as conn:
            known = await player_logins.by_api_key(conn, self.call.get("api_key"))
        if known is not None:
            self.call.check(known.shared_secret)
        return known

    async def reader(self) -> Account:
        """Return whose plays are asked for: one's own, for everybody else's are private.

        Raises Failure 6 for another name, and what `account` raises.
        """
        account = await self.account()
        name = self.call.get("user") or account.name
        if name.lower() != account.name.lower():
            raise not_found("User not found")
        return account
