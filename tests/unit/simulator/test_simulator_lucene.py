"""The query language of the simulated search."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sleevenotes.simulator import lucene
from sleevenotes.simulator.lucene import Query, Range, Term


def term(field: str, text: str) -> Term:
    return Term(field, text, lucene.tokens(text))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("kate bush", Query((), (term("", "kate"), term("", "bush")), ())),
        ("a AND b", Query((term("", "a"), term("", "b")), (), ())),
        ("a && b", Query((term("", "a"), term("", "b")), (), ())),
        ("a OR b", Query((), (term("", "a"), term("", "b")), ())),
        ("a AND NOT b", Query((term("", "a"),), (), (term("", "b"),))),
        ("+a b -c", Query((term("", "a"),), (term("", "b"),), (term("", "c"),))),
        ('recording:"Burn the Witch"', Query((), (term("recording", "Burn the Witch"),), ())),
        (r'artist:"say \"hi\" \\o/"', Query((), (term("artist", r'say "hi" \o/'),), ())),
        (r"artist:AC\/DC", Query((), (term("artist", "AC/DC"),), ())),
        ("rid:(x OR y)", Query((), (Query((), (term("rid", "x"), term("rid", "y")), ()),), ())),
        ("dur:[1000 TO 2000]", Query((), (Range("dur", "1000", "2000"),), ())),
        ("title^2 near~3", Query((), (term("", "title"), term("", "near")), ())),
    ],
)
def test_queries_are_read_as_lucene_reads_them(text: str, expected: Query) -> None:
    assert lucene.parse(text) == expected


def test_pairs_can_be_packed_into_one_query() -> None:
    node = lucene.parse('(recording:"A" AND artist:"X") OR (recording:"B" AND artistname:"Y")')
    assert node == Query(
        (),
        (
            Query((term("recording", "A"), term("artist", "X")), (), ()),
            Query((term("recording", "B"), term("artistname", "Y")), (), ()),
        ),
        (),
    )


@pytest.mark.parametrize("text", ['"open', "(a", "a)", "a AND", "AND a", "a AND OR b", "recording:", "()", "a [b"])
def test_broken_queries_are_refused(text: str) -> None:
    with pytest.raises(lucene.QueryError):
        lucene.parse(text)


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("Sigur Rós", ("sigur", "ros")),
        ("Don\u2019t", ("dont",)),
        ("Don't", ("dont",)),
        ("AC/DC", ("ac", "dc")),
        ("!!!", ("!!!",)),
        ("  ", ()),
        ("Ляпис Трубецкой", ("ляпис", "трубецкои")),
        ("東京", ("東", "京")),
    ],
)
def test_text_is_analysed_without_accents_punctuation_and_case(text: str, tokens: tuple[str, ...]) -> None:
    assert lucene.tokens(text) == tokens


@given(st.text(max_size=40).filter(lambda text: text.strip()))
def test_any_name_can_be_asked_for_as_an_escaped_phrase(name: str) -> None:
    escaped = name.replace("\\", "\\\\").replace('"', '\\"')
    assert lucene.parse(f'recording:"{escaped}"') == Query((), (term("recording", name),), ())
