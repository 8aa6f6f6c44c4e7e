"""The page Players, and the heart on plays."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from sleevenotes.clock import HandClock
from sleevenotes.server import players
from sleevenotes.store import accounts, player_logins
from sleevenotes.store.postgres import Database
from tests.browser.sample import SLEEVES, Listener
from tests.unit.server.pages.asking import Client, send

VALUES = {"base": "https://here.example/music", "host": "here.example", "name": "nora", "token": "T", "key": "K"}


@pytest.mark.parametrize("player", players.PLAYERS, ids=lambda player: str(player.slug))
def test_every_players_configuration_is_filled_in_whole(player: players.Player) -> None:
    filled = players.filled(player, {**VALUES, "secret": "S"})
    told = " ".join([filled.file, filled.note, *[field.value for field in filled.fields]])
    assert "{" not in told
    if player.slug != "rockbox":
        assert "here.example" in told or player.slug == "pylast"
    bare = players.filled(player, {"base": "https://here.example"})
    assert "{" not in bare.file + bare.note


async def test_a_token_is_filled_in_for_the_player_it_is_made_for_alone(
    client: Client, database: Database, clock: HandClock
) -> None:
    page = (await send(client, "/players", player="mpdscribble")).text
    found = re.search(r"password = ([0-9a-f-]{36})", page)
    assert found
    assert re.search(r'<details id="mpdscribble" open', page)
    assert "token = TOKEN" in page  # the others wait for one of their own
    async with database.connection() as conn:
        account = await accounts.by_token(conn, found[1], clock.now())
        (handshake,) = await player_logins.of_account(conn, "nora")
    assert account
    assert account.may == player_logins.SCOPES
    assert handshake.name == "mpdscribble"
    assert found[1] not in (await client.get("/players")).text


async def test_a_token_for_nothing_in_particular_logs_in_the_old_way_only_if_asked(
    client: Client, database: Database
) -> None:
    await send(client, "/players", name="phone")
    async with database.connection() as conn:
        assert await player_logins.of_account(conn, "nora") == []
    page = (await send(client, "/players", name="old phone", old="1")).text
    assert "for the old protocols too" in page
    async with database.connection() as conn:
        assert [one.name for one in await player_logins.of_account(conn, "nora")] == ["old phone"]


async def test_a_heart_loves_every_play_of_the_track_and_takes_it_back(client: Client, listener: Listener) -> None:
    now = listener.clock.now()
    plays = [await listener.play(SLEEVES[0], "Kelp", now - timedelta(hours=hours)) for hours in (1, 2)]
    first, second = (play.id for play in plays)
    answer = await send(client, f"/scrobbles/{first}/feedback", score="1", back="/")
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    page = (await client.get("/")).text
    assert len(re.findall(r'aria-pressed="true" aria-label="Love Kelp"', page)) == 2
    await send(client, f"/scrobbles/{second}/feedback", score="0")
    assert 'aria-pressed="true" aria-label="Love' not in (await client.get("/")).text
    assert (await send(client, f"/scrobbles/{first}/feedback", score="5")).status_code == 422
    assert (await send(client, "/scrobbles/999999/feedback", score="1")).status_code == 404
