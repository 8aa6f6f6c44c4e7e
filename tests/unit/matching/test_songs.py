"""Whether two plays close together in time are of the same song, by their names."""

from __future__ import annotations

import pytest

from sleevenotes.matching import songs
from sleevenotes.matching.songs import Likeness

CASES = [
    ("Sigur Rós", "Hoppípolla", "Sigur Ros", "Hoppipolla", Likeness.SAME),
    ("Beatles, The", "Come Together - Remastered 2009", "The Beatles", "Come Together", Likeness.SAME),
    ("Queen & David Bowie", "Under Pressure", "Queen", "Under Pressure", Likeness.SAME),
    ("Disclosure", "Latch (feat. Sam Smith)", "Disclosure feat. Sam Smith", "Latch", Likeness.SAME),
    ("Mozart", "Agnus Dei", "Wolfgang Amadeus Mozart", "Agnus Dei", Likeness.SAME),
    ("Air", "All I Need", "Air", "03 - All I Need", Likeness.SAME),
    ("The Beatles", "Yellow Submarine", "Beatles, The", "Yellow submarine (1966)", Likeness.SAME),
    ("坂本龍一", "Bed", "Ryuichi Sakamoto, David Byrne", "Bed", Likeness.NEAR),
    ("Queen", "Somebody to Love", "Queen", "Somebody to Love (live)", Likeness.NEAR),
    ("Green Day", "Good Riddance (Time of Your Life)", "Green Day", "Time of Your Life", Likeness.NEAR),
    ("The Bled", "Porcelain Hearts And Hammers For Teeth", "The Bled", "Porcelain Hearts and Hammers f", Likeness.NEAR),
    ("Eels", "In The Yard, Behind The Church", "Eels", "In The Yard, Behind The Chruch", Likeness.NEAR),
    ("Air", "Part 1", "Air", "Part 2", Likeness.OTHER),
    ("The Mars Volta", "Cassandra Geminni II", "The Mars Volta", "Cassandra Geminni I", Likeness.OTHER),
    ("Air", "Le soleil est près de moi", "Air", "Sexy Boy", Likeness.OTHER),
    ("!!!", "Pardon My Freedom", "Air", "Sexy Boy", Likeness.OTHER),
]


@pytest.mark.parametrize(("artist", "track", "other_artist", "other_track", "expected"), CASES)
def test_songs_are_as_alike_as_their_names(
    artist: str, track: str, other_artist: str, other_track: str, expected: Likeness
) -> None:
    assert songs.likeness(artist, track, other_artist, other_track) is expected
    assert songs.likeness(other_artist, other_track, artist, track) is expected
