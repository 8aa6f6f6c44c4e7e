"""The stage of offers: everybody is asked which covers an album has, so that a listener can choose among them.

    a listener opens the choice -> want every source's covers of the album, and every front that the archive may have
    their bytes came            -> candidates beside those that the artwork stage found; the page is told
    all have answered           -> nothing more to do

It chooses nothing: what the album shows is decided by the artwork stage, and by the listener. Its subject is a release
group's id; 0 is nobody, for who asks by names and reads the replies.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sleevenotes import errors, events, model
from sleevenotes.pipeline import pictures, trails
from sleevenotes.pipeline.tools import Tools
from sleevenotes.sources import contract
from sleevenotes.store import artwork_candidates, artworks, images, matches, replies, source_ids, wants
from sleevenotes.store import events as store_events
from sleevenotes.store.postgres import Connection

NOBODY = 0


async def run(tools: Tools, release_group_ids: Sequence[int], band: model.Band) -> None:
    """Bring the offers for each of these albums as far as what is known allows."""
    async with tools.database.transaction() as conn:
        await artworks.want_matched(conn, release_group_ids, tools.clock.now())
        rows = await artworks.load(conn, release_group_ids)
    for row in rows:
        await _advance(tools, row, band)


async def give_up(tools: Tools, release_group_ids: Sequence[int], why: str) -> None:
    """Offer no more than there is."""


async def _advance(tools: Tools, row: artworks.Artwork, band: model.Band) -> None:
    async with tools.database.connection() as conn:
        offers = await artwork_candidates.load(conn, row.release_group_id)
        known = await replies.load(conn, [contract.key(each) for each in trails.first_questions(row, offers, tools)])
        if led := trails.next_questions(row, offers, tools, known):
            known |= await replies.load(conn, [contract.key(each) for each in led])
    asking = tools.answering(contract.FindImages)
    able = [source for source in asking if row.release_group_mbid or not source.policy.only_by_mbid]
    archived = any(source.name == trails.ARCHIVE for source in tools.sources)
    ways = [
        *(trails.fronts(row, offers, known) if archived else ()),
        *(trails.searched(row, source, offers, tools, known) for source in able),
    ]
    refused = [each for source in able for each in trails.refused(row, source, offers, known)]
    async with tools.database.transaction() as conn:
        await artwork_candidates.put(conn, row.release_group_id, refused)
        await wants.want(conn, "offers", _news(row, ways), band, tools.clock.now())
    there = {each.url for each in offers if each.status != "wanted"}
    came = [each for each in ways if each.offer is not None and each.offer.url not in there]
    for each in came:
        await _take(tools, row, each)
    if came or refused:
        async with tools.database.transaction() as conn:
            owners = await matches.accounts_of_release_groups(conn, [row.release_group_id])
            told = events.ArtworkDecided((row.release_group_id,))
            await store_events.tell(conn, list(owners), told, tools.clock.now())


def _news(row: artworks.Artwork, ways: Sequence[trails.Trail]) -> list[wants.New]:
    return [
        wants.New(each.ask[0], contract.key(each.ask[1]), contract.kind(each.ask[1]), each.ask[1], row.release_group_id)
        for each in ways
        if each.ask is not None
    ]


async def _take(tools: Tools, row: artworks.Artwork, way: trails.Trail) -> None:
    """Keep fetched bytes as a candidate; what is no image is refused."""
    if way.offer is None or way.file is None:
        raise ValueError(f"{way.source}: fetched, and no file")
    why, picture, now = "", None, tools.clock.now()
    try:
        picture = await pictures.read(tools, way.file, way.source, way.offer.page)
    except errors.Garbled as error:
        why = f"It could not be used: {error}."
    async with tools.database.transaction() as conn:
        await artwork_candidates.put(conn, row.release_group_id, [way.offer])
        loaded = await artwork_candidates.load(conn, row.release_group_id)
        mine = [each for each in loaded if each.url == way.offer.url]
        image_id = await images.keep(conn, picture.image, now, expires_at=picture.expires_at) if picture else None
        for each in mine:
            if picture is None or image_id is None:
                await artwork_candidates.refused(conn, each.id, why)
            else:
                size = (picture.image.width, picture.image.height)
                await artwork_candidates.fetched(conn, each.id, image_id, picture.phash, size)
        if picture is not None:
            await source_ids.tell(conn, way.ids, now)


async def ask_by_names(
    conn: Connection, sources: Sequence[contract.Source], artist: str, release: str, now: datetime
) -> list[tuple[str, bytes]]:
    """Have these sources asked for covers of an album by its names; return whose replies to which keys to read."""
    question = contract.FindImages(artist, release)
    able = [each for each in sources if contract.FindImages in each.policy.answers and not each.policy.only_by_mbid]
    key, kind = contract.key(question), contract.kind(question)
    known = await replies.load(conn, [key])
    asked = [each.name for each in able]
    news = [wants.New(name, key, kind, question, NOBODY) for name in asked if (name, key) not in known]
    await wants.want(conn, "offers", news, model.Band.CRITICAL, now)
    return [(name, key) for name in asked]
