"""The evidence stage: what only one play knows, its client's MusicBrainz id, checked against its names.

A client's id is a hint. The recording it names becomes this play's own match when the play's artist and track agree
with it; the match shared by all who play that name is left alone. Where it disagrees, or does not exist, the shared
match stands.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from sleevenotes import events, model
from sleevenotes.matching import decide
from sleevenotes.pipeline import match
from sleevenotes.pipeline.tools import Tools
from sleevenotes.sources import contract
from sleevenotes.store import events as store_events
from sleevenotes.store import matches, replies, scrobbles, wants


async def run(tools: Tools, scrobble_ids: Sequence[int], band: model.Band) -> None:
    """Look at the evidence of these plays, as far as it has been asked about."""
    async with tools.database.transaction() as conn:
        plays = await scrobbles.with_evidence(conn, scrobble_ids)
        known = await replies.load(conn, [contract.key(question(play)) for play in plays])
        await wants.want(conn, "evidence", _news(tools, plays, known), band, tools.clock.now())
        chosen = [(play, decision) for play in plays if (decision := _decide(tools, play, known)) is not None]
        kept = await match.keep(tools, conn, [decision for _, decision in chosen])
        for (play, _), identity in zip(chosen, kept, strict=True):
            await matches.keep(conn, identity, tools.clock.now(), scrobble_id=play.id)
            decided = events.LookupsDecided((play.lookup_id,))
            await store_events.tell(conn, [play.account_id], decided, tools.clock.now())
        await match.want_covers(tools, conn, kept, band)


async def give_up(tools: Tools, scrobble_ids: Sequence[int], why: str) -> None:
    """Leave the shared match in force: evidence that cannot be looked at is no evidence."""


def question(play: scrobbles.WithEvidence) -> contract.DescribeRecording:
    """Return what to ask about this play's evidence."""
    return contract.DescribeRecording(play.evidence.recording_mbid)


def _news(
    tools: Tools,
    plays: Sequence[scrobbles.WithEvidence],
    known: match.Known,
) -> list[wants.New]:
    asked = [(play, source) for play in plays if (source := _whom(tools, play, known)) is not None]
    return [
        wants.New(
            source=source.name,
            key=contract.key(question(play)),
            kind=contract.kind(question(play)),
            question=question(play),
            subject_id=play.id,
        )
        for play, source in asked
    ]


def _whom(tools: Tools, play: scrobbles.WithEvidence, known: match.Known) -> contract.Source | None:
    """Return whom to ask: one after another, the one who takes a thousand ids first; nobody once one has answered."""
    able = tools.answering(contract.DescribeRecording)
    key = contract.key(question(play))
    heard = [known[source.name, key] for source in able if (source.name, key) in known]
    if any(reply.outcome is replies.Outcome.ANSWERED for reply in heard):
        return None
    return next((source for source in able if (source.name, key) not in known), None)


def _decide(tools: Tools, play: scrobbles.WithEvidence, known: match.Known) -> decide.Chosen | None:
    """Accept the recording that the client named, if it goes by the names that the client sent."""
    key = contract.key(question(play))
    told = [known[source.name, key] for source in tools.sources if (source.name, key) in known]
    options = [
        decide.Option(candidate.recording, candidate.releases, reply.source)
        for reply in told
        for candidate in msgspec.convert(reply.answer, contract.Answer).candidates
        if isinstance(candidate, contract.RecordingCandidate)
    ]
    decision = decide.decide(decide.Asked(play.artist, play.track, play.release), options[:1])
    return decision if isinstance(decision, decide.Chosen) else None
