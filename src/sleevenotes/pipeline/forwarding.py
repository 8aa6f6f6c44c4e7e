"""Forwarding: plays are sent on to Last.fm and ListenBrainz for who wants that, in the order they were played.

A play is queued in the transaction that stores it (`store.forwards.queue`). One task a process takes turns:

    take a listener's turn -> note that the next plays are being sent -> a slot of the host's shared budget -> send
    -> note each play's fate

A crash between sending and noting leaves plays "sending"; they are sent again with the same seconds, and both services
take the same play at the same second once. What was sent is recognised when it comes back (`pipeline.recognition`).

    a fault                      the whole turn is put off, with growing gaps: nothing overtakes what waits
    refused, for one play        noted with the reason; the others go on
    refused, for all at once     sent again in smaller packs, until the one is found
    "no more today"              the turn is put off for an hour
    the login is not accepted    the turn stops, until its listener connects again
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

import structlog

from sleevenotes import errors
from sleevenotes.pipeline.tools import Tools
from sleevenotes.settings import Settings
from sleevenotes.sources import contract, takers
from sleevenotes.sources.lastfm_taker import LastFmTaker
from sleevenotes.sources.listenbrainz_taker import ListenBrainzTaker
from sleevenotes.store import budgets, connections, forwards, postgres
from sleevenotes.store.connections import Service
from sleevenotes.store.forwards import Done, Turn, Waiting
from sleevenotes.store.postgres import Connection
from sleevenotes.upstream import breaker, client

ROUND: Final = 3.0
"""Seconds between two looks whether anything waits."""

LEASE: Final = timedelta(minutes=3)
"""For how long a turn is taken; a process that dies leaves it so."""

LONGEST_GAP: Final = timedelta(hours=2)
NOT_TODAY: Final = timedelta(hours=1)
LOCKED: Final = timedelta(hours=6)

log = structlog.get_logger(__name__)

Takers = Mapping[Service, takers.Taker]


def takers_of(settings: Settings) -> Takers:
    """Return the services that plays can be sent to with these settings."""
    found: dict[Service, takers.Taker] = {"listenbrainz": ListenBrainzTaker()}
    if settings.lastfm_key and settings.lastfm_secret:
        found["lastfm"] = LastFmTaker(settings.lastfm_key, settings.lastfm_secret)
    return found


async def run(tools: Tools, door: client.Client, to: Takers) -> None:
    """Take turns for ever."""
    while True:
        try:
            while await one_turn(tools, door, to):
                pass
        except Exception as error:
            if not postgres.is_passing(error):
                raise
            log.warning("forwarding: the database is away", error=repr(error))
        await tools.clock.sleep(ROUND)


async def one_turn(tools: Tools, door: client.Client, to: Takers) -> bool:
    """Send one listener's next plays to one service; False where nothing waits."""
    now = tools.clock.now()
    async with tools.database.transaction() as conn:
        turn = await forwards.take_turn(conn, now, now + LEASE)
        if turn is None:
            return False
        taker = to.get(turn.service)
        if taker is None:
            await forwards.end_turn(conn, turn, due=now + NOT_TODAY, note=_NO_KEY)
            return True
        most = min(taker.policy.together, turn.pack_limit or taker.policy.together)
        waiting = await forwards.load(conn, turn, most, now)
    if turn.playing is not None:
        await _tell_playing(tools, door, taker, taker.playing(turn.playing, turn.secret))
    await _send(tools, door, taker, turn, waiting)
    return True


_NO_KEY: Final = "This server has no key and secret for it: lastfm_key and lastfm_secret must be set."


async def _tell_playing(tools: Tools, door: client.Client, taker: takers.Taker, request: contract.Request) -> None:
    """Tell what plays now, once: whatever goes wrong, the next track is told again."""
    try:
        await _slot(tools, taker)
        await door.send(request, taker.policy.timeout)
    except errors.Fault as fault:
        log.info("forwarding: could not tell what plays", host=taker.policy.host, fault=str(fault))


async def _send(tools: Tools, door: client.Client, taker: takers.Taker, turn: Turn, waiting: Sequence[Waiting]) -> None:
    unfit = {each.scrobble_id: why for each in waiting if (why := taker.unfit(each.play))}
    fit = [each for each in waiting if each.scrobble_id not in unfit]
    refused = [Done(scrobble_id, "refused", why) for scrobble_id, why in unfit.items()]
    try:
        verdicts = await _exchange(tools, door, taker, turn, fit) if fit else []
    except takers.Unfit as why:
        await _narrow(tools, turn, fit, refused, str(why))
    except errors.Fault as fault:
        await _put_off(tools, taker, turn, refused, fault)
    else:
        await _settle(tools, taker, turn, [*refused, *map(_done, fit, verdicts)])


