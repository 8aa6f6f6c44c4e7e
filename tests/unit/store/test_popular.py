"""Popular names: which are listed, what each is missing, which are taken up, and the public list."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import msgspec
import pytest_asyncio

from sleevenotes import model
from sleevenotes.clock import HandClock
from sleevenotes.store import (
    catalog,
    due,
    genres,
    matches,
    popular,
    popular_report,
    popular_seeds,
    portraits,
    postgres,
    source_ids,
)
from sleevenotes.store.popular_seeds import Seed
from sleevenotes.store.source_ids import Told
from tests.unit.store import given

MONTH = timedelta(days=30)


class World:
    """Names of one listener, with as many plays as are given."""

    def __init__(self, conn: postgres.Connection, clock: HandClock) -> None:
        self.conn = conn
        self.clock = clock
        self.account = 0

    async def name(self, track: str, plays: int, *, matched: bool = True, **facts: str) -> int:
        lookup_id = await given.lookup(self.conn, "Low", track, self.clock.now())
        for minute in range(plays):
            at = self.clock.now() - timedelta(minutes=minute, seconds=lookup_id)
            await given.play(self.conn, self.account, lookup_id, at)
        if matched:
            release = given.release(f"Album of {track}", "Low", date=facts.get("date", ""))
            recording = given.recording(track, "Low", first_release_date=facts.get("first", ""))
            [kept] = await catalog.keep(self.conn, [(recording, release)], self.clock.now())
            identity = matches.Identity(*kept, source="musicbrainz", distance=0.0, reason="so")
            await matches.settle(self.conn, [matches.matched(lookup_id, identity)], self.clock.now())
        else:
            nothing = matches.Outcome(lookup_id, model.Status.NOT_FOUND, "None.")
            await matches.settle(self.conn, [nothing], self.clock.now())
        return lookup_id

    async def count_anew(self, most: int = 10) -> None:
        await popular.list_most_played(self.conn, most, self.clock.now(), MONTH)

    async def missing(self, lookup_id: int) -> set[str]:
        await popular.measure(self.conn)
        return set(await self.conn.fetchval("SELECT missing FROM popular WHERE lookup_id = $1", lookup_id))

    async def take(self, limit: int = 10) -> list[int]:
        return [each.lookup_id for each in await popular.take(self.conn, limit, self.clock.now(), MONTH)]


@pytest_asyncio.fixture
async def world(database: postgres.Database, clock: HandClock) -> AsyncIterator[World]:
    async with database.transaction() as conn:
        made = World(conn, clock)
        made.account = await given.account(conn, "ann", clock.now())
        yield made


async def test_the_most_played_are_listed_in_order_and_who_falls_out_goes_after_a_while(world: World) -> None:
    seldom, often, once = [await world.name(*each) for each in (("seldom", 2), ("often", 5), ("once", 1))]
    await world.count_anew(2)
    rows = await world.conn.fetch("SELECT lookup_id, place FROM popular ORDER BY place")
    assert [(row["lookup_id"], row["place"]) for row in rows] == [(often, 1), (seldom, 2)]
    for minute in range(6):
        await given.play(world.conn, world.account, once, world.clock.now() + timedelta(minutes=minute))
    assert set(await world.take()) == {often, seldom}
    await world.count_anew(2)
    rows = await world.conn.fetch("SELECT lookup_id, place FROM popular ORDER BY place NULLS LAST")
    assert [(row["lookup_id"], row["place"]) for row in rows] == [(once, 1), (often, 2), (seldom, None)]
    world.clock.turn(31 * 86400)
    await world.count_anew(2)
    assert await world.conn.fetchval("SELECT count(*) FROM popular") == 2


async def test_each_kind_of_what_is_missing_is_told(world: World) -> None:
    nothing = await world.name("nothing", 1, matched=False)
    name = await world.name("name", 1, date="1999", first="1999")
    bare = await world.name("bare", 1)
    await world.count_anew()
    assert await world.missing(nothing) == {"match"}
    assert await world.missing(name) == {"art", "genres", "portraits"}
    assert await world.missing(bare) == {"art", "genres", "portraits", "dates"}
    artist = await world.conn.fetchval("SELECT id FROM artists")
    await genres.tell(world.conn, "artist", artist, "listenbrainz", ["slowcore"])
    assert await world.missing(name) == {"art", "portraits"}


async def test_a_complete_name_is_not_taken_up_before_it_is_old(world: World) -> None:
    name = await world.name("name", 1)
    await world.count_anew()
    await world.conn.execute("UPDATE popular SET missing = '{}', taken_at = $1, looked_at = $1", world.clock.now())
    assert await world.take() == []
    world.clock.turn(29 * 86400)
    assert await world.take() == []
    world.clock.turn(2 * 86400)
    assert await world.take() == [name]
    assert await world.take() == []
    report = await popular_report.read(world.conn, world.clock.now())
    assert (report.names, report.complete, report.looked, report.under_way, report.last_hour) == (1, 1, 0, 1, 1)


async def test_never_looked_at_goes_before_old_and_the_most_played_first(world: World) -> None:
    old = await world.name("old", 9)
    await world.count_anew()
    await world.take()
    world.clock.turn(31 * 86400)
    names = [await world.name(track, plays) for track, plays in (("b", 2), ("a", 3), ("c", 1))]
    await world.count_anew()
    assert [await world.take(1) for _ in range(5)] == [[names[1]], [names[0]], [names[2]], [old], []]


async def test_a_name_that_was_matched_since_is_due_again(world: World) -> None:
    name = await world.name("name", 1, matched=False)
    await world.count_anew()
    assert await world.take() == [name]
    assert await popular.reopen(world.conn, [name]) == [name]
    assert await world.take() == []  # it is being looked for
    world.clock.turn(60)
    pair = (given.recording("name", "Low"), given.release("Album", "Low"))
    [kept] = await catalog.keep(world.conn, [pair], world.clock.now())
    identity = matches.Identity(*kept, source="musicbrainz", distance=0.0, reason="so")
    await matches.settle(world.conn, [matches.matched(name, identity)], world.clock.now())
    assert await world.take() == [name]


async def test_an_imports_first_pass_is_seen_and_the_drips_own_names_are_not(world: World) -> None:
    assert not await popular.in_first_pass(world.conn, world.clock.now())
    seeded = await given.lookup(world.conn, "Low", "seeded", world.clock.now())
    await popular_seeds.met(world.conn, [seeded])
    assert not await popular.in_first_pass(world.conn, world.clock.now())
    assert await popular.count_open(world.conn, world.clock.now()) == 1
    await given.lookup(world.conn, "Low", "imported", world.clock.now())
    assert await popular.in_first_pass(world.conn, world.clock.now())
    assert not await popular.in_first_pass(world.conn, world.clock.now() + timedelta(days=8))  # stuck: not waited for


async def test_a_list_is_kept_by_its_popularity_each_name_once(world: World) -> None:
    seeds = [Seed("Low", "Sea", plays=1), Seed("Low", "Words", plays=9), Seed("low", "WORDS", plays=3), Seed("X", "y")]
    assert await popular_seeds.put(world.conn, seeds) == 3
    assert await popular_seeds.put(world.conn, seeds) == 0
    taken = await popular_seeds.take(world.conn, 2, world.clock.now())
    assert [each.track for each in taken] == ["Words", "Sea"]
    assert [each.track for each in await popular_seeds.take(world.conn, 5, world.clock.now())] == ["y"]
    report = await popular_report.read(world.conn, world.clock.now())
    assert (report.seeds, report.seeds_left) == (3, 0)


async def test_a_merged_recording_takes_its_matches_along(world: World) -> None:
    name = await world.name("name", 1)
    [kept] = await catalog.keep(world.conn, [(given.recording("merged", "Low"), None)], world.clock.now())
    old = await world.conn.fetchval("SELECT recording_id FROM matches")
    await popular.merged(world.conn, old, kept.recording_id)
    now = await world.conn.fetchval("SELECT recording_id FROM matches WHERE lookup_id = $1", name)
    assert now == kept.recording_id


async def test_a_portrait_with_a_picture_is_none_that_is_missing(world: World) -> None:
    name = await world.name("name", 1)
    await world.count_anew()
    artist = await world.conn.fetchval("SELECT id FROM artists")
    await portraits.want(world.conn, artist, world.clock.now())
    assert "portraits" in await world.missing(name)
    image = await world.conn.fetchval(
        """
        INSERT INTO images (digest, mime, width, height, size, thumbhash, colour, source, source_url, created_at)
        VALUES ('x', 'image/png', 1, 1, 1, '', '#000000', 'theaudiodb', 'u', $1) RETURNING id
        """,
        world.clock.now(),
    )
    when = world.clock.now()
    [sought] = await portraits.load_pending(world.conn, [artist])
    await portraits.told(world.conn, sought, image_id=image, listeners=None, page="", look_again_at=when)
    assert "portraits" not in await world.missing(name)
    assert msgspec.json.encode(await popular_report.read(world.conn, when))


async def test_an_id_is_missing_until_its_source_has_told_it_or_that_it_has_none(world: World) -> None:
    name = await world.name("name", 1, date="1999", first="1999")
    await world.count_anew()
    asked = popular.Asked(("deezer",), ("deezer", "discogs"), ("lastfm",))

    async def is_missing() -> bool:
        await popular.measure(world.conn, asked)
        return "source_ids" in await world.conn.fetchval("SELECT missing FROM popular WHERE lookup_id = $1", name)

    row = await world.conn.fetchrow("SELECT recording_id, release_group_id FROM matches")
    artist = await world.conn.fetchval("SELECT id FROM artists")
    told = [
        Told("recording", row["recording_id"], "deezer", "1"),
        Told("release_group", row["release_group_id"], "deezer", ""),
        Told("release_group", row["release_group_id"], "discogs", "2", "master"),
        Told("artist", artist, "lastfm", "Low"),
    ]
    for each in told:
        assert await is_missing()
        await source_ids.tell(world.conn, [each], world.clock.now())
    assert not await is_missing()
    await popular.measure(world.conn)
    assert "source_ids" not in await world.missing(name)  # where nobody can be asked


async def test_after_faults_ids_are_due_again_after_one_day_then_two_and_only_while_the_name_is_listed(
    world: World,
) -> None:
    name = await world.name("name", 1)
    await world.count_anew()
    for days in (1, 2, 4):
        await popular.collect(world.conn, [name], world.clock.now())
        assert await popular.count_open(world.conn, world.clock.now()) == 1
        await popular.collected(world.conn, [name], world.clock.now(), unreached=True)
        assert await popular.count_open(world.conn, world.clock.now()) == 0
        world.clock.turn(days * 86400 - 60)
        assert await popular.collect_again(world.conn, 5, world.clock.now()) == []
        world.clock.turn(60)
        assert await popular.collect_again(world.conn, 5, world.clock.now()) == [name]
    await popular.collected(world.conn, [name], world.clock.now(), unreached=False)
    world.clock.turn(40 * 86400)
    assert await popular.collect_again(world.conn, 5, world.clock.now()) == []
    await popular.collected(world.conn, [name], world.clock.now(), unreached=True)
    assert [each.later for each in await due.read(world.conn, world.clock.now()) if each.kind == "ids"] == [1]
    assert await due.hasten(world.conn, "ids", world.clock.now()) == 1
    await world.conn.execute("UPDATE popular SET place = NULL")
    world.clock.turn(2 * 86400)
    assert await popular.collect_again(world.conn, 5, world.clock.now()) == []


async def test_a_source_that_is_new_is_asked_for_the_ids_of_names_that_were_looked_at_before(world: World) -> None:
    name, untaken = await world.name("name", 2), await world.name("untaken", 1)
    await world.count_anew()
    await world.take(1)
    await popular.looked(world.conn, [name], world.clock.now())
    await world.count_anew()
    assert await popular.collect_again(world.conn, 5, world.clock.now()) == []
    asked = popular.Asked(recording=("deezer",))
    await popular.list_most_played(world.conn, 10, world.clock.now(), MONTH, asked)
    assert await popular.collect_again(world.conn, 5, world.clock.now()) == [name]
    await popular.collected(world.conn, [name], world.clock.now(), unreached=False)
    row = await world.conn.fetchval("SELECT recording_id FROM matches WHERE lookup_id = $1", name)
    await source_ids.tell(world.conn, [Told("recording", row, "deezer", "")], world.clock.now())
    await popular.list_most_played(world.conn, 10, world.clock.now(), MONTH, asked)
    assert await popular.collect_again(world.conn, 5, world.clock.now()) == []
    assert await world.take() == [untaken]
