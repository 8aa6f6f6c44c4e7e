from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from sleevenotes import errors
from sleevenotes.sources import contract, itunes

SOURCE = itunes.ITunes()
SONG = contract.FindRecording("Jack Johnson", "Better Together")
ALBUM = contract.FindImages("Jack Johnson", "In Between Dreams", "f5093c06-23e3-404f-aeaa-40f72885ee3a")
ART = "https://is1-ssl.mzstatic.com/image/thumb/Music115/v4/ab/cd/ef/abcdef00-0000-4000-8000-000000000000/source.jpg"


def row(**changed: Any) -> dict[str, Any]:
    song = {
        "wrapperType": "track",
        "kind": "song",
        "artistId": 909253,
        "collectionId": 1469577723,
        "trackId": 1469577741,
        "artistName": "Jack Johnson",
        "collectionName": "In Between Dreams",
        "trackName": "Better Together",
        "collectionViewUrl": "https://music.apple.com/us/album/1469577723",
        "artworkUrl30": f"{ART}/30x30bb.jpg",
        "artworkUrl60": f"{ART}/60x60bb.jpg",
        "artworkUrl100": f"{ART}/100x100bb.jpg",
        "releaseDate": "2005-03-01T12:00:00Z",
        "trackCount": 15,
        "trackTimeMillis": 207679,
    }
    return {name: value for name, value in (song | changed).items() if value is not None}


def album(**changed: Any) -> dict[str, Any]:
    gone = dict.fromkeys(("kind", "trackId", "trackName", "trackTimeMillis"))
    return row(**gone, wrapperType="collection", collectionType="Album", **changed)


def read(*rows: dict[str, Any], question: contract.Question = SONG) -> contract.Answer:
    body = b"\n\n\n" + json.dumps({"resultCount": len(rows), "results": rows}).encode() + b"\n\n\n"
    return read_bytes(body, question=question)


def read_bytes(body: bytes, status: int = 200, question: contract.Question = SONG, **headers: str) -> contract.Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    [answer] = SOURCE.read([question], contract.Reply(status, named, body, "https://itunes.apple.com/search"))
    return answer


def candidates(*rows: dict[str, Any]) -> list[contract.RecordingCandidate]:
    return [each for each in read(*rows).candidates if isinstance(each, contract.RecordingCandidate)]


def images(*rows: dict[str, Any]) -> list[contract.ImageAt]:
    return [each for each in read(*rows, question=ALBUM).candidates if isinstance(each, contract.ImageAt)]


@pytest.mark.parametrize(
    ("question", "entity", "term"),
    [(SONG, "song", "Jack Johnson Better Together"), (ALBUM, "album", "Jack Johnson In Between Dreams")],
)
def test_a_search_says_what_for_and_in_which_store(question: contract.Question, entity: str, term: str) -> None:
    url = urlsplit(SOURCE.request([question]).url)
    assert (url.scheme, url.netloc, url.path) == ("https", "itunes.apple.com", "/search")
    given = {name: values[0] for name, values in parse_qs(url.query).items()}
    assert given == {"term": term, "media": "music", "entity": entity, "limit": "25", "country": "US"}


def test_another_store_can_be_asked() -> None:
    assert "country=JP" in itunes.ITunes("JP").request([SONG]).url


def test_a_kind_of_question_it_cannot_answer_is_refused() -> None:
    with pytest.raises(TypeError, match="iTunes"):
        SOURCE.request([contract.FetchImage("https://example.org")])


def test_a_song_is_read_with_its_own_ids_its_album_and_its_artwork() -> None:
    [found] = candidates(row())
    recording = found.recording
    assert (recording.mbid, recording.foreign_id, recording.title) == ("", "itunes:1469577741", "Better Together")
    assert (recording.length_ms, recording.isrcs) == (207_679, ())
    [name] = recording.artist_credit.names
    assert (name.mbid, name.foreign_id, name.name) == ("", "itunes:909253", "Jack Johnson")
    [release] = found.releases
    assert (release.foreign_id, release.date, release.track_count) == ("itunes:1469577723", "2005-03-01", 15)
    assert release.release_group.foreign_id == release.foreign_id
    assert release.artist_credit is None
    page = "https://music.apple.com/us/album/1469577723"
    assert found.images == (
        contract.ImageAt(f"{ART}/600x600bb.jpg", "Jack Johnson", "In Between Dreams", 600, 600, page=page),
    )


