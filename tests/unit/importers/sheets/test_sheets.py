"""Files of rows: read, guessed, and written again without loss."""

from __future__ import annotations

import gzip
import json
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sleevenotes import errors
from sleevenotes.importers.sheets import columns, contract, registry

AWKWARD = [
    ["Sigur Rós", 'say "hi", you', "1"],
    ["tab\there", "two\nlines", ""],
    ["; semicolon", "'quote", "  spaces  "],
    ["a\u2028line\u0085of another kind", '"quoted"', "x"],
    ["Кино", "Группа крови", "𝄞"],
]


def given(tmp_path: Path, data: bytes | str, name: str = "in.csv") -> Path:
    path = tmp_path / name
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return path


def rows(sheet: contract.Sheet) -> list[list[object]]:
    return [list(cells) for batch in sheet.batches() for cells in batch.cells]


def problems(sheet: contract.Sheet) -> dict[int, str]:
    return {batch.lines[place]: why for batch in sheet.batches() for place, why in batch.problems.items()}


def copied(sheet: contract.Sheet, path: Path, kind: str, added: Sequence[contract.Cell] = ("x", None)) -> Path:
    """Write a sheet again with two added columns, the same for each row."""
    writer = registry.create(path, kind, sheet, ["sn_status", "sn_distance"][: len(added)])
    for batch in sheet.batches():
        writer.write(batch, [added for _ in batch.cells])
    writer.close()
    return path


def awkward(tmp_path: Path) -> contract.Sheet:
    lines = [json.dumps({"artist": a, "track": t, "extra": e}, ensure_ascii=False) for a, t, e in AWKWARD]
    return registry.open(given(tmp_path, "\n".join(lines), "in.jsonl"))


# ---------------------------------------------------------------- what comes out again


@pytest.mark.parametrize("kind", registry.KINDS)
def test_what_is_written_in_any_format_is_read_again_as_it_was(tmp_path: Path, kind: str) -> None:
    again = registry.open(copied(awkward(tmp_path), tmp_path / f"out.{kind}", kind))
    assert again.kind == kind
    assert list(again.columns) == ["artist", "track", "extra", "sn_status", "sn_distance"]
    assert [row[:4] for row in rows(again)] == [[*row, "x"] for row in AWKWARD]
    assert not problems(again)


def test_more_rows_than_a_batch_keep_their_order(tmp_path: Path) -> None:
    many = [[f"a{number}", f"t{number}"] for number in range(contract.ROWS + 3)]
    sheet = registry.open(given(tmp_path, "\n".join(["artist,track", *(",".join(row) for row in many)])))
    assert rows(registry.open(copied(sheet, tmp_path / "out.parquet", "parquet", ()))) == many


def test_a_compressed_table_and_one_with_a_byte_order_mark_are_read(tmp_path: Path) -> None:
    data = b"\xef\xbb\xbfartist;track\nQueen;Innuendo\n"
    for path in (given(tmp_path, data), given(tmp_path, gzip.compress(data), "in.csv.gz")):
        sheet = registry.open(path)
        assert list(sheet.columns) == ["artist", "track"]
        assert rows(sheet) == [["Queen", "Innuendo"]]


def test_objects_within_objects_come_out_as_they_were_with_the_added_names_beside(tmp_path: Path) -> None:
    listen = {"listened_at": 1, "track_metadata": {"artist_name": "Queen", "additional_info": {"tags": ["a", "b"]}}}
    sheet = registry.open(given(tmp_path, json.dumps(listen), "in.jsonl"))
    assert list(sheet.columns) == [
        "listened_at",
        "track_metadata.artist_name",
        "track_metadata.additional_info.tags",
    ]
    out = copied(sheet, tmp_path / "out.jsonl", "jsonl", ("enriched", 0.5))
    assert json.loads(out.read_text()) == {**listen, "sn_status": "enriched", "sn_distance": 0.5}


def test_parquet_keeps_every_columns_type_and_its_missing_values(tmp_path: Path) -> None:
    table = pa.table(
        {
            "artist": pa.array(["Queen", None]).dictionary_encode(),
            "track": ["Innuendo", "Bijou"],
            "at": pa.array([datetime(1991, 2, 4, tzinfo=UTC), None], pa.timestamp("ns", tz="UTC")),
            "plays": pa.array([3, None], pa.int16()),
            "tags": [["rock"], []],
        }
    )
    pq.write_table(table, tmp_path / "in.parquet")
    out = copied(registry.open(tmp_path / "in.parquet"), tmp_path / "out.parquet", "parquet", ("enriched", 0.25))
    again = pq.read_table(out)
    assert again.drop_columns(["sn_status", "sn_distance"]) == table
    assert again["sn_distance"].to_pylist() == [0.25, 0.25]
    text = copied(registry.open(tmp_path / "in.parquet"), tmp_path / "out.csv", "csv", ())
    assert rows(registry.open(text)) == [
        ["Queen", "Innuendo", "1991-02-04 00:00:00.000000000Z", "3", '["rock"]'],
        ["", "Bijou", "", "", "[]"],
    ]


