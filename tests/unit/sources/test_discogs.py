from __future__ import annotations

import json
from urllib.parse import parse_qs, urlsplit

import pytest

from sleevenotes import errors, names
from sleevenotes.sources import contract, discogs, discogs_names

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
    assert STRANGER.policy.answers == (contract.FindRecording, contract.DescribeRelease)
    assert SOURCE.policy.answers == (contract.FindRecording, contract.DescribeRelease, contract.FindImages)


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
    assert discogs_names.split_title(text, artist) == expected


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
    assert read(ALBUM, found(result(cover_image=SPACER))).candidates == ()
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


# ---------------------------------------------------------------- the page of a release

LOOKED_UP = contract.DescribeRelease("discogs:r7", "Halo")
TRACKS = [
    {"type_": "heading", "title": "Side A", "position": "", "duration": ""},
    {"type_": "track", "title": "Halo (Dub Mix)", "position": "A1", "duration": "3:45"},
    {"type_": "index", "title": "Suite", "position": "", "sub_tracks": [{"title": "Halo", "position": "A2a"}]},
    {"type_": "track", "title": "Roads", "position": "B1", "duration": "1:02:03"},
]


def page(**changed: object) -> dict[str, object]:
    facts: dict[str, object] = {
        "id": 7,
        "title": "Roads",
        "artists": [{"name": "Ola Dune (2)", "anv": "", "join": "&"}, {"name": "Kim, The", "anv": "Kim", "join": ""}],
        "released": "1983-05-00",
        "year": 1983,
        "master_id": 5,
        "uri": "https://www.discogs.com/release/7-Roads",
        "formats": [{"name": "Vinyl", "descriptions": ["LP", "Album", "Promo"]}],
        "images": [{"type": "primary", "uri": IMAGE, "width": 596, "height": 600}],
        "tracklist": TRACKS,
    }
    return facts | changed


def on_it(question: contract.DescribeRelease = LOOKED_UP, **changed: object) -> list[contract.RecordingCandidate]:
    found = read(question, page(**changed)).candidates
    return [each for each in found if isinstance(each, contract.RecordingCandidate)]


def test_the_first_release_by_that_artist_is_looked_up() -> None:
    rows = [result(id=6, title="Somebody Else - Halo"), result(id=7), result(id=8)]
    assert read(TRACK, found(*rows)).follow_ups == (contract.DescribeRelease("discogs:r7", TRACK.track),)
    assert read(TRACK, found(rows[0])).follow_ups == ()


def test_a_release_is_looked_up_by_its_number() -> None:
    assert SOURCE.request([LOOKED_UP]).url == "https://api.discogs.com/releases/7"


def test_its_page_says_by_which_titles_the_track_is_there_and_how_long_it_is() -> None:
    dub, plain = on_it()
    assert (dub.recording.title, dub.recording.length_ms) == ("Halo (Dub Mix)", 225_000)
    assert (plain.recording.title, plain.recording.length_ms) == ("Halo", None)
    assert dub.recording.foreign_id != plain.recording.foreign_id
    assert dub.recording.artist_credit.name == "Ola Dune & Kim"
    [release] = dub.releases
    assert (release.title, release.date, release.status, release.track_number) == (
        "Roads",
        "1983-05",
        "Promotion",
        "A1",
    )
    assert (release.foreign_id, release.release_group.foreign_id) == ("discogs:r7", "discogs:m5")
    assert release.track_count == 3
    assert [(each.url, each.width) for each in dub.images] == [(IMAGE, 596)]


def test_hours_are_read_too() -> None:
    [long] = on_it(contract.DescribeRelease("discogs:r7", "Roads"))
    assert long.recording.length_ms == 3_723_000


def test_a_track_that_is_not_there_is_absent() -> None:
    assert read(contract.DescribeRelease("discogs:r7", "Hallo"), page()) == contract.ABSENT


def test_a_release_that_is_gone_is_absent_and_a_page_in_its_place_is_not() -> None:
    assert read(LOOKED_UP, {"message": "Release not found."}, 404) == contract.ABSENT
    with pytest.raises(errors.Garbled):
        read(LOOKED_UP, PAGE)


def test_who_is_not_known_is_shown_no_images() -> None:
    assert on_it(images=[{"type": "primary", "uri": "", "width": 596, "height": 600}])[0].images == ()


def test_a_master_leads_to_its_main_release() -> None:
    question = contract.DescribeRelease("discogs:m96559", "")
    assert urlsplit(SOURCE.request([question]).url).path == "/masters/96559"
    assert read(question, {"id": 96559, "main_release": 249504}).follow_ups == (
        contract.DescribeRelease("discogs:r249504", ""),
    )
    assert read(question, {"message": "Master Release not found."}, 404) == contract.ABSENT
