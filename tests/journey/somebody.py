"""What both journeys through histories at other services need: somebody with plays there, and looking at what came."""

from __future__ import annotations

from typing import Any

import msgspec

from sleevenotes.clock import HandClock
from sleevenotes.settings import Settings
from sleevenotes.simulator import core, lastfm_listeners, people
from tests.journey.conftest import House

LASTFM = "ws.audioscrobbler.com"
Row = tuple[int, str, str]


def only_histories(settings: Settings) -> Settings:
    """Let only histories be asked for: what becomes of the names is another journey."""
    return msgspec.structs.replace(
        settings,
        lastfm_key=lastfm_listeners.KEY,
        lastfm_secret=lastfm_listeners.SECRET,
        sources="lastfm_history,listenbrainz_history",
    )


def somebody(house: House, name: str, count: int) -> people.Person:
    """Give somebody a history whose last play was an hour ago."""
    return person(house.simulator, house.clock, name, count)


def person(simulator: core.Simulator, clock: HandClock, name: str, count: int) -> people.Person:
    everybody = simulator.people
    end = int(clock.now().timestamp()) - 3600
    return everybody.add(name, *everybody.dated(everybody.choose(count), end, every=180))


def play_on(house: House, who: people.Person, seed: int) -> None:
    """Let one more play have been made, just now."""
    everybody = house.simulator.people
    who.add(*everybody.dated(everybody.choose(1, seed=seed), int(house.clock.now().timestamp())))


async def connect(house: House, **given: str) -> None:
    answer = await house.client.post("/lastfm/connect", json=given)
    assert answer.status_code == 202, answer.text


async def until_read(house: House, at_most: float = 3600.0) -> None:
    await house.until("SELECT count(*) > 0 AND bool_and(ended_at IS NOT NULL) FROM walks", at_most=at_most)


async def until_looked_again(house: House) -> None:
    """Wait until every connection has been read by a look begun from now on: one under way may have read already."""
    await house.until(
        """
        SELECT NOT EXISTS (SELECT FROM connections c WHERE NOT EXISTS (
            SELECT FROM walks w
            WHERE w.connection_id = c.id AND w.kind = 'sync' AND w.begun_at > $1 AND w.ended_at IS NOT NULL))
        """,
        house.clock.now(),
        at_most=7200,
    )


async def status(house: House) -> dict[str, Any]:
    told: dict[str, Any] = (await house.client.get("/lastfm/status")).json()
    return told


async def here(house: House) -> list[Row]:
    async with house.parts.database.connection() as conn:
        rows = await conn.fetch(
            "SELECT extract(epoch FROM listened_at)::bigint, artist, track FROM scrobbles ORDER BY 1, 2, 3"
        )
    return [tuple(row) for row in rows]


def there(who: people.Person) -> list[Row]:
    """Return what somebody played, as it should be here: what has no date cannot be."""
    named = (("".join(part.credited + part.join for part in play.recording.credit), play) for play in who.plays)
    return sorted({(play.at, artist, play.recording.title) for artist, play in named if play.at})
