"""What a listener has said comes back with the plays: corrections, covers, marks; here and on another server."""

from __future__ import annotations

import hashlib
import io
import itertools
import json
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
import pytest_asyncio
from PIL import Image

from sleevenotes.artwork.files import Files
from sleevenotes.artwork.image import examine
from sleevenotes.importers import acts as lines
from sleevenotes.model import Band, Scrobble
from sleevenotes.pipeline import album_art, corrections, exporting, preferences, sameplay
from sleevenotes.pipeline.submit import Submitter
from sleevenotes.pipeline.uploads import Uploads
from sleevenotes.settings import Settings
from sleevenotes.store import accounts, catalog, feedback, images, matches, postgres, scrobbles
from sleevenotes.store import corrections as correction_rows
from sleevenotes.store.preferences import Subject
from tests.unit.pipeline.importing_house import House, house
from tests.unit.store import given

__all__ = ["house"]

NOON = datetime(2024, 5, 1, 12, tzinfo=UTC)
SENT = (
    Scrobble(artist="Marrow", track="Kelp", release="Salt Almanac", listened_at=NOON, origin="lastfm"),
    Scrobble(artist="Marrow", track="Kelp", listened_at=NOON + timedelta(seconds=12), origin="spotify"),
    Scrobble(artist="Marrow", track="Brine", listened_at=NOON + timedelta(hours=1), origin="lastfm"),
    Scrobble(artist="marow", track="Tide", release="Salt", listened_at=NOON + timedelta(hours=2), origin="api"),
    Scrobble(artist="Noise", track="Untitled", listened_at=NOON + timedelta(hours=3), origin="maloja"),
    Scrobble(artist="Noise", track="Untitled", listened_at=NOON + timedelta(hours=3, seconds=5), origin="api"),
)
STATE = {
    "plays": """
        SELECT s.listened_at, s.artist, s.track, s.origin, shown.origin AS behind,
            encode(i.digest, 'hex') AS uploaded, encode(p.digest, 'hex') AS preferred, r.mbid, r.title, e.title AS album
        FROM scrobbles s LEFT JOIN scrobbles shown ON shown.id = s.same_as
        LEFT JOIN images i ON i.id = s.image_id LEFT JOIN images p ON p.id = s.preferred_image_id
        LEFT JOIN corrected k ON k.account_id = s.account_id AND k.lookup_id = s.lookup_id AND k.own
        LEFT JOIN matches m ON m.id = k.match_id LEFT JOIN recordings r ON r.id = m.recording_id
        LEFT JOIN releases e ON e.id = m.release_id
        WHERE s.account_id = $1 ORDER BY s.listened_at""",
    "corrections": """
        SELECT c.kind, c.created_at, l.artist, l.track FROM corrected k JOIN corrections c ON c.id = k.correction_id
        JOIN lookups l ON l.id = k.lookup_id WHERE k.account_id = $1 AND k.own ORDER BY k.id""",
    "covers": """
        SELECT p.artist, p.release, p.chosen_at, g.mbid, encode(i.digest, 'hex') AS image
        FROM artwork_preferences p JOIN images i ON i.id = p.image_id
        LEFT JOIN release_groups g ON g.id = release_group_id
        WHERE p.account_id = $1 AND in_force ORDER BY p.id""",
    "own": """
        SELECT s.listened_at, decided_at FROM own_plays JOIN scrobbles s ON s.id = scrobble_id
        WHERE s.account_id = $1 ORDER BY 1""",
    "apart": "SELECT origin, other_origin, decided_at FROM origins_apart WHERE account_id = $1",
    "feedback": "SELECT artist, track, score, given_at FROM feedback WHERE account_id = $1 ORDER BY 1, 2",
}


def picture(colour: str, side: int = 400) -> bytes:
    """Draw an image that needs more than one line."""
    drawn = io.BytesIO()
    noise = Image.effect_noise((side, side), 60).convert("RGB")
    Image.blend(noise, Image.new("RGB", (side, side), colour), 0.3).save(drawn, "PNG")
    assert len(drawn.getvalue()) > 2 * lines.PART
    return drawn.getvalue()


async def state(house: House) -> dict[str, list[dict[str, Any]]]:
    async with house.database.connection() as conn:
        return {name: [dict(row) for row in await conn.fetch(sql, house.account_id)] for name, sql in STATE.items()}


