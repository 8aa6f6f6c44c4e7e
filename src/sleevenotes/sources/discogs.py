"""Discogs: covers of albums, and releases that have a track.

Protocol facts: https://www.discogs.com/developers. The search tells a release's artist and title in one text
(discogs_names). For a track it names the releases that have one like it, and never the track itself: a candidate's
title then is the one that was asked for, its id the release's, and it has no length. The page of the first release by
that artist, which is asked for next, tells what the track is really called, or that it is not there (discogs_release).

With a token, 60 requests a minute and images; without one, 25 and none: covers cannot be asked for then, since an
answer without images says nothing of whether there are any. Its terms: nothing older than six hours is shown.
"""

from __future__ import annotations

import itertools
import re
import urllib.parse
from collections.abc import Sequence
from typing import Final

import msgspec

from sleevenotes import errors, model, names
from sleevenotes.sources import contract, discogs_names, discogs_release
from sleevenotes.sources.own_ids import SourceId, is_near

_NAME: Final = "Discogs"
_BASE: Final = "https://api.discogs.com"
_SITE: Final = "https://www.discogs.com"
_ROWS: Final = 25
_RELEASE: Final = "discogs:r"
_MASTER: Final = "discogs:m"


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


class _Master(msgspec.Struct):
    id: int
    main_release: int
    title: str = ""
    uri: str = ""
    artists: list[discogs_release.Credited] = []


class Discogs:
    """A catalogue of records, kept by collectors. The token goes into a header, and nowhere else."""

    name = "discogs"

    def __init__(self, token: str = "") -> None:
        self._headers = {"authorization": f"Discogs token={token}"} if token else {}
        recordings, images, releases = contract.FindRecording, contract.FindImages, contract.DescribeRelease
        self.policy = contract.Policy(
            host="api.discogs.com",
            called="Discogs",
            requests=60 if token else 25,
            window=64.0,  # a minute, and 7 % for jitter: what was refused counts too, and keeps the window full
            parallel=4,
            together=1,
            timeout=20.0,
            answers=(recordings, releases, images) if token else (recordings, releases),
            ids=("release_group", "artist") if token else (),
            keep_s=6 * 3600.0,
            credit="Data provided by Discogs.",
            told="x-discogs-ratelimit",
        )

    def request(self, questions: Sequence[contract.Question]) -> contract.Request:
        """Search for releases that have a track, or for an album in all its editions; look a release up."""
        match questions[0]:
            case contract.DescribeRelease(foreign_id):
                kind = "masters" if foreign_id.startswith(_MASTER) else "releases"
                number = urllib.parse.quote(foreign_id.removeprefix(_MASTER).removeprefix(_RELEASE), safe="")
                return contract.Request(f"{_BASE}/{kind}/{number}", headers=self._headers)
            case contract.FindRecording(artist, track):
                return self._search(type="release", artist=_asked(artist), track=names.plain(track))
            case contract.FindImages(artist, release):
                return self._search(type="master", artist=_asked(artist), release_title=names.plain(release))
            case other:
                raise ValueError(f"{_NAME} cannot answer {other!r}")

    def read(self, questions: Sequence[contract.Question], reply: contract.Reply) -> list[contract.Answer]:
        """Answer with a candidate for each release, with the track on a release, or with covers of albums."""
        is_there = _is_there(reply)
        match questions[0]:
            case contract.DescribeRelease(foreign_id, track) if is_there and foreign_id.startswith(_MASTER):
                return [_master(contract.read_json(_NAME, reply, _Master), track)]
            case contract.DescribeRelease() as question:
                return [discogs_release.read(question, reply) if is_there else contract.ABSENT]
            case contract.FindRecording(artist, track):
                return [_releases(_results(reply) if is_there else [], artist, track)]
            case contract.FindImages(artist, release):
                results = _results(reply) if is_there else []
                return [contract.Answer(_covers(results, artist, reply), albums=_albums(results, artist, release))]
            case other:
                raise ValueError(f"{_NAME} cannot answer {other!r}")

    def _search(self, **parameters: str) -> contract.Request:
        query = urllib.parse.urlencode({**parameters, "per_page": _ROWS})
        return contract.Request(f"{_BASE}/database/search?{query}", headers=self._headers)


def _asked(artist: str) -> str:
    return discogs_names.ALL_ARTISTS.get(artist, names.split_guests(artist)[0])


# ---------------------------------------------------------------- the reply


