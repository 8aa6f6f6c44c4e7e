"""A lane: one host's queue of wants, asked at the pace its budget allows.

    wait until something is wanted -> wait for a slot -> claim the most wanted pack -> reserve -> send
    -> store the reply and the trace, wake the stages that waited

Claiming comes after the wait, so that what became most wanted meanwhile goes first; reserving comes last, so that
the time in the budget is the time of the send. Sends overlap: the next slot does not wait for a slow answer.
One lane knows nothing of another: trouble at one host never delays a second one.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import functools
import random
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta

import msgspec
import structlog

from sleevenotes import clock, errors, model
from sleevenotes.artwork import files
from sleevenotes.sources import contract
from sleevenotes.store import budgets, claims, postgres, replies, traces, wants
from sleevenotes.store.postgres import Connection, Database
from sleevenotes.upstream import breaker, rates
from sleevenotes.upstream.client import Client

LOOK_AGAIN = 30.0
"""Seconds after which a lane looks for wants even if nobody woke it."""

LISTENING = timedelta(minutes=1)
"""For how long after something was waited for more of it is expected."""

URL_BYTES = 7_500
"""Longest address that is sent: web servers take request lines of 8 KB by default (upstreams §1)."""

LATE = 0.02
"""Share of a window by which a send may leave later than reserved before the budget is told."""

Wake = Callable[[Connection, Sequence[wants.Waiter]], Awaitable[None]]
"""Called within the settling transaction with the stages and subjects that waited."""

SETTLE_TRIES = 5

log = structlog.get_logger(__name__)


@dataclasses.dataclass
class Exchange:
    """One pack on its way; once there is a reply, its status, and for how long it says that the rate is spent."""

    pack: Sequence[wants.Want]
    asked_at: datetime
    status: int | None = None
    spent_for: float = 0.0


class Lane:
    """Asks one host for the sources that share its budget, until cancelled."""

    def __init__(
        self,
        sources: Sequence[contract.Source],
        database: Database,
        client: Client,
        store: files.Files,
        time: clock.Clock,
        wake: Wake,
    ) -> None:
        self._sources = {source.name: source for source in sources}
        self._policy = sources[0].policy
        self._database = database
        self._client = client
        self._files = store
        self._time = time
        self._wake = wake
        self._pack_sizes = {source.name: float(source.policy.together) for source in sources}
        self._awaited = {source.name: source.policy.awaited for source in sources if source.policy.awaited}
        self._singly = {(source.name, contract.tag(kind)) for source in sources for kind in source.policy.singly}
        self._called = asyncio.Event()
        self._sends: set[asyncio.Task[None]] = set()
        self._waited_for_at: datetime | None = None

    @property
    def host(self) -> str:
        """Return the host whose budget this lane spends."""
        return self._policy.host

    def call(self, source: str) -> None:
        """Tell the lane that a source may have new wants; "" means any."""
        if not source or source in self._sources:
            self._called.set()

    async def run(self) -> None:
        """Ask for ever. A database that is away is waited for; sends under way end with the lane."""
        try:
            while True:
                try:
                    await self._step()
                except Exception as error:
                    if not postgres.is_passing(error):
                        raise
                    log.warning("lane: the database is away, trying again", host=self.host, error=str(error))
                    await self._time.sleep(1.0)
        finally:
            for send in self._sends:
                send.cancel()
            await asyncio.gather(*self._sends, return_exceptions=True)

    async def _step(self) -> None:
        band = await self._until_wanted()
        await self._until_free()
        pack = await self._claim(band)
        slot = await self._reserve(pack) if pack else None
        if slot is None:
            return
        if pack[0].band > model.Band.LOW_PRIORITY:
            self._waited_for_at = slot
        send = asyncio.create_task(self._ask(pack, slot))
        self._sends.add(send)
        send.add_done_callback(self._ended)

    def _ended(self, send: asyncio.Task[None]) -> None:
        """Look again: a place is free, and what is to be asked again was leased when the lane last looked."""
        self._sends.discard(send)
        self._called.set()

    def _open_to(self, now: datetime) -> model.Band | None:
        """Return the least urgent band there is a place for, None where all are taken.

        While somebody listens, the last place is kept for what is waited for: an image takes seconds.
        """
        free = self._policy.parallel - len(self._sends)
        if free == 0:
            return None
        since = self._waited_for_at
        kept = free == 1 < self._policy.parallel and since is not None and now - since < LISTENING
        return model.Band.DEFAULT if kept else model.Band.LOW_PRIORITY

    async def _until_wanted(self) -> model.Band:
        """Return when something may be claimed that is in this band or in a more urgent one."""
        while True:
            self._called.clear()
            now, due = self._time.now(), None
            band = self._open_to(now)
            if band is not None:
                async with self._database.connection() as conn:
                    due = await claims.next_due(conn, list(self._sources), now, band)
                if due is not None and due <= now:
                    return band
            wait = LOOK_AGAIN if due is None else min(LOOK_AGAIN, (due - now).total_seconds())
            await self._called_or(wait)

    async def _called_or(self, seconds: float) -> None:
        waits = {
            asyncio.ensure_future(self._called.wait()),
            asyncio.ensure_future(self._time.sleep(seconds)),
        }
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()

    async def _until_free(self) -> None:
        while True:
            async with self._database.connection() as conn:
                budget = await budgets.look(conn, self.host)
            wait = budget.wait(self._policy.requests, self._policy.window, self._time.now())
            if wait == 0:
                return
            await self._time.sleep(wait)

    async def _claim(self, band: model.Band) -> list[wants.Want]:
        now, lease = self._time.now(), self._policy.timeout + 30.0
        sizes = {name: int(size) for name, size in self._pack_sizes.items()}
        async with self._database.transaction() as conn:
            pack = await claims.claim(conn, sizes, now, lease, singly=self._singly, awaited=self._awaited, band=band)
            fit = self._fit_request(pack)
            await wants.release(conn, [want.id for want in pack[fit:]])
        return pack[:fit]

    def _fit_request(self, pack: Sequence[wants.Want]) -> int:
        """Say how many of a pack fit into one request line: long names in other scripts take much room."""
        if len(pack) < 2:
            return len(pack)
        source = self._sources[pack[0].source]
        questions, size = _questions(pack), len(pack)
        while size > 1 and len(source.request(questions[:size]).url) > URL_BYTES:
            size = size * 3 // 4
        return size

    def _fit_packs(self, source: str, asked: int, untold: int) -> None:
        """Shrink packs where a reply told of hardly any member, grow again where it told of a quarter (decision 8)."""
        size, most = self._pack_sizes[source], self._sources[source].policy.together
        if untold * 8 > asked * 7 and asked > 1:
            self._pack_sizes[source] = max(most / 4, 1.0, size * 0.75)
        elif asked >= int(size) and untold * 4 <= asked * 3:
            self._pack_sizes[source] = min(float(most), size * 1.25 + 1.0)

    async def _reserve(self, pack: Sequence[wants.Want]) -> datetime | None:
        """Take the slot for a claimed pack and say for when; None, and the pack given back, if another was first."""
        async with self._database.transaction() as conn:
            slot = await budgets.reserve(conn, self.host, self._policy.requests, self._policy.window, self._time)
            if slot is None:
                await wants.release(conn, [want.id for want in pack])
        return slot

    async def _ask(self, pack: Sequence[wants.Want], slot: datetime) -> None:
        """Send one pack and settle it. Whatever happens, its wants are answered, postponed, or their lease ends."""
        exchange = Exchange(pack, self._time.now())
        try:
            answers = await self._exchange(exchange, slot)
        except errors.Fault as fault:
            settle = functools.partial(self._postpone, exchange, fault)
        except Exception as error:
            # A reply that trips our own reading is a fault of this question, not the end of the lane.
            log.exception("lane: cannot read a reply", source=pack[0].source)
            settle = functools.partial(self._postpone, exchange, errors.Garbled(f"cannot be read: {error!r}"))
        else:
            settle = functools.partial(self._store, exchange, answers)
        await self._settled(settle)

    async def _exchange(self, exchange: Exchange, slot: datetime) -> list[contract.Answer]:
        source = self._sources[exchange.pack[0].source]
        questions = _questions(exchange.pack)
        request = source.request(questions)
        correction = asyncio.create_task(self._correct(slot))
        try:
            reply = await self._client.send(request, source.policy.timeout)
        finally:
            await correction
        exchange.status, exchange.spent_for = reply.status, rates.spent_for(source.policy, reply)
        answers = source.read(questions, reply)
        if len(answers) != len(questions):
            raise errors.Garbled(f"{len(questions)} questions, {len(answers)} answers", body=reply.body)
        return [await self._keep_bytes(answer) for answer in answers]

    async def _correct(self, slot: datetime) -> None:
        """Tell the budget when the send leaves noticeably later than its slot."""
        now = self._time.now()
        if (now - slot).total_seconds() > LATE * self._policy.window:
            with contextlib.suppress(errors.Unreachable, *postgres.AWAY):
                async with self._database.connection() as conn:
                    await budgets.sent_late(conn, self.host, now)

    async def _settled(self, settle: Callable[[], Awaitable[None]]) -> None:
        """Settle, again after a deadlock or while the database is away; at last the lease ends by itself."""
        for attempt in range(SETTLE_TRIES):
            try:
                await settle()
            except Exception as error:
                if not postgres.is_passing(error):
                    raise
                log.warning("lane: could not settle", host=self.host, error=repr(error))
                await self._time.sleep(float(attempt))
            else:
                return
        log.error("lane: gave up settling, the lease will end", host=self.host)

    async def _store(self, exchange: Exchange, answers: Sequence[contract.Answer]) -> None:
        """Keep what was answered and wake who waited; ask again, in a smaller pack, what was not told."""
        now = self._time.now()
        doubt_until = await self._doubt_until(now)
        both = list(zip(exchange.pack, answers, strict=True))
        told = [(want, answer) for want, answer in both if answer.known and not (doubt_until and _is_empty(answer))]
        untold = [(want, answer) for want, answer in both if not answer.known]
        doubted = [want.id for want, answer in both if answer.known and doubt_until and _is_empty(answer)]
        rows = [(want.id, want.source, want.key, _outcome(answer), answer) for want, answer in told]
        self._fit_packs(exchange.pack[0].source, len(exchange.pack), len(untold))
        async with self._database.transaction() as conn:
            await budgets.answered(conn, self.host)
            await self._obey(conn, exchange, now)
            await self._trace(conn, exchange, [(_said(answer), len(answer.candidates)) for answer in answers])
            waiters = await wants.answer(conn, rows, now)
            await wants.postpone(conn, doubted, doubt_until or now, own_fault=False)
            for limit, ids in _smaller(untold, len(exchange.pack)).items():
                await wants.postpone(conn, ids, now, own_fault=False, pack_limit=limit)
            await wants.reword(conn, {want.id: answer.rest for want, answer in untold if answer.rest is not None})
            await self._wake(conn, waiters)

    async def _doubt_until(self, now: datetime) -> datetime | None:
        """Return until when finding nothing proves nothing here: soon after we were told to slow down."""
        if not self._policy.doubt_s:
            return None
        async with self._database.connection() as conn:
            budget = await budgets.look(conn, self.host)
        until = budget.throttled_at and budget.throttled_at + timedelta(seconds=self._policy.doubt_s)
        return until if until and until > now else None

    async def _obey(self, conn: Connection, exchange: Exchange, now: datetime) -> None:
        """Pause where the reply's headers say that the rate is spent, whatever our own count says."""
        if exchange.spent_for > 0:
            until = now + timedelta(seconds=exchange.spent_for)
            await budgets.pause(conn, self.host, until, "it says that the rate is spent for now")

    async def _postpone(self, exchange: Exchange, fault: errors.Fault) -> None:
        """Ask again later; give up, until the recheck, what has met too many faults of its own."""
        now = self._time.now()
        own = breaker.counts(fault)
        spent = [want for want in exchange.pack if own and want.faults + 1 >= breaker.GIVE_UP]
        rows = [(want.id, want.source, want.key, replies.Outcome.GIVEN_UP, contract.UNKNOWN) for want in spent]
        async with self._database.transaction() as conn:
            await self._rest(conn, fault, now)
            await self._trace(conn, exchange, [("fault", 0)] * len(exchange.pack), str(fault))
            waiters = await wants.answer(conn, rows, now)
            for want in exchange.pack:
                if want not in spent:
                    waited_for = want.band > model.Band.LOW_PRIORITY
                    chance = random.random()  # noqa: S311 - no secret
                    wait = breaker.question_wait(fault, want.faults, chance, waited_for=waited_for)
                    due_at = now + timedelta(seconds=wait)
                    limit = max(1, len(exchange.pack) // 2) if own else None  # it may be the pack that is too much
                    await wants.postpone(conn, [want.id], due_at, own_fault=own, pack_limit=limit)
            # Who waits with somebody before the page may decide without this source.
            urgent = [want.id for want in exchange.pack if want not in spent and want.band > model.Band.LOW_PRIORITY]
            waiters += await wants.waiters(conn, urgent) if own else []
            await self._wake(conn, waiters)

    async def _rest(self, conn: Connection, fault: errors.Fault, now: datetime) -> None:
        if isinstance(fault, errors.Throttled):
            await budgets.throttled(conn, self.host, now)
        consecutive = await budgets.faulted(conn, self.host)
        pause = breaker.host_pause(fault, consecutive)
        if pause > 0 and not self._policy.apart:
            await budgets.pause(conn, self.host, now + timedelta(seconds=pause), str(fault))

    async def _trace(
        self, conn: Connection, exchange: Exchange, said: Sequence[tuple[str, int]], note: str = ""
    ) -> None:
        news = [
            traces.New(want.key, want.kind, int(want.band), want.wanted_at, outcome, candidates)
            for want, (outcome, candidates) in zip(exchange.pack, said, strict=True)
        ]
        await traces.keep(
            conn,
            exchange.pack[0].source,
            news,
            asked_at=exchange.asked_at,
            took_ms=int((self._time.now() - exchange.asked_at).total_seconds() * 1000),
            status=exchange.status,
            note=note,
        )

    async def _keep_bytes(self, answer: contract.Answer) -> contract.Answer:
        """Put the bytes of fetched images into the file store; the answer then only names them."""
        return msgspec.structs.replace(
            answer, candidates=tuple([await self._keep_file(candidate) for candidate in answer.candidates])
        )

    async def _keep_file(self, candidate: contract.Candidate) -> contract.Candidate:
        if not isinstance(candidate, contract.ImageFile):
            return candidate
        digest = await asyncio.to_thread(self._files.keep, candidate.data)
        return msgspec.structs.replace(candidate, data=b"", digest=digest)


def _smaller(untold: Sequence[tuple[wants.Want, contract.Answer]], size: int) -> dict[int, list[int]]:
    """Say in packs of which size to ask again what a reply to `size` questions did not tell: limit -> ids of wants.

    Half where somebody waits, and where the rows told are not the right ones and cannot be asked past.
    Of an import's others all but as large, as whose rows filled the reply are gone; then three quarters (decision 8).
    """
    limits: dict[int, list[int]] = {}
    for want, answer in untold:
        beside = not answer.candidates or answer.rest is not None
        fits = beside and want.band is model.Band.LOW_PRIORITY
        limit = size // 2 if not fits else size - 1 if want.pack_limit is None else size * 3 // 4
        limits.setdefault(max(1, limit), []).append(want.id)
    return limits


def _questions(pack: Sequence[wants.Want]) -> list[contract.Question]:
    return [msgspec.convert(want.question, contract.Question) for want in pack]


def _is_empty(answer: contract.Answer) -> bool:
    return not answer.candidates and not answer.follow_ups


def _outcome(answer: contract.Answer) -> replies.Outcome:
    return replies.Outcome.ANSWERED if answer.candidates else replies.Outcome.ABSENT


def _said(answer: contract.Answer) -> str:
    return _outcome(answer).value if answer.known else "unknown"


def by_host(sources: Sequence[contract.Source]) -> dict[str, list[contract.Source]]:
    """Group sources that share a host, and so a lane."""
    hosts: dict[str, list[contract.Source]] = {}
    for source in sources:
        hosts.setdefault(source.policy.host, []).append(source)
    return hosts
