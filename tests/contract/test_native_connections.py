"""The native API of connections: what a request that cannot be read is told."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from tests.serving import Listener

from sleevenotes.settings import Settings

LASTFM, LISTENBRAINZ = "/lastfm/connect", "/api/v1/listenbrainz/connect"


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return msgspec.structs.replace(settings, lastfm_key="key", lastfm_secret="secret")


async def ask(maria: Listener, way: str, body: bytes, expected: int = 422) -> Any:
    reply = await maria.client.post(way, content=body, headers=maria.header)
    assert reply.status_code == expected, reply.text
    return reply.json()


@pytest.mark.parametrize("way", [LASTFM, LISTENBRAINZ])
@pytest.mark.parametrize("field", ["username", "token"])
async def test_a_field_that_is_no_text_is_named(maria: Listener, way: str, field: str) -> None:
    told = (await ask(maria, way, b'{"%s": 7}' % field.encode()))["error"]
    assert told["message"] == f"{field}: Expected `str`, got `int`"
    assert told["details"][0]["field"] == field


@pytest.mark.parametrize("way", [LASTFM, LISTENBRAINZ])
async def test_what_is_no_json_is_told_so(maria: Listener, way: str) -> None:
    assert "no JSON" in (await ask(maria, way, b"username=maria"))["error"]["message"]
    assert "Expected `object`" in (await ask(maria, way, b"[]"))["error"]["message"]


async def test_without_a_body_lastfm_tells_where_to_log_in_and_listenbrainz_what_it_needs(maria: Listener) -> None:
    assert "/api/auth/" in (await ask(maria, LASTFM, b"", 200))["auth_url"]
    told = (await ask(maria, LISTENBRAINZ, b""))["error"]
    assert (told["message"], told["details"][0]["field"]) == ("A user name is needed, or a token.", "username")


async def test_a_stranger_is_told_so_before_the_body_is_looked_at(maria: Listener) -> None:
    for way in (LASTFM, LISTENBRAINZ):
        assert (await maria.client.post(way, content=b"[]")).status_code == 401
