"""Lookups: the text identities of plays, shared by all accounts."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import msgspec

from sleevenotes import errors, model, names
from sleevenotes.store import discographies, drip
from sleevenotes.store.postgres import Connection


class New(NamedTuple):
    """A name that is played: as sent, and how urgently it is wanted."""

    artist: str
    track: str
    release: str
    band: model.Band


class Met(NamedTuple):
    """What is known of a name.

    `pending` says that its match is still looked for; `unasked` that a `match` job is due: the name is new, or
    pending and now more urgent than before. `bare_group_id` is the release group of its match where nobody has
    looked for a cover yet; for who waits, also where one is looked for and not decided. `new` says that it was written
    just now.
    """

    id: int
    pending: bool
    unasked: bool
    bare_group_id: int | None
    new: bool = False


async def meet(conn: Connection, news: Mapping[bytes, New], now: datetime) -> dict[bytes, Met]:
    """Write each name (by its identity) that is new, and keep the most urgent band of those that are pending.

    A name that is known and no more urgent is only read. What is written is written in the order of identities, so
    that two transactions with the same names queue up rather than deadlock.
    """
    known = await _known(conn, list(news))
    added = await _add(conn, sorted(news.keys() - known.keys()), news, now)
    met = {identity: Met(lookup_id, True, True, None, new=True) for identity, lookup_id in added.items()}
    if len(known) + len(added) < len(news):  # another transaction was faster, and has committed
        known.update(await _known(conn, list(news.keys() - known.keys() - added.keys())))
    for identity, row in known.items():
        met[identity] = Met(row["id"], row["pending"], _more_urgent(row, news[identity]), _bare(row, news[identity]))
    await _hurry(conn, {row["id"]: news[name].band for name, row in known.items() if met[name].unasked})
    return met


async def take_back(conn: Connection, lookup_ids: Sequence[int]) -> None:
    """Delete lookups that this very transaction has written: nobody else has seen them, nothing points at them."""
    await conn.execute("DELETE FROM lookups WHERE id = ANY($1::bigint[])", list(lookup_ids))


def _more_urgent(row: Mapping[str, Any], new: New) -> bool:
    return bool(row["pending"]) and row["band"] < new.band


def _bare(row: Mapping[str, Any], new: New) -> int | None:
    group_id: int | None = row["bare_group_id"]
    return group_id if not row["looked_for"] or new.band > model.Band.LOW_PRIORITY else None


async def _known(conn: Connection, identities: Sequence[bytes]) -> dict[bytes, Mapping[str, Any]]:
    rows = await conn.fetch(
        """
        SELECT l.identity, l.id, l.status = 'pending' AS pending, l.band, a.status IS NOT NULL AS looked_for,
               CASE WHEN coalesce(a.status, 'pending') = 'pending' THEN m.release_group_id END AS bare_group_id
        FROM lookups l
        LEFT JOIN matches m ON m.id = l.match_id
        LEFT JOIN artworks a ON a.release_group_id = m.release_group_id
        WHERE l.identity = ANY($1::bytea[])
        """,
        identities,
    )
    return {row["identity"]: row for row in rows}


async def _add(
    conn: Connection, identities: Sequence[bytes], news: Mapping[bytes, New], now: datetime
) -> dict[bytes, int]:
    """Write names; return the ids of those that were not there."""
    if not identities:
        return {}
    rows = await conn.fetch(_ADD, identities, [_row(news[each]) for each in identities], names.KEY_VERSION, now)
    return {row["identity"]: row["id"] for row in rows}


# The texts travel as one jsonb: asyncpg takes 6 ms of Python for what is 1 ms this way (1,000 names).
_ADD = """
    INSERT INTO lookups (identity, artist, track, release, artist_key, track_key, release_key, key_version,
                         band, created_at)
    SELECT identity, artist, track, release, artist_key, track_key, release_key, $3, band, $4
    FROM ROWS FROM (
        unnest($1::bytea[]),
        jsonb_to_recordset($2) AS (artist text, track text, release text,
                                   artist_key text, track_key text, release_key text, band smallint)
    ) AS new (identity, artist, track, release, artist_key, track_key, release_key, band)
    ORDER BY identity
    ON CONFLICT (identity) DO NOTHING
    RETURNING identity, id
