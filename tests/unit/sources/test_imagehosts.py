from __future__ import annotations

import pytest

from sleevenotes import errors
from sleevenotes.sources import contract, covers, imagehosts

HOSTS = {host.name: host for host in imagehosts.HOSTS}
JPEG = b"\xff\xd8\xff\xe0" + b"\0" * 2000
ADDRESSES = {
    "theaudiodb_images": "https://r2.theaudiodb.com/images/media/album/thumb/x.jpg",
    "discogs_images": "https://i.discogs.com/sig/rs:fit/g:sm/q:90/h:600/w:600/abc.jpeg",
    "deezer_images": "https://cdn-images.dzcdn.net/images/cover/2e018122cb56986277102d2041a592c8/500x500-000000-80-0-0.jpg",
    "itunes_images": "https://is5-ssl.mzstatic.com/image/thumb/Music/v4/aa/source.jpg/600x600bb.jpg",
    "lastfm_images": "https://lastfm.freetls.fastly.net/i/u/300x300/5431bd63289b333b05b99f934c716d02.png",
}
PLACEHOLDERS = {
    "deezer_images": "https://e-cdns-images.dzcdn.net/images/cover//1000x1000-000000-80-0-0.jpg",
    "lastfm_images": "https://lastfm.freetls.fastly.net/i/u/300x300/2a96cbd8b46e442fc41c2b86b821562f.png",
}


def read(name: str, body: bytes = JPEG, status: int = 200, *, url: str = "", end: str = "") -> contract.Answer:
    url = url or ADDRESSES[name]
    reply = contract.Reply(status, {"content-type": "image/jpeg"}, body, end or url)
    [answer] = HOSTS[name].read([contract.FetchImage(url)], reply)
    return answer


def test_every_service_with_an_image_host_has_one() -> None:
    assert set(HOSTS) == set(ADDRESSES)


def test_every_address_is_for_one_host_alone() -> None:
    for name, url in ADDRESSES.items():
        assert [host.name for host in imagehosts.HOSTS if contract.fetches(host.policy, url)] == [name]


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://is1-ssl.mzstatic.com/a.jpg", "itunes_images"),
        ("https://IS2-SSL.MZSTATIC.COM/a.jpg", "itunes_images"),
        ("https://e-cdns-images.dzcdn.net/images/cover/x/1.jpg", "deezer_images"),
        ("https://www.theaudiodb.com/images/media/artist/thumb/x.jpg", "theaudiodb_images"),
        ("https://notmzstatic.com/a.jpg", ""),
        ("https://mzstatic.com.example.org/a.jpg", ""),
        ("https://st.discogs.com/x/images/spacer.gif", ""),
        ("https://example.org/?is1-ssl.mzstatic.com", ""),
        ("no address", ""),
    ],
)
def test_a_host_is_known_by_its_whole_name(url: str, name: str) -> None:
    assert [host.name for host in imagehosts.HOSTS if contract.fetches(host.policy, url)] == ([name] if name else [])


@pytest.mark.parametrize(("name", "url"), ADDRESSES.items())
def test_an_image_is_asked_at_its_address_and_read_by_its_bytes(name: str, url: str) -> None:
    assert HOSTS[name].request([contract.FetchImage(url)]).url == url
    assert read(name).candidates == (contract.ImageFile(url, "image/jpeg", JPEG),)


def test_an_address_in_the_clear_is_asked_in_secret() -> None:
    url = "http://www.theaudiodb.com/images/media/album/thumb/x.jpg"
    assert HOSTS["theaudiodb_images"].request([contract.FetchImage(url)]).url == url.replace("http:", "https:")


def test_an_address_elsewhere_is_not_asked() -> None:
    with pytest.raises(ValueError, match=r"example\.org"):
        HOSTS["deezer_images"].request([contract.FetchImage("https://example.org/images/cover/x.jpg")])


@pytest.mark.parametrize("status", [404, 410])
def test_an_image_that_does_not_exist_is_absent(status: int) -> None:
    assert read("itunes_images", b"<h1>404 Not Found</h1>", status) == contract.ABSENT


@pytest.mark.parametrize(("name", "url"), PLACEHOLDERS.items())
def test_a_placeholder_is_absence_though_it_is_an_image(name: str, url: str) -> None:
    assert read(name, url=url) == contract.ABSENT


def test_a_cover_that_leads_to_a_placeholder_is_absent() -> None:
    assert read("lastfm_images", end=PLACEHOLDERS["lastfm_images"]) == contract.ABSENT


def test_discogs_single_pixel_is_known_and_a_cover_is_not_taken_for_a_placeholder() -> None:
    assert covers.is_placeholder("https://st.discogs.com/0123/images/spacer.gif")
    assert not any(map(covers.is_placeholder, ADDRESSES.values()))


@pytest.mark.parametrize("status", [400, 403, 500, 502, 301])
def test_every_other_refusal_is_a_fault_not_absence(status: int) -> None:
    with pytest.raises(errors.Unreachable):
        read("discogs_images", b"", status)


@pytest.mark.parametrize("status", [429, 503])
def test_being_told_to_slow_down_is_throttled(status: int) -> None:
    with pytest.raises(errors.Throttled):
        read("discogs_images", b"", status)


@pytest.mark.parametrize("body", [b"", b"<html><body>sorry</body></html>", JPEG[:100], b"x" * 5000])
def test_what_only_claims_to_be_an_image_is_garbled(body: bytes) -> None:
    with pytest.raises(errors.Garbled):
        read("theaudiodb_images", body)


def test_discogs_covers_are_kept_no_longer_than_six_hours_and_credited() -> None:
    policy = HOSTS["discogs_images"].policy
    assert policy.keep_s == 6 * 3600
    assert "Discogs" in policy.credit


def test_every_image_host_has_a_budget_of_its_own() -> None:
    assert len({host.policy.host for host in imagehosts.HOSTS}) == len(imagehosts.HOSTS)


@pytest.mark.parametrize(
    ("status", "body"), [(404, b""), (403, b"no"), (200, b"<!doctype html><title>A page</title>"), (200, JPEG[:50])]
)
def test_what_is_no_image_at_an_address_that_somebody_named_is_an_answer(status: int, body: bytes) -> None:
    url = "http://music.example.org/a.jpg"
    [answer] = imagehosts.ELSEWHERE.read([contract.FetchImage(url)], contract.Reply(status, {}, body, url))
    assert answer == contract.ABSENT


def test_an_address_that_somebody_named_is_fetched_wherever_it_lies_and_never_in_the_clear() -> None:
    url = "http://music.example.org/a.jpg"
    assert imagehosts.ELSEWHERE.request([contract.FetchImage(url)]).url == "https://music.example.org/a.jpg"
    [answer] = imagehosts.ELSEWHERE.read([contract.FetchImage(url)], contract.Reply(200, {}, JPEG, url))
    assert answer.candidates == (contract.ImageFile(url, "image/jpeg", JPEG),)
    assert not contract.fetches(imagehosts.ELSEWHERE.policy, url)  # only what was named is: no source's offers are
    with pytest.raises(errors.Throttled):
        imagehosts.ELSEWHERE.read([contract.FetchImage(url)], contract.Reply(503, {}, b"", url))
