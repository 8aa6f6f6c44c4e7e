"""Uploaded files, kept while they are needed: DATA/uploads/<random name>, for every process of an installation."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Collection
from datetime import datetime, timedelta
from pathlib import Path

from sleevenotes.store import imports
from sleevenotes.store.postgres import Database

ORPHAN_S = 3600  # seconds without a further byte after which a file of no import is not coming in any more
OFFERED_FOR = timedelta(days=1)  # a file that was looked at and not begun is kept for so long


class Uploads:
    """The directory of uploads. All methods block on the disk."""

    def __init__(self, data_path: Path) -> None:
        self.root = data_path / "uploads"

    def new(self) -> str:
        """Return a name that no upload has; the directory is there afterwards."""
        self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
        return secrets.token_hex(16)

    def path(self, name: str) -> Path:
        """Return where the upload of this name lies."""
        return self.root / name

    def remove(self, name: str) -> None:
        """Delete an upload; one that is gone already, or "", is no mistake."""
        if name:
            self.path(name).unlink(missing_ok=True)

    def sweep(self, needed: Collection[str]) -> None:
        """Delete files that belong to no import and did not come in lately."""
        if not self.root.is_dir():
            return
        for path in self.root.iterdir():
            if path.name not in needed and time.time() - path.stat().st_mtime > ORPHAN_S:  # the disk has its own clock
                path.unlink(missing_ok=True)


async def tidy(database: Database, uploads: Uploads, now: datetime) -> None:
    """Drop what was uploaded and never begun, and files whose import is gone, with its account or by itself."""
    async with database.connection() as conn:
        gone = await imports.forgotten(conn, now - OFFERED_FOR)
        needed = await imports.uploads(conn)
    for name in gone:
        await asyncio.to_thread(uploads.remove, name)
    await asyncio.to_thread(uploads.sweep, needed)
