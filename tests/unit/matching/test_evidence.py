"""What a client's hints make of a play, beside what its names were decided to be."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from sleevenotes import model
from sleevenotes.matching import decide, evidence
from sleevenotes.matching.decide import Asked, Option
from sleevenotes.matching.evidence import Hints, Shared

NOBODY = Shared()


def album(title: str, kind: str = "Album", *, edition: str = "") -> model.Release:
    return model.Release(edition or f"release {title}", title, model.ReleaseGroup(f"group {title}", title, kind))


def song(mbid: str, title: str, by: str, *on: model.Release, artist: str = "", **facts: Any) -> Option:
    credit = model.ArtistCredit((model.ArtistCreditName(artist or by, by),))
    return Option(model.Recording(mbid, title, credit, **facts), on or (album("Home"),), "musicbrainz")


def own(asked: Asked, options: list[Option], hints: Hints, shared: Shared = NOBODY) -> tuple[str, str] | None:
    """Return recording and release title of the play's own match; None where the shared one serves."""
    found = evidence.decide_own(asked, options, hints, shared)
    if found is None:
        return None
    return found.weighed.option.recording.mbid, found.release.title if found.release else ""


HOME = Shared("1", "group Home")
LITHIUM = Asked("Nirvana", "Lithium")
STUDIO, ELSEWHERE = song("1", "Lithium", "Nirvana"), song("2", "Lithium", "Nirvana", album("Nevermind"))


def test_a_named_recording_that_goes_by_the_names_is_the_plays_own() -> None:
    hints = Hints(recording_mbids=frozenset({"2"}))
    assert own(LITHIUM, [STUDIO, ELSEWHERE], hints, HOME) == ("2", "Nevermind")


@pytest.mark.parametrize(
    "named", [song("2", "Polly", "Nirvana"), song("2", "Lithium", "Muse"), song("2", "Lithium (live)", "Nirvana")]
)
def test_a_named_recording_of_another_name_is_not_followed(named: Option) -> None:
    assert own(LITHIUM, [STUDIO, named], Hints(recording_mbids=frozenset({"2"})), HOME) is None


def test_evidence_that_says_what_the_names_say_gives_no_match_of_its_own() -> None:
    hints = Hints(
        recording_mbids=frozenset({"1"}),
        artist_mbids=frozenset({"Nirvana"}),
        release_group_mbid="group Home",
        duration_ms=250_000,
    )
    assert own(LITHIUM, [STUDIO, ELSEWHERE], hints, HOME) is None


def test_another_edition_of_the_same_album_is_the_same_album() -> None:
    first, deluxe = album("Home"), album("Home", edition="deluxe")
    both = song("1", "Lithium", "Nirvana", first, deluxe)
    assert own(LITHIUM, [both], Hints(release_mbid="deluxe"), HOME) is None


def test_of_two_songs_with_one_isrc_the_one_that_goes_by_the_names_is_meant() -> None:
    # USSUB0200002 is MusicBrainz' for "Blew" and for "About a Girl"
    blew, girl = song("8", "Blew", "Nirvana"), song("9", "About a Girl", "Nirvana")
    hints = Hints(isrc="USSUB0200002", by_isrc=frozenset({"8", "9"}))
    assert own(Asked("Nirvana", "About a Girl"), [blew, girl], hints) == ("9", "Home")


def test_an_isrc_decides_where_the_names_could_not() -> None:
    us, uk = (song(mbid, "Lithium", "Nirvana", artist=artist) for mbid, artist in (("1", "us"), ("2", "uk")))
    assert isinstance(decide.decide(LITHIUM, [us, uk]), decide.Abstained)
    coded = msgspec.structs.replace(uk, recording=msgspec.structs.replace(uk.recording, isrcs=("GBAAA6700001",)))
    assert own(LITHIUM, [us, coded], Hints(isrc="GBAAA6700001")) == ("2", "Home")


def test_the_artists_id_parts_homonyms() -> None:
    us, uk = (song(mbid, "Lithium", "Nirvana", artist=artist) for mbid, artist in (("1", "us"), ("2", "uk")))
    hints = Hints(artist_mbids=frozenset({"uk"}))
    assert own(LITHIUM, [us, uk], hints) == ("2", "Home")
    assert own(LITHIUM, [us, uk], hints, HOME) == ("2", "Home")
    found = evidence.decide_own(LITHIUM, [us, uk], hints, NOBODY)
    assert found is not None
    assert found.reason == "artist and title agree; it is by the artist that the player named; on Home"


def test_the_artists_id_never_makes_up_for_a_name() -> None:
    other = song("2", "Litium", "Nirvana", artist="uk")
    assert own(LITHIUM, [STUDIO, other], Hints(artist_mbids=frozenset({"uk"})), HOME) is None


def test_a_recording_by_others_than_the_named_artist_is_not_followed() -> None:
    hints = Hints(recording_mbids=frozenset({"2"}), artist_mbids=frozenset({"somebody else"}))
    assert own(LITHIUM, [STUDIO, ELSEWHERE], hints, HOME) is None


