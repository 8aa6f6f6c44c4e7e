from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sleevenotes.matching import titles


@pytest.mark.parametrize(
    ("title", "base", "kinds"),
    [
        ("Hysteria (Live at Earls Court)", "Hysteria", {"live"}),
        ("Hysteria - Live", "Hysteria", {"live"}),
        ("Hysteria [live] (2004 remaster)", "Hysteria", {"live"}),
        ("Live to Tell", "Live to Tell", set()),
        ("(Live)", "(Live)", set()),
        ("X (Foo Remix)", "X", {"remix"}),
        ("X (Original Mix)", "X", set()),
        ("X (Radio Edit)", "X", {"edit"}),
        ("X (Album Version)", "X", set()),
        ("X (Acoustic Version)", "X", {"acoustic"}),
        ("X (A Cappella)", "X", {"a cappella"}),
        ("X (A Capella)", "X", {"a cappella"}),
        ("X (Taylor's Version)", "X", {"re-recorded"}),
        ("X (Re-recorded)", "X", {"re-recorded"}),
        ("X (originally performed by Y)", "X", {"karaoke"}),
        ("X (sped up)", "X", {"altered speed"}),
        ("X (French version)", "X", {"version"}),
        ("Black Dog - 2007 Remaster", "Black Dog", set()),
        ("Space Oddity - 2009 Remastered Version", "Space Oddity", set()),
        ("Signed, Sealed, Delivered (I'm Yours)", "Signed, Sealed, Delivered (I'm Yours)", set()),
    ],
)
def test_a_title_is_its_base_and_its_version(title: str, base: str, kinds: set[str]) -> None:
    found = titles.read(title)
    assert found.base == base
    assert found.version.kinds == kinds


def test_a_version_keeps_the_words_that_tell_it_apart() -> None:
    assert titles.read("Hysteria (Live at the Earls Court)").version.details == {"earls", "court"}
    assert titles.read("X (Foo & Bar Remix)").version.details == {"foo", "bar"}


def test_guests_and_remasters_are_told() -> None:
    found = titles.read("Latch (feat. Sam Smith) - Remastered")
    assert (found.base, found.guests, found.remastered) == ("Latch", "Sam Smith", True)


@pytest.mark.parametrize(
    ("note", "kinds"),
    [
        ("live, 1986-07-12: Wembley Stadium, London, UK", {"live"}),
        ("album version", set()),
        ("radio edit", {"edit"}),
        ("BBC Radio 1 session", {"session"}),
        ("early take", {"outtake"}),
        ("clean", set()),
        ("the one with the bells", set()),
        ("", set()),
    ],
)
def test_a_disambiguation_may_name_a_version(note: str, kinds: set[str]) -> None:
    assert titles.version_of(note).kinds == kinds


@pytest.mark.parametrize("note", ["album version", "original mix", "mono", "LP Version", "single version"])
def test_the_usual_recording_is_known_by_many_names(note: str) -> None:
    assert titles.is_usual(note)


@pytest.mark.parametrize("note", ["", "radio edit", "live", "original remix", "French version"])
def test_another_recording_is_not_the_usual_one(note: str) -> None:
    assert not titles.is_usual(note)


@pytest.mark.parametrize(
    ("name", "numbers"),
    [
        ("Vermilion, Pt. 2", ("2",)),
        ("Vermilion, Part II", ("2",)),
        ("I Want You", ()),
        ("X", ()),
        ("Now and I", ()),
        ("Symphony No. 9: IV. Presto", ("9", "4")),
        ("99 Luftballons", ("99",)),
    ],
)
def test_numbers_are_read_in_both_writings(name: str, numbers: tuple[str, ...]) -> None:
    assert titles.numbers(name) == numbers


@given(st.text())
def test_any_text_can_be_read_and_keeps_something(title: str) -> None:
    assert bool(titles.read(title).base.strip()) == bool(title.strip())
