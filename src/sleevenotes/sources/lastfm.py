"""Last.fm: what its listeners call a track, the covers they have given its albums, and how many listen to an artist.

Its artists' MBIDs are right nearly always, its albums' and tracks' mostly not: those are left unread. It has a page for
whatever anybody ever scrobbled, so that it knows a name tells little; asked with autocorrect off, it at least answers
what was asked. Errors are told by the body: error 6 comes with 200, 400 or 404, error 29 with 200 or 429.
https://www.last.fm/api/show/track.getInfo, …/album.getInfo, …/errorcodes
"""

from __future__ import annotations

import re
import urllib.parse
from collections.abc import Sequence
from typing import Final, NoReturn, TypeVar

import msgspec

from sleevenotes import errors, model, names
from sleevenotes.sources import contract
from sleevenotes.sources.own_ids import Of, SourceId

BASE: Final = "https://ws.audioscrobbler.com/2.0/"
_IMAGES: Final = "https://lastfm.freetls.fastly.net/i/u"
STAR: Final = "2a96cbd8b46e442fc41c2b86b821562f"  # the image of no image
_IMAGE: Final = re.compile(r"/i/u/(?:[^/]+/)?(?P<hash>[0-9a-f]{32})\.(?P<extension>\w+)$")
_MBID: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_PAGE: Final = re.compile(r"^https?://www\.last\.fm/(?:\w\w/)?music/(?P<path>.+)$")
_VARIOUS: Final = ("various artists", "89ad4ac3-39f7-470e-963a-56509c546377")  # MusicBrainz' own id of them

_NOT_FOUND: Final = 6
_TOO_FAST: Final = 29
_PASSING: Final = {8: "failed", 11: "is offline", 16: "is unavailable for the moment"}
_KEY_REFUSED: Final = {10: "does not know the key", 26: "has suspended the key"}

Told = TypeVar("Told")


class LastFm:
    """Track and album information; needs an API key."""

    name = "lastfm"
    policy = contract.Policy(
        host="ws.audioscrobbler.com",
        called="Last.fm",
        # Five a second on average is what its terms allow; it is kept within each second, with 8 % for jitter.
        requests=5,
        window=1.08,
        parallel=5,
        together=1,
        timeout=15.0,
        answers=(contract.FindRecording, contract.FindImages, contract.FindArtist),
        ids=("recording", "release_group", "artist"),
        needs="lastfm_key",
        credit="Powered by AudioScrobbler (Last.fm)",
    )

    def __init__(self, key: str = "") -> None:
        self._key = key

    def request(self, questions: Sequence[contract.Question]) -> contract.Request:
        """Ask for a track, an album or an artist, by its names."""
        match questions[0]:
            case contract.FindRecording(artist, track):
                asked = {"method": "track.getInfo", "artist": artist, "track": track}
            case contract.FindImages(artist, release):
                asked = {"method": "album.getInfo", "artist": artist, "album": release}
            case contract.FindArtist(artist):  # by its MBID it often has nothing that it has by the name
                asked = {"method": "artist.getInfo", "artist": artist}
            case other:
                raise TypeError(f"Last.fm cannot answer {other!r}")
        query = urllib.parse.urlencode({**asked, "autocorrect": "0", "api_key": self._key, "format": "json"})
        return contract.Request(f"{BASE}?{query}")

    def read(self, questions: Sequence[contract.Question], reply: contract.Reply) -> list[contract.Answer]:
        """Answer with the track, with the album's cover, or with the artist."""
        told = decode(_reply, reply)
        if told.error == _NOT_FOUND:
            return [contract.ABSENT]
        if told.error is not None:
            refuse(told.error, reply)
        contract.refuse_faults("Last.fm", reply)
        asked = {contract.FindRecording: told.track, contract.FindImages: told.album, contract.FindArtist: told.artist}
        wanted = next((found for kind, found in asked.items() if isinstance(questions[0], kind)), None)
        if reply.status != 200 or wanted is None:
            raise errors.Garbled(f"Last.fm answered {reply.status}, and not what was asked", body=reply.body)
        albums = (_album_ids(wanted),) if isinstance(wanted, _Album) else ()
        return [contract.Answer(_candidates(wanted), albums=albums)]


# ---------------------------------------------------------------- its JSON


class _Image(msgspec.Struct):
    url: str = msgspec.field(name="#text", default="")
    size: str = ""


class _Stats(msgspec.Struct, frozen=True):
    listeners: str | int = ""


class _Artist(msgspec.Struct):
    name: str
    mbid: str = ""
    url: str = ""
    stats: _Stats = _Stats()


class _Album(msgspec.Struct):
    """An album by itself (`name`), or the one of a track (`title`)."""

    artist: str
    name: str = ""
    title: str = ""
    url: str = ""
    image: list[_Image] | str = ""  # "" is how empty lists are told at times

    @property
    def called(self) -> str:
        return self.name or self.title


class _Track(msgspec.Struct):
    name: str
    artist: _Artist
    url: str = ""
    duration: str | int = "0"  # ms; 0 is unknown
    album: _Album | None = None


class _Reply(msgspec.Struct):
    error: int | None = None
    track: _Track | None = None
    album: _Album | None = None
    artist: _Artist | None = None


_reply = msgspec.json.Decoder(_Reply)


