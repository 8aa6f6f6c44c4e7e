"""Image files, named by the sha256 of the original bytes, shared by every process of an installation.

    DATA/images/3f/3fa9…e1           the original, as it came; never served
    DATA/images/3f/3fa9…e1-250.webp  a thumbnail of ours

A file is written beside its place under a temporary name, flushed to disk and renamed: whoever sees it sees
all of it. Two processes that write the same image write the same bytes, so the later rename changes nothing.
All methods block on the disk: call them by `asyncio.to_thread`.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import tempfile
from collections.abc import Iterator, Mapping, Set
from pathlib import Path

_DIGEST = re.compile(r"[0-9a-f]{64}")
_OURS = re.compile(r"([0-9a-f]{64})(?:-[0-9]+\.webp)?")
_TEMPORARY = ".new-"


def is_digest(text: str) -> bool:
    """Tell whether this can name an image: 64 lower-case hex digits."""
    return _DIGEST.fullmatch(text) is not None


class Files:
    """The images of one installation, in the directory `images` of its data directory."""

    def __init__(self, data_path: Path) -> None:
        self.root = data_path / "images"

    def keep(self, data: bytes) -> str:
        """Store original bytes and return their digest; bytes that are there already count as fresh again."""
        digest = hashlib.sha256(data).hexdigest()
        path = self.original_path(digest)
        with contextlib.suppress(FileNotFoundError):
            if path.stat().st_size == len(data):
                os.utime(path)  # a sweep under way must not take it for an old orphan
                return digest
        _write(path, data)
        _flush_directory(path.parent)
        return digest

    def keep_thumbnails(self, digest: str, thumbnails: Mapping[int, bytes]) -> None:
        """Store thumbnails (WebP bytes by size) of a stored original."""
        for size, data in thumbnails.items():
            _write(self.thumbnail_path(digest, size), data)
        _flush_directory(self._place(digest))

    def original(self, digest: str) -> bytes | None:
        """Return the original bytes; None where they are not stored."""
        return _read(self.original_path(digest))

    def thumbnail(self, digest: str, size: int) -> bytes | None:
        """Return a thumbnail's WebP bytes; None where it is not stored."""
        return _read(self.thumbnail_path(digest, size))

    def original_path(self, digest: str) -> Path:
        """Return where this original is or would be. Raises ValueError for what is no digest."""
        return self._place(digest) / digest

    def thumbnail_path(self, digest: str, size: int) -> Path:
        """Return where this thumbnail is or would be. Raises ValueError for what is no digest."""
        return self._place(digest) / f"{digest}-{size}.webp"

    def sweep(self, known: Set[str], older_than_s: float) -> int:
        """Delete files of images not in `known` and what crashed writers left; return how many files went.

        Only what is older than `older_than_s` seconds goes: an image is on disk before its row is committed.
        Age is told by the clock that dated the files, the file system's own, since machines may share the
        directory.
        """
        if not self.root.is_dir():
            return 0
        before = self._disk_time() - older_than_s
        return sum(_drop(path, before) for path in self._strangers(known))

    def drop(self, digest: str, older_than_s: float) -> int:
        """Delete one image's original and thumbnails; return how many files went.

        Those younger than `older_than_s` seconds, by the file system's clock, stay for the sweep: the same bytes
        may just have come again.
        """
        folder = self._place(digest)
        if not folder.is_dir():
            return 0
        before = self._disk_time() - older_than_s
        return sum(_drop(path, before) for path in (self.original_path(digest), *folder.glob(f"{digest}-*.webp")))

    def hand_over(self) -> None:
        """Give every image to whom the data directory belongs to, where root has written for somebody else."""
        if os.name == "nt" or os.geteuid() != 0 or not self.root.is_dir():
            return
        owner = self.root.parent.stat()
        for path in (self.root, *self.root.rglob("*")):
            os.chown(path, owner.st_uid, owner.st_gid, follow_symlinks=False)

    def _place(self, digest: str) -> Path:
        if not is_digest(digest):
            raise ValueError(f"{digest!r} is not the sha256 of an image in hex")
        return self.root / digest[:2]

    def _strangers(self, known: Set[str]) -> Iterator[Path]:
        for folder in self.root.iterdir():
            for path in folder.iterdir() if folder.is_dir() else ():
                named = _OURS.fullmatch(path.name)
                if path.name.startswith(_TEMPORARY) or (named and named[1] not in known):
                    yield path

    def _disk_time(self) -> float:
        with tempfile.NamedTemporaryFile(dir=self.root, prefix=_TEMPORARY) as file:
            return os.fstat(file.fileno()).st_mtime


def _write(path: Path, data: bytes) -> None:
    """Write a file that is there wholly or not at all; its directory has still to be flushed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=_TEMPORARY, delete=False) as file:
        try:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
            file.close()  # Windows renames no open file
            Path(file.name).replace(path)
        except BaseException:
            file.close()
            Path(file.name).unlink(missing_ok=True)
            raise


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


def _drop(path: Path, before: float) -> bool:
    try:
        if path.stat().st_mtime >= before:
            return False
        path.unlink()
    except FileNotFoundError:  # another process swept it
        return False
    return True


def _flush_directory(path: Path) -> None:
    """Make a rename in this directory outlive a power cut; Windows has no such call and needs none."""
    if os.name == "nt":
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
