"""Last.fm: track, album and artist.getInfo by names as they are written, its listeners, its odd statuses and ids.

Artists' MBIDs are right in 99 of 100, albums' and tracks' mostly missing, old or somebody else's. An album without a
cover has the placeholder's address or an empty text. What is not there is error 6, with status 200 or 404.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from urllib.parse import quote_plus

import msgspec

from sleevenotes.simulator import draw, entities, ids, imagehosts, lastfm_listeners, limits, people, wire
from sleevenotes.simulator.world import World

Json = dict[str, Any]

REFUSED_KEY: Final = "invalid"
_HOST: Final = "https://lastfm.freetls.fastly.net/i/u"
_SIZES: Final = {"small": 34, "medium": 64, "large": 174, "extralarge": 300, "mega": 300, "": 300}
_HEADERS: Final = {
    "server": "openresty/1.9.7.5",
    "content-type": "application/json; charset=UTF-8",
    "access-control-request-headers": "Origin, X-Atmosphere-tracking-id, X-Atmosphere-Framework, X-Cache-Date, Content-Type, X-Atmosphere-Transport, *",  # noqa: E501 - the service's own words
    "access-control-allow-methods": "POST, GET, OPTIONS",
    "access-control-allow-origin": "*",
    "access-control-max-age": "86400",
    "via": "1.1 google",
}
_ERRORS: Final = {
    4: (403, "Authentication Failed - You do not have permissions to access the service"),
    9: (403, "Invalid session key - Please re-authenticate"),
    13: (403, "Invalid method signature supplied"),
    14: (403, "Unauthorized Token - This token has not been authorized"),
    15: (403, "This token has expired"),
    17: (403, "Login: User required to be logged in"),
    3: (400, "Invalid Method - No method with that name in this package"),
    6: (404, "Invalid parameters - Your request is missing a required parameter"),
    8: (500, "Operation failed - Most likely the backend service failed. Please try again."),
    10: (403, "Invalid API key - You must be granted a valid key by last.fm"),
    11: (503, "Service Offline - This service is temporarily offline. Try again later."),
    16: (503, "The service is temporarily unavailable, please try again."),
    26: (403, "Suspended API key - Access for your account has been suspended, please contact Last.fm"),
    29: (
        429,
        "Rate Limit Exceded - Your IP has made too many requests in a short period, exceeding our API guidelines",
    ),
}
_FAULTS: Final = (8, 11, 16, 26, 29)


class LastFm:
    """ws.audioscrobbler.com, and of www.last.fm the page on which an application is let in."""

    name = "lastfm"
    host = "ws.audioscrobbler.com"
    # Its terms say five a second over five minutes; here they hold for every second.
    limit: limits.Limit | None = limits.Limit(5, 1.0)

    def __init__(self, world: World, everybody: people.People) -> None:
        self._world = world
        self.listeners = lastfm_listeners.Listeners(world, everybody)
        self._tracks: dict[tuple[str, str], int] = {}
        self._albums: dict[tuple[str, str], entities.Release] = {}
        self._artists: dict[str, entities.Artist] = {}

    def serves(self, host: str) -> bool:
        """Tell whether a host is ours."""
        return host in (self.host, "www.last.fm")

    def warm(self) -> None:
        """Gather the names."""
        if self._tracks:
            return
        catalogue = self._world.catalogue
        self._artists = {_fold(artist.name): artist for artist in reversed(catalogue.artists)}
        for recording in sorted(catalogue.recordings, key=lambda each: catalogue.scores[each.row]):
            self._tracks.setdefault((_fold(entities.printed(recording.credit)), _fold(recording.title)), recording.row)
        for release in catalogue.releases.values():
            artist = _fold(entities.printed(release.credit))
            self._albums.setdefault((artist, _fold(release.title)), release)
            self._albums.setdefault((artist, _fold(release.group.title)), release)

    def refuse(self, request: wire.Request) -> wire.Reply:
        """Answer error 29, with the status it has today."""
        return _error(29, _kind(request))._replace(quick=True)

    def fail(self, request: wire.Request, share: Mapping[str, float], chance: float) -> wire.Reply | None:
        """Answer an error of its own at the rate of `lastfm_error N`, with status 200 as of old; 16 when shedding."""
        if chance < share.get("lastfm_shed", 0.0):
            return _error(16, _kind(request))._replace(quick=True)
        for code in _FAULTS:
            if chance < share.get(f"lastfm_error {code}", 0.0):
                return _error(code, _kind(request))._replace(status=200, quick=True)
        return None

    def answer(self, request: wire.Request, now: datetime) -> wire.Reply:
        """Answer a request."""
        if request.path.rstrip("/") == "/api/auth":
            return self.listeners.confirm(request, now)
        kind, given = _kind(request), lastfm_listeners.given(request)
        if request.path.rstrip("/") != "/2.0":
            return wire.Reply(404, {"content-type": "text/html"}, b"<h1>404 Not Found</h1>\n", kind)
        if given.get("format") != "json":
            return wire.Reply(406, {"content-type": "text/plain"}, b"The simulator speaks JSON only.\n", kind)
        if given.get("api_key", REFUSED_KEY) in ("", REFUSED_KEY):
            return _error(10, kind)
        if kind in ("user", "auth", "submit"):
            return self._of_listeners(kind, given, now)
        self.warm()
        answers = {"track": self._track, "album": self._album, "artist": self._artist}
        return answers[kind](given) if kind in answers else _error(3, kind)

    def _of_listeners(self, kind: str, given: Mapping[str, str], now: datetime) -> wire.Reply:
        try:
            return _answer(200, self.listeners.methods[given["method"].lower()](given, now), kind)
        except lastfm_listeners.Failed as failed:
            return _error(failed.code, kind)

    # ------------------------------------------------------------ artists

    def _artist(self, given: Mapping[str, str]) -> wire.Reply:
        """Answer by the name; by an MBID it hardly ever knows anybody."""
        if not given.get("artist"):
            return _error(6, "artist")
        artist = self._artists.get(_fold(given["artist"]))
        if artist is None or artist.index not in self._world.known.by(self.name):
            return _missing("The artist you supplied could not be found", "artist", given["artist"])
        listeners = draw.Dice(self._world.seed, "lastfm listeners", artist.mbid).between(50, 5_000_000)
        star = [
            {"size": size, "#text": f"{_HOST}/{'300x300' if edge == 300 else f'{edge}s'}/{imagehosts.STAR}.png"}
            for size, edge in _SIZES.items()
        ]
        document: Json = {
            "name": artist.name,
            "url": _page(artist.name),
            **self._artist_mbid((entities.Name(artist, artist.name),)),
            "image": star,
            "streamable": "0",
            "ontour": "0",
            "stats": {"listeners": str(listeners), "playcount": str(listeners * 12)},
            "similar": {"artist": []},
            "tags": {"tag": []},
            "bio": {
                "links": {"link": {"#text": "", "rel": "original", "href": f"{_page(artist.name)}/+wiki"}},
                "published": "01 Jan 1970, 00:00",
                "summary": "",
                "content": "",
            },
        }
        return _answer(200, {"artist": document}, "artist")

    # ------------------------------------------------------------ tracks

    def _track(self, given: Mapping[str, str]) -> wire.Reply:
        if not given.get("artist") or not given.get("track"):
            return _error(6, "track")
        row = self._tracks.get((_fold(given["artist"]), _fold(given["track"])))
        recording = self._world.catalogue.recordings[row] if row is not None else None
        if recording is None or not self._knows(recording.credit):
            return _missing("Track not found", "track", given["artist"], given["track"])
        return _answer(200, {"track": self._track_document(recording)}, "track")

    def _track_document(self, recording: entities.Recording) -> Json:
        artist, dice = entities.printed(recording.credit), draw.Dice(self._world.seed, "lastfm", recording.mbid)
        listeners = dice.between(50, 2_000_000)
        document: Json = {
            "name": recording.title,
            "url": _page(artist, "_", recording.title),
            # In whole seconds; and one in twelve unknown though somebody knows it
            "duration": "0" if dice.chance(0.08) else str((recording.length or 0) // 1000 * 1000),
            "streamable": {"#text": "0", "fulltrack": "0"},
            "listeners": str(listeners),
            "playcount": str(listeners * dice.between(2, 12)),
            "artist": {"name": artist, "url": _page(artist), **self._artist_mbid(recording.credit)},
            "toptags": {"tag": []},
        }
        if dice.chance(0.5):
            right = dice.chance(0.2)
            document["mbid"] = recording.mbid if right else self._world.merged_recording(recording.mbid)
        if not dice.chance(0.08):
            home = self._world.catalogue.home(recording.row)
            release = dice.pick(recording.releases) if dice.chance(0.06) else home
            document["album"] = self._tracks_album(release, recording, dice)
        return document

    def _tracks_album(self, release: entities.Release, recording: entities.Recording, dice: draw.Dice) -> Json:
        artist = entities.printed(release.credit)
        document: Json = {
            "artist": artist,
            "title": release.title,
            "url": _page(artist, release.title),
            "image": self._images(release.group)[:4],
        }
        if dice.chance(0.6):
            document["mbid"] = self._album_mbid(release)
            document["@attr"] = {"position": str(release.tracks.index(recording) + 1)}
        return document

    # ------------------------------------------------------------ albums

    def _album(self, given: Mapping[str, str]) -> wire.Reply:
        if not given.get("artist") or not given.get("album"):
            return _error(6, "album")
        release = self._albums.get((_fold(given["artist"]), _fold(given["album"])))
        if release is None or not self._knows(release.credit):
            return _missing("Album not found", "album", given["artist"], given["album"])
        return _answer(200, {"album": self._album_document(release)}, "album")

    def _album_document(self, release: entities.Release) -> Json:
        artist, dice = entities.printed(release.credit), draw.Dice(self._world.seed, "lastfm album", release.mbid)
        listeners = dice.between(50, 1_000_000)
        tracks = [
            {
                "name": track.title,
                "url": _page(artist, "_", track.title),
                "duration": track.length // 1000 if track.length else None,
                "streamable": {"#text": "0", "fulltrack": "0"},
                "artist": {"name": entities.printed(track.credit), "url": _page(entities.printed(track.credit))},
                "@attr": {"rank": place},
            }
            for place, track in enumerate(release.tracks, 1)
        ]
        document: Json = {
            "artist": artist,
            "name": release.title,
            "url": _page(artist, release.title),
            "image": self._images(release.group),
            "listeners": str(listeners),
            "playcount": str(listeners * dice.between(4, 60)),
            "tags": "" if dice.chance(0.4) else {"tag": [{"name": "rock", "url": "https://www.last.fm/tag/rock"}]},
            "tracks": {"track": tracks[0] if len(tracks) == 1 else tracks},
        }
        return document | ({"mbid": self._album_mbid(release)} if dice.chance(0.6) else {})

    def _images(self, group: entities.Group) -> list[Json]:
        """Return the cover in six sizes; without one, the placeholder, or for some no address at all."""
        token = imagehosts.md5(self._world, self.name, group)
        bare = not token and draw.number(self._world.seed, "lastfm bare", group.mbid) < 0.5
        found = []
        for size, edge in _SIZES.items():
            address = imagehosts.address(self._world, self.name, group, edge=edge)
            star = f"{_HOST}/{'300x300' if edge == 300 else f'{edge}s'}/{imagehosts.STAR}.png"
            found.append({"size": size, "#text": "" if bare else address or star})
        return found

    # ------------------------------------------------------------ who and what

    def _knows(self, credit: entities.Credit) -> bool:
        lead = credit[0].artist
        return lead is self._world.catalogue.various or lead.index in self._world.known.by(self.name)

    def _artist_mbid(self, credit: entities.Credit) -> Json:
        """Return the artist's id: none of a joint credit, which is one artist there, and one in a hundred wrong."""
        if len(credit) > 1:
            return {}
        artist = credit[0].artist
        wrong = draw.number(self._world.seed, "lastfm artist", artist.mbid) < 0.01
        return {"mbid": ids.plain("lastfm artist", artist.mbid) if wrong else artist.mbid}

    def _album_mbid(self, release: entities.Release) -> str:
        """Return the release's id in two of five; else one that no longer leads anywhere."""
        right = draw.number(self._world.seed, "lastfm release", release.mbid) < 0.4
        return release.mbid if right else ids.plain("lastfm release", release.mbid)


