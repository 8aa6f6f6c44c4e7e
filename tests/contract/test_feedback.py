"""What is loved and hated, by ListenBrainz' API and by ours."""

from __future__ import annotations

from typing import Any

import pytest
from tests.contract.listens import MBID, listen, listens, submit
from tests.serving import Listener


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


@pytest.mark.parametrize(
    ("given", "status", "says"),
    [
        ({"score": 2, "recording_mbid": MBID}, 400, "1, 0 or -1"),
        ({"score": 1}, 400, "recording_mbid or recording_msid"),
        ({"score": 1, "recording_mbid": "nothing"}, 400, "recording_mbid MBID format invalid."),
        ({"recording_mbid": MBID}, 400, "score"),
        ({"score": 1, "recording_mbid": MBID}, 404, "No play of yours"),
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
