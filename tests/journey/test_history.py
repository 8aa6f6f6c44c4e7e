"""A listener's history at Last.fm and ListenBrainz, read through a whole house over the simulated services."""

from __future__ import annotations

import itertools
from datetime import timedelta
from typing import Any

import msgspec
import pytest
import pytest_asyncio

from sleevenotes import model
from sleevenotes.pipeline import connecting, history
from sleevenotes.pipeline.tools import Tools
from sleevenotes.settings import Settings
from sleevenotes.simulator import lastfm_listeners, people
from sleevenotes.store import connections
from tests.journey.conftest import House


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return msgspec.structs.replace(
        settings,
        lastfm_key=lastfm_listeners.KEY,
        lastfm_secret=lastfm_listeners.SECRET,
        sources="lastfm_history,listenbrainz_history",
    )


def somebody(house: House, name: str, count: int, *, until: float = -3600.0) -> people.Person:
    """Give somebody a history whose last play was that many seconds from now."""
    everybody = house.simulator.people
    end = int(house.clock.now().timestamp() + until)
    return everybody.add(name, *everybody.dated(everybody.choose(count), end, every=180))


async def until_read(house: House) -> None:
    await house.until("SELECT NOT EXISTS (SELECT FROM walks WHERE ended_at IS NULL)")


async def played(house: House) -> list[tuple[int, str, str]]:
    async with house.parts.database.connection() as conn:
        rows = await conn.fetch(
            "SELECT extract(epoch FROM listened_at)::bigint AS at, artist, track FROM scrobbles ORDER BY 1, 2, 3"
        )
    return [tuple(row) for row in rows]


def history_of(person: people.Person) -> list[tuple[int, str, str]]:
    return sorted(
        (play.at, "".join(name.credited + name.join for name in play.recording.credit), play.recording.title)
        for play in person.plays
        if play.at
    )


async def test_a_whole_history_comes_in_and_plays_made_meanwhile_are_neither_lost_nor_doubled(house: House) -> None:
    person = somebody(house, "maria", 900)
    same_second = [play._replace(at=person.plays[400].at) for play in person.plays[401:404]]
    person.add(*same_second)
    answer = await house.client.post("/lastfm/connect", json={"username": "maria"})
    assert answer.status_code == 202, answer.text
    coming = itertools.cycle(house.simulator.people.choose(40, seed=5))
    for _ in range(6):
        read = await house.count("SELECT coalesce(max(read), 0) FROM walks WHERE kind = 'history'")
        await house.until("SELECT coalesce(max(read), 0) > $1 OR bool_or(ended_at IS NOT NULL) FROM walks", read)
        now = int(house.clock.now().timestamp())
        person.add(*house.simulator.people.dated(iter([next(coming)]), now))
    await until_read(house)
    house.clock.turn(400)
    await house.until("SELECT count(*) = $1 FROM scrobbles", len(history_of(person)))
    assert await played(house) == history_of(person)
