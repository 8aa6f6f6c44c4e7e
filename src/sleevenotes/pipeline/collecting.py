"""The stage that collects a popular name's ids: what sources call its recording, its album and its artists.

    a source has told its id, or said lately that it has none   -> it is not asked
    else                       -> it is asked for the recording, which may tell the album and the artists, too; then for
                                  the album, where it did not; each as whoever looks for a match or a cover asks it
    it has answered before     -> that is read first; what told no id and is older than a day is asked anew
    an album's master is told  -> Discogs, whose search names no artists, is asked for that, where their ids are wanted
    all have answered          -> what is judged to be of this very thing is kept, and else that the source has none
    a source was unreached     -> what the others told is kept; it is asked again after 1, 2, 4 … 32 days

Artists' ids come besides with their portraits (portrait.py), for which the drip has asked. What is foreseen of a source
is no reason to leave it out here: it spares requests while names wait, and would leave for ever what nobody asked.

Its subject is a lookup, and it is woken at the lowest priority alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

import structlog

from sleevenotes import model
from sleevenotes.pipeline import elsewhere
from sleevenotes.pipeline.tools import Tools
from sleevenotes.sources import contract
from sleevenotes.store import jobs, popular, replies, source_ids, wants
from sleevenotes.store.postgres import Connection
from sleevenotes.store.source_ids import Of, Sought, Told

STAGE = "source_ids"

FRESH = timedelta(days=1)
"""What a source said so lately is not asked for again, though it told no id."""

log = structlog.get_logger(__name__)


class _Ask(NamedTuple):
    """What a source is asked, to tell its ids of these (of, identity)."""

    source: str
    question: contract.Question
    wanted: tuple[tuple[Of, str], ...]

    @property
    def key(self) -> tuple[str, bytes]:
        return self.source, contract.key(self.question)


def asked(sources: Iterable[contract.Source]) -> popular.Asked:
    """Say which of these sources can be asked for what ids of their own."""
    able = list(sources)

    def those(of: Of, question: type[contract.Question]) -> tuple[str, ...]:
        return tuple(each.name for each in able if of in each.policy.ids and question in each.policy.answers)

    return popular.Asked(
        those("recording", contract.FindRecording),
        those("release_group", contract.FindImages),
        those("artist", contract.FindArtist),
    )


async def begin(conn: Connection, lookup_ids: Sequence[int], now: datetime) -> None:
    """Have these popular names' ids collected; call it in a transaction."""
    await popular.collect(conn, lookup_ids, now)
    await jobs.enqueue(conn, STAGE, lookup_ids, model.Band.LOW_PRIORITY)


async def begin_again(conn: Connection, limit: int, now: datetime) -> None:
    """Ask anew whom a fault kept from answering, of at most so many names that are due; call it in a transaction."""
    await jobs.enqueue(conn, STAGE, await popular.collect_again(conn, limit, now), model.Band.LOW_PRIORITY)


async def run(tools: Tools, lookup_ids: Sequence[int], _band: model.Band) -> None:
    """Bring the ids of these names as far as what is known allows; at the lowest priority, whoever woke it."""
    async with tools.database.connection() as conn:
        names = await source_ids.sought(conn, lookup_ids, tools.clock.now())
    for each in names:
        await _advance(tools, each)


async def give_up(tools: Tools, lookup_ids: Sequence[int], why: str) -> None:
    """Leave these names' ids for another day."""
    log.warning("ids: given up", lookups=list(lookup_ids), why=why)
    async with tools.database.transaction() as conn:
        await popular.collected(conn, lookup_ids, tools.clock.now(), unreached=True)


async def _advance(tools: Tools, name: Sought) -> None:
    asks = [*_recordings(tools, name), *_albums(tools, name)]
    known = await _known(tools, asks)
    told = _told(name, asks, known)
    masters = {*name.masters, *((each.source, each.id) for each in told if each.kind == "master")}
    further = list(_masters(tools, name, masters, told))
    known |= await _known(tools, further)
    told += _told(name, further, known)
    asks += further
    served = {(each.of, str(each.subject), each.source) for each in told}
    silent = [each for each in asks if not _is_served(each, served) and not _is_heard(known.get(each.key), name.since)]
    first = {each.source for each in silent if isinstance(each.question, contract.FindRecording)}
    silent = [each for each in silent if each.source not in first or isinstance(each.question, contract.FindRecording)]
    if silent:
        await _want(tools, name, silent, known)
    else:
        await _keep(tools, name, asks, known, told)


async def _known(tools: Tools, asks: Sequence[_Ask]) -> dict[tuple[str, bytes], replies.Reply]:
    if not asks:
        return {}
    async with tools.database.connection() as conn:
        return await replies.load(conn, [key for _, key in {each.key for each in asks}])


def _is_served(ask: _Ask, served: set[tuple[Of, str, str]]) -> bool:
    """Tell whether all is known for which this is asked, however long ago it was answered."""
    return all((of, identity, ask.source) in served for of, identity in ask.wanted)


