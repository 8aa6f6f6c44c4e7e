"""Which of an album's recordings a name is, once the album is known."""

from __future__ import annotations

from tests.unit.store import given

from sleevenotes.matching import decide, tracklist

ALBUM = [
    decide.Option(given.recording(title, "Björk"), (given.release("Homogenic"),))
    for title in ("Hunter", "Jóga", "Jóga (live)", "Pluto", "Part 1", "Part 2")
]


def title(track: str, artist: str = "Björk") -> str | None:
    found = tracklist.find(decide.Asked(artist, track, "Whatever"), ALBUM)
    return found.option.recording.title if found else None


def test_the_title_decides_whoever_was_sent() -> None:
    assert title("joga", "Somebody Else") == "Jóga"
    assert title("Hunter - Remastered 2011") == "Hunter"


def test_versions_and_numbers_are_kept_apart() -> None:
    assert title("Jóga (live)") == "Jóga (live)"
    assert title("Part 2") == "Part 2"


def test_what_is_not_on_the_album_is_left() -> None:
    assert title("Venus as a Boy") is None
    assert tracklist.find(decide.Asked("Björk", "Hunter", ""), []) is None


def test_the_artist_decides_between_two_of_one_title() -> None:
    two = [decide.Option(given.recording("Intro", artist)) for artist in ("Ann", "Ben")]
    found = tracklist.find(decide.Asked("Ben", "Intro", ""), two)
    assert found
    assert found.option.recording.artist_credit.name == "Ben"
