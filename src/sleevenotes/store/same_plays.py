"""The same play, recorded by several services: one scrobble is shown, the others' `same_as` names it.

Which records are of one play is decided in `matching.sameplay`, when and for which in `pipeline.sameplay`. What lies
here: reading what lies near, writing what was decided, and what the listener says against it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from sleevenotes.store.postgres import Connection

CLOSE: Final = timedelta(seconds=30)
"""Within this, plays are compared whatever they are called."""

COMPLETED: Final = """
    LEFT JOIN LATERAL (
        SELECT max(h.duration_ms) AS duration_ms, max(h.artwork_uri) AS artwork_uri,
               max(h.album_artist) AS album_artist, jsonb_object_agg(e.key, e.value)
                   FILTER (WHERE e.key IS NOT NULL) AS evidence
        FROM scrobbles h LEFT JOIN LATERAL jsonb_each(h.evidence) e ON true WHERE h.same_as = s.id
    ) hidden ON true
"""
"""To be joined to plays `s`: what the records hidden behind a play know, to complete what it does not tell itself."""


class Facts(NamedTuple):
    """What a name was matched to: the recording's id, and its length in milliseconds; 0 where unknown."""

    recording_id: int
    length_ms: int


class Seed(NamedTuple):
    """A place around which other records of the same play may lie; `sound` and recording as in `Near`."""

    account_id: int
    at: datetime
    width_s: float
    sound: str
    recording_id: int


class Near(NamedTuple):
    """A scrobble that lies near a seed. What is unknown is 0; `sound` see there.

    `length_ms` is the track's, `heard_ms` how long Spotify says that it was played.
    `on_album` says that it was sent with an album; `chosen` that its listener has chosen a cover for this very play.
    """

    id: int
    account_id: int
    listened_at: datetime
    lookup_id: int
    origin: str
    artist: str
    track: str
    sound: str
    same_as: int | None
    length_ms: int
    heard_ms: int
    recording_id: int
    on_album: bool
    chosen: bool


class Changed(NamedTuple):
    """What a decision did to an account's pages: scrobbles that are hidden from now on, and such as came forward."""

    account_id: int
    hidden: list[int]
    shown: list[int]


# ---------------------------------------------------------------- origins


async def several(conn: Connection, origins: Collection[tuple[int, str]]) -> set[int]:
    """Note where these accounts' plays come from, as (account, origin); return the accounts with several origins."""
    rows = await conn.fetch(
        """
        WITH asked AS (SELECT * FROM unnest($1::bigint[], $2::text[]) AS asked (account_id, origin)),
        added AS (
            INSERT INTO account_origins (account_id, origin)
            SELECT * FROM asked WHERE NOT EXISTS (
                SELECT FROM account_origins o WHERE o.account_id = asked.account_id AND o.origin = asked.origin)
            ORDER BY 1, 2 ON CONFLICT DO NOTHING RETURNING account_id, origin
        )
        SELECT account_id FROM (
            SELECT account_id, origin FROM added
            UNION SELECT o.account_id, o.origin FROM account_origins o JOIN asked USING (account_id)
        ) AS all_of_them GROUP BY 1 HAVING count(*) > 1
        """,
        *map(list, zip(*sorted(origins), strict=True)),
    )
    return {row["account_id"] for row in rows}


async def apart(conn: Connection, account_id: int) -> set[frozenset[str]]:
    """Return the pairs of origins that this account's listener keeps apart."""
    rows = await conn.fetch("SELECT origin, other_origin FROM origins_apart WHERE account_id = $1", account_id)
    return {frozenset(row) for row in rows}


async def keep_apart(conn: Connection, account_id: int, origin: str, other: str, now: datetime) -> list[Changed]:
    """Show all plays of these two origins that were hidden behind each other, and hide none of them any more."""
    first, second = sorted((origin, other))
    await conn.execute(
        "INSERT INTO origins_apart VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING", account_id, first, second, now
    )
    rows = await conn.fetch(
        """
        SELECT h.id FROM scrobbles h JOIN scrobbles s ON s.id = h.same_as
        WHERE h.account_id = $1 AND (h.origin, s.origin) IN (($2, $3), ($3, $2)) AND h.same_as IS NOT NULL
        """,
        account_id,
        first,
        second,
    )
    return await write(conn, {row["id"]: None for row in rows})


