"""Predictions: how artists fared at the sources, what was foreseen of a question, and what came of it.

A trace is judged by the stage that reads the answer: did it hold something that serves? Judged traces are what is
learned from; the same moment counts the artist's past, and settles what was foreseen.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

import msgspec

from sleevenotes.store.postgres import Connection

LONGEST: Final = 1_000  # an entry of an index holds 2,704 bytes


class Answered(NamedTuple):
    """One answer, judged: `served` is whether it held something that serves."""

    source: str
    key: bytes
    kind: str
    artist_key: str
    plays: int
    served: bool


class Foreseen(NamedTuple):
    """What was foreseen of a source's answer for a subject of a stage, and chosen: "ask", "skip" or "anyway"."""

    stage: str
    subject_id: int
    source: str
    key: bytes
    kind: str
    chance: float
    way: str


class Prediction(msgspec.Struct, frozen=True):
    """What was foreseen, as it is shown; `served` is None where nobody was asked, or nobody has answered yet."""

    source: str
    kind: str
    chance: float
    way: str
    served: bool | None
    predictor_id: int
    predicted_at: datetime


async def told(conn: Connection, asked: Collection[tuple[str, bytes]]) -> dict[tuple[str, bytes], bool | None]:
    """Return, of those of these (source, question key) that were answered, whether that served; None: not judged."""
    if not asked:
        return {}
    rows = await conn.fetch(
        """
        SELECT DISTINCT ON (source, question_key) source, question_key, served
        FROM traces JOIN unnest($1::text[], $2::bytea[]) AS asked (source, question_key) USING (source, question_key)
        WHERE outcome IN ('answered', 'absent') ORDER BY source, question_key, asked_at DESC, id DESC
        """,
        [source for source, _ in asked],
        [key for _, key in asked],
    )
    return {(row["source"], row["question_key"]): row["served"] for row in rows}


async def judge(conn: Connection, answers: Sequence[Answered]) -> None:
    """Write down what came of these questions; what was judged before is left alone, and counts once.

    An artist whose key has more than LONGEST bytes gets no past: a player sent rubbish, and no index takes it.
    """
    if not answers:
        return
    once = sorted({(each.artist_key, each.source, each.kind, each.key): each for each in answers}.values())
    await conn.execute(
        """
        WITH answers AS (
            SELECT * FROM unnest($1::text[], $2::bytea[], $3::text[], $4::text[], $5::int[], $6::boolean[])
                 AS new (source, question_key, kind, artist_key, plays, served)
        ), judged AS (
            UPDATE traces SET served = answers.served, plays = answers.plays FROM answers
            WHERE traces.source = answers.source AND traces.question_key = answers.question_key
              AND traces.served IS NULL AND traces.outcome IN ('answered', 'absent')
            RETURNING answers.source, answers.question_key, answers.kind, answers.artist_key, answers.served
        ), settled AS (
            UPDATE predictions SET served = judged.served FROM judged
            WHERE predictions.source = judged.source AND predictions.question_key = judged.question_key
        )
        INSERT INTO artist_answers (artist_key, source, kind, served, absent)
        SELECT artist_key, source, kind, count(*) FILTER (WHERE served), count(*) FILTER (WHERE NOT served)
        FROM judged WHERE octet_length(artist_key) <= $7
        GROUP BY artist_key, source, kind ORDER BY artist_key, source, kind
        ON CONFLICT (artist_key, source, kind) DO UPDATE
        SET served = artist_answers.served + excluded.served, absent = artist_answers.absent + excluded.absent
        """,
        [each.source for each in once],
        [each.key for each in once],
        [each.kind for each in once],
        [each.artist_key for each in once],
        [each.plays for each in once],
        [each.served for each in once],
        LONGEST,
    )


async def pasts(conn: Connection, artist_keys: Collection[str]) -> dict[str, dict[tuple[str, str], tuple[int, int]]]:
    """Return how these artists fared: by key, then by (source, kind), how many were served and how many not."""
    rows = await conn.fetch(
        "SELECT artist_key, source, kind, served, absent FROM artist_answers WHERE artist_key = ANY($1::text[])",
        list(artist_keys),
    )
    found: dict[str, dict[tuple[str, str], tuple[int, int]]] = {key: {} for key in artist_keys}
    for row in rows:
        found[row["artist_key"]][row["source"], row["kind"]] = (row["served"], row["absent"])
    return found


