"""Building: every way a dump comes, what is wrong with it, and what an interruption leaves behind."""

from __future__ import annotations

import bz2
import gzip
import io
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from sleevenotes import catalogue, errors, names
from sleevenotes.catalogue import build, dump, staging
from tests.dumps import BUILT, HEADER, Row, mbid, write

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

ROWS = [Row(f"Artist {n % 40}", f"Song {n}", f"Album {n % 60}", n) for n in range(400)]


def found(target: Path) -> int:
    """Count the rows that the catalogue answers with their own recording and group."""
    opened = catalogue.open(target)
    assert opened is not None
    entries = opened.exact([(row.artist, row.track) for row in ROWS])
    opened.close()
    return sum(
        entry is not None and (entry.recording_mbid, entry.release_group_mbid) == (row.own_recording, row.own_group)
        for entry, row in zip(entries, ROWS, strict=True)
    )


def tar(directory: Path) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for file in directory.iterdir():
            archive.add(file, f"musicbrainz-canonical-dump-20251101-080003/canonical/{file.name}")
    return packed.getvalue()


@pytest.mark.parametrize(
    ("suffix", "pack"),
    [(".tar", bytes), (".tar.zst", zstd.compress), (".tar.bz2", bz2.compress), (".tar.gz", gzip.compress)],
)
def test_a_packed_dump_is_read(tmp_path: Path, suffix: str, pack: Callable[[bytes], bytes]) -> None:
    packed = tmp_path / f"musicbrainz-canonical-dump{suffix}"
    packed.write_bytes(pack(tar(write(tmp_path / "dump", ROWS))))
    built = build.build(packed, tmp_path / "names.sqlite", BUILT)
    assert (built.recordings, built.credits, built.release_groups) == (400, 40, 400)
    assert found(tmp_path / "names.sqlite") == 400


@pytest.mark.parametrize(("suffix", "pack"), [(".zst", zstd.compress), (".gz", gzip.compress)])
def test_single_files_may_be_packed_and_redirects_lie_beside(
    tmp_path: Path, suffix: str, pack: Callable[[bytes], bytes]
) -> None:
    directory = write(tmp_path / "dump", ROWS)
    for file in list(directory.iterdir()):
        directory.joinpath(file.name + suffix).write_bytes(pack(file.read_bytes()))
        file.unlink()
    build.build(directory / (dump.RECORDINGS + suffix), tmp_path / "names.sqlite", BUILT)
    assert found(tmp_path / "names.sqlite") == 400


def test_columns_are_found_by_their_names(tmp_path: Path) -> None:
    path = write(tmp_path / "dump", []) / dump.RECORDINGS
    turned = [list(reversed(HEADER)), *(list(reversed(row.written)) for row in ROWS)]
    path.write_text("".join(",".join(f'"{each}"' for each in row) + "\n" for row in turned), "utf-8")
    assert build.build(path, tmp_path / "names.sqlite", BUILT).recordings == 400


def test_nothing_is_left_beside_the_catalogue(tmp_path: Path) -> None:
    build.build(write(tmp_path / "dump", ROWS), tmp_path / "out" / "names.sqlite", BUILT)
    assert [file.name for file in (tmp_path / "out").iterdir()] == ["names.sqlite"]


# ---------------------------------------------------------------- what is wrong


def test_a_broken_row_is_left_out_and_told_with_its_line_and_column(tmp_path: Path) -> None:
    path = write(tmp_path / "dump", ROWS) / dump.RECORDINGS
    lines = path.read_bytes().splitlines()
    lines[3] = lines[3].replace(ROWS[2].own_recording.encode(), b"no-mbid")
    lines[5] = lines[5].rpartition(b",")[0] + b",many"
    lines[7] = b"1,2,3"
    lines[9] = lines[9].replace(b"Song 8", b"Song \xff")
    lines[11] = lines[11].replace(b"Artist 10", b" ")
    path.write_bytes(b"\n".join(lines) + b"\n")
    built = build.build(path.parent, tmp_path / "names.sqlite", BUILT)
    assert (built.recordings, built.broken) == (395, 5)
    assert sorted((each.line, each.column) for each in built.told) == [
        (4, "recording_mbid"),
        (6, "score"),
        (8, "4"),
        (10, "recording_name"),
        (12, "artist_credit_name"),
    ]
    assert all(str(each).startswith(f"{path}, line {each.line}, column {each.column}: ") for each in built.told)


def test_a_file_with_too_many_broken_rows_is_refused_and_the_old_catalogue_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "names.sqlite"
    build.build(write(tmp_path / "dump", ROWS), target, BUILT)
    monkeypatch.setattr(staging, "MOST_BROKEN", 3)
    bad = write(tmp_path / "bad", ROWS) / dump.RECORDINGS
    bad.write_text(bad.read_text("utf-8").replace("-", ""), "utf-8")
    bad.write_text(bad.read_text("utf-8").replace(",Song", ",,Song"), "utf-8")
    with pytest.raises(
        errors.Unusable, match=r"more than one row in a hundred is broken; the last: .*line \d+, column"
    ):
        build.build(bad.parent, target, BUILT)
    assert found(target) == 400