async def exported(house: House, kind: str) -> bytes:
    write = exporting.writer(kind)
    chunks = exporting.stream(house.database, house.files, house.account_id, write)
    return b"".join([chunk async for chunk in chunks])


def told_the_same(one: bytes, other: bytes) -> bool:
    """Compare exports, whenever each server stored the plays."""
    return re.sub(rb'"inserted_at":\d+', b"", one) == re.sub(rb'"inserted_at":\d+', b"", other)


@pytest_asyncio.fixture
async def full(house: House) -> House:
    """Return an account that has said all that can be said, some of it half an hour ago."""
    clock, database, account_id = house.clock, house.database, house.account_id
    stored = await Submitter(database, clock).submit(account_id, SENT, band=Band.LOW_PRIORITY)
    assert [one.same_as is not None for one in stored] == [False, True, False, False, False, True]
    said_at = clock.now()
    clock.turn(1800)
    async with database.transaction() as conn:
        now = clock.now()
        account = await accounts.by_id(conn, account_id)
        assert account is not None
        pair = (given.recording("Tide", "Marrow"), given.release("Salt Almanac", "Marrow", date="1999"))
        [kept] = await catalog.keep(conn, [pair], now)
        identity = matches.Identity(*kept, "musicbrainz", 0.1, "set by hand")
        await correction_rows.put(conn, account_id, "album", {stored[3].lookup_id: identity}, said_at)
        await corrections.none(conn, account, stored[2].lookup_id, now=now)
        digests = []
        for colour in ("red", "teal", "navy"):
            image = await album_art.read(house.files, picture(colour), "image")
            await images.keep(conn, image, now)
            digests.append(image.digest)
        group = kept.release_group_id
        await preferences.choose(
            conn, account_id, Subject("Marrow", "Salt Almanac", group), digests[0], now, at=said_at
        )
        alone = Subject("Marrow", "", None, stored[2].id)
        await preferences.choose(conn, account_id, alone, digests[1], now, address="https://img.example/1.png")
        uploaded = await images.by_digest(conn, digests[2])
        assert uploaded is not None
        await scrobbles.give_images(conn, account_id, {stored[3].id: uploaded.id})
        await feedback.give(conn, account_id, "Marrow", "Kelp", 1, said_at)
    await sameplay.show_as_own(house, account_id, stored[5].id)
    await sameplay.keep_apart(house, account_id, "spotify", "api")
    return house


