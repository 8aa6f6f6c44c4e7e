"""Whether who was sent is who a recording is credited to."""

from __future__ import annotations

import pytest

from sleevenotes import model
from sleevenotes.matching import credit_names, decide, slips

NOTHING = slips.Support(album=False, duration=False, against=False)
ON_ALBUM = slips.Support(album=True, duration=False, against=False)


def weigh(artist: str, *credited: str, support: slips.Support = NOTHING, title: str = "Requiem") -> float:
    parts = [model.ArtistCreditName(name, name, " & ") for name in credited[:-1]]
    credit = model.ArtistCredit((*parts, model.ArtistCreditName(credited[-1], credited[-1])))
    return sum(each.weight for each in credit_names.compare(artist, credit, title, support, ()))


@pytest.mark.parametrize(
    ("artist", "credited"),
    [
        ("Queen", ("Queen",)),
        ("Floyd, Eddie", ("Eddie Floyd",)),
        ("Hikaru Utada", ("Utada Hikaru",)),
        ("The Arcade Fire", ("Arcade Fire",)),
        ("Florence and the Machine", ("Florence + The Machine",)),
        ("Queen", ("Queen", "David Bowie")),
        ("Tyler, the Creator & Kali Uchis", ("Tyler, the Creator", "Kali Uchis")),
        ("Metalica", ("Metallica",)),
    ],
)
def test_another_way_of_writing_an_artist_is_that_artist(artist: str, credited: tuple[str, ...]) -> None:
    assert weigh(artist, *credited) <= decide.THRESHOLD


@pytest.mark.parametrize(
    ("artist", "credited"),
    [("Hank Williams Jr.", "Hank Williams"), ("The Band", "The Band of Horses"), ("Yes", "Yesterday"), ("", "Queen")],
)
def test_another_artist_is_another(artist: str, credited: str) -> None:
    assert weigh(artist, credited) > decide.THRESHOLD


def test_a_surname_does_only_where_the_album_or_a_long_title_says_whose() -> None:
    assert weigh("Mozart", "Wolfgang Amadeus Mozart") > decide.THRESHOLD
    assert weigh("Mozart", "Wolfgang Amadeus Mozart", support=ON_ALBUM) <= decide.THRESHOLD
    assert weigh("Mozart", "Wolfgang Amadeus Mozart", title="Eine kleine Nachtmusik, Allegro") <= decide.THRESHOLD


def test_where_no_artist_is_told_the_album_must_say_whose_it_is() -> None:
    assert weigh("Unknown Artist", "Queen") > decide.THRESHOLD
    assert weigh("Unknown Artist", "Queen", support=ON_ALBUM) <= decide.THRESHOLD
