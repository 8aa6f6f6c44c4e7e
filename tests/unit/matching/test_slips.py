"""Slips of the pen: the module's worked examples, and what believes more of them."""

from __future__ import annotations

import pytest

from sleevenotes.matching import decide, slips


@pytest.mark.parametrize(
    ("one", "other", "support"),
    [
        ("Bohemian Rapsody", "Bohemian Rhapsody", 0),
        ("Wo't stop", "Won't Stop", 0),
        ("Alba", "Alb", 2),
        ("Dream", "Dreams", 1),
    ],
)
def test_a_slip_is_believed_and_weighs_less_than_the_threshold(one: str, other: str, support: int) -> None:
    weight = slips.slip(one, other, support)
    assert weight is not None
    assert slips.WEIGHT < weight <= decide.THRESHOLD


@pytest.mark.parametrize(
    ("one", "other", "support"),
    [
        ("Alba", "Alb", 0),  # too short
        ("Pista 61", "Pista 16", 2),  # other numbers
        ("Angel", "Dark Angel", 2),  # a word more
        ("Prelude in C major", "Prelude in D major", 0),  # one word is another
        ("Sunset", "Sunrise", 2),
        ("Dream", "Dreams", 0),  # both are titles
        ("Pista 1", "Pista 01b2", 2),
    ],
)
def test_another_name_is_no_slip(one: str, other: str, support: int) -> None:
    assert slips.slip(one, other, support) is None


def test_a_number_is_the_same_with_a_nought_before_it() -> None:
    assert slips.numbers("Track 07") == slips.numbers("Track 7") == ("7",)


def test_durations_that_differ_speak_against_whatever_the_album_says() -> None:
    assert slips.Support(album=True, duration=False, against=True).count == 0
    assert slips.Support(album=True, duration=True, against=False).count == 2
