"""What only one play knows, from the request that brings it to the match of that play alone."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, NamedTuple

import pytest

from sleevenotes.simulator import entities, extras, listener
from sleevenotes.store import accounts
from tests.journey.conftest import WORLD, House

OWN = """
    SELECT s.track, r.mbid::text AS recording, g.mbid::text AS album, m.reason
    FROM scrobbles s JOIN matches m ON m.scrobble_id = s.id AND m.id = s.match_id
    JOIN recordings r ON r.id = m.recording_id LEFT JOIN release_groups g ON g.id = m.release_group_id
    ORDER BY s.listened_at, s.id
"""
ASKED = "SELECT count(*) FROM traces WHERE kind = $1"


class Own(NamedTuple):
    track: str
    recording: str
    album: str
    reason: str


async def own(house: House) -> list[Own]:
    assert await house.count("SELECT count(*) FROM pgqueuer WHERE status = 'failed'") == 0  # no stage tripped
    async with house.parts.database.connection() as conn:
        return [Own(*row) for row in await conn.fetch(OWN)]


def listen(house: House, play: listener.Play, minutes_ago: float, **info: Any) -> dict[str, Any]:
    made = house.listen(play, house.clock.now() - timedelta(minutes=minutes_ago))
    made["track_metadata"]["additional_info"] = info
    if not play.release:
        del made["track_metadata"]["release_name"]
    return made


def without_album(play: listener.Play) -> listener.Play:
    return play._replace(release="")


def recording_of(house: House, play: listener.Play) -> entities.Recording:
    found = WORLD.recording(house.truth(play).recording_mbid)
    assert found is not None
    return found


# ---------------------------------------------------------------- hints


async def test_a_hint_that_says_what_the_names_say_leaves_no_match_of_its_own(house: House) -> None:
    [play] = house.names(1)
    truth, recording = house.truth(play), recording_of(house, play)
    hints = {
        "recording_mbid": truth.recording_mbid,
        "release_mbid": truth.release_mbid,
        "artist_mbids": [recording.credit[0].artist.mbid],
        "duration_ms": recording.length,
        "isrc": recording.isrc,
    }
    for at in range(3):
        await house.submit(listen(house, play, 10 + at, **{k: v for k, v in hints.items() if v}), kind="single")
    await house.until_settled()
    assert await house.count("SELECT status FROM lookups") == "enriched"
    assert await own(house) == []
    assert await house.count("SELECT count(*) FROM matches") == 1


async def test_a_hint_answered_before_the_names_serves_until_these_are_decided(house: House) -> None:
    [play] = house.names(1)
    house.simulator.fail_next("musicbrainz.org", "500", 6)
    house.simulator.fail_next("api.deezer.com", "500", 6)
    await house.submit(listen(house, play, 10, recording_mbid=house.truth(play).recording_mbid), kind="single")
    await house.until("SELECT EXISTS (SELECT FROM matches WHERE scrobble_id IS NOT NULL)")
    assert await house.count("SELECT status FROM lookups") == "pending"
    await house.until_settled()
    assert await own(house) == []


async def test_a_wrong_recording_id_changes_nothing(house: House) -> None:
    play, other = house.names(2)
    await house.submit(listen(house, play, 10, recording_mbid=house.truth(other).recording_mbid), kind="single")
    await house.submit(listen(house, play, 20, isrc=recording_of(house, other).isrc or "GBAYE7500101"), kind="single")
    await house.until_settled()
    assert await own(house) == []
    assert await house.count("SELECT status FROM lookups") == "enriched"


class Namesake(NamedTuple):
    play: listener.Play  # without an album
    recording: entities.Recording  # of the artist of the same name


def namesake(*, coded: bool = False) -> Namesake:
    """Choose a song of which another artist of that very name has one, too; `coded`, one with an ISRC."""
    for recording in WORLD.catalogue.recordings:
        play = without_album(listener.play(WORLD, recording))
        truth = WORLD.truth(play.artist, play.track)
        if truth is None or "musicbrainz" not in truth.known_to or len(recording.credit) > 1:
            continue
        if coded and not recording.isrc:
            continue
        for number in range(WORLD.extras.decoys(recording.row)):
            if WORLD.extras.decoy_kind(recording.row, number) == extras.HOMONYM:
                return Namesake(play, WORLD.extras.recording(recording.row, extras.FIRST_DECOY + number))
    raise AssertionError("this world has no homonyms")


@pytest.mark.parametrize("kind", ["single", "import"])
async def test_the_artists_id_parts_homonyms(house: House, kind: str) -> None:
    play, other = namesake()
    one, two = recording_of(house, play), other
    for at, recording in enumerate((one, two)):
        mbids = [recording.credit[0].artist.mbid]
        await house.submit(listen(house, play, 10 + at, artist_mbids=mbids), kind=kind)
    await house.submit(listen(house, play, 30), kind=kind)
    await house.until_settled()
    shown = (await house.client.get("/api/v1/scrobbles")).json()["scrobbles"]
    by_hint = [each["track"] and each["track"]["mbid"] for each in shown[:2]]
    assert by_hint == [one.mbid, two.mbid]
    assert all(each.reason.startswith("artist and title agree; it is by the artist") for each in await own(house))
    assert len(await own(house)) in (1, 2)  # one where the names alone decided for the other


async def test_a_recording_id_gives_that_play_its_own_match_where_the_names_agree(house: House) -> None:
    play, other = namesake()
    await house.submit(listen(house, play, 10, recording_mbid=other.mbid), kind="single")
    await house.submit(listen(house, play, 20), kind="single")
    await house.until_settled()
    [only] = await own(house)
    assert (only.recording, only.album) == (other.mbid, other.releases[0].group.mbid)
    assert only.reason.startswith("artist and title agree; the player named this recording; on ")
    assert await house.count("SELECT id FROM scrobbles WHERE match_id IS NOT NULL") == 1


async def test_an_isrc_tells_which_homonym_is_meant(house: House) -> None:
    play, _ = namesake(coded=True)
    recording = recording_of(house, play)
    await house.submit(listen(house, play, 10, isrc=recording.isrc), kind="single")
    await house.until_settled()
    assert await own(house) or await house.count("SELECT status FROM lookups") == "enriched"
    assert await house.count(ASKED, "find_by_isrc") >= 1
    [shown] = (await house.client.get("/api/v1/scrobbles")).json()["scrobbles"]
    assert shown["track"]["mbid"] == recording.mbid


async def test_in_an_import_an_isrc_is_asked_for_only_where_the_names_were_not_decided(house: House) -> None:
    play = next(each for each in house.names(40) if recording_of(house, each).isrc)
    await house.submit(listen(house, play, 10, isrc=recording_of(house, play).isrc), kind="import")
    await house.until_settled()
    assert await house.count(ASKED, "find_by_isrc") == 0


# ---------------------------------------------------------------- amid an album


def best_of(tracks: int) -> tuple[entities.Release, list[listener.Play]]:
    """Choose a collection of one artist's songs that are at home on other albums."""
    for group in WORLD.catalogue.groups.values():
        release = group.releases[0]
        own_songs = [each for each in release.tracks if each.credit == release.credit]
        if "Compilation" not in group.secondary or len(own_songs) < tracks or not WORLD.knows(release.credit[0].artist):
            continue
        plays = [listener.play(WORLD, each) for each in own_songs[:tracks]]
        if len({play.track for play in plays}) == tracks:
            return release, plays
    raise AssertionError("this world has no such collection")


