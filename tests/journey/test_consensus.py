"""Three listeners correct a name alike, and the fourth sees it so from the first play; until one takes it back."""

from __future__ import annotations

import json
import re
from typing import Any

from sleevenotes.pipeline import farewell
from sleevenotes.simulator import listener
from tests.journey.conftest import House
from tests.journey.test_corrections import API, ago, another, lookup_of, shown, submit_as


async def corrected(house: House, token: str, lookup_id: int, mbid: str) -> int:
    """Say what a name is, by a link; return the correction's id."""
    headers = {"authorization": f"Token {token}"}
    link = {"link": f"https://musicbrainz.org/recording/{mbid}"}
    begun = (await house.client.post(f"{API}/lookups/{lookup_id}/searches", json=link, headers=headers)).json()
    await house.until("SELECT status <> 'pending' FROM searches WHERE id = $1", begun["id"], at_most=7200)
    chosen = {"candidate": mbid, "search_id": begun["id"]}
    answer = await house.client.put(f"{API}/lookups/{lookup_id}/correction", json=chosen, headers=headers)
    assert answer.status_code == 200, answer.text
    number: int = answer.json()["id"]
    return number


async def agreeing(house: House, play: listener.Play, right: str) -> tuple[int, dict[str, tuple[str, int]]]:
    """Have three listeners play a name and correct it alike; return it, and each one's token and correction."""
    tokens = {name: await another(house, name) for name in ("otto", "eva", "ida")}
    for token in tokens.values():
        await submit_as(house, token, ago(house, play, 10))
    await house.until_settled()
    lookup_id = await lookup_of(house, play)
    acts = {name: (token, await corrected(house, token, lookup_id, right)) for name, token in tokens.items()}
    return lookup_id, acts


async def undo(house: House, token: str, correction_id: int) -> None:
    headers = {"authorization": f"Token {token}"}
    answer = await house.client.post(f"{API}/corrections/{correction_id}/undo", headers=headers)
    assert answer.status_code == 200, answer.text


async def test_the_fourth_listener_sees_what_three_agree_on_until_one_undoes_it(house: House) -> None:
    play, other = house.names(2)
    right, wrong = house.truth(other).recording_mbid, house.truth(play).recording_mbid
    lookup_id, acts = await agreeing(house, play, right)
    await house.until_quiet()  # the corrected album's cover is looked for
    requests = await house.count("SELECT count(*) FROM traces")
    await house.submit(ago(house, play, 5), kind="single")
    assert await shown(house) == [right]
    assert await house.count("SELECT count(*) FROM traces") == requests

    case = (await house.client.get(f"{API}/lookups/{lookup_id}")).json()
    assert '"consensus"' in json.dumps(case)
    scrobble = await house.count("SELECT max(id) FROM scrobbles")
    for text in (str(case), (await house.client.get(f"{API}/scrobbles/{scrobble}")).text):
        assert not any(re.search(rf"\b{name}\b", text) for name in acts)

    await undo(house, *acts["otto"])
    assert await shown(house) == [wrong]
    assert await shown(house, acts["otto"][0]) == [wrong]
    assert await shown(house, acts["eva"][0]) == [right]


async def test_deleting_an_account_takes_its_voice_along_and_pages_are_told(house: House) -> None:
    play, other = house.names(2)
    right, wrong = house.truth(other).recording_mbid, house.truth(play).recording_mbid
    await agreeing(house, play, right)
    await house.submit(ago(house, play, 5), kind="single")
    assert await shown(house) == [right]
    told: Any = "SELECT count(*) FROM events WHERE account_id = $1 AND kind = 'lookups_decided'"
    before = await house.count(told, house.account_id)
    gone = await house.count("SELECT id FROM accounts WHERE name = 'ida'")
    await farewell.leave(house.parts.database, house.parts.files, gone, house.clock.now())
    assert await shown(house) == [wrong]
    assert await house.count(told, house.account_id) == before + 1
