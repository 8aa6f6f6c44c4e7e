"""The ListenBrainz API as players speak it; every limit and message is upstreams §3.1's."""

from __future__ import annotations

from typing import Any

import pytest
from tests.contract.listens import AT, MBID, listen, listens, submit, with_info
from tests.serving import Listener

from sleevenotes.clock import HandClock
from sleevenotes.model import Band

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


async def test_plays_are_submitted_by_post_alone(maria: Listener) -> None:
    reply = await maria.client.get("/1/submit-listens", headers=maria.header)
    assert (reply.status_code, reply.json()["code"], reply.headers["allow"]) == (405, 405, "POST")


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


async def test_half_an_emoji_in_one_listen_loses_no_other(maria: Listener) -> None:
    """JavaScript writes a title that was cut inside an emoji so: by an escape that stands for no character."""
    body = (
        rb'{"listen_type":"import","payload":['
        rb'{"listened_at":1767000000,"track_metadata":{"artist_name":"A\ud83d","track_name":"\udc00 \ud83d\ude00"}},'
        rb'{"listened_at":1767000001,"track_metadata":{"artist_name":"A\\ud83d","track_name":"whole"}}]}'
    )
    reply = await maria.client.post("/1/submit-listens", content=body, headers=maria.header)
    assert reply.json() == {"status": "ok"}
    told = [each["track_metadata"] for each in await listens(maria)]
    assert [(each["artist_name"], each["track_name"]) for each in told] == [
        ("A\\ud83d", "whole"),
        ("A\ufffd", "\ufffd \N{GRINNING FACE}"),
    ]


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