def _is_there(reply: contract.Reply) -> bool:
    """Tell whether what was asked for is there; raises Fault for anything that is no answer."""
    contract.refuse_faults(_NAME, reply)
    if reply.status == 401:
        raise errors.Unconfigured(f"{_NAME} wants a token, or does not know ours: check discogs_token")
    if reply.status == 404:
        contract.read_json(_NAME, reply, dict[str, object])  # its own "not found", and not some other page's
        return False
    if reply.status != 200:
        raise errors.Unreachable(f"{_NAME} answered {reply.status}")
    return True


def _results(reply: contract.Reply) -> list[_Result]:
    return contract.read_json(_NAME, reply, _Found).results


def _releases(results: Sequence[_Result], artist: str, track: str) -> contract.Answer:
    """Answer with the releases, the first by that artist to be looked up."""
    candidates = tuple(_recording(each, artist, track) for each in results)
    wanted = names.key(_asked(artist))
    own = (each.recording for each in candidates if names.key(each.recording.artist_credit.name) == wanted)
    return contract.Answer(
        candidates, tuple(contract.DescribeRelease(each.foreign_id, track) for each in itertools.islice(own, 1))
    )


def _covers(results: Sequence[_Result], artist: str, reply: contract.Reply) -> tuple[contract.ImageAt, ...]:
    """Return the covers. Where there is none Discogs names a spacer; nothing at all is how it answers strangers."""
    covers = tuple(cover for each in results for cover in _cover(each, artist))
    if not covers and any(not each.cover_image for each in results):
        raise errors.Unconfigured(f"{_NAME} shows us no images: check discogs_token")
    if not covers and results and _stranger(reply):
        raise errors.Unconfigured(f"{_NAME} does not take our token: check discogs_token")
    return covers


def _albums(results: Sequence[_Result], artist: str, release: str) -> tuple[tuple[SourceId, ...], ...]:
    """Return Discogs' ids of the albums of nearly that title; it tells no id of their artists here."""
    told = ((each, *discogs_names.split_title(each.title, artist)) for each in results)
    return tuple((_album_id(each, by, title),) for each, by, title in told if is_near(release, title))


def _album_id(result: _Result, by: str, title: str) -> SourceId:
    return SourceId("release_group", str(result.id), title, by, kind=result.type, page=_page(result))


def _page(result: _Result) -> str:
    return urllib.parse.urljoin(_SITE, result.uri) if result.uri else ""


def _master(told: _Master, track: str) -> contract.Answer:
    """Answer with the main release, to be looked up; and with what Discogs calls the master and its artists."""
    own = SourceId(
        "release_group", str(told.id), told.title, discogs_release.credit(told.artists).name, "master", told.uri
    )
    further = contract.DescribeRelease(f"{_RELEASE}{told.main_release}", track)
    return contract.Answer(follow_ups=(further,), albums=((own, *discogs_release.artist_ids(told.artists)),))


def _stranger(reply: contract.Reply) -> bool:
    """Tell whether it counts us as somebody without a token."""
    return reply.headers.get("x-discogs-ratelimit", "") == "25"


def _cover(result: _Result, artist: str) -> tuple[contract.ImageAt, ...]:
    address = result.cover_image or ""
    if not address.startswith("https://") or address.endswith("/spacer.gif"):
        return ()
    by, title = discogs_names.split_title(result.title, artist)
    return (contract.ImageAt(address, artist=by, release=title, page=_page(result)),)


def _recording(result: _Result, artist: str, track: str) -> contract.RecordingCandidate:
    """Take a release that has the track for the track: nearer than that, a search does not lead."""
    by, title = discogs_names.split_title(result.title, artist)
    named, _, _ = discogs_names.halves(result.title, artist)
    own = f"discogs:r{result.id}"
    credit = model.ArtistCredit((model.ArtistCreditName("", by, foreign_id=f"discogs:{named}"),))
    kinds = result.format or []
    group = discogs_names.group(title, kinds, result.master_id, own)
    release = model.Release("", title, group, status=discogs_names.status(kinds), date=_year(result), foreign_id=own)
    recording = model.Recording("", _track(track, title), credit, foreign_id=own)
    ids = discogs_release.album_ids(title, by, result.id, _page(result), result.master_id)
    return contract.RecordingCandidate(recording, (release,), images=_cover(result, artist), ids=ids)


def _track(asked: str, release: str) -> str:
    """Return the track's title: the asked one, but on "Halo (Live)" nobody can say that it is the plain "Halo"."""
    says_more = names.fold(release).startswith((f"{names.fold(asked)} (", f"{names.fold(asked)} ["))
    return release if says_more else asked


def _year(result: _Result) -> str:
    year = str(result.year or "")
    return year if re.fullmatch(r"[12]\d{3}", year) else ""
