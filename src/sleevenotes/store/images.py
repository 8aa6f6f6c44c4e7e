"""Images: what is known of each stored cover; its bytes are files of the same digest (`artwork.files`).

A stop-gap is an image that its source's terms forbid to keep: it has `expires_at`, is served until then, and is
purged. Whoever copies images elsewhere leaves those with `expires_at` out.
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from sleevenotes import model
from sleevenotes.store.postgres import Connection


class Stored(msgspec.Struct, frozen=True):
    """An image and its row; `expires_at` is None for what may be kept for good."""

    id: int
    image: model.Image
    expires_at: datetime | None = None


class Purged(msgspec.Struct, frozen=True):
    """What went: digests (hex) whose files are to go too, and release groups that are bare now and pending."""

    digests: tuple[str, ...]
    release_group_ids: tuple[int, ...]


async def keep(conn: Connection, image: model.Image, now: datetime, *, expires_at: datetime | None = None) -> int:
    """Store an image once per digest and return its id; who brought it first stays named as its source.

    A stop-gap brought again lasts as long as the longer of both; the same bytes from a source that lets them be
    kept make it that source's, for good.
    """
    digest = bytes.fromhex(image.digest)
    await conn.execute(
        """
        INSERT INTO images
            (digest, mime, width, height, size, thumbhash, colour, source, source_url, page, credit,
             created_at, expires_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
        ON CONFLICT (digest) DO UPDATE SET
            source = excluded.source, source_url = excluded.source_url,
            page = excluded.page, credit = excluded.credit, expires_at = excluded.expires_at
        WHERE images.expires_at < coalesce(excluded.expires_at, 'infinity')
        """,
        digest,
        image.mime,
        image.width,
        image.height,
        image.size,
        image.thumbhash,
        image.colour,
        image.source,
        image.source_url,
        image.page,
        image.credit,
        now,
        expires_at,
    )
    image_id: int = await conn.fetchval("SELECT id FROM images WHERE digest = $1", digest)
    return image_id


async def by_digest(conn: Connection, digest: str) -> Stored | None:
    """Return the image of this digest (64 hex digits), None where none is stored."""
    row = await conn.fetchrow(
        """
        SELECT id, expires_at, mime, width, height, size, thumbhash, colour, source, source_url, page, credit
        FROM images WHERE digest = $1
        """,
        bytes.fromhex(digest),
    )
    if row is None:
        return None
    facts = dict(row)
    return Stored(facts.pop("id"), expires_at=facts.pop("expires_at"), image=model.Image(digest=digest, **facts))


async def digests(conn: Connection) -> set[str]:
    """Return the digests of all stored images, in hex: what the files on disk are measured against."""
    return {row["digest"].hex() for row in await conn.fetch("SELECT digest FROM images")}


async def purge(conn: Connection, now: datetime) -> Purged:
    """Delete the stop-gaps that have expired, and all that was known only through them; needs a transaction.

    Albums that showed one become pending, without a cover: the caller has them looked for again, and those, too,
    whose open choice one stood for; and drops the files once the transaction is committed. Images are locked
    before artworks, as `keep` and then `artworks.found` do; one that another transaction holds is left for the
    next time.
    """
    rows = await conn.fetch(
        "SELECT id, digest FROM images WHERE expires_at <= $1 ORDER BY id FOR UPDATE SKIP LOCKED", now
    )
    ids = [row["id"] for row in rows]
    bare = await conn.fetch(
        """
        WITH bare AS (
            SELECT release_group_id FROM artworks
            WHERE image_id = ANY($1::bigint[])
               OR status = 'pending' AND release_group_id IN
                  (SELECT release_group_id FROM artwork_candidates WHERE image_id = ANY($1::bigint[]))
            ORDER BY release_group_id FOR UPDATE
        )
        UPDATE artworks SET
            status = 'pending', wanted_at = $2, recheck_at = NULL,
            image_id = CASE WHEN image_id = ANY($1::bigint[]) THEN NULL ELSE image_id END,
            reason = CASE WHEN image_id = ANY($1::bigint[]) THEN '' ELSE reason END
        FROM bare WHERE artworks.release_group_id = bare.release_group_id
        RETURNING artworks.release_group_id
        """,
        ids,
        now,
    )
    await conn.execute("DELETE FROM artwork_candidates WHERE image_id = ANY($1::bigint[])", ids)
    await conn.execute("DELETE FROM images WHERE id = ANY($1::bigint[])", ids)
    return Purged(tuple(row["digest"].hex() for row in rows), tuple(sorted(row["release_group_id"] for row in bare)))


async def hold(conn: Connection, image_id: int, now: datetime) -> None:
    """Keep an upload from being dropped while something comes to point at it: to be called in that transaction."""
    await conn.execute("UPDATE images SET created_at = $2 WHERE id = $1 AND source = 'upload'", image_id, now)


# A deletion can be undone for a while: what its plays showed is to be there then.
_OF_DELETED_PLAYS = """
    SELECT (act ->> 'image_id')::bigint FROM deleted_scrobbles, jsonb_array_elements(preferences) AS act
    WHERE act ->> 'image_id' IS NOT NULL
    UNION ALL
    SELECT (scrobble ->> 'image_id')::bigint FROM deleted_scrobbles WHERE scrobble ->> 'image_id' IS NOT NULL
"""


async def drop_uploads(conn: Connection, before: datetime) -> list[str]:
    """Delete uploads of before that moment that nothing points at, also no choice of long ago; return their digests.

    Whoever deletes plays or an account leaves such behind.
    """
    rows = await conn.fetch(
        f"""
        DELETE FROM images i WHERE i.source = 'upload' AND i.created_at < $1
          AND NOT EXISTS (SELECT FROM scrobbles WHERE scrobbles.image_id = i.id)
          AND NOT EXISTS (SELECT FROM scrobbles WHERE preferred_image_id = i.id)
          AND NOT EXISTS (SELECT FROM artwork_preferences WHERE artwork_preferences.image_id = i.id)
          AND NOT EXISTS (SELECT FROM sent_images WHERE sent_images.image_id = i.id)
          AND NOT EXISTS (SELECT FROM artworks WHERE artworks.image_id = i.id)
          AND NOT EXISTS (SELECT FROM artwork_candidates WHERE artwork_candidates.image_id = i.id)
          AND NOT EXISTS (SELECT FROM lookups WHERE lookups.image_id = i.id)
          AND NOT EXISTS (SELECT FROM portraits WHERE portraits.image_id = i.id)
          AND i.id NOT IN ({_OF_DELETED_PLAYS})
        RETURNING digest
        """,
        before,
    )
    return [row["digest"].hex() for row in rows]
