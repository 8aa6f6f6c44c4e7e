"""Traces: each time a question was asked, whom, how long it waited and took, and what came of it.

Stored once; read by the scrobble page, `explain`, the status page and the metrics. They name no account.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime

import msgspec

from sleevenotes.store.postgres import Connection


class Trace(msgspec.Struct, frozen=True):
    """One question asked once. Waited and took in milliseconds; `outcome`: answered, absent, unknown or fault."""

    source: str
    kind: str
    asked_at: datetime
    waited_ms: int
    took_ms: int
    outcome: str
    candidates: int
    status: int | None
    note: str


class New(msgspec.Struct, frozen=True):
    """A trace to keep, but for what its whole request shares."""

    key: bytes
    kind: str
    band: int
    wanted_at: datetime
    outcome: str
    candidates: int = 0


async def keep(
    conn: Connection,
    source: str,
    news: Sequence[New],
    *,
    asked_at: datetime,
    took_ms: int,
    status: int | None,
    note: str = "",
) -> None:
    """Store one request's traces, a row for each question it carried."""
    await conn.execute(
        """
        INSERT INTO traces (source, question_key, kind, request_id, band, wanted_at, asked_at, took_ms,
                            outcome, candidates, status, note)
        SELECT $1, key, kind, $2, band, wanted_at, $3, $4, outcome, candidates, $5, $6
        FROM unnest($7::bytea[], $8::text[], $9::smallint[], $10::timestamptz[], $11::text[], $12::smallint[])
             AS new (key, kind, band, wanted_at, outcome, candidates)
        """,
        source,
        uuid.uuid4(),
        asked_at,
        took_ms,
        status,
        note,
        [new.key for new in news],
        [new.kind for new in news],
        [new.band for new in news],
        [new.wanted_at for new in news],
        [new.outcome for new in news],
        [new.candidates for new in news],
    )


async def of_lookup(conn: Connection, lookup_id: int) -> list[Trace]:
    """Fetch what was asked to decide this lookup, oldest first."""
    return await _of(conn, "match", lookup_id)


async def of_scrobble(conn: Connection, scrobble_id: int) -> list[Trace]:
    """Fetch what was asked about this play's own evidence, oldest first."""
    return await _of(conn, "evidence", scrobble_id)


async def of_release_group(conn: Connection, release_group_id: int) -> list[Trace]:
    """Fetch what was asked to find this release group's cover, oldest first."""
    return await _of(conn, "artwork", release_group_id)


async def _of(conn: Connection, stage: str, subject_id: int) -> list[Trace]:
    rows = await conn.fetch(
        """
        SELECT source, kind, asked_at, took_ms, outcome, candidates, status, note,
               greatest(0, extract(epoch FROM asked_at - wanted_at) * 1000)::int AS waited_ms
        FROM traces JOIN inquiries USING (question_key)
        WHERE inquiries.stage = $1 AND inquiries.subject_id = $2
        ORDER BY asked_at, traces.id
        """,
        stage,
        subject_id,
    )
    return [msgspec.convert(dict(row), Trace) for row in rows]


async def purge(conn: Connection, before: datetime) -> None:
    """Drop traces of what was asked before that moment."""
    await conn.execute("DELETE FROM traces WHERE asked_at < $1", before)
