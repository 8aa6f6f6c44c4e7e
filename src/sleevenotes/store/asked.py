"""What sources were asked over a period: counted from traces, of hours that are over from `asked_hours`."""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec

from sleevenotes.store.postgres import Connection

LATE = timedelta(minutes=10)
"""A trace is written when its answer has come: an hour is counted so long after its end."""


class Asked(msgspec.Struct, frozen=True):
    """What one source was asked; `answered` to `fault` count questions, of which a request carries several."""

    source: str
    requests: int
    questions: int
    answered: int
    absent: int
    unknown: int
    fault: int


_COUNTS = """
    count(DISTINCT request_id)::int AS requests, count(*)::int AS questions,
    count(*) FILTER (WHERE outcome = 'absent')::int AS absent,
    count(*) FILTER (WHERE outcome = 'unknown')::int AS unknown,
    count(*) FILTER (WHERE outcome = 'fault')::int AS fault
"""


async def roll_up(conn: Connection, now: datetime) -> None:
    """Count the hours that are over and not counted yet."""
    await conn.execute(
        f"""
        INSERT INTO asked_hours (hour, source, requests, questions, absent, unknown, fault)
        SELECT date_trunc('hour', asked_at, 'UTC'), source, {_COUNTS} FROM traces
        WHERE asked_at < date_trunc('hour', $1::timestamptz, 'UTC')
          AND asked_at >= coalesce((SELECT max(hour) + interval '1 hour' FROM asked_hours), '-infinity')
        GROUP BY 1, 2 ON CONFLICT DO NOTHING
        """,
        now - LATE,
    )


async def count(conn: Connection, since: datetime, until: datetime) -> list[Asked]:
    """Count what each source was asked from `since` on and before `until`.

    Hours that lie wholly within are taken as they were counted, the rest from the traces, as far as these are kept.
    """
    rows = await conn.fetch(
        f"""
        WITH whole AS (
            SELECT hour FROM (SELECT DISTINCT hour FROM asked_hours) AS counted
            WHERE hour >= $1 AND hour + interval '1 hour' <= $2
        ), span AS (SELECT min(hour) AS first, max(hour) + interval '1 hour' AS last FROM whole),
        parts AS (
            SELECT source, requests, questions, absent, unknown, fault FROM asked_hours JOIN whole USING (hour)
            UNION ALL
            SELECT source, {_COUNTS} FROM traces, span
            WHERE asked_at >= $1 AND asked_at < coalesce(span.first, $2) GROUP BY source
            UNION ALL
            SELECT source, {_COUNTS} FROM traces, span
            WHERE asked_at >= span.last AND asked_at < $2 GROUP BY source
        )
        SELECT source, sum(requests)::int AS requests, sum(questions)::int AS questions,
               sum(questions - absent - unknown - fault)::int AS answered, sum(absent)::int AS absent,
               sum(unknown)::int AS unknown, sum(fault)::int AS fault
        FROM parts GROUP BY source ORDER BY source
        """,
        since,
        until,
    )
    return [Asked(**row) for row in rows]
