"""The match stage: from a lookup's text to a recording and a release, or to "not found", or to more questions.

    the catalogue knows it     -> match, and nobody is asked (offline.py)
    nobody asked yet           -> want the recording question of the first wave of sources (asking.py), and end
    a source has not answered  -> end; its lane wakes us
    an answer leads further    -> want that too (ListenBrainz names a recording, its metadata describe it)
    only a shop knows it       -> want it by the shop's spelling, where that is another
    the answers decide it      -> match; what was still to be asked is withdrawn, the album's cover is wanted
    all answered, none fits    -> not_found, asked again after 1, 2, 4 … 32 days; candidates are kept for review
    retries of faults spent    -> failed, tried again sooner

There is one recording question per (artist, track): a lookup with another release finds it answered, and only its
release is chosen anew.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from sleevenotes import events, model
from sleevenotes.matching import decide, readings
from sleevenotes.pipeline import (
    answers,
    asking,
    discography,
    elsewhere,
    offline,
    predicting,
    preview,
    reconsider,
    sent_images,
    trails,
)
from sleevenotes.pipeline import tools as pipeline_tools
from sleevenotes.pipeline.tools import Tools
from sleevenotes.prediction.order import Outlook
from sleevenotes.sources import contract
from sleevenotes.store import artwork_candidates, artworks, catalog, jobs, lookups, matches, replies, source_ids, wants
from sleevenotes.store import events as store_events
from sleevenotes.store.postgres import Connection

SURE = 0.02
"""Distance below which a name is spelt as asked (matching.distance)."""

HEAD_START = timedelta(seconds=2.8)
"""The longest that finding the recording may take off the time in which a cover is waited for."""

Known = answers.Known


async def run(tools: Tools, lookup_ids: Sequence[int], band: model.Band) -> None:
    """Bring each of these lookups as far as what is known allows."""
    async with tools.database.connection() as conn:
        waiting = await lookups.load_pending(conn, lookup_ids)
    waiting = await offline.begin(tools, waiting, band)
    async with tools.database.connection() as conn:
        known = await known_of(conn, waiting)
    foreseen = await _foresee(tools, waiting, known, band)
    looks = [await asyncio.to_thread(look_at, tools, each, known, band, foreseen[each.id]) for each in waiting]
    async with tools.database.transaction() as conn:
        news = [each for look in looks for each in look.news]
        for each in news:
            if each.alone:
                await replies.forget_one(conn, each.source, each.key)
        await wants.want(conn, "match", news, band, tools.clock.now())
        await _note(tools, conn, looks, foreseen, band)
        if band > model.Band.LOW_PRIORITY:
            asked = {key for _, key in known}
            await preview.begin(
                tools, conn, [each for each in waiting if contract.key(question(each)) not in asked], band
            )
            await preview.ahead(tools, conn, {look.lookup.id: look.likely for look in looks if look.likely}, band)
        await settle(tools, conn, [look for look in looks if look.decision is not None], band)
        if band is model.Band.LOW_PRIORITY:
            await discography.begin_known(tools, conn, [each.id for each in waiting if each.opens or each.is_tenth])


async def known_of(conn: Connection, waiting: Sequence[lookups.Pending]) -> Known:
    """Load what was answered to these names' questions, and to the questions that those answers led to."""
    asked = {contract.key(each) for lookup in waiting for each in (question(lookup), as_sent(lookup))}
    found = await replies.load(conn, list(asked))
    respelt = [contract.key(each) for lookup in waiting if (each := _respelt(lookup, found))]
    found |= await replies.load(conn, respelt) if respelt else {}
    further = [contract.key(each) for reply in found.values() for each in answers.answer(reply).follow_ups]
    return {**found, **(await replies.load(conn, further) if further else {})}


async def _foresee(
    tools: Tools, waiting: Sequence[lookups.Pending], known: Known, band: model.Band
) -> dict[int, Outlook | None]:
    """Judge the answers that are here, and say what is foreseen of those that are not, by the lookup's id."""

    def serves(place: int, reply: replies.Reply) -> bool | None:
        asked = decide.Asked(waiting[place].artist, waiting[place].track, waiting[place].release)
        return answers.serves(tools, asked, reply, known)

    opens = [
        predicting.open_question(
            (each.artist, each.track, each.release),
            each.plays,
            each.tries if band > model.Band.LOW_PRIORITY else max(0, each.tries - 1),  # the first leaves the slow out
            _questions(tools, each),
            known,
        )
        for each in waiting
    ]
    async with tools.database.transaction() as conn:
        found = await predicting.outlooks(tools, conn, opens, serves, band)
    return {each.id: outlook for each, outlook in zip(waiting, found, strict=True)}


