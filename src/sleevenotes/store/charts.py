"""What an account played most in any period: artists, albums, tracks and genres; and when, by day and by hour.

Read from the counts of `store.tallies`, so that a million plays are no more work than the names among them. A play
counts for what it was matched to (`store.effective`). What is not matched counts too, by the names that were sent;
an artist so named is taken for the one of the same name whom the account plays most.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import msgspec

from sleevenotes import names
from sleevenotes.store import effective, tallies
from sleevenotes.store.postgres import Connection

MOST_WORDS = 8


class Period(msgspec.Struct, frozen=True):
    """From `first` until before `past`, aware; both None: all there is."""

    first: datetime | None = None
    past: datetime | None = None


class Top(msgspec.Struct, frozen=True):
    """An artist, album or track and its plays.

    `id` is the artist's, release group's or recording's; None where it is not matched, then `mbid` is "" and `name`
    and `artist` are as sent. `artist` and `artist_id` are "" and None for artists. The image is the album's cover, for
    artists their picture, else the cover of the album played most; `image_digest` hex, `thumbhash` base64.
    """

    id: int | None
    mbid: str
    name: str
    artist: str
    plays: int
    release_group_id: int | None = None
    image_digest: str = ""
    thumbhash: str = ""
    artwork_status: str = ""
    colour: str = ""  # the image's dominant, "#rrggbb"


class Tops(msgspec.Struct, frozen=True):
    """The first of them, most played first, and how many different there are."""

    entries: tuple[Top, ...]
    different: int


class Found(msgspec.Struct, frozen=True):
    """What words were found in."""

    artists: Tops = Tops((), 0)
    albums: Tops = Tops((), 0)
    tracks: Tops = Tops((), 0)


class Genre(msgspec.Struct, frozen=True):
    """A genre, in lower case, and the plays that are of it; a play may be of several."""

    name: str
    plays: int


async def artists(conn: Connection, account_id: int, period: Period, limit: int, offset: int = 0) -> Tops:
    """Return the artists played most; a play counts for every artist of its credit."""
    return await _tops(conn, _ARTISTS, account_id, period, limit, offset)


async def albums(conn: Connection, account_id: int, period: Period, limit: int, offset: int = 0) -> Tops:
    """Return the albums played most: release groups, and releases as sent where they are not matched."""
    return await _tops(conn, _ALBUMS, account_id, period, limit, offset)


async def tracks(conn: Connection, account_id: int, period: Period, limit: int, offset: int = 0) -> Tops:
    """Return the tracks played most: recordings, and artist and track as sent where they are not matched."""
    return await _tops(conn, _TRACKS, account_id, period, limit, offset)


async def genres(conn: Connection, account_id: int, period: Period, limit: int) -> list[Genre]:
    """Return the genres played most.

    A play is of the genres that the account's own plays of its name say, else of its album's, else of its artists'.
    """
    rows = await conn.fetch(f"{_START}, {_GENRES}", account_id, *await _plan(conn, account_id, period), limit)
    return [Genre(row["genre"], row["plays"]) for row in rows]


async def search(conn: Connection, account_id: int, words: str, limit: int) -> Found:
    """Find by words, whichever way they are written, what the account has played: artists, albums, tracks.

    Every word is to be a part of the artist's name; of the artist's or the album's; of artist, album or track. They
    are looked for in the names that were sent.
    """
    patterns = [f"%{_escaped(names.key(word))}%" for word in words.split()[:MOST_WORDS]]
    if not patterns:
        return Found()
    values = (account_id, *await _plan(conn, account_id, Period()), limit, 0, patterns)
    found = []
    for query, texts in ((_ARTISTS, "l.artist_key"), (_ALBUMS, _ALBUM_TEXTS), (_TRACKS, _TRACK_TEXTS)):
        rows = await conn.fetch(f"{_found(texts)}, {query}", *values)
        found.append(Tops(tuple(_top(row) for row in rows), rows[0]["different"] if rows else 0))
    return Found(*found)


async def plays(conn: Connection, account_id: int, period: Period) -> int:
    """Count the plays of a period, hidden ones left out."""
    counted = f"WITH {tallies.COUNTED} SELECT coalesce(sum(plays), 0)::int FROM counted"
    number: int = await conn.fetchval(counted, account_id, *await _plan(conn, account_id, period))
    return number


# ---------------------------------------------------------------- inside


async def _plan(conn: Connection, account_id: int, period: Period) -> Sequence[object]:
    return tallies.plan(period.first, period.past, await tallies.marked(conn, account_id)).values


async def _tops(conn: Connection, query: str, account_id: int, period: Period, limit: int, offset: int) -> Tops:
    rows = await conn.fetch(f"{_START}, {query}", account_id, *await _plan(conn, account_id, period), limit, offset)
    return Tops(tuple(_top(row) for row in rows), rows[0]["different"] if rows else 0)


def _top(row: Mapping[str, Any]) -> Top:
    facts = {name: value for name, value in row.items() if name not in ("different", "digest", "thumbhash", "colour")}
    return Top(
        **facts,
        image_digest=(row["digest"] or b"").hex(),
        thumbhash=base64.b64encode(row["thumbhash"] or b"").decode(),
        colour=row["colour"] or "",
    )


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


_START: Final = f"WITH {tallies.COUNTED}, {effective.decided()}"
_ALBUM_TEXTS: Final = "l.artist_key || '/' || l.release_key"
_TRACK_TEXTS: Final = "l.artist_key || '/' || l.release_key || '/' || l.track_key"


def _found(texts: str) -> str:
    """Begin as _START does, with the names alone in which every pattern of $10 is found."""
    return f"""
    WITH {tallies.COUNTED}, found AS MATERIALIZED (
        SELECT c.* FROM counted c JOIN lookups l ON l.id = c.lookup_id WHERE {texts} LIKE ALL ($10::text[])
    ), {effective.decided("found")}
    """


_CREDITED: Final = """
    credited AS MATERIALIZED (
        SELECT r.artist_credit_id, d.release_group_id, sum(d.plays) AS plays
        FROM decided d JOIN recordings r ON r.id = d.recording_id GROUP BY 1, 2
    )
