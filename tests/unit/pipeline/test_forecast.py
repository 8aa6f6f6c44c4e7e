from __future__ import annotations

import statistics

import pytest

from sleevenotes.pipeline import forecast
from sleevenotes.pipeline.forecast import Name, Pace, Queue

SURE = Pace(gap=1.0, took=0.5, together=2, tells=2.0)


@pytest.fixture(autouse=True)
def no_doubt(monkeypatch: pytest.MonkeyPatch) -> None:
    """What there is room for is told."""
    monkeypatch.setattr(forecast, "SUREST", 1.0)


def telling(tells: float, together: int = 2) -> Pace:
    return Pace(gap=1.0, took=0.5, together=together, tells=tells)


def names(count: int) -> tuple[Name, ...]:
    """Return names with the ids 0, 1, 2 …, each by another artist."""
    return tuple(Name((number,), -number) for number in range(count))


def test_the_worked_example_comes_out_as_written() -> None:
    assert forecast.play(Queue(names(3)), SURE) == {0: 0.5, 1: 0.5, 2: 1.5}
    doubtful = forecast.play(Queue(names(3)), telling(1))
    assert set(doubtful.values()) <= {0.5, 1.5, 2.5, 3.5}
    assert max(doubtful.values()) > 0.5


def test_a_name_whose_pack_told_too_little_of_it_goes_round_again() -> None:
    told = forecast.play(Queue(names(200)), telling(10, 20))
    assert max(told.values()) == pytest.approx(20, abs=8)  # 200 names, ten of them told in a slot
    assert min(told.values()) == 0.5


def test_a_reply_has_room_for_so_many_names_and_a_small_pack_is_told_whole() -> None:
    told = forecast.play(Queue(names(4)), telling(2, together=4))
    assert set(told.values()) <= {0.5, 1.5, 2.5, 3.5}
    assert forecast.play(Queue(names(4)), telling(2)) == {0: 0.5, 1: 0.5, 2: 1.5, 3: 1.5}


def test_what_opens_an_artists_releases_stays_before_the_others_when_a_reply_leaves_it_out() -> None:
    opener = Name((100,), -100, opens=True)
    told = forecast.play(Queue((opener, *names(60))), telling(1))
    assert told[100] <= 4.5
    assert statistics.median(told.values()) > 20


def test_names_whose_artists_releases_have_been_read_are_told_soon() -> None:
    many = tuple(Name((100 + number,), 7, is_read=True) for number in range(12))
    told = forecast.play(Queue((*names(30), *many), read=(7,)), SURE)
    assert statistics.median(told[100 + number] for number in range(12)) == forecast.SOON


def test_once_one_of_an_artists_many_names_is_told_its_releases_answer_most_of_the_others() -> None:
    many = tuple(Name((number,), 7) for number in range(24))
    told = forecast.play(Queue((*many, *(Name((100 + number,), number) for number in range(60)))), SURE)
    assert statistics.median(told[number] for number in range(24)) == 1.5  # the slot after the first pack
    assert told[159] > 20


def test_an_artist_whose_releases_are_asked_for_already_goes_first() -> None:
    many = tuple(Name((100 + number,), 7) for number in range(12))
    told = forecast.play(Queue((*names(30), *many), pages=(7,)), SURE)
    assert statistics.median(told[100 + number] for number in range(12)) == 0.5


def test_the_releases_of_who_is_played_more_are_listed_first() -> None:
    some = tuple(Name((number,), 7) for number in range(12))
    more = tuple(Name((100 + number,), 8, plays=3) for number in range(12))
    told = forecast.play(Queue((*some, *more), pages=(7, 8)), SURE)
    assert statistics.median(told[100 + number] for number in range(12)) == 0.5
    assert statistics.median(told[number] for number in range(12)) == 1.5


def test_names_that_share_a_question_are_told_together_and_what_is_being_asked_takes_no_slot() -> None:
    told = forecast.play(Queue((Name((1, 2), 1, asking=True), *names(1))), SURE, first=3.0)
    assert told == {1: 0.0, 2: 0.0, 0: 3.5}


def test_a_chance_near_nothing_comes_to_an_end() -> None:
    told = forecast.play(Queue(names(3)), telling(0))
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
