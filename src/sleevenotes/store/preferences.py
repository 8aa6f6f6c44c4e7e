"""Preferences: which cover a listener wants for an album, or for one play alone. Read by `store.covers`.

An act is a row and is never deleted. It supersedes what was in force for the same play, or for the same names and for
the same album; undoing it puts that in force again. "As it comes" (no image) is an act like any other.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from datetime import datetime
from operator import itemgetter
from typing import Any

import msgspec

from sleevenotes import names
from sleevenotes.store.postgres import Connection

_LOCK_SPACE = 0x5C75 << 48  # keeps our advisory locks on accounts apart from others


class Subject(msgspec.Struct, frozen=True):
    """What a preference is for: the plays of these names, and of this release group by whatever names.

    With `scrobble_id`, that play alone. Without a release there is no release group.
    """

    artist: str
    release: str
    release_group_id: int | None = None
    scrobble_id: int | None = None


class Preference(msgspec.Struct, frozen=True):
    """An act as pages and APIs show it; `digest` (hex) is "" where it says "as it comes", `thumbhash` base64.

    `address` is where the listener took the image from, "" for a candidate or an upload; `source`, `credit` and `link`
    are what is to be shown beside the image. `release_group_id` is None where no album is known.
    """

    id: int
    scrobble_id: int | None
    artist: str
    release: str
    release_group_id: int | None
    chosen_at: datetime
    in_force: bool
    address: str
    digest: str
    thumbhash: str
    width: int
    height: int
    source: str
    credit: str
    link: str


async def put(
    conn: Connection, account_id: int, subject: Subject, image_id: int | None, now: datetime, *, address: str = ""
) -> int:
    """Put an act in force, in a transaction of the caller's; return its id. No image: as it comes."""
    await conn.execute("SELECT pg_advisory_xact_lock($1)", _LOCK_SPACE + account_id)
    keys = names.key(subject.artist), names.key(subject.release)
    preference_id: int = await conn.fetchval(
        """
        INSERT INTO artwork_preferences
            (account_id, scrobble_id, artist, release, artist_key, release_key, key_version, release_group_id,
             image_id, address, chosen_at, in_force)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, false) RETURNING id
        """,
        account_id,
        subject.scrobble_id,
        subject.artist,
        subject.release,
        *keys,
        names.KEY_VERSION,
        subject.release_group_id if keys[1] else None,
        image_id,
        address,
        now,
    )
    await conn.execute(
        f"UPDATE artwork_preferences p SET in_force = false, superseded_by = new.id {_SAME} AND p.in_force",
        preference_id,
    )
    await conn.execute("UPDATE artwork_preferences SET in_force = true WHERE id = $1", preference_id)
    await _show(conn, subject.scrobble_id, image_id)
    return preference_id


# Rows `p` that speak of what the row $1, `new`, speaks of.
_SAME = """
    FROM artwork_preferences new
    WHERE new.id = $1 AND p.id <> new.id AND p.account_id = new.account_id
      AND CASE WHEN new.scrobble_id IS NOT NULL THEN p.scrobble_id = new.scrobble_id
               ELSE p.scrobble_id IS NULL
                    AND (p.artist_key = new.artist_key AND p.release_key = new.release_key
                         OR p.release_group_id = new.release_group_id) END
"""


async def attach(conn: Connection, release_group_ids: Sequence[int]) -> None:
    """Let preferences for names that were matched to these albums only now be for the albums as well."""
    await conn.execute(
        """
        UPDATE artwork_preferences p SET release_group_id = m.release_group_id
        FROM matches m JOIN lookups l ON l.id = m.lookup_id
        WHERE m.release_group_id = ANY($1::bigint[]) AND p.artist_key = l.artist_key AND p.release_key = l.release_key
          AND p.in_force AND p.release_group_id IS NULL AND p.release_key <> ''
        """,
        list(release_group_ids),
    )


async def supersede_play(conn: Connection, scrobble_id: int, by: int) -> None:
    """Let what was chosen for one play alone be superseded by an act for its album."""
    superseded = await conn.fetchval(
        """
        UPDATE artwork_preferences SET in_force = false, superseded_by = $2 WHERE scrobble_id = $1 AND in_force
        RETURNING true
        """,
        scrobble_id,
        by,
    )
    if superseded:
        await _show(conn, scrobble_id, None)


