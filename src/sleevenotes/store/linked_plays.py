"""What was found to be the same play, for the listener to see: by play, by pair of origins, and the latest."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from sleevenotes.store.postgres import Connection


class Record(NamedTuple):
    """One service's record of a play. `shown` says that it is the one that pages show."""

    id: int
    listened_at: datetime
    origin: str
    source_app: str
    artist: str
    track: str
    release: str
    shown: bool


class Pair(NamedTuple):
    """Two origins, in the order of the alphabet, and how many plays of one are hidden behind plays of the other.

    `apart` says that their listener keeps them apart.
    """

    origin: str
    other: str
    plays: int
    apart: bool


class Linked(NamedTuple):
    """A hidden record, and the one that is shown instead."""

    hidden: Record
    shown: Record


async def records(conn: Connection, account_id: int, scrobble_id: int) -> list[Record]:
    """Return all records of the play that this scrobble is a record of, the shown one first; one where it is alone."""
    rows = await conn.fetch(
        """
        SELECT s.id, s.listened_at, s.origin, s.source_app, s.artist, s.track, s.release, s.same_as IS NULL AS shown
        FROM scrobbles me
        JOIN scrobbles s ON s.id = coalesce(me.same_as, me.id) OR s.same_as = coalesce(me.same_as, me.id)
        WHERE me.id = $2 AND me.account_id = $1
        ORDER BY s.same_as IS NOT NULL, s.id
        """,
        account_id,
        scrobble_id,
    )
    return [Record(*row) for row in rows]


async def is_own(conn: Connection, scrobble_id: int) -> bool:
    """Tell whether the listener said that this scrobble is a play of its own."""
    own: bool = await conn.fetchval("SELECT EXISTS (SELECT FROM own_plays WHERE scrobble_id = $1)", scrobble_id)
    return own


async def pairs(conn: Connection, account_id: int) -> list[Pair]:
    """Return the pairs of origins that recorded the same plays, or are kept apart; the most plays first."""
    rows = await conn.fetch(
        """
        WITH hidden AS (
            SELECT least(h.origin, s.origin) AS origin, greatest(h.origin, s.origin) AS other, count(*) AS plays
            FROM scrobbles h JOIN scrobbles s ON s.id = h.same_as
            WHERE h.account_id = $1 AND h.same_as IS NOT NULL GROUP BY 1, 2
        ), kept AS (SELECT origin, other_origin AS other FROM origins_apart WHERE account_id = $1)
        SELECT origin, other, coalesce(plays, 0) AS plays, kept.origin IS NOT NULL AS apart
        FROM hidden FULL JOIN kept USING (origin, other) ORDER BY plays DESC, 1, 2
        """,
        account_id,
    )
    return [Pair(*row) for row in rows]


async def latest(conn: Connection, account_id: int, limit: int, before: int | None = None) -> list[Linked]:
    """Return what was hidden last, by the hidden scrobble's id, the newest first; `before` leads to older ones."""
    rows = await conn.fetch(
        """
        SELECT h.id, h.listened_at, h.origin, h.source_app, h.artist, h.track, h.release,
               s.id AS shown_id, s.listened_at AS shown_listened_at, s.origin AS shown_origin,
               s.source_app AS shown_source_app, s.artist AS shown_artist, s.track AS shown_track,
               s.release AS shown_release
        FROM (
            SELECT * FROM scrobbles WHERE account_id = $1 AND same_as IS NOT NULL AND ($3::bigint IS NULL OR id < $3)
            ORDER BY id DESC LIMIT $2
        ) h JOIN scrobbles s ON s.id = h.same_as ORDER BY h.id DESC
        """,
        account_id,
        limit,
        before,
    )
    return [Linked(_record(row, "", shown=False), _record(row, "shown_", shown=True)) for row in rows]


def _record(row: Mapping[str, Any], prefix: str, *, shown: bool) -> Record:
    told = {name: row[prefix + name] for name in Record._fields if name != "shown"}
    return Record(**told, shown=shown)
