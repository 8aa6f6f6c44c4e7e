"""Last.fm histories as JSON: replies of user.getRecentTracks, as tools keep them, one or many; and lastfmstats.com's.

    {"recenttracks": {"track": [track, …]}}          a reply as it came; {"track": track} where it holds only one
    [{"track": [track, …]}, …], [[track, …], …]      pages (lastfm.ghan.nl, lastfm-backup)
    [track, …]
    {"username": …, "scrobbles": [{"track", "artist", "album", "date": milliseconds}]}

A track is {"artist": {"#text", "mbid"} or {"name", "mbid"}, "name", "mbid", "album": {"#text", "mbid"}, "date":
{"uts"}, "image": [{"size", "#text"}], "loved": "1"}. What is playing now carries no date: it has not been played
yet.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from sleevenotes import model
from sleevenotes.importers import contract, jsonitems, times
from sleevenotes.importers.contract import Unfit
from sleevenotes.importers.files import File
from sleevenotes.importers.lastfm import ORIGIN

_SIGNS = (b'"recenttracks"', b'"uts"', b'"scrobbles"')
_STAR = "2a96cbd8b46e442fc41c2b86b821562f"  # Last.fm's picture for none


class LastfmJson:
    """The importer of Last.fm histories as JSON."""

    name = "lastfm_json"
    called = "Last.fm, as JSON of lastfm.ghan.nl, lastfmstats.com or lastfm-backup"

    def recognises(self, file: File) -> bool:
        """Say whether the file is JSON that looks like tracks of Last.fm."""
        if file.head.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] not in (b"{", b"["):
            return False
        return any(sign in file.head for sign in _SIGNS) and b'"maloja"' not in file.head[:1000]

    def read(self, files: Sequence[File], options: contract.Options) -> Iterator[contract.Item]:
        """Yield a scrobble, Feedback or a Skipped for every track; see `contract.Importer.read`."""

        def make(track: Any) -> Iterator[contract.Item]:
            yield from _items(track, options)

        for file in files:
            yield from jsonitems.read(file, make, lists=("track", "scrobbles"), inside=("recenttracks",), flat=_tracks)


def _tracks(item: Any) -> Iterator[Any]:
    """Walk down to the tracks of an item, which may be a page of them."""
    if isinstance(item, list):
        for inner in item:
            yield from _tracks(inner)
    elif not isinstance(item, dict):
        yield item
    elif isinstance(item.get("recenttracks"), dict):
        yield from _tracks(item["recenttracks"])
    elif isinstance(item.get("track"), (list, dict)):
        yield from _tracks(item["track"])
    elif "artist" in item or ("@attr" not in item and "error" not in item):  # else an empty page
        yield item


def _items(track: Any, options: contract.Options) -> Iterator[contract.Item]:
    if not isinstance(track, dict):
        raise Unfit(f"not a track: {str(track)[:40]}")
    attributes = track.get("@attr")
    if isinstance(attributes, dict) and attributes.get("nowplaying") == "true":
        raise Unfit("it was playing when the export was made; it has no time yet", contract.NO_TIME)
    artist, artist_mbid = _named(track.get("artist"))
    album, album_mbid = _named(track.get("album"))
    name = _text(track.get("name")) or _text(track.get("track"))
    contract.named(artist, name)
    extra = {"album_mbid": album_mbid or _text(track.get("albumId")), "track_mbid": _text(track.get("mbid"))}
    listened_at = _when(track, options.until)
    yield model.Scrobble(
        artist=artist,
        track=name,
        release=album,
        listened_at=listened_at,
        origin=options.origin or ORIGIN,
        artwork_uri=_image(track.get("image")),
        evidence=model.Evidence(artist_mbids=(artist_mbid.lower(),) if artist_mbid else ()),
        extra={key: value for key, value in extra.items() if value},
    )
    if track.get("loved") == "1":
        yield contract.Feedback(artist, name, 1)


def _when(track: Mapping[str, Any], until: datetime | None) -> datetime:
    date = track.get("date", track.get("uts"))
    if isinstance(date, dict):
        if text := _text(date.get("uts")):
            return times.seconds(text, until, "uts")
        date = date.get("#text")
    return times.moment(_text(date), until, name="date")


def _named(value: object) -> tuple[str, str]:
    """Return name and MBID of an artist or album, whichever way it is written."""
    if isinstance(value, dict):
        return _text(value.get("#text")) or _text(value.get("name")), _text(value.get("mbid"))
    return _text(value), ""


def _text(value: object) -> str:
    return str(value).strip() if isinstance(value, (str, int)) else ""


def _image(images: object) -> str:
    """Return the address of the largest image; they come smallest first."""
    found = (
        [_text(image.get("#text")) for image in images if isinstance(image, dict)] if isinstance(images, list) else []
    )
    return next((url for url in reversed(found) if url.startswith("https://") and _STAR not in url), "")
