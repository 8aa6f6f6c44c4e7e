"""The sleeves as pages read them: one artist, recording or release group with everything printed on it.

Nothing here asks whose plays led to it: a page shows an account only what follows from its own plays, and
checks that first (`store.library`).
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from datetime import datetime

import msgspec

from sleevenotes.store.postgres import Connection


class CreditPart(msgspec.Struct, frozen=True):
    """One artist of a credit: as credited there, and what joins the next."""

    artist_id: int
    mbid: str
    name: str
    join_phrase: str


class Credit(msgspec.Struct, frozen=True):
    """A whole credit, as printed and in parts."""

    id: int
    name: str
    parts: tuple[CreditPart, ...]


class Artist(msgspec.Struct, frozen=True):
    """An artist; `mbid` is "" where the source gives none, and `foreign_id` that source's own ("deezer:27")."""

    id: int
    mbid: str
    name: str
    sort_name: str
    disambiguation: str
    foreign_id: str = ""


class Recording(msgspec.Struct, frozen=True):
    """A recording; the date is partial, the length in milliseconds, `foreign_id` as an artist's."""

    id: int
    mbid: str
    title: str
    credit: Credit
    length_ms: int | None
    disambiguation: str
    first_release_date: str
    isrcs: tuple[str, ...]
    fetched_at: datetime
    foreign_id: str = ""


class Edition(msgspec.Struct, frozen=True):
    """A known release of a release group; the date is partial, `foreign_id` as an artist's."""

    id: int
    mbid: str
    title: str
    status: str
    date: str
    country: str
    track_count: int | None
    foreign_id: str = ""


class Cover(msgspec.Struct, frozen=True):
    """What is known of a release group's cover: the image's fields are "" and 0 where there is none.

    `status` is pending, found, absent or failed; `digest` is hex, `thumbhash` base64, `colour` "#rrggbb",
    `fetched_at` when the image was first stored. What must be shown beside it: `source`, `credit` (the words its
    terms ask for, "" where none) and a link to `link`. `expires_at` is when a stop-gap goes, None for the rest.
    """

    status: str
    reason: str
    decided_at: datetime | None
    recheck_at: datetime | None
    digest: str = ""
    width: int = 0
    height: int = 0
    thumbhash: str = ""
    colour: str = ""
    source: str = ""
    source_url: str = ""
    fetched_at: datetime | None = None
    page: str = ""
    credit: str = ""
    expires_at: datetime | None = None

    @property
    def link(self) -> str:
        """Return where a listener finds it at its source: the album's page there, else the image itself."""
        return self.page or self.source_url


class ReleaseGroup(msgspec.Struct, frozen=True):
    """An album, its editions earliest first (unknown dates last); `cover` is None if never asked for."""

    id: int
    mbid: str
    title: str
    credit: Credit
    primary_type: str
    secondary_types: tuple[str, ...]
    first_release_date: str
    fetched_at: datetime
    editions: tuple[Edition, ...]
    cover: Cover | None
    foreign_id: str = ""


async def artist(conn: Connection, artist_id: int) -> Artist | None:
    """Return one artist, None where there is none of this id."""
    row = await conn.fetchrow(
        """
        SELECT id, coalesce(mbid::text, '') AS mbid, name, sort_name, disambiguation,
               coalesce(foreign_id, '') AS foreign_id
        FROM artists WHERE id = $1
        """,
        artist_id,
    )
    return row and Artist(**row)


async def recording(conn: Connection, recording_id: int) -> Recording | None:
    """Return one recording, None where there is none of this id."""
    row = await conn.fetchrow("SELECT * FROM recordings WHERE id = $1", recording_id)
    if row is None:
        return None
    return Recording(
        id=row["id"],
        mbid=str(row["mbid"] or ""),
        title=row["title"],
        credit=(await credits(conn, [row["artist_credit_id"]]))[row["artist_credit_id"]],
        length_ms=row["length_ms"],
        disambiguation=row["disambiguation"],
        first_release_date=row["first_release_date"],
        isrcs=tuple(row["isrcs"]),
        fetched_at=row["fetched_at"],
        foreign_id=row["foreign_id"] or "",
    )


async def release_group(conn: Connection, release_group_id: int) -> ReleaseGroup | None:
    """Return one release group with editions and cover, None where there is none of this id."""
    row = await conn.fetchrow("SELECT * FROM release_groups WHERE id = $1", release_group_id)
    if row is None:
        return None
    return ReleaseGroup(
        id=row["id"],
        mbid=str(row["mbid"] or ""),
        title=row["title"],
        credit=(await credits(conn, [row["artist_credit_id"]]))[row["artist_credit_id"]],
        primary_type=row["primary_type"],
        secondary_types=tuple(row["secondary_types"]),
        first_release_date=row["first_release_date"],
        fetched_at=row["fetched_at"],
        editions=await _editions(conn, release_group_id),
        cover=await cover(conn, release_group_id),
        foreign_id=row["foreign_id"] or "",
    )


async def credits(conn: Connection, credit_ids: Sequence[int]) -> dict[int, Credit]:  # noqa: A001 -- the noun
    """Return credits by id."""
    rows = await conn.fetch(
        """
        SELECT credit.id, credit.name AS printed,
               artist.id AS artist_id, artist.mbid, part.name, part.join_phrase
        FROM artist_credits AS credit
        JOIN artist_credit_names AS part ON part.artist_credit_id = credit.id
        JOIN artists AS artist ON artist.id = part.artist_id
        WHERE credit.id = ANY($1)
        ORDER BY credit.id, part.position
        """,
        list(credit_ids),
    )
    parts: dict[int, list[CreditPart]] = {}
    for row in rows:
        part = CreditPart(row["artist_id"], str(row["mbid"] or ""), row["name"], row["join_phrase"])
        parts.setdefault(row["id"], []).append(part)
    return {row["id"]: Credit(row["id"], row["printed"], tuple(parts[row["id"]])) for row in rows}


async def cover(conn: Connection, release_group_id: int) -> Cover | None:
    """Return what is known of a release group's cover, None where it was never asked for."""
    row = await conn.fetchrow(
        """
        SELECT artwork.status, artwork.reason, artwork.decided_at, artwork.recheck_at, image.*
        FROM artworks AS artwork LEFT JOIN images AS image ON image.id = artwork.image_id
        WHERE artwork.release_group_id = $1
        """,
        release_group_id,
    )
    if row is None:
        return None
    bare = Cover(row["status"], row["reason"], row["decided_at"], row["recheck_at"])
    if row["digest"] is None:
        return bare
    return msgspec.structs.replace(
        bare,
        digest=row["digest"].hex(),
        width=row["width"],
        height=row["height"],
        thumbhash=base64.b64encode(row["thumbhash"]).decode(),
        colour=row["colour"],
        source=row["source"],
        source_url=row["source_url"],
        fetched_at=row["created_at"],
        page=row["page"],
        credit=row["credit"],
        expires_at=row["expires_at"],
    )


async def _editions(conn: Connection, release_group_id: int) -> tuple[Edition, ...]:
    rows = await conn.fetch(
        """
        SELECT id, coalesce(mbid::text, '') AS mbid, title, status, date, country, track_count,
               coalesce(foreign_id, '') AS foreign_id
        FROM releases WHERE release_group_id = $1
        ORDER BY date = '', date, id
        """,
        release_group_id,
    )
    return tuple(Edition(**row) for row in rows)
