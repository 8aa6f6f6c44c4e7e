"""Counts kept for the pages: how often an account played each name in all, by year and by month; and when, by quarter.

A million plays are not counted for every page. What is kept:

    tallies      account, grain (all, year, month), name, own match  ->  plays
    tally_days   account, UTC day                                    ->  plays in each of its 96 quarters of an hour
    tally_marks  account, UTC month: its counts do not hold any more

Whoever stores, deletes, hides or changes plays marks their months in the same transaction: triggers of the table
`scrobbles` do it, so nobody can forget. A month without a mark is counted exactly; a marked one is counted from its
plays by whoever asks, until `fold` has counted it anew. What a play counts *for* is not kept: names are resolved when
a page asks (`store.effective`), so no correction and no later match makes a count wrong.

Months are UTC's, periods the listener's. `plan` lays a period out as whole months, and adds or takes away the plays
between the listener's midnight and UTC's:

    2025 in Vienna   + the year 2025  + plays of the last hour of 2024 UTC  - plays of the last hour of 2025 UTC
"""

from __future__ import annotations

import struct
from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, date, datetime
from typing import Final, NamedTuple

from sleevenotes.store.postgres import Connection

ALL, YEAR, MONTH = 0, 1, 2
EVER: Final = date(1970, 1, 1)
_LOCK_SPACE: Final = 0x7A11 << 48  # keeps our advisory locks on accounts apart from others


class Span(NamedTuple):
    """Counts that are kept, to be added (sign 1) or taken away (-1)."""

    grain: int
    starts: date
    sign: int


class Slice(NamedTuple):
    """Plays from `first` until before `past`, to be counted one by one and added (1) or taken away (-1)."""

    first: datetime
    past: datetime
    sign: int


class Plan(NamedTuple):
    """What makes up a period."""

    spans: tuple[Span, ...]
    slices: tuple[Slice, ...]

    @property
    def values(self) -> tuple[list[int], list[date], list[int], list[datetime], list[datetime], list[int]]:
        """Return it as the parameters $2 to $7 of `COUNTED`."""
        return (
            [span.grain for span in self.spans],
            [span.starts for span in self.spans],
            [span.sign for span in self.spans],
            *self.sliced,
        )

    @property
    def sliced(self) -> tuple[list[datetime], list[datetime], list[int]]:
        """Return the slices alone, by column."""
        return (
            [part.first for part in self.slices],
            [part.past for part in self.slices],
            [part.sign for part in self.slices],
        )


COUNTED: Final = """
    counted AS MATERIALIZED (
        SELECT lookup_id, match_id, sum(plays)::int AS plays FROM (
            SELECT t.lookup_id, t.match_id, t.plays * span.sign AS plays
            FROM unnest($2::smallint[], $3::date[], $4::int[]) AS span (grain, starts, sign)
            JOIN tallies t ON t.account_id = $1 AND t.grain = span.grain AND t.starts = span.starts
            UNION ALL
            SELECT s.lookup_id, coalesce(s.match_id, 0), part.sign
            FROM unnest($5::timestamptz[], $6::timestamptz[], $7::int[]) AS part (first, past, sign)
            JOIN scrobbles s ON s.account_id = $1 AND s.listened_at >= part.first AND s.listened_at < part.past
            WHERE s.same_as IS NULL
        ) parts GROUP BY lookup_id, match_id HAVING sum(plays) > 0
    )
"""
"""The plays of account $1 in a period, by name and own match (0: none). The period is `Plan.values`, $2 to $7."""


# ---------------------------------------------------------------- laying a period out


