"""The same play recorded by two services is shown once; a track played twice is shown twice, whatever comes first."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import pytest_asyncio

from sleevenotes.artwork.files import Files
from sleevenotes.clock import HandClock
from sleevenotes.model import Band, Scrobble
from sleevenotes.pipeline import alarms, comparing, reconsider, sameplay
from sleevenotes.pipeline.entering import Stored
from sleevenotes.pipeline.submit import Submitter
from sleevenotes.pipeline.tools import Tools
from sleevenotes.store import accounts, linked_plays, played, scrobbles
from sleevenotes.store.postgres import Connection, Database
from tests.unit.pipeline.submits import match_with_album, queued

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


@pytest.fixture
def tools(database: Database, clock: HandClock, tmp_path: Path) -> Tools:
    return Tools(database, clock, Files(tmp_path), (), alarms.Alarms(database, clock))


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


async def test_two_services_that_write_down_beginnings_are_held_against_that(
    submitter: Submitter, database: Database, account: int
) -> None:
    """Each missed another of three plays in a row: no record of one is the other's."""
    for day in range(1, 6):  # single plays show how the clocks differ
        await submit(submitter, account, play(LASTFM, day * 86_400), play(SPOTIFY, day * 86_400 + 1))
    await submit(submitter, account, play(LASTFM, 0), play(LASTFM, 240))
    await submit(submitter, account, play(SPOTIFY, 241), play(SPOTIFY, 481))
    assert [at for _, at in await shown(database, account)][:3] == [0, 240, 481]


async def test_three_services_show_a_play_once_and_a_repeat_twice(
    submitter: Submitter, database: Database, account: int
) -> None:
    for at in (0, 240):
        await submit(submitter, account, play(SPOTIFY, at + 240.5), play("api", at + 2), play(LASTFM, at))
    assert len(await shown(database, account)) == 2


@pytest.mark.parametrize("apart", [32, 600])
async def test_records_further_apart_than_the_track_is_long_are_two_plays(
    submitter: Submitter, database: Database, account: int, apart: int
) -> None:
    length = None if apart == 32 else 590
    await submit(submitter, account, play(LASTFM, 0, length_s=length), play(SPOTIFY, apart, length_s=length))
    assert len(await shown(database, account)) == 2


