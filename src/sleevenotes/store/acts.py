"""What a listener has said of plays, out and in again: corrections, chosen covers, plays that are no repeats.

Out is what is in force. In again, it carries the import that brought it, so that undoing the import takes it back; what
is said here already stays.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sleevenotes import model
from sleevenotes.store import catalog, deletions
from sleevenotes.store.postgres import Connection, Database

Row = dict[str, Any]


def _credit(credit_id: str) -> str:
    return f"""(
        SELECT jsonb_build_object('names', jsonb_agg(jsonb_build_object(
            'mbid', coalesce(a.mbid::text, ''), 'foreign_id', coalesce(a.foreign_id, ''), 'name', n.name,
            'join_phrase', n.join_phrase) ORDER BY n.position))
        FROM artist_credit_names n JOIN artists a ON a.id = n.artist_id WHERE n.artist_credit_id = {credit_id})"""


def _ids(noun: str) -> str:
    return (
        f"'mbid', coalesce({noun}.mbid::text, ''), 'foreign_id', coalesce({noun}.foreign_id, ''), 'title', {noun}.title"
    )


_GROUP = f"jsonb_build_object({_ids('g')}, 'primary_type', g.primary_type)"
_CORRECTIONS = f"""
    SELECT dense_rank() OVER (ORDER BY c.id) AS number, c.kind, c.created_at AS at, l.artist, l.track, l.release,
        CASE WHEN m.id IS NOT NULL THEN jsonb_build_object(
            'recording', jsonb_build_object({_ids("r")}, 'length_ms', r.length_ms,
                                            'artist_credit', {_credit("r.artist_credit_id")}),
            'release', CASE WHEN e.id IS NOT NULL THEN jsonb_build_object(
                {_ids("e")}, 'date', e.date, 'release_group', {_GROUP},
                'artist_credit', {_credit("e.artist_credit_id")}) END,
            'source', m.source, 'distance', m.distance, 'reason', m.reason, 'penalties', m.penalties) END AS became
    FROM corrected k
    JOIN corrections c ON c.id = k.correction_id
    JOIN lookups l ON l.id = k.lookup_id
    LEFT JOIN matches m ON m.id = k.match_id
    LEFT JOIN recordings r ON r.id = m.recording_id
    LEFT JOIN releases e ON e.id = m.release_id
    LEFT JOIN release_groups g ON g.id = e.release_group_id
    WHERE k.account_id = $1 AND k.own ORDER BY c.id, k.id
"""
_COVERS = f"""
    SELECT encode(i.digest, 'hex') AS image, p.chosen_at AS at, p.artist, p.release, p.address,
        CASE WHEN g.id IS NOT NULL THEN {_GROUP} END AS release_group,
        CASE WHEN g.id IS NOT NULL THEN {_credit("g.artist_credit_id")} END AS artist_credit,
        CASE WHEN s.id IS NOT NULL THEN
            jsonb_build_object('listened_at', s.listened_at, 'artist', s.artist, 'track', s.track) END AS play
    FROM artwork_preferences p
    JOIN images i ON i.id = p.image_id
    LEFT JOIN release_groups g ON g.id = p.release_group_id
    LEFT JOIN scrobbles s ON s.id = p.scrobble_id
    WHERE p.account_id = $1 AND p.in_force ORDER BY p.id
"""
_PLAY = "jsonb_build_object('listened_at', s.listened_at, 'artist', s.artist, 'track', s.track) AS play"
_UPLOADED = f"""
    SELECT encode(i.digest, 'hex') AS image, {_PLAY} FROM scrobbles s JOIN images i ON i.id = s.image_id
    WHERE s.account_id = $1 ORDER BY s.listened_at, s.id
"""
_OWN = f"""
    SELECT {_PLAY}, o.decided_at AS at FROM own_plays o JOIN scrobbles s ON s.id = o.scrobble_id
    WHERE s.account_id = $1 ORDER BY s.listened_at, s.id
"""
_APART = """
    SELECT origin, other_origin AS other, decided_at AS at FROM origins_apart WHERE account_id = $1 ORDER BY 1, 2
"""
_EDITED = f"""
    SELECT {_PLAY}, f.listened_at, encode(f.identity, 'hex') AS identity
    FROM former_plays f JOIN scrobbles s ON s.id = f.scrobble_id AND s.account_id = f.account_id
    WHERE f.account_id = $1 AND (f.listened_at, f.identity) <> (s.listened_at, s.identity)
    ORDER BY s.listened_at, s.id, f.listened_at, f.identity
"""
_DELETED = f"""
    SELECT d.listened_at, encode(d.identity, 'hex') AS identity FROM dismissed_plays d
    WHERE d.account_id = $1 AND NOT {deletions.HERE} ORDER BY 1, 2
