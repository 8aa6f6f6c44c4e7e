"""The reconsider stage: names were decided; which of their plays know more than that?

    a client's hint was answered first, and says the same  -> that play's own match is dropped
    a client told what the decision does not say           -> the evidence stage looks at that play
    a play came without an album, amid plays of one        -> the evidence stage looks at that play
    another service may have recorded it by another name   -> the same_play stage compares them

Its subject is a lookup. It is a stage, since what was played around a play is decided in other transactions: only
after both have committed does one see the other.
"""

from __future__ import annotations

from collections.abc import Sequence

from sleevenotes import model
from sleevenotes.matching import evidence, neighbours
from sleevenotes.pipeline import sameplay
from sleevenotes.pipeline.tools import Tools
from sleevenotes.store import evidence as store_evidence
from sleevenotes.store import jobs, matches
from sleevenotes.store import neighbours as store_neighbours
from sleevenotes.store.neighbours import Bare
from sleevenotes.store.postgres import Connection

MOST_PLAYS = 5_000
"""Of the names of one job, the newest plays that are looked at."""

WITHIN = neighbours.BREAK * neighbours.REACH


async def begin(conn: Connection, lookup_ids: Sequence[int], band: model.Band) -> None:
    """Have plays of these names, which were just decided, looked at where it may be worth it."""
    await jobs.enqueue(conn, "reconsider", await store_evidence.promising(conn, lookup_ids, WITHIN), band)
    await sameplay.begin(conn, lookup_ids, band)


async def run(tools: Tools, lookup_ids: Sequence[int], band: model.Band) -> None:
    """Name the plays of these lookups, and near them, that the evidence stage shall look at."""
    async with tools.database.transaction() as conn:
        await matches.drop_agreeing(conn, lookup_ids)
        own = await store_evidence.disagreeing(
            conn,
            lookup_ids,
            apart_ms=evidence.OTHER_LENGTH_MS,
            codes=band > model.Band.LOW_PRIORITY,
            limit=MOST_PLAYS,
        )
        bare = await store_neighbours.of_lookups(
            conn, lookup_ids, reach=neighbours.REACH, within=WITHIN, limit=MOST_PLAYS
        )
        await jobs.enqueue(conn, "evidence", sorted({*own, *amid(bare)}), band)


async def give_up(tools: Tools, lookup_ids: Sequence[int], why: str) -> None:
    """Leave the plays with the shared match."""


def amid(bare: Sequence[Bare]) -> dict[int, int]:
    """Return those plays that are amid another album than their own: scrobble -> release group."""
    found = {one.scrobble_id: neighbours.album_amid(one.neighbours, one.song, one.album) for one in bare}
    return {scrobble_id: album for scrobble_id, album in found.items() if album is not None}
