"""The artwork stage: from a matched album to its cover, or to a dated absence.

    nobody asked yet              -> want what the trails (trails.py) begin with, and end
    bytes came                    -> decode, measure, thumbnail, store as a candidate
    the archive's own front came  -> it is the cover: nothing goes before it
    somebody waits for the album  -> all likely sources at once; show the first right image meanwhile; choose among
                                     what came when all have answered, or four seconds after the play; sooner, where
                                     the archive has just failed and two others show the same picture
    nobody waits (an import)      -> one source after another, the next only on absence or fault
    no trail led to an image      -> absent, looked for again after 1, 2, 4 … 32 days; failed, sooner

The choice is `artwork.choose`'s, among what arrived and never by when.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import structlog

from sleevenotes import errors, events, model
from sleevenotes.artwork import choose
from sleevenotes.pipeline import asking, pictures, predicting, queues, sent_images, trails
from sleevenotes.pipeline import tools as pipeline_tools
from sleevenotes.pipeline.tools import Tools
from sleevenotes.pipeline.trails import End, Trail
from sleevenotes.prediction.order import Outlook
from sleevenotes.sources import contract
from sleevenotes.store import artwork_candidates, artworks, genres, images, larger, matches, replies, source_ids, wants
from sleevenotes.store import events as store_events
from sleevenotes.store.postgres import Connection

PATIENCE = 3.8
"""Seconds from a play until its cover is chosen among what came, where something came; five are the most allowed."""

QUEUE_S = 5.0
"""Seconds that a source's queue may be long for somebody who waits."""

LONG_AGO = timedelta(minutes=1)
"""An album looked for since then was an import's until somebody played it."""

UNDECODABLE_WAIT = 60.0
"""Seconds before an image that did not decode is fetched again."""

MOST_FETCHES = 3
"""Fetches of an image that does not decode, until it is left out of the choice."""

NONE = "No source has a front cover of it."
NONE_LIKELY = "No source that is likely to have one has a front cover of it."

log = structlog.get_logger(__name__)


async def run(tools: Tools, release_group_ids: Sequence[int], band: model.Band) -> None:
    """Bring each of these albums as far as what is known allows."""
    now = tools.clock.now()
    async with tools.database.transaction() as conn:
        await artworks.want_matched(conn, release_group_ids, now)
        if band > model.Band.LOW_PRIORITY:
            await artworks.wait_anew(conn, release_group_ids, now - LONG_AGO, now)
        rows = await artworks.load(conn, release_group_ids)
    for row in rows:
        if row.status == "pending":
            await _advance(tools, row, band)


async def give_up(tools: Tools, release_group_ids: Sequence[int], why: str) -> None:
    """Mark albums whose job cannot be run."""
    async with tools.database.transaction() as conn:
        for row in await artworks.load(conn, release_group_ids):
            await _fail(tools, conn, row, why)


async def _advance(tools: Tools, row: artworks.Artwork, band: model.Band) -> None:
    async with tools.database.connection() as conn:
        offers: trails.Offers = await artwork_candidates.load(conn, row.release_group_id)
        offers = trails.for_who_waits(offers) if _is_waited_for(row, band) else offers
        known = await replies.load(conn, [contract.key(each) for each in trails.first_questions(row, offers, tools)])
        if led := trails.next_questions(row, offers, tools, known):
            known |= await replies.load(conn, [contract.key(each) for each in led])
    await _note_refused(tools, row, offers, known)
    await _note_genres(tools, row, known)
    outlook = await _foresee(tools, row, known, band)
    asked = in_order(tools, row, outlook)
    decoded = {each.url: each for each in offers}
    front = trails.archive(row, offers, known) if _has_archive(tools) else Trail(trails.ARCHIVE, End.NOTHING)
    fronts = [front, *trails.other_fronts(row, offers, known)] if front.end is End.OPEN else [front]
    others = [trails.searched(row, source, offers, tools, known) for source in asked]
    waited_for = _is_waited_for(row, band) and front.end is not End.FETCHED
    # Asked before anything is decoded: the archive's way is the longest.
    going = await _ask_at_once(tools, row, fronts, others, band) if waited_for else []
    for trail in (front, *others):
        if trail.end is End.FETCHED and not await _decoded(tools, row, trail, decoded, band):
            return  # an image proved unusable: its trail is gone again from where it ended
    if front.end is End.FETCHED:
        await _finish(tools, row)
    elif waited_for and (going or _are_fetched(others)):
        await _choose_or_wait(tools, row, front, going, _are_fetched(others), band)
    else:
        await _one_by_one(tools, row, (front, *others), band)


