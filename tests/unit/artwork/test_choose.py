from __future__ import annotations

import itertools

import pytest

from sleevenotes.artwork import choose


def candidate(subject: str = "release", side: int = 500, digest: str = "a") -> choose.Candidate:
    return choose.Candidate(digest, "coverartarchive", subject, side, side)


def test_the_edition_s_own_front_comes_before_the_album_s_even_when_smaller() -> None:
    own, album = candidate("release", 300), candidate("release_group", 500)
    assert choose.order([album, own]) == [own, album]


def test_a_small_image_yields_to_a_larger_one_of_lesser_rank() -> None:
    small, large = candidate("release", 200), candidate("release_group", 500)
    assert choose.order([small, large]) == [large, small]


def test_a_small_image_is_better_than_none() -> None:
    assert choose.order([candidate(side=200)]) == [candidate(side=200)]


def test_a_spacer_is_never_a_cover() -> None:
    assert choose.order([candidate(side=1), choose.Candidate("b", "coverartarchive", "release", 500, 20)]) == []


def test_size_breaks_ties() -> None:
    assert choose.order([candidate(side=400), candidate(side=500)])[0].width == 500


def test_the_order_of_arrival_does_not_matter() -> None:
    arrived = [
        candidate("release", 200),
        candidate("release_group", 500),
        candidate("release", 400),
        candidate(digest="b"),
    ]
    orders = {tuple(choose.order(arrival)) for arrival in itertools.permutations(arrived)}
    assert len(orders) == 1


@pytest.mark.parametrize(
    ("chosen", "sentence"),
    [
        (candidate("release"), "It is the front of this very edition in the Cover Art Archive."),
        (candidate("release_group"), "It is the front shown for the album in the Cover Art Archive."),
        (
            candidate("release", 200),
            "It is the front of this very edition in the Cover Art Archive, small as it is: 200 x 200 pixels.",
        ),
    ],
)
def test_the_reason_is_one_sentence(chosen: choose.Candidate, sentence: str) -> None:
    assert choose.reason(chosen) == sentence