async def foresee(conn: Connection, predictor_id: int, news: Sequence[Foreseen], now: datetime) -> None:
    """Keep what was foreseen and chosen; what is kept already, and the same, is left alone."""
    if not news:
        return
    once = sorted({each[:3]: each for each in news}.values())
    await conn.execute(
        """
        INSERT INTO predictions AS old
               (stage, subject_id, source, question_key, kind, predictor_id, chance, way, predicted_at)
        SELECT stage, subject_id, source, question_key, kind, $8, chance, way, $9
        FROM unnest($1::text[], $2::bigint[], $3::text[], $4::bytea[], $5::text[], $6::real[], $7::text[])
             AS new (stage, subject_id, source, question_key, kind, chance, way)
        ON CONFLICT (stage, subject_id, source) DO UPDATE
        SET question_key = excluded.question_key, kind = excluded.kind, predictor_id = excluded.predictor_id,
            chance = excluded.chance, way = excluded.way, served = NULL, predicted_at = excluded.predicted_at
        WHERE (old.way, old.predictor_id, old.question_key, round(old.chance::numeric, 2))
              IS DISTINCT FROM
              (excluded.way, excluded.predictor_id, excluded.question_key, round(excluded.chance::numeric, 2))
        """,
        *([each[at] for each in once] for at in range(7)),
        predictor_id,
        now,
    )


async def of_subject(conn: Connection, stage: str, subject_id: int) -> list[Prediction]:
    """Return what was foreseen for a subject, the likeliest first."""
    rows = await conn.fetch(
        """
        SELECT source, kind, chance::float AS chance, way, served, predictor_id, predicted_at
        FROM predictions WHERE stage = $1 AND subject_id = $2 ORDER BY chance DESC, source
        """,
        stage,
        subject_id,
    )
    return [msgspec.convert(dict(row), Prediction) for row in rows]


async def purge(conn: Connection, before: datetime) -> None:
    """Drop what was foreseen before that moment."""
    await conn.execute("DELETE FROM predictions WHERE predicted_at < $1", before)


# ---------------------------------------------------------------- to learn from


async def examples(conn: Connection, most: int, at_once: int = 2000) -> AsyncIterator[list[dict[str, Any]]]:
    """Yield the newest judged traces, at most so many, the oldest first, as the columns of learned.Example.

    Names are those of the subject the question was put for, which the trace itself does not tell. The caller's is a
    transaction.
    """
    await conn.execute(f"DECLARE judged NO SCROLL CURSOR FOR {_EXAMPLES.format(most=int(most))}")
    while rows := await conn.fetch(f"FETCH {int(at_once)} FROM judged"):
        yield [dict(row) for row in rows]
    await conn.execute("CLOSE judged")


_EXAMPLES = """
    WITH newest AS (
        SELECT id, source, kind, question_key, asked_at, took_ms, served, plays
        FROM traces WHERE served IS NOT NULL ORDER BY asked_at DESC LIMIT {most}
    ), named AS (
        SELECT DISTINCT ON (i.question_key) i.question_key, i.stage, i.subject_id
        FROM inquiries i JOIN (SELECT DISTINCT question_key FROM newest) asked USING (question_key)
        WHERE i.stage IN ('match', 'artwork', 'preview')
        ORDER BY i.question_key, i.stage, i.subject_id
    )
    SELECT n.source, n.kind, coalesce(c.name, l.artist) AS artist,
           CASE n.kind WHEN 'find_recording' THEN coalesce(l.track, '') ELSE '' END AS track,
           coalesce(g.title, l.release, '') AS release,
           coalesce(n.plays, 1) AS plays,
           extract(epoch FROM n.asked_at)::float AS asked_s, n.took_ms / 1000.0::float AS took_s, n.served
    FROM newest n
    JOIN named USING (question_key)
    LEFT JOIN lookups l ON named.stage <> 'artwork' AND l.id = named.subject_id
    LEFT JOIN release_groups g ON named.stage = 'artwork' AND g.id = named.subject_id
    LEFT JOIN artist_credits c ON c.id = g.artist_credit_id
    WHERE coalesce(c.name, l.artist) IS NOT NULL
    ORDER BY n.asked_at, n.id
"""


async def judged_since(conn: Connection, since: datetime | None) -> int:
    """Count the judged traces of what was asked since then, or ever."""
    count: int = await conn.fetchval(
        "SELECT count(*) FROM traces WHERE served IS NOT NULL AND ($1::timestamptz IS NULL OR asked_at > $1)", since
    )
    return count
