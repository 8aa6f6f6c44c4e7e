"""The discography stage: where many names of one artist wait, its releases are listed instead of searching for each.

    many names of an artist wait                -> one of them is searched for before anything else of an import
    it or another is matched, or was long ago   -> want the artist's releases, page one
    names enough still wait for each page that is left      -> want the next page
    all pages are here      -> the names that they answer surely are answered, their searches withdrawn
    everything else         -> searched for as ever: misspelt, on bootlegs or compilations, by guests

A page lists up to a hundred releases or five hundred tracks (upstreams §1.3), and nobody crowds it: a search answers
some eight names whoever they are by. Its subject is the lookup that told who the artist is. Only all pages together
tell on which release a recording came first, so a discography that is not listed to its end answers nothing.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import NamedTuple

import msgspec

from sleevenotes import model, names
from sleevenotes.matching import decide, release
from sleevenotes.pipeline.tools import Tools
from sleevenotes.sources import contract
from sleevenotes.store import discographies, jobs, replies, wants
from sleevenotes.store.discographies import Told, Waiting
from sleevenotes.store.postgres import Connection

SURE = 0.1
"""Distance below which a name of the same title is that recording: another way of writing it (matching.distance)."""

KEPT = timedelta(days=30)
"""How long a page that was read is good for other names of its artist."""

SPENT = timedelta(hours=1)
"""How long a page that could not be had is not asked for again."""

_SEARCH = contract.tag(contract.FindRecording)


async def begin(tools: Tools, conn: Connection, lookup_ids: Sequence[int]) -> None:
    """Look into the discographies of the artists that these matched names have told, where it is worth it."""
    if tools.answering(contract.BrowseReleases) and lookup_ids:
        await _begin(tools, conn, await discographies.told(conn, lookup_ids))


async def begin_known(tools: Tools, conn: Connection, lookup_ids: Sequence[int]) -> None:
    """Do so where earlier names have told who the artists of these waiting names are."""
    if tools.answering(contract.BrowseReleases) and lookup_ids:
        await _begin(tools, conn, list((await discographies.known(conn, lookup_ids)).values()))


async def read(conn: Connection, source: str, lookup_ids: Sequence[int]) -> dict[int, bool]:
    """Tell of these waiting names whose artist is known whether the artist's releases have been read at this source."""
    known = await discographies.known(conn, lookup_ids)
    keys = {each: contract.key(contract.BrowseReleases(told.artist_mbid)) for each, told in known.items()}
    heard = await replies.heard(conn, source, list(keys.values()))
    return {each: key in heard for each, key in keys.items()}


async def _begin(tools: Tools, conn: Connection, tellers: Sequence[Told]) -> None:
    told = {each.artist_key: each for each in tellers}
    await discographies.opened(conn, list(told))
    first = {each.artist_key: contract.key(contract.BrowseReleases(each.artist_mbid)) for each in told.values()}
    known = await replies.load(conn, list(first.values()))
    for source in tools.answering(contract.BrowseReleases):
        pages = {artist: known.get((source.name, key)) for artist, key in first.items()}
        since = {artist: page.answered_at if page else None for artist, page in pages.items()}
        counted = await discographies.count(conn, source.name, _SEARCH, since)
        worth = [told[artist].lookup_id for artist, count in counted.items() if count >= discographies.WORTH]
        await jobs.enqueue(conn, "discography", worth, model.Band.LOW_PRIORITY)


async def run(tools: Tools, lookup_ids: Sequence[int], band: model.Band) -> None:
    """Bring the discographies that these names told of as far as what is known allows."""
    async with tools.database.connection() as conn:
        told = await discographies.told(conn, lookup_ids)
    for each in told:
        for source in tools.answering(contract.BrowseReleases):
            await _advance(tools, source, each, band)


async def give_up(tools: Tools, lookup_ids: Sequence[int], why: str) -> None:
    """Leave it: the names are searched for, as if nobody had thought of the discography."""


class Pages(NamedTuple):
    """What is known of a discography, and the page to ask for next: None at its end."""

    candidates: tuple[contract.RecordingCandidate, ...]
    read: int
    next: contract.BrowseReleases | None
    keys: tuple[bytes, ...]
    given_up: bool = False

    @property
    def left(self) -> int:
        """How many pages are left, as far as those that were read tell."""
        if self.next is None:
            return 0
        return math.ceil(self.next.left * self.read / self.next.offset) if self.read else 1


