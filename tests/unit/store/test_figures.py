"""What is counted over a period: the backlog's samples, what was asked, names and plays by outcome."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from sleevenotes import errors
from sleevenotes.clock import HandClock
from sleevenotes.pipeline import figures
from sleevenotes.store import arrivals, asked, backlog, lookups, successes, traces
from sleevenotes.store.postgres import Connection, Database
from tests.unit.store import given

HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)


async def ask(conn: Connection, source: str, at: datetime, *outcomes: str) -> None:
    """Note one request with a question for each outcome."""
    said = [traces.New(f"{at} {place}".encode(), "find", 1, at, outcome) for place, outcome in enumerate(outcomes)]
    await traces.keep(conn, source, said, asked_at=at, took_ms=5, status=200)


# ---------------------------------------------------------------- the backlog


async def test_a_minute_is_remembered_by_its_fullest_look(database: Database, clock: HandClock) -> None:
    async with database.connection() as conn:
        for pending in (1, 3, 2):
            await conn.execute("DELETE FROM lookups")
            for number in range(pending):
                await given.lookup(conn, "Marrow", f"Kelp {number}", clock.now())
            await backlog.sample(conn, clock.now())
            clock.turn(10)
        told = await backlog.sampled(conn, clock.now() - HOUR, clock.now())
        assert told == backlog.Sampled(samples=1, last=3, mean=3.0, max=3, growth_per_hour=None)


async def test_growth_is_the_slope_of_the_samples(database: Database, clock: HandClock) -> None:
    async with database.connection() as conn:
        for number in range(5):
            await given.lookup(conn, "Marrow", f"Kelp {number}", clock.now())
            await given.lookup(conn, "Marrow", f"Wrack {number}", clock.now())
            await backlog.sample(conn, clock.now())
            clock.turn(60)
        told = await backlog.sampled(conn, clock.now() - HOUR, clock.now())
        assert told == backlog.Sampled(samples=5, last=10, mean=6.0, max=10, growth_per_hour=120.0)
        assert await backlog.sampled(conn, clock.now(), clock.now() + HOUR) == backlog.Sampled(0)
        course = await backlog.course(conn, clock.now() - HOUR, clock.now(), 3)
        assert [each.pending for each in course] == [4, 8, 10]


async def test_what_waited_in_a_band_is_counted_over_all_samples_also_those_in_which_nothing_did(
    database: Database, clock: HandClock
) -> None:
    async with database.connection() as conn:
        await backlog.sample(conn, clock.now())
        clock.turn(60)
        await conn.execute(
            """
            INSERT INTO wants (source, question_key, question, kind, band, wanted_at, due_at)
            SELECT source, source::bytea, '{}', 'find', band, $1, $1
            FROM (VALUES ('deezer', 1), ('itunes', 1), ('musicbrainz', 0)) AS want (source, band)
            """,
            clock.now() - timedelta(seconds=7),
        )
        await backlog.sample(conn, clock.now())
        assert await backlog.bands(conn, clock.now() - HOUR, clock.now() + MINUTE) == [
            backlog.Band("questions", "default", 1.0, 2, 7.0),
            backlog.Band("questions", "low_priority", 0.5, 1, 7.0),
        ]


async def test_old_samples_are_thinned_and_very_old_ones_go(database: Database, clock: HandClock) -> None:
    async with database.connection() as conn:
        for age in (timedelta(minutes=3), timedelta(days=3), timedelta(days=3, minutes=-3), timedelta(days=91)):
            await backlog.sample(conn, clock.now() - age)
        await backlog.purge(conn, clock.now())
        kept = await conn.fetch("SELECT $1 - at AS age FROM backlog ORDER BY at", clock.now())
        assert [row["age"] for row in kept] == [timedelta(days=3), timedelta(minutes=3)]
        assert await backlog.last_sample(conn) == clock.now() - timedelta(minutes=3)


# ---------------------------------------------------------------- what was asked


async def test_hours_that_were_counted_and_those_that_were_not_make_one_sum(
    database: Database, clock: HandClock
) -> None:
    start = clock.now()
    async with database.connection() as conn:
        for minutes in (5, 30, 65, 130, 185):
            await ask(conn, "musicbrainz", start + timedelta(minutes=minutes), "answered", "absent", "unknown")
        await ask(conn, "deezer", start + timedelta(minutes=70), "fault")
        until = start + timedelta(hours=4)
        before = await asked.count(conn, start, until)
        assert before == [
            asked.Asked("deezer", 1, 1, 0, 0, 0, 1),
            asked.Asked("musicbrainz", 5, 15, 5, 5, 5, 0),
        ]
        await asked.roll_up(conn, start + timedelta(hours=3, minutes=11))
        await asked.roll_up(conn, start + timedelta(hours=3, minutes=12))
        assert await conn.fetchval("SELECT sum(requests) FROM asked_hours") == 5
        assert await asked.count(conn, start, until) == before
        partly = await asked.count(conn, start + timedelta(minutes=10), start + timedelta(minutes=66))
        assert partly == [asked.Asked("musicbrainz", 2, 6, 2, 2, 2, 0)]
        await traces.purge(conn, start + timedelta(hours=3))
        assert await asked.count(conn, start, until) == before
        assert await asked.count(conn, until, until + HOUR) == []


# ---------------------------------------------------------------- outcomes


async def test_names_count_by_when_they_were_met_and_what_they_are_now(database: Database, clock: HandClock) -> None:
    async with database.connection() as conn:
        await given.lookup(conn, "Marrow", "too early", clock.now())
        clock.turn(60)
        start = clock.now()
        outcomes = ["pending", "enriched", "enriched", "not_found", "not_found", "failed"]
        ids = [await given.lookup(conn, "Marrow", f"Kelp {number}", start) for number, _ in enumerate(outcomes)]
        for lookup_id, status in zip(ids, outcomes, strict=True):
            await conn.execute("UPDATE lookups SET status = $2, candidates = '[]' WHERE id = $1", lookup_id, status)
        await conn.execute("""UPDATE lookups SET candidates = '[{"distance": 1}]' WHERE id = $1""", ids[3])
        await ask(conn, "musicbrainz", start + MINUTE, "answered")
        await conn.execute("INSERT INTO inquiries SELECT 'match', $1, question_key FROM traces", ids[1])
        await ask(conn, "musicbrainz", start - MINUTE, "answered")  # a reply that was there already
        await conn.execute(
            "INSERT INTO inquiries SELECT 'match', $1, question_key FROM traces WHERE asked_at < $2", ids[2], start
        )
        told = await successes.names(conn, start, start + HOUR)
        assert told == successes.Names(6, 1, 2, 2, 1, abstained=1, unasked=4)
        assert told.decided == 5


async def test_plays_count_by_the_status_that_pages_show_and_others_by_who_brought_them(
    database: Database, clock: HandClock
) -> None:
    async with database.connection() as conn:
        account = await given.account(conn, "maria", clock.now())
        start = clock.now()
        for number, (origin, waits, status) in enumerate(
            [("api", True, "enriched"), ("api", True, "pending"), ("api", False, "enriched"),
             ("lastfm", False, "enriched"), ("listenbrainz_sync", False, "failed")]
        ):  # fmt: skip
            name = await given.lookup(conn, "Marrow", f"Kelp {number}", start)
            play = await given.play(conn, account, name, start + timedelta(seconds=number))
            await conn.execute("UPDATE scrobbles SET origin = $2 WHERE id = $1", play, origin)
            if waits:
                await arrivals.keep(conn, {play: name}, start + timedelta(seconds=number))
            await conn.execute("UPDATE lookups SET status = $2 WHERE id = $1", name, status)
        span = (start, start + HOUR)
        assert await successes.plays(conn, *span) == successes.Plays(2, 1, 1, 0, 0)
        assert await successes.others(conn, *span) == successes.Others(synced=2, imported=1)
        assert await successes.began(conn) == start
        report = await figures.report(conn, figures.Period(*span), start + HOUR)
        assert report.requests_per_1000_plays == 0.0
        assert report.success.plays_share == 1


async def test_what_is_overdue_is_told_by_the_longest(database: Database, clock: HandClock) -> None:
    async with database.connection() as conn:
        assert await successes.overdue_s(conn, clock.now()) == 0
        name = await given.lookup(conn, "Marrow", "Kelp", clock.now())
        await conn.execute(
            "UPDATE lookups SET status = 'not_found', recheck_at = $2 WHERE id = $1", name, clock.now() + HOUR
        )
        assert await successes.overdue_s(conn, clock.now()) == 0
        clock.turn(2 * 3600)
        assert await successes.overdue_s(conn, clock.now()) == 3600
        await lookups.reopen_due(conn, clock.now(), 10)
        assert await successes.overdue_s(conn, clock.now()) == 0


# ---------------------------------------------------------------- periods

NOW = datetime(2026, 3, 14, 15, tzinfo=UTC)


def test_a_period_is_read_from_its_name_or_its_ends() -> None:
    assert figures.named("week", NOW).since == NOW - timedelta(days=7)
    assert figures.named("all", NOW, datetime(2020, 1, 1, tzinfo=UTC)).since.year == 2020
    assert figures.named("all", NOW).seconds < 1
    day = figures.between("2026-03-01", "2026-03-01", NOW)
    assert (day.since, day.seconds) == (datetime(2026, 3, 1, tzinfo=UTC), 86_400)
    assert figures.between("2026-03-14T14:00", "", NOW).seconds == pytest.approx(3600)
    assert figures.between("", "2026-03-14T12:00:00+02:00", NOW).until == datetime(2026, 3, 14, 10, tzinfo=UTC)


@pytest.mark.parametrize(("since", "until"), [("yesterday", ""), ("2026-03-02", "2026-03-01"), ("", "2026-13-01")])
def test_a_period_that_is_none_is_refused(since: str, until: str) -> None:
    with pytest.raises(errors.Refused):
        figures.between(since, until, NOW)
    with pytest.raises(errors.Refused):
        figures.named("fortnight", NOW)


def test_sources_of_one_host_share_what_it_allows() -> None:
    period = figures.Period(NOW - HOUR, NOW)
    said = [
        asked.Asked("listenbrainz", 10, 10, 10, 0, 0, 0),
        asked.Asked("listenbrainz_metadata", 5, 5, 5, 0, 0, 0),
        asked.Asked("a source that is no more", 7, 7, 7, 0, 0, 0),
    ]
    [lane] = figures.lanes(said, period)
    assert (lane.host, lane.requests) == ("api.listenbrainz.org", 15)
    assert lane.utilisation == round(15 / lane.allowed, 4)