@pytest.mark.parametrize(
    ("sold_as", "title", "kind"),
    [
        ("Sunset - Single", "Sunset", "Single"),
        ("Thrills - EP", "Thrills", "EP"),
        ("Thrills (Deluxe Edition)", "Thrills (Deluxe Edition)", ""),
        ("Single", "Single", ""),
        ("One - Two - EP", "One - Two", "EP"),
        ("The EP", "The EP", ""),
    ],
)
def test_only_the_shop_s_endings_are_taken_off_a_release(sold_as: str, title: str, kind: str) -> None:
    [found] = candidates(row(collectionName=sold_as))
    [release] = found.releases
    assert (release.title, release.release_group.title, release.release_group.primary_type) == (title, title, kind)
    assert found.images[0].release == sold_as


def test_a_song_on_a_compilation_keeps_its_artist_and_the_album_has_its_own() -> None:
    [found] = candidates(row(collectionArtistName="Various Artists", collectionArtistId=4035426))
    assert found.recording.artist_credit.name == "Jack Johnson"
    credit = found.releases[0].artist_credit
    assert credit is not None
    assert (credit.name, credit.names[0].foreign_id) == ("Various Artists", "itunes:4035426")
    assert found.images[0].artist == "Various Artists"


def test_one_recording_on_two_albums_is_one_candidate() -> None:
    again = row(trackId=5, collectionId=6, collectionName="Best Of", trackTimeMillis=208_100)
    [found] = candidates(row(), again)
    assert [release.title for release in found.releases] == ["In Between Dreams", "Best Of"]


def test_what_is_no_song_is_passed_over() -> None:
    assert candidates(row(kind="music-video")) == []


def test_albums_give_their_artwork_with_the_shop_s_own_names() -> None:
    found = images(album(), album(artistName="Karaoke Stars", collectionName="In Between Dreams - EP"))
    assert [(each.artist, each.release, each.exact) for each in found] == [
        ("Jack Johnson", "In Between Dreams", False),
        ("Karaoke Stars", "In Between Dreams - EP", False),
    ]
    assert {each.url for each in found} == {f"{ART}/600x600bb.jpg"}


def test_an_album_without_artwork_has_no_image() -> None:
    assert images(album(artworkUrl30=None, artworkUrl60=None, artworkUrl100=None)) == []


def test_a_smaller_artwork_leads_to_the_larger_too() -> None:
    [image] = images(album(artworkUrl100=None))
    assert image.url == f"{ART}/600x600bb.jpg"


def test_an_address_that_says_no_size_is_not_guessed_at() -> None:
    bare = dict.fromkeys(("artworkUrl30", "artworkUrl60"))
    assert images(album(**bare, artworkUrl100="https://is1-ssl.mzstatic.com/image/odd.jpg")) == []


@pytest.mark.parametrize("question", [SONG, ALBUM])
def test_nothing_found_is_absence_which_soon_after_a_throttle_is_to_be_doubted(question: contract.Question) -> None:
    assert read(question=question) == contract.ABSENT
    assert SOURCE.policy.doubt_s == 120.0


@pytest.mark.parametrize("status", [403, 429])
def test_both_of_its_refusals_are_throttling_for_a_minute(status: int) -> None:
    with pytest.raises(errors.Throttled) as raised:
        read_bytes(b"", status)
    assert raised.value.retry_after == 60.0


def test_a_retry_after_is_obeyed_where_there_is_one() -> None:
    with pytest.raises(errors.Throttled) as raised:
        read_bytes(b"", 403, retry_after="7")
    assert raised.value.retry_after == 7


@pytest.mark.parametrize("status", [500, 502, 400, 404])
def test_every_other_refusal_is_a_fault(status: int) -> None:
    with pytest.raises(errors.Unreachable):
        read_bytes(b'{"errorMessage": "Invalid value(s)"}', status)


@pytest.mark.parametrize(
    "body", [b"", b"\n\n\n", b"<html>Be right back</html>", b'\n\n\n{"resultCount":1,"results":[{"kind":', b"{}"]
)
def test_what_is_no_answer_is_garbled(body: bytes) -> None:
    with pytest.raises(errors.Garbled):
        read_bytes(body)
