"""What a token may do: each route asks for its scope, and says which one is missing."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from tests.serving import Listener, listening

from sleevenotes.clock import HandClock
from sleevenotes.settings import Settings
from sleevenotes.store import accounts
from sleevenotes.store.accounts import Scope
from sleevenotes.store.postgres import Database

PLAY = {"artist_name": "Nina Simone", "track_name": "Sinnerman", "played_at": 1_767_225_600, "source_app": "test"}
LISTEN = {
    "listen_type": "single",
    "payload": [{"listened_at": 1_767_225_600, "track_metadata": {"artist_name": "Moondog", "track_name": "Lament"}}],
}


@pytest_asyncio.fixture
async def maria(settings: Settings, clock: HandClock, database: Database) -> AsyncIterator[Listener]:
    async with listening(settings, clock, database) as listener:
        yield listener


async def having(maria: Listener, *scopes: Scope) -> dict[str, str]:
    async with maria.services.database.connection() as conn:
        token = await accounts.create_token(conn, maria.account.id, "some", maria.services.clock.now(), scopes=scopes)
    return {"Authorization": f"Bearer {token}"}


async def test_a_player_s_token_sends_plays_and_does_nothing_else(maria: Listener) -> None:
    player = await having(maria, Scope.SUBMIT)
    sent = await maria.client.post("/api/v1/scrobbles", json={"scrobbles": [PLAY]}, headers=player)
    assert sent.status_code == 201
    assert (await maria.client.post("/1/submit-listens", json=LISTEN, headers=player)).status_code == 200
    assert (await maria.client.get("/1/validate-token", headers=player)).json()["valid"] is True
    read = await maria.client.get("/api/v1/scrobbles", headers=player)
    assert (read.status_code, read.json()["error"]["code"]) == (403, "forbidden")
    assert "'read'" in read.json()["error"]["message"]
    assert "'read'" in (await maria.client.get("/1/user/maria/listens", headers=player)).json()["error"]
    gone = await maria.client.delete(f"/api/v1/scrobbles/{sent.json()['scrobbles'][0]['id']}", headers=player)
    assert gone.status_code == 403
    assert "'manage'" in gone.json()["error"]["message"]


async def test_a_reader_s_token_changes_nothing_and_opens_no_page(maria: Listener) -> None:
    reader = await having(maria, Scope.READ)
    assert (await maria.client.get("/api/v1/scrobbles", headers=reader)).status_code == 200
    refused = await maria.client.post("/api/v1/scrobbles", json={"scrobbles": [PLAY]}, headers=reader)
    assert "'submit'" in refused.json()["error"]["message"]
    assert (await maria.client.get("/players", headers=reader)).status_code == 403
    made = await maria.client.post("/players", data={"name": "a stronger one"}, headers=reader)
    assert made.status_code == 403


async def test_only_a_token_with_admin_speaks_for_everybody(maria: Listener) -> None:
    everyday = await having(maria, *accounts.EVERYDAY)
    refused = await maria.client.post("/api/v1/corrections/1/everybody", headers=everyday)
    assert (refused.status_code, "'admin'" in refused.json()["error"]["message"]) == (403, True)
    assert (await maria.client.post("/api/v1/corrections/1/everybody", headers=maria.header)).status_code == 404
    by_page = await maria.client.post("/review/everybody", data={"correction": "1"}, headers=everyday)
    assert by_page.status_code == 403
    assert (await maria.client.get("/settings/people", headers=everyday)).status_code == 403


@pytest.mark.parametrize(("is_owner", "scopes"), [(True, accounts.EVERYTHING), (False, accounts.EVERYDAY)])
async def test_a_token_from_before_scopes_may_do_what_it_could(
    database: Database, clock: HandClock, is_owner: bool, scopes: frozenset[Scope]
) -> None:
    async with database.connection() as conn:
        account = await accounts.create(conn, "otto", "", is_owner=is_owner, now=clock.now())
        await conn.execute("ALTER TABLE tokens DROP COLUMN scopes")
        await conn.execute(
            "INSERT INTO tokens (account_id, name, digest, created_at) VALUES ($1, 'old', sha256('old'), $2)",
            account.id,
            clock.now(),
        )
        for statement in _scopes_migration():
            await conn.execute(statement)
        found = await accounts.by_token(conn, "old", clock.now())
    assert found is not None
    assert found.may == scopes


def _scopes_migration() -> list[str]:
    from sleevenotes.store import migrate  # noqa: PLC0415

    text = next(one.sql for one in migrate.read() if one.name == "accounts")
    return [part for part in text.split(";") if "tokens" in part and "CREATE" not in part]
