"""Covers looked for again while what is shown stays: larger ones, and those of a source that is new.

    a cover smaller than wanted       -> every source is asked anew (stage `larger`)
    a source is new                   -> that source alone is asked (stage `backfill_covers`)
    a source has not answered yet     -> end; its lane wakes us
    all have, and an album was bare,
      or showed but a stop-gap        -> choose among all that ever came, as the artwork stage does
    all have, and it showed a small   -> what is larger and as right takes its place (`artwork.choose.larger`);
                                         what is smaller, or as large, never does

An album that is `pending` is the artwork stage's, and left to it. The subject is a release group.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sleevenotes import errors, model
from sleevenotes.artwork import choose
from sleevenotes.pipeline import artwork, pictures, trails
from sleevenotes.pipeline import tools as pipeline_tools
from sleevenotes.pipeline.tools import Tools
from sleevenotes.pipeline.trails import End, Trail
from sleevenotes.sources import contract
from sleevenotes.store import artwork_candidates, artworks, backfills, jobs, larger, replies, wants
from sleevenotes.store.postgres import Connection

LARGER = "larger"
BACKFILL = "backfill_covers"
ARTWORK = "artwork"
"""Under which questions are remembered: explained, and forgotten for the next look, with the artwork stage's own."""


async def begin(tools: Tools, conn: Connection, release_group_ids: Sequence[int]) -> None:
    """Have larger covers of these albums looked for: every source is asked anew what it has."""
    stale: list[tuple[str, bytes]] = []
    for row in await artworks.load(conn, release_group_ids):
        able = artwork.in_order(tools, row)
        stale += [(source.name, contract.key(trails.search(row, source))) for source in able]
    await replies.forget_these(conn, stale)
    await replies.forget(conn, ARTWORK, release_group_ids, only_unfound=True)
    await jobs.enqueue(conn, LARGER, release_group_ids, model.Band.LOW_PRIORITY)


async def run_larger(tools: Tools, release_group_ids: Sequence[int], band: model.Band) -> None:
    """Bring the looks for larger covers of these albums as far as what is known allows."""
    await _run(tools, release_group_ids, LARGER, {source.name for source in tools.sources}, band)


async def run_backfill(tools: Tools, release_group_ids: Sequence[int], band: model.Band) -> None:
    """Take what sources that are new have of these albums."""
    async with tools.database.connection() as conn:
        new = await backfills.sources(conn, contract.tag(contract.FindImages), tools.clock.now())
    await _run(tools, release_group_ids, BACKFILL, new, band)


async def give_up(tools: Tools, release_group_ids: Sequence[int], why: str) -> None:
    """Leave what is shown; a small cover has its next date already."""


async def _run(
    tools: Tools, release_group_ids: Sequence[int], stage: str, asked: Collection[str], band: model.Band
) -> None:
    async with tools.database.connection() as conn:
        rows = await artworks.load(conn, release_group_ids)
    for row in rows:
        if row.status != "pending":
            await _advance(tools, row, stage, asked, band)


async def _advance(tools: Tools, row: artworks.Artwork, stage: str, asked: Collection[str], band: model.Band) -> None:
    ways, there = await _ways(tools, row, asked)
    fresh = [each for each in ways if each.offer is not None and each.offer.url not in there]
    for trail in fresh:
        if not await _kept(tools, row, trail):
            await _advance(tools, row, stage, asked, band)  # that image is out; its source may have another
            return
    if going := [trail.ask for trail in ways if trail.ask is not None]:
        await _want(tools, row, stage, going, band)
        return
    await _end(tools, row, stage, unreached=any(trail.end is End.UNREACHED for trail in ways))


async def _ways(tools: Tools, row: artworks.Artwork, asked: Collection[str]) -> tuple[list[Trail], set[str]]:
    """Return the way to the cover of each source that is asked, and the addresses whose images are here."""
    async with tools.database.connection() as conn:
        offers: trails.Offers = await artwork_candidates.load(conn, row.release_group_id)
        known = await replies.load(conn, [contract.key(each) for each in trails.first_questions(row, offers, tools)])
        if led := trails.next_questions(row, offers, tools, known):
            known |= await replies.load(conn, [contract.key(each) for each in led])
    able = [source for source in artwork.in_order(tools, row) if source.name in asked]
    ways = [trails.searched(row, source, offers, tools, known) for source in able]
    if trails.ARCHIVE in asked:
        ways.insert(0, trails.archive(row, offers, known))
    return ways, {each.url for each in offers if each.status == "fetched"}


