"""A file of names, enriched from end to end: with everything real but the internet and the time."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import structlog

from sleevenotes import app, catalogue, library
from sleevenotes.catalogue import build, dump
from sleevenotes.clock import HandClock
from sleevenotes.library import How, Name
from sleevenotes.pipeline import enrich
from sleevenotes.settings import Settings
from sleevenotes.simulator import core, listener
from sleevenotes.simulator.world import World
from sleevenotes.store import enriched
from tests import turning

WORLD = World.invented(artists=120)
EVERYTHING = How()
DECIDED = "SELECT count(*) FROM lookups WHERE status = 'enriched'"
NOBODY = Name("Nobody At All", "Nothing Whatsoever")


@contextmanager
def _logs_as_before() -> Iterator[None]:
    yield
    structlog.reset_defaults()


class Desk:
    """Parts without a worker, and a simulated internet to ask."""

    def __init__(self, parts: app.Parts, clock: HandClock) -> None:
        self.parts = parts
        self.clock = clock
        self.simulator = core.Simulator(WORLD, clock)

    async def enrich(self, counted: dict[Name, int], how: How = EVERYTHING) -> dict[Name, enriched.Row]:
        """Enrich names while the clock turns."""
        work = asyncio.create_task(library.through(self.parts, counted, how, None, core.Mounted(self.simulator)))
        await turning.until(lambda: self._is(work.done()), self.clock)
        return (await work).rows

    async def enrich_until(self, counted: dict[Name, int], enough: int) -> None:
        """Enrich names and stop as soon as so many are matched."""
        work = asyncio.create_task(library.through(self.parts, counted, EVERYTHING, None, core.Mounted(self.simulator)))
        await turning.until(lambda: self._is(f"(SELECT count(*) >= {enough} FROM matches)"), self.clock)
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)

    async def _is(self, condition: object) -> bool:
        """Ask the database, which gives the other tasks their time."""
        async with self.parts.database.connection() as conn:
            return bool(await conn.fetchval(f"SELECT {condition}"))

    async def count(self, sql: str) -> int:
        async with self.parts.database.connection() as conn:
            return int(await conn.fetchval(sql))


@asynccontextmanager
async def desk(settings: Settings, clock: HandClock) -> AsyncIterator[Desk]:
    with _logs_as_before():
        async with app.open(settings, time=clock) as parts:
            yield Desk(parts, clock)


def known(count: int) -> list[Name]:
    """Choose different songs that the simulated MusicBrainz knows."""
    found: dict[Name, None] = {}
    for play in listener.choices(WORLD, 1):
        truth = WORLD.truth(play.artist, play.track, play.release)
        if truth is not None and "musicbrainz" in truth.known_to:
            found.setdefault(Name(play.artist, play.track, play.release))
        if len(found) == count:
            break
    return list(found)


async def test_names_that_nobody_played_are_matched_and_get_covers_without_an_account(
    settings: Settings, clock: HandClock
) -> None:
    names = known(12)
    async with desk(settings, clock) as here:
        found = await here.enrich({**dict.fromkeys(names, 1), NOBODY: 3})
        right = 0
        for name in names:
            truth = WORLD.truth(name.artist, name.track, name.release)
            assert truth is not None
            assert found[name].status == "enriched"
            right += found[name].recording_mbid == truth.recording_mbid
            assert found[name].artwork_status in ("found", "absent")
        assert right == len(names)
        assert any(found[name].image_digest for name in names)
        assert found[NOBODY].status == "not_found"
        assert await here.count("SELECT count(*) FROM accounts") == 0
        assert here.simulator.statistics.violations == 0


async def test_a_second_run_asks_nothing(settings: Settings, clock: HandClock) -> None:
    names = dict.fromkeys([*known(5), NOBODY], 1)
    async with desk(settings, clock) as here:
        first = await here.enrich(names)
        asked = here.simulator.statistics.requests
        assert await here.enrich(names) == first
        assert here.simulator.statistics.requests == asked > 0


async def test_a_run_that_was_stopped_goes_on_where_it_was(settings: Settings, clock: HandClock) -> None:
    names = [*known(20), NOBODY]
    async with desk(settings, clock) as here:
        here.simulator.fail_next("api.deezer.com", "500", 1000)  # so that it cannot be said that nobody knows the last
        await here.enrich_until(dict.fromkeys(names, 1), 10)
    async with desk(settings, clock) as again:
        kept = await again.count(DECIDED)
        assert 10 <= kept < len(names)
        clock.turn(1)
        resumed_at = clock.now()
        found = await again.enrich(dict.fromkeys(names, 1))
        assert found.pop(NOBODY).status == "not_found"
        assert {row.status for row in found.values()} == {"enriched"}
        assert await again.count(f"{DECIDED} AND decided_at < '{resumed_at.isoformat()}'") == kept


async def test_the_most_frequent_names_are_asked_first(settings: Settings, clock: HandClock) -> None:
    rare, *others = known(3)
    async with desk(settings, clock) as here:
        await enrich.meet(here.parts.database, clock, {rare: 1, others[0]: 5, others[1]: 9}, answering=None, ask=True)
        async with here.parts.database.connection() as conn:
            rows = await conn.fetch("SELECT artist, track FROM lookups ORDER BY id")
            [job] = await conn.fetch("SELECT convert_from(payload, 'utf8') AS ids FROM pgqueuer")
            ids = await conn.fetch("SELECT id, track FROM lookups")
    tracks = {row["id"]: row["track"] for row in ids}
    assert len(rows) == 3
    order = [tracks[int(each)] for each in job["ids"].strip("[]").split(",")]
    assert order == [others[1].track, others[0].track, rare.track]


async def test_offline_nobody_is_asked_and_unknown_names_leave_nothing_behind(
    settings: Settings, clock: HandClock
) -> None:
    [song, other] = known(2)
    async with desk(settings, clock) as here:
        await here.enrich({song: 1})
        asked = here.simulator.statistics.requests
        found = await here.enrich({song: 1, other: 1}, How(ask=False))
        assert found[song].status == "enriched"
        assert other not in found
        assert here.simulator.statistics.requests == asked
        assert await here.count("SELECT count(*) FROM lookups") == 1


async def test_without_covers_none_is_asked_for_and_the_jobs_are_left_to_a_server(
    settings: Settings, clock: HandClock
) -> None:
    names = known(3)
    async with desk(settings, clock) as here:
        found = await here.enrich(dict.fromkeys(names, 1), How(covers=False))
        assert {row.status for row in found.values()} == {"enriched"}
        assert set(here.simulator.statistics.snapshot()["hosts"]) == {"musicbrainz.org"}
        assert await here.count("SELECT count(*) FROM pgqueuer WHERE entrypoint = 'artwork'") > 0
        later = await here.enrich(dict.fromkeys(names, 1))
        assert {row.artwork_status for row in later.values()} <= {"found", "absent"}


# ---------------------------------------------------------------- with the offline catalogue


def catalogue_of(names: list[Name], settings: Settings, clock: HandClock) -> None:
    """Build a catalogue that knows these names, where the settings look for it."""
    dumped = settings.data_path / "dump"
    dumped.mkdir(parents=True)
    recordings, releases = [], []
    for number, name in enumerate(names, start=1):
        truth = WORLD.truth(name.artist, name.track, name.release)
        assert truth is not None
        artist = uuid.uuid5(uuid.NAMESPACE_DNS, name.artist)
        recordings.append(
            f'{number},{number},{artist},"{name.artist}",{truth.release_mbid},"{name.release}",'
            f'{truth.recording_mbid},"{name.track}",,{number}\n'
        )
        releases.append(f"{truth.release_mbid},{truth.release_mbid},{truth.release_group_mbid}\n")
    (dumped / dump.RECORDINGS).write_text(
        "id,artist_credit_id,artist_mbids,artist_credit_name,release_mbid,release_name,recording_mbid,recording_name,"
        f"combined_lookup,score\n{''.join(recordings)}",
        "utf-8",
    )
    (dumped / dump.RELEASE_REDIRECTS).write_text(
        f"release_mbid,canonical_release_mbid,release_group_mbid\n{''.join(releases)}", "utf-8"
    )
    build.build(dumped, settings.catalogue_path / catalogue.NAMES, clock.now())


async def test_what_the_catalogue_knows_is_matched_without_a_request_and_only_covers_are_asked_for(
    settings: Settings, clock: HandClock
) -> None:
    names = known(10)
    catalogue_of(names, settings, clock)
    async with desk(settings, clock) as here:
        found = await here.enrich(dict.fromkeys(names, 1), How(covers=False))
        assert here.simulator.statistics.requests == 0
        assert {(row.status, row.source) for row in found.values()} == {("enriched", "catalogue")}
        covered = await here.enrich(dict.fromkeys(names, 1))
        assert {row.artwork_status for row in covered.values()} <= {"found", "absent"}
        assert await here.count("SELECT count(*) FROM traces WHERE kind = 'find_recording'") == 0
        assert await here.count("SELECT count(*) FROM traces") > 0


async def test_offline_the_catalogue_answers_what_it_knows_and_the_rest_leaves_nothing_behind(
    settings: Settings, clock: HandClock
) -> None:
    song, other = known(2)
    catalogue_of([song], settings, clock)
    async with desk(settings, clock) as here:
        found = await here.enrich({song: 1, other: 1}, How(ask=False))
        assert found[song].status == "enriched"
        assert other not in found
        assert await here.count("SELECT count(*) FROM lookups") == 1
        assert here.simulator.statistics.requests == 0
