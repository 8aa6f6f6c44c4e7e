"""Which cover a play shows: the order, one step at a time; and how choices come into force and go."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest

from sleevenotes import names
from sleevenotes.clock import HandClock
from sleevenotes.store import artworks, catalog, images, library, matches, played, preferences, sent_images
from sleevenotes.store.postgres import Connection, Database
from sleevenotes.store.preferences import Subject
from tests.unit.store import given
from tests.unit.store.test_images import COVER

LASTFM = "https://lastfm.freetls.fastly.net/i/u/300x300/a.jpg"
OWN = "https://music.example.org/cover/7"


class Shelf:
    """One play of Salt Almanac, and as many images as its tests need."""

    def __init__(self, conn: Connection, clock: HandClock) -> None:
        self.conn = conn
        self.clock = clock

    async def arrive(self, *, release: str = "Salt Almanac", origin: str = "api", address: str = "") -> Shelf:
        now = self.clock.now()
        self.account_id = await given.account(self.conn, "maria", now)
        self.lookup_id = await given.lookup(self.conn, "Marrow", "Kelp", now)
        await self.conn.execute(
            "UPDATE lookups SET release = $2, release_key = $3 WHERE id = $1",
            self.lookup_id,
            release,
            names.key(release),
        )
        self.id = await given.play(self.conn, self.account_id, self.lookup_id, now)
        await self.conn.execute(
            "UPDATE scrobbles SET release = $2, origin = $3, artwork_uri = $4 WHERE id = $1",
            self.id, release, origin, address,
        )  # fmt: skip
        pair = (given.recording("Kelp", "Marrow"), given.release("Salt Almanac", "Marrow"))
        [kept] = await catalog.keep(self.conn, [pair], now)
        assert kept.release_group_id is not None
        assert kept.release_id is not None
        self.group = kept.release_group_id
        identity = matches.Identity(*kept, "musicbrainz", 0.0, "so")
        await matches.settle(self.conn, [matches.matched(self.lookup_id, identity)], now)
        await artworks.want(self.conn, {self.group: kept.release_id}, now)
        return self

    async def image(self, letter: str, **facts: str) -> int:
        cover = msgspec.structs.replace(COVER, digest=letter * 64, **facts)
        return await images.keep(self.conn, cover, self.clock.now())

    async def cover(self, letter: str) -> None:
        await artworks.found(self.conn, self.group, await self.image(letter), "so", self.clock.now())

    async def preview(self, letter: str) -> None:
        await self.conn.execute(
            "UPDATE lookups SET image_id = $2 WHERE id = $1", self.lookup_id, await self.image(letter)
        )

    async def sent(self, letter: str, address: str, *, temporary: bool) -> None:
        new = sent_images.New(address, temporary, self.lookup_id)
        [sent_id] = await sent_images.want(self.conn, [new], self.clock.now())
        image_id = await self.image(letter)
        await sent_images.decide(self.conn, sent_id, "fetched", self.clock.now(), image_id=image_id)

    async def upload(self, letter: str) -> None:
        await self.conn.execute("UPDATE scrobbles SET image_id = $2 WHERE id = $1", self.id, await self.image(letter))

    async def choose(self, letter: str, *, alone: bool = False, release: str = "Salt Almanac") -> int:
        group = self.group if release else None
        subject = Subject("Marrow", release, group, self.id if alone else None)
        image_id = await self.image(letter) if letter else None
        return await preferences.put(self.conn, self.account_id, subject, image_id, self.clock.now())

    async def shown(self) -> tuple[str, str]:
        """Return what led to the play's cover, and the letter of the image."""
        [play] = await played.by_ids(self.conn, self.account_id, [self.id])
        return play.artwork_by, play.image_digest[:1]


async def test_each_step_of_the_order_stands_above_the_next(database: Database, clock: HandClock) -> None:
    async with database.connection() as conn:
        shelf = await Shelf(conn, clock).arrive(address=LASTFM)
        assert await shelf.shown() == ("", "")
        await shelf.sent("1", LASTFM, temporary=True)
        assert await shelf.shown() == ("temporary", "1")
        await shelf.preview("2")
        assert await shelf.shown() == ("preview", "2")
        await shelf.cover("3")
        assert await shelf.shown() == ("album", "3")
        await shelf.upload("4")
        assert await shelf.shown() == ("sent", "4")
        await shelf.choose("5")
        assert await shelf.shown() == ("preference", "5")
        await shelf.choose("6", alone=True)
        assert await shelf.shown() == ("choice", "6")


