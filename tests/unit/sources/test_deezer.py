from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from sleevenotes import errors
from sleevenotes.sources import contract, deezer

SOURCE = deezer.Deezer()
TRACK = contract.FindRecording("Daft Punk", "One More Time")
ALBUM = contract.FindImages("Daft Punk", "Discovery", "48117b90-a16e-34ca-a514-19c702df1158")
COVER = "https://cdn-images.dzcdn.net/images/cover/2e018122cb56986277102d2041a592c8/1000x1000-000000-80-0-0.jpg"
EMPTY = "https://cdn-images.dzcdn.net/images/cover//1000x1000-000000-80-0-0.jpg"


def row(**changed: Any) -> dict[str, Any]:
    track = {
        "id": 3135553,
        "title": "One More Time",
        "isrc": "GBDUW0000053",
        "duration": 320,
        "artist": {"id": 27, "name": "Daft Punk"},
        "album": {"id": 302127, "title": "Discovery", "cover_xl": COVER},
    }
    return track | changed


def read(document: object, question: contract.Question = TRACK, status: int = 200) -> contract.Answer:
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    [answer] = SOURCE.read([question], contract.Reply(status, {}, body, "https://api.deezer.com/search"))
    return answer


def candidates(*rows: dict[str, Any]) -> list[contract.RecordingCandidate]:
    found = read({"data": list(rows), "total": len(rows)}).candidates
    return [each for each in found if isinstance(each, contract.RecordingCandidate)]


def asked(question: contract.Question) -> str:
    return parse_qs(urlsplit(SOURCE.request([question]).url).query)["q"][0]


def test_a_track_is_searched_by_plain_words() -> None:
    assert SOURCE.request([TRACK]).url == "https://api.deezer.com/search/track?q=Daft+Punk+One+More+Time&limit=25"


def test_an_album_is_searched_by_plain_words() -> None:
    assert SOURCE.request([ALBUM]).url == "https://api.deezer.com/search/album?q=Daft+Punk+Discovery&limit=25"


def test_guests_and_remaster_notes_are_not_searched_for() -> None:
    question = contract.FindRecording("Disclosure feat. Sam Smith", "Latch (feat. Sam Smith) - Remastered 2015")
    assert asked(question) == "Disclosure Latch"


def test_quotes_and_colons_do_not_turn_a_title_into_a_query_of_fields() -> None:
    assert asked(contract.FindRecording("Nobody", 'artist:"x" Live: Two')) == "Nobody artist x Live Two"


def test_a_kind_of_question_it_cannot_answer_is_refused() -> None:
    with pytest.raises(TypeError, match="Deezer"):
        SOURCE.request([contract.DescribeRecording("x")])


def test_a_track_is_read_with_its_own_ids_its_album_and_its_cover() -> None:
    [found] = candidates(row())
    recording = found.recording
    assert (recording.mbid, recording.foreign_id, recording.title) == ("", "deezer:3135553", "One More Time")
    assert (recording.length_ms, recording.isrcs) == (320_000, ("GBDUW0000053",))
    [name] = recording.artist_credit.names
    assert (name.mbid, name.foreign_id, name.name) == ("", "deezer:27", "Daft Punk")
    [release] = found.releases
    assert (release.foreign_id, release.release_group.foreign_id) == ("deezer:302127", "deezer:302127")
    assert (release.mbid, release.title, release.release_group.title) == ("", "Discovery", "Discovery")
    [image] = found.images
    page = "https://www.deezer.com/album/302127"
    assert image == contract.ImageAt(COVER, "Daft Punk", "Discovery", 1000, 1000, page=page)
    assert not image.exact


def test_a_length_of_zero_is_not_known() -> None:
    assert candidates(row(duration=0))[0].recording.length_ms is None


def test_one_recording_on_two_albums_is_one_candidate() -> None:
    again = row(id=2, duration=321, album={"id": 5, "title": "Musique Vol. 1", "cover_xl": COVER})
    [found] = candidates(row(), again)
    assert found.recording.foreign_id == "deezer:3135553"
    assert [release.title for release in found.releases] == ["Discovery", "Musique Vol. 1"]
    assert [image.release for image in found.images] == ["Discovery", "Musique Vol. 1"]


