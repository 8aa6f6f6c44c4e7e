"""Which album a play is amid, by what was played right before and after it."""

from __future__ import annotations

from datetime import timedelta
from typing import NamedTuple

from sleevenotes.matching import neighbours

SONG, OWN, X, Y = 1, 100, 200, 300


class Near(NamedTuple):
    place: int
    song: int
    album: int = X
    apart: timedelta = timedelta(minutes=4)
    akin: bool = True


def amid(*near: Near) -> int | None:
    return neighbours.album_amid(near, SONG, OWN)


def test_between_two_plays_of_an_album() -> None:
    assert amid(Near(-1, 2), Near(1, 3)) == X


def test_at_the_end_or_the_beginning_of_an_album() -> None:
    assert amid(Near(-2, 2), Near(-1, 3)) == X
    assert amid(Near(1, 2), Near(2, 3)) == X


def test_one_neighbour_is_none() -> None:
    assert amid() is None
    assert amid(Near(-1, 2)) is None
    assert amid(Near(-1, 2), Near(1, 3, Y)) is None


def test_a_song_played_twice_is_one_neighbour_and_the_song_itself_is_none() -> None:
    assert amid(Near(-1, 2), Near(1, 2)) is None
    assert amid(Near(-1, SONG), Near(-2, 2)) is None


def test_another_artists_plays_do_not_count() -> None:
    assert amid(Near(-1, 2), Near(1, 3, akin=False)) is None


def test_what_is_matched_to_no_album_does_not_count() -> None:
    assert amid(Near(-1, 2, 0), Near(1, 3, 0)) is None


def test_a_play_that_is_right_where_it_is_stays() -> None:
    assert amid(Near(-1, 2, OWN), Near(1, 3, OWN)) is None


def test_as_many_on_another_album_leave_it_open() -> None:
    assert amid(Near(-2, 2), Near(-1, 3), Near(1, 4, Y), Near(2, 5, Y)) is None
    assert amid(Near(-2, 2), Near(-1, 3), Near(1, 4, OWN), Near(2, 5, OWN)) is None
    assert amid(Near(-2, 2), Near(-1, 3), Near(1, 4), Near(2, 5, Y)) == X


def test_one_of_them_must_be_right_beside_it() -> None:
    assert amid(Near(-2, 2), Near(-1, 3, Y), Near(1, 4, OWN), Near(2, 5)) is None


def test_a_longer_pause_ends_the_session() -> None:
    pause = timedelta(minutes=31)
    assert amid(Near(-1, 2), Near(1, 3, apart=pause)) is None
    assert amid(Near(-1, 2), Near(1, 3, apart=pause), Near(2, 4)) is None
    assert amid(Near(-2, 2), Near(-1, 3), Near(1, 4, Y, apart=pause)) == X
    assert amid(Near(-1, 2), Near(1, 3, apart=timedelta(minutes=30))) == X