async def bring_together(conn: Connection, account_id: int, origin: str, other: str) -> bool:
    """Take that back; False where they were not kept apart."""
    first, second = sorted((origin, other))
    done: str = await conn.execute(
        "DELETE FROM origins_apart WHERE account_id = $1 AND origin = $2 AND other_origin = $3",
        account_id,
        first,
        second,
    )
    return done.endswith(" 1")


# ---------------------------------------------------------------- plays of their own


async def make_own(conn: Connection, account_id: int, scrobble_id: int, now: datetime) -> list[Changed]:
    """Show a scrobble as a play of its own from now on, whatever else lies near it."""
    await conn.execute(
        """
        INSERT INTO own_plays SELECT id, $3 FROM scrobbles WHERE id = $2 AND account_id = $1 ON CONFLICT DO NOTHING
        """,
        account_id,
        scrobble_id,
        now,
    )
    rows = await conn.fetch(
        """
        SELECT h.id, h.same_as FROM scrobbles h WHERE h.account_id = $1
          AND (h.id = $2 AND h.same_as IS NOT NULL OR h.same_as = $2)
        ORDER BY h.id
        """,
        account_id,
        scrobble_id,
    )
    behind = [row["id"] for row in rows if row["same_as"] == scrobble_id]
    others = {each: None if each == behind[0] else behind[0] for each in behind}
    return await write(conn, {row["id"]: others.get(row["id"]) for row in rows})


async def no_longer_own(conn: Connection, account_id: int, scrobble_id: int) -> bool:
    """Take that back; False where it was not said."""
    done: str = await conn.execute(
        """
        DELETE FROM own_plays USING scrobbles s
        WHERE scrobble_id = $2 AND s.id = scrobble_id AND s.account_id = $1
        """,
        account_id,
        scrobble_id,
    )
    return done.endswith(" 1")


# ---------------------------------------------------------------- what lies near


async def of_several_origins(conn: Connection, lookup_ids: Sequence[int]) -> list[int]:
    """Return those of these names that an account of several origins has played."""
    rows = await conn.fetch(
        """
        WITH many AS (SELECT account_id FROM account_origins GROUP BY 1 HAVING count(*) > 1)
        SELECT lookup_id FROM unnest($1::bigint[]) AS asked (lookup_id)
        WHERE EXISTS (SELECT FROM many) AND EXISTS (
            SELECT FROM scrobbles s JOIN many USING (account_id) WHERE s.lookup_id = asked.lookup_id)
        """,
        list(lookup_ids),
    )
    return [row["lookup_id"] for row in rows]


async def facts(conn: Connection, lookup_ids: Collection[int]) -> dict[int, Facts]:
    """Return what these names were matched to, without those that were not."""
    rows = await conn.fetch(
        """
        SELECT l.id, m.recording_id, coalesce(r.length_ms, 0) AS length_ms
        FROM lookups l JOIN matches m ON m.id = l.match_id JOIN recordings r ON r.id = m.recording_id
        WHERE l.id = ANY($1::bigint[])
        """,
        list(lookup_ids),
    )
    return {row["id"]: Facts(row["recording_id"], row["length_ms"]) for row in rows}


def sound(track_key: str) -> str:
    """Return how a title begins, by its names.key: what is compared where plays lie further apart than CLOSE."""
    return track_key.lstrip("0123456789")[:3]