"""


async def _hurry(conn: Connection, bands: Mapping[int, model.Band]) -> None:
    """Raise the bands of these lookups."""
    if not bands:
        return
    await conn.execute(
        """
        WITH locked AS (
            SELECT l.id, urgent.band FROM lookups l
            JOIN unnest($1::bigint[], $2::smallint[]) AS urgent (id, band) ON urgent.id = l.id
            ORDER BY l.identity FOR NO KEY UPDATE OF l
        )
        UPDATE lookups SET band = greatest(lookups.band, locked.band) FROM locked WHERE lookups.id = locked.id
        """,
        list(bands),
        [int(band) for band in bands.values()],
    )


_key = functools.lru_cache(maxsize=8192)(names.key)  # artists and albums come again and again


def _row(new: New) -> dict[str, object]:
    return {
        "artist": new.artist,
        "track": new.track,
        "release": new.release,
        "artist_key": _key(new.artist),
        "track_key": _key(new.track),
        "release_key": _key(new.release),
        "band": int(new.band),
    }


class Pending(msgspec.Struct, frozen=True):
    """A lookup that waits for a decision, as the match stage needs it.

    `plays` counts the plays that wait for it. The first name of an album `leads`: it brings the cover, and counts all
    the album's plays. Where many names of an artist wait, the first one `opens`: it tells whose releases answer the
    others, and counts the plays of all; the tenth tells that so many wait, when the first was looked at before them.
    """

    id: int
    artist: str
    track: str
    release: str
    plays: int
    tries: int
    created_at: datetime
    leads: bool = False
    opens: bool = False
    is_tenth: bool = False


async def load_pending(conn: Connection, lookup_ids: Sequence[int]) -> list[Pending]:
    """Fetch those of these lookups that still wait."""
    return await _load(conn, lookup_ids, ["pending"])


async def load_undecided(conn: Connection, lookup_ids: Sequence[int]) -> list[Pending]:
    """Fetch those of these lookups that were looked for and not found, as if they waited."""
    return await _load(conn, lookup_ids, ["not_found", "failed"])


async def _load(conn: Connection, lookup_ids: Sequence[int], statuses: list[str]) -> list[Pending]:
    rows = await conn.fetch(_PENDING, list(lookup_ids), statuses)
    return [msgspec.convert(dict(row), Pending) for row in rows]


_MATES = "FROM lookups WHERE hashtextextended(artist_key, 0) = by AND status = 'pending'"

_PENDING = f"""
    WITH waiting AS (
        SELECT id, artist, track, release, tries, created_at, hashtextextended(artist_key, 0) AS by,
               hashtextextended(artist_key || '/' || release_key, 0) AS album, release_key <> '' AS on_album
        FROM lookups WHERE id = ANY($1::bigint[]) AND status = ANY($2::text[])
    ), counted AS (
        SELECT waiting.*, (SELECT count(*) FROM scrobbles WHERE lookup_id = waiting.id) AS own,
               on_album AND NOT EXISTS (
                   SELECT FROM lookups
                   WHERE hashtextextended(artist_key || '/' || release_key, 0) = album AND release_key <> ''
                     AND (lookups.id < waiting.id OR match_id IS NOT NULL)
               ) AS leads,
               NOT EXISTS (SELECT {_MATES} AND id < waiting.id)
               AND (SELECT count(*) FROM (SELECT {_MATES} LIMIT {discographies.WORTH}) AS mates)
                   = {discographies.WORTH} AS opens,
               (SELECT count(*) FROM (SELECT {_MATES} AND id <= waiting.id LIMIT {discographies.WORTH} + 1) AS before)
                   = {discographies.WORTH} AS is_tenth
        FROM waiting
    )
    SELECT id, artist, track, release, tries, created_at, leads, opens, is_tenth,
           CASE WHEN opens THEN (
               SELECT count(*) FROM lookups JOIN scrobbles ON scrobbles.lookup_id = lookups.id
               WHERE hashtextextended(artist_key, 0) = by AND status = 'pending'
           ) WHEN leads THEN (
               SELECT count(*) FROM lookups JOIN scrobbles ON scrobbles.lookup_id = lookups.id
               WHERE hashtextextended(artist_key || '/' || release_key, 0) = album AND release_key <> ''
           ) ELSE own END AS plays
    FROM counted ORDER BY id
"""


_DUE = drip.choose(
    "lookups",
    "id",
    "recheck_at",
    of="status <> 'pending'",
    plays="SELECT count(*) FROM scrobbles WHERE lookup_id = due.id",
)


async def reopen_due(conn: Connection, now: datetime, limit: int) -> list[int]:
    """Make a few lookups whose day to look again has come pending, see `store.drip`, and return them."""
    rows = await conn.fetch(
        f"""
        UPDATE lookups SET status = 'pending', band = $3, recheck_at = NULL WHERE id = ANY(ARRAY({_DUE})) RETURNING id
        """,
        now,
        limit,
        int(model.Band.LOW_PRIORITY),
    )
    return sorted(row["id"] for row in rows)


async def under_way(conn: Connection, most: int) -> int:
    """Count, up to `most`, the lookups that are looked for again just now."""
    count: int = await conn.fetchval(
        "SELECT count(*) FROM (SELECT FROM lookups WHERE status = 'pending' AND tries > 0 LIMIT $1) again", most
    )
    return count


async def reopen(conn: Connection, lookup_ids: Sequence[int], unless_since: datetime) -> list[int]:
    """Make those of these undecided lookups pending that were decided before `unless_since`; return them."""
    rows = await conn.fetch(
        """
        UPDATE lookups SET status = 'pending', band = $3, recheck_at = NULL
        WHERE id IN (
            SELECT id FROM lookups
            WHERE id = ANY($1::bigint[]) AND status IN ('not_found', 'failed') AND decided_at < $2
            ORDER BY identity FOR NO KEY UPDATE)
        RETURNING id
        """,
        list(lookup_ids),
        unless_since,
        int(model.Band.CRITICAL),
    )
    return [row["id"] for row in rows]


class Sent(NamedTuple):
    """A lookup's texts, as first sent."""

    artist: str
    track: str
    release: str


async def sent(conn: Connection, lookup_id: int) -> Sent:
    """Return what a lookup is called. Raises errors.Gone where there is none."""
    row = await conn.fetchrow("SELECT artist, track, release FROM lookups WHERE id = $1", lookup_id)
    if row is None:
        raise errors.Gone
    return Sent(*row)
