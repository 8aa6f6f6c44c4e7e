"""Reading a listener's history at Last.fm or ListenBrainz: three stages, whose subject is a connection.

    history   everything that was played before, once
    sync      what is new, again and again, and what plays now (pipeline.syncing says when)
    loved     what is loved

Each is a walk back in time, a page at a time, and one page is one short job:

    no reply yet  -> want the page, and end
    a page        -> keep its plays; then, in one transaction, note how far that is and want the page before
    the last one  -> the walk has ended
    closed        -> say why, and when it is tried again

A page's end is the second after the oldest play of the page before: that second is read twice, since the page may have
cut it in two, and plays that are there already are known. So new plays shift nothing, a crash repeats one page, and
nothing is lost or doubled, whether the service's bounds are inclusive or not.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

import msgspec
import structlog

from sleevenotes import events, model, names
from sleevenotes.pipeline import syncing
from sleevenotes.pipeline.submit import Submitter
from sleevenotes.pipeline.tools import Tools, recheck_fault
from sleevenotes.sources import contract, personal
from sleevenotes.store import connections, deletions, feedback, replies, scrobbles, walks, wants
from sleevenotes.store import events as store_events
from sleevenotes.store.connections import Connected, Problem
from sleevenotes.store.postgres import Connection
from sleevenotes.store.walks import Kind, Walk

KINDS: Final[tuple[Kind, ...]] = ("history", "sync", "loved")

BANDS: Final[dict[Kind, model.Band]] = {
    "history": model.Band.LOW_PRIORITY,
    "sync": model.Band.DEFAULT,
    "loved": model.Band.LOW_PRIORITY,
}

A_SYNC: Final = 50
"""Plays that a page of a sync holds at most: it mostly finds none or one."""

SHORT: Final = timedelta(days=2)
"""What reaches further back than this is read in whole pages."""

AHEAD: Final = timedelta(days=1)
"""A play dated later than this from now is not believed."""

FRESH: Final = timedelta(days=1)
"""Synced plays younger than this are live ones: they are looked up before imports."""

NOT_ASKED: Final = "This server does not ask for histories there: its settings lastfm_key and sources decide that."

AGAIN: Final[dict[str, timedelta | None]] = {
    Problem.PRIVATE: timedelta(hours=6),
    Problem.KEY: timedelta(hours=1),
    Problem.UNKNOWN_USER: None,
    Problem.SESSION: None,
}
"""When a closed history is tried again; None: when the listener has connected again."""

log = structlog.get_logger(__name__)


class Heard(NamedTuple):
    """A page that has come: whose, of which walk, and the replies to forget once it is read."""

    connected: Connected
    walk: Walk
    source: str
    keys: list[bytes]
    page: personal.Played | personal.LovedTracks


class Kept(NamedTuple):
    """What became of a page's rows."""

    stored: int
    skipped: int


async def run(tools: Tools, kind: Kind, connection_ids: Sequence[int], band: model.Band) -> None:
    """Bring these walks on by a page where one has come, else want it."""
    for connection_id in connection_ids:
        async with tools.database.transaction() as conn:
            heard = await _hear(tools, conn, kind, connection_id, band)
        if heard is not None:
            kept = await _keep(tools, heard, band)
            async with tools.database.transaction() as conn:
                await _settle(tools, conn, heard, kept, band)


async def give_up(tools: Tools, kind: Kind, connection_ids: Sequence[int], why: str) -> None:
    """Leave these alone for a while: what the service sent cannot be taken in."""
    log.warning("history: given up", kind=kind, connections=list(connection_ids), why=why)
    for connection_id in connection_ids:
        async with tools.database.transaction() as conn:
            connected = await connections.load(conn, connection_id)
            if connected is not None:
                await _trouble(tools, conn, connected, Problem.UNREACHABLE, "What was sent could not be taken in.")


# ---------------------------------------------------------------- hearing


