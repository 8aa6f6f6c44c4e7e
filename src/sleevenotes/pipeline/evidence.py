"""The evidence stage: what only one play knows (its client's hints, the plays around it), held against its names.

    a hint that nobody was asked about yet      -> want that, and decide by the others meanwhile
    the evidence says what the names say        -> nothing: the shared match serves
    it says otherwise, and the names agree      -> this play's own match; everybody else's is left alone
    it says otherwise, and the names do not     -> the shared match stands
    nobody knew a hint, or was reached          -> asked again after 1, 2, 4 … 32 days; sooner after faults

What weighs how much is `sleevenotes.matching.evidence`'s. The candidates are those that were told of for the names;
asked for besides are a recording by its MBID, an ISRC, MusicBrainz for an artist whom nobody told of, and for the
releases of a recording that is played amid an album; this and an ISRC where somebody waits, in an import an ISRC only
where the names were not decided.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from sleevenotes import events, model
from sleevenotes.matching import decide, neighbours
from sleevenotes.matching import evidence as matching_evidence
from sleevenotes.pipeline import asking, match, reconsider
from sleevenotes.pipeline.tools import Tools, recheck_absence, recheck_fault
from sleevenotes.sources import contract
from sleevenotes.store import events as store_events
from sleevenotes.store import evidence as store_evidence
from sleevenotes.store import evidence_rechecks, lookups, matches, replies, wants
from sleevenotes.store import neighbours as store_neighbours
from sleevenotes.store.evidence import Play
from sleevenotes.store.postgres import Connection

Asking = tuple[contract.Source, contract.Question]


class Case(NamedTuple):
    """A play, the recordings told of for its names, the album it is amid, and what was answered about its hints."""

    play: Play
    options: list[decide.Option]
    amid: model.ReleaseGroup | None
    known: match.Known


class Look(NamedTuple):
    """What looking at a play came to: its own match, None where the shared one serves, and what to ask."""

    play: Play
    decision: decide.Chosen | None
    todo: list[Asking]
    missed: replies.Outcome | None = None  # how asking about a hint of the play's own ended, where it led to nothing


async def run(tools: Tools, scrobble_ids: Sequence[int], band: model.Band) -> None:
    """Look at these plays, and at what they are played next to, as far as was asked about them."""
    async with tools.database.connection() as conn:
        cases = await _cases(tools, conn, scrobble_ids)
    looks = await asyncio.to_thread(lambda: [_look(tools, case, band) for case in cases])
    chosen = [(look.play, look.decision) for look in looks if look.decision is not None]
    news = [_new(look.play, source.name, each) for look in looks for source, each in look.todo]
    await _date_again(tools, looks, band)
    if not chosen and not news:
        return
    async with tools.database.transaction() as conn:
        await wants.want(conn, "evidence", news, band, tools.clock.now())
        if chosen:
            await _keep(tools, conn, chosen, band)


async def give_up(tools: Tools, scrobble_ids: Sequence[int], why: str) -> None:
    """Leave the shared match in force: evidence that cannot be looked at is no evidence."""


async def _date_again(tools: Tools, looks: Sequence[Look], band: model.Band) -> None:
    """Date the next look at plays whose hints led to nothing; only an import's or a recheck's may be dated already."""
    missed = {look.play.id: look.missed for look in looks if look.missed and not look.todo}
    satisfied = [look.play.id for look in looks if not look.missed and not look.todo]
    if not missed and band > model.Band.LOW_PRIORITY:
        return
    now = tools.clock.now()
    async with tools.database.transaction() as conn:
        tries = await evidence_rechecks.tries(conn, list(missed))
        again_at = {
            scrobble_id: (recheck_fault if outcome is replies.Outcome.GIVEN_UP else recheck_absence)(
                tries[scrobble_id], now
            )
            for scrobble_id, outcome in missed.items()
        }
        await evidence_rechecks.date(conn, again_at)
        await evidence_rechecks.settle(conn, satisfied)


async def _keep(tools: Tools, conn: Connection, chosen: Sequence[tuple[Play, decide.Chosen]], band: model.Band) -> None:
    """Give these plays their own matches, tell their listeners, and have covers looked for."""
    now = tools.clock.now()
    kept = await match.keep(tools, conn, [decision for _, decision in chosen])
    await matches.keep_own(conn, {play.id: each for (play, _), each in zip(chosen, kept, strict=True)}, now)
    await matches.drop_agreeing(conn, list({play.lookup_id for play, _ in chosen}))  # decided in the meantime
    by_account: defaultdict[int, set[int]] = defaultdict(set)
    for play, _ in chosen:
        by_account[play.account_id].add(play.lookup_id)
    for account_id, lookup_ids in sorted(by_account.items()):
        await store_events.tell(conn, [account_id], events.LookupsDecided(tuple(sorted(lookup_ids))), now)
    await match.want_covers(tools, conn, kept, band)


# ---------------------------------------------------------------- what is known


async def _cases(tools: Tools, conn: Connection, scrobble_ids: Sequence[int]) -> list[Case]:
    """Load these plays, and those near them that are amid an album, with all that was told of them."""
    bare = await store_neighbours.of_scrobbles(conn, scrobble_ids, reach=neighbours.REACH, within=reconsider.WITHIN)
    amid = reconsider.amid(bare)
    albums = await store_neighbours.albums(conn, list(set(amid.values())))
    plays = [
        play
        for play in await store_evidence.load(conn, list({*scrobble_ids, *amid}))
        if play.id in amid or _says_something(play)
    ]
    if not plays:
        return []
    options = await match.heard(tools, conn, list({play.lookup_id: _name(tools, play) for play in plays}.values()))
    keys = {
        contract.key(each)
        for play in plays
        for each in (*_own_questions(play), *_shared_questions(play), match.question(_name(tools, play)))
    }
    known = await replies.load(conn, list(keys))
    return [Case(play, options[play.lookup_id], albums.get(amid.get(play.id, 0)), known) for play in plays]


def _says_something(play: Play) -> bool:
    """Tell whether a client told anything that may part this play from others of its name."""
    told = play.evidence
    named = told.recording_mbid or told.isrc or told.artist_mbids or told.release_mbid or told.release_group_mbid
    return bool(named or play.duration_ms)


def _name(tools: Tools, play: Play) -> lookups.Pending:
    return lookups.Pending(play.lookup_id, play.artist, play.track, play.release, 0, 0, tools.clock.now())


def _own_questions(play: Play) -> list[contract.Question]:
    """List what can be asked about the recording that the client named."""
    told, code = play.evidence, matching_evidence.isrc(play.evidence.isrc)
    found: list[contract.Question] = []
    if told.recording_mbid:
        found.append(contract.DescribeRecording(told.recording_mbid))
    if code:
        found.append(contract.FindByIsrc(code, play.artist, play.track))
    return found


def _shared_questions(play: Play) -> list[contract.Question]:
    """List what can be asked about the recording that the names were taken for: on which releases it is."""
    return [contract.DescribeRecording(play.recording)] if play.recording and ":" not in play.recording else []


def _answers(
    case: Case, questions: Sequence[contract.Question], asked: type[contract.Question] = contract.DescribeRecording
) -> list[decide.Option]:
    """Return what was answered to those of these questions that are of a kind."""
    keys = {contract.key(each) for each in questions if isinstance(each, asked)}
    return [
        decide.Option(candidate.recording, candidate.releases, reply.source)
        for (_, key), reply in case.known.items()
        if key in keys
        for candidate in msgspec.convert(reply.answer, contract.Answer).candidates
        if isinstance(candidate, contract.RecordingCandidate)
    ]


# ---------------------------------------------------------------- deciding


def _look(tools: Tools, case: Case, band: model.Band) -> Look:
    play = case.play
    own = _own_questions(play)
    described, coded = _answers(case, own), _answers(case, own, contract.FindByIsrc)
    known = [*_answers(case, _shared_questions(play)), *case.options]
    options = [*described, *coded, *(() if play.pending else known)]
    shared = matching_evidence.Shared(play.recording, play.release_group)
    decision = _by_hints(play, options, _hints(play, described, coded), shared)
    if decision is None and case.amid is not None:
        asked = decide.Asked(play.artist, play.track)
        decision = matching_evidence.decide_amid(asked, options, case.amid, shared)
    further = _for_the_album(tools, case, options, band) if decision is None and case.amid is not None else []
    missed = _missed(case, own) if decision is None else None
    return Look(play, decision, [*_todo(tools, case, options, band), *further], missed)


def _missed(case: Case, own: Sequence[contract.Question]) -> replies.Outcome | None:
    """Return how asking about a hint ended that led to nothing: given up goes before absent; None where all did."""
    missed: set[replies.Outcome] = set()
    for each in own:
        outcomes = {reply.outcome for (_, key), reply in case.known.items() if key == contract.key(each)}
        missed |= outcomes if replies.Outcome.ANSWERED not in outcomes else set()
    return replies.Outcome.GIVEN_UP if replies.Outcome.GIVEN_UP in missed else next(iter(missed), None)


def _hints(play: Play, described: Sequence[decide.Option], coded: Sequence[decide.Option]) -> matching_evidence.Hints:
    told = play.evidence
    named = {told.recording_mbid, *(one.recording.mbid for one in described)} - {""}
    return matching_evidence.Hints(
        recording_mbids=frozenset(named),
        isrc=matching_evidence.isrc(told.isrc),
        by_isrc=frozenset(one.recording.identity for one in coded),
        artist_mbids=frozenset(told.artist_mbids),
        release_mbid=told.release_mbid,
        release_group_mbid=told.release_group_mbid,
        duration_ms=play.duration_ms,
    )


def _by_hints(
    play: Play, options: Sequence[decide.Option], hints: matching_evidence.Hints, shared: matching_evidence.Shared
) -> decide.Chosen | None:
    """Decide by the client's hints; a recording without an MBID counts only where the names are not matched."""
    asked = decide.Asked(play.artist, play.track, play.release)
    own = [one for one in options if one.recording.mbid]
    decision = matching_evidence.decide_own(asked, own, hints, shared)
    if decision is not None or play.recording or play.pending or not hints.by_isrc:
        return decision
    coded = msgspec.structs.replace(hints, artist_mbids=frozenset())  # whom a shop's ids cannot be held against
    return matching_evidence.decide_own(asked, [one for one in options if not one.recording.mbid], coded, shared)


