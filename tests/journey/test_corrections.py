"""A listener puts matches right: past and future plays show it, and nobody else's do."""

from __future__ import annotations

import asyncio
import urllib.parse
from datetime import timedelta
from typing import Any

import msgspec

from sleevenotes.simulator import core, listener
from sleevenotes.store import accounts
from tests.journey.conftest import WORLD, House

API = "/api/v1"


async def lookup_of(house: House, play: listener.Play) -> int:
    found: int = await house.count("SELECT id FROM lookups WHERE artist = $1 AND track = $2", play.artist, play.track)
    return found


async def searched(house: House, lookup_id: int, **what: Any) -> dict[str, Any]:
    """Ask what a name may be, and wait for the answer."""
    begun = await house.client.post(f"{API}/lookups/{lookup_id}/searches", json=what)
    assert begun.status_code == 202, begun.text
    assert begun.json()["status"] == "pending"  # nothing was asked while the request waited
    search_id = begun.json()["id"]
    await house.until("SELECT status <> 'pending' FROM searches WHERE id = $1", search_id, at_most=7200)
    told: dict[str, Any] = (await house.client.get(f"{API}/searches/{search_id}")).json()
    return told


async def correct(house: House, lookup_id: int, **what: Any) -> dict[str, Any]:
    answer = await house.client.put(f"{API}/lookups/{lookup_id}/correction", json=what)
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


async def shown(house: House, token: str = "") -> list[str]:
    """Return the recordings of an account's plays, newest first."""
    headers = {"authorization": f"Token {token}"} if token else {}
    page = (await house.client.get(f"{API}/scrobbles", headers=headers)).json()
    return [(each["track"] or {"mbid": each["metadata_status"]})["mbid"] for each in page["scrobbles"]]


async def another(house: House, name: str = "otto") -> str:
    """Return the token of another account."""
    async with house.parts.database.transaction() as conn:
        account = await accounts.create(conn, name, "a good password", is_owner=False, now=house.clock.now())
        return await accounts.create_token(conn, account.id, "test", house.clock.now())


async def submit_as(house: House, token: str, *listens: dict[str, Any]) -> None:
    answer = await house.client.post(
        "/1/submit-listens",
        json={"listen_type": "import", "payload": listens},
        headers={"authorization": f"Token {token}"},
    )
    assert answer.status_code == 200, answer.text


def ago(house: House, play: listener.Play, minutes: int, **hints: str) -> dict[str, Any]:
    listen = house.listen(play, house.clock.now() - timedelta(minutes=minutes))
    if hints:
        listen["track_metadata"]["additional_info"] = hints
    return listen


async def test_a_pasted_link_corrects_past_and_future_plays_of_the_listener_alone_and_can_be_undone(
    house: House,
) -> None:
    play, other = house.names(2)
    right, wrong = house.truth(other).recording_mbid, house.truth(play).recording_mbid
    token = await another(house)
    await house.submit(ago(house, play, 10), ago(house, play, 20))
    await submit_as(house, token, ago(house, play, 15))
    await house.until_settled()
    assert await shown(house) == [wrong, wrong]
    lookup_id = await lookup_of(house, play)

    found = await searched(house, lookup_id, link=f"https://musicbrainz.org/recording/{right.upper()}/?tab=x#y")
    assert [each["candidate"] for each in found["candidates"]] == [right]
    made = await correct(house, lookup_id, candidate=right, search_id=found["id"])
    assert await shown(house) == [right, right]
    await house.submit(ago(house, play, 5), kind="single")
    assert await shown(house) == [right] * 3
    assert await shown(house, token) == [wrong]
    await submit_as(house, token, ago(house, play, 4))
    assert await shown(house, token) == [wrong, wrong]

    await house.until_settled()
    mine = (await house.client.get(f"{API}/scrobbles")).json()["scrobbles"][0]["album"]
    assert mine["mbid"] == house.truth(other).release_group_mbid
    assert await house.count("SELECT count(*) FROM artworks") == 2  # the cover of the album it is on is looked for

    undone = await house.client.post(f"{API}/corrections/{made['id']}/undo")
    assert undone.json() == {"lookup_ids": [lookup_id]}
    assert await shown(house) == [wrong] * 3
    assert (await house.client.post(f"{API}/corrections/{made['id']}/undo")).status_code == 404