async def _hear(tools: Tools, conn: Connection, kind: Kind, connection_id: int, band: model.Band) -> Heard | None:
    """Return the page that has come; where none has, want it, or say why there will be none."""
    connected = await connections.load(conn, connection_id)
    walk = await walks.load(conn, connection_id, kind)
    if connected is None or walk is None or walk.ended_at is not None or connected.status != "open":
        return None
    if connected.is_logging_in:  # perhaps as somebody else, and the session that is being replaced may have ended
        return None
    source = source_of(tools, connected)
    if source is None:
        await _trouble(tools, conn, connected, Problem.KEY, NOT_ASKED)
        return None
    asked = {contract.key(question): question for question in questions_of(connected, walk)}
    keys = list(asked)
    known = {key: reply for (name, key), reply in (await replies.load(conn, keys)).items() if name == source.name}
    missing = [key for key in keys if key not in known or known[key].answered_at < walk.begun_at]
    if missing:
        await _want(tools, conn, connected, walk, [asked[key] for key in missing], band)
        return None
    page, *others = (_said(known[key]) for key in keys)
    if isinstance(page, personal.Played | personal.LovedTracks):
        return Heard(connected, walk, source.name, keys, _with_playing(page, others))
    for key in keys:
        await replies.forget_one(conn, source.name, key)
    if isinstance(page, personal.Closed):
        await _trouble(tools, conn, connected, Problem(page.why), page.said)
    else:
        await _trouble(tools, conn, connected, Problem.UNREACHABLE, "There was no answer, asked ten times.")
    return None


def _said(reply: replies.Reply) -> contract.Candidate | None:
    return next(iter(msgspec.convert(reply.answer, contract.Answer).candidates), None)


def _with_playing(
    page: personal.Played | personal.LovedTracks, others: Sequence[contract.Candidate | None]
) -> personal.Played | personal.LovedTracks:
    """Add what plays now, where that is another answer."""
    now = next((each.playing for each in others if isinstance(each, personal.Played)), None)
    return msgspec.structs.replace(page, playing=now) if now and isinstance(page, personal.Played) else page


def source_of(tools: Tools, connected: Connected) -> contract.Source | None:
    """Return the source that keeps this connection's history; None where the settings do not let it be asked."""
    name = f"{connected.service}_history"
    return next((source for source in tools.sources if source.name == name), None)


def questions_of(connected: Connected, walk: Walk) -> list[contract.Question]:
    """Return the questions whose answers are the walk's next page: the page's, and where it is needed, what plays."""
    if walk.kind == "loved":
        return [personal.LovedBy(connected.user_name, walk.page, connected.secret)]
    page = personal.PlaysSince(
        connected.user_name,
        int(walk.since.timestamp()) if walk.since else 0,
        int(walk.before.timestamp()) if walk.before else 0,
        walk.page,
        A_SYNC if _is_short(walk) else 0,
        connected.secret,
    )
    first = walk.kind == "sync" and walk.before is None
    if connected.service == "listenbrainz" and first:  # at Last.fm, every page tells it
        return [page, personal.PlayingNow(connected.user_name, connected.secret)]
    return [page]


def _is_short(walk: Walk) -> bool:
    return walk.kind == "sync" and walk.since is not None and walk.begun_at - walk.since < SHORT


async def _want(
    tools: Tools,
    conn: Connection,
    connected: Connected,
    walk: Walk,
    questions: Sequence[contract.Question],
    band: model.Band,
) -> None:
    source = source_of(tools, connected)
    if source is None:
        return
    news = [
        wants.New(source.name, contract.key(question), contract.kind(question), question, connected.id)
        for question in questions
    ]
    await wants.want(conn, walk.kind, news, max(band, BANDS[walk.kind]), tools.clock.now(), since=walk.begun_at)


# ---------------------------------------------------------------- keeping


async def _keep(tools: Tools, heard: Heard, band: model.Band) -> Kept:
    """Store what a page tells. Repeating it changes nothing."""
    connected, page = heard.connected, heard.page
    if isinstance(page, personal.LovedTracks):
        return await _keep_loved(tools, connected, heard.walk, page)
    now = tools.clock.now()
    origin = connections.ORIGINS[connected.service]
    plays = [
        msgspec.structs.replace(play, origin=origin)
        for play in page.plays
        if play.listened_at is not None and play.listened_at <= now + AHEAD
    ]
    wanted = await _not_dismissed(tools, connected.account_id, plays)
    submitter = Submitter(tools.database, tools.clock, tools.catalogue)
    stored = 0
    live = heard.walk.kind == "sync"
    for fresh in (True, False):
        mine = [play for play in wanted if _is_fresh(play, now) is fresh]
        urgency = max(band, model.Band.DEFAULT) if live and fresh else model.Band.LOW_PRIORITY
        stored += sum(not each.duplicate for each in await submitter.submit(connected.account_id, mine, band=urgency))
    if live and heard.walk.before is None:
        await _play_now(tools, submitter, connected, page.playing)
    return Kept(stored, page.skipped + len(page.plays) - len(plays))


async def _not_dismissed(tools: Tools, account_id: int, plays: list[model.Scrobble]) -> list[model.Scrobble]:
    """Leave out what the listener has deleted here; what was told anew is known by its former key."""
    keys = [(play.listened_at, names.digest(play.artist, play.track)) for play in plays if play.listened_at]
    async with tools.database.connection() as conn:
        gone = await deletions.dismissed(conn, account_id, keys)
    return [play for place, play in enumerate(plays) if place not in gone]


