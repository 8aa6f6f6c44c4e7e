"""Artworks: what is known of each release group's cover.

    pending -> found    an image was chosen
    pending -> absent   everybody worth asking answered, nobody has one; looked for again at `recheck_at`
    pending -> failed   retries of real faults are spent; tried again at `recheck_at`

A cover once found is shown until a better one replaces it: a later look that ends absent or failed leaves it,
and "found", as they are. Only a later look replaces it, too: a source that answers after the choice is finished
changes nothing until the recheck opens the row again, unless what is shown is only a stop-gap.

Covers that were offered, and how the choice among them went, are in `store.artwork_candidates`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec

from sleevenotes.store import drip, preferences
from sleevenotes.store.postgres import Connection


class Artwork(msgspec.Struct, frozen=True):
    """A release group's row, as the artwork stage needs it; an MBID is "" where the source gives none.

    `plays` counts those of the lookups that are matched to it, for the order of wants. `artist`, `title` and
    `primary_type` are what sources are asked with and their images held against.
    """

    release_group_id: int
    release_group_mbid: str
    release_id: int
    release_mbid: str
    status: str
    tries: int
    image_id: int | None
    plays: int
    artist: str
    title: str
    primary_type: str
    wanted_at: datetime


async def want(
    conn: Connection, editions: Mapping[int, int], now: datetime, since: Mapping[int, datetime] | None = None
) -> list[int]:
    """Open a row for each release group (with its matched release) that has none; return the pending ones.

    `since` says for whom somebody has waited longer than from now on.

    The edition that was matched first stays the one whose own front is asked for. What listeners chose before it was
    known which album it is, is for the album from now on.
    """
    await preferences.attach(conn, list(editions))
    await conn.execute(
        """
        INSERT INTO artworks (release_group_id, release_id, wanted_at)
        SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::timestamptz[])
             AS new (release_group_id, release_id, wanted_at)
        ORDER BY release_group_id
        ON CONFLICT (release_group_id) DO NOTHING
        """,
        list(editions),
        list(editions.values()),
        [(since or {}).get(release_group_id, now) for release_group_id in editions],
    )
    rows = await conn.fetch(
        """
        SELECT release_group_id FROM artworks
        WHERE release_group_id = ANY($1::bigint[]) AND status = 'pending'
        ORDER BY release_group_id
        """,
        list(editions),
    )
    return [row["release_group_id"] for row in rows]


async def want_matched(conn: Connection, release_group_ids: Sequence[int], now: datetime) -> None:
    """Open a row for each of these release groups that plays are matched to and that has none."""
    await conn.execute(
        """
        INSERT INTO artworks (release_group_id, release_id, wanted_at)
        SELECT release_group_id, min(release_id), $2 FROM matches
        WHERE release_group_id = ANY($1::bigint[]) AND release_id IS NOT NULL
        GROUP BY release_group_id ORDER BY release_group_id
        ON CONFLICT (release_group_id) DO NOTHING
        """,
        list(release_group_ids),
        now,
    )


async def wait_anew(conn: Connection, release_group_ids: Sequence[int], before: datetime, now: datetime) -> None:
    """Count from now on how long somebody waits for covers that were looked for since `before`, with nobody waiting."""
    await conn.execute(
        """
        UPDATE artworks SET wanted_at = $3 WHERE release_group_id IN (
            SELECT release_group_id FROM artworks
            WHERE release_group_id = ANY($1::bigint[]) AND status = 'pending' AND wanted_at < $2
            ORDER BY release_group_id FOR NO KEY UPDATE
        )
        """,
        list(release_group_ids),
        before,
        now,
    )


async def load(conn: Connection, release_group_ids: Sequence[int]) -> list[Artwork]:
    """Return the rows of these release groups, in order of id; those without a row are left out."""
    rows = await conn.fetch(
        """
        SELECT artworks.release_group_id, coalesce(release_groups.mbid::text, '') AS release_group_mbid,
               artworks.release_id, coalesce(releases.mbid::text, '') AS release_mbid,
               artworks.status, tries, image_id,
               (SELECT count(*) FROM matches JOIN scrobbles USING (lookup_id)
                WHERE matches.release_group_id = artworks.release_group_id) AS plays,
               artist_credits.name AS artist, release_groups.title, release_groups.primary_type,
               artworks.wanted_at
        FROM artworks
        JOIN release_groups ON release_groups.id = artworks.release_group_id
        JOIN artist_credits ON artist_credits.id = release_groups.artist_credit_id
        JOIN releases ON releases.id = artworks.release_id
        WHERE artworks.release_group_id = ANY($1::bigint[])
        ORDER BY artworks.release_group_id
        """,
        list(release_group_ids),
    )
    return [Artwork(**row) for row in rows]


async def found(
    conn: Connection,
    release_group_id: int,
    image_id: int,
    reason: str,
    now: datetime,
    *,
    expires_at: datetime | None = None,
    recheck_at: datetime | None = None,
) -> bool:
    """Make this image the cover; return False, and nothing changed, where a finished choice forbids it.

    A stop-gap is looked for again at the latest when it expires; `recheck_at` is for a cover that a better
    source could not yet confirm.
    """
    if not await _is_there(conn, image_id, now):
        return False
    taken = await conn.fetchval(
        """
        UPDATE artworks
        SET status = 'found', image_id = $2, reason = $3, tries = 0,
            decided_at = $4, recheck_at = least($5::timestamptz, $6::timestamptz),
            shown_at = CASE WHEN image_id IS NULL THEN $4 ELSE coalesce(shown_at, $4) END,
            chosen_at = CASE WHEN image_id IS NULL THEN $4 ELSE coalesce(chosen_at, $4) END
        WHERE release_group_id = $1
          AND (status <> 'found' OR EXISTS
               (SELECT FROM images WHERE images.id = artworks.image_id AND expires_at IS NOT NULL))
        RETURNING true
        """,
        release_group_id,
        image_id,
        reason,
        now,
        expires_at,
        recheck_at,
    )
    return bool(taken)


async def show(conn: Connection, release_group_id: int, image_id: int, reason: str, now: datetime) -> bool:
    """Show this image while the choice is not finished; return False where it is, or something is shown already."""
    if not await _is_there(conn, image_id, now):
        return False
    shown = await conn.fetchval(
        """
        UPDATE artworks SET image_id = $2, reason = $3, shown_at = $4, chosen_at = NULL
        WHERE release_group_id = $1 AND status = 'pending' AND image_id IS NULL
        RETURNING true
        """,
        release_group_id,
        image_id,
        reason,
        now,
    )
    return bool(shown)


async def _is_there(conn: Connection, image_id: int, now: datetime) -> bool:
    """Lock an image against being purged; False where it is expired or gone."""
    there = await conn.fetchval(
        "SELECT true FROM images WHERE id = $1 AND (expires_at IS NULL OR expires_at > $2) FOR KEY SHARE",
        image_id,
        now,
    )
    return bool(there)


async def absent(conn: Connection, release_group_id: int, reason: str, recheck_at: datetime, now: datetime) -> None:
    """Note that nobody has a cover, as far as they answered; look again at `recheck_at`."""
    await _without(conn, release_group_id, "absent", reason, (recheck_at, now))


async def failed(conn: Connection, release_group_id: int, reason: str, recheck_at: datetime, now: datetime) -> None:
    """Note that it is not known whether there is a cover; try again at `recheck_at`."""
    await _without(conn, release_group_id, "failed", reason, (recheck_at, now))


async def reopen_due(conn: Connection, now: datetime, limit: int) -> list[int]:
    """Make a few rows pending whose recheck is due, see `store.drip`; return their release groups."""
    rows = await conn.fetch(
        f"""
        UPDATE artworks SET status = 'pending', wanted_at = $1, recheck_at = NULL
        WHERE release_group_id = ANY(ARRAY({_DUE})) RETURNING release_group_id
        """,
        now,
        limit,
    )
    return sorted(row["release_group_id"] for row in rows)


async def under_way(conn: Connection, most: int) -> int:
    """Count, up to `most`, the covers that are looked for again just now."""
    count: int = await conn.fetchval(
        "SELECT count(*) FROM (SELECT FROM artworks WHERE status = 'pending' AND tries > 0 LIMIT $1) again", most
    )
    return count


PLAYS = """
    SELECT count(*) FROM matches m JOIN scrobbles s ON s.lookup_id = m.lookup_id
    WHERE m.release_group_id = due.release_group_id
