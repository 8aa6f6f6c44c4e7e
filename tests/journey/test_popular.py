"""What is played most is kept complete by itself, behind everything else; and known before it is played here."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

from sleevenotes.pipeline import seeding
from sleevenotes.simulator import listener
from sleevenotes.store import popular_report
from sleevenotes.store.popular_report import Report
from tests.journey.conftest import House
from tests.journey.test_corrections import another, submit_as

DAY = 86_400.0
HOSTS = ("musicbrainz.org", "api.listenbrainz.org")


async def report(house: House) -> Report:
    async with house.parts.database.transaction() as conn:
        return await popular_report.read(conn, house.clock.now())


async def days_later(house: House, days: float) -> None:
    """Turn the clock far at once; who sleeps wakes to what is due by then."""
    house.clock.turn(days * DAY)


async def all_looked_at(house: House, since: Any = None) -> None:
    await house.until(
        """
        SELECT count(*) > 0 AND bool_and(looked_at >= $1) FROM popular
        """,
        since or house.clock.now() - timedelta(seconds=1),
        at_most=2 * DAY,
    )
    await house.until("SELECT NOT EXISTS (SELECT FROM portraits WHERE status = 'pending')", at_most=DAY)
    await house.until_settled(at_most=DAY)


async def test_a_name_is_completed_on_the_first_night_with_what_its_match_did_not_tell(house: House) -> None:
    play = house.with_cover()
    await house.submit(house.listen(play))
    await house.until_settled()
    assert await house.count("SELECT count(*) FROM portraits") == 0
    assert await house.count("SELECT count(*) FROM release_group_genres") == 0
    await days_later(house, 1)
    await all_looked_at(house)
    assert await house.count("SELECT count(*) FROM portraits WHERE status = 'told'") > 0
    genres = await house.count("SELECT count(*) FROM artist_genres") + await house.count(
        "SELECT count(*) FROM release_group_genres"
    )
    assert genres > 0
    assert await house.count("SELECT first_release_date <> '' FROM release_groups")
    kinds = await house.count(
        "SELECT array_agg(DISTINCT kind) FROM traces JOIN inquiries USING (question_key) WHERE stage = 'popular'"
    )
    assert kinds == ["describe_recording"]
    assert await house.count(
        "SELECT bool_and(band = 0) FROM traces JOIN inquiries USING (question_key) WHERE stage = 'popular'"
    )


async def test_a_name_of_31_days_is_described_anew_and_one_of_29_is_left(house: House) -> None:
    await house.submit(house.listen(house.with_cover()))
    await house.until_settled()
    await days_later(house, 1)
    await all_looked_at(house)
    first = await house.count("SELECT taken_at FROM popular")
    asked = await house.count("SELECT count(*) FROM traces WHERE kind = 'describe_recording'")
    async with house.parts.database.transaction() as conn:
        await conn.execute("UPDATE release_groups SET first_release_date = '', title = 'As it was printed once'")
    await days_later(house, 29 - 1)
    await house.until("SELECT listed_at > $1 FROM popular_drip", first + timedelta(days=27), at_most=DAY)
    assert await house.count("SELECT taken_at FROM popular") == first
    assert await house.count("SELECT count(*) FROM traces WHERE kind = 'describe_recording'") == asked
    await days_later(house, 3)
    await all_looked_at(house)
    assert await house.count("SELECT count(*) FROM traces WHERE kind = 'describe_recording'") == asked + 2
    assert await house.count(
        "SELECT first_release_date <> '' AND title <> 'As it was printed once' FROM release_groups"
    )
    assert await house.count("SELECT status FROM lookups") == "enriched"


async def test_a_source_that_is_down_takes_nothing_away(house: House) -> None:
    play = house.with_cover()
    await house.submit(house.listen(play))
    await house.until_settled()
    shown = await house.count("SELECT image_id FROM artworks")
    date = await house.count("SELECT first_release_date FROM release_groups")
    await days_later(house, 31)
    for host in (*HOSTS, "coverartarchive.org", "www.theaudiodb.com"):
        house.simulator.fail_next(host, "500", 200)
    await all_looked_at(house)
    assert await house.count("SELECT status FROM lookups") == "enriched"
    assert str(await house.count("SELECT mbid FROM recordings")) == house.truth(play).recording_mbid
    assert await house.count("SELECT first_release_date FROM release_groups") == date
    assert (await house.count("SELECT image_id FROM artworks"), shown is not None) == (shown, True)
    assert await house.count("SELECT status FROM artworks") == "found"


async def known_to_a_shop_alone(house: House) -> listener.Play:
    """Have a name played that is matched as if only a shop had known it, and forget what was answered."""
    play = house.with_cover()
    await house.submit(house.listen(play))
    await house.until_settled()
    async with house.parts.database.transaction() as conn:
        await conn.execute(
            """
            INSERT INTO recordings (foreign_id, title, artist_credit_id, fetched_at)
            SELECT 'deezer:1', title, artist_credit_id, fetched_at FROM recordings
            """
        )
        await conn.execute(
            """
            UPDATE matches SET source = 'deezer', release_id = NULL, release_group_id = NULL,
                   recording_id = (SELECT id FROM recordings WHERE foreign_id = 'deezer:1')
            """
        )
        await conn.execute("DELETE FROM replies")
    return play


async def test_a_shops_match_gives_way_to_musicbrainz_once_that_knows_the_name(house: House) -> None:
    play = await known_to_a_shop_alone(house)
    await days_later(house, 1)
    await house.until("SELECT source = 'musicbrainz' AND release_group_id IS NOT NULL FROM matches", at_most=DAY)
    assert str(await house.count("SELECT r.mbid FROM matches JOIN recordings r ON r.id = recording_id")) == (
        house.truth(play).recording_mbid
    )
    assert await house.count("SELECT status FROM lookups") == "enriched"
    await house.until("SELECT EXISTS (SELECT FROM traces WHERE kind = 'describe_recording')", at_most=DAY)


async def test_a_shops_match_stays_where_musicbrainz_cannot_be_reached(house: House) -> None:
    await known_to_a_shop_alone(house)
    for host in (*HOSTS, "api.deezer.com", "itunes.apple.com", "www.theaudiodb.com"):
        house.simulator.fail_next(host, "500", 500)
    await days_later(house, 1)
    await house.until("SELECT looked_at >= taken_at FROM popular", at_most=2 * DAY)
    assert await house.count("SELECT source FROM matches") == "deezer"
    assert await house.count("SELECT status FROM lookups") == "enriched"


async def test_the_drip_takes_no_more_in_an_hour_than_it_may(house: House) -> None:
    names = house.names(12)
    await house.submit(*(house.listen(play) for play in names))
    await house.until_settled()
    await days_later(house, 1)
    started = house.clock.now()
    await house.until("SELECT count(*) FILTER (WHERE taken_at >= $1) = 12 FROM popular", started, at_most=DAY)
    times = await house.count("SELECT array_agg(taken_at ORDER BY taken_at) FROM popular WHERE taken_at >= $1", started)
    assert house.parts.settings.popular_per_hour == 300
    for at, taken in enumerate(times[10:]):
        assert taken - times[at] >= timedelta(minutes=1)  # ten at most in two minutes: no burst


async def test_the_drip_waits_while_an_import_has_its_first_pass(house: House) -> None:
    first, *others = house.names(30)
    await house.submit(house.listen(first))
    await house.until_settled()
    house.simulator.fail_next("musicbrainz.org", "500", 30)
    await house.submit(*(house.listen(play) for play in others))
    await days_later(house, 1)
    await house.until("SELECT holds <> '' FROM popular_drip", at_most=3600)
    assert await house.count("SELECT count(*) FROM popular WHERE taken_at IS NOT NULL AND looked_at IS NULL") == 0
    assert "first look" in (await report(house)).holds
    await house.until_settled(at_most=DAY)
    await house.until("SELECT holds = '' FROM popular_drip", at_most=3600)


async def test_a_live_play_is_decided_while_the_drips_questions_wait(house: House) -> None:
    old = house.names(20)
    await house.submit(*(house.listen(play) for play in old))
    await house.until_settled()
    await days_later(house, 31)
    await house.until("SELECT count(*) >= 3 FROM wants w JOIN waiters ON want_id = w.id WHERE stage = 'popular'")
    live = next(play for play in house.names(60, seed=2) if play not in old)
    submitted = house.clock.now()
    await house.submit(house.listen(live), kind="single")
    await house.until("SELECT bool_and(status <> 'pending') FROM lookups")
    assert await house.count("SELECT max(decided_at) FROM lookups") - submitted < timedelta(seconds=20)
    assert await house.count(
        "SELECT bool_and(band = 0) FROM traces JOIN inquiries USING (question_key) WHERE stage = 'popular'"
    )


async def test_a_name_of_the_public_list_is_enriched_at_its_first_play_without_a_request(
    house: House, tmp_path: Path
) -> None:
    play = house.with_cover()
    path = tmp_path / "popular.csv"
    path.write_text(
        f'artist,track,release,plays\n"{play.artist}","{play.track}","{play.release}",900\n,nobody,,3\n', "utf-8"
    )
    told = await seeding.renew(house.parts.database, path)
    assert told is not None
    assert (told.read, told.new, [each.reason for each in told.skipped]) == (1, 1, ["artist is empty"])
    assert await seeding.renew(house.parts.database, path) is None
    await house.until("SELECT count(*) = 1 FROM lookups", at_most=3600)
    await house.until_settled(at_most=DAY)
    await house.until("SELECT bool_and(looked_at IS NOT NULL) FROM popular", at_most=DAY)
    await house.until_quiet(at_most=DAY)  # the drip asks for the artist's picture, too
    requests = await house.count("SELECT count(*) FROM traces")

    await house.submit(house.listen(play), kind="single")
    page = (await house.client.get("/api/v1/scrobbles")).json()
    [shown] = page["scrobbles"]
    assert shown["metadata_status"] == "enriched"
    assert shown["track"]["mbid"] == house.truth(play).recording_mbid
    assert shown["effective_artwork_url"]
    assert await house.count("SELECT count(*) FROM traces") == requests


async def test_a_second_listeners_first_play_of_a_known_name_is_enriched_in_the_submits_own_transaction(
    house: House,
) -> None:
    play = house.with_cover()
    await house.submit(house.listen(play), kind="single")
    await house.until_quiet()
    requests = await house.count("SELECT count(*) FROM traces")
    token = await another(house)
    await submit_as(house, token, house.listen(play))
    page = (await house.client.get("/api/v1/scrobbles", headers={"authorization": f"Token {token}"})).json()
    assert [each["metadata_status"] for each in page["scrobbles"]] == ["enriched"]
    assert page["scrobbles"][0]["effective_artwork_url"]
    await house.until_settled()
    assert await house.count("SELECT count(*) FROM traces") == requests
