"""The subset of Lucene's query language that MusicBrainz' search is used with.

    recording:"bohemian rhapsody" AND artist:queen
    (recording:"A" AND artist:"X") OR (recording:"B" AND artistname:"Y")
    rid:(id1 OR id2), dur:[200000 TO 240000], -secondarytype:live, recording:(one two), comment:"live, 1985"

The default operator is OR, as MusicBrainz'. Boosts, fuzziness and proximity (^2, ~1) are read and ignored.
"""

from __future__ import annotations

import re
import unicodedata
from typing import NamedTuple

_TOKEN = re.compile(
    r"""\s*(?:
      (?P<quoted>"(?:\\.|[^"\\])*")
    | (?P<range>[\[{]\s*(?P<low>[^\s\]}]+)\s+TO\s+(?P<high>[^\s\]}]+)\s*[\]}])
    | (?P<operator>&&|\|\||AND\b|OR\b|NOT\b)
    | (?P<open>\() | (?P<close>\))
    | (?P<field>[A-Za-z_]+):
    | (?P<sign>[+\-!](?=\S))
    | (?P<suffix>[\^~][0-9.]*)
    | (?P<word>(?:\\.|[^\s"()\[\]{}:^~])+)
    )""",
    re.VERBOSE,
)
_WORDS = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]|[^\W_\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]+")


class QueryError(ValueError):
    """The query is not in the language."""


class Term(NamedTuple):
    """Text in a field ("" is the default ones); `tokens` follow each other there."""

    field: str
    text: str
    tokens: tuple[str, ...]


class Range(NamedTuple):
    """A field between two values, both included; "*" is open."""

    field: str
    low: str
    high: str


class Query(NamedTuple):
    """Clauses that must match, those that may (at least one, where none must), those that must not."""

    must: tuple[Node, ...]
    may: tuple[Node, ...]
    never: tuple[Node, ...]


Node = Term | Range | Query


def tokens(text: str) -> tuple[str, ...]:
    """Analyse text as the index does: no accents, lower case, words; ideographs one by one.

    Text of nothing but punctuation ("!!!") is one token, so that it can be found.
    """
    if not text.isascii():
        text = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
        text = unicodedata.normalize("NFC", text).replace("\u2019", "'")
    folded = text.casefold().replace("'", "")
    return tuple(_WORDS.findall(folded)) or ((folded.strip(),) if folded.strip() else ())


def parse(text: str) -> Node:
    """Read a query. Raises QueryError where a quote or parenthesis is left open or an operator has no operand."""
    parser = _Parser(text)
    node = parser.clauses("")
    if parser.kind:
        raise QueryError(f"unexpected {parser.value!r}")
    return node


def dismax(text: str) -> Node:
    """Read text without any syntax: words, of which any may match."""
    return Query((), tuple(Term("", word, tokens(word)) for word in text.split()), ())


class _Parser:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self.kind = ""
        self.value = ""
        self._bounds = ("", "")
        self._advance()

    def clauses(self, field: str) -> Query:
        """Read clauses up to a closing parenthesis or the end; AND binds its two neighbours as "must"."""
        found: list[tuple[str, Node]] = []  # ("+", "-" or "", clause)
        joined = ""
        while self.kind not in ("", "close"):
            if self.kind == "operator" and self.value != "NOT":
                joined = self._operator(found)
                continue
            sign, node = self._clause(field)
            if joined == "AND" and not sign:
                sign = "+"
            found.append((sign, node))
            joined = ""
        if joined:
            raise QueryError("an operator without an operand")
        return _query(found)

    def _operator(self, found: list[tuple[str, Node]]) -> str:
        if not found:
            raise QueryError("an operator without an operand")
        joined = "AND" if self.value in ("AND", "&&") else "OR"
        if joined == "AND" and not found[-1][0]:
            found[-1] = ("+", found[-1][1])
        self._advance()
        if self.kind in ("", "close") or (self.kind == "operator" and self.value != "NOT"):
            raise QueryError("an operator without an operand")
        return joined

    def _clause(self, field: str) -> tuple[str, Node]:
        sign = ""
        while self.kind == "sign" or (self.kind == "operator" and self.value == "NOT"):
            sign = "+" if self.value == "+" else "-"
            self._advance()
        if self.kind == "field":
            field = self.value.lower()
            self._advance()
        node = self._operand(field)
        while self.kind == "suffix":
            self._advance()
        return sign, node

    def _operand(self, field: str) -> Node:
        kind, value, bounds = self.kind, self.value, self._bounds
        if kind not in ("open", "quoted", "word", "range"):
            raise QueryError("a field or sign without a value")
        self._advance()
        if kind == "open":
            node: Node = self.clauses(field)
            if self.kind != "close":
                raise QueryError("a parenthesis is left open")
            self._advance()
            return node
        if kind == "range":
            return Range(field, *bounds)
        plain = re.sub(r"\\(.)", r"\1", value[1:-1] if kind == "quoted" else value)
        return Term(field, plain, tokens(plain))

    def _advance(self) -> None:
        match = _TOKEN.match(self._text, self._at)
        if match is None:
            if self._text[self._at :].strip():
                raise QueryError(f"cannot read {self._text[self._at :]!r}")
            self.kind = self.value = ""
            return
        self._at = match.end()
        self.kind = match.lastgroup or ""
        if match["range"]:
            self.kind, self._bounds = "range", (match["low"], match["high"])
        self.value = match[self.kind]


def _query(found: list[tuple[str, Node]]) -> Query:
    if not found:
        raise QueryError("nothing is asked for")
    return Query(
        tuple(node for sign, node in found if sign == "+"),
        tuple(node for sign, node in found if not sign),
        tuple(node for sign, node in found if sign == "-"),
    )
