"""What an account played most in any period: artists, albums, tracks and genres; and when, by day and by hour.

Read from what `store.tallies` counts and `store.tops` copies, so that a million plays are no more work than what is
shown. A play counts for what it was matched to (`store.effective`). What is not matched counts too, by the names that
were sent; an artist so named is taken for the one of the same name whom the account plays most.
"""

from __future__ import annotations

import base64
import functools
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import msgspec

from sleevenotes import names
from sleevenotes.store import covers, tallies, tops
from sleevenotes.store.postgres import Connection

MOST_WORDS = 8
MOST_NAMES = 20_000  # of a search


class Period(msgspec.Struct, frozen=True):
    """From `first` until before `past`, aware; both None: all there is."""

    first: datetime | None = None
    past: datetime | None = None


class Prepared(msgspec.Struct, frozen=True):
    """A period laid out for an account (`prepare`), for who reads several charts of it."""

    copied: bool
    values: tuple[Any, ...]


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
    too_many: bool = False  # more names than MOST_NAMES: none are told


class Genre(msgspec.Struct, frozen=True):
    """A genre, in lower case, and the plays that are of it; a play may be of several."""

    name: str
    plays: int


async def prepare(conn: Connection, account_id: int, period: Period | Prepared) -> Prepared:
    """Lay a period out, once for all charts of it."""
    if isinstance(period, Prepared):
        return period
    return Prepared(*await tops.values(conn, account_id, await _plan(conn, account_id, period)))


async def artists(conn: Connection, account_id: int, period: Period | Prepared, limit: int, offset: int = 0) -> Tops:
    """Return the artists played most; a play counts for every artist of its credit."""
    return await _tops(conn, tops.ARTIST, account_id, period, limit, offset)


async def albums(conn: Connection, account_id: int, period: Period | Prepared, limit: int, offset: int = 0) -> Tops:
    """Return the albums played most: release groups, and releases as sent where they are not matched."""
    return await _tops(conn, tops.ALBUM, account_id, period, limit, offset)


async def tracks(conn: Connection, account_id: int, period: Period | Prepared, limit: int, offset: int = 0) -> Tops:
    """Return the tracks played most: recordings, and artist and track as sent where they are not matched."""
    return await _tops(conn, tops.TRACK, account_id, period, limit, offset)


async def genres(conn: Connection, account_id: int, period: Period | Prepared, limit: int) -> list[Genre]:
    """Return the genres played most.

    A play is of the genres that the account's own plays of its name say, else of its album's, else of its artists'.
    """
    laid = await prepare(conn, account_id, period)
    rows = await conn.fetch(_query(tops.GENRE, copied=laid.copied), *laid.values, limit, 0)
    return [Genre(row["name"], row["plays"]) for row in rows]


async def search(conn: Connection, account_id: int, words: str, limit: int) -> Found:
    """Find by words, whichever way they are written, what the account has played: artists, albums, tracks.

    Every word is to be a part of the artist's name; of the artist's or the album's; of artist, album or track. They
    are looked for in the names that were sent; signs ("&") only where there is nothing else. A single letter alone is
    an artist's whole name.
    """
    laid = await prepare(conn, account_id, Period())
    rows = await _found(conn, account_id, words, laid)
    if len(rows) > MOST_NAMES:
        return Found(too_many=True)
    kinds = (tops.ARTIST, "by_artist"), (tops.ALBUM, "by_album"), (tops.TRACK, "by_track")
    found = []
    for kind, where in kinds:
        ids = [row["lookup_id"] for row in rows if row[where]]
        told = await conn.fetch(_query(kind, copied=False, found=True), *laid.values, limit, 0, ids) if ids else []
        found.append(_tops_of(told))
    return Found(found[0], found[1], found[2])


async def lookups_of(conn: Connection, account_id: int, words: str) -> list[int]:
    """Return the names played that have every word in them, as `search` finds tracks; at most MOST_NAMES."""
    rows = await _found(conn, account_id, words, await prepare(conn, account_id, Period()))
    return [row["lookup_id"] for row in rows[:MOST_NAMES] if row["by_track"]]


