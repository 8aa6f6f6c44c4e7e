"""Last.fm as the keeper of a listener's history: what they played, what they love, and who has logged in.

Rows as https://www.last.fm/api/show/user.getRecentTracks tells them, and as it does not: all numbers are texts; a page
with one row holds an object in place of a list; what plays now is one row more, on every page, and has no date; an
empty history has no rows and 0 pages. Its artists' MBIDs are right nearly always and become evidence; its albums' and
tracks' mostly are not: they are kept with the play, and nothing is decided by them.

Signed as https://www.last.fm/api/webauth says; a signed request with a session's key reads a listener's own history
where it is hidden from others.
"""

from __future__ import annotations

import hashlib
import re
import urllib.parse
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

import msgspec

from sleevenotes import errors, model
from sleevenotes.sources import contract, lastfm, personal

PAGE: Final = 200
"""Rows of one page, the most that is documented."""

_IMAGE: Final = "https://lastfm.freetls.fastly.net/i/u/300x300"
_MBID: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_CLOSED: Final = {
    4: ("session", "Last.fm did not accept the login."),
    6: ("unknown_user", "Last.fm knows no listener of this name."),
    9: ("session", "Last.fm has ended the session."),
    10: ("key", "Last.fm does not know this server's API key: lastfm_key must be a valid one."),
    13: ("key", "Last.fm does not accept this server's signature: lastfm_secret must be the one of lastfm_key."),
    14: ("session", "The login at Last.fm was not confirmed."),
    15: ("session", "The login at Last.fm took too long."),
    17: ("private", "This listener hides recent listening at Last.fm."),
    26: ("key", "Last.fm has suspended this server's API key."),
}


class LastFmHistory:
    """Histories, loved tracks and sessions; on the same lane and budget as Last.fm's other questions."""

    name = "lastfm_history"
    policy = msgspec.structs.replace(
        lastfm.LastFm.policy,
        called="Last.fm, for a listener's history",
        timeout=30.0,
        answers=(personal.PlaysSince, personal.LovedBy, personal.OpenSession),
        keep_s=3600.0,  # a page is read at once; what nobody came for is not kept
    )

    def __init__(self, key: str = "", secret: str = "") -> None:
        self._key = key
        self._secret = secret

    def request(self, questions: Sequence[contract.Question]) -> contract.Request:
        """Ask for a page of plays or of loved tracks, or for the session of a token."""
        match questions[0]:
            case personal.PlaysSince(name, since, before, page, most, secret):
                asked = {"method": "user.getRecentTracks", "user": name, "limit": str(most or PAGE), "page": str(page)}
                asked |= {"from": str(since)} if since else {}
                asked |= {"to": str(before)} if before else {}
            case personal.LovedBy(name, page, secret):
                asked = {"method": "user.getLovedTracks", "user": name, "limit": str(PAGE), "page": str(page)}
            case personal.OpenSession(token):
                return self._signed({"method": "auth.getSession", "token": token})
            case other:
                raise TypeError(f"Last.fm cannot answer {other!r}")
        return self._signed({**asked, "sk": secret}) if secret and self._secret else self._plain(asked)

    def read(self, questions: Sequence[contract.Question], reply: contract.Reply) -> list[contract.Answer]:
        """Answer with the page, with the session, or with why it cannot be had."""
        told = lastfm.decode(_reply, reply)
        if told.error in _CLOSED:
            return [contract.Answer((personal.Closed(*_CLOSED[told.error]),))]
        if told.error is not None:
            lastfm.refuse(told.error, reply)
        contract.refuse_faults("Last.fm", reply)
        found: contract.Candidate | None
        match questions[0]:
            case personal.PlaysSince(page=page):
                found = _played(told.recenttracks, page) if told.recenttracks else None
            case personal.LovedBy(page=page):
                found = _loved(told.lovedtracks, page) if told.lovedtracks else None
            case _:
                found = personal.Session(told.session.name, told.session.key) if told.session else None
        if reply.status != 200 or found is None:
            raise errors.Garbled(f"Last.fm answered {reply.status}, and not what was asked", body=reply.body)
        return [contract.Answer((found,))]

    def _plain(self, asked: Mapping[str, str]) -> contract.Request:
        return _get({**asked, "api_key": self._key})

    def _signed(self, asked: Mapping[str, str]) -> contract.Request:
        given = {**asked, "api_key": self._key}
        return _get({**given, "api_sig": signature(given, self._secret)})


def signature(given: Mapping[str, str], secret: str) -> str:
    """Sign a request: md5 of its names and values in the names' order, with the secret behind."""
    text = "".join(name + given[name] for name in sorted(given) if name not in ("format", "callback"))
    return hashlib.md5((text + secret).encode(), usedforsecurity=False).hexdigest()  # the protocol's own choice


def is_star(address: str) -> bool:
    """Tell whether an image's address is that of Last.fm's placeholder."""
    return lastfm.STAR in address


