"""What is sent to services that take plays, and what their replies mean, byte by byte."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs

import msgspec
import pytest

from sleevenotes import errors
from sleevenotes.model import Evidence, Scrobble
from sleevenotes.sources import contract, takers
from sleevenotes.sources.lastfm_taker import LastFmTaker
from sleevenotes.sources.listenbrainz_taker import ListenBrainzTaker
from sleevenotes.sources.takers import Fate, Verdict

AT = datetime(2023, 11, 14, 22, 13, 20, 700_000, tzinfo=UTC)  # 1700000000.7
PLAY = Scrobble("Björk", "Jóga", "Homogenic", AT, duration_ms=305_000, evidence=Evidence(track_number=2))
OTHER = Scrobble("Nile", "Ruins", listened_at=AT)

LASTFM = LastFmTaker("key", "secret")
LISTENBRAINZ = ListenBrainzTaker()


def reply(document: Any, status: int = 200, **headers: str) -> contract.Reply:
    return contract.Reply(status, headers, msgspec.json.encode(document), "https://x")


def row(code: str = "0", **names: dict[str, str]) -> dict[str, Any]:
    plain = {"corrected": "0", "#text": "x"}
    return {"artist": plain, "track": plain, "ignoredMessage": {"code": code, "#text": ""}, **names}


def scrobbles(*rows: Any) -> dict[str, Any]:
    return {
        "scrobbles": {"@attr": {"accepted": 1, "ignored": 0}, "scrobble": rows[0] if len(rows) == 1 else list(rows)}
    }


def test_a_scrobble_to_lastfm_is_signed_and_says_when_each_play_began() -> None:
    request = LASTFM.request([PLAY, OTHER], "session")
    form = {name: values[0] for name, values in parse_qs(request.body.decode()).items()}
    signature = form.pop("api_sig")
    assert form.pop("format") == "json"
    text = "".join(name + form[name] for name in sorted(form)) + "secret"
    assert signature == hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
    assert request.method == "POST"
    assert form == {
        "method": "track.scrobble",
        "api_key": "key",
        "sk": "session",
        "artist[0]": "Björk",
        "track[0]": "Jóga",
        "album[0]": "Homogenic",
        "trackNumber[0]": "2",
        "duration[0]": "305",
        "timestamp[0]": "1700000000",
        "artist[1]": "Nile",
        "track[1]": "Ruins",
        "timestamp[1]": "1700000000",
    }


def test_lastfm_says_of_each_play_whether_it_took_it_and_what_it_calls_it() -> None:
    corrected = {"corrected": "1", "#text": "Bjork"}
    told = LASTFM.read([PLAY, OTHER, OTHER], reply(scrobbles(row(artist=corrected), row("3"), row("5"))))
    assert told[0] == Verdict(Fate.TAKEN, "", "Bjork", "")
    assert [each.fate for each in told] == [Fate.TAKEN, Fate.REFUSED, Fate.LATER]
    assert LASTFM.read([OTHER], reply(scrobbles(row()))) == [Verdict(Fate.TAKEN)]  # one is an object, not a list


@pytest.mark.parametrize(
    ("code", "status", "raised"),
    [
        (9, 403, takers.Login),
        (17, 403, takers.Login),
        (13, 403, takers.Locked),
        (26, 200, takers.Locked),
        (6, 200, takers.Unfit),
        (8, 200, errors.Unreachable),
        (11, 503, errors.Unreachable),
        (16, 200, errors.Unreachable),
        (29, 200, errors.Throttled),
    ],
)
def test_lastfms_errors_mean_what_the_body_says(code: int, status: int, raised: type[Exception]) -> None:
    with pytest.raises(raised):
        LASTFM.read([OTHER], reply({"error": code, "message": "No"}, status))


def test_an_answer_that_does_not_speak_of_each_play_is_none() -> None:
    with pytest.raises(errors.Garbled):
        LASTFM.read([PLAY, OTHER], reply(scrobbles(row())))
    with pytest.raises(errors.Unreachable):
        LASTFM.read([PLAY], contract.Reply(502, {}, b"<html>", "https://x"))


def test_listens_are_submitted_with_what_is_known_of_them() -> None:
    request = LISTENBRAINZ.request([PLAY], "token")
    document = msgspec.json.decode(request.body)
    assert request.headers["authorization"] == "Token token"
    assert document["listen_type"] == "single"
    assert document["payload"] == [
        {
            "listened_at": 1_700_000_000,
            "track_metadata": {
                "artist_name": "Björk",
                "track_name": "Jóga",
                "release_name": "Homogenic",
                "additional_info": {"submission_client": "Sleevenotes", "duration_ms": 305_000, "tracknumber": 2},
            },
        }
    ]
    assert msgspec.json.decode(LISTENBRAINZ.request([PLAY, OTHER], "token").body)["listen_type"] == "import"


def test_listenbrainz_takes_all_or_refuses_all() -> None:
    assert LISTENBRAINZ.read([PLAY, OTHER], reply({"status": "ok"})) == [Verdict(Fate.TAKEN)] * 2
    with pytest.raises(takers.Unfit, match="too low"):
        LISTENBRAINZ.read([PLAY], reply({"code": 400, "error": "Value is too low."}, 400))
    with pytest.raises(takers.Login):
        LISTENBRAINZ.read([PLAY], reply({"code": 401, "error": "No"}, 401))
    with pytest.raises(errors.Throttled) as slower:
        LISTENBRAINZ.read([PLAY], reply({"code": 429}, 429, **{"x-ratelimit-reset-in": "7"}))
    assert slower.value.retry_after == 7.0
    with pytest.raises(errors.Unreachable):
        LISTENBRAINZ.read([PLAY], reply({}, 502))


def test_what_a_services_rules_forbid_is_not_sent() -> None:
    assert LASTFM.unfit(msgspec.structs.replace(PLAY, duration_ms=30_000))
    assert not LASTFM.unfit(OTHER)
    assert LISTENBRAINZ.unfit(msgspec.structs.replace(PLAY, listened_at=datetime(1999, 1, 1, tzinfo=UTC)))
    assert not LISTENBRAINZ.unfit(PLAY)
