"""Corrections: what a listener says names really are, each act undone as a unit.

A correction speaks of names (lookups), so it holds for every play of them, past and to come; `store.effective` says
before what else it goes. Of several of one account about the same name the newest that is not undone is in force:
undoing it brings back the one before. The same goes, by itself, for those that the owner made for everybody.

The rows of the lookups are locked in the order of their identity, as everywhere, so that two acts about a name queue.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Literal

import msgspec

from sleevenotes import errors
from sleevenotes.store import matches
from sleevenotes.store.postgres import Connection

Kind = Literal["match", "album", "none", "confirmed"]


class Correction(msgspec.Struct, frozen=True):
    """An act as its listener sees it: of how many names, the first of them as sent, and what that became.

    `became` and `by` are "" where it says "none of these". `names` counts those that are not undone, all of them where
    the whole act is.
    """

    id: int
    kind: Kind
    everybody: bool
    created_at: datetime
    undone_at: datetime | None
    names: int
    lookup_id: int
    artist: str
    track: str
    became: str
    by: str


async def put(
    conn: Connection,
    account_id: int,
    kind: Kind,
    says: Mapping[int, matches.Identity | None],
    now: datetime,
    *,
    everybody: bool = False,
) -> int:
    """Write one act: what each of these lookups is, None for "none of these"; return its id.

    Call it in a transaction. That the account has played these names is for the caller to know.
    """
    lookup_ids = list(says)
    await _lock(conn, lookup_ids)
    await _stand_down(conn, account_id, lookup_ids, everybody=everybody)
    correction_id: int = await conn.fetchval(
        "INSERT INTO corrections (account_id, kind, everybody, created_at) VALUES ($1, $2, $3, $4) RETURNING id",
        account_id,
        kind,
        everybody,
        now,
    )
    rows = await conn.fetch(
        """
        INSERT INTO corrected (correction_id, account_id, lookup_id, own, everybody)
        SELECT $1, $2, lookup_id, true, $3 FROM unnest($4::bigint[]) AS lookup_id
        RETURNING id, lookup_id
        """,
        correction_id,
        account_id,
        everybody,
        lookup_ids,
    )
    ids = {row["lookup_id"]: row["id"] for row in rows}
    identities = {ids[lookup_id]: identity for lookup_id, identity in says.items() if identity is not None}
    match_ids = await matches.write(conn, "corrected_id", identities, now)
    await conn.execute(
        """
        UPDATE corrected SET match_id = new.match_id FROM unnest($1::bigint[], $2::bigint[]) AS new (id, match_id)
        WHERE corrected.id = new.id
        """,
        list(match_ids),
        list(match_ids.values()),
    )
    return correction_id


async def undo(
    conn: Connection, account_id: int, correction_id: int, now: datetime, *, lookup_id: int | None = None
) -> list[int]:
    """Undo an account's act, or what it says of one name; return the lookups it no longer speaks of.

    [] where there is no such act of this account, or nothing of it is left. Call it in a transaction.
    """
    lookup_ids = [
        row["lookup_id"]
        for row in await conn.fetch(
            """
            SELECT lookup_id FROM corrected
            WHERE correction_id = $1 AND account_id = $2 AND NOT undone AND ($3::bigint IS NULL OR lookup_id = $3)
            """,
            correction_id,
            account_id,
            lookup_id,
        )
    ]
    await _lock(conn, lookup_ids)
    rows = await conn.fetch(
        """
        UPDATE corrected SET undone = true, own = false, everybody = false
        WHERE correction_id = $1 AND lookup_id = ANY($2::bigint[]) AND NOT undone RETURNING lookup_id
        """,
        correction_id,
        lookup_ids,
    )
    undone = sorted(row["lookup_id"] for row in rows)
    if not undone:
        return []
    await _bring_back(conn, account_id, undone)
    await conn.execute(
        """
        UPDATE corrections SET undone_at = $2 WHERE id = $1 AND undone_at IS NULL
        AND NOT EXISTS (SELECT FROM corrected WHERE correction_id = $1 AND NOT undone)
        """,
        correction_id,
        now,
    )
    return undone


async def share(conn: Connection, account_id: int, correction_id: int) -> list[int]:
    """Make what an act says, where it is in force for its account, hold for everybody; return those lookups.

    That the account is an owner's is for the caller to know. Call it in a transaction.
    """
    rows = await conn.fetch(
        "SELECT lookup_id FROM corrected WHERE correction_id = $1 AND account_id = $2 AND own",
        correction_id,
        account_id,
    )
    lookup_ids = sorted(row["lookup_id"] for row in rows)
    if not lookup_ids:
        return []
    await _lock(conn, lookup_ids)
    await _stand_down(conn, None, lookup_ids, everybody=True)
    await conn.execute("UPDATE corrections SET everybody = true WHERE id = $1", correction_id)
    await conn.execute("UPDATE corrected SET everybody = true WHERE correction_id = $1 AND own", correction_id)
    return lookup_ids


async def recent(
    conn: Connection, account_id: int, limit: int, *, correction_id: int | None = None
) -> list[Correction]:
    """List the account's newest acts, or the one of that id."""
    rows = await conn.fetch(
        """
        SELECT c.id, c.kind, c.everybody, c.created_at, c.undone_at, counted.names,
               first.lookup_id, l.artist, l.track, coalesce(r.title, '') AS became, coalesce(a.name, '') AS by
        FROM corrections c
        JOIN LATERAL (
            SELECT count(*) AS names, min(id) AS first FROM corrected
            WHERE correction_id = c.id AND (c.undone_at IS NOT NULL OR NOT undone)
        ) counted ON counted.names > 0
        JOIN corrected first ON first.id = counted.first
        JOIN lookups l ON l.id = first.lookup_id
        LEFT JOIN matches m ON m.id = first.match_id
        LEFT JOIN recordings r ON r.id = m.recording_id
        LEFT JOIN artist_credits a ON a.id = r.artist_credit_id
        WHERE c.account_id = $1 AND ($3::bigint IS NULL OR c.id = $3)
        ORDER BY c.id DESC LIMIT $2
        """,
        account_id,
        limit,
        correction_id,
    )
    return [msgspec.convert(dict(row), Correction) for row in rows]