"""

_ARTISTS: Final = f"""
    {_CREDITED}, credits AS (
        SELECT artist_credit_id, sum(plays) AS plays FROM credited GROUP BY 1
    ), known AS MATERIALIZED (
        SELECT artist_id, sum(plays) AS plays FROM (
            SELECT DISTINCT c.artist_credit_id, n.artist_id, c.plays
            FROM credits c JOIN artist_credit_names n USING (artist_credit_id)
        ) each GROUP BY 1
    ), sent AS MATERIALIZED (
        SELECT lower(l.artist) AS folded, min(l.artist) AS name, sum(d.plays) AS plays
        FROM decided d JOIN lookups l ON l.id = d.lookup_id WHERE d.recording_id IS NULL GROUP BY 1
    ), same AS (
        SELECT DISTINCT ON (sent.folded) sent.folded, k.artist_id, sent.plays
        FROM sent JOIN artists a ON lower(a.name) = sent.folded JOIN known k ON k.artist_id = a.id
        ORDER BY sent.folded, k.plays DESC, k.artist_id
    ), every AS (
        SELECT k.artist_id, NULL AS name, k.plays + coalesce(same.plays, 0) AS plays
        FROM known k LEFT JOIN (SELECT artist_id, sum(plays) AS plays FROM same GROUP BY 1) same USING (artist_id)
        UNION ALL
        SELECT NULL, sent.name, sent.plays FROM sent WHERE NOT EXISTS (SELECT FROM same WHERE same.folded = sent.folded)
    ), top AS (
        SELECT *, count(*) OVER () AS different FROM every ORDER BY plays DESC, artist_id, name LIMIT $8 OFFSET $9
    ), best AS (
        SELECT DISTINCT ON (n.artist_id) n.artist_id, c.release_group_id
        FROM top JOIN artist_credit_names n USING (artist_id) JOIN credited c USING (artist_credit_id)
        WHERE c.release_group_id IS NOT NULL ORDER BY n.artist_id, c.plays DESC, c.release_group_id
    )
    SELECT top.artist_id AS id, coalesce(a.mbid::text, '') AS mbid, coalesce(a.name, top.name) AS name, '' AS artist,
           top.plays::int AS plays, top.different, best.release_group_id, i.digest, i.thumbhash, i.colour,
           '' AS artwork_status
    FROM top LEFT JOIN artists a ON a.id = top.artist_id
    LEFT JOIN portraits p ON p.artist_id = top.artist_id
    LEFT JOIN best ON best.artist_id = top.artist_id
    LEFT JOIN artworks w ON w.release_group_id = best.release_group_id
    LEFT JOIN images i ON i.id = coalesce(p.image_id, w.image_id)
    ORDER BY top.plays DESC, top.artist_id, top.name
