"""When a connected history is looked at for new plays.

A listener who is listening is looked at once a minute, others every five minutes; where many are connected, less often,
so that all of them together take a fifth of what a service lets us ask. Once a day the last fortnight is read again:
players that were offline submit plays late, at Last.fm up to two weeks.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

import structlog

from sleevenotes import model
from sleevenotes.pipeline.tools import Tools
from sleevenotes.store import connections, jobs, postgres, walks
from sleevenotes.store.connections import Connected
from sleevenotes.store.postgres import Connection
from sleevenotes.store.walks import Walk

ROUND: Final = 10.0
"""Seconds between two looks at what is due."""

AT_ONCE: Final = 15
"""Connections taken up in one round: more at once would stand before the plays of those who listen."""

LISTENING: Final = timedelta(minutes=1)
OTHERS: Final = timedelta(minutes=5)
ACTIVE: Final = timedelta(minutes=20)
"""Who has played something within this is listening."""

EACH: Final = {"lastfm": timedelta(seconds=1), "listenbrainz": timedelta(seconds=2)}
"""Between two looks at a service, whoever is looked at: a fifth of Last.fm's rate, a sixth of ListenBrainz'."""

OVERLAP: Final = timedelta(minutes=30)
"""How far before the newest play known a sync begins: a player may submit two plays in the wrong order."""

LATE: Final = timedelta(days=15)
DAILY: Final = timedelta(days=1)
RETRY: Final = timedelta(minutes=10)
"""After which a look is begun again that came to nothing."""

REST: Final = timedelta(minutes=2)
"""For how long a walk may stand still without anybody waiting for its page before it is taken up again."""

log = structlog.get_logger(__name__)


async def run(tools: Tools) -> None:
    """Go round for ever."""
    while True:
        try:
            await one_round(tools)
        except Exception as error:
            if not postgres.is_passing(error):
                raise
            log.warning("syncing: the database is away", error=repr(error))
        await tools.clock.sleep(ROUND)


async def one_round(tools: Tools) -> None:
    """Begin the syncs that are due, and take up walks that nobody is at."""
    now = tools.clock.now()
    async with tools.database.transaction() as conn:
        for connection_id in await connections.take_due(conn, now, now + RETRY, AT_ONCE):
            await begin(conn, connection_id, model.Band.DEFAULT, now)
    async with tools.database.transaction() as conn:
        for connection_id, kind in await walks.take_resting(conn, now, REST, AT_ONCE):
            await jobs.enqueue(conn, kind, [connection_id], model.Band.LOW_PRIORITY)


async def begin(conn: Connection, connection_id: int, band: model.Band, now: datetime) -> None:
    """Look for new plays at a connection, or for who has logged in; nothing where it is under way already."""
    connected = await connections.load(conn, connection_id)
    if connected is None or connected.status == "stopped":
        return
    if connected.is_logging_in:
        await jobs.enqueue(conn, "session", [connection_id], model.Band.CRITICAL)
        return
    walk = await walks.load(conn, connection_id, "sync")
    if walk is None or walk.ended_at is not None:
        await walks.begin(conn, connection_id, "sync", since=_since(connected, now), now=now)
    await jobs.enqueue(conn, "sync", [connection_id], band)


def _since(connected: Connected, now: datetime) -> datetime:
    """Return from when on plays are asked for; whole seconds, which is what the services count in."""
    until = connected.synced_until
    if until is None:
        since = connected.connected_at - DAILY  # what is older is the history's affair
    elif connected.looked_back is None or now - connected.looked_back >= DAILY:
        since = min(until - OVERLAP, now - LATE)
    else:
        since = until - OVERLAP
    return since.replace(microsecond=0)


async def ended(conn: Connection, connected: Connected, walk: Walk, now: datetime, *, playing: bool) -> None:
    """Note that a sync has read all there is, and when to look again; once a day, read what is loved."""
    first = connected.synced_until is None
    looked_back = first or (walk.since is not None and walk.since <= walk.begun_at - LATE)
    until = min(walk.newest, now) if walk.newest else None
    listening = playing or (until is not None and now - until < ACTIVE)
    shared = await connections.count_open(conn, connected.service) * EACH[connected.service]
    due = now + max(LISTENING if listening else OTHERS, shared)
    await connections.synced(conn, connected.id, until=until, looked_back=looked_back, due=due, now=now)
    if looked_back and connected.service == "lastfm":
        await _read_loved(conn, connected, now)


async def _read_loved(conn: Connection, connected: Connected, now: datetime) -> None:
    walk = await walks.load(conn, connected.id, "loved")
    if walk is None or walk.ended_at is not None:
        since = max(filter(None, (walk.newest, walk.since)), default=None) if walk else None
        await walks.begin(conn, connected.id, "loved", since=since, now=now)
        await jobs.enqueue(conn, "loved", [connected.id], model.Band.LOW_PRIORITY)
