"""What is exported and imported into an empty account is the same again."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio

from sleevenotes import errors, model
from sleevenotes.importers import own
from sleevenotes.importers.sheets import parquet
from sleevenotes.model import Band, Scrobble
from sleevenotes.pipeline import exporting
from sleevenotes.pipeline.submit import Submitter
from sleevenotes.store import accounts, feedback, same_plays, scrobbles
from tests.unit.pipeline.importing_house import House, house

__all__ = ["house"]

NOON = datetime(2024, 5, 1, 12, tzinfo=UTC)
MBID = "62c2e20a-559e-422f-a44c-9afa7882f0c4"

SENT = (
    Scrobble(artist="Air", track="Talisman", listened_at=NOON, origin="lastfm"),
    Scrobble(
        artist='"Weird Al" Yankovic, Jr.',
        track="A line\nand another; \ttab, =SUM(1)",
        release="Ænima «Ⅱ»",
        listened_at=NOON + timedelta(microseconds=123456),
        album_artist="Various",
        duration_ms=254_321,
        source_app="mpd",
        source_device="kitchen",
        origin="listenbrainz",
        foreign_id="play-77",
        artwork_uri="https://img.example/1.jpg",
        evidence=model.Evidence(recording_mbid=MBID, artist_mbids=(MBID, MBID), isrc="GBAYE0601498", track_number=4),
        extra={"tags": ["a", "b"], "deep": {"x": None, "y": 1.5}, "track_metadata": {"mood": "calm"}, "n": 7},
    ),
    Scrobble(artist="Air", track="talisman", listened_at=NOON + timedelta(seconds=20), origin="spotify"),
    Scrobble(artist="Air", track="All I Need", listened_at=NOON + timedelta(hours=1), origin="lastfm"),
    Scrobble(artist="Air", track="All I Need", listened_at=NOON + timedelta(hours=1, seconds=9), origin="spotify"),
    Scrobble(artist="空", track="0", listened_at=NOON + timedelta(days=1), origin="import", extra={"empty": ""}),
)
STATE = """
    SELECT s.listened_at, s.artist, s.track, s.release, s.album_artist, s.duration_ms, s.source_app, s.source_device,
        s.origin, s.foreign_id, s.artwork_uri, s.evidence, s.extra, shown.track AS hidden_behind
    FROM scrobbles s LEFT JOIN scrobbles shown ON shown.id = s.same_as WHERE s.account_id = $1 ORDER BY s.listened_at
"""
FEEDBACK = "SELECT artist, track, score, given_at FROM feedback WHERE account_id = $1 ORDER BY artist, track"


async def state(house: House) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    async with house.database.connection() as conn:
        plays = await conn.fetch(STATE, house.account_id)
        words = await conn.fetch(FEEDBACK, house.account_id)
    return [dict(row) for row in plays], [dict(row) for row in words]


async def exported(house: House, kind: str) -> bytes:
    write = exporting.writer(kind)
    return b"".join([chunk async for chunk in exporting.stream(house.database, house.files, house.account_id, write)])


@pytest_asyncio.fixture
async def full(house: House) -> House:
    """Return an account with plays of every kind, one hidden, one said to be its own, and loved and hated tracks."""
    stored = await Submitter(house.database, house.clock).submit(house.account_id, SENT, band=Band.LOW_PRIORITY)
    assert [one.same_as for one in stored] == [None, None, stored[0].id, None, stored[3].id, None]
    async with house.database.connection() as conn:
        await same_plays.make_own(conn, house.account_id, stored[4].id, house.clock.now())
        for artist, track, score in (("Air", "Talisman", 1), ("Nobody", "Played This", -1)):
            await feedback.give(conn, house.account_id, artist, track, score, NOON)
    return house


@pytest.mark.parametrize("kind", exporting.FORMATS)
async def test_an_export_read_into_an_empty_account_gives_the_same_state(full: House, kind: str) -> None:
    data, before = await exported(full, kind), await state(full)
    async with full.database.connection() as conn:
        other = await accounts.create(conn, "other", "", is_owner=False, now=full.clock.now())
    empty = full._replace(account_id=other.id)
    told = await empty.finish(await empty.offered(data, f"plays.{kind}"))
    assert (told.status, told.stored, told.skipped, told.problem) == ("done", len(SENT), 0, "")
    assert await state(empty) == before
    async with empty.database.connection() as conn:
        assert await conn.fetchval("SELECT count(*) FROM own_plays") == 2  # one of each account
    again = await empty.finish(await empty.offered(data, f"plays.{kind}"))
    assert (again.stored, again.duplicates) == (0, len(SENT))
    assert await exported(empty, kind) == data


async def test_an_export_from_before_there_were_acts_is_read(full: House) -> None:
    rows = list(csv.DictReader(io.StringIO((await exported(full, "csv")).decode(), newline="")))
    text = io.StringIO()
    before = csv.DictWriter(text, own.COLUMNS[:-1], extrasaction="ignore", lineterminator="\n")
    before.writeheader()
    before.writerows(row for row in rows if not row[own.ACT])
    async with full.database.connection() as conn:
        other = await accounts.create(conn, "other", "", is_owner=False, now=full.clock.now())
    empty = full._replace(account_id=other.id)
    told = await empty.finish(await empty.offered(text.getvalue(), "plays.csv"))
    assert (told.status, told.stored, told.skipped) == ("done", len(SENT), 0)
    assert await state(empty) == await state(full)


async def test_json_lines_are_listens_as_listenbrainz_has_them(full: House) -> None:
    lines = [json.loads(line) for line in (await exported(full, "jsonl")).splitlines()]
    listen = lines[1]
    assert listen["listened_at"] == int(NOON.timestamp())
    metadata = listen["track_metadata"]
    assert (metadata["artist_name"], metadata["mood"]) == ('"Weird Al" Yankovic, Jr.', "calm")
    info = metadata["additional_info"]
    assert (info["tracknumber"], info["duration_ms"], info["media_player"]) == (4, 254_321, "mpd")
    assert lines[-2] == {"feedback": {"artist": "Nobody", "track": "Played This", "score": -1, "given_at": _iso(NOON)}}
    assert lines[-1]["sleevenotes"]["act"] == "own_play"


def _iso(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")


async def test_a_csv_has_every_play_with_what_is_thought_of_it(full: House) -> None:
    rows = list(csv.DictReader(io.StringIO((await exported(full, "csv")).decode(), newline="")))
    assert [row["feedback"] for row in rows] == ["1", "", "1", "", "", "", "-1", ""]
    assert rows[0]["status"] == "pending"
    assert json.loads(rows[-1]["act"])["act"] == "own_play"
    assert set(rows[0]) == set(own.COLUMNS)


async def test_a_hidden_play_whose_other_half_is_gone_is_exported_as_it_is(full: House) -> None:
    async with full.database.connection() as conn:
        ids = [row["id"] for row in await conn.fetch("SELECT id FROM scrobbles ORDER BY listened_at LIMIT 1")]
        await scrobbles.delete(conn, full.account_id, ids, full.clock.now())
    assert (await exported(full, "csv")).count(b"spotify") == 2


async def test_parquet_without_its_extra_is_refused_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing() -> Any:
        raise errors.Unusable(parquet.NEEDED)

    monkeypatch.setattr(parquet, "pyarrow", missing)
    with pytest.raises(errors.Refused, match=r"sleevenotes\[parquet\]"):
        exporting.writer("parquet")
    with pytest.raises(errors.Refused, match="must be one of jsonl, csv, parquet"):
        exporting.writer("xlsx")
