"""An import's names that wait, with the albums whose covers they bring, for who estimates when all of it is done."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec

from sleevenotes import model
from sleevenotes.store import discographies
from sleevenotes.store.postgres import Connection

# The cover of a name's album, where another name of it has told which album it is.
_COVER = """
    LEFT JOIN LATERAL (
        SELECT release_group_id, artworks.status <> 'pending' AS is_decided
        FROM lookups AS other JOIN matches ON matches.id = other.match_id JOIN artworks USING (release_group_id)
        WHERE hashtextextended(other.artist_key || '/' || other.release_key, 0)
              = hashtextextended(lookups.artist_key || '/' || lookups.release_key, 0)
          AND other.release_key <> '' AND lookups.release_key <> ''
        ORDER BY is_decided DESC LIMIT 1
    ) AS cover ON true
"""


class Name(msgspec.Struct, frozen=True):
    """A pending lookup: how urgent it is, and whether its album's cover is known already by another name of it."""

    lookup_id: int
    band: model.Band
    covered: bool


class Queued(msgspec.Struct, frozen=True):
    """A pending name that nobody waits for, at one source or not asked about yet (`want_id` None).

    `album` stands for artist and release as sent, None where the album's cover is decided already; `cover` is its
    release group, where the cover is looked for already. `opens`: it tells whose releases answer many others. `plays`
    are those that it counts for in its queue, `own` those of this name alone. `bears` is the largest pack that it goes
    in, 0 where no reply left it out.
    """

    lookup_id: int
    want_id: int | None
    artist: int
    album: int | None
    cover: int | None
    plays: int
    asking: bool
    opens: bool
    bears: int
    own: int


async def queue(conn: Connection, source: str, now: datetime, most: int) -> list[Queued]:
    """Return an import's names that wait at this source, or are about to, in the order that lanes claim by.

    What does not wait yet has the place that it is about to have, see `lookups.load_pending`. At most `most` of them.
    """
    rows = await conn.fetch(
        f"""
        WITH pending AS (
            SELECT lookups.id AS lookup_id, wants.id AS want_id, plays, leads, opens, pack_limit,
                   leased_until,
                   hashtextextended(artist_key, 0) AS artist, release_key <> '' AS on_album,
                   hashtextextended(artist_key || '/' || coalesce(nullif(release_key, ''), lookups.id::text), 0)
                   AS album,
                   is_decided IS NOT TRUE AS bare, CASE WHEN NOT is_decided THEN release_group_id END AS cover,
                   CASE WHEN want_id IS NULL OR leads OR opens
                        THEN (SELECT count(*) FROM scrobbles WHERE lookup_id = lookups.id) ELSE plays END AS own
            FROM lookups
            LEFT JOIN waiters ON stage = 'match' AND subject_id = lookups.id
            LEFT JOIN wants ON wants.id = want_id
            {_COVER}
            WHERE status = 'pending' AND lookups.band = $3
              AND (want_id IS NULL OR wants.source = $1 AND wants.band = $3 AND kind = 'find_recording')
        ), placed AS (
            SELECT *, want_id IS NULL AND on_album AND bare
                      AND row_number() OVER (PARTITION BY album ORDER BY lookup_id) = 1 AS is_first,
                   sum(own) OVER (PARTITION BY album) AS of_album,
                   want_id IS NULL AND count(*) OVER (PARTITION BY artist) >= $5
                       AND row_number() OVER (PARTITION BY artist ORDER BY lookup_id) = 1 AS is_opener,
                   sum(own) OVER (PARTITION BY artist) AS of_artist
            FROM pending
        ), counted AS (
            SELECT lookup_id, want_id, artist, CASE WHEN bare THEN album END AS album, cover, pack_limit,
                   coalesce(plays, CASE WHEN is_opener THEN of_artist WHEN is_first THEN of_album ELSE own END)::int
                   AS plays,
                   coalesce(leased_until > $2, false) AS asking, pack_limit IS NOT NULL AS again,
                   coalesce(leads, is_first) AS leads, coalesce(opens, is_opener) AS opens, own::int
            FROM placed
        )
        SELECT lookup_id, want_id, artist, album, plays, cover, asking, opens, coalesce(pack_limit, 0) AS bears, own
        FROM counted
        ORDER BY opens DESC, (leads AND NOT again) DESC, pack_limit DESC NULLS FIRST, plays DESC, want_id, lookup_id
        LIMIT $4
        """,
        source,
        now,
        int(model.Band.LOW_PRIORITY),
        most,
        discographies.WORTH,
    )
    return [Queued(**row) for row in rows]


class Described(msgspec.Struct, frozen=True):
    """A pending name whose recording is named and still to be described; `album`, `cover` and `own` as in Queued."""

    lookup_id: int
    album: int | None
    cover: int | None
    own: int


async def describing(conn: Connection, kind: str, most: int) -> list[Described]:
    """Return an import's names whose recording is named and still to be described."""
    rows = await conn.fetch(
        f"""
        SELECT DISTINCT ON (lookups.id) lookups.id AS lookup_id,
               CASE WHEN is_decided IS NOT TRUE
               THEN hashtextextended(artist_key || '/' || coalesce(nullif(release_key, ''), lookups.id::text), 0)
               END AS album,
               CASE WHEN NOT is_decided THEN release_group_id END AS cover,
               (SELECT count(*)::int FROM scrobbles WHERE lookup_id = lookups.id) AS own
        FROM wants JOIN waiters ON want_id = wants.id AND stage = 'match'
        JOIN lookups ON lookups.id = subject_id
        {_COVER}
        WHERE wants.kind = $1 AND wants.band = $2 AND status = 'pending' ORDER BY lookups.id LIMIT $3
        """,
        kind,
        int(model.Band.LOW_PRIORITY),
        most,
    )
    return [Described(**row) for row in rows]


class Cover(msgspec.Struct, frozen=True):
    """A cover of an import that waits to be fetched; `last`: where there is none, its source is not asked again."""

    release_group_id: int
    plays: int
    last: bool


async def covers(conn: Connection, source: str, now: datetime, most: int) -> list[Cover]:
    """Return the covers of imports that wait at this source, the most wanted first."""
    rows = await conn.fetch(
        """
        SELECT subject_id AS release_group_id, plays, question->>'url' LIKE '%/release-group/%' AS last
        FROM wants JOIN waiters ON want_id = wants.id AND stage = 'artwork'
        WHERE wants.source = $1 AND band = $2 AND due_at <= $3 AND (leased_until IS NULL OR leased_until <= $3)
        ORDER BY plays DESC, wants.id LIMIT $4
        """,
        source,
        int(model.Band.LOW_PRIORITY),
        now,
        most,
    )
    return [Cover(**row) for row in rows]


async def names(conn: Connection, lookup_ids: Sequence[int]) -> list[Name]:
    """Return how urgent these lookups are, and whose album's cover was decided under another of its names."""
    rows = await conn.fetch(
        f"""
        SELECT lookups.id AS lookup_id, lookups.band, is_decided IS TRUE AS covered
        FROM lookups {_COVER} WHERE lookups.id = ANY($1::bigint[])
        """,
        list(lookup_ids),
    )
    return [msgspec.convert(dict(row), Name) for row in rows]
