"""A lane: paced, packed, retried; absence is stored, a fault is not; nothing is lost when it dies."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests import turning

from sleevenotes import events, model
from sleevenotes.artwork.files import Files
from sleevenotes.clock import HandClock
from sleevenotes.sources import contract
from sleevenotes.store import claims, replies, wants
from sleevenotes.store.postgres import Connection, Database
from sleevenotes.upstream import breaker
from sleevenotes.upstream.client import Client
from sleevenotes.upstream.lane import LOOK_AGAIN, Lane


class Knower:
    """A source that is asked for packs of names, and answers what the server knows of them."""

    def __init__(self, host: str = "knower.org", together: int = 4, doubt_s: float = 0.0, told: str = "") -> None:
        self.name = host.removesuffix(".org")
        self.policy = contract.Policy(
            host=host,
            called="Knower",
            requests=1,
            window=1.0,
            parallel=2,
            together=together,
            timeout=10,
            answers=(contract.FindRecording,),
            doubt_s=doubt_s,
            told=told,
        )

    def request(self, questions: Sequence[contract.Question]) -> contract.Request:
        tracks = [question.track for question in questions if isinstance(question, contract.FindRecording)]
        return contract.Request(f"https://{self.policy.host}/?{'+'.join(tracks)}")

    def read(self, questions: Sequence[contract.Question], reply: contract.Reply) -> list[contract.Answer]:
        contract.refuse_faults(self.name, reply)
        return [_answer(said) for said in json.loads(reply.body)]


def _answer(said: str) -> contract.Answer:
    if said == "cut":
        return contract.UNKNOWN
    if said == "nothing":
        return contract.ABSENT
    credit = model.ArtistCredit((model.ArtistCreditName("a", "Low"),))
    return contract.Answer((contract.RecordingCandidate(model.Recording("r", said, credit)),))


Reply = tuple[int, dict[str, str], bytes]


class Server:
    """Answers each request by a function of the tracks asked for; remembers when which were asked."""

    def __init__(self, clock: HandClock, answer: Callable[[list[str]], Reply]) -> None:
        self.clock = clock
        self.answer = answer
        self.packs: list[tuple[float, list[str]]] = []

    async def exchange(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes, *, max_bytes: int
    ) -> Reply:
        tracks = url.partition("?")[2].split("+")
        self.packs.append((self.clock.now().timestamp(), tracks))
        return self.answer(tracks)


def everything(tracks: list[str]) -> Reply:
    return 200, {}, json.dumps(tracks).encode()


class Stand:
    """A lane at work on a database, and what it woke."""

    def __init__(self, database: Database, clock: HandClock) -> None:
        self.database = database
        self.clock = clock
        self.woken: list[int] = []

    async def wake(self, conn: Connection, waiters: Sequence[wants.Waiter]) -> None:
        self.woken += [waiter.subject_id for waiter in waiters]

    @asynccontextmanager
    async def lane(self, source: Knower, server: Server, files: Path) -> AsyncIterator[None]:
        lane = Lane([source], self.database, Client(server, self.clock, "test"), Files(files), self.clock, self.wake)
        await self.database.listen(events.WAKE_LANES, lane.call)
        running = asyncio.create_task(lane.run())
        try:
            yield
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)

    async def want(self, source: Knower, *tracks: str, band: model.Band = model.Band.DEFAULT) -> None:
        async with self.database.transaction() as conn:
            news = [_new(source, track, subject) for subject, track in enumerate(tracks, start=1)]
            await wants.want(conn, "match", news, band, self.clock.now())

    async def outcomes(self) -> dict[str, Any]:
        async with self.database.connection() as conn:
            return {row["track"]: row["outcome"] for row in await conn.fetch(_OUTCOMES)}

    async def has_met_a_fault(self) -> bool:
        async with self.database.connection() as conn:
            return bool(await conn.fetchval("SELECT count(*) FROM traces WHERE outcome = 'fault'"))

    async def paused_until(self) -> float:
        async with self.database.connection() as conn:
            return float(await conn.fetchval("SELECT extract(epoch FROM paused_until) FROM budgets"))

    async def until_told(self, count: int, at_most: float = 3600.0, step: float = 0.05) -> dict[str, Any]:
        async def told() -> bool:
            return len([each for each in (await self.outcomes()).values() if each]) >= count

        await turning.until(told, self.clock, step=step, at_most=at_most)
        return await self.outcomes()


_NOTES = "SELECT string_agg(note, ' ') FROM traces WHERE outcome = 'fault'"
_OUTCOMES = """
    SELECT coalesce(replies.answer -> 'candidates' -> 0 -> 'recording' ->> 'title', 'none') AS track, outcome
    FROM replies
