"""An inverted index over things of one kind, and the scoring of one thing against a query.

Nothing is scanned: a phrase starts from its rarest word. Scores follow BM25's shape (rare words count more, long
fields less), which is what makes a plain title beat a "(live)" one.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Generic, TypeVar

from sleevenotes.simulator import lucene

T = TypeVar("T")
Extract = Callable[[T], Sequence[str]]
_AVERAGE = 3.0  # words in a name, for the length norm


class Index(Generic[T]):
    """Finds things by their text fields (words) and exact fields (whole values).

    `texts` and `exact` say how a field's values are read from a thing; `defaults` are the fields of a term without
    one, with their weights; `finders` find things by an exact value without an index.
    """

    def __init__(
        self,
        things: Sequence[T],
        texts: Mapping[str, Extract[T]],
        exact: Mapping[str, Extract[T]],
        defaults: Mapping[str, float],
        finders: Mapping[str, Callable[[str], Iterable[T]]],
    ) -> None:
        self._things = things
        self._texts = texts
        self._exact = exact
        self._defaults = defaults
        self._finders = finders
        self._postings: dict[str, dict[str, list[int]]] = {}

    @property
    def text_fields(self) -> frozenset[str]:
        """Return the names of the fields that are searched by word."""
        return frozenset(self._texts)

    def has(self, field: str) -> bool:
        """Tell whether things have that field."""
        return field in self._texts or field in self._exact or field in self._finders

    def candidates(self, node: lucene.Node) -> Iterator[T]:
        """Yield, once each, a superset of the indexed things that match."""
        places = self._places(node)
        if places is None:
            yield from self._found(node)
        else:
            for place in places:
                yield self._things[place]

    def score(self, node: lucene.Node, thing: T) -> float | None:
        """Return how well a thing matches, None where it does not."""
        if isinstance(node, lucene.Query):
            return self._score_query(node, thing)
        if isinstance(node, lucene.Range):
            values = self._exact[node.field](thing) if node.field in self._exact else ()
            return 1.0 if any(_within(value, node) for value in values) else None
        return self._score_term(node, thing)

    # ------------------------------------------------------------ candidates

    def _places(self, node: lucene.Node) -> Iterable[int] | None:
        """Return places of candidates; None where the node names things by id instead."""
        if isinstance(node, lucene.Query):
            return self._query_places(node)
        if isinstance(node, lucene.Range):
            return range(len(self._things))
        if node.field in self._finders:
            return None
        if node.field in self._exact:
            return range(len(self._things))
        fields = [node.field] if node.field else list(self._defaults)
        found: set[int] = set()
        for field in fields:
            if node.tokens and field in self._texts:
                found.update(self._rarest(field, node.tokens))
        return found

    def _rarest(self, field: str, tokens: Sequence[str]) -> list[int]:
        postings = self.postings(field)
        return min((postings.get(token, []) for token in tokens), key=len)

    def _query_places(self, query: lucene.Query) -> Iterable[int] | None:
        if query.must:
            known = [self._places(node) for node in query.must]
            sized = [list(places) for places in known if places is not None and not isinstance(places, range)]
            if any(places is None for places in known):
                return None
            return min(sized, key=len) if sized else range(len(self._things))
        if not query.may:
            return range(len(self._things))
        found: set[int] = set()
        for node in query.may:
            places = self._places(node)
            if places is None:
                return None
            found.update(places)
        return found

    def _found(self, node: lucene.Node) -> Iterator[T]:
        """Yield what an id names, and what stands beside it in the query."""
        seen: set[int] = set()
        for thing in self._named(node):
            if id(thing) not in seen:
                seen.add(id(thing))
                yield thing

    def _named(self, node: lucene.Node) -> Iterator[T]:
        if isinstance(node, lucene.Query):
            must = [each for each in node.must if self._places(each) is None]
            for each in must[:1] or node.may or node.must:
                yield from self._named(each)
        elif isinstance(node, lucene.Term) and node.field in self._finders:
            yield from self._finders[node.field](node.text.lower())
        else:
            for place in self._places(node) or ():
                yield self._things[place]

    def postings(self, field: str) -> dict[str, list[int]]:
        """Return, for each word of a text field, the places of the things that have it; built when first asked."""
        if field not in self._postings:
            built: dict[str, list[int]] = {}
            extract = self._texts[field]
            for place, thing in enumerate(self._things):
                for token in {token for text in extract(thing) for token in lucene.tokens(text)}:
                    built.setdefault(token, []).append(place)
            self._postings[field] = built
        return self._postings[field]

    # ------------------------------------------------------------ scores

    def _score_query(self, query: lucene.Query, thing: T) -> float | None:
        if any(self.score(node, thing) is not None for node in query.never):
            return None
        total = 0.0
        for node in query.must:
            score = self.score(node, thing)
            if score is None:
                return None
            total += score
        matched = [score for node in query.may if (score := self.score(node, thing)) is not None]
        if not query.must and query.may and not matched:
            return None
        return total + sum(matched)

    def _score_term(self, term: lucene.Term, thing: T) -> float | None:
        if term.field in self._exact:
            wanted = term.text.lower()
            return 1.0 if any(value.lower() == wanted for value in self._exact[term.field](thing)) else None
        weights = {term.field: 1.0} if term.field else self._defaults
        scores = [
            weight * score
            for field, weight in weights.items()
            if field in self._texts and (score := self._phrase(field, term.tokens, thing)) is not None
        ]
        return max(scores, default=None)

    def _phrase(self, field: str, wanted: Sequence[str], thing: T) -> float | None:
        needle = f" {' '.join(wanted)} "
        for text in self._texts[field](thing):
            padded, length = _padded(text)
            if wanted and needle in padded:
                rarity = sum(self._rarity(field, token) for token in wanted)
                return rarity * 2.2 / (1 + 1.2 * (0.25 + 0.75 * length / _AVERAGE))
        return None

    def _rarity(self, field: str, token: str) -> float:
        return math.log(1 + len(self._things) / (1 + len(self.postings(field).get(token, ()))))


@functools.lru_cache(maxsize=60_000)
def _padded(text: str) -> tuple[str, int]:
    """Return the words of a text between single spaces, and how many they are."""
    words = lucene.tokens(text)
    return f" {' '.join(words)} ", len(words)


def _within(value: str, span: lucene.Range) -> bool:
    low, high = span.low, span.high
    if value.isdigit() and (low.isdigit() or low == "*") and (high.isdigit() or high == "*"):
        return (low == "*" or int(low) <= int(value)) and (high == "*" or int(value) <= int(high))
    return bool(value) and (low == "*" or low <= value) and (high == "*" or value[: len(high)] <= high)