# ---------------------------------------------------------------- what is wrong with a file or a row


def test_a_quoted_field_may_go_on_over_lines_and_a_stray_quote_swallows_nothing(tmp_path: Path) -> None:
    text = 'artist,track,note\nQueen,Innuendo,"one\ntwo"\nQueen,"Bijou,\nQueen,Hitman,x\n'
    sheet = registry.open(given(tmp_path, text))
    assert rows(sheet) == [["Queen", "Innuendo", "one\ntwo"], ["Queen", '"Bijou', ""], ["Queen", "Hitman", "x"]]
    assert not problems(sheet)


def test_a_row_with_other_fields_than_the_header_is_kept_and_told_as_it_was(tmp_path: Path) -> None:
    sheet = registry.open(given(tmp_path, "artist,track\nQueen\nQueen,Innuendo,1991\nQueen,Bijou\n"))
    assert rows(sheet) == [["Queen", ""], ["Queen", "Innuendo"], ["Queen", "Bijou"]]
    assert problems(sheet) == {
        2: "1 fields where the header names 2; as it was: Queen",
        3: "3 fields where the header names 2; as it was: Queen,Innuendo,1991",
    }


def test_a_line_that_is_no_object_is_kept_and_told_as_it_was(tmp_path: Path) -> None:
    sheet = registry.open(given(tmp_path, '{"artist": "Queen"}\n{"artist": \n[1]\n', "in.jsonl"))
    assert rows(sheet) == [["Queen"], [None], [None]]
    told = problems(sheet)
    assert list(told) == [2, 3]
    assert told[2].endswith('as it was: {"artist": ')


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"artist,track\nQueen,Innuendo\nBj\xf6rk,Hunter\n", "line 3 is not UTF-8 text (byte 3 of it)"),
        ("artist,track".encode("utf-16"), "UTF-16"),
        (b"", "is empty"),
        (b"\nartist,track\n", "line 1 is blank"),
        (b'[{"artist": "Queen"}]', "one object a line"),
        (b"\x00\x01\x02 something", "none of"),
        (b"PAR1 but no more", "damaged"),
        (gzip.compress(b"artist,track\n" * 9999)[:-20], "damaged"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_with_the_place(tmp_path: Path, data: bytes, words: str) -> None:
    path = given(tmp_path, data)
    with pytest.raises(errors.Refused) as refused:
        rows(registry.open(path))
    assert words in str(refused.value)


def test_without_pyarrow_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = given(tmp_path, "artist,track\nQueen,Innuendo\n")
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    with pytest.raises(errors.Unusable, match=r"pip install 'sleevenotes\[parquet\]'"):
        copied(registry.open(path), tmp_path / "out.parquet", "parquet")
    with pytest.raises(errors.Unusable, match=r"sleevenotes\[parquet\]"):
        registry.open(given(tmp_path, b"PAR1....", "in.parquet"))


def test_the_format_to_write_is_as_wanted_else_by_the_ending() -> None:
    assert registry.kind_of(Path("a.TSV")) == "tsv"
    assert registry.kind_of(Path("a.tsv"), "jsonl") == "jsonl"
    assert registry.kind_of(Path("a.out")) == ""
    with pytest.raises(errors.Refused, match="csv, tsv"):
        registry.kind_of(Path("a.tsv"), "xlsx")


# ---------------------------------------------------------------- which columns


@pytest.mark.parametrize(
    ("names", "found"),
    [
        ("uts,utc_time,artist,artist_mbid,album,album_mbid,track,track_mbid", (2, 6, 4)),
        ("Artist,Album,Song,Date", (0, 2, 1)),
        ("endTime,artistName,trackName,msPlayed", (1, 2, None)),
        (
            "ts,master_metadata_track_name,master_metadata_album_artist_name,master_metadata_album_album_name",
            (2, 1, 3),
        ),
        (
            "listened_at,track_metadata.artist_name,track_metadata.track_name,track_metadata.release_name",
            (1, 2, 3),
        ),
        ("Title,Album Artist,Track Artist", (2, 0, None)),
        ("name,album.name,artist.name", (2, 0, 1)),
    ],
)
def test_columns_are_guessed_by_what_exports_call_them(names: str, found: tuple[Any, ...]) -> None:
    assert tuple(columns.find(names.split(","))) == found


@pytest.mark.parametrize(
    ("names", "missing"), [("wer,was", "artist or the track"), ("artist,was", "track"), ("wer,song", "artist")]
)
def test_columns_that_nothing_looks_like_are_asked_for(names: str, missing: str) -> None:
    with pytest.raises(errors.Refused, match=f"the {missing}; say which is. Columns: {names.replace(',', ', ')}"):
        columns.find(names.split(","))


def test_a_column_that_is_named_goes_before_any_guess() -> None:
    assert columns.find(["artist", "who", "track"], artist="who") == (1, 2, None)


def test_a_column_that_is_named_and_not_there_is_told_with_those_there_are() -> None:
    with pytest.raises(errors.Refused, match=r"^track: there is no column 'song'. Columns: artist, title"):
        columns.find(["artist", "title"], track="song")
