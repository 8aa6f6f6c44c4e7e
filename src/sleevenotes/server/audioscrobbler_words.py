"""Tracks, albums and artists as Last.fm writes them. Pure.

Names are as matched where a play is matched, else as sent. MBIDs are MusicBrainz' own. Pages and covers are this
server's: addresses of Last.fm's would be wrong, and its images are never passed on.
"""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import chain

from sleevenotes.server.audioscrobbler_answers import Node, text, tree
from sleevenotes.store.charts import Top
from sleevenotes.store.played import Play

# Last.fm's sizes are 34, 64, 174 and 300 pixels, "mega" 300 too; ours are 64, 250 and 500
_SIZES = (("small", 64), ("medium", 64), ("large", 250), ("extralarge", 500), ("mega", 500))


def images(base_url: str, digest: str, sizes: int = 4) -> list[Node]:
    """Write a cover in Last.fm's sizes; empty where there is none."""
    return [
        text("image", f"{base_url}/images/{digest}/{pixels}" if digest else "", size=name)
        for name, pixels in _SIZES[:sizes]
    ]


def artist_name(play: Play) -> str:
    """Return who a play is by: as credited where it is matched, else as sent."""
    return play.artist_credit or play.artist


def track_title(play: Play) -> str:
    """Return what a play is called."""
    return play.recording_title or play.track


def album_title(play: Play) -> str:
    """Return what a play is on; "" where nobody knows."""
    return play.release_group_title or play.release


def artist_mbid(play: Play) -> str:
    """Return the MBID of who a play is by; "" where it is not matched, or by several."""
    return play.artists[0][1] if len(play.artists) == 1 else ""


def played(play: Play, base_url: str, *, extended: bool, playing: bool = False) -> Node:
    """Write a play as a row of recent tracks; with `extended`, the artist as an element and whether it is loved."""
    name, mbid = artist_name(play), artist_mbid(play)
    by = _artist(name, mbid, base_url, play) if extended else text("artist", name, mbid=mbid)
    rows = [
        by,
        text("streamable", 0),
        *images(base_url, play.image_digest),
        text("mbid", play.recording_mbid),
        text("album", album_title(play), mbid=play.release_mbid),
        text("name", track_title(play)),
        text("url", "" if playing else f"{base_url}/scrobbles/{play.id}"),
        *([text("loved", play.feedback > 0)] if extended else []),
        *([] if playing else [date(play.listened_at)]),
    ]
    lists = ("image",)
    return tree("track", rows, lists, nowplaying="true") if playing else tree("track", rows, lists)


def _artist(name: str, mbid: str, base_url: str, play: Play) -> Node:
    url = f"{base_url}/artists/{play.artists[0][0]}" if play.artists else ""
    return tree("artist", [text("url", url), text("name", name), *images(base_url, ""), text("mbid", mbid)], ("image",))


def date(at: datetime) -> Node:
    """Write a time as Last.fm does, in UTC: "14 Jan 2022, 13:50"."""
    utc = at.astimezone(UTC)
    return text("date", f"{utc:%d %b %Y, %H:%M}", uts=int(utc.timestamp()))


def plain_artist(name: str, mbid: str = "", url: str = "") -> Node:
    """Write an artist as part of something else."""
    return tree("artist", [text("name", name), text("mbid", mbid), text("url", url)])


# ---------------------------------------------------------------- what is played most


def top_artist(top: Top, rank: int, base_url: str, *, library: bool = False) -> Node:
    """Write an artist that is played much; `library` as user's library has it."""
    rows = [
        text("name", top.name),
        text("playcount", top.plays),
        *([text("tagcount", 0)] if library else []),
        text("mbid", top.mbid),
        text("url", f"{base_url}/artists/{top.id}" if top.id else ""),
        text("streamable", 0),
        *images(base_url, top.image_digest, 5),
    ]
    return tree("artist", rows, ("image",)) if library else tree("artist", rows, ("image",), rank=rank)


def top_album(top: Top, rank: int, base_url: str) -> Node:
    """Write an album that is played much."""
    rows = [
        text("name", top.name),
        text("playcount", top.plays),
        text("mbid", top.mbid),
        text("url", f"{base_url}/albums/{top.id}" if top.id else ""),
        plain_artist(top.artist),
        *images(base_url, top.image_digest),
    ]
    return tree("album", rows, ("image",), rank=rank)


def top_track(top: Top, rank: int, base_url: str) -> Node:
    """Write a track that is played much."""
    rows = [
        text("name", top.name),
        text("duration", 0),
        text("playcount", top.plays),
        text("mbid", top.mbid),
        text("url"),
        text("streamable", 0, fulltrack=0),
        plain_artist(top.artist),
        *images(base_url, top.image_digest),
    ]
    return tree("track", rows, ("image",), rank=rank)


def weekly(kind: str, top: Top, rank: int, base_url: str) -> Node:
    """Write an artist, album or track of a week."""
    way = {"artist": "artists", "album": "albums"}.get(kind, "")
    rows = [
        *([] if kind == "artist" else [text("artist", top.artist, mbid="")]),
        text("name", top.name),
        text("mbid", top.mbid),
        text("playcount", top.plays),
        text("url", f"{base_url}/{way}/{top.id}" if way and top.id else ""),
    ]
    return tree(kind, rows, rank=rank)


def paged(name: str, rows: list[Node], kind: str, *, user: str, page: int, limit: int, total: int) -> Node:
    """Write a page of something, with how many pages there are."""
    pages = -(-total // limit)
    return tree(name, rows, (kind,), user=user, page=page, perPage=limit, totalPages=pages, total=total)


def flat(*parts: list[Node]) -> list[Node]:
    """Join lists of elements."""
    return list(chain.from_iterable(parts))