async def _found(conn: Connection, account_id: int, words: str, laid: Prepared) -> Sequence[Mapping[str, Any]]:
    patterns = _patterns(words)
    return await conn.fetch(_FIND, account_id, *laid.values[1:3], patterns, MOST_NAMES + 1) if patterns else []


async def plays(conn: Connection, account_id: int, period: Period) -> int:
    """Count the plays of a period, hidden ones left out."""
    counted = f"WITH {tallies.COUNTED} SELECT coalesce(sum(plays), 0)::int FROM counted"
    plan = await _plan(conn, account_id, period)
    number: int = await conn.fetchval(counted, account_id, *plan.values)
    return number


# ---------------------------------------------------------------- inside


async def _plan(conn: Connection, account_id: int, period: Period) -> tallies.Plan:
    """Lay a period out by what is counted; one that goes beyond the last play takes the whole of that year."""
    bounds = await tallies.bounds(conn, account_id) if period.past else None
    marked = await tallies.marked(conn, account_id)
    return tallies.plan(period.first, period.past, marked, bounds[1] if bounds else None)


async def _tops(
    conn: Connection, kind: int, account_id: int, period: Period | Prepared, limit: int, offset: int
) -> Tops:
    laid = await prepare(conn, account_id, period)
    return _tops_of(await conn.fetch(_query(kind, copied=laid.copied), *laid.values, limit, offset))


def _tops_of(rows: Sequence[Mapping[str, Any]]) -> Tops:
    return Tops(tuple(_top(row) for row in rows), rows[0]["different"] if rows else 0)


def _top(row: Mapping[str, Any]) -> Top:
    facts = {name: value for name, value in row.items() if name not in ("different", "digest", "thumbhash", "colour")}
    return Top(
        **facts,
        image_digest=(row["digest"] or b"").hex(),
        thumbhash=base64.b64encode(row["thumbhash"] or b"").decode(),
        colour=row["colour"] or "",
    )


@functools.cache
def _query(kind: int, *, copied: bool, found: bool = False) -> str:
    """Write the query of one kind of chart, for `tops.values`, a limit, an offset, and the names of a search."""
    besides = "(SELECT count(*) FROM same)" if kind == tops.ARTIST else "0"
    texts, every, told = _PARTS[kind]
    return f"""
    WITH {tops.merged(kind, copied=copied, found=found)}, {texts}
    {tops.ranked(kind, copied=copied, besides=besides)}, every AS ({every}), top AS (
        SELECT *, ((SELECT subjects FROM different)
                   + (SELECT count(*) FROM every WHERE subject_id IS NULL))::int AS different
        FROM every ORDER BY plays DESC, subject_id, name, artist LIMIT $10::bigint OFFSET $11::bigint
    )
    {told}
    """


