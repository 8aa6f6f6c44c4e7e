"""Last.fm's dialect, without a server: signatures, what is read of a play, and how answers are written."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from datetime import UTC, datetime

import pytest

from sleevenotes.server import api_periods, audioscrobbler_call, audioscrobbler_plays, submissions
from sleevenotes.server import audioscrobbler_answers as answers
from sleevenotes.server.audioscrobbler_answers import Failure, text, tree

NOW = datetime(2026, 1, 1, tzinfo=UTC)
AT = "1767000000"


def test_a_signature_is_last_fms_own_example() -> None:
    params = {"api_key": "YOUR_API_KEY", "method": "auth.getSession", "token": "YOUR_REQUESTED_TOKEN"}
    assert audioscrobbler_call.signature(params, "YOUR_SECRET") == "94539006de89b3c6b3c030bb1e52b9c4"


def test_a_signature_covers_everything_but_itself_and_the_format() -> None:
    params = {"method": "track.love", "artist[10]": "a", "artist[1]": "b", "track": "é"}
    plain = audioscrobbler_call.signature(params, "s")
    more = {**params, "format": "json", "callback": "c", "api_sig": "whatever"}
    assert audioscrobbler_call.signature(more, "s") == plain
    assert audioscrobbler_call.signature({**params, "artist[1]": "c"}, "s") != plain
    assert plain == audioscrobbler_call.md5("artist[10]aartist[1]bmethodtrack.lovetrackés")  # '0' comes before ']'


def test_the_form_counts_before_the_query() -> None:
    call = audioscrobbler_call.read(
        "method=a&format=JSON", b"method=User.GetInfo&user=m%C3%A4", posted=True, base_url="", agent=""
    )
    assert (call.method, call.json, call.get("user")) == ("user.getinfo", True, "mä")


@pytest.mark.parametrize("body", [b"a=1&" * 2_001, b"x" * 1_000_001])
def test_a_call_that_is_too_large_is_refused(body: bytes) -> None:
    with pytest.raises(Failure, match="at most"):
        audioscrobbler_call.read("", body, posted=True, base_url="", agent="")


@pytest.mark.parametrize(
    ("agent", "name"),
    [("mpdscribble/0.24", "mpdscribble"), ("Mozilla/5.0 (X11)", ""), ("", ""), ("Pano Scrobbler", "Pano Scrobbler")],
)
def test_a_program_is_known_by_its_user_agent(agent: str, name: str) -> None:
    assert audioscrobbler_call.application(agent) == name


# ---------------------------------------------------------------- plays


def read(**fields: str) -> audioscrobbler_plays.Item:
    return audioscrobbler_plays.read({"artist": "Low", "track": "Monkey", "timestamp": AT, **fields}, NOW, "app")


def test_what_a_play_says_of_itself_is_kept() -> None:
    mbid = "0E7A7C6E-3C4A-4CCB-8C2E-0D5C2F3B9A11"
    scrobble = read(mbid=mbid, tracknumber="3", duration="259", albumartist="Low", chosenbyuser="0").scrobble
    assert scrobble is not None
    assert scrobble.evidence.recording_mbid == mbid.lower()
    assert (scrobble.evidence.track_number, scrobble.duration_ms) == (3, 259_000)
    assert (scrobble.origin, scrobble.source_app) == ("audioscrobbler", "app")
    assert scrobble.extra == {"chosenbyuser": "0"}


@pytest.mark.parametrize(
    ("field", "value"), [("mbid", "no mbid"), ("tracknumber", "A1"), ("duration", "4:19"), ("duration", "999999999")]
)
def test_a_hint_that_cannot_be_read_spoils_no_play(field: str, value: str) -> None:
    scrobble = read(**{field: value}).scrobble
    assert scrobble is not None
    assert scrobble.duration_ms is None
    assert not scrobble.evidence.recording_mbid


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"artist": ""}, 1),
        ({"artist": "a\0b"}, 1),
        ({"track": "x" * 1_001}, 2),
        ({"timestamp": ""}, 3),
        ({"timestamp": "yesterday"}, 3),
        ({"timestamp": "1033430399"}, 3),
        ({"timestamp": str(int(NOW.timestamp()) + 3_601)}, 4),
    ],
)
def test_a_play_that_is_unfit_is_ignored_with_its_code_and_reason(fields: dict[str, str], code: int) -> None:
    item = read(**fields)
    assert (item.scrobble, item.code) == (None, code)
    assert item.problem


def test_plays_come_in_the_order_of_their_indices() -> None:
    params = {f"{field}[{i}]": f"{field}{i}" for i in (10, 2, 0) for field in ("artist", "track")}
    items = audioscrobbler_plays.read_all(params | {"method": "track.scrobble"}, NOW, "")
    assert [item.fields["track"] for item in items] == ["track0", "track2", "track10"]


def test_the_old_protocol_names_fields_by_letters() -> None:
    fields = {"a[0]": "Low", "t[0]": "Monkey", "i[0]": AT, "l[0]": "259", "n[0]": "1", "o[0]": "R", "r[0]": "L"}
    ((_, scrobble, _, _),) = submissions.read_plays(fields, NOW, "")
    assert scrobble is not None
    assert (scrobble.duration_ms, scrobble.evidence.track_number) == (259_000, 1)
    assert scrobble.extra == {"chosenbyuser": "0"}


# ---------------------------------------------------------------- writing

_ANSWER = tree(
    "tracks",
    [
        tree("track", [text("name", "A & B"), text("artist", "<C>", mbid="m"), text("date")], ("image",), rank=1),
    ],
    ("track",),
    user="maria",
    from_=3,
)


def test_json_follows_from_the_tree() -> None:
    track = {"@attr": {"rank": "1"}, "name": "A & B", "artist": {"mbid": "m", "#text": "<C>"}, "date": "", "image": []}
    assert json.loads(answers.json(_ANSWER)) == {"tracks": {"@attr": {"user": "maria", "from": "3"}, "track": [track]}}
    assert answers.json(None) == b"{}"


def test_xml_follows_from_the_tree() -> None:
    root = ET.fromstring(answers.xml(_ANSWER))  # noqa: S314 # what was just written
    assert root.attrib == {"status": "ok"}
    assert root[0].attrib == {"user": "maria", "from": "3"}
    assert [(one.tag, one.text, one.attrib) for one in root[0][0]] == [
        ("name", "A & B", {}),
        ("artist", "<C>", {"mbid": "m"}),
        ("date", None, {}),
    ]


def test_every_failure_has_a_status() -> None:
    failure = Failure(answers.BAD_SESSION, "Invalid session key")
    assert failure.status == 403
    assert json.loads(answers.failed_json(failure)) == {"error": 9, "message": "Invalid session key"}
    assert answers.not_found("No such thing").status == 404


# ---------------------------------------------------------------- periods


def test_listenbrainz_ranges_are_whole_ones_before_now() -> None:
    now = datetime(2026, 5, 20, 13, tzinfo=UTC)  # a Wednesday

    def span(name: str) -> list[str]:
        period = api_periods.listenbrainz(name, now)
        assert period is not None
        return [f"{edge:%Y-%m-%d}" for edge in (period.first, period.past) if edge]

    assert span("week") == ["2026-05-11", "2026-05-18"]
    assert span("this_week") == ["2026-05-18", "2026-05-20"]
    assert span("month") == ["2026-04-01", "2026-05-01"]
    assert span("quarter") == ["2026-01-01", "2026-04-01"]
    assert span("half_yearly") == ["2025-07-01", "2026-01-01"]
    assert span("year") == ["2025-01-01", "2026-01-01"]
    assert span("all_time") == []
    assert api_periods.listenbrainz("fortnight", now) is None


def test_weeks_are_last_fms() -> None:
    assert int(api_periods.week_of(datetime.fromtimestamp(1_108_296_000, UTC)).timestamp()) == 1_108_296_000
    weeks = api_periods.weeks(datetime(2025, 12, 30, tzinfo=UTC), datetime(2026, 1, 12, tzinfo=UTC))
    assert [f"{week:%Y-%m-%d %H}" for week in weeks] == ["2025-12-28 12", "2026-01-04 12"]
