from __future__ import annotations

import json

import pytest

from sleevenotes import errors
from sleevenotes.sources import contract, fanarttv

SOURCE = fanarttv.FanartTv("k3y")
MBID = "f5093c06-23e3-404f-aeaa-40f72885ee3a"
ALBUM = contract.FindImages("Pink Floyd", "The Dark Side of the Moon", MBID)
COVER = contract.FetchImage("https://assets.fanart.tv/fanart/music/83d91898/albumcover/the-dark-side.jpg")
LIKED = {
    "albumcover": [
        {"id": "1", "url": "https://assets.fanart.tv/a.jpg", "likes": "2"},
        {"id": "2", "url": "https://assets.fanart.tv/b.jpg", "likes": "13"},
        {"id": "3", "url": "https://assets.fanart.tv/c.jpg", "likes": "0"},
    ],
    "cdart": [{"id": "4", "url": "https://assets.fanart.tv/d.png", "likes": "99", "disc": "1", "size": "1000"}],
}
NOT_FOUND = {"status": "error", "error message": "Not found"}


def read(body: object, status: int = 200, question: contract.Question = ALBUM) -> contract.Answer:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    [answer] = SOURCE.read([question], contract.Reply(status, {}, data, "https://webservice.fanart.tv/"))
    return answer


def urls(answer: contract.Answer) -> list[str]:
    return [each.url for each in answer.candidates if isinstance(each, contract.ImageAt) and each.exact]


def test_an_album_is_looked_up_by_its_release_group_and_the_key_stays_out_of_the_address() -> None:
    request = SOURCE.request([ALBUM])
    assert request.url == f"https://webservice.fanart.tv/v3/music/albums/{MBID}"
    assert request.headers == {"api-key": "k3y"}


def test_an_image_is_fetched_without_the_key() -> None:
    request = SOURCE.request([COVER])
    assert (request.url, request.headers) == (COVER.url, {})


@pytest.mark.parametrize("question", [contract.FindImages("a", "b"), contract.FetchImage("https://example.org/a.jpg")])
def test_what_it_cannot_answer_is_not_asked(question: contract.Question) -> None:
    with pytest.raises(ValueError, match="cannot answer"):
        SOURCE.request([question])


def test_the_best_liked_covers_come_first_and_prints_on_discs_are_none() -> None:
    assert urls(read({"name": "x", "albums": {MBID: LIKED}})) == [
        "https://assets.fanart.tv/b.jpg",
        "https://assets.fanart.tv/a.jpg",
    ]


def test_albums_in_a_list_are_read_too() -> None:
    others = [{"release_group_id": "other", **LIKED}, {"release_group_id": MBID, **LIKED}]
    assert len(urls(read({"albums": others}))) == 2
    assert urls(read({"albums": others[:1]})) == []


@pytest.mark.parametrize("body", [{"albums": {}}, {"albums": {MBID: {"cdart": []}}}, {"albums": []}, {"name": "x"}])
def test_an_album_without_covers_has_none(body: object) -> None:
    assert read(body) == contract.ABSENT


def test_not_found_is_an_answer_only_in_its_own_words() -> None:
    assert read(NOT_FOUND, 404) == contract.ABSENT
    with pytest.raises(errors.Garbled):
        read(b"<html>gone</html>", 404)


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_key_names_the_setting_and_not_the_key(status: int) -> None:
    with pytest.raises(errors.Unconfigured, match="fanarttv_key") as raised:
        read({"status": "error"}, status)
    assert "k3y" not in str(raised.value)


@pytest.mark.parametrize(
    ("status", "fault"), [(429, errors.Throttled), (503, errors.Throttled), (500, errors.Unreachable)]
)
@pytest.mark.parametrize("question", [ALBUM, COVER])
def test_every_refusal_is_a_fault(question: contract.Question, status: int, fault: type[errors.Fault]) -> None:
    with pytest.raises(fault):
        read(b"", status, question)


@pytest.mark.parametrize("body", [b"", b"<html>", b'{"albums": {"a"'])
def test_what_is_no_answer_is_garbled(body: bytes) -> None:
    with pytest.raises(errors.Garbled):
        read(body)


def test_an_image_that_is_gone_is_absent_and_a_page_in_its_place_is_a_fault() -> None:
    assert read(b"", 404, COVER) == contract.ABSENT
    with pytest.raises(errors.Garbled):
        read(b"<html>not an image</html>", 200, COVER)
