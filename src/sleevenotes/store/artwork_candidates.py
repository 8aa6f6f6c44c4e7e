"""Candidates: every cover an album was offered, by whom, and what became of it.

    wanted  -> fetched   its bytes came and decoded: it stands for the choice (`artwork.choose`)
    wanted  -> refused   another album's, a placeholder, not decodable: `reason` says which
    refused -> wanted    the source offers it again in a later answer

They are kept after the choice, so that the page can tell why this cover, and a listener may take another.
Candidates whose image was a stop-gap go with it (`images.purge`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec

from sleevenotes.store.postgres import Connection

_SIGNED = 1 << 63  # PostgreSQL's bigint has a sign, a perceptual hash has none


class New(msgspec.Struct, frozen=True):
    """A cover that a source offers; `seen_at` is when the source answered so.

    `refused` says why it is not even fetched ("" where it is wanted); sizes are 0 where the source tells none.
    """

    source: str
    url: str
    seen_at: datetime
    exact: bool = False
    subject: str = "release_group"
    artist: str = ""
    release: str = ""
    width: int = 0
    height: int = 0
    page: str = ""
    refused: str = ""


class Candidate(msgspec.Struct, frozen=True):
    """A row: `status` is wanted, fetched or refused; `digest` (hex) is "" and `image_id` None unless fetched.

    `phash` is the perceptual hash, 64 bits without a sign, None where not measured. Sizes are as told until
    fetched, then as measured. `expires_at` is the image's, where it is a stop-gap.
    """

    id: int
    release_group_id: int
    source: str
    url: str
    subject: str
    exact: bool
    artist: str
    release: str
    width: int
    height: int
    page: str
    status: str
    reason: str
    seen_at: datetime
    undecodable: int
    image_id: int | None
    digest: str
    phash: int | None
    expires_at: datetime | None


async def put(conn: Connection, release_group_id: int, offered: Sequence[New]) -> None:
    """Note what an album is offered; repeating an answer changes nothing.

    An answer newer than the row makes wanted again what was refused, unless it is refused anew; what is fetched
    stays so.
    """
    await put_all(conn, {release_group_id: offered})


async def put_all(conn: Connection, offered: Mapping[int, Sequence[New]]) -> None:
    """Note what each of these albums is offered; see `put`."""
    once = {(album, each.source, each.url): each for album, offers in offered.items() for each in offers}
    if not once:
        return
    await conn.execute(
        """
        INSERT INTO artwork_candidates
            (release_group_id, source, url, subject, exact, artist, release, width, height, page,
             status, reason, seen_at)
        SELECT album, source, url, subject, exact, artist, release, width, height, page,
               CASE WHEN refused = '' THEN 'wanted' ELSE 'refused' END, refused, seen_at
        FROM unnest($1::bigint[], $2::text[], $3::text[], $4::timestamptz[], $5::boolean[], $6::text[], $7::text[],
                    $8::text[], $9::integer[], $10::integer[], $11::text[], $12::text[])
            AS new (album, source, url, seen_at, exact, subject, artist, release, width, height, page, refused)
        ORDER BY album, source, url
        ON CONFLICT (release_group_id, source, url) DO UPDATE SET
            subject = excluded.subject, exact = excluded.exact, artist = excluded.artist,
            release = excluded.release, page = excluded.page, seen_at = excluded.seen_at, undecodable = 0,
            width = CASE artwork_candidates.status WHEN 'fetched' THEN artwork_candidates.width ELSE excluded.width END,
            height = CASE artwork_candidates.status
                     WHEN 'fetched' THEN artwork_candidates.height ELSE excluded.height END,
            status = CASE artwork_candidates.status WHEN 'fetched' THEN 'fetched' ELSE excluded.status END,
            reason = CASE artwork_candidates.status
                     WHEN 'fetched' THEN artwork_candidates.reason ELSE excluded.reason END
        WHERE artwork_candidates.seen_at < excluded.seen_at
        """,
        [album for album, _, _ in once],
        *([getattr(each, name) for each in once.values()] for name in New.__struct_fields__),
    )


async def load(conn: Connection, release_group_id: int) -> list[Candidate]:
    """Return an album's candidates, in an order that never depends on when they came."""
    rows = await conn.fetch(
        """
        SELECT candidate.*, encode(coalesce(images.digest, ''), 'hex') AS digest, images.expires_at
        FROM artwork_candidates AS candidate LEFT JOIN images ON images.id = image_id
        WHERE release_group_id = $1 ORDER BY candidate.source, url
        """,
        release_group_id,
    )
    return [Candidate(**{**row, "phash": _unsigned(row["phash"])}) for row in rows]


async def fetched(conn: Connection, candidate_id: int, image_id: int, phash: int | None, size: tuple[int, int]) -> None:
    """Note that a candidate's bytes came and were decoded to this stored image, of this width and height."""
    await conn.execute(
        """
        UPDATE artwork_candidates
        SET status = 'fetched', reason = '', image_id = $2, phash = $3, width = $4, height = $5 WHERE id = $1
        """,
        candidate_id,
        image_id,
        None if phash is None else phash - (phash >= _SIGNED) * 2 * _SIGNED,
        *size,
    )


async def count_undecodable(conn: Connection, release_group_id: int, source: str, url: str) -> tuple[int, int]:
    """Count one more fetch of this offered image whose bytes did not decode; return its id and how many there were."""
    row = await conn.fetchrow(
        """
        UPDATE artwork_candidates SET undecodable = undecodable + 1
        WHERE release_group_id = $1 AND source = $2 AND url = $3 RETURNING id, undecodable
        """,
        release_group_id,
        source,
        url,
    )
    return row["id"], row["undecodable"]


async def refused(conn: Connection, candidate_id: int, reason: str) -> None:
    """Note that a candidate is no cover of this album, and why."""
    await conn.execute(
        """
        UPDATE artwork_candidates SET status = 'refused', reason = $2, image_id = NULL, phash = NULL WHERE id = $1
        """,
        candidate_id,
        reason,
    )


async def explain(conn: Connection, reasons: Mapping[int, str]) -> None:
    """Say of candidates that stood for the choice why they are the cover or were passed over."""
    await conn.execute(
        """
        UPDATE artwork_candidates SET reason = new.reason
        FROM unnest($1::bigint[], $2::text[]) AS new (id, reason)
        WHERE artwork_candidates.id = new.id AND artwork_candidates.reason <> new.reason
        """,
        list(reasons),
        list(reasons.values()),
    )


async def purge(conn: Connection, source: str, before: datetime) -> None:
    """Drop what a source offered until this moment, as its terms want; what is fetched goes with its image."""
    await conn.execute(
        "DELETE FROM artwork_candidates WHERE source = $1 AND seen_at <= $2 AND image_id IS NULL", source, before
    )


def _unsigned(phash: int | None) -> int | None:
    return None if phash is None else phash % (2 * _SIGNED)
