"""The search stage: what a listener asks for to correct a match, by names or by a pasted link.

    begun       -> want the question, urgently, of whom the link names or of who has the broadest search, and end
    answered    -> want the next page of an album that has several, or the release that a Discogs master names
    all is here -> the candidates, the nearest first, kept with the search; the listener's pages are told
    unreachable -> failed, and said so

Its subject is a search's id. Nothing is decided here: the listener chooses (`pipeline.corrections`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import Final, NamedTuple

import msgspec
import structlog

from sleevenotes import errors, events, model
from sleevenotes.matching import decide
from sleevenotes.pipeline import links
from sleevenotes.pipeline.tools import Tools
from sleevenotes.sources import contract
from sleevenotes.store import events as store_events
from sleevenotes.store import jobs, lookups, replies, searches, wants
from sleevenotes.store.postgres import Connection
from sleevenotes.store.searches import Search

WHOM: Final = ("musicbrainz", "deezer")
"""Who is asked for names: the broadest, and the quickest, which knows much that is not there yet."""

KEPT: Final = 12
"""Candidates kept of a search for one name."""

KEPT_OF_ALBUM: Final = 400
"""Recordings kept of an album; a listener's names of it are looked for among them."""

PAGES: Final = 5
"""Pages of a release group's releases that are asked for, each up to 500 tracks."""

LONGEST_NAME: Final = 500

MOST_PENDING: Final = 20
"""Searches of one account under way: they go before everything else that is asked."""

log = structlog.get_logger(__name__)


# ---------------------------------------------------------------- beginning


async def by_names(
    conn: Connection,
    account_id: int,
    lookup_id: int,
    artist: str,
    track: str,
    *,
    whole_album: bool = False,
    now: datetime,
) -> int:
    """Begin a search for an artist and a track; return its id. Call it in a transaction.

    Raises errors.Refused, naming the field, where one is empty or too long, or too many searches are under way.
    """
    artist, track = " ".join(artist.split()), " ".join(track.split())
    for field, text in (("artist", artist), ("track", track)):
        if not text:
            raise errors.Refused(f"{field} is empty: a search needs an artist and a track.", field=field)
        if len(text) > LONGEST_NAME:
            raise errors.Refused(f"{field} has more than {LONGEST_NAME} characters.", field=field)
    question = contract.FindRecording(artist, track)
    return await _begin(
        conn, account_id, lookup_id, question, f"{track} by {artist}", "", whole_album=whole_album, now=now
    )


async def by_link(
    conn: Connection, account_id: int, lookup_id: int, link: str, *, whole_album: bool = False, now: datetime
) -> int:
    """Begin to ask what a link leads to; return the search's id. Call it in a transaction.

    Raises errors.Refused, of the field "link", where it is none of those that can be asked.
    """
    read = links.parse(link)
    if whole_album and not read.of_album:
        raise errors.Refused(
            "This link is of one recording. For a whole album, paste its release's or release group's.", field="link"
        )
    return await _begin(
        conn, account_id, lookup_id, read.question, read.address, read.source, whole_album=whole_album, now=now
    )


async def _begin(
    conn: Connection,
    account_id: int,
    lookup_id: int,
    question: contract.Question,
    asked: str,
    source: str,
    *,
    whole_album: bool,
    now: datetime,
) -> int:
    if await searches.pending(conn, account_id) >= MOST_PENDING:
        raise errors.Refused(f"{MOST_PENDING} searches of yours are under way. Wait for their answers.", field="search")
    search_id = await searches.begin(
        conn,
        account_id,
        lookup_id,
        whole_album=whole_album,
        asked=asked,
        source=source,
        question=question,
        now=now,
    )
    await jobs.enqueue(conn, "search", [search_id], model.Band.CRITICAL)
    return search_id


# ---------------------------------------------------------------- the stage


async def run(tools: Tools, search_ids: Sequence[int], band: model.Band) -> None:
    """Bring these searches as far as what is known allows."""
    async with tools.database.connection() as conn:
        waiting = await searches.load_pending(conn, search_ids)
    for each in waiting:
        async with tools.database.transaction() as conn:
            await _advance(tools, conn, each, band)


async def give_up(tools: Tools, search_ids: Sequence[int], why: str) -> None:
    """Say of these searches that they failed."""
    log.warning("search: given up", searches=list(search_ids), why=why)
    async with tools.database.transaction() as conn:
        for each in await searches.load_pending(conn, search_ids):
            await _settle(tools, conn, each, "failed", [])


