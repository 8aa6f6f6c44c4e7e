from __future__ import annotations

import json
from typing import Any

import pytest

from sleevenotes import errors
from sleevenotes.sources import contract, listenbrainz_history, personal

SOURCE = listenbrainz_history.ListenBrainzHistory()
MBID = "f7c2e1a8-1111-4000-8000-000000000001"


def read(document: Any, status: int = 200, question: contract.Question | None = None) -> contract.Candidate:
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    reply = contract.Reply(status, {}, body, "https://api.listenbrainz.org/1/")
    [answer] = SOURCE.read([question or personal.PlaysSince("maria")], reply)
    [candidate] = answer.candidates
    return candidate


def listen(at: int = 1_700_000_000, **info: Any) -> dict[str, Any]:
    names = {"artist_name": "Sigur Rós", "track_name": "Hoppípolla", "release_name": "Takk..."}
    return {
        "listened_at": at,
        "recording_msid": "c3b1c2d3-0000-4000-8000-000000000009",
        "user_name": "maria",
        "track_metadata": {**names, "additional_info": info},
    }


def page(*listens: dict[str, Any], oldest: int = 1_600_000_000) -> personal.Played:
    payload = {"count": len(listens), "user_id": "maria", "listens": list(listens), "oldest_listen_ts": oldest}
    told = read({"payload": payload})
    assert isinstance(told, personal.Played)
    return told


def test_a_page_ends_before_a_second_and_further_pages_within_it_begin_a_second_earlier() -> None:
    assert SOURCE.request([personal.PlaysSince("mar/ia", before=1000)]).url.endswith(
        "/1/user/mar%2Fia/listens?count=1000&max_ts=1000"
    )
    assert SOURCE.request([personal.PlaysSince("maria", before=1000, page=2)]).url.endswith("max_ts=999")


def test_the_listeners_token_goes_into_the_header_only() -> None:
    request = SOURCE.request([personal.PlaysSince("maria", secret="hush")])
    assert request.headers["authorization"] == "Token hush"
    assert "hush" not in request.url


def test_a_listen_keeps_its_id_its_evidence_and_what_else_was_sent() -> None:
    sent: dict[str, Any] = {
        "duration_ms": 268_000,
        "recording_mbid": MBID,
        "media_player": "mpd",
        "tags": ["calm"],
        "tracknumber": 3,
    }
    [play] = page(listen(**sent)).plays
    assert play.foreign_id == "c3b1c2d3-0000-4000-8000-000000000009"
    assert (play.duration_ms, play.source_app, play.evidence.recording_mbid) == (268_000, "mpd", MBID)
    assert play.evidence.track_number == 3
    assert play.extra == {"media_player": "mpd", "tags": ["calm"]}


def test_odd_fields_are_left_out_and_spoil_no_listen() -> None:
    [play] = page(listen(duration_ms="long", artist_mbids="none", recording_mbid=7, note="a\0b")).plays
    assert play.duration_ms is None
    assert play.extra == {}


def test_there_is_more_until_the_listeners_first_listen() -> None:
    assert page(listen(), oldest=1_600_000_000).more
    assert not page(listen(), oldest=1_700_000_000).more
    assert not page().more


def test_an_unknown_listener_and_a_bad_token_are_answers() -> None:
    gone = read({"code": 404, "error": "Cannot find user: maria"}, 404)
    assert isinstance(gone, personal.Closed)
    assert gone.why == "unknown_user"
    refused = read({"code": 200, "message": "Token invalid.", "valid": False}, question=personal.OpenSession("t"))
    assert isinstance(refused, personal.Closed)
    assert refused.why == "session"


def test_a_token_tells_its_listener() -> None:
    told = {"code": 200, "message": "Token valid.", "valid": True, "user_name": "maria"}
    assert read(told, question=personal.OpenSession("t")) == personal.Session("maria", "t")


@pytest.mark.parametrize("status", [500, 502, 503, 429])
def test_a_service_in_trouble_is_a_fault(status: int) -> None:
    with pytest.raises(errors.Fault):
        read(b"<html>", status)


def test_what_plays_now_has_no_time() -> None:
    listens = [{name: value for name, value in listen().items() if name != "listened_at"}]
    payload = {"count": 1, "user_id": "maria", "playing_now": True, "listens": listens}
    told = read({"payload": payload}, question=personal.PlayingNow("maria"))
    assert isinstance(told, personal.Played)
    assert told.playing is not None
    assert (told.playing.track, told.playing.listened_at) == ("Hoppípolla", None)
    nothing = read({"payload": {"count": 0, "listens": []}}, question=personal.PlayingNow("maria"))
    assert nothing == personal.Played()