def _questions(tools: Tools, lookup: lookups.Pending) -> dict[str, contract.Question]:
    return {source.name: question(lookup) for source in tools.answering(contract.FindRecording)}


async def _note(
    tools: Tools, conn: Connection, looks: Sequence[Look], foreseen: Mapping[int, Outlook | None], band: model.Band
) -> None:
    """Keep what was chosen of whom to ask, of names that the first waves have not decided."""
    for look in looks:
        outlook = foreseen[look.lookup.id]
        if outlook is not None and (look.exhausted or {new.source for new in look.news} - predicting.ALWAYS_ASKED):
            able = asking.considered(_questions(tools, look.lookup), look.lookup, band)
            await predicting.note(tools, conn, "match", look.lookup.id, outlook, able)


async def give_up(tools: Tools, lookup_ids: Sequence[int], why: str) -> None:
    """Mark lookups whose job cannot be run."""
    async with tools.database.transaction() as conn:
        waiting = await lookups.load_pending(conn, lookup_ids)
        await _finish(tools, conn, [_failed(tools, each, why) for each in waiting])


async def heard(tools: Tools, conn: Connection, asked: Sequence[lookups.Pending]) -> dict[int, list[decide.Option]]:
    """Return the recordings that were told of for each of these names, decided or not, by the lookup's id."""
    known = await known_of(conn, asked)
    return await asyncio.to_thread(lambda: {each.id: _told_of(tools, each, known) for each in asked})


def _told_of(tools: Tools, lookup: lookups.Pending, known: Known) -> list[decide.Option]:
    other = _respelt(lookup, known)
    keys = {contract.key(each) for each in (question(lookup), as_sent(lookup), other) if each is not None}
    return answers.options(tools, [reply for (_, of), reply in known.items() if of in keys], known)


def question(lookup: lookups.Pending) -> contract.FindRecording:
    """Return the one question that this lookup's (artist, track) is: without what surely is no part of the title."""
    return contract.FindRecording(lookup.artist, readings.to_ask(lookup.track))


def as_sent(lookup: lookups.Pending) -> contract.FindRecording:
    """Return the question word for word, for sources that compare whole names: one may be called "07 - Wake Up"."""
    return contract.FindRecording(lookup.artist, lookup.track)


class Look(NamedTuple):
    """What one look at a lookup came to: a decision, or what to want (nothing, where it waits already)."""

    lookup: lookups.Pending
    decision: decide.Decision | None
    unreached: bool  # a source could not be reached, so "nothing" is not known
    news: list[wants.New]
    covers: tuple[artwork_candidates.New, ...] = ()  # that the answers name of the chosen recording's album
    ids: tuple[source_ids.Told, ...] = ()  # that the answers tell of the chosen recording, its album and its artists
    likely: str = ""  # the MBID of the release it will most likely be, where only the description is awaited
    exhausted: bool = False  # nobody is left to be asked


Asking = answers.Asking


def look_at(
    tools: Tools, lookup: lookups.Pending, known: Known, band: model.Band, outlook: Outlook | None = None
) -> Look:
    """Go through the waves until the answers decide, or one has not been answered yet."""
    asked = decide.Asked(lookup.artist, lookup.track, lookup.release)
    offered = offline.options(tools, lookup)
    told: list[replies.Reply] = []
    for wave in _waves(tools, lookup, known, band, outlook):
        todo = [(source, each) for source, each in wave if (source.name, contract.key(each)) not in known]
        heard = {
            (source, each): known[source.name, contract.key(each)]
            for source, each in wave
            if (source, each) not in todo
        }
        told += heard.values()
        todo += answers.further(tools, told, known)
        more = offered if _have_all_told(tools, told) else []  # it knows one of those that fold together, as a voice
        decision = _decide(asked, [*answers.options(tools, told, known), *more], certain=True)
        if isinstance(decision, decide.Chosen) and _is_sure(tools, decision, told) and not _is_bare(decision, todo):
            ids = elsewhere.of_decision(tools, decision, told, known)
            return Look(lookup, decision, False, [], trails.named(tools, decision, told, known), ids)
        if todo:
            news = [_new(lookup, source.name, each, opens=_lists(source)) for source, each in todo]
            return Look(lookup, None, False, news, likely=_likely(decision, todo))
        if cut := [asking for asking, reply in heard.items() if answers.answer(reply).cut]:
            return Look(lookup, None, False, [_new(lookup, source.name, each, alone=True) for source, each in cut])
    unreached = any(reply.outcome is replies.Outcome.GIVEN_UP for reply in told)
    last = _decide(asked, [*answers.options(tools, told, known), *offered], certain=False)
    covers, ids = trails.named(tools, last, told, known), elsewhere.of_decision(tools, last, told, known)
    return Look(lookup, last, unreached, [], covers, ids, exhausted=True)


