from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from sleevenotes import errors
from sleevenotes.sources import contract, lastfm_history, personal

SOURCE = lastfm_history.LastFmHistory("a key", "a secret")
ASKED = personal.PlaysSince("maria", since=1_600_000_000, before=1_642_168_222)
STAR = "2a96cbd8b46e442fc41c2b86b821562f"
HASH = "62d26c6cb4ac4bdccb8f3a2a0fd55421"
ARTIST = "a74b1b7f-71a5-4011-9441-d0b5e4122711"
HOST = "https://lastfm.freetls.fastly.net/i/u"


def sent(question: contract.Question, source: lastfm_history.LastFmHistory = SOURCE) -> dict[str, str]:
    query = parse_qs(urlsplit(source.request([question]).url).query, keep_blank_values=True)
    return {name: values[0] for name, values in query.items()}


def read(document: Any, status: int = 200, question: contract.Question = ASKED) -> contract.Candidate:
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    reply = contract.Reply(status, {}, body, "https://ws.audioscrobbler.com/2.0/")
    [answer] = SOURCE.read([question], reply)
    [candidate] = answer.candidates
    return candidate


NOW: dict[str, Any] = {"@attr": {"nowplaying": "true"}}


def row(at: int | None = 1_642_168_221, *, picture: str = f"{HOST}/300x300/{HASH}.jpg", **more: Any) -> dict[str, Any]:
    sizes = zip(("34s", "64s", "174s", "300x300"), ("small", "medium", "large", "extralarge"), strict=True)
    told: dict[str, Any] = {
        "artist": {"mbid": ARTIST, "#text": "Sigur Rós"},
        "streamable": "0",
        "image": [{"size": size, "#text": picture.replace("300x300", part)} for part, size in sizes],
        "mbid": "f7c2e1a8-0000-4000-8000-000000000001",
        "album": {"mbid": "", "#text": "Takk..."},
        "name": "Hoppípolla",
        "url": "https://www.last.fm/music/Sigur+R%C3%B3s/_/Hopp%C3%ADpolla",
    }
    if at is not None:
        told["date"] = {"uts": str(at), "#text": "14 Jan 2022, 13:50"}
    return {**told, **more}


def recent(track: Any, *, page: int = 1, pages: int = 1, total: int = 1) -> dict[str, Any]:
    attributes = {
        "user": "maria",
        "page": str(page),
        "perPage": "200",
        "totalPages": str(pages),
        "total": str(total),
    }
    return {"recenttracks": {"track": track, "@attr": attributes}}


def plays(track: Any, **more: Any) -> personal.Played:
    told = read(recent(track, **more))
    assert isinstance(told, personal.Played)
    return told


# ---------------------------------------------------------------- asking


def test_a_page_is_asked_for_by_time_and_not_signed() -> None:
    given = sent(ASKED)
    assert given["method"] == "user.getRecentTracks"
    assert (given["user"], given["from"], given["to"], given["limit"]) == ("maria", "1600000000", "1642168222", "200")
    assert "api_sig" not in given


def test_a_session_reads_what_is_hidden_from_others_by_a_signed_request() -> None:
    given = sent(personal.PlaysSince("maria", secret="a session"))
    unsigned = {name: value for name, value in given.items() if name not in ("api_sig", "format")}
    assert given["sk"] == "a session"
    assert given["api_sig"] == lastfm_history.signature(unsigned, "a secret")


def test_a_signature_is_the_documentations_example() -> None:
    given = {"token": "YOUR_REQUESTED_TOKEN", "api_key": "YOUR_API_KEY", "method": "auth.getSession", "format": "json"}
    assert lastfm_history.signature(given, "YOUR_SECRET") == "94539006de89b3c6b3c030bb1e52b9c4"


def test_no_secret_is_in_what_a_question_is_called() -> None:
    for question in (ASKED, personal.PlaysSince("m", secret="hush"), personal.LovedBy("m", 1, "hush")):
        assert "hush" not in repr(question)
    assert "hush" not in repr(personal.OpenSession("hush"))
    assert "hush" not in repr(personal.Session("m", "hush"))


def test_what_one_secret_opened_is_no_answer_for_who_has_another() -> None:
    assert contract.key(personal.PlaysSince("m")) != contract.key(personal.PlaysSince("m", secret="s"))


# ---------------------------------------------------------------- reading


