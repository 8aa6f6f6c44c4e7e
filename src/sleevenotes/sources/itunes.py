"""The iTunes Search API: songs, albums and artwork of one country's store; no key.

About 20 requests a minute. What is over is refused with 403 or 429 and no Retry-After, and sometimes with a plain
"nothing found": soon after a throttle, an empty answer proves nothing (`policy.doubt_s`).
https://performance-partners.apple.com/search-api

Artwork is named at 100 px; the last part of the path says the size, and the server scales down from the original:
    …/source.jpg/100x100bb.jpg  ->  …/source.jpg/600x600bb.jpg
Singles and EPs end in " - Single" and " - EP". That ending is the shop's; the title of a release goes without it.
"""

from __future__ import annotations

import re
import urllib.parse
from collections.abc import Sequence
from typing import Final

import msgspec

from sleevenotes import errors, model
from sleevenotes.sources import contract, shops
from sleevenotes.sources.own_ids import SourceId, is_near

_BASE: Final = "https://itunes.apple.com/search"
_ROWS: Final = 25
_EDGE: Final = 600
_SIZE: Final = re.compile(r"/\d+x\d+bb\.(jpg|png|webp)$")
_ENDING: Final = re.compile(r"^(?P<title>.*\S) - (?P<type>Single|EP)$", re.DOTALL)
_WAIT_S: Final = 60.0  # it counts by the minute and says nothing of when


class _Row(msgspec.Struct, rename="camel"):
    """A song or an album; which of the two is told by `kind` and `collection_type`."""

    artist_name: str = ""
    artist_id: int = 0
    artist_view_url: str = ""
    kind: str = ""
    collection_type: str = ""
    collection_id: int = 0
    collection_name: str = ""
    collection_artist_id: int = 0
    collection_artist_name: str = ""
    collection_view_url: str = ""
    track_id: int = 0
    track_name: str = ""
    track_view_url: str = ""
    track_time_millis: int | None = None
    track_count: int | None = None
    release_date: str = ""
    artwork_url100: str | None = ""
    artwork_url60: str | None = ""
    artwork_url30: str | None = ""


class _Found(msgspec.Struct, rename="camel"):
    result_count: int
    results: list[_Row]


class ITunes:
    """A shop's catalogue."""

    name = "itunes"
    policy = contract.Policy(
        host="itunes.apple.com",
        called="iTunes",
        requests=20,
        window=64.0,  # 60 s are stated, with an "approximately"
        parallel=1,  # an empty answer must not overtake the refusal that casts doubt on it
        together=1,
        timeout=15.0,
        answers=(contract.FindRecording, contract.FindImages),
        ids=("recording", "release_group", "artist"),
        credit="Provided courtesy of iTunes.",
        doubt_s=120.0,  # its refusal keeps us away for a minute; another one after that
    )

    def __init__(self, country: str = "US") -> None:
        self._country = country

    def request(self, questions: Sequence[contract.Question]) -> contract.Request:
        """Search for one name among the songs, or for one album."""
        question = questions[0]
        if isinstance(question, contract.FindRecording):
            return self._search("song", question.artist, question.track)
        if isinstance(question, contract.FindImages):
            return self._search("album", question.artist, question.release)
        raise TypeError(f"iTunes cannot answer {question!r}")

    def read(self, questions: Sequence[contract.Question], reply: contract.Reply) -> list[contract.Answer]:
        """Answer with the songs or the covers that were found, in the shop's order."""
        if reply.status in (403, 429):
            retry_after = contract.retry_after(reply)
            raise errors.Throttled(
                f"iTunes answered {reply.status}: we ask too fast",
                retry_after=_WAIT_S if retry_after is None else retry_after,
            )
        contract.refuse_faults("iTunes", reply)
        if reply.status != 200:
            raise errors.Unreachable(f"iTunes answered {reply.status}")
        rows = contract.read_json("iTunes", reply, _Found).results
        if isinstance(questions[0], contract.FindRecording):
            asked = questions[0].track
            return [contract.Answer(shops.merge(_candidate(row, asked) for row in rows if row.kind == "song"))]
        albums = [row for row in rows if row.collection_type]
        return [
            contract.Answer(
                tuple(image for row in albums for image in _images(row)), albums=_albums(albums, questions[0])
            )
        ]

    def _search(self, entity: str, artist: str, title: str) -> contract.Request:
        asked = {
            "term": shops.term(artist, title),
            "media": "music",
            "entity": entity,
            "limit": _ROWS,
            "country": self._country,
        }
        return contract.Request(f"{_BASE}?{urllib.parse.urlencode(asked)}")


def _candidate(row: _Row, asked: str) -> contract.RecordingCandidate:
    recording = model.Recording(
        mbid="",
        title=row.track_name,
        artist_credit=shops.credit(row.artist_name, f"itunes:{row.artist_id}"),
        length_ms=row.track_time_millis,
        foreign_id=f"itunes:{row.track_id}",
    )
    releases = (_release(row),) if row.collection_id else ()
    ids = _ids(row) if is_near(asked, row.track_name) else ()
    return contract.RecordingCandidate(recording, releases, images=_images(row), ids=ids)


def _ids(row: _Row) -> tuple[SourceId, ...]:
    """Return the shop's ids of a song, its album and its artist."""
    return SourceId("recording", str(row.track_id), row.track_name, page=row.track_view_url), *_album_ids(row)


def _albums(rows: Sequence[_Row], asked: contract.Question) -> tuple[tuple[SourceId, ...], ...]:
    if not isinstance(asked, contract.FindImages):
        return ()
    return tuple(_album_ids(row) for row in rows if is_near(asked.release, row.collection_name))


def _album_ids(row: _Row) -> tuple[SourceId, ...]:
    by = row.collection_artist_name or row.artist_name
    told = (
        SourceId("release_group", str(row.collection_id), row.collection_name, by, page=row.collection_view_url),
        SourceId("artist", str(row.artist_id), row.artist_name, page=row.artist_view_url),
    )
    return tuple(each for each in told if each.id != "0")  # not told


def _release(row: _Row) -> model.Release:
    ending = _ENDING.match(row.collection_name)
    title, kind = (ending["title"], ending["type"]) if ending else (row.collection_name, "")
    by = None
    if row.collection_artist_name and row.collection_artist_name != row.artist_name:
        by = shops.credit(
            row.collection_artist_name, f"itunes:{row.collection_artist_id or row.collection_artist_name}"
        )
    return shops.release(
        title,
        f"itunes:{row.collection_id}",
        primary_type=kind,
        by=by,
        date=row.release_date[:10],
        track_count=row.track_count,
    )


def _images(row: _Row) -> tuple[contract.ImageAt, ...]:
    """Return an album's cover, with its names as the shop writes them; none where no artwork is named."""
    named = row.artwork_url100 or row.artwork_url60 or row.artwork_url30 or ""
    url, sized = _SIZE.subn(rf"/{_EDGE}x{_EDGE}bb.\1", named)
    if not sized:
        return ()
    by = row.collection_artist_name or row.artist_name
    return (contract.ImageAt(url, by, row.collection_name, _EDGE, _EDGE, page=row.collection_view_url),)