def _waves(
    tools: Tools, lookup: lookups.Pending, known: Known, band: model.Band, outlook: Outlook | None = None
) -> Iterator[list[Asking]]:
    """List, wave by wave, whom to put which question."""
    other, asked, sent = _respelt(lookup, known), question(lookup), as_sent(lookup)
    differs = contract.key(asked) != contract.key(sent)
    for wave in asking.waves(tools.answering(contract.FindRecording), lookup, band, outlook):
        if not wave.anew:
            whole = [source for source in wave.sources if differs and source.name in asking.BULK]
            yield [*((source, asked) for source in wave.sources), *((source, sent) for source in whole)]
        elif other:
            yield [(source, other) for source in wave.sources]


def _respelt(lookup: lookups.Pending, known: Known) -> contract.FindRecording | None:
    """Return the name as a source without MBIDs spells it, where that is another question; None where none knows it."""
    key = contract.key(question(lookup))
    there = [reply for (_, of), reply in known.items() if of == key]
    options = [option for reply in there for option in answers.found(reply) if not option.recording.mbid]
    decision = decide.decide(decide.Asked(lookup.artist, lookup.track, lookup.release), options)
    if not isinstance(decision, decide.Chosen):
        return None
    recording = decision.weighed.option.recording
    other = contract.FindRecording(recording.artist_credit.name, recording.title)
    return other if contract.key(other) != key else None


def _is_sure(tools: Tools, decision: decide.Chosen, told: Sequence[replies.Reply]) -> bool:
    """Tell whether a decision need not wait for the broadest source.

    ListenBrainz folds names hard ("Heysátan" is "Heysatan") and tells only one of those that fold together: what is
    not spelt as asked is held against MusicBrainz, which has them all.
    """
    return decision.weighed.distance < SURE or _have_all_told(tools, told)


def _have_all_told(tools: Tools, told: Sequence[replies.Reply]) -> bool:
    """Tell whether the broadest source has answered, where it may be asked."""
    broad = {source.name for source in tools.sources} & set(asking.BROAD)
    return broad <= {reply.source for reply in told}


def _is_bare(decision: decide.Chosen, todo: Sequence[Asking]) -> bool:
    """Tell whether the chosen recording is only mentioned yet, and its description, with the album, still to come."""
    return any(each == contract.DescribeRecording(decision.weighed.option.recording.mbid) for _, each in todo)


def _likely(decision: decide.Decision, todo: Sequence[Asking]) -> str:
    """Return the MBID of the release that a decision has come to, though the recording's description is awaited."""
    if not isinstance(decision, decide.Chosen) or decision.release is None or not _is_bare(decision, todo):
        return ""
    return decision.release.mbid


def _decide(asked: decide.Asked, options: Sequence[decide.Option], *, certain: bool) -> decide.Decision:
    """Decide among recordings with an MBID; those of other catalogues count only when everybody has answered."""
    own = [option for option in options if option.recording.mbid]
    decision = decide.decide(asked, own)
    if certain or not isinstance(decision, decide.Nothing):
        return decision
    foreign = decide.decide(asked, [option for option in options if not option.recording.mbid])
    return foreign if isinstance(foreign, decide.Chosen) else decision


def _lists(source: contract.Source) -> bool:
    """Tell whether a source lists an artist's releases, so that knowing the artist there is worth it."""
    return contract.BrowseReleases in source.policy.answers


def _new(
    lookup: lookups.Pending, source: str, each: contract.Question, *, alone: bool = False, opens: bool = False
) -> wants.New:
    return wants.New(
        source=source,
        key=contract.key(each),
        kind=contract.kind(each),
        question=each,
        subject_id=lookup.id,
        plays=max(1, lookup.plays),
        alone=alone,
        leads=lookup.leads,
        opens=opens and lookup.opens,
    )