async def test_an_import_of_the_same_name_later_keeps_the_correction(house: House) -> None:
    play, other = house.names(2)
    right = house.truth(other).recording_mbid
    await house.submit(ago(house, play, 10))
    await house.until_settled()
    lookup_id = await lookup_of(house, play)
    found = await searched(house, lookup_id, artist_name=other.artist, track_name=other.track)
    await correct(house, lookup_id, candidate=right, search_id=found["id"])
    await house.submit(*(ago(house, play, 60 * day) for day in range(1, 30)))
    await house.until_settled()
    assert await shown(house) == [right] * 20  # the first page
    assert await house.count("SELECT count(*) FROM matches WHERE scrobble_id IS NOT NULL") == 0


async def test_the_owners_correction_for_everybody_stands_below_a_plays_evidence_and_a_listeners_own(
    house: House,
) -> None:
    play, global_, own = house.names(3)
    wrong, right, third = (house.truth(each).recording_mbid for each in (play, global_, own))
    otto, eva = await another(house), await another(house, "eva")
    await submit_as(house, otto, ago(house, play, 20), ago(house, play, 10, recording_mbid=wrong))
    await submit_as(house, eva, ago(house, play, 30))
    await house.submit(ago(house, play, 40))
    await house.until_settled()
    lookup_id = await lookup_of(house, play)

    theirs = {"authorization": f"Token {eva}"}
    begun = await house.client.post(
        f"{API}/lookups/{lookup_id}/searches", json={"link": f"musicbrainz.org/recording/{third}"}, headers=theirs
    )
    await house.until("SELECT status <> 'pending' FROM searches WHERE id = $1", begun.json()["id"])
    chosen = {"candidate": third, "search_id": begun.json()["id"]}
    refused = await house.client.put(
        f"{API}/lookups/{lookup_id}/correction", json={**chosen, "everybody": True}, headers=theirs
    )
    assert refused.status_code == 422
    assert refused.json()["error"]["details"][0]["field"] == "everybody"
    assert (
        await house.client.put(f"{API}/lookups/{lookup_id}/correction", json=chosen, headers=theirs)
    ).status_code == 200

    found = await searched(house, lookup_id, link=f"https://musicbrainz.org/recording/{right}")
    made = await correct(house, lookup_id, candidate=right, search_id=found["id"], everybody=True)
    await house.until_settled()
    assert await shown(house) == [right]
    assert await shown(house, otto) == [wrong, right]  # the play with evidence keeps it
    assert await shown(house, eva) == [third]
    await submit_as(house, otto, ago(house, play, 1))
    assert await shown(house, otto) == [right, wrong, right]

    await house.client.post(f"{API}/corrections/{made['id']}/undo")
    assert await shown(house) == [wrong]
    assert await shown(house, otto) == [wrong, wrong, wrong]
    assert await shown(house, eva) == [third]


async def test_none_of_these_keeps_a_name_silent_until_it_is_undone(house: House) -> None:
    [play] = house.names(1)
    await house.submit(ago(house, play, 10))
    await house.until_settled()
    lookup_id = await lookup_of(house, play)
    await correct(house, lookup_id, none=True)
    assert await shown(house) == ["not_found"]
    assert (await house.client.delete(f"{API}/lookups/{lookup_id}/correction")).status_code == 204
    assert await shown(house) == [house.truth(play).recording_mbid]
    assert (await house.client.delete(f"{API}/lookups/{lookup_id}/correction")).status_code == 404


def an_album() -> tuple[str, list[listener.Play]]:
    """Return a release group that MusicBrainz knows, and three songs of it as a player would send them."""
    for recording in WORLD.catalogue.recordings:
        home = WORLD.catalogue.home(recording.row)
        plays = {each.title: listener.play(WORLD, each) for each in home.tracks}
        known = [WORLD.truth(play.artist, play.track, play.release) for play in plays.values()]
        if len(plays) >= 3 and all(truth is not None and "musicbrainz" in truth.known_to for truth in known):
            return home.group.mbid, list(plays.values())[:3]
    raise AssertionError("no such album")