"""
_QUERIES = {
    "correction": _CORRECTIONS,
    "cover": _COVERS,
    "uploaded": _UPLOADED,
    "apart": _APART,
    "own_play": _OWN,
    "edited_play": _EDITED,
    "deleted_play": _DELETED,
}


async def in_force(database: Database, account_id: int) -> dict[str, list[Row]]:
    """Return what the account has said, by kind, as `importers.acts` names and has it."""
    async with database.connection() as conn:
        return {kind: [dict(row) for row in await conn.fetch(query, account_id)] for kind, query in _QUERIES.items()}


# ---------------------------------------------------------------- in again


async def names_played(conn: Connection, account_id: int, identities: Sequence[bytes]) -> dict[bytes, tuple[int, bool]]:
    """Return those of these names that the account has played: lookup id, and whether it has corrected it already."""
    rows = await conn.fetch(
        """
        SELECT l.identity, l.id,
            EXISTS (SELECT FROM corrected k WHERE k.account_id = $1 AND k.lookup_id = l.id AND k.own) AS corrected
        FROM lookups l WHERE l.identity = ANY($2::bytea[])
          AND EXISTS (SELECT FROM scrobbles s WHERE s.account_id = $1 AND s.lookup_id = l.id)
        """,
        account_id,
        list(identities),
    )
    return {row["identity"]: (row["id"], row["corrected"]) for row in rows}


async def play(conn: Connection, account_id: int, at: datetime, identity: bytes) -> Mapping[str, Any] | None:
    """Return the play of this moment and identity: its id, import_id, image_id and names; None: not here."""
    found: Mapping[str, Any] | None = await conn.fetchrow(
        """
        SELECT id, import_id, image_id, artist, track, release FROM scrobbles
        WHERE account_id = $1 AND listened_at = $2 AND identity = $3
        """,
        account_id,
        at,
        identity,
    )
    return found


async def release_group(conn: Connection, group: model.ReleaseGroup) -> int | None:
    """Return the row of a release group; None where it is not known here."""
    column, kind = ("mbid", "uuid") if group.mbid else ("foreign_id", "text")
    found: int | None = await conn.fetchval(
        f"SELECT id FROM release_groups WHERE {column} = $1::text::{kind}", catalog.identity(group)
    )
    return found


async def has_cover(
    conn: Connection, account_id: int, keys: tuple[str, str], release_group_id: int | None, scrobble_id: int | None
) -> bool:
    """Tell whether the account has chosen a cover for this already, or to show it as it comes."""
    chosen: bool = await conn.fetchval(
        """
        SELECT EXISTS (
            SELECT FROM artwork_preferences WHERE account_id = $1 AND in_force
              AND CASE WHEN $5::bigint IS NOT NULL THEN scrobble_id = $5
                       ELSE scrobble_id IS NULL AND (artist_key = $2 AND release_key = $3 OR release_group_id = $4) END)
        """,
        account_id,
        *keys,
        release_group_id,
        scrobble_id,
    )
    return chosen


async def mark(conn: Connection, table: str, row_id: int, import_id: int) -> None:
    """Note that an import brought this correction or cover ("corrections", "artwork_preferences")."""
    await conn.execute(f"UPDATE {table} SET import_id = $2 WHERE id = $1", row_id, import_id)


async def own_play(conn: Connection, scrobble_id: int, at: datetime, import_id: int) -> bool:
    """Note that a play is its own; False where that is known."""
    done: str = await conn.execute(
        "INSERT INTO own_plays (scrobble_id, decided_at, import_id) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
        scrobble_id,
        at,
        import_id,
    )
    return done.endswith(" 1")


async def edited_play(
    conn: Connection, account_id: int, scrobble_id: int, was: tuple[datetime, bytes], import_id: int
) -> bool:
    """Note what a play was before it was told anew; False where a play is known to have been that."""
    done: str = await conn.execute(
        """
        INSERT INTO former_plays (account_id, listened_at, identity, scrobble_id, import_id)
        VALUES ($1, $2, $3, $4, $5)
        ON CONFLICT (account_id, listened_at, identity)
        DO UPDATE SET scrobble_id = excluded.scrobble_id, import_id = excluded.import_id
        WHERE NOT EXISTS (SELECT FROM scrobbles s WHERE s.id = former_plays.scrobble_id)
        """,
        account_id,
        *was,
        scrobble_id,
        import_id,
    )
    return done.endswith(" 1")


async def apart(conn: Connection, account_id: int, origins: Sequence[str], at: datetime, import_id: int) -> bool:
    """Note that two origins are kept apart; False where that is known."""
    done: str = await conn.execute(
        """
        INSERT INTO origins_apart (account_id, origin, other_origin, decided_at, import_id)
        VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING
        """,
        account_id,
        *sorted(origins),
        at,
        import_id,
    )
    return done.endswith(" 1")


async def of_import(conn: Connection, account_id: int, import_id: int) -> dict[str, list[int]]:
    """Return what an import brought and is not undone: ids of corrections, of covers, of plays said to be their own."""
    queries = {
        "corrections": "SELECT id FROM corrections WHERE import_id = $2 AND account_id = $1 AND undone_at IS NULL",
        "covers": "SELECT id FROM artwork_preferences WHERE import_id = $2 AND account_id = $1 AND undone_at IS NULL",
        "own": """
            SELECT s.id FROM own_plays o JOIN scrobbles s ON s.id = o.scrobble_id
            WHERE o.import_id = $2 AND s.account_id = $1
        """,
    }
    return {
        kind: [row["id"] for row in await conn.fetch(f"{query} ORDER BY 1 DESC", account_id, import_id)]
        for kind, query in queries.items()
    }


async def take_back(conn: Connection, account_id: int, import_id: int) -> bool:
    """Forget what an import said of tracks, of deleted and edited plays, and of origins.

    True where origins may be the same again.
    """
    for table in ("feedback", "dismissed_plays", "former_plays"):
        await conn.execute(f"DELETE FROM {table} WHERE account_id = $1 AND import_id = $2", account_id, import_id)
    done: str = await conn.execute(
        "DELETE FROM origins_apart WHERE account_id = $1 AND import_id = $2", account_id, import_id
    )
    return not done.endswith(" 0")
