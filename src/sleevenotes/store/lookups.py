"""Lookups: the text identities of plays, shared by all accounts."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

import msgspec

from sleevenotes import model, names
from sleevenotes.store.postgres import Connection


class New(msgspec.Struct):
    """A name that is about to be played: how often, and how urgently it is wanted."""

    artist: str
    track: str
    release: str
    band: model.Band
    plays: int = 0


class Met(NamedTuple):
    """What is known of a name.

    `pending` says that its match is still looked for; `unasked` that a `match` job is due: the name is new, or
    pending and now more urgent than before. `bare_group_id` is the release group of its match where nobody has
    looked for a cover yet.
    """

    id: int
    pending: bool
    unasked: bool
    bare_group_id: int | None


async def meet(conn: Connection, news: Mapping[bytes, New], now: datetime) -> dict[bytes, Met]:
    """Write each name (by its identity) that is new, count the plays, keep the most urgent band.

    One statement, in the order of identities, so that two transactions meeting the same names queue up rather
    than deadlock.
    """
    ordered = sorted(news)
    rows = await conn.fetch(
        _MEET,
        ordered,
        [_texts(news[identity]) for identity in ordered],
        [int(news[identity].band) for identity in ordered],
        [news[identity].plays for identity in ordered],
        names.KEY_VERSION,
        now,
    )
    return {identity: Met(*met) for identity, *met in rows}


# The texts travel as one jsonb: asyncpg takes 6 ms of Python for what is 1 ms this way (1,000 names).
# `before` reads the statement's own snapshot, hence the band as it was; NULL where the name is new.
_MEET = """
    INSERT INTO lookups (identity, artist, track, release, artist_key, track_key, release_key, key_version,
                         band, plays, created_at)
    SELECT identity, artist, track, release, artist_key, track_key, release_key, $5, band, plays, $6
    FROM ROWS FROM (
        unnest($1::bytea[], $3::smallint[], $4::int[]),
        jsonb_to_recordset($2) AS (artist text, track text, release text,
                                   artist_key text, track_key text, release_key text)
    ) AS new (identity, band, plays, artist, track, release, artist_key, track_key, release_key)
    ORDER BY identity
    ON CONFLICT (identity) DO UPDATE
    SET plays = lookups.plays + excluded.plays, band = greatest(lookups.band, excluded.band)
    RETURNING identity, id, status = 'pending',
        coalesce(
            (SELECT lookups.status = 'pending' AND before.band < lookups.band
             FROM lookups before WHERE before.id = lookups.id),
            true),
        (SELECT m.release_group_id FROM matches m WHERE m.id = lookups.match_id
         AND NOT EXISTS (SELECT FROM artworks a WHERE a.release_group_id = m.release_group_id))
"""

_key = functools.lru_cache(maxsize=8192)(names.key)  # artists and albums come again and again


def _texts(new: New) -> dict[str, str]:
    return {
        "artist": new.artist,
        "track": new.track,
        "release": new.release,
        "artist_key": _key(new.artist),
        "track_key": _key(new.track),
        "release_key": _key(new.release),
    }


async def count_off(conn: Connection, plays: Mapping[int, int]) -> None:
    """Take plays off lookups (by id) whose scrobbles were deleted, or turned out to be stored already."""
    ordered = sorted(plays)
    await conn.execute(
        """
        WITH locked AS (
            SELECT l.id, gone.plays FROM lookups l
            JOIN unnest($1::bigint[], $2::int[]) AS gone (id, plays) ON gone.id = l.id
            ORDER BY l.identity FOR NO KEY UPDATE OF l
        )
        UPDATE lookups SET plays = greatest(0, lookups.plays - locked.plays) FROM locked WHERE lookups.id = locked.id
        """,
        ordered,
        [plays[lookup_id] for lookup_id in ordered],
    )


class Pending(msgspec.Struct, frozen=True):
    """A lookup that waits for a decision, as the match stage needs it."""

    id: int
    artist: str
    track: str
    release: str
    plays: int
    tries: int


async def load_pending(conn: Connection, lookup_ids: Sequence[int]) -> list[Pending]:
    """Fetch those of these lookups that still wait."""
    rows = await conn.fetch(
        """
        SELECT id, artist, track, release, plays, tries FROM lookups
        WHERE id = ANY($1::bigint[]) AND status = 'pending' ORDER BY id
        """,
        list(lookup_ids),
    )
    return [msgspec.convert(dict(row), Pending) for row in rows]


async def reopen_due(conn: Connection, now: datetime, limit: int) -> list[int]:
    """Make a few undecided lookups whose day to look again has come pending, and return them."""
    rows = await conn.fetch(
        """
        UPDATE lookups SET status = 'pending', band = $3, recheck_at = NULL
        WHERE id IN (
            SELECT id FROM lookups WHERE recheck_at <= $1 AND status IN ('not_found', 'failed')
            ORDER BY recheck_at LIMIT $2 FOR NO KEY UPDATE SKIP LOCKED
        )
        RETURNING id
        """,
        now,
        limit,
        int(model.Band.LOW_PRIORITY),
    )
    return [row["id"] for row in rows]