def _has_archive(tools: Tools) -> bool:
    return any(source.name == trails.ARCHIVE for source in tools.sources)


async def _note_refused(tools: Tools, row: artworks.Artwork, offers: trails.Offers, known: trails.Known) -> None:
    news = [each for source in in_order(tools, row) for each in trails.refused(row, source, offers, known)]
    if news:
        async with tools.database.transaction() as conn:
            await artwork_candidates.put(conn, row.release_group_id, news)


async def _note_genres(tools: Tools, row: artworks.Artwork, known: trails.Known) -> None:
    """Keep the genres that came along with the covers."""
    if told := trails.genres(row, tools, known):
        async with tools.database.transaction() as conn:
            for source, names in sorted(told.items()):
                await genres.tell(conn, "release_group", row.release_group_id, source, names)


def _usable(tools: Tools, row: artworks.Artwork) -> list[contract.Source]:
    able = tools.answering(contract.FindImages)
    return [source for source in able if row.release_group_mbid or not source.policy.only_by_mbid]


def in_order(tools: Tools, row: artworks.Artwork, outlook: Outlook | None = None) -> list[contract.Source]:
    """List who is asked for covers of this album, one after another where nobody waits."""
    return asking.for_covers(_usable(tools, row), outlook)


async def _foresee(tools: Tools, row: artworks.Artwork, known: trails.Known, band: model.Band) -> Outlook | None:
    """Judge the answers that are here, and say what is foreseen of those that are not; keep what is chosen by it."""
    asked: dict[str, contract.Question] = {each.name: trails.search(row, each) for each in _usable(tools, row)}
    opened = predicting.open_question((row.artist, "", row.title), row.plays, row.tries, asked, known)
    async with tools.database.transaction() as conn:
        [outlook] = await predicting.outlooks(tools, conn, [opened], lambda _, reply: trails.serves(row, reply), band)
        if outlook is not None:
            await predicting.note(tools, conn, "artwork", row.release_group_id, outlook, asked)
    return outlook


def _is_waited_for(row: artworks.Artwork, band: model.Band) -> bool:
    return band > model.Band.LOW_PRIORITY and row.tries == 0


async def _ask_at_once(
    tools: Tools, row: artworks.Artwork, fronts: Sequence[Trail], others: Sequence[Trail], band: model.Band
) -> list[Trail]:
    """Ask everybody whose queue is short, unless it is time to choose; return the trails that may lead on."""
    if _are_fetched(others) and tools.clock.now() >= _deadline(row):
        return []
    asked = [trail.ask[0] for trail in others if trail.ask is not None]
    async with tools.database.connection() as conn:
        quick = await queues.quick(tools, conn, asked, band, QUEUE_S)
    going = [trail for trail in fronts if trail.end is End.OPEN]
    going += [trail for trail in others if trail.ask is not None and trail.ask[0] in quick]
    await _want(tools, row, going, band)
    return going


async def _choose_or_wait(
    tools: Tools, row: artworks.Artwork, front: Trail, going: Sequence[Trail], fetched: bool, band: model.Band
) -> None:
    """Choose when all have answered or the patience is over.

    The archive's own cover, had it come, would be the one: where it was not waited for, it is asked again soon.
    """
    if fetched and (not going or await _is_certain_without(tools, row, front)):
        missed = front.end in (End.OPEN, End.UNREACHED)
        again_at = pipeline_tools.recheck_fault(row.tries, tools.clock.now()) if missed else None
        await _finish(tools, row, recheck_at=again_at)
    elif fetched:
        await _show_first(tools, row)
        tools.alarms.set("artwork", row.release_group_id, band, _deadline(row))


async def _is_certain_without(tools: Tools, row: artworks.Artwork, front: Trail) -> bool:
    """Tell whether the archive has failed just now, and what the others brought is one picture."""
    if front.ask is None:
        return False
    async with tools.database.connection() as conn:
        failed = await wants.have_failed(conn, front.ask[0], [contract.key(front.ask[1])])
        return failed and choose.is_certain(standing(tools, await artwork_candidates.load(conn, row.release_group_id)))