_SOUND: Final = "left(ltrim(l.track_key, '0123456789'), 3)"
_HEARD: Final = """
    CASE WHEN jsonb_typeof(s.extra -> 'ms_played') = 'number' AND length(s.extra ->> 'ms_played') < 10
         THEN (s.extra ->> 'ms_played')::float::int ELSE 0 END
"""
_COLUMNS: Final = f"""
    s.id, s.account_id, s.listened_at, s.lookup_id, s.origin, s.artist, s.track, {_SOUND} AS sound, s.same_as,
    coalesce(s.duration_ms, r.length_ms, 0) AS length_ms,
    {_HEARD} AS heard_ms, coalesce(m.recording_id, 0) AS recording_id,
    s.release <> '' AS on_album, s.preferred_image_id IS NOT NULL AS chosen
"""
_JOINED: Final = """
    JOIN lookups l ON l.id = s.lookup_id
    LEFT JOIN matches m ON m.id = coalesce(s.match_id, l.match_id)
    LEFT JOIN recordings r ON r.id = m.recording_id
"""
_NOT_OWN: Final = "NOT EXISTS (SELECT FROM own_plays o WHERE o.scrobble_id = s.id)"


async def near(conn: Connection, seeds: Sequence[Seed]) -> list[Near]:
    """Return what lies within reach of these seeds and may be of the same song, without plays of their own."""
    rows = await conn.fetch(
        f"""
        SELECT DISTINCT ON (s.id) {_COLUMNS}
        FROM unnest($1::bigint[], $2::timestamptz[], $3::interval[], $4::text[], $5::bigint[])
             AS seed (account_id, at, width, sound, recording_id)
        CROSS JOIN LATERAL (
            SELECT * FROM scrobbles WHERE scrobbles.account_id = seed.account_id
              AND listened_at BETWEEN seed.at - seed.width AND seed.at + seed.width
            OFFSET 0 -- seed by seed by the index: else the planner may compare every play with every seed
        ) s
        {_JOINED}
        WHERE (s.listened_at BETWEEN seed.at - $6::interval AND seed.at + $6::interval OR {_SOUND} = seed.sound
               OR m.recording_id = nullif(seed.recording_id, 0))
          AND {_NOT_OWN}
        """,
        [seed.account_id for seed in seeds],
        [seed.at for seed in seeds],
        [timedelta(seconds=seed.width_s) for seed in seeds],
        [seed.sound for seed in seeds],
        [seed.recording_id for seed in seeds],
        CLOSE,
    )
    return [Near(*row) for row in rows]


async def by_ids(conn: Connection, scrobble_ids: Sequence[int]) -> list[Near]:
    """Return these scrobbles in the same shape, of accounts with several origins, without plays of their own."""
    rows = await conn.fetch(
        f"""
        SELECT {_COLUMNS} FROM scrobbles s {_JOINED}
        WHERE s.id = ANY($1::bigint[]) AND {_NOT_OWN}
          AND (SELECT count(*) FROM account_origins o WHERE o.account_id = s.account_id) > 1
        """,
        list(scrobble_ids),
    )
    return [Near(*row) for row in rows]


async def members(conn: Connection, scrobble_ids: Sequence[int]) -> list[int]:
    """Return these scrobbles and all others that are records of the same plays."""
    rows = await conn.fetch(
        """
        WITH shown AS (SELECT coalesce(same_as, id) AS id FROM scrobbles WHERE id = ANY($1::bigint[]))
        SELECT id FROM shown UNION SELECT s.id FROM shown JOIN scrobbles s ON s.same_as = shown.id ORDER BY 1
        """,
        list(scrobble_ids),
    )
    return [row["id"] for row in rows]


async def shown_of(conn: Connection, scrobble_ids: Sequence[int]) -> list[int]:
    """Return those of these scrobbles that are shown, in order."""
    rows = await conn.fetch(
        "SELECT id FROM scrobbles WHERE id = ANY($1::bigint[]) AND same_as IS NULL ORDER BY id", list(scrobble_ids)
    )
    return [row["id"] for row in rows]


async def pairs(conn: Connection, account_id: int, limit: int) -> list[tuple[Near, Near]]:
    """Return some scrobbles hidden lately, each with the one that is shown instead."""
    rows = await conn.fetch(
        "SELECT id, same_as FROM scrobbles WHERE account_id = $1 AND same_as IS NOT NULL ORDER BY id DESC LIMIT $2",
        account_id,
        limit,
    )
    found = {one.id: one for one in await by_ids(conn, [id_ for row in rows for id_ in row])}
    return [(found[one], found[other]) for one, other in rows if one in found and other in found]


