"""The pages of imports: a file comes in, is looked at, begun, reported and undone; and everything goes out."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import httpx
import pytest

from sleevenotes.artwork.files import Files
from sleevenotes.clock import HandClock
from sleevenotes.pipeline import importing
from sleevenotes.pipeline.importing import BAND, Importing
from sleevenotes.pipeline.uploads import Uploads
from sleevenotes.settings import Settings
from sleevenotes.store import accounts, jobs
from sleevenotes.store.postgres import Database
from tests.browser.sample import Listener
from tests.unit.importers.reading import archive
from tests.unit.server.pages.asking import Client, send

TABLE = "ts,artist,track\n1559570092,Air,Talisman\n1559570392,Air,Kelly Watch the Stars\nyesterday,Air,All I Need\n"


async def token_of(client: Client) -> str:
    found = re.search(r'name="csrf_token" value="([^"]+)"', (await client.get("/imports")).text)
    assert found
    return found[1]


async def upload(client: Client, data: bytes | str, name: str = "plays.csv") -> httpx.Response:
    form = {"csrf_token": await token_of(client)}
    content = data.encode() if isinstance(data, str) else data
    return await client.post("/imports", data=form, files={"file": (name, content)})


async def worked(listener: Listener, settings: Settings) -> None:
    """Do what is in the queue of imports."""
    stage = Importing(
        listener.database, listener.clock, listener.submitter, Uploads(settings.data_path), Files(settings.data_path)
    )
    async with listener.database.connection() as conn:
        rows = await conn.fetch("DELETE FROM pgqueuer WHERE entrypoint = 'import' RETURNING payload")
    for row in rows:
        await stage.run(jobs.subjects(row["payload"]), BAND)


def uploads(settings: Settings) -> list[Path]:
    root = Uploads(settings.data_path).root
    return list(root.iterdir()) if root.is_dir() else []


async def test_a_file_is_looked_at_begun_reported_and_undone(
    client: Client, listener: Listener, settings: Settings
) -> None:
    way = (await upload(client, TABLE)).headers["location"]
    offer = (await client.get(way)).text
    assert "2 plays; left out: 1 no time" in offer
    assert "Kelly Watch the Stars" in offer
    assert "plays.csv" in (await client.get("/imports")).text

    assert (await send(client, f"{way}/start", asked="1", raw="1", zone="UTC")).status_code == 303
    assert "of the file is read" in (await client.get(way)).text
    await worked(listener, settings)
    report = (await client.get(way)).text
    assert re.search(r"<dt>New plays</dt><dd>2</dd>", report)
    assert "line 4" in report
    told = await client.get(f"{way}/skipped.csv")
    assert told.headers["content-disposition"].startswith("attachment")
    assert told.text == (
        "file,counted_in,place,kind,reason\nplays.csv,line,4,no time,ts 'yesterday' is not a time in UNIX seconds\n"
    )
    assert uploads(settings) == []

    await send(client, f"{way}/undo")
    await worked(listener, settings)
    assert "Undone: the 2 plays it brought are deleted" in (await client.get(way)).text
    assert "Talisman" not in (await client.get("/")).text
    await send(client, f"{way}/discard")
    assert (await client.get(way)).status_code == 404


async def test_a_play_of_the_future_is_promised_no_more_than_it_is_brought(
    client: Client, listener: Listener, settings: Settings
) -> None:
    soon = listener.clock.now().timestamp() + importing.AHEAD.total_seconds()
    table = f"ts,artist,track\n{soon:.0f},Air,Talisman\n{soon + 1:.0f},Air,All I Need\n"
    way = (await upload(client, table)).headers["location"]
    assert "1 play; left out: 1 in the future" in (await client.get(way)).text
    await send(client, f"{way}/start", asked="1", raw="1")
    await worked(listener, settings)
    report = (await client.get(way)).text
    assert "<dt>New plays</dt><dd>1</dd>" in report
    assert "in the future" in report


async def test_what_was_deleted_is_left_out_until_its_listener_ticks_that_it_shall_come(
    client: Client, listener: Listener, settings: Settings
) -> None:
    async def imported(*, offers: bool = True, **chosen: str) -> str:
        way = (await upload(client, TABLE)).headers["location"]
        assert ("Plays that I deleted here, too" in (await client.get(way)).text) == offers
        await send(client, f"{way}/start", asked="1", raw="1", **chosen)
        await worked(listener, settings)
        return (await client.get(way)).text

    await imported(offers=False)  # who has deleted nothing is asked nothing
    async with listener.database.connection() as conn:
        one = await conn.fetchval("SELECT id FROM scrobbles WHERE track = 'Talisman'")
    await send(client, "/plays/delete", ids=str(one))
    report = await imported()
    assert "<td>line 2</td><td>You deleted it here.</td>" in report
    assert "tick “Plays that I deleted here, too”" in report
    assert "<dt>New plays</dt><dd>1</dd>" in await imported(include_deleted="1")
    assert "Talisman" in (await client.get("/")).text


async def test_columns_nobody_guesses_are_asked_for(client: Client, listener: Listener, settings: Settings) -> None:
    way = (await upload(client, "who,what,when\nAir,Talisman,2019-06-03 13:54\n")).headers["location"]
    offer = (await client.get(way)).text
    assert "no column looks like the artist" in offer
    assert "<option>who</option>" in offer
    chosen = {"artist": "who", "track": "what", "zone": "Europe/Vienna"}
    assert "Talisman" in (await send(client, f"{way}/look", asked="1", **chosen)).text
    nowhere = await send(client, f"{way}/look", **{**chosen, "zone": "Vienna"})
    assert (nowhere.status_code, "is not a time zone" in nowhere.text) == (422, True)
    await send(client, f"{way}/start", asked="1", origin="lastfm", **chosen)
    await worked(listener, settings)
    async with listener.database.connection() as conn:
        (row,) = await conn.fetch("SELECT listened_at, origin FROM scrobbles")
    assert (row["listened_at"].isoformat(), row["origin"]) == ("2019-06-03T11:54:00+00:00", "lastfm")


async def test_a_time_that_no_zone_can_show_is_one_row_left_out(client: Client, listener: Listener) -> None:
    async with listener.database.connection() as conn:
        await conn.execute("UPDATE accounts SET time_zone = 'Europe/Vienna'")
    table = "artist,track,date\nAir,Talisman,2015-11-02 22:04\nAir,All I Need,0001-01-01 00:00:00\n"
    table += "Air,Sexy Boy,9999-12-31T23:30:00Z\n"
    offer = await client.get((await upload(client, table)).headers["location"])
    assert (offer.status_code, "1 play; left out: 1 no time, 1 in the future" in offer.text) == (200, True)


async def test_the_look_reads_times_in_the_zone_that_the_import_will(
    client: Client, listener: Listener, settings: Settings
) -> None:
    async with listener.database.connection() as conn:
        await conn.execute("UPDATE accounts SET time_zone = 'Europe/Vienna'")
    way = (await upload(client, "Air,Moon Safari,Talisman,13 Sep 2020 12:26\n")).headers["location"]
    offer = (await client.get(way)).text
    assert 'name="zone"' not in offer  # Last.fm's times are UTC
    assert "2020-09-13 14:26" in offer
    await send(client, f"{way}/start", asked="1", raw="1")
    await worked(listener, settings)
    async with listener.database.connection() as conn:
        (row,) = await conn.fetch("SELECT listened_at FROM scrobbles")
    assert row["listened_at"].isoformat() == "2020-09-13T12:26:00+00:00"


async def test_parquet_without_its_extra_is_offered_with_what_is_missing(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    offer = await client.get((await upload(client, b"PAR1...", "plays.parquet")).headers["location"])
    assert (offer.status_code, "pip install" in offer.text, "Do not import it" in offer.text) == (200, True, True)


async def test_which_streams_of_spotify_count_is_chosen_before(client: Client) -> None:
    stream = {"endTime": "2022-12-05 16:52", "artistName": "Air", "trackName": "Talisman", "msPlayed": 40_000}
    way = (await upload(client, json.dumps([stream]), "StreamingHistory0.json")).headers["location"]
    assert "1 play." in (await client.get(way)).text
    assert "1 too short" in (await send(client, f"{way}/look", min_played_s="60")).text
    refused = await send(client, f"{way}/look", min_played_s="a while")
    assert refused.status_code == 422
    assert "is not a number of them" in refused.text


async def test_files_of_an_archive_that_a_browser_unpacked_are_one_import(client: Client, settings: Settings) -> None:
    streams = [
        [{"endTime": f"2022-12-0{day} 16:52", "artistName": "Air", "trackName": f"Track {day}", "msPlayed": 40_000}]
        for day in (1, 2)
    ]
    parts = [("file", ("StreamingHistory.json", json.dumps(stream).encode())) for stream in streams]
    answer = await client.post("/imports", data={"csrf_token": await token_of(client)}, files=parts)
    offer = (await client.get(answer.headers["location"])).text
    assert "StreamingHistory.json and 1 more" in offer
    assert "2 plays." in offer
    assert "2 files" in offer
    assert len(uploads(settings)) == 1


async def test_columns_are_named_for_all_files_of_an_upload(
    client: Client, listener: Listener, settings: Settings
) -> None:
    tables = {f"p{number}.csv": f"who,song,moment\nAir,Track {number},2019-06-03 13:54\n" for number in (1, 2)}
    parts = [("file", (name, text.encode())) for name, text in {"README.txt": "see plays", **tables}.items()]
    answer = await client.post("/imports", data={"csrf_token": await token_of(client)}, files=parts)
    way = answer.headers["location"]
    assert "<option>moment</option>" in (await client.get(way)).text
    chosen = {"artist": "who", "track": "song", "time": "moment"}
    assert "2 plays; left out: 1 other files" in (await send(client, f"{way}/look", asked="1", **chosen)).text
    await send(client, f"{way}/start", asked="1", **chosen)
    await worked(listener, settings)
    assert re.search(r"<dt>New plays</dt><dd>2</dd>", (await client.get(way)).text)


async def test_an_offered_file_that_is_gone_is_told_and_can_be_discarded(client: Client, settings: Settings) -> None:
    way = (await upload(client, TABLE)).headers["location"]
    for path in uploads(settings):
        path.unlink()
    offer = await client.get(way)
    assert (offer.status_code, "is gone" in offer.text) == (200, True)
    started = await send(client, f"{way}/start", asked="1", raw="1")
    assert (started.status_code, "is gone" in started.text) == (422, True)
    await send(client, f"{way}/discard")
    assert (await client.get(way)).status_code == 404


async def test_an_empty_archive_is_refused_in_words(client: Client, settings: Settings) -> None:
    refused = await upload(client, archive({}), "nothing.zip")
    assert (refused.status_code, "The archive is empty" in refused.text, uploads(settings)) == (422, True, [])


async def test_a_file_that_is_no_history_is_refused_and_not_kept(client: Client, settings: Settings) -> None:
    refused = await upload(client, b"%PDF-1.4\n", "letter.pdf")
    assert refused.status_code == 422
    assert "which no importer knows" in refused.text
    assert uploads(settings) == []
    nothing = await client.post("/imports", data={"csrf_token": await token_of(client)}, files={"other": ("", b"")})
    assert nothing.status_code == 400


async def test_a_form_that_is_not_ours_leaves_nothing_behind(client: Client, settings: Settings) -> None:
    await token_of(client)
    for form in ({}, {"csrf_token": "invented"}):
        refused = await client.post("/imports", data=form, files={"file": ("plays.csv", TABLE.encode())})
        assert refused.status_code == 403
    assert uploads(settings) == []


async def test_a_file_beyond_the_limit_is_refused_whether_or_not_its_length_is_told(
    client: Client, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sleevenotes.server.pages_imports.MB", 1)  # so that the limit is 2,000 bytes
    monkeypatch.setattr("sleevenotes.server.uploading.FRAME", 1000)
    big = TABLE + "1559570092,Air,Talisman\n" * 1000
    refused = await upload(client, big)
    assert refused.status_code == 413
    assert "upload_limit_mb" in refused.text
    form = httpx.Request(
        "POST", "http://x", data={"csrf_token": await token_of(client)}, files={"file": ("plays.csv", big.encode())}
    )

    async def body() -> httpx.AsyncByteStream:  # type: ignore[misc] # an iterator is one
        yield form.read()

    untold = await client.post("/imports", content=body(), headers={"content-type": form.headers["content-type"]})
    assert untold.status_code == 413
    assert uploads(settings) == []


async def test_another_listeners_import_is_not_found(
    client: Client, listener: Listener, database: Database, clock: HandClock
) -> None:
    way = (await upload(client, TABLE)).headers["location"]
    async with database.transaction() as conn:
        other = await accounts.create(conn, "otto", "", is_owner=False, now=clock.now())
        await conn.execute("UPDATE imports SET account_id = $1", other.id)
    for address in (way, f"{way}/skipped.csv"):
        assert (await client.get(address)).status_code == 404
    assert (await send(client, f"{way}/undo")).status_code == 404


async def test_everything_goes_out_by_a_page_and_by_a_token(client: Client, listener: Listener) -> None:
    assert "/api/v1/export?format=parquet" in (await client.get("/export")).text
    sent = await client.get("/api/v1/export", params={"format": "csv"})
    assert sent.headers["content-type"].startswith("text/csv")
    assert re.search(r'filename="sleevenotes-\d{4}-\d\d-\d\d\.csv"', sent.headers["content-disposition"])
    refused = await client.get("/api/v1/export", params={"format": "xlsx"})
    assert refused.status_code == 422
    assert refused.json()["error"]["details"][0]["field"] == "format"
    client.cookies.clear()
    assert (await client.get("/api/v1/export")).status_code == 401
    lines = await client.get("/api/v1/export", headers={"Authorization": f"Bearer {listener.token}"})
    assert lines.status_code == 200