def _are_fetched(trails_: Sequence[Trail]) -> bool:
    return any(trail.end is End.FETCHED for trail in trails_)


def _deadline(row: artworks.Artwork) -> datetime:
    return row.wanted_at + timedelta(seconds=PATIENCE)


async def _one_by_one(tools: Tools, row: artworks.Artwork, ways: Sequence[Trail], band: model.Band) -> None:
    """Go the trails in order until one has led to an image; what one that stands behind has led to waits for it."""
    first = next((trail for trail in ways if trail.end in (End.OPEN, End.FETCHED)), None)
    if first is not None and first.end is End.FETCHED:
        late = ways[0].end is End.UNREACHED and pipeline_tools.recheck_absence(row.tries, tools.clock.now())
        await _finish(tools, row, recheck_at=late or None)
        return
    if first is not None:
        await _want(tools, row, [first], band)
        return
    async with tools.database.transaction() as conn:
        if any(trail.end is End.UNREACHED for trail in ways):
            await _fail(tools, conn, row, "Not every source could be reached; it is tried again later.")
        else:
            skipped = len(_usable(tools, row)) >= len(ways)  # the archive is one of the ways
            await _absent(tools, conn, row, NONE_LIKELY if skipped else NONE)


async def _want(
    tools: Tools, row: artworks.Artwork, going: Sequence[Trail], band: model.Band, delay: float = 0
) -> None:
    news = [
        wants.New(
            source=trail.ask[0],
            key=contract.key(trail.ask[1]),
            kind=contract.kind(trail.ask[1]),
            question=trail.ask[1],
            subject_id=row.release_group_id,
            plays=row.plays + len(going) - place,  # of one source's, in this order
        )
        for place, trail in enumerate(going)
        if trail.ask is not None
    ]
    async with tools.database.transaction() as conn:
        await wants.want(conn, "artwork", news, band, tools.clock.now(), delay=delay)


async def _decoded(
    tools: Tools,
    row: artworks.Artwork,
    trail: Trail,
    decoded: dict[str, artwork_candidates.Candidate],
    band: model.Band,
) -> bool:
    """Turn fetched bytes into a candidate, once; False where they are no image, which was a fault."""
    if trail.offer is None or trail.file is None:
        raise ValueError(f"{trail.source}: fetched, and no file")
    there = decoded.get(trail.offer.url)
    if there is not None and there.status != "wanted":
        return True
    try:
        picture = await pictures.read(tools, trail.file, trail.source, trail.offer.page)
    except errors.Garbled as error:
        await _again(tools, row, trail, band, str(error))
        return False
    await keep(tools, row, trail.offer, picture, trail.ids)
    return True


async def keep(
    tools: Tools,
    row: artworks.Artwork,
    offer: artwork_candidates.New,
    picture: pictures.Picture,
    ids: Sequence[source_ids.Told],
) -> None:
    """Store the picture that an offer came to: it stands for the choice; and what its source calls the album."""
    size = (picture.image.width, picture.image.height)
    async with tools.database.transaction() as conn:
        await artwork_candidates.put(conn, row.release_group_id, [offer])
        image_id = await images.keep(conn, picture.image, tools.clock.now(), expires_at=picture.expires_at)
        mine = [each for each in await artwork_candidates.load(conn, row.release_group_id) if each.url == offer.url]
        for each in mine:
            await artwork_candidates.fetched(conn, each.id, image_id, picture.phash, size)
        await source_ids.tell(conn, ids, tools.clock.now())


async def _again(tools: Tools, row: artworks.Artwork, trail: Trail, band: model.Band, why: str) -> None:
    """Forget a reply that proved unusable and fetch the image anew; after three times it is out, others are not."""
    if trail.offer is None or trail.file is None:
        raise ValueError(f"{trail.source}: no image")
    log.warning("artwork: an image is unusable", release_group=row.release_group_id, source=trail.source, why=why)
    fetching = tools.fetching(trail.file.url)
    asked = (fetching.name if fetching else trail.source, contract.FetchImage(trail.file.url))
    async with tools.database.transaction() as conn:
        await artwork_candidates.put(conn, row.release_group_id, [trail.offer])
        candidate_id, times = await artwork_candidates.count_undecodable(
            conn, row.release_group_id, trail.offer.source, trail.offer.url
        )
        await replies.forget_one(conn, asked[0], contract.key(asked[1]))
        if times >= MOST_FETCHES:
            await artwork_candidates.refused(conn, candidate_id, f"It could not be used: {why}.")
    if times < MOST_FETCHES:
        await _want(tools, row, [Trail(trail.source, End.OPEN, ask=asked)], band, UNDECODABLE_WAIT)
    else:
        await _advance(tools, row, band)


