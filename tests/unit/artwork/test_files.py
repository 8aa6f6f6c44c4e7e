from __future__ import annotations

import hashlib
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from sleevenotes.artwork.files import Files, is_digest


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path)


def everything(files: Files) -> list[Path]:
    return sorted(path for path in files.root.rglob("*") if path.is_file())


def age(path: Path, seconds: float) -> None:
    dated = path.stat().st_mtime - seconds
    os.utime(path, (dated, dated))


def test_an_original_is_kept_under_the_sha256_of_its_bytes(files: Files) -> None:
    digest = files.keep(b"cover")
    assert digest == hashlib.sha256(b"cover").hexdigest()
    assert files.original(digest) == b"cover"
    assert everything(files) == [files.root / digest[:2] / digest]


def test_keeping_the_same_bytes_again_changes_nothing_but_their_age(files: Files) -> None:
    digest = files.keep(b"cover")
    path = files.original_path(digest)
    age(path, 5000)
    before = path.stat()
    assert files.keep(b"cover") == digest
    assert path.stat().st_ino == before.st_ino
    assert path.stat().st_mtime > before.st_mtime + 4000


def test_a_file_that_a_dying_disk_cut_short_is_written_again(files: Files) -> None:
    digest = files.keep(b"cover")
    files.original_path(digest).write_bytes(b"cov")
    files.keep(b"cover")
    assert files.original(digest) == b"cover"


def test_what_is_not_stored_is_none(files: Files) -> None:
    assert files.original("0" * 64) is None
    assert files.thumbnail("0" * 64, 64) is None


def test_thumbnails_lie_beside_their_original(files: Files) -> None:
    digest = files.keep(b"cover")
    files.keep_thumbnails(digest, {64: b"small", 500: b"large"})
    assert files.thumbnail(digest, 64) == b"small"
    assert files.thumbnail(digest, 500) == b"large"
    assert files.thumbnail(digest, 250) is None
    assert files.thumbnail_path(digest, 64).parent == files.original_path(digest).parent


@pytest.mark.parametrize("text", ["", "../../etc/passwd", "0" * 63, "0" * 65, "A" * 64, "0" * 64 + "\n", "g" * 64])
def test_what_is_no_digest_names_no_file(files: Files, text: str) -> None:
    assert not is_digest(text)
    with pytest.raises(ValueError, match="sha256"):
        files.original(text)
    with pytest.raises(ValueError, match="sha256"):
        files.thumbnail_path(text, 64)


def test_many_writers_of_one_image_leave_one_whole_file(files: Files) -> None:
    data = os.urandom(500_000)
    with ThreadPoolExecutor(8) as pool:
        digests = set(pool.map(files.keep, [data] * 32))
    assert len(digests) == 1
    assert files.original(digests.pop()) == data
    assert len(everything(files)) == 1


def test_a_write_that_fails_leaves_nothing_behind(files: Files) -> None:
    digest = hashlib.sha256(b"cover").hexdigest()
    files.original_path(digest).mkdir(parents=True)  # the place is taken: the rename fails
    with pytest.raises(OSError, match=digest):
        files.keep(b"cover")
    assert everything(files) == []


def test_a_sweep_takes_old_orphans_and_leaves_the_known_and_the_young(files: Files) -> None:
    known, orphan, young = files.keep(b"known"), files.keep(b"orphan"), files.keep(b"young")
    for digest in (known, orphan):
        files.keep_thumbnails(digest, {64: b"t"})
        age(files.original_path(digest), 7200)
        age(files.thumbnail_path(digest, 64), 7200)
    leftover = files.root / known[:2] / ".new-crashed"
    leftover.write_bytes(b"half")
    age(leftover, 7200)
    assert files.sweep({known}, 3600) == 3
    assert everything(files) == sorted(
        [files.original_path(known), files.thumbnail_path(known, 64), files.original_path(young)]
    )


def test_a_sweep_leaves_files_that_are_not_ours(files: Files) -> None:
    note = files.root / "aa" / "README"
    note.parent.mkdir(parents=True)
    note.write_text("mine")
    age(note, 7200)
    assert files.sweep(set(), 3600) == 0
    assert note.exists()


def test_a_sweep_before_the_first_image_finds_nothing(files: Files) -> None:
    assert files.sweep(set(), 3600) == 0


def test_one_image_is_dropped_with_its_thumbnails_and_no_other(files: Files) -> None:
    gone, kept = files.keep(b"gone"), files.keep(b"kept")
    for digest in (gone, kept):
        files.keep_thumbnails(digest, {64: b"t", 500: b"t"})
        for path in (files.original_path(digest), files.thumbnail_path(digest, 64), files.thumbnail_path(digest, 500)):
            age(path, 120)
    assert files.drop(gone, 60) == 3
    assert (files.original(gone), files.thumbnail(gone, 64)) == (None, None)
    assert files.original(kept) == b"kept"
    assert files.drop(gone, 60) == 0
    assert files.drop("0" * 64, 60) == 0


def test_what_has_just_come_again_is_not_dropped(files: Files) -> None:
    digest = files.keep(b"cover")
    assert files.drop(digest, 60) == 0
    assert files.original(digest) == b"cover"