async def _advance(tools: Tools, source: contract.Source, told: Told, band: model.Band) -> None:
    async with tools.database.connection() as conn:
        pages = await _pages(tools, conn, source, told.artist_mbid)
        waiting = await discographies.waiting(conn, source.name, _SEARCH, told.artist_key)
    if pages.given_up:
        return
    if pages.next is None:
        answers = await asyncio.to_thread(_answers, pages, waiting)
        await _answer(tools, source, pages, waiting, answers)
    elif len(waiting) >= discographies.WORTH * pages.left:
        await _want(tools, source, told, pages.next, waiting, band)


async def _pages(tools: Tools, conn: Connection, source: contract.Source, artist_mbid: str) -> Pages:
    """Read page after page, as far as they are here."""
    now = tools.clock.now()
    pages = Pages((), 0, contract.BrowseReleases(artist_mbid), ())
    while pages.next is not None:
        key = contract.key(pages.next)
        reply = (await replies.load(conn, [key])).get((source.name, key))
        given_up = reply is not None and reply.outcome is replies.Outcome.GIVEN_UP
        if reply is None or reply.answered_at < now - (SPENT if given_up else KEPT):
            return pages
        answer = msgspec.convert(reply.answer, contract.Answer)
        further = [each for each in answer.follow_ups if isinstance(each, contract.BrowseReleases)]
        found = tuple(each for each in answer.candidates if isinstance(each, contract.RecordingCandidate))
        pages = Pages(
            (*pages.candidates, *found),
            pages.read + 1,
            further[0] if further else None,
            (*pages.keys, key),
            given_up,
        )
    return pages


async def _want(
    tools: Tools,
    source: contract.Source,
    told: Told,
    page: contract.BrowseReleases,
    waiting: Sequence[Waiting],
    band: model.Band,
) -> None:
    """Want a page before any search: it counts the plays of all the names that wait."""
    plays = sum(each.plays for each in waiting)
    new = wants.New(source.name, contract.key(page), contract.kind(page), page, told.lookup_id, plays=plays, opens=True)
    async with tools.database.transaction() as conn:
        now = tools.clock.now()
        await wants.want(conn, "discography", [new], band, now, since=now - SPENT)  # what is older is asked anew


def _answers(pages: Pages, waiting: Sequence[Waiting]) -> dict[int, contract.Answer]:
    """Answer the names that a recording of these releases surely is, by the id of what they wait for."""
    titled: dict[str, list[contract.RecordingCandidate]] = {}
    for each in pages.candidates:
        titled.setdefault(_title(each.recording.title), []).append(each)
    found: dict[int, contract.Answer] = {}
    for name in waiting:
        alike = tuple(titled.get(_title(name.track), ()))
        options = [decide.Option(each.recording, each.releases) for each in alike]
        decision = decide.decide(decide.Asked(name.artist, name.track, name.release), options)
        if isinstance(decision, decide.Chosen) and _is_sure(decision, name.release):
            found[name.want_id] = contract.Answer(alike)
    return found


def _is_sure(decision: decide.Chosen, sent: str) -> bool:
    """Tell whether no search could find a nearer one: the album sent, if any, is among this artist's own."""
    on_album = decision.release is not None and bool(release.fit(sent, decision.release))
    return decision.weighed.distance < SURE and (on_album or not sent)


def _title(text: str) -> str:
    return names.key(names.plain(text))


async def _answer(
    tools: Tools,
    source: contract.Source,
    pages: Pages,
    waiting: Sequence[Waiting],
    answers: Mapping[int, contract.Answer],
) -> None:
    """Keep the answers as if the searches had given them, and wake who waited."""
    answered = [each for each in waiting if each.want_id in answers]
    rows = {each.key: answers[each.want_id] for each in answered}
    async with tools.database.transaction() as conn:
        waiters = await wants.settle(conn, list({each.want_id for each in answered}))
        now = tools.clock.now()
        await replies.keep(
            conn, [(source.name, key, replies.Outcome.ANSWERED, answer) for key, answer in rows.items()], now
        )
        asked = [(each.lookup_id, key) for each in answered for key in pages.keys]
        await wants.inquired(conn, "match", asked)
        await jobs.wake(conn, waiters)
