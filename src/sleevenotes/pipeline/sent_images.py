"""The stage of sent images: from an address that a play came with to a picture that the play shows.

    a play brings an address that is new  -> want its bytes, as urgently as the play
    the bytes came and decode             -> every play with that address shows it; pages are told
    it leads to nothing, or to no image   -> refused; the play's page says so; asked again after 1, 2, 4 … 32 days
    it could not be reached, ten times    -> failed; tried again soon, and when it is sent again

An import brings thousands of addresses, and covers of albums that are better than most of them are on their way: there
an address is fetched only where the name was decided and shows no cover, or where somebody looks at the play.

The subject is a row of `sent_images`; nothing else waits for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

import structlog

from sleevenotes import errors, events, model
from sleevenotes.artwork import choose
from sleevenotes.pipeline import pictures, trails
from sleevenotes.pipeline import tools as pipeline_tools
from sleevenotes.pipeline.tools import Tools
from sleevenotes.sources import contract, imagehosts
from sleevenotes.store import events as store_events
from sleevenotes.store import images, jobs, matches, replies, wants
from sleevenotes.store import sent_images as rows
from sleevenotes.store.postgres import Connection
from sleevenotes.store.sent_images import SentImage

log = structlog.get_logger(__name__)

_LASTFM = next(host.policy for host in imagehosts.HOSTS if host.name == "lastfm_images")


class Came(NamedTuple):
    """An address, the name (lookup) whose play it came with, and how urgently that play was stored."""

    address: str
    lookup_id: int
    band: model.Band


def is_temporary(address: str) -> bool:
    """Tell whether an address is Last.fm's: no client's own image, so it gives way to the album's cover."""
    return contract.fetches(_LASTFM, address)


async def begin(conn: Connection, came: Iterable[Came], now: datetime, sources: Sequence[contract.Source] = ()) -> None:
    """Have the images fetched that plays came with; an import's wait until it is known that there is no better.

    Where `sources` are given that may be asked, what is new is wanted at once: a job less on the way of who waits.
    """
    by_band: dict[model.Band, list[rows.New]] = {}
    for each in came:
        if each.address and each.band > model.Band.LOW_PRIORITY:
            new = rows.New(each.address, is_temporary(each.address), each.lookup_id)
            by_band.setdefault(each.band, []).append(new)
    for band, news in sorted(by_band.items()):
        left = await _want_new(conn, await rows.want(conn, news, now), band, now, sources)
        await jobs.enqueue(conn, "sent_images", left, band)


async def _want_new(
    conn: Connection, wanted: Mapping[int, str], band: model.Band, now: datetime, sources: Sequence[contract.Source]
) -> list[int]:
    """Want what nobody has asked for, and return the rest, for the stage to look at."""
    keys = {sent_id: contract.key(contract.FetchImage(address)) for sent_id, address in wanted.items()}
    known = {key for _, key in await replies.load(conn, list(keys.values()))} if sources and wanted else set()
    news: list[wants.New] = []
    for sent_id, address in wanted.items():
        fetching = pipeline_tools.fetching_anywhere(sources, address)
        if fetching is not None and keys[sent_id] not in known and not _unfit(address):
            question = contract.FetchImage(address)
            news.append(wants.New(fetching.name, keys[sent_id], contract.kind(question), question, sent_id))
    await wants.want(conn, "sent_images", news, band, now)
    return sorted(wanted.keys() - {new.subject_id for new in news})


async def begin_bare(conn: Connection, lookup_ids: Sequence[int], band: model.Band, now: datetime) -> None:
    """Have the images fetched that plays of these names came with, since nothing better was found for them."""
    news = [
        rows.New(address, is_temporary(address), lookup_id) for address, lookup_id in await rows.bare(conn, lookup_ids)
    ]
    if news:
        await jobs.enqueue(conn, "sent_images", list(await rows.want(conn, news, now)), band)


async def fetch(conn: Connection, address: str, now: datetime, *, lookup_id: int = 0) -> None:
    """Have one image fetched because somebody asks for it now, however lately it was refused."""
    new = rows.New(address, is_temporary(address), lookup_id)
    wanted = await rows.want(conn, [new], now, urgent=True)
    await jobs.enqueue(conn, "sent_images", list(wanted), model.Band.CRITICAL)


async def run(tools: Tools, sent_ids: Sequence[int], band: model.Band) -> None:
    """Bring these images as far as what is known allows."""
    async with tools.database.connection() as conn:
        waiting = await rows.pending(conn, sent_ids)
    for each in waiting:
        await _advance(tools, each, band)


