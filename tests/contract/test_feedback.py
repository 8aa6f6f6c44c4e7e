"""What is loved and hated, by ListenBrainz' API and by ours."""

from __future__ import annotations

from typing import Any
from uuid import RFC_4122, UUID

import pytest
from tests.contract.listens import AT, MBID, listen, listens, submit
from tests.serving import Listener
from tests.unit.pipeline.submits import match_with_album

from sleevenotes.store import accounts


async def give(maria: Listener, **given: Any) -> Any:
    return await maria.client.post("/1/feedback/recording-feedback", json=given, headers=maria.header)


async def feedback(maria: Listener, **query: Any) -> Any:
    reply = await maria.client.get("/1/feedback/user/Maria/get-feedback", params=query, headers=maria.header)
    assert reply.status_code == 200, reply.text
    return reply.json()


async def test_a_recording_is_named_by_the_msid_of_a_listen_by_its_mbid_or_by_its_names(maria: Listener) -> None:
    await submit(maria, "single", listen("Roygbiv", release_name="Music Has the Right to Children"))
    await submit(maria, "single", listen("Olson", additional_info={"recording_mbid": MBID}))
    msid = next(one["recording_msid"] for one in await listens(maria) if "Roygbiv" in str(one))
    assert (await give(maria, score=1, recording_msid=msid)).json() == {"status": "ok"}
    assert (await give(maria, score=-1, recording_mbid=MBID)).json() == {"status": "ok"}
    assert (await give(maria, score=1, artist_name="Low", track_name="Monkey")).json() == {"status": "ok"}
    told = await feedback(maria, metadata="true")
    assert [(one["track_metadata"]["track_name"], one["score"]) for one in told["feedback"]] == [
        ("Monkey", 1),
        ("Olson", -1),
        ("Roygbiv", 1),
    ]
    assert (await feedback(maria, score=-1))["total_count"] == 1
    way = "/1/feedback/user/maria/get-feedback-for-recordings"
    query = {"recording_msids": msid, "recording_mbids": MBID}
    asked = (await maria.client.get(way, params=query, headers=maria.header)).json()["feedback"]
    posted = await maria.client.post(
        way, json={"recording_msids": [msid], "recording_mbids": [MBID]}, headers=maria.header
    )
    assert [one["score"] for one in asked] == [1, -1]
    assert posted.json()["feedback"] == asked
    await give(maria, score=0, recording_msid=msid)
    assert (await feedback(maria, score=1))["total_count"] == 1


async def play_now(maria: Listener, **info: Any) -> str:
    item = {"track_metadata": {"artist_name": "Boards of Canada", "track_name": "Roygbiv", "additional_info": info}}
    sent = {"listen_type": "playing_now", "payload": [item]}
    reply = await maria.client.post("/1/submit-listens?return_msid=true", json=sent, headers=maria.header)
    return str(reply.json()["recording_msid"])


async def loved(maria: Listener) -> list[str]:
    return [one["track_metadata"]["track_name"] for one in (await feedback(maria, metadata="true"))["feedback"]]


async def matched(maria: Listener) -> str:
    """Match the only name; return the MBID that its plays are given back with."""
    async with maria.services.database.transaction() as conn:
        await match_with_album(conn, await conn.fetchval("SELECT id FROM lookups"), maria.services.clock.now())
        return str(await conn.fetchval("SELECT mbid FROM recordings"))


async def test_what_plays_now_is_loved_by_the_msid_it_was_answered_with(maria: Listener) -> None:
    msid = await play_now(maria)
    assert (UUID(msid).version, UUID(msid).variant) == (8, RFC_4122)  # clients that check ids take it
    assert (await give(maria, score=1, recording_msid=msid)).json() == {"status": "ok"}
    assert await loved(maria) == ["Roygbiv"]
    way = "/1/feedback/user/maria/get-feedback-for-recordings"
    asked = await maria.client.get(way, params={"recording_msids": msid}, headers=maria.header)
    assert [one["score"] for one in asked.json()["feedback"]] == [1]


async def test_what_plays_now_is_loved_by_the_mbid_it_is_given_back_with(maria: Listener) -> None:
    await play_now(maria)
    mbid = await matched(maria)
    playing = (await maria.client.get("/1/user/maria/playing-now", headers=maria.header)).json()["payload"]
    assert playing["listens"][0]["track_metadata"]["mbid_mapping"]["recording_mbid"] == mbid
    assert (await give(maria, score=1, recording_mbid=mbid)).json() == {"status": "ok"}
    assert await loved(maria) == ["Roygbiv"]


async def test_what_plays_now_is_loved_by_the_mbid_it_was_sent_with(maria: Listener) -> None:
    await play_now(maria, recording_mbid=MBID)
    assert (await give(maria, score=1, recording_mbid=MBID)).json() == {"status": "ok"}
    assert await loved(maria) == ["Roygbiv"]


async def test_an_msid_is_good_however_many_plays_came_after(maria: Listener) -> None:
    await submit(maria, "single", listen("Roygbiv"))
    msid = (await listens(maria))[0]["recording_msid"]
    for pack in range(6):
        later = AT + 1 + pack * 1000
        await submit(maria, "import", *(listen(f"later {at}", at) for at in range(later, later + 1000)))
    assert (await give(maria, score=1, recording_msid=msid)).json() == {"status": "ok"}
    assert await loved(maria) == ["Roygbiv"]


