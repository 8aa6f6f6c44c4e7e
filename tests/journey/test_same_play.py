"""One history, exported by two services and imported one after the other: 0 doubles shown, 0 genuine repeats lost."""

from __future__ import annotations

import csv
import io
import itertools
import random
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
import pytest_asyncio
from benches import same_play

from sleevenotes.clock import HandClock
from sleevenotes.model import Scrobble
from sleevenotes.pipeline.submit import Submitter
from sleevenotes.simulator import listener
from sleevenotes.store import accounts
from sleevenotes.store.postgres import Database
from tests.journey.conftest import WORLD
from tests.unit.pipeline.importing_house import House, house

__all__ = ["house"]  # pytest finds it here

PLAYS = 400


@pytest_asyncio.fixture
async def account(database: Database, clock: HandClock) -> int:
    async with database.connection() as conn:
        return (await accounts.create(conn, "anna", "", is_owner=True, now=clock.now())).id


def history() -> list[same_play.Play]:
    """Listen for some days: every fifth track again, every twentieth three times, some cut short; in two spellings."""
    chance, at = random.Random(7), 1_700_000_000  # noqa: S311 - always the same
    rows: list[tuple[int, str, str, str, str, str]] = []
    chosen = listener.choices(WORLD, 7)
    while len(rows) < PLAYS:
        song = next(chosen)
        times = chance.choices((1, 2, 3), (15, 4, 1))[0]
        sent = _otherwise(song.artist, song.track, chance)
        for _ in range(times):
            rows.append((at, song.artist, song.track, song.release, *sent))
            at += chance.choice((same_play.length_s(song.artist, song.track), chance.randint(61, 100)))
        at += chance.choice((0, 0, 0, 4000))
    return same_play.played(rows)


def _otherwise(artist: str, track: str, chance: random.Random) -> tuple[str, str]:
    """Write a song as another service may."""
    return chance.choice((
        (artist, track),
        (artist.upper(), track.lower()),
        (artist, f"{track} - 2011 Remaster"),
        (f"{artist} feat. Somebody Else", track),
        (artist, f"{track} (feat. Somebody Else)"),
        (f"The {artist}", track),
        (artist, f"04 - {track}"),
    ))  # fmt: skip


async def imported(
    database: Database,
    clock: HandClock,
    account: int,
    plays: Sequence[same_play.Play],
    exports: Sequence[Sequence[Scrobble]],
) -> same_play.Judged:
    submitter = Submitter(database, clock)
    for export in exports:
        await same_play.take_in(submitter, account, export)
    async with database.connection() as conn:
        return await same_play.judge(conn, account, plays, exports)


@pytest.mark.parametrize("turned", [False, True], ids=["lastfm_first", "other_first"])
@pytest.mark.parametrize("way", same_play.WAYS)
async def test_two_exports_of_one_history_show_it_once(
    database: Database, clock: HandClock, account: int, way: str, turned: bool
) -> None:
    plays = history()
    assert same_play.repeats(plays) > PLAYS / 10
    exports = [same_play.lastfm(plays), same_play.other(plays, way)]
    judged = await imported(database, clock, account, plays, exports[::-1] if turned else exports)
    assert judged == same_play.Judged(shown=len(plays), doubles=0, lost=0)


async def test_it_makes_no_difference_in_which_pieces_they_come(
    database: Database, clock: HandClock, account: int
) -> None:
    plays = history()
    pieces = [
        export[start : start + 40]
        for export in (same_play.lastfm(plays), same_play.other(plays, "ended"))
        for start in range(0, len(plays), 40)
    ]
    random.Random(3).shuffle(pieces)  # noqa: S311 - always the same
    judged = await imported(database, clock, account, plays, pieces)
    assert judged == same_play.Judged(shown=len(plays), doubles=0, lost=0)


def lastfm_file(plays: Sequence[same_play.Play]) -> str:
    lines = io.StringIO()
    table = csv.writer(lines)
    table.writerow(["uts", "utc_time", "artist", "artist_mbid", "album", "album_mbid", "track", "track_mbid"])
    for play in plays:
        table.writerow([play.at, "", play.artist, "", play.release, "", play.track, ""])
    return lines.getvalue()


