"""Several sources at once: who decides, whose cover is shown, and what trouble at one of them does."""

from __future__ import annotations

from collections.abc import Set

from sleevenotes import model
from sleevenotes.simulator import listener
from tests.journey.conftest import WORLD, House

NOBODY: frozenset[str] = frozenset()


def first(
    *,
    known: Set[str],
    unknown: Set[str] = NOBODY,
    art: Set[str] = NOBODY,
    bare: Set[str] = NOBODY,
    long_title: bool = False,
) -> listener.Play:
    """Choose a song that these know and those do not, whose album has a front at these and none at those."""
    for recording in WORLD.catalogue.recordings:
        play = listener.play(WORLD, recording)
        truth = WORLD.truth(play.artist, play.track, play.release)
        if truth is None or not (known <= truth.known_to and art <= truth.has_art):
            continue
        if not (unknown & truth.known_to or bare & truth.has_art or (long_title and len(play.track) < 15)):
            return play
    raise AssertionError("there is no such song in this world")


async def test_a_name_that_only_a_shop_knows_is_matched_with_the_shops_own_id(house: House) -> None:
    play = first(known={"deezer"}, unknown={"musicbrainz"}, art={"deezer"})
    await house.submit(house.listen(play), kind="single")
    await house.until_settled()
    assert await house.count("SELECT status FROM lookups") == "enriched"
    assert (await house.count("SELECT foreign_id FROM recordings")).startswith(("deezer:", "itunes:"))
    assert await house.count("SELECT status FROM artworks") == "found"


async def test_a_name_that_only_a_shop_reads_is_asked_again_as_the_shop_spells_it(house: House) -> None:
    play = first(known={"deezer", "musicbrainz"}, long_title=True)
    misspelt = {**house.listen(play)["track_metadata"], "track_name": play.track[:4] + "x" + play.track[4:]}
    await house.submit({**house.listen(play), "track_metadata": misspelt})
    await house.until_settled()
    assert str(await house.count("SELECT mbid FROM recordings")) == house.truth(play).recording_mbid
    assert await house.count("SELECT track FROM lookups WHERE status = 'enriched'") == misspelt["track_name"]


async def test_an_album_without_a_front_at_the_archive_shows_anothers(house: House) -> None:
    play = first(known={"musicbrainz", "deezer"}, art={"deezer"}, bare={"coverartarchive"})
    await house.submit(house.listen(play), kind="import")
    await house.until_settled()
    assert await house.count("SELECT source FROM images JOIN artworks ON image_id = images.id") == "deezer"
    assert await house.count("SELECT count(*) FROM traces WHERE source LIKE '%_images'") == 1


async def test_the_archives_own_front_is_chosen_in_the_end_though_others_came_sooner(house: House) -> None:
    play = first(known={"musicbrainz", "deezer"}, art={"coverartarchive", "deezer"})
    await house.submit(house.listen(play), kind="single")
    await house.until_settled()
    await house.until("SELECT recheck_at IS NULL FROM artworks")  # where it came too late, it is asked again
    await house.until_settled()
    assert await house.count("SELECT source FROM images JOIN artworks ON image_id = images.id") == "coverartarchive"


async def test_when_the_archive_is_down_a_listener_sees_another_cover_meanwhile(house: House) -> None:
    play = first(known={"musicbrainz", "deezer"}, art={"coverartarchive", "deezer"})
    house.simulator.fail_next("us.archive.org", "500", 40)
    await house.submit(house.listen(play), kind="single")
    await house.until("SELECT EXISTS (SELECT FROM artworks WHERE image_id IS NOT NULL)")
    assert await house.count("SELECT count(*) FROM images WHERE source = 'coverartarchive'") == 0
    await house.until("SELECT status = 'found' FROM artworks")
    assert await house.count("SELECT count(*) FROM artworks WHERE status = 'absent'") == 0


async def test_where_the_archive_fails_two_others_that_agree_are_enough_for_now(house: House) -> None:
    play = first(
        known={"musicbrainz", "deezer", "itunes"}, art={"coverartarchive", "deezer", "itunes"}, unknown={"theaudiodb"}
    )
    house.simulator.fail_next("us.archive.org", "500", 40)
    await house.submit(house.listen(play), kind="single")
    await house.until("SELECT status = 'found' FROM artworks")
    source = await house.count("SELECT source FROM images JOIN artworks ON image_id = images.id")
    assert source in ("deezer", "itunes")
    assert await house.count("SELECT recheck_at IS NOT NULL FROM artworks")


async def test_a_live_play_hurries_the_cover_that_an_import_still_looks_for(house: House) -> None:
    play = first(known={"musicbrainz"}, art={"coverartarchive"})
    house.simulator.fail_next("us.archive.org", "500", 60)
    await house.submit(house.listen(play))
    await house.until("SELECT EXISTS (SELECT FROM wants WHERE source = 'coverartarchive' AND faults > 0)")
    await house.submit(house.listen(play, house.clock.now()), kind="single")
    urgent = "SELECT EXISTS (SELECT FROM wants WHERE source = 'coverartarchive' AND band > $1)"
    await house.until(urgent, int(model.Band.LOW_PRIORITY))


async def test_an_imports_names_travel_in_packs(house: House) -> None:
    plays = house.names(60)
    await house.submit(*(house.listen(play) for play in plays))
    await house.until_settled()
    asked = await house.count("SELECT count(DISTINCT request_id) FROM traces WHERE source = 'musicbrainz'")
    assert asked <= 20
    assert await house.count("SELECT count(*) FROM lookups WHERE status = 'enriched'") >= 58
    assert house.simulator.statistics.violations == 0


async def test_ids_that_clients_send_are_described_by_the_thousand_and_not_one_by_one(house: House) -> None:
    listens = []
    for play in house.names(30):
        listen = house.listen(play)
        listen["track_metadata"]["additional_info"] = {"recording_mbid": house.truth(play).recording_mbid}
        listens.append(listen)
    await house.submit(*listens)
    await house.until_settled()
    described = "SELECT count(*) FROM traces WHERE kind = 'describe_recording' AND outcome = 'answered'"
    assert await house.count(described) == 30
    assert await house.count("SELECT count(*) FROM scrobbles WHERE match_id IS NOT NULL") == 0  # the names say the same
    requests = "SELECT count(DISTINCT request_id) FROM traces WHERE kind = 'describe_recording' AND source = $1"
    assert await house.count(requests, "listenbrainz_metadata") <= 3
    assert await house.count(requests, "musicbrainz") == 0