def _is_fresh(play: model.Scrobble, now: datetime) -> bool:
    return play.listened_at is not None and play.listened_at > now - FRESH


async def _play_now(tools: Tools, submitter: Submitter, connected: Connected, playing: model.Scrobble | None) -> None:
    """Show what plays there now, unless a player has told us itself; end what we showed when it is over."""
    origin = connections.ORIGINS[connected.service]
    now = tools.clock.now()
    async with tools.database.transaction() as conn:
        told_by = await scrobbles.playing_origin(conn, connected.account_id, now)
        if playing is None and await scrobbles.stop_playing(conn, connected.account_id, origin):
            await store_events.tell(conn, [connected.account_id], events.NowPlayingChanged(), now)
    if playing is not None and told_by in (None, origin):
        playing = msgspec.structs.replace(playing, origin=origin, listened_at=None)
        await submitter.play_now(connected.account_id, playing)


async def _keep_loved(tools: Tools, connected: Connected, walk: Walk, page: personal.LovedTracks) -> Kept:
    """Note what is loved since the last time; what was unloved here since then stays so."""
    tracks = [(each.artist, each.track, datetime.fromtimestamp(each.at, UTC)) for each in page.tracks]
    news = [track for track in tracks if walk.since is None or track[2] > walk.since]
    async with tools.database.transaction() as conn:
        await feedback.learn(conn, connected.account_id, news)
    return Kept(len(news), 0)


# ---------------------------------------------------------------- settling


async def _settle(tools: Tools, conn: Connection, heard: Heard, kept: Kept, band: model.Band) -> None:
    """Note how far that is, and want the next page; unless another job has done so, or the connection has changed."""
    connected = await connections.load(conn, heard.connected.id)
    walk = await walks.load(conn, heard.connected.id, heard.walk.kind)
    if connected is None or walk is None or walk.place != heard.walk.place:
        return
    now = tools.clock.now()
    step = _step(walk, heard.page, kept)
    await walks.step(conn, walk, step, now)
    for key in heard.keys:
        await replies.forget_one(conn, heard.source, key)
    await connections.well(conn, connected.id)
    walk = await walks.load(conn, connected.id, walk.kind) or walk
    if not step.done:
        await _want(tools, conn, connected, walk, questions_of(connected, walk), band)
    elif walk.kind == "sync":
        playing = isinstance(heard.page, personal.Played) and heard.page.playing is not None
        await syncing.ended(conn, connected, walk, now, playing=playing)
    if walk.kind != "sync" or step.done:
        await store_events.tell(conn, [connected.account_id], events.ConnectionChanged(connected.service), now)


def _step(walk: Walk, page: personal.Played | personal.LovedTracks, kept: Kept) -> walks.Step:
    """Say where the next page ends.

    Plays at 9, 8 and 7 s read: the next page ends before 8 s, so that what else was played at 7 s is read. Where that
    is no step back, since all plays of a page are of one second, it is the next page with the same end.
    """
    times = _times(page)
    oldest, newest = min(times, default=None), max(times, default=None)
    end = oldest + timedelta(seconds=1) if oldest else None
    back = isinstance(page, personal.Played) and end is not None and (walk.before is None or end < walk.before)
    enough = walk.since is not None and oldest is not None and oldest < walk.since
    return walks.Step(
        before=end if back else walk.before,
        page=1 if back else walk.page + 1,
        newest=newest,
        total=page.total,
        read=len(times) + kept.skipped if isinstance(page, personal.Played) else len(times),
        stored=kept.stored,
        skipped=kept.skipped,
        done=not page.more or enough,
    )


def _times(page: personal.Played | personal.LovedTracks) -> list[datetime]:
    if isinstance(page, personal.LovedTracks):
        return [datetime.fromtimestamp(each.at, UTC) for each in page.tracks]
    return [play.listened_at for play in page.plays if play.listened_at is not None]


async def _trouble(tools: Tools, conn: Connection, connected: Connected, problem: Problem, note: str) -> None:
    """Note why nothing can be read, and when that is tried again."""
    now = tools.clock.now()
    wait = AGAIN.get(problem, timedelta())
    due = now + wait if wait else None
    if problem is Problem.UNREACHABLE:
        due = recheck_fault(connected.faults, now)
    await connections.trouble(conn, connected.id, problem, note, due=due, stop=due is None)
    await store_events.tell(conn, [connected.account_id], events.ConnectionChanged(connected.service), now)
