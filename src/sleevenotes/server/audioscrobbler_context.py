"""What a method of Last.fm's API works with: the call, who makes it, and the parts of the server."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

from litestar import Request
from litestar.exceptions import NotAuthorizedException

from sleevenotes.server import auth, services
from sleevenotes.server.audioscrobbler_answers import BAD_LOGIN, BAD_SESSION, LOGIN_NEEDED, Failure, Node, not_found
from sleevenotes.server.audioscrobbler_call import Call
from sleevenotes.server.services import Services
from sleevenotes.store import player_logins
from sleevenotes.store.accounts import Account, Scope

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

    @property
    def bearer(self) -> str:
        """Return what was sent to prove who calls: the session key, else the Authorization header's token."""
        by_header = auth.carries_token(self.request.scope) and not self.call.get("sk")
        return auth.token_in_header(self.request) if by_header else self.call.get("sk")

    async def account(self, needs: Scope) -> Account:
        """Return who makes the call: by session key, by a token in the Authorization header, or by a signature.

        A signature counts where the API key names a token of ours; then it must be right, also beside a session key.
        Raises Failure 9 for a session key that opens nothing, 13 for a wrong signature, 17 where nothing is given,
        and 4 where the token may not do what the method `needs`.
        """
        account = await self._account()
        if needs not in account.may:
            raise Failure(BAD_LOGIN, f"This token lacks the scope {needs.value!r}: make one that has it")
        return account

    async def _account(self) -> Account:
        signed = await self.check_signature()
        key = self.call.get("sk")
        if key:
            return await self._by_session_key(key)
        if auth.carries_token(self.request.scope):
            return await self._by_header()
        if signed is None:
            raise Failure(LOGIN_NEEDED, "Login: User requires to be logged in - plays are private here, send sk")
        return await self._by_session_key(signed.session_key)

    async def _by_header(self) -> Account:
        try:
            return await auth.by_token(self.request, None)
        except NotAuthorizedException as error:
            raise Failure(BAD_SESSION, error.detail) from None

    async def _by_session_key(self, key: str) -> Account:
        account = await self.request.app.state.known_keys.account(key)
        if account is None:
            raise Failure(BAD_SESSION, "Invalid session key - Please re-authenticate")
        return account  # type: ignore[no-any-return] # a State is untyped

    async def check_signature(self) -> player_logins.Handshake | None:
        """Return the token that the API key names where the call is signed with its shared secret.

        An API key that is none of ours says nothing: its secret is the application's own, and None is returned, as
        for a call that need not be signed. Raises Failure 13 where the signature is wrong, or missing where Last.fm
        wants one: beside a session key, and in auth.*.
        """
        if not self.call.get("api_key"):
            return None
        async with self.parts.database.connection() as conn:
            known = await player_logins.by_api_key(conn, self.call.get("api_key"))
        must = self.call.get("sk") or self.call.method.startswith("auth.")
        if known is None or not (must or self.call.get("api_sig")):
            return None
        self.call.check(known.shared_secret)
        return known

    async def reader(self) -> Account:
        """Return whose plays are asked for: one's own, for everybody else's are private.

        Raises Failure 6 for another name, and what `account` raises.
        """
        account = await self.account(Scope.READ)
        name = self.call.get("user") or account.name
        if name.lower() != account.name.lower():
            raise not_found("User not found")
        return account
