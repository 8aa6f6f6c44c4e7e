"""The parts of the benchmarks that decide what a figure means."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from benches import baseline, common, counts, live, outcomes, plays

from sleevenotes.simulator import conditions, entities, world
from sleevenotes.store import postgres

WORLD = world.World.invented(artists=40)
AT = datetime(2026, 1, 1, tzinfo=UTC)


def names(count: int) -> list[tuple[str, str, str]]:
    """Return names MusicBrainz knows: artist, track, album."""
    known = WORLD.known.by(world.MUSICBRAINZ)
    chosen = [each for each in WORLD.catalogue.recordings if each.credit[0].artist.index in known]
    return [
        (entities.printed(each.credit), each.title, WORLD.catalogue.home(each.row).title)
        for each in _titled(chosen)[:count]
    ]


def _titled(recordings: list[entities.Recording]) -> list[entities.Recording]:
    return [each for each in recordings if WORLD.truth(entities.printed(each.credit), each.title) is not None]


def history(tmp_path: Path, lines: list[str]) -> Path:
    path = tmp_path / "history.tsv"
    path.write_text("\n".join(lines) + "\n", "utf-8")
    return path


def sent_of(rows: list[tuple[str, str, str]]) -> plays.Plays:
    played = [common.Row(number, *each) for number, each in enumerate(rows)]
    true = {(common.same(row.artist), common.same(row.track)): (row.artist, row.track) for row in played}
    return plays.Plays(played, true, 0, 0)


# ---------------------------------------------------------------- what is submitted


def test_raw_names_are_submitted_where_the_history_has_them_and_mean_the_corrected_ones(tmp_path: Path) -> None:
    artist, track, _ = names(1)[0]
    path = history(tmp_path, ["ts\tartist\talbum\ttrack\traw_artist\traw_track", f"1\t{artist}\t\t{track}\tzz\tyy"])
    sent = plays.load(path, 0, WORLD)
    assert sent.rows == [common.Row(1, "zz", "yy", "")]
    assert (sent.raw, sent.dirty) == (1, 0)
    assert sent.truth(WORLD, "ZZ", "yy", "") == WORLD.truth(artist, track)


def test_elsewhere_the_stated_share_of_names_is_spoiled_and_keeps_its_truth(tmp_path: Path) -> None:
    every = names(400)
    path = history(tmp_path, ["ts\tartist\talbum\ttrack", *(f"1\t{a}\t{r}\t{t}" for a, t, r in every)])
    sent = plays.load(path, 0, WORLD)
    assert 0 < sent.dirty < len(every) * 0.2
    for row, (artist, track, release) in zip(sent.rows, every, strict=True):
        assert sent.truth(WORLD, row.artist, row.track, release) == WORLD.truth(artist, track, release)


# ---------------------------------------------------------------- judging


def outcome(row: tuple[str, str, str], **found: str) -> outcomes.Outcome:
    given: dict[str, Any] = {
        "recording_mbid": "",
        "recording_title": "",
        "recording_artist": "",
        "digest": "",
        "image_source": "",
    }
    status = "enriched" if found else "not_found"
    return outcomes.Outcome(*row, status=status, decided_at=AT, shown_at=AT, **(given | found))


def test_only_the_true_recordings_mbid_is_correct_and_any_other_is_wrong() -> None:
    row = names(1)[0]
    sent, truth = sent_of([row]), WORLD.truth(*row)
    assert truth is not None
    right = outcomes.hold(outcome(row, recording_mbid=truth.recording_mbid), "", sent, WORLD)
    other = outcomes.hold(outcome(row, recording_mbid=truth.release_mbid), "", sent, WORLD)
    none = outcomes.hold(outcome(row), "", sent, WORLD)
    assert [(each.correct, each.wrong) for each in (right, other, none)] == [
        (True, False),
        (False, True),
        (False, False),
    ]


def test_a_match_without_an_mbid_is_wrong_only_where_its_names_are_others() -> None:
    row = names(1)[0]
    sent = sent_of([row])
    same = outcomes.hold(outcome(row, recording_title=row[1].upper(), recording_artist=row[0]), "", sent, WORLD)
    other = outcomes.hold(outcome(row, recording_title=row[1], recording_artist="Karaoke All Stars"), "", sent, WORLD)
    assert [(each.correct, each.wrong) for each in (same, other)] == [(False, False), (False, True)]


def test_an_image_counts_only_for_the_album_whose_front_it_is() -> None:
    row = names(1)[0]
    truth = WORLD.truth(*row)
    assert truth is not None
    sent = sent_of([row])
    assert outcomes.hold(outcome(row, digest="1"), truth.release_group_mbid, sent, WORLD).right_image
    assert not outcomes.hold(outcome(row, digest="1"), "another", sent, WORLD).right_image


def test_when_a_share_was_reached_is_never_where_too_few_did() -> None:
    assert outcomes.reached([1.0, 2.0, 3.0], 0.95, 3) == 3.0
    assert outcomes.reached([float(number) for number in range(1, 101)], 0.95, 100) == 95.0
    assert outcomes.reached([1.0, 2.0], 0.95, 3) is None


def test_a_play_that_never_shows_its_cover_is_not_within_any_time_and_makes_the_percentile_never() -> None:
    found = [live.Waited(True, True, 1.0), live.Waited(True, True, math.inf), live.Waited(True, False, math.inf)]
    assert live.within(found, 60) == 0.5
    assert live.percentile(found, 0.5) == 1.0
    assert live.percentile(found, 0.95) is None


async def test_the_questions_to_the_database_fit_its_tables(database: postgres.Database) -> None:
    async with database.connection() as conn:
        assert await outcomes.read(conn) == []
        assert await outcomes.ended(conn) is None
        assert await conn.fetch(live._SHOWN, AT) == []


# ---------------------------------------------------------------- counting


def test_requests_are_told_apart_by_what_they_are_for_and_unknown_ones_count_as_metadata() -> None:
    def host(**kinds: int) -> dict[str, object]:
        return {"requests": sum(kinds.values()), "violations": 0, "kinds": {k: {"200": n} for k, n in kinds.items()}}

    counted = counts.Counts.of(
        {
            "hosts": {
                "musicbrainz.org": host(recording_search=3),
                "coverartarchive.org": host(image=5),
                "api.deezer.com": host(track_search=1, album_search=2),
                "cdn-images.dzcdn.net": host(image=7),
                "new.example": host(whatever=11),
            }
        }
    )
    assert counted[:3] == (3 + 1 + 11, 2, 5 + 7)


# ---------------------------------------------------------------- the earlier system


async def played(sent: plays.Plays, given: baseline.Pace | None = None) -> baseline.Run:
    return await baseline.run(sent, WORLD, given or baseline.Pace(), "calm")


async def test_the_earlier_system_asks_three_times_for_a_name_and_never_again_within_a_day() -> None:
    once = await played(sent_of(names(1)))
    again = await played(sent_of(names(1) * 5))
    assert again.all_s == once.all_s
    assert again.figures["requests"] == once.figures["requests"]
    assert again.all_s > 2 * 1.1  # the distances between three requests to MusicBrainz


async def test_the_earlier_system_asks_again_when_its_cache_is_too_old() -> None:
    once = await played(sent_of(names(1)))
    again = await played(sent_of(names(1) * 2), baseline.Pace(cache_hours=0))
    assert again.all_s > 1.5 * once.all_s


async def test_the_earlier_system_keeps_every_limit_and_is_judged_like_ours() -> None:
    done = await played(sent_of(names(40)))
    assert done.figures["names"] == 40
    assert done.figures["decided_share"] == 1.0
    assert done.settled_95_s is not None
    assert done.settled_95_s <= done.all_s


def test_more_than_one_worker_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "world.json"
    path.write_text('{"baseline": {"workers": 2}}')
    with pytest.raises(ValueError, match="workers is 2"):
        baseline.pace(path)


async def test_a_clock_that_jumps_is_as_late_as_it_slept() -> None:
    clock = baseline.JumpClock()
    await clock.sleep(90)
    await clock.sleep(-1)
    assert clock.now() - baseline.BEGAN == timedelta(seconds=90)


def test_the_given_conditions_say_the_pace(shared_data: Path) -> None:
    found = baseline.pace(shared_data / "world.json")
    assert found == baseline.Pace()
    assert conditions.load(shared_data / "world.json").dirty_names == conditions.DirtyNames()
