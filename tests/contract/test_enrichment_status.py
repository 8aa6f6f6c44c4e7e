"""How far plays are, polled: estimates while they wait, ETags that hold still, and few queries for a hundred."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest
from tests.serving import Listener
from tests.unit.store import given

from sleevenotes import model
from sleevenotes.clock import HandClock
from sleevenotes.server import native_live
from sleevenotes.sources import contract
from sleevenotes.store import accounts, backfills, catalog, estimates, matches, played, wants

HOST = "musicbrainz.org"


async def submit(maria: Listener, *tracks: str) -> list[int]:
    """Submit plays of these tracks, oldest first; return their ids."""
    now = maria.services.clock.now()
    body = [
        {
            "artist_name": "Low",
            "track_name": track,
            "album_name": "Hey What",
            "source_app": "a test",
            "played_at": (now - timedelta(minutes=len(tracks) - at)).isoformat(),
        }
        for at, track in enumerate(tracks)
    ]
    answer = await maria.client.post("/api/v1/scrobbles", json={"scrobbles": body}, headers=maria.header)
    assert answer.status_code == 201
    return [each["id"] for each in answer.json()["scrobbles"]]


async def status(maria: Listener, ids: list[int], **headers: str) -> httpx.Response:
    asked = ",".join(map(str, ids))
    return await maria.client.get(f"/api/v1/scrobbles/enrichment_status?ids={asked}", headers=maria.header | headers)


async def wait_at_musicbrainz(maria: Listener, ids: list[int], band: model.Band = model.Band.DEFAULT) -> None:
    """Write what the match stage would: each of these plays' names is wanted from MusicBrainz, in this order."""
    async with maria.services.database.transaction() as conn:
        for at, play in enumerate(sorted(await played.by_ids(conn, maria.account.id, ids), key=lambda one: one.id)):
            question = contract.FindRecording(play.artist, play.track)
            new = wants.New(
                "musicbrainz", contract.key(question), contract.kind(question), question, play.lookup_id, 1000 - at
            )
            await wants.want(conn, "match", [new], band, maria.services.clock.now())


async def decide(maria: Listener, track: str) -> None:
    """Match a name, to a recording on no album."""
    now = maria.services.clock.now()
    async with maria.services.database.transaction() as conn:
        lookup_id = await conn.fetchval("SELECT id FROM lookups WHERE track = $1", track)
        (kept,) = await catalog.keep(conn, [(given.recording(track, "Low"), None)], now)
        identity = matches.Identity(kept.recording_id, None, None, "musicbrainz", 0.0, "It is.", ())
        await matches.settle(conn, [matches.matched(lookup_id, identity)], now)
        await wants.withdraw(conn, "match", [lookup_id])


def seconds(maria: Listener, each: dict[str, Any]) -> float:
    return (datetime.fromisoformat(each["estimated_completion"]) - maria.services.clock.now()).total_seconds()


async def test_a_name_further_back_is_told_a_later_moment_and_one_that_is_done_none(maria: Listener) -> None:
    ids = await submit(maria, *(f"track {number}" for number in range(40)))
    await wait_at_musicbrainz(maria, ids)
    told = (await status(maria, ids)).json()["scrobbles"]
    assert [each["id"] for each in told] == ids
    assert {each["status"] for each in told} == {"pending"}
    waits = [seconds(maria, each) for each in told]
    assert waits == sorted(waits)
    assert 0 < waits[0] < waits[-1] < 60
    await decide(maria, "track 0")
    alone = await maria.client.get(f"/api/v1/scrobbles/{ids[0]}/enrichment_status", headers=maria.header)
    assert alone.json() == {"status": "enriched", "has_artwork": False, "estimated_completion": None}


async def test_who_listens_is_told_sooner_than_an_import_before_them(maria: Listener) -> None:
    imported = await submit(maria, *(f"imported {number}" for number in range(50)))
    await wait_at_musicbrainz(maria, imported, model.Band.LOW_PRIORITY)
    live = await submit(maria, "live")
    await wait_at_musicbrainz(maria, live)
    told = {each["id"]: seconds(maria, each) for each in (await status(maria, [*live, *imported])).json()["scrobbles"]}
    assert told[live[0]] < told[imported[-1]]


async def test_a_pause_of_the_service_is_waited_for(maria: Listener) -> None:
    ids = await submit(maria, "Disappearing")
    await wait_at_musicbrainz(maria, ids)
    before = seconds(maria, (await status(maria, ids)).json()["scrobbles"][0])
    async with maria.services.database.connection() as conn:
        until = maria.services.clock.now() + timedelta(seconds=100)
        await conn.execute("INSERT INTO budgets (host, paused_until) VALUES ($1, $2)", HOST, until)
    maria.services.clock.turn(3)  # type: ignore[attr-defined] # it is turned by hand
    assert seconds(maria, (await status(maria, ids)).json()["scrobbles"][0]) > before + 90