"""


def _new(source: Knower, track: str, subject: int) -> wants.New:
    question = contract.FindRecording("Low", track)
    return wants.New(source.name, contract.key(question), contract.kind(question), question, subject)


def _keep_pace(server: Server, began: float, count: int) -> bool:
    """Tell whether the n-th request came n - 1 windows after the start, or later.

    Not held against the one before: the clock may be turned between a reservation and its send, which then is late.
    """
    times = sorted(moment for moment, _ in server.packs)
    return len(times) == count and all(moment - began >= place for place, moment in enumerate(times))


async def test_a_pack_is_asked_in_one_request_and_all_who_waited_are_woken(
    database: Database, clock: HandClock, tmp_path: Path
) -> None:
    stand, source, server = Stand(database, clock), Knower(), Server(clock, everything)
    await stand.want(source, "a", "b", "c")
    async with stand.lane(source, server, tmp_path):
        assert await stand.until_told(3) == {"a": "answered", "b": "answered", "c": "answered"}
    assert [sorted(tracks) for _, tracks in server.packs] == [["a", "b", "c"]]
    assert sorted(stand.woken) == [1, 2, 3]


async def test_requests_keep_the_pace_even_when_much_is_wanted(
    database: Database, clock: HandClock, tmp_path: Path
) -> None:
    stand, source, server = Stand(database, clock), Knower(together=1), Server(clock, everything)
    await stand.want(source, *"abcdef")
    began = clock.now().timestamp()
    async with stand.lane(source, server, tmp_path):
        await stand.until_told(6)
    assert _keep_pace(server, began, 6)


async def test_two_lanes_of_two_processes_share_one_budget(
    database: Database, clock: HandClock, tmp_path: Path
) -> None:
    stand, source, server = Stand(database, clock), Knower(together=1), Server(clock, everything)
    await stand.want(source, *"abcdef")
    began = clock.now().timestamp()
    async with stand.lane(source, server, tmp_path), stand.lane(source, server, tmp_path):
        await stand.until_told(6)
    assert _keep_pace(server, began, 6)


async def test_what_is_wanted_most_is_asked_first_even_when_it_came_last(
    database: Database, clock: HandClock, tmp_path: Path
) -> None:
    stand, source, server = Stand(database, clock), Knower(together=1), Server(clock, everything)
    await stand.want(source, *"abcdefgh", band=model.Band.LOW_PRIORITY)
    async with stand.lane(source, server, tmp_path):
        await stand.until_told(1)
        await stand.want(source, "live", band=model.Band.CRITICAL)
        before = len(server.packs)
        await stand.until_told(9)
    asked = [tracks[0] for _, tracks in server.packs]
    assert asked.index("live") <= before + 1  # one may have been claimed already
    assert before + 1 < len(asked) - 1


async def test_absence_is_stored_as_an_answer(database: Database, clock: HandClock, tmp_path: Path) -> None:
    stand, source = Stand(database, clock), Knower()
    server = Server(clock, lambda tracks: (200, {}, json.dumps(["nothing" for _ in tracks]).encode()))
    await stand.want(source, "a")
    async with stand.lane(source, server, tmp_path):
        assert await stand.until_told(1) == {"none": "absent"}


async def test_a_fault_is_never_stored_and_the_question_is_asked_again(
    database: Database, clock: HandClock, tmp_path: Path
) -> None:
    stand, source = Stand(database, clock), Knower()
    faults: Iterator[Reply] = iter([(503, {}, b"busy"), (500, {}, b"oops"), (200, {}, b"<html>")])
    server = Server(clock, lambda tracks: next(faults, None) or everything(tracks))
    await stand.want(source, "a")
    async with stand.lane(source, server, tmp_path):
        assert await stand.until_told(1) == {"a": "answered"}
    assert len(server.packs) == 4
    async with database.connection() as conn:
        noted = [row["outcome"] for row in await conn.fetch("SELECT outcome FROM traces ORDER BY id")]
    assert noted == ["fault", "fault", "fault", "answered"]


@pytest.mark.parametrize(("band", "times"), [(model.Band.LOW_PRIORITY, 1), (model.Band.DEFAULT, breaker.GIVE_UP)])
async def test_a_question_that_keeps_failing_is_given_up_and_who_waits_before_the_page_hears_of_each_fault(
    database: Database, clock: HandClock, tmp_path: Path, band: model.Band, times: int
) -> None:
    stand, source = Stand(database, clock), Knower()
    server = Server(clock, lambda tracks: everything(tracks) if tracks == ["good"] else (500, {}, b""))
    await stand.want(source, "bad", band=band)
    async with stand.lane(source, server, tmp_path):
        assert await stand.until_told(1, at_most=7200) == {"none": "given_up"}
    assert len(server.packs) == breaker.GIVE_UP
    assert stand.woken == [1] * times


async def test_members_of_a_cut_reply_are_asked_again_in_half_the_pack(
    database: Database, clock: HandClock, tmp_path: Path
) -> None:
    stand, source = Stand(database, clock), Knower(together=4)
    server = Server(
        clock, lambda tracks: (200, {}, json.dumps(tracks if len(tracks) < 3 else ["cut"] * len(tracks)).encode())
    )
    await stand.want(source, "a", "b", "c", "d")
    async with stand.lane(source, server, tmp_path):
        assert set(await stand.until_told(4)) == {"a", "b", "c", "d"}
    assert [len(tracks) for _, tracks in server.packs] == [4, 2, 2]


async def test_members_of_an_imports_cut_reply_are_asked_again_in_nearly_the_same_pack(
    database: Database, clock: HandClock, tmp_path: Path
) -> None:
    stand, source = Stand(database, clock), Knower(together=4)
    source.policy = msgspec.structs.replace(source.policy, parallel=1)  # a reply is settled before the next pack goes

    def first_two(tracks: list[str]) -> Reply:
        return 200, {}, json.dumps([track if place < 2 else "cut" for place, track in enumerate(tracks)]).encode()

    server = Server(clock, first_two)
    await stand.want(source, *"abcdef", band=model.Band.LOW_PRIORITY)
    async with stand.lane(source, server, tmp_path):
        await stand.until_told(6)
    packs = [tracks for _, tracks in server.packs]
    assert [len(tracks) for tracks in packs] == [4, 3, 2]
    assert {"e", "f"} < set(packs[1])  # what was not asked yet goes first, and what was left out fills the pack


async def test_a_pack_whose_address_would_be_too_long_is_made_smaller(
    database: Database, clock: HandClock, tmp_path: Path
) -> None:
    stand, source = Stand(database, clock), Knower(together=4)
    server = Server(clock, everything)
    await stand.want(source, *(letter * 2_500 for letter in "abcd"))
    async with stand.lane(source, server, tmp_path):
        await stand.until_told(4)
    assert sorted(len(tracks) for _, tracks in server.packs) == [2, 2]


async def test_a_host_that_says_wait_is_left_alone_for_that_long(
    database: Database, clock: HandClock, tmp_path: Path
) -> None:
    stand, source = Stand(database, clock), Knower(together=1)
    told: Iterator[Reply] = iter([(429, {"retry-after": "60"}, b"")])
    server = Server(clock, lambda tracks: next(told, None) or everything(tracks))
    await stand.want(source, "a")
    async with stand.lane(source, server, tmp_path):
        await turning.until(stand.has_met_a_fault, clock)
        paused_until = await stand.paused_until()
        await stand.want(source, "b")
        await stand.until_told(2)
    assert len(server.packs) == 3
    assert paused_until - server.packs[0][0] >= 60
    assert server.packs[1][0] >= paused_until


async def test_a_lane_of_many_hosts_leaves_none_alone_for_anothers_trouble(
    database: Database, clock: HandClock, tmp_path: Path
) -> None:
    stand, source = Stand(database, clock), Knower(together=1)
    source.policy = msgspec.structs.replace(source.policy, apart=True)
    told: Iterator[Reply] = iter([(429, {"retry-after": "60"}, b"")])
    server = Server(clock, lambda tracks: next(told, None) or everything(tracks))
    await stand.want(source, "a")
    async with stand.lane(source, server, tmp_path):
        await turning.until(stand.has_met_a_fault, clock)
        await stand.want(source, "b")
        await stand.until_told(2)
    moments = {tracks[0]: moment for moment, tracks in server.packs}
    assert moments["b"] < moments["a"]  # which waits as it was told


async def test_a_host_that_says_the_rate_is_spent_is_left_alone_until_it_is_not(
    database: Database, clock: HandClock, tmp_path: Path
) -> None:
    stand, source = Stand(database, clock), Knower(together=1, told="x-ratelimit")
    headers = {"x-ratelimit-remaining": "0", "x-ratelimit-reset-in": "7"}
    server = Server(clock, lambda tracks: (200, headers, json.dumps(tracks).encode()))
    await stand.want(source, "a")
    async with stand.lane(source, server, tmp_path):
        await stand.until_told(1)  # and the pause is noted with it
        await stand.want(source, "b")
        await stand.until_told(2)
    (first, _), (second, _) = server.packs
    assert second - first >= 7


async def test_finding_nothing_soon_after_a_throttle_is_no_absence(
    database: Database, clock: HandClock, tmp_path: Path
) -> None:
    stand, source = Stand(database, clock), Knower(together=1, doubt_s=600)
    said = iter([(429, {"retry-after": "2"}, b""), (200, {}, b'["nothing"]')])
    server = Server(clock, lambda tracks: next(said, everything(tracks)))
    await stand.want(source, "a")
    async with stand.lane(source, server, tmp_path):
        assert await stand.until_told(1) == {"a": "answered"}
    throttled, _, last = (at for at, _ in server.packs)
    assert last - throttled >= 600


async def test_what_met_a_fault_is_asked_again_when_its_wait_is_over_though_nobody_calls(
    database: Database, clock: HandClock, tmp_path: Path
) -> None:
    replies: Iterator[Reply] = iter([(500, {}, b"")])
    stand, source = Stand(database, clock), Knower()
    server = Server(clock, lambda tracks: next(replies, everything(tracks)))
    await stand.want(source, "a")
    async with stand.lane(source, server, tmp_path):
        await stand.until_told(1, step=0.01)  # slowly, so that what the lane itself needs is short
    first, second = (moment for moment, _ in server.packs)
    assert second - first < LOOK_AGAIN / 2


async def test_trouble_at_one_host_does_not_delay_another(database: Database, clock: HandClock, tmp_path: Path) -> None:
    stand, ill, well = Stand(database, clock), Knower("ill.org"), Knower("well.org")
    silent, talking = Server(clock, lambda _: (503, {"retry-after": "600"}, b"")), Server(clock, everything)
    await stand.want(ill, "a")
    await stand.want(well, "b")
    async with stand.lane(ill, silent, tmp_path), stand.lane(well, talking, tmp_path):
        assert await stand.until_told(1, at_most=300) == {"b": "answered"}


async def test_what_a_lane_that_died_had_claimed_is_asked_by_the_next(
    database: Database, clock: HandClock, tmp_path: Path
) -> None:
    stand, source, server = Stand(database, clock), Knower(), Server(clock, everything)
    await stand.want(source, "a")
    async with database.transaction() as conn:
        assert await claims.claim(conn, {source.name: 4}, clock.now(), lease=40.0)
    async with stand.lane(source, server, tmp_path):
        await stand.until_told(1)
    assert server.packs[0][0] >= HandClock().now().timestamp() + 40


async def test_a_reply_that_trips_its_source_is_a_fault_of_the_question_not_the_end_of_the_lane(
    database: Database, clock: HandClock, tmp_path: Path
) -> None:
    stand, source = Stand(database, clock), Knower()
    strange: Iterator[Reply] = iter([(200, {}, b"[]"), (200, {}, b"not json")])
    server = Server(clock, lambda tracks: next(strange, None) or everything(tracks))
    await stand.want(source, "a")
    async with stand.lane(source, server, tmp_path):
        assert await stand.until_told(1) == {"a": "answered"}
    async with database.connection() as conn:
        assert await replies.load(conn, [contract.key(contract.FindRecording("Low", "a"))])
        assert "cannot be read" in await conn.fetchval(_NOTES)
