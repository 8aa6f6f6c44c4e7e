"""An account into which tests import."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import pytest_asyncio

from sleevenotes.artwork.files import Files
from sleevenotes.clock import HandClock
from sleevenotes.importers import contract
from sleevenotes.pipeline import importing
from sleevenotes.pipeline.importing import Importing
from sleevenotes.pipeline.submit import Submitter
from sleevenotes.pipeline.uploads import Uploads
from sleevenotes.store import accounts, imports, played
from sleevenotes.store.postgres import Database

BAND = importing.BAND
START = 1_559_570_092


def rows(count: int, first: int = 0) -> str:
    return "ts,artist,track\n" + "".join(f"{START + at * 60},Artist,Track {at}\n" for at in range(first, first + count))


class House(NamedTuple):
    """An account, and what imports into it."""

    database: Database
    clock: HandClock
    uploads: Uploads
    account_id: int
    files: Files

    def stage(self) -> Importing:
        """Return a stage as a process of its own has it."""
        submitter = Submitter(self.database, self.clock)
        return Importing(self.database, self.clock, submitter, self.uploads, self.files)

    async def offered(self, data: str | bytes, name: str = "history.csv", **options: object) -> int:
        """Upload a file and begin its import; return its id."""
        upload = self.uploads.new()
        self.uploads.path(upload).write_bytes(data.encode() if isinstance(data, str) else data)
        now, chosen = self.clock.now(), contract.Options(**options)  # type: ignore[arg-type]
        async with self.database.connection() as conn:
            number = await imports.offer(
                conn, self.account_id, file_name=name, upload=upload, size=len(data), importer="table", now=now
            )
            assert await imports.begin(conn, self.account_id, number, importing.kept(chosen), "table", now)
        return number

    async def told(self, number: int) -> imports.Import:
        async with self.database.connection() as conn:
            return await imports.by_id(conn, number)

    async def finish(self, number: int, stage: Importing | None = None) -> imports.Import:
        """Run pieces until the import comes to its end."""
        stage = stage or self.stage()
        for _ in range(50):
            await stage.run([number], BAND)
            told = await self.told(number)
            if told.status not in (imports.RUNNING, imports.UNDOING):
                return told
        raise AssertionError("it never ends")

    async def plays(self) -> int:
        async with self.database.connection() as conn:
            return await played.count(conn, self.account_id)


@pytest_asyncio.fixture
async def house(database: Database, clock: HandClock, tmp_path: Path) -> House:
    async with database.connection() as conn:
        account = await accounts.create(conn, "maria", "", is_owner=True, now=clock.now())
    return House(database, clock, Uploads(tmp_path), account.id, Files(tmp_path))
