"""A discography: which names it answers, and whether its next page is worth a request."""

from __future__ import annotations

import pytest

from sleevenotes import model
from sleevenotes.pipeline import discography
from sleevenotes.sources import contract
from sleevenotes.store.discographies import Waiting

CREDIT = model.ArtistCredit((model.ArtistCreditName("9d30e408", "Low"),))


def candidate(title: str, *releases: str) -> contract.RecordingCandidate:
    on = tuple(
        model.Release(each, each, model.ReleaseGroup(f"g-{each}", each, "Album"), status="Official")
        for each in releases
    )
    return contract.RecordingCandidate(model.Recording(f"r-{title}", title, CREDIT), on)


def pages(*found: contract.RecordingCandidate, read: int = 1, **more: int) -> discography.Pages:
    further = contract.BrowseReleases("9d30e408", **more) if more else None
    return discography.Pages(found, read, further, ())


def answered(track: str, *found: contract.RecordingCandidate, album: str = "") -> list[str]:
    answers = discography._answers(pages(*found), [Waiting(7, b"", 1, "Low", track, album, 1)])
    return [each.recording.title for each in answers[7].candidates if hasattr(each, "recording")] if answers else []


ALBUM = (candidate("Words", "I Could Live in Hope"), candidate("Cut", "I Could Live in Hope"))


@pytest.mark.parametrize("track", ["Words", "WORDS", "Words - Remastered 2011"])
def test_a_name_is_answered_by_the_recording_of_that_title(track: str) -> None:
    assert answered(track, *ALBUM) == ["Words"]


@pytest.mark.parametrize("track", ["Wrds", "Words (live)", "Another Song"])
def test_what_is_spelt_otherwise_or_another_version_is_left_to_the_search(track: str) -> None:
    assert answered(track, *ALBUM) == []


def test_a_name_sent_with_an_album_that_the_artist_never_released_is_left_to_the_search() -> None:
    assert answered("Words", *ALBUM, album="I Could Live in Hope (Deluxe Edition)") == ["Words"]
    assert answered("Words", *ALBUM, album="Songs for a Film") == []


def test_of_one_title_all_recordings_are_the_answer() -> None:
    other = candidate("Words", "A Lifetime of Temporary Relief")
    assert len(answered("Words", ALBUM[0], ALBUM[1], other)) == 2


@pytest.mark.parametrize(
    ("known", "left"),
    [
        (pages(), 0),
        (pages(read=0, offset=0), 1),
        (pages(offset=40, left=60), 2),
        (pages(offset=40, left=40), 1),
        (pages(read=2, offset=40, left=60), 3),
    ],
)
def test_the_pages_that_are_left_are_reckoned_by_those_that_were_read(known: discography.Pages, left: int) -> None:
    if known.read == 0:
        known = known._replace(next=contract.BrowseReleases("9d30e408"))
    assert known.left == left