def plan(first: datetime | None, past: datetime | None, marked: Collection[date], last: datetime | None = None) -> Plan:
    """Lay out the period from `first` until before `past` (both None: all), given the months that are marked.

    With `last`, the moment of the last play, a period that ends behind it goes on to the end of its year.
    """
    if first is None and past is None:
        return _join([Span(ALL, EVER, 1)], [], sorted(marked))
    if first is None or past is None:
        raise ValueError("a period has both ends or none")
    if last is not None and first <= last < past:
        past = max(past, _midnight(date(last.astimezone(UTC).year + 1, 1, 1)))
    start, end = _nearest(first), _nearest(past)
    if start >= end:
        return Plan((), (Slice(first, past, 1),) if first < past else ())
    edges = [*_edge(first, _midnight(start)), *_edge(_midnight(end), past)]
    spans = list(_spans(start, end))
    return _join(spans, edges, [month for month in sorted(marked) if start <= month < end])


def _join(spans: Sequence[Span], edges: Iterable[Slice], marked: Sequence[date]) -> Plan:
    """Take the marked months, those of the period, out of the spans and count their plays instead.

    A month that is taken away from its year may be marked as well: what was folded of it is what the year has.
    """
    added = {span.starts for span in spans if span.grain == MONTH and span.sign > 0}
    kept = [span for span in spans if not (span.starts in marked and span.grain == MONTH and span.sign > 0)]
    out = [Span(MONTH, month, -1) for month in marked if month not in added]
    slices = [Slice(_midnight(month), _midnight(_following(month)), 1) for month in marked]
    return Plan((*kept, *out), (*edges, *slices))


def _spans(start: date, end: date) -> Iterable[Span]:
    """Cover the months from `start` until before `end`; most of a year is the year without the rest."""
    at = start
    while at < end:
        year, after = date(at.year, 1, 1), date(at.year + 1, 1, 1)
        stop = min(end, after)
        inside, outside = _months(at, stop), [*_months(year, at), *_months(stop, after)]
        if len(inside) <= len(outside):
            yield from (Span(MONTH, month, 1) for month in inside)
        else:
            yield Span(YEAR, year, 1)
            yield from (Span(MONTH, month, -1) for month in outside)
        at = stop


def _months(start: date, end: date) -> list[date]:
    found = []
    while start < end:
        found.append(start)
        start = _following(start)
    return found


def _edge(first: datetime, past: datetime) -> list[Slice]:
    if first == past:
        return []
    return [Slice(first, past, 1) if first < past else Slice(past, first, -1)]


def _nearest(at: datetime) -> date:
    """Return the first day of the UTC month that begins nearest."""
    utc = at.astimezone(UTC)
    this = date(utc.year, utc.month, 1)
    after = _following(this)
    return this if utc - _midnight(this) <= _midnight(after) - utc else after


