"""The hosts where other services' covers lie: each is asked for bytes only, at its own pace.

Their addresses come from the services' replies and are never made up (Discogs' are signed). An address that stands
for no cover is never believed, even if it is asked for: the answer is absent.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from sleevenotes import errors
from sleevenotes.sources import contract, covers


class ImageHost:
    """The image host of one service; `called` is how messages name it, `hosts` as `contract.Policy.images`.

    `keep_s` and `credit` are the terms of the service whose covers these are.
    """

    def __init__(
        self,
        name: str,
        called: str,
        hosts: tuple[str, ...],
        *,
        keep_s: float | None = None,
        credit: str = "",
    ) -> None:
        self.name = name
        self._called = called
        self.policy = contract.Policy(
            host=hosts[0].removeprefix("*."),
            called=called,
            # None states a limit; they serve pages with dozens of covers at once.
            requests=20,
            window=1.0,
            parallel=4,
            together=1,
            timeout=15.0,
            answers=(contract.FetchImage,),
            images=hosts,
            keep_s=keep_s,
            credit=credit,
        )

    def request(self, questions: Sequence[contract.Question]) -> contract.Request:
        """Ask for the image at the question's address, never in the clear."""
        url = self._asked(questions)
        if url.startswith("http://"):
            url = "https://" + url.removeprefix("http://")
        return contract.Request(url, max_bytes=covers.MOST_BYTES)

    def read(self, questions: Sequence[contract.Question], reply: contract.Reply) -> list[contract.Answer]:
        """Answer with the image's bytes, or absent where there is none."""
        url = self._asked(questions)
        contract.refuse_faults(self._called, reply)
        if reply.status in (404, 410):
            return [contract.ABSENT]
        if reply.status != 200:
            raise errors.Unreachable(f"{self._called} answered {reply.status}")
        if covers.is_placeholder(url) or covers.is_placeholder(reply.url):
            return [contract.ABSENT]
        return [contract.Answer((covers.image(self._called, url, reply),))]

    def _asked(self, questions: Sequence[contract.Question]) -> str:
        question = questions[0]
        if not isinstance(question, contract.FetchImage) or not contract.fetches(self.policy, question.url):
            raise ValueError(f"{self._called} cannot answer {question!r}")
        return question.url


class Elsewhere(ImageHost):
    """Every other host on the internet, for the images that clients and listeners name.

    It fetches what it is told to, wherever that is; where it may not go is decided when connecting (upstream.client).
    What lies there is whatever it is: a page, or nothing, is an answer and no fault of a service we know.
    """

    def __init__(self) -> None:
        super().__init__("elsewhere", "other hosts", ("elsewhere",))
        # Four at once, of whom each may be slow, and no host sees more than five a second of us.
        self.policy = msgspec.structs.replace(self.policy, requests=5, parallel=4, images=(), apart=True)

    def read(self, questions: Sequence[contract.Question], reply: contract.Reply) -> list[contract.Answer]:
        """Answer with the image's bytes, or absent where what lies there is none."""
        contract.refuse_faults("The host", reply)
        if reply.status != 200:
            return [contract.ABSENT]
        try:
            return super().read(questions, reply)
        except errors.Garbled:
            return [contract.ABSENT]

    def _asked(self, questions: Sequence[contract.Question]) -> str:
        question = questions[0]
        if isinstance(question, contract.FetchImage):
            return question.url
        raise ValueError(f"{self._called} cannot answer {question!r}")


ELSEWHERE: Final = Elsewhere()

HOSTS: Final = (
    ImageHost(
        "theaudiodb_images",
        "TheAudioDB's image host",
        ("r2.theaudiodb.com", "www.theaudiodb.com"),
        credit="Data provided by TheAudioDB.com",
    ),
    ImageHost(
        "discogs_images",
        "Discogs' image host",
        ("i.discogs.com", "img.discogs.com"),
        keep_s=6 * 3600.0,
        credit="Data provided by Discogs.",
    ),
    ImageHost("deezer_images", "Deezer's image host", ("cdn-images.dzcdn.net", "*.dzcdn.net")),
    ImageHost(
        "itunes_images",
        "iTunes' image host",
        ("*.mzstatic.com",),
        credit="Provided courtesy of iTunes.",
    ),
    ImageHost(
        "lastfm_images",
        "Last.fm's image host",
        ("lastfm.freetls.fastly.net", "lastfm-img2.akamaized.net"),
        credit="Powered by AudioScrobbler (Last.fm)",
    ),
)
