"""The native API of plays that several services recorded."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from tests.serving import Listener

from sleevenotes.model import Band, Scrobble

NOON = datetime(2025, 12, 31, 12, tzinfo=UTC)


async def two_records(maria: Listener) -> tuple[int, int]:
    ids = []
    for origin, at in (("lastfm", NOON), ("spotify", NOON + timedelta(seconds=20))):
        sent = Scrobble("Nile", "Ruins", listened_at=at, origin=origin)
        [stored] = await maria.services.submitter.submit(maria.account.id, [sent], band=Band.DEFAULT)
        ids.append(stored.id)
    return ids[0], ids[1]


async def ask(maria: Listener, method: str, way: str, expected: int = 200) -> Any:
    reply = await maria.client.request(method, f"/api/v1/{way}", headers=maria.header)
    assert reply.status_code == expected, reply.text
    return reply.json() if reply.content else None


async def test_a_hidden_scrobble_is_in_no_list_and_names_the_one_that_is_shown(maria: Listener) -> None:
    shown, hidden = await two_records(maria)
    assert [each["id"] for each in (await ask(maria, "GET", "scrobbles"))["scrobbles"]] == [shown]
    told = await ask(maria, "GET", f"scrobbles/{hidden}")
    assert (told["same_as"], told["origin"]) == (shown, "spotify")
    told = await ask(maria, "GET", f"scrobbles/{hidden}/same_plays")
    assert [(each["id"], each["shown"]) for each in told["records"]] == [(shown, True), (hidden, False)]


async def test_a_scrobble_is_made_a_play_of_its_own_and_back(maria: Listener) -> None:
    _, hidden = await two_records(maria)
    told = await ask(maria, "PUT", f"scrobbles/{hidden}/own")
    assert (told["own"], len(told["records"])) == (True, 1)
    assert len((await ask(maria, "GET", "scrobbles"))["scrobbles"]) == 2
    told = await ask(maria, "DELETE", f"scrobbles/{hidden}/own")
    assert (told["own"], len(told["records"])) == (False, 2)
    await ask(maria, "PUT", "scrobbles/999/own", 404)


async def test_the_overview_and_origins_kept_apart(maria: Listener) -> None:
    shown, hidden = await two_records(maria)
    told = await ask(maria, "GET", "same_plays?limit=1")
    assert told["pairs"] == [{"origins": ["lastfm", "spotify"], "plays": 1, "apart": False}]
    assert [(each["hidden"]["id"], each["shown"]["id"]) for each in told["linked"]] == [(hidden, shown)]
    assert told["next_cursor"] is None
    assert await ask(maria, "PUT", "same_plays/apart/spotify/lastfm") == {"shown": 1}
    await ask(maria, "PUT", "same_plays/apart/spotify/spotify", 422)
    await ask(maria, "DELETE", "same_plays/apart/lastfm/spotify", 204)
    await ask(maria, "DELETE", "same_plays/apart/lastfm/spotify", 404)
