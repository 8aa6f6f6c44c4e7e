"""An import with many names of one artist: its releases are listed, and most names are never searched for."""

from __future__ import annotations

from sleevenotes.simulator import entities, listener
from tests.journey.conftest import WORLD, House

REQUESTS = "SELECT count(DISTINCT request_id) FROM traces WHERE source = 'musicbrainz' AND kind = $1"
MATCHED = """
    SELECT lookups.id, artist, track, recordings.mbid::text FROM lookups
    JOIN matches ON matches.id = match_id JOIN recordings ON recordings.id = recording_id
"""
STORIES = """
    SELECT count(DISTINCT subject_id) FROM inquiries JOIN traces USING (question_key)
    WHERE stage = 'match' AND kind = 'browse_releases'
"""


def songs(artists: int) -> list[listener.Play]:
    """Choose all official songs of the artists who have most of them, of those whom MusicBrainz knows."""
    own: dict[str, dict[str, listener.Play]] = {}
    for recording in WORLD.catalogue.recordings:
        home = WORLD.catalogue.home(recording.row)
        if len(recording.credit) == 1 and WORLD.knows(recording.credit[0].artist) and home.credit == recording.credit:
            titled = own.setdefault(entities.printed(recording.credit), {})
            titled.setdefault(recording.title, listener.play(WORLD, recording))
    most = sorted(own.values(), key=len)[-artists:]
    return [play for titled in most for play in titled.values()]


async def test_many_names_of_one_artist_are_answered_by_its_releases(house: House) -> None:
    plays = songs(8)  # more than four packs of searches, which go out before the first is answered
    await house.submit(*(house.listen(play) for play in plays))
    await house.until_settled()
    assert 1 <= await house.count(REQUESTS, "browse_releases") <= 16
    async with house.parts.database.connection() as conn:
        found = {(row["artist"], row["track"]): row["mbid"] for row in await conn.fetch(MATCHED)}
    wrong = [
        play for play in plays if found.get((play.artist, play.track)) not in (None, house.truth(play).recording_mbid)
    ]
    assert len(wrong) <= 2  # a cut reply may hold a namesake's song and not the one that is meant
    assert len(found) >= len(plays) * 0.97
    assert await house.count(STORIES) >= 1  # what was asked for each of them can be told
    assert house.simulator.statistics.violations == 0


async def test_the_releases_of_artists_who_are_known_are_listed_without_a_search_for_them(house: House) -> None:
    by_artist: dict[str, list[listener.Play]] = {}
    for play in songs(8):
        by_artist.setdefault(play.artist, []).append(play)
    await house.submit(*(house.listen(played[0]) for played in by_artist.values()))
    await house.until_settled()
    known = await house.count("SELECT max(id) FROM lookups")
    await house.submit(*(house.listen(play) for played in by_artist.values() for play in played[1:]))
    await house.until_settled()
    began = "SELECT count(DISTINCT subject_id) FROM inquiries WHERE stage = 'discography' AND subject_id <= $1"
    assert await house.count(began, known) >= 3  # by the names that had told who the artists are


async def test_while_somebody_waits_names_are_searched_for_and_not_browsed(house: House) -> None:
    for play in songs(1)[:12]:
        await house.submit(house.listen(play), kind="single")
    await house.until_settled()
    assert await house.count(REQUESTS, "browse_releases") == 0
    assert await house.count(REQUESTS, "find_recording") >= 1


async def test_a_page_that_cannot_be_read_costs_no_name_its_match(house: House) -> None:
    plays = songs(8)
    await house.submit(*(house.listen(play) for play in plays))
    await house.until("SELECT EXISTS (SELECT FROM wants WHERE kind = 'browse_releases')")
    house.simulator.fail_next("musicbrainz.org", "truncated", 12)
    await house.until_settled(at_most=40 * 3600)
    assert await house.count("SELECT count(*) FROM lookups WHERE status = 'enriched'") >= len(plays) * 0.97
