"""Replies: what a source answered to a question. Absence is an answer; a fault is never stored as one."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Sequence
from datetime import datetime

import msgspec

from sleevenotes.store.postgres import Connection


class Outcome(enum.StrEnum):
    """How a question ended, so far."""

    ANSWERED = "answered"
    ABSENT = "absent"
    GIVEN_UP = "given_up"  # its retries are spent; asked again by recheck


class Reply(msgspec.Struct, frozen=True):
    """One stored reply; `answer` is as JSON decodes it."""

    source: str
    key: bytes
    outcome: Outcome
    answer: dict[str, object]
    answered_at: datetime


async def keep(conn: Connection, replies: Iterable[tuple[str, bytes, Outcome, object]], now: datetime) -> None:
    """Store (source, question key, outcome, answer) rows, replacing earlier ones."""
    ordered = sorted(replies, key=lambda reply: reply[:2])
    await conn.execute(
        """
        INSERT INTO replies (source, question_key, outcome, answer, answered_at)
        SELECT source, key, outcome, answer, $5
        FROM unnest($1::text[], $2::bytea[], $3::text[], $4::jsonb[]) AS new (source, key, outcome, answer)
        ON CONFLICT (source, question_key) DO UPDATE
        SET outcome = excluded.outcome, answer = excluded.answer, answered_at = excluded.answered_at
        """,
        [reply[0] for reply in ordered],
        [reply[1] for reply in ordered],
        [reply[2].value for reply in ordered],
        [reply[3] for reply in ordered],
        now,
    )


async def load(conn: Connection, keys: Sequence[bytes]) -> dict[tuple[str, bytes], Reply]:
    """Fetch every source's reply to these questions, by (source, question key)."""
    rows = await conn.fetch("SELECT * FROM replies WHERE question_key = ANY($1)", list(keys))
    return {
        (row["source"], row["question_key"]): Reply(
            source=row["source"],
            key=row["question_key"],
            outcome=Outcome(row["outcome"]),
            answer=row["answer"],
            answered_at=row["answered_at"],
        )
        for row in rows
    }


async def forget(conn: Connection, stage: str, subject_ids: Sequence[int], *, only_unfound: bool) -> None:
    """Drop what was answered for these subjects, so that it is asked again.

    With `only_unfound`, answers that found something stay: a recheck asks again only what was absent or given up.
    """
    await conn.execute(
        """
        DELETE FROM replies USING inquiries
        WHERE inquiries.stage = $1 AND inquiries.subject_id = ANY($2)
          AND replies.question_key = inquiries.question_key AND (NOT $3 OR replies.outcome <> 'answered')
        """,
        stage,
        list(subject_ids),
        only_unfound,
    )


async def forget_one(conn: Connection, source: str, key: bytes) -> None:
    """Drop one reply that proved unusable."""
    await conn.execute("DELETE FROM replies WHERE source = $1 AND question_key = $2", source, key)


async def forget_these(conn: Connection, asked: Sequence[tuple[str, bytes]]) -> None:
    """Drop the replies to these (source, question key)."""
    await conn.execute(
        """
        DELETE FROM replies USING unnest($1::text[], $2::bytea[]) AS asked (source, key)
        WHERE replies.source = asked.source AND question_key = key
        """,
        [source for source, _ in asked],
        [key for _, key in asked],
    )


async def heard(conn: Connection, source: str, keys: Sequence[bytes]) -> set[bytes]:
    """Return which of these questions a source has ever been asked and has answered, as far back as traces go.

    What it answered may be forgotten by now: some terms let it be kept for hours.
    """
    rows = await conn.fetch(
        """
        SELECT key FROM unnest($2::bytea[]) AS asked (key)
        WHERE EXISTS (SELECT FROM replies WHERE source = $1 AND question_key = key)
           OR EXISTS (SELECT FROM traces WHERE question_key = key AND source = $1 AND outcome IN ('answered', 'absent'))
        """,
        source,
        list(keys),
    )
    return {row["key"] for row in rows}


async def purge(conn: Connection, source: str, before: datetime) -> None:
    """Drop what a source answered until this moment: its terms let it be kept no longer."""
    await conn.execute("DELETE FROM replies WHERE source = $1 AND answered_at <= $2", source, before)