def _patterns(words: str) -> list[str]:
    """Return how words are looked for: each anywhere; a single letter alone only as the artist's whole name.

    Signs are in no longer name's key, so they are left out beside words that are.
    """
    keys = [names.key(word) for word in words.split()]
    told = [key for key in keys if any(map(str.isalnum, key))] or keys
    escaped = [key.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") for key in told[:MOST_WORDS]]
    alone = len(told) == 1 and sum(map(str.isalnum, words)) == 1  # "يا" has the key "y", but two letters
    return [f"{key}/%" if alone else f"%{key}%" for key in escaped]


_FIND: Final = """
    WITH live AS MATERIALIZED (
        SELECT DISTINCT s.lookup_id FROM unnest($2::timestamptz[], $3::timestamptz[]) AS part (first, past)
        JOIN scrobbles s ON s.account_id = $1 AND s.listened_at >= part.first AND s.listened_at < part.past
    ), every AS (
        SELECT lookup_id, artist, release, track FROM searchable WHERE account_id = $1
        UNION ALL
        SELECT live.lookup_id, l.* FROM live, LATERAL (
            SELECT artist_key, release_key, track_key FROM lookups WHERE id = live.lookup_id LIMIT 1
        ) l WHERE NOT EXISTS (SELECT FROM searchable x WHERE x.account_id = $1 AND x.lookup_id = live.lookup_id)
    )
    SELECT lookup_id, artist || '/' LIKE ALL ($4::text[]) AS by_artist,
           release <> '' AND artist || '/' || release LIKE ALL ($4::text[]) AS by_album, true AS by_track
    FROM every WHERE artist || '/' || release || '/' || track LIKE ALL ($4::text[]) LIMIT $5
"""


_TEXTS: Final = """
    texts AS MATERIALIZED (
        SELECT lower(l.artist) AS folded, min(l.artist) AS name, sum(s.plays)::int AS plays
        FROM sent s JOIN lookups l ON l.id = s.lookup_id GROUP BY 1
    ), same AS MATERIALIZED (
        SELECT DISTINCT ON (x.folded) x.folded, a.id AS artist_id, x.plays, k.plays AS own
        FROM texts x JOIN artists a ON lower(a.name) = x.folded CROSS JOIN base
        LEFT JOIN moved m ON m.subject_id = a.id
        LEFT JOIN tops t ON t.account_id = $1 AND t.grain = base.grain AND t.starts = base.starts AND t.kind = 1
             AND t.subject_id = a.id
        CROSS JOIN LATERAL (SELECT coalesce(m.plays, t.plays) AS plays) k
        WHERE k.plays > 0 ORDER BY x.folded, k.plays DESC, a.id
    ),
"""

_ARTISTS: Final = """
    SELECT subject_id, NULL AS name, NULL AS artist, plays FROM ranked r
    WHERE NOT EXISTS (SELECT FROM same WHERE same.artist_id = r.subject_id)
    UNION ALL
    SELECT artist_id, NULL, NULL, (max(own) + sum(plays))::int FROM same GROUP BY 1
    UNION ALL
    SELECT NULL, name, NULL, plays FROM texts x WHERE NOT EXISTS (SELECT FROM same WHERE same.folded = x.folded)
"""

_ALBUMS: Final = """
    SELECT subject_id, NULL AS name, NULL AS artist, plays FROM ranked
    UNION ALL
    SELECT NULL, min(l.release), min(l.artist), sum(s.plays)::int FROM sent s JOIN lookups l ON l.id = s.lookup_id
    WHERE l.release <> '' GROUP BY lower(l.artist), lower(l.release)
"""

_TRACKS: Final = """
    SELECT subject_id, NULL AS name, NULL AS artist, plays FROM ranked
    UNION ALL
    SELECT NULL, min(l.track), min(l.artist), sum(s.plays)::int FROM sent s JOIN lookups l ON l.id = s.lookup_id
    GROUP BY lower(l.artist), lower(l.track)
"""

# What is shown of each. A cover is taken from an album of the account's own plays.
_TOLD_ARTISTS: Final = f"""
    SELECT top.subject_id AS id, coalesce(a.mbid::text, '') AS mbid, coalesce(a.name, top.name) AS name, '' AS artist,
           top.plays, top.different, coalesce(best.release_group_id, late.release_group_id) AS release_group_id,
           i.digest, i.thumbhash, i.colour, '' AS artwork_status
    FROM top LEFT JOIN artists a ON a.id = top.subject_id
    LEFT JOIN portraits p ON p.artist_id = top.subject_id
    LEFT JOIN LATERAL (
        SELECT g.id AS release_group_id, {covers.ALBUM_IMAGE} AS image_id
        FROM artist_credit_names n JOIN release_groups g USING (artist_credit_id)
        JOIN tops t ON t.account_id = $1 AND t.grain = 0 AND t.starts = '1970-01-01' AND t.kind = 2
             AND t.subject_id = g.id
        {covers.ALBUM_JOINS}
        WHERE n.artist_id = top.subject_id AND {covers.ALBUM_IMAGE} IS NOT NULL ORDER BY t.plays DESC, g.id LIMIT 1
    ) best ON true
    LEFT JOIN LATERAL (  -- played of late only, so in no copy
        SELECT g.id AS release_group_id, {covers.ALBUM_IMAGE} AS image_id
        FROM artist_credit_names n JOIN recordings r USING (artist_credit_id) JOIN matches m ON m.recording_id = r.id
        JOIN release_groups g ON g.id = m.release_group_id
        {covers.ALBUM_JOINS}
        WHERE best.image_id IS NULL AND n.artist_id = top.subject_id AND {covers.ALBUM_IMAGE} IS NOT NULL
        AND EXISTS (SELECT FROM scrobbles s WHERE s.lookup_id = m.lookup_id AND s.account_id = $1)
        LIMIT 1
    ) late ON true
    LEFT JOIN images i ON i.id = coalesce(p.image_id, best.image_id, late.image_id)
    ORDER BY top.plays DESC, top.subject_id, top.name
"""

_TOLD_ALBUMS: Final = f"""
    SELECT top.subject_id AS id, coalesce(g.mbid::text, '') AS mbid, coalesce(g.title, top.name) AS name,
           coalesce(c.name, top.artist) AS artist, top.plays, top.different, top.subject_id AS release_group_id,
           i.digest, i.thumbhash, i.colour,
           coalesce(w.status, CASE WHEN g.id IS NULL THEN '' ELSE 'pending' END) AS artwork_status
    FROM top LEFT JOIN release_groups g ON g.id = top.subject_id
    LEFT JOIN artist_credits c ON c.id = g.artist_credit_id
    {covers.ALBUM_JOINS}
    LEFT JOIN images i ON i.id = {covers.ALBUM_IMAGE}
    ORDER BY top.plays DESC, top.subject_id, top.name, top.artist
"""

_TOLD_TRACKS: Final = f"""
    SELECT top.subject_id AS id, coalesce(r.mbid::text, '') AS mbid, coalesce(r.title, top.name) AS name,
           coalesce(c.name, top.artist) AS artist, top.plays, top.different, best.release_group_id,
           i.digest, i.thumbhash, i.colour, coalesce(w.status, '') AS artwork_status
    FROM top LEFT JOIN recordings r ON r.id = top.subject_id
    LEFT JOIN artist_credits c ON c.id = r.artist_credit_id
    LEFT JOIN LATERAL (
        SELECT m.release_group_id FROM matches m LEFT JOIN artworks w USING (release_group_id)
        WHERE m.recording_id = top.subject_id AND m.release_group_id IS NOT NULL AND (
            EXISTS (SELECT FROM scrobbles s WHERE s.lookup_id = m.lookup_id AND s.account_id = $1)
            OR EXISTS (SELECT FROM scrobbles s WHERE s.id = m.scrobble_id AND s.account_id = $1)
            OR EXISTS (SELECT FROM corrected x WHERE x.id = m.corrected_id AND x.account_id = $1)
            OR EXISTS (SELECT FROM agreements g JOIN scrobbles s USING (lookup_id)
                       WHERE g.match_id = m.id AND s.account_id = $1))
        ORDER BY w.image_id IS NULL, m.id LIMIT 1
    ) best ON true
    LEFT JOIN release_groups g ON g.id = best.release_group_id
    {covers.ALBUM_JOINS}
    LEFT JOIN images i ON i.id = {covers.ALBUM_IMAGE}
    ORDER BY top.plays DESC, top.subject_id, top.name, top.artist
"""

_PARTS: Final = {
    tops.ARTIST: (_TEXTS, _ARTISTS, _TOLD_ARTISTS),
    tops.ALBUM: ("", _ALBUMS, _TOLD_ALBUMS),
    tops.TRACK: ("", _TRACKS, _TOLD_TRACKS),
    tops.GENRE: (
        "",
        "SELECT subject_id, NULL::text AS name, NULL::text AS artist, plays FROM ranked",
        "SELECT g.name, top.plays FROM top JOIN genres g ON g.id = top.subject_id ORDER BY top.plays DESC, g.name",
    ),
}
