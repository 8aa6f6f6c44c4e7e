"""An artist's releases, page by page, with what is on them."""

from __future__ import annotations

import urllib.parse
from typing import Any

import pytest
from tests.unit.sources.test_musicbrainz import FOUND, GROUP, QUEEN_MBID, SOURCE, read_one, reply

from sleevenotes import errors
from sleevenotes.sources import contract


def test_an_artists_releases_are_browsed_official_ones_only_with_what_is_on_them() -> None:
    url = urllib.parse.urlsplit(SOURCE.request([contract.BrowseReleases(QUEEN_MBID, 40, 12)]).url)
    parameters = urllib.parse.parse_qs(url.query)
    assert url.path == "/ws/2/release"
    assert (parameters["artist"], parameters["status"]) == ([QUEEN_MBID], ["official"])
    assert (parameters["offset"], parameters["limit"]) == (["40"], ["100"])
    assert set(parameters["inc"][0].split()) == {"recordings", "artist-credits", "release-groups", "media"}


def test_a_page_is_the_same_question_whatever_was_left_before_it() -> None:
    keys = {contract.key(contract.BrowseReleases(QUEEN_MBID, 40, left)) for left in (0, 12)}
    assert keys == {contract.key(contract.BrowseReleases(QUEEN_MBID, 40))}
    assert keys != {contract.key(contract.BrowseReleases(QUEEN_MBID, 80))}


def listed(mbid: str, *titles: str, **more: object) -> dict[str, Any]:
    """Write a release as browsing gives it, its tracks named by their titles."""
    tracks = [
        {
            "number": str(number),
            "recording": {
                "id": f"r-{title}",
                "title": title,
                "length": None,
                "video": False,
                "disambiguation": "",
                "artist-credit": FOUND["artist-credit"],
            },
        }
        for number, title in enumerate(titles, start=1)
    ]
    medium = {"position": 1, "track-count": len(tracks), "tracks": tracks}
    credit = FOUND["artist-credit"]
    facts = {"id": mbid, "title": mbid, "status": "Official", "release-group": GROUP, "artist-credit": credit}
    return {**facts, "media": [medium], **more}


def page(*releases: object, count: int) -> contract.Reply:
    return reply({"release-count": count, "release-offset": 0, "releases": releases})


def recordings(answer: contract.Answer) -> dict[str, contract.RecordingCandidate]:
    found = [each for each in answer.candidates if isinstance(each, contract.RecordingCandidate)]
    return {each.recording.title: each for each in found}


def test_a_page_gives_each_recording_once_with_all_releases_it_is_on() -> None:
    answered = page(listed("album", "One", "Two"), listed("single", "Two", date="1975", country=None), count=2)
    answer = read_one(contract.BrowseReleases(QUEEN_MBID), answered)
    found = recordings(answer)
    assert {title: [each.mbid for each in found[title].releases] for title in found} == {
        "One": ["album"],
        "Two": ["album", "single"],
    }
    album, single = found["Two"].releases
    assert (album.track_number, album.track_count, single.track_number, single.date) == ("2", 2, "1", "1975")
    assert found["Two"].recording.artist_credit.names[0].mbid == QUEEN_MBID
    assert album.artist_credit is None  # the recording's own
    assert answer.follow_ups == ()


def test_a_page_leads_to_the_next_where_it_ended_itself() -> None:
    answer = read_one(contract.BrowseReleases(QUEEN_MBID, 3), page(listed("a", "One"), listed("b", "Two"), count=9))
    assert answer.follow_ups == (contract.BrowseReleases(QUEEN_MBID, 5, 4),)


def test_an_empty_page_ends_the_list_whatever_it_says_of_its_length() -> None:
    assert read_one(contract.BrowseReleases(QUEEN_MBID, 9), page(count=12)) == contract.ABSENT


@pytest.mark.parametrize("status", [404, 400])
def test_an_artist_who_is_none_has_no_releases(status: int) -> None:
    assert read_one(contract.BrowseReleases("x"), reply({"error": "Invalid mbid."}, status)) == contract.ABSENT


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b'{"releases": []}', b'{"release-count": 1, "releases": [{"id": "a"}]}']
)
def test_a_page_that_is_none_is_garbled(body: bytes) -> None:
    with pytest.raises(errors.Garbled):
        read_one(contract.BrowseReleases(QUEEN_MBID), reply(body))


# ---------------------------------------------------------------- what is on one album


def test_what_is_on_a_release_is_a_lookup_and_on_a_group_a_page() -> None:
    one = urllib.parse.urlsplit(SOURCE.request([contract.ListRecordings(release_mbid=QUEEN_MBID)]).url)
    assert one.path == f"/ws/2/release/{QUEEN_MBID}"
    many = urllib.parse.urlsplit(SOURCE.request([contract.ListRecordings(release_group_mbid=QUEEN_MBID, offset=7)]).url)
    parameters = urllib.parse.parse_qs(many.query)
    assert (many.path, parameters["release-group"], parameters["offset"]) == ("/ws/2/release", [QUEEN_MBID], ["7"])
    assert set(parameters["inc"][0].split()) == {"recordings", "artist-credits", "release-groups", "media"}


def test_a_release_tells_its_recordings_with_itself_alone() -> None:
    answer = read_one(contract.ListRecordings(release_mbid="a"), reply(listed("a", "One", "Two")))
    assert list(recordings(answer)) == ["One", "Two"]
    assert [each.mbid for each in recordings(answer)["One"].releases] == ["a"]


def test_a_groups_page_leads_to_the_next() -> None:
    question = contract.ListRecordings(release_group_mbid="g")
    answer = read_one(question, page(listed("a", "One"), listed("b", "One"), count=3))
    assert [each.mbid for each in recordings(answer)["One"].releases] == ["a", "b"]
    assert answer.follow_ups == (contract.ListRecordings(release_group_mbid="g", offset=2),)
    last = read_one(contract.ListRecordings(release_group_mbid="g", offset=2), page(listed("c", "One"), count=3))
    assert last.follow_ups == ()


def test_an_album_that_is_not_there_is_absent() -> None:
    assert read_one(contract.ListRecordings(release_mbid="x"), reply({"error": "Not Found"}, 404)) == contract.ABSENT
