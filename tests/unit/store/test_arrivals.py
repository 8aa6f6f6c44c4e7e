"""How soon plays show a picture: from the rows that brought it, whenever somebody looks."""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec
import pytest

from sleevenotes import model
from sleevenotes.clock import HandClock
from sleevenotes.pipeline.submit import Submitter
from sleevenotes.store import arrivals, artworks, images, preferences, previews
from sleevenotes.store.postgres import Database
from sleevenotes.store.preferences import Subject
from tests.unit.store import given
from tests.unit.store.test_covers import LASTFM, OWN, Shelf
from tests.unit.store.test_images import COVER


class Watched(Shelf):
    """A play that is watched from its arrival, ten seconds before anything is known of it."""

    async def watched(self, *, address: str = "", met: str = "new") -> Watched:
        await self.arrive(address=address)
        await self.conn.execute("UPDATE matches SET decided_at = $1", self.clock.now() + timedelta(seconds=2))
        await arrivals.keep(self.conn, {self.id: self.lookup_id}, self.clock.now())
        await self.conn.execute("UPDATE arrivals SET met = $1", met)
        self.received = self.clock.now()
        return self

    async def times(self) -> tuple[float | None, float | None]:
        """Settle, and return the seconds until a picture, and until one that stays."""
        await arrivals.settle(self.conn, self.clock.now())
        row = await self.conn.fetchrow("SELECT first_s, chosen_s FROM arrivals")
        [shown] = await self.conn.fetch("SELECT 1 FROM arrivals WHERE first_s IS NOT NULL") or [None]
        assert (shown is not None) == ((await self.shown())[0] != "")  # as the pages show it
        return row["first_s"], row["chosen_s"]

    async def shelf_preview(self, letter: str) -> None:
        await previews.show(self.conn, {self.lookup_id: await self.image(letter)}, self.clock.now())


async def test_a_passing_picture_and_the_chosen_cover_are_timed_apart(database: Database, clock: HandClock) -> None:
    async with database.connection() as conn:
        play = await Watched(conn, clock).watched()
        assert await play.times() == (None, None)
        clock.turn(3)
        await play.shelf_preview("2")
        clock.turn(4)
        await artworks.show(conn, play.group, await play.image("3"), "first", clock.now())
        clock.turn(5)
        await play.cover("4")
        clock.turn(3600)  # nobody looked meanwhile
        assert await play.times() == (3, 12)


async def test_a_cover_that_was_there_counts_from_when_the_name_was_matched(
    database: Database, clock: HandClock
) -> None:
    async with database.connection() as conn:
        play = await Watched(conn, clock).watched()
        await play.cover("4")
        clock.turn(60)
        assert await play.times() == (2, 2)


async def test_a_known_name_shows_its_cover_at_once_however_often_it_is_matched_anew(
    database: Database, clock: HandClock
) -> None:
    async with database.connection() as conn:
        play = await Watched(conn, clock).watched(met="known")
        await play.cover("4")
        clock.turn(60)
        await conn.execute("UPDATE matches SET decided_at = $1", clock.now())
        assert await play.times() == (0, 0)


@pytest.mark.parametrize(("address", "temporary", "chosen"), [(OWN, False, 6.0), (LASTFM, True, None)])
async def test_an_image_that_came_with_the_play_counts_and_last_fms_only_as_passing(
    database: Database, clock: HandClock, address: str, temporary: bool, chosen: float | None
) -> None:
    async with database.connection() as conn:
        play = await Watched(conn, clock).watched(address=address)
        clock.turn(6)
        await play.sent("1", address, temporary=temporary)
        clock.turn(60)
        assert await play.times() == (6, chosen)


async def test_what_the_listener_prefers_and_chooses_counts_from_then(database: Database, clock: HandClock) -> None:
    async with database.connection() as conn:
        play = await Watched(conn, clock).watched()
        clock.turn(9)
        await play.choose("5")
        clock.turn(60)
        assert await play.times() == (9, 9)
        other = await preferences.put(
            conn, play.account_id, Subject("Marrow", "", None, play.id), await play.image("6"), clock.now()
        )
        assert other
        await conn.execute("UPDATE arrivals SET first_s = NULL, chosen_s = NULL, look_at = $1", clock.now())
        assert await play.times() == (9, 9)


async def test_an_upload_is_there_with_the_play(database: Database, clock: HandClock) -> None:
    async with database.connection() as conn:
        play = await Watched(conn, clock).watched()
        await play.upload("4")
        clock.turn(60)
        assert await play.times() == (0, 0)


