"""The ListenBrainz API as players speak it; every limit and message is upstreams §3.1's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from tests.serving import Listener

from sleevenotes.clock import HandClock
from sleevenotes.model import Band
from sleevenotes.store import accounts

AT = 1_767_000_000  # 2025-12-29; the clock stands at the start of 2026
MBID = "0E7A7C6E-3C4A-4CCB-8C2E-0D5C2F3B9A11"


def listen(track: str = "Roygbiv", at: Any = AT, **metadata: Any) -> dict[str, Any]:
    return {
        "listened_at": at,
        "track_metadata": {"artist_name": "Boards of Canada", "track_name": track, **metadata},
    }


def with_info(**info: Any) -> dict[str, Any]:
    return listen(additional_info=info)


async def submit(maria: Listener, kind: str, *payload: Any) -> Any:
    return await maria.client.post(
        "/1/submit-listens", json={"listen_type": kind, "payload": list(payload)}, headers=maria.header
    )


async def listens(maria: Listener, **query: Any) -> list[dict[str, Any]]:
    reply = await maria.client.get("/1/user/maria/listens", params=query, headers=maria.header)
    assert reply.status_code == 200, reply.text
    return list(reply.json()["payload"]["listens"])


# ---------------------------------------------------------------- submitting


async def test_a_single_listen_is_stored_and_read_back_as_it_was_sent(maria: Listener) -> None:
    info = {
        "media_player": "Tauon",
        "submission_client": "Tauon",
        "duration_ms": 151_000,
        "tags": ["idm"],
        "recording_mbid": MBID,
        "tracknumber": 3,
        "isrc": "GBBPW9800027",
        "mood": {"of": ["the", 1, None]},
    }
    sent = listen(release_name="Music Has the Right to Children", additional_info=info, novelty=True)
    reply = await submit(maria, "single", sent)
    assert (reply.status_code, reply.json()) == (200, {"status": "ok"})
    (stored,) = await listens(maria)
    assert (stored["listened_at"], stored["user_name"]) == (AT, "maria")
    assert stored["track_metadata"] == {
        **sent["track_metadata"],
        "additional_info": {**info, "recording_mbid": MBID.lower()},
    }


@pytest.mark.parametrize("path", ["/1", "/apis/listenbrainz/1"])
@pytest.mark.parametrize("kind", ["Token", "Bearer", "token"])
async def test_players_find_us_under_both_paths_with_either_kind_of_header(
    maria: Listener, path: str, kind: str
) -> None:
    body = {"listen_type": "single", "payload": [listen()]}
    header = {"Authorization": f"{kind} {maria.token}"}
    assert (await maria.client.post(f"{path}/submit-listens", json=body, headers=header)).status_code == 200
    assert (await maria.client.get(f"{path}/user/MARIA/listen-count", headers=header)).json() == {
        "payload": {"count": 1}
    }


async def test_an_import_stores_every_valid_item_and_names_the_others(maria: Listener) -> None:
    reply = await submit(
        maria, "import", listen("one"), listen(" ", AT + 1), listen("two", AT + 2), listen("three", 1), {"nonsense": 1}
    )
    assert reply.status_code == 200
    answer = reply.json()
    assert answer["status"] == "ok"
    assert [each["index"] for each in answer["rejected"]] == [1, 3, 4]
    assert answer["rejected"][0]["error"] == "JSON document does not contain required track_metadata.track_name."
    assert [each["track_metadata"]["track_name"] for each in await listens(maria)] == ["two", "one"]


async def test_an_import_without_a_valid_item_is_400_and_says_why_for_each(maria: Listener) -> None:
    reply = await submit(maria, "import", listen(" "), listen(at="soon"))
    assert reply.status_code == 400
    assert reply.json() == {
        "code": 400,
        "error": "JSON document does not contain required track_metadata.track_name.",
        "rejected": [
            {"index": 0, "error": "JSON document does not contain required track_metadata.track_name."},
            {"index": 1, "error": "JSON document must contain an int value for listened_at."},
        ],
    }


async def test_a_batch_of_a_thousand_of_which_some_are_known_stores_the_rest(maria: Listener) -> None:
    batch = [listen(f"track {i}", AT + i) for i in range(1000)]
    assert (await submit(maria, "import", *batch[:2])).status_code == 200
    assert (await submit(maria, "import", *batch)).json() == {"status": "ok"}
    reply = await maria.client.get("/1/user/maria/listen-count", headers=maria.header)
    assert reply.json() == {"payload": {"count": 1000}}


async def test_an_empty_import_is_ok(maria: Listener) -> None:
    assert (await submit(maria, "import")).json() == {"status": "ok"}


async def test_live_plays_are_more_urgent_than_imports(maria: Listener) -> None:
    await submit(maria, "single", listen("live"))
    await submit(maria, "import", listen("old", AT + 1))
    async with maria.services.database.connection() as conn:
        rows = await conn.fetch("SELECT track, band FROM lookups")
    assert dict(rows) == {"live": Band.DEFAULT, "old": Band.LOW_PRIORITY}


@pytest.mark.parametrize(
    ("item", "message"),
    [
        (listen(artist_name=""), "JSON document does not contain required track_metadata.artist_name."),
        (listen(artist_name=["a"]), "track_metadata.artist_name must be a single string."),
        (listen(track_name=5), "track_metadata.track_name must be a single string."),
        (listen(release_name=["x"]), "track_metadata.release_name must be a single string."),
        (listen(additional_info=[1]), "track_metadata.additional_info must be an object."),
        ({"listened_at": AT, "track_metadata": None}, "JSON document does not contain a valid track_metadata."),
        ({"track_metadata": {}}, "JSON document must contain the key listened_at at the top level."),
        (listen(at=None), "JSON document must contain an int value for listened_at."),
        (listen(at="x"), "JSON document must contain an int value for listened_at."),
        (
            listen(at=1_033_430_399),
            (
                "Value for key listened_at is too low. listened_at timestamp should be greater than 1033430400 "
                "(2002-10-01 00:00:00 UTC)."
            ),
        ),
        ({**listen(), "more": 1}, "JSON document may only contain listened_at and track_metadata top level keys"),
        (listen("a\0b"), "track_metadata contains a unicode null character"),
        (with_info(deep=[{"x": "\0"}]), "track_metadata contains a unicode null character"),
        (with_info(recording_mbid="x"), "recording_mbid MBID format invalid."),
        (with_info(release_group_mbid=7), "release_group_mbid MBID format invalid."),
        (with_info(artist_mbids=[MBID, "x"]), "artist_mbids MBID format invalid."),
        (with_info(artist_mbids=MBID), "artist_mbids MBID format invalid."),
        (with_info(duration=1, duration_ms=1000), "JSON document should not contain both duration and duration_ms."),
        (with_info(duration=-1), "Value for duration is invalid, should be a positive integer."),
        (with_info(duration_ms="long"), "Value for duration_ms is invalid, should be a positive integer."),
        (with_info(duration=2_073_601), "Value for duration is too high, maximum permitted value is 24 days."),
        (
            with_info(tags=["t"] * 51),
            "JSON document may not contain more than 50 items in track_metadata.additional_info.tags.",
        ),
        (
            with_info(tags=["t" * 65]),
            "JSON document may not contain track_metadata.additional_info.tags longer than 64 characters.",
        ),
        (
            with_info(note="x" * 10_240),
            "JSON document is too large. Each listens may not be larger than 10240 bytes.",
        ),
    ],
)
async def test_a_faulty_listen_is_refused_in_listenbrainz_words(
    maria: Listener, item: dict[str, Any], message: str
) -> None:
    reply = await submit(maria, "single", item)
    assert reply.status_code == 400
    assert reply.json() == {"code": 400, "error": message}
    assert await listens(maria) == []


async def test_a_players_clock_may_be_an_hour_ahead_and_no_more(maria: Listener, clock: HandClock) -> None:
    now = int(clock.now().timestamp())
    assert (await submit(maria, "single", listen(at=now + 3600))).status_code == 200
    late = await submit(maria, "single", listen(at=now + 3601))
    assert late.json() == {"code": 400, "error": "Value for key listened_at is too high."}


async def test_texts_are_stripped_numbers_are_cast_and_empty_ids_dropped(maria: Listener) -> None:
    sent = listen(
        "  Roygbiv ", str(AT), additional_info={"recording_mbid": "", "artist_mbids": [""], "duration": "151"}
    )
    assert (await submit(maria, "single", sent)).status_code == 200
    (stored,) = await listens(maria)
    assert stored["listened_at"] == AT
    assert stored["track_metadata"]["track_name"] == "Roygbiv"
    assert stored["track_metadata"]["additional_info"] == {"duration_ms": 151_000}


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"{", "Invalid JSON document submitted."),
        (b"\xff", "Invalid JSON document submitted."),
        (b'{"listen_type":"import","payload":' + b"[" * 5000, "Invalid JSON document submitted."),
        (b"[]", "Invalid JSON document submitted: its payload must be a list of listens."),
        (b'{"payload":[]}', "JSON document requires a valid listen_type key."),
        (b'{"listen_type":"double","payload":[]}', "JSON document requires a valid listen_type key."),
        (
            b'{"listen_type":"single","payload":{}}',
            "Invalid JSON document submitted: its payload must be a list of listens.",
        ),
        (
            b'{"listen_type":"single","payload":[1,2]}',
            "JSON document contains more than listen for a single or playing_now. It should contain only one.",
        ),
        (
            b'{"listen_type":"import","payload":[' + b"1," * 1000 + b"1]}",
            "Too many listens. You may not submit more than 1000 listens at once.",
        ),
        (b" " * 10_240_001, "Payload too large. Payload cannot exceed 10240000 bytes"),
        (b" " * 12_000_000, "Payload too large. Payload cannot exceed 10240000 bytes"),
    ],
)
async def test_a_bad_envelope_is_400(maria: Listener, body: bytes, message: str) -> None:
    reply = await maria.client.post("/1/submit-listens", content=body, headers=maria.header)
    assert (reply.status_code, reply.json()) == (400, {"code": 400, "error": message})


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ({}, "You need to provide an Authorization header."),
        ({"Authorization": "Basic abc"}, "Provided Authorization header is invalid."),
        ({"Authorization": "Token"}, "Provided Authorization header is invalid."),
        ({"Authorization": "Token 00000000-0000-4000-8000-000000000000"}, "Invalid authorization token."),
    ],
)
async def test_without_a_token_that_works_it_is_401(maria: Listener, header: dict[str, str], message: str) -> None:
    reply = await maria.client.post("/1/submit-listens", content=b"{}", headers=header)
    assert (reply.status_code, reply.json()) == (401, {"code": 401, "error": message})


# ---------------------------------------------------------------- playing now


async def test_what_plays_now_is_told_without_a_time_until_it_is_over(maria: Listener, clock: HandClock) -> None:
    item = {
        "track_metadata": {
            "artist_name": "Boards of Canada",
            "track_name": "Olson",
            "additional_info": {"duration": 91},
        }
    }
    assert (await submit(maria, "playing_now", item)).json() == {"status": "ok"}

    async def now() -> dict[str, Any]:
        reply = await maria.client.get("/1/user/maria/playing-now", headers=maria.header)
        return dict(reply.json()["payload"])

    playing = await now()
    assert (playing["count"], playing["playing_now"], playing["user_id"]) == (1, True, "maria")
    (only,) = playing["listens"]
    assert "listened_at" not in only
    assert only["track_metadata"]["track_name"] == "Olson"
    clock.turn(91)
    assert (await now())["listens"] == []
    assert await listens(maria) == []


async def test_playing_now_with_a_time_is_refused(maria: Listener) -> None:
    reply = await submit(maria, "playing_now", listen())
    assert reply.json()["error"] == "JSON document must not contain listened_at while submitting playing_now."


async def test_return_msid_tells_the_id_the_listen_will_have(maria: Listener) -> None:
    item = {"track_metadata": {"artist_name": "Boards of Canada", "track_name": "Roygbiv"}}
    reply = await maria.client.post(
        "/1/submit-listens?return_msid=true",
        json={"listen_type": "playing_now", "payload": [item]},
        headers=maria.header,
    )
    await submit(maria, "single", listen())
    (stored,) = await listens(maria)
    assert reply.json() == {"status": "ok", "recording_msid": stored["recording_msid"]}


# ---------------------------------------------------------------- reading


async def test_listens_are_newest_first_with_exclusive_bounds(maria: Listener) -> None:
    await submit(maria, "import", *(listen(f"t{i}", AT + i) for i in range(30)))

    async def times(**query: Any) -> list[int]:
        return [each["listened_at"] - AT for each in await listens(maria, **query)]

    assert await times() == list(range(29, 4, -1))  # 25 unless told otherwise
    assert await times(max_ts=AT + 3) == [2, 1, 0]
    assert await times(min_ts=AT + 26) == [29, 28, 27]
    assert await times(min_ts=AT + 3, count=2) == [5, 4]  # the oldest after it, still newest first
    assert await times(min_ts=AT + 3, max_ts=AT + 7, count=2) == [6, 5]
    assert len(await times(count=5000)) == 30


async def test_the_answer_tells_the_range_of_all_listens(maria: Listener) -> None:
    await submit(maria, "import", *(listen(f"t{i}", AT + i) for i in range(30)))
    reply = await maria.client.get("/1/user/maria/listens?count=1", headers=maria.header)
    payload = reply.json()["payload"]
    assert (payload["count"], payload["user_id"]) == (1, "maria")
    assert (payload["latest_listen_ts"], payload["oldest_listen_ts"]) == (AT + 29, AT)


@pytest.mark.parametrize("query", ["count=many", "min_ts=-1", "min_ts=9&max_ts=9", "max_ts=999999999999999"])
async def test_bad_bounds_are_400(maria: Listener, query: str) -> None:
    reply = await maria.client.get(f"/1/user/maria/listens?{query}", headers=maria.header)
    assert reply.status_code == 400
    assert reply.json()["code"] == 400


async def test_other_listeners_are_not_found_and_strangers_see_nothing(maria: Listener, clock: HandClock) -> None:
    async with maria.services.database.connection() as conn:
        await accounts.create(conn, "otto", "", is_owner=False, now=clock.now())
    for name in ("otto", "nobody"):
        reply = await maria.client.get(f"/1/user/{name}/listens", headers=maria.header)
        assert (reply.status_code, reply.json()) == (404, {"code": 404, "error": f"Cannot find user: {name}"})
    assert (await maria.client.get("/1/user/maria/listens")).status_code == 401


async def test_validate_token_tells_whose_it_is(maria: Listener) -> None:
    good = {"code": 200, "message": "Token valid.", "valid": True, "user_name": "maria"}
    assert (await maria.client.get("/1/validate-token", headers=maria.header)).json() == good
    assert (await maria.client.get(f"/1/validate-token?token={maria.token}")).json() == good
    bad = await maria.client.get("/1/validate-token?token=x")
    assert (bad.status_code, bad.json()) == (200, {"code": 200, "message": "Token invalid.", "valid": False})
    none = await maria.client.get("/1/validate-token")
    assert (none.status_code, none.json()) == (
        400,
        {"code": 400, "error": "You need to provide an Authorization token."},
    )


# ---------------------------------------------------------------- deleting, latest import


async def test_a_listen_is_deleted_by_its_second_and_msid(maria: Listener) -> None:
    await submit(maria, "import", listen("keep"), listen("drop"), listen("drop", AT + 1))
    drop = next(
        each
        for each in await listens(maria)
        if each["listened_at"] == AT and each["track_metadata"]["track_name"] == "drop"
    )
    for _ in range(2):  # the second time it is gone already, and that is fine
        reply = await maria.client.post(
            "/1/delete-listen",
            json={"listened_at": AT, "recording_msid": drop["recording_msid"]},
            headers=maria.header,
        )
        assert (reply.status_code, reply.json()) == (200, {"status": "ok"})
    left = [(each["listened_at"] - AT, each["track_metadata"]["track_name"]) for each in await listens(maria)]
    assert left == [(1, "drop"), (0, "keep")]


@pytest.mark.parametrize("body", [b"", b"[]", b'{"listened_at":"x","recording_msid":"y"}', b'{"listened_at":1}'])
async def test_a_bad_deletion_is_400(maria: Listener, body: bytes) -> None:
    reply = await maria.client.post("/1/delete-listen", content=body, headers=maria.header)
    assert reply.status_code == 400
    assert reply.json()["error"].startswith("Invalid JSON document submitted")


async def test_latest_import_is_kept_per_service(maria: Listener) -> None:
    async def latest(service: str) -> Any:
        query = {"user_name": "maria", "service": service}
        return (await maria.client.get("/1/latest-import", params=query, headers=maria.header)).json()

    assert await latest("lastfm") == {"musicbrainz_id": "maria", "latest_import": 0}
    reply = await maria.client.post("/1/latest-import", json={"ts": AT, "service": "lastfm"}, headers=maria.header)
    assert (reply.status_code, reply.json()) == (200, {"status": "ok"})
    assert (await latest("lastfm"))["latest_import"] == AT
    assert (await latest("librefm"))["latest_import"] == 0


# ---------------------------------------------------------------- every answer


@pytest.mark.parametrize(
    "asked",
    [
        lambda maria: maria.client.get("/1/validate-token", headers=maria.header),
        lambda maria: maria.client.post("/1/submit-listens", content=b"{", headers=maria.header),
        lambda maria: maria.client.get("/1/nothing/here"),
        lambda maria: maria.client.put("/1/validate-token"),
        lambda maria: maria.client.get("/health"),
        lambda maria: maria.client.get("/nothing"),
    ],
)
async def test_every_answer_tells_how_many_requests_are_left(maria: Listener, asked: Callable[[Listener], Any]) -> None:
    reply = await asked(maria)
    limit, remaining = (int(reply.headers[f"x-ratelimit-{name}"]) for name in ("limit", "remaining"))
    assert limit == maria.services.settings.requests_per_minute
    assert 0 <= remaining <= limit
    assert 1 <= int(reply.headers["x-ratelimit-reset-in"]) <= 60
    assert int(reply.headers["x-ratelimit-reset"]) > 1_700_000_000


async def test_unknown_routes_and_methods_answer_in_the_dialect(maria: Listener) -> None:
    assert (await maria.client.get("/1/nothing")).json()["code"] == 404
    assert (await maria.client.get("/apis/listenbrainz/1/nothing")).json()["code"] == 404
    assert (await maria.client.put("/1/validate-token")).json()["code"] == 405


async def test_an_enriched_listen_carries_its_mapping(maria: Listener) -> None:
    from tests.unit.pipeline.test_submit import match_with_album  # noqa: PLC0415

    await submit(maria, "single", listen())
    assert "mbid_mapping" not in (await listens(maria))[0]["track_metadata"]
    async with maria.services.database.transaction() as conn:
        lookup_id = await conn.fetchval("SELECT id FROM lookups")
        await match_with_album(conn, lookup_id, maria.services.clock.now())
    mapping = (await listens(maria))[0]["track_metadata"]["mbid_mapping"]
    assert mapping["recording_name"] == "Roygbiv"
    assert mapping["artist_mbids"] == [mapping["artists"][0]["artist_mbid"]]
    assert set(mapping) == {
        *("recording_mbid", "recording_name", "release_mbid", "release_group_mbid", "artist_mbids", "artists")
    }
    assert msgspec.json.encode(mapping)
