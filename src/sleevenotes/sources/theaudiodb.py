"""TheAudioDB, version 1: recordings with their MBIDs, covers of albums, and pictures of artists.

Protocol facts: https://www.theaudiodb.com/free_music_api. Every value is a string or null, numbers too, and "0" is an
unknown one. Nothing found is null in place of the list, or an empty body, both with status 200. The free key gets one
row at most. A search takes names as they stand in its catalogue, where guests are no part of them. A note of the
mastering stays in a track's title: with one row to see, another mastering's could not be told from the one meant.
"""

from __future__ import annotations

import re
import urllib.parse
from collections.abc import Mapping, Sequence
from typing import Final

from sleevenotes import errors, model, names
from sleevenotes.sources import contract
from sleevenotes.sources.own_ids import SourceId

_NAME: Final = "TheAudioDB"
_SITE: Final = "https://www.theaudiodb.com"
_FREE_KEYS: Final = frozenset({"123", "2", "1", "195003"})  # anybody's, of today and of before
_A_MINUTE: Final = 60.0  # to wait when told to slow down; it does not say for how long
_MBID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_OWN_SITE: Final = re.compile(r"^https?://(?:www\.)?theaudiodb\.com/")

Row = Mapping[str, object]


class TheAudioDB:
    """A catalogue kept by its users, good for what is widely known. `key` is part of the address: it stays there."""

    name = "theaudiodb"

    def __init__(self, key: str = "123") -> None:
        self._base = f"{_SITE}/api/v1/json/{urllib.parse.quote(key, safe='')}"
        self.policy = contract.Policy(
            host="www.theaudiodb.com",
            called="TheAudioDB",
            requests=30 if key in _FREE_KEYS else 100,
            window=64.0,  # a minute, and 7 % for jitter
            parallel=4,
            together=1,
            timeout=20.0,
            answers=(contract.FindRecording, contract.FindImages, contract.FindArtist),
            by_mbid=True,
            ids=("recording", "release_group", "artist"),
            needs="theaudiodb_key",
            credit="Data provided by TheAudioDB.com",
        )

    def request(self, questions: Sequence[contract.Question]) -> contract.Request:
        """Search for a track; look an album up by its release group's MBID, or search for it where that is unknown."""
        match questions[0]:
            case contract.FindRecording(artist, track):
                return self._ask("searchtrack", s=names.split_guests(artist)[0], t=names.split_guests(track)[0])
            case contract.FindImages(artist, release, ""):
                return self._ask("searchalbum", s=names.split_guests(artist)[0], a=names.plain(release))
            case contract.FindImages(release_group_mbid=mbid):
                return self._ask("album-mb", i=mbid.lower())
            case contract.FindArtist(artist, ""):
                return self._ask("search", s=artist)
            case contract.FindArtist(artist_mbid=mbid):
                return self._ask("artist-mb", i=mbid.lower())
            case other:
                raise ValueError(f"{_NAME} cannot answer {other!r}")

    def read(self, questions: Sequence[contract.Question], reply: contract.Reply) -> list[contract.Answer]:
        """Answer with recordings, with covers or with artists."""
        question = questions[0]
        if isinstance(question, contract.FindArtist):
            return [contract.Answer(tuple(_artist(row) for row in _rows(reply, "artists") if _text(row, "strArtist")))]
        if isinstance(question, contract.FindRecording):
            return [contract.Answer(tuple(_recording(row) for row in _rows(reply, "track") if _text(row, "strTrack")))]
        asked = question.release_group_mbid.lower() if isinstance(question, contract.FindImages) else ""
        albums = _rows(reply, "album")
        covers = tuple(_cover(row, asked) for row in albums if _address(row))
        return [contract.Answer(covers, albums=tuple(_album_ids(row) for row in albums if _text(row, "idAlbum")))]

    def _ask(self, endpoint: str, **parameters: str) -> contract.Request:
        return contract.Request(f"{self._base}/{endpoint}.php?{urllib.parse.urlencode(parameters)}")


# ---------------------------------------------------------------- the envelope


def _rows(reply: contract.Reply, envelope: str) -> list[Row]:
    """Return what was found; raises Fault for anything that is no answer."""
    if reply.status == 429:
        wait = contract.retry_after(reply)
        raise errors.Throttled(f"{_NAME} answered 429", retry_after=_A_MINUTE if wait is None else wait)
    contract.refuse_faults(_NAME, reply)
    if reply.status == 404:
        raise errors.Unconfigured(f"{_NAME} does not know our key: check theaudiodb_key")
    if reply.status != 200:
        raise errors.Unreachable(f"{_NAME} answered {reply.status}")
    if not reply.body.strip():
        return []
    document = contract.read_json(_NAME, reply, dict[str, list[dict[str, object]] | None])
    if envelope not in document:
        raise errors.Garbled(f"{_NAME} sent no list of {envelope}s", body=reply.body)
    return list(document[envelope] or ())


def _text(row: Row, key: str) -> str:
    """Return a value, "" where it is null or missing."""
    value = row.get(key)
    return str(value).strip() if isinstance(value, str | int) else ""


def _mbid(row: Row, key: str) -> str:
    """Return an MBID, "" for none and for anything that does not look like one: users fill these in."""
    text = _text(row, key).lower()
    return text if _MBID.fullmatch(text) else ""


