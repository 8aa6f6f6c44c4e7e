from __future__ import annotations

import json
from urllib.parse import parse_qs, urlsplit

import pytest

from sleevenotes import errors, names
from sleevenotes.sources import contract, discogs

SOURCE = discogs.Discogs("s3cret")
STRANGER = discogs.Discogs()
TRACK = contract.FindRecording("Ola Dune feat. Kim", "Halo - Remastered 2011")
ALBUM = contract.FindImages("Ola Dune", "Roads")
PAGE = b"<!DOCTYPE html>\n<html><head><title>Just a moment</title></head></html>"
IMAGE = "https://i.discogs.com/abc/rs:fit/g:sm/q:90/h:600/w:600/x.jpeg"
SPACER = "https://st.discogs.com/3b0d/images/spacer.gif"


def reply(body: object, status: int = 200, **headers: str) -> contract.Reply:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return contract.Reply(status, named, data, "https://api.discogs.com/database/search")


def result(**changed: object) -> dict[str, object]:
    row = {
        "id": 7,
        "type": "release",
        "title": "Ola Dune (2) - Roads",
        "year": "1983",
        "format": ["Vinyl", "LP", "Album"],
        "master_id": 5,
        "uri": "/release/7-Roads",
        "cover_image": IMAGE,
    }
    return row | changed


def found(*results: dict[str, object]) -> dict[str, object]:
    return {"pagination": {"page": 1, "pages": 1, "items": len(results)}, "results": list(results)}


def read(question: contract.Question, body: object, status: int = 200, **headers: str) -> contract.Answer:
    [answer] = SOURCE.read([question], reply(body, status, **headers))
    return answer


def candidate(**changed: object) -> contract.RecordingCandidate:
    [one] = read(TRACK, found(result(**changed))).candidates
    assert isinstance(one, contract.RecordingCandidate)
    return one


# ---------------------------------------------------------------- what is asked


def asked(question: contract.Question) -> dict[str, list[str]]:
    return parse_qs(urlsplit(SOURCE.request([question]).url).query)


def test_a_track_is_searched_among_releases_without_guests_and_remaster_note() -> None:
    assert asked(TRACK) == {"type": ["release"], "artist": ["Ola Dune"], "track": ["Halo"], "per_page": ["25"]}


def test_an_album_is_searched_among_masters() -> None:
    assert asked(ALBUM) == {"type": ["master"], "artist": ["Ola Dune"], "release_title": ["Roads"], "per_page": ["25"]}


def test_various_artists_are_called_as_discogs_calls_them() -> None:
    assert asked(contract.FindImages("Various Artists", "Hits"))["artist"] == ["Various"]


def test_the_token_is_in_a_header_and_not_in_the_address() -> None:
    request = SOURCE.request([ALBUM])
    assert request.headers == {"authorization": "Discogs token=s3cret"}
    assert "s3cret" not in request.url


def test_a_stranger_sends_no_authorization_asks_less_often_and_for_no_covers() -> None:
    assert STRANGER.request([TRACK]).headers == {}
    assert (STRANGER.policy.requests, SOURCE.policy.requests) == (25, 60)
    assert STRANGER.policy.answers == (contract.FindRecording,)
    assert SOURCE.policy.answers == (contract.FindRecording, contract.FindImages)


def test_its_terms_are_told_by_its_policy() -> None:
    assert SOURCE.policy.keep_s == 6 * 3600
    assert SOURCE.policy.credit == "Data provided by Discogs."


def test_what_it_cannot_answer_is_not_asked() -> None:
    with pytest.raises(ValueError, match="FetchImage"):
        SOURCE.request([contract.FetchImage(IMAGE)])


# ---------------------------------------------------------------- names


@pytest.mark.parametrize(
    ("text", "artist", "expected"),
    [
        ("Nirvana (2) - In Utero", "Nirvana", ("Nirvana", "In Utero")),
        ("Queen* - Jazz", "Queen", ("Queen", "Jazz")),
        ("Nirvana (2)* - In Utero", "Nirvana", ("Nirvana", "In Utero")),
        ("Beatles, The - Help!", "The Beatles", ("The Beatles", "Help!")),
        ("Beatles, The (3) - Help!", "The Beatles", ("The Beatles", "Help!")),
        ("Tyler, The Creator - Igor", "Tyler, The Creator", ("Tyler, The Creator", "Igor")),
        ("Foo (2) & Bar* - Both", "Foo & Bar", ("Foo & Bar", "Both")),
        ("Foo (2), Bar - Both", "Foo, Bar", ("Foo, Bar", "Both")),
        ("Beatles, The & Foo (2) - Both", "The Beatles", ("The Beatles & Foo", "Both")),
        ("N*E*R*D - In Search Of...", "N*E*R*D", ("N*E*R*D", "In Search Of...")),
        ("Various - Hits - Volume 1", "Various Artists", ("Various Artists", "Hits - Volume 1")),
        ("Ola - Dune - Roads", "Ola - Dune", ("Ola - Dune", "Roads")),
        ("Ola - Dune - Roads", "Ola", ("Ola", "Dune - Roads")),
        ("Ola - Dune - Roads", "Somebody", ("Ola", "Dune - Roads")),
        ("Jean-Luc - A-Side", "Jean-Luc", ("Jean-Luc", "A-Side")),
        ("Roads", "Ola Dune", ("", "Roads")),
        ("Foo (Live) - Roads (2)", "Foo (Live)", ("Foo (Live)", "Roads (2)")),
    ],
)
def test_artist_and_title_are_divided_and_named_as_others_name_them(
    text: str, artist: str, expected: tuple[str, str]
) -> None:
    assert discogs.split_title(text, artist) == expected


