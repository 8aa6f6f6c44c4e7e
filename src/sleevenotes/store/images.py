"""Images: what is known of each stored cover; its bytes are files of the same digest (`artwork.files`)."""

from __future__ import annotations

from datetime import datetime

import msgspec

from sleevenotes import model
from sleevenotes.store.postgres import Connection


class Stored(msgspec.Struct, frozen=True):
    """An image and its row."""

    id: int
    image: model.Image


async def keep(conn: Connection, image: model.Image, now: datetime) -> int:
    """Store an image once per digest and return its id; who brought it first stays named as its source."""
    digest = bytes.fromhex(image.digest)
    await conn.execute(
        """
        INSERT INTO images
            (digest, mime, width, height, size, thumbhash, colour, source, source_url, created_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
        ON CONFLICT (digest) DO NOTHING
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
        now,
    )
    image_id: int = await conn.fetchval("SELECT id FROM images WHERE digest = $1", digest)
    return image_id


async def by_digest(conn: Connection, digest: str) -> Stored | None:
    """Return the image of this digest (64 hex digits), None where none is stored."""
    row = await conn.fetchrow(
        """
        SELECT id, mime, width, height, size, thumbhash, colour, source, source_url
        FROM images WHERE digest = $1
        """,
        bytes.fromhex(digest),
    )
    if row is None:
        return None
    facts = dict(row)
    return Stored(facts.pop("id"), model.Image(digest=digest, **facts))


async def digests(conn: Connection) -> set[str]:
    """Return the digests of all stored images, in hex: what the files on disk are measured against."""
    return {row["digest"].hex() for row in await conn.fetch("SELECT digest FROM images")}
