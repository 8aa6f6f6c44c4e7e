"""How doubtful a match is, and why, in words."""

from __future__ import annotations

from tests.unit.store import given

from sleevenotes import model
from sleevenotes.matching import distance, doubt


def shown(
    sent: tuple[str, str, str], recording: model.Recording, *releases: model.Release, has_mbid: bool = True
) -> doubt.Shown:
    """Return a match as matching itself weighs it."""
    measured = distance.measure(distance.Asked(*sent), recording, releases)
    albums = tuple(title for each in releases for title in (each.title, each.release_group.title))
    name = recording.artist_credit.name
    return doubt.Shown(sent[0], sent[2], name, albums, has_mbid, "musicbrainz", measured.penalties)


def test_what_was_matched_as_it_was_sent_is_not_doubtful() -> None:
    same = shown(("Björk", "Jóga", "Homogenic"), given.recording("Jóga", "Björk"), given.release("Homogenic"))
    assert doubt.doubts(same) == ()


def test_another_way_of_writing_alone_is_not_worth_a_look() -> None:
    found = doubt.doubts(shown(("Bjork", "Joga", ""), given.recording("Jóga", "Björk")))
    assert 0 < doubt.total(found[:1]) < doubt.SUSPICIOUS


def test_an_artist_under_another_name_is_worth_a_look() -> None:
    part = model.ArtistCreditName(given.mbid("prince"), "The Artist", artist_name="Prince", aliases=("Camille",))
    recording = model.Recording(given.mbid("kiss"), "Kiss", model.ArtistCredit((part,)))
    for sent in ("Prince", "Camille"):
        found = doubt.doubts(shown((sent, "Kiss", ""), recording))
        assert doubt.total(found) >= doubt.SUSPICIOUS, found


def test_a_surname_alone_is_worth_a_look() -> None:
    found = doubt.doubts(shown(("Beethoven", "Für Elise", ""), given.recording("Für Elise", "Ludwig van Beethoven")))
    assert doubt.total(found) >= doubt.SUSPICIOUS


def test_another_album_is_told_by_both_names() -> None:
    other = shown(("Björk", "Jóga", "Debut"), given.recording("Jóga", "Björk"), given.release("Homogenic"))
    assert [each.name for each in doubt.doubts(other)] == ["sent on Debut, shown on Homogenic"]
    edition = shown(
        ("Björk", "Jóga", "Homogenic (Deluxe Edition)"), given.recording("Jóga", "Björk"), given.release("Homogenic")
    )
    assert doubt.doubts(edition) == ()


def test_one_of_several_versions_is_worth_a_look() -> None:
    found = doubt.doubts(shown(("Björk", "Jóga (Howie B Version)", ""), given.recording("Jóga", "Björk")))
    assert doubt.total(found) >= doubt.SUSPICIOUS
    note = given.recording("Jóga", "Björk", disambiguation="1997, for the radio")
    assert doubt.total(doubt.doubts(shown(("Björk", "Jóga", ""), note))) >= doubt.SUSPICIOUS


def test_what_a_shop_alone_knows_is_worth_a_look() -> None:
    only = shown(("Björk", "Jóga", ""), given.recording("Jóga", "Björk"), has_mbid=False)
    assert doubt.total(doubt.doubts(only)) >= doubt.SUSPICIOUS


def test_a_name_that_was_left_alone_counts_fully() -> None:
    assert doubt.total(doubt.undecided("two bands go by that name")) == 1.0
