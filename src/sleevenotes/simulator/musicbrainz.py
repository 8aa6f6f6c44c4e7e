"""MusicBrainz' web service, version 2, JSON: search, lookup and browse, with its gate (User-Agent, two kinds of 503).

Search limits outside 1..100 become 25; browse limits over 100 become 100. A merged id is a 301.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any

import msgspec

from sleevenotes.simulator import browse, build, draw, limits, lookups, lucene, search, shapes, wire
from sleevenotes.simulator.world import World

Json = dict[str, Any]

HELP = "For usage, please see: https://musicbrainz.org/development/mmd"
_MBID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_MEANINGFUL = re.compile(r"\S+/\S+\s+\(.*(https?://\S+|\S+@\S+).*\)")  # "App/1.2 ( https://contact )"
_GATE = {"x-mb-rate-limiter": "lua", "server": "openresty", "content-type": "application/json; charset=utf-8"}
_PLURALS = {
    "recording": "recordings",
    "release": "releases",
    "release-group": "release-groups",
    "artist": "artists",
}
_FOUND: dict[str, Callable[[Any, int], Json]] = {
    "recording": shapes.found_recording,
    "release": shapes.found_release,
    "release-group": shapes.found_group,
    "artist": shapes.found_artist,
}
_RATE = "Your requests are exceeding the allowable rate limit. Please see http://wiki.musicbrainz.org/XMLWebService for more information."  # noqa: E501 - the service's own words
_BUSY = "The MusicBrainz web server is currently busy. Please try again later."
_NAMELESS = "Your requests are being throttled by MusicBrainz because the application you are using has not identified itself.  Please update your application, and see http://musicbrainz.org/doc/XML_Web_Service/Rate_Limiting for more information."  # noqa: E501 - the service's own words


class _Error(Exception):
    def __init__(self, status: int, error: str) -> None:
        super().__init__(error)
        self.status = status


class MusicBrainz:
    """musicbrainz.org."""

    name = "musicbrainz"
    host = "musicbrainz.org"
    limit: limits.Limit | None = limits.Limit(1, 1.0)

    def __init__(self, world: World) -> None:
        self._world = world
        self._search = search.Search(world)
        self._browse = browse.Browse(world)

    def serves(self, host: str) -> bool:
        """Tell whether a host is ours."""
        return host in (self.host, "www.musicbrainz.org")

    def warm(self) -> None:
        """Build the search index."""
        self._search.warm()

    def refuse(self, request: wire.Request) -> wire.Reply:
        """Answer the first kind of 503: your requests are too many."""
        headers = {
            **_GATE,
            "retry-after": "1",
            "x-ratelimit-zone": "ws ip=127.0.0.1",
            "x-ratelimit-limit": "15",
            "x-ratelimit-remaining": "0",
        }
        return wire.Reply(503, headers, _json({"error": _RATE}), _kind(request), quick=True)

    def fail(self, request: wire.Request, share: Mapping[str, float], chance: float) -> wire.Reply | None:
        """Answer the second kind of 503: the whole site is shedding load."""
        if chance >= share.get("musicbrainz_shed", 0.0):
            return None
        searching = "query" in request.query
        headers = {
            **_GATE,
            "retry-after": "0",
            "x-ratelimit-zone": "search-global" if searching else "global",
            "x-ratelimit-who": "search-shed" if searching else "global",
        }
        return wire.Reply(503, headers, _json({"error": _BUSY}), _kind(request), quick=True)

    def answer(self, request: wire.Request, now: datetime) -> wire.Reply:
        """Answer a request that has passed the gate."""
        if not _MEANINGFUL.search(request.headers.get("user-agent", "")):
            headers = {**_GATE, "x-ratelimit-who": "ua-missing"}
            return wire.Reply(403, headers, _json({"error": _NAMELESS}), _kind(request), quick=True)
        try:
            return self._route(request, now)
        except _Error as error:
            return self._reply(request, now, error.status, {"error": str(error), "help": HELP})

    def _route(self, request: wire.Request, now: datetime) -> wire.Reply:
        if request.method not in ("GET", "HEAD"):
            raise _Error(405, f"{request.method} is not simulated; the simulator only reads.")
        query = request.query
        if query.get("fmt", [""])[0] != "json" and "json" not in request.headers.get("accept", ""):
            raise _Error(406, "The simulator speaks JSON only: ask with fmt=json or Accept: application/json.")
        parts = request.path.strip("/").split("/")
        if parts[:2] != ["ws", "2"] or len(parts) not in (3, 4) or parts[2] not in lookups.INCS:
            raise _Error(404, "Not Found")
        entity = parts[2]
        if len(parts) == 4:
            return self._lookup(request, now, entity, parts[3])
        if "query" in query:
            return self._find(request, now, entity)
        return self._reply(request, now, 200, self._browsed(entity, query))

    # ------------------------------------------------------------ search

    def _find(self, request: wire.Request, now: datetime, entity: str) -> wire.Reply:
        query = request.query
        if len(query["query"]) > 1:
            raise _Error(400, "Must specify at most 1 query argument")
        text = query["query"][0].strip()
        if not text or entity not in _FOUND:
            raise _unmatched(entity)
        limit, offset = _number(query, "limit", 25), max(0, _number(query, "offset", 0))
        try:
            node = lucene.dismax(text) if query.get("dismax", [""])[0] == "true" else lucene.parse(text)
            hits = self._search.find(entity, node, offset, limit if 1 <= limit <= 100 else 25)
        except lucene.QueryError:
            raise _Error(400, "Search server could not complete query: Bad request") from None
        document = {
            "created": now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{now.microsecond // 1000:03}Z",
            "count": hits.total,
            "offset": offset,
            _PLURALS[entity]: [_FOUND[entity](thing, score) for score, thing in hits.page],
        }
        return self._reply(request, now, 200, document, searched=True)

    # ------------------------------------------------------------ lookup

    def _lookup(self, request: wire.Request, now: datetime, entity: str, identifier: str) -> wire.Reply:
        incs = _incs(entity, request.query.get("inc", []))
        if entity == "isrc":
            return self._reply(request, now, 200, self._isrc(identifier.upper(), incs))
        if not _MBID.fullmatch(identifier):
            raise _Error(400, "Invalid mbid.")
        document = self._document(entity, identifier.lower(), incs)
        if document is None:
            raise _Error(404, "Not Found")
        reply = self._reply(request, now, 200, document)
        if document["id"] == identifier.lower():
            return reply
        location = request.url.replace(identifier, document["id"]).replace("https://", "http://")
        return reply._replace(status=301, headers={**reply.headers, "location": location})

    def _document(self, entity: str, mbid: str, incs: set[str]) -> Json | None:
        if entity == "recording":
            recording = self._world.recording(mbid)
            return lookups.recording(recording, incs) if recording else None
        if entity == "release":
            release = self._world.release(mbid)
            return lookups.release(self._world, release, incs) if release else None
        if entity == "release-group":
            group = self._world.group(mbid)
            return lookups.group(group, incs) if group else None
        artist = self._world.artist(mbid)
        return lookups.artist(artist, incs) | self._browse.linked(artist, incs) if artist else None

    def _isrc(self, code: str, incs: set[str]) -> Json:
        row, recordings = build.row_of(code), self._world.catalogue.recordings
        if not 0 <= row < len(recordings) or recordings[row].isrc != code:
            raise _Error(404, "Not Found")
        found = self._world.recording(recordings[row].mbid)
        if found is None:
            raise _Error(404, "Not Found")
        return {"isrc": code, "recordings": [lookups.recording(found, incs - {"releases"})]}

    # ------------------------------------------------------------ browse

    def _browsed(self, entity: str, query: Mapping[str, Sequence[str]]) -> Json:
        link = next((name for name in browse.LINKS.get(entity, ()) if name in query), "")
        if not link:
            raise _unmatched(entity)
        incs = _incs(entity, query.get("inc", []))
        for name in ("limit", "offset"):
            if not query.get(name, ["1"])[0].isdigit():
                raise _Error(400, "The 'limit' and 'offset' parameters must be positive integers")
        mbid = query[link][0]
        if not _MBID.fullmatch(mbid):
            raise _Error(400, "Invalid mbid.")
        things = self._browse.things(entity, link, mbid.lower())
        if things is None:
            raise _Error(404, "Not Found")
        things = browse.only(things, query.get("type", [""])[0], query.get("status", [""])[0])
        offset, limit = _number(query, "offset", 0), min(100, _number(query, "limit", 25))
        page = self._browse.page(entity, things[offset : offset + limit], incs)
        return {f"{entity}-count": len(things), f"{entity}-offset": offset, _PLURALS[entity]: page}

    # ------------------------------------------------------------ replies

    def _reply(
        self, request: wire.Request, now: datetime, status: int, document: Json, *, searched: bool = False
    ) -> wire.Reply:
        body = _json(document)
        digest = hashlib.md5(body, usedforsecurity=False).hexdigest()
        remaining = 540 + int(640 * draw.number("remaining", now.isoformat()))
        headers = {
            "content-type": "application/json" if searched else "application/json; charset=utf-8",
            "vary": "Accept-Encoding",
            "x-ratelimit-limit": "1200",  # the whole site's, not the client's
            "x-ratelimit-remaining": str(remaining),
            "x-ratelimit-reset": str(int(now.timestamp()) + 1),
            "etag": f'W/"{digest}"',
            "access-control-allow-origin": "*",
            "x-cache-status": "MISS",
        }
        if searched:
            headers["last-modified"] = format_datetime(now.astimezone(UTC), usegmt=True)
            headers["cache-control"] = "no-cache, no-store"
        else:
            headers["server"] = "Plack::Handler::Starlet"
        return wire.Reply(status, headers, body, _kind(request))


def _kind(request: wire.Request) -> str:
    """Name what is asked: "recording_search", "recording_lookup", "release_browse"."""
    parts = request.path.strip("/").split("/")
    if len(parts) < 3:
        return "other"
    return f"{parts[2]}_{'lookup' if len(parts) > 3 else 'search' if 'query' in request.query else 'browse'}"


def _unmatched(entity: str) -> _Error:
    return _Error(400, f"The given parameters do not match any available query type for the {entity} resource.")


def _incs(entity: str, given: Sequence[str]) -> set[str]:
    """Read inc=a+b+c, in whichever of its spellings. Raises _Error for one the entity does not have."""
    incs = [inc for text in given for inc in re.split(r"[ +,]", text) if inc]
    for inc in incs:
        if inc not in lookups.INCS[entity]:
            raise _Error(400, f"{inc} is not a valid inc parameter for the {entity} resource.")
    return set(incs)


def _number(query: Mapping[str, Sequence[str]], name: str, default: int) -> int:
    text = query.get(name, [""])[0]
    return int(text) if text.lstrip("-").isdigit() else default


def _json(document: Json) -> bytes:
    return msgspec.json.encode(document)