async def give_up(tools: Tools, sent_ids: Sequence[int], why: str) -> None:
    """Leave the plays without these images."""
    log.warning("sent images: given up", sent=list(sent_ids), why=why)
    async with tools.database.transaction() as conn:
        now = tools.clock.now()
        for each in await rows.pending(conn, sent_ids):
            again_at = pipeline_tools.recheck_fault(each.tries, now)
            await rows.decide(conn, each.id, "failed", now, reason="It could not be used.", recheck_at=again_at)


async def _advance(tools: Tools, sent: SentImage, band: model.Band) -> None:
    fetching = pipeline_tools.fetching_anywhere(tools.sources, sent.address)
    if why := _unfit(sent.address):
        await _end(tools, sent, "refused", why, for_good=True)
        return
    if fetching is None:
        await _end(tools, sent, "failed", "The setting sources lets nobody fetch it.")
        return
    question = contract.FetchImage(sent.address)
    key = contract.key(question)
    async with tools.database.connection() as conn:
        reply = (await replies.load(conn, [key])).get((fetching.name, key))
    file = trails.fetched_file(reply) if reply else None
    if file is not None:
        await _take(tools, sent, file, fetching)
    elif reply is None or reply.answered_at < sent.asked_at:
        await _want(tools, sent, fetching, question, band)
    elif reply.outcome is replies.Outcome.GIVEN_UP:
        await _end(tools, sent, "failed", await why_not(tools, sent, "It could not be reached"))
    else:
        await _end(tools, sent, "refused", await why_not(tools, sent, "What lies there is no image"))


def _unfit(address: str) -> str:
    """Say why an address is not even asked for; "" where it is."""
    if not address.startswith(("https://", "http://")):
        return "It is no http or https address."
    return "It is what the service shows where it has no picture." if choose.is_placeholder(address) else ""


async def _want(
    tools: Tools, sent: SentImage, fetching: contract.Source, question: contract.FetchImage, band: model.Band
) -> None:
    key = contract.key(question)
    new = wants.New(fetching.name, key, contract.kind(question), question, sent.id)
    async with tools.database.transaction() as conn:
        await replies.forget_one(conn, fetching.name, key)  # what was answered long ago is asked anew
        await wants.want(conn, "sent_images", [new], band, tools.clock.now())


async def _take(tools: Tools, sent: SentImage, file: contract.ImageFile, fetching: contract.Source) -> None:
    async with tools.database.connection() as conn:
        there = await images.by_digest(conn, file.digest)
    image_id = there.id if there and there.expires_at is None else None
    expires_at = None
    try:
        picture = await pictures.read(tools, file, fetching.name, "") if image_id is None else None
    except errors.Garbled as error:
        async with tools.database.transaction() as conn:
            await replies.forget_one(conn, fetching.name, contract.key(contract.FetchImage(sent.address)))
        await _end(tools, sent, "refused", f"It is no image that can be shown: {error}.")
        return
    async with tools.database.transaction() as conn:
        if picture is not None:
            expires_at = picture.expires_at
            image_id = await images.keep(conn, picture.image, tools.clock.now(), expires_at=expires_at)
        await rows.decide(conn, sent.id, "fetched", tools.clock.now(), image_id=image_id)
        await _tell(tools, conn, sent)


async def _end(tools: Tools, sent: SentImage, status: str, reason: str, *, for_good: bool = False) -> None:
    now = tools.clock.now()
    wait = pipeline_tools.recheck_fault if status == "failed" else pipeline_tools.recheck_absence
    again_at = None if for_good else wait(sent.tries, now)
    async with tools.database.transaction() as conn:
        await rows.decide(conn, sent.id, status, now, reason=reason, recheck_at=again_at)
        await _tell(tools, conn, sent)


async def _tell(tools: Tools, conn: Connection, sent: SentImage) -> None:
    """Tell the pages of whoever plays the names whose plays waited for it."""
    instead = await rows.shown_instead(conn, sent.lookup_ids, sent.address)
    owners = await matches.accounts_of_lookups(conn, [*sent.lookup_ids, *instead])
    for account_id, ids in owners.items():
        await store_events.tell(conn, [account_id], events.PreviewsShown(tuple(ids)), tools.clock.now())


async def why_not(tools: Tools, sent: SentImage, words: str) -> str:
    """Say why there is no image, by what was answered last."""
    async with tools.database.connection() as conn:
        return reason(await rows.troubles(conn, contract.key(contract.FetchImage(sent.address)), sent.asked_at), words)


def reason(troubles: Sequence[tuple[int | None, str]], words: str) -> str:
    """Write what was answered last as a reason: "It could not be reached: no answer within 15 s."."""
    status, note = troubles[0] if troubles else (None, "")
    if status not in (None, 200) and not note:
        return f"{words}: it answers {status}."
    return f"{words}: {note.rstrip('.')}." if note else f"{words}."
