"""Deleted plays that come back: each is shown once, whatever has come in meanwhile."""

from __future__ import annotations

from sleevenotes import model
from sleevenotes.pipeline import deletions
from sleevenotes.pipeline.submit import Submitter
from tests.unit.pipeline.histories import LASTFM, LISTENBRAINZ, SPOTIFY, bring, delete, shown
from tests.unit.pipeline.importing_house import House, house

__all__ = ["house"]  # pytest finds it here


async def stored_again(house: House, track: str) -> None:
    """Store Last.fm's records of a deleted track once more, as a program does that reads them there."""
    async with house.database.connection() as conn:
        found = await conn.fetch(
            "SELECT (scrobble ->> 'listened_at')::timestamptz AS at, scrobble ->> 'artist' AS artist "
            "FROM deleted_scrobbles WHERE scrobble ->> 'track' = $1 AND scrobble ->> 'origin' = 'lastfm'",
            track,
        )
    sent = [model.Scrobble(row["artist"], track, "Al", row["at"], origin="lastfm") for row in found]
    await Submitter(house.database, house.clock).submit(house.account_id, sent, band=model.Band.DEFAULT)


async def hidden_behind_nothing(house: House) -> int:
    async with house.database.connection() as conn:
        number: int = await conn.fetchval(
            """
            SELECT count(*) FROM scrobbles s WHERE same_as IS NOT NULL
              AND NOT EXISTS (SELECT FROM scrobbles shown WHERE shown.id = s.same_as AND shown.same_as IS NULL)
            """
        )
    return number


async def test_a_hidden_record_comes_back_beside_the_one_that_was_stored_again_meanwhile(house: House) -> None:
    await bring(house, LASTFM, "lf.csv")
    await bring(house, SPOTIFY, "sp.json")
    before = await shown(house)
    deletion_id = await delete(house, "One")
    await stored_again(house, "One")
    await deletions.undo(house, house.account_id, deletion_id)
    assert [track for _, track in await shown(house)] == [track for _, track in before]
    assert await hidden_behind_nothing(house) == 0
    async with house.database.connection() as conn:
        assert await conn.fetchval("SELECT count(*) FROM scrobbles WHERE track = 'One'") == 2


async def test_a_hidden_record_that_came_back_is_shown_when_the_other_goes_again(house: House) -> None:
    await bring(house, LASTFM, "lf.csv")
    await bring(house, SPOTIFY, "sp.json")
    deletion_id = await delete(house, "One")
    await stored_again(house, "One")
    await deletions.undo(house, house.account_id, deletion_id)
    async with house.database.connection() as conn:
        await conn.execute("DELETE FROM scrobbles WHERE track = 'One' AND origin = 'lastfm'")
    assert ("spotify", "One") in await shown(house)
    assert await hidden_behind_nothing(house) == 0


async def test_a_play_outlives_the_import_that_brought_it_again_where_its_deletion_was_undone(house: House) -> None:
    await bring(house, LASTFM, "lf.csv")
    await bring(house, SPOTIFY, "sp.json")
    deletion_id = await delete(house, "One")
    number = await bring(house, LASTFM, "lf.csv", include_deleted=True)
    await deletions.undo(house, house.account_id, deletion_id)
    assert [track for _, track in await shown(house)] == ["One", "Two", "Three", "Four", "Four"]
    assert await house.stage().undone(number) == 1
    assert [track for _, track in await shown(house)] == ["One", "Two", "Three", "Four", "Four"]
    assert await hidden_behind_nothing(house) == 0


async def test_what_comes_back_is_compared_with_what_came_in_meanwhile(house: House) -> None:
    await bring(house, LASTFM, "lf.csv")
    deletion_id = await delete(house, "One")
    await bring(house, LISTENBRAINZ, "lb.jsonl")
    assert [track for _, track in await shown(house)].count("One") == 1
    await deletions.undo(house, house.account_id, deletion_id)
    assert [track for _, track in await shown(house)].count("One") == 1
    assert await hidden_behind_nothing(house) == 0


async def test_an_undone_deletion_tells_pages_of_each_play_that_is_shown(house: House) -> None:
    await bring(house, LASTFM, "lf.csv")
    await bring(house, SPOTIFY, "sp.json")
    deletion_id = await delete(house, "One")
    assert await deletions.undo(house, house.account_id, deletion_id) == 1
    assert await deletions.undo(house, house.account_id, deletion_id) is None
    async with house.database.connection() as conn:
        told = await conn.fetch("SELECT payload FROM events WHERE kind = 'scrobbles_stored' ORDER BY id DESC")
        one = await conn.fetchval("SELECT id FROM scrobbles WHERE track = 'One' AND same_as IS NULL")
    assert told[0]["payload"]["ids"] == [one]
