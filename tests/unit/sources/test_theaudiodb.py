from __future__ import annotations

import json

import pytest

from sleevenotes import errors, model
from sleevenotes.sources import contract
from sleevenotes.sources.theaudiodb import TheAudioDB

SOURCE = TheAudioDB()
TRACK = contract.FindRecording("Ola Dune feat. Kim", "Night Bus (feat. Lu) - Remastered")
GROUP = "aa997ea0-2936-40bd-884d-3af8a0e064dc"
RECORDING = "1109d8da-ce4a-4739-9414-242dc3e9b81c"
ARTIST = "d68fda90-ab8d-4799-be56-317ba4ae700f"
ALBUM = contract.FindImages("Ola Dune", "Roads", GROUP)
BY_NAME = contract.FindImages("Ola Dune", "Roads")
PAGE = b"<!DOCTYPE html>\n<html><head><title>404</title></head></html>"
THUMB = "https://r2.theaudiodb.com/images/media/album/thumb/abc.jpg"


def reply(body: object = None, status: int = 200, **headers: str) -> contract.Reply:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return contract.Reply(status, named, data, "https://www.theaudiodb.com/")


def read(question: contract.Question, body: object, status: int = 200, **headers: str) -> contract.Answer:
    [answer] = SOURCE.read([question], reply(body, status, **headers))
    return answer


def track(**changed: str | None) -> dict[str, object]:
    row: dict[str, str | None] = {
        "idTrack": "34",
        "idAlbum": "22",
        "idArtist": "13",
        "strTrack": "Night Bus",
        "strAlbum": "Roads",
        "strArtist": "Ola Dune",
        "strArtistAlternate": None,
        "intDuration": "231573",
        "intTrackNumber": "4",
        "strTrackThumb": "https://r2.theaudiodb.com/images/media/track/thumb/x.jpg",
        "strMusicBrainzID": RECORDING,
        "strMusicBrainzAlbumID": GROUP,
        "strMusicBrainzArtistID": ARTIST,
    }
    return {"track": [row | changed]}


def album(**changed: str | None) -> dict[str, object]:
    row: dict[str, str | None] = {
        "idAlbum": "22",
        "strAlbum": "Roads",
        "strArtist": "Ola Dune",
        "strAlbumThumb": THUMB,
        "strAlbumThumbHQ": None,
        "strMusicBrainzID": GROUP,
    }
    return {"album": [row | changed]}


def candidate(body: object) -> contract.RecordingCandidate:
    [found] = read(TRACK, body).candidates
    assert isinstance(found, contract.RecordingCandidate)
    return found


def cover(question: contract.Question, body: object) -> contract.ImageAt:
    [found] = read(question, body).candidates
    assert isinstance(found, contract.ImageAt)
    return found


# ---------------------------------------------------------------- what is asked


def test_a_track_is_searched_without_its_guests_but_with_its_note() -> None:
    url = SOURCE.request([TRACK]).url
    assert url == "https://www.theaudiodb.com/api/v1/json/123/searchtrack.php?s=Ola+Dune&t=Night+Bus+-+Remastered"


def test_an_album_is_searched_without_its_remaster_note() -> None:
    url = SOURCE.request([contract.FindImages("Ola Dune", "Roads (2011 Remaster)")]).url
    assert url.endswith("/searchalbum.php?s=Ola+Dune&a=Roads")


def test_an_album_is_looked_up_by_its_mbid_in_small_letters() -> None:
    question = contract.FindImages("Ola Dune", "Roads", GROUP.upper())
    assert SOURCE.request([question]).url.endswith(f"/album-mb.php?i={GROUP}")


def test_an_album_without_an_mbid_is_searched_by_its_names() -> None:
    assert SOURCE.request([BY_NAME]).url.endswith("/searchalbum.php?s=Ola+Dune&a=Roads")


def test_a_key_of_strange_letters_stays_within_its_place_in_the_address() -> None:
    assert "/json/a%2Fb%3Fc/searchtrack.php" in TheAudioDB("a/b?c").request([TRACK]).url


def test_the_public_key_is_asked_with_less_often_than_a_paid_one() -> None:
    assert (SOURCE.policy.requests, TheAudioDB("mine").policy.requests) == (30, 100)
    assert SOURCE.policy.window > 60


def test_it_is_off_without_any_key_and_is_credited() -> None:
    assert SOURCE.policy.needs == "theaudiodb_key"
    assert "TheAudioDB" in SOURCE.policy.credit


def test_what_it_cannot_answer_is_not_asked() -> None:
    with pytest.raises(ValueError, match="DescribeRecording"):
        SOURCE.request([contract.DescribeRecording(RECORDING)])


# ---------------------------------------------------------------- recordings


def test_a_track_has_the_mbids_and_the_length_that_were_told_as_text() -> None:
    found = candidate(track(strISRC="GBAAA0000001"))
    assert (found.recording.mbid, found.recording.title, found.recording.length_ms) == (RECORDING, "Night Bus", 231573)
    assert found.recording.artist_credit.names == (model.ArtistCreditName(ARTIST, "Ola Dune"),)
    assert found.recording.isrcs == ("GBAAA0000001",)
    [release] = found.releases
    assert (release.title, release.release_group.mbid, release.track_number) == ("Roads", GROUP, "4")
    assert (release.mbid, release.foreign_id) == ("", "theaudiodb:22")
    assert release.release_group.foreign_id == found.recording.foreign_id == ""


