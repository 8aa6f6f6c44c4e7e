"""Sleevenotes as a library and as the command `enrich`, without anybody to ask."""

from __future__ import annotations

import asyncio
import csv
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import structlog
from typer.testing import CliRunner, Result

import sleevenotes
from sleevenotes import cli, errors, model
from sleevenotes.clock import SystemClock
from sleevenotes.settings import Settings
from sleevenotes.store import catalog, lookups, matches, postgres

Run = Callable[..., Result]

SONG = sleevenotes.Name("Massive Attack", "Babel", "Heligoland")
ARTIST = "10adbe5e-a2c0-4bf3-8249-2b4cbf6e6ca8"
RECORDING = "5eec2e82-a3c6-41b3-8fcc-8d0a1f4ae7d1"
GROUP = "8a4bd04b-5f8e-4bc8-a8c4-8ba5ed6b6f14"
RELEASE = "9b4bd04b-5f8e-4bc8-a8c4-8ba5ed6b6f14"

TABLE = """Artist Name,Song,Album
massive attack,BABEL,Heligoland
Massive Attack,Psyche,Heligoland
Massive Attack,,Heligoland
"""


@pytest.fixture(autouse=True)
def _logs_as_before() -> Iterator[None]:
    yield
    structlog.reset_defaults()


@pytest.fixture
def run(settings: Settings, tmp_path: Path) -> Run:
    """Return a function that runs `enrich` against this test's own database and a table."""
    table = tmp_path / "plays.csv"
    table.write_text(TABLE, "utf-8")

    def run(*options: str, out: str = "out.csv") -> Result:
        given = ["--data-dir", settings.data_dir, "--database-url", settings.database_url]
        command = ["enrich", str(table), "-o", str(tmp_path / out), *options]
        return CliRunner().invoke(cli.app, [*given, *command])

    return run


async def know(database: postgres.Database) -> None:
    """Have one song matched."""
    credit = model.ArtistCredit((model.ArtistCreditName(ARTIST, "Massive Attack"),))
    recording = model.Recording(RECORDING, "Babel", credit)
    release = model.Release(
        RELEASE, "Heligoland", model.ReleaseGroup(GROUP, "Heligoland", first_release_date="2010-02-08")
    )
    async with database.transaction() as conn:
        now = SystemClock().now()
        name = lookups.New(SONG.artist, SONG.track, SONG.release, model.Band.DEFAULT)
        [met] = (await lookups.meet(conn, {SONG.identity: name}, now)).values()
        [kept] = await catalog.keep(conn, [(recording, release)], now)
        match = matches.Identity(*kept, source="musicbrainz", distance=0.0, reason="agrees")
        await matches.settle(conn, [matches.matched(met.id, match)], now)


@pytest.fixture
def known(settings: Settings) -> None:
    """Have one song matched in this test's database."""

    async def keep() -> None:
        database = await postgres.Database.open(settings)
        await know(database)
        await database.close()

    asyncio.run(keep())


# ---------------------------------------------------------------- the library


async def test_what_is_known_is_told_in_the_order_of_the_names(settings: Settings, database: postgres.Database) -> None:
    await know(database)
    other = sleevenotes.Name("Massive Attack", "Psyche")
    same = sleevenotes.Name(" massive  attack", "BABEL", "heligoland")
    found = await sleevenotes.enrich(
        [other, SONG, same], offline=True, data_dir=settings.data_dir, database_url=settings.database_url
    )
    assert [each.name for each in found] == [other, SONG, same]
    assert [each.status for each in found] == ["pending", "enriched", "enriched"]
    song = found[1]
    assert (song.recording_mbid, song.release_mbid, song.release_group_mbid) == (RECORDING, RELEASE, GROUP)
    assert (song.artist_mbids, song.artist_credit, song.first_release_date) == (
        (ARTIST,),
        "Massive Attack",
        "2010-02-08",
    )
    assert (song.artwork, song.artwork_status, song.image) == ("", "pending", None)
    assert song.distance == 0.0


async def test_a_name_without_a_track_is_refused_with_its_place() -> None:
    with pytest.raises(errors.Refused, match=r"name 1 .* needs an artist and a track"):
        await sleevenotes.enrich([SONG, sleevenotes.Name("Queen", " ")])


