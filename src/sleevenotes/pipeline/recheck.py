"""Looking again: absences after 1, 2, 4 … 32 days and faults sooner, in a drip at the lowest priority; and tidying.

One round a minute takes a few of what is due, so that a million due rows never crowd out one live play; and no more
while many of the rounds before are under way.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta

import structlog

from sleevenotes import model
from sleevenotes.pipeline import backfill, better, comparing, learning, uploads
from sleevenotes.pipeline.tools import Tools
from sleevenotes.store import (
    accounts,
    artwork_candidates,
    artworks,
    deletions,
    estimates,
    evidence_rechecks,
    farewells,
    gaps,
    images,
    invitations,
    jobs,
    larger,
    lookups,
    matches,
    portraits,
    postgres,
    predictions,
    predictors,
    replies,
    searches,
    sent_images,
    traces,
)
from sleevenotes.store import events as store_events
from sleevenotes.store.postgres import Connection

ROUND = 60.0
"""Seconds between rounds."""

DRIP = 20
"""Names, albums, artists … taken up again in one round: 1,200 an hour of each kind."""

UNDER_WAY = 200
"""Names, and albums, that are looked for again at one time; what is slower than the drip is not piled up."""

TIDY_EVERY = 60
"""Rounds between two tidyings."""

KEEP_TRACES = timedelta(days=180)
KEEP_SEARCHES = timedelta(hours=6)
"""What a search found is kept as long as the strictest source, Discogs, lets it be shown."""

KEEP_UPLOADS = timedelta(days=1)
"""An uploaded picture that nothing points at is kept this long: what points at it is about to be stored."""

KEEP_JOB_LOG = timedelta(days=1)
ORPHAN_AGE = 24 * 3600.0
"""Seconds for which a file may lie without a row: fetched, and its stage not yet run."""

FRESH = 60.0
"""Seconds for which the file of a purged image may lie: its bytes may just have come again, and wait for their row."""

log = structlog.get_logger(__name__)


async def run(tools: Tools) -> None:
    """Go round for ever."""
    rounds = 0
    while True:
        try:
            if rounds == 0:
                await _date_small_covers(tools)
            await purge_stop_gaps(tools)
            await one_round(tools)
            await backfill.one_round(tools)
            await settle_estimates(tools)
            if rounds % TIDY_EVERY == 0:
                await tidy(tools)
        except Exception as error:
            if not postgres.is_passing(error):
                raise
            log.warning("recheck: the database is away", error=repr(error))
        rounds += 1
        await tools.clock.sleep(ROUND)


async def one_round(tools: Tools) -> None:
    """Take up a few of each kind that are due, forgetting only what was absent or given up."""
    now = tools.clock.now()
    async with tools.database.transaction() as conn:
        room = UNDER_WAY - await lookups.under_way(conn, UNDER_WAY)
        ids = await lookups.reopen_due(conn, now, min(DRIP, room))
        await _take_up(conn, "match", ids)
    async with tools.database.transaction() as conn:
        room = UNDER_WAY - await artworks.under_way(conn, UNDER_WAY)
        ids = await artworks.reopen_due(conn, now, min(DRIP, room))
        await _forget_covers(conn, ids)
        await jobs.enqueue(conn, "artwork", ids, model.Band.LOW_PRIORITY)
    async with tools.database.transaction() as conn:
        ids = await portraits.reopen_due(conn, now, DRIP)
        await replies.forget(conn, "portrait", ids, only_unfound=False)  # who knew the artist had no picture
        await jobs.enqueue(conn, "portrait", ids, model.Band.LOW_PRIORITY)
    async with tools.database.transaction() as conn:
        await _take_up(conn, "sent_images", await sent_images.reopen_due(conn, now, DRIP))
    async with tools.database.transaction() as conn:
        await _take_up(conn, "evidence", await evidence_rechecks.take_due(conn, now, DRIP))
    async with tools.database.transaction() as conn:
        await better.begin(tools, conn, await larger.take_due(conn, now, DRIP))


async def _take_up(conn: Connection, stage: str, ids: Sequence[int]) -> None:
    await replies.forget(conn, stage, ids, only_unfound=True)
    await jobs.enqueue(conn, stage, ids, model.Band.LOW_PRIORITY)


async def _date_small_covers(tools: Tools) -> None:
    """Have covers looked for again that were large enough until the setting grew, or that came before there was one."""
    async with tools.database.transaction() as conn:
        await larger.date(conn, None, tools.wanted_image_px, tools.clock.now())


async def look_again(conn: Connection, release_group_id: int, now: datetime) -> bool:
    """Look anew, before anything else, for the cover of an album that has none; tell whether that begins now."""
    if not await gaps.reopen(conn, release_group_id, now):
        return False
    await _forget_covers(conn, [release_group_id])
    await jobs.enqueue(conn, "artwork", [release_group_id], model.Band.CRITICAL)
    return True


async def _forget_covers(conn: Connection, release_group_ids: Sequence[int]) -> None:
    """Forget what was not found of these albums' covers, also when it was asked by the names that were played."""
    await replies.forget(conn, "artwork", release_group_ids, only_unfound=True)
    played = await matches.lookups_of_release_groups(conn, release_group_ids)
    await replies.forget(conn, "preview", played, only_unfound=True)


async def purge_stop_gaps(tools: Tools) -> None:
    """Drop what its source's terms forbid to keep any longer; albums left bare are looked for again."""
    now = tools.clock.now()
    for source in tools.sources:
        if source.policy.keep_s is not None:
            before = now - timedelta(seconds=source.policy.keep_s)
            async with tools.database.connection() as conn:
                await replies.purge(conn, source.name, before)
                await artwork_candidates.purge(conn, source.name, before)
    async with tools.database.connection() as conn:
        await searches.purge(conn, now - KEEP_SEARCHES)
    async with tools.database.transaction() as conn:
        purged = await images.purge(conn, now)
        await _forget_covers(conn, purged.release_group_ids)
        await jobs.enqueue(conn, "artwork", purged.release_group_ids, model.Band.LOW_PRIORITY)
    for digest in purged.digests:
        await asyncio.to_thread(tools.files.drop, digest, FRESH)


async def settle_estimates(tools: Tools) -> None:
    """Hold estimates of what is done by now against how long it took, also where nobody has asked again since."""
    async with tools.database.connection() as conn:
        await estimates.settle(conn)


async def tidy(tools: Tools) -> None:
    """Drop what nobody reads any more: old events, traces, sessions, job logs, and files without a row."""
    now = tools.clock.now()
    async with tools.database.connection() as conn:
        await store_events.purge(conn, now)
        await traces.purge(conn, now - KEEP_TRACES)
        await predictions.purge(conn, now - KEEP_TRACES)
        await predictors.purge(conn, now - KEEP_TRACES)
        await learning.begin(conn, now)
        await estimates.purge(conn, now)
        await accounts.purge_sessions(conn, now)
        await deletions.purge(conn, now)
        await invitations.purge(conn, now)
        await jobs.enqueue(conn, "farewell", await farewells.leaving(conn), model.Band.LOW_PRIORITY)
        await comparing.take_up(conn, now)
        await jobs.purge(conn, now - KEEP_JOB_LOG)
        await images.drop_uploads(conn, now - KEEP_UPLOADS)  # their files go with the sweep
        known = await images.digests(conn)
    await asyncio.to_thread(tools.files.sweep, known, ORPHAN_AGE)
    await uploads.tidy(tools.database, uploads.Uploads(tools.files.root.parent), now)
