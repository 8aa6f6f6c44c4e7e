"""Training: when it is due, what replaces what, and what nobody loads who does not need it."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import timedelta

import pytest
from benches import asked

from sleevenotes import errors, model
from sleevenotes.clock import HandClock
from sleevenotes.pipeline import learning
from sleevenotes.pipeline.sight import LOOK_AGAIN, Sight
from sleevenotes.settings import Settings
from sleevenotes.sources import contract, registry
from sleevenotes.store import lookups, predictions, predictors
from sleevenotes.store.postgres import Database
from tests.asked_before import history

SOURCES = registry.usable(contract.Keys())


async def versions(database: Database) -> list[predictors.Version]:
    async with database.connection() as conn:
        return await predictors.versions(conn)


async def due(database: Database, clock: HandClock) -> bool:
    async with database.transaction() as conn:
        return await learning.begin(conn, clock.now())


async def test_training_is_due_where_there_is_enough_new_to_learn_from_and_a_day_has_passed(
    database: Database, clock: HandClock
) -> None:
    assert not await due(database, clock)
    await asked.write(database, history({}), clock.now())
    assert await due(database, clock)
    await learning.train(database, SOURCES, clock.now())
    clock.turn(86_400 + 1)
    assert not await due(database, clock)  # nothing is new
    await asked.write(database, history({}), clock.now())
    assert await due(database, clock)


async def test_a_better_one_replaces_the_one_in_force_and_all_are_kept(database: Database, clock: HandClock) -> None:
    await asked.write(database, history({}), clock.now())
    first = await learning.train(database, SOURCES, clock.now())
    second = await learning.train(database, SOURCES, clock.now() + timedelta(days=1))
    assert [(each.id, each.status) for each in await versions(database)] == [(second, "active"), (first, "retired")]
    newest = (await versions(database))[0]
    assert newest.evaluation is not None
    assert newest.evaluation["saved"] > 0.2
    assert newest.evaluation["kept"] >= 0.995
    assert newest.reason.startswith("Saves ")


async def test_one_that_is_no_better_is_rejected_and_the_one_before_stays(database: Database, clock: HandClock) -> None:
    await asked.write(database, history({}), clock.now())
    first = await learning.train(database, SOURCES, clock.now())
    async with database.connection() as conn:
        await conn.execute("UPDATE traces SET served = (hashint8(id) & 1) = 0")  # nothing goes by artist any more
        await conn.execute("UPDATE predictors SET until = 'infinity'")  # too little has come since to judge the old one
    second = await learning.train(database, SOURCES, clock.now())
    assert {each.id: each.status for each in await versions(database)} == {first: "active", second: "rejected"}
    assert "stays in force" in (await versions(database))[0].reason


async def test_one_that_does_not_hold_any_more_is_retired_for_the_declared_order(
    database: Database, clock: HandClock
) -> None:
    await asked.write(database, history({}), clock.now() - timedelta(days=9))
    await learning.train(database, SOURCES, clock.now())
    async with database.connection() as conn:
        await conn.execute("UPDATE traces SET served = (hashint8(id) & 1) = 0")
        await conn.execute("UPDATE predictors SET until = $1", clock.now() - timedelta(days=99))
    await learning.train(database, SOURCES, clock.now())
    assert {each.status for each in await versions(database)} == {"retired", "rejected"}
    assert "the declared order is in force" in (await versions(database))[0].reason


async def test_another_process_notices_a_new_predictor_within_a_minute(database: Database, clock: HandClock) -> None:
    sight = Sight()
    async with database.connection() as conn:
        assert await sight.current(conn, clock.now()) is None
    await asked.write(database, history({}), clock.now())
    made = await learning.train(database, SOURCES, clock.now())
    clock.turn(LOOK_AGAIN.total_seconds())
    async with database.connection() as conn:
        found = await sight.current(conn, clock.now())
        assert found is not None
        assert found.id == made
        await conn.execute("UPDATE predictors SET features = 99")  # another version's
        assert await Sight().current(conn, clock.now()) is None


async def test_an_answer_is_counted_once_for_its_artist_whoever_judges_it_again(
    database: Database, clock: HandClock
) -> None:
    one = next(history({}))
    await asked.write(database, iter([one]), clock.now())
    async with database.transaction() as conn:
        await predictions.judge(conn, [asked.judged(one)])
        pasts = await predictions.pasts(conn, ["band4", one.item.artist_key])
    assert pasts[one.item.artist_key] == {(one.source, one.item.kind): (int(one.served), int(not one.served))}


async def test_examples_bear_the_names_that_were_asked_in_the_order_of_asking(
    database: Database, clock: HandClock
) -> None:
    asks = [each for each, _ in zip(history({}), range(30), strict=False)]
    await asked.write(database, iter(asks), clock.now())
    async with database.transaction() as conn:
        rows = [row async for some in predictions.examples(conn, 100, at_once=7) for row in some]
    assert [(row["source"], row["artist"], row["track"], row["served"]) for row in rows] == [
        (each.source, each.item.artist, each.item.track, each.served) for each in asks
    ]
    assert {row["release"] for row in rows} == {each.item.release for each in asks}


NEEDLESS = "import sys; print(sorted({'numpy', 'scipy', 'sklearn'} & set(sys.modules)))"
IDLE = """
import asyncio
import sys
from sleevenotes import app
from sleevenotes.pipeline import match, recheck
from sleevenotes.pipeline.tools import Tools
from sleevenotes.server import web
from sleevenotes.settings import Settings

async def main():
    async with app.open(Settings(data_dir=sys.argv[1], database_url=sys.argv[2], log_level="error")) as parts:
        web.create(app.services_of(parts))
        tools = Tools(parts.database, parts.clock, parts.files, app.sources_of(parts.settings), None)
        await recheck.tidy(tools)
        await match.run(tools, [int(sys.argv[3])], 0)

asyncio.run(main())
"""


def printed(program: str, *arguments: str) -> str:
    done = subprocess.run([sys.executable, "-c", program, *arguments], capture_output=True, text=True, check=True)
    return done.stdout.splitlines()[-1]


def test_help_loads_no_library_of_numbers() -> None:
    program = f"""
import sys
sys.argv = ["sleevenotes", "--help"]
from sleevenotes import cli
try:
    cli.app()
except SystemExit:
    pass
{NEEDLESS}
"""
    assert printed(program) == "[]"


async def test_a_server_without_a_predictor_loads_none_either_also_where_it_matches_names(
    settings: Settings, database: Database, clock: HandClock
) -> None:
    new = lookups.New("Low", "Words", "", model.Band.LOW_PRIORITY)
    async with database.transaction() as conn:
        met = await lookups.meet(conn, {b"0" * 16: new}, clock.now())
    given = [settings.data_dir, settings.database_url, *(str(each.id) for each in met.values())]
    assert printed(IDLE + NEEDLESS, *given) == "[]"


async def test_the_program_that_fails_is_told_with_its_last_words(
    database: Database, clock: HandClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", os.devnull)
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(errors.Unusable, match="ended with 1"):
        await learning.train(database, SOURCES, clock.now())
