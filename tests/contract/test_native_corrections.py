"""The native API of corrections: its shapes, its refusals, and that nobody reaches another's names."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import httpx
import pytest
from tests.serving import Listener
from tests.unit.store import given

from sleevenotes import model
from sleevenotes.clock import HandClock
from sleevenotes.matching import decide
from sleevenotes.model import Band, Scrobble
from sleevenotes.store import accounts, catalog, matches

API = "/api/v1"
KELP = given.recording("Kelp", "Marrow & Tide")
ALBUM = given.release("Salt Almanac", "Marrow & Tide")
NEAR = decide.Weighed(
    decide.Option(KELP, (ALBUM,), "musicbrainz"), 0.05, (model.Penalty("credited to Marrow & Tide", 0.05),)
)


async def ask(maria: Listener, method: str, path: str, **more: Any) -> httpx.Response:
    return await maria.client.request(method, f"{API}{path}", headers=maria.header, **more)


async def play(maria: Listener, track: str, count: int = 1, *, account_id: int = 0) -> int:
    """Play a name a few times; return its lookup."""
    services = maria.services
    at = services.clock.now() - timedelta(days=1)
    sent = [Scrobble("Marrow", track, listened_at=at + timedelta(minutes=n)) for n in range(count)]
    stored = await services.submitter.submit(account_id or maria.account.id, sent, band=Band.DEFAULT)
    return stored[0].lookup_id


async def leave_alone(maria: Listener, lookup_id: int) -> None:
    """Decide that a name is undecided, with a near miss."""
    outcome = matches.Outcome(lookup_id, model.Status.NOT_FOUND, "too near", candidates=[NEAR])
    async with maria.services.database.transaction() as conn:
        await matches.settle(conn, [outcome], maria.services.clock.now())


async def match(maria: Listener, lookup_id: int, title: str, distance: float) -> None:
    """Decide a name to be the recording of that title."""
    async with maria.services.database.transaction() as conn:
        now = maria.services.clock.now()
        [kept] = await catalog.keep(conn, [(given.recording(title, "Marrow"), ALBUM)], now)
        penalties = (model.Penalty("the title differs", distance),) if distance else ()
        identity = matches.Identity(*kept, "musicbrainz", distance, "so", penalties)
        await matches.settle(conn, [matches.matched(lookup_id, identity)], now)


async def test_the_review_lists_what_is_most_played_and_most_doubtful_first(maria: Listener) -> None:
    near = await play(maria, "Kelp", 2)
    await leave_alone(maria, near)
    far = await play(maria, "Ash", 3)
    await match(maria, far, "Ashes", 0.06)
    await match(maria, await play(maria, "Fog", 9), "Fog", 0.0)
    told = (await ask(maria, "GET", "/review")).json()
    assert (told["left"], [each["lookup_id"] for each in told["cases"]]) == (2, [near, far])
    first, second = told["cases"]
    assert (first["status"], first["shown"], first["doubts"]) == (
        "not_found",
        None,
        [{"words": "too near", "weight": 1}],
    )
    assert (first["plays"], first["score"]) == (2, 2.0)
    assert (second["shown"]["track_name"], second["doubts"][0]["words"]) == ("Ashes", "the title differs")
    assert (await ask(maria, "GET", "/review?limit=1")).json()["left"] == 2
    assert (await ask(maria, "GET", "/review?limit=0")).json()["error"]["details"][0]["field"] == "limit"


async def test_a_near_miss_is_accepted_without_asking_anybody(maria: Listener) -> None:
    lookup_id = await play(maria, "Kelp")
    await leave_alone(maria, lookup_id)
    opened = (await ask(maria, "GET", f"/lookups/{lookup_id}")).json()
    [candidate] = opened["candidates"]
    assert (candidate["candidate"], candidate["artist_name"]) == (KELP.mbid, "Marrow & Tide")
    assert candidate["doubts"] == ["credited to Marrow & Tide"]
    answer = await ask(maria, "PUT", f"/lookups/{lookup_id}/correction", json={"candidate": KELP.mbid})
    assert answer.status_code == 200
    assert (answer.json()["kind"], answer.json()["names"], answer.json()["everybody"]) == ("match", 1, False)
    [scrobble] = (await ask(maria, "GET", "/scrobbles")).json()["scrobbles"]
    assert (scrobble["lookup_id"], scrobble["metadata_status"]) == (lookup_id, "enriched")
    assert (scrobble["track"]["mbid"], scrobble["album"]["name"]) == (KELP.mbid, "Salt Almanac")
    async with maria.services.database.connection() as conn:
        assert await conn.fetchval("SELECT count(*) FROM wants") == 0
    assert (await ask(maria, "GET", f"/lookups/{lookup_id}")).json()["case"]["led_by"] == "correction"
    assert (await ask(maria, "GET", "/review")).json()["left"] == 0


async def test_names_are_confirmed_together_and_stay_what_they_are(maria: Listener) -> None:
    names = [await play(maria, track) for track in ("Ash", "Fog")]
    for lookup_id in names:
        await match(maria, lookup_id, "Ashes", 0.1)
    made = (await ask(maria, "POST", "/corrections", json={"lookups": [*names, names[0]]})).json()
    assert (made["kind"], made["names"]) == ("confirmed", 2)
    await match(maria, names[0], "Something Else", 0.0)
    shown = (await ask(maria, "GET", f"/lookups/{names[0]}")).json()["case"]["shown"]
    assert shown["track_name"] == "Ashes"
    [told] = (await ask(maria, "GET", "/corrections")).json()["corrections"]
    assert told == made
    undone = await ask(maria, "POST", f"/corrections/{made['id']}/undo")
    assert undone.json() == {"lookup_ids": sorted(names)}
    assert (await ask(maria, "GET", f"/lookups/{names[0]}")).json()["case"]["shown"]["track_name"] == "Something Else"


@pytest.mark.parametrize(
    ("method", "path", "body", "field"),
    [
        ("PUT", "/lookups/{}/correction", {}, "candidate"),
        ("PUT", "/lookups/{}/correction", {"none": True, "confirm": True}, "candidate"),
        ("PUT", "/lookups/{}/correction", {"candidate": given.mbid("nobody")}, "candidate"),
        ("PUT", "/lookups/{}/correction", {"candidate": 7}, "candidate"),
        ("PUT", "/lookups/{}/correction", {"confirm": True}, "lookups"),  # it has no match
        ("PUT", "/lookups/{}/album/correction", {"search_id": 1}, "search"),
        ("POST", "/corrections", {"lookups": []}, "lookups"),
        ("POST", "/lookups/{}/searches", {"link": "https://example.com"}, "link"),
        ("POST", "/lookups/{}/searches", {"artist_name": " ", "track_name": "x"}, "artist"),
        ("POST", "/lookups/{}/searches", {"artist_name": "x" * 501, "track_name": "x"}, "artist"),
        (
            "POST",
            "/lookups/{}/searches",
            {"link": f"musicbrainz.org/recording/{KELP.mbid}", "whole_album": True},
            "link",
        ),
    ],
)
async def test_what_cannot_be_is_refused_with_the_field(
    maria: Listener, method: str, path: str, body: object, field: str
) -> None:
    lookup_id = await play(maria, "Kelp")
    await leave_alone(maria, lookup_id)
    answer = await ask(maria, method, path.format(lookup_id), json=body)
    assert answer.status_code == 422, answer.text
    error = answer.json()["error"]
    assert error["code"] == "validation_failed"
    assert [each["field"] for each in error["details"]] == [field]


async def test_names_searches_and_corrections_of_others_are_not_there(maria: Listener, clock: HandClock) -> None:
    async with maria.services.database.connection() as conn:
        otto = await accounts.create(conn, "otto", "", is_owner=False, now=clock.now())
        token = await accounts.create_token(conn, otto.id, "phone", clock.now())
    theirs = await play(maria, "Kelp", account_id=otto.id)
    await leave_alone(maria, theirs)
    as_otto = maria._replace(account=otto, token=token)
    made = (await ask(as_otto, "PUT", f"/lookups/{theirs}/correction", json={"none": True})).json()
    begun = await ask(as_otto, "POST", f"/lookups/{theirs}/searches", json={"artist_name": "a", "track_name": "b"})
    assert begun.status_code == 202
    for method, path, body in (
        ("GET", f"/lookups/{theirs}", None),
        ("GET", f"/searches/{begun.json()['id']}", None),
        ("PUT", f"/lookups/{theirs}/correction", {"none": True}),
        ("PUT", f"/lookups/{theirs}/correction", {"candidate": KELP.mbid}),
        ("DELETE", f"/lookups/{theirs}/correction", None),
        ("PUT", f"/lookups/{theirs}/album/correction", {"search_id": begun.json()["id"]}),
        ("POST", f"/lookups/{theirs}/searches", {"artist_name": "a", "track_name": "b"}),
        ("POST", "/corrections", {"lookups": [theirs]}),
        ("POST", f"/corrections/{made['id']}/undo", None),
        ("POST", f"/corrections/{made['id']}/everybody", None),
        ("GET", "/lookups/99999999999999999999", None),
    ):
        answer = await ask(maria, method, path, json=body)
        assert answer.status_code == 404, (path, answer.text)
        assert answer.json()["error"]["code"] == "not_found"
    assert (await ask(maria, "GET", "/corrections")).json() == {"corrections": []}
    assert (await ask(as_otto, "GET", "/corrections")).json()["corrections"] == [made]


async def test_writing_takes_a_token_and_reading_something(maria: Listener) -> None:
    for method, path in (
        ("GET", "/review"),
        ("GET", "/corrections"),
        ("PUT", "/lookups/1/correction"),
        ("POST", "/corrections"),
        ("POST", "/corrections/1/undo"),
        ("POST", "/lookups/1/searches"),
    ):
        answer = await maria.client.request(method, f"{API}{path}", json={})
        assert answer.status_code == 401, path


async def test_the_description_names_every_field_of_a_correction(maria: Listener) -> None:
    document = (await maria.client.get("/api/openapi.json")).json()
    body = document["paths"]["/api/v1/lookups/{lookup_id}/correction"]["put"]["requestBody"]
    shape = body["content"]["application/json"]["schema"]["properties"]
    assert set(shape) == {"candidate", "search_id", "none", "confirm", "everybody"}
    page = (await maria.client.get("/api/docs")).text
    assert "PUT /api/v1/lookups/{lookup_id}/correction" in page
