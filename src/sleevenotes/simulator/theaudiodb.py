"""TheAudioDB, version 1: searches, and lookups by its own ids and by MBIDs.

Every value is a string or null. A search compares whole names, without regard to case, accents and punctuation, and
finds whatever is under the lead artist's name; a key of the free kind gets the first row of what is found. Nothing
found is null in place of the list, or an empty body with the same status 200, as on the day's share `theaudiodb_empty`.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Mapping
from datetime import datetime
from urllib.parse import urlsplit

import msgspec

from sleevenotes import names
from sleevenotes.simulator import draw, entities, extras, imagehosts, limits, wire
from sleevenotes.simulator.world import World

NAME = "theaudiodb"
FREE_KEYS = frozenset({"123", "2", "1", "195003"})
Row = dict[str, str | None]

_PATH = re.compile(r"/api/v1/json/(?P<key>[^/]+)/(?P<endpoint>[\w-]+)\.php")
_ENVELOPES = {
    "search": "artists",
    "artist": "artists",
    "artist-mb": "artists",
    "searchalbum": "album",
    "album": "album",
    "album-mb": "album",
    "searchtrack": "track",
    "track": "track",
    "track-mb": "track",
}
_HEADERS = {
    "content-type": "application/json",
    "x-powered-by": "PHP/8.1",
    "access-control-allow-origin": "*",
    "cf-cache-status": "DYNAMIC",
    "server": "cloudflare",
}
_LANGUAGES = ("DE", "FR", "CN", "IT", "JP", "RU", "ES", "PT", "SE", "NL", "HU", "NO", "IL", "PL")
_VIDEO_COUNTS = ("Views", "Likes", "Dislikes", "Favorites", "Comments")
_NAMESAKE_OFFSET = 40_000_000
_FIRST_ARTIST, _FIRST_ALBUM, _FIRST_TRACK, _FIRST_NAMESAKE = 111_000, 2_110_000, 32_700_000, 60_000_000


class TheAudioDB:
    """www.theaudiodb.com."""

    name = NAME
    host = "www.theaudiodb.com"
    limit: limits.Limit | None = limits.Limit(30, 60.0)

    def __init__(self, world: World) -> None:
        self._world = world

    def serves(self, host: str) -> bool:
        """Tell whether a host is ours."""
        return host in (self.host, "theaudiodb.com")

    def warm(self) -> None:
        """Build the maps of names."""
        _ = self._tracks, self._albums

    def refuse(self, request: wire.Request) -> wire.Reply:
        """Answer 429, without a word of how long to wait."""
        return _page(429, "Too Many Requests", _kind(request))._replace(quick=True)

    def fail(self, request: wire.Request, share: Mapping[str, float], chance: float) -> wire.Reply | None:
        """Say "nothing found" by an empty body, at the day's share; what is found is answered as ever."""
        if chance >= share.get("theaudiodb_empty", 0.0):
            return None
        reply = self._answer(request)
        return reply._replace(body=b"") if reply.status == 200 and reply.body.endswith(b":null}") else reply

    def answer(self, request: wire.Request, _: datetime) -> wire.Reply:
        """Answer a request."""
        return self._answer(request)

    def _answer(self, request: wire.Request) -> wire.Reply:
        if request.host != self.host:
            moved = {"location": urlsplit(request.url)._replace(scheme="https", netloc=self.host).geturl()}
            return wire.Reply(301, moved, b"", _kind(request))
        asked = _PATH.fullmatch(request.path)
        if not asked or asked["key"] not in FREE_KEYS or asked["endpoint"] not in _ENVELOPES:
            return _page(404, "Not Found", _kind(request))
        given = {name: values[-1].strip() for name, values in request.query.items()}
        rows = self._find(asked["endpoint"], given)[:1]
        body = msgspec.json.encode({_ENVELOPES[asked["endpoint"]]: rows or None})
        return wire.Reply(200, _HEADERS, body, asked["endpoint"])

    # ------------------------------------------------------------ finding

    def _find(self, endpoint: str, given: Mapping[str, str]) -> list[Row]:
        by_id, by_artist = given.get("i", "").lower(), _folded(given.get("s", ""))
        if endpoint in ("search", "artist", "artist-mb"):
            found = self._artists.get(by_artist, []) if endpoint == "search" else self._artist(by_id)
            return [_artist_row(self._world, each) for each in found]
        if endpoint in ("searchalbum", "album", "album-mb"):
            title = _folded(given.get("a", ""))
            album = self._albums.get((by_artist, title), []) if endpoint == "searchalbum" else self._album(given)
            return [self._album_row(each, shown) for each, shown in album]
        tracks = self._searched(given) if endpoint == "searchtrack" else self._track(given)
        return [self._track_row(each) for each in tracks]

    def _searched(self, given: Mapping[str, str]) -> list[entities.Recording]:
        """Return the tracks of those names; of equals, one that is written the very same comes first."""
        title = given.get("t", "")
        found = self._tracks.get((_folded(given.get("s", "")), _folded(title)), [])
        return sorted(found, key=lambda each: each.title.casefold() != title.casefold())

    def _artist(self, wanted: str) -> list[entities.Artist]:
        place = _place(wanted, _FIRST_ARTIST, len(self._world.catalogue.artists))
        found = self._world.catalogue.artists[place] if place >= 0 else None
        found = found or self._world.catalogue.artists_by_mbid.get(wanted)
        if found is None or found.index not in self._known or (wanted == found.mbid and not self._world.knows(found)):
            return []
        return [found]

    def _album(self, given: Mapping[str, str]) -> list[tuple[entities.Group, bool]]:
        """Return albums by an id of theirs or of their artist, each with whether it is a namesake."""
        if artists := self._artist(given.get("i", "")):
            return [(group, False) for group in self._held if group.credit[0].artist is artists[0]]
        group = self._world.catalogue.groups.get(given.get("i", "").lower())
        if group is not None:
            return [(group, False)] if group.mbid in self._places and self._has_mbid(group) else []
        place = _place(given.get("m", ""), _FIRST_ALBUM, len(self._held))
        return [(self._held[place], False)] if place >= 0 else []

    def _track(self, given: Mapping[str, str]) -> list[entities.Recording]:
        recordings = self._world.catalogue.recordings
        if album := _place(given.get("m", ""), _FIRST_ALBUM, len(self._held)) + 1:
            return self._held[album - 1].releases[0].tracks
        place = _place(given.get("h", ""), _FIRST_TRACK, len(recordings))
        if given.get("i"):
            place = self._world.catalogue.recording_rows.get(given["i"].lower(), -1)
            place = place if place >= 0 and self._world.recording(recordings[place].mbid) else -1
        return [recordings[place]] if place >= 0 and self._knows(recordings[place].credit) else []

    # ------------------------------------------------------------ who and what is known

    @functools.cached_property
    def _known(self) -> frozenset[int]:
        return self._world.known.by(NAME)

    def _knows(self, credit: entities.Credit) -> bool:
        return credit[0].artist.index in self._known

    def _has_mbid(self, group: entities.Group) -> bool:
        """Tell whether an album has its MBID here: where MusicBrainz has the album."""
        return self._world.group(group.mbid) is not None

    @functools.cached_property
    def _held(self) -> list[entities.Group]:
        """The albums of those it knows; of various artists, those with somebody it knows."""
        various = self._world.catalogue.various
        return [
            group
            for group in self._world.catalogue.groups.values()
            if self._knows(group.credit)
            or (group.credit[0].artist is various and any(self._knows(t.credit) for t in group.releases[0].tracks))
        ]

    @functools.cached_property
    def _places(self) -> dict[str, int]:
        return {group.mbid: place for place, group in enumerate(self._held)}

    @functools.cached_property
    def _artists(self) -> dict[str, list[entities.Artist]]:
        found: dict[str, list[entities.Artist]] = {}
        for artist in self._world.catalogue.artists:
            if artist.index in self._known:
                found.setdefault(_folded(artist.name), []).append(artist)
        return found

    @functools.cached_property
    def _albums(self) -> dict[tuple[str, str], list[tuple[entities.Group, bool]]]:
        """The albums by artist and title; a namesake's is under the namesake's name, so no search confuses them."""
        found: dict[tuple[str, str], list[tuple[entities.Group, bool]]] = {}
        for group in self._held:
            found.setdefault((_folded(group.credit[0].artist.name), _folded(group.title)), []).append((group, False))
            if other := imagehosts.namesake(self._world, group):
                key = (_folded(other.credit[0].artist.name), _folded(group.title))
                found.setdefault(key, []).append((group, True))
        return found

    @functools.cached_property
    def _tracks(self) -> dict[tuple[str, str], list[entities.Recording]]:
        """The tracks by lead artist and title, the most played first; then those of the artists' namesakes."""
        found: dict[tuple[str, str], list[entities.Recording]] = {}
        world, catalogue = self._world, self._world.catalogue
        ordered = sorted(catalogue.recordings, key=lambda each: catalogue.scores[each.row])
        for recording in ordered:
            if self._knows(recording.credit):
                self._enter(found, recording)
        mean = world.given.coverage[NAME].mean if NAME in world.given.coverage else 0.0
        for recording in ordered:
            for number in range(world.extras.decoys(recording.row)):
                homonym = world.extras.decoy_kind(recording.row, number) == extras.HOMONYM
                if homonym and draw.number(world.seed, NAME, "homonym", recording.mbid, number) < mean:
                    self._enter(found, world.extras.recording(recording.row, extras.FIRST_DECOY + number))
        return found

    @staticmethod
    def _enter(found: dict[tuple[str, str], list[entities.Recording]], recording: entities.Recording) -> None:
        artist = _folded(recording.credit[0].artist.name)
        for title in {_folded(recording.title), _folded(_title(recording))}:
            found.setdefault((artist, title), []).append(recording)

    # ------------------------------------------------------------ rows

    def _album_row(self, group: entities.Group, is_namesake: bool) -> Row:
        shown = imagehosts.namesake(self._world, group) if is_namesake else group
        shown = shown or group
        artist, first = shown.credit[0].artist, _NAMESAKE_OFFSET if is_namesake else 0
        own = not is_namesake and self._has_mbid(group)
        thumb = imagehosts.address(self._world, NAME, group, of_namesake=is_namesake) or None
        return {
            "idAlbum": str(_FIRST_ALBUM + first + self._places[group.mbid]),
            "idArtist": _artist_id(artist),
            "idLabel": None,
            "strAlbum": shown.title,
            "strAlbumStripped": _stripped(shown.title),
            "strArtist": artist.name,
            "strArtistStripped": _stripped(artist.name),
            "intYearReleased": group.first_date[:4] or "0",
            **dict.fromkeys(("strStyle", "strGenre", "strLabel")),
            "strReleaseFormat": group.primary,
            "intSales": "0",
            "strAlbumThumb": thumb,
            **dict.fromkeys(("strAlbumThumbHQ", "strAlbumThumbBack", "strAlbumCDart", "strAlbumSpine")),
            **dict.fromkeys(("strAlbum3DCase", "strAlbum3DFlat", "strAlbum3DFace", "strAlbum3DThumb")),
            "strDescription": "",
            **dict.fromkeys(f"strDescription{language}" for language in _LANGUAGES),
            **dict.fromkeys(("intLoved", "intScore", "intScoreVotes", "strReview", "strMood", "strTheme")),
            **dict.fromkeys(("strSpeed", "strLocation")),
            "strMusicBrainzID": group.mbid if own else None,
            "strMusicBrainzArtistID": artist.mbid if own else None,
            **dict.fromkeys(("strAllMusicID", "strBBCReviewID", "strRateYourMusicID", "strDiscogsID")),
            **dict.fromkeys(("strWikidataID", "strWikipediaID", "strGeniusID", "strLyricWikiID")),
            **dict.fromkeys(("strMusicMozID", "strItunesID", "strAmazonID")),
            "strLocked": "unlocked",
        }

    def _track_row(self, recording: entities.Recording) -> Row:
        artist, release = recording.credit[0].artist, self._on(recording)
        own = artist.index >= 0 and self._world.knows(artist)
        first = _FIRST_NAMESAKE if recording.member >= 0 else _FIRST_TRACK
        album = self._places.get(release.group.mbid)
        number = next((place for place, each in enumerate(release.tracks, 1) if each is recording), None)
        return {
            "idTrack": str(first + recording.row),
            "idAlbum": None if album is None else str(_FIRST_ALBUM + album),
            "idArtist": _artist_id(artist),
            **dict.fromkeys(("idLyric", "idIMVDB")),
            "strTrack": _title(recording),
            "strAlbum": release.group.title,
            "strArtist": artist.name,
            **dict.fromkeys(("strArtistAlternate", "intCD")),
            "intDuration": str(recording.length or 0),
            **dict.fromkeys(("strGenre", "strMood", "strStyle", "strTheme")),
            "strDescription": "",
            **dict.fromkeys(f"strDescription{language}" for language in _LANGUAGES),
            **dict.fromkeys(("strTrackThumb", "strTrack3DCase", "strTrackLyrics", "strMusicVid")),
            **dict.fromkeys(("strMusicVidDirector", "strMusicVidCompany")),
            **dict.fromkeys(f"strMusicVidScreen{place}" for place in (1, 2, 3)),
            **dict.fromkeys(f"intMusicVid{what}" for what in _VIDEO_COUNTS),
            "intTrackNumber": str(number) if number else None,
            **dict.fromkeys(("intLoved", "intScore", "intScoreVotes", "intTotalListeners", "intTotalPlays")),
            "strISRC": recording.isrc or None,
            "strMusicBrainzID": recording.mbid if own else None,
            "strMusicBrainzAlbumID": release.group.mbid if own and self._has_mbid(release.group) else None,
            "strMusicBrainzArtistID": artist.mbid if own else None,
            "strLocked": "unlocked",
        }

    def _on(self, recording: entities.Recording) -> entities.Release:
        return recording.releases[0] if recording.member >= 0 else self._world.catalogue.home(recording.row)


