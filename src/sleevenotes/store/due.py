"""What is to be looked at again, by kind: how much is due, how much later, and why; and how to hasten it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final, NamedTuple

import msgspec

from sleevenotes.store.postgres import Connection


class Due(msgspec.Struct, frozen=True):
    """One kind and one reason: how many rows are due now and later, when the next one is, how many are under way."""

    kind: str
    why: str
    due: int
    later: int
    next_at: datetime | None


class _Kind(NamedTuple):
    table: str
    date: str
    why: str  # an expression
    of: str = "true"


_KINDS: Final[Mapping[str, _Kind]] = {
    "names": _Kind(
        "lookups",
        "recheck_at",
        "CASE status WHEN 'not_found' THEN 'nobody knows it' ELSE 'not every source was reached' END",
        "status <> 'pending'",
    ),
    "covers": _Kind(
        "artworks",
        "recheck_at",
        "CASE status WHEN 'absent' THEN 'nobody has one' WHEN 'failed' THEN 'not every source was reached' "
        "ELSE 'the one shown is for now' END",
        "status <> 'pending'",
    ),
    "larger": _Kind("artworks", "larger_at", "'the one shown is small'", "status = 'found' AND image_id IS NOT NULL"),
    "artists": _Kind("portraits", "look_again_at", "'nobody has a picture'", "status = 'told' AND image_id IS NULL"),
    "sent": _Kind(
        "sent_images",
        "recheck_at",
        "CASE status WHEN 'refused' THEN 'no image lay there' ELSE 'it was not reached' END",
        "status IN ('refused', 'failed')",
    ),
    "evidence": _Kind("evidence_rechecks", "recheck_at", "'a hint of the player''s led to nothing'"),
    "ids": _Kind("popular", "ids_due_at", "'not every source was reached'", "place IS NOT NULL AND ids_tries > 0"),
}
KINDS: Final = tuple(_KINDS)


async def read(conn: Connection, now: datetime) -> list[Due]:
    """Count what is dated, kind by kind in the declared order, by the reason."""
    found: list[Due] = []
    for kind, each in _KINDS.items():
        rows = await conn.fetch(
            f"""
            SELECT {each.why} AS why, count(*) FILTER (WHERE {each.date} <= $1) AS due,
                   count(*) FILTER (WHERE {each.date} > $1) AS later, min({each.date}) AS next_at
            FROM {each.table} WHERE {each.date} IS NOT NULL AND {each.of} GROUP BY 1 ORDER BY 1
            """,
            now,
        )
        found += [Due(kind, row["why"], row["due"], row["later"], row["next_at"]) for row in rows]
    return found


async def hasten(conn: Connection, kind: str, now: datetime) -> int:
    """Make all of a kind due now; return how many were to come later. They go through the drip as ever."""
    each = _KINDS[kind]
    done: str = await conn.execute(
        f"UPDATE {each.table} SET {each.date} = $1 WHERE {each.date} > $1 AND {each.of}", now
    )
    return int(done.rpartition(" ")[2])
