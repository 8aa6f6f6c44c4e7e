"""Items of JSON lists, read one after the other, so that a file of any size needs the memory of one item.

The standard library's decoder reads one value from a place in a text and tells where it ends; what is behind is read
from the file when a value is not yet whole. Which list is meant is said by its name, and by those of the objects
around:

    [item, item]                                     whatever the names
    {"maloja": {…}, "scrobbles": [item, item]}       lists {"scrobbles"}
    {"recenttracks": {"track": [item], "@attr": …}}  lists {"track"} inside {"recenttracks"}
    {"recenttracks": {"track": item}}                the same: a list of one that lost its brackets
"""

from __future__ import annotations

import codecs
import json
import zlib
from collections.abc import Callable, Collection, Iterable, Iterator
from typing import Any, BinaryIO

from sleevenotes import errors
from sleevenotes.importers.contract import Item, Skipped, Unfit
from sleevenotes.importers.files import File

CHUNK = 1 << 16
MAX_ITEM = 16_000_000  # characters; a page of a thousand tracks has some 1.5 million
_DECODER = json.JSONDecoder()
_BLANK = " \t\r\n"


def read(
    file: File,
    make: Callable[[Any], Iterable[Item]],
    *,
    lists: Collection[str] = (),
    inside: Collection[str] = (),
    flat: Callable[[Any], Iterable[Any]] = lambda value: (value,),
) -> Iterator[Item]:
    """Turn each item into what `make` makes of it; what it finds Unfit is skipped with the item's number.

    `flat` takes lists of lists apart. Raises errors.Refused where the file is not JSON from some place on.
    """
    where = f"{file.name}: " if file.name else ""
    number = 0
    with file.open() as stream:
        text = _Text(stream)
        try:
            for value in _walk(text, lists, inside):
                suspect = text.suspect
                for inner in flat(value):
                    number += 1
                    file.at(number, "item")
                    try:
                        if suspect:
                            check(inner)
                        yield from make(inner)
                    except Unfit as unfit:
                        yield Skipped(number, str(unfit), file.name, unfit.kind, "item")
        except (EOFError, OSError, zlib.error) as error:
            raise errors.Refused(f"{where}the file is damaged after item {number}: {error}") from None
        except (_NotJsonError, RecursionError) as error:
            raise errors.Refused(f"{where}not JSON after item {number}: {error}") from None


def check(value: object) -> None:
    """See whether all texts in a value can be stored. Raises Unfit where one is no UTF-8 or holds a NUL."""
    if isinstance(value, str):
        if "\0" in value:
            raise Unfit("holds a NUL character")
        try:
            value.encode()
        except UnicodeEncodeError:
            raise Unfit("not UTF-8 text") from None
    elif isinstance(value, dict):
        for key, inner in value.items():
            check(key)
            check(inner)
    elif isinstance(value, list):
        for inner in value:
            check(inner)


class _NotJsonError(Exception):
    """The text is no JSON here."""


class _Text:
    """The text of a file, from a place on; more of it is read when it is needed."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._decode = codecs.getincrementaldecoder("utf-8-sig")("surrogateescape").decode
        self._text = ""
        self._at = 0
        self._ended = False
        self.suspect = False  # the last value may hold what cannot be stored

    def peek(self) -> str:
        """Return the next character that is not blank; "" at the end."""
        while True:
            while self._at < len(self._text):
                if (character := self._text[self._at]) not in _BLANK:
                    return character
                self._at += 1
            if not self._more():
                return ""

    def take(self, wanted: str) -> None:
        """Step over this character."""
        found = self.peek()
        if found != wanted:
            raise _NotJsonError(f"{wanted!r} expected, not {found or 'the end'!r}")
        self._at += 1

    def value(self) -> Any:
        """Read the value that begins here."""
        self.peek()
        while True:
            try:
                value, end = _DECODER.raw_decode(self._text, self._at)
            except json.JSONDecodeError as error:
                if not self._more():
                    raise _NotJsonError(error.msg) from None
                continue
            # the digits of a number may go on behind what is read
            if end == len(self._text) and not isinstance(value, (dict, list, str)) and self._more():
                continue
            raw = self._text[self._at : end]
            self.suspect = not raw.isascii() or "\\u0000" in raw or "\\ud" in raw or "\\uD" in raw
            self._at = end
            return value

    def _more(self) -> bool:
        if self._ended:
            return False
        if len(self._text) - self._at > MAX_ITEM:
            raise _NotJsonError(f"an item longer than {MAX_ITEM} characters")
        data = self._stream.read(CHUNK)
        self._text = self._text[self._at :] + self._decode(data, not data)
        self._at = 0
        self._ended = not data
        return bool(data)


def _walk(text: _Text, lists: Collection[str], inside: Collection[str]) -> Iterator[Any]:
    first = text.peek()
    if first == "[":
        yield from _list(text)
    elif first == "{":
        yield from _object(text, lists, inside)
    else:
        raise _NotJsonError(f"a list or an object expected, not {first or 'the end'!r}")


def _list(text: _Text) -> Iterator[Any]:
    text.take("[")
    while text.peek() != "]":
        yield text.value()
        if text.peek() != "]":
            text.take(",")
    text.take("]")


def _object(text: _Text, lists: Collection[str], inside: Collection[str]) -> Iterator[Any]:
    text.take("{")
    while text.peek() != "}":
        key = text.value()
        text.take(":")
        first = text.peek()
        if (key in lists and first == "[") or (key in inside and first == "{"):
            yield from _walk(text, lists, inside)
        else:
            value = text.value()
            if key in lists and first == "{":
                yield value
        if text.peek() != "}":
            text.take(",")
    text.take("}")