"""

_ALBUMS: Final = """
    every AS (
        SELECT release_group_id, NULL AS name, NULL AS artist, sum(plays) AS plays
        FROM decided WHERE release_group_id IS NOT NULL GROUP BY 1
        UNION ALL
        SELECT NULL, min(l.release), min(l.artist), sum(d.plays)
        FROM decided d JOIN lookups l ON l.id = d.lookup_id
        WHERE d.recording_id IS NULL AND l.release <> '' GROUP BY lower(l.artist), lower(l.release)
    ), top AS (
        SELECT *, count(*) OVER () AS different FROM every
        ORDER BY plays DESC, release_group_id, name, artist LIMIT $8 OFFSET $9
    )
    SELECT top.release_group_id AS id, coalesce(g.mbid::text, '') AS mbid, coalesce(g.title, top.name) AS name,
           coalesce(c.name, top.artist) AS artist, top.plays::int AS plays, top.different, top.release_group_id,
           i.digest, i.thumbhash, i.colour, coalesce(w.status, CASE WHEN g.id IS NULL THEN '' ELSE 'pending' END) AS artwork_status
    FROM top LEFT JOIN release_groups g ON g.id = top.release_group_id
    LEFT JOIN artist_credits c ON c.id = g.artist_credit_id
    LEFT JOIN artworks w ON w.release_group_id = g.id
    LEFT JOIN images i ON i.id = w.image_id
    ORDER BY top.plays DESC, top.release_group_id, top.name, top.artist
"""

_TRACKS: Final = """
    every AS (
        SELECT recording_id, NULL AS name, NULL AS artist, sum(plays) AS plays
        FROM decided WHERE recording_id IS NOT NULL GROUP BY 1
        UNION ALL
        SELECT NULL, min(l.track), min(l.artist), sum(d.plays)
        FROM decided d JOIN lookups l ON l.id = d.lookup_id
        WHERE d.recording_id IS NULL GROUP BY lower(l.artist), lower(l.track)
    ), top AS (
        SELECT *, count(*) OVER () AS different FROM every
        ORDER BY plays DESC, recording_id, name, artist LIMIT $8 OFFSET $9
    ), best AS (
        SELECT DISTINCT ON (d.recording_id) d.recording_id, d.release_group_id
        FROM decided d JOIN top ON top.recording_id = d.recording_id WHERE d.release_group_id IS NOT NULL
        ORDER BY d.recording_id, d.plays DESC, d.release_group_id
    )
    SELECT top.recording_id AS id, coalesce(r.mbid::text, '') AS mbid, coalesce(r.title, top.name) AS name,
           coalesce(c.name, top.artist) AS artist, top.plays::int AS plays, top.different, best.release_group_id,
           i.digest, i.thumbhash, i.colour, coalesce(w.status, '') AS artwork_status
    FROM top LEFT JOIN recordings r ON r.id = top.recording_id
    LEFT JOIN artist_credits c ON c.id = r.artist_credit_id
    LEFT JOIN best ON best.recording_id = top.recording_id
    LEFT JOIN artworks w ON w.release_group_id = best.release_group_id
    LEFT JOIN images i ON i.id = w.image_id
    ORDER BY top.plays DESC, top.recording_id, top.name, top.artist
"""

_GENRES: Final = """
    own AS MATERIALIZED (
        SELECT o.genre, sum(d.plays) AS plays
        FROM own_genres o JOIN decided d USING (lookup_id) WHERE o.account_id = $1 GROUP BY 1
    ), rest AS (
        SELECT * FROM decided d
        WHERE NOT EXISTS (SELECT FROM own_genres o WHERE o.account_id = $1 AND o.lookup_id = d.lookup_id)
    ), credited AS MATERIALIZED (
        SELECT r.artist_credit_id, d.release_group_id, sum(d.plays) AS plays
        FROM rest d JOIN recordings r ON r.id = d.recording_id GROUP BY 1, 2
    ), by_album AS (
        SELECT g.genre, sum(c.plays) AS plays FROM credited c
        JOIN (SELECT DISTINCT release_group_id, genre FROM release_group_genres) g USING (release_group_id) GROUP BY 1
    ), by_artist AS (
        SELECT g.genre, sum(c.plays) AS plays
        FROM (
            SELECT artist_credit_id, sum(plays) AS plays FROM credited c
            WHERE NOT EXISTS (SELECT FROM release_group_genres g WHERE g.release_group_id = c.release_group_id)
            GROUP BY 1
        ) c
        JOIN (
            SELECT DISTINCT n.artist_credit_id, g.genre
            FROM artist_credit_names n JOIN artist_genres g USING (artist_id)
        ) g USING (artist_credit_id) GROUP BY 1
    )
    SELECT genre, sum(plays)::int AS plays
    FROM (SELECT * FROM own UNION ALL SELECT * FROM by_album UNION ALL SELECT * FROM by_artist) every
    GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT $8
"""