async def undo(conn: Connection, account_id: int, preference_id: int, now: datetime) -> list[Subject]:
    """Undo an act: what it superseded is in force again. Return whose covers change; () where there is no such act.

    Where it was itself superseded, it goes out of the row and nothing changes now.
    """
    await conn.execute("SELECT pg_advisory_xact_lock($1)", _LOCK_SPACE + account_id)
    row = await conn.fetchrow(
        """
        UPDATE artwork_preferences undone SET undone_at = $3, in_force = false, superseded_by = NULL
        FROM artwork_preferences was
        WHERE undone.id = $2 AND was.id = undone.id AND undone.account_id = $1 AND undone.undone_at IS NULL
        RETURNING undone.*, was.in_force AS was_in_force, was.superseded_by AS was_superseded_by
        """,
        account_id,
        preference_id,
        now,
    )
    if row is None:
        return []
    restored = await conn.fetch(
        """
        UPDATE artwork_preferences p SET superseded_by = $3, in_force = $2 AND NOT EXISTS (
            SELECT FROM artwork_preferences later WHERE later.account_id = p.account_id AND later.in_force
            AND CASE WHEN p.scrobble_id IS NOT NULL THEN later.scrobble_id = p.scrobble_id
                     ELSE later.scrobble_id IS NULL
                          AND later.artist_key = p.artist_key AND later.release_key = p.release_key END)
        WHERE p.superseded_by = $1 RETURNING p.*
        """,
        preference_id,
        row["was_in_force"],
        row["was_superseded_by"],
    )
    subjects = [_subject(row), *map(_subject, restored)]
    if row["was_in_force"]:
        if row["scrobble_id"] is not None:
            await _show(conn, row["scrobble_id"], None)
        for each in filter(itemgetter("in_force"), restored):
            await _show(conn, each["scrobble_id"], each["image_id"])
    return subjects


def _subject(row: Mapping[str, Any]) -> Subject:
    return Subject(row["artist"], row["release"], row["release_group_id"], row["scrobble_id"])


async def _show(conn: Connection, scrobble_id: int | None, image_id: int | None) -> None:
    if scrobble_id is not None:
        await conn.execute("UPDATE scrobbles SET preferred_image_id = $2 WHERE id = $1", scrobble_id, image_id)


# ---------------------------------------------------------------- reading


async def of_play(
    conn: Connection, account_id: int, scrobble_id: int, release_group_id: int | None
) -> Preference | None:
    """Return the act that leads to what this play, of this release group, shows; None where that is not chosen."""
    rows = await conn.fetch(
        f"""
        {_PREFERENCES}
        WHERE p.id = (
            SELECT p.id FROM scrobbles s JOIN lookups l ON l.id = s.lookup_id
            JOIN artwork_preferences p ON p.account_id = s.account_id AND p.in_force AND p.image_id IS NOT NULL
             AND (p.scrobble_id = s.id OR p.scrobble_id IS NULL
                  AND (p.artist_key = l.artist_key AND p.release_key = l.release_key OR p.release_group_id = $3))
            WHERE s.id = $2 AND s.account_id = $1
            ORDER BY p.scrobble_id IS NULL, p.artist_key <> l.artist_key OR p.release_key <> l.release_key, p.id DESC
            LIMIT 1)
        """,
        account_id,
        scrobble_id,
        release_group_id,
    )
    return _preference(rows[0]) if rows else None


async def of_album(conn: Connection, account_id: int, release_group_id: int) -> Preference | None:
    """Return the act that leads to what this account sees as an album's cover; None where it chose none."""
    rows = await conn.fetch(
        f"""
        {_PREFERENCES}
        WHERE p.account_id = $1 AND p.release_group_id = $2 AND p.in_force AND p.scrobble_id IS NULL
          AND p.image_id IS NOT NULL
        ORDER BY p.id DESC LIMIT 1
        """,
        account_id,
        release_group_id,
    )
    return _preference(rows[0]) if rows else None


async def by_id(conn: Connection, account_id: int, preference_id: int) -> Preference | None:
    """Return an act of the account's that is not undone; None where there is none of this id."""
    rows = await conn.fetch(
        f"{_PREFERENCES} WHERE p.account_id = $1 AND p.id = $2 AND p.undone_at IS NULL", account_id, preference_id
    )
    return _preference(rows[0]) if rows else None


async def in_force(conn: Connection, account_id: int, limit: int) -> list[Preference]:
    """List the covers that are chosen now, newest first."""
    rows = await conn.fetch(
        f"{_PREFERENCES} WHERE p.account_id = $1 AND p.in_force AND p.image_id IS NOT NULL ORDER BY p.id DESC LIMIT $2",
        account_id,
        limit,
    )
    return [_preference(row) for row in rows]


