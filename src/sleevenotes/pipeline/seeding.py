"""Reading a public list of popular names: bad rows are named one by one, the rest is kept for the drip.

`pipeline.popular` makes them lookups, a few at a time. A list that has been read is not read again until it changes.
"""

from __future__ import annotations

import asyncio
import hashlib
from datetime import timedelta
from pathlib import Path

import msgspec
import structlog

from sleevenotes import errors
from sleevenotes.importers import contract, popular_list
from sleevenotes.pipeline.tools import Tools
from sleevenotes.store import popular, popular_seeds, postgres
from sleevenotes.store.popular_seeds import Seed
from sleevenotes.store.postgres import Database

MOST = 1_000_000
"""Names of one list that are taken: at 300 an hour, that is months of work."""

AGAIN = timedelta(days=1)
"""How often the file of the setting is looked at."""

log = structlog.get_logger(__name__)


class Told(msgspec.Struct, frozen=True):
    """What became of a list: `read` so many names, `new` so many of them; `skipped` rows by place and reason.

    `cut` says that the list has more names than are taken.
    """

    read: int
    new: int
    skipped: tuple[contract.Skipped, ...]
    cut: bool = False


async def run(tools: Tools, path: Path) -> None:
    """Read the file of the setting whenever it has changed, for ever."""
    while True:
        try:
            told = await renew(tools.database, path)
        except errors.Refused as refused:
            log.warning("popular: the list is not read", why=str(refused))
        except Exception as error:
            if not postgres.is_passing(error):
                raise
            log.warning("popular: the database is away", error=repr(error))
        else:
            if told is not None:
                log.info("popular: a list is read", names=told.read, new=told.new, skipped=len(told.skipped))
                for each in told.skipped:
                    log.warning("popular: a row is left out", place=each.place, why=each.reason)
        await tools.clock.sleep(AGAIN.total_seconds())


async def renew(database: Database, path: Path) -> Told | None:
    """Read the list unless it was the last that was read; None where it was.

    Raises errors.Refused where it cannot be read.
    """
    digest = await asyncio.to_thread(_digest, path)
    async with database.transaction() as conn:
        drip = await popular.lock_drip(conn)
        if drip.seed == digest:
            return None
        seeds, skipped, cut = await asyncio.to_thread(_read, path)
        new = await popular_seeds.put(conn, seeds)
        await popular.set_drip(conn, msgspec.structs.replace(drip, seed=digest))
    return Told(len(seeds), new, tuple(skipped), cut)


def _read(path: Path) -> tuple[list[Seed], list[contract.Skipped], bool]:
    seeds: list[Seed] = []
    skipped: list[contract.Skipped] = []
    for each in popular_list.read(popular_list.opened(path)):
        if isinstance(each, contract.Skipped):
            skipped.append(each)
        elif len(seeds) == MOST:
            return seeds, skipped, True
        else:
            seeds.append(Seed(each.artist, each.track, each.release, each.plays))
    return seeds, skipped, False


def _digest(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise errors.Refused(f"{path}: {error.strerror or error}") from None
