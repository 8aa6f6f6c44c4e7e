"""A source that is new, or has a key at last: it is asked what others left open, only that, and nobody else is."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import msgspec
import pytest_asyncio

from sleevenotes import app, model
from sleevenotes.clock import HandClock
from sleevenotes.settings import Settings
from sleevenotes.simulator import core, listener
from sleevenotes.store import accounts, jobs, portraits
from tests import turning
from tests.journey.conftest import QUIET, SETTLED, WORLD
from tests.journey.test_many_sources import first

CATALOGUE = "musicbrainz,coverartarchive"
SHOP = f"{CATALOGUE},deezer,deezer_images"
ENDED = "SELECT count(*) > 0 AND bool_and(ended_at IS NOT NULL) FROM backfills WHERE source = $1"


@dataclasses.dataclass
class Site:
    """An installation that is started again and again, with other settings each time."""

    parts: app.Parts
    clock: HandClock
    simulator: core.Simulator
    account_id: int

    @contextlib.asynccontextmanager
    async def started(self, **settings: object) -> AsyncIterator[datetime]:
        """Let a worker run with these settings; gives the moment of its start."""
        parts = dataclasses.replace(self.parts, settings=msgspec.structs.replace(self.parts.settings, **settings))
        self.clock.turn(1)
        async with app.working(parts, core.Mounted(self.simulator)):
            yield self.clock.now()

    async def count(self, sql: str, *args: object) -> object:
        async with self.parts.database.connection() as conn:
            return await conn.fetchval(sql, *args)

    async def until(self, sql: str, *args: object, at_most: float = 7200.0) -> None:
        await turning.until(lambda: self.count(sql, *args), self.clock, at_most=at_most)

    async def play(self, *plays: listener.Play) -> None:
        """Import these plays and wait until they are settled."""
        sent = [
            model.Scrobble(play.artist, play.track, play.release, self.clock.now() - timedelta(minutes=5 * at + 5))
            for at, play in enumerate(plays)
        ]
        await self.parts.submitter.submit(self.account_id, sent, band=model.Band.LOW_PRIORITY)
        await self.until(SETTLED)

    async def asked(self, since: datetime) -> dict[str, int]:
        """Return which sources were asked how much since then."""
        async with self.parts.database.connection() as conn:
            rows = await conn.fetch(
                "SELECT source, count(*) FROM traces WHERE asked_at >= $1 GROUP BY source ORDER BY source", since
            )
        return {row["source"]: row["count"] for row in rows}

    async def backfilled(self, source: str) -> None:
        """Wait until a source that is new was asked all it is to be asked, and has answered."""
        await self.until(ENDED, source)
        await self.until(QUIET)


@pytest_asyncio.fixture
async def site(settings: Settings, clock: HandClock) -> AsyncIterator[Site]:
    """Open an installation with one listener, at which nobody works."""
    async with app.open(settings, time=clock) as parts:
        async with parts.database.transaction() as conn:
            account = await accounts.create(conn, "anna", "a good password", is_owner=True, now=clock.now())
        yield Site(parts, clock, core.Simulator(WORLD, clock), account.id)


async def test_names_that_others_do_not_know_are_asked_of_a_new_source_alone(site: Site) -> None:
    unknown = first(known={"deezer"}, unknown={"musicbrainz"}, art={"deezer"})
    nobodys = model.Scrobble("Nobody At All", "A Song Nobody Has", "", site.clock.now() - timedelta(hours=9))
    async with site.started(sources=CATALOGUE):
        await site.parts.submitter.submit(site.account_id, [nobodys], band=model.Band.LOW_PRIORITY)
        await site.play(unknown, first(known={"musicbrainz", "deezer"}))
    assert await site.count("SELECT count(*) FROM lookups WHERE status = 'not_found'") == 2
    dates = await site.count("SELECT array_agg(recheck_at) FROM lookups WHERE track LIKE 'A Song Nobody%'")
    absences = await site.count("SELECT count(*) FROM replies WHERE source = 'musicbrainz' AND outcome = 'absent'")
    async with site.started(sources=SHOP) as since:
        await site.backfilled("deezer")
        assert set(await site.asked(since)) == {"deezer", "deezer_images"}
    assert await site.count("SELECT total FROM backfills WHERE kind = 'find_recording'") == 2
    assert await site.count("SELECT track FROM lookups WHERE status = 'not_found'") == nobodys.track
    assert await site.count("SELECT array_agg(recheck_at) FROM lookups WHERE status = 'not_found'") == dates
    absent = "SELECT count(*) FROM replies WHERE source = 'musicbrainz' AND outcome = 'absent'"
    assert await site.count(absent) == absences


async def test_albums_without_a_cover_are_asked_of_a_new_source_alone(site: Site) -> None:
    bare = first(known={"musicbrainz"}, art={"deezer"}, bare={"coverartarchive"})
    covered = first(known={"musicbrainz"}, art={"coverartarchive", "deezer"})
    async with site.started(sources=CATALOGUE):
        await site.play(bare, covered)
    assert await site.count("SELECT array_agg(status ORDER BY status) FROM artworks") == ["absent", "found"]
    async with site.started(sources=SHOP) as since:
        await site.backfilled("deezer")
        assert await site.asked(since) == {"deezer": 1, "deezer_images": 1}
        inquired = (
            "SELECT count(*) FROM traces JOIN inquiries USING (question_key) WHERE stage = 'artwork' AND source = $1"
        )
        assert await site.count(inquired, "deezer") == 1  # explained with the album, and asked again with its next look
    assert await site.count("SELECT array_agg(DISTINCT status) FROM artworks") == ["found"]
    assert await site.count("SELECT count(*) FROM images JOIN artworks ON image_id = images.id") == 2


async def test_artists_without_a_picture_are_asked_of_a_new_source(site: Site) -> None:
    plays = [first(known={"musicbrainz", "theaudiodb"})]
    async with site.started(sources=f"{CATALOGUE},lastfm", lastfm_key="k"):
        await site.play(*plays)
        async with site.parts.database.transaction() as conn:
            artist_id = await conn.fetchval("SELECT min(artist_id) FROM artist_credit_names")
            await portraits.want(conn, artist_id, site.clock.now())
            await jobs.enqueue(conn, "portrait", [artist_id], model.Band.CRITICAL)
        await site.until("SELECT status = 'told' FROM portraits")
    dated = await site.count("SELECT look_again_at FROM portraits")
    more = f"{CATALOGUE},lastfm,theaudiodb,theaudiodb_images"
    async with site.started(sources=more, lastfm_key="k") as since:
        await site.backfilled("theaudiodb")
        assert set(await site.asked(since)) <= {"theaudiodb", "theaudiodb_images"}
        asked = "SELECT count(*) FROM traces WHERE kind = 'find_artist' AND source = 'theaudiodb'"
        assert await site.count(asked) == 1
    assert await site.count("SELECT look_again_at FROM portraits") == dated


async def test_a_source_that_was_away_is_asked_only_what_it_never_was(site: Site) -> None:
    unknown = first(known={"musicbrainz"})._replace(artist="Nobody At All", track="A Song Nobody Has")
    later = first(known={"deezer"}, unknown={"musicbrainz"})
    async with site.started(sources=SHOP):
        await site.play(unknown)
    async with site.started(sources=CATALOGUE):
        await site.play(later)
    async with site.started(sources=SHOP) as since:
        await site.backfilled("deezer")
        recordings = "SELECT count(*) FROM traces WHERE kind = 'find_recording' AND asked_at >= $1"
        assert await site.count(recordings, since) == 1
    assert await site.count("SELECT total FROM backfills WHERE kind = 'find_recording'") == 2
    assert await site.count("SELECT track FROM lookups WHERE status = 'enriched'") == later.track


async def test_what_terms_made_us_forget_is_not_asked_again_either(site: Site) -> None:
    unknown = first(known={"musicbrainz"})._replace(artist="Nobody At All", track="A Song Nobody Has")
    async with site.started(sources=SHOP):
        await site.play(unknown)
        await site.count("DELETE FROM replies WHERE source = 'deezer' RETURNING 1")
    async with site.started(sources=CATALOGUE):
        pass
    async with site.started(sources=SHOP) as since:
        await site.backfilled("deezer")
        assert await site.asked(since) == {}


async def test_a_backfill_goes_on_after_a_new_start_and_a_lost_source_ends_it(site: Site) -> None:
    async with site.started(sources=CATALOGUE):
        await site.play(first(known={"deezer"}, unknown={"musicbrainz"}))
    async with site.started(sources=SHOP):
        assert await site.count("SELECT total FROM backfills WHERE kind = 'find_recording'") == 1
    async with site.started(sources=SHOP):
        await site.backfilled("deezer")
    assert await site.count("SELECT count(*) FROM lookups WHERE status = 'enriched'") == 1
    async with site.started(sources=CATALOGUE):
        assert await site.count("SELECT count(*) FROM backfills") == 0


async def test_an_old_installation_has_no_new_sources_and_a_better_key_is_no_news(site: Site) -> None:
    async with site.started(sources=CATALOGUE):
        await site.play(first(known={"deezer"}, unknown={"musicbrainz"}))
    await site.count("DELETE FROM source_abilities")  # as it is after the update
    async with site.started(sources=f"{SHOP},theaudiodb"):
        assert await site.count("SELECT count(*) FROM backfills") == 0
    async with site.started(sources=f"{SHOP},theaudiodb", theaudiodb_key="of our own"):
        assert await site.count("SELECT count(*) FROM backfills") == 0


async def test_a_small_cover_is_looked_for_again_and_only_a_larger_one_replaces_it(site: Site) -> None:
    play = first(known={"musicbrainz"}, art={"coverartarchive", "theaudiodb"})
    mine = f"{CATALOGUE},theaudiodb,theaudiodb_images"
    size = "SELECT greatest(width, height) FROM images JOIN artworks ON image_id = images.id"
    async with site.started(sources=mine, wanted_image_px=600):
        await site.play(play)
        assert await site.count(size) == 500
        image = await site.count("SELECT image_id FROM artworks")
        site.clock.turn(23 * 3600)
        await site.until("SELECT larger_tries = 1 FROM artworks", at_most=2 * 24 * 3600)
        await site.until(QUIET)
        assert await site.count(size) == 700
        assert await site.count("SELECT image_id FROM artworks") != image
        assert await site.count("SELECT larger_at IS NULL AND larger_tries = 0 FROM artworks")


async def test_a_cover_for_which_there_is_no_larger_one_stays_and_is_looked_for_ever_less_often(site: Site) -> None:
    play = first(known={"musicbrainz"}, art={"coverartarchive"}, bare={"theaudiodb"})
    mine = f"{CATALOGUE},theaudiodb,theaudiodb_images"
    async with site.started(sources=mine, wanted_image_px=600):
        await site.play(play)
        image = await site.count("SELECT image_id FROM artworks")
        waits = []
        for tries in range(7):
            due = "SELECT extract(epoch FROM larger_at) FROM artworks"
            now = site.clock.now().timestamp()
            waits.append(round((float(str(await site.count(due))) - now) / 86400, 1))
            site.clock.turn(waits[-1] * 86400 - 600)
            await site.until("SELECT larger_tries = $1 FROM artworks", tries + 1)
            await site.until(QUIET)
        assert waits == [1, 2, 4, 8, 16, 32, 32]
        assert await site.count("SELECT image_id FROM artworks") == image
        assert await site.count("SELECT count(*) FROM traces WHERE source = 'theaudiodb' AND kind = 'find_images'") == 7


async def test_without_the_archive_covers_come_from_others_and_when_it_is_back_it_is_asked(site: Site) -> None:
    bare = first(known={"musicbrainz"}, art={"coverartarchive"}, bare={"deezer"})
    covered = first(known={"musicbrainz"}, art={"deezer"})
    async with site.started(sources="musicbrainz,deezer,deezer_images"):
        await site.play(bare, covered)
    assert await site.count("SELECT array_agg(status ORDER BY status) FROM artworks") == ["absent", "found"]
    async with site.started(sources=SHOP) as since:
        await site.backfilled("coverartarchive")
        assert set(await site.asked(since)) == {"coverartarchive"}
    assert await site.count("SELECT array_agg(DISTINCT status) FROM artworks") == ["found"]


async def test_who_waits_for_a_source_that_is_gone_decides_without_it(site: Site) -> None:
    play = first(known={"deezer"}, unknown={"musicbrainz"})
    async with site.started(sources=SHOP):
        site.simulator.fail_next("api.deezer.com", "500", 9)
        sent = [model.Scrobble(play.artist, play.track, play.release, site.clock.now())]
        await site.parts.submitter.submit(site.account_id, sent, band=model.Band.LOW_PRIORITY)
        await site.until("SELECT EXISTS (SELECT FROM wants WHERE source = 'deezer' AND faults > 0)")
    async with site.started(sources=CATALOGUE):
        await site.until(SETTLED)
    assert await site.count("SELECT status FROM lookups") == "not_found"
