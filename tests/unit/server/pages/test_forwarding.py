"""The switch that sends plays on."""

from __future__ import annotations

from sleevenotes.store import connections, forwards
from tests.browser.sample import Listener
from tests.unit.server.pages.asking import Client, send

WAY = "/settings/forwarding"


async def test_the_switch_is_there_once_a_login_is_and_the_page_tells_what_waits_and_what_was_refused(
    client: Client, listener: Listener
) -> None:
    assert "Connect ListenBrainz by its token first" in (await client.get(WAY)).text
    now = listener.clock.now()
    async with listener.database.transaction() as conn:
        account = listener.account.id
        await connections.connect(conn, account, "listenbrainz", user_name="nora", secret="token", now=now)
    assert "Also send my plays there" in (await client.get(WAY)).text
    assert (await send(client, f"{WAY}/listenbrainz/on")).status_code == 303
    async with listener.database.transaction() as conn:
        await conn.execute(
            """
            INSERT INTO forwards
                (account_id, service, scrobble_id, listened_at, artist, track, status, reason, queued_at)
            VALUES ($1, 'listenbrainz', 7, $2, 'Nile', 'Ruins', 'refused', 'It is too loud.', $2)
            """,
            account,
            now,
        )
        turn = await forwards.take_turn(conn, now, now)
        assert turn is None  # nothing waits
    page = (await client.get(WAY)).text
    assert "It is too loud." in page
    assert "Stop sending" in page
    await send(client, f"{WAY}/listenbrainz/off")
    assert "Also send my plays there" in (await client.get(WAY)).text
    assert (await send(client, f"{WAY}/lastfm/on")).status_code == 422
