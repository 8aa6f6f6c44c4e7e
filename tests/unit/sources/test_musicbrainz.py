from __future__ import annotations

import json
import urllib.parse
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sleevenotes import errors
from sleevenotes.sources import contract, musicbrainz

SOURCE = musicbrainz.MusicBrainz()
QUEEN = contract.FindRecording("Queen", "Bohemian Rhapsody")
DESCRIBE = contract.DescribeRecording("9f9cf187-d6f9-437f-9d98-d59cdbd52757")
QUEEN_MBID = "0383dadf-2a4e-4d10-a46a-e9e041da8eb3"

ARTIST = {"id": QUEEN_MBID, "name": "Queen", "sort-name": "Queen", "aliases": [{"name": "Smile", "type": None}]}
GROUP = {"id": "g1", "title": "A Night at the Opera", "primary-type": "Album"}
FOUND: dict[str, Any] = {
    "id": "r1",
    "score": 100,
    "title": "Bohemian Rhapsody",
    "length": 354000,
    "video": None,
    "artist-credit": [{"name": "Queen", "artist": ARTIST}],
    "first-release-date": "1975-10-31",
    "releases": [
        {
            "id": "a1",
            "title": "A Night at the Opera",
            "status": "Official",
            "release-group": GROUP,
            "date": "1975-11-21",
            "country": "GB",
            "track-count": 12,
            "media": [{"position": 1, "track": [{"number": "B4", "title": "Bohemian Rhapsody"}], "track-count": 12}],
        },
        {
            "id": "a2",
            "title": "Rock Hits",
            "artist-credit": [{"name": "Various Artists", "artist": {"id": "va", "name": "Various Artists"}}],
            "release-group": {**GROUP, "id": "g2", "secondary-types": ["Compilation"]},
        },
    ],
}


def reply(body: object = None, status: int = 200, **headers: str) -> contract.Reply:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return contract.Reply(status, named, data, "https://musicbrainz.org/ws/2/recording")


def search(*rows: object, count: int | None = None) -> contract.Reply:
    return reply({"count": len(rows) if count is None else count, "offset": 0, "recordings": rows})


def read_one(question: contract.Question, answered: contract.Reply) -> contract.Answer:
    [answer] = SOURCE.read([question], answered)
    return answer


def query_of(*questions: contract.Question) -> str:
    parameters = urllib.parse.parse_qs(urllib.parse.urlsplit(SOURCE.request(questions).url).query)
    return parameters["query"][0]


# ---------------------------------------------------------------- asking


def test_a_search_is_fielded_quoted_and_asks_for_the_most_rows() -> None:
    url = urllib.parse.urlsplit(SOURCE.request([QUEEN]).url)
    parameters = urllib.parse.parse_qs(url.query)
    assert (url.scheme, url.netloc, url.path) == ("https", "musicbrainz.org", "/ws/2/recording")
    assert (parameters["limit"], parameters["fmt"]) == (["100"], ["json"])
    assert parameters["query"] == ['(recording:"Bohemian Rhapsody" AND (artist:"Queen" OR artistname:"Queen"))']


def test_a_name_with_guests_and_notes_is_searched_with_and_without_them() -> None:
    query = query_of(contract.FindRecording("Disclosure feat. Sam Smith", "Latch - Remastered 2013"))
    assert 'recording:("Latch - Remastered 2013" OR "Latch")' in query
    assert 'artist:("Disclosure feat. Sam Smith" OR "Disclosure")' in query
    assert 'artistname:("Disclosure feat. Sam Smith" OR "Disclosure")' in query


@pytest.mark.parametrize("artist", ["The Opeth", "Opeth", "Opeth, The"])
def test_an_article_is_no_part_of_the_search(artist: str) -> None:
    assert '(artist:"Opeth" OR artistname:"Opeth")' in query_of(contract.FindRecording(artist, "When"))


def test_a_version_is_never_left_out_of_the_search() -> None:
    assert query_of(contract.FindRecording("Muse", "Hysteria (Live)")).count("recording:") == 1


def test_quotes_and_backslashes_are_escaped() -> None:
    assert musicbrainz.phrase(r'The "Real" \ Thing') == r'"The \"Real\" \\ Thing"'


