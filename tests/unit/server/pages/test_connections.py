"""The page on which a listener connects."""

from __future__ import annotations

from sleevenotes.store import connections
from tests.browser.sample import Listener
from tests.unit.server.pages.asking import Client


async def test_a_login_that_came_to_nothing_is_told_beside_the_connection_that_goes_on(
    client: Client, listener: Listener
) -> None:
    async with listener.database.transaction() as conn:
        account, now = listener.account.id, listener.clock.now()
        nora = await connections.connect(conn, account, "listenbrainz", user_name="nora", secret="token", now=now)
        await connections.try_login(conn, nora.account_id, "listenbrainz", "typo")
    page = (await client.get("/settings/listenbrainz")).text
    assert "Asking ListenBrainz who has logged in" in page
    assert "typo" not in page
    async with listener.database.transaction() as conn:
        await connections.keep_login(conn, nora.id, "ListenBrainz does not accept the token.")
    page = (await client.get("/settings/listenbrainz")).text
    assert "Connected as nora" in page
    assert "The new login came to nothing: ListenBrainz does not accept the token." in page
    assert "Look now" in page
