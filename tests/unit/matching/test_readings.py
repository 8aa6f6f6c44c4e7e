"""Titles that hold more than the title: how they may be read, and how they are asked for."""

from __future__ import annotations

import pytest

from sleevenotes.matching import readings


def read(title: str, artist: str = "Muse", album: str = "Absolution") -> set[str]:
    return {reading.title for reading in readings.of(title, artist, (album,))}


@pytest.mark.parametrize(
    "title",
    ["02 - Hysteria", "002-Hysteria", "Muse - Hysteria", "Hysteria (Absolution)", "Hysteria (Official Video) HD"],
)
def test_what_stands_around_a_title_is_taken_off(title: str) -> None:
    assert "Hysteria" in read(title)


@pytest.mark.parametrize("title", ["Hysteria", "7 Days", "99 Luftballons", "Hysteria (Live)", "Oasis - Hysteria"])
def test_what_is_part_of_a_title_or_names_another_artist_stays(title: str) -> None:
    assert read(title) == set()


def test_several_things_are_taken_off_one_after_the_other_and_weigh_together() -> None:
    [found] = [each for each in readings.of("02 - Muse - Hysteria", "Muse", ("",)) if each.title == "Hysteria"]
    assert found.weight == pytest.approx(2 * readings.WEIGHT)


def test_an_album_that_says_live_is_not_lost_with_it() -> None:
    [found] = [each for each in readings.of("Hysteria (Live at Rome)", "Muse", ("Live at Rome",)) if each.album]
    assert found.said == {"live"}


def test_where_no_artist_was_sent_the_title_tells_it() -> None:
    found = readings.of("Muse - Hysteria", "Unknown Artist", ("",))
    assert [(each.title, each.artist) for each in found] == [("Hysteria", "Muse")]


@pytest.mark.parametrize(
    ("sent", "asked"),
    [
        ("06 - Us and Them", "Us and Them"),
        ("02 - 43% Burnt", "43% Burnt"),
        ("03 Time", "Time"),
        ("Us and Them (Official Video)", "Us and Them"),
        ("Come Together - Remastered 2009", "Come Together"),
    ],
)
def test_a_catalogue_is_asked_without_what_surely_is_no_part_of_a_title(sent: str, asked: str) -> None:
    assert readings.to_ask(sent) == asked


@pytest.mark.parametrize("title", ["99 Luftballons", "1979", "7 Days", "24/7", "1 - 2 - 3", "01 - 02", "Live to Tell"])
def test_a_catalogue_is_asked_for_the_whole_of_what_may_be_a_title(title: str) -> None:
    assert readings.to_ask(title) == title