def _artist_row(world: World, artist: entities.Artist) -> Row:
    looks = ("Thumb", "Logo", "Clearart", "WideThumb", "Fanart", "Fanart2", "Fanart3", "Fanart4", "Banner")
    return {
        "idArtist": _artist_id(artist),
        "strArtist": artist.name,
        "strArtistStripped": _stripped(artist.name),
        **dict.fromkeys(("strArtistAlternate", "strLabel", "idLabel")),
        "intFormedYear": str(artist.begin),
        **dict.fromkeys(("intBornYear", "intDiedYear", "strDisbanded", "strStyle", "strGenre", "strMood")),
        **dict.fromkeys(("strWebsite", "strFacebook", "strTwitter")),
        "strBiography": "",
        **dict.fromkeys(f"strBiography{language}" for language in _LANGUAGES),
        **dict.fromkeys(("strGender", "intMembers", "strCountry")),
        "strCountryCode": artist.country,
        **dict.fromkeys(f"strArtist{look}" for look in looks),
        "strArtistThumb": imagehosts.portrait(world, artist) or None,
        "strMusicBrainzID": artist.mbid if world.knows(artist) else None,
        **dict.fromkeys(("strISNIcode", "strLastFMChart")),
        "intCharted": "0",
        "strLocked": "unlocked",
    }


