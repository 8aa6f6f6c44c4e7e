from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from sleevenotes import errors
from sleevenotes.sources import contract, listenbrainz

TOKEN = "5a1b8b50-secret"
EXACT = listenbrainz.ListenBrainz(TOKEN)
FUZZY = listenbrainz.ListenBrainzFuzzy(TOKEN)
METADATA = listenbrainz.ListenBrainzMetadata()
A, B, C, D = (f"{letter * 8}-1111-4111-8111-111111111111" for letter in "abcd")
QUESTION = contract.FindRecording("Disclosure", "Latch")
URL = "https://api.listenbrainz.org/1/metadata/lookup/"


def read(
    source: contract.Source, questions: Sequence[contract.Question], document: Any, status: int = 200, **headers: str
) -> list[contract.Answer]:
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return source.read(questions, contract.Reply(status, named, body, URL))


def row(index: int, **more: Any) -> dict[str, Any]:
    asked = {"artist_name_arg": "x", "recording_name_arg": "y", "release_name_arg": None, "index": index}
    return asked | more


def match(index: int, **more: Any) -> dict[str, Any]:
    told = {
        "artist_credit_name": "Disclosure feat. Sam Smith",
        "artist_credit_id": 7,
        "artist_mbids": [A, B],
        "recording_mbid": C,
        "recording_name": "Latch",
        "release_mbid": D,
        "release_name": "Settle",
    }
    return row(index, **{**told, **more})


def entry(**release: Any) -> dict[str, Any]:
    artists = [
        {"artist_mbid": A, "name": "Disclosure", "join_phrase": " feat. ", "rels": {}},
        {"artist_mbid": B, "name": "Sam Smith", "join_phrase": ""},
    ]
    told = {
        "mbid": D,
        "name": "Settle",
        "album_artist_name": "Disclosure",
        "release_group_mbid": B,
        "year": 2013,
        "caa_id": 42,
        "caa_release_mbid": A,
    }
    return {
        "recording": {"name": "Latch", "rels": [], "length": 255_000, "first_release_date": "2012-10-08"},
        "artist": {"artist_credit_id": 7, "name": "Disclosure feat. Sam Smith", "artists": artists},
        "release": {name: value for name, value in {**told, **release}.items() if value is not None},
    }


def described(document: dict[str, Any]) -> contract.RecordingCandidate:
    [answer] = read(METADATA, [contract.DescribeRecording(C)], {C: document})
    [candidate] = answer.candidates
    assert isinstance(candidate, contract.RecordingCandidate)
    return candidate


# ---------------------------------------------------------------- asking


def test_names_go_together_with_the_token_in_a_header_and_nowhere_else() -> None:
    request = EXACT.request([QUESTION, contract.FindRecording("Queen", "Innuendo")])
    assert (request.method, request.url) == ("POST", URL)
    assert request.headers["authorization"] == f"Token {TOKEN}"
    assert json.loads(request.body) == {
        "recordings": [
            {"artist_name": "Disclosure", "recording_name": "Latch"},
            {"artist_name": "Queen", "recording_name": "Innuendo"},
        ]
    }
    assert TOKEN.encode() not in request.body


def test_names_of_one_key_go_once() -> None:
    twins = [QUESTION, contract.FindRecording("DISCLOSURE", "“Latch”"), contract.FindRecording("Disc", "losure Latch")]
    assert len(json.loads(EXACT.request(twins).body)["recordings"]) == 1


def test_an_underscore_is_a_letter_to_the_service() -> None:
    questions = [contract.FindRecording("a_b", "c"), contract.FindRecording("ab", "c")]
    assert len(json.loads(EXACT.request(questions).body)["recordings"]) == 2


def test_long_names_are_cut_to_what_the_service_takes() -> None:
    [sent] = json.loads(EXACT.request([contract.FindRecording("a" * 200, "b" * 300)]).body)["recordings"]
    assert len(sent["artist_name"]) + len(sent["recording_name"]) == 250
    [sent] = json.loads(EXACT.request([contract.FindRecording("a", "b" * 249)]).body)["recordings"]
    assert len(sent["recording_name"]) == 249


def test_one_name_is_asked_in_the_address() -> None:
    request = FUZZY.request([contract.FindRecording("AC/DC", "T.N.T. & more")])
    assert request.method == "GET"
    assert parse_qs(urlsplit(request.url).query) == {
        "artist_name": ["AC/DC"],
        "recording_name": ["T.N.T. & more"],
        "metadata": ["true"],
        "inc": ["artist release tag"],
    }
    assert TOKEN not in request.url


def test_recordings_are_asked_each_once_without_a_token() -> None:
    request = METADATA.request([contract.DescribeRecording(each) for each in (C, C.upper(), "xyz", D)])
    assert json.loads(request.body) == {"recording_mbids": [C, D], "inc": "artist release tag"}
    assert "authorization" not in request.headers


