"""What charts say against what every single play shows."""

from __future__ import annotations

import random
from collections import Counter
from datetime import UTC, datetime, timedelta

from sleevenotes import model
from sleevenotes.clock import HandClock
from sleevenotes.store import catalog, charts, corrections, matches, played, tallies, tops
from sleevenotes.store.charts import Period
from sleevenotes.store.postgres import Connection, Database
from tests.unit.store import given

START = datetime(2024, 1, 1, tzinfo=UTC)
ARTISTS = ("Nina", "Otis", "Etta")


async def identity(conn: Connection, chance: random.Random) -> matches.Identity:
    credited = chance.choice([("Nina",), ("Otis",), ("Etta",), ("Nina", "Otis"), ("Otis", "Etta")])
    recording = given.recording(chance.choice("abc"), *credited)
    kept = await catalog.keep(conn, [(recording, given.release(chance.choice(("Gold", "Blue"))))], START)
    return matches.Identity(*kept[0], source="musicbrainz", distance=0.0, reason="same")


async def something_is_said(
    conn: Connection,
    chance: random.Random,
    account_id: int,
    name: int,
    acts: list[tuple[int, int]],
    *,
    everybody: bool,
) -> None:
    """Match a name, or a play, or correct or undo, or have it agreed on; `acts` are the corrections so far."""
    deed = chance.randrange(8)
    if deed < 2:
        await matches.settle(conn, [matches.matched(name, await identity(conn, chance))], START)
    elif deed == 2:
        await matches.settle(conn, [matches.Outcome(name, model.Status.NOT_FOUND, "None.")], START)
    elif deed == 3:
        says = {name: await identity(conn, chance) if chance.random() < 0.7 else None}
        to_all = everybody and chance.random() < 0.5
        acts.append((account_id, await corrections.put(conn, account_id, "match", says, START, everybody=to_all)))
    elif deed == 4 and acts:
        await corrections.undo(conn, *acts.pop(chance.randrange(len(acts))), START)
    elif deed == 6:
        await conn.execute(
            """
            INSERT INTO agreements SELECT lookup_id, id, match_id FROM corrected WHERE lookup_id = $1 LIMIT 1
            ON CONFLICT (lookup_id) DO UPDATE SET match_id = excluded.match_id
            """,
            name,
        )
    elif deed == 7:
        await conn.execute("DELETE FROM agreements WHERE lookup_id = $1", name)
    else:
        play_id = await conn.fetchval("SELECT max(id) FROM scrobbles WHERE account_id = $1", account_id)
        await matches.keep_own(conn, {play_id: await identity(conn, chance)}, START)


async def count_and_copy(conn: Connection, chance: random.Random, account_id: int) -> None:
    if chance.random() < 0.4:
        months = await tallies.marked(conn, account_id)
        await tallies.fold(conn, account_id, chance.sample(months, k=chance.randint(0, len(months))))
    if chance.random() < 0.6:
        for each in await tops.accounts(conn):
            for span in await tops.outdated(conn, each):
                await tops.copy(conn, each, *span)


async def test_tops_count_what_every_play_shows_through_matches_and_corrections(
    database: Database, clock: HandClock
) -> None:
    chance, held = random.Random(5), 0  # noqa: S311
    async with database.connection() as conn:
        ada, bob = await given.account(conn, "ada", clock.now()), await given.account(conn, "bob", clock.now())
        names = [
            await given.lookup(conn, chance.choice((*ARTISTS, "etta", "Unheard")), f"t{number}", clock.now())
            for number in range(14)
        ]
        acts: list[tuple[int, int]] = []
        for _ in range(40):
            account_id = chance.choice((ada, bob))
            for _ in range(chance.randint(1, 8)):
                at = START + timedelta(minutes=chance.randrange(400 * 1440))
                await given.play(conn, account_id, chance.choice(names), at)
            await something_is_said(conn, chance, account_id, chance.choice(names), acts, everybody=account_id == bob)
            await count_and_copy(conn, chance, account_id)
            first = START + timedelta(days=chance.randrange(-300, 300))
            for period in (Period(), Period(first, first + timedelta(days=chance.choice((9, 45, 120, 370, 800))))):
                held += await same(conn, account_id, period)
    assert held > 10  # the copy is read, not only what it is made of


