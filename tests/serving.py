"""What tests of the web server share: an application on a real database, and a listener who uses it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import NamedTuple

import httpx
from litestar import Litestar

from sleevenotes.artwork.files import Files
from sleevenotes.clock import Clock
from sleevenotes.pipeline.submit import Submitter
from sleevenotes.server import web
from sleevenotes.server.live import Hub
from sleevenotes.server.services import Services
from sleevenotes.settings import Settings
from sleevenotes.store import accounts
from sleevenotes.store.postgres import Database


class Listener(NamedTuple):
    """An account with its token, and a client that sends it."""

    client: httpx.AsyncClient
    account: accounts.Account
    token: str
    services: Services
    app: Litestar

    @property
    def header(self) -> dict[str, str]:
        """Return the Authorization header as ListenBrainz clients send it."""
        return {"Authorization": f"Token {self.token}"}


@asynccontextmanager
async def listening(settings: Settings, clock: Clock, database: Database) -> AsyncIterator[Listener]:
    """Serve an application to one listener, "maria"; close what was opened."""
    services = Services(
        settings=settings,
        clock=clock,
        database=database,
        submitter=Submitter(database, clock),
        files=Files(settings.data_path),
        hub=Hub(database, clock),
    )
    async with database.connection() as conn:
        account = await accounts.create(conn, "maria", "", is_owner=True, now=clock.now())
        token = await accounts.create_token(conn, account.id, "phone", clock.now(), scopes=accounts.EVERYTHING)
    app = web.create(services)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)  # type: ignore[arg-type] # says the same otherwise
    async with httpx.AsyncClient(transport=transport, base_url="http://sleevenotes.test") as client:
        yield Listener(client, account, token, services, app)
    await services.hub.close()
