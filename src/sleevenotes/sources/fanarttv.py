"""fanart.tv, version 3: covers of albums, by their release group's MBID and nothing else; needs an API key.

Protocol facts: https://fanart.tv/api-docs/music-api/. An album's covers are listed with how many people like each. The
key goes into a header, not into the address. Later versions list albums where version 3 has them by their MBIDs.
"""

from __future__ import annotations

import urllib.parse
from collections.abc import Sequence
from typing import Final

import msgspec

from sleevenotes import errors
from sleevenotes.sources import contract, covers

_NAME: Final = "fanart.tv"
_BASE: Final = "https://webservice.fanart.tv/v3/music/albums"
_MOST: Final = 2  # covers of an album that are worth a look: the best liked


class _Image(msgspec.Struct):
    url: str
    likes: str | int = "0"


class _Album(msgspec.Struct):
    albumcover: list[_Image] = []
    release_group_id: str = ""  # in lists only


class _Found(msgspec.Struct):
    albums: dict[str, _Album] | list[_Album] = {}


class FanartTv:
    """Covers that fans have scanned and cleaned."""

    name = "fanarttv"
    policy = contract.Policy(
        host="webservice.fanart.tv",
        called="fanart.tv",
        # It states no limit; two a second is what a browser with a few open pages would do.
        requests=2,
        window=1.0,
        parallel=2,
        together=1,
        timeout=15.0,
        answers=(contract.FindImages, contract.FetchImage),
        needs="fanarttv_key",
        images=("assets.fanart.tv",),
        credit="Image by the community of fanart.tv.",
        by_mbid=True,
        only_by_mbid=True,
    )

    def __init__(self, key: str = "") -> None:
        self._headers = {"api-key": key}

    def request(self, questions: Sequence[contract.Question]) -> contract.Request:
        """Look an album up, or fetch an image."""
        match questions[0]:
            case contract.FindImages(release_group_mbid=mbid) if mbid:
                return contract.Request(f"{_BASE}/{urllib.parse.quote(mbid.lower(), safe='')}", headers=self._headers)
            case contract.FetchImage(url) if contract.fetches(self.policy, url):
                return contract.Request(url, max_bytes=covers.MOST_BYTES)
            case other:
                raise ValueError(f"{_NAME} cannot answer {other!r}")

    def read(self, questions: Sequence[contract.Question], reply: contract.Reply) -> list[contract.Answer]:
        """Answer with an album's covers, the best liked first, or with the image."""
        contract.refuse_faults(_NAME, reply)
        if reply.status in (401, 403):
            raise errors.Unconfigured(f"{_NAME} does not accept the key: set `fanarttv_key` to a valid one")
        match questions[0]:
            case contract.FetchImage(url):
                return [_image(url, reply)]
            case contract.FindImages(release_group_mbid=mbid):
                return [_covers(mbid.lower(), reply)]
            case other:
                raise ValueError(f"{_NAME} cannot answer {other!r}")


def _image(url: str, reply: contract.Reply) -> contract.Answer:
    if reply.status in (404, 410):
        return contract.ABSENT
    if reply.status != 200:
        raise errors.Unreachable(f"{_NAME} answered {reply.status}")
    return contract.Answer((covers.image(_NAME, url, reply),))


def _covers(mbid: str, reply: contract.Reply) -> contract.Answer:
    if reply.status == 404:
        contract.read_json(_NAME, reply, dict[str, object])  # its own "not found", and not some other page's
        return contract.ABSENT
    if reply.status != 200:
        raise errors.Unreachable(f"{_NAME} answered {reply.status}")
    albums = contract.read_json(_NAME, reply, _Found).albums
    own = albums.get(mbid) if isinstance(albums, dict) else _listed(albums, mbid)
    liked = sorted(own.albumcover, key=_dislike) if own else []
    return contract.Answer(tuple(contract.ImageAt(each.url, exact=True) for each in liked[:_MOST]))


def _listed(albums: Sequence[_Album], mbid: str) -> _Album | None:
    return next((album for album in albums if album.release_group_id.lower() == mbid), None)


def _dislike(image: _Image) -> int:
    return -int(image.likes) if str(image.likes).isdecimal() else 0
