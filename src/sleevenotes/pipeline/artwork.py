"""The artwork stage: from a matched album to its cover, or to a dated absence.

    known covers of the album -> decode, measure, thumbnail, store -> choose -> found
    a cover not asked for yet -> want its bytes, and end
    every address answered, none has one -> absent, to be looked for again after 1, 2, 4 … 32 days
    retries of real faults are spent -> failed, tried again sooner

Addresses are known without asking (the Cover Art Archive's follow from the MBIDs), so what is wanted are bytes: of
the matched edition's front first, then of the front shown for the album.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import msgspec
import structlog

from sleevenotes import errors, events, model
from sleevenotes.artwork import choose, image
from sleevenotes.pipeline import tools as pipeline_tools
from sleevenotes.pipeline.tools import Tools
from sleevenotes.sources import contract, coverartarchive
from sleevenotes.store import artworks, images, matches, replies, wants
from sleevenotes.store import events as store_events
from sleevenotes.store.postgres import Connection

SOURCE = coverartarchive.CoverArtArchive.name
UNDECODABLE_WAIT = 60.0
"""Seconds before an image that did not decode is fetched again."""

log = structlog.get_logger(__name__)


class Step(msgspec.Struct, frozen=True):
    """One address at which an album's cover may be: whose front it is, and the question for its bytes."""

    subject: str
    question: contract.FetchImage


async def run(tools: Tools, release_group_ids: Sequence[int], band: model.Band) -> None:
    """Bring each of these albums as far as what is known allows."""
    async with tools.database.transaction() as conn:
        await artworks.want_matched(conn, release_group_ids, tools.clock.now())
        rows = await artworks.load(conn, release_group_ids)
    for row in rows:
        if row.status == "pending":
            await _advance(tools, row, band)


async def give_up(tools: Tools, release_group_ids: Sequence[int], why: str) -> None:
    """Mark albums whose job cannot be run."""
    async with tools.database.transaction() as conn:
        for row in await artworks.load(conn, release_group_ids):
            await _fail(tools, conn, row, why)


def steps(row: artworks.Artwork) -> list[Step]:
    """List the addresses to try, in order; an MBID that is not known is left out."""
    found: list[Step] = []
    if row.release_mbid:
        found.append(Step("release", coverartarchive.front_of_release(row.release_mbid)))
    if row.release_group_mbid:
        found.append(Step("release_group", coverartarchive.front_of_release_group(row.release_group_mbid)))
    return found


async def _advance(tools: Tools, row: artworks.Artwork, band: model.Band) -> None:
    """Walk the steps until one is not answered yet, has an image, or none is left."""
    given_up = False
    todo = steps(row)
    while todo:
        step = todo.pop(0)
        key = contract.key(step.question)
        async with tools.database.connection() as conn:
            reply = (await replies.load(conn, [key])).get((SOURCE, key))
        if reply is None:
            await _want(tools, row, step, band)
            return
        answer = msgspec.convert(reply.answer, contract.Answer)
        if answer.candidates:
            await _decode(tools, row, step, answer.candidates[0], band)
            return
        given_up = given_up or reply.outcome is replies.Outcome.GIVEN_UP
        todo[:0] = [Step(step.subject, each) for each in answer.follow_ups if isinstance(each, contract.FetchImage)]
    async with tools.database.transaction() as conn:
        if given_up:
            await _fail(tools, conn, row, "The Cover Art Archive could not be reached; it is tried again later.")
        else:
            await _absent(tools, conn, row)


async def _want(tools: Tools, row: artworks.Artwork, step: Step, band: model.Band, delay: float = 0) -> None:
    new = wants.New(
        source=SOURCE,
        key=contract.key(step.question),
        kind=contract.kind(step.question),
        question=step.question,
        subject_id=row.release_group_id,
        plays=row.plays,
    )
    async with tools.database.transaction() as conn:
        await wants.want(conn, "artwork", [new], band, tools.clock.now(), delay=delay)


async def _decode(
    tools: Tools, row: artworks.Artwork, step: Step, candidate: contract.Candidate, band: model.Band
) -> None:
    """Turn fetched bytes into the album's cover; bytes that are no image were a fault, and are fetched again."""
    if not isinstance(candidate, contract.ImageFile):
        raise TypeError(f"a cover's bytes were asked for, {type(candidate).__name__} came")
    try:
        examined = await asyncio.to_thread(_examine, tools, candidate.digest)
    except errors.Garbled as error:
        await _again(tools, row, step, band, str(error))
        return
    await asyncio.to_thread(tools.files.keep_thumbnails, candidate.digest, examined.thumbnails)
    kept = examined.as_image(candidate.digest, source=SOURCE, source_url=candidate.url)
    best = choose.order(
        [choose.Candidate(candidate.digest, SOURCE, step.subject, kept.width, kept.height, candidate.url)]
    )
    async with tools.database.transaction() as conn:
        if best:
            now = tools.clock.now()
            image_id = await images.keep(conn, kept, now)
            await artworks.found(conn, row.release_group_id, image_id, choose.reason(best[0]), now)
            await _tell(tools, conn, [row.release_group_id])
        else:
            await _absent(tools, conn, row)


def _examine(tools: Tools, digest: str) -> image.Examined:
    """Read and decode stored bytes; busy, so off the event loop. Raises errors.Garbled."""
    data = tools.files.original(digest)
    if data is None:
        raise errors.Garbled("its file is gone")
    return image.examine(data)


async def _again(tools: Tools, row: artworks.Artwork, step: Step, band: model.Band, why: str) -> None:
    """Forget a reply that proved unusable and fetch it anew, three times; then it is a failure."""
    log.warning("artwork: an image is unusable", release_group=row.release_group_id, why=why)
    async with tools.database.transaction() as conn:
        await replies.forget_one(conn, SOURCE, contract.key(step.question))
        spent = await artworks.count_unusable(conn, row.release_group_id) >= 3
        if spent:
            await _fail(tools, conn, row, f"The image could not be used: {why}")
    if not spent:
        await _want(tools, row, step, band, delay=UNDECODABLE_WAIT)


async def _absent(tools: Tools, conn: Connection, row: artworks.Artwork) -> None:
    now = tools.clock.now()
    recheck_at = pipeline_tools.recheck_absence(row.tries, now)
    reason = "The Cover Art Archive has no front cover of it."
    await artworks.absent(conn, row.release_group_id, reason, recheck_at, now)
    await _tell(tools, conn, [row.release_group_id])


async def _fail(tools: Tools, conn: Connection, row: artworks.Artwork, why: str) -> None:
    now = tools.clock.now()
    recheck_at = pipeline_tools.recheck_fault(row.tries, now)
    await artworks.failed(conn, row.release_group_id, why, recheck_at, now)
    await _tell(tools, conn, [row.release_group_id])


async def _tell(tools: Tools, conn: Connection, release_group_ids: Sequence[int]) -> None:
    """Tell each account that has plays of these albums, and only of its own."""
    owners = await matches.accounts_of_release_groups(conn, release_group_ids)
    for account_id, ids in owners.items():
        await store_events.tell(conn, [account_id], events.ArtworkDecided(tuple(ids)), tools.clock.now())