async def test_nothing_new_is_304_even_while_the_estimate_creeps_and_news_are_not(maria: Listener) -> None:
    ids = await submit(maria, "Hey", "There's a Comma")
    await wait_at_musicbrainz(maria, ids)
    first = await status(maria, ids)
    assert first.headers["etag"]
    again = await status(maria, ids, **{"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    await decide(maria, "Hey")
    news = await status(maria, ids, **{"If-None-Match": first.headers["etag"]})
    assert news.status_code == 200
    assert [each["status"] for each in news.json()["scrobbles"]] == ["enriched", "pending"]


async def test_others_plays_are_missing(maria: Listener) -> None:
    ids = await submit(maria, "Hey")
    now = maria.services.clock.now()
    async with maria.services.database.connection() as conn:
        otto = await accounts.create(conn, "otto", "", is_owner=False, now=now)
        token = await accounts.create_token(conn, otto.id, "phone", now)
    answer = await status(maria, [*ids, 10**30], Authorization=f"Token {token}")
    assert answer.json() == {"scrobbles": [], "missing": [ids[0], 2**63 - 1]}


@pytest.mark.parametrize("ids", ["", ",", "1,two", "-1", ",".join(map(str, range(101)))])
async def test_a_question_that_is_none_names_its_field(maria: Listener, ids: str) -> None:
    answer = await maria.client.get(f"/api/v1/scrobbles/enrichment_status?ids={ids}", headers=maria.header)
    assert answer.status_code == 422
    assert "ids" in str(answer.json()["error"])


async def test_a_hundred_plays_cost_three_queries_and_what_is_measured_once_in_two_seconds(maria: Listener) -> None:
    ids = [each for start in (0, 50) for each in await submit(maria, *(f"t {start + at}" for at in range(50)))]
    await wait_at_musicbrainz(maria, ids)
    estimator = native_live.estimator(maria.services)
    counted: list[str] = []
    async with maria.services.database.connection() as conn:
        plays = await played.by_ids(conn, maria.account.id, ids)
        await estimator.of(conn, plays)
        logged: Any = conn  # its type says less than it can
        with logged.query_logger(lambda record: counted.append(record.query)):
            found = await estimator.of(conn, plays)
    assert len(found) == 100
    assert len(counted) == 3


async def test_the_first_estimate_is_kept_and_held_against_how_long_it_took(maria: Listener) -> None:
    ids = await submit(maria, "More")
    await wait_at_musicbrainz(maria, ids)
    clock: Any = maria.services.clock
    estimator = native_live.estimator(maria.services)
    async with maria.services.database.connection() as conn:
        plays = await played.by_ids(conn, maria.account.id, ids)
        first = (await estimator.of(conn, plays))["match", plays[0].lookup_id]
        clock.turn(3)
        await estimator.of(conn, plays)
        assert await estimates.errors(conn, clock.now()) == []  # nothing is known while it waits
    clock.turn(first.seconds * 2 - 3)
    await decide(maria, "More")
    async with maria.services.database.connection() as conn:
        await estimates.settle(conn)
        assert await estimates.errors(conn, clock.now()) == [estimates.Error("default", 1, 0.5)]
        ratios = await estimates.turned_out(conn, clock.now())
    assert ratios == {first.way: [pytest.approx(2.0, rel=0.01)]}
    page = await maria.client.get("/status", headers=maria.header)
    assert "half of 1 off by less than 50 %" in page.text


async def test_words_say_whom_we_wait_for_and_how_many_go_before(maria: Listener) -> None:
    ids = await submit(maria, "Hey", "More")
    await wait_at_musicbrainz(maria, ids)
    answer = await maria.client.get(f"/fragments/waiting?ids={ids[0]},{ids[1]}", headers=maria.header)
    words = {each["id"]: each["words"] for each in answer.json()}
    assert words == {ids[0]: "Asking MusicBrainz", ids[1]: "Asking MusicBrainz, 1 name ahead"}


async def test_an_import_that_has_only_just_come_is_told_of_as_a_queue(maria: Listener) -> None:
    await submit(maria, "live")
    assert (await status(maria, [1])).status_code == 200  # the lanes are measured now, and nothing waits there
    clock: Any = maria.services.clock
    clock.turn(1)
    assert (await status(maria, [1])).status_code == 200
    now = int(clock.now().timestamp())
    listens = [
        {"listened_at": now - 1000 - at, "track_metadata": {"artist_name": f"band {at}", "track_name": "Song"}}
        for at in range(200)
    ]
    body = {"listen_type": "import", "payload": listens}
    assert (await maria.client.post("/1/submit-listens", json=body, headers=maria.header)).status_code == 200
    async with maria.services.database.connection() as conn:
        ids = [row["id"] for row in await conn.fetch("SELECT id FROM scrobbles WHERE track = 'Song' ORDER BY id")]
    told = [seconds(maria, each) for each in (await status(maria, ids[::2])).json()["scrobbles"]]
    assert min(told) < 15
    assert max(told) > 15  # two hundred names at 32 a request, of which two in five are told


async def test_the_page_of_lanes_tells_what_a_new_service_is_being_asked(maria: Listener, clock: HandClock) -> None:
    await submit(maria, "Hey", "More")
    async with maria.services.database.transaction() as conn:
        await backfills.learn(conn, {("musicbrainz", "find_recording")}, clock.now())
        await conn.execute("UPDATE lookups SET status = 'not_found'")
        came = await backfills.learn(
            conn, {("musicbrainz", "find_recording"), ("discogs", "find_recording")}, clock.now()
        )
        assert came.came == [("discogs", "find_recording")]
        assert await backfills.begin(conn, "discogs", "find_recording", clock.now()) == 2
        await backfills.take(conn, "discogs", "find_recording", 1, clock.now())
    page = (await maria.client.get("/status", headers=maria.header)).text
    assert "Discogs is new" in page
    assert "Asked for 1 of 2 names that nobody knew, the most played first." in page
    async with maria.services.database.transaction() as conn:
        assert len(await backfills.take(conn, "discogs", "find_recording", 5, clock.now())) == 1
    assert (
        "Asked for 2 of 2 names that nobody knew: that is all."
        in (await maria.client.get("/status", headers=maria.header)).text
    )
    clock.turn(25 * 3600)
    assert "Discogs is new" not in (await maria.client.get("/status", headers=maria.header)).text
