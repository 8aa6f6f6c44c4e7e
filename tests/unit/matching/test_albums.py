from __future__ import annotations

import pytest

from sleevenotes.matching import albums


@pytest.mark.parametrize(
    ("asked", "offered"),
    [
        (("Nirvana", "Nevermind"), ("Nirvana", "Nevermind")),
        (("Nirvana", "Nevermind"), ("NIRVANA", "nevermind")),
        (("Nirvana", "Nevermind"), ("Nirvana", "Nevermind (Deluxe Edition)")),
        (("Nirvana", "Nevermind"), ("Nirvana", "Nevermind (30th Anniversary Super Deluxe)")),
        (("Radiohead", "OK Computer"), ("Radiohead", "OK Computer (Remastered 2011)")),
        (("Radiohead", "OK Computer (Remastered)"), ("Radiohead", "OK Computer")),
        (("Radiohead", "OK Computer"), ("Radiohead", "OK Computer - Remastered")),
        (("Queen & David Bowie", "Under Pressure"), ("Queen, David Bowie", "Under Pressure")),
        (("Drake & Future", "What a Time to Be Alive"), ("Drake", "What a Time to Be Alive")),
        (("Drake", "What a Time to Be Alive"), ("Drake & Future", "What a Time to Be Alive")),
        (("The Beatles", "Abbey Road"), ("Beatles", "Abbey Road")),
        (("Beyoncé", "Dangerously in Love"), ("Beyonce", "Dangerously In Love")),
        (("Кино", "Группа крови"), ("Kino", "Gruppa krovi")),
        (("Various Artists", "Trainspotting"), ("Various", "Trainspotting")),
        (("Eminem", "The Marshall Mathers LP"), ("Eminem", "Marshall Mathers LP (Explicit Version)")),
        (("Led Zeppelin", "Led Zeppelin IV"), ("Led Zeppelin", "Led Zeppelin 4")),
        (("Guns N' Roses", "Greatest Hits"), ("Guns N\u2019 Roses", "Greatest Hits")),
        (("Sigur Rós", "Ágætis byrjun"), ("Sigur Ros", "Agaetis Byrjun")),
        (("Portishead", "Portishaed"), ("Portishead", "Portishead")),
    ],
)
def test_the_album_fits_however_it_is_written_and_whichever_edition_it_is(
    asked: tuple[str, str], offered: tuple[str, str]
) -> None:
    assert albums.fits(*asked, *offered).fits, albums.fits(*asked, *offered).distance


@pytest.mark.parametrize(
    ("asked", "offered"),
    [
        (("Nirvana", "Nevermind"), ("Nirvana", "In Utero")),  # another album
        (("Nirvana", "Nevermind"), ("Nirvana Tribute Band", "Nevermind")),  # another artist
        (("Nirvana", "Nevermind"), ("The Karaoke Crew", "Nevermind")),
        (("Queen", "Greatest Hits"), ("ABBA", "Greatest Hits")),  # many artists have one
        (("Queen", "Greatest Hits"), ("Queen", "Greatest Hits II")),
        (("Queen", "Greatest Hits"), ("Queen & Paul Rodgers", "Greatest Hits")),
        (("Queensrÿche", "Greatest Hits"), ("Queen", "Greatest Hits")),
        (("Paul Simon", "The Essential"), ("Simon & Garfunkel", "The Essential")),
        (("Eminem", "The Marshall Mathers LP"), ("Eminem", "The Marshall Mathers LP2")),
        (("Eminem", "The Marshall Mathers LP2"), ("Eminem", "The Marshall Mathers LP (Deluxe)")),
        (("Pink Floyd", "The Dark Side of the Moon"), ("Pink Floyd", "The Dark Side of the Moon (Live)")),
        (("Pink Floyd", "The Dark Side of the Moon"), ("Pink Floyd", "The Dark Side of the Moon Live")),
        (("Bloc Party", "Silent Alarm"), ("Bloc Party", "Silent Alarm (Remixed)")),
        (("Sia", "Alive"), ("Pearl Jam", "Alive")),
        (("Chicago", "Chicago V"), ("Chicago", "Chicago VI")),
        (("Massive Attack", "Angel"), ("Massive Attack", "Dark Angel")),
        (("Nirvana", "Nevermind"), ("Nirvana", "")),  # it is not told whose it is
        (("Nirvana", "Nevermind"), ("", "Nevermind")),
        (("Nirvana", ""), ("Nirvana", "Nevermind")),
        (("Various Artists", "Trainspotting"), ("Underworld", "Trainspotting")),
    ],
)
def test_another_album_and_another_artist_do_not_fit(asked: tuple[str, str], offered: tuple[str, str]) -> None:
    assert not albums.fits(*asked, *offered).fits, albums.fits(*asked, *offered).distance


@pytest.mark.parametrize(
    ("primary_type", "asked", "offered", "fits"),
    [
        ("Album", "Halo", "Halo - Single", False),
        ("", "Halo", "Halo - Single", False),
        ("Album", "Halo", "Halo (Single)", False),
        ("Album", "Hail to the Thief", "Hail to the Thief EP", False),
        ("Single", "Halo", "Halo - Single", True),
        ("Single", "Halo", "Halo", True),
        ("Single", "Halo", "Halo - EP", False),
        ("EP", "Airbag", "Airbag - EP", True),
        ("EP", "Airbag EP", "Airbag", True),
        ("", "Halo - Single", "Halo - Single", True),
        ("", "My Iron Lung EP", "My Iron Lung - EP", True),
        ("Album", "The Singles", "The Singles", True),
        ("Album", "EP", "EP", True),
    ],
)
def test_a_single_of_the_album_s_title_is_another_record(
    primary_type: str, asked: str, offered: str, *, fits: bool
) -> None:
    found = albums.fits("Someone", asked, "Someone", offered, primary_type=primary_type)
    assert found.fits is fits, found.distance


def test_the_reason_names_what_differs_most() -> None:
    assert albums.fits("Nirvana", "Nevermind", "Nirvana", "In Utero").reason == "another release: In Utero"
    assert (
        albums.fits("Nirvana", "Nevermind", "Nirvana", "Nevermind - Single").reason == "Nevermind - Single is a single"
    )
    assert albums.fits("Nirvana", "Nevermind", "Nirvana", "Nevermind").reason == ""
    assert "not told" in albums.fits("Nirvana", "Nevermind", "", "").reason


def test_what_is_as_asked_is_nearer_than_what_is_nearly_so() -> None:
    distances = [
        albums.fits("Sigur Rós", "Takk...", "Sigur Rós", offered).distance.total
        for offered in ("Takk...", "Takk", "Takk (Deluxe Edition)", "Von")
    ]
    assert distances == sorted(distances)
    assert len(set(distances)) == 4
