"""The lanes page's part on predictions."""

from __future__ import annotations

from benches import asked

from sleevenotes.clock import HandClock
from sleevenotes.pipeline import learning
from sleevenotes.sources import contract, registry
from sleevenotes.store import predictions, predictors
from sleevenotes.store.postgres import Database
from tests.asked_before import history
from tests.unit.server.pages.asking import Client


async def test_without_a_predictor_the_page_says_that_the_declared_order_is_in_force_and_why(client: Client) -> None:
    page = (await client.get("/status")).text
    assert "The declared order is in force. Nothing has been learned yet" in page
    assert 'class="tenths"' not in page


async def test_a_predictor_in_force_shows_what_it_saves_and_how_well_it_foretells(
    client: Client, database: Database, clock: HandClock
) -> None:
    await asked.write(database, history({}), clock.now())
    made = await learning.train(database, registry.usable(contract.Keys()), clock.now())
    page = (await client.get("/status")).text
    assert f"Predictor {made} is in force" in page
    assert "of the later questions that training held out" in page
    assert "None of the unlikely has been asked all the same yet" in page
    foreseen = [
        predictions.Foreseen("match", number, "itunes", number.to_bytes(16, "big"), "find_recording", chance, way)
        for number, (chance, way) in enumerate([(0.01, "skip")] * 3 + [(0.02, "anyway")] * 4 + [(0.95, "ask")] * 120)
    ]
    async with database.transaction() as conn:
        await predictions.foresee(conn, made, foreseen, clock.now())
        await conn.execute("UPDATE predictions SET served = (way = 'ask' OR subject_id = 3) WHERE way <> 'skip'")
        figures = await predictors.figures(conn, clock.now())
    assert (figures.asked, figures.skipped, figures.anyway, figures.anyway_served) == (120, 3, 4, 1)
    assert [(each.tenth, each.count) for each in figures.tenths] == [(0, 4), (9, 120)]
    page = " ".join((await client.get("/status")).text.split())
    assert "<b>3 requests</b> saved" in page
    assert "<b>1</b> served after all: the coverage lost, 25.0 % of what is skipped" in page
    assert "of what was asked here in the last 30 days" in page


async def test_a_skip_saves_nothing_where_somebody_else_served(
    client: Client, database: Database, clock: HandClock
) -> None:
    both = [
        predictions.Foreseen("match", 1, source, b"1" * 16, "find_recording", chance, way)
        for source, chance, way in (("itunes", 0.01, "skip"), ("deezer", 0.9, "ask"))
    ]
    async with database.transaction() as conn:
        await predictions.foresee(conn, 1, both, clock.now())
        await conn.execute("UPDATE predictions SET served = true WHERE way = 'ask'")
        assert (await predictors.figures(conn, clock.now())).skipped == 0
