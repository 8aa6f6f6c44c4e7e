"""Connecting an account with Last.fm or ListenBrainz, and parting from it; the session stage.

By user name alone, what anybody may see is read. With a login (Last.fm's token of the web flow, ListenBrainz' token)
the service is first asked whose it is; then what is hidden from others can be read, and plays forwarded.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

import msgspec
import structlog

from sleevenotes import errors, events, model
from sleevenotes.pipeline import history, syncing
from sleevenotes.pipeline.tools import Tools
from sleevenotes.sources import contract, personal
from sleevenotes.store import connections, forwards, jobs, replies, scrobbles, walks, wants
from sleevenotes.store import events as store_events
from sleevenotes.store.connections import Connected, Problem, Service
from sleevenotes.store.postgres import Connection, Database

LONGEST: Final = 128  # characters of a user name or token
DELETED_AT_ONCE: Final = 1000

log = structlog.get_logger(__name__)


async def connect(
    conn: Connection, account_id: int, service: Service, *, user_name: str = "", token: str = "", now: datetime
) -> Connected:
    """Connect by a user name or by a token, and begin to read. Call it in a transaction.

    As another listener than before, everything is read anew, and nothing is sent there.
    Raises errors.Refused naming the field that is no good.
    """
    user_name, token = " ".join(user_name.split()), token.strip()
    field, given = ("token", token) if token else ("username", user_name)
    if not given:
        raise errors.Refused("A user name is needed, or a token.", field="username")
    if len(given) > LONGEST or not given.isprintable() or "/" in given:
        raise errors.Refused(f"{field} is not one: up to {LONGEST} letters, figures and signs.", field=field)
    before = await connections.of_account(conn, account_id, service)
    if before and not token and before.user_name.casefold() != user_name.casefold():
        await _part(conn, before)
    connected = await connections.try_login(conn, account_id, service, token) if token else None
    if connected is None:
        connected = await connections.connect(conn, account_id, service, user_name=user_name, token=token, now=now)
    if not connected.is_logging_in:
        await begin(conn, connected, now)
    else:
        await jobs.enqueue(conn, "session", [connected.id], model.Band.CRITICAL)
    await store_events.tell(conn, [account_id], events.ConnectionChanged(service), now)
    return connected


async def begin(conn: Connection, connected: Connected, now: datetime) -> None:
    """Look for what is new, and read the history where that is not done."""
    walk = await walks.load(conn, connected.id, "history")
    if walk is None:
        await walks.begin(conn, connected.id, "history", since=None, now=now)
    if walk is None or walk.ended_at is None:
        await jobs.enqueue(conn, "history", [connected.id], model.Band.LOW_PRIORITY)
    await syncing.begin(conn, connected.id, model.Band.CRITICAL, now)


async def disconnect(database: Database, account_id: int, service: Service, *, keep: bool, now: datetime) -> int | None:
    """Forget a connection, and unless `keep` the plays that came from there; return how many are gone.

    None where there is no connection and nothing to remove. What is loved stays: it is said of tracks, not of plays.
    """
    async with database.transaction() as conn:
        connected = await connections.of_account(conn, account_id, service)
        if connected:
            await _part(conn, connected)
            await scrobbles.stop_playing(conn, account_id, connections.ORIGINS[service])
        await store_events.tell(conn, [account_id], events.ConnectionChanged(service), now)
    gone = 0 if keep else await _remove(database, account_id, connections.ORIGINS[service], now)
    return gone if connected or gone else None


async def _part(conn: Connection, connected: Connected) -> None:
    await forwards.part(conn, connected.account_id, connected.service)
    await connections.disconnect(conn, [connected.id])


async def _remove(database: Database, account_id: int, origin: str, now: datetime) -> int:
    gone = 0
    while True:
        async with database.transaction() as conn:
            ids = await scrobbles.of_origin(conn, account_id, origin, DELETED_AT_ONCE)
            removed = await scrobbles.delete(conn, account_id, ids, now)
        gone += len(removed)
        if not removed:
            return gone


# ---------------------------------------------------------------- the stage


async def run(tools: Tools, connection_ids: Sequence[int], band: model.Band) -> None:
    """Ask whose the tokens of these connections are, and begin to read where that is told."""
    for connection_id in connection_ids:
        async with tools.database.transaction() as conn:
            connected = await connections.load(conn, connection_id)
            if connected and connected.is_logging_in:
                await _advance(tools, conn, connected, band)


async def give_up(tools: Tools, connection_ids: Sequence[int], why: str) -> None:
    """Say of these that connecting failed."""
    log.warning("session: given up", connections=list(connection_ids), why=why)
    for connection_id in connection_ids:
        async with tools.database.transaction() as conn:
            connected = await connections.load(conn, connection_id)
            if connected and connected.is_logging_in:
                await _fail(tools, conn, connected, Problem.UNREACHABLE, "What was sent could not be taken in.")


async def _advance(tools: Tools, conn: Connection, connected: Connected, band: model.Band) -> None:
    source, question = history.source_of(tools, connected), personal.OpenSession(connected.token)
    if source is None:
        await _fail(tools, conn, connected, Problem.KEY, history.NOT_ASKED)
        return
    key = contract.key(question)
    reply = (await replies.load(conn, [key])).get((source.name, key))
    if reply is None:
        new = wants.New(source.name, key, contract.kind(question), question, connected.id)
        await wants.want(conn, "session", [new], max(band, model.Band.CRITICAL), tools.clock.now())
        return
    await replies.forget_one(conn, source.name, key)  # it holds the session's key
    said = next(iter(msgspec.convert(reply.answer, contract.Answer).candidates), None)
    match said:
        case personal.Session(user_name, secret):
            await _opened(tools, conn, connected, user_name, secret)
        case personal.Closed(why, text):
            await _fail(tools, conn, connected, Problem(why), text)
        case _:
            await _fail(tools, conn, connected, Problem.UNREACHABLE, "There was no answer, asked ten times.")


async def _opened(tools: Tools, conn: Connection, connected: Connected, user_name: str, secret: str) -> None:
    now = tools.clock.now()
    if connected.user_name and connected.user_name.casefold() != user_name.casefold():
        await walks.forget(conn, connected.id)
        await connections.forget_sync(conn, connected.id)
        await connections.forget_asked(conn, [connected.id])
        await forwards.part(conn, connected.account_id, connected.service)  # it was the other's to send plays to
    await connections.exchanged(conn, connected.id, user_name, secret)
    opened = await connections.load(conn, connected.id)
    if opened is not None:
        await begin(conn, opened, now)
    await store_events.tell(conn, [connected.account_id], events.ConnectionChanged(connected.service), now)


async def _fail(tools: Tools, conn: Connection, connected: Connected, problem: Problem, note: str) -> None:
    """Stop, until the listener connects again: a token is good for one try and an hour.

    What was open before goes on as it was: a slip while typing is no reason to lose a login that works.
    """
    now = tools.clock.now()
    if connected.status == "open":
        await connections.keep_login(conn, connected.id, note)
        await begin(conn, connected, now)
    else:
        await connections.trouble(conn, connected.id, problem, note, due=None, stop=True)
    await store_events.tell(conn, [connected.account_id], events.ConnectionChanged(connected.service), now)
