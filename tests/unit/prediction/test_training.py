"""Learning from questions that were asked, and holding it against what came later."""

from __future__ import annotations

import io
import random
from collections.abc import Iterator

import msgspec
import numpy as np
import pytest

from sleevenotes.prediction import __main__ as program
from sleevenotes.prediction import evaluation, learned, training
from sleevenotes.prediction.predictor import Predictor

DECLARED = {"find_recording": ("deezer", "itunes", "discogs"), "find_images": ("deezer", "itunes", "discogs")}
TASK = learned.Task(DECLARED, keep=0.995)


def asks(count: int = 300, *, by_artist: bool = True, seed: int = 1) -> list[learned.Example]:
    """Ask about names one after another until one serves; with `by_artist`, a source knows an artist wholly or not."""
    dice = random.Random(seed)  # noqa: S311 - no secret
    knows = {(artist, source): dice.random() < 0.5 for artist in range(40) for source in DECLARED["find_images"]}

    def walk() -> Iterator[learned.Example]:
        at = 0.0
        for number in range(count):
            artist = int(dice.triangular(0, 40, 0))
            for source in DECLARED["find_recording"]:
                served = knows[artist, source] if by_artist else dice.random() < 0.5
                at += 3.0
                yield example(source, artist, number, at, served=served)
                if served:
                    break

    return list(walk())


def example(source: str, artist: int, number: int, at: float, *, served: bool) -> learned.Example:
    name = f"Band {artist}"
    return learned.Example(
        source, "find_recording", name, f"{name}/{number}", name, f"Song {number}", "", 1, at, 0.5, served
    )


def test_what_was_answered_later_is_not_known_when_a_question_is_asked() -> None:
    together = [
        example("deezer", 1, 1, 0.0, served=True),
        example("itunes", 1, 1, 0.1, served=False),  # asked before deezer has answered
        example("discogs", 1, 1, 9.0, served=False),
    ]
    first, second, third = training.as_asked(together)
    assert (first.past, first.heard) == ({}, {})
    assert (second.past, second.heard) == ({}, {})
    assert third.past == {("deezer", "find_recording"): (1, 0), ("itunes", "find_recording"): (0, 1)}
    assert third.heard == {"deezer": True, "itunes": False}


def test_what_goes_by_artist_is_learned_and_put_in_force() -> None:
    trained = training.train(asks(), TASK)
    assert trained.why_not == ""
    assert trained.evaluation is not None
    assert trained.evaluation.log_loss < 0.7 * trained.evaluation.plain_log_loss
    assert trained.evaluation.requests < 0.9 * trained.evaluation.declared_requests
    assert trained.evaluation.kept >= 0.995


def test_where_chance_rules_the_declared_order_stays() -> None:
    trained = training.train(asks(by_artist=False), TASK)
    assert trained.evaluation is not None
    assert trained.why_not


def test_of_too_few_questions_nothing_is_learned() -> None:
    trained = training.train(asks(20), TASK)
    assert trained.model is None
    assert "300 are needed" in trained.why_not


def test_the_threshold_leaves_the_coverage_that_is_to_be_kept() -> None:
    chances = np.array([0.001] * 500 + [0.02] * 100 + [0.9] * 500)
    served = np.array([False] * 500 + [True] * 2 + [False] * 98 + [True] * 500)
    low = evaluation.choose_threshold(chances, chances, served, may_lose=0.005)
    assert 0.001 < low <= 0.02
    assert evaluation.choose_threshold(chances, chances, served, may_lose=0.05) > 0.02
    assert evaluation.choose_threshold(chances, chances, served, may_lose=0.0) == 0.0


def test_the_one_in_force_is_given_up_when_it_is_no_longer_better() -> None:
    old = training.train(asks(), TASK).model
    assert old is not None
    held = msgspec.structs.replace(TASK, old=old, old_until_s=-1.0)
    assert not training.train(asks(by_artist=False), held).old_holds
    fresh = msgspec.structs.replace(TASK, old=old, old_until_s=1e9)
    assert training.train(asks(by_artist=False), fresh).old_holds  # nothing has come since


def test_bins_tell_chances_and_what_came() -> None:
    told = evaluation.bins(np.array([0.05, 0.95, 0.97, 1.0]), np.array([False, True, False, True]))
    assert [each.count for each in told] == [1, 0, 0, 0, 0, 0, 0, 0, 0, 3]
    assert told[-1].served == pytest.approx(2 / 3)


def test_the_program_reads_lines_and_writes_what_it_learned() -> None:
    lines = [msgspec.json.encode(each) for each in (TASK, *asks())]
    out = io.BytesIO()
    program.main(io.BytesIO(b"\n".join(lines) + b"\n"), out)
    trained = msgspec.json.decode(out.getvalue(), type=learned.Trained)
    assert trained.model is not None
    assert trained.took_s > 0
    assert trained.peak_mb > 10


def test_a_predictor_foretells_a_question_the_same_alone_and_among_others() -> None:
    model = training.train(asks(), TASK).model
    assert model is not None
    predictor = Predictor(model)
    questions = list(training.as_asked(asks(30)))
    together = predictor.chances(questions)
    assert together == [pytest.approx(predictor.chances([each])[0]) for each in questions]
    assert all(0 < chance < 1 for each in together for chance in each.values())
    assert predictor.chances([]) == []
