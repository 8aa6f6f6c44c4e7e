"""Predictors: what was learned of whom to ask, version by version, and how each fares.

rejected            trained, and no better than the declared order, or than what is in force needs to be
active -> retired   one is in force at most; without one the declared order is
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec

from sleevenotes.store.postgres import Connection

COLUMNS = "features, sources, weights, runs, threshold, latency_s"


class Learned(msgspec.Struct, frozen=True):
    """A predictor's numbers, as prediction.learned.Model has them."""

    features: int
    sources: tuple[str, ...]
    weights: tuple[float, ...]
    runs: tuple[float, ...]
    threshold: float
    latency_s: tuple[float, ...]


class New(msgspec.Struct, frozen=True):
    """A predictor to keep; `learned` is None where there was too little to learn from."""

    learned: Learned | None
    evaluation: object
    examples: int
    until: datetime | None
    took_s: float
    peak_mb: float
    reason: str
    is_accepted: bool


class Version(msgspec.Struct, frozen=True):
    """A predictor without its numbers; `evaluation` as JSON decodes it."""

    id: int
    status: str
    trained_at: datetime
    until: datetime | None
    examples: int
    took_s: float
    peak_mb: float
    reason: str
    evaluation: dict[str, Any] | None
    threshold: float | None


async def keep(conn: Connection, new: New, now: datetime, *, retire: bool) -> int:
    """Keep a predictor, in force where it is accepted; `retire` the one in force, too, where it does not hold."""
    if new.is_accepted or retire:
        await conn.execute("UPDATE predictors SET status = 'retired' WHERE status = 'active'")
    numbers = msgspec.structs.astuple(new.learned) if new.learned else (None,) * 6
    kept: int = await conn.fetchval(
        f"""
        INSERT INTO predictors
               (status, trained_at, until, examples, took_s, peak_mb, reason, evaluation, {COLUMNS})
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) RETURNING id
        """,
        "active" if new.is_accepted else "rejected",
        now,
        new.until,
        new.examples,
        new.took_s,
        new.peak_mb,
        new.reason,
        new.evaluation,
        *numbers,
    )
    return kept


async def active_id(conn: Connection) -> int | None:
    """Return which predictor is in force."""
    found: int | None = await conn.fetchval("SELECT id FROM predictors WHERE status = 'active'")
    return found


async def load(conn: Connection, predictor_id: int) -> Learned | None:
    """Return a predictor's numbers."""
    row = await conn.fetchrow(f"SELECT {COLUMNS} FROM predictors WHERE id = $1", predictor_id)
    return None if row is None or row["features"] is None else msgspec.convert(dict(row), Learned)


async def versions(conn: Connection, limit: int = 10) -> list[Version]:
    """Return the latest predictors, the one in force among them, the newest first."""
    rows = await conn.fetch(
        """
        SELECT id, status, trained_at, until, examples, took_s, peak_mb, reason, evaluation, threshold
        FROM predictors WHERE status = 'active' OR id IN (SELECT id FROM predictors ORDER BY id DESC LIMIT $1)
        ORDER BY id DESC
        """,
        limit,
    )
    return [msgspec.convert(dict(row), Version) for row in rows]


async def purge(conn: Connection, before: datetime) -> None:
    """Drop predictors that were trained before that moment, but for the one in force."""
    await conn.execute("DELETE FROM predictors WHERE status <> 'active' AND trained_at < $1", before)


# ---------------------------------------------------------------- how it fares


class Tenth(msgspec.Struct, frozen=True):
    """Questions by tenths of their chance: how many were asked and judged, the mean chance, the share served."""

    tenth: int
    count: int
    chance: float
    served: float


class Figures(msgspec.Struct, frozen=True):
    """What the predictor did of late.

    asked          sources asked because they were likely
    skipped        sources not asked because they were unlikely, about what nobody else served: requests saved
    anyway         of the unlikely, asked all the same, and judged
    anyway_served  of these, how many served after all: what is lost by skipping, measured
    foreseen_lost  how many of the skipped would have served, as foreseen
    """

    asked: int
    skipped: int
    anyway: int
    anyway_served: int
    foreseen_lost: float
    tenths: Sequence[Tenth]


async def figures(conn: Connection, now: datetime, days: int = 30) -> Figures:
    """Count what was foreseen in the last days, and what came of it."""
    since = now - timedelta(days=days)
    row = await conn.fetchrow(
        """
        SELECT count(*) FILTER (WHERE way = 'ask' AND served IS NOT NULL) AS asked,
               count(*) FILTER (WHERE way = 'skip') AS skipped,
               count(*) FILTER (WHERE way = 'anyway' AND served IS NOT NULL) AS anyway,
               count(*) FILTER (WHERE way = 'anyway' AND served) AS anyway_served,
               coalesce(sum(chance) FILTER (WHERE way = 'skip'), 0)::float AS foreseen_lost
        FROM predictions p WHERE predicted_at > $1 AND (way <> 'skip' OR NOT EXISTS (
            SELECT FROM predictions other
            WHERE other.stage = p.stage AND other.subject_id = p.subject_id AND other.served))
        """,
        since,
    )
    tenths = await conn.fetch(
        """
        SELECT least(floor(chance * 10), 9)::int AS tenth, count(*) AS count, avg(chance)::float AS chance,
               avg(served::int)::float AS served
        FROM predictions WHERE predicted_at > $1 AND served IS NOT NULL GROUP BY 1 ORDER BY 1
        """,
        since,
    )
    return Figures(**dict(row), tenths=[msgspec.convert(dict(each), Tenth) for each in tenths])