@pytest.mark.parametrize("missing", [None, "", "not an id", "1109d8da"])
def test_what_has_no_mbid_has_the_catalogue_s_own_id(missing: str | None) -> None:
    found = candidate(track(strMusicBrainzID=missing, strMusicBrainzAlbumID=missing, strMusicBrainzArtistID=missing))
    assert (found.recording.mbid, found.recording.foreign_id) == ("", "theaudiodb:34")
    [artist] = found.recording.artist_credit.names
    assert (artist.mbid, artist.foreign_id) == ("", "theaudiodb:13")
    assert found.releases[0].release_group.foreign_id == "theaudiodb:22"


@pytest.mark.parametrize("length", ["0", None, "", "unknown", "٣"])
def test_an_unknown_length_is_none(length: str | None) -> None:
    assert candidate(track(intDuration=length)).recording.length_ms is None


def test_a_track_on_no_album_has_no_release() -> None:
    assert candidate(track(strAlbum=None)).releases == ()


def test_the_picture_of_a_track_is_not_taken_for_its_album_s_cover() -> None:
    assert candidate(track()).images == ()


# ---------------------------------------------------------------- covers


def test_a_cover_found_by_the_album_s_mbid_is_exact() -> None:
    found = cover(ALBUM, album())
    assert found == contract.ImageAt(THUMB, "Ola Dune", "Roads", exact=True, page="https://www.theaudiodb.com/album/22")


def test_a_cover_found_by_name_is_not_exact_whatever_its_mbid() -> None:
    assert not cover(BY_NAME, album()).exact


def test_an_album_with_another_mbid_than_the_one_asked_for_is_not_exact() -> None:
    assert not cover(ALBUM, album(strMusicBrainzID=RECORDING)).exact


def test_the_larger_cover_is_taken_where_there_is_no_other() -> None:
    assert cover(ALBUM, album(strAlbumThumb="", strAlbumThumbHQ=THUMB)).url == THUMB


@pytest.mark.parametrize("base", ["http://www.theaudiodb.com", "http://theaudiodb.com", "https://theaudiodb.com"])
def test_an_old_address_is_written_as_the_one_it_redirects_to(base: str) -> None:
    found = cover(ALBUM, album(strAlbumThumb=f"{base}/images/media/album/thumb/abc.jpg"))
    assert found.url == "https://www.theaudiodb.com/images/media/album/thumb/abc.jpg"


@pytest.mark.parametrize("thumb", [None, "", " ", "http://elsewhere.example/a.jpg"])
def test_an_album_without_a_usable_cover_has_none(thumb: str | None) -> None:
    assert read(ALBUM, album(strAlbumThumb=thumb)).candidates == ()


# ---------------------------------------------------------------- absence and faults


@pytest.mark.parametrize("body", [{"track": None}, {"track": []}, b"", b"\n"])
def test_nothing_found_is_absence_also_as_an_empty_body(body: object) -> None:
    assert read(TRACK, body) == contract.ABSENT


@pytest.mark.parametrize("body", [PAGE, b"{}", b'{"track": {"a"', b'{"track": "none"}', b"null", b'{"album": null}'])
def test_what_is_no_list_of_tracks_is_garbled(body: bytes) -> None:
    with pytest.raises(errors.Garbled) as raised:
        read(TRACK, body)
    assert raised.value.body == body


def test_a_key_it_does_not_know_is_a_matter_of_settings_and_is_not_told() -> None:
    with pytest.raises(errors.Unconfigured, match="theaudiodb_key") as raised:
        TheAudioDB("hush").read([TRACK], reply(PAGE, 404))
    assert "hush" not in str(raised.value)


def test_being_told_to_slow_down_without_for_how_long_is_a_minute() -> None:
    with pytest.raises(errors.Throttled) as raised:
        read(TRACK, PAGE, 429)
    assert raised.value.retry_after == 60


def test_being_told_for_how_long_is_obeyed() -> None:
    with pytest.raises(errors.Throttled) as raised:
        read(TRACK, PAGE, 429, retry_after="7")
    assert raised.value.retry_after == 7


@pytest.mark.parametrize("status", [301, 400, 403, 500, 502, 520])
def test_every_other_status_is_a_fault(status: int) -> None:
    with pytest.raises(errors.Unreachable):
        read(TRACK, PAGE, status)


# ---------------------------------------------------------------- artists

LOW_MBID = "9d30e408-1559-448b-b491-2f8de1583ccf"


def artists(body: object) -> list[contract.ArtistCandidate]:
    reply = contract.Reply(200, {}, json.dumps(body).encode(), "https://www.theaudiodb.com/")
    [answer] = SOURCE.read([contract.FindArtist("Low", LOW_MBID)], reply)
    return [each for each in answer.candidates if isinstance(each, contract.ArtistCandidate)]


def test_an_artist_is_looked_up_by_mbid_and_searched_for_where_there_is_none() -> None:
    assert SOURCE.request([contract.FindArtist("Low", LOW_MBID)]).url.endswith(f"/artist-mb.php?i={LOW_MBID}")
    assert SOURCE.request([contract.FindArtist("Low")]).url.endswith("/search.php?s=Low")


def test_an_artist_comes_with_a_picture_and_a_page() -> None:
    row = {"idArtist": "27", "strArtist": "Low", "strMusicBrainzID": LOW_MBID}
    pictured = {**row, "strArtistThumb": "http://www.theaudiodb.com/images/media/artist/thumb/x.jpg"}
    [found] = artists({"artists": [pictured]})
    assert (found.name, found.mbid, found.page) == ("Low", LOW_MBID, "https://www.theaudiodb.com/artist/27")
    assert [image.url for image in found.images] == ["https://www.theaudiodb.com/images/media/artist/thumb/x.jpg"]
    [bare] = artists({"artists": [{**row, "strArtistThumb": None}]})
    assert bare.images == ()


def test_an_artist_whom_it_does_not_have_is_absent() -> None:
    assert artists({"artists": None}) == []
