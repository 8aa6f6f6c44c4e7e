"""Discogs: covers of albums, and releases that have a track.

Protocol facts: https://www.discogs.com/developers. The search is all that is used. It tells a release's artist and
title in one text, "Artist - Title", the artist as Discogs names its own ("Nirvana (2)", "Persuader, The", "Queen*").

A search for a track names the releases that have one like it, and never the track itself: a candidate's title is the
one that was asked for, its id is the release's, and it has no length. So it is the weakest of answers.

With a token, 60 requests a minute and images; without one, 25 and none: covers cannot be asked for then, since an
answer without images says nothing of whether there are any. Its terms: nothing older than six hours is shown.
"""

from __future__ import annotations

import re
import urllib.parse
from collections.abc import Sequence
from typing import Final

import msgspec

from sleevenotes import errors, model, names
from sleevenotes.sources import contract

_NAME: Final = "Discogs"
_BASE: Final = "https://api.discogs.com"
_SITE: Final = "https://www.discogs.com"
_ROWS: Final = 25
_ALL_ARTISTS: Final = {"Various Artists": "Various"}  # MusicBrainz' name of them, and Discogs'

_NUMBERED: Final = re.compile(r" \(\d+\)(?=$|[*,]|\s)")  # "Nirvana (2)"
_STARRED: Final = re.compile(r"(?<=[^\s*])\*(?=$|,|\s)")  # "Queen*": under another name than its own
_ARTICLES: Final = "The|A|An|Die|Der|Das|Les|Le|La|Los|Las|El"
_ARTICLE_LAST: Final = re.compile(rf"^(?P<name>[^,]+), (?P<article>{_ARTICLES})$")
_JOINERS: Final = re.compile(
    rf"( (?:&|/|\+|x|vs\.?|feat\.?|featuring|with|and) |, (?!(?:{_ARTICLES})(?:$| )))", re.IGNORECASE
)


class _Result(msgspec.Struct):
    id: int
    title: str
    type: str = ""
    year: str | int | None = None
    format: list[str] | None = None
    master_id: int | None = None
    uri: str | None = None
    cover_image: str | None = None


class _Found(msgspec.Struct):
    results: list[_Result]


class Discogs:
    """A catalogue of records, kept by collectors. The token goes into a header, and nowhere else."""

    name = "discogs"

    def __init__(self, token: str = "") -> None:
        self._headers = {"authorization": f"Discogs token={token}"} if token else {}
        recordings, images = contract.FindRecording, contract.FindImages
        self.policy = contract.Policy(
            host="api.discogs.com",
            called="Discogs",
            requests=60 if token else 25,
            window=64.0,  # a minute, and 7 % for jitter: what was refused counts too, and keeps the window full
            parallel=4,
            together=1,
            timeout=20.0,
            answers=(recordings, images) if token else (recordings,),
            keep_s=6 * 3600.0,
            credit="Data provided by Discogs.",
            told="x-discogs-ratelimit",
        )

    def request(self, questions: Sequence[contract.Question]) -> contract.Request:
        """Search for the releases that have a track, or for an album in all its editions (a "master")."""
        match questions[0]:
            case contract.FindRecording(artist, track):
                return self._search(type="release", artist=_asked(artist), track=names.plain(track))
            case contract.FindImages(artist, release):
                return self._search(type="master", artist=_asked(artist), release_title=names.plain(release))
            case other:
                raise ValueError(f"{_NAME} cannot answer {other!r}")

    def read(self, questions: Sequence[contract.Question], reply: contract.Reply) -> list[contract.Answer]:
        """Answer with a candidate for each release, or with the covers of albums of that name."""
        question, results = questions[0], _results(reply)
        match question:
            case contract.FindRecording(artist, track):
                return [contract.Answer(tuple(_recording(each, artist, track) for each in results))]
            case contract.FindImages(artist):
                return [contract.Answer(_covers(results, artist, reply))]
            case other:
                raise ValueError(f"{_NAME} cannot answer {other!r}")

    def _search(self, **parameters: str) -> contract.Request:
        query = urllib.parse.urlencode({**parameters, "per_page": _ROWS})
        return contract.Request(f"{_BASE}/database/search?{query}", headers=self._headers)


def _asked(artist: str) -> str:
    return _ALL_ARTISTS.get(artist, names.split_guests(artist)[0])


# ---------------------------------------------------------------- the reply