def decode(decoder: msgspec.json.Decoder[Told], reply: contract.Reply) -> Told:
    """Read a body of any status; where it is not Last.fm's JSON, the status says what went wrong."""
    try:
        return decoder.decode(reply.body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        contract.refuse_faults("Last.fm", reply)
        raise errors.Garbled(f"Last.fm's reply cannot be read: {error}", body=reply.body) from error


def refuse(code: int, reply: contract.Reply) -> NoReturn:
    """Raise what an error of Last.fm's means that is no answer."""
    if code == _TOO_FAST:
        raise errors.Throttled("Last.fm says we ask too fast", retry_after=contract.retry_after(reply))
    if code in _KEY_REFUSED:
        raise errors.Unconfigured(f"Last.fm {_KEY_REFUSED[code]}: set `lastfm_key` to a valid one")
    if code in _PASSING:
        raise errors.Unreachable(f"Last.fm {_PASSING[code]} (error {code})")
    contract.refuse_faults("Last.fm", reply)
    raise errors.Garbled(f"Last.fm answered with error {code}, which is no answer to our question", body=reply.body)


# ---------------------------------------------------------------- into our nouns


def _candidates(told: _Track | _Album | _Artist) -> tuple[contract.Candidate, ...]:
    match told:
        case _Track():
            return _recording(told)
        case _Album():
            return _images(told)
        case _Artist():
            return (_artist(told),)


def _artist(told: _Artist) -> contract.ArtistCandidate:
    """Return the artist without its pictures: they are the star, whoever it is."""
    mbid, listeners = told.mbid.lower(), str(told.stats.listeners)
    return contract.ArtistCandidate(
        told.name,
        mbid if _MBID.fullmatch(mbid) else "",
        listeners=int(listeners) if listeners.isdecimal() else None,
        page=told.url,
        ids=_own("artist", told.url, told.name),
    )


def _recording(told: _Track) -> tuple[contract.RecordingCandidate, ...]:
    mbid = told.artist.mbid.lower()
    trusted = mbid if _MBID.fullmatch(mbid) else ""
    page = "" if trusted else _id(told.artist.url, told.artist.name)
    credit = model.ArtistCredit((model.ArtistCreditName(trusted, told.artist.name, foreign_id=page),))
    recording = model.Recording(
        mbid="",
        title=told.name,
        artist_credit=credit,
        length_ms=_milliseconds(told.duration),
        foreign_id=_id(told.url, told.artist.name, "_", told.name),
    )
    album = told.album
    ids = (*_own("recording", told.url, told.name), *_own("artist", told.artist.url, told.artist.name))
    if album is None or not album.called:
        return (contract.RecordingCandidate(recording, ids=ids),)
    ids = (*ids, *_album_ids(album))
    return (contract.RecordingCandidate(recording, (_release(album, credit),), images=_images(album), ids=ids),)


def _album_ids(told: _Album) -> tuple[SourceId, ...]:
    return _own("release_group", told.url, told.called, told.artist)


def _own(of: Of, url: str, name: str, by: str = "") -> tuple[SourceId, ...]:
    """Return the id that a thing's page is: "Radiohead/OK+Computer"; none where no page of Last.fm's is told."""
    page = _PAGE.match(url)
    return (SourceId(of, page["path"], name, by, page=url),) if page else ()


def _release(told: _Album, credit: model.ArtistCredit) -> model.Release:
    """Return the album as both release and group: Last.fm tells no editions apart."""
    own = _id(told.url, told.artist, told.called)
    group = model.ReleaseGroup("", told.called, foreign_id=own)
    return model.Release("", told.called, group, artist_credit=_album_credit(told.artist, credit), foreign_id=own)


def _album_credit(name: str, credit: model.ArtistCredit) -> model.ArtistCredit | None:
    if not name or name == credit.name:
        return None
    if names.fold(name) == _VARIOUS[0]:
        return model.ArtistCredit((model.ArtistCreditName(_VARIOUS[1], name),))
    return model.ArtistCredit((model.ArtistCreditName("", name, foreign_id=_id("", name)),))


def _images(told: _Album) -> tuple[contract.ImageAt, ...]:
    """Return the cover's original, of whatever size, and its largest reduced copy; none for the placeholder."""
    sizes = [] if isinstance(told.image, str) else told.image
    file = next((file for image in reversed(sizes) if (file := image_file(image.url))), "")
    if not file:
        return ()
    return (
        contract.ImageAt(f"{_IMAGES}/{file}", told.artist, told.called, page=told.url),
        contract.ImageAt(f"{_IMAGES}/300x300/{file}", told.artist, told.called, 300, 300, page=told.url),
    )


def image_file(url: str) -> str:
    """Return the file's name in an image's address, the same for every size; "" for the placeholder and others."""
    found = _IMAGE.search(url)
    return "" if found is None or found["hash"] == STAR else f"{found['hash']}.{found['extension']}"


def _id(url: str, *parts: str) -> str:
    """Name a thing by its page at Last.fm: "lastfm:Radiohead/OK+Computer"; without an address, as that would be."""
    page = _PAGE.match(url)
    return "lastfm:" + (page["path"] if page else "/".join(urllib.parse.quote_plus(part) for part in parts))


def _milliseconds(text: str | int) -> int | None:
    told = str(text)
    return int(told) or None if told.isdecimal() else None
