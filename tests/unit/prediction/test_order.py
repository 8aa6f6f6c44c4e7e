"""Whom to ask first, and whom not to ask."""

from __future__ import annotations

from typing import Any

from sleevenotes.prediction import order
from sleevenotes.prediction.order import Outlook, Way

SOURCES = ("deezer", "itunes", "theaudiodb")
KEYS = [number.to_bytes(16, "big") for number in range(5000)]


def outlook(**changed: Any) -> Outlook:
    plain = Outlook({"deezer": 0.9, "itunes": 0.85, "theaudiodb": 0.05}, {}, 0.08, {}, frozenset())
    return plain._replace(**changed)


def test_the_likeliest_for_its_cost_goes_first() -> None:
    assert outlook().asked(SOURCES) == ["deezer", "itunes"]
    assert outlook(costs={"deezer": 2.0, "itunes": 1.0}).asked(SOURCES) == ["itunes", "deezer"]


def test_who_is_unlikely_is_skipped_with_the_chance_told() -> None:
    assert outlook().choose(SOURCES)[-1] == ("theaudiodb", 0.05, Way.SKIP)


def test_of_whom_nothing_is_foreseen_is_asked() -> None:
    assert "discogs" in outlook().asked((*SOURCES, "discogs"))


def test_who_has_answered_or_could_not_be_reached_is_not_chosen_again() -> None:
    assert outlook(answered=frozenset({"deezer"})).asked(SOURCES) == ["itunes"]


def test_a_source_that_was_never_asked_about_the_artist_is_skipped_only_at_a_quarter_of_the_threshold() -> None:
    assert "theaudiodb" in outlook(unasked=frozenset({"theaudiodb"})).asked(SOURCES)
    assert "theaudiodb" not in outlook(unasked=frozenset({"theaudiodb"}), threshold=0.25).asked(SOURCES)


def test_later_looks_ask_whom_the_first_skipped() -> None:
    looks = [order.threshold_at(0.08, look) for look in range(40)]
    assert looks[0] == 0.08
    assert "theaudiodb" in outlook(threshold=looks[1]).asked(SOURCES)
    assert looks == sorted(looks, reverse=True)


def test_one_in_fifty_is_asked_anyway_and_always_the_same_ones() -> None:
    chosen = [order.asked_anyway(key, "itunes") for key in KEYS]
    assert chosen == [order.asked_anyway(key, "itunes") for key in KEYS]
    assert 60 < sum(chosen) < 140
    assert chosen != [order.asked_anyway(key, "discogs") for key in KEYS]


def test_who_is_asked_anyway_is_asked_last() -> None:
    chosen = outlook(anyway=frozenset({"theaudiodb"})).choose(SOURCES)
    assert chosen[-1] == ("theaudiodb", 0.05, Way.ANYWAY)


def test_a_wait_costs_at_most_as_much_as_the_request_and_what_may_not_be_kept_is_dear() -> None:
    assert order.cost(0.0, is_kept=True) == 1.0
    assert order.cost(30.0, is_kept=True) == 1.5
    assert order.cost(3600.0, is_kept=True) == 2.0
    assert order.cost(0.0, is_kept=False) == 4.0
