"""The catalogue's commands, which need no database."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from sleevenotes import catalogue, cli, names
from tests.commands import mistake, said
from tests.dumps import Row, mbid, write
from tests.unit.catalogue import test_covers

ROWS = [Row("Sigur Rós", "Starálfur", "Ágætis byrjun"), Row("Sigur Rós", "Svefn-g-englar", "Ágætis byrjun")]


def run(data_dir: Path, *command: str) -> Result:
    return CliRunner().invoke(cli.app, ["--data-dir", str(data_dir), "catalogue", *command])


@pytest.fixture
def dumped(tmp_path: Path) -> str:
    return str(write(tmp_path / "dump", ROWS, redirects=[(mbid("merged"), ROWS[0].own_recording)]))


def test_what_is_built_is_found_and_described(tmp_path: Path, dumped: str) -> None:
    assert "2 recordings by 1 artist credits" in said(run(tmp_path, "build", dumped))
    assert ROWS[0].own_recording in said(run(tmp_path, "lookup", "sigur ros", "staralfur"))
    near = json.loads(said(run(tmp_path, "lookup", "Sigur Roos", "Staralfuur", "--json")))
    assert (near["exact"], near["entries"][0]["recording_mbid"]) == (False, ROWS[0].own_recording)
    assert said(run(tmp_path, "lookup", "Nobody", "Nothing")) == "Nothing like it.\n"
    assert said(run(tmp_path, "canonical", mbid("merged"))).strip() == ROWS[0].own_recording
    told = json.loads(said(run(tmp_path, "info", "--json")))
    assert (told["names"]["recordings"], told["names"]["release_groups"], told["covers"]) == (2, 2, None)


def test_the_setting_says_where_it_lies(tmp_path: Path, dumped: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLEEVENOTES_CATALOGUE_DIR", str(tmp_path / "elsewhere"))
    said(run(tmp_path, "build", dumped))
    assert (tmp_path / "elsewhere" / catalogue.NAMES).is_file()


def test_rows_that_were_left_out_are_told_and_a_dump_without_redirects_is_warned_of(tmp_path: Path) -> None:
    path = write(tmp_path / "dump", ROWS, groups=False) / "canonical_musicbrainz_data.csv"
    path.write_text(path.read_text("utf-8") + "1,2,3\n", "utf-8")
    result = run(tmp_path, "build", str(path))
    assert said(result)
    assert f"left out: {path}, line 4, column 4: the row ends after 3 columns" in result.stderr
    assert "No release groups" in result.stderr


def test_the_index_of_covers_is_built_and_described(tmp_path: Path, dumped: str) -> None:
    archive = test_covers.archive(tmp_path / "caa.tar.bz2", test_covers.TABLES)
    (tmp_path / "release").write_text(test_covers.RELEASES, "utf-8")
    built = run(tmp_path, "covers", str(archive), "--releases", str(tmp_path / "release"))
    assert "1 releases with a front" in said(built)
    said(run(tmp_path, "build", dumped))
    assert json.loads(said(run(tmp_path, "info", "--json")))["covers"]["fronts"] == 1


@pytest.mark.parametrize(
    ("command", "told"),
    [
        (("build", "nowhere.tar.zst"), "nowhere.tar.zst"),
        (("lookup", "A", "B"), "build one with `sleevenotes catalogue build DUMP`"),
        (("info",), "there is no catalogue"),
    ],
)
def test_a_mistake_is_told_in_a_sentence(tmp_path: Path, command: tuple[str, ...], told: str) -> None:
    assert told in mistake(run(tmp_path, *command))


def test_what_is_no_mbid_is_told(tmp_path: Path, dumped: str) -> None:
    said(run(tmp_path, "build", dumped))
    assert "'x' is no MBID" in mistake(run(tmp_path, "canonical", "x"))


def test_a_catalogue_of_other_keys_says_how_to_mend_it(
    tmp_path: Path, dumped: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    said(run(tmp_path, "build", dumped))
    monkeypatch.setattr(names, "KEY_VERSION", 99)
    assert "build it again with `sleevenotes catalogue build`" in mistake(run(tmp_path, "lookup", "A", "B"))
