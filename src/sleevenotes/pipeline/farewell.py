"""The farewell stage: deletes closed accounts and all that hangs on them, a part at a time.

Its subject is an account that `store.farewells.begin` has closed. Interrupted, it goes on where it was.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime

import msgspec

from sleevenotes import model
from sleevenotes.artwork.files import Files
from sleevenotes.pipeline import agreeing
from sleevenotes.pipeline.tools import Tools
from sleevenotes.store import consensus, farewells, jobs
from sleevenotes.store.farewells import Belongings
from sleevenotes.store.postgres import Database

SOON = 20_000
"""With at most so many plays, an account is deleted while its listener waits: a second or two."""


async def run(tools: Tools, account_ids: Sequence[int], _band: model.Band) -> None:
    """Delete closed accounts."""
    for account_id in account_ids:
        await delete(tools.database, tools.files, account_id)


async def give_up(tools: Tools, account_ids: Sequence[int], why: str) -> None:
    """Leave them closed: nothing opens them, and `status` shows the job that is held."""


async def leave(database: Database, files: Files, account_id: int, now: datetime) -> tuple[Belongings, bool]:
    """Close an account and delete it, as a job where it has many plays; say what goes, and whether it is gone.

    Raises errors.Refused when it is the last owner, errors.Gone when it is not there.
    """
    async with database.transaction() as conn:
        counted = await farewells.belongings(conn, account_id)
        await farewells.begin(conn, account_id, now)
        await agreeing.hold(conn, await consensus.spoken_of(conn, account_id), now)  # it is not counted from now on
        if counted.plays > SOON:
            await jobs.enqueue(conn, "farewell", [account_id], model.Band.DEFAULT)
            return counted, False
    images = await delete(database, files, account_id)
    return msgspec.structs.replace(counted, images=images), True


async def delete(database: Database, files: Files, account_id: int) -> int:
    """Delete a closed account and return how many images went with it."""
    async with database.connection() as conn:
        images = await farewells.own_images(conn, account_id)
        addresses = await farewells.sent_addresses(conn, account_id)
        while await farewells.delete_some_plays(conn, account_id):
            pass
    async with database.transaction() as conn:
        said = await consensus.spoken_of(conn, account_id)
        await farewells.finish(conn, account_id)
        await consensus.derive(conn, said)
    async with database.transaction() as conn:
        images |= await farewells.forget_addresses(conn, addresses)
        gone = await farewells.drop_images(conn, sorted(images))
    for digest in gone:
        await asyncio.to_thread(files.drop, digest, 0.0)
    return len(gone)