@pytest_asyncio.fixture
async def elsewhere(full: House, settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    """Return an empty account on a server of its own."""
    base, _, query = settings.database_url.partition("?")
    name = base.rpartition("/")[2] + "_elsewhere"
    admin = await postgres.connect(settings.database_url)
    await admin.execute(f"CREATE DATABASE {name} TEMPLATE sleevenotes_template STRATEGY FILE_COPY")
    database = await postgres.Database.open(Settings(database_url=f"{base}_elsewhere?{query}"))
    yield await _empty(full, database, tmp_path_factory.mktemp("elsewhere"))
    await database.close()
    await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
    await admin.close()


async def _empty(house: House, database: postgres.Database, path: Path) -> House:
    async with database.connection() as conn:
        account = await accounts.create(conn, "other", "", is_owner=False, now=house.clock.now())
    return House(database, house.clock, Uploads(path), account.id, Files(path))


@pytest.mark.parametrize("kind", exporting.FORMATS)
async def test_all_that_was_said_is_the_same_on_another_server(full: House, elsewhere: House, kind: str) -> None:
    data = await exported(full, kind)
    told = await elsewhere.finish(await elsewhere.offered(data, f"plays.{kind}"))
    assert (told.status, told.stored, told.skipped, told.acts) == ("done", len(SENT), 0, 7)
    assert await state(elsewhere) == await state(full)
    assert told_the_same(await exported(elsewhere, kind), data)
    again = await elsewhere.finish(await elsewhere.offered(data, f"plays.{kind}"))
    assert (again.stored, again.skipped, again.acts) == (0, 0, 0)
    assert told_the_same(await exported(elsewhere, kind), data)


async def test_covers_that_no_upload_could_be_come_back_too(full: House, elsewhere: House) -> None:
    moving = io.BytesIO()
    Image.effect_noise((400, 400), 60).save(moving, "GIF")
    large = picture("olive") + bytes(album_art.MAX_BYTES)  # what stands behind a PNG's end is not looked at
    async with full.database.transaction() as conn:
        now = full.clock.now()
        for data, release in ((moving.getvalue(), "Salt"), (large, "")):
            image = examine(data).as_image(full.files.keep(data), source="deezer", source_url="https://img.example/2")
            await images.keep(conn, image, now)
            await preferences.choose(conn, full.account_id, Subject("Marrow", release), image.digest, now)
    assert len((await state(full))["covers"]) == 4
    told = await elsewhere.finish(await elsewhere.offered(await exported(full, "jsonl"), "plays.jsonl"))
    assert (told.status, told.skipped) == ("done", 0)
    assert (await state(elsewhere))["covers"] == (await state(full))["covers"]


async def test_what_is_no_image_is_told_and_holds_up_nothing_else(full: House, elsewhere: House) -> None:
    data = b"GIF89a, or so it says"
    part = next(iter(lines.parts(hashlib.sha256(data).hexdigest(), data)))
    line = msgspec.json.encode({"sleevenotes": part})
    number = await elsewhere.offered(await exported(full, "jsonl") + line, "plays.jsonl")
    told = await elsewhere.finish(number)
    assert (told.status, told.skipped, told.acts) == ("done", 1, 7)
    async with elsewhere.database.connection() as conn:
        assert "image: " in await conn.fetchval("SELECT reason FROM import_skips")


@pytest.mark.parametrize("kind", exporting.FORMATS)
async def test_all_that_was_said_is_the_same_in_another_account(full: House, tmp_path: Path, kind: str) -> None:
    before = await state(full)
    empty = await _empty(full, full.database, tmp_path)
    data = await exported(full, kind)
    assert (await empty.finish(await empty.offered(data, f"plays.{kind}"))).skipped == 0
    assert await state(empty) == before
    assert told_the_same(await exported(empty, kind), data)
    assert await state(full) == before


async def test_undoing_the_import_takes_all_of_it_back(full: House, tmp_path: Path) -> None:
    empty = await _empty(full, full.database, tmp_path)
    number = await empty.offered(await exported(full, "jsonl"), "plays.jsonl")
    await empty.finish(number)
    assert any((await state(empty)).values())
    assert (await empty.stage().undone(number)) == len(SENT)
    assert await state(empty) == {name: [] for name in STATE}


async def test_undoing_leaves_what_was_said_and_played_before(full: House) -> None:
    before = await state(full)
    changed = [json.loads(line) for line in (await exported(full, "jsonl")).splitlines()]
    changed.append({"sleevenotes": {"act": "apart", "origin": "api", "other": "rockbox", "at": NOON.isoformat()}})
    data = "\n".join(map(json.dumps, changed))
    number = await full.offered(data, "plays.jsonl")
    told = await full.finish(number)
    assert (told.stored, told.acts, told.skipped) == (0, 1, 0)
    assert len((await state(full))["apart"]) == 2
    await full.stage().undone(number)
    assert await state(full) == before


async def test_a_cover_that_was_given_up_is_not_brought_again(full: House) -> None:
    data = await exported(full, "jsonl")
    async with full.database.transaction() as conn:
        group = await conn.fetchval("SELECT id FROM release_groups")
        await preferences.give_up(conn, full.account_id, Subject("Marrow", "Salt Almanac", group), full.clock.now())
    given_up = await state(full)
    assert len(given_up["covers"]) == 1
    await full.finish(await full.offered(data, "plays.jsonl"))
    assert await state(full) == given_up


async def test_what_cannot_be_applied_is_named_and_holds_up_nothing_else(full: House, tmp_path: Path) -> None:
    empty = await _empty(full, full.database, tmp_path)
    rows = [json.loads(line) for line in (await exported(full, "jsonl")).splitlines()]
    kept = [row for row in rows if row.get("track_metadata", {}).get("track_name") != "Tide"]
    kept = [row for row in kept if row.get("sleevenotes", {}).get("act") != "image"]
    kept.append({"sleevenotes": {"act": "horoscope"}})
    kept.append({"sleevenotes": {"act": "apart", "origin": "a", "other": "b", "at": "2024-05-01T12:00:00"}})
    kept.append({"sleevenotes": {"act": "cover", "image": "no digest", "at": NOON.isoformat(), "artist": "Somebody"}})
    number = await empty.offered("\n".join(map(json.dumps, kept)), "plays.jsonl")
    told = await empty.finish(number)
    async with empty.database.connection() as conn:
        reasons = [row["reason"] for row in await conn.fetch("SELECT reason FROM import_skips ORDER BY number")]
    assert [reason.partition(":")[0] for reason in reasons] == [
        "a correction of names of which there is no play here",
        "a picture",
        "not as Sleevenotes writes it",
        "not as Sleevenotes writes it",
        "a cover of Somebody, ",
    ]
    assert (told.status, told.stored, told.skipped) == ("done", 5, 5)
    assert len((await state(empty))["covers"]) == 2  # their images are here, from before
    assert len((await state(empty))["own"]) == 1


async def test_a_cover_s_address_from_a_file_is_a_link_or_nothing(full: House, elsewhere: House) -> None:
    data = (await exported(full, "jsonl")).replace(b"https://img.example/1.png", b"javascript:alert(1)")
    await elsewhere.finish(await elsewhere.offered(data, "plays.jsonl"))
    async with elsewhere.database.connection() as conn:
        assert await conn.fetchval("SELECT count(*) FROM artwork_preferences WHERE address <> ''") == 0


async def test_a_correction_of_more_names_than_a_page_takes_is_read_as_two() -> None:
    gather = lines.Gather()
    name = {"artist": "Marrow", "track": "Kelp"}
    said = {"act": "correction", "number": 1, "kind": "none", "at": NOON.isoformat(), "name": name}
    read = [act for _ in range(lines.MOST_NAMES + 1) for act in gather.take(said)] + list(gather.end())
    assert [len(act.names) for act in read if isinstance(act, lines.Correction)] == [lines.MOST_NAMES, 1]


async def test_a_file_overrides_nothing_that_a_source_has_told(full: House, tmp_path: Path) -> None:
    empty = await _empty(full, full.database, tmp_path)
    data = (await exported(full, "jsonl")).replace(b'"title":"Tide"', b'"title":"A LIE"')
    data = data.replace(b'"name":"Marrow"', b'"name":"A LIE"')
    assert b"A LIE" in data
    await empty.finish(await empty.offered(data, "plays.jsonl"))
    async with empty.database.connection() as conn:
        told = await conn.fetch("SELECT name FROM artists UNION ALL SELECT title FROM recordings ORDER BY 1")
    assert [row["name"] for row in told] == ["Marrow", "Tide"]


async def test_what_a_source_tells_overrides_what_a_file_told(full: House, elsewhere: House) -> None:
    data = (await exported(full, "jsonl")).replace(b'"title":"Tide"', b'"title":"A LIE"')
    await elsewhere.finish(await elsewhere.offered(data, "plays.jsonl"))
    async with elsewhere.database.transaction() as conn:
        assert await conn.fetchval("SELECT title FROM recordings") == "A LIE"
        await catalog.keep(conn, [(given.recording("Tide", "Marrow"), None)], elsewhere.clock.now())
        assert await conn.fetchval("SELECT title FROM recordings") == "Tide"


async def test_an_image_whose_lines_are_cut_is_told_and_the_rest_is_read() -> None:
    data = picture("gold")
    parts = [json.loads(_encoded(part)) for part in lines.parts("0" * 64, data)]
    gather = lines.Gather()
    for part in parts[:-1]:
        assert list(gather.take(part)) == []
    with pytest.raises(ValueError, match="not what its digest says"):
        list(gather.take(parts[-1]))
    with pytest.raises(ValueError, match="parts of an image are missing"):
        list(gather.take(parts[1]))
    apart = {"act": "apart", "origin": "a", "other": "b", "at": NOON.isoformat()}
    assert list(gather.take(apart)) == [lines.Apart("a", "b", NOON)]


def _encoded(part: lines.Part) -> bytes:
    return msgspec.json.encode(part)


def test_no_line_is_longer_than_a_cell_of_a_spreadsheet() -> None:
    longest = max(len(_encoded(part)) for part in itertools.islice(lines.parts("f" * 64, picture("gold")), 3))
    assert longest < 32_767