@pytest.mark.parametrize(
    ("origin", "address", "temporary", "by"),
    [
        ("api", OWN, False, "sent"),  # a client's own image goes before the album's cover
        ("api", LASTFM, True, "album"),  # Last.fm's picture does not, whoever names it
        ("lastfm", LASTFM, True, "album"),
        ("lastfm", OWN, False, "album"),  # nor what a play from Last.fm comes with, wherever it lies
    ],
)
async def test_whose_an_image_is_decides_whether_the_album_goes_before_it(
    database: Database, clock: HandClock, origin: str, address: str, temporary: bool, by: str
) -> None:
    async with database.connection() as conn:
        shelf = await Shelf(conn, clock).arrive(origin=origin, address=address)
        await shelf.sent("1", address, temporary=temporary)
        await shelf.cover("3")
        assert (await shelf.shown())[0] == by


async def test_what_a_hidden_record_brought_is_shown_where_the_shown_one_has_no_picture(
    database: Database, clock: HandClock
) -> None:
    async with database.connection() as conn:
        shelf = await Shelf(conn, clock).arrive(origin="spotify")
        other = await given.lookup(conn, "marrow", "Kelp (live)", clock.now())
        hidden = await given.play(conn, shelf.account_id, other, clock.now() + timedelta(seconds=9))
        await conn.execute(
            "UPDATE scrobbles SET same_as = $2, origin = 'lastfm', artwork_uri = $3 WHERE id = $1",
            hidden, shelf.id, LASTFM,
        )  # fmt: skip
        assert await sent_images.bare(conn, [shelf.lookup_id]) == [(LASTFM, shelf.lookup_id)]
        assert await sent_images.bare(conn, [other]) == []
        assert await sent_images.shown_instead(conn, [other], LASTFM) == [shelf.lookup_id]
        await shelf.sent("1", LASTFM, temporary=True)
        assert await shelf.shown() == ("temporary", "1")
        await shelf.preview("2")
        assert await shelf.shown() == ("preview", "2")
        await shelf.cover("3")
        assert await shelf.shown() == ("album", "3")
        image_id = await shelf.image("4")
        await conn.execute("UPDATE scrobbles SET image_id = $2 WHERE id = $1", hidden, image_id)
        assert await shelf.shown() == ("sent", "4")
        await conn.execute("UPDATE scrobbles SET same_as = NULL")
        assert await shelf.shown() == ("album", "3")


async def test_a_preference_without_an_album_holds_for_plays_without_one_and_for_nothing_else(
    database: Database, clock: HandClock
) -> None:
    async with database.connection() as conn:
        with_album = await Shelf(conn, clock).arrive()
        await with_album.cover("3")
        await with_album.choose("5", release="")
        assert await with_album.shown() == ("album", "3")
        await conn.execute("UPDATE lookups SET release = '', release_key = ''")
        assert await with_album.shown() == ("preference", "5")
        await conn.execute("UPDATE lookups SET artist_key = 'ash'")
        assert await with_album.shown() == ("album", "3")


async def test_a_preference_holds_for_other_names_of_the_same_album_and_on_the_album_itself(
    database: Database, clock: HandClock
) -> None:
    async with database.connection() as conn:
        shelf = await Shelf(conn, clock).arrive(release="Salt Almanac (Deluxe)")
        await shelf.cover("3")
        await shelf.choose("5")
        assert await shelf.shown() == ("preference", "5")
        artist_id = await conn.fetchval("SELECT id FROM artists WHERE name = 'Marrow'")
        [album] = await library.artist_albums(conn, shelf.account_id, artist_id)
        assert album.image_digest[:1] == "5"
        other = await given.account(conn, "otto", clock.now())
        await conn.execute("UPDATE scrobbles SET account_id = $1", other)
        [theirs] = await played.by_ids(conn, other, [shelf.id])
        assert (theirs.artwork_by, theirs.image_digest[:1]) == ("album", "3")


