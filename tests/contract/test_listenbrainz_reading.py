"""Reading back over the ListenBrainz API: listens, deletions, latest import; messages are upstreams §3.1's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from tests.contract.listens import AT, listen, listens, submit
from tests.serving import Listener
from tests.unit.pipeline.submits import match_with_album

from sleevenotes.clock import HandClock
from sleevenotes.store import accounts

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
    assert (await maria.client.get("/1/user/maria/listens")).status_code == 404


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


@pytest.mark.parametrize("service", ["last\0fm", "", "long" * 100])
async def test_latest_import_of_what_is_no_service_is_400(maria: Listener, service: str) -> None:
    query = {"user_name": "maria", "service": service}
    asked = await maria.client.get("/1/latest-import", params=query, headers=maria.header)
    told = await maria.client.post("/1/latest-import", json={"ts": AT, "service": service}, headers=maria.header)
    for reply in (asked, told):
        assert (reply.status_code, "service" in reply.json()["error"]) == (400, True)


@pytest.mark.parametrize("path", ["/1/user/mar%00ia/listens", "/1/user/%00/playing-now", "/user/mar%00ia"])
async def test_nobody_has_a_name_with_a_nul(maria: Listener, path: str) -> None:
    assert (await maria.client.get(path, headers=maria.header)).status_code == 404


async def test_a_name_with_a_nul_logs_nobody_in(maria: Listener) -> None:
    reply = await maria.client.post("/login", data={"name": "mar\0ia", "password": "x"}, headers=maria.header)
    assert reply.status_code < 500


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