async def in_force(conn: Connection, account_id: int, lookup_id: int) -> int | None:
    """Return the id of the account's act that is in force for this name; None where there is none."""
    found: int | None = await conn.fetchval(
        "SELECT correction_id FROM corrected WHERE account_id = $1 AND lookup_id = $2 AND own", account_id, lookup_id
    )
    return found


async def count(conn: Connection, account_id: int) -> int:
    """Count the names of which the account has said what they are."""
    number: int = await conn.fetchval("SELECT count(*) FROM corrected WHERE account_id = $1 AND own", account_id)
    return number


def require_ids(ids: Sequence[int]) -> None:
    """Raise errors.Gone for a number that no row can have."""
    if not all(0 < each < 2**63 for each in ids):
        raise errors.Gone("There is no such thing of yours.")


async def require_played(conn: Connection, account_id: int, lookup_ids: Sequence[int]) -> None:
    """Raise errors.Gone unless the account has played, or plays now, each of these names."""
    require_ids(lookup_ids)
    played = await conn.fetchval(
        """
        SELECT count(*) FROM unnest($2::bigint[]) AS lookup (id)
        WHERE EXISTS (SELECT FROM scrobbles WHERE lookup_id = lookup.id AND account_id = $1)
           OR EXISTS (SELECT FROM now_playing WHERE lookup_id = lookup.id AND account_id = $1)
        """,
        account_id,
        list(set(lookup_ids)),
    )
    if played < len(set(lookup_ids)):
        raise errors.Gone("You have not played this name.")


# ---------------------------------------------------------------- inside


async def _lock(conn: Connection, lookup_ids: Sequence[int]) -> None:
    await conn.execute(
        "SELECT FROM lookups WHERE id = ANY($1::bigint[]) ORDER BY identity FOR NO KEY UPDATE", list(lookup_ids)
    )


async def _stand_down(conn: Connection, account_id: int | None, lookup_ids: Sequence[int], *, everybody: bool) -> None:
    """Let what was said before of these names be in force no longer."""
    await conn.execute(
        "UPDATE corrected SET own = false WHERE account_id = $1 AND lookup_id = ANY($2::bigint[]) AND own",
        account_id,
        list(lookup_ids),
    )
    if everybody:
        await conn.execute(
            "UPDATE corrected SET everybody = false WHERE lookup_id = ANY($1::bigint[]) AND everybody",
            list(lookup_ids),
        )


async def _bring_back(conn: Connection, account_id: int, lookup_ids: Sequence[int]) -> None:
    """Put in force again, where nothing else is, the newest that was said before."""
    await conn.execute(
        """
        UPDATE corrected SET own = true WHERE id IN (
            SELECT max(id) FROM corrected
            WHERE lookup_id = ANY($2::bigint[]) AND account_id = $1 AND NOT undone GROUP BY lookup_id
        )
        AND NOT own AND NOT EXISTS
            (SELECT FROM corrected x WHERE x.account_id = $1 AND x.lookup_id = corrected.lookup_id AND x.own)
        """,
        account_id,
        list(lookup_ids),
    )
    await conn.execute(
        """
        UPDATE corrected SET everybody = true WHERE id IN (
            SELECT max(x.id) FROM corrected x JOIN corrections c ON c.id = x.correction_id
            WHERE x.lookup_id = ANY($1::bigint[]) AND c.everybody AND NOT x.undone GROUP BY x.lookup_id
        )
        AND NOT everybody AND NOT EXISTS
            (SELECT FROM corrected x WHERE x.lookup_id = corrected.lookup_id AND x.everybody)
        """,
        list(lookup_ids),
    )