async def test_an_msid_that_feedback_is_listed_with_takes_it_back(maria: Listener) -> None:
    await give(maria, score=1, artist_name="Low", track_name="Monkey")
    msid = (await feedback(maria))["feedback"][0]["recording_msid"]
    assert (await give(maria, score=0, recording_msid=msid)).json() == {"status": "ok"}
    assert await loved(maria) == []


async def test_nobody_loves_by_what_another_plays(maria: Listener) -> None:
    msid = await play_now(maria, recording_mbid=MBID)
    now = maria.services.clock.now()
    async with maria.services.database.connection() as conn:
        otto = await accounts.create(conn, "otto", "", is_owner=False, now=now)
        token = await accounts.create_token(conn, otto.id, "phone", now, scopes=accounts.EVERYTHING)
    theirs = maria._replace(account=otto, token=token)
    assert (await give(theirs, score=1, recording_msid=msid)).status_code == 404
    assert (await give(theirs, score=1, recording_mbid=MBID)).status_code == 404


# ---------------------------------------------------------------- finding out what a recording is


async def looked_up(maria: Listener, way: str = "/1/metadata/lookup", **query: str) -> Any:
    reply = await maria.client.get(way, params=query, headers=maria.header)
    assert reply.status_code == 200, reply.text
    return reply.json()


async def test_names_of_what_one_plays_lead_to_the_recording(maria: Listener) -> None:
    await play_now(maria)
    mbid = await matched(maria)
    asked = {"artist_name": "boards of canada", "recording_name": "ROYGBIV"}
    told = await looked_up(maria, **asked)
    assert (told["recording_mbid"], told["recording_name"]) == (mbid, "Roygbiv")
    assert set(told) == {
        *("artist_credit_name", "artist_mbids", "recording_mbid", "recording_name", "release_mbid", "release_name")
    }
    maria.services.clock.turn(3600)  # type: ignore[attr-defined] # the hand clock of all of these tests
    assert await looked_up(maria, **asked) == {}  # neither plays nor was played
    await submit(maria, "single", listen("Roygbiv"))
    for way in ("/1/metadata/lookup", "/1/metadata/lookup/", "/apis/listenbrainz/1/metadata/lookup/"):
        assert await looked_up(maria, way, **asked) == told
    assert (await give(maria, score=1, recording_mbid=told["recording_mbid"])).json() == {"status": "ok"}


async def test_names_that_are_not_matched_lead_to_nothing(maria: Listener) -> None:
    await submit(maria, "single", listen("Roygbiv"))
    for track in ("Roygbiv", "Olson"):
        assert await looked_up(maria, artist_name="Boards of Canada", recording_name=track) == {}


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"recording_name": "Roygbiv"}, "artist_name"),
        ({"artist_name": "Low"}, "recording_name"),
        ({"artist_name": "Low\0", "recording_name": "Monkey"}, "artist_name"),
        ({"artist_name": "Low", "recording_name": "Mon\0key"}, "recording_name"),
    ],
)
async def test_a_lookup_without_names_is_refused_in_words(maria: Listener, query: dict[str, str], field: str) -> None:
    reply = await maria.client.get("/1/metadata/lookup", params=query, headers=maria.header)
    assert (reply.status_code, field in reply.json()["error"]) == (400, True)


async def test_a_lookup_is_for_tokens_that_may_read(maria: Listener) -> None:
    query = {"artist_name": "Low", "recording_name": "Monkey"}
    assert (await maria.client.get("/1/metadata/lookup", params=query)).status_code == 401


@pytest.mark.parametrize(
    ("given", "status", "says"),
    [
        ({"score": 2, "recording_mbid": MBID}, 400, "1, 0 or -1"),
        ({"score": 1}, 400, "recording_mbid or recording_msid"),
        ({"score": 1, "recording_mbid": "nothing"}, 400, "recording_mbid MBID format invalid."),
        ({"recording_mbid": MBID}, 400, "score"),
        ({"score": 1, "recording_mbid": MBID}, 404, "No play of yours"),
        ({"score": 1, "artist_name": "L\0w", "track_name": "Monkey"}, 400, "artist_name"),
        ({"score": 1, "artist_name": "Low", "track_name": "\0"}, 400, "track_name"),
    ],
)
async def test_feedback_that_means_nothing_is_refused_in_words(
    maria: Listener, given: dict[str, Any], status: int, says: str
) -> None:
    reply = await give(maria, **given)
    assert reply.status_code == status
    assert says in reply.json()["error"]


async def test_our_own_api_gives_it_by_the_scrobble(maria: Listener) -> None:
    await submit(maria, "import", listen("Roygbiv"), listen("ROYGBIV", at=1_767_000_500))
    (one, other) = (await maria.client.get("/api/v1/scrobbles", headers=maria.header)).json()["scrobbles"]
    way = f"/api/v1/scrobbles/{one['id']}/feedback"
    assert (await maria.client.put(way, json={"score": 1}, headers=maria.header)).json() == {"score": 1}
    again = (await maria.client.get(f"/api/v1/scrobbles/{other['id']}", headers=maria.header)).json()
    assert again["feedback"] == 1  # the same track
    page = (await maria.client.get("/api/v1/feedback", headers=maria.header)).json()
    assert (page["total"], page["feedback"][0]["artist_name"]) == (1, "Boards of Canada")
    wrong = await maria.client.put(way, json={"score": "much"}, headers=maria.header)
    assert (wrong.status_code, wrong.json()["error"]["details"][0]["field"]) == (422, "score")
    nobody = await maria.client.put("/api/v1/scrobbles/999/feedback", json={"score": 1}, headers=maria.header)
    assert nobody.status_code == 404
