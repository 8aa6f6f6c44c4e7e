from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from sleevenotes import model, names
from sleevenotes.matching import decide, distance, readings, weights
from sleevenotes.matching.distance import Asked


def recording(title: str, by: str, note: str = "", length_ms: int | None = None) -> model.Recording:
    credit = model.ArtistCredit((model.ArtistCreditName(by, by),))
    return model.Recording("r", title, credit, length_ms, note)


def measured(artist: str, track: str, title: str, by: str, **more: object) -> float:
    return distance.measure(Asked(artist, track, **more), recording(title, by), ()).total  # type: ignore[arg-type]


def test_identical_names_are_at_no_distance() -> None:
    assert distance.measure(Asked("Queen", "Innuendo"), recording("Innuendo", "Queen"), ()).penalties == ()


def test_every_other_writing_has_its_price() -> None:
    assert measured("Sigur Ros", "Staralfur", "Starálfur", "Sigur Rós") == 2 * weights.WRITING


@pytest.mark.parametrize(
    ("nearer", "farther"),
    [
        (("Queen", "Innuendo", "Innuendo", "Queen"), ("Queen", "Innuendo!", "Innuendo", "Queen")),
        (("Queen", "Innuendo!", "Innuendo", "Queen"), ("Queen", "Inuendo", "Innuendo", "Queen")),
        (("Queen", "Inuendo", "Innuendo", "Queen"), ("Queen", "Innuendo (live)", "Innuendo", "Queen")),
        (("Queen", "Innuendo (live)", "Innuendo", "Queen"), ("Queen", "Innuendo", "Innuendo", "Muse")),
    ],
)
def test_what_says_more_weighs_more(nearer: tuple[str, ...], farther: tuple[str, ...]) -> None:
    assert measured(*nearer) < measured(*farther)


@pytest.mark.parametrize(
    ("track", "title"),
    [
        ("Innuendo", "Innuendo (live)"),
        ("Innuendo (live)", "Innuendo"),
        ("Innuendo", "Innuendo (Foo remix)"),
        ("Innuendo (Bar remix)", "Innuendo (Foo remix)"),
        ("Innuendo, Pt. 1", "Innuendo, Pt. 2"),
        ("Innuendo", "Dark Innuendo"),
    ],
)
def test_another_recording_alone_is_beyond_the_threshold(track: str, title: str) -> None:
    assert measured("Queen", track, title, "Queen") > decide.THRESHOLD


@pytest.mark.parametrize("by", ["Muse", "Queen Tribute Band", "Queensryche", "The Karaoke Queens"])
def test_another_artist_alone_is_beyond_the_threshold(by: str) -> None:
    assert measured("Queen", "Innuendo", "Innuendo", by) > decide.THRESHOLD


def test_an_album_that_differs_weighs_more_than_the_margin_and_less_than_writing() -> None:
    weight = measured("Queen", "Innuendo", "Innuendo", "Queen", release="Jazz")
    assert weight == weights.ANOTHER_ALBUM
    assert decide.MARGIN < weight < weights.WRITING - decide.MARGIN


@pytest.mark.parametrize(("seconds", "weight"), [(200, 0), (204, 0), (220, 0.075), (300, 0.15), (100, 0.15)])
def test_durations_apart_weigh_up_to_a_bound(seconds: int, weight: float) -> None:
    asked = Asked("Queen", "Innuendo", duration_ms=seconds * 1000)
    assert distance.measure(asked, recording("Innuendo", "Queen", length_ms=200_000), ()).total == weight


def test_a_note_that_names_no_version_is_a_small_doubt() -> None:
    found = distance.measure(Asked("Queen", "Innuendo"), recording("Innuendo", "Queen", "the bells"), ())
    assert found.penalties == (model.Penalty("told apart by: the bells", weights.DISAMBIGUATED),)


@given(st.text(), st.text(), st.text(), st.text(), st.text())
def test_any_names_can_be_measured_and_stay_in_bounds(artist: str, track: str, title: str, by: str, note: str) -> None:
    found = distance.measure(Asked(artist, track), recording(title, by, note), ())
    assert 0 <= found.total <= 1
    assert all(penalty.name and 0 < penalty.weight <= 1 for penalty in found.penalties)


@given(st.text(), st.text())
def test_every_name_is_at_no_distance_from_itself(artist: str, track: str) -> None:
    assume(not readings.is_unknown(artist))  # "" and "Unknown Artist" are no names
    assume(names.fold(track) not in distance._NAMELESS)  # nor is "[untitled]" a title
    assert distance.measure(Asked(artist, track), recording(track, artist), ()).total == 0