async def _exchange(
    tools: Tools, door: client.Client, taker: takers.Taker, turn: Turn, waiting: Sequence[Waiting]
) -> list[takers.Verdict]:
    plays = [each.play for each in waiting]
    await _slot(tools, taker)
    reply = await door.send(taker.request(plays, turn.secret), taker.policy.timeout)
    return taker.read(plays, reply)


async def _slot(tools: Tools, taker: takers.Taker) -> None:
    """Wait for a slot of the host's budget, which all processes and all lanes share."""
    policy = taker.policy
    while True:
        async with tools.database.transaction() as conn:
            slot = await budgets.reserve(conn, policy.host, policy.requests, policy.window, tools.clock)
        if slot is not None:
            return
        async with tools.database.connection() as conn:
            budget = await budgets.look(conn, policy.host)
        await tools.clock.sleep(max(0.05, budget.wait(policy.requests, policy.window, tools.clock.now())))


def _done(waiting: Waiting, verdict: takers.Verdict) -> Done:
    status = {takers.Fate.TAKEN: "sent", takers.Fate.REFUSED: "refused", takers.Fate.LATER: "waiting"}[verdict.fate]
    return Done(waiting.scrobble_id, status, verdict.reason, verdict.artist, verdict.track)


# ---------------------------------------------------------------- what becomes of a turn


async def _settle(tools: Tools, taker: takers.Taker, turn: Turn, done: Sequence[Done]) -> None:
    """Note each play's fate, and go on at once, unless nothing more is taken today."""
    now = tools.clock.now()
    later = [each for each in done if each.status == "waiting"]
    async with tools.database.transaction() as conn:
        await budgets.answered(conn, taker.policy.host)
        if done:
            await forwards.note(conn, turn, done, now)
        await forwards.end_turn(
            conn, turn, due=now + NOT_TODAY if later else now, note=later[0].reason if later else ""
        )


async def _narrow(tools: Tools, turn: Turn, fit: Sequence[Waiting], refused: Sequence[Done], why: str) -> None:
    """Something in the pack is refused: send smaller ones; a pack of one has found it."""
    now = tools.clock.now()
    done = [*refused, Done(fit[0].scrobble_id, "refused", why)] if len(fit) == 1 else list(refused)
    async with tools.database.transaction() as conn:
        if done:
            await forwards.note(conn, turn, done, now)
        limit = None if len(fit) == 1 else (len(fit) + 1) // 2
        await forwards.end_turn(conn, turn, due=now, pack_limit=limit)


async def _put_off(tools: Tools, taker: takers.Taker, turn: Turn, refused: Sequence[Done], fault: errors.Fault) -> None:
    now = tools.clock.now()
    wait = _gap(fault, turn.faults)
    async with tools.database.transaction() as conn:
        if refused:
            await forwards.note(conn, turn, refused, now)
        if isinstance(fault, takers.Login):
            await _stop(conn, turn, str(fault))
        elif not isinstance(fault, takers.Locked):
            await _rest(conn, taker.policy.host, fault, now)
        await forwards.end_turn(
            conn,
            turn,
            due=now + wait,
            faults=turn.faults + 1,
            note=str(fault),
            pack_limit=turn.pack_limit,
        )
    log.info("forwarding: put off", service=turn.service, seconds=wait.total_seconds(), fault=str(fault))


def _gap(fault: errors.Fault, faults: int) -> timedelta:
    """Return how long to wait after the (faults + 1)-th fault in a row: 10, 20, 40 … s, up to half more by chance."""
    if isinstance(fault, takers.Locked):
        return LOCKED
    seconds = min(LONGEST_GAP.total_seconds(), 10.0 * 2.0 ** min(faults, 20))
    if isinstance(fault, errors.Throttled) and fault.retry_after:
        seconds = max(seconds, fault.retry_after)
    return timedelta(seconds=seconds * (1.0 + 0.5 * random.random()))  # noqa: S311 - spread, not secrecy


async def _stop(conn: Connection, turn: Turn, note: str) -> None:
    """Say at the connection that its login is not accepted; connecting again takes that back, and sending goes on."""
    connected = await connections.of_account(conn, turn.account_id, turn.service)
    if connected is not None and connected.secret == turn.secret:  # and not made anew meanwhile
        problem = connections.Problem.SESSION
        await connections.trouble(conn, connected.id, problem, note, due=connected.sync_due, stop=False)


async def _rest(conn: Connection, host: str, fault: errors.Fault, now: datetime) -> None:
    """Leave the host alone as a lane would."""
    if isinstance(fault, errors.Throttled):
        await budgets.throttled(conn, host, now)
    pause = breaker.host_pause(fault, await budgets.faulted(conn, host))
    if pause > 0:
        await budgets.pause(conn, host, now + timedelta(seconds=pause), str(fault))