class Heard(NamedTuple):
    """What has come of a search so far, and what is to be asked next: nothing, once all is here."""

    options: list[decide.Option]
    news: list[wants.New]
    unreached: bool
    cut: list[tuple[str, bytes]]  # replies that tell too little, and are asked for anew


async def _advance(tools: Tools, conn: Connection, search: Search, band: model.Band) -> None:
    heard = Heard([], [], False, [])
    for source in _whom(tools, search):
        heard = _joined(heard, await _hear(conn, search, source))
    if heard.news:
        for name, key in heard.cut:
            await replies.forget_one(conn, name, key)
        await wants.want(conn, "search", heard.news, band, tools.clock.now(), since=search.asked_at)
        return
    candidates = await _weighed(conn, search, heard.options)
    reached = _whom(tools, search) and not heard.unreached
    status: searches.Status = "answered" if candidates else "absent" if reached else "failed"
    await _settle(tools, conn, search, status, candidates)


def _whom(tools: Tools, search: Search) -> list[contract.Source]:
    able = tools.answering(type(_question(search)))
    asked = (search.source,) if search.source else WHOM
    return [source for source in able if source.name in asked]


def _question(search: Search) -> contract.Question:
    question: contract.Question = msgspec.convert(search.question, contract.Question)
    return question


async def _hear(conn: Connection, search: Search, source: contract.Source) -> Heard:
    """Read what a source has answered, page after page, as far as it is here."""
    question: contract.Question | None = _question(search)
    options: list[decide.Option] = []
    for _ in range(PAGES):
        if question is None:
            break
        key = contract.key(question)
        reply = (await replies.load(conn, [key])).get((source.name, key))
        if reply is None or _is_old(reply, search):
            return Heard(options, [_new(search, source, question)], False, [])
        answer = msgspec.convert(reply.answer, contract.Answer)
        if answer.cut:
            return Heard(options, [_new(search, source, question)], False, [(source.name, key)])
        options += _options(answer, source.name)
        if reply.outcome is replies.Outcome.GIVEN_UP:
            return Heard(options, [], True, [])
        question = next((each for each in answer.follow_ups if type(each) is type(question)), None)
    return Heard(options, [], False, [])


def _is_old(reply: replies.Reply, search: Search) -> bool:
    """Tell whether nothing was found, and that before the listener asked: then it is asked again."""
    return reply.outcome is not replies.Outcome.ANSWERED and reply.answered_at < search.asked_at


def _new(search: Search, source: contract.Source, question: contract.Question) -> wants.New:
    key, kind = contract.key(question), contract.kind(question)
    return wants.New(source.name, key, kind, question, search.id, alone=True)


def _options(answer: contract.Answer, source: str) -> list[decide.Option]:
    return [
        decide.Option(each.recording, each.releases, source)
        for each in answer.candidates
        if isinstance(each, contract.RecordingCandidate)
    ]


def _joined(one: Heard, other: Heard) -> Heard:
    return Heard(
        [*one.options, *other.options],
        [*one.news, *other.news],
        one.unreached or other.unreached,
        [*one.cut, *other.cut],
    )


async def _weighed(conn: Connection, search: Search, options: Sequence[decide.Option]) -> list[decide.Weighed]:
    """Weigh what was found against the name as sent, the nearest first; each recording once."""
    name = await lookups.sent(conn, search.lookup_id)
    asked = decide.Asked(name.artist, name.track, name.release)
    return await asyncio.to_thread(_nearest, asked, options, KEPT_OF_ALBUM if search.whole_album else KEPT)


def _nearest(asked: decide.Asked, options: Sequence[decide.Option], most: int) -> list[decide.Weighed]:
    weighed = [decide.weigh(asked, option) for option in decide.united(options)]
    return sorted(weighed, key=lambda one: (one.distance, not one.option.recording.mbid))[:most]


async def _settle(
    tools: Tools, conn: Connection, search: Search, status: searches.Status, candidates: Sequence[decide.Weighed]
) -> None:
    now = tools.clock.now()
    await searches.settle(conn, search.id, status, candidates, now)
    await store_events.tell(conn, [search.account_id], events.SearchesAnswered((search.id,)), now)
