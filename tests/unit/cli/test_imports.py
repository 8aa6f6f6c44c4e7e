"""`import` and `export`: every row accounted for, everything out and in again, and undone."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

from sleevenotes import app
from sleevenotes.names import digest
from sleevenotes.pipeline.uploads import Uploads
from sleevenotes.settings import Settings
from sleevenotes.store import accounts, imports
from tests.commands import mistake, said
from tests.unit.cli.conftest import HISTORY, Run


def test_an_import_accounts_for_every_row(run: Run, history: Path) -> None:
    said(run("user", "add", "ana"))
    summary = said(run("import", str(history), "--account", "ana"))
    assert summary.splitlines() == [
        "2 stored, 1 duplicates, 1 skipped",
        "  line 5: ts 'yesterday' is not a time in UNIX seconds",
    ]


def test_an_import_repeated_stores_nothing(run: Run, history: Path, tmp_path: Path) -> None:
    said(run("user", "add", "ana"))
    said(run("import", str(history), "--account", "ana"))
    skipped = tmp_path / "skipped.txt"
    again = json.loads(said(run("import", str(history), "--account", "ana", "--json", "--skipped", str(skipped))))
    assert (again["stored"], again["duplicates"]) == (0, 3)
    assert skipped.read_text("utf-8").startswith("5\tts 'yesterday'")


def test_what_was_deleted_comes_back_only_when_an_import_is_told_to(run: Run, history: Path, tmp_path: Path) -> None:
    for name in ("ana", "ben"):
        said(run("user", "add", name))
    said(run("import", str(history), "--account", "ana"))
    plays = tmp_path / "plays.jsonl"
    said(run("export", str(plays), "--account", "ana"))
    act = {
        "act": "deleted_play",
        "listened_at": "2019-06-03T13:54:52Z",
        "identity": digest("Massive Attack", "Babel").hex(),
    }
    deleted = tmp_path / "deleted.jsonl"
    deleted.write_text(json.dumps({"sleevenotes": act}) + "\n", "utf-8")
    assert "1 corrections, covers and marks" in said(run("import", str(deleted), "--account", "ben"))
    told = said(run("import", str(plays), "--account", "ben")).splitlines()
    assert told == [
        "1 stored, 0 duplicates, 1 skipped",
        "  line 1: You deleted it here.",
        "  --include-deleted brings back what was deleted here",
    ]
    assert said(run("import", str(plays), "--account", "ben", "--include-deleted")).startswith("1 stored, 1 duplicates")


def test_a_file_that_is_no_history_is_refused_with_what_would_be_one(run: Run, tmp_path: Path) -> None:
    said(run("user", "add", "ana"))
    other = tmp_path / "holiday.jpg"
    other.write_bytes(b"\xff\xd8\xff\xe0 picture")
    assert "not UTF-8" in mistake(run("import", str(other), "--account", "ana"))


def test_a_file_that_is_not_there_is_named(run: Run) -> None:
    assert "nowhere.tsv" in mistake(run("import", "nowhere.tsv", "--account", "ana"))


def test_a_directory_is_imported_as_its_files_are(run: Run, tmp_path: Path) -> None:
    said(run("user", "add", "ana"))
    inside = tmp_path / "history"
    inside.mkdir()
    for name in ("one.tsv", "two.tsv"):
        (inside / name).write_text(HISTORY.replace("Massive Attack", name), "utf-8")
    summary = json.loads(said(run("import", str(inside), "--account", "ana", "--json")))
    assert (summary["stored"], summary["duplicates"]) == (4, 2)
    assert [row["file"] for row in summary["skipped"]] == ["one.tsv", "two.tsv"]
    assert said(run("import", str(inside), "--account", "ana", "--undo")) == "4 plays deleted\n"


def test_an_export_under_an_ending_that_says_no_format_is_refused(run: Run, tmp_path: Path) -> None:
    said(run("user", "add", "ana"))
    other = tmp_path / "plays.xml"
    assert "plays.xml" in (told := mistake(run("export", str(other), "--account", "ana")))
    assert "jsonl, csv, parquet" in told
    assert not other.exists()
    said(run("export", str(other), "--account", "ana", "--format", "csv"))
    assert other.read_text("utf-8").startswith("listened_at,")
    said(run("export", str(tmp_path / "plays"), "--account", "ana"))


def test_everything_goes_out_and_in_again_and_an_import_is_undone_by_its_files_name(
    run: Run, history: Path, tmp_path: Path
) -> None:
    for name in ("ana", "ben"):
        said(run("user", "add", name))
    said(run("import", str(history), "--account", "ana"))
    plays = tmp_path / "plays.csv"
    assert f"bytes written to {plays}" in said(run("export", str(plays), "--account", "ana"))
    summary = json.loads(said(run("import", str(plays), "--account", "ben", "--json")))
    assert (summary["stored"], summary["format"], summary["skipped"]) == (2, "sleevenotes", [])
    lines = said(run("export", "-", "--account", "ben")).splitlines()
    assert [json.loads(line)["track_metadata"]["artist_name"] for line in lines] == ["Massive Attack", "Massive Attack"]
    assert said(run("import", str(plays), "--account", "ben", "--undo")) == "2 plays deleted\n"
    assert "undone already" in mistake(run("import", str(plays), "--account", "ben", "--undo"))
    assert "must be one of jsonl, csv, parquet" in mistake(
        run("export", str(plays), "--account", "ben", "--format", "xls")
    )


def test_undoing_passes_by_a_file_that_was_only_offered_in_the_browser(
    run: Run, history: Path, settings: Settings
) -> None:
    said(run("user", "add", "ana"))
    said(run("import", str(history), "--account", "ana"))
    uploads = Uploads(settings.data_path)

    async def offer() -> str:
        upload = uploads.new()
        uploads.path(upload).write_text(HISTORY, "utf-8")
        async with app.open(settings) as parts, parts.database.connection() as conn:
            owner = await accounts.by_name(conn, "ana")
            assert owner is not None
            row = {"file_name": history.name, "upload": upload, "size": 1, "importer": "table"}
            await imports.offer(conn, owner.id, now=parts.clock.now(), **row)  # type: ignore[arg-type] # as named
        return upload

    upload = asyncio.run(offer())
    assert said(run("import", str(history), "--account", "ana", "--undo")) == "2 plays deleted\n"
    assert "undone already" in mistake(run("import", str(history), "--account", "ana", "--undo"))
    assert uploads.path(upload).is_file()


def test_an_undoing_that_was_interrupted_goes_on(run: Run, history: Path, settings: Settings) -> None:
    said(run("user", "add", "ana"))
    number = json.loads(said(run("import", str(history), "--account", "ana", "--json")))["id"]

    async def begin() -> None:
        async with app.open(settings) as parts, parts.database.connection() as conn:
            told = await imports.by_id(conn, number)
            assert await imports.undo(conn, told.account_id, number)

    asyncio.run(begin())
    assert said(run("import", str(history), "--account", "ana", "--undo")) == "2 plays deleted\n"
