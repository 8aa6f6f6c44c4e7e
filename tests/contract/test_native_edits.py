"""Telling plays anew, deleting many, and bringing them back."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
import pytest_asyncio
from tests.serving import Listener, listening
from tests.unit.store.test_images import COVER

from sleevenotes import model
from sleevenotes.clock import HandClock
from sleevenotes.settings import Settings
from sleevenotes.store import accounts, deletions, images, preferences
from sleevenotes.store.postgres import Database

AT = 1_767_225_600 - 86_400


@pytest_asyncio.fixture
async def maria(settings: Settings, clock: HandClock, database: Database) -> AsyncIterator[Listener]:
    async with listening(settings, clock, database) as listener:
        yield listener


async def play(maria: Listener, track: str, at: int, artist: str = "Nina Simone", **more: Any) -> int:
    sent = {"artist_name": artist, "track_name": track, "played_at": at, "source_app": "test", **more}
    answer = await maria.client.post("/api/v1/scrobbles", json={"scrobbles": [sent]}, headers=maria.header)
    return int(answer.json()["scrobbles"][0]["id"])


async def call(maria: Listener, method: str, way: str, body: Any = None) -> Any:
    return await maria.client.request(method, f"/api/v1{way}", json=body, headers=maria.header)


async def shown(maria: Listener) -> list[int]:
    return [one["id"] for one in (await call(maria, "GET", "/scrobbles")).json()["scrobbles"]]


async def test_an_edit_moves_a_play_to_its_new_name_and_has_it_looked_up(maria: Listener) -> None:
    mbid = "b1a9c0e9-d987-4042-ae91-78d6a3267d69"
    wrong = await play(maria, "Siner man", AT, album_name="Pastel Blues", recording_mbid=mbid)
    answer = await call(maria, "PATCH", f"/scrobbles/{wrong}", {"track_name": " Sinnerman "})
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert (told["id"], told["track_name"], told["album_name"]) == (wrong, "Sinnerman", "Pastel Blues")
    right = await play(maria, "Sinnerman", AT + 600, album_name="Pastel Blues")
    async with maria.services.database.connection() as conn:
        rows = await conn.fetch("SELECT lookup_id, identity, evidence FROM scrobbles ORDER BY id")
        jobs = await conn.fetch("SELECT entrypoint, priority FROM pgqueuer ORDER BY id")
        told_events = await conn.fetch("SELECT kind FROM events ORDER BY id")
    assert right
    assert (rows[0]["lookup_id"], rows[0]["identity"]) == (rows[1]["lookup_id"], rows[1]["identity"])
    assert rows[0]["evidence"] is None, "the recording was that of the name it no longer has"
    assert ("match", 2) in [(job["entrypoint"], job["priority"]) for job in jobs]
    assert "scrobbles_edited" in [row["kind"] for row in told_events]


async def test_what_was_matched_for_the_old_name_alone_is_forgotten_and_a_new_time_keeps_the_hints(
    maria: Listener,
) -> None:
    mbid = "b1a9c0e9-d987-4042-ae91-78d6a3267d69"
    one = await play(maria, "Sinnerman", AT, recording_mbid=mbid)
    answer = await call(maria, "PATCH", f"/scrobbles/{one}", {"played_at": "2025-01-02T03:04:05+01:00"})
    assert answer.json()["played_at"] == "2025-01-02T02:04:05Z"
    async with maria.services.database.connection() as conn:
        assert (await conn.fetchval("SELECT evidence FROM scrobbles"))["recording_mbid"] == mbid


async def test_an_edit_never_makes_two_plays_the_same(maria: Listener) -> None:
    first, second = await play(maria, "Sinnerman", AT), await play(maria, "Lilac Wine", AT)
    answer = await call(maria, "PATCH", f"/scrobbles/{second}", {"track_name": "SINNERMAN"})
    assert answer.status_code == 422
    [problem] = answer.json()["error"]["details"]
    assert f"scrobble {second} would become the same play as scrobble {first}" in problem["message"].lower()
    both = await call(maria, "POST", "/scrobbles/edit", {"ids": [first, second], "track_name": "Be My Husband"})
    assert both.status_code == 422
    assert {one["track_name"] for one in (await call(maria, "GET", "/scrobbles")).json()["scrobbles"]} == {
        "Sinnerman",
        "Lilac Wine",
    }


async def test_many_plays_are_told_anew_at_once_or_not_at_all(maria: Listener) -> None:
    ids = [await play(maria, f"Song {n}", AT + 600 * n, artist="Nina Simon") for n in range(3)]
    done = await call(maria, "POST", "/scrobbles/edit", {"ids": ids, "artist_name": "Nina Simone"})
    assert done.json() == {"edited": ids}
    again = await call(maria, "POST", "/scrobbles/edit", {"ids": ids, "artist_name": "Nina Simone"})
    assert again.json() == {"edited": []}
    missing = await call(maria, "POST", "/scrobbles/edit", {"ids": [*ids, 999_999], "artist_name": "Somebody"})
    assert (missing.status_code, "999999" in missing.json()["error"]["message"]) == (404, True)
    assert {one["artist_name"] for one in (await call(maria, "GET", "/scrobbles")).json()["scrobbles"]} == {
        "Nina Simone"
    }


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"track_name": "  "}, "track_name"),
        ({"artist_name": "x" * 501}, "artist_name"),
        ({"played_at": "tomorrow"}, "played_at"),
        ({"played_at": "2999-01-01T00:00:00Z"}, "played_at"),
        ({"trackname": "Sinnerman"}, ""),
    ],
)
async def test_an_unfit_change_is_refused_by_field(maria: Listener, body: dict[str, str], field: str) -> None:
    one = await play(maria, "Sinnerman", AT)
    answer = await call(maria, "PATCH", f"/scrobbles/{one}", body)
    assert answer.status_code == 422
    assert field in str(answer.json())


async def test_nobody_edits_or_deletes_another_s_plays(maria: Listener, clock: HandClock) -> None:
    one = await play(maria, "Sinnerman", AT)
    async with maria.services.database.connection() as conn:
        otto = await accounts.create(conn, "otto", "", is_owner=False, now=clock.now())
        token = await accounts.create_token(conn, otto.id, "phone", clock.now())
    header = {"Authorization": f"Bearer {token}"}
    edited = await maria.client.patch(f"/api/v1/scrobbles/{one}", json={"track_name": "x"}, headers=header)
    gone = await maria.client.post("/api/v1/scrobbles/delete", json={"ids": [one]}, headers=header)
    assert (edited.status_code, gone.json()) == (404, {"deleted": [], "deletion_id": None})
    assert await shown(maria) == [one]


async def test_what_was_deleted_comes_back_within_a_day_as_it_was(maria: Listener, clock: HandClock) -> None:
    ids = [await play(maria, f"Song {n}", AT + 600 * n, duration_ms=180_000) for n in range(3)]
    before = (await call(maria, "GET", "/scrobbles")).json()
    gone = (await call(maria, "POST", "/scrobbles/delete", {"ids": ids[:2]})).json()
    assert gone["deleted"] == ids[:2]
    assert await shown(maria) == [ids[2]]
    [listed] = (await call(maria, "GET", "/deletions")).json()["deletions"]
    assert (listed["id"], listed["plays"], listed["track"]) == (gone["deletion_id"], 2, "Song 0")
    back = await call(maria, "POST", f"/deletions/{gone['deletion_id']}/undo")
    assert back.json() == {"restored": 2}
    assert (await call(maria, "GET", "/scrobbles")).json() == before
    assert (await call(maria, "POST", f"/deletions/{gone['deletion_id']}/undo")).status_code == 404


async def test_a_deletion_is_final_after_a_day(maria: Listener, clock: HandClock) -> None:
    one = await play(maria, "Sinnerman", AT)
    assert (await call(maria, "DELETE", f"/scrobbles/{one}")).status_code == 204
    [listed] = (await call(maria, "GET", "/deletions")).json()["deletions"]
    clock.turn(deletions.KEPT.total_seconds() + 1)
    assert (await call(maria, "GET", "/deletions")).json() == {"deletions": []}
    assert (await call(maria, "POST", f"/deletions/{listed['id']}/undo")).status_code == 404
    async with maria.services.database.connection() as conn:
        await deletions.purge(conn, clock.now() + timedelta(days=1))
        assert await conn.fetchval("SELECT count(*) FROM deleted_scrobbles") == 0


async def test_a_play_that_was_sent_again_is_not_brought_back_twice(maria: Listener) -> None:
    one = await play(maria, "Sinnerman", AT)
    await call(maria, "DELETE", f"/scrobbles/{one}")
    again = await play(maria, "Sinnerman", AT)
    [listed] = (await call(maria, "GET", "/deletions")).json()["deletions"]
    assert (await call(maria, "POST", f"/deletions/{listed['id']}/undo")).json() == {"restored": 0}
    assert await shown(maria) == [again]


async def test_hidden_copies_go_and_come_with_the_play_they_are_copies_of(maria: Listener) -> None:
    one, copy = await play(maria, "Sinnerman", AT), await play(maria, "Sinnerman", AT + 100)
    async with maria.services.database.connection() as conn:
        await conn.execute("UPDATE scrobbles SET same_as = $1 WHERE id = $2", one, copy)
        gone = (await call(maria, "POST", "/scrobbles/delete", {"ids": [one]})).json()
        assert gone["deleted"] == [one]
        assert await conn.fetchval("SELECT count(*) FROM scrobbles") == 0
        await call(maria, "POST", f"/deletions/{gone['deletion_id']}/undo")
        assert await conn.fetchval("SELECT same_as FROM scrobbles WHERE id = $1", copy) == one


async def test_a_play_that_was_told_anew_does_not_come_back_by_what_brought_it(maria: Listener) -> None:
    renamed, moved = await play(maria, "Siner man", AT), await play(maria, "Lilac Wine", AT + 600)
    await call(maria, "PATCH", f"/scrobbles/{renamed}", {"track_name": "Sinnerman"})
    await call(maria, "PATCH", f"/scrobbles/{moved}", {"played_at": AT - 86_400})
    await call(maria, "PATCH", f"/scrobbles/{moved}", {"track_name": "Lilac Wine (live)"})
    again = [
        model.Scrobble("Nina Simone", "Siner man", "", clock_of(AT)),
        model.Scrobble("Nina Simone", "Lilac Wine", "", clock_of(AT + 600)),
        model.Scrobble("Nina Simone", "Lilac Wine", "", clock_of(AT - 86_400)),
        model.Scrobble("Nina Simone", "Sinnerman", "", clock_of(AT)),
    ]
    account_id = await maria_id(maria)
    stored = await maria.services.submitter.submit(account_id, again, band=model.Band.LOW_PRIORITY)
    assert [(each.id, each.duplicate) for each in stored] == [
        (renamed, True),
        (moved, True),
        (moved, True),
        (renamed, True),
    ]
    assert await play(maria, "siner man", AT + 20) == renamed  # within the half minute of the native API, too
    assert sorted(await shown(maria)) == [renamed, moved]


async def test_what_was_told_anew_and_is_gone_for_good_may_come_again(maria: Listener, clock: HandClock) -> None:
    one = await play(maria, "Siner man", AT)
    await call(maria, "PATCH", f"/scrobbles/{one}", {"track_name": "Sinnerman"})
    await call(maria, "DELETE", f"/scrobbles/{one}")
    async with maria.services.database.connection() as conn:
        await deletions.purge(conn, clock.now())
        assert await conn.fetchval("SELECT count(*) FROM former_plays") == 1  # it may be brought back
        await deletions.purge(conn, clock.now() + timedelta(days=2))
        assert await conn.fetchval("SELECT count(*) FROM former_plays") == 0
    assert await play(maria, "Siner man", AT) != one


async def test_a_play_that_is_brought_back_shows_the_cover_chosen_for_it_and_is_still_its_own(
    maria: Listener, clock: HandClock
) -> None:
    one, account_id = await play(maria, "Sinnerman", AT), await maria_id(maria)
    subject = preferences.Subject("Nina Simone", "", scrobble_id=one)
    async with maria.services.database.transaction() as conn:
        upload = [msgspec.structs.replace(COVER, digest=digest * 32, source="upload") for digest in ("ab", "cd")]
        first, chosen = [await images.keep(conn, each, clock.now()) for each in upload]
        before = await preferences.put(conn, account_id, subject, first, clock.now())
        act = await preferences.put(conn, account_id, subject, chosen, clock.now())
        await conn.execute("INSERT INTO own_plays VALUES ($1, $2)", one, clock.now())
    shown_before = (await call(maria, "GET", f"/scrobbles/{one}")).json()
    deletion = (await call(maria, "POST", "/scrobbles/delete", {"ids": [one]})).json()["deletion_id"]
    async with maria.services.database.transaction() as conn:
        assert await images.drop_uploads(conn, clock.now() + timedelta(hours=1)) == []
    await call(maria, "POST", f"/deletions/{deletion}/undo")
    assert (await call(maria, "GET", f"/scrobbles/{one}")).json() == shown_before
    async with maria.services.database.transaction() as conn:
        assert await conn.fetchval("SELECT decided_at FROM own_plays WHERE scrobble_id = $1", one) == clock.now()
        in_force = await preferences.of_play(conn, account_id, one, None)
        assert in_force is not None
        assert in_force.id == act
        await preferences.undo(conn, account_id, act, clock.now())  # what it had superseded is known, too
        in_force = await preferences.of_play(conn, account_id, one, None)
        assert in_force is not None
        assert in_force.id == before


def clock_of(at: int) -> datetime:
    return datetime.fromtimestamp(at, UTC)


async def maria_id(maria: Listener) -> int:
    async with maria.services.database.connection() as conn:
        return int(await conn.fetchval("SELECT id FROM accounts"))
