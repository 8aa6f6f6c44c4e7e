"""Dirty names: how many, in which ways, and always the same."""

from __future__ import annotations

import unicodedata
from collections import Counter

import msgspec
import pytest
from rapidfuzz.distance import OSA

from sleevenotes.simulator import conditions, dirty

GIVEN = conditions.calm()
NAMES = [(f"The Artist No. {number}", f"A Título, {number}") for number in range(4000)]


def only(kind: str) -> conditions.Conditions:
    return msgspec.structs.replace(GIVEN, dirty_names=conditions.DirtyNames(1.0, (kind,)))


def test_the_stated_share_of_names_is_dirty_in_all_stated_ways() -> None:
    kinds = Counter(dirty.name(GIVEN, *each).kind for each in NAMES)
    assert 0.065 < 1 - kinds[""] / len(NAMES) < 0.095
    assert set(kinds) == {"", *GIVEN.dirty_names.kinds}


def test_it_is_always_the_same_for_a_seed_and_other_for_another() -> None:
    again = msgspec.structs.replace(GIVEN, seed=GIVEN.seed)
    other = msgspec.structs.replace(GIVEN, seed=GIVEN.seed + 1)
    assert [dirty.name(GIVEN, *each) for each in NAMES] == [dirty.name(again, *each) for each in NAMES]
    assert [dirty.name(GIVEN, *each) for each in NAMES] != [dirty.name(other, *each) for each in NAMES]


def test_a_dirty_name_differs_and_a_clean_one_does_not() -> None:
    for each in NAMES:
        made = dirty.name(GIVEN, *each)
        assert bool(made.kind) == (made[:2] != each)


@pytest.mark.parametrize(
    ("kind", "artist", "track", "expected"),
    [
        ("punctuation", "AC/DC", "T.N.T.", {("AC DC", "TNT")}),
        ("punctuation", "!!!", "Must Be the Moon", set()),
        ("missing accents", "Sigur Rós", "Ágætis byrjun", {("Sigur Ros", "Agaetis byrjun")}),
        ("missing accents", "Кино", "Последний герой", set()),
        ("artist article", "The Beatles", "Help!", {("Beatles", "Help!"), ("Beatles, The", "Help!")}),
        ("artist article", "Doors", "The End", {("The Doors", "The End")}),
        ("case", "Moby", "Go", {("moby", "go"), ("MOBY", "GO"), ("mOBY", "gO")}),
    ],
)
def test_each_way_does_what_it_says(kind: str, artist: str, track: str, expected: set[tuple[str, str]]) -> None:
    made = dirty.name(only(kind), artist, track)
    assert (made[:2] in expected) if expected else (made == (artist, track, ""))


@pytest.mark.parametrize("kind", ["feat. in title", "remaster suffix"])
def test_what_is_added_to_a_title_stands_behind_it(kind: str) -> None:
    made = dirty.name(only(kind), "Queen", "Jealousy")
    assert made.artist == "Queen"
    assert made.track.startswith("Jealousy ")


def test_a_typo_spoils_one_letter_of_a_long_text_and_none_of_a_short_one() -> None:
    given = only("one typo")
    for artist, track in NAMES[:200]:
        made = dirty.name(given, artist, track)
        changed = [(a, b) for a, b in zip((artist, track), made[:2], strict=True) if a != b]
        assert len(changed) == 1
        assert OSA.distance(*changed[0]) == 1  # one letter more, less, or two swapped
    assert dirty.name(given, "U2", "One") == ("U2", "One", "")


def test_a_kind_that_cannot_change_a_name_gives_way_to_one_that_can() -> None:
    two = msgspec.structs.replace(GIVEN, dirty_names=conditions.DirtyNames(1.0, ("missing accents", "remaster suffix")))
    kinds = {dirty.name(two, "Low", f"Song {number}").kind for number in range(30)}
    assert kinds == {"remaster suffix"}


def test_every_kind_of_the_conditions_is_known() -> None:
    assert set(conditions.DirtyNames().kinds) <= set(dirty.KINDS)
    assert all(unicodedata.is_normalized("NFC", text) for each in NAMES for text in dirty.name(GIVEN, *each)[:2])


def test_an_unknown_kind_is_named() -> None:
    with pytest.raises(ValueError, match="'upside down'"):
        dirty.name(only("upside down"), "Low", "Murderer")