async def plays_of(conn: Connection, lookup_ids: Sequence[int], width: timedelta, limit: int) -> list[int]:
    """Return plays of these matched names near which another origin has one of the same recording, seen as another.

    Only of accounts with several origins; at most `limit`, the newest.
    """
    rows = await conn.fetch(
        """
        SELECT s.id FROM scrobbles s
        JOIN lookups l ON l.id = s.lookup_id
        JOIN matches m ON m.id = l.match_id
        WHERE s.lookup_id = ANY($1::bigint[])
          AND (SELECT count(*) FROM account_origins o WHERE o.account_id = s.account_id) > 1
          AND EXISTS (
              SELECT FROM scrobbles p JOIN lookups pl ON pl.id = p.lookup_id JOIN matches pm ON pm.id = pl.match_id
              WHERE p.account_id = s.account_id AND p.origin <> s.origin
                AND coalesce(p.same_as, p.id) <> coalesce(s.same_as, s.id)
                AND p.listened_at BETWEEN s.listened_at - $2::interval AND s.listened_at + $2::interval
                AND pm.recording_id = m.recording_id)
        ORDER BY s.id DESC LIMIT $3
        """,
        list(lookup_ids),
        width,
        limit,
    )
    return [row["id"] for row in rows]


async def count_hidden(conn: Connection, account_id: int) -> int:
    """Count the account's records that are hidden behind another."""
    number: int = await conn.fetchval(
        "SELECT count(*) FROM scrobbles WHERE account_id = $1 AND same_as IS NOT NULL", account_id
    )
    return number


async def slice_of(
    conn: Connection, account_id: int, after: tuple[datetime, int] | None, limit: int
) -> list[tuple[datetime, int]]:
    """Return (listened_at, id) of an account's next plays in the order of time."""
    rows = await conn.fetch(
        """
        SELECT listened_at, id FROM scrobbles
        WHERE account_id = $1 AND ($2::timestamptz IS NULL OR (listened_at, id) > ($2, $3))
        ORDER BY listened_at, id LIMIT $4
        """,
        account_id,
        *(after or (None, 0)),
        limit,
    )
    return [(row["listened_at"], row["id"]) for row in rows]


# ---------------------------------------------------------------- writing


async def write(conn: Connection, same_as: Mapping[int, int | None]) -> list[Changed]:
    """Hide and show scrobbles; return what that changed, by account. What is as it should be is not written."""
    if not same_as:
        return []
    rows = await conn.fetch(
        """
        WITH decided AS (SELECT * FROM unnest($1::bigint[], $2::bigint[]) AS decided (id, same_as)),
        changed AS (
            SELECT s.id, s.same_as AS before, decided.same_as AS after FROM scrobbles s JOIN decided USING (id)
            WHERE s.same_as IS DISTINCT FROM decided.same_as ORDER BY s.id FOR NO KEY UPDATE OF s
        ), orphaned AS (
            SELECT s.id, s.same_as AS before, NULL::bigint AS after FROM scrobbles s
            WHERE s.same_as IN (SELECT id FROM changed WHERE after IS NOT NULL)
              AND s.id NOT IN (SELECT id FROM decided)
        ), all_of_them AS (SELECT * FROM changed UNION ALL SELECT * FROM orphaned)
        UPDATE scrobbles SET same_as = all_of_them.after FROM all_of_them WHERE scrobbles.id = all_of_them.id
        RETURNING scrobbles.account_id, scrobbles.id, before IS NULL AS was_shown, after IS NULL AS is_shown
        """,
        list(same_as),
        list(same_as.values()),
    )
    changes: dict[int, Changed] = {}
    for row in rows:
        change = changes.setdefault(row["account_id"], Changed(row["account_id"], [], []))
        if row["was_shown"] and not row["is_shown"]:
            change.hidden.append(row["id"])
        elif row["is_shown"] and not row["was_shown"]:
            change.shown.append(row["id"])
    return sorted(changes.values())
