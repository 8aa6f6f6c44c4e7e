"""Genres that come along with other answers."""

from __future__ import annotations

from sleevenotes.clock import HandClock
from sleevenotes.sources import contract
from sleevenotes.sources.theaudiodb import TheAudioDB
from sleevenotes.store import catalog, genres
from sleevenotes.store.postgres import Database
from tests.unit.store import given

ALBUM = b"""{"album": [{"idAlbum": "7", "strAlbum": "Discovery", "strArtist": "Daft Punk", "strGenre": "House",
"strStyle": "Electronic/House", "strAlbumThumb": "https://www.theaudiodb.com/images/media/album/thumb/a.jpg",
"strMusicBrainzID": null}]}"""


def test_theaudiodb_tells_an_albums_genres_beside_its_cover() -> None:
    question = contract.FindImages("Daft Punk", "Discovery", given.mbid("group Discovery"))
    (answer,) = TheAudioDB().read([question], contract.Reply(200, {}, ALBUM, "https://www.theaudiodb.com/"))
    (cover,) = answer.candidates
    assert isinstance(cover, contract.ImageAt)
    assert cover.genres == ("House", "Electronic")


async def test_genres_are_kept_once_for_each_source_that_tells_them(database: Database, clock: HandClock) -> None:
    async with database.transaction() as conn:
        album = given.release("Discovery")
        (kept,) = await catalog.keep(conn, [(given.recording("One More Time", "Daft Punk"), album)], clock.now())
        group = kept.release_group_id
        assert group is not None
        for _ in range(2):
            await genres.tell(conn, "release_group", group, "theaudiodb", ("House", "Electronic", "", "x" * 50))
        await genres.tell(conn, "release_group", group, "lastfm", ("house",))
        assert await genres.of_release_group(conn, group) == [
            ("electronic", ("theaudiodb",)),
            ("house", ("lastfm", "theaudiodb")),
        ]
        assert await genres.of_artist(conn, 1) == []