def _results(reply: contract.Reply) -> list[_Result]:
    """Return what was found; raises Fault for anything that is no answer."""
    contract.refuse_faults(_NAME, reply)
    if reply.status == 401:
        raise errors.Unconfigured(f"{_NAME} wants a token, or does not know ours: check discogs_token")
    if reply.status == 404:
        contract.read_json(_NAME, reply, dict[str, object])  # its own "not found", and not some other page's
        return []
    if reply.status != 200:
        raise errors.Unreachable(f"{_NAME} answered {reply.status}")
    return contract.read_json(_NAME, reply, _Found).results


def _covers(results: Sequence[_Result], artist: str, reply: contract.Reply) -> tuple[contract.ImageAt, ...]:
    """Return the covers. Where there is none Discogs names a spacer; nothing at all is how it answers strangers."""
    covers = tuple(cover for each in results for cover in _cover(each, artist))
    if not covers and any(not each.cover_image for each in results):
        raise errors.Unconfigured(f"{_NAME} shows us no images: check discogs_token")
    if not covers and results and _stranger(reply):
        raise errors.Unconfigured(f"{_NAME} does not take our token: check discogs_token")
    return covers


def _stranger(reply: contract.Reply) -> bool:
    """Tell whether it counts us as somebody without a token."""
    return reply.headers.get("x-discogs-ratelimit", "") == "25"


def _cover(result: _Result, artist: str) -> tuple[contract.ImageAt, ...]:
    address = result.cover_image or ""
    if not address.startswith("https://") or address.endswith("/spacer.gif"):
        return ()
    by, title = split_title(result.title, artist)
    page = urllib.parse.urljoin(_SITE, result.uri) if result.uri else ""
    return (contract.ImageAt(address, artist=by, release=title, page=page),)


def _recording(result: _Result, artist: str, track: str) -> contract.RecordingCandidate:
    """Take a release that has the track for the track: nearer than that, a search does not lead."""
    by, title = split_title(result.title, artist)
    named, _, _ = _halves(result.title, artist)
    own = f"discogs:r{result.id}"
    credit = model.ArtistCredit((model.ArtistCreditName("", by, foreign_id=f"discogs:{named}"),))
    kinds = result.format or []
    group = model.ReleaseGroup(
        "",
        title,
        primary_type=next((kind for kind in ("Single", "EP", "Album") if kind in kinds), ""),
        secondary_types=("Compilation",) if "Compilation" in kinds else (),
        foreign_id=f"discogs:m{result.master_id}" if result.master_id else own,
    )
    release = model.Release("", title, group, status=_status(kinds), date=_year(result), foreign_id=own)
    recording = model.Recording("", _track(track, title), credit, foreign_id=own)
    return contract.RecordingCandidate(recording, (release,), images=_cover(result, artist))


def _track(asked: str, release: str) -> str:
    """Return the track's title: the asked one, but on "Halo (Live)" nobody can say that it is the plain "Halo"."""
    says_more = names.fold(release).startswith((f"{names.fold(asked)} (", f"{names.fold(asked)} ["))
    return release if says_more else asked


def _status(kinds: Sequence[str]) -> str:
    if "Unofficial Release" in kinds:
        return "Bootleg"
    return "Promotion" if "Promo" in kinds else "Official"


def _year(result: _Result) -> str:
    year = str(result.year or "")
    return year if re.fullmatch(r"[12]\d{3}", year) else ""


# ---------------------------------------------------------------- names


def split_title(text: str, artist: str) -> tuple[str, str]:
    """Divide "Artist - Title" into the artist, as others write it, and the title.

    An artist may contain " - " itself: of several places to divide, the one that leaves the artist that was asked for
    is taken, else the first. "Beatles, The - Help!" is ("The Beatles", "Help!"); "Nirvana (2) - In Utero" is
    ("Nirvana", "In Utero").
    """
    _, by, title = _halves(text, artist)
    return by, title


def _halves(text: str, artist: str) -> tuple[str, str, str]:
    """Return the artist as Discogs names it, as others do, and the title."""
    parts = text.split(" - ")
    halves = [(" - ".join(parts[:place]), " - ".join(parts[place:])) for place in range(1, len(parts))]
    if not halves:
        return "", "", text.strip()
    wanted = names.key(artist)
    named, title = next((half for half in halves if names.key(_plain_artist(half[0])) == wanted), halves[0])
    return named.strip(), _plain_artist(named), title.strip()


def _plain_artist(named: str) -> str:
    """Undo Discogs' ways of naming: "Beatles, The & Nirvana (2) & Queen*" is "The Beatles & Nirvana & Queen"."""
    text = _STARRED.sub("", _NUMBERED.sub("", named.strip()))
    parts = _JOINERS.split(text)
    plain = "".join(_ARTICLE_LAST.sub(r"\g<article> \g<name>", part) for part in parts).strip()
    return next((ours for ours, theirs in _ALL_ARTISTS.items() if theirs == plain), plain)
