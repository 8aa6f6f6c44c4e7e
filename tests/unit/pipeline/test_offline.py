"""What the catalogue answers while plays are stored: only what is beyond doubt, and nothing newer is overridden."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from sleevenotes import catalogue, model
from sleevenotes.artwork.files import Files
from sleevenotes.catalogue import covers
from sleevenotes.clock import HandClock
from sleevenotes.model import Band
from sleevenotes.pipeline import offline
from sleevenotes.pipeline.alarms import Alarms
from sleevenotes.pipeline.tools import Tools
from sleevenotes.store import catalog, lookups
from sleevenotes.store.postgres import Database
from tests.dumps import BUILT, Row, built, mbid

QUEEN, BOWIE = mbid("artist", "Queen"), mbid("artist", "David Bowie")
ROWS = (
    Row("Queen", "Innuendo", "Innuendo"),
    Row("Queen", "Don\u2019t Stop Me Now", "Jazz"),
    Row("Queen", "Love of My Life (live)", "Live Killers"),
    Row("David Bowie", "Heroes", "\u201cHeroes\u201d"),
    Row("Queen & David Bowie", "Under Pressure", "Hot Space", artists=f"{QUEEN},{BOWIE}"),
    Row("Queen & Somebody", "A Song", "An EP", artists=f"{QUEEN},{mbid('somebody')}"),
    Row("Beyoncé", "Halo", "I Am\u2026 Sasha Fierce"),
    Row("Nirvana", "Come as You Are", "Nevermind", artists=mbid("us")),
    Row("Nirvana", "Rainbow Chaser", "All of Us", artists=mbid("uk")),
    Row("Various Artists", "Intro", "A Sampler", artists="89ad4ac3-39f7-470e-963a-56509c546377"),
)


@pytest.fixture
def opened(tmp_path: Path) -> catalogue.Catalogue:
    return built(tmp_path, ROWS)


async def answered(
    database: Database, clock: HandClock, opened: catalogue.Catalogue, *sent: tuple[str, str, str], **more: bool
) -> list[bool]:
    """Meet these names and have the catalogue answer them; tell which it did."""
    news = {str(place).encode().ljust(16): lookups.New(*each, Band.DEFAULT) for place, each in enumerate(sent)}
    async with database.transaction() as conn:
        met = await lookups.meet(conn, news, clock.now())
        asked = [offline.Name(met[key].id, *new) for key, new in news.items()]
        done = await offline.answer(conn, opened, asked, clock.now(), **more)  # type: ignore[arg-type] # passed on
        rows = await conn.fetch("SELECT id FROM lookups WHERE status = 'enriched' AND match_id IS NOT NULL")
    assert {row["id"] for row in rows} == done
    return [each.lookup_id in done for each in asked]


@pytest.mark.parametrize(
    ("artist", "track", "release", "answers"),
    [
        ("Queen", "Innuendo", "", True),
        ("queen", "INNUENDO", "Innuendo", True),
        ("Queen", "Innuendo", "Innuendo (Deluxe Edition)", True),
        ("Queen", "Innuendo", "Greatest Hits II", False),  # the sources may know it there
        ("Queen", "Don't Stop Me Now", "", True),  # the printer's apostrophe
        ("Queen", "Love of My Life", "", False),  # only the live one is here
        ("Queen", "Love of My Life (Live)", "", True),
        ("Queen & David Bowie", "Under Pressure", "Hot Space", True),
        ("Queen & Somebody", "A Song", "", False),  # nobody knows whose part is whose
        ("Beyonce", "Halo", "", False),  # the dump has one of those that fold together
        ("Nirvana", "Come as You Are", "", False),  # two bands
        ("Nirvana", "Come as You Are", "Nevermind", True),
        ("Various Artists", "Intro", "A Sampler", False),
        ("Nobody", "Nothing", "", False),
    ],
)
async def test_only_what_is_beyond_doubt_is_answered(
    database: Database,
    clock: HandClock,
    opened: catalogue.Catalogue,
    artist: str,
    track: str,
    release: str,
    answers: bool,
) -> None:
    assert await answered(database, clock, opened, (artist, track, release)) == [answers]


async def test_an_answer_is_a_match_with_rows_and_a_cover_looked_for(
    database: Database, clock: HandClock, opened: catalogue.Catalogue
) -> None:
    assert await answered(database, clock, opened, ("Queen & David Bowie", "Under Pressure", "")) == [True]
    async with database.connection() as conn:
        match = await conn.fetchrow(
            """
            SELECT source, distance, reason, recordings.mbid::text AS recording, release_groups.mbid::text AS album,
                   (SELECT string_agg(artists.mbid::text || position, ' ' ORDER BY position) FROM artist_credit_names
                    JOIN artists ON artists.id = artist_id
                    WHERE artist_credit_names.artist_credit_id = recordings.artist_credit_id) AS artists
            FROM matches JOIN recordings ON recordings.id = recording_id
            JOIN release_groups ON release_groups.id = release_group_id
            """
        )
        jobs = await conn.fetch("SELECT entrypoint, priority FROM pgqueuer")
        artwork = await conn.fetchval("SELECT status FROM artworks")
    row = ROWS[4]
    assert (match["source"], match["distance"]) == ("catalogue", 0.0)
    assert match["reason"] == "artist and title agree; on Hot Space, its canonical release"
    assert (match["recording"], match["album"]) == (row.own_recording, row.own_group)
    assert match["artists"] == f"{QUEEN}0 {BOWIE}1"
    assert [(job["entrypoint"], job["priority"]) for job in jobs] == [("artwork", Band.DEFAULT)]
    assert artwork == "pending"


async def test_without_a_release_group_a_name_is_left_unless_an_album_of_its_own_will_do(
    database: Database, clock: HandClock, tmp_path: Path
) -> None:
    opened = built(tmp_path, ROWS, groups=False)
    assert await answered(database, clock, opened, ("Queen", "Innuendo", "")) == [False]
    assert await answered(database, clock, opened, ("David Bowie", "Heroes", ""), needs_group=False) == [True]


async def test_what_a_source_said_since_is_not_overridden(
    database: Database, clock: HandClock, opened: catalogue.Catalogue
) -> None:
    row = ROWS[0]
    credit = model.ArtistCredit((model.ArtistCreditName(QUEEN, "Queen"),))
    group = model.ReleaseGroup(row.own_group, "Innuendo, as MusicBrainz has it", "Album")
    told = model.Release(row.own_release, "Innuendo", group, date="1991-02-04")
    async with database.transaction() as conn:
        await catalog.keep(
            conn, [(model.Recording(row.own_recording, "Innuendo", credit), told)], BUILT + timedelta(days=1)
        )
    assert await answered(database, clock, opened, ("Queen", "Innuendo", "")) == [True]
    async with database.connection() as conn:
        kept = await conn.fetchrow("SELECT title, primary_type FROM release_groups")
    assert tuple(kept) == ("Innuendo, as MusicBrainz has it", "Album")


async def test_a_front_that_the_index_knows_is_offered_by_its_address(
    database: Database, clock: HandClock, opened: catalogue.Catalogue, tmp_path: Path
) -> None:
    release = ROWS[0].own_release
    for name, text in (
        ("art_type", "1\tFront\n"),
        ("cover_art", "77\t5\t\t0\t1\tx\t0\timage/jpeg\n"),
        ("cover_art_type", "77\t1\n"),
    ):
        (tmp_path / f"cover_art_archive.{name}").write_text(text, "utf-8")
    (tmp_path / "release").write_text(f"5\t{release}\n", "utf-8")
    covers.build(tmp_path, tmp_path / "release", tmp_path / catalogue.COVERS, BUILT)
    index = covers.open(tmp_path / catalogue.COVERS)
    async with database.transaction() as conn:
        new = lookups.New("Queen", "Innuendo", "", Band.DEFAULT)
        met = await lookups.meet(conn, {b"0" * 16: new}, clock.now())
        asked = offline.Name(met[b"0" * 16].id, *new)
        await offline.answer(conn, opened, [asked], clock.now(), covers=index)
        offered = await conn.fetch("SELECT source, url, exact, subject, status FROM artwork_candidates")
    url = f"https://coverartarchive.org/release/{release}/77-500.jpg"
    assert [tuple(row) for row in offered] == [("coverartarchive", url, True, "release", "wanted")]


@pytest.mark.parametrize(
    ("artist", "track", "release", "source"),
    [
        ("Beyonce", "Halo", "", "catalogue"),
        ("Queen", "Innuendo - 2011 Remaster", "", "catalogue"),
        ("Queen", "Innuendo", "Greatest Hits II", None),
        ("David Bowie, Queen", "Under Pressure", "", "catalogue"),  # each is an artist here
        ("David Bowie, Qveen", "Under Pressure", "", None),
        ("Qveen", "Innuendo", "", None),  # a slip is held against the sources
        ("Queen", "Innuendoo", "", None),
        ("Nirvana", "Come As You Are", "", None),
        ("Nirvana", "Come As You Are", "Nevermind", "catalogue"),
        ("Queen", "Love of My Life", "", None),
        ("Queen & Somebody", "A Song", "", None),
    ],
)
async def test_the_match_stage_takes_other_writings_from_it_and_leaves_slips_to_the_sources(
    database: Database,
    clock: HandClock,
    opened: catalogue.Catalogue,
    tmp_path: Path,
    artist: str,
    track: str,
    release: str,
    source: str | None,
) -> None:
    tools = Tools(database, clock, Files(tmp_path), (), Alarms(database, clock), catalogue.Shelf(tmp_path))
    async with database.transaction() as conn:
        new = lookups.New(artist, track, release, Band.DEFAULT)
        met = await lookups.meet(conn, {b"0" * 16: new}, clock.now())
        waiting = await lookups.load_pending(conn, [met[b"0" * 16].id])
    left = await offline.begin(tools, waiting, Band.DEFAULT)
    async with database.connection() as conn:
        assert await conn.fetchval("SELECT source FROM matches") == source
    assert left == ([] if source else waiting)


@pytest.mark.parametrize(
    ("artist", "track", "release", "titles"),
    [
        ("Qveen", "Innuendo", "", ["Innuendo"]),
        ("Queen", "Innuendo", "Greatest Hits II", ["Innuendo"]),
        ("Nirvana", "Come as You Are", "", []),  # it would pass for the only one of that name
        ("Nirvana", "Come as You Are", "Nevermind", ["Come as You Are"]),
        ("Various Artists", "Intro", "A Sampler", []),
    ],
)
def test_what_it_has_is_a_voice_beside_the_sources_but_not_of_homonyms(
    database: Database,
    clock: HandClock,
    opened: catalogue.Catalogue,
    tmp_path: Path,
    artist: str,
    track: str,
    release: str,
    titles: list[str],
) -> None:
    assert opened is not None
    tools = Tools(database, clock, Files(tmp_path), (), Alarms(database, clock), catalogue.Shelf(tmp_path))
    lookup = lookups.Pending(1, artist, track, release, 1, 0, clock.now())
    assert [option.recording.title for option in offline.options(tools, lookup)] == titles
