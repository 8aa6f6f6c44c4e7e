"""Searches to correct a match: who is asked, what is kept, and when it cannot be asked."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from sleevenotes import errors, model
from sleevenotes.artwork.files import Files
from sleevenotes.clock import HandClock
from sleevenotes.pipeline import recheck, search
from sleevenotes.pipeline.alarms import Alarms
from sleevenotes.pipeline.tools import Tools
from sleevenotes.settings import Settings
from sleevenotes.sources import contract, discogs, musicbrainz
from sleevenotes.store import replies, searches
from sleevenotes.store.postgres import Database
from tests.unit.store import given

RECORDING = "9f9cf187-d6f9-437f-9d98-d59cdbd52757"
JOGA = contract.RecordingCandidate(given.recording("Jóga", "Björk"), (given.release("Homogenic"),))
HUNTER = contract.RecordingCandidate(given.recording("Hunter", "Björk"), (given.release("Homogenic"),))


def tools(database: Database, clock: HandClock, settings: Settings, *sources: contract.Source) -> Tools:
    return Tools(database, clock, Files(settings.data_path), sources, Alarms(database, clock))


async def begun(database: Database, clock: HandClock, link: str, *, whole_album: bool = False) -> searches.Search:
    """Begin a search for a name that somebody has played."""
    async with database.transaction() as conn:
        account_id = await given.account(conn, "ann", clock.now())
        lookup_id = await given.lookup(conn, "Bjork", "Joga", clock.now())
        search_id = await search.by_link(conn, account_id, lookup_id, link, whole_album=whole_album, now=clock.now())
    return await now(database, account_id, search_id)


async def now(database: Database, account_id: int, search_id: int) -> searches.Search:
    async with database.connection() as conn:
        found = await searches.by_id(conn, account_id, search_id)
    assert found
    return found


async def again(made: Tools, one: searches.Search) -> searches.Search:
    """Run the stage once and return the search as it stands."""
    await search.run(made, [one.id], model.Band.CRITICAL)
    return await now(made.database, one.account_id, one.id)


async def wanted(database: Database) -> list[tuple[str, str, int]]:
    async with database.connection() as conn:
        rows = await conn.fetch("SELECT source, kind, band FROM wants ORDER BY id")
    return [(row["source"], row["kind"], row["band"]) for row in rows]


async def told(
    database: Database,
    clock: HandClock,
    source: str,
    question: contract.Question,
    candidates: Sequence[contract.Candidate] = (),
    *,
    further: Sequence[contract.Question] = (),
    outcome: replies.Outcome = replies.Outcome.ANSWERED,
) -> None:
    """Store what a lane would."""
    answer = contract.Answer(tuple(candidates), tuple(further))
    async with database.transaction() as conn:
        await replies.keep(conn, [(source, contract.key(question), outcome, answer)], clock.now())


async def test_a_link_is_asked_of_its_own_service_before_everything_else(
    database: Database, clock: HandClock, settings: Settings
) -> None:
    made = tools(database, clock, settings, musicbrainz.MusicBrainz(), discogs.Discogs())
    one = await begun(database, clock, f"https://musicbrainz.org/recording/{RECORDING}")
    one = await again(made, one)
    assert one.status == "pending"
    assert await wanted(database) == [("musicbrainz", "describe_recording", int(model.Band.CRITICAL))]
    await told(database, clock, "musicbrainz", contract.DescribeRecording(RECORDING), [JOGA])
    one = await again(made, one)
    assert (one.status, len(one.candidates)) == ("answered", 1)


async def test_what_is_found_comes_nearest_first(database: Database, clock: HandClock, settings: Settings) -> None:
    made = tools(database, clock, settings, musicbrainz.MusicBrainz())
    one = await begun(database, clock, f"musicbrainz.org/release/{RECORDING}")
    await told(database, clock, "musicbrainz", contract.ListRecordings(release_mbid=RECORDING), [HUNTER, JOGA])
    one = await again(made, one)
    assert [each["option"]["recording"]["title"] for each in one.candidates] == ["Jóga", "Hunter"]


async def test_an_albums_further_pages_are_asked_for(database: Database, clock: HandClock, settings: Settings) -> None:
    made = tools(database, clock, settings, musicbrainz.MusicBrainz())
    one = await begun(database, clock, f"musicbrainz.org/release-group/{RECORDING}", whole_album=True)
    first = contract.ListRecordings(release_group_mbid=RECORDING)
    second = contract.ListRecordings(release_group_mbid=RECORDING, offset=100)
    await told(database, clock, "musicbrainz", first, [JOGA], further=[second])
    one = await again(made, one)
    assert one.status == "pending"
    await told(database, clock, "musicbrainz", second, [HUNTER])
    one = await again(made, one)
    assert len(one.candidates) == 2


async def test_a_master_is_followed_to_its_main_release(
    database: Database, clock: HandClock, settings: Settings
) -> None:
    made = tools(database, clock, settings, discogs.Discogs())
    one = await begun(database, clock, "https://www.discogs.com/master/5-X")
    master, main = contract.DescribeRelease("discogs:m5", ""), contract.DescribeRelease("discogs:r7", "")
    await told(database, clock, "discogs", master, further=[main], outcome=replies.Outcome.ABSENT)
    one = await again(made, one)
    assert await wanted(database) == [("discogs", "describe_release", int(model.Band.CRITICAL))]
    await told(database, clock, "discogs", main, [JOGA])
    assert (await again(made, one)).status == "answered"


async def test_a_service_that_may_not_be_asked_fails_the_search_at_once(
    database: Database, clock: HandClock, settings: Settings
) -> None:
    made = tools(database, clock, settings, musicbrainz.MusicBrainz())
    one = await again(made, await begun(database, clock, "https://www.discogs.com/release/7"))
    assert (one.status, one.candidates) == ("failed", [])
    assert await wanted(database) == []


@pytest.mark.parametrize(
    ("outcome", "status"), [(replies.Outcome.ABSENT, "absent"), (replies.Outcome.GIVEN_UP, "failed")]
)
async def test_what_was_not_found_before_is_asked_again_and_only_then_counts(
    database: Database, clock: HandClock, settings: Settings, outcome: replies.Outcome, status: str
) -> None:
    made = tools(database, clock, settings, musicbrainz.MusicBrainz())
    question = contract.DescribeRecording(RECORDING)
    await told(database, clock, "musicbrainz", question, outcome=outcome)
    clock.turn(60)
    one = await begun(database, clock, f"musicbrainz.org/recording/{RECORDING}")
    one = await again(made, one)
    assert one.status == "pending"
    await told(database, clock, "musicbrainz", question, outcome=outcome)
    assert (await again(made, one)).status == status


async def test_one_account_cannot_fill_the_lane_that_goes_before_all(
    database: Database, clock: HandClock, settings: Settings
) -> None:
    one = await begun(database, clock, f"musicbrainz.org/recording/{RECORDING}")
    async with database.transaction() as conn:
        for number in range(1, search.MOST_PENDING):
            await search.by_names(conn, one.account_id, one.lookup_id, "a", f"b{number}", now=clock.now())
        with pytest.raises(errors.Refused, match="under way"):
            await search.by_names(conn, one.account_id, one.lookup_id, "a", "one more", now=clock.now())


async def test_searches_go_when_their_sources_terms_say(
    database: Database, clock: HandClock, settings: Settings
) -> None:
    made = tools(database, clock, settings, discogs.Discogs())
    one = await begun(database, clock, "https://www.discogs.com/release/7")
    clock.turn(6 * 3600 + 1)
    await recheck.purge_stop_gaps(made)
    async with database.connection() as conn:
        assert await searches.by_id(conn, one.account_id, one.id) is None
