"""Counts that are kept against plain counting, whatever happens to the plays."""

from __future__ import annotations

import random
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from sleevenotes.clock import HandClock
from sleevenotes.store import catalog, charts, matches, tallies
from sleevenotes.store.charts import Period
from sleevenotes.store.postgres import Connection, Database
from tests.unit.store import given

START = datetime(2023, 11, 20, tzinfo=UTC)
DAYS = 500
ZONES = ("UTC", "Europe/Vienna", "America/Los_Angeles", "Asia/Kathmandu", "Pacific/Kiritimati")


async def counted(conn: Connection, account_id: int, period: Period) -> Counter[tuple[int, int]]:
    plan = tallies.plan(period.first, period.past, await tallies.marked(conn, account_id))
    rows = await conn.fetch(f"WITH {tallies.COUNTED} SELECT * FROM counted", account_id, *plan.values)
    return Counter({(row["lookup_id"], row["match_id"]): row["plays"] for row in rows})


async def plainly(conn: Connection, account_id: int, period: Period) -> Counter[tuple[int, int]]:
    rows = await conn.fetch(
        """
        SELECT lookup_id, coalesce(match_id, 0) AS match_id, count(*) AS plays FROM scrobbles
        WHERE account_id = $1 AND same_as IS NULL AND listened_at >= coalesce($2::timestamptz, '-infinity')
        AND listened_at < coalesce($3::timestamptz, 'infinity') GROUP BY 1, 2
        """,
        account_id,
        period.first,
        period.past,
    )
    return Counter({(row["lookup_id"], row["match_id"]): row["plays"] for row in rows})


class Life:
    """Random things that happen to an account's plays."""

    def __init__(self, conn: Connection, account_id: int, lookups: list[int], seed: int) -> None:
        self.conn = conn
        self.account_id = account_id
        self.lookups = lookups
        self.chance = random.Random(seed)  # noqa: S311

    def moment(self) -> datetime:
        return START + timedelta(seconds=self.chance.randrange(DAYS * 86400))

    async def some(self) -> list[int]:
        rows = await self.conn.fetch("SELECT id FROM scrobbles WHERE account_id = $1 ORDER BY id", self.account_id)
        return self.chance.sample([row["id"] for row in rows], k=min(len(rows), self.chance.randint(1, 6)))

    async def play(self) -> None:
        for _ in range(self.chance.randint(1, 12)):
            await given.play(self.conn, self.account_id, self.chance.choice(self.lookups), self.moment())

    async def delete(self) -> None:
        await self.conn.execute("DELETE FROM scrobbles WHERE id = ANY($1)", await self.some())

    async def hide(self) -> None:
        await self.conn.execute("UPDATE scrobbles SET same_as = 1 WHERE id = ANY($1)", await self.some())

    async def show(self) -> None:
        await self.conn.execute("UPDATE scrobbles SET same_as = NULL WHERE id = ANY($1)", await self.some())

    async def move(self) -> None:
        for each in await self.some():
            await self.conn.execute("UPDATE scrobbles SET listened_at = $2 WHERE id = $1", each, self.moment())

    async def rename(self) -> None:
        name = self.chance.choice(self.lookups)
        await self.conn.execute("UPDATE scrobbles SET lookup_id = $2 WHERE id = ANY($1)", await self.some(), name)

    async def decide_apart(self) -> None:
        identity = await an_identity(self.conn, self.chance.choice("abc"))
        await matches.keep_own(self.conn, dict.fromkeys(await self.some(), identity), START)

    async def forget_apart(self) -> None:
        await self.conn.execute("DELETE FROM matches WHERE scrobble_id = ANY($1)", await self.some())

    async def fold(self) -> None:
        months = await tallies.marked(self.conn, self.account_id)
        for each in self.chance.sample(months, k=self.chance.randint(0, len(months))):
            await tallies.fold(self.conn, self.account_id, [each])

    def period(self) -> Period:
        if self.chance.random() < 0.2:
            return Period()
        zone = ZoneInfo(self.chance.choice(ZONES))
        first = START.date() + timedelta(days=self.chance.randrange(-40, DAYS))
        first = self.chance.choice([first, first.replace(day=1), date(first.year, 1, 1)])
        past = first + timedelta(days=self.chance.choice([1, 7, 28, 31, 200, 365, 366, 500]))
        return Period(*(datetime(day.year, day.month, day.day, tzinfo=zone) for day in (first, past)))