def _fold(text: str) -> str:
    return " ".join(text.lower().split())


def _page(*parts: str) -> str:
    return "https://www.last.fm/music/" + "/".join(quote_plus(part, safe="()") for part in parts)


def _kind(request: wire.Request) -> str:
    """Name what is asked: "track", "album", "artist", "user", "auth", "other"."""
    return _KINDS.get(lastfm_listeners.given(request).get("method", "").lower(), "other")


_KINDS: Final = {
    "track.getinfo": "track",
    "album.getinfo": "album",
    "artist.getinfo": "artist",
    "user.getrecenttracks": "user",
    "user.getlovedtracks": "user",
    "auth.gettoken": "auth",
    "auth.getsession": "auth",
    "track.scrobble": "submit",
    "track.updatenowplaying": "submit",
}


def _missing(message: str, kind: str, *names: str) -> wire.Reply:
    """Answer that it is not there: half of the replies with 404 as of late, half with 200 as of old."""
    status = 404 if draw.number("lastfm status", *names) < 0.5 else 200
    return _answer(status, {"error": 6, "message": message, "links": []}, kind)


def _error(code: int, kind: str) -> wire.Reply:
    status, message = _ERRORS[code]
    return _answer(status, {"error": code, "message": message, "links": []}, kind)


def _answer(status: int, document: Json, kind: str) -> wire.Reply:
    return wire.Reply(status, _HEADERS, msgspec.json.encode(document), kind)
