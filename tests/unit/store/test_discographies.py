"""Discographies: which earlier name told who the artist of a waiting one is."""

from __future__ import annotations

from sleevenotes.clock import HandClock
from sleevenotes.store import catalog, discographies, matches
from sleevenotes.store.postgres import Connection, Database
from tests.unit.store import given


async def matched(conn: Connection, clock: HandClock, sent: str, title: str, *artists: str) -> int:
    """Write a name that was sent as by this artist and matched with a recording of these; return its id."""
    lookup_id = await given.lookup(conn, sent, title, clock.now())
    [kept] = await catalog.keep(conn, [(given.recording(title, *artists), None)], clock.now())
    identity = matches.Identity(*kept, source="musicbrainz", distance=0.0, reason="same")
    await matches.settle(conn, [matches.matched(lookup_id, identity)], clock.now())
    return lookup_id


async def test_the_first_name_with_the_artist_alone_tells_who_the_artist_is(
    database: Database, clock: HandClock
) -> None:
    async with database.transaction() as conn:
        await matched(conn, clock, "Low", "Duet", "Low", "Dirty Three")
        first = await matched(conn, clock, "Low", "Words", "Low")
        await matched(conn, clock, "low", "Monkey", "Low")
        waiting = [await given.lookup(conn, artist, "Sunflower", clock.now()) for artist in ("LOW", "Autechre")]
        assert await discographies.known(conn, waiting) == {
            waiting[0]: discographies.Told(first, "low", given.mbid("Low"))
        }
