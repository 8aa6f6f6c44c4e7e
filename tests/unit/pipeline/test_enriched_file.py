"""A file of rows: its names counted, and every row written again with what became of its name."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from sleevenotes import errors
from sleevenotes.artwork.files import Files
from sleevenotes.pipeline import enriched_file
from sleevenotes.pipeline.enrich import Name
from sleevenotes.store.enriched import Row

TABLE = """when,artist,title,album
1,Queen, Innuendo ,Innuendo
2,QUEEN,innuendo,Innuendo
3,,Bijou,
4,Queen,,
5,Queen,Bijou
6,Queen,Bijou,Innuendo
"""
FOUND = Row(
    id=1, status="enriched", reason="because", recording_mbid="r", recording="Innuendo", artist_mbids=("a", "b"),
    artist_credit="Queen", image_url="https://there", image_digest="ab" * 32, image_mime="image/png", source="x",
    distance=0.0, artwork_status="found",
)  # fmt: skip


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "plays.csv"
    path.write_text(TABLE, "utf-8")
    return path


def written(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_names_are_counted_and_rows_without_one_are_told_by_line_and_column(table: Path) -> None:
    counted = enriched_file.count(enriched_file.read(table))
    assert counted.names == {
        Name("Queen", "Innuendo", "Innuendo"): 1,
        Name("QUEEN", "innuendo", "Innuendo"): 1,
        Name("Queen", "Bijou", "Innuendo"): 1,
    }
    assert [(row.line, row.reason) for row in counted.invalid] == [
        (4, "artist: empty"),
        (5, "title: empty"),
        (6, "3 fields where the header names 4; as it was: 5,Queen,Bijou"),
    ]
    assert counted.rows == 6


def test_every_row_comes_out_in_its_order_with_its_columns_and_what_was_found(table: Path, tmp_path: Path) -> None:
    source, out = enriched_file.read(table), tmp_path / "out.csv"
    names = enriched_file.count(source).names
    told = {name: enriched_file.cells(FOUND if name.track == "Innuendo" else None) for name in names}
    enriched_file.write(source, out, "csv", "sn_", told)
    rows = written(out)
    assert [row["when"] for row in rows] == ["1", "2", "3", "4", "5", "6"]
    assert rows[0]["title"] == " Innuendo "
    assert [row["sn_status"] for row in rows] == ["enriched", "pending", "invalid", "invalid", "invalid", "pending"]
    assert (rows[0]["sn_recording_mbid"], rows[0]["sn_artist_mbids"], rows[0]["sn_artwork"]) == (
        "r",
        "a,b",
        FOUND.image_url,
    )
    assert rows[0]["sn_distance"] == "0.0"
    assert rows[2]["sn_reason"] == "artist: empty"
    assert rows[1]["sn_reason"] == enriched_file.UNKNOWN


def test_what_fails_in_the_middle_leaves_the_old_file_and_no_other(table: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.csv"
    out.write_text("the old one", "utf-8")
    with pytest.raises(KeyError):  # a name without its answer
        enriched_file.write(enriched_file.read(table), out, "csv", "sn_", {})
    assert out.read_text("utf-8") == "the old one"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out.csv", "plays.csv"]


def test_what_could_not_be_written_is_refused_before_any_work(table: Path, tmp_path: Path) -> None:
    source = enriched_file.read(table)
    with pytest.raises(errors.Refused, match="write to another"):
        enriched_file.check(source, table, table, "", "sn_")
    with pytest.raises(errors.Refused, match="not a directory"):
        enriched_file.check(source, table, tmp_path / "nowhere" / "out.csv", "", "sn_")
    other = tmp_path / "other.csv"
    other.write_text("artist,track,artist_credit\n", "utf-8")
    with pytest.raises(errors.Refused, match="a column artist_credit already; choose another --prefix"):
        enriched_file.check(enriched_file.read(other), other, tmp_path / "out.csv", "", "")
    assert enriched_file.check(source, table, tmp_path / "out", "", "sn_") == "csv"
    assert enriched_file.check(source, table, tmp_path / "out.jsonl", "", "sn_") == "jsonl"


def test_covers_are_copied_once_and_those_that_may_not_be_kept_are_not(tmp_path: Path) -> None:
    files = Files(tmp_path / "data")
    digest, other = files.keep(b"an image"), files.keep(b"a stop-gap")
    rows = [
        Row(1, "enriched", "", image_digest=digest, image_mime="image/png"),
        Row(2, "enriched", "", image_digest=digest, image_mime="image/png"),
        Row(3, "enriched", "", image_digest=other, image_mime="image/png", image_expires=True),
        Row(4, "not_found", ""),
    ]
    copied = enriched_file.copy_images(files, rows, tmp_path / "covers")
    assert copied == {digest: str(tmp_path / "covers" / f"{digest}.png")}
    assert [path.read_bytes() for path in (tmp_path / "covers").iterdir()] == [b"an image"]
