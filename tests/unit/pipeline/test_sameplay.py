"""The same play recorded by two services is shown once; a track played twice is shown twice, whatever comes first."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
import pytest_asyncio

from sleevenotes.clock import HandClock
from sleevenotes.model import Band, Scrobble
from sleevenotes.pipeline.submit import Stored, Submitter
from sleevenotes.store import accounts, played
from sleevenotes.store.postgres import Database

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
LASTFM, SPOTIFY = "import:lastfm", "import:spotify"


def play(origin: str, seconds: float, track: str = "Roygbiv", length_s: int | None = 240, **more: object) -> Scrobble:
    fields = {"artist": "Boards of Canada", "duration_ms": length_s and length_s * 1000} | more
    return Scrobble(track=track, listened_at=NOON + timedelta(seconds=seconds), origin=origin, **fields)  # type: ignore[arg-type] # passed on


@pytest_asyncio.fixture
async def account(database: Database, clock: HandClock) -> int:
    async with database.connection() as conn:
        return (await accounts.create(conn, "maria", "", is_owner=True, now=clock.now())).id


@pytest.fixture
def submitter(database: Database, clock: HandClock) -> Submitter:
    return Submitter(database, clock)


async def submit(submitter: Submitter, account: int, *plays: Scrobble) -> list[Stored]:
    return await submitter.submit(account, plays, band=Band.LOW_PRIORITY)


async def shown(database: Database, account: int) -> list[tuple[str, int]]:
    """Return what is shown: origins and seconds after noon, in the order of time."""
    async with database.connection() as conn:
        plays: Sequence[played.Play] = await played.feed(conn, account, limit=100)
        assert len(plays) == await played.count(conn, account)
    return [(one.origin, round((one.listened_at - NOON).total_seconds())) for one in reversed(plays)]


# ---------------------------------------------------------------- one play, two records


@pytest.mark.parametrize("first", [LASTFM, SPOTIFY])
async def test_the_end_and_the_beginning_of_a_play_are_one_play_whichever_comes_first(
    submitter: Submitter, database: Database, account: int, first: str
) -> None:
    one, other = play(LASTFM, 0), play(SPOTIFY, 241)
    for each in (one, other) if first == LASTFM else (other, one):
        await submit(submitter, account, each)
    assert [origin for origin, _ in await shown(database, account)] == [first]


@pytest.mark.parametrize("turn", [False, True])
async def test_a_track_played_three_times_in_a_row_and_recorded_twice_is_three_plays(
    submitter: Submitter, database: Database, account: int, turn: bool
) -> None:
    begun = [play(LASTFM, at) for at in (0, 240, 480)]
    ended = [play(SPOTIFY, at) for at in (240.5, 480.5, 720.5)]
    for export in (ended, begun) if turn else (begun, ended):
        await submit(submitter, account, *export)
    assert len(await shown(database, account)) == 3


async def test_it_makes_no_difference_that_records_come_one_by_one_and_mixed(
    submitter: Submitter, database: Database, account: int
) -> None:
    for at in (480, 0, 240):
        await submit(submitter, account, play(SPOTIFY, at + 240.5))
        await submit(submitter, account, play(LASTFM, at))
    assert len(await shown(database, account)) == 3


async def test_a_track_played_twice_by_one_service_stays_two_plays(
    submitter: Submitter, database: Database, account: int
) -> None:
    await submit(submitter, account, play(LASTFM, 0), play(LASTFM, 20), play(SPOTIFY, 0.2))
    assert len(await shown(database, account)) == 2
