"""Searches: what a listener asked for to correct a name or an album, and what came of it. Kept for some hours."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal

import msgspec

from sleevenotes.store.postgres import Connection

Status = Literal["pending", "answered", "absent", "failed"]


class Search(msgspec.Struct, frozen=True):
    """One search: `question` and `candidates` are as JSON decodes them; `source` is "" where anybody may be asked."""

    id: int
    account_id: int
    lookup_id: int
    whole_album: bool
    asked: str
    source: str
    question: dict[str, Any]
    status: Status
    candidates: list[dict[str, Any]]
    asked_at: datetime


async def begin(
    conn: Connection,
    account_id: int,
    lookup_id: int,
    *,
    whole_album: bool,
    asked: str,
    source: str,
    question: msgspec.Struct,
    now: datetime,
) -> int:
    """Write a search that is to be made; return its id."""
    search_id: int = await conn.fetchval(
        """
        INSERT INTO searches (account_id, lookup_id, whole_album, asked, source, question, asked_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING id
        """,
        account_id,
        lookup_id,
        whole_album,
        asked,
        source,
        question,
        now,
    )
    return search_id


async def pending(conn: Connection, account_id: int) -> int:
    """Count the account's searches that wait."""
    number: int = await conn.fetchval(
        "SELECT count(*) FROM searches WHERE account_id = $1 AND status = 'pending'", account_id
    )
    return number


async def load_pending(conn: Connection, ids: Sequence[int]) -> list[Search]:
    """Return those of these searches that still wait."""
    rows = await conn.fetch(
        "SELECT * FROM searches WHERE id = ANY($1::bigint[]) AND status = 'pending' ORDER BY id", list(ids)
    )
    return [_search(dict(row)) for row in rows]


async def settle(conn: Connection, search_id: int, status: Status, candidates: object, now: datetime) -> None:
    """Store what came of a search; `candidates` is encoded by msgspec."""
    await conn.execute(
        "UPDATE searches SET status = $2, candidates = $3, answered_at = $4 WHERE id = $1",
        search_id,
        status,
        msgspec.to_builtins(candidates),
        now,
    )


async def by_id(conn: Connection, account_id: int, search_id: int) -> Search | None:
    """Return one search of this account; None where it has none of this id."""
    if not 0 < search_id < 2**63:
        return None
    row = await conn.fetchrow("SELECT * FROM searches WHERE id = $1 AND account_id = $2", search_id, account_id)
    return _search(dict(row)) if row else None


async def of_case(
    conn: Connection, account_id: int, lookup_id: int, *, whole_album: bool, limit: int = 5
) -> list[Search]:
    """Return what the account lately asked for about this name, or its album, newest first."""
    rows = await conn.fetch(
        """
        SELECT * FROM searches WHERE account_id = $1 AND lookup_id = $2 AND whole_album = $3
        ORDER BY id DESC LIMIT $4
        """,
        account_id,
        lookup_id,
        whole_album,
        limit,
    )
    return [_search(dict(row)) for row in rows]


async def purge(conn: Connection, before: datetime) -> None:
    """Drop searches made before that moment."""
    await conn.execute("DELETE FROM searches WHERE asked_at < $1", before)


def _search(row: dict[str, Any]) -> Search:
    return msgspec.convert(row, Search)
