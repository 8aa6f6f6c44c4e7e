"""The parts of the day's benchmark that decide what its figures mean."""

from __future__ import annotations

import math
from typing import Any

import pytest
from benches import common, days, daywatch, plays, stand

from sleevenotes.simulator import world

DAY = days.DAY


def row(ts: int, track: str = "Kelp") -> common.Row:
    return common.Row(ts, "Marrow", track, "")


def of(name: str, *rows: common.Row) -> days.Listener:
    none = plays.Plays([], {}, 0, 0)
    return days.Listener(name, none, none, none._replace(rows=list(rows)))


# ---------------------------------------------------------------- the day


def test_a_day_is_one_of_the_busier_half_with_enough_before_it_and_the_same_for_a_seed() -> None:
    counts = {1: 2, 2: 9, 3: 1, 4: 8, 5: 7, 6: 2}
    rows = [row(day * DAY + second) for day, count in counts.items() for second in range(count)]
    chosen = {days.busy_day(rows, str(seed), before=8, earlier=2).day.start for seed in range(30)}
    assert chosen == {12, 20}  # days 4 and 5; before day 2 there is too little
    part = days.busy_day(rows, "7", before=8, earlier=2)
    assert part == days.busy_day(rows, "7", before=8, earlier=2)
    assert (part.before.stop, part.before.start) == (part.day.start, part.day.start - 8)
    assert (part.earlier.stop, part.earlier.start) == (part.before.start, part.before.start - 2)
    assert len({each.ts // DAY for each in rows[part.day]}) == 1
    with pytest.raises(SystemExit, match="give --before"):
        days.busy_day(rows, "7", before=800, earlier=2)


def test_three_days_lie_over_one_another_and_silences_are_shortened() -> None:
    one = of("one", row(DAY + 8 * 3600), row(DAY + 9 * 3600 + 1800))
    other = of("other", row(7 * DAY + 8 * 3600 + 10))
    moments = days.timeline([one, other], silence=30)
    assert [(each.at, each.listener) for each in moments] == [(0, 0), (10, 1), (40, 0)]
    assert len(days.timeline([one, other], silence=30, limit=2)) == 2


def test_nobody_plays_twice_in_one_second() -> None:
    moments = days.timeline([of("one", row(DAY), row(DAY), row(DAY)), of("other", row(DAY))], silence=30)
    mine = [each.at for each in moments if each.listener == 0]
    assert mine == [0, 1, 2]
    assert [each.at for each in moments] == sorted(each.at for each in moments)


# ---------------------------------------------------------------- what was seen


def seen(*plays_: daywatch.Play) -> daywatch.Watch:
    watch = daywatch.Watch(stand.Stand(), ["", ""], str)
    watch._by_key = {(each.listener, each.row.ts): each for each in plays_}
    watch.depths = [4, 10, 0]
    return watch


def told(seconds: float = 2.0) -> dict[str, Any]:
    return {
        "waited_for": {
            "plays": 3,
            "first": {"p50_s": seconds, "p95_s": 70.0},
            "within_minute_share": 0.3333,
            "artwork_share": 0.6667,
        },
        "success": {"plays_share": 0.5},
        "backlog": {"max": 9},
        "pending": {"names": 1, "covers": 0},
        "lanes": [{"host": "musicbrainz.org", "requests": 7}],
    }


WATCH = seen(
    daywatch.Play(0, row(1), 0.0, True, 2.5, "enriched", least_s=1.5),
    daywatch.Play(1, row(2), 0.0, True, 71.0, "not_found", least_s=69.0),
    daywatch.Play(1, row(3), 0.0, False, math.inf, "pending"),
)


def within(found: dict[str, daywatch.Figure]) -> set[str]:
    return {name for name, (told, saw, apart) in found.items() if abs(told - saw) > apart}


def test_a_report_that_tells_what_was_seen_agrees() -> None:
    assert within(daywatch.agreement(told(), WATCH, 1, {"musicbrainz.org": 7})) == set()


def test_a_report_that_is_off_in_one_figure_does_not_agree_in_that_one() -> None:
    for seconds, agrees in ((0.9, False), (1.1, True), (2.9, True), (3.1, False)):  # seen between 1.5 and 2.5
        off = within(daywatch.agreement(told(seconds), WATCH, 1, {"musicbrainz.org": 7}))
        assert off == (set() if agrees else {"first_art_p50_s"})
    grown = told() | {"backlog": {"max": 21}}
    assert within(daywatch.agreement(grown, WATCH, 1, {"musicbrainz.org": 7})) == {"depth_max"}
    assert within(daywatch.agreement(told(), WATCH, 9, {"musicbrainz.org": 70})) == {
        "pending",
        "requests_musicbrainz.org",
    }


def test_a_play_waits_until_it_shows_its_own_albums_front() -> None:
    true = world.World.invented(artists=40)
    truth, name = next(
        (true.truth(each.credit[0].artist.name, each.title), (each.credit[0].artist.name, each.title))
        for each in true.catalogue.recordings
        if (known := true.truth(each.credit[0].artist.name, each.title)) and known.has_art & plays.ART
    )
    assert truth is not None
    sent = plays.Plays([], {(common.same(name[0]), common.same(name[1])): name}, 0, 0)
    own = truth.release_group_mbid
    play = daywatch.Play(0, common.Row(1, *name, ""), 0.0, True, 1.0, "enriched", ((1.0, "another"), (3.0, own)))
    [waited] = daywatch.held([play], sent, true, plays.ART)
    assert (waited.has_art, waited.seconds) == (True, 3.0)
    play.pictures = ((1.0, "another"),)
    [waited] = daywatch.held([play], sent, true, plays.ART)
    assert math.isinf(waited.seconds)
