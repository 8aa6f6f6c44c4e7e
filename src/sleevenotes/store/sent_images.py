"""Images that plays came with, by their address: each is fetched once, whoever sent it and how often.

    pending -> fetched   the bytes came and decoded: plays with that address show it (`store.covers`)
    pending -> refused   it leads to no cover; the reason says to what
    pending -> failed    it could not be reached

What is refused or failed is pending again at `recheck_at`, and sooner when a later play brings the same address, a day
later at the soonest.
Nothing else depends on it: a dead address costs its play a picture and no more.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec

from sleevenotes.store import drip
from sleevenotes.store.postgres import Connection

AGAIN = timedelta(days=1)
MOST_WAITING = 100


class New(msgspec.Struct, frozen=True):
    """An address that a play came with; `temporary` says that it is Last.fm's, `lookup_id` whose play waits for it."""

    address: str
    temporary: bool
    lookup_id: int


class SentImage(msgspec.Struct, frozen=True):
    """A row; `digest` (hex) is "" and `image_id` None where there is no image (any more).

    `expires_at` is the image's, where its source's terms forbid to keep it.
    """

    id: int
    address: str
    temporary: bool
    status: str
    reason: str
    lookup_ids: tuple[int, ...]
    asked_at: datetime
    image_id: int | None
    digest: str
    expires_at: datetime | None
    tries: int = 0


def digest(address: str) -> bytes:
    """Identify an address, as `store.covers` does in SQL."""
    return hashlib.sha256(address.encode()).digest()


async def want(conn: Connection, news: Sequence[New], now: datetime, *, urgent: bool = False) -> dict[int, str]:
    """Note addresses that are to be fetched; return those that somebody has to look at: id → address.

    Last.fm's are left out where the name shows its album's cover already, unless `urgent`; and so is what is known, but
    for what was refused or failed a day ago (`urgent`: however lately).
    """
    once = {(digest(new.address), new.lookup_id): new for new in news}
    rows = await conn.fetch(
        """
        WITH new AS (
            SELECT digest, min(address) AS address, bool_and(temporary) AS temporary,
                   (array_agg(DISTINCT lookup_id) FILTER (WHERE lookup_id > 0))[:100] AS lookup_ids
            FROM unnest($1::bytea[], $2::text[], $3::boolean[], $4::bigint[])
                 AS sent (digest, address, temporary, lookup_id)
            WHERE $6 OR NOT temporary OR NOT EXISTS (
                SELECT FROM lookups JOIN matches ON matches.id = lookups.match_id JOIN artworks USING (release_group_id)
                WHERE lookups.id = sent.lookup_id AND artworks.image_id IS NOT NULL)
            GROUP BY digest ORDER BY digest
        )
        INSERT INTO sent_images (digest, address, temporary, lookup_ids, asked_at)
        SELECT digest, address, temporary, coalesce(lookup_ids, '{}'), $5 FROM new ORDER BY digest
        ON CONFLICT (digest) DO UPDATE SET
            lookup_ids = (sent_images.lookup_ids || excluded.lookup_ids)[:100],
            status = 'pending', reason = '', recheck_at = NULL,
            asked_at = CASE sent_images.status WHEN 'pending' THEN sent_images.asked_at ELSE excluded.asked_at END
        WHERE sent_images.status = 'pending' OR ($6 OR sent_images.decided_at < $7) AND sent_images.image_id IS NULL
        RETURNING id, address
        """,
        [each for each, _ in once],
        [new.address for new in once.values()],
        [new.temporary for new in once.values()],
        [new.lookup_id for new in once.values()],
        now,
        urgent,
        now - AGAIN,
    )
    return {row["id"]: row["address"] for row in rows}


async def pending(conn: Connection, ids: Sequence[int]) -> list[SentImage]:
    """Return those of these rows that are to be fetched."""
    rows = await conn.fetch(f"{_ROWS} WHERE u.id = ANY($1::bigint[]) AND u.status = 'pending' ORDER BY u.id", list(ids))
    return [_row(dict(row)) for row in rows]