# ---------------------------------------------------------------- asking


def _todo(tools: Tools, case: Case, options: Sequence[decide.Option], band: model.Band) -> list[Asking]:
    """List what to ask about this play: each hint that is not satisfied yet, of one source after another."""
    play, found = case.play, {one.recording.mbid for one in options}
    todo: list[Asking] = []
    for each in _own_questions(play):
        if isinstance(each, contract.DescribeRecording) and each.mbid in found:
            continue
        if isinstance(each, contract.FindByIsrc) and not _is_worth_a_code(play, options, band):
            continue
        todo += _next(case.known, each, _able(tools, play, each, band))
    return [*todo, *_for_the_artist(tools, case, options)]


def _is_worth_a_code(play: Play, options: Sequence[decide.Option], band: model.Band) -> bool:
    """Tell whether to ask for an ISRC: not where the client named the recording, or one told of has it."""
    code = matching_evidence.isrc(play.evidence.isrc)
    if play.evidence.recording_mbid or any(code in one.recording.isrcs for one in options):
        return False
    return band > model.Band.LOW_PRIORITY or not (play.pending or play.recording)


def _able(tools: Tools, play: Play, each: contract.Question, band: model.Band) -> list[contract.Source]:
    """Return whom to ask, in order: sources without MBIDs only where the names are not matched.

    While the names of an import are looked for, only who takes many at once: what most hints say, the names will, too.
    """
    able = tools.answering(type(each))
    if isinstance(each, contract.FindByIsrc) and (play.pending or play.recording):
        return [source for source in able if source.name in asking.BROAD]
    if play.pending and band is model.Band.LOW_PRIORITY:
        return [source for source in able if source.policy.together > 1 and type(each) not in source.policy.singly]
    return able


