"""The bench's own walking, where the answer is plain."""

from __future__ import annotations

from benches import asked, prediction
from tests.asked_before import song

NOBODY: frozenset[str] = frozenset()
ITEMS = [
    song("One", 1, frozenset({"itunes"})),
    song("One", 2, frozenset({"theaudiodb", "deezer"})),
    song("Two", 3, NOBODY),
]


def test_the_fixed_order_asks_one_after_another_until_one_serves() -> None:
    assert prediction.fixed(ITEMS) == (4 + 1 + 4, 2)


def test_the_declared_order_is_the_products_own_without_a_predictor() -> None:
    assert asked.in_order(ITEMS[1]) == ["deezer", "theaudiodb", "itunes", "discogs"]  # of a cover
    assert asked.in_order(ITEMS[0]) == ["deezer", "itunes", "discogs", "theaudiodb"]  # of a name
    assert list(asked.in_declared_order(ITEMS[0])) == [("deezer", False), ("itunes", True)]
    assert prediction.declared(ITEMS) == (2 + 1 + 4, 2)