@pytest.mark.parametrize(
    "other",
    [
        row(id=2, isrc="USABC0100001"),
        row(id=2, isrc="", duration=400),
        row(id=2, isrc="", duration=0),
        row(id=2, title="One More Time (Live)"),
        row(id=2, artist={"id": 99, "name": "Daft Punk"}),
    ],
)
def test_another_recording_is_another_candidate(other: dict[str, Any]) -> None:
    assert len(candidates(row(), other)) == 2


def test_without_an_isrc_the_length_decides() -> None:
    assert len(candidates(row(), row(id=2, isrc="", duration=322))) == 1


@pytest.mark.parametrize("cover", [EMPTY, "", None])
def test_an_album_without_a_cover_has_no_image(cover: str | None) -> None:
    [found] = candidates(row(album={"id": 1, "title": "Bare", "cover_xl": cover}))
    assert found.images == ()
    assert found.releases


def test_covers_of_albums_carry_deezer_s_own_names() -> None:
    rows = [
        {"id": 1, "title": "Discovery", "cover_xl": COVER, "artist": {"id": 27, "name": "Daft Punk"}},
        {"id": 2, "title": "Discovery (Karaoke)", "cover_xl": COVER, "artist": {"id": 8, "name": "Sing Along"}},
        {"id": 3, "title": "Discovery", "cover_xl": EMPTY, "artist": {"id": 9, "name": "Somebody"}},
    ]
    found = [each for each in read({"data": rows}, ALBUM).candidates if isinstance(each, contract.ImageAt)]
    assert [(each.artist, each.release) for each in found] == [
        ("Daft Punk", "Discovery"),
        ("Sing Along", "Discovery (Karaoke)"),
    ]
    assert not any(each.exact for each in found)


@pytest.mark.parametrize("question", [TRACK, ALBUM])
def test_nothing_found_is_absence(question: contract.Question) -> None:
    assert read({"data": [], "total": 0}, question) == contract.ABSENT


@pytest.mark.parametrize("status", [200, 404])
def test_no_data_is_absence_with_any_status(status: int) -> None:
    error = {"error": {"type": "DataException", "message": "no data", "code": 800}}
    assert read(error, status=status) == contract.ABSENT


def test_the_quota_is_throttling_though_its_status_is_200() -> None:
    with pytest.raises(errors.Throttled) as raised:
        read({"error": {"type": "Exception", "message": "Quota limit exceeded", "code": 4}})
    assert raised.value.retry_after == 5.0


@pytest.mark.parametrize(
    "error",
    [
        {"type": "ParameterException", "message": "Wrong parameter", "code": 500},
        {"type": "MissingParameterException", "message": "Missing parameters: q", "code": 501},
        {"type": "InvalidQueryException", "message": "Wrong query", "code": 600},
        {"type": "Exception", "message": "An error has occured"},
        "Not Found",
    ],
)
def test_every_other_error_is_a_fault(error: object) -> None:
    with pytest.raises(errors.Unreachable, match="Deezer answered error"):
        read({"error": error})


@pytest.mark.parametrize(("status", "fault"), [(429, errors.Throttled), (503, errors.Throttled), (502, errors.Fault)])
def test_a_status_that_is_a_fault_is_one(status: int, fault: type[errors.Fault]) -> None:
    with pytest.raises(fault):
        read(b"<html>", status=status)


@pytest.mark.parametrize("body", [b"", b"<html>Be right back</html>", b'{"data": [{"id":', b'{"total": 3}', b"[]"])
def test_what_is_no_answer_is_garbled(body: bytes) -> None:
    with pytest.raises(errors.Garbled):
        read(body)


def test_an_error_page_without_a_fault_s_status_is_no_absence() -> None:
    with pytest.raises(errors.Fault):
        read({"data": []}, status=404)


# ---------------------------------------------------------------- by ISRC


CODE = contract.FindByIsrc("GBDUW0000053", "Daft Punk", "One More Time")


def test_a_track_is_looked_up_by_its_isrc() -> None:
    assert SOURCE.request([CODE]).url == "https://api.deezer.com/track/isrc:GBDUW0000053"
    [found] = read(row(), CODE).candidates
    assert isinstance(found, contract.RecordingCandidate)
    assert (found.recording.title, found.recording.isrcs) == ("One More Time", ("GBDUW0000053",))
    assert [release.title for release in found.releases] == ["Discovery"]


def test_an_isrc_that_is_not_sold_is_absent() -> None:
    error = {"type": "DataException", "message": "no data", "code": 800}
    assert read({"error": error}, CODE) == contract.ABSENT
