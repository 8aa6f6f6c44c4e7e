"""What Last.fm's API answers, as one tree that is written as XML or as JSON; and its errors. Pure.

Last.fm's JSON follows from its XML (upstreams §4): an element of text alone is a string; with attributes it is an
object with "#text" among them; of elements it is an object with its attributes under "@attr". Elements that repeat are
a list. Ours are a list whenever they can repeat, also where there is one or none, which Last.fm does in most places.
"""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from typing import Any

import msgspec

# https://www.last.fm/api/errorcodes; the HTTP statuses are those that Last.fm has answered with of late
BAD_METHOD, BAD_LOGIN, BAD_PARAMETER, BROKEN, BAD_SESSION = 3, 4, 6, 8, 9
BAD_SIGNATURE, NOT_ALLOWED_YET, TOKEN_EXPIRED, UNAVAILABLE, LOGIN_NEEDED, TOO_MANY = 13, 14, 15, 16, 17, 29
_STATUS = {
    BAD_METHOD: 400,
    BAD_LOGIN: 403,
    BAD_PARAMETER: 400,
    BROKEN: 500,
    BAD_SESSION: 403,
    BAD_SIGNATURE: 403,
    NOT_ALLOWED_YET: 403,
    TOKEN_EXPIRED: 403,
    UNAVAILABLE: 503,
    LOGIN_NEEDED: 403,
    TOO_MANY: 429,
}
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class Node(msgspec.Struct, frozen=True):
    """An element: its text or its children; `lists` names children that may repeat.

    JSON has its own text and attributes as numbers where `numbers` says so, "" as null.
    """

    name: str
    text: str = ""
    attributes: dict[str, str] = {}
    children: tuple[Node, ...] = ()
    lists: tuple[str, ...] = ()
    numbers: bool = False


class Failure(Exception):
    """A call that fails, with Last.fm's error code; `status` where it is not the code's usual one."""

    def __init__(self, code: int, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status or _STATUS[code]


def not_found(message: str) -> Failure:
    """Return the failure of a call for something that is not here: code 6, as at Last.fm, with status 404."""
    return Failure(BAD_PARAMETER, message, 404)


def text(name: str, value: object = "", **attributes: object) -> Node:
    """Make an element of text; an attribute whose name is a word of Python's ends with an underscore."""
    return Node(name, _plain(value), _attributes(attributes))


def tree(name: str, children: Sequence[Node], lists: Sequence[str] = (), **attributes: object) -> Node:
    """Make an element of elements."""
    return Node(name, "", _attributes(attributes), tuple(children), tuple(lists))


def numbers(node: Node) -> Node:
    """Have JSON write an element's whole numbers as such, as Last.fm does of late in a few places (upstreams §4)."""
    return msgspec.structs.replace(node, numbers=True)


def _attributes(given: dict[str, object]) -> dict[str, str]:
    return {name.rstrip("_"): _plain(value) for name, value in given.items()}


def _plain(value: object) -> str:
    return "" if value is None else str(int(value)) if isinstance(value, bool) else str(value)


# ---------------------------------------------------------------- writing


def xml(node: Node | None) -> bytes:
    """Write an answer as XML; without spaces between elements, for some clients count them as children."""
    inside = _element(node) if node else ""
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<lfm status="ok">{inside}</lfm>\n'.encode()


def json(node: Node | None) -> bytes:
    """Write an answer as JSON."""
    return msgspec.json.encode({node.name: _value(node)} if node else {})


def failed_xml(failure: Failure) -> bytes:
    """Write a failure as XML."""
    error = _element(text("error", failure.message, code=failure.code))
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<lfm status="failed">{error}</lfm>\n'.encode()


def failed_json(failure: Failure) -> bytes:
    """Write a failure as JSON."""
    return msgspec.json.encode({"message": failure.message, "error": failure.code})


def _element(node: Node) -> str:
    attributes = "".join(f' {name}="{_escaped(value)}"' for name, value in node.attributes.items())
    inside = "".join(map(_element, node.children)) or _escaped(node.text)
    return f"<{node.name}{attributes}>{inside}</{node.name}>"


def _escaped(value: str) -> str:
    return html.escape(_NOT_XML.sub("\ufffd", value))


def _value(node: Node) -> Any:
    attributes = {name: _scalar(node, value) for name, value in node.attributes.items()}
    if not node.children and not node.lists:
        own = _scalar(node, node.text)
        return {**attributes, "#text": own} if attributes else own
    told: dict[str, Any] = {"@attr": attributes} if attributes else {}
    told.update((name, []) for name in node.lists)
    for child in node.children:
        if child.name in node.lists:
            told[child.name].append(_value(child))
        else:
            told[child.name] = _value(child)
    return told


def _scalar(node: Node, value: str) -> str | int | None:
    if not node.numbers:
        return value
    return int(value) if value else None
