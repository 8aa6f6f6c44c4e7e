"""Popular names: what is played most is kept complete, a little at a time; and the stage that looks at one name.

    once a night            -> the most played are counted anew, and what each is missing
    so many an hour         -> the next names are taken up, spread evenly, at the lowest priority
    an import's first pass waits, or what was taken up is not answered   -> nothing is taken up
    the name is not matched -> looked for again, as the recheck does
    its match is whole      -> the recording is described anew by everybody who can: dates, types, ids, genres, covers;
                               its album's cover and its artists' portraits are looked for where they are due, and
                               what other sources call them is collected (collecting.py)
    a shop's match, or one without an album  -> the names are asked for again; only a whole match takes its place
    nothing is left to do   -> a name of the public list becomes a lookup without plays, and is matched

The stage's subject is a lookup that is taken up. What a refresh does not find stays as it was: nothing here takes a
match away, and a fault or an absence only ends the look. So does a cover that a listener chose, which does not stand
where the album's stands.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

import msgspec
import structlog

from sleevenotes import events, model
from sleevenotes.matching import decide
from sleevenotes.pipeline import collecting, entering, match, reconsider, refreshed
from sleevenotes.pipeline.refreshed import Heard
from sleevenotes.pipeline.tools import Tools
from sleevenotes.sources import contract
from sleevenotes.store import events as store_events
from sleevenotes.store import jobs, lookups, matches, popular, popular_seeds, postgres, replies, source_ids, wants
from sleevenotes.store.popular import Subject
from sleevenotes.store.postgres import Connection

STAGE = "popular"

ROUND = 60.0
"""Seconds between rounds."""

NIGHT = 3
"""Hour (UTC) after which the most played are counted anew."""

FRESH = timedelta(days=1)
"""What a source said so lately is not asked for again."""

log = structlog.get_logger(__name__)


class Rule(NamedTuple):
    """How many names are kept complete (0: none), how many are taken up in an hour, and after how long again.

    `asked` are the sources of which their own ids are wanted.
    """

    names: int
    per_hour: int
    age: timedelta
    asked: popular.Asked = popular.NOBODY


async def run(tools: Tools, rule: Rule) -> None:
    """Go round for ever."""
    while True:
        try:
            await one_round(tools, rule)
        except Exception as error:
            if not postgres.is_passing(error):
                raise
            log.warning("popular: the database is away", error=repr(error))
        await tools.clock.sleep(ROUND)


async def one_round(tools: Tools, rule: Rule) -> None:
    """Count the most played anew where it is time, and take up this minute's share."""
    if rule.names <= 0:
        return
    now = tools.clock.now()
    async with tools.database.transaction() as conn:
        drip = await popular.lock_drip(conn)
        if drip.listed_at is None or drip.listed_at < _last_night(now):
            await list_anew(conn, rule, now)
            drip = await popular.lock_drip(conn)
        await popular.measure(conn, rule.asked, since=now - timedelta(hours=1))
        share, spent_to = _share(drip.spent_to, now, rule.per_hour)
        holds = await _holds(conn, rule, now) if share else drip.holds
        if share and not holds:
            await _take(tools, conn, rule, share, now)
            await collecting.begin_again(conn, share, now)
        left_at = spent_to if share and not holds else drip.spent_to
        await popular.set_drip(conn, msgspec.structs.replace(drip, spent_to=left_at, holds=holds))


async def list_anew(conn: Connection, rule: Rule, now: datetime) -> None:
    """Count which names are played most, and what each is missing; needs a transaction."""
    drip = await popular.lock_drip(conn)
    await popular.list_most_played(conn, rule.names, now, rule.age, rule.asked)
    await popular.set_drip(conn, msgspec.structs.replace(drip, listed_at=now))


def _last_night(now: datetime) -> datetime:
    tonight = now.replace(hour=NIGHT, minute=0, second=0, microsecond=0)
    return tonight if tonight <= now else tonight - timedelta(days=1)


def _share(spent_to: datetime | None, now: datetime, per_hour: int) -> tuple[int, datetime]:
    """Return how many names may be taken up now, and up to when the time is spent by that.

    At 120 an hour, a round a minute takes two. Time in which nothing was taken is not made up for: after a pause, a
    round takes no more than its own and the last one's share. At 10 an hour, every sixth round takes one.
    """
    each = timedelta(hours=1) / max(1, per_hour)
    earliest = now - max(timedelta(seconds=2 * ROUND), each)
    since = max(spent_to, earliest) if spent_to else now - each
    share = (now - since) // each
    return share, since + share * each


async def _holds(conn: Connection, rule: Rule, now: datetime) -> str:
    """Say why nothing is to be taken up now; "" where something may be."""
    if await popular.in_first_pass(conn, now):
        return "names or covers wait for their first look"
    if await popular.count_open(conn, now) >= max(20, rule.per_hour):
        return "what was taken up before is not answered yet"
    return ""


async def _take(tools: Tools, conn: Connection, rule: Rule, share: int, now: datetime) -> None:
    taken = await popular.take(conn, share, now, rule.age)
    reopened = await popular.reopen(conn, [each.lookup_id for each in taken if not each.matched])
    partial = [each.lookup_id for each in taken if each.matched and not each.whole]
    await replies.forget(conn, "match", [*reopened, *partial], only_unfound=True)
    await popular.looked(conn, [each.lookup_id for each in taken if not each.matched], now)
    await jobs.enqueue(conn, "match", reopened, model.Band.LOW_PRIORITY)
    await jobs.enqueue(conn, STAGE, [each.lookup_id for each in taken if each.matched], model.Band.LOW_PRIORITY)
    if len(taken) < share:
        await _meet_seeds(tools, conn, share - len(taken), now)