def test_importing_the_package_loads_none_of_its_parts_and_offers_what_it_says() -> None:
    told = "import sys, sleevenotes; print(*sorted(name for name in sys.modules if name.startswith('sleevenotes.')))"
    assert subprocess.run([sys.executable, "-c", told], capture_output=True, check=True).stdout.strip() == b""
    assert all(getattr(sleevenotes, name) for name in sleevenotes.__all__)
    with pytest.raises(AttributeError, match="nothing_of_the_kind"):
        sleevenotes.nothing_of_the_kind  # type: ignore[attr-defined] # noqa: B018 - it is looked for


# ---------------------------------------------------------------- the command


@pytest.mark.usefixtures("known")
def test_the_command_writes_the_file_and_tells_rates_and_bad_rows(run: Run, tmp_path: Path) -> None:
    told = run("--offline")
    assert told.exit_code == 0, told.output
    lines = told.stdout.splitlines()
    assert lines[0].startswith(f"{tmp_path / 'out.csv'}: 3 rows in ")
    assert [" ".join(line.split()) for line in lines[1:]] == [
        "names matched 1 of 2 (50.0%)",
        "plays matched 1 of 2 (50.0%)",
        "albums with art 0 of 1 (0.0%)",
        "requests none",
        "invalid rows 1, kept as they were:",
        "line 4: Song: empty",
    ]
    with (tmp_path / "out.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["sn_status"] for row in rows] == ["enriched", "pending", "invalid"]
    assert rows[0]["Artist Name"] == "massive attack"
    assert rows[0]["sn_recording_mbid"] == RECORDING


@pytest.mark.usefixtures("known")
def test_the_report_as_json_and_the_file_as_parquet(run: Run, tmp_path: Path) -> None:
    report = json.loads(run("--offline", "--json", "--prefix", "x_", out="out.parquet").stdout)
    assert (report["rows"], report["names_matched"], report["requests"]) == (3, 1, {})
    assert report["invalid"] == [{"line": 4, "reason": "Song: empty"}]
    assert pq.read_table(tmp_path / "out.parquet")["x_distance"].to_pylist() == [0.0, None, None]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--artist", "Wer"], "artist: there is no column 'Wer'. Columns: Artist Name, Song, Album"),
        (["--format", "xlsx"], "format 'xlsx'"),
        (["-o", "/nowhere/at/all.csv"], "/nowhere/at is not a directory"),
    ],
)
def test_a_mistake_is_told_in_one_sentence_before_anything_starts(run: Run, options: list[str], words: str) -> None:
    told = run("--offline", *options)
    assert told.exit_code == 2, told.output
    assert words in told.stderr
    assert len(told.stderr.splitlines()) == 1


def test_a_run_that_is_interrupted_says_what_stands_and_how_to_go_on(
    settings: Settings, database_url: str, tmp_path: Path
) -> None:
    table, out = tmp_path / "plays.csv", tmp_path / "out.csv"
    table.write_text(TABLE, "utf-8")
    command = [sys.executable, "-m", "sleevenotes", "--data-dir", settings.data_dir, "--database-url", database_url]
    heeded = signal.signal(signal.SIGINT, signal.default_int_handler)  # not so, run in the background
    process = subprocess.Popen(
        [*command, "enrich", str(table), "-o", str(out)],
        env={**os.environ, "SLEEVENOTES_SIMULATOR": "127.0.0.1:1"},  # nobody there: no name is ever decided
        stderr=subprocess.PIPE,
        text=True,
    )
    signal.signal(signal.SIGINT, heeded)
    asyncio.run(_until_asked(database_url))
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=60)
    assert process.returncode == 130, told
    assert f"stopped; {out} is not written. Decided and kept: 0 of 2 names." in told
    assert "--offline" in told
    assert "Traceback" not in told
    assert not out.exists()


async def _until_asked(database_url: str) -> None:
    connection = await postgres.connect(database_url)
    asked = False
    async with asyncio.timeout(60):
        while not asked:
            asked = await connection.fetchval("SELECT EXISTS (SELECT FROM wants)")
    await connection.close()