@given(st.text().filter(str.strip))
def test_an_escaped_phrase_reads_back_as_the_text(text: str) -> None:
    text = text[:60]
    quoted = musicbrainz.phrase(text)
    assert (quoted[0], quoted[-1]) == ('"', '"')
    assert _unescaped(quoted[1:-1]) == " ".join(text.split())


def _unescaped(text: str) -> str:
    """Read as Lucene does: a backslash takes the next character as it is; a bare quote would end the phrase."""
    read, characters = [], iter(text)
    for character in characters:
        assert character != '"'
        read.append(next(characters) if character == "\\" else character)
    return "".join(read)


@pytest.mark.parametrize("name", ["Песни и пляски " * 200, "あ" * 3000, "a! " * 3000, "x" * 9000])
def test_the_longest_name_still_fits_a_request_line(name: str) -> None:
    long = contract.FindRecording(f"{name[:5000]} feat. Somebody", f"{name} (feat. Somebody) - Remastered")
    assert len(SOURCE.request([long]).url) < 8000


def test_a_long_name_is_cut_after_a_word() -> None:
    assert musicbrainz.phrase("word " * 400).endswith('word"')


def test_a_description_asks_for_all_it_needs_at_once() -> None:
    assert SOURCE.request([DESCRIBE]).url == (
        "https://musicbrainz.org/ws/2/recording/9f9cf187-d6f9-437f-9d98-d59cdbd52757"
        "?inc=artist-credits+releases+release-groups+media+isrcs&fmt=json"
    )


def test_a_client_s_mbid_cannot_leave_its_place_in_the_path() -> None:
    url = SOURCE.request([contract.DescribeRecording("../artist/x?y=")]).url
    assert urllib.parse.urlsplit(url).path == "/ws/2/recording/..%2Fartist%2Fx%3Fy%3D"


def test_the_pace_leaves_a_margin_below_one_request_a_second() -> None:
    policy = SOURCE.policy
    assert policy.requests / policy.window < 1


# ---------------------------------------------------------------- answers


def test_a_search_row_becomes_a_candidate_with_its_releases() -> None:
    answer = read_one(QUEEN, search(FOUND))
    [candidate] = answer.candidates
    assert isinstance(candidate, contract.RecordingCandidate)
    recording, (album, collection) = candidate.recording, candidate.releases
    assert (recording.mbid, recording.title, recording.length_ms) == ("r1", "Bohemian Rhapsody", 354000)
    assert recording.artist_credit.name == "Queen"
    assert recording.artist_credit.names[0].aliases == ("Smile",)
    assert recording.video is False
    assert (album.title, album.status, album.date, album.track_number) == (
        "A Night at the Opera", "Official", "1975-11-21", "B4",
    )  # fmt: skip
    assert (album.artist_credit, album.track_count, album.release_group.primary_type) == (None, 12, "Album")
    assert collection.artist_credit is not None
    assert collection.artist_credit.name == "Various Artists"
    assert collection.release_group.secondary_types == ("Compilation",)


def test_a_joint_credit_keeps_its_parts_and_what_joins_them() -> None:
    bowie = {"id": "b", "name": "David Bowie", "sort-name": "Bowie, David"}
    credit = [{"name": "Queen", "joinphrase": " & ", "artist": ARTIST}, {"name": "Bowie", "artist": bowie}]
    [candidate] = read_one(QUEEN, search({**FOUND, "artist-credit": credit})).candidates
    assert isinstance(candidate, contract.RecordingCandidate)
    assert candidate.recording.artist_credit.name == "Queen & Bowie"
    assert candidate.recording.artist_credit.names[1].artist_name == "David Bowie"


def test_a_lookup_says_null_and_tracks_where_a_search_says_nothing_and_track() -> None:
    release = {
        **FOUND["releases"][0],
        "media": [{"tracks": [{"number": "11"}]}],
        "artist-credit": FOUND["artist-credit"],
    }
    body = {
        **FOUND,
        "length": None,
        "video": True,
        "disambiguation": "",
        "releases": [release],
        "isrcs": ["GBUM71029604"],
    }
    [candidate] = read_one(DESCRIBE, reply(body)).candidates
    assert isinstance(candidate, contract.RecordingCandidate)
    assert candidate.recording.length_ms is None
    assert candidate.recording.video is True
    assert candidate.recording.isrcs == ("GBUM71029604",)
    assert candidate.releases[0].track_number == "11"
    assert candidate.releases[0].artist_credit is None  # stated, but the recording's own