def test_a_missing_column_is_named(tmp_path: Path) -> None:
    path = write(tmp_path / "dump", ROWS) / dump.RECORDINGS
    path.write_text(path.read_text("utf-8").replace("release_name", "album", 1), "utf-8")
    with pytest.raises(
        errors.Unusable, match=r"canonical_musicbrainz_data.csv, line 1: there is no column release_name"
    ):
        build.build(path.parent, tmp_path / "names.sqlite", BUILT)


def test_a_quotation_mark_that_never_ends_is_told_with_its_line(tmp_path: Path) -> None:
    path = write(tmp_path / "dump", ROWS) / dump.RECORDINGS
    path.write_text(path.read_text("utf-8") + '1,2,"never', "utf-8")
    with pytest.raises(errors.Unusable, match=r"line 402: unexpected end of data"):
        build.build(path.parent, tmp_path / "names.sqlite", BUILT)


@pytest.mark.parametrize("cut", [0.3, 0.9])
def test_an_archive_that_was_cut_short_is_refused(tmp_path: Path, cut: float) -> None:
    packed = zstd.compress(tar(write(tmp_path / "dump", ROWS)))
    path = tmp_path / "dump.tar.zst"
    path.write_bytes(packed[: int(len(packed) * cut)])
    with pytest.raises(errors.Unusable, match=r"dump\.tar\.zst"):
        build.build(path, tmp_path / "names.sqlite", BUILT)
    assert not (tmp_path / "names.sqlite").exists()


@pytest.mark.parametrize("given", ["nothing.csv", "nothing.tar.zst", "."])
def test_what_is_not_there_is_told(tmp_path: Path, given: str) -> None:
    with pytest.raises(errors.Unusable):
        build.build(tmp_path / given, tmp_path / "names.sqlite", BUILT)


def test_an_archive_without_recordings_is_refused(tmp_path: Path) -> None:
    directory = write(tmp_path / "dump", ROWS)
    (directory / dump.RECORDINGS).unlink()
    (tmp_path / "dump.tar").write_bytes(tar(directory))
    with pytest.raises(errors.Unusable, match=f"there is no {dump.RECORDINGS} in it"):
        build.build(tmp_path / "dump.tar", tmp_path / "names.sqlite", BUILT)


def test_a_dump_of_nothing_builds_nothing(tmp_path: Path) -> None:
    with pytest.raises(errors.Unusable, match="no recordings"):
        build.build(write(tmp_path / "dump", []), tmp_path / "names.sqlite", BUILT)


# ---------------------------------------------------------------- interrupted


class Killed(BaseException):
    """What ends a building from outside: nothing of ours catches it."""


def interrupted(given: Path, target: Path, doing: str, times: int) -> None:
    """Build until `doing` has been told so many times, then be killed."""
    heard: list[str] = []

    def tell(what: str, _done: int, _total: int) -> None:
        heard.append(what)
        if heard.count(doing) == times:
            raise Killed

    with pytest.raises(Killed):
        build.build(given, target, BUILT, tell)


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(staging, "BATCH", 60)


@pytest.mark.usefixtures("small_batches")
@pytest.mark.parametrize("packing", ["", ".tar.zst"])
@pytest.mark.parametrize(
    ("doing", "times"), [("Reading recordings", 3), ("Reading release groups", 2), ("Sorting", 20), ("Finishing", 1)]
)
def test_an_interrupted_building_goes_on_where_it_was(tmp_path: Path, packing: str, doing: str, times: int) -> None:
    given, target = write(tmp_path / "dump", ROWS), tmp_path / "names.sqlite"
    if packing:
        given = tmp_path / f"dump{packing}"
        given.write_bytes(zstd.compress(tar(tmp_path / "dump")))
    interrupted(given, target, doing, times)
    assert not target.exists()
    told: list[tuple[str, int]] = []
    built = build.build(given, target, BUILT, lambda what, done, _total: told.append((what, done)))
    assert built.resumed
    assert built.recordings == 400
    assert found(target) == 400
    read_again = sum(what == "Reading recordings" for what, _ in told)
    assert read_again == (7 - 3 if doing == "Reading recordings" else 0)
    if doing == "Sorting":
        assert min(done for what, done in told if what == "Sorting") == 19


@pytest.mark.usefixtures("small_batches")
def test_a_dump_that_has_changed_meanwhile_is_read_anew(tmp_path: Path) -> None:
    target = tmp_path / "names.sqlite"
    interrupted(write(tmp_path / "dump", ROWS), target, "Reading recordings", 3)
    built = build.build(write(tmp_path / "dump", ROWS[:100]), target, BUILT)
    assert (built.resumed, built.recordings) == (False, 100)


@pytest.mark.usefixtures("small_batches")
def test_keys_that_have_changed_meanwhile_are_made_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "names.sqlite"
    interrupted(write(tmp_path / "dump", ROWS), target, "Sorting", 5)
    monkeypatch.setattr(names, "KEY_VERSION", 2)
    assert not build.build(tmp_path / "dump", target, BUILT).resumed
    assert found(target) == 400


@pytest.mark.usefixtures("small_batches")
def test_what_was_broken_before_an_interruption_still_counts(tmp_path: Path) -> None:
    path, target = write(tmp_path / "dump", ROWS) / dump.RECORDINGS, tmp_path / "names.sqlite"
    path.write_text(path.read_text("utf-8").replace(mbid("recording", "Artist 1", "", "Song 1"), "none"), "utf-8")
    interrupted(path.parent, target, "Sorting", 1)
    assert build.build(path.parent, target, BUILT).broken == 1
