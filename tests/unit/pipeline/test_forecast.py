from __future__ import annotations

import statistics

import pytest

from sleevenotes.pipeline import forecast
from sleevenotes.pipeline.forecast import Name, Pace, Queue

SURE = Pace(gap=1.0, took=0.5, together=2, chance=1.0)


def names(count: int, *, artist: int = 0, leads: bool = False) -> tuple[Name, ...]:
    """Return names with the ids 0, 1, 2 …, each by another artist unless one is given."""
    return tuple(Name((number,), artist or -number, leads) for number in range(count))


def test_the_worked_example_comes_out_as_written() -> None:
    assert forecast.play(Queue(names(3)), SURE) == {0: 0.5, 1: 0.5, 2: 1.5}
    doubtful = forecast.play(Queue(names(3)), Pace(gap=1.0, took=0.5, together=2, chance=0.5))
    assert set(doubtful.values()) <= {0.5, 1.5, 2.5, 3.5}
    assert max(doubtful.values()) > 0.5


def test_a_name_whose_pack_told_too_little_of_it_goes_round_again() -> None:
    told = forecast.play(Queue(names(200)), Pace(gap=1.0, took=0.5, together=20, chance=0.5))
    assert max(told.values()) == pytest.approx(20, abs=8)  # 200 names, ten of them told in a slot
    assert min(told.values()) == 0.5


def test_names_that_bring_a_cover_go_before_the_others() -> None:
    others = names(20)
    leading = tuple(Name((100 + number,), -100 - number, True) for number in range(20))
    told = forecast.play(Queue((*others, *leading)), SURE)
    assert max(told[100 + number] for number in range(20)) < min(told[number] for number in range(20))


def test_once_one_of_an_artists_many_names_is_told_its_releases_answer_most_of_the_others() -> None:
    many = tuple(Name((number,), 7, False) for number in range(24))
    told = forecast.play(Queue((*many, *(Name((100 + number,), number, False) for number in range(60)))), SURE)
    assert statistics.median(told[number] for number in range(24)) == 1.5  # the slot after the first pack
    assert told[159] > 20


def test_an_artist_whose_releases_are_asked_for_already_goes_first() -> None:
    many = tuple(Name((100 + number,), 7, False) for number in range(12))
    told = forecast.play(Queue((*names(30), *many), pages=(7,)), SURE)
    assert statistics.median(told[100 + number] for number in range(12)) == 0.5


def test_names_that_share_a_question_are_told_together_and_what_is_being_asked_takes_no_slot() -> None:
    told = forecast.play(Queue((Name((1, 2), 1, False, asking=True), *names(1))), SURE, first=3.0)
    assert told == {1: 0.0, 2: 0.0, 0: 3.5}


def test_a_chance_near_nothing_comes_to_an_end() -> None:
    told = forecast.play(Queue(names(3)), Pace(gap=1.0, took=0.5, together=2, chance=0.0))
    assert all(seconds > 10 for seconds in told.values())


def test_times_are_drawn_towards_the_middle_of_their_queue_and_keep_their_order() -> None:
    told = forecast.hedged({1: 10.0, 2: 100.0, 3: 1000.0})
    assert told[2] == pytest.approx(100.0)
    assert 10.0 < told[1] < told[2] < told[3] < 1000.0
    assert forecast.hedged({}) == {}


def test_covers_queue_behind_those_that_wait_and_go_once_for_each_album() -> None:
    archive = forecast.Archive(waiting=2, gap=1.0, took=0.5)
    done = forecast.then_covers({1: 1.0, 2: 5.0, 3: 1.0}, {1: 70, 2: 70, 3: 71}, archive)
    assert done == {1: 3.5, 3: 4.5, 2: 5.0}


def test_a_name_whose_albums_cover_is_known_is_done_when_it_is_told() -> None:
    archive = forecast.Archive(waiting=40, gap=1.0, took=0.5)
    assert forecast.then_covers({1: 2.0, 2: 2.0}, {2: 70}, archive) == {1: 2.0, 2: 41.5}


def test_names_in_turn_are_told_one_after_another() -> None:
    assert forecast.in_turn([7, 3], 0.5) == {7: 0.5, 3: 1.0}
