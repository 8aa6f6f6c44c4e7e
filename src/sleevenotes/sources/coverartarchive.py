"""The Cover Art Archive: the front cover of a release or of a release group.

coverartarchive.org only redirects; the bytes lie at archive.org, two hops on (307, then 302). Its data nodes
have bad days, with short HTML pages of status 500 or 200, sometimes called image/jpeg. So only a 404 is
absence, and bytes are believed by what they are, not by what they are called.
https://musicbrainz.org/doc/Cover_Art_Archive/API
"""

from __future__ import annotations

import re
import urllib.parse
from collections.abc import Sequence
from typing import Final

from sleevenotes import errors
from sleevenotes.sources import contract, covers

_BASE: Final = "https://coverartarchive.org"
_SIZES: Final = (250, 500, 1200)
_SIZED: Final = re.compile(r"-(?:250|500|1200)(?:\.jpg)?$")
_BY_ID: Final = re.compile(r"/release/[0-9a-f-]{36}/\d+(?:-\d+)?\.jpg$")


class CoverArtArchive:
    """The covers that belong to MusicBrainz' releases."""

    name = "coverartarchive"
    policy = contract.Policy(
        host="coverartarchive.org",
        called="the Cover Art Archive",
        # It states no limit and asks for restraint: at most four or five at once. An image is three requests.
        requests=10,
        window=1.0,
        parallel=5,
        together=1,
        timeout=30.0,
        answers=(contract.FetchImage,),
        images=("coverartarchive.org",),
    )

    def request(self, questions: Sequence[contract.Question]) -> contract.Request:
        """Ask for the image at the question's address."""
        url = _asked(questions)
        return contract.Request(url, max_bytes=covers.MOST_BYTES)

    def read(self, questions: Sequence[contract.Question], reply: contract.Reply) -> list[contract.Answer]:
        """Answer with the image's bytes, or absent where there is no such image."""
        url = _asked(questions)
        contract.refuse_faults("The Cover Art Archive", reply)
        if reply.status == 400 and _is_invalid_mbid(reply):
            return [contract.ABSENT]
        if reply.status in (404, 410):
            return [contract.Answer(follow_ups=_original(url, reply))]
        if reply.status != 200:
            raise errors.Unreachable(f"The Cover Art Archive answered {reply.status}")
        return [contract.Answer((covers.image("The Cover Art Archive", url, reply),))]


def front_of_release(mbid: str, size: int = 500) -> contract.FetchImage:
    """Ask for the front cover of one edition; `size` is 250, 500 or 1200 px, or 0 for the original."""
    return contract.FetchImage(f"{_BASE}/release/{_mbid(mbid)}/front{_suffix(size)}")


def front_of_release_group(mbid: str, size: int = 500) -> contract.FetchImage:
    """Ask for the front cover shown for an album: the editors' choice, else its earliest edition's."""
    return contract.FetchImage(f"{_BASE}/release-group/{_mbid(mbid)}/front{_suffix(size)}")


def is_by_id(url: str) -> bool:
    """Tell whether an address names an image by its own id, so that it is known to be there."""
    return url.startswith(_BASE) and _BY_ID.search(url) is not None


def _mbid(mbid: str) -> str:
    return urllib.parse.quote(mbid.lower(), safe="")  # capitals are "invalid MBID" to the archive


def _suffix(size: int) -> str:
    """Write the size; the archive answers an unknown one with the original, without an error."""
    if size == 0:
        return ""
    if size not in _SIZES:
        raise ValueError(f"size: the Cover Art Archive has {_SIZES}, not {size}")
    return f"-{size}"


def _asked(questions: Sequence[contract.Question]) -> str:
    question = questions[0]
    if not isinstance(question, contract.FetchImage) or not question.url.startswith(_BASE + "/"):
        raise ValueError(f"The Cover Art Archive cannot answer {question!r}")
    return question.url


def _original(url: str, reply: contract.Reply) -> tuple[contract.Question, ...]:
    """Where the archive knew of a cover, and only its thumbnail is missing two hops on, there is still the original."""
    sized = _SIZED.search(url)
    if sized is None or reply.url.startswith(_BASE + "/"):
        return ()
    extension = ".jpg" if url.endswith(".jpg") else ""
    return (contract.FetchImage(url[: sized.start()] + extension),)


def _is_invalid_mbid(reply: contract.Reply) -> bool:
    return b"invalid mbid" in reply.body.lower()