async def test_undoing_shows_what_was_there_before_in_whatever_order(database: Database, clock: HandClock) -> None:
    async with database.connection() as conn:
        shelf = await Shelf(conn, clock).arrive()
        await shelf.cover("3")
        first = await shelf.choose("5")
        second = await shelf.choose("6")
        none = await shelf.choose("")
        assert await shelf.shown() == ("album", "3")
        await preferences.undo(conn, shelf.account_id, second, clock.now())  # it is not the last: nothing changes now
        assert await shelf.shown() == ("album", "3")
        await preferences.undo(conn, shelf.account_id, none, clock.now())
        assert await shelf.shown() == ("preference", "5")
        await preferences.undo(conn, shelf.account_id, first, clock.now())
        assert await shelf.shown() == ("album", "3")
        assert await preferences.undo(conn, shelf.account_id, first, clock.now()) == []


async def test_a_choice_for_the_album_takes_the_place_of_one_for_the_play_until_it_is_undone(
    database: Database, clock: HandClock
) -> None:
    async with database.connection() as conn:
        shelf = await Shelf(conn, clock).arrive()
        await shelf.choose("5", alone=True)
        whole = await shelf.choose("6")
        assert await shelf.shown() == ("choice", "5")
        await preferences.supersede_play(conn, shelf.id, whole)
        assert await shelf.shown() == ("preference", "6")
        await preferences.undo(conn, shelf.account_id, whole, clock.now())
        assert await shelf.shown() == ("choice", "5")


async def test_an_upload_goes_when_nothing_points_at_it_and_a_chosen_one_stays(
    database: Database, clock: HandClock
) -> None:
    async with database.connection() as conn:
        shelf = await Shelf(conn, clock).arrive()
        await shelf.image("1", source="upload")
        await shelf.image("2", source="upload")
        await shelf.choose("2")
        clock.turn(timedelta(days=2).total_seconds())
        assert await images.drop_uploads(conn, clock.now() - timedelta(days=1)) == ["1" * 64]
        assert (await images.purge(conn, clock.now())).digests == ()
        assert await shelf.shown() == ("preference", "2")


async def test_an_address_is_asked_for_once_and_again_a_day_after_it_failed(
    database: Database, clock: HandClock
) -> None:
    async with database.connection() as conn:
        shelf = await Shelf(conn, clock).arrive()
        new = sent_images.New(OWN, False, shelf.lookup_id)
        [sent_id] = await sent_images.want(conn, [new, new], clock.now())
        await sent_images.decide(conn, sent_id, "failed", clock.now(), reason="It could not be reached.")
        assert await sent_images.want(conn, [new], clock.now()) == {}
        assert await sent_images.want(conn, [new], clock.now(), urgent=True) == {sent_id: OWN}
        await sent_images.decide(conn, sent_id, "refused", clock.now(), reason="What lies there is no image.")
        clock.turn(timedelta(days=1, seconds=1).total_seconds())
        assert await sent_images.want(conn, [new], clock.now()) == {sent_id: OWN}


async def test_lastfms_picture_is_not_fetched_where_the_album_shows_its_cover(
    database: Database, clock: HandClock
) -> None:
    async with database.connection() as conn:
        shelf = await Shelf(conn, clock).arrive()
        await shelf.cover("3")
        assert await sent_images.want(conn, [sent_images.New(LASTFM, True, shelf.lookup_id)], clock.now()) == {}
        assert len(await sent_images.want(conn, [sent_images.New(OWN, False, shelf.lookup_id)], clock.now())) == 1


async def test_a_preference_given_before_the_album_was_known_is_for_the_album_once_it_is(
    database: Database, clock: HandClock
) -> None:
    async with database.connection() as conn:
        shelf = await Shelf(conn, clock).arrive()
        subject = Subject("Marrow", "Salt Almanac")
        await preferences.put(conn, shelf.account_id, subject, await shelf.image("5"), clock.now())
        assert await preferences.of_album(conn, shelf.account_id, shelf.group) is None
        await artworks.want(conn, {shelf.group: await conn.fetchval("SELECT min(id) FROM releases")}, clock.now())
        chosen = await preferences.of_album(conn, shelf.account_id, shelf.group)
        assert chosen is not None
        assert chosen.digest[:1] == "5"