"""
_DUE = drip.choose("artworks", "release_group_id", "recheck_at", plays=PLAYS)


async def reopen(
    conn: Connection, release_group_ids: Sequence[int], now: datetime, unless_since: datetime, *, afresh: bool = True
) -> list[int]:
    """Make the covers of these albums pending that were decided before `unless_since`; return them.

    What is shown stays until a better one comes. Looked for as if never before, or, not `afresh`, with how often it was
    in vain still known.
    """
    rows = await conn.fetch(
        """
        UPDATE artworks SET status = 'pending', wanted_at = $2, recheck_at = NULL,
               tries = CASE WHEN $4 THEN 0 ELSE tries END
        WHERE release_group_id IN (
            SELECT release_group_id FROM artworks
            WHERE release_group_id = ANY($1::bigint[]) AND status <> 'pending' AND decided_at < $3
            ORDER BY release_group_id FOR NO KEY UPDATE)
        RETURNING release_group_id
        """,
        list(release_group_ids),
        now,
        unless_since,
        afresh,
    )
    return sorted(row["release_group_id"] for row in rows)


async def _without(
    conn: Connection, release_group_id: int, status: str, reason: str, dates: tuple[datetime, datetime]
) -> None:
    await conn.execute(
        """
        UPDATE artworks SET
            status = CASE WHEN image_id IS NULL THEN $2 ELSE 'found' END,
            reason = CASE WHEN image_id IS NULL THEN $3 ELSE reason END,
            tries = least(tries + 1, 1000), decided_at = $5, recheck_at = $4
        WHERE release_group_id = $1
        """,
        release_group_id,
        status,
        reason,
        *dates,
    )
