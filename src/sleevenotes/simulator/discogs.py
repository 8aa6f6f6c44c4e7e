"""Discogs' API: search, and lookup of what a search told of; images only for those who say who they are.

60 requests a minute with a token, 25 without; every reply says how many are left, and refused ones count. Without a
token the search leaves every image field empty (share `discogs_401`: it is refused instead, as its documentation
says). Shelves and searching are `shops`': all words of a field must be found in it, so a search for a track or an
artist also finds longer names, covers, tributes and namesakes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from urllib.parse import quote, urlencode

import msgspec

from sleevenotes.simulator import discogs_pages, entities, limits, lucene, shops, wire
from sleevenotes.simulator.world import World

Json = dict[str, Any]

TOKEN: Final = limits.Limit(60, 60.0)
STRANGER: Final = limits.Limit(25, 60.0)
_API: Final = "https://api.discogs.com"
_FIELDS: Final = ("q", "title", "release_title", "artist", "anv", "track")
_SETTINGS: Final = frozenset({"type", "year", "page", "per_page", "token", "key", "secret"})
_HEADERS: Final = {
    "server": "nginx",
    "content-type": "application/json",
    "x-discogs-media-type": "discogs.v2",
    "access-control-allow-origin": "*",
    "cache-control": "public, must-revalidate",
    "vary": "Accept-Encoding",
}
_TOO_FAST: Final = "You are making requests too quickly."
_STRANGE: Final = "You must authenticate to access this resource."
_NOT_FOUND: Final = "The requested resource was not found."


class Discogs:
    """api.discogs.com."""

    name = discogs_pages.NAME
    host = "api.discogs.com"
    limit: limits.Limit | None = TOKEN

    def __init__(self, world: World) -> None:
        self._world = world
        self._shop = shops.Shop(world, self.name, share=1.0)
        self._told: dict[str, Callable[[bool], Json]] = {}  # by path: what a search told of can be looked up

    def serves(self, host: str) -> bool:
        """Tell whether a host is ours."""
        return host == self.host

    def warm(self) -> None:
        """Build the search index."""
        self._shop.warm()

    def limit_of(self, request: wire.Request) -> limits.Limit:
        """Return the rate for those with a token, or for strangers."""
        return TOKEN if _is_known(request) else STRANGER

    def told(self, reply: wire.Reply, limit: limits.Limit, used: int) -> wire.Reply:
        """Say what is left of the rate."""
        return reply._replace(headers={**reply.headers, **_counts(limit, used)})

    def refuse(self, request: wire.Request) -> wire.Reply:
        """Answer 429, to be asked again in a minute."""
        limit = self.limit_of(request)
        headers = {**_HEADERS, "cache-control": "no-cache", "retry-after": "60", **_counts(limit, limit.requests + 1)}
        return wire.Reply(429, headers, _body({"message": _TOO_FAST}), _kind(request.path), quick=True)

    def fail(self, request: wire.Request, share: Mapping[str, float], chance: float) -> wire.Reply | None:
        """Refuse a stranger's search, at the day's share."""
        if chance < share.get("discogs_401", 0.0) and _kind(request.path) == "search" and not _is_known(request):
            return _message(401, _STRANGE, "search")
        return None

    def answer(self, request: wire.Request, _: datetime) -> wire.Reply:
        """Answer a request."""
        kind, known = _kind(request.path), _is_known(request)
        if not request.headers.get("user-agent", "").strip():
            return wire.Reply(403, {"server": "nginx"}, b"", kind)
        if kind == "search":
            return self._search(request, known=known)
        if request.path in self._told:
            return wire.Reply(200, _HEADERS, _body(self._told[request.path](known)), kind)
        return _message(404, _NOT_FOUND, kind)

    # ------------------------------------------------------------ search

    def _search(self, request: wire.Request, *, known: bool) -> wire.Reply:
        given = {name: values[-1].strip() for name, values in request.query.items() if values[-1].strip()}
        found = list(self._found(given))
        page, per_page = _number(given, "page", 1), min(100, _number(given, "per_page", 50))
        pages = max(1, -(-len(found) // per_page))
        if page > pages:
            return _message(404, _NOT_FOUND, "search")
        results = [write(known) for write in found[(page - 1) * per_page : page * per_page]]
        urls = _turned(_address(request, given), page, pages)
        told = {"page": page, "pages": pages, "per_page": per_page, "items": len(found), "urls": urls}
        return wire.Reply(200, _HEADERS, _body({"pagination": told, "results": results}), "search")

    def _found(self, given: Mapping[str, str]) -> Iterable[Callable[[bool], Json]]:
        """Yield how each hit is written, best first. What is filtered by and not known of here finds nothing."""
        if set(given) - set(_FIELDS) - _SETTINGS:
            return
        wanted, year = given.get("type", ""), given.get("year", "")
        seen: set[str] = set()
        for album in self._albums(given):
            if year and not album.release.date.startswith(year):
                continue
            for entity in ("master", "release"):
                hit = discogs_pages.Hit(self._world, album, entity)
                if wanted in ("", entity) and hit.path not in seen:
                    seen.add(hit.path)
                    self._remember(hit)
                    yield hit.found
        if wanted == "artist" and "q" in given:
            yield from self._artists(given["q"])

    def _albums(self, given: Mapping[str, str]) -> Sequence[shops.Album]:
        words = " ".join(given[field] for field in _FIELDS if field in given)
        if not words:
            return ()
        if "track" in given:
            tracks = self._shop.tracks(" ".join(given[field] for field in ("artist", "track") if field in given))
            return [each.album for each in tracks if _has(given, each.album, each.recording)]
        return [each for each in self._shop.albums(words) if _has(given, each, None)]

    def _artists(self, text: str) -> Iterable[Callable[[bool], Json]]:
        wanted, known = set(lucene.tokens(text)), self._world.known.by(self.name)
        for artist in self._world.catalogue.artists:
            if artist.index in known and wanted <= set(lucene.tokens(artist.name)):
                page = discogs_pages.ArtistPage(self._world, artist)
                self._told[page.path] = page.looked_up
                yield page.found

    def _remember(self, hit: discogs_pages.Hit) -> None:
        self._told[hit.path] = hit.looked_up
        other = hit.counterpart
        self._told[other.path] = other.looked_up
        for name in hit.album.release.credit:
            page = discogs_pages.ArtistPage(self._world, name.artist)
            self._told[page.path] = page.looked_up


def _has(given: Mapping[str, str], album: shops.Album, recording: entities.Recording | None) -> bool:
    """Tell whether all words of each field are in their place."""
    by, title = entities.printed(album.release.credit), album.release.title
    by = f"{by} {entities.printed(recording.credit)}" if recording else by
    places = {"title": f"{by} {title}", "release_title": title, "artist": by, "anv": by}
    return all(
        set(lucene.tokens(given[field])) <= set(lucene.tokens(place))
        for field, place in places.items()
        if field in given
    )


# ---------------------------------------------------------------- small things


def _is_known(request: wire.Request) -> bool:
    """Tell whether a request says who it is from; which token is not looked at."""
    told = request.headers.get("authorization", "")
    if told.startswith("Discogs ") and ("token=" in told or ("key=" in told and "secret=" in told)):
        return True
    given = request.query
    return "token" in given or ("key" in given and "secret" in given)


def _counts(limit: limits.Limit, used: int) -> dict[str, str]:
    return {
        "x-discogs-ratelimit": str(limit.requests),
        "x-discogs-ratelimit-used": str(used),
        "x-discogs-ratelimit-remaining": str(max(0, limit.requests - used)),
    }


def _number(given: Mapping[str, str], name: str, default: int) -> int:
    text = given.get(name, "")
    return max(1, int(text)) if text.isascii() and text.isdigit() else default


def _address(request: wire.Request, given: Mapping[str, str]) -> str:
    """Return the address of a page of this search, but for the page's number."""
    kept = {name: text for name, text in given.items() if name not in ("page", "token", "key", "secret")}
    return f"{_API}{quote(request.path)}?{urlencode(kept)}&page="


def _turned(base: str, page: int, pages: int) -> dict[str, str]:
    """Return where the pages around this one are."""
    back = {"first": f"{base}1", "prev": f"{base}{page - 1}"} if page > 1 else {}
    on = {"last": f"{base}{pages}", "next": f"{base}{page + 1}"} if page < pages else {}
    return back | on


def _body(document: object) -> bytes:
    return msgspec.json.encode(document)


def _message(status: int, text: str, kind: str) -> wire.Reply:
    return wire.Reply(status, _HEADERS, _body({"message": text}), kind)


def _kind(path: str) -> str:
    """Name what is asked: "search", "master", "release", "artist"."""
    if path.rstrip("/") == "/database/search":
        return "search"
    first = path.strip("/").partition("/")[0]
    return {"masters": "master", "releases": "release", "artists": "artist"}.get(first, "other")