class Picture(msgspec.Struct, frozen=True):
    """An image that belongs to a play or to what was chosen for it.

    `came` is uploaded, sent (both with the play), preview (of its name) or chosen (an act of before).
    """

    digest: str
    came: str
    source: str
    width: int
    height: int
    link: str
    credit: str
    keepable: bool


async def pictures(conn: Connection, account_id: int, subject: Subject, address: str) -> list[Picture]:
    """Return the images of a play and of what was ever chosen for it or its album, each once; undone acts, too."""
    rows = await conn.fetch(
        """
        WITH own AS (
            SELECT s.image_id, 1 AS rank, 'uploaded' AS came FROM scrobbles s WHERE s.id = $2 AND s.account_id = $1
            UNION ALL SELECT image_id, 2, 'sent' FROM sent_images WHERE digest = sha256(convert_to($6, 'UTF8'))
            UNION ALL SELECT l.image_id, 3, 'preview' FROM scrobbles s JOIN lookups l ON l.id = s.lookup_id
                WHERE s.id = $2 AND s.account_id = $1
            UNION ALL SELECT image_id, 4, 'chosen' FROM artwork_preferences
                WHERE account_id = $1 AND (scrobble_id = $2 OR scrobble_id IS NULL
                      AND (artist_key = $3 AND release_key = $4 OR release_group_id = $5))
        )
        SELECT DISTINCT ON (i.id) encode(i.digest, 'hex') AS digest, came, source, width, height,
               coalesce(nullif(page, ''), source_url) AS link, credit, expires_at IS NULL AS keepable
        FROM own JOIN images i ON i.id = own.image_id ORDER BY i.id, rank
        """,
        account_id,
        subject.scrobble_id,
        names.key(subject.artist),
        names.key(subject.release),
        subject.release_group_id,
        address,
    )
    return [Picture(**row) for row in rows]


async def is_asking(conn: Connection, release_group_id: int) -> bool:
    """Tell whether somebody is still being asked which covers an album has."""
    asking: bool = await conn.fetchval(
        "SELECT EXISTS (SELECT FROM waiters WHERE stage IN ('offers', 'artwork') AND subject_id = $1)", release_group_id
    )
    return asking


async def lookups(conn: Connection, account_id: int, subjects: Sequence[Subject]) -> list[int]:
    """Return the names (lookups) of the account's plays that these speak of, at most 500: whose rows pages redraw.

    Of those without a release, the names among the newest 1,000 plays.
    """
    rows = await conn.fetch(
        """
        SELECT DISTINCT lookup_id FROM (
            SELECT s.lookup_id FROM scrobbles s WHERE s.id = ANY($2::bigint[]) AND s.account_id = $1
            UNION ALL
            SELECT l.id FROM unnest($3::text[], $4::text[]) AS of (artist_key, release_key)
            JOIN lookups l ON l.release_key <> '' AND l.artist_key = of.artist_key AND l.release_key = of.release_key
             AND hashtextextended(l.artist_key || '/' || l.release_key, 0)
                 = hashtextextended(of.artist_key || '/' || of.release_key, 0)
            UNION ALL
            SELECT l.id FROM unnest($3::text[], $4::text[]) AS of (artist_key, release_key)
            JOIN (SELECT lookup_id FROM scrobbles WHERE account_id = $1
                  ORDER BY listened_at DESC, id DESC LIMIT 1000) lately ON of.release_key = ''
            JOIN lookups l ON l.id = lately.lookup_id AND l.artist_key = of.artist_key AND l.release_key = ''
        ) AS named LIMIT 500
        """,
        account_id,
        [each.scrobble_id for each in subjects if each.scrobble_id is not None],
        [names.key(each.artist) for each in subjects if each.scrobble_id is None],
        [names.key(each.release) for each in subjects if each.scrobble_id is None],
    )
    return sorted(row["lookup_id"] for row in rows)


_PREFERENCES = """
    SELECT p.id, p.scrobble_id, p.artist, p.release, p.release_group_id, p.chosen_at, p.in_force, p.address,
           i.digest, i.thumbhash, coalesce(i.width, 0) AS width, coalesce(i.height, 0) AS height,
           coalesce(i.source, '') AS source, coalesce(i.credit, '') AS credit,
           coalesce(nullif(i.page, ''), i.source_url, '') AS link
    FROM artwork_preferences p LEFT JOIN images i ON i.id = p.image_id
"""


def _preference(row: Mapping[str, Any]) -> Preference:
    facts = dict(row)
    facts["digest"] = (facts["digest"] or b"").hex()
    facts["thumbhash"] = base64.b64encode(facts["thumbhash"] or b"").decode()
    return Preference(**facts)