def _is_heard(reply: replies.Reply | None, since: datetime) -> bool:
    """Tell whether a reply is this look's: answered lately; of a fault, answered in it."""
    if reply is None:
        return False
    return reply.answered_at >= (since if reply.outcome is replies.Outcome.GIVEN_UP else since - FRESH)


# ---------------------------------------------------------------- asking


def _recordings(tools: Tools, name: Sought) -> Iterator[_Ask]:
    for source in tools.answering(contract.FindRecording):
        if "recording" in source.policy.ids and source.name not in name.recording_told_by:
            question = contract.FindRecording(name.credit, name.title)
            yield _Ask(source.name, question, (("recording", name.recording),))


def _albums(tools: Tools, name: Sought) -> Iterator[_Ask]:
    for source in tools.answering(contract.FindImages) if name.release_group else ():
        if "release_group" in source.policy.ids and source.name not in name.release_group_told_by:
            mbid = name.release_group_mbid if source.policy.by_mbid else ""
            question = contract.FindImages(name.album_credit, name.album, mbid)
            yield _Ask(source.name, question, (("release_group", name.release_group),))


def _masters(tools: Tools, name: Sought, masters: Iterable[tuple[str, str]], told: Sequence[Told]) -> Iterator[_Ask]:
    """List the masters by which sources that are not asked for artists tell these."""
    able = {each.name for each in tools.answering(contract.DescribeRelease) if "artist" in each.policy.ids}
    able -= {each.name for each in tools.answering(contract.FindArtist)}
    for source, number in sorted(masters):
        there = {each.subject for each in told if each.of == "artist" and each.source == source}
        wanted: tuple[tuple[Of, str], ...] = tuple(
            ("artist", each.identity)
            for each in name.artists
            if each.identity in name.album_artists and source not in each.told_by and each.identity not in there
        )
        if wanted and source in able:
            yield _Ask(source, contract.DescribeRelease(f"{source}:m{number}", ""), wanted)


async def _want(
    tools: Tools, name: Sought, asks: Sequence[_Ask], known: dict[tuple[str, bytes], replies.Reply]
) -> None:
    """Put these questions behind everything else of the lowest priority; what was answered long ago is asked anew."""
    news = [
        wants.New(
            each.source, contract.key(each.question), contract.kind(each.question), each.question, name.lookup_id, 0
        )
        for each in asks
    ]
    async with tools.database.transaction() as conn:
        await replies.forget_these(conn, [each.key for each in asks if each.key in known])
        await wants.want(conn, STAGE, news, model.Band.LOW_PRIORITY, tools.clock.now())


# ---------------------------------------------------------------- reading


def _told(name: Sought, asks: Sequence[_Ask], known: dict[tuple[str, bytes], replies.Reply]) -> list[Told]:
    """Return what the answers tell that are here."""
    recording, album = _recording(name), _album(name)
    told: list[Told] = []
    for reply in {each.key: known[each.key] for each in asks if each.key in known}.values():
        told += elsewhere.of_recording(recording, album, reply)
        if album is not None:
            rows = elsewhere.albums_told(reply)
            told += elsewhere.of_album(album, rows, reply, recording.artist_credit.names)
    return told


def _recording(name: Sought) -> model.Recording:
    credit = tuple(
        model.ArtistCreditName(
            each.mbid, each.credited, artist_name=each.name, foreign_id="" if each.mbid else each.identity
        )
        for each in name.artists
    )
    return model.Recording(
        name.recording_mbid,
        name.title,
        model.ArtistCredit(credit),
        length_ms=name.length_ms,
        foreign_id="" if name.recording_mbid else name.recording,
    )


def _album(name: Sought) -> elsewhere.Album | None:
    if not name.release_group:
        return None
    return elsewhere.Album(
        name.release_group, name.release_group_mbid, name.album, name.album_credit, name.primary_type
    )


async def _keep(
    tools: Tools,
    name: Sought,
    asks: Sequence[_Ask],
    known: dict[tuple[str, bytes], replies.Reply],
    told: Sequence[Told],
) -> None:
    """Keep what was told, and that there is none of what was not; a fault says neither, and is forgotten."""
    now = tools.clock.now()
    served = {(each.of, str(each.subject), each.source) for each in told}
    heard = [(each, known[each.key]) for each in asks if each.key in known and not _is_served(each, served)]
    unreached = [each for each, reply in heard if reply.outcome is replies.Outcome.GIVEN_UP]
    none = [
        Told(of, identity, each.source, "")
        for each, reply in heard
        if reply.outcome is not replies.Outcome.GIVEN_UP
        for of, identity in each.wanted
        if (of, identity, each.source) not in served
    ]
    async with tools.database.transaction() as conn:
        await source_ids.tell(conn, [*told, *none], now)
        await replies.forget_these(conn, [each.key for each in unreached])
        await popular.collected(conn, [name.lookup_id], now, unreached=bool(unreached))