async def test_a_stop_gap_that_is_gone_was_shown_and_is_not_there_for_the_next_play(
    database: Database, clock: HandClock
) -> None:
    async with database.connection() as conn:
        play = await Watched(conn, clock).watched()
        stop_gap = await images.keep(
            conn,
            msgspec.structs.replace(COVER, digest="7" * 64),
            clock.now(),
            expires_at=clock.now() + timedelta(hours=6),
        )
        clock.turn(4)
        await artworks.found(conn, play.group, stop_gap, "for now", clock.now())
        assert await play.times() == (4, 4)
        clock.turn(7 * 3600)
        await images.purge(conn, clock.now())
        later = await given.play(conn, play.account_id, play.lookup_id, clock.now())
        await arrivals.keep(conn, {later: play.lookup_id}, clock.now())
        clock.turn(30)
        await play.cover("8")
        await arrivals.settle(conn, clock.now())
        rows = await conn.fetch("SELECT met, is_first, first_s FROM arrivals ORDER BY scrobble_id")
        assert [tuple(row) for row in rows] == [("new", True, 4), ("known", False, 30)]


async def test_a_correction_that_leads_to_a_covered_album_counts_from_when_it_was_made(
    database: Database, clock: HandClock
) -> None:
    async with database.connection() as conn:
        play = await Watched(conn, clock).watched()
        await play.cover("4")
        await conn.execute("UPDATE matches SET decided_at = $1", clock.now() + timedelta(minutes=5))
        clock.turn(600)
        assert await play.times() == (300, 300)


async def test_what_shows_nothing_is_looked_at_less_and_less_often_and_in_the_end_no_more(
    database: Database, clock: HandClock
) -> None:
    async def next_look() -> float | None:
        at: datetime | None = await conn.fetchval("SELECT look_at FROM arrivals")
        return None if at is None else (at - clock.now()).total_seconds()

    async with database.connection() as conn:
        await Watched(conn, clock).watched()
        assert await arrivals.settle(conn, clock.now()) == 1
        assert await next_look() == 5
        assert await arrivals.settle(conn, clock.now()) == 0
        clock.turn(16 * 3600)
        await arrivals.settle(conn, clock.now())
        assert await next_look() == 3600
        clock.turn(65 * 86400)
        await arrivals.settle(conn, clock.now())
        assert await next_look() is None


async def test_shares_say_of_what_they_are(database: Database, clock: HandClock) -> None:
    async with database.connection() as conn:
        start = clock.now()
        account = await given.account(conn, "maria", start)
        name = await given.lookup(conn, "Marrow", "Kelp", start)
        for number, first_s in enumerate([0, 0, 1, 2, 59, 61, None, None]):
            at = start + timedelta(seconds=number)
            play = await given.play(conn, account, name, at)
            await arrivals.keep(conn, {play: name}, at)
            await conn.execute(
                "UPDATE arrivals SET first_s = $2, chosen_s = $2, look_at = NULL WHERE scrobble_id = $1", play, first_s
            )
        clock.turn(66)  # the last play's minute is not over
        told = await arrivals.count(conn, start, clock.now(), clock.now())
        assert told == arrivals.Arrived(
            plays=8,
            first=arrivals.Waits(6, 1, 61, 61),
            chosen=arrivals.Waits(6, 1, 61, 61),
            minute_over=7,
            within_minute=5,
            within_minute_share=0.7143,
            artwork_share=0.75,
            of_those_share=0.8333,
        )
        assert (await arrivals.count(conn, start, clock.now(), clock.now(), firsts=True)).plays == 1
        assert (await arrivals.count(conn, clock.now(), clock.now(), clock.now())).first == arrivals.Waits(0)
        assert await arrivals.met(conn, start, clock.now()) == {"new": 1, "waiting": 7, "pictured": 2}


async def test_only_plays_that_somebody_waits_for_arrive(database: Database, clock: HandClock) -> None:
    submitter = Submitter(database, clock)
    async with database.connection() as conn:
        account = await given.account(conn, "maria", clock.now())
    plays = [
        (model.Band.DEFAULT, "listenbrainz"),
        (model.Band.DEFAULT, "lastfm"),  # a sync brought it
        (model.Band.LOW_PRIORITY, "listenbrainz"),
        (model.Band.DEFAULT, "api"),
    ]
    for minute, (band, origin) in enumerate(plays):
        at = clock.now() + timedelta(minutes=10 * minute)
        sent = model.Scrobble(artist="Marrow", track=f"Kelp {minute // 3}", listened_at=at, origin=origin)
        await submitter.submit(account, [sent], band=band)
    async with database.connection() as conn:
        rows = await conn.fetch(
            "SELECT origin, met, is_first FROM arrivals JOIN scrobbles ON id = scrobble_id ORDER BY id"
        )
        assert [tuple(row) for row in rows] == [("listenbrainz", "new", True), ("api", "new", True)]
        await conn.execute("DELETE FROM scrobbles")
        assert await conn.fetchval("SELECT count(*) FROM arrivals") == 0
