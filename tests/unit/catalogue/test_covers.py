"""The index of the Cover Art Archive: from the dumps of two schemas to addresses."""

from __future__ import annotations

import bz2
import io
import tarfile
from pathlib import Path

import pytest

from sleevenotes import catalogue, errors
from sleevenotes.catalogue import covers
from tests.dumps import BUILT, mbid

ONE, TWO, THREE, FOUR = (mbid(name) for name in ("one", "two", "three", "four"))
RELEASES = f"1\t{ONE}\tA Title\t7\n2\t{TWO}\tTab\\tTitle\t7\n3\t{THREE}\tT\t7\n4\t{FOUR}\tT\t7\n"
UPLOADED = "2012-05-01 10:00:00+00\t0"
TABLES = {
    "cover_art_archive.art_type": "1\tFront\t\\N\t0\n2\tBack\t\\N\t1\n",
    "cover_art_archive.cover_art": "".join(
        f"{image}\t{release}\ta comment\t99\t{place}\t{UPLOADED}\t{mime}\t\\N\t\\N\t\\N\t\\N\n"
        for image, release, place, mime in [
            (100, 1, 1, "image/jpeg"),  # its back comes first
            (101, 1, 2, "image/jpeg"),
            (102, 1, 3, "image/png"),
            (200, 2, 1, "image/jpeg"),  # a back only
            (300, 3, 1, "application/pdf"),
            (900, 9, 1, "image/jpeg"),  # of a release that is gone
        ]
    ),
    "cover_art_archive.cover_art_type": "100\t2\n101\t1\n101\t2\n102\t1\n200\t2\n300\t1\n900\t1\n",
    "cover_art_archive.release_group_cover_art": "1\t1\n",
}


def archive(path: Path, tables: dict[str, str]) -> Path:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        for name, text in tables.items():
            info = tarfile.TarInfo(f"mbdump/{name}")
            info.size = len(text.encode())
            tar.addfile(info, io.BytesIO(text.encode()))
    path.write_bytes(bz2.compress(packed.getvalue()))
    return path


@pytest.fixture
def dumped(tmp_path: Path) -> Path:
    return archive(tmp_path / "mbdump-cover-art-archive.tar.bz2", TABLES)


def test_a_release_has_the_address_of_its_first_front(tmp_path: Path, dumped: Path) -> None:
    releases = archive(tmp_path / "mbdump.tar.bz2", {"artist": "1\tx\n", "release": RELEASES})
    info = covers.build(dumped, releases, tmp_path / catalogue.COVERS, BUILT)
    index = covers.open(tmp_path / catalogue.COVERS)
    assert index is not None
    assert info.fronts == index.info().fronts == 1
    assert index.front(ONE) == f"https://coverartarchive.org/release/{ONE}/101-500.jpg"
    assert index.front(ONE.upper(), 1200) == f"https://coverartarchive.org/release/{ONE}/101-1200.jpg"
    assert [index.front(each) for each in (TWO, THREE, FOUR, mbid("unheard of"))] == [""] * 4


def test_the_table_of_releases_may_be_a_file_of_its_own(tmp_path: Path, dumped: Path) -> None:
    (tmp_path / "release").write_text(RELEASES, "utf-8")
    assert covers.build(dumped, tmp_path / "release", tmp_path / catalogue.COVERS, BUILT).fronts == 1


@pytest.mark.parametrize(
    ("table", "text", "told"),
    [
        ("cover_art_archive.cover_art", "1\tno number\n", r"\(cover_art_archive\.cover_art\), line 1: "),
        ("cover_art_archive.cover_art_type", "1\t1\n2\n", r"\(cover_art_archive\.cover_art_type\), line 2: "),
        ("cover_art_archive.art_type", "1\tVorne\n", "no release with a front in common"),
    ],
)
def test_a_dump_that_is_none_is_refused_and_the_old_index_stays(
    tmp_path: Path, dumped: Path, table: str, text: str, told: str
) -> None:
    (tmp_path / "release").write_text(RELEASES, "utf-8")
    target = tmp_path / catalogue.COVERS
    covers.build(dumped, tmp_path / "release", target, BUILT)
    with pytest.raises(errors.Unusable, match=told):
        covers.build(archive(dumped, {**TABLES, table: text}), tmp_path / "release", target, BUILT)
    assert covers.open(target) is not None


def test_a_missing_table_is_named(tmp_path: Path, dumped: Path) -> None:
    with pytest.raises(errors.Unusable, match="there is no release in it"):
        covers.build(dumped, dumped, tmp_path / catalogue.COVERS, BUILT)


def test_where_there_is_none_there_is_none_and_what_is_none_is_refused(tmp_path: Path) -> None:
    path = tmp_path / catalogue.COVERS
    assert covers.open(path) is None
    path.write_text("something else" * 1000)
    with pytest.raises(errors.Unusable, match="build it again"):
        covers.open(path)