def standing(tools: Tools, candidates: Sequence[artwork_candidates.Candidate]) -> list[choose.Candidate]:
    """Return what stands for the choice: candidates whose bytes came and decoded."""
    called = {source.name: source.policy.called for source in tools.sources}
    return [
        choose.Candidate(
            each.digest,
            each.source,
            each.subject,
            each.width,
            each.height,
            each.url,
            exact=each.exact,
            phash=each.phash,
            stop_gap=each.expires_at is not None,
            id=each.id,
            called=called.get(each.source, ""),
        )
        for each in candidates
        if each.status == "fetched"
    ]


async def _finish(tools: Tools, row: artworks.Artwork, *, recheck_at: datetime | None = None) -> None:
    """Choose among what has arrived, say why, and ask no further until `recheck_at`, where a better one may be."""
    now = tools.clock.now()
    async with tools.database.transaction() as conn:
        candidates = await artwork_candidates.load(conn, row.release_group_id)
        choice = choose.choose(standing(tools, candidates), wanted=tools.wanted_image_px)
        if choice.chosen is None:
            await _absent(tools, conn, row)
            return
        best = next(each for each in candidates if each.id == choice.chosen.id)
        if best.image_id is None:
            raise ValueError(f"candidate {best.id} was chosen and has no image")
        await artwork_candidates.explain(conn, {best.id: choice.reason} | {each.id: why for each, why in choice.others})
        await artworks.found(
            conn,
            row.release_group_id,
            best.image_id,
            choice.reason,
            now,
            expires_at=best.expires_at,
            recheck_at=recheck_at,
        )
        await larger.date(conn, [row.release_group_id], tools.wanted_image_px, now)
        await wants.withdraw(conn, "artwork", [row.release_group_id])
        await tell(tools, conn, [row.release_group_id])


async def _show_first(tools: Tools, row: artworks.Artwork) -> None:
    """Show the best of what came so far while the choice goes on."""
    async with tools.database.transaction() as conn:
        candidates = await artwork_candidates.load(conn, row.release_group_id)
        choice = choose.choose(standing(tools, candidates))
        best = next((each for each in candidates if choice.chosen and each.id == choice.chosen.id), None)
        if best is None or best.image_id is None:
            return
        if await artworks.show(conn, row.release_group_id, best.image_id, choice.reason, tools.clock.now()):
            await tell(tools, conn, [row.release_group_id])


async def _absent(tools: Tools, conn: Connection, row: artworks.Artwork, why: str = NONE) -> None:
    now = tools.clock.now()
    recheck_at = pipeline_tools.recheck_absence(row.tries, now)
    await artworks.absent(conn, row.release_group_id, why, recheck_at, now)
    await _end_without(tools, conn, row)


async def _fail(tools: Tools, conn: Connection, row: artworks.Artwork, why: str) -> None:
    now = tools.clock.now()
    recheck_at = pipeline_tools.recheck_fault(row.tries, now)
    await artworks.failed(conn, row.release_group_id, why, recheck_at, now)
    await _end_without(tools, conn, row)


async def _end_without(tools: Tools, conn: Connection, row: artworks.Artwork) -> None:
    """Tell, and take what the plays themselves came with."""
    if row.image_id is None:
        played = await matches.lookups_of_release_groups(conn, [row.release_group_id])
        await sent_images.begin_bare(conn, played, model.Band.LOW_PRIORITY, tools.clock.now())
    await tell(tools, conn, [row.release_group_id])


async def tell(tools: Tools, conn: Connection, release_group_ids: Sequence[int]) -> None:
    """Tell each account that has plays of these albums, and only of its own."""
    owners = await matches.accounts_of_release_groups(conn, release_group_ids)
    for account_id, ids in owners.items():
        await store_events.tell(conn, [account_id], events.ArtworkDecided(tuple(ids)), tools.clock.now())
    await store_events.wake_waiting(conn)
