"""The match stage: from a lookup's text to a recording and a release, or to "not found", or to more questions.

    nobody asked yet           -> want the recording question of every source that answers it, and end
    a source has not answered  -> end; its lane wakes us
    the answers decide it      -> match; the album's cover is wanted
    all answered, none fits    -> not_found, asked again after 1, 2, 4 … 32 days; candidates are kept for review
    retries of faults spent    -> failed, tried again sooner

There is one recording question per (artist, track): a lookup with another release finds it answered, and only its
release is chosen anew.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

import msgspec

from sleevenotes import events, model
from sleevenotes.matching import decide
from sleevenotes.pipeline import tools as pipeline_tools
from sleevenotes.pipeline.tools import Tools
from sleevenotes.sources import contract
from sleevenotes.store import artworks, catalog, jobs, lookups, matches, replies, wants
from sleevenotes.store import events as store_events
from sleevenotes.store.postgres import Connection

Known = Mapping[tuple[str, bytes], replies.Reply]


async def run(tools: Tools, lookup_ids: Sequence[int], band: model.Band) -> None:
    """Bring each of these lookups as far as what is known allows."""
    async with tools.database.connection() as conn:
        waiting = await lookups.load_pending(conn, lookup_ids)
        known = await replies.load(conn, [contract.key(question(each)) for each in waiting])
    answerable = [each for each in waiting if not _unasked(tools, each, known)]
    decided = [(each, await asyncio.to_thread(_decide, tools, each, known)) for each in answerable]
    async with tools.database.transaction() as conn:
        await _want(tools, conn, [each for each in waiting if each not in answerable], known, band)
        await _settle(tools, conn, decided, band)


async def give_up(tools: Tools, lookup_ids: Sequence[int], why: str) -> None:
    """Mark lookups whose job cannot be run."""
    async with tools.database.transaction() as conn:
        waiting = await lookups.load_pending(conn, lookup_ids)
        await _finish(tools, conn, [_failed(tools, each, why) for each in waiting])


def question(lookup: lookups.Pending) -> contract.FindRecording:
    """Return the one question that this lookup's (artist, track) is."""
    return contract.FindRecording(lookup.artist, lookup.track)


def _unasked(tools: Tools, lookup: lookups.Pending, known: Known) -> list[contract.Source]:
    key = contract.key(question(lookup))
    return [source for source in tools.answering(contract.FindRecording) if (source.name, key) not in known]


async def _want(
    tools: Tools, conn: Connection, waiting: Sequence[lookups.Pending], known: Known, band: model.Band
) -> None:
    news = [
        wants.New(
            source=source.name,
            key=contract.key(question(lookup)),
            kind=contract.kind(question(lookup)),
            question=question(lookup),
            subject_id=lookup.id,
            plays=max(1, lookup.plays),
        )
        for lookup in waiting
        for source in _unasked(tools, lookup, known)
    ]
    await wants.want(conn, "match", news, band, tools.clock.now())


def _decide(tools: Tools, lookup: lookups.Pending, known: Known) -> tuple[decide.Decision, bool]:
    """Decide from every source's candidates; also say whether a source could not be reached."""
    key = contract.key(question(lookup))
    told = [known[source.name, key] for source in tools.answering(contract.FindRecording)]
    options = [
        decide.Option(candidate.recording, candidate.releases, reply.source)
        for reply in told
        for candidate in msgspec.convert(reply.answer, contract.Answer).candidates
        if isinstance(candidate, contract.RecordingCandidate)
    ]
    unreached = any(reply.outcome is replies.Outcome.GIVEN_UP for reply in told)
    asked = decide.Asked(lookup.artist, lookup.track, lookup.release)
    return decide.decide(asked, options), unreached


async def _settle(
    tools: Tools,
    conn: Connection,
    decided: Sequence[tuple[lookups.Pending, tuple[decide.Decision, bool]]],
    band: model.Band,
) -> None:
    """Store what was decided, have covers looked for, and tell those who play these names."""
    chosen = [(each, decision) for each, (decision, _) in decided if isinstance(decision, decide.Chosen)]
    kept = await keep(tools, conn, [decision for _, decision in chosen])
    outcomes = [matches.matched(each.id, identity) for (each, _), identity in zip(chosen, kept, strict=True)]
    for each, (decision, unreached) in decided:
        if not isinstance(decision, decide.Chosen):
            outcomes.append(_undecided(tools, each, decision, unreached))
    await _finish(tools, conn, outcomes)
    await want_covers(tools, conn, kept, band)


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


async def want_covers(tools: Tools, conn: Connection, identities: Sequence[matches.Identity], band: model.Band) -> None:
    """Have the covers of these albums looked for, where nobody did yet."""
    editions = {
        each.release_group_id: each.release_id
        for each in identities
        if each.release_group_id is not None and each.release_id is not None
    }
    new = await artworks.want(conn, editions, tools.clock.now())
    await jobs.enqueue(conn, "artwork", new, band)


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
