"""The preview: a temporary cover for a play somebody waits for, by the names it was sent with.

Until it is known what was played, and that album's own cover is chosen, a play shows

    another name of its album has a cover      that one, at once
    else                                       the first cover of that album that a quick shop has

It decides nothing, and nothing waits for it: where match and artwork come to an end, theirs is shown. Meanwhile the
archive's front of the release it will most likely be is on its way, so that theirs comes the sooner.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence

from sleevenotes import errors, events, model
from sleevenotes.matching import albums
from sleevenotes.pipeline import pictures, predicting, queues, trails
from sleevenotes.pipeline.tools import Tools
from sleevenotes.sources import contract, coverartarchive
from sleevenotes.store import events as store_events
from sleevenotes.store import images, lookups, matches, previews, replies, wants
from sleevenotes.store.postgres import Connection

SHOPS = ("deezer", "lastfm", "itunes")
"""Whom to ask: they answer soon, and let their images be kept."""

QUEUE_S = 2.0
"""Seconds that a shop's queue may be long; who would answer later is not asked."""


async def begin(tools: Tools, conn: Connection, waiting: Sequence[lookups.Pending], band: model.Band) -> None:
    """Show what is known of these names' albums, and want covers of the others."""
    named = {each.id: trails.ByName(each.artist, each.release) for each in waiting if each.release}
    if not named:
        return
    shown: dict[int, int] = {}
    for cover in await previews.of_same_album(conn, list(named)):
        album = named[cover.lookup_id]
        if albums.fits(album.artist, album.title, cover.artist, cover.title, primary_type=cover.primary_type).fits:
            shown[cover.lookup_id] = cover.image_id
    await _show(tools, conn, shown)
    bare = {each: album for each, album in named.items() if each not in shown}
    await _want(tools, conn, await _ways(tools, conn, bare, band), band)


async def ahead(tools: Tools, conn: Connection, likely: Mapping[int, str], band: model.Band) -> None:
    """Have the archive's fronts of these releases fetched (lookup id → release MBID), before it is certain that they
    are the ones: the artwork stage, when it comes to them, finds them there or under way.
    """
    if not any(source.name == trails.ARCHIVE for source in tools.sources):
        return
    fronts = {lookup_id: coverartarchive.front_of_release(mbid) for lookup_id, mbid in likely.items()}
    news = [
        wants.New(trails.ARCHIVE, contract.key(front), contract.kind(front), front, lookup_id)
        for lookup_id, front in fronts.items()
    ]
    known = await replies.load(conn, [new.key for new in news])
    await wants.want(
        conn, "preview", [new for new in news if (new.source, new.key) not in known], band, tools.clock.now()
    )


async def run(tools: Tools, lookup_ids: Sequence[int], band: model.Band) -> None:
    """Fetch and show what the shops offer, for those of these lookups that show nothing yet."""
    async with tools.database.transaction() as conn:
        bare = {
            each.lookup_id: trails.ByName(each.artist, each.release) for each in await previews.bare(conn, lookup_ids)
        }
        ways = await _ways(tools, conn, bare, band)
        await _want(tools, conn, ways, band)
    for lookup_id, trails_of in ways.items():
        fetched = next((each for each in trails_of if each.end is trails.End.FETCHED), None)
        if fetched is not None:
            await _take(tools, lookup_id, fetched)


async def give_up(tools: Tools, lookup_ids: Sequence[int], why: str) -> None:
    """Show nothing: it was a courtesy."""


async def _take(tools: Tools, lookup_id: int, trail: trails.Trail) -> None:
    if trail.offer is None or trail.file is None:
        raise ValueError(f"{trail.source}: fetched, and no file")
    async with tools.database.transaction() as conn:
        there = await images.by_digest(conn, trail.file.digest)  # the names of one album come one after another
        if there is not None and there.expires_at is None:
            await _show(tools, conn, {lookup_id: there.id})
            return
    try:
        picture = await pictures.read(tools, trail.file, trail.source, trail.offer.page)
    except errors.Garbled:
        return  # the artwork stage fetches it again, if it is wanted
    async with tools.database.transaction() as conn:
        image_id = await images.keep(conn, picture.image, tools.clock.now(), expires_at=picture.expires_at)
        await _show(tools, conn, {lookup_id: image_id})


async def _show(tools: Tools, conn: Connection, covers: dict[int, int]) -> None:
    if not covers:
        return
    shown = await previews.show(conn, covers, tools.clock.now())
    await wants.withdraw(conn, "preview", shown)
    owners = await matches.accounts_of_lookups(conn, shown)
    for account_id, ids in owners.items():
        await store_events.tell(conn, [account_id], events.PreviewsShown(tuple(ids)), tools.clock.now())


async def _ways(
    tools: Tools, conn: Connection, bare: dict[int, trails.ByName], band: model.Band
) -> dict[int, list[trails.Trail]]:
    """Return each shop's way to each album's cover, as far as it was gone; an album that many names have is one.

    A shop that is unlikely to have it has none.
    """
    shops = _shops(tools)
    found: dict[trails.ByName, list[trails.Trail]] = {}
    for album in set(bare.values()):
        asked: dict[str, contract.Question] = {shop.name: trails.search(album, shop) for shop in shops}
        known = await replies.load(conn, [contract.key(each) for each in asked.values()])
        opened = predicting.open_question((album.artist, "", album.title), 1, 0, asked, known)
        [outlook] = await predicting.outlooks(tools, conn, [opened], functools.partial(_serves, album), band)
        likely = [shop for shop in shops if outlook is None or shop.name in outlook.likely(asked)]
        if led := trails.next_questions(album, (), tools, known):
            known |= await replies.load(conn, [contract.key(each) for each in led])
        found[album] = [trails.searched(album, shop, (), tools, known) for shop in likely]
    return {lookup_id: found[album] for lookup_id, album in bare.items()}


def _serves(album: trails.ByName, _: int, reply: replies.Reply) -> bool:
    return trails.serves(album, reply)


async def _want(tools: Tools, conn: Connection, ways: dict[int, list[trails.Trail]], band: model.Band) -> None:
    """Want the next step of every shop's way, until one has led to an image."""
    open_ways = {
        lookup_id: [each.ask for each in of_one if each.ask is not None]
        for lookup_id, of_one in ways.items()
        if not any(each.end is trails.End.FETCHED for each in of_one)
    }
    asked = sorted({source for asks in open_ways.values() for source, _ in asks})
    if not asked:
        return
    quick = await queues.quick(tools, conn, asked, band, QUEUE_S)
    news = [
        wants.New(source, contract.key(question), contract.kind(question), question, lookup_id)
        for lookup_id, asks in open_ways.items()
        for source, question in asks
        if source in quick
    ]
    await wants.want(conn, "preview", news, band, tools.clock.now())


def _shops(tools: Tools) -> list[contract.Source]:
    by_name = {source.name: source for source in tools.answering(contract.FindImages)}
    return [by_name[name] for name in SHOPS if name in by_name and by_name[name].policy.keep_s is None]