def test_the_three_share_a_host_and_a_pace() -> None:
    paces = {(s.policy.host, s.policy.requests, s.policy.window, s.policy.parallel) for s in (EXACT, FUZZY, METADATA)}
    assert paces == {("api.listenbrainz.org", 30, 10.7, 6)}
    assert [s.policy.together for s in (EXACT, FUZZY, METADATA)] == [50, 1, 1000]
    assert [s.policy.needs for s in (EXACT, FUZZY, METADATA)] == ["listenbrainz_token", "listenbrainz_token", ""]


@pytest.mark.parametrize(
    ("source", "question"),
    [(EXACT, contract.DescribeRecording(C)), (FUZZY, contract.FetchImage(URL)), (METADATA, QUESTION)],
)
def test_questions_of_other_kinds_are_refused(source: contract.Source, question: contract.Question) -> None:
    with pytest.raises(TypeError, match="ListenBrainz cannot"):
        source.request([question])


# ---------------------------------------------------------------- a lookup


def test_a_match_leads_to_its_description() -> None:
    [answer] = read(EXACT, [QUESTION], [match(0)])
    assert answer.follow_ups == (contract.DescribeRecording(C),)
    [candidate] = answer.candidates
    assert isinstance(candidate, contract.RecordingCandidate)
    assert (candidate.recording.mbid, candidate.recording.title) == (C, "Latch")
    assert candidate.releases[0].mbid == D


def test_of_several_artists_a_row_does_not_tell_who_is_who() -> None:
    [answer] = read(EXACT, [QUESTION], [match(0)])
    [candidate] = answer.candidates
    assert isinstance(candidate, contract.RecordingCandidate)
    [part] = candidate.recording.artist_credit.names
    assert (part.mbid, part.name, part.foreign_id) == ("", "Disclosure feat. Sam Smith", "listenbrainz:credit/7")


def test_a_single_artist_has_the_id() -> None:
    [answer] = read(EXACT, [QUESTION], [match(0, artist_credit_name="Disclosure", artist_mbids=[A])])
    [candidate] = answer.candidates
    assert isinstance(candidate, contract.RecordingCandidate)
    [part] = candidate.recording.artist_credit.names
    assert (part.mbid, part.name, part.foreign_id) == (A, "Disclosure", "")


def test_rows_go_by_their_index_and_not_by_their_order() -> None:
    questions = [QUESTION, contract.FindRecording("Queen", "Innuendo")]
    answers = read(EXACT, questions, [match(1), row(0)])
    assert answers[0] == contract.ABSENT
    assert answers[1].candidates


def test_a_name_of_which_the_reply_tells_nothing_is_unknown() -> None:
    questions = [QUESTION, contract.FindRecording("Queen", "Innuendo")]
    assert read(EXACT, questions, [row(0)]) == [contract.ABSENT, contract.UNKNOWN]


def test_a_single_lookup_without_a_match_is_absent() -> None:
    assert read(FUZZY, [QUESTION], {}) == [contract.ABSENT]


def test_a_single_lookup_brings_the_description_along() -> None:
    told = match(0)
    [answer] = read(FUZZY, [QUESTION], {**told, "metadata": entry()})
    assert not answer.follow_ups
    [candidate] = answer.candidates
    assert isinstance(candidate, contract.RecordingCandidate)
    assert candidate.releases[0].release_group.mbid == B


@pytest.mark.parametrize("document", [[], {"error": "?"}, "", 5])
def test_a_single_lookup_of_another_shape_is_garbled(document: Any) -> None:
    with pytest.raises(errors.Garbled):
        read(FUZZY, [QUESTION], document)


# ---------------------------------------------------------------- a description


def test_a_description_has_artists_album_year_and_cover() -> None:
    candidate = described(entry())
    assert [(p.mbid, p.name, p.join_phrase) for p in candidate.recording.artist_credit.names] == [
        (A, "Disclosure", " feat. "),
        (B, "Sam Smith", ""),
    ]
    assert (candidate.recording.length_ms, candidate.recording.first_release_date) == (255_000, "2012-10-08")
    [release] = candidate.releases
    assert (release.mbid, release.title, release.release_group.mbid, release.date) == (D, "Settle", B, "2013")
    [image] = candidate.images
    assert image.url == f"https://coverartarchive.org/release/{A}/42-500.jpg"
    assert (image.artist, image.release, image.exact) == ("Disclosure", "Settle", True)


def test_an_album_by_one_of_its_artists_is_known_to_be() -> None:
    credit = described(entry()).releases[0].artist_credit
    assert credit
    assert [(part.mbid, part.name, part.join_phrase) for part in credit.names] == [(A, "Disclosure", "")]


@pytest.mark.parametrize(
    ("album_artist", "mbid", "foreign_id"),
    [
        ("Various Artists", "89ad4ac3-39f7-470e-963a-56509c546377", ""),
        ("Somebody Else", "", "listenbrainz:artist/somebody else"),
    ],
)
def test_an_album_by_others_says_so(album_artist: str, mbid: str, foreign_id: str) -> None:
    credit = described(entry(album_artist_name=album_artist)).releases[0].artist_credit
    assert credit
    [part] = credit.names
    assert (part.name, part.mbid, part.foreign_id) == (album_artist, mbid, foreign_id)