# ---------------------------------------------------------------- recordings


def test_a_release_that_has_the_track_is_a_candidate_with_ids_of_its_own() -> None:
    one = candidate()
    recording = one.recording
    assert (recording.mbid, recording.title, recording.foreign_id) == ("", TRACK.track, "discogs:r7")
    assert recording.length_ms is None
    [artist] = recording.artist_credit.names
    assert (artist.name, artist.foreign_id) == ("Ola Dune", "discogs:Ola Dune (2)")
    [release] = one.releases
    assert (release.title, release.date, release.foreign_id) == ("Roads", "1983", "discogs:r7")
    group = release.release_group
    assert (group.title, group.primary_type, group.foreign_id) == ("Roads", "Album", "discogs:m5")
    assert one.images == (contract.ImageAt(IMAGE, "Ola Dune", "Roads", page="https://www.discogs.com/release/7-Roads"),)


@pytest.mark.parametrize("none", [0, None])
def test_a_release_without_a_master_stands_for_itself(none: int | None) -> None:
    assert candidate(master_id=none).releases[0].release_group.foreign_id == "discogs:r7"


@pytest.mark.parametrize("year", ["0", 0, "", None, "unknown"])
def test_an_unknown_year_is_no_date(year: object) -> None:
    assert candidate(year=year).releases[0].date == ""


@pytest.mark.parametrize(
    ("formats", "status"),
    [(["CD"], "Official"), (["CD", "Unofficial Release"], "Bootleg"), (["Vinyl", "Promo"], "Promotion")],
)
def test_the_formats_say_how_official_a_release_is(formats: list[str], status: str) -> None:
    assert candidate(format=formats).releases[0].status == status


def test_a_release_named_after_another_version_is_not_taken_for_the_plain_track() -> None:
    question = contract.FindRecording("Ola Dune", "Halo")
    [one] = read(question, found(result(title="Ola Dune - Halo (Live)"))).candidates
    assert isinstance(one, contract.RecordingCandidate)
    assert names.fold(one.recording.title) == "halo (live)"


def test_a_candidate_without_an_image_is_one_all_the_same() -> None:
    assert candidate(cover_image="").images == ()
    assert candidate(cover_image=SPACER).images == ()


# ---------------------------------------------------------------- covers


def test_covers_say_whose_they_are_and_are_never_exact() -> None:
    [one] = read(ALBUM, found(result(id=5, type="master", uri="/master/5-Roads"))).candidates
    assert one == contract.ImageAt(IMAGE, "Ola Dune", "Roads", page="https://www.discogs.com/master/5-Roads")


def test_a_spacer_is_no_cover_and_albums_with_nothing_else_have_none() -> None:
    assert read(ALBUM, found(result(cover_image=SPACER))) == contract.ABSENT
    assert len(read(ALBUM, found(result(cover_image=SPACER), result())).candidates) == 1


def test_nothing_found_is_absence() -> None:
    assert read(ALBUM, found()) == read(TRACK, found()) == contract.ABSENT
    assert read(ALBUM, {"message": "The requested resource was not found."}, 404) == contract.ABSENT


@pytest.mark.parametrize("empty", ["", None])
def test_images_that_are_kept_from_us_are_not_absent(empty: str | None) -> None:
    with pytest.raises(errors.Unconfigured, match="discogs_token"):
        read(ALBUM, found(result(cover_image=empty)))


def test_a_token_that_gives_a_stranger_s_rate_proves_no_absence() -> None:
    with pytest.raises(errors.Unconfigured, match="discogs_token"):
        read(ALBUM, found(result(cover_image=SPACER)), x_discogs_ratelimit="25")


# ---------------------------------------------------------------- faults


def test_being_refused_for_want_of_a_token_is_a_matter_of_settings_and_tells_no_token() -> None:
    with pytest.raises(errors.Unconfigured, match="discogs_token") as raised:
        read(ALBUM, {"message": "You must authenticate to access this resource."}, 401)
    assert "s3cret" not in str(raised.value)


def test_being_told_to_slow_down_is_throttled_for_as_long_as_it_says() -> None:
    with pytest.raises(errors.Throttled) as raised:
        read(ALBUM, {"message": "You are making requests too quickly."}, 429, retry_after="60")
    assert raised.value.retry_after == 60


@pytest.mark.parametrize("status", [301, 400, 403, 500, 502, 522])
def test_every_other_status_is_a_fault(status: int) -> None:
    with pytest.raises(errors.Unreachable):
        read(ALBUM, PAGE, status)


@pytest.mark.parametrize(
    ("body", "status"),
    [(PAGE, 200), (PAGE, 404), (b"", 200), (b"{}", 200), (b'{"results": [{"id":', 200), (b'{"results": null}', 200)],
)
def test_what_is_no_list_of_results_is_garbled(body: bytes, status: int) -> None:
    with pytest.raises(errors.Garbled) as raised:
        read(ALBUM, body, status)
    assert raised.value.body == body
