"""Learning whom to ask from what was answered, and asking by it: who is unlikely is not asked, and that is told."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from benches import asked

from sleevenotes import model
from sleevenotes.pipeline import jobs, learning
from sleevenotes.prediction import order
from sleevenotes.simulator import listener
from sleevenotes.sources import contract
from sleevenotes.store import explanations, predictors
from tests.asked_before import ORDER, history
from tests.journey.conftest import House
from tests.journey.test_many_sources import first

NOBODY: frozenset[str] = frozenset()
STRANGER = "An Unheard Band"


async def teach(house: House, known: Mapping[str, frozenset[str]]) -> None:
    """Write that history as lanes and stages do, and have the job learn from it."""
    await asked.write(house.parts.database, history(known), house.clock.now())
    async with house.parts.database.transaction() as conn:
        await jobs.enqueue(conn, learning.STAGE, [0], model.Band.LOW_PRIORITY)
    await house.until("SELECT EXISTS (SELECT FROM predictors WHERE status = 'active')")


def stranger(*, anyway: bool) -> listener.Play:
    """Choose a name of a band that nobody knows which TheAudioDB is asked for anyway, or not."""
    for number in range(1000):
        play = listener.Play(STRANGER, f"Song {100 + number}", "", None)
        drawn = [order.asked_anyway(contract.key(contract.FindRecording(*play[:2])), each) for each in ORDER]
        if drawn == [False, False, anyway]:
            return play
    raise AssertionError("two in a hundred are asked anyway")


async def told(house: House) -> explanations.Explanation:
    async with house.parts.database.connection() as conn:
        story = await explanations.explain(conn, await house.count("SELECT max(id) FROM scrobbles"))
    assert story is not None
    return story


async def traces_of(house: House, play: listener.Play, kind: str) -> list[str]:
    """Return whom this play's name was put to, in the order of asking."""
    rows = await house.count(
        """
        SELECT array_agg(source ORDER BY asked_at) FROM traces
        WHERE kind = $2 AND question_key IN (
            SELECT question_key FROM inquiries JOIN lookups ON lookups.id = subject_id
            WHERE stage IN ('match', 'preview') AND track = $1
            UNION SELECT question_key FROM inquiries i JOIN matches m ON m.release_group_id = i.subject_id
                  JOIN lookups ON lookups.id = m.lookup_id WHERE i.stage = 'artwork' AND track = $1)
        """,
        play.track,
        kind,
    )
    return list(rows or ())


async def test_a_cover_is_asked_for_where_it_is_likely_and_the_story_tells_whom_not_and_how_unlikely(
    house: House,
) -> None:
    play = first(known={"musicbrainz", "itunes"}, art={"itunes"}, bare={"coverartarchive"})
    await teach(house, {play.artist: frozenset({"itunes"})})
    await house.submit(house.listen(play))
    await house.until_settled()
    assert await traces_of(house, play, "find_images") == ["itunes"]  # as declared, Deezer would be first
    assert await house.count("SELECT source FROM images JOIN artworks ON image_id = images.id") == "itunes"
    foreseen = {each.source: each for each in (await told(house)).cover_predictions}
    assert foreseen["itunes"].way == "ask"
    assert foreseen["itunes"].served is True
    assert foreseen["deezer"].way == foreseen["theaudiodb"].way == "skip"
    assert foreseen["deezer"].chance < 0.25 < foreseen["itunes"].chance


@pytest.mark.parametrize("anyway", [True, False])
async def test_a_name_that_nobody_is_likely_to_know_is_not_found_unasked_and_one_in_fifty_is_asked_by_the_recheck(
    house: House, anyway: bool
) -> None:
    await teach(house, {STRANGER: NOBODY})
    play = stranger(anyway=anyway)
    await house.submit(house.listen(play))
    await house.until_settled()
    assert "deezer" not in await traces_of(house, play, "find_recording")
    story = await told(house)
    assert story.lookup.status == "not_found"
    assert [(each.source, each.way) for each in story.match_predictions] == [("deezer", "skip")]
    assert story.match_predictions[0].chance < 0.1
    house.clock.turn(86_400)
    await house.until("SELECT max(tries) = 2 FROM lookups")
    await house.until_settled()
    shops = [each for each in await traces_of(house, play, "find_recording") if each in ORDER]
    assert shops == (["theaudiodb"] if anyway else [])


async def test_while_a_listener_waits_the_unlikely_are_left_out_and_the_likely_asked_at_once(house: House) -> None:
    play = first(known={"musicbrainz", "itunes"}, art={"itunes"}, bare={"coverartarchive"})
    await teach(house, {play.artist: frozenset({"itunes"})})
    await house.submit(house.listen(play), kind="single")
    await house.until_settled()
    assert set(await traces_of(house, play, "find_images")) == {"itunes"}


async def test_answers_are_judged_and_counted_for_the_artist_also_without_a_predictor(house: House) -> None:
    play = first(known={"musicbrainz", "deezer"}, art={"deezer"}, bare={"coverartarchive"})
    await house.submit(house.listen(play))
    await house.until_settled()
    counted = "SELECT (source, kind, served, absent)::text FROM artist_answers"
    assert await house.count(counted) == "(deezer,find_images,1,0)"
    assert await house.count("SELECT served FROM traces WHERE source = 'deezer' AND kind = 'find_images'") is True
    assert await house.count("SELECT count(*) FROM predictions") == 0


async def test_too_little_to_learn_from_leaves_the_declared_order_in_force_and_says_why(house: House) -> None:
    async with house.parts.database.transaction() as conn:
        await jobs.enqueue(conn, learning.STAGE, [0], model.Band.LOW_PRIORITY)
    await house.until("SELECT EXISTS (SELECT FROM predictors)")
    async with house.parts.database.connection() as conn:
        [version] = await predictors.versions(conn)
    assert version.status == "rejected"
    assert version.reason == (
        "Not in force: there are 0 questions to learn from; 300 are needed, some served and some not; "
        "the declared order is in force."
    )
