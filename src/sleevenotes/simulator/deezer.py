"""Deezer's API: search of tracks and albums, lookups, and its way of answering every error with status 200.

Quota: 50 requests in 5 s, refused with 200 and {"error": {"code": 4}}; no header tells of it. An album without a
cover has an empty md5 in its addresses, where a generic silhouette lies.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import quote

import msgspec

from sleevenotes.simulator import build, draw, entities, imagehosts, limits, shops, wire
from sleevenotes.simulator.world import World

Json = dict[str, Any]

_API = "https://api.deezer.com"
_FIELD = re.compile(r'(artist|track|album):"([^"]*)"')
_MOST_TOLD = 300  # `total` never tells more
_NAMES = {"small": 56, "medium": 250, "big": 500, "xl": 1000}
_HEADERS = {
    "content-type": "application/json; charset=utf-8",
    "server": "Apache",
    "vary": "Accept-Encoding",
    "x-content-type-options": "nosniff",
    "access-control-allow-credentials": "true",
    "x-host": "blm-web-1",
    "x-org": "FR",
}


class _Error(Exception):
    def __init__(self, kind: str, message: str, code: int) -> None:
        super().__init__(message)
        self.document: Json = {"error": {"type": kind, "message": message, "code": code}}


class Deezer:
    """api.deezer.com."""

    name = "deezer"
    host = "api.deezer.com"
    limit: limits.Limit | None = limits.Limit(50, 5.0)

    def __init__(self, world: World) -> None:
        self._world = world
        self._shop = shops.Shop(world, self.name, share=0.6)
        self._albums: dict[int, shops.Album] = {}  # told of, so that they can be looked up
        self._tracks: dict[int, shops.Track] = {}

    def serves(self, host: str) -> bool:
        """Tell whether a host is ours."""
        return host == self.host

    def warm(self) -> None:
        """Build the search index."""
        self._shop.warm()

    def refuse(self, request: wire.Request) -> wire.Reply:
        """Answer code 4, with status 200."""
        error = _Error("Exception", "Quota limit exceeded", 4)
        return _reply(200, error.document, _kind(request.path))._replace(quick=True)

    def fail(self, request: wire.Request, share: Mapping[str, float], chance: float) -> wire.Reply | None:
        """Answer an error without a code, with status 200, at the rate of `deezer_shed`."""
        if chance >= share.get("deezer_shed", 0.0):
            return None
        document = {"error": {"type": "Exception", "message": "An error has occured"}}
        return _reply(200, document, _kind(request.path))._replace(quick=True)

    def answer(self, request: wire.Request, _: datetime) -> wire.Reply:
        """Answer a request."""
        kind = _kind(request.path)
        try:
            document = self._document(request)
        except _Error as error:
            return _reply(200, error.document, kind)
        return _reply(200, document, kind) if document else _reply(404, {"error": "Not Found"}, kind)

    def _document(self, request: wire.Request) -> Json | None:
        parts = request.path.strip("/").split("/")
        if parts in (["search"], ["search", "track"]):
            tracks = self._find_tracks(_text(request))
            return self._page(request, tracks, self._found_track)
        if parts == ["search", "album"]:
            return self._page(request, self._find_albums(_text(request)), self._found_album)
        if len(parts) == 2 and parts[0] in ("album", "track"):
            return self._lookup(*parts)
        return None

    # ------------------------------------------------------------ search

    def _find_tracks(self, text: str) -> list[shops.Track]:
        fields = dict(_FIELD.findall(text))
        found = self._shop.tracks(" ".join((*fields.values(), _FIELD.sub("", text))).strip())
        return [each for each in found if _has(fields, each.recording.credit, each.recording.title, each.album)]

    def _find_albums(self, text: str) -> list[shops.Album]:
        fields = dict(_FIELD.findall(text))
        found = self._shop.albums(" ".join((*fields.values(), _FIELD.sub("", text))).strip())
        return [each for each in found if _has(fields, each.release.credit, "", each)]

    def _page(self, request: wire.Request, things: Sequence[Any], write: Any) -> Json:
        index, limit = _number(request, "index", 0), min(100, _number(request, "limit", 25))
        document: Json = {"data": [write(thing) for thing in things[index : index + limit]]}
        document["total"] = min(_MOST_TOLD, len(things))
        base = f"{_API}{request.path}?q={quote(_text(request))}"
        base += f"&limit={limit}" if "limit" in request.query else ""
        if index:
            document["prev"] = f"{base}&index={max(0, index - limit)}"
        if index + limit < len(things):
            document["next"] = f"{base}&index={index + limit}"
        return document

    def _found_track(self, track: shops.Track) -> Json:
        """Return a track as in search: its album without its facts, its length in whole seconds."""
        recording = track.recording
        number = shops.number(self.name, "track", recording.mbid, track.album.release.mbid)
        self._tracks[number] = track
        album, guests = self._album_base(track.album), _guests(recording.credit)
        return {
            "id": number,
            "readable": True,
            "title": f"{recording.title} {guests}".rstrip(),
            "title_short": recording.title,
            "title_version": guests,
            **({"isrc": recording.isrc} if recording.isrc else {}),
            "link": f"https://www.deezer.com/track/{number}",
            "duration": round(shops.length(recording) / 1000),
            "rank": 100_000 + int(draw.number("rank", number) * 899_999),
            "explicit_lyrics": False,
            "explicit_content_lyrics": 0,
            "explicit_content_cover": 0,
            "preview": f"https://cdns-preview-{number % 10}.dzcdn.net/stream/c-{number:032x}-4.mp3",
            "md5_image": album["md5_image"],
            "artist": _artist(recording.credit),
            "album": album,
            "type": "track",
        }

    def _found_album(self, album: shops.Album) -> Json:
        tracks, primary = album.release.tracks, album.release.group.primary
        base = self._album_base(album)
        return {
            **{key: value for key, value in base.items() if key not in ("tracklist", "type")},
            "link": f"https://www.deezer.com/album/{base['id']}",
            "genre_id": 132,
            "nb_tracks": len(tracks) or 10,
            "record_type": {"Single": "single", "EP": "ep"}.get(primary, "album"),
            "tracklist": base["tracklist"],
            "explicit_lyrics": False,
            "artist": _artist(album.release.credit),
            "type": "album",
        }

    def _album_base(self, album: shops.Album) -> Json:
        number = shops.number(self.name, "album", album.release.mbid)
        self._albums[number] = album
        md5 = imagehosts.md5(self._world, self.name, album.group, of_namesake=album.of_namesake)
        return {
            "id": number,
            "title": album.release.title,
            "cover": f"{_API}/album/{number}/image",
            **{f"cover_{name}": _image("cover", md5, edge) for name, edge in _NAMES.items()},
            "md5_image": md5,
            "tracklist": f"{_API}/album/{number}/tracks",
            "type": "album",
        }

    # ------------------------------------------------------------ lookup

    def _lookup(self, entity: str, text: str) -> Json:
        """Return an album or track that was told of before, or a track by its ISRC."""
        if entity == "track" and text.startswith("isrc:"):
            code = text.removeprefix("isrc:").upper()
            track = self._shop.by_isrc(build.row_of(code), code)
        else:
            track = self._tracks.get(int(text)) if entity == "track" and text.isdigit() else None
        album = self._albums.get(int(text)) if entity == "album" and text.isdigit() else None
        if track:
            return self._found_track(track) | {"release_date": _date(track.album.release)}
        if album:
            return self._found_album(album) | {"release_date": _date(album.release), "available": True}
        raise _Error("DataException", "no data", 800)


def _has(fields: Mapping[str, str], credit: entities.Credit, title: str, album: shops.Album) -> bool:
    """Tell whether each field that was asked for is in its place."""
    places = {"artist": entities.printed(credit), "track": title, "album": album.release.title}
    return all(wanted.casefold() in places[field].casefold() for field, wanted in fields.items())


def _text(request: wire.Request) -> str:
    text = request.query.get("q", [""])[0]
    if not text.strip():
        raise _Error("MissingParameterException", "Missing parameters: q", 501)
    return text


def _number(request: wire.Request, name: str, default: int) -> int:
    text = request.query.get(name, [""])[0]
    return int(text) if text.isdigit() else default


def _artist(credit: entities.Credit) -> Json:
    """Return the artist of a track: the first of the credit, as Deezer shows one only."""
    lead = credit[0].artist
    number = shops.number("deezer", "artist", lead.mbid)
    md5 = f"{number:032x}"
    return {
        "id": number,
        "name": lead.name,
        "link": f"https://www.deezer.com/artist/{number}",
        "picture": f"{_API}/artist/{number}/image",
        **{f"picture_{name}": _image("artist", md5, edge) for name, edge in _NAMES.items()},
        "tracklist": f"{_API}/artist/{number}/top?limit=50",
        "type": "artist",
    }


def _guests(credit: entities.Credit) -> str:
    """Return what the title says of guests, since the artist shown is the first alone."""
    return f"(feat. {credit[1].credited})" if len(credit) > 1 and "feat" in credit[0].join else ""


def _image(of: str, md5: str, edge: int) -> str:
    return f"https://cdn-images.dzcdn.net/images/{of}/{md5}/{edge}x{edge}-000000-80-0-0.jpg"


def _date(release: entities.Release) -> str:
    return (release.date + "-01-01")[:10] if release.date else "0000-00-00"


def _kind(path: str) -> str:
    """Name what is asked: "track_search", "album_search", "album_lookup"."""
    parts = path.strip("/").split("/")
    if parts[0] == "search":
        return f"{parts[1] if len(parts) > 1 else 'track'}_search"
    return f"{parts[0]}_lookup" if parts[0] in ("album", "track") else "other"


def _reply(status: int, document: Json, kind: str) -> wire.Reply:
    return wire.Reply(status, _HEADERS, msgspec.json.encode(document), kind)