async def _kept(tools: Tools, row: artworks.Artwork, trail: Trail) -> bool:
    """Store what a trail has led to as a candidate; where it does not decode, refuse it and say False."""
    if trail.offer is None or trail.file is None:
        raise ValueError(f"{trail.source}: fetched, and no file")
    try:
        picture = await pictures.read(tools, trail.file, trail.source, trail.offer.page)
    except errors.Garbled as error:
        await _refuse(tools, row, trail.offer, trail.file, str(error))
        return False
    await artwork.keep(tools, row, trail.offer, picture, trail.ids)
    return True


async def _refuse(
    tools: Tools, row: artworks.Artwork, offer: artwork_candidates.New, file: contract.ImageFile, why: str
) -> None:
    fetching = tools.fetching(file.url)
    async with tools.database.transaction() as conn:
        await artwork_candidates.put(conn, row.release_group_id, [offer])
        candidate_id, _ = await artwork_candidates.count_undecodable(
            conn, row.release_group_id, offer.source, offer.url
        )
        await artwork_candidates.refused(conn, candidate_id, f"It could not be used: {why}.")
        await replies.forget_one(
            conn, fetching.name if fetching else offer.source, contract.key(contract.FetchImage(file.url))
        )


async def _want(
    tools: Tools,
    row: artworks.Artwork,
    stage: str,
    going: Sequence[tuple[str, contract.Question]],
    band: model.Band,
) -> None:
    news = [
        wants.New(source, contract.key(each), contract.kind(each), each, row.release_group_id, max(1, row.plays))
        for source, each in going
    ]
    async with tools.database.transaction() as conn:
        await wants.inquired(conn, ARTWORK, [(row.release_group_id, new.key) for new in news])
        await wants.want(conn, stage, news, band, tools.clock.now())


async def _end(tools: Tools, row: artworks.Artwork, stage: str, *, unreached: bool) -> None:
    """Let what is better take the place of what is shown, or of nothing."""
    now = tools.clock.now()
    async with tools.database.transaction() as conn:
        candidates = await artwork_candidates.load(conn, row.release_group_id)
        standing = artwork.standing(tools, candidates)
        current = await larger.current(conn, row.release_group_id)
        if current is None or current.expires_at is not None:
            chosen = await _choose(tools, conn, row, standing, candidates)
        else:
            chosen = await _replace(tools, conn, row, current, standing, candidates)
        if chosen:
            await larger.date(conn, [row.release_group_id], tools.wanted_image_px, now)
            await artwork.tell(tools, conn, [row.release_group_id])
        if unreached and current is not None and stage == LARGER:
            again_at = pipeline_tools.recheck_fault(current.tries, now)
            await larger.postpone(conn, row.release_group_id, again_at)


async def _choose(
    tools: Tools,
    conn: Connection,
    row: artworks.Artwork,
    standing: Sequence[choose.Candidate],
    candidates: Sequence[artwork_candidates.Candidate],
) -> bool:
    """Choose for an album that is bare or shows a stop-gap; tell whether another image is shown now."""
    choice = choose.choose(standing, wanted=tools.wanted_image_px)
    best = next((each for each in candidates if choice.chosen and each.id == choice.chosen.id), None)
    if best is None or best.image_id is None or best.image_id == row.image_id:
        return False
    await artwork_candidates.explain(conn, {best.id: choice.reason} | {each.id: why for each, why in choice.others})
    return await artworks.found(
        conn, row.release_group_id, best.image_id, choice.reason, tools.clock.now(), expires_at=best.expires_at
    )


async def _replace(
    tools: Tools,
    conn: Connection,
    row: artworks.Artwork,
    current: larger.Current,
    standing: Sequence[choose.Candidate],
    candidates: Sequence[artwork_candidates.Candidate],
) -> bool:
    """Show a larger image that is as right; tell whether there is one."""
    shown = next((each for each in standing if each.digest == current.digest), None) or choose.Candidate(
        current.digest, current.source, "release_group", current.width, current.height, exact=False
    )
    found = choose.larger(shown, standing, tools.wanted_image_px)
    best = next((each for each in candidates if found is not None and each.id == found.id), None)
    if found is None or best is None or best.image_id is None:
        return False
    why = f"{choose.reason(found, standing)[:-1]}; the one shown before has only {shown.width} x {shown.height} pixels."
    await artwork_candidates.explain(conn, {best.id: why})
    return await larger.replace(conn, row.release_group_id, current.image_id, best.image_id, why, tools.clock.now())
