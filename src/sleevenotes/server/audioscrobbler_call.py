"""A call of Last.fm's API: its parameters, and the signature that proves who made it. Pure."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from urllib.parse import parse_qsl

import msgspec

from sleevenotes.server.audioscrobbler_answers import BAD_PARAMETER, BAD_SIGNATURE, Failure

MAX_FIELDS = 2_000  # 50 plays of some ten fields each, and room
MAX_BODY_BYTES = 1_000_000

_UNSIGNED = ("api_sig", "format", "callback")


class Call(msgspec.Struct, frozen=True):
    """One call: `method` in lower case; `posted` says whether it came by POST."""

    method: str
    params: dict[str, str]
    json: bool
    posted: bool
    base_url: str
    agent: str

    def get(self, name: str, default: str = "") -> str:
        """Return a parameter, without white space around it.

        Raises Failure 6 naming it where it holds a NUL, which PostgreSQL cannot keep. (A batch of plays is read
        without this, for one that is unfit must not spoil the others.)
        """
        value = self.params.get(name, default).strip()
        if "\0" in value:
            raise Failure(BAD_PARAMETER, f"Invalid parameters - {name} contains a NUL character")
        return value

    def required(self, name: str) -> str:
        """Return a parameter. Raises Failure 6 naming it where it is missing."""
        value = self.get(name)
        if not value:
            raise Failure(BAD_PARAMETER, f"Invalid parameters - {name} is required")
        return value

    def number(self, name: str, default: int, at_least: int, at_most: int) -> int:
        """Return a whole number, kept within these bounds. Raises Failure 6 naming it where it is none."""
        value = self.get(name)
        if not value:
            return default
        if not value.removeprefix("-").isdecimal() or len(value) > 18:
            raise Failure(BAD_PARAMETER, f"Invalid parameters - {name} must be a whole number")
        return max(at_least, min(int(value), at_most))

    def check(self, secret: str) -> None:
        """Check the signature. Raises Failure 13 where there is none, or another."""
        given = self.get("api_sig").lower().encode()
        if not hmac.compare_digest(given, signature(self.params, secret).encode()):
            raise Failure(BAD_SIGNATURE, "Invalid method signature supplied")


def read(query: str, body: bytes, *, posted: bool, base_url: str, agent: str) -> Call:
    """Read a call from its query and its form; where both have a parameter, the form's counts.

    Raises Failure 6 for a body that is too large or holds too many fields.
    """
    if len(body) > MAX_BODY_BYTES:
        raise Failure(BAD_PARAMETER, f"The call is too large: at most {MAX_BODY_BYTES} bytes", 413)
    try:
        parts = (query, body.decode("utf-8", "replace"))
        fields = [pair for part in parts for pair in parse_qsl(part, True, max_num_fields=MAX_FIELDS)]
    except ValueError:
        raise Failure(BAD_PARAMETER, f"The call has too many parameters: at most {MAX_FIELDS}", 413) from None
    params = dict(fields)
    method = params.get("method", "").strip().lower()
    wants_json = params.get("format", "").strip().lower() == "json"
    return Call(method, params, wants_json, posted, base_url, agent)


def signature(params: Mapping[str, str], secret: str) -> str:
    """Sign parameters as Last.fm's clients do: md5 of names and values in the order of names, then the secret."""
    told = "".join(name + params[name] for name in sorted(params) if name not in _UNSIGNED)
    return md5(told + secret)


def md5(text: str) -> str:
    """Return an md5 in hex, which these protocols are made of."""
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def application(agent: str) -> str:
    """Name the program behind a User-Agent: "mpdscribble/0.24" is mpdscribble; a browser is nobody in particular."""
    name = agent.partition("/")[0].strip()
    known = name.isprintable() and name.lower() not in ("", "mozilla", "python-requests", "okhttp", "dalvik")
    return name[:60] if known else ""