async def an_identity(conn: Connection, title: str) -> matches.Identity:
    (kept,) = await catalog.keep(conn, [(given.recording(title, "Somebody"), given.release("Album"))], START)
    return matches.Identity(*kept, source="musicbrainz", distance=0.0, reason="same")


@pytest.mark.parametrize("seed", range(3))
async def test_counts_are_those_of_plain_counting_whatever_happens_to_the_plays(
    database: Database, clock: HandClock, seed: int
) -> None:
    async with database.connection() as conn:
        ada, bob = await given.account(conn, "ada", clock.now()), await given.account(conn, "bob", clock.now())
        names = [await given.lookup(conn, "Somebody", f"Track {number}", clock.now()) for number in range(6)]
        lives = Life(conn, ada, names, seed), Life(conn, bob, names, seed + 100)
        deeds = (
            "play",
            "play",
            "play",
            "delete",
            "hide",
            "show",
            "move",
            "rename",
            "decide_apart",
            "forget_apart",
            "fold",
        )
        for _ in range(45):
            for life in lives:
                await getattr(life, life.chance.choice(deeds))()
            life = life.chance.choice(lives)
            for period in (Period(), life.period(), life.period(), life.period()):
                assert await counted(conn, life.account_id, period) == await plainly(conn, life.account_id, period)
            await same_quarters(conn, life.account_id)


async def same_quarters(conn: Connection, account_id: int) -> None:
    first, last = START.date(), START.date() + timedelta(days=DAYS)
    kept = await tallies.quarters(conn, account_id, first, last)
    rows = await conn.fetch("SELECT listened_at FROM scrobbles WHERE account_id = $1 AND same_as IS NULL", account_id)
    plain: Counter[tuple[date, int]] = Counter()
    for row in rows:
        at = row["listened_at"]
        plain[at.date(), at.hour * 4 + at.minute // 15] += 1
    assert {(day, at): n for day, counts in kept.items() for at, n in enumerate(counts) if n} == dict(plain)


async def test_an_account_that_is_deleted_leaves_no_counts(database: Database, clock: HandClock) -> None:
    async with database.connection() as conn:
        ada = await given.account(conn, "ada", clock.now())
        await given.play(conn, ada, await given.lookup(conn, "A", "B", clock.now()), START)
        await tallies.fold(conn, ada, await tallies.marked(conn, ada))
        assert await charts.plays(conn, ada, Period()) == 1
        await conn.execute("DELETE FROM accounts WHERE id = $1", ada)
        for account_id in await tallies.waiting(conn):
            await tallies.fold(conn, account_id, await tallies.marked(conn, account_id))
        assert await conn.fetchval("SELECT count(*) FROM tallies") == 0
        assert await conn.fetchval("SELECT count(*) FROM tally_days") == 0
        assert await conn.fetchval("SELECT count(*) FROM tally_marks") == 0


def test_a_year_of_a_zone_is_the_years_count_and_some_hours() -> None:
    vienna = ZoneInfo("Europe/Vienna")
    laid = tallies.plan(datetime(2025, 1, 1, tzinfo=vienna), datetime(2026, 1, 1, tzinfo=vienna), [])
    assert laid.spans == (tallies.Span(tallies.YEAR, date(2025, 1, 1), 1),)
    hour = timedelta(hours=1)
    before, after = datetime(2025, 1, 1, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC)
    assert laid.slices == (tallies.Slice(before - hour, before, 1), tallies.Slice(after - hour, after, -1))