def spotify_file(plays: Sequence[same_play.Play], *, extended: bool) -> str:
    rows = []
    for play in plays:
        ended = datetime.fromtimestamp(play.at + play.played_s, UTC)
        if extended:
            names = {
                "track_name": play.sent_track,
                "album_artist_name": play.sent_artist,
                "album_album_name": "An Album",
            }
            row = {"ts": f"{ended:%Y-%m-%dT%H:%M:%SZ}", "ms_played": play.played_s * 1000, "reason_end": "trackdone"}
            rows.append(row | {f"master_metadata_{name}": text for name, text in names.items()})
        else:
            names = {"artistName": play.sent_artist, "trackName": play.sent_track}
            rows.append({"endTime": f"{ended:%Y-%m-%d %H:%M}", "msPlayed": play.played_s * 1000} | names)
    return msgspec.json.encode(rows).decode()


@pytest.mark.parametrize("turned", [False, True], ids=["lastfm_first", "spotify_first"])
@pytest.mark.parametrize("extended", [False, True], ids=["account_data", "extended_history"])
async def test_the_files_that_lastfm_and_spotify_hand_out_are_shown_once(
    house: House, turned: bool, extended: bool
) -> None:
    plays = history()
    files = [
        (lastfm_file(plays), "lastfm.csv"),
        (spotify_file(plays, extended=extended), "StreamingHistory_music_0.json"),
    ]
    for data, name in files[::-1] if turned else files:
        told = await house.finish(await house.offered(data, name))
        assert (told.status, told.skipped) == ("done", 0)
    async with house.database.connection() as conn:
        rows = await conn.fetch(
            "SELECT extract(epoch FROM listened_at)::int AS at FROM scrobbles WHERE same_as IS NULL ORDER BY 1"
        )
    assert len(rows) == len(plays)
    assert all(abs(row["at"] - play.at) <= 60 for row, play in zip(rows, plays, strict=True))


async def test_account_data_that_lack_some_plays_hide_none_of_the_others(
    database: Database, clock: HandClock, account: int
) -> None:
    plays = history()
    extended, brief = same_play.spotifys(plays)
    assert len(brief) < 0.7 * len(plays)  # they begin later
    assert any(one.at + one.played_s == two.at for one, two in itertools.pairwise(plays))
    judged = await imported(database, clock, account, plays, [brief, extended])
    assert judged == same_play.Judged(shown=len(plays), doubles=0, lost=0)


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_no_repeat_is_lost_where_each_export_of_spotify_lacks_some_plays(
    database: Database, clock: HandClock, account: int, seed: int
) -> None:
    plays = history()
    assert min(play.played_s for play in plays) > 60  # within a minute, nobody can tell two ends apart
    exports = [same_play.without_some(export, 0.2, seed + at) for at, export in enumerate(same_play.spotifys(plays))]
    judged = await imported(database, clock, account, plays, exports)
    assert (judged.doubles, judged.lost) == (0, 0)


@pytest.mark.parametrize("order", [(0, 1), (1, 0), (2, 0, 1), (0, 2, 1), (1, 0, 2)])
async def test_both_exports_of_spotify_are_shown_once_also_beside_lastfm(house: House, order: tuple[int, ...]) -> None:
    plays = history()
    files = [
        (spotify_file(plays, extended=False), "StreamingHistory_music_0.json"),
        (spotify_file(plays, extended=True), "Streaming_History_Audio_2023_0.json"),
        (lastfm_file(plays), "lastfm.csv"),
    ]
    for each in order:
        told = await house.finish(await house.offered(*files[each]))
        assert (told.status, told.skipped) == ("done", 0)
    async with house.database.connection() as conn:
        rows = await conn.fetch(
            """
            SELECT extract(epoch FROM listened_at)::int AS at, release,
                   (SELECT count(*) FROM scrobbles h WHERE h.same_as = s.id) AS behind
            FROM scrobbles s WHERE same_as IS NULL ORDER BY 1
            """
        )
        doubles = await conn.fetchval("SELECT sum(duplicates) FROM imports")
    assert len(rows) == len(plays)
    assert all(abs(row["at"] - play.at) <= 60 for row, play in zip(rows, plays, strict=True))
    assert sum(not row["release"] for row in rows) <= doubles  # else shown is what tells the album
    assert sum(row["behind"] for row in rows) + doubles == (len(order) - 1) * len(plays)


async def test_a_real_history_is_shown_once(
    database: Database, clock: HandClock, account: int, shared_data: Path
) -> None:
    plays = same_play.true_history(shared_data / "histories" / "mit_2019_2021.tsv.gz", 4000)
    judged = await imported(database, clock, account, plays, [same_play.other(plays, "ended"), same_play.lastfm(plays)])
    assert judged == same_play.Judged(shown=len(plays), doubles=0, lost=0)
