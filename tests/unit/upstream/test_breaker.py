"""How long a question and a host are left alone."""

from __future__ import annotations

from sleevenotes import errors
from sleevenotes.upstream import breaker


def test_a_questions_own_faults_make_it_wait_twice_as_long_each_time_up_to_ten_seconds() -> None:
    waits = [breaker.question_wait(errors.Unreachable(), faults, jitter=0.0, waited_for=False) for faults in range(10)]
    assert waits == [1, 2, 4, 8, 10, 10, 10, 10, 10, 10]


def test_what_somebody_waits_for_is_asked_again_at_once_a_few_times() -> None:
    waits = [breaker.question_wait(errors.Unreachable(), faults, jitter=0.0, waited_for=True) for faults in range(7)]
    assert waits == [0.2, 0.2, 0.2, 0.2, 2, 4, 8]


def test_being_told_to_slow_down_is_not_held_against_the_question() -> None:
    assert not breaker.counts(errors.Throttled())
    assert breaker.counts(errors.Unreachable())
    assert breaker.counts(errors.Garbled())


def test_a_host_that_says_how_long_is_left_alone_for_that_long() -> None:
    assert breaker.host_pause(errors.Throttled(retry_after=60.0), consecutive=1) == 60.0


def test_a_service_that_sheds_load_is_not_paused_but_its_questions_wait_a_second() -> None:
    shed = errors.Throttled(retry_after=0.0, site_wide=True)
    assert breaker.host_pause(shed, consecutive=5) == 0
    assert min(breaker.question_wait(shed, 3, jitter=0.0, waited_for=waited_for) for waited_for in (True, False)) >= 1.1


def test_the_breaker_opens_after_many_faults_in_a_row_and_longer_each_time() -> None:
    pauses = [breaker.host_pause(errors.Unreachable(), consecutive) for consecutive in range(1, 37)]
    assert [pause for pause in pauses if pause] == [5, 10, 20]
    assert not any(pauses[: breaker.OPENS_AFTER - 1])
