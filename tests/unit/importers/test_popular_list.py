"""Public lists of popular names: both forms, by whatever columns are called, and bad rows one by one."""

from __future__ import annotations

from pathlib import Path

import pytest

from sleevenotes import errors
from sleevenotes.importers import contract, popular_list
from sleevenotes.importers.popular_list import Name


def read(tmp_path: Path, text: str | bytes) -> list[Name | contract.Skipped]:
    path = tmp_path / "list"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return list(popular_list.read(popular_list.opened(path)))


@pytest.mark.parametrize("delimiter", [",", "\t", ";"])
def test_a_table_is_read_by_its_header(tmp_path: Path, delimiter: str) -> None:
    rows = [("Plays", "Track", "Artist", "Release"), ("12", "Jóga", "Björk", "Homogenic"), ("", "Words", "Low", "")]
    found = read(tmp_path, "\n".join(delimiter.join(row) for row in rows))
    assert found == [Name("Björk", "Jóga", "Homogenic", 12), Name("Low", "Words", "", 0)]


def test_quoted_fields_and_other_names_of_columns_are_understood(tmp_path: Path) -> None:
    text = 'artist_name,title,listen_count\n"Crosby, Stills & Nash","Suite: Judy Blue Eyes",7\n'
    assert read(tmp_path, text) == [Name("Crosby, Stills & Nash", "Suite: Judy Blue Eyes", "", 7)]


def test_json_lines_are_read_object_by_object(tmp_path: Path) -> None:
    text = (
        '{"artist": "Low", "track": "Words", "release": null, "plays": 3, "m": [1]}\n\n{"artist":"Low","track":"Sea"}'
    )
    assert read(tmp_path, text) == [Name("Low", "Words", "", 3), Name("Low", "Sea", "", 0)]


def test_bad_rows_are_told_with_their_place_and_the_rest_is_taken(tmp_path: Path) -> None:
    rows = [
        "artist,track,plays",
        ",Words,1",
        "Low,Words,many",
        "Low",
        "Low,,2",
        f"Low,{'x' * 1001},1",
        "Low,Sea,4",
        "a\0,b,1",
    ]
    found = read(tmp_path, "\n".join(rows))
    assert [each for each in found if isinstance(each, Name)] == [Name("Low", "Sea", "", 4)]
    assert [(each.line, each.reason) for each in found if isinstance(each, contract.Skipped)] == [
        (2, "artist is empty"),
        (3, "plays is not a whole number: 'many'"),
        (4, "1 fields where the header has 3"),
        (5, "track is empty"),
        (6, "a name is longer than 1000 characters"),
        (8, "holds a NUL character"),
    ]


def test_bad_objects_are_told_and_the_rest_is_taken(tmp_path: Path) -> None:
    found = read(tmp_path, '{"artist": "Low", "track": "Words"}\n[1]\n{"artist": 3, "track": "x"}\n{"artist": "x"}\n{')
    assert [isinstance(each, Name) for each in found] == [True, False, False, False, False]


def test_latin_1_is_no_text_of_ours(tmp_path: Path) -> None:
    [found] = read(tmp_path, b"artist,track\nBj\xf6rk,Army of Me\n")
    assert isinstance(found, contract.Skipped)
    assert found.reason == "not UTF-8 text"


@pytest.mark.parametrize("text", ["a,b\n1,2\n", ""])
def test_a_file_that_names_no_artist_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(errors.Refused):
        read(tmp_path, text)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(errors.Refused, match="No such file"):
        popular_list.opened(tmp_path / "none")