def _get(given: Mapping[str, str]) -> contract.Request:
    return contract.Request(f"{lastfm.BASE}?{urllib.parse.urlencode({**given, 'format': 'json'})}")


# ---------------------------------------------------------------- its JSON


class _Text(msgspec.Struct):
    """A name with its MBID; of loved tracks, the name is under "name"."""

    text: str = msgspec.field(name="#text", default="")
    name: str = ""
    mbid: str = ""


class _Date(msgspec.Struct):
    uts: str | int = ""


class _Image(msgspec.Struct):
    url: str = msgspec.field(name="#text", default="")


class _RowAttributes(msgspec.Struct):
    nowplaying: str | bool = ""


class _Row(msgspec.Struct):
    name: str = ""
    mbid: str = ""
    artist: _Text | str = ""
    album: _Text | str = ""
    image: list[_Image] | str = ""
    date: _Date | str | None = None
    attributes: _RowAttributes = msgspec.field(name="@attr", default_factory=_RowAttributes)


class _PageAttributes(msgspec.Struct):
    total: str | int = ""
    pages: str | int = msgspec.field(name="totalPages", default="")


class _Page(msgspec.Struct):
    track: list[_Row] | _Row | str = ""
    attributes: _PageAttributes = msgspec.field(name="@attr", default_factory=_PageAttributes)

    @property
    def rows(self) -> list[_Row]:
        if isinstance(self.track, _Row):
            return [self.track] if self.track.name else []  # {} is how an empty page has been told
        return [] if isinstance(self.track, str) else self.track

    def more(self, page: int) -> bool:
        """Tell whether there are further pages; without a word on it, whether this one is not empty."""
        pages = _number(self.attributes.pages)
        return page < pages if pages is not None else bool(self.rows)


class _Session(msgspec.Struct):
    name: str
    key: str


class _Reply(msgspec.Struct):
    error: int | None = None
    recenttracks: _Page | None = None
    lovedtracks: _Page | None = None
    session: _Session | None = None


_reply = msgspec.json.Decoder(_Reply)


# ---------------------------------------------------------------- into our nouns


def _played(told: _Page, page: int) -> personal.Played:
    rows = told.rows
    now = [row for row in rows if str(row.attributes.nowplaying).lower() == "true"]
    past = [_scrobble(row) for row in rows if row not in now]
    plays = [play for play in past if play is not None and play.listened_at is not None]
    playing = next((play for play in map(_scrobble, now) if play is not None), None)
    return personal.Played(
        tuple(plays), playing, told.more(page), _number(told.attributes.total), len(past) - len(plays)
    )


def _scrobble(row: _Row) -> model.Scrobble | None:
    """Return what a row tells, None where it names no artist or no title."""
    artist, track = _text(row.artist), _clean(row.name)
    if not artist or not track:
        return None
    mbids = {"track_mbid": row.mbid, "album_mbid": row.album.mbid if isinstance(row.album, _Text) else ""}
    return model.Scrobble(
        artist=artist,
        track=track,
        release=_text(row.album),
        listened_at=_moment(row.date),
        source_app="Last.fm",
        artwork_uri=_picture(row.image),
        evidence=_evidence(row.artist),
        extra={f"lastfm_{name}": mbid for name, mbid in mbids.items() if mbid},
    )


def _evidence(artist: _Text | str) -> model.Evidence:
    mbid = artist.mbid.lower() if isinstance(artist, _Text) else ""
    return model.Evidence(artist_mbids=(mbid,) if _MBID.fullmatch(mbid) else ())


def _picture(images: list[_Image] | str) -> str:
    """Return the address of the cover's 300 px copy; "" for the placeholder and for none at all."""
    told = [] if isinstance(images, str) else images
    file = next((file for image in reversed(told) if (file := lastfm.image_file(image.url))), "")
    return f"{_IMAGE}/{file}" if file else ""


def _loved(told: _Page, page: int) -> personal.LovedTracks:
    dated = [(_text(row.artist), _clean(row.name), _moment(row.date)) for row in told.rows]
    tracks = [
        personal.Loved(artist, track, int(at.timestamp()) if at else 0)
        for artist, track, at in dated
        if artist and track
    ]
    return personal.LovedTracks(tuple(tracks), told.more(page), _number(told.attributes.total))


def _text(named: _Text | str) -> str:
    return _clean(named if isinstance(named, str) else named.text or named.name)


def _clean(text: str) -> str:
    return text.replace("\0", "").strip()


def _moment(date: _Date | str | None) -> datetime | None:
    """Read when it was; None where nothing is said, or the second 0, which is how "unknown" is told."""
    seconds = _number(date.uts) if isinstance(date, _Date) else None
    return datetime.fromtimestamp(seconds, UTC) if seconds and seconds < 2**33 else None


def _number(text: str | int) -> int | None:
    told = str(text)
    return int(told) if told.isdecimal() else None
