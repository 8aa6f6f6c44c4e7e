from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from sleevenotes import errors
from sleevenotes.sources import contract, lastfm, own_ids

KEY = "b25b959554ed76058ac220b7b2e0a026"
SOURCE = lastfm.LastFm(KEY)
TRACK = contract.FindRecording("Sigur Rós", "Hoppípolla & more")
ALBUM = contract.FindImages("Sigur Rós", "Takk...")
STAR = "2a96cbd8b46e442fc41c2b86b821562f"
HASH = "62d26c6cb4ac4bdccb8f3a2a0fd55421"
ARTIST = "a74b1b7f-71a5-4011-9441-d0b5e4122711"
HOST = "https://lastfm.freetls.fastly.net/i/u"


def read(question: contract.Question, document: Any, status: int = 200, **headers: str) -> contract.Answer:
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    [answer] = SOURCE.read([question], contract.Reply(status, named, body, "https://ws.audioscrobbler.com/2.0/"))
    return answer


def pictures(*addresses: str) -> list[dict[str, str]]:
    sizes = ("small", "medium", "large", "extralarge", "mega", "")
    return [{"size": size, "#text": address} for size, address in zip(sizes, addresses, strict=False)]


def album(**more: Any) -> dict[str, Any]:
    told = {"artist": "Sigur Rós", "name": "Takk...", "url": "https://www.last.fm/music/Sigur+R%C3%B3s/Takk..."}
    return {"album": {**told, "image": pictures(f"{HOST}/34s/{HASH}.png", f"{HOST}/300x300/{HASH}.png"), **more}}


def track(**more: Any) -> contract.RecordingCandidate:
    told = {
        "name": "Hoppípolla",
        "url": "https://www.last.fm/music/Sigur+R%C3%B3s/_/Hopp%C3%ADpolla",
        "duration": "268000",
        "mbid": "not read",
        "artist": {"name": "Sigur Rós", "mbid": ARTIST, "url": "https://www.last.fm/music/Sigur+R%C3%B3s"},
        "toptags": "",
    }
    [candidate] = read(TRACK, {"track": {**told, **more}}).candidates
    assert isinstance(candidate, contract.RecordingCandidate)
    return candidate


# ---------------------------------------------------------------- asking


def test_a_track_is_asked_as_it_is_written() -> None:
    request = SOURCE.request([TRACK])
    assert request.url.startswith("https://ws.audioscrobbler.com/2.0/?")
    assert parse_qs(urlsplit(request.url).query) == {
        "method": ["track.getInfo"],
        "artist": ["Sigur Rós"],
        "track": ["Hoppípolla & more"],
        "autocorrect": ["0"],
        "api_key": [KEY],
        "format": ["json"],
    }


def test_an_albums_cover_is_asked_by_its_names() -> None:
    query = parse_qs(urlsplit(SOURCE.request([ALBUM]).url).query)
    assert (query["method"], query["artist"], query["album"]) == (["album.getInfo"], ["Sigur Rós"], ["Takk..."])


def test_questions_of_other_kinds_are_refused() -> None:
    with pytest.raises(TypeError, match=r"Last\.fm cannot"):
        SOURCE.request([contract.DescribeRecording(ARTIST)])


# ---------------------------------------------------------------- tracks


def test_an_artists_mbid_is_taken_and_a_tracks_is_not() -> None:
    recording = track().recording
    [artist] = recording.artist_credit.names
    assert (artist.mbid, artist.foreign_id) == (ARTIST, "")
    assert (recording.mbid, recording.foreign_id) == ("", "lastfm:Sigur+R%C3%B3s/_/Hopp%C3%ADpolla")


@pytest.mark.parametrize("mbid", ["", "none"])
def test_without_a_well_formed_mbid_an_artist_goes_by_the_page(mbid: str) -> None:
    told = {"name": "Sigur Rós", "mbid": mbid, "url": "https://www.last.fm/music/Sigur+R%C3%B3s"}
    [artist] = track(artist=told).recording.artist_credit.names
    assert (artist.mbid, artist.foreign_id) == ("", "lastfm:Sigur+R%C3%B3s")


def test_without_addresses_ids_are_made_as_the_addresses_would_be() -> None:
    candidate = track(url="", artist={"name": "AC/DC"}, album={"artist": "AC/DC", "title": "Let There Be Rock"})
    assert candidate.recording.foreign_id == "lastfm:AC%2FDC/_/Hopp%C3%ADpolla"
    assert candidate.recording.artist_credit.names[0].foreign_id == "lastfm:AC%2FDC"
    assert candidate.releases[0].release_group.foreign_id == "lastfm:AC%2FDC/Let+There+Be+Rock"


@pytest.mark.parametrize(("duration", "length"), [("268000", 268_000), (268_000, 268_000), ("0", None), ("", None)])
def test_an_unknown_length_is_told_as_nought(duration: str | int, length: int | None) -> None:
    assert track(duration=duration).recording.length_ms == length


def test_a_tracks_album_brings_its_cover() -> None:
    told = {**album()["album"], "title": "Takk..."}
    del told["name"]
    candidate = track(album=told)
    assert candidate.releases[0].title == "Takk..."
    assert candidate.releases[0].artist_credit is None
    assert [image.url for image in candidate.images] == [f"{HOST}/{HASH}.png", f"{HOST}/300x300/{HASH}.png"]
    assert not any(image.exact for image in candidate.images)


def test_an_album_by_somebody_else_says_so() -> None:
    credit = track(album={"artist": "Jón", "title": "Hits"}).releases[0].artist_credit
    assert credit
    assert [(part.mbid, part.name, part.foreign_id) for part in credit.names] == [("", "Jón", "lastfm:J%C3%B3n")]


