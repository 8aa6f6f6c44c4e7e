"""A house with an offline catalogue: what it knows is settled with no request for a name."""

from __future__ import annotations

from pathlib import Path

from sleevenotes import catalogue
from sleevenotes.simulator import entities, listener
from tests.dumps import Row, built
from tests.journey.conftest import WORLD, House


def row(house: House, play: listener.Play) -> Row:
    """Write a play's truth as the dump would."""
    truth = house.truth(play)
    found, on = WORLD.recording(truth.recording_mbid), WORLD.release(truth.release_mbid)
    assert found is not None
    assert on is not None
    artists = ",".join(name.artist.mbid for name in found.credit)
    own = {"recording": truth.recording_mbid, "release_mbid": truth.release_mbid, "group": truth.release_group_mbid}
    return Row(entities.printed(found.credit), found.title, on.title, 1, artists, **own)


def single(house: House, count: int) -> list[listener.Play]:
    """Choose songs by one artist each."""
    found = ((play, WORLD.recording(house.truth(play).recording_mbid)) for play in house.names(40))
    return [play for play, recording in found if recording and len(recording.credit) == 1][:count]


def build(house: House, *plays: listener.Play) -> None:
    """Build a catalogue of these plays where the running house looks for it."""
    place = house.parts.settings.catalogue_path
    built(place, [row(house, play) for play in plays], place / catalogue.NAMES)


async def shown(house: House) -> list[tuple[str, str, str]]:
    """Return status, recording and release group of each play."""
    told = (await house.client.get("/api/v1/scrobbles")).json()["scrobbles"]
    return [(each["metadata_status"], each["track"]["mbid"], each["album"]["mbid"]) for each in told]


def true(house: House, play: listener.Play) -> tuple[str, str, str]:
    truth = house.truth(play)
    return "enriched", truth.recording_mbid, truth.release_group_mbid


async def test_a_play_of_a_known_name_is_enriched_as_it_is_stored_with_no_request(house: House) -> None:
    [play] = single(house, 1)
    build(house, play)
    await house.submit(house.listen(play), kind="single")
    assert await shown(house) == [true(house, play)]
    await house.until_settled()  # its cover is asked for, which may begin at once
    assert await house.count("SELECT count(*) FROM traces WHERE kind LIKE '%_recording'") == 0


async def test_another_writing_is_matched_in_the_match_stage_with_no_request_for_the_name(house: House) -> None:
    [play] = single(house, 1)
    build(house, play)
    noted = play._replace(track=f"{play.track} (2011 Remaster)")
    await house.submit(house.listen(noted), kind="single")
    await house.until("SELECT count(*) = 1 FROM lookups WHERE status = 'enriched'")
    assert await shown(house) == [true(house, play)]
    assert await house.count("SELECT source FROM matches") == "catalogue"
    assert await house.count("SELECT count(*) FROM traces WHERE kind LIKE '%_recording'") == 0


async def test_what_it_does_not_know_is_looked_up_as_ever(house: House) -> None:
    known, unknown = single(house, 2)
    build(house, known)
    await house.submit(house.listen(known), house.listen(unknown))
    await house.until_settled()
    assert sorted(await shown(house)) == sorted([true(house, known), true(house, unknown)])
    assert await house.count("SELECT count(*) FROM matches WHERE source = 'catalogue'") == 1


async def test_a_catalogue_that_cannot_be_used_is_as_none(house: House, tmp_path: Path) -> None:
    place = house.parts.settings.catalogue_path
    place.mkdir(parents=True)
    (place / catalogue.NAMES).write_text("something else" * 1000)
    [play] = single(house, 1)
    await house.submit(house.listen(play))
    await house.until_settled()
    assert await shown(house) == [true(house, play)]


async def test_what_the_catalogue_answers_is_looked_at_again_for_what_only_its_play_knows(
    house: House,
) -> None:
    [play] = single(house, 1)
    build(house, play)
    await house.submit(house.listen(play._replace(release="")), kind="single")
    jobs = "SELECT count(*) FROM pgqueuer_log WHERE entrypoint = 'reconsider' AND status = 'successful'"
    await house.until(f"SELECT ({jobs}) > 0")
