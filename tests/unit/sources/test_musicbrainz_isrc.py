"""MusicBrainz asked for ISRCs: its search takes several at once and does not show whose a row is."""

from __future__ import annotations

import urllib.parse
from typing import Any

from tests.unit.sources.test_musicbrainz import ARTIST, FOUND, SOURCE, search

from sleevenotes.sources import contract

GIRL = contract.FindByIsrc("USSUB0200002", "Nirvana", "About a Girl")
BLEW = contract.FindByIsrc("USSUB8900001", "Nirvana", "Blew")


def row(mbid: str, title: str, artist: str) -> dict[str, Any]:
    return {
        **FOUND,
        "id": mbid,
        "title": title,
        "artist-credit": [{"name": artist, "artist": {**ARTIST, "name": artist}}],
    }


def ids(answer: contract.Answer) -> list[str]:
    return [each.recording.mbid for each in answer.candidates if isinstance(each, contract.RecordingCandidate)]


def test_several_isrcs_are_asked_for_in_one_search() -> None:
    asked = urllib.parse.parse_qs(urllib.parse.urlsplit(SOURCE.request([GIRL, BLEW]).url).query)
    assert asked["query"] == ['(isrc:"USSUB0200002") OR (isrc:"USSUB8900001")']


def test_alone_an_isrc_is_answered_by_all_that_is_found_whatever_its_name() -> None:
    [answer] = SOURCE.read([GIRL], search(row("r1", "Blew", "Nirvana"), row("r2", "About a Girl", "Nirvana")))
    assert ids(answer) == ["r1", "r2"]
    assert SOURCE.read([GIRL], search()) == [contract.ABSENT]


def test_in_a_pack_a_hit_is_his_whose_names_it_has() -> None:
    found = search(row("r1", "Blew", "Nirvana"), row("r2", "About a Girl", "Nirvana"))
    assert [ids(each) for each in SOURCE.read([GIRL, BLEW], found)] == [["r2"], ["r1"]]
    assert SOURCE.read([GIRL, BLEW], search(row("r1", "Blew", "Nirvana")))[0] == contract.ABSENT


def test_in_a_pack_what_two_may_claim_leaves_both_unknown() -> None:
    twin = contract.FindByIsrc("USSUB0200003", "Nirvana", "About a Girl")
    answers = SOURCE.read(
        [GIRL, twin, BLEW], search(row("r1", "Blew", "Nirvana"), row("r2", "About a Girl", "Nirvana"))
    )
    assert [each.known for each in answers] == [False, False, True]


def test_in_a_pack_what_nobody_claims_leaves_those_without_a_hit_unknown() -> None:
    found = search(row("r1", "Blew", "Nirvana"), row("r3", "About A Grl", "Nirvana"))
    assert [each.known for each in SOURCE.read([GIRL, BLEW], found)] == [False, True]


def test_a_cut_reply_to_a_pack_proves_no_absence() -> None:
    assert [each.known for each in SOURCE.read([GIRL, BLEW], search(row("r1", "Blew", "Nirvana"), count=200))] == [
        False,
        True,
    ]
