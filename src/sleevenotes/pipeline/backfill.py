"""Sources that are new: what they could answer of all that others left open, and only that, is asked of them alone.

    a worker starts                  -> which source can be asked what is held against what was remembered (`notice`)
    a source is new, or has a key    -> names without a match, albums without a right cover, artists without a picture
                                        are written down, as far as it answers such questions
    once a minute, in the drip       -> the most played of them are asked, as many as leave its lane half free
    it was asked that before         -> it is not asked again
    it answers                       -> the name is decided anew by all that is known, and nobody else is asked

Nobody's stored absence is forgotten, and no date to look again moves. A key that only makes a source faster is no news:
what counts is which kinds of question a source answers.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta

import structlog

from sleevenotes import model
from sleevenotes.matching import decide
from sleevenotes.pipeline import asking, better, match, portrait, trails
from sleevenotes.pipeline.tools import Tools
from sleevenotes.sources import contract
from sleevenotes.store import artwork_candidates, artworks, backfills, jobs, lookups, portraits, replies, wants
from sleevenotes.store.backfills import Backfill
from sleevenotes.store.postgres import Connection

NAMES = "backfill_names"
PORTRAITS = "backfill_portraits"

LEAST, MOST = 20, 200
"""Questions put to one source in one round: half of what it takes in a minute, within these bounds."""

SKIPPED = 1_000
"""Names, albums or artists looked through in one round for such that were never asked."""

PATIENCE = timedelta(days=1)
"""For so long what is wanted of a source that this worker may not ask is left to another; then, or where the source was
lost just now, who waits for it decides without it.
"""

RECORDING, IMAGES, ARTIST = (
    contract.tag(kind) for kind in (contract.FindRecording, contract.FindImages, contract.FindArtist)
)

_LIKE = {NAMES: "match", PORTRAITS: portrait.STAGE, better.BACKFILL: better.ARTWORK}
"""Under which stage questions are remembered: explained, and forgotten for the next look, with its own."""

log = structlog.get_logger(__name__)


def able(sources: Sequence[contract.Source]) -> dict[tuple[str, str], contract.Source]:
    """Return what each of these sources can be asked of what is looked for: (name, kind of question) → the source."""
    kinds = (contract.FindRecording, contract.FindImages, contract.FindArtist)
    found = {(each.name, contract.tag(kind)): each for each in sources for kind in kinds if kind in each.policy.answers}
    archive = {(each.name, IMAGES): each for each in sources if each.name == trails.ARCHIVE}
    unfit = {(each.name, RECORDING) for each in sources if not asking.is_worth_asking(each)}
    return {one: each for one, each in {**found, **archive}.items() if one not in unfit}


async def notice(tools: Tools) -> None:
    """Begin a backfill for each source that can be asked what it could not be asked when a worker last started."""
    now, sources = tools.clock.now(), able(tools.sources)
    async with tools.database.transaction() as conn:
        learnt = await backfills.learn(conn, sources.keys(), now)
        before = now if learnt.went else now - PATIENCE
        await jobs.wake(conn, await wants.abandon(conn, [each.name for each in tools.sources], before))
        for source, kind in learnt.came:
            policy = sources[source, kind].policy
            total = await backfills.begin(
                conn, source, kind, now, wanted_px=tools.wanted_image_px, only_by_mbid=policy.only_by_mbid
            )
            log.info("a source is new", source=source, kind=kind, to_ask=total)


async def one_round(tools: Tools) -> None:
    """Ask each source that is new a few of the most played of what is left for it."""
    sources = able(tools.sources)
    async with tools.database.connection() as conn:
        under_way = await backfills.under_way(conn)
    for each in under_way:
        source = sources.get((each.source, each.kind))
        if source is not None:  # another worker's settings may know more
            await _go_on(tools, each, source)


async def _go_on(tools: Tools, backfill: Backfill, source: contract.Source) -> None:
    now = tools.clock.now()
    async with tools.database.transaction() as conn:
        waiting = (await wants.ahead(conn, [source.name], model.Band.LOW_PRIORITY))[source.name]
        room = _at_once(source) - waiting
        looked = 0
        while room > 0 and looked < SKIPPED:
            taken = await backfills.take(conn, source.name, backfill.kind, room, now)
            if not taken:
                return
            looked += len(taken)
            room -= await _ASK[backfill.kind](tools, conn, source, taken)


def _at_once(source: contract.Source) -> int:
    a_minute = source.policy.requests * 60 / source.policy.window * source.policy.together
    return int(max(LEAST, min(MOST, a_minute / 2)))


async def _put(
    tools: Tools, conn: Connection, source: contract.Source, stage: str, asks: Mapping[int, Sequence[contract.Question]]
) -> int:
    """Ask a source what of this (subject → questions) it was never asked; return how many questions that are.

    Subjects whose questions it has answered already, for others, are looked at without.
    """
    keys = {contract.key(question): question for questions in asks.values() for question in questions}
    heard = await replies.heard(conn, source.name, list(keys))
    news = [
        wants.New(source.name, contract.key(each), contract.kind(each), each, subject_id, plays=len(asks) - place)
        for place, (subject_id, questions) in enumerate(asks.items())
        for each in questions
        if contract.key(each) not in heard
    ]
    await wants.inquired(conn, _LIKE[stage], [(new.subject_id, new.key) for new in news])
    await wants.want(conn, stage, news, model.Band.LOW_PRIORITY, tools.clock.now())
    asked = {new.subject_id for new in news}
    await jobs.enqueue(
        conn,
        stage,
        [each for each, questions in asks.items() if questions and each not in asked],
        model.Band.LOW_PRIORITY,
    )
    return len({new.key for new in news})


# ---------------------------------------------------------------- names


async def _ask_names(tools: Tools, conn: Connection, source: contract.Source, ids: Sequence[int]) -> int:
    waiting = {each.id: each for each in await lookups.load_undecided(conn, ids)}
    return await _put(tools, conn, source, NAMES, {i: _questions(source, waiting[i]) for i in ids if i in waiting})


def _questions(source: contract.Source, lookup: lookups.Pending) -> list[contract.Question]:
    """List what a source is asked for a name: nothing, where it is unlikely to know it (`asking`)."""
    if not any(not wave.anew for wave in asking.waves([source], lookup, model.Band.LOW_PRIORITY)):
        return []
    asked, sent = match.question(lookup), match.as_sent(lookup)
    whole = source.name in asking.BULK and contract.key(asked) != contract.key(sent)
    return [asked, sent] if whole else [asked]


async def run_names(tools: Tools, lookup_ids: Sequence[int], band: model.Band) -> None:
    """Decide names anew by all that is known of them by now; those that it does not decide stay as they are."""
    async with tools.database.connection() as conn:
        waiting = await lookups.load_undecided(conn, lookup_ids)
        known = await match.known_of(conn, waiting)
    looks = [await asyncio.to_thread(_look, tools, each, known, band) for each in waiting]
    async with tools.database.transaction() as conn:
        still = {each.id for each in await lookups.load_undecided(conn, lookup_ids)}
        mine = [look for look in looks if look.lookup.id in still]
        news = [new for look in mine for new in look.news]
        await replies.forget_these(conn, [(new.source, new.key) for new in news if new.alone])
        await wants.inquired(conn, _LIKE[NAMES], [(new.subject_id, new.key) for new in news])
        await wants.want(conn, NAMES, news, band, tools.clock.now())
        await match.settle(tools, conn, [look for look in mine if isinstance(look.decision, decide.Chosen)], band)


def _look(tools: Tools, lookup: lookups.Pending, known: match.Known, band: model.Band) -> match.Look:
    """Look at a name as if only those that have answered could be asked."""
    keys = {contract.key(match.question(lookup)), contract.key(match.as_sent(lookup))}
    heard = {source for source, key in known if key in keys}
    return match.look_at(tools.of(_without_silent(tools, contract.FindRecording, heard)), lookup, known, band)


def _without_silent(tools: Tools, kind: type[contract.Question], heard: set[str]) -> list[contract.Source]:
    return [each for each in tools.sources if kind not in each.policy.answers or each.name in heard]


# ---------------------------------------------------------------- covers and portraits


async def _ask_covers(tools: Tools, conn: Connection, source: contract.Source, ids: Sequence[int]) -> int:
    rows = {row.release_group_id: row for row in await artworks.load(conn, ids) if row.status != "pending"}
    asks: dict[int, Sequence[contract.Question]] = {}
    for release_group_id in (each for each in ids if each in rows):
        row = rows[release_group_id]
        if source.name == trails.ARCHIVE:
            offers = await artwork_candidates.load(conn, release_group_id)
            asks[release_group_id] = [ask[1] for way in trails.fronts(row, offers, {})[:1] if (ask := way.ask)]
        elif row.release_group_mbid or not source.policy.only_by_mbid:
            asks[release_group_id] = [trails.search(row, source)]
    return await _put(tools, conn, source, better.BACKFILL, asks)


async def _ask_portraits(tools: Tools, conn: Connection, source: contract.Source, ids: Sequence[int]) -> int:
    bare = {each.artist_id: each for each in await portraits.load_bare(conn, ids)}
    asks = {i: [contract.FindArtist(bare[i].name, bare[i].mbid)] for i in ids if i in bare}
    return await _put(tools, conn, source, PORTRAITS, asks)


async def run_portraits(tools: Tools, artist_ids: Sequence[int], band: model.Band) -> None:
    """Take the pictures that sources that are new have of these artists."""
    async with tools.database.connection() as conn:
        waiting = await portraits.load_bare(conn, artist_ids)
        asked = {each.artist_id: contract.key(contract.FindArtist(each.name, each.mbid)) for each in waiting}
        known = await replies.load(conn, list(asked.values()))
    for each in waiting:
        heard = {source for source, key in known if key == asked[each.artist_id]}
        mine = tools.of(_without_silent(tools, contract.FindArtist, heard))
        await portrait.advance(mine, each, band, PORTRAITS)


async def give_up(tools: Tools, subject_ids: Sequence[int], why: str) -> None:
    """Leave it: they are looked for again at their own dates."""


_Ask = Callable[[Tools, Connection, contract.Source, Sequence[int]], Awaitable[int]]
_ASK: Mapping[str, _Ask] = {RECORDING: _ask_names, IMAGES: _ask_covers, ARTIST: _ask_portraits}