async def same(conn: Connection, account_id: int, period: Period) -> bool:
    plays = await played.feed(conn, account_id, since=period.first, until=period.past, limit=5000)
    tracks: Counter[int] = Counter(play.recording_id for play in plays if play.recording_id)
    albums: Counter[int] = Counter(play.release_group_id for play in plays if play.release_group_id)
    by_artist: Counter[tuple[int, str]] = Counter((each[0], "") for play in plays for each in play.artists)
    named = {each[2].lower(): each[0] for play in plays for each in play.artists}
    for play in plays:
        if not play.recording_id:
            sent = play.artist.lower()
            by_artist[(named[sent], "") if sent in named else (0, sent)] += 1
    found = await charts.artists(conn, account_id, period, 50)
    assert {(top.id or 0, "" if top.id else top.name.lower()): top.plays for top in found.entries} == dict(by_artist)
    assert found.different == len(by_artist)
    counted = await charts.tracks(conn, account_id, period, 50)
    assert {top.id: top.plays for top in counted.entries if top.id} == dict(tracks)
    assert sum(top.plays for top in counted.entries) == len(plays) == await charts.plays(conn, account_id, period)
    counted = await charts.albums(conn, account_id, period, 50)
    assert {top.id: top.plays for top in counted.entries if top.id} == dict(albums)
    ranks = [top.plays for top in counted.entries]
    assert ranks == sorted(ranks, reverse=True)
    for limit, offset in ((1, 0), (2, 1)):  # a page of them is the same page of all
        page = await charts.artists(conn, account_id, period, limit, offset)
        assert page.entries == found.entries[offset : offset + limit]
    plan = tallies.plan(period.first, period.past, await tallies.marked(conn, account_id))
    holds, _ = await tops.values(conn, account_id, plan)
    return holds and any(span.grain != tallies.MONTH for span in plan.spans)


async def test_genres_are_the_plays_own_else_the_albums_else_the_artists(database: Database, clock: HandClock) -> None:
    async with database.connection() as conn:
        ada = await given.account(conn, "ada", clock.now())
        kept = {}
        for number, (artist, album) in enumerate((("Nina", "Gold"), ("Nina", "Blue"), ("Nina", "Gold"))):
            name = await given.lookup(conn, artist, f"t{number}", clock.now())
            (ids,) = await catalog.keep(conn, [(given.recording(f"t{number}", artist), given.release(album))], START)
            found = matches.Identity(*ids, source="musicbrainz", distance=0.0, reason="same")
            await matches.settle(conn, [matches.matched(name, found)], START)
            kept[number] = found
            for minute in range(number + 1):
                await given.play(conn, ada, name, START + timedelta(minutes=minute))
        # the third name's own plays say what they are, whatever the album is
        await conn.execute(
            """
            INSERT INTO scrobbles
                (account_id, listened_at, identity, lookup_id, artist, track, origin, inserted_at, extra)
            SELECT account_id, listened_at + interval '1 day', identity, lookup_id, artist, track, origin, inserted_at,
                   '{"genre": " Vocal Jazz", "tags": ["live", 5, "x"]}'::jsonb
            FROM scrobbles WHERE track = 't2' AND listened_at = $1
            """,
            START,
        )
        soul, blues = await conn.fetch("INSERT INTO genres (name) VALUES ('soul'), ('blues') RETURNING id")
        await conn.execute(
            "INSERT INTO release_group_genres VALUES ($1, $2, 'discogs'), ($1, $2, 'theaudiodb')",
            kept[0].release_group_id,
            soul["id"],
        )
        artist_id = await conn.fetchval("SELECT id FROM artists WHERE name = 'Nina'")
        await conn.execute("INSERT INTO artist_genres VALUES ($1, $2, 'theaudiodb')", artist_id, blues["id"])
        told = await charts.genres(conn, ada, Period(), 10)
    assert [(genre.name, genre.plays) for genre in told] == [("live", 4), ("vocal jazz", 4), ("blues", 2), ("soul", 1)]


async def test_a_copy_that_does_not_hold_is_not_read(database: Database, clock: HandClock) -> None:
    chance = random.Random(1)  # noqa: S311
    async with database.connection() as conn:
        ada = await given.account(conn, "ada", clock.now())
        name = await given.lookup(conn, "Nina", "a", clock.now())
        await given.play(conn, ada, name, START)
        await matches.settle(conn, [matches.matched(name, await identity(conn, chance))], START)
        await conn.execute("INSERT INTO genres (name) VALUES ('soul')")
        told = "INSERT INTO {0}_genres SELECT {0}s.id, genres.id, 'x' FROM {0}s, genres"
        await catalog.keep(conn, [(given.recording("z", "Zoe"), None)], START)
        other = "UPDATE recordings SET artist_credit_id = (SELECT max(id) FROM artist_credits) WHERE title <> 'z'"
        acts = (
            lambda: conn.execute(told.format("release_group")),
            lambda: conn.execute(told.format("artist")),
            lambda: conn.execute(other),
            lambda: corrections.put(conn, ada, "none", {name: None}, START),
            lambda: corrections.undo(conn, ada, 1, START),
            lambda: matches.settle(conn, [matches.Outcome(name, model.Status.NOT_FOUND, "None.")], START),
        )
        for act in acts:
            await fold_and_copy(conn, ada)
            assert await same(conn, ada, Period())
            await act()
            assert not await same(conn, ada, Period())


async def fold_and_copy(conn: Connection, account_id: int) -> None:
    await tallies.fold(conn, account_id, await tallies.marked(conn, account_id))
    for span in await tops.outdated(conn, account_id):
        await tops.copy(conn, account_id, *span)
