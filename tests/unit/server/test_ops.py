"""For whoever runs the server."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from sleevenotes.clock import HandClock
from sleevenotes.settings import Settings
from sleevenotes.store.postgres import Database
from tests import serving


@pytest_asyncio.fixture
async def maria(settings: Settings, clock: HandClock, database: Database) -> AsyncIterator[serving.Listener]:
    async with serving.listening(settings, clock, database) as listener:
        yield listener


async def test_the_server_is_well_while_the_database_answers(maria: serving.Listener) -> None:
    reply = await maria.client.get("/health")
    assert (reply.status_code, reply.json()) == (200, {"status": "ok"})


async def test_without_the_database_it_says_so_and_a_submit_is_503(maria: serving.Listener) -> None:
    await maria.client.get("/1/validate-token", headers=maria.header)  # the token is known from here on
    await maria.services.database.pool.close()
    reply = await maria.client.get("/health")
    assert (reply.status_code, reply.json()["status"]) == (503, "unavailable")
    body = {
        "listen_type": "single",
        "payload": [{"listened_at": 1_767_000_000, "track_metadata": {"artist_name": "a", "track_name": "b"}}],
    }
    refused = await maria.client.post("/1/submit-listens", json=body, headers=maria.header)
    assert (refused.status_code, refused.headers["retry-after"]) == (503, "5")
    assert "send it again" in refused.json()["error"]


@pytest.mark.parametrize(
    "death", ["PERFORM pg_terminate_backend(pg_backend_pid())", "RAISE EXCEPTION USING ERRCODE = 'disk_full'"]
)
async def test_a_request_that_the_database_dies_under_is_503(maria: serving.Listener, death: str) -> None:
    listen = {"listened_at": 1_767_000_000, "track_metadata": {"artist_name": "a", "track_name": "b"}}
    body: dict[str, object] = {"listen_type": "single", "payload": [listen]}
    await maria.client.post("/1/submit-listens", json=body, headers=maria.header)
    listens = await maria.client.get("/1/user/maria/listens", headers=maria.header)
    body = {"recording_msid": listens.json()["payload"]["listens"][0]["recording_msid"], "score": 1}
    async with maria.services.database.connection() as conn:
        await conn.execute(f"CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {death}; END $$")
        await conn.execute("CREATE TRIGGER die BEFORE INSERT ON feedback FOR EACH STATEMENT EXECUTE FUNCTION die()")
    reply = await maria.client.post("/1/feedback/recording-feedback", json=body, headers=maria.header)
    assert (reply.status_code, reply.headers.get("retry-after")) == (503, "5")


async def test_metrics_count_what_became_of_listens(maria: serving.Listener) -> None:
    async def counted() -> dict[str, float]:
        text = (await maria.client.get("/metrics")).text
        lines = [line.rpartition(" ") for line in text.splitlines() if line.startswith("sleevenotes_listens_total")]
        return {name: float(value) for name, _, value in lines}

    def grown(outcome: str) -> float:
        name = f'sleevenotes_listens_total{{dialect="listenbrainz",outcome="{outcome}"}}'
        return after.get(name, 0) - before.get(name, 0)

    before = await counted()
    listen = {"listened_at": 1_767_000_000, "track_metadata": {"artist_name": "a", "track_name": "b"}}
    await maria.client.post(
        "/1/submit-listens", json={"listen_type": "import", "payload": [listen, listen, {}]}, headers=maria.header
    )
    after = await counted()
    assert (grown("stored"), grown("duplicate"), grown("rejected")) == (1, 1, 1)
