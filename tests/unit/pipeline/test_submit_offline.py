"""Taking plays in where there is an offline catalogue: what it knows needs no further job for its name."""

from __future__ import annotations

import asyncio
from pathlib import Path

from sleevenotes import catalogue
from sleevenotes.clock import HandClock
from sleevenotes.model import Band
from sleevenotes.pipeline import entering
from sleevenotes.pipeline.submit import Submitter
from sleevenotes.store import accounts
from sleevenotes.store.postgres import Database
from tests import dumps
from tests.unit.pipeline.submits import play, queued


def shelf(directory: Path, names: int) -> catalogue.Shelf:
    """Build a catalogue that knows this many tracks of one artist."""
    dumps.built(directory, [dumps.Row("Boards of Canada", f"Track {n}") for n in range(names)])
    return catalogue.Shelf(directory)


async def test_new_names_that_the_catalogue_knows_need_no_match_job(
    database: Database, clock: HandClock, account: int, tmp_path: Path
) -> None:
    door = Submitter(database, clock, shelf(tmp_path, 2))
    batch = [play("Track 0"), play("Track 1", 10), play("Unheard of", 20)]
    stored = await door.submit(account, batch, band=Band.DEFAULT)
    assert await queued(database, "match") == [(stored[2].lookup_id, Band.DEFAULT)]
    assert [band for _, band in await queued(database, "artwork")] == [Band.DEFAULT]
    async with database.connection() as conn:
        statuses = await conn.fetch("SELECT status FROM lookups ORDER BY id")
    assert sorted(row["status"] for row in statuses) == ["enriched", "enriched", "pending"]


async def test_a_name_that_plays_now_is_answered_too(
    database: Database, clock: HandClock, account: int, tmp_path: Path
) -> None:
    door = Submitter(database, clock, shelf(tmp_path, 1))
    await door.play_now(account, play("Track 0"))
    assert await queued(database, "match") == []


async def test_more_new_names_than_a_transaction_answers_are_left_to_their_match_jobs(
    database: Database, clock: HandClock, account: int, tmp_path: Path
) -> None:
    count = entering.ANSWERED + 1
    door = Submitter(database, clock, shelf(tmp_path, count))
    await door.submit(account, [play(f"Track {n}", n) for n in range(count)], band=Band.LOW_PRIORITY)
    assert len(await queued(database, "match")) == count


async def test_others_who_wait_for_a_name_are_told_when_it_is_answered(
    database: Database, clock: HandClock, account: int, tmp_path: Path
) -> None:
    await Submitter(database, clock).submit(account, [play("Track 0")], band=Band.LOW_PRIORITY)
    async with database.connection() as conn:
        other = (await accounts.create(conn, "olga", "", is_owner=False, now=clock.now())).id
    door = Submitter(database, clock, shelf(tmp_path, 1))
    await door.submit(other, [play("Track 0", 60)], band=Band.DEFAULT)
    async with database.connection() as conn:
        told = await conn.fetch("SELECT kind FROM events WHERE account_id = $1", account)
    assert "lookups_decided" in {row["kind"] for row in told}


async def test_players_who_submit_the_same_artists_at_once_all_get_their_answers(
    database: Database, clock: HandClock, account: int, tmp_path: Path
) -> None:
    shared = shelf(tmp_path, 60)
    doors = [Submitter(database, clock, shared) for _ in range(4)]
    batches = [[play(f"Track {(n * step) % 60}", n + 1000 * step) for n in range(40)] for step in (1, 7, 13, 59)]
    stored = await asyncio.gather(
        *(door.submit(account, batch, band=Band.DEFAULT) for door, batch in zip(doors, batches, strict=True))
    )
    assert [len(each) for each in stored] == [40] * 4
    async with database.connection() as conn:
        left = await conn.fetchval("SELECT count(*) FROM lookups WHERE status <> 'enriched'")
        matched = await conn.fetchval("SELECT count(*) FROM matches JOIN lookups ON lookups.id = lookup_id")
    assert (left, matched) == (0, len({each.track for batch in batches for each in batch}))
