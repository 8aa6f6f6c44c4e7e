"""A question and what is known of its artist, as numbers."""

from __future__ import annotations

import string
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from sleevenotes.prediction import features

SOURCES = ("deezer", "discogs", "itunes")


def asked(**changed: Any) -> features.Asked:
    plain = features.Asked("find_recording", "Low", "Words", "", 1, {}, {})
    return plain._replace(**changed)


def value(question: features.Asked, source: str, feature: str) -> float:
    rows = features.rows([question], SOURCES)
    return float(rows.dense[0, SOURCES.index(source), features.FEATURES.index(feature)])


def test_what_the_artist_had_at_a_source_is_its_own_feature_there_and_the_others_elsewhere() -> None:
    question = asked(past={("deezer", "find_recording"): (3, 0)})
    assert value(question, "deezer", "own") > 1
    assert value(question, "deezer", "own_served") == 1
    assert value(question, "deezer", "others") == 0
    assert value(question, "itunes", "own") == 0
    assert value(question, "itunes", "others") > 1


def test_another_kind_of_question_counts_apart() -> None:
    question = asked(past={("deezer", "find_images"): (0, 2)})
    assert value(question, "deezer", "own") == 0
    assert value(question, "deezer", "cross") < -1


def test_what_others_answered_to_this_very_question_counts_for_all_but_themselves() -> None:
    question = asked(heard={"deezer": False, "itunes": True})
    assert value(question, "discogs", "heard_absent") == 0.5
    assert value(question, "discogs", "heard_served") == 0.5
    assert value(question, "deezer", "heard_absent") == 0
    assert value(question, "itunes", "heard_served") == 0


def test_a_source_that_was_never_asked_about_an_artist_is_marked() -> None:
    rows = features.rows([asked(past={("deezer", "find_images"): (0, 1)})], SOURCES)
    assert rows.unasked.tolist() == [[False, True, True]]


def test_records_of_sources_and_kinds_that_are_no_more_are_passed_over() -> None:
    question = asked(past={("napster", "find_recording"): (9, 0), ("deezer", "find_lyrics"): (9, 0)})
    assert np.array_equal(features.rows([question], SOURCES).dense, features.rows([asked()], SOURCES).dense)


def test_names_hash_alike_alone_and_among_others_and_case_does_not_matter() -> None:
    together = features.rows([asked(artist=name) for name in ("Low", "Кино", "LOW")], SOURCES)
    alone = features.rows([asked(artist="Low")], SOURCES)
    first = together.runs[: together.ends[0]]
    assert sorted(first) == sorted(alone.runs)
    assert sorted(together.runs[together.ends[1] :]) == sorted(first)
    assert sorted(together.runs[together.ends[0] : together.ends[1]]) != sorted(first)


def test_a_part_of_the_questions_is_as_if_there_were_no_others() -> None:
    questions = [asked(artist=name) for name in ("Low", "Kino", "Can", "A")]
    cut, alone = features.part(features.rows(questions, SOURCES), 1, 3), features.rows(questions[1:3], SOURCES)
    assert [each.tolist() for each in cut] == [each.tolist() for each in alone]
    assert [each.tolist() for each in features.together([cut, alone])[:2]] == [
        [*alone.dense.tolist()] * 2,
        [*alone.kinds.tolist()] * 2,
    ]


@given(st.lists(st.text(max_size=60), min_size=1, max_size=5))
def test_any_name_can_be_put_into_numbers(artists: list[str]) -> None:
    rows = features.rows([asked(artist=name, track=name, release=name) for name in artists], SOURCES)
    assert np.isfinite(rows.dense).all()
    assert rows.ends[-1] == len(rows.runs)
    assert (np.diff(rows.ends, prepend=0) > 0).all()
    for salt in (0, 3):
        assert set(features.buckets(rows.runs, salt).tolist()) <= set(range(features.BUCKETS))


def test_sources_have_buckets_of_their_own() -> None:
    runs = features.rows([asked(artist=string.ascii_letters)], SOURCES).runs
    assert features.buckets(runs, 0).tolist() != features.buckets(runs, 1).tolist()