def _following(month: date) -> date:
    return date(month.year + month.month // 12, month.month % 12 + 1, 1)


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


# ---------------------------------------------------------------- reading


async def marked(conn: Connection, account_id: int) -> list[date]:
    """Return the months of an account whose counts do not hold."""
    rows = await conn.fetch("SELECT DISTINCT month FROM tally_marks WHERE account_id = $1 ORDER BY 1", account_id)
    return [row["month"] for row in rows]


async def marks(conn: Connection, account_id: int) -> dict[date, int]:
    """Return the marked months of an account, and how many marks each has."""
    rows = await conn.fetch(
        "SELECT month, count(*) AS marks FROM tally_marks WHERE account_id = $1 GROUP BY 1 ORDER BY 1", account_id
    )
    return {row["month"]: row["marks"] for row in rows}


async def quarters(conn: Connection, account_id: int, first: date, last: date) -> dict[date, Sequence[int]]:
    """Count an account's plays by UTC day (both ends included) and quarter of an hour; days without are left out."""
    stale = await marked(conn, account_id)
    rows = await conn.fetch(
        """
        SELECT day, quarters FROM tally_days WHERE account_id = $1 AND day BETWEEN $2 AND $3
        AND date_trunc('month', day)::date <> ALL ($4)
        """,
        account_id,
        first,
        last,
        stale,
    )
    found: dict[date, Sequence[int]] = {day: memoryview(counts).cast("H") for day, counts in rows}
    for month in stale:
        if month <= last and _following(month) > first:
            counted = await _count_quarters(conn, account_id, month)
            found |= {day: counts for day, counts in counted.items() if first <= day <= last}
    return found


async def years(conn: Connection, account_id: int) -> tuple[dict[int, int], dict[date, Sequence[int]]]:
    """Count an account's plays by year: of all days but those around a new year; and these days, by quarter.

    On which side of a new year their plays are, the listener's zone says.
    """
    rows = await conn.fetch(
        """
        SELECT extract(year FROM day)::int AS year, sum(plays)::int AS plays FROM tally_days d
        WHERE account_id = $1 AND to_char(day, 'MMDD') NOT IN ('1231', '0101')
        AND NOT EXISTS (SELECT FROM tally_marks WHERE account_id = $1 AND month = date_trunc('month', d.day)::date)
        GROUP BY 1
        """,
        account_id,
    )
    sums = {row["year"]: row["plays"] for row in rows}
    days = await conn.fetch(
        """
        SELECT day, quarters FROM tally_days d
        WHERE account_id = $1 AND to_char(day, 'MMDD') IN ('1231', '0101')
        AND NOT EXISTS (SELECT FROM tally_marks WHERE account_id = $1 AND month = date_trunc('month', d.day)::date)
        """,
        account_id,
    )
    found: dict[date, Sequence[int]] = {day: memoryview(counts).cast("H") for day, counts in days}
    for month in await marked(conn, account_id):
        found |= await _count_quarters(conn, account_id, month)
    return sums, found


async def bounds(conn: Connection, account_id: int) -> tuple[datetime, datetime] | None:
    """Return when the account's first and last plays were, hidden ones aside; None where it has none."""
    row = await conn.fetchrow(
        """
        SELECT (SELECT listened_at FROM scrobbles WHERE account_id = $1 AND same_as IS NULL
                ORDER BY listened_at LIMIT 1) AS first,
               (SELECT listened_at FROM scrobbles WHERE account_id = $1 AND same_as IS NULL
                ORDER BY listened_at DESC LIMIT 1) AS last
        """,
        account_id,
    )
    return (row["first"], row["last"]) if row["first"] else None


async def _count_quarters(conn: Connection, account_id: int, month: date) -> dict[date, Sequence[int]]:
    rows = await conn.fetch(
        """
        SELECT floor(extract(epoch FROM listened_at) / 900)::bigint AS quarter, count(*) AS plays FROM scrobbles
        WHERE account_id = $1 AND same_as IS NULL AND listened_at >= $2 AND listened_at < $3 GROUP BY 1
        """,
        account_id,
        _midnight(month),
        _midnight(_following(month)),
    )
    days: dict[date, list[int]] = {}
    for quarter, plays in rows:
        day, at = divmod(quarter, 96)
        days.setdefault(date.fromordinal(EVER.toordinal() + day), [0] * 96)[at] = plays
    return days  # type: ignore[return-value] # lists are sequences


# ---------------------------------------------------------------- folding


async def waiting(conn: Connection) -> list[int]:
    """Return the accounts that have marked months."""
    rows = await conn.fetch(
        """
        WITH RECURSIVE each AS (
            (SELECT account_id FROM tally_marks ORDER BY 1 LIMIT 1)
            UNION ALL
            SELECT (SELECT m.account_id FROM tally_marks m WHERE m.account_id > each.account_id ORDER BY 1 LIMIT 1)
            FROM each WHERE each.account_id IS NOT NULL
        )
        SELECT account_id FROM each WHERE account_id IS NOT NULL
        """
    )
    return [row["account_id"] for row in rows]


async def lock(conn: Connection, account_id: int) -> None:
    """Let nobody else count or copy for an account until this transaction ends."""
    await conn.execute("SELECT pg_advisory_xact_lock($1)", _LOCK_SPACE + account_id)


async def fold(conn: Connection, account_id: int, months: Sequence[date]) -> None:
    """Count these months of an account anew and take their marks away. Call it in a transaction of its own.

    The marks go first: whatever wrote one of them has committed, so the counting below sees it; whatever comes later
    brings a new mark.
    """
    await lock(conn, account_id)
    await conn.execute("DELETE FROM tally_marks WHERE account_id = $1 AND month = ANY($2)", account_id, list(months))
    for month in months:
        await _fold_names(conn, account_id, month)
        await _fold_days(conn, account_id, month)
    await conn.execute(
        """
        DELETE FROM tops_spans WHERE account_id = $1
        AND (grain = 0 OR starts IN (SELECT date_trunc('year', month)::date FROM unnest($2::date[]) AS month))
        """,
        account_id,
        list(months),
    )
    await _forget_empty(conn, account_id)


async def _forget_empty(conn: Connection, account_id: int) -> None:
    """Drop counts of nothing, and of names without plays what they are searched by."""
    await conn.execute(
        """
        WITH gone AS (DELETE FROM tallies WHERE account_id = $1 AND plays = 0 RETURNING grain, lookup_id, match_id)
        DELETE FROM searchable s USING gone WHERE s.account_id = $1 AND s.lookup_id = gone.lookup_id AND gone.grain = 0
        AND NOT EXISTS (SELECT FROM tallies t WHERE t.account_id = $1 AND t.grain = 0 AND t.starts = $2
                        AND t.lookup_id = gone.lookup_id AND t.plays <> 0)
        """,
        account_id,
        EVER,
    )


async def _fold_names(conn: Connection, account_id: int, month: date) -> None:
    """Add to month, year and all what a month has now and did not have when it was counted last."""
    await conn.execute(
        """
        WITH fresh AS (
            SELECT lookup_id, coalesce(match_id, 0) AS match_id, count(*)::int AS plays FROM scrobbles
            WHERE account_id = $1 AND same_as IS NULL AND listened_at >= $3 AND listened_at < $4 GROUP BY 1, 2
        ), kept AS (
            SELECT lookup_id, match_id, plays FROM tallies WHERE account_id = $1 AND grain = 2 AND starts = $2
        ), more AS (
            SELECT lookup_id, match_id, coalesce(fresh.plays, 0) - coalesce(kept.plays, 0) AS plays
            FROM fresh FULL JOIN kept USING (lookup_id, match_id)
        )
        INSERT INTO tallies (account_id, grain, starts, lookup_id, match_id, plays)
        SELECT $1, span.grain, span.starts, lookup_id, match_id, plays
        FROM more, (VALUES (0, date '1970-01-01'), (1, date_trunc('year', $2::date)::date), (2, $2::date))
                       AS span (grain, starts)
        WHERE plays <> 0 ORDER BY 2, 3, 4, 5
        ON CONFLICT (account_id, grain, starts, lookup_id, match_id)
            DO UPDATE SET plays = tallies.plays + excluded.plays
        """,
        account_id,
        month,
        _midnight(month),
        _midnight(_following(month)),
    )
    await conn.execute(
        """
        INSERT INTO searchable
        SELECT $1, l.id, l.artist_key, l.release_key, l.track_key
        FROM (SELECT DISTINCT lookup_id FROM tallies WHERE account_id = $1 AND grain = 2 AND starts = $2) t
        JOIN lookups l ON l.id = t.lookup_id
        WHERE NOT EXISTS (SELECT FROM searchable s WHERE s.account_id = $1 AND s.lookup_id = l.id)
        """,
        account_id,
        month,
    )


async def _fold_days(conn: Connection, account_id: int, month: date) -> None:
    counted = await _count_quarters(conn, account_id, month)
    await conn.execute(
        "DELETE FROM tally_days WHERE account_id = $1 AND day >= $2 AND day < $3",
        account_id,
        month,
        _following(month),
    )
    await conn.executemany(
        "INSERT INTO tally_days (account_id, day, plays, quarters) VALUES ($1, $2, $3, $4)",
        [(account_id, day, sum(counts), struct.pack("<96H", *counts)) for day, counts in sorted(counted.items())],
    )