def test_a_merged_recording_answers_with_the_surviving_one() -> None:
    [candidate] = read_one(DESCRIBE, reply(FOUND)).candidates
    assert isinstance(candidate, contract.RecordingCandidate)
    assert candidate.recording.mbid == "r1"


def test_no_hits_are_absence() -> None:
    assert read_one(QUEEN, search()) == contract.ABSENT


def test_an_unknown_recording_is_absent() -> None:
    assert read_one(DESCRIBE, reply({"error": "Not Found"}, 404)) == contract.ABSENT


def test_what_is_no_mbid_is_absent() -> None:
    assert read_one(DESCRIBE, reply({"error": "Invalid mbid."}, 400)) == contract.ABSENT


def test_a_packed_search_gives_each_hit_to_the_name_it_answers() -> None:
    other = {**FOUND, "id": "r2", "title": "Somebody to Love (live)"}
    love = contract.FindRecording("Queen", "Somebody To Love")
    missing = contract.FindRecording("Queen", "Innuendo")
    first, second, third = SOURCE.read([QUEEN, love, missing], search(FOUND, other))
    assert [each.recording.mbid for each in first.candidates if isinstance(each, contract.RecordingCandidate)] == ["r1"]
    assert [each.recording.mbid for each in second.candidates if isinstance(each, contract.RecordingCandidate)] == [
        "r2"
    ]
    assert third == contract.ABSENT


def test_a_name_crowded_out_of_a_packed_search_is_unknown_not_absent() -> None:
    missing = contract.FindRecording("Queen", "Innuendo")
    _, answer = SOURCE.read([QUEEN, missing], search(FOUND, count=412))
    assert answer == contract.UNKNOWN


def test_only_versions_in_a_cut_reply_leave_the_song_itself_unknown() -> None:
    love = contract.FindRecording("Queen", "Somebody To Love")
    live = {**FOUND, "id": "r2", "title": "Somebody to Love (live)"}
    told_apart = {**FOUND, "id": "r3", "title": "Somebody to Love", "disambiguation": "live, 1981-11-24: Montreal"}
    itself = {**FOUND, "id": "r4", "title": "Somebody to Love"}
    _, cut = SOURCE.read([QUEEN, love], search(FOUND, live, told_apart, count=412))
    assert (cut.known, len(cut.candidates)) == (False, 2)
    _, told = SOURCE.read([QUEEN, love], search(FOUND, live, itself, count=412))
    assert (told.known, told.cut) == (True, True)
    _, whole = SOURCE.read([QUEEN, love], search(FOUND, live, told_apart))
    assert (whole.known, whole.cut) == (True, False)


LOVE = contract.FindRecording("Queen", "Somebody to Love")


def version(disambiguation: str) -> dict[str, Any]:
    return {**FOUND, "id": disambiguation, "title": "Somebody to Love", "disambiguation": disambiguation}


@pytest.mark.parametrize("asked", [[LOVE], [QUEEN, LOVE]])
def test_versions_that_fill_a_reply_are_asked_past_by_the_word_that_tells_them_apart(
    asked: list[contract.FindRecording],
) -> None:
    filled = search(version("live, 1981-11-24: Montreal"), version("live, 1977-06-06: London"), count=412)
    rest = SOURCE.read(asked, filled)[-1].rest
    assert rest == contract.FindRecording("Queen", "Somebody to Love", "live")
    assert contract.key(rest) == contract.key(LOVE)
    assert query_of(rest).endswith('NOT comment:"live")')


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        (LOVE, ("live, 1981", "demo", "acoustic", "2011 mix")),
        (contract.FindRecording("Queen", "Somebody to Love (live)"), ("live, 1981", "live, 1977")),
        (contract.FindRecording("Queen", "Somebody to Love", None), ("live, 1981", "live, 1977")),
    ],
)
def test_versions_that_no_word_tells_apart_or_that_were_asked_for_are_not_asked_past(
    asked: contract.FindRecording, told: tuple[str, ...]
) -> None:
    answer = read_one(asked, search(*map(version, told), count=412))
    assert (answer.rest, answer.known, len(answer.candidates)) == (None, True, len(told))


