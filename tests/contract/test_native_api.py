"""The native API, version 1: the shape its clients know, without the faults of the system it came from."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from tests.serving import Listener
from tests.unit.pipeline.submits import match_with_album

from sleevenotes.clock import HandClock
from sleevenotes.server import auth
from sleevenotes.store import accounts

AT = "2025-12-31T20:00:00Z"


def scrobble(track: str = "Roygbiv", played_at: Any = AT, **more: Any) -> dict[str, Any]:
    return {
        "track_name": track,
        "artist_name": "Boards of Canada",
        "played_at": played_at,
        "source_app": "phone",
        **more,
    }


async def submit(maria: Listener, *scrobbles: Any) -> Any:
    return await maria.client.post("/api/v1/scrobbles", json={"scrobbles": list(scrobbles)}, headers=maria.header)


async def read(maria: Listener, path: str = "", **query: Any) -> Any:
    reply = await maria.client.get(f"/api/v1/scrobbles{path}", params=query, headers=maria.header)
    assert reply.status_code == 200, reply.text
    return reply.json()


# ---------------------------------------------------------------- submitting


async def test_a_submit_answers_with_each_stored_scrobble(maria: Listener) -> None:
    sent = scrobble(
        album_name="Music Has the Right to Children",
        album_artist="BoC",
        duration_ms=151_000,
        source_device="pocket",
        genre="IDM",
        year=1998,
        artwork_uri="https://example.org/a.jpg",
        recording_mbid=str(uuid.uuid4()),
        lastfm_loved=True,
    )
    reply = await submit(maria, sent)
    assert reply.status_code == 201
    answer = reply.json()
    assert (answer["accepted"], answer["rejected"], answer["errors"]) == (1, 0, [])
    (stored,) = answer["scrobbles"]
    assert (stored["index"], stored["duplicate"], stored["metadata_status"]) == (0, False, "pending")
    for field in (
        "track_name",
        "artist_name",
        "album_name",
        "album_artist",
        "duration_ms",
        "source_app",
        "artwork_uri",
    ):
        assert stored[field] == sent[field], field
    assert stored["played_at"] == AT
    assert stored["extra"] == {"genre": "IDM", "year": 1998, "lastfm_loved": True}
    assert (stored["track"], stored["artist"], stored["album"], stored["effective_artwork_url"]) == (None,) * 4


async def test_each_bad_item_is_named_with_all_its_faults_and_the_others_are_stored(maria: Listener) -> None:
    bad = {"track_name": "x" * 501, "played_at": "yesterday", "year": 1700, "duration_ms": 10}
    reply = await submit(maria, scrobble("one"), bad, scrobble("two", "2025-12-31T20:10:00+01:00"), "nonsense")
    assert reply.status_code == 201
    answer = reply.json()
    assert (answer["accepted"], answer["rejected"]) == (2, 2)
    assert [each["index"] for each in answer["scrobbles"]] == [0, 2]
    first, second = answer["errors"]
    assert first["index"] == 1
    assert {each["field"] for each in first["errors"]} == {
        *("artist_name", "track_name", "played_at", "year", "duration_ms", "source_app")
    }
    assert second["index"] == 3
    assert [each["track_name"] for each in (await read(maria))["scrobbles"]] == ["one", "two"]


@pytest.mark.parametrize("way", ["/api/v1/scrobbles", "/api/v1/scrobbles/from_lastfm"])
async def test_half_an_emoji_in_one_item_loses_no_other(maria: Listener, way: str) -> None:
    body = msgspec.json.encode({"scrobbles": [scrobble("half"), scrobble("whole", "2025-12-31T21:00:00Z")]})
    reply = await maria.client.post(way, content=body.replace(b"half", rb"half \uD83D"), headers=maria.header)
    assert (reply.status_code, reply.json()["errors"]) == (201, [])
    assert [one["track_name"] for one in reply.json()["scrobbles"]] == ["half \ufffd", "whole"]


async def test_without_a_valid_item_it_is_422_with_the_faults(maria: Listener) -> None:
    reply = await submit(maria, scrobble(source_app=""))
    assert reply.status_code == 422
    assert reply.json() == {
        "error": {
            "code": "validation_failed",
            "message": "None of these scrobbles is valid.",
            "details": [{"index": 0, "errors": [{"field": "source_app", "message": "is required"}]}],
        }
    }


UNFIT: dict[str, list[Any]] = {
    **{field: ["x" * 501, 7] for field in ("track_name", "artist_name", "album_name", "source_app")},
    "album_artist": ["x" * 501],
    "played_at": [None, "", "soon", True, [], 1e30, "2026-01-01T01:00:01Z", -1e10],
    "duration_ms": [29_999, "long", 1.5, True, 10**12],
    "year": [1799, 2101, "1998"],
    "genre": ["x" * 101],
    "artwork_uri": [7, "javascript:alert(1)", "file:///etc/passwd", "https://" + "x" * 2000],
    **{field: ["no-mbid"] for field in ("recording_mbid", "release_mbid", "release_group_mbid", "artist_mbids")},
    "isrc": [7],
    "track_number": ["A1"],
}


@pytest.mark.parametrize(("field", "value"), [(field, value) for field, values in UNFIT.items() for value in values])
async def test_a_field_beyond_its_limits_is_refused_by_its_name(maria: Listener, field: str, value: Any) -> None:
    reply = await submit(maria, {**scrobble(), field: value})
    assert reply.status_code == 422
    assert field in {each["field"] for each in reply.json()["error"]["details"][0]["errors"]}
    assert (await read(maria))["scrobbles"] == []


@pytest.mark.parametrize(
    "played_at", [AT, "2025-12-31T21:00:00+01:00", "2025-12-31T20:00:00", 1_767_211_200, 1_767_211_200.0, "1767211200"]
)
async def test_times_come_in_every_usual_form(maria: Listener, played_at: Any) -> None:
    (stored,) = (await submit(maria, scrobble(played_at=played_at))).json()["scrobbles"]
    assert stored["played_at"] == AT


async def test_an_old_play_is_welcome(maria: Listener) -> None:
    assert (await submit(maria, scrobble(played_at="1999-05-05T05:05:05Z"))).status_code == 201


async def test_the_same_track_within_thirty_seconds_is_the_same_play(maria: Listener) -> None:
    (first,) = (await submit(maria, scrobble())).json()["scrobbles"]
    again = (
        await submit(maria, scrobble("ROYGBIV", "2025-12-31T20:00:30Z"), scrobble(played_at="2025-12-31T20:00:31Z"))
    ).json()
    assert again["accepted"] == 2
    assert [(each["id"] == first["id"], each["duplicate"]) for each in again["scrobbles"]] == [
        (True, True),
        (False, False),
    ]
    assert len((await read(maria))["scrobbles"]) == 2


@pytest.mark.parametrize(
    ("body", "code", "status"),
    [
        (b"{", "validation_failed", 422),
        (b"\xff", "validation_failed", 422),
        (b"[]", "validation_failed", 422),
        (b'{"scrobbles":[]}', "validation_failed", 422),
        (b'{"scrobbles":[' + b"1," * 50 + b"1]}", "validation_failed", 422),
        (b'{"scrobbles":' + b"[" * 5000, "validation_failed", 422),
        (b" " * 11_000_000, "payload_too_large", 413),
    ],
)
async def test_a_bad_envelope_is_told_in_the_apis_words(maria: Listener, body: bytes, code: str, status: int) -> None:
    reply = await maria.client.post("/api/v1/scrobbles", content=body, headers=maria.header)
    assert (reply.status_code, reply.json()["error"]["code"]) == (status, code)


async def test_without_a_token_it_is_401_and_a_session_may_read_but_not_write(maria: Listener) -> None:
    assert (await maria.client.get("/api/v1/scrobbles")).json()["error"]["code"] == "unauthorized"
    async with maria.services.database.connection() as conn:
        cookie = await accounts.open_session(conn, maria.account.id, maria.services.clock.now())
    maria.client.cookies.set(auth.SESSION_COOKIE, cookie)
    assert (await maria.client.get("/api/v1/scrobbles")).status_code == 200
    assert (await maria.client.post("/api/v1/scrobbles", json={"scrobbles": [scrobble()]})).status_code == 401


# ---------------------------------------------------------------- reading


async def test_pages_hold_exactly_what_was_asked_for_and_repeat_nothing(maria: Listener) -> None:
    same_second = [scrobble(f"track {i}") for i in range(7)]
    await submit(maria, *same_second, *(scrobble(f"later {i}", f"2025-12-31T21:{i:02}:00Z") for i in range(18)))
    seen: list[int] = []
    sizes: list[int] = []
    cursor = None
    while True:
        page = await read(maria, limit=10, **({"cursor": cursor} if cursor else {}))
        sizes.append(len(page["scrobbles"]))
        seen += [each["id"] for each in page["scrobbles"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert sizes == [10, 10, 5]
    assert len(set(seen)) == 25


async def test_a_page_that_ends_exactly_at_the_last_scrobble_has_no_next(maria: Listener) -> None:
    await submit(maria, scrobble("a"), scrobble("b"))
    assert (await read(maria, limit=2))["next_cursor"] is None


async def test_since_is_inclusive_and_until_exclusive(maria: Listener) -> None:
    await submit(maria, *(scrobble(f"t{i}", f"2025-12-31T20:{i:02}:00Z") for i in range(5)))
    page = await read(maria, since="2025-12-31T20:01:00Z", until="1767211380")
    assert [each["track_name"] for each in page["scrobbles"]] == ["t2", "t1"]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("limit=0", "limit"),
        ("cursor=abc", "cursor"),
        ("cursor=%C3%A9", "cursor"),
        ("since=soon", "since"),
        ("until=x", "until"),
    ],
)
async def test_a_bad_query_is_422_and_names_the_field(maria: Listener, query: str, field: str) -> None:
    reply = await maria.client.get(f"/api/v1/scrobbles?{query}", headers=maria.header)
    assert reply.status_code == 422
    assert reply.json()["error"]["details"][0]["field"] == field


async def test_a_limit_that_is_no_number_is_told_as_an_error_of_ours(maria: Listener) -> None:
    reply = await maria.client.get("/api/v1/scrobbles?limit=many", headers=maria.header)
    assert reply.status_code == 400
    assert reply.json()["error"]["code"] == "bad_request"


async def test_recent_has_the_submit_at_once_and_what_plays_now(maria: Listener) -> None:
    await submit(maria, scrobble())
    await maria.client.post(
        "/1/submit-listens",
        json={
            "listen_type": "playing_now",
            "payload": [{"track_metadata": {"artist_name": "Boards of Canada", "track_name": "Olson"}}],
        },
        headers=maria.header,
    )
    answer = await read(maria, "/recent")
    assert answer["now_playing"]["track_name"] == "Olson"
    assert [each["track_name"] for each in answer["scrobbles"]] == ["Roygbiv"]


async def test_a_matched_scrobble_nests_its_track_artist_and_album(maria: Listener) -> None:
    (stored,) = (await submit(maria, scrobble())).json()["scrobbles"]
    async with maria.services.database.transaction() as conn:
        lookup_id = await conn.fetchval("SELECT id FROM lookups")
        group_id = await match_with_album(conn, lookup_id, maria.services.clock.now())
    answer = await read(maria, f"/{stored['id']}")
    assert answer["metadata_status"] == "enriched"
    assert answer["track"]["name"] == "Roygbiv"
    assert (answer["artist"]["name"], answer["artist"]["credits"][0]["join_phrase"]) == ("Boards of Canada", "")
    assert (answer["album"]["id"], answer["album"]["name"]) == (group_id, "Music Has the Right to Children")
    assert await read(maria, f"/{stored['id']}/enrichment_status") == {
        "status": "enriched",
        "has_artwork": False,
        "estimated_completion": None,
    }


# ---------------------------------------------------------------- deleting, and others' scrobbles


async def test_a_deleted_scrobble_is_gone(maria: Listener) -> None:
    (stored,) = (await submit(maria, scrobble())).json()["scrobbles"]
    path = f"/api/v1/scrobbles/{stored['id']}"
    assert (await maria.client.delete(path, headers=maria.header)).status_code == 204
    again = await maria.client.delete(path, headers=maria.header)
    assert (again.status_code, again.json()["error"]["code"]) == (404, "not_found")


async def test_others_scrobbles_are_not_found(maria: Listener, clock: HandClock) -> None:
    (stored,) = (await submit(maria, scrobble())).json()["scrobbles"]
    async with maria.services.database.connection() as conn:
        otto = await accounts.create(conn, "otto", "", is_owner=False, now=clock.now())
        token = await accounts.create_token(conn, otto.id, "phone", clock.now())
    header = {"Authorization": f"Bearer {token}"}
    path = f"/api/v1/scrobbles/{stored['id']}"
    assert (await maria.client.get(path, headers=header)).status_code == 404
    assert (await maria.client.get(f"{path}/enrichment_status", headers=header)).status_code == 404
    assert (await maria.client.delete(path, headers=header)).status_code == 404
    assert len((await read(maria))["scrobbles"]) == 1
    assert (await maria.client.get(f"/api/v1/scrobbles/{2**70}", headers=header)).status_code == 404


# ---------------------------------------------------------------- describing itself


async def test_the_api_describes_itself_and_loads_nothing_from_elsewhere(maria: Listener) -> None:
    document = (await maria.client.get("/api/openapi.json")).json()
    assert set(document["paths"]["/api/v1/scrobbles"]) == {"get", "post"}
    body = document["paths"]["/api/v1/scrobbles"]["post"]["requestBody"]
    item = body["content"]["application/json"]["schema"]["properties"]["scrobbles"]["items"]
    assert item["required"] == ["artist_name", "track_name", "played_at", "source_app"]
    assert not any(path.startswith(("/1/", "/login", "/images")) for path in document["paths"])
    page = await maria.client.get("/api/docs")
    assert page.headers["content-type"].startswith("text/html")
    for path in document["paths"]:
        assert path in page.text
    assert "://" not in page.text
    assert "<script" not in page.text


async def test_an_answer_to_an_unknown_route_is_in_the_apis_words(maria: Listener) -> None:
    assert (await maria.client.get("/api/v1/nothing")).json()["error"]["code"] == "not_found"
    assert (await maria.client.put("/api/v1/scrobbles")).json()["error"]["code"] == "method_not_allowed"


async def test_too_many_requests_are_429_until_the_window_ends(maria: Listener, clock: HandClock) -> None:
    limit = maria.services.settings.requests_per_minute
    await read(maria)  # from now on the token is known, and counted
    maria.app.state.meter.count(maria.token, clock.now(), limit)
    reply = await maria.client.get("/api/v1/scrobbles", headers=maria.header)
    assert (reply.status_code, reply.json()["error"]["code"]) == (429, "rate_limited")
    assert reply.headers["x-ratelimit-remaining"] == "0"
    assert int(reply.headers["retry-after"]) > 0
    listenbrainz = await maria.client.get("/1/validate-token", headers=maria.header)
    assert listenbrainz.json()["code"] == 429
    clock.turn(timedelta(seconds=61).total_seconds())
    assert (await maria.client.get("/api/v1/scrobbles", headers=maria.header)).status_code == 200
