"""The iTunes Search API: songs and albums of one storefront; all words of the term must be there.

Its body starts with three line feeds and is called JavaScript. It allows about 20 requests a minute; what is over is
refused with 403, sometimes 429, sometimes with a plain "nothing found", and never with a Retry-After.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import msgspec

from sleevenotes.simulator import entities, imagehosts, limits, shops, wire
from sleevenotes.simulator.world import World

Json = dict[str, Any]

_STORE = "https://music.apple.com/us"
_ENTITIES = {"song": "song", "musicTrack": "song", "": "song", "album": "album"}
_HEADERS = {
    "content-type": "text/javascript; charset=utf-8",
    "cache-control": "max-age=86400",
    "access-control-allow-origin": "*",
}


class ITunes:
    """itunes.apple.com."""

    name = "itunes"
    host = "itunes.apple.com"
    limit: limits.Limit | None = limits.Limit(20, 60.0)

    def __init__(self, world: World) -> None:
        self._world = world
        self._shop = shops.Shop(world, self.name, share=1.0)
        self._refused = 0

    def serves(self, host: str) -> bool:
        """Tell whether a host is ours."""
        return host == self.host

    def warm(self) -> None:
        """Build the search index."""
        self._shop.warm()

    def refuse(self, request: wire.Request) -> wire.Reply:
        """Answer 403; every fourth time 429, every fifth as if nothing were found."""
        self._refused += 1
        if self._refused % 5 == 0:
            return _found([], _kind(request))._replace(quick=True)
        status = 429 if self._refused % 4 == 0 else 403
        return wire.Reply(status, {"content-type": "text/html"}, b"", _kind(request), quick=True)

    def fail(self, request: wire.Request, share: Mapping[str, float], chance: float) -> wire.Reply | None:
        """Answer as if nothing were found, at the rate of `itunes_shed`."""
        return _found([], _kind(request)) if chance < share.get("itunes_shed", 0.0) else None

    def answer(self, request: wire.Request, _: datetime) -> wire.Reply:
        """Answer a request."""
        kind = _kind(request)
        if request.path.rstrip("/") != "/search":
            return wire.Reply(404, {"content-type": "text/html"}, b"<h1>404 Not Found</h1>\n", kind)
        given = {name: values[0] for name, values in request.query.items()}
        country, limit = given.get("country", "US").upper(), _limit(given.get("limit", ""))
        entity = _ENTITIES.get(given.get("entity", ""))
        term = given.get("term", "").strip()
        if entity is None or len(country) != 2:
            text = f"Invalid value(s) for key(s): [{'resultEntity' if entity is None else 'country'}]"
            document = {"errorMessage": text, "queryParameters": {"output": "json", "country": "ISO-2A country code"}}
            return wire.Reply(400, _HEADERS, b"\n\n\n" + msgspec.json.encode(document), kind)
        if not term:
            return _found([], kind)
        if entity == "album":
            return _found([self._album(album, country) for album in self._shop.albums(term)[:limit]], kind)
        return _found([self._song(track, country) for track in self._shop.tracks(term)[:limit]], kind)

    # ------------------------------------------------------------ rows

    def _song(self, track: shops.Track, country: str) -> Json:
        recording, album = track.recording, track.album
        number = shops.number(self.name, "track", recording.mbid, album.release.mbid)
        tracks = album.release.tracks
        place = tracks.index(recording) + 1 if recording in tracks else 1
        shared = self._shared(album, country, recording.credit)
        by = album.release.credit
        joint = entities.printed(recording.credit) != entities.printed(by)
        sleeve = {
            "collectionArtistId": shops.number(self.name, "artist", by[0].artist.mbid),
            "collectionArtistName": entities.printed(by),
        }
        return {
            "wrapperType": "track",
            "kind": "song",
            **shared,
            **(sleeve if joint else {}),
            "trackId": number,
            "trackName": recording.title,
            "trackCensoredName": recording.title,
            "trackViewUrl": f"{shared['collectionViewUrl']}?i={number}&uo=4",
            "previewUrl": f"https://audio-ssl.itunes.apple.com/itunes-assets/{number}.aac.p.m4a",
            "trackPrice": 1.29,
            "trackExplicitness": "notExplicit",
            "discCount": 1,
            "discNumber": 1,
            "trackCount": len(tracks) or 1,
            "trackNumber": place,
            "trackTimeMillis": shops.length(recording),
            "isStreamable": True,
        }

    def _album(self, album: shops.Album, country: str) -> Json:
        return {
            "wrapperType": "collection",
            "collectionType": "Album",
            **self._shared(album, country, album.release.credit),
            "trackCount": len(album.release.tracks) or 10,
            "copyright": "℗ Simulated Records",
        }

    def _shared(self, album: shops.Album, country: str, credit: entities.Credit) -> Json:
        """Return what songs and albums tell alike; an album without art has no addresses of any."""
        number, artist = shops.number(self.name, "album", album.release.mbid), credit[0].artist
        title = _sold_as(album.release)
        return {
            "artistId": shops.number(self.name, "artist", artist.mbid),
            "collectionId": number,
            "artistName": entities.printed(credit),
            "collectionName": title,
            "collectionCensoredName": title,
            "artistViewUrl": f"{_STORE}/artist/{shops.number(self.name, 'artist', artist.mbid)}?uo=4",
            "collectionViewUrl": f"{_STORE}/album/{number}",
            **self._artwork(album),
            "collectionPrice": 9.99,
            **({"releaseDate": _date(album.release)} if album.release.date else {}),
            "collectionExplicitness": "notExplicit",
            "country": "USA" if country == "US" else country,
            "currency": "USD",
            "primaryGenreName": "Rock",
        }

    def _artwork(self, album: shops.Album) -> Json:
        at: Callable[[int], str] = lambda edge: imagehosts.address(  # noqa: E731 - three times the same
            self._world, self.name, album.group, of_namesake=album.of_namesake, edge=edge
        )
        return {f"artworkUrl{edge}": at(edge) for edge in (30, 60, 100)} if at(100) else {}


def _sold_as(release: entities.Release) -> str:
    """Return an album's name in the shop: singles and EPs say so."""
    ending = {"Single": " - Single", "EP": " - EP"}.get(release.group.primary, "")
    return release.title if release.title.endswith(ending) else release.title + ending


def _date(release: entities.Release) -> str:
    return f"{(release.date + '-01-01')[:10]}T12:00:00Z"


def _limit(text: str) -> int:
    return min(200, max(1, int(text))) if text.isdigit() else 50


def _kind(request: wire.Request) -> str:
    entity = _ENTITIES.get(request.query.get("entity", [""])[0], "other")
    return f"{entity}_search" if request.path.startswith("/search") else "other"


def _found(results: list[Json], kind: str) -> wire.Reply:
    body = b"\n\n\n" + msgspec.json.encode({"resultCount": len(results), "results": results}) + b"\n\n\n"
    return wire.Reply(200, _HEADERS, body, kind)