def test_an_album_by_the_recordings_own_artists_has_no_credit_of_its_own() -> None:
    release = described(entry(album_artist_name="Disclosure feat. Sam Smith")).releases[0]
    assert release.artist_credit is None


@pytest.mark.parametrize("missing", ["caa_id", "caa_release_mbid"])
def test_without_a_cover_none_is_named(missing: str) -> None:
    assert described(entry(**{missing: None})).images == ()


@pytest.mark.parametrize("missing", ["mbid", "name", "release_group_mbid"])
def test_half_a_release_is_none(missing: str) -> None:
    candidate = described(entry(**{missing: None}))
    assert (candidate.releases, candidate.images) == ((), ())
    assert candidate.recording.mbid == C


def test_a_recording_on_no_release_is_described_without() -> None:
    document = entry()
    del document["release"]
    document["recording"] = {"name": "Latch", "rels": []}
    candidate = described(document)
    assert (candidate.releases, candidate.recording.length_ms) == ((), None)


def test_an_id_that_is_left_out_is_absent() -> None:
    questions = [contract.DescribeRecording(C), contract.DescribeRecording(D)]
    answers = read(METADATA, questions, {C: entry()})
    assert answers[0].candidates
    assert answers[1] == contract.ABSENT


def test_an_entry_that_cannot_be_read_spoils_no_other() -> None:
    questions = [contract.DescribeRecording(C), contract.DescribeRecording(D)]
    answers = read(METADATA, questions, {C: entry(), D: {"recording": {"rels": []}}})
    assert answers[0].candidates
    assert answers[1] == contract.UNKNOWN
    with pytest.raises(errors.Garbled):
        read(METADATA, questions[1:], {D: {"recording": {"rels": []}}})


# ---------------------------------------------------------------- faults

ALL = [(EXACT, QUESTION), (FUZZY, QUESTION), (METADATA, contract.DescribeRecording(C))]


@pytest.mark.parametrize(("source", "question"), ALL)
@pytest.mark.parametrize("body", [b"", b"<html>", b"[{", b'{"code":200}', b"null", b"\xff"])
def test_what_is_not_its_json_is_garbled(source: contract.Source, question: contract.Question, body: bytes) -> None:
    with pytest.raises(errors.Garbled):
        read(source, [question], body)


@pytest.mark.parametrize(("source", "question"), ALL)
@pytest.mark.parametrize(
    ("status", "fault"),
    [
        (400, errors.Garbled),
        (401, errors.Unconfigured),
        (404, errors.Garbled),
        (429, errors.Throttled),
        (500, errors.Unreachable),
        (502, errors.Unreachable),
        (503, errors.Throttled),
    ],
)
def test_every_refusal_is_a_fault_and_says_nothing_of_the_token(
    source: contract.Source, question: contract.Question, status: int, fault: type[errors.Fault]
) -> None:
    with pytest.raises(fault) as raised:
        read(source, [question], {"code": status, "error": f"about {status}"}, status)
    assert TOKEN not in str(raised.value)


def test_the_wait_is_in_its_own_header() -> None:
    with pytest.raises(errors.Throttled) as raised:
        read(EXACT, [QUESTION], {"code": 429}, 429, x_ratelimit_reset_in="7", retry_after="99")
    assert raised.value.retry_after == 7
    with pytest.raises(errors.Throttled) as raised:
        read(EXACT, [QUESTION], {"code": 429}, 429, retry_after="3")
    assert raised.value.retry_after == 3


def test_the_genres_among_the_tags_are_told_of_album_and_artists_the_surest_first() -> None:
    genre = {"genre_mbid": "911c7bbb-172d-4df8-9478-dbff4296e791"}
    tags = {
        "artist": [
            {"tag": "rock", "count": 1, "artist_mbid": A, **genre},
            {"tag": "art rock", "count": 9, "artist_mbid": A, **genre},
            {"tag": "seen live", "count": 30, "artist_mbid": A},
            {"tag": "disputed", "count": 0, "artist_mbid": A, **genre},
        ],
        "release_group": [{"tag": "folk", "count": 2, "release_group_mbid": B, **genre}],
        "recording": [{"tag": "ballad", "count": 2, **genre}],
    }
    told = described({**entry(), "tag": tags}).genres
    assert told == (("release_group", B, ("folk",)), ("artist", A, ("art rock", "rock")))


def test_an_artists_tag_that_does_not_say_whose_it_is_counts_where_there_is_one_artist() -> None:
    tag = {"tag": "house", "count": 1, "genre_mbid": C}
    assert described({**entry(), "tag": {"artist": [tag]}}).genres == ()
    alone = entry()
    alone["artist"]["artists"] = alone["artist"]["artists"][:1]
    assert described({**alone, "tag": {"artist": [tag]}}).genres == (("artist", A, ("house",)),)
