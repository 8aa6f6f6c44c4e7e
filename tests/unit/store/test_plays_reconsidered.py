"""Which plays are looked at again once names are decided: those that know more, and those amid an album."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio

from sleevenotes import model
from sleevenotes.clock import HandClock
from sleevenotes.store import catalog, evidence, matches, neighbours
from sleevenotes.store.postgres import Connection, Database
from tests.unit.store import given
from tests.unit.store.given import mbid, recording, release

WITHIN = timedelta(hours=1)
HINT = "UPDATE scrobbles SET evidence = $2, duration_ms = $3 WHERE id = $1"


class Shelf:
    """One listener, and a few names matched to albums."""

    def __init__(self, conn: Connection, clock: HandClock, account: int) -> None:
        self.conn, self.now, self.account = conn, clock.now(), account

    async def identity(self, title: str, album: str, *, artist: str = "Joni", isrc: str = "") -> matches.Identity:
        made = recording(title, artist, length_ms=200_000, isrcs=(isrc,) if isrc else ())
        (kept,) = await catalog.keep(self.conn, [(made, release(album, artist))], self.now)
        return matches.Identity(*kept, source="musicbrainz", distance=0.0, reason="The names are the same.")

    async def name(self, title: str, album: str = "", *, artist: str = "Joni", isrc: str = "") -> int:
        """Write a name, matched to this album if any; return its lookup."""
        lookup_id = await given.lookup(self.conn, artist, title, self.now)
        if album:
            known = await self.identity(title, album, artist=artist, isrc=isrc)
            await matches.settle(self.conn, [matches.matched(lookup_id, known)], self.now)
        return lookup_id

    async def play(self, lookup_id: int, minute: float, *, account: int = 0, sent: str = "") -> int:
        at = self.now + timedelta(minutes=minute)
        scrobble_id = await given.play(self.conn, account or self.account, lookup_id, at)
        await self.conn.execute("UPDATE scrobbles SET release = $2 WHERE id = $1", scrobble_id, sent)
        return scrobble_id

    async def hint(self, lookup_id: int, minute: float, duration_ms: int | None = None, **hints: Any) -> int:
        scrobble_id = await self.play(lookup_id, minute)
        await self.conn.execute(HINT, scrobble_id, model.Evidence(**hints) if hints else None, duration_ms)
        return scrobble_id

    async def group(self, album: str) -> int:
        found: int = await self.conn.fetchval("SELECT id FROM release_groups WHERE title = $1", album)
        return found

    async def bare(self, *lookup_ids: int) -> list[neighbours.Bare]:
        return await neighbours.of_lookups(self.conn, lookup_ids, reach=2, within=WITHIN, limit=100)

    async def disagreeing(self, *lookup_ids: int, codes: bool = True) -> list[int]:
        return await evidence.disagreeing(self.conn, lookup_ids, apart_ms=10_000, codes=codes, limit=100)


@pytest_asyncio.fixture
async def shelf(database: Database, clock: HandClock) -> Any:
    async with database.transaction() as conn:
        yield Shelf(conn, clock, await given.account(conn, "maria", clock.now()))


# ---------------------------------------------------------------- hints


HINTS: dict[str, Any] = {
    "recording_mbid": mbid("('Joni',) River"),
    "release_mbid": mbid("release Blue"),
    "release_group_mbid": mbid("group Blue"),
    "artist_mbids": (mbid("Somebody"), mbid("Joni")),
    "isrc": "USWB10000001",
}
OTHERS: dict[str, Any] = {name: mbid("other") for name in HINTS} | {
    "artist_mbids": (mbid("other"),),
    "isrc": "USWB10000002",
}


@pytest.mark.parametrize("hint", HINTS)
async def test_a_play_is_looked_at_where_a_hint_is_not_what_its_names_are(shelf: Shelf, hint: str) -> None:
    river = await shelf.name("River", "Blue", isrc="USWB10000001")
    await shelf.hint(river, 0, **{hint: HINTS[hint]})
    other = await shelf.hint(river, 1, **{hint: OTHERS[hint]})
    assert await shelf.disagreeing(river) == [other]


async def test_a_play_is_looked_at_where_it_lasted_another_time(shelf: Shelf) -> None:
    river = await shelf.name("River", "Blue")
    for minute, lasted in enumerate((200_000, 209_000, 191_000, None)):
        await shelf.hint(river, minute, lasted)
    longer, shorter = await shelf.hint(river, 8, 211_000), await shelf.hint(river, 9, 180_000)
    assert await shelf.disagreeing(river) == [shorter, longer]


async def test_an_isrc_counts_only_where_it_is_asked_for_and_no_recording_is_named(shelf: Shelf) -> None:
    river = await shelf.name("River", "Blue")
    coded = await shelf.hint(river, 0, isrc="USWB10000001")
    await shelf.hint(river, 1, isrc="USWB10000001", recording_mbid=HINTS["recording_mbid"])
    assert await shelf.disagreeing(river, codes=True) == [coded]
    assert await shelf.disagreeing(river, codes=False) == []


async def test_where_names_came_to_nothing_whatever_tells_who_or_what_was_played_counts(shelf: Shelf) -> None:
    river = await shelf.name("River")
    coded = await shelf.hint(river, 0, isrc="USWB10000001")
    await shelf.hint(river, 1, 200_000, release_mbid=HINTS["release_mbid"])
    assert await shelf.disagreeing(river, codes=False) == []  # still looked for
    outcome = matches.Outcome(river, model.Status.NOT_FOUND, "Two bands.", recheck_at=shelf.now)
    await matches.settle(shelf.conn, [outcome], shelf.now)
    assert await shelf.disagreeing(river, codes=False) == [coded]


async def test_names_are_promising_where_a_play_knows_more_or_one_near_it_came_without_an_album(shelf: Shelf) -> None:
    names = [await shelf.name(title) for title in ("River", "Carey", "Blue", "California", "All I Want", "Unplayed")]
    river, carey, blue, california, all_i_want, _ = names
    await shelf.play(river, 0, sent="Blue")
    hinted, lasted = await shelf.hint(carey, 200, isrc="USWB10000001"), await shelf.hint(blue, 400, 200_000)
    await shelf.conn.execute("UPDATE scrobbles SET release = 'Blue' WHERE id = ANY($1)", [hinted, lasted])
    beside = await shelf.play(california, 600, sent="Blue")
    bare = await shelf.play(all_i_want, 640)
    far = await shelf.play(river, 720, sent="Blue")
    assert await evidence.promising(shelf.conn, names, WITHIN) == [carey, blue, california, all_i_want]
    assert await evidence.near_bare(shelf.conn, [beside, far, bare, lasted], WITHIN) == [beside, bare]


async def test_own_matches_that_say_what_the_names_say_are_dropped_and_no_others(shelf: Shelf) -> None:
    river = await shelf.name("River", "Blue")
    same, album, song = [await shelf.play(river, minute) for minute in range(3)]
    own = {
        same: await shelf.identity("River", "Blue"),
        album: await shelf.identity("River", "Hits"),
        song: await shelf.identity("Carey", "Blue"),
    }
    assert set(await matches.keep_own(shelf.conn, own, shelf.now)) == {same, album, song}
    assert await matches.drop_agreeing(shelf.conn, [river]) == 1
    left = await shelf.conn.fetch("SELECT id FROM scrobbles WHERE match_id IS NOT NULL ORDER BY id")
    assert [row["id"] for row in left] == [album, song]


# ---------------------------------------------------------------- neighbours


async def test_a_play_without_an_album_is_told_of_with_what_is_around_it(shelf: Shelf) -> None:
    names = [await shelf.name(title, "Blue") for title in ("Carey", "Blue", "A Case of You", "All I Want")]
    river = await shelf.name("River", "Hits")
    played = [(names[0], -9.0), (names[1], -4.0), (names[2], 3.0), (names[3], 50.0)]
    for lookup_id, minute in played:
        await shelf.play(lookup_id, minute, sent="Blue")
    own = await shelf.play(river, 0)
    blue, hits = await shelf.group("Blue"), await shelf.group("Hits")
    expected = neighbours.Bare(
        own,
        river,
        hits,
        tuple(
            neighbours.Neighbour(place, timedelta(minutes=apart), lookup_id, blue, True)
            for place, apart, lookup_id in ((-1, 4, names[1]), (-2, 5, names[0]), (1, 3, names[2]), (2, 47, names[3]))
        ),
    )
    for asked in (river, *names[:3]):
        [told] = await shelf.bare(asked)
        assert told._replace(neighbours=tuple(sorted(told.neighbours))) == expected._replace(
            neighbours=tuple(sorted(expected.neighbours))
        )
    ids = [row["id"] for row in await shelf.conn.fetch("SELECT id FROM scrobbles WHERE lookup_id = $1", names[1])]
    assert [each.scrobble_id for each in await neighbours.of_scrobbles(shelf.conn, ids, reach=2, within=WITHIN)] == [
        own
    ]


async def amid(shelf: Shelf, *, sent: str = "", artist: str = "Joni", account: int = 0, pending: bool = False) -> int:
    """Play a song between two of an album; return its name."""
    before, after = await shelf.name("Carey", "Blue", artist=artist), await shelf.name("California", "Blue")
    river = await shelf.name("River", "Hits")
    await shelf.play(before, -4, account=account, sent="Blue")
    await shelf.play(river, 0, sent=sent)
    await shelf.play(after, 4, account=account, sent="Blue")
    if pending:
        await shelf.play(await shelf.name("Unheard"), 6, account=account)
    return river


async def test_it_is_told_of_amid_two_plays_of_another_album(shelf: Shelf) -> None:
    assert len(await shelf.bare(await amid(shelf))) == 1


async def test_a_play_that_came_with_an_album_is_not(shelf: Shelf) -> None:
    assert await shelf.bare(await amid(shelf, sent="Hits")) == []


async def test_amid_plays_by_others_it_is_not(shelf: Shelf) -> None:
    assert await shelf.bare(await amid(shelf, artist="James")) == []


async def test_amid_another_listeners_plays_it_is_not(shelf: Shelf) -> None:
    other = await given.account(shelf.conn, "ben", shelf.now)
    assert await shelf.bare(await amid(shelf, account=other)) == []


async def test_while_anything_around_it_is_looked_for_it_is_not(shelf: Shelf) -> None:
    assert await shelf.bare(await amid(shelf, pending=True)) == []


async def test_with_a_match_of_its_own_it_is_not(shelf: Shelf) -> None:
    river = await amid(shelf)
    own = await shelf.conn.fetchval("SELECT id FROM scrobbles WHERE lookup_id = $1", river)
    await matches.keep_own(shelf.conn, {own: await shelf.identity("River", "Live")}, shelf.now)
    assert await shelf.bare(river) == []


async def test_a_neighbour_s_own_match_counts_before_that_of_its_names(shelf: Shelf) -> None:
    river = await amid(shelf)
    first = await shelf.conn.fetchval("SELECT id FROM scrobbles ORDER BY listened_at LIMIT 1")
    await matches.keep_own(shelf.conn, {first: await shelf.identity("Carey", "Hits")}, shelf.now)
    assert await shelf.bare(river) == []  # only one is on another album than its own


async def test_albums_are_told_by_what_identifies_them(shelf: Shelf) -> None:
    await shelf.name("River", "Blue")
    blue = await shelf.group("Blue")
    assert await neighbours.albums(shelf.conn, [blue]) == {blue: model.ReleaseGroup(mbid("group Blue"), "Blue")}