def test_a_play_has_its_names_time_picture_and_the_artists_mbid_as_evidence() -> None:
    [play] = plays([row()]).plays
    assert (play.artist, play.track, play.release) == ("Sigur Rós", "Hoppípolla", "Takk...")
    assert play.listened_at == datetime.fromtimestamp(1_642_168_221, UTC)
    assert play.artwork_uri == f"{HOST}/300x300/{HASH}.jpg"
    assert play.evidence.artist_mbids == (ARTIST,)
    assert (play.evidence.recording_mbid, play.evidence.release_mbid) == ("", "")
    assert play.extra == {"lastfm_track_mbid": "f7c2e1a8-0000-4000-8000-000000000001"}


@pytest.mark.parametrize("picture", ["", f"{HOST}/300x300/{STAR}.png", "https://example.org/cover.jpg"])
def test_a_placeholder_is_no_picture(picture: str) -> None:
    [play] = plays([row(picture=picture)]).plays
    assert play.artwork_uri == ""


def test_what_plays_now_is_no_play_and_has_no_date() -> None:
    told = plays([row(None, **NOW), row()])
    assert len(told.plays) == 1
    assert told.playing is not None
    assert told.playing.listened_at is None
    assert told.skipped == 0


def test_what_plays_now_may_be_the_same_as_what_was_played_before() -> None:
    told = plays([row(None, **NOW), row(), row(1_642_168_000)])
    assert [play.track for play in told.plays] == ["Hoppípolla"] * 2


def test_a_page_with_one_row_may_hold_it_in_place_of_a_list() -> None:
    assert len(plays(row()).plays) == 1


@pytest.mark.parametrize("track", [[], {}, ""])
def test_an_empty_history_is_an_answer(track: Any) -> None:
    told = plays(track, pages=0, total=0)
    assert (told.plays, told.more, told.total) == ((), False, 0)


@pytest.mark.parametrize("odd", [row(None), row(0), row(artist={"mbid": "", "#text": ""}), row(name=" "), row(date="")])
def test_a_row_without_date_artist_or_title_is_counted_and_spoils_no_other(odd: dict[str, Any]) -> None:
    told = plays([odd, row()])
    assert (len(told.plays), told.skipped) == (1, 1)


def test_there_is_more_while_there_are_further_pages() -> None:
    assert plays([row()], page=1, pages=3, total=520).more
    assert not plays([row()], page=1, pages=1, total=1).more


def test_names_of_the_extended_form_are_read_too() -> None:
    [play] = plays([row(artist={"url": "…", "name": "Sigur Rós", "mbid": ""})]).plays
    assert play.artist == "Sigur Rós"


@pytest.mark.parametrize(
    ("code", "status", "why"),
    [
        *((17, 403, "private"), (17, 400, "private"), (6, 404, "unknown_user"), (6, 200, "unknown_user")),
        *((9, 403, "session"), (14, 403, "session"), (10, 403, "key"), (26, 403, "key"), (13, 403, "key")),
    ],
)
def test_a_closed_history_is_an_answer_whatever_the_status(code: int, status: int, why: str) -> None:
    told = read({"error": code, "message": "so it is"}, status)
    assert isinstance(told, personal.Closed)
    assert told.why == why


@pytest.mark.parametrize("status", [200, 429])
def test_too_fast_is_told_by_the_body(status: int) -> None:
    with pytest.raises(errors.Throttled):
        read({"error": 29, "message": "Rate Limit Exceeded"}, status)


@pytest.mark.parametrize("code", [8, 11, 16])
def test_a_passing_trouble_is_a_fault(code: int) -> None:
    with pytest.raises(errors.Unreachable):
        read({"error": code, "message": "try again"}, 200)


@pytest.mark.parametrize("body", [b"<html>busy</html>", b"{", b"{}", b'{"recenttracks": 3}'])
def test_what_cannot_be_read_is_a_fault_and_no_absence(body: bytes) -> None:
    with pytest.raises(errors.Garbled):
        read(body)


def test_loved_tracks_have_a_name_and_a_moment() -> None:
    loved = row(artist={"url": "…", "name": "Sigur Rós", "mbid": ""})
    document = {"lovedtracks": {"track": loved, "@attr": {"totalPages": "1", "total": "1"}}}
    told = read(document, question=personal.LovedBy("maria"))
    assert told == personal.LovedTracks((personal.Loved("Sigur Rós", "Hoppípolla", 1_642_168_221),), False, 1)


def test_a_token_is_exchanged_for_a_name_and_a_key() -> None:
    question = personal.OpenSession("a token")
    given = sent(question)
    assert (given["method"], given["token"]) == ("auth.getSession", "a token")
    assert given["api_sig"]
    told = read({"session": {"subscriber": 0, "name": "maria", "key": "k"}}, question=question)
    assert told == personal.Session("maria", "k")