async def test_a_play_without_an_album_takes_the_album_of_the_plays_around_it(house: House) -> None:
    release, plays = best_of(3)
    sent = [plays[0]._replace(release=release.title), without_album(plays[1]), plays[2]._replace(release=release.title)]
    await house.submit(*(listen(house, play, 30 - 4 * at) for at, play in enumerate(sent)), kind="import")
    await house.until_settled()
    assert [(each.track, each.album) for each in await own(house)] == [(plays[1].track, release.group.mbid)]
    assert (await own(house))[0].reason.endswith(f"on {release.title}, like the plays around it")
    shared = "SELECT g.mbid::text FROM lookups l JOIN matches m ON m.id = l.match_id JOIN release_groups g ON g.id = m.release_group_id WHERE l.release = ''"  # noqa: E501 - SQL of one line
    assert await house.count(shared) != release.group.mbid


async def test_the_play_that_comes_last_decides_for_the_one_before(house: House) -> None:
    release, plays = best_of(3)
    known = [
        plays[0]._replace(release=release.title),
        without_album(plays[1]),
        plays[2]._replace(release=release.title),
    ]
    for at, play in enumerate(known):
        await house.submit(listen(house, play, 5000 + 300 * at), kind="import")  # each known, and far apart
    await house.until_settled()
    assert await own(house) == []
    for at, play in enumerate(known):
        await house.submit(listen(house, play, 30 - 4 * at), kind="single")
    await house.until_settled()
    assert [(each.track, each.album) for each in await own(house)] == [(plays[1].track, release.group.mbid)]


async def test_one_neighbour_changes_nothing(house: House) -> None:
    release, plays = best_of(3)
    sent = [plays[0]._replace(release=release.title), without_album(plays[1])]
    await house.submit(*(listen(house, play, 30 - 4 * at) for at, play in enumerate(sent)), kind="import")
    await house.until_settled()
    assert await own(house) == []


async def test_another_listeners_neighbours_do_not_count(house: House) -> None:
    release, plays = best_of(3)
    async with house.parts.database.transaction() as conn:
        other = await accounts.create(conn, "ben", "another password", is_owner=False, now=house.clock.now())
        token = await accounts.create_token(conn, other.id, "test", house.clock.now())
    around = [plays[0]._replace(release=release.title), plays[2]._replace(release=release.title)]
    listens = [listen(house, play, 30 - 8 * at) for at, play in enumerate(around)]
    body = {"listen_type": "import", "payload": listens}
    await house.client.post("/1/submit-listens", json=body, headers={"authorization": f"Token {token}"})
    await house.submit(listen(house, without_album(plays[1]), 26), kind="import")
    await house.until_settled()
    assert await house.count("SELECT count(*) FROM lookups WHERE status = 'enriched'") == 3
    assert await own(house) == []


async def test_a_pause_parts_a_play_from_the_album_before(house: House) -> None:
    release, plays = best_of(3)
    sent = [plays[0]._replace(release=release.title), plays[2]._replace(release=release.title), without_album(plays[1])]
    ago = (100.0, 96.0, 50.0)
    await house.submit(*(listen(house, play, at) for at, play in zip(ago, sent, strict=True)), kind="import")
    await house.until_settled()
    assert await own(house) == []
