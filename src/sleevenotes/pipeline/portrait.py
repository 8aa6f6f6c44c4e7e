"""The portrait stage: from an artist whose page somebody opens to a picture, and to how many listen.

    nobody asked yet        -> want the artist of every source that knows artists, and end
    all have answered       -> want the first picture that is this artist's
    the bytes came          -> told; looked for again when the page is opened a month later
    nobody has a picture    -> told; looked for again by itself after 1, 2, 4 … 32 days, sooner after faults

Its subject is an artist's id. Nothing waits for it, and it decides nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import msgspec
import structlog

from sleevenotes import errors, model, names
from sleevenotes.artwork import choose
from sleevenotes.pipeline import pictures, trails
from sleevenotes.pipeline import tools as pipeline_tools
from sleevenotes.pipeline.tools import Tools
from sleevenotes.sources import contract
from sleevenotes.store import genres, images, portraits, replies, source_ids, wants
from sleevenotes.store.portraits import Sought

GOOD_FOR = timedelta(days=30)

STAGE = "portrait"

log = structlog.get_logger(__name__)


async def run(tools: Tools, artist_ids: Sequence[int], band: model.Band) -> None:
    """Bring the portraits of these artists as far as what is known allows."""
    async with tools.database.connection() as conn:
        waiting = await portraits.load_pending(conn, artist_ids)
    for each in waiting:
        await advance(tools, each, band)


async def give_up(tools: Tools, artist_ids: Sequence[int], why: str) -> None:
    """Leave these artists without, for now."""
    log.warning("portrait: given up", artists=list(artist_ids), why=why)
    for artist_id in artist_ids:
        await _tell(tools, Sought(artist_id, "", ""), STAGE, None, (), (), unreached=True)


async def advance(tools: Tools, sought: Sought, band: model.Band, stage: str = STAGE) -> None:
    """Bring one portrait further. Another `stage` is woken in this one's place, and no date to look again is set."""
    question = contract.FindArtist(sought.name, sought.mbid)
    key = contract.key(question)
    async with tools.database.connection() as conn:
        known = await replies.load(conn, [key])
    able = tools.answering(contract.FindArtist)
    if asks := [(source, question) for source in able if (source.name, key) not in known]:
        await _want(tools, sought, asks, band, stage)
        return
    heard = [known[source.name, key] for source in able]
    found = [each for reply in heard for each in _artists(reply) if _is(each, sought)]
    ids = [each for reply in heard for each in _ids(tools, reply, sought)]
    await _note_genres(tools, sought, heard)
    pictured = [(reply.source, image) for reply in heard for image in _pictures(reply, sought)]
    unreached = any(reply.outcome is replies.Outcome.GIVEN_UP for reply in heard)
    for source, image in pictured:
        asked = contract.FetchImage(image.url)
        fetching = tools.fetching(image.url)
        if fetching is None:
            continue
        async with tools.database.connection() as conn:
            fetched = (await replies.load(conn, [contract.key(asked)])).get((fetching.name, contract.key(asked)))
        if fetched is None:
            await _want(tools, sought, [(fetching, asked)], band, stage)
            return
        if (file := trails.fetched_file(fetched)) and (kept := await _kept(tools, file, image, source)) is not None:
            await _tell(tools, sought, stage, kept, found, ids, unreached=unreached)
            return
        # Bytes that are no picture are a fault, too.
        unreached = unreached or fetched.outcome is not replies.Outcome.ABSENT
    await _tell(tools, sought, stage, None, found, ids, unreached=unreached)


async def _note_genres(tools: Tools, sought: Sought, heard: Sequence[replies.Reply]) -> None:
    """Keep the genres that came along."""
    told = [(reply.source, each.genres) for reply in heard for each in _artists(reply) if _is(each, sought)]
    if any(names_told for _, names_told in told):
        async with tools.database.transaction() as conn:
            for source, names_told in told:
                await genres.tell(conn, "artist", sought.artist_id, source, names_told)


def _ids(tools: Tools, reply: replies.Reply, sought: Sought) -> list[source_ids.Told]:
    """Return what a source calls this artist; that it has none, where it has ids and told no such artist."""
    told = [
        source_ids.Told("artist", sought.artist_id, reply.source, own.id, own.kind, own.page)
        for each in _artists(reply)
        if _is(each, sought)
        for own in each.ids
    ]
    has_ids = any(source.name == reply.source and "artist" in source.policy.ids for source in tools.sources)
    if told or not has_ids or reply.outcome is replies.Outcome.GIVEN_UP:
        return told
    return [source_ids.Told("artist", sought.artist_id, reply.source, "")]


def _pictures(reply: replies.Reply, sought: Sought) -> list[contract.ImageAt]:
    return [
        image
        for each in _artists(reply)
        if _is(each, sought)
        for image in each.images
        if not choose.is_placeholder(image.url)
    ]


def _artists(reply: replies.Reply) -> list[contract.ArtistCandidate]:
    answer = msgspec.convert(reply.answer, contract.Answer)
    return [each for each in answer.candidates if isinstance(each, contract.ArtistCandidate)]


def _is(candidate: contract.ArtistCandidate, sought: Sought) -> bool:
    """Tell whether a source speaks of this artist: by the MBID where both have one, else by the name."""
    if candidate.mbid and sought.mbid:
        return candidate.mbid == sought.mbid
    return names.key(names.without_article(candidate.name)) == names.key(names.without_article(sought.name))


async def _want(
    tools: Tools,
    sought: Sought,
    asks: Sequence[tuple[contract.Source, contract.Question]],
    band: model.Band,
    stage: str,
) -> None:
    news = [
        wants.New(source.name, contract.key(asked), contract.kind(asked), asked, sought.artist_id)
        for source, asked in asks
    ]
    async with tools.database.transaction() as conn:
        await wants.inquired(conn, STAGE, [(sought.artist_id, new.key) for new in news])
        await wants.want(conn, stage, news, band, tools.clock.now())


async def _kept(tools: Tools, file: contract.ImageFile, image: contract.ImageAt, source: str) -> int | None:
    """Decode and store a picture; None where it is none."""
    try:
        picture = await pictures.read(tools, file, source, image.page)
    except errors.Garbled:
        return None
    async with tools.database.transaction() as conn:
        return await images.keep(conn, picture.image, tools.clock.now(), expires_at=picture.expires_at)


async def _tell(
    tools: Tools,
    sought: Sought,
    stage: str,
    image_id: int | None,
    found: Sequence[contract.ArtistCandidate],
    ids: Sequence[source_ids.Told],
    *,
    unreached: bool,
) -> None:
    now = tools.clock.now()
    wait = pipeline_tools.recheck_fault if unreached else pipeline_tools.recheck_absence
    again_at = now + GOOD_FOR if image_id is not None and not unreached else wait(sought.tries, now)
    counted = next((each for each in found if each.listeners is not None), None)
    async with tools.database.transaction() as conn:
        await source_ids.tell(conn, ids, now)
        await portraits.told(
            conn,
            sought,
            image_id=image_id,
            listeners=counted.listeners if counted else None,
            page=counted.page if counted else "",
            look_again_at=again_at if stage == STAGE else None,
        )
