"""Where catalogue and covers are looked for again and again: what has replaced them is taken up at once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final, Generic, TypeVar

from sleevenotes import errors
from sleevenotes.catalogue import covers, reading

NAMES: Final = "names.sqlite"
"""What the catalogue's file is called in its directory."""

COVERS: Final = "covers.sqlite"
"""What the index of covers is called there."""

Opened = TypeVar("Opened")
Complain = Callable[[str], object]


class Shelf:
    """The files of one directory; `None` is an empty shelf. What cannot be used is told once, and counts as none."""

    def __init__(self, directory: Path | None, complain: Complain = lambda _: None) -> None:
        self._names = _Place(directory and directory / NAMES, reading.open, complain)
        self._covers = _Place(directory and directory / COVERS, covers.open, complain)

    def current(self) -> reading.Catalogue | None:
        """Return the catalogue that is there now; None where there is none."""
        return self._names.look()

    def covers(self) -> covers.Covers | None:
        """Return the index of covers that is there now; None where there is none."""
        return self._covers.look()


class _Place(Generic[Opened]):
    """One file, opened anew when another has taken its place; the old one closes when its last user is done."""

    def __init__(self, path: Path | None, opening: Callable[[Path], Opened | None], complain: Complain) -> None:
        self._path = path
        self._opening = opening
        self._complain = complain
        self._seen: tuple[int, int] | None = None
        self._opened: Opened | None = None

    def look(self) -> Opened | None:
        seen = self._identity()
        if seen != self._seen:
            self._seen = seen
            self._opened = self._open()
        return self._opened

    def _open(self) -> Opened | None:
        if self._path is None:
            return None
        try:
            return self._opening(self._path)
        except errors.Unusable as error:
            self._complain(str(error))
            return None

    def _identity(self) -> tuple[int, int] | None:
        try:
            stat = self._path.stat() if self._path else None
        except OSError:
            return None
        return (stat.st_ino, stat.st_mtime_ns) if stat else None
