from __future__ import annotations

import statistics

import pytest

from sleevenotes.pipeline import forecast
from sleevenotes.pipeline.forecast import Cover, Name, Pace, Queue, Sleeve

SURE = Pace(gap=1.0, took=0.5, together=2, tells=2.0, tells_again=2.0)


@pytest.fixture(autouse=True)
def no_doubt(monkeypatch: pytest.MonkeyPatch) -> None:
    """What there is room for is told."""
    monkeypatch.setattr(forecast, "SUREST", 1.0)


def telling(tells: float, together: int = 2) -> Pace:
    return Pace(gap=1.0, took=0.5, together=together, tells=tells, tells_again=tells)


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


def test_who_an_artist_is_goes_before_releases_that_wait() -> None:
    many = tuple(Name((100 + number,), 7) for number in range(12))
    told = forecast.play(Queue((Name((1,), 8, opens=True), *many), pages=(7,)), SURE)
    assert told[1] == 0.5
    assert statistics.median(told[100 + number] for number in range(12)) == 1.5


def test_a_name_of_an_artist_whose_releases_are_asked_for_opens_nothing_any_more() -> None:
    many = tuple(Name((100 + number,), 7) for number in range(12))
    told = forecast.play(Queue((Name((1,), 7, opens=True), *many), pages=(7,)), SURE)
    assert statistics.median(told[100 + number] for number in range(12)) == 0.5


def test_what_was_left_out_goes_first_once_it_fills_a_pack() -> None:
    pace = telling(16, together=16)
    left_out = tuple(Name((100 + number,), 100 + number, bears=12) for number in range(12))
    told = forecast.play(Queue((*names(40), *left_out)), pace)
    assert {told[100 + number] for number in range(12)} == {0.5}
    too_few = forecast.play(Queue((*names(40), *left_out[:11])), pace)
    assert min(too_few[100 + number] for number in range(11)) == 2.5


def test_a_pack_of_what_was_left_out_is_no_larger_than_any_of_it_bears() -> None:
    left_out = tuple(Name((100 + number,), 100 + number, bears=bears) for number, bears in enumerate((6, 6, 3, 3)))
    told = forecast.play(Queue(left_out), telling(16, together=16))
    assert told == {100: 0.5, 101: 0.5, 102: 0.5, 103: 1.5}


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


def test_covers_queue_by_plays_and_go_once_for_each_album() -> None:
    archive = forecast.Archive((Cover(9, 1),), gap=1.0, asks=1.0, took=0.5)
    sleeves = {1: Sleeve(70), 2: Sleeve(70), 3: Sleeve(71, plays=2)}
    done, shown = forecast.then_covers({1: 1.0, 2: 5.0, 3: 1.0}, sleeves, archive)
    assert done == {1: 3.5, 3: 2.5, 2: 5.0}
    assert shown == {9: 1.5}


def test_covers_of_as_many_plays_go_in_the_order_in_which_they_came() -> None:
    archive = forecast.Archive((Cover(8, 1), Cover(9, 1)), gap=1.0, asks=1.0, took=0.5)
    done, shown = forecast.then_covers({1: 0.5, 2: 0.7}, {1: Sleeve(70), 2: Sleeve(71)}, archive)
    assert shown == {8: 1.5, 9: 2.5}
    assert done == {1: 3.5, 2: 4.5}


def test_names_of_an_album_that_are_told_together_bring_its_cover_the_plays_of_all() -> None:
    archive = forecast.Archive((), gap=1.0, asks=1.0, took=0.5)
    sleeves = {1: Sleeve(70), 2: Sleeve(71), 3: Sleeve(71), 4: Sleeve(71)}
    done, _ = forecast.then_covers({1: 0.5, 2: 0.5, 3: 0.75, 4: 9.0}, sleeves, archive)
    assert done == {1: 3.0, 2: 2.0, 3: 2.0, 4: 9.0}


def test_a_name_whose_albums_cover_is_known_is_done_when_it_is_told() -> None:
    archive = forecast.Archive(tuple(Cover(number, 1) for number in range(100, 140)), gap=1.0, asks=1.0, took=0.5)
    done, _ = forecast.then_covers({1: 2.0, 2: 2.0}, {2: Sleeve(70)}, archive)
    assert done == {1: 2.0, 2: 41.5}


def test_a_cover_that_is_wanted_already_is_not_queued_for_anew() -> None:
    archive = forecast.Archive((Cover(8, 1), Cover(9, 1)), gap=1.0, asks=1.0, took=0.5)
    sleeves = {1: Sleeve(70, wanted=9), 2: Sleeve(71, wanted=5), 3: Sleeve(72)}
    done, _ = forecast.then_covers({1: 0.5, 2: 0.5, 3: 0.5}, sleeves, archive)
    assert done == {1: 2.5, 2: 0.5, 3: 3.5}  # that of 5 is just being fetched


def test_names_in_turn_are_told_one_after_another() -> None:
    assert forecast.in_turn([7, 3], 0.5) == {7: 0.5, 3: 1.0}