async def settle(tools: Tools, conn: Connection, looks: Sequence[Look], band: model.Band) -> None:
    """Store what was decided, have covers looked for, and tell those who play these names."""
    chosen = [(look, look.decision) for look in looks if isinstance(look.decision, decide.Chosen)]
    kept = await keep(tools, conn, [decision for _, decision in chosen])
    outcomes = [matches.matched(look.lookup.id, identity) for (look, _), identity in zip(chosen, kept, strict=True)]
    outcomes += [
        _undecided(tools, look.lookup, look.decision, look.unreached)
        for look in looks
        if isinstance(look.decision, decide.Abstained | decide.Nothing)
    ]
    await _finish(tools, conn, outcomes)
    await source_ids.tell(conn, [each for look, _ in chosen for each in look.ids], tools.clock.now())
    await wants.withdraw(conn, "match", [look.lookup.id for look in looks])
    for (look, _), identity in zip(chosen, kept, strict=True):
        if identity.release_group_id is not None:
            await artwork_candidates.put(conn, identity.release_group_id, look.covers)
    await want_covers(tools, conn, kept, band, [_since(look.lookup, band, tools.clock.now()) for look, _ in chosen])
    await reconsider.begin(conn, [look.lookup.id for look in looks], band)
    if band is model.Band.LOW_PRIORITY:
        await discography.begin(tools, conn, [look.lookup.id for look, _ in chosen])


async def keep(tools: Tools, conn: Connection, chosen: Sequence[decide.Chosen]) -> list[matches.Identity]:
    """Store the recordings and releases of these decisions; return them as rows to point at."""
    decided = [each.match for each in chosen]
    kept = await catalog.keep(conn, [(each.recording, each.release) for each in decided], tools.clock.now())
    return [
        matches.Identity(
            recording_id=row.recording_id,
            release_id=row.release_id,
            release_group_id=row.release_group_id,
            source=each.source,
            distance=each.distance,
            reason=each.reason,
            penalties=each.penalties,
        )
        for each, row in zip(decided, kept, strict=True)
    ]


async def want_covers(
    tools: Tools,
    conn: Connection,
    identities: Sequence[matches.Identity],
    band: model.Band,
    since: Sequence[datetime] | None = None,
) -> None:
    """Have the covers of these albums looked for, where nobody did yet; `since` is when each began to be waited for."""
    now = tools.clock.now()
    editions: dict[int, int] = {}
    waited: dict[int, datetime] = {}
    for each, at in zip(identities, since or [now] * len(identities), strict=True):
        if each.release_group_id is not None and each.release_id is not None:
            editions[each.release_group_id] = each.release_id
            waited[each.release_group_id] = at
    new = await artworks.want(conn, editions, now, waited)
    await jobs.enqueue(conn, "artwork", new, band)


def _since(lookup: lookups.Pending, band: model.Band, now: datetime) -> datetime:
    """Say since when somebody waits for the cover: since the play came, though the cover gets its time, too."""
    if band is model.Band.LOW_PRIORITY:
        return now
    return max(lookup.created_at, now - HEAD_START)


def _undecided(
    tools: Tools, lookup: lookups.Pending, decision: decide.Abstained | decide.Nothing, unreached: bool
) -> matches.Outcome:
    if unreached:
        return _failed(tools, lookup, "Not every source could be reached; it is tried again later.")
    candidates = decision.candidates if isinstance(decision, decide.Abstained) else ()
    return matches.Outcome(
        lookup_id=lookup.id,
        status=model.Status.NOT_FOUND,
        reason=decision.reason,
        candidates=candidates,
        recheck_at=pipeline_tools.recheck_absence(lookup.tries, tools.clock.now()),
    )


def _failed(tools: Tools, lookup: lookups.Pending, why: str) -> matches.Outcome:
    return matches.Outcome(
        lookup_id=lookup.id,
        status=model.Status.FAILED,
        reason=why,
        recheck_at=pipeline_tools.recheck_fault(lookup.tries, tools.clock.now()),
    )


async def _finish(tools: Tools, conn: Connection, outcomes: Sequence[matches.Outcome]) -> None:
    """Write the outcomes and tell each account that plays these names, and only of its own."""
    now = tools.clock.now()
    await matches.settle(conn, outcomes, now)
    owners = await matches.accounts_of_lookups(conn, [outcome.lookup_id for outcome in outcomes])
    for account_id, ids in owners.items():
        await store_events.tell(conn, [account_id], events.LookupsDecided(tuple(ids)), now)
    bare = [each.lookup_id for each in outcomes if each.identity is None or each.identity.release_group_id is None]
    await sent_images.begin_bare(conn, bare, model.Band.LOW_PRIORITY, now)
    if outcomes:
        await store_events.wake_waiting(conn)