def test_the_named_release_is_taken_where_the_recording_is_on_it() -> None:
    both = song("1", "Lithium", "Nirvana", album("Home"), album("Best Of"))
    assert own(LITHIUM, [both], Hints(release_mbid="release Best Of"), HOME) == ("1", "Best Of")
    assert own(LITHIUM, [both], Hints(release_group_mbid="group Best Of"), HOME) == ("1", "Best Of")
    assert own(LITHIUM, [both], Hints(release_mbid="release Bleach"), HOME) is None


def test_the_named_release_yields_to_the_album_that_was_sent() -> None:
    both = song("1", "Lithium", "Nirvana", album("Home"), album("Best Of"))
    sent = Asked("Nirvana", "Lithium", "Home")
    assert own(sent, [both], Hints(release_mbid="release Best Of"), HOME) is None
    same = Asked("Nirvana", "Lithium", "Best Of (Deluxe Edition)")
    assert own(same, [both], Hints(release_mbid="release Best Of"), HOME) == ("1", "Best Of")


def test_the_same_song_on_the_named_release_is_another_recording_there() -> None:
    hints = Hints(release_mbid="release Nevermind")
    assert own(LITHIUM, [STUDIO, ELSEWHERE], hints, HOME) == ("2", "Nevermind")


def test_a_recording_that_was_named_is_not_given_up_for_a_release() -> None:
    hints = Hints(recording_mbids=frozenset({"1"}), release_mbid="release Nevermind")
    assert own(LITHIUM, [STUDIO, ELSEWHERE], hints, HOME) is None


ALBUM = song("1", "Lithium", "Nirvana", length_ms=257_000)
EDIT = song("2", "Lithium", "Nirvana", album("Single", "Single"), length_ms=214_000, disambiguation="radio edit")


def test_a_duration_tells_the_edit_from_the_album_version() -> None:
    assert own(LITHIUM, [ALBUM, EDIT], Hints(duration_ms=215_000), HOME) == ("2", "Single")
    found = evidence.decide_own(LITHIUM, [ALBUM, EDIT], Hints(duration_ms=215_000), HOME)
    assert found is not None
    assert found.weighed.option.recording.disambiguation == "radio edit"  # as it is, not as it was compared
    assert "it lasts the 215 s that were sent" in found.reason


@pytest.mark.parametrize("duration_ms", [257_000, 262_000, 248_000, 235_000, None])
def test_a_duration_that_fits_the_album_version_or_neither_changes_nothing(duration_ms: int | None) -> None:
    assert own(LITHIUM, [ALBUM, EDIT], Hints(duration_ms=duration_ms), HOME) is None


def test_a_duration_never_speaks_against_the_text() -> None:
    live = song("3", "Lithium (live)", "Nirvana", length_ms=214_000)
    note = song("4", "Lithium", "Nirvana", length_ms=214_000, disambiguation="live, 1991: Paradiso")
    dub = song("5", "Lithium", "Nirvana", length_ms=214_000, disambiguation="demo")
    assert own(LITHIUM, [ALBUM, live, note, dub], Hints(duration_ms=214_000), HOME) is None


def test_a_duration_never_speaks_against_the_album_that_was_sent() -> None:
    sent = Asked("Nirvana", "Lithium", "Home")
    assert own(sent, [ALBUM, EDIT], Hints(duration_ms=215_000), HOME) is None


def test_a_duration_does_not_tell_who_is_meant() -> None:
    other = song("2", "Lithium", "Nirvana", artist="uk", length_ms=214_000)
    assert own(LITHIUM, [ALBUM, other], Hints(duration_ms=214_000)) is None
    assert own(LITHIUM, [ALBUM, other], Hints(duration_ms=214_000), HOME) is None


@pytest.mark.parametrize(
    ("written", "code"),
    [("gb-aye-75-00101", "GBAYE7500101"), ("USSUB0200002 ", "USSUB0200002"), ("none", ""), ("", "")],
)
def test_an_isrc_is_read_however_it_is_written(written: str, code: str) -> None:
    assert evidence.isrc(written) == code


# ---------------------------------------------------------------- amid an album


BEST = model.ReleaseGroup("group Best Of", "Best Of", "Album", ("Compilation",))


def amid(options: list[Option]) -> tuple[str, str] | None:
    found = evidence.decide_amid(LITHIUM, options, BEST, HOME)
    return None if found is None else (found.weighed.option.recording.mbid, found.reason)


def test_a_play_amid_an_album_that_its_recording_is_on_takes_that_release() -> None:
    both = song("1", "Lithium", "Nirvana", album("Home"), album("Best Of"))
    assert amid([both]) == ("1", "artist and title agree; on Best Of, like the plays around it")


def test_a_play_amid_an_album_that_it_is_not_on_stays_where_it_is() -> None:
    assert amid([STUDIO, ELSEWHERE]) is None
    assert amid([STUDIO, song("2", "Lithium (live)", "Nirvana", album("Best Of"))]) is None
    assert amid([STUDIO, song("2", "Lithium", "Nirvana", album("Best Of"), artist="uk")]) is None


def test_the_albums_own_recording_of_the_song_is_the_one_that_was_played() -> None:
    assert amid([STUDIO, song("2", "Lithium", "Nirvana", album("Best Of"))]) is not None