# ---------------------------------------------------------------- covers


def test_the_original_comes_before_the_reduced_copy() -> None:
    original, reduced = read(ALBUM, album()).candidates
    assert isinstance(original, contract.ImageAt)
    assert isinstance(reduced, contract.ImageAt)
    assert (original.url, original.width) == (f"{HOST}/{HASH}.png", 0)
    assert (reduced.url, reduced.width, reduced.height) == (f"{HOST}/300x300/{HASH}.png", 300, 300)
    assert (original.artist, original.release) == ("Sigur Rós", "Takk...")
    assert original.page.startswith("https://www.last.fm/music/")


@pytest.mark.parametrize(
    "image",
    [
        pictures(f"{HOST}/34s/{STAR}.png", f"{HOST}/300x300/{STAR}.png"),
        pictures("", "", ""),
        pictures("https://example.org/else.png"),
        [],
        "",
    ],
)
def test_a_placeholder_or_no_address_is_no_cover(image: Any) -> None:
    answer = read(ALBUM, album(image=image))
    assert (answer.candidates, answer.known) == ((), True)


def test_an_old_image_host_is_read_as_todays() -> None:
    told = pictures(f"https://lastfm-img2.akamaized.net/i/u/34s/{HASH}.jpg")
    assert read(ALBUM, album(image=told)).candidates[0].url == f"{HOST}/{HASH}.jpg"  # type: ignore[union-attr]


def test_empty_and_single_lists_are_no_trouble() -> None:
    assert read(ALBUM, album(tags="", tracks={"track": {"name": "one"}})).candidates


# ---------------------------------------------------------------- errors


@pytest.mark.parametrize("status", [200, 400, 404])
@pytest.mark.parametrize("question", [TRACK, ALBUM])
def test_error_six_is_absence_with_any_status(question: contract.Question, status: int) -> None:
    assert read(question, {"error": 6, "message": "Track not found", "links": []}, status) == contract.ABSENT


@pytest.mark.parametrize("status", [200, 403, 429, 500])
@pytest.mark.parametrize(
    ("code", "fault"),
    [
        (8, errors.Unreachable),
        (10, errors.Unconfigured),
        (11, errors.Unreachable),
        (16, errors.Unreachable),
        (26, errors.Unconfigured),
        (29, errors.Throttled),
    ],
)
def test_errors_are_told_by_the_body(code: int, fault: type[errors.Fault], status: int) -> None:
    with pytest.raises(fault) as raised:
        read(TRACK, {"error": code, "message": f"about {KEY}"}, status)
    assert KEY not in str(raised.value)


@pytest.mark.parametrize("code", [2, 3, 4, 5, 7, 13, 17, 99])
def test_every_other_error_is_garbled_and_never_absent(code: int) -> None:
    with pytest.raises(errors.Garbled, match=str(code)):
        read(TRACK, {"error": code, "message": "?"}, 400)
    with pytest.raises(errors.Unreachable):
        read(TRACK, {"error": code, "message": "?"}, 500)


@pytest.mark.parametrize("question", [TRACK, ALBUM])
@pytest.mark.parametrize("body", [b"", b"<html>", b'{"track": {', b"{}", b"[]", b"null", b'{"artist": {}}', b"\xff"])
def test_what_is_not_its_answer_is_garbled(question: contract.Question, body: bytes) -> None:
    with pytest.raises(errors.Garbled):
        read(question, body)


def test_a_track_is_no_answer_to_an_albums_question() -> None:
    with pytest.raises(errors.Garbled):
        read(TRACK, album())


@pytest.mark.parametrize(
    ("status", "fault"),
    [
        (403, errors.Garbled),
        (404, errors.Garbled),
        (429, errors.Throttled),
        (500, errors.Unreachable),
        (503, errors.Throttled),
    ],
)
def test_pages_without_its_json_are_told_by_the_status(status: int, fault: type[errors.Fault]) -> None:
    with pytest.raises(fault):
        read(TRACK, b"<html>", status, retry_after="3")


# ---------------------------------------------------------------- artists


def artist_of(body: object, status: int = 200) -> contract.Answer:
    answered = contract.Reply(status, {}, json.dumps(body).encode(), "https://ws.audioscrobbler.com/2.0/")
    [answer] = SOURCE.read([contract.FindArtist("Low", "9d30e408-1559-448b-b491-2f8de1583ccf")], answered)
    return answer


def test_an_artist_is_asked_for_by_name_whatever_its_mbid() -> None:
    asked = parse_qs(urlsplit(SOURCE.request([contract.FindArtist("Low", "an id")]).url).query)
    assert (asked["method"], asked["artist"], asked.get("mbid")) == (["artist.getInfo"], ["Low"], None)


def test_an_artist_comes_with_the_number_of_listeners_and_without_the_star() -> None:
    told = {"name": "Low", "mbid": "", "url": "https://www.last.fm/music/Low", "stats": {"listeners": "712345"}}
    [found] = artist_of({"artist": {**told, "image": [{"size": "large", "#text": "https://x/star.png"}]}}).candidates
    page = "https://www.last.fm/music/Low"
    own = own_ids.SourceId("artist", "Low", "Low", page=page)
    assert found == contract.ArtistCandidate("Low", listeners=712_345, page=page, ids=(own,))


def test_an_artist_who_is_not_there_is_absent_and_a_track_in_its_place_is_a_fault() -> None:
    assert artist_of({"error": 6, "message": "The artist you supplied could not be found"}, 404) == contract.ABSENT
    with pytest.raises(errors.Garbled):
        artist_of({"track": {"name": "Low", "artist": {"name": "Low"}}})