def _artist_id(artist: entities.Artist) -> str:
    if artist.index >= 0:
        return str(_FIRST_ARTIST + artist.index)
    return str(_FIRST_NAMESAKE + int(30_000_000 * draw.number(NAME, artist.mbid)))


def _title(recording: entities.Recording) -> str:
    """Return a title as it stands there: guests are not part of one."""
    return names.split_guests(recording.title)[0]


def _place(text: str, first: int, count: int) -> int:
    """Return the place that one of our ids stands for, -1 for any other text."""
    place = int(text) - first if text.isascii() and text.isdigit() else -1
    return place if 0 <= place < count else -1


@functools.lru_cache(maxsize=200_000)
def _folded(text: str) -> str:
    """Fold as its database compares: no case, no accents, no punctuation where anything else is left."""
    plain = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c)).casefold()
    return " ".join(_stripped(plain).split()) or plain.strip()


def _stripped(text: str) -> str:
    return "".join(c for c in text if c.isalnum() or c.isspace())


def _kind(request: wire.Request) -> str:
    asked = _PATH.fullmatch(request.path)
    return asked["endpoint"] if asked and asked["endpoint"] in _ENVELOPES else "other"


def _page(status: int, title: str, kind: str) -> wire.Reply:
    body = f"<!DOCTYPE html>\n<html><head><title>{status} {title}</title></head><body><h1>{title}</h1></body></html>\n"
    return wire.Reply(status, {"content-type": "text/html; charset=UTF-8", "server": "cloudflare"}, body.encode(), kind)
