"""Deezer: tracks with ISRC and album, and covers of up to 1000 px; no key.

Every error comes with status 200 and says what it is by a code: 4 is the quota (50 requests in 5 s), 800 "no data".
A plain "artist title" finds more than its field syntax does. https://developers.deezer.com/api/search
"""

from __future__ import annotations

import urllib.parse
from collections.abc import Sequence
from typing import Final

import msgspec

from sleevenotes import errors, model
from sleevenotes.sources import contract, covers, shops
from sleevenotes.sources.own_ids import SourceId, is_near

_API: Final = "https://api.deezer.com"
_SITE: Final = "https://www.deezer.com"
_ROWS: Final = 25
_QUOTA: Final = 4
_NO_DATA: Final = 800
_SYNTAX: Final = str.maketrans(dict.fromkeys('":', " "))  # what would make a plain query one of fields
_EDGE: Final = 1000


class _Error(msgspec.Struct):
    message: str = ""
    code: int = 0


class _Artist(msgspec.Struct):
    id: int
    name: str


class _Cover(msgspec.Struct):
    id: int
    title: str
    cover_xl: str | None = ""

    @property
    def foreign_id(self) -> str:
        return f"deezer:{self.id}"

    @property
    def page(self) -> str:
        return f"{_SITE}/album/{self.id}"


class _Album(_Cover):
    artist: _Artist | None = None


class _Track(msgspec.Struct):
    id: int
    title: str
    artist: _Artist
    album: _Cover | None = None
    duration: int = 0  # seconds
    isrc: str = ""


class _Reply(msgspec.Struct):
    error: _Error | str | None = None


class _Tracks(msgspec.Struct):
    data: list[_Track]


class _Albums(msgspec.Struct):
    data: list[_Album]


class Deezer:
    """A streaming service's catalogue."""

    name = "deezer"
    policy = contract.Policy(
        host="api.deezer.com",
        called="Deezer",
        requests=50,
        window=5.4,  # 5 s are stated; 8 % more, for jitter
        parallel=6,
        together=1,
        timeout=15.0,
        answers=(contract.FindRecording, contract.FindByIsrc, contract.FindImages),
        ids=("recording", "release_group", "artist"),
    )

    def request(self, questions: Sequence[contract.Question]) -> contract.Request:
        """Search for one name among the tracks, or for one album, or look one track up by its ISRC."""
        question = questions[0]
        if isinstance(question, contract.FindRecording):
            return _search("track", question.artist, question.track)
        if isinstance(question, contract.FindByIsrc):
            return contract.Request(f"{_API}/track/isrc:{urllib.parse.quote(question.isrc, safe='')}")
        if isinstance(question, contract.FindImages):
            return _search("album", question.artist, question.release)
        raise TypeError(f"Deezer cannot answer {question!r}")

    def read(self, questions: Sequence[contract.Question], reply: contract.Reply) -> list[contract.Answer]:
        """Answer with the tracks or the covers that were found, in Deezer's order."""
        contract.refuse_faults("Deezer", reply)
        if _is_nothing(reply):
            return [contract.ABSENT]
        if reply.status != 200:
            raise errors.Unreachable(f"Deezer answered {reply.status}")
        if isinstance(questions[0], contract.FindByIsrc):
            track = contract.read_json("Deezer", reply, _Track)
            return [contract.Answer((_candidate(track, _ids(track)),))]
        if isinstance(questions[0], contract.FindRecording):
            tracks, asked = contract.read_json("Deezer", reply, _Tracks).data, questions[0].track
            return [contract.Answer(shops.merge(_candidate(each, _ids(each, asked)) for each in tracks))]
        albums = contract.read_json("Deezer", reply, _Albums).data
        images = tuple(image for album in albums for image in _images(album, album.artist))
        return [contract.Answer(images, albums=_albums(albums, questions[0]))]


def _search(entity: str, artist: str, title: str) -> contract.Request:
    words = " ".join(shops.term(artist, title).translate(_SYNTAX).split())
    return contract.Request(f"{_API}/search/{entity}?{urllib.parse.urlencode({'q': words, 'limit': _ROWS})}")


def _is_nothing(reply: contract.Reply) -> bool:
    """Tell whether Deezer says "no data"; raises the fault where it says anything else is wrong."""
    error = contract.read_json("Deezer", reply, _Reply).error
    if error is None:
        return False
    code, message = (error.code, error.message) if isinstance(error, _Error) else (reply.status, error)
    if code == _NO_DATA:
        return True
    if code == _QUOTA:
        raise errors.Throttled("Deezer says we ask too fast", retry_after=contract.retry_after(reply) or 5.0)
    raise errors.Unreachable(f"Deezer answered error {code}: {message[:200]}")


def _candidate(track: _Track, ids: tuple[SourceId, ...]) -> contract.RecordingCandidate:
    recording = model.Recording(
        mbid="",
        title=track.title,
        artist_credit=shops.credit(track.artist.name, f"deezer:{track.artist.id}"),
        length_ms=track.duration * 1000 or None,
        isrcs=(track.isrc.upper(),) if track.isrc else (),
        foreign_id=f"deezer:{track.id}",
    )
    if track.album is None:
        return contract.RecordingCandidate(recording, ids=ids)
    release = shops.release(track.album.title, track.album.foreign_id)
    return contract.RecordingCandidate(recording, (release,), images=_images(track.album, track.artist), ids=ids)


def _ids(track: _Track, asked: str | None = None) -> tuple[SourceId, ...]:
    """Return Deezer's ids of a track, its album and its artist; none of one that is not what was asked for."""
    if asked is not None and not is_near(asked, track.title):
        return ()
    own = SourceId("recording", str(track.id), track.title, page=f"{_SITE}/track/{track.id}")
    return (own, *(_album_ids(track.album, track.artist) if track.album else (_artist_id(track.artist),)))


def _albums(albums: Sequence[_Album], asked: contract.Question) -> tuple[tuple[SourceId, ...], ...]:
    if not isinstance(asked, contract.FindImages):
        return ()
    return tuple(
        _album_ids(album, album.artist) for album in albums if album.artist and is_near(asked.release, album.title)
    )


def _album_ids(album: _Cover, by: _Artist) -> tuple[SourceId, ...]:
    return SourceId("release_group", str(album.id), album.title, by.name, page=album.page), _artist_id(by)


def _artist_id(artist: _Artist) -> SourceId:
    return SourceId("artist", str(artist.id), artist.name, page=f"{_SITE}/artist/{artist.id}")


def _images(album: _Cover, by: _Artist | None) -> tuple[contract.ImageAt, ...]:
    """Return an album's cover; none where the address has an empty hash, at which a silhouette lies."""
    url = album.cover_xl or ""
    if not url or covers.is_placeholder(url):
        return ()
    return (contract.ImageAt(url, by.name if by else "", album.title, _EDGE, _EDGE, page=album.page),)