async def _meet_seeds(tools: Tools, conn: Connection, limit: int, now: datetime) -> None:
    """Make the next names of the public list lookups, and have them matched as a play would."""
    seeds = await popular_seeds.take(conn, limit, now)
    news = {
        each.identity: lookups.New(each.artist, each.track, each.release, model.Band.LOW_PRIORITY) for each in seeds
    }
    known = await lookups.meet(conn, news, now)
    asked = [entering.Asked(known[identity], new.band, 0, new) for identity, new in news.items()]
    await entering.ask(conn, await entering.unanswered(conn, tools.catalogue, asked, now))
    await popular_seeds.met(conn, [each.met.id for each in asked])


# ---------------------------------------------------------------- the stage


async def stage(tools: Tools, lookup_ids: Sequence[int], _band: model.Band) -> None:
    """Bring the look at each of these names as far as what is known allows; at the lowest priority, whoever woke it."""
    async with tools.database.connection() as conn:
        taken = await popular.subjects(conn, lookup_ids)
    for each in taken:
        await (_describe(tools, each) if each.is_whole else _find(tools, each))


async def give_up(tools: Tools, lookup_ids: Sequence[int], why: str) -> None:
    """Leave these names as they are until they are due again."""
    log.warning("popular: given up", lookups=list(lookup_ids), why=why)
    async with tools.database.transaction() as conn:
        await popular.looked(conn, lookup_ids, tools.clock.now())


async def _describe(tools: Tools, subject: Subject) -> None:
    question = contract.DescribeRecording(subject.recording_mbid)
    key = contract.key(question)
    able = tools.answering(contract.DescribeRecording)
    async with tools.database.connection() as conn:
        known = await replies.load(conn, [key])
    since = subject.taken_at - FRESH
    heard = [known[source.name, key] for source in able if (source.name, key) in known]
    heard = [reply for reply in heard if reply.answered_at >= since]
    silent = {source.name for source in able} - {reply.source for reply in heard}
    if silent:
        await _want(tools, [_new(subject, name, question) for name in sorted(silent)], since)
        return
    now = tools.clock.now()
    async with tools.database.transaction() as conn:
        await refreshed.keep(conn, subject, [Heard.of(reply) for reply in heard], now)
        for reply in heard:  # what was known before is gone by the fault; whoever needs it asks anew
            if reply.outcome is replies.Outcome.GIVEN_UP:
                await replies.forget_one(conn, reply.source, key)
        await popular.looked(conn, [subject.lookup_id], now)
        await collecting.begin(conn, [subject.lookup_id], now)


async def _find(tools: Tools, subject: Subject) -> None:
    """Ask for the names again; only a match that MusicBrainz knows with its album takes the place of the old."""
    asked = lookups.Pending(subject.lookup_id, subject.artist, subject.track, subject.release, 0, 1, subject.created_at)
    async with tools.database.connection() as conn:
        known = await match.known_of(conn, [asked])
    look = await asyncio.to_thread(match.look_at, tools, asked, known, model.Band.LOW_PRIORITY)
    if look.decision is None:
        await _want(tools, [msgspec.structs.replace(new, plays=0) for new in look.news])
        return
    async with tools.database.transaction() as conn:
        if isinstance(look.decision, decide.Chosen) and _is_whole(look.decision):
            await _rematch(tools, conn, subject, look.decision)
            await source_ids.tell(conn, look.ids, tools.clock.now())
        else:
            await collecting.begin(conn, [subject.lookup_id], tools.clock.now())
        await popular.looked(conn, [subject.lookup_id], tools.clock.now())


def _is_whole(decision: decide.Chosen) -> bool:
    found = decision.match
    return bool(found.recording.mbid and found.release and found.release.mbid and found.release.release_group.mbid)


async def _rematch(tools: Tools, conn: Connection, subject: Subject, decision: decide.Chosen) -> None:
    now = tools.clock.now()
    kept = await match.keep(tools, conn, [decision])
    await matches.settle(conn, [matches.matched(subject.lookup_id, identity) for identity in kept], now)
    await match.want_covers(tools, conn, kept, model.Band.LOW_PRIORITY)
    await reconsider.begin(conn, [subject.lookup_id], model.Band.LOW_PRIORITY)
    for account_id, ids in (await matches.accounts_of_lookups(conn, [subject.lookup_id])).items():
        await store_events.tell(conn, [account_id], events.LookupsDecided(tuple(ids)), now)


def _new(subject: Subject, source: str, question: contract.Question) -> wants.New:
    """Write a question that goes behind everything else of the lowest priority: nobody's plays wait for it."""
    return wants.New(source, contract.key(question), contract.kind(question), question, subject.lookup_id, plays=0)


async def _want(tools: Tools, news: Sequence[wants.New], since: datetime | None = None) -> None:
    """Put these questions; what was answered before `since` is asked anew."""
    async with tools.database.transaction() as conn:
        for new in news:
            if new.alone:
                await replies.forget_one(conn, new.source, new.key)
        await wants.want(conn, STAGE, news, model.Band.LOW_PRIORITY, tools.clock.now(), since=since)
