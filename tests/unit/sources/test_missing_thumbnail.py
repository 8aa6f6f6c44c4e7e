"""A thumbnail that archive.org lacks is no absence of the cover."""

from __future__ import annotations

from sleevenotes.sources import contract, coverartarchive

MBID = "76df3287-6cda-33eb-8e9a-044b5e15ffdd"
ARCHIVE = coverartarchive.CoverArtArchive()
FRONT = coverartarchive.front_of_release(MBID)


def read(status: int, url: str, question: contract.FetchImage = FRONT) -> contract.Answer:
    [answer] = ARCHIVE.read([question], contract.Reply(status, {}, b"", url))
    return answer


def test_a_thumbnail_missing_two_hops_on_leads_to_the_original() -> None:
    answer = read(404, f"https://archive.org/download/mbid-{MBID}/mbid-{MBID}-1_thumb500.jpg")
    assert not answer.candidates
    assert answer.follow_ups == (coverartarchive.front_of_release(MBID, 0),)


def test_a_cover_the_archive_itself_does_not_know_is_absent() -> None:
    assert read(404, FRONT.url) == contract.ABSENT


def test_a_missing_original_leads_nowhere() -> None:
    original = coverartarchive.front_of_release(MBID, 0)
    assert read(404, "https://archive.org/download/x.jpg", original) == contract.ABSENT