def _next(known: match.Known, each: contract.Question, able: list[contract.Source]) -> list[Asking]:
    """Return the first who has not been asked; nobody once one has answered."""
    key = contract.key(each)
    heard = [known[source.name, key] for source in able if (source.name, key) in known]
    if any(reply.outcome is replies.Outcome.ANSWERED for reply in heard):
        return []
    return [(source, each) for source in able if (source.name, key) not in known][:1]


def _for_the_artist(tools: Tools, case: Case, options: Sequence[decide.Option]) -> list[Asking]:
    """Ask who has all homonyms, where the names were taken for another artist than the client's and none of it is
    among what was told.
    """
    play, artists = case.play, set(case.play.evidence.artist_mbids)
    told = {part.mbid for one in options for part in one.recording.artist_credit.names}
    if not play.recording or not artists or artists & (told | play.artist_mbids):
        return []
    question = match.question(_name(tools, play))
    broad = [source for source in tools.answering(contract.FindRecording) if source.name in asking.BROAD]
    return [(source, question) for source in broad if (source.name, contract.key(question)) not in case.known]


def _for_the_album(tools: Tools, case: Case, options: Sequence[decide.Option], band: model.Band) -> list[Asking]:
    """Ask who knows all releases of a recording, where others told of it: they name one.

    Not in an import: a request for each such play would hold up the names that share one between thirty-two.
    """
    play = case.play
    if band is model.Band.LOW_PRIORITY:
        return []
    if any(one.recording.mbid == play.recording and one.source in asking.BROAD for one in options):
        return []
    broad = [source for source in tools.answering(contract.DescribeRecording) if source.name in asking.BROAD]
    return [
        (source, each)
        for each in _shared_questions(play)
        for source in broad
        if (source.name, contract.key(each)) not in case.known
    ]


def _new(play: Play, source: str, each: contract.Question) -> wants.New:
    return wants.New(source=source, key=contract.key(each), kind=contract.kind(each), question=each, subject_id=play.id)
