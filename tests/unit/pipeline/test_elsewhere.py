"""What an answer tells of how its source calls the thing that was matched; and what it must not tell."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from sleevenotes import model
from sleevenotes.pipeline import elsewhere
from sleevenotes.pipeline.elsewhere import Album
from sleevenotes.sources import contract
from sleevenotes.sources.own_ids import SourceId
from sleevenotes.store import replies
from sleevenotes.store.source_ids import Told
from tests.unit.store import given

SONG = given.recording("Sunflower", "Low", length_ms=283_000)
LOST = given.release("Things We Lost in the Fire", "Low")
ALBUM = Album.of(SONG, LOST)


def reply(*candidates: contract.Candidate, albums: tuple[tuple[SourceId, ...], ...] = ()) -> replies.Reply:
    answer = msgspec.to_builtins(contract.Answer(candidates, albums=albums))
    return replies.Reply("deezer", b"", replies.Outcome.ANSWERED, answer, datetime(2026, 1, 1, tzinfo=UTC))


def told_by_a_shop(title: str = "Sunflower", by: str = "Low", **facts: Any) -> contract.RecordingCandidate:
    album = facts.pop("album", "Things We Lost in the Fire")
    recording = model.Recording(
        facts.pop("mbid", ""),
        title,
        model.ArtistCredit((model.ArtistCreditName("", by, foreign_id="deezer:7"),)),
        foreign_id="deezer:1",
        **{"length_ms": 284_000, **facts},
    )
    ids = (SourceId("recording", "1", title), SourceId("release_group", "2", album, by), SourceId("artist", "7", by))
    group = model.ReleaseGroup("", album, foreign_id="deezer:2")
    return contract.RecordingCandidate(recording, (model.Release("", album, group, foreign_id="deezer:2"),), ids=ids)


def told(*candidates: contract.Candidate) -> set[tuple[str, int | str, str]]:
    return {(each.of, each.subject, each.id) for each in elsewhere.of_recording(SONG, ALBUM, reply(*candidates))}


def test_the_same_song_tells_the_ids_of_all_three() -> None:
    assert told(told_by_a_shop()) == {
        ("recording", SONG.mbid, "1"),
        ("release_group", LOST.release_group.mbid, "2"),
        ("artist", given.mbid("Low"), "7"),
    }


@pytest.mark.parametrize(
    "other",
    [
        told_by_a_shop("Moonflower"),
        told_by_a_shop(by="Post Malone"),
        told_by_a_shop("Sunflower (Live)"),
        told_by_a_shop(length_ms=260_000),
        told_by_a_shop(mbid=given.mbid("another")),
    ],
    ids=["another title", "another artist", "another version", "another length", "another's MBID"],
)
def test_somebody_elses_answer_tells_nothing(other: contract.RecordingCandidate) -> None:
    assert told(other) == set()


def test_the_same_song_on_another_album_tells_nothing_of_the_matched_one() -> None:
    assert {of for of, _, _ in told(told_by_a_shop(album="Songs for a Dead Pilot"))} == {"recording", "artist"}


def test_an_edition_of_the_album_is_the_album() -> None:
    deluxe = told_by_a_shop(album="Things We Lost in the Fire (Deluxe Edition)")
    assert ("release_group", LOST.release_group.mbid, "2") in told(deluxe)


def test_an_albums_id_is_of_the_first_row_that_is_it_and_of_each_of_its_kinds() -> None:
    rows = (
        (SourceId("release_group", "1", "Secret Name", "Low", "master"),),
        (
            SourceId("release_group", "2", "Things We Lost in the Fire", "Low", "master", "https://a.org/2"),
            SourceId("release_group", "3", "Things We Lost in the Fire", "Low", "release"),
            SourceId("artist", "9", "Low"),
        ),
        (SourceId("release_group", "4", "Things We Lost in the Fire", "Low", "master"),),
    )
    found = set(elsewhere.of_album(ALBUM, rows, reply(albums=rows), SONG.artist_credit.names))
    assert found == {
        Told("release_group", LOST.release_group.mbid, "deezer", "2", "master", "https://a.org/2"),
        Told("release_group", LOST.release_group.mbid, "deezer", "3", "release"),
        Told("artist", given.mbid("Low"), "deezer", "9"),
    }


def test_an_albums_mbid_decides_before_its_names_do() -> None:
    mine = (SourceId("release_group", "1", "TWLITF", "LOW (US)", mbid=LOST.release_group.mbid),)
    anothers = (SourceId("release_group", "2", ALBUM.title, "Low", mbid=given.mbid("another")),)
    assert [each.id for each in elsewhere.of_album(ALBUM, (anothers, mine), reply())] == ["1"]


def test_two_artists_of_one_name_in_an_answer_are_told_of_neither() -> None:
    row = (
        SourceId("release_group", "1", ALBUM.title, "Low"),
        SourceId("artist", "8", "Low"),
        SourceId("artist", "9", "Low"),
    )
    found = elsewhere.of_album(ALBUM, (row,), reply(), SONG.artist_credit.names)
    assert [each.of for each in found] == ["release_group"]


def test_of_a_credit_each_artist_has_the_id_under_its_own_name() -> None:
    both = given.recording("Duet", "Low", "The Dirty Three")
    row = (
        SourceId("release_group", "1", ALBUM.title, "Low"),
        SourceId("artist", "8", "Dirty Three"),
        SourceId("artist", "9", "Low & Dirty Three"),
    )
    found = elsewhere.of_album(ALBUM, (row,), reply(), both.artist_credit.names)
    assert [(each.subject, each.id) for each in found if each.of == "artist"] == [(given.mbid("The Dirty Three"), "8")]
