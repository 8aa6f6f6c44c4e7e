from __future__ import annotations

import pytest

from sleevenotes import errors
from sleevenotes.sources import contract, coverartarchive

SOURCE = coverartarchive.CoverArtArchive()
MBID = "76df3287-6cda-33eb-8e9a-044b5e15ffdd"
FRONT = coverartarchive.front_of_release(MBID)
NODE = "https://ia802607.us.archive.org/32/items/x/x_thumb500.jpg"
JPEG = b"\xff\xd8\xff\xe0" + b"\0" * 2000
IMAGES = {
    "image/jpeg": JPEG,
    "image/png": b"\x89PNG\r\n\x1a\n" + b"\0" * 2000,
    "image/gif": b"GIF89a" + b"\0" * 2000,
    "image/webp": b"RIFF\0\0\0\0WEBPVP8 " + b"\0" * 2000,
}
ERROR_PAGE = b"<html><head><title>500 Internal Server Error</title></head>" + b" " * 100


def read(body: bytes = b"", status: int = 200, **headers: str) -> contract.Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    [answer] = SOURCE.read([FRONT], contract.Reply(status, named, body, NODE))
    return answer


def test_the_front_of_a_release_is_asked_at_five_hundred_pixels() -> None:
    assert FRONT.url == f"https://coverartarchive.org/release/{MBID}/front-500"
    assert SOURCE.request([FRONT]).url == FRONT.url


def test_the_front_of_a_release_group_has_its_own_address() -> None:
    question = coverartarchive.front_of_release_group(MBID, 1200)
    assert question.url == f"https://coverartarchive.org/release-group/{MBID}/front-1200"


def test_the_original_is_asked_without_a_size() -> None:
    assert coverartarchive.front_of_release(MBID, 0).url.endswith("/front")


def test_capitals_in_an_mbid_are_lowered_since_the_archive_refuses_them() -> None:
    assert coverartarchive.front_of_release(MBID.upper()) == FRONT


def test_a_size_the_archive_lacks_is_refused_since_it_would_send_the_original() -> None:
    with pytest.raises(ValueError, match="size"):
        coverartarchive.front_of_release(MBID, 2000)


def test_an_address_elsewhere_is_not_asked() -> None:
    with pytest.raises(ValueError, match=r"example\.org"):
        SOURCE.request([contract.FetchImage("https://example.org/front")])


@pytest.mark.parametrize(("content_type", "data"), IMAGES.items())
def test_an_image_is_known_by_its_bytes(content_type: str, data: bytes) -> None:
    answer = read(data, content_type="application/octet-stream")
    assert answer.candidates == (contract.ImageFile(FRONT.url, content_type, data),)


def test_a_cover_that_does_not_exist_is_absent() -> None:
    assert not read(b"<title>404 Not Found</title>", 404).candidates
    assert read(b"<title>404 Not Found</title>", 404).known


def test_an_mbid_the_archive_calls_invalid_is_absent() -> None:
    assert read(b"<h1>Bad Request</h1>\n<p>invalid MBID specified</p>", 400) == contract.ABSENT


@pytest.mark.parametrize("status", [500, 502, 504, 403, 405, 406, 301, 400])
def test_every_other_refusal_is_a_fault(status: int) -> None:
    with pytest.raises(errors.Unreachable):
        read(ERROR_PAGE, status)


@pytest.mark.parametrize("status", [429, 503])
def test_being_told_to_slow_down_is_throttled(status: int) -> None:
    with pytest.raises(errors.Throttled) as raised:
        read(b"", status, retry_after="7")
    assert raised.value.retry_after == 7


@pytest.mark.parametrize(
    "body", [b"", ERROR_PAGE, b"\n<!DOCTYPE html>" + b" " * 500, b"Whoops. Our bad.", b"\xff\xd8\xff", JPEG[:150]]
)
def test_what_only_claims_to_be_an_image_is_garbled(body: bytes) -> None:
    with pytest.raises(errors.Garbled) as raised:
        read(body, content_type="image/jpeg")
    assert raised.value.body == body[:2000]


def test_a_web_page_in_place_of_an_image_is_called_one() -> None:
    with pytest.raises(errors.Garbled, match="a web page"):
        read(ERROR_PAGE)


def test_an_image_cut_short_is_garbled() -> None:
    with pytest.raises(errors.Garbled, match="4000"):
        read(JPEG, content_length="4000")


def test_the_length_of_a_packed_reply_tells_nothing_of_the_image() -> None:
    assert read(JPEG, content_length="900", content_encoding="gzip").candidates


def test_an_image_of_the_stated_length_is_whole() -> None:
    assert read(JPEG, content_length=str(len(JPEG))).candidates


def test_an_image_beyond_all_measure_is_garbled() -> None:
    with pytest.raises(errors.Garbled, match="bytes"):
        read(JPEG + b"\0" * 20_000_000)