def _id(row: Row, key: str, mbid: str) -> str:
    """Return the catalogue's own id, where there is no MBID."""
    own = _text(row, key)
    return f"theaudiodb:{own}" if own and not mbid else ""


def _number(row: Row, key: str) -> int | None:
    text = _text(row, key)
    return int(text) or None if text.isascii() and text.isdigit() else None


# ---------------------------------------------------------------- the nouns


def _recording(row: Row) -> contract.RecordingCandidate:
    mbid, artist_mbid = _mbid(row, "strMusicBrainzID"), _mbid(row, "strMusicBrainzArtistID")
    artist = model.ArtistCreditName(
        artist_mbid,
        _text(row, "strArtist"),
        aliases=tuple(filter(None, (_text(row, "strArtistAlternate"),))),
        foreign_id=_id(row, "idArtist", artist_mbid),
    )
    recording = model.Recording(
        mbid,
        _text(row, "strTrack"),
        model.ArtistCredit((artist,)),
        length_ms=_number(row, "intDuration"),
        isrcs=tuple(filter(None, (_text(row, "strISRC"),))),
        foreign_id=_id(row, "idTrack", mbid),
    )
    return contract.RecordingCandidate(recording, _releases(row), ids=_ids(row))


def _ids(row: Row) -> tuple[SourceId, ...]:
    """Return the catalogue's ids of a track, its album and its artist, each with the MBID it gives them."""
    artist = _text(row, "strArtist")
    told = (
        SourceId("recording", _text(row, "idTrack"), _text(row, "strTrack"), mbid=_mbid(row, "strMusicBrainzID")),
        _album_id(row, _mbid(row, "strMusicBrainzAlbumID")),
        _artist_id(row, artist, _mbid(row, "strMusicBrainzArtistID")),
    )
    return tuple(each for each in told if each.id)


def _album_ids(row: Row) -> tuple[SourceId, ...]:
    artist = _artist_id(row, _text(row, "strArtist"), _mbid(row, "strMusicBrainzArtistID"))
    return (_album_id(row, _mbid(row, "strMusicBrainzID")), *([artist] if artist.id else []))


def _album_id(row: Row, mbid: str) -> SourceId:
    own = _text(row, "idAlbum")
    return SourceId("release_group", own, _text(row, "strAlbum"), _text(row, "strArtist"), page=_page(row), mbid=mbid)


def _artist_id(row: Row, name: str, mbid: str) -> SourceId:
    return SourceId("artist", _text(row, "idArtist"), name, page=_artist_page(row), mbid=mbid)


def _page(row: Row) -> str:
    return f"{_SITE}/album/{_text(row, 'idAlbum')}" if _text(row, "idAlbum") else ""


def _artist_page(row: Row) -> str:
    return f"{_SITE}/artist/{_text(row, 'idArtist')}" if _text(row, "idArtist") else ""


def _releases(row: Row) -> tuple[model.Release, ...]:
    """Return the album a track is on; its MBID is the release group's, as everywhere here. Editions are not told."""
    title = _text(row, "strAlbum")
    if not title:
        return ()
    mbid = _mbid(row, "strMusicBrainzAlbumID")
    group = model.ReleaseGroup(mbid, title, foreign_id=_id(row, "idAlbum", mbid))
    number = _number(row, "intTrackNumber")
    foreign_id = _id(row, "idAlbum", "")
    return (model.Release("", title, group, track_number=str(number or ""), foreign_id=foreign_id),)


def _cover(row: Row, asked: str) -> contract.ImageAt:
    """Return an album's cover; it is exactly the one meant where the album has the MBID that was asked for."""
    own = _mbid(row, "strMusicBrainzID")
    return contract.ImageAt(
        _address(row),
        _text(row, "strArtist"),
        _text(row, "strAlbum"),
        exact=bool(asked) and own in (asked, ""),
        page=_page(row),
        genres=_genres(row),
    )


def _artist(row: Row) -> contract.ArtistCandidate:
    page = _artist_page(row)
    picture = _https(_text(row, "strArtistThumb"))
    images = (contract.ImageAt(picture, _text(row, "strArtist"), page=page),) if picture else ()
    mbid, name = _mbid(row, "strMusicBrainzID"), _text(row, "strArtist")
    ids = (_artist_id(row, name, mbid),) if page else ()
    return contract.ArtistCandidate(name, mbid, images, page=page, genres=_genres(row), ids=ids)


def _genres(row: Row) -> tuple[str, ...]:
    """Return genre and style: "House", "Electronic"; a style may name two, "Rock/Pop"."""
    told = (_text(row, "strGenre"), *_text(row, "strStyle").split("/"))
    return tuple(dict.fromkeys(name.strip() for name in told if name.strip() and name.strip() != "..."))


def _address(row: Row) -> str:
    """Return the front cover's address, up to 700 px; a larger one only where there is no other."""
    return _https(_text(row, "strAlbumThumb") or _text(row, "strAlbumThumbHQ"))


def _https(address: str) -> str:
    address = _OWN_SITE.sub(f"{_SITE}/", address)  # old ones are http:// or without www, and only redirect there
    return address if address.startswith("https://") else ""