def test_what_fills_a_reply_is_asked_past_for_those_it_crowds_out() -> None:
    crowd = [version(f"live, {year}") for year in range(1970, 1980)]
    _, out, live = SOURCE.read([LOVE, QUEEN, contract.FindRecording("Live", "T.B.D.")], search(*crowd, count=412))
    assert (out.known, out.rest) == (False, contract.FindRecording("Queen", "Bohemian Rhapsody", "live"))
    assert live == contract.UNKNOWN


def test_where_there_are_only_versions_they_are_asked_for_after_all() -> None:
    answer = read_one(contract.FindRecording("Queen", "Somebody to Love", "live"), search())
    assert (answer.known, answer.rest) == (False, contract.FindRecording("Queen", "Somebody to Love", None))
    assert "NOT" not in query_of(contract.FindRecording("Queen", "Somebody to Love", None))


def test_a_packed_search_joins_its_members_by_or() -> None:
    query = query_of(QUEEN, contract.FindRecording("Muse", "Hysteria"))
    assert ") OR (recording:" in query


# ---------------------------------------------------------------- faults


def test_asking_too_fast_is_throttled_and_says_for_how_long() -> None:
    body = {"error": "Your requests are exceeding the allowable rate limit. Please see …"}
    with pytest.raises(errors.Throttled) as raised:
        read_one(QUEEN, reply(body, 503, retry_after="1", x_ratelimit_zone="ws ip=192.0.2.1"))
    assert (raised.value.retry_after, raised.value.site_wide) == (1.0, False)


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        ({"error": "The MusicBrainz web server is currently busy. Please try again later."}, {}),
        ({"error": "?"}, {"x_ratelimit_zone": "global"}),
        ({"error": "?"}, {"x_ratelimit_zone": "search-global"}),
        ({"error": "?"}, {"x_ratelimit_who": "search-shed"}),
    ],
)
def test_a_busy_site_is_told_apart_from_our_own_haste(body: object, headers: dict[str, str]) -> None:
    with pytest.raises(errors.Throttled) as raised:
        read_one(QUEEN, reply(body, 503, **headers, retry_after="0"))
    assert raised.value.site_wide


def test_a_search_server_that_is_down_is_unreachable() -> None:
    with pytest.raises(errors.Unreachable):
        read_one(QUEEN, reply({"error": "Could not retrieve sub-document page from search server"}, 503))


def test_a_refused_user_agent_says_what_to_set() -> None:
    with pytest.raises(errors.Unreachable, match="contact"):
        read_one(QUEEN, reply({"error": "… has not identified itself."}, 403))


@pytest.mark.parametrize("status", [500, 502, 504])
def test_a_broken_server_is_unreachable(status: int) -> None:
    with pytest.raises(errors.Unreachable):
        read_one(QUEEN, reply(b"<html>", status))


def test_too_many_requests_are_throttled() -> None:
    with pytest.raises(errors.Throttled):
        read_one(QUEEN, reply({}, 429))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<!DOCTYPE html><title>Bad gateway</title>",
        json.dumps({"count": 1, "recordings": [FOUND]}).encode()[:-40],
        b'{"error": "?"}',
        b"[]",
        b'{"count": 1, "recordings": [{"id": "r1"}]}',
        b'{"count": "many", "recordings": []}',
        b'{"count": 1, "recordings": [{"id": "r1", "title": "\xff"}]}',
    ],
)
def test_what_cannot_be_read_is_garbled_and_never_absent(body: bytes) -> None:
    for question in (QUEEN, DESCRIBE):
        with pytest.raises(errors.Garbled) as raised:
            read_one(question, reply(body))
        assert raised.value.body == body[:2000]


@pytest.mark.parametrize("status", [301, 400, 401, 404, 406])
def test_a_search_refused_in_another_way_is_garbled(status: int) -> None:
    with pytest.raises(errors.Garbled):
        read_one(QUEEN, reply({"error": "Search server could not complete query: Bad request"}, status))


def test_a_question_of_another_kind_is_a_mistake_of_ours() -> None:
    with pytest.raises(TypeError):
        SOURCE.request([contract.FetchImage("https://x/")])