async def of_address(conn: Connection, address: str) -> SentImage | None:
    """Return what is known of an address; None where nobody asked for it."""
    row = await conn.fetchrow(f"{_ROWS} WHERE u.digest = $1", digest(address))
    return _row(dict(row)) if row else None


async def decide(
    conn: Connection,
    sent_id: int,
    status: str,
    now: datetime,
    *,
    image_id: int | None = None,
    reason: str = "",
    recheck_at: datetime | None = None,
) -> None:
    """Note how fetching ended, and when to look again, where that is worth it."""
    await conn.execute(
        """
        UPDATE sent_images SET
            status = $2, image_id = $3, reason = $4, decided_at = $5, lookup_ids = '{}', recheck_at = $6,
            tries = CASE $2 WHEN 'fetched' THEN 0 ELSE least(tries + 1, 1000) END
        WHERE id = $1
        """,
        sent_id,
        status,
        image_id,
        reason,
        now,
        recheck_at,
    )


# How often an address was sent is counted by no index: all wait alike, the longest due first.
_DUE = drip.choose("sent_images", "id", "recheck_at", of="status IN ('refused', 'failed')", plays="SELECT 0")


async def reopen_due(conn: Connection, now: datetime, limit: int) -> list[int]:
    """Make a few addresses pending that led to nothing and whose recheck is due; return their rows."""
    rows = await conn.fetch(
        f"""
        UPDATE sent_images SET status = 'pending', reason = '', asked_at = $1, recheck_at = NULL
        WHERE id = ANY(ARRAY({_DUE})) RETURNING id
        """,
        now,
        limit,
    )
    return sorted(row["id"] for row in rows)


async def bare(conn: Connection, lookup_ids: Sequence[int], limit: int = 1000) -> list[tuple[str, int]]:
    """Return addresses that plays of these names came with and nobody has asked for: (address, lookup id).

    A play that came without one takes that of a record which is hidden behind it.
    """
    rows = await conn.fetch(
        """
        SELECT artwork_uri, lookup_id FROM (
            SELECT s.artwork_uri, s.lookup_id FROM scrobbles s
            WHERE s.lookup_id = ANY($1::bigint[]) AND s.artwork_uri <> '' AND s.same_as IS NULL
            UNION
            SELECT h.artwork_uri, s.lookup_id FROM scrobbles s JOIN scrobbles h ON h.same_as = s.id
            WHERE s.lookup_id = ANY($1::bigint[]) AND s.artwork_uri = '' AND h.artwork_uri <> ''
        ) AS came
        WHERE NOT EXISTS (SELECT FROM sent_images u WHERE u.digest = sha256(convert_to(came.artwork_uri, 'UTF8')))
        LIMIT $2
        """,
        list(lookup_ids),
        limit,
    )
    return [(row["artwork_uri"], row["lookup_id"]) for row in rows]


async def shown_instead(conn: Connection, lookup_ids: Sequence[int], address: str) -> list[int]:
    """Return the names of plays that are shown instead of plays of these names which came with this address."""
    rows = await conn.fetch(
        """
        SELECT DISTINCT s.lookup_id FROM scrobbles h JOIN scrobbles s ON s.id = h.same_as
        WHERE h.lookup_id = ANY($1::bigint[]) AND h.artwork_uri = $2
        """,
        list(lookup_ids),
        address,
    )
    return [row["lookup_id"] for row in rows]


async def troubles(conn: Connection, question_key: bytes, since: datetime) -> list[tuple[int | None, str]]:
    """Return how asking for an image went since then, the latest first: (HTTP status, what went wrong or "")."""
    rows = await conn.fetch(
        """
        SELECT status, note FROM traces WHERE question_key = $1 AND asked_at >= $2 ORDER BY asked_at DESC, id DESC
        """,
        question_key,
        since,
    )
    return [(row["status"], row["note"]) for row in rows]


_ROWS = """
    SELECT u.id, u.address, u.temporary, u.status, u.reason, u.lookup_ids, u.asked_at, u.image_id,
           coalesce(encode(i.digest, 'hex'), '') AS digest, i.expires_at, u.tries
    FROM sent_images u LEFT JOIN images i ON i.id = u.image_id
"""


def _row(facts: dict[str, object]) -> SentImage:
    return msgspec.convert(facts, SentImage)
