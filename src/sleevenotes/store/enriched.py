"""What became of many names at once: read in bulk for who enriches a file, whoever plays them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec

from sleevenotes.store import effective
from sleevenotes.store.postgres import Connection


class Row(msgspec.Struct, frozen=True):
    """A lookup, its match and its album's cover; what is unknown is "", (), or None.

    MBIDs are "" where a source without them was the only one to know it. `image_digest` (hex) and `image_mime` are of
    the stored image, `image_url` is where it was fetched, or would be: the index of covers may know it before anybody
    has looked. `image_expires` says that terms forbid to keep it.
    """

    id: int
    status: str
    reason: str
    recording_mbid: str = ""
    recording: str = ""
    artist_mbids: tuple[str, ...] = ()
    artist_credit: str = ""
    release_mbid: str = ""
    release: str = ""
    release_group_id: int | None = None
    release_group_mbid: str = ""
    release_group: str = ""
    first_release_date: str = ""
    artwork_status: str = ""
    image_url: str = ""
    image_digest: str = ""
    image_mime: str = ""
    image_expires: bool = False
    source: str = ""
    distance: float | None = None


_NONE_OF_THESE = "'The owner says that it is none of what was found.'"


async def read(conn: Connection, lookup_ids: Sequence[int]) -> list[Row]:
    """Return what is known of these lookups; the owner's correction for everybody goes before the shared match."""
    rows = await conn.fetch(
        f"""
        SELECT l.id,
               CASE WHEN ours.id IS NULL AND theirs.lookup_id IS NOT NULL THEN {effective.AGREED}
                    ELSE coalesce(m.reason, CASE WHEN ours.id IS NULL THEN l.reason ELSE {_NONE_OF_THESE} END)
                    END AS reason,
               CASE WHEN ours.id IS NULL AND theirs.lookup_id IS NULL THEN l.status
                    WHEN m.id IS NULL THEN 'not_found' ELSE 'enriched' END AS status,
               coalesce(r.mbid::text, '') AS recording_mbid, coalesce(r.title, '') AS recording,
               coalesce(credited.mbids, '{{}}') AS artist_mbids, coalesce(c.name, '') AS artist_credit,
               coalesce(e.mbid::text, '') AS release_mbid, coalesce(e.title, '') AS release,
               g.id AS release_group_id, coalesce(g.mbid::text, '') AS release_group_mbid,
               coalesce(g.title, '') AS release_group,
               coalesce(nullif(g.first_release_date, ''), r.first_release_date, '') AS first_release_date,
               CASE WHEN g.id IS NULL THEN '' ELSE coalesce(a.status, 'pending') END AS artwork_status,
               coalesce(i.source_url, offered.url, '') AS image_url,
               coalesce(encode(i.digest, 'hex'), '') AS image_digest, coalesce(i.mime, '') AS image_mime,
               i.expires_at IS NOT NULL AS image_expires,
               coalesce(m.source, '') AS source, m.distance
        FROM lookups l
        {effective.SHARED_JOIN}
        LEFT JOIN matches m ON m.id = {effective.SHARED_MATCH}
        LEFT JOIN recordings r ON r.id = m.recording_id
        LEFT JOIN artist_credits c ON c.id = r.artist_credit_id
        LEFT JOIN LATERAL (
            SELECT array_agg(artists.mbid::text ORDER BY position) FILTER (WHERE artists.mbid IS NOT NULL) AS mbids
            FROM artist_credit_names JOIN artists ON artists.id = artist_id
            WHERE artist_credit_id = r.artist_credit_id
        ) credited ON true
        LEFT JOIN releases e ON e.id = m.release_id
        LEFT JOIN release_groups g ON g.id = m.release_group_id
        LEFT JOIN artworks a ON a.release_group_id = g.id
        LEFT JOIN images i ON i.id = a.image_id
        LEFT JOIN LATERAL (
            SELECT url FROM artwork_candidates
            WHERE release_group_id = g.id AND exact AND status = 'wanted' AND coalesce(a.status, 'pending') = 'pending'
            ORDER BY source <> 'coverartarchive', subject, url LIMIT 1
        ) offered ON true
        WHERE l.id = ANY($1::bigint[])
        """,
        list(lookup_ids),
    )
    return [Row(**{**row, "artist_mbids": tuple(row["artist_mbids"])}) for row in rows]


async def undecided(conn: Connection, lookup_ids: Sequence[int]) -> list[int]:
    """Return those of these lookups whose match is still looked for, in the order given."""
    rows = await conn.fetch(
        """
        SELECT lookups.id FROM unnest($1::bigint[]) WITH ORDINALITY AS given (id, place)
        JOIN lookups USING (id) WHERE status = 'pending' ORDER BY place
        """,
        list(lookup_ids),
    )
    return [row["id"] for row in rows]


async def bare(conn: Connection, lookup_ids: Sequence[int]) -> list[int]:
    """Return the release groups of these lookups' matches whose cover nobody has looked for, or is still looked for.

    In the order in which the lookups are given.
    """
    rows = await conn.fetch(
        """
        SELECT m.release_group_id AS id FROM unnest($1::bigint[]) WITH ORDINALITY AS given (id, place)
        JOIN matches m ON m.lookup_id = given.id
        LEFT JOIN artworks a USING (release_group_id)
        WHERE m.release_id IS NOT NULL AND m.release_group_id IS NOT NULL AND coalesce(a.status, 'pending') = 'pending'
        GROUP BY m.release_group_id ORDER BY min(place)
        """,
        list(lookup_ids),
    )
    return [row["id"] for row in rows]


async def bare_groups(conn: Connection, release_group_ids: Sequence[int]) -> list[int]:
    """Return those of these release groups whose cover is not decided."""
    rows = await conn.fetch(
        """
        SELECT given.id FROM unnest($1::bigint[]) WITH ORDINALITY AS given (id, place)
        LEFT JOIN artworks a ON a.release_group_id = given.id
        WHERE coalesce(a.status, 'pending') = 'pending' ORDER BY place
        """,
        list(release_group_ids),
    )
    return [row["id"] for row in rows]


async def requests(conn: Connection, lookup_ids: Sequence[int], since: datetime) -> dict[str, int]:
    """Count, by source, the requests sent since then that had a question for these lookups or their albums in them."""
    rows = await conn.fetch(
        """
        WITH asked AS (
            SELECT question_key FROM inquiries
            WHERE stage IN ('match', 'discography', 'preview') AND subject_id = ANY($1::bigint[])
            UNION
            SELECT question_key FROM inquiries JOIN matches ON matches.release_group_id = inquiries.subject_id
            WHERE stage = 'artwork' AND matches.lookup_id = ANY($1::bigint[])
        )
        SELECT source, count(DISTINCT request_id) AS requests FROM traces JOIN asked USING (question_key)
        WHERE asked_at >= $2 GROUP BY source ORDER BY source
        """,
        list(lookup_ids),
        since,
    )
    return {row["source"]: row["requests"] for row in rows}