async def test_a_whole_album_is_fixed_and_undone_at_once_and_what_is_not_on_it_is_left(house: House) -> None:
    group, plays = an_album()
    sent = [each._replace(artist="Nobody In Particular", release="Mixtape") for each in plays]
    stranger = sent[0]._replace(track="Not On Any Album At All")
    await house.submit(*(ago(house, play, 5 + at) for at, play in enumerate((*sent, stranger))))
    await house.until_settled()
    before = await shown(house)
    lookup_id = await lookup_of(house, sent[0])
    found = await searched(
        house, lookup_id, link=f"http://www.musicbrainz.org/release-group/{group}/", whole_album=True
    )
    assert found["status"] == "answered"
    made = await house.client.put(f"{API}/lookups/{lookup_id}/album/correction", json={"search_id": found["id"]})
    assert made.status_code == 200, made.text
    assert (made.json()["kind"], made.json()["names"]) == ("album", 3)
    page = (await house.client.get(f"{API}/scrobbles")).json()["scrobbles"]
    assert [(each["album"] or {}).get("mbid") for each in page] == [group] * 3 + [None]
    assert len({each["track"]["mbid"] for each in page[:3]}) == 3
    await house.client.post(f"{API}/corrections/{made.json()['id']}/undo")
    assert await shown(house) == before


async def test_a_link_to_nothing_is_absent_and_a_fault_is_asked_again(house: House) -> None:
    [play] = house.names(1)
    await house.submit(ago(house, play, 10))
    await house.until_settled()
    lookup_id = await lookup_of(house, play)
    nobody = "https://musicbrainz.org/release/00000000-0000-4000-8000-000000000000"
    assert (await searched(house, lookup_id, link=nobody))["status"] == "absent"
    house.simulator.fail_next("musicbrainz.org", "500", 1)
    truth = house.truth(play)
    there = await searched(house, lookup_id, link=f"https://musicbrainz.org/recording/{truth.recording_mbid}")
    assert there["status"] == "answered"
    assert await house.count("SELECT count(*) FROM traces WHERE outcome = 'fault'") == 1


async def test_a_discogs_master_is_asked_for_by_its_link_and_its_track_is_chosen(house: House) -> None:
    play, song = house.names(60)[0], await at_discogs(house)
    await house.submit(ago(house, play, 10))
    await house.until_settled()
    lookup_id = await lookup_of(house, play)
    title, master = song
    found = await searched(house, lookup_id, link=f"https://www.discogs.com/de/master/{master}-Whatever?x=1")
    assert found["status"] == "answered"
    chosen = next(each for each in found["candidates"] if each["track_name"] == title)
    assert chosen["link"].startswith("https://www.discogs.com/release/")
    await correct(house, lookup_id, candidate=chosen["candidate"], search_id=found["id"])
    [shown_now] = (await house.client.get(f"{API}/scrobbles")).json()["scrobbles"]
    assert (shown_now["track"]["name"], shown_now["track"]["mbid"]) == (title, "")


async def at_discogs(house: House) -> tuple[str, int]:
    """Return a song that the simulated Discogs knows, and the number of the master that it is on."""
    mounted = core.Mounted(house.simulator)
    for play in house.names(60):
        query = urllib.parse.urlencode({"type": "release", "artist": play.artist, "track": play.track})
        url = f"https://api.discogs.com/database/search?{query}"
        asking = asyncio.create_task(mounted.exchange("GET", url, {"user-agent": "test"}, b"", max_bytes=10**6))
        while not asking.done():
            await house.count("SELECT 1")  # gives the simulator its time
            house.clock.turn(0.1)
        for each in msgspec.json.decode(asking.result()[2]).get("results", ()):
            if each.get("master_id"):
                return play.track, each["master_id"]
        house.clock.turn(10)
    raise AssertionError("Discogs knows none of these")