@pytest.mark.parametrize("turn", [False, True])
async def test_a_history_to_the_minute_and_one_to_the_second_are_one_history(
    submitter: Submitter, database: Database, account: int, turn: bool
) -> None:
    """The second of two plays in a row began 59 s into its minute; a third is of another track, in between."""
    times = ((10, "Roygbiv"), (119, "Roygbiv"), (185, "Olson"), (300, "Roygbiv"))
    told = {"length_s": None, "release": "Music Has the Right to Children"}
    exact = [play("lastfm", at, track, **told) for at, track in times]  # type: ignore[arg-type] # passed on
    minutes = [play("lastfm_minutes", at // 60 * 60, track, **told) for at, track in times]  # type: ignore[arg-type] # too
    for export in (exact, minutes) if turn else (minutes, exact):
        await submit(submitter, account, *export)
    assert [at for _, at in await shown(database, account)] == [10, 119, 185, 300]


async def test_the_same_record_again_changes_nothing(submitter: Submitter, database: Database, account: int) -> None:
    await submit(submitter, account, play(LASTFM, 0))
    (first,) = await submit(submitter, account, play(SPOTIFY, 240))
    (again,) = await submit(submitter, account, play(SPOTIFY, 240))
    assert first.same_as is not None
    assert again.duplicate
    assert again.id == first.id
    assert await shown(database, account) == [(LASTFM, 0)]


async def test_other_listeners_plays_are_none_of_ones_own(
    submitter: Submitter, database: Database, account: int, clock: HandClock
) -> None:
    async with database.connection() as conn:
        other = (await accounts.create(conn, "ben", "", is_owner=False, now=clock.now())).id
    await submit(submitter, account, play(LASTFM, 0))
    await submit(submitter, other, play(SPOTIFY, 0))
    assert len(await shown(database, account)) == len(await shown(database, other)) == 1


# ---------------------------------------------------------------- what is shown, and what comes forward


async def test_what_tells_an_album_is_shown_and_what_the_other_knows_completes_it(
    submitter: Submitter, database: Database, account: int
) -> None:
    await submit(submitter, account, play(SPOTIFY, 240, artwork_uri="https://pictures.example/1.jpg"))
    await submit(submitter, account, play(LASTFM, 0, length_s=None, release="Music Has the Right to Children"))
    async with database.connection() as conn:
        (play_,) = await played.feed(conn, account, limit=10)
    assert (play_.origin, play_.release) == (LASTFM, "Music Has the Right to Children")
    assert (play_.duration_ms, play_.artwork_uri) == (240_000, "https://pictures.example/1.jpg")


async def test_when_the_shown_record_is_deleted_the_hidden_one_comes_forward(
    submitter: Submitter, database: Database, account: int, clock: HandClock
) -> None:
    (first,) = await submit(submitter, account, play(LASTFM, 0))
    await submit(submitter, account, play(SPOTIFY, 240), play("api", 1))
    async with database.connection() as conn:
        await scrobbles.delete(conn, account, [first.id], clock.now())
    assert len(await shown(database, account)) == 1
    async with database.connection() as conn:
        await conn.execute("DELETE FROM scrobbles WHERE same_as IS NULL")  # by whatever statement
    assert len(await shown(database, account)) == 1


async def test_other_names_of_one_recording_are_one_play_once_both_are_matched(
    submitter: Submitter, database: Database, account: int, clock: HandClock, tools: Tools
) -> None:
    one, other = await submit(submitter, account, play(LASTFM, 0), play(SPOTIFY, 200, track="ROYGBIV!? (teaser)"))
    assert len(await shown(database, account)) == 2
    async with database.transaction() as conn:
        for stored in (one, other):
            await match_with_album(conn, stored.lookup_id, clock.now())
        await reconsider.begin(conn, [one.lookup_id, other.lookup_id], Band.DEFAULT)
    subjects = [subject for subject, _ in await queued(database, "same_play")]
    assert subjects == sorted([one.lookup_id, other.lookup_id])
    await sameplay.run(tools, subjects, Band.DEFAULT)
    assert await shown(database, account) == [(LASTFM, 0)]


async def test_an_edited_play_is_compared_anew_with_what_lies_near_it_now(
    submitter: Submitter, database: Database, account: int
) -> None:
    (first,) = await submit(submitter, account, play(LASTFM, 0))
    await submit(submitter, account, play(SPOTIFY, 240))

    async def move(seconds: float) -> None:
        async def take_up(_: Connection) -> dict[int, Scrobble]:
            return {first.id: play(LASTFM, seconds)}

        await submitter.reenter(account, Band.DEFAULT, take_up)

    await move(5000)
    assert await shown(database, account) == [(SPOTIFY, 240), (LASTFM, 5000)]
    await move(10)
    assert await shown(database, account) == [(LASTFM, 10)]


# ---------------------------------------------------------------- what the listener says


async def test_a_play_of_its_own_stays_so_whatever_comes_in_until_that_is_taken_back(
    submitter: Submitter, database: Database, account: int, tools: Tools
) -> None:
    await submit(submitter, account, play(LASTFM, 0))
    (hidden,) = await submit(submitter, account, play(SPOTIFY, 240))
    await sameplay.show_as_own(tools, account, hidden.id)
    await submit(submitter, account, play(SPOTIFY, 240), play("api", 3))
    assert await shown(database, account) == [(LASTFM, 0), (SPOTIFY, 240)]
    assert await sameplay.show_as_before(tools, account, hidden.id)
    assert await shown(database, account) == [(LASTFM, 0)]
    assert not await sameplay.show_as_before(tools, account, hidden.id)


async def test_origins_that_are_kept_apart_show_all_they_recorded_until_they_are_brought_together(
    submitter: Submitter, database: Database, account: int, tools: Tools
) -> None:
    await submit(submitter, account, play(LASTFM, 0), play(SPOTIFY, 240))
    assert await sameplay.keep_apart(tools, account, SPOTIFY, LASTFM) == 1
    await submit(submitter, account, play(LASTFM, 1000), play(SPOTIFY, 1240))
    assert len(await shown(database, account)) == 4
    async with database.connection() as conn:
        assert await linked_plays.pairs(conn, account) == [linked_plays.Pair(LASTFM, SPOTIFY, 0, True)]
    assert await sameplay.bring_together(tools, account, LASTFM, SPOTIFY)
    assert [subject for subject, _ in await queued(database, "same_plays")] == [account]
    await comparing.run(tools, [account], Band.DEFAULT)
    assert len(await shown(database, account)) == 2
    async with database.connection() as conn:
        assert await linked_plays.pairs(conn, account) == [linked_plays.Pair(LASTFM, SPOTIFY, 2, False)]
