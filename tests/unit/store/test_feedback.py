"""What listeners love and hate."""

from __future__ import annotations

from datetime import timedelta

from sleevenotes import names
from sleevenotes.clock import HandClock
from sleevenotes.store import feedback
from sleevenotes.store.postgres import Database
from tests.unit.store.given import account


async def test_the_latest_word_counts_and_zero_forgets_it(database: Database, clock: HandClock) -> None:
    async with database.connection() as conn:
        ada = await account(conn, "ada", clock.now())
        await feedback.give(conn, ada, "Nina Simone", "Sinnerman", feedback.HATED, clock.now())
        await feedback.give(conn, ada, "nina simone", "SINNERMAN", feedback.LOVED, clock.now() + timedelta(seconds=1))
        identity = names.digest("Nina Simone", "Sinnerman")
        assert await feedback.scores(conn, ada, [identity, b"else"]) == {identity: feedback.LOVED}
        await feedback.give(conn, ada, "Nina Simone", "Sinnerman", 0, clock.now())
        assert await feedback.scores(conn, ada, [identity]) == {}


async def test_what_is_loved_is_listed_newest_first_and_for_its_account_alone(
    database: Database, clock: HandClock
) -> None:
    async with database.connection() as conn:
        ada, bob = await account(conn, "ada", clock.now()), await account(conn, "bob", clock.now())
        for hours, track in enumerate(("Sinnerman", "Four Women", "Feeling Good")):
            await feedback.give(conn, ada, "Nina Simone", track, feedback.LOVED, clock.now() + timedelta(hours=hours))
        await feedback.give(conn, ada, "Nina Simone", "Please Read Me", feedback.HATED, clock.now())
        await feedback.give(conn, bob, "Nina Simone", "Ne me quitte pas", feedback.LOVED, clock.now())
        page = await feedback.newest(conn, ada, feedback.LOVED, limit=2)
        assert [loved.track for loved in page] == ["Feeling Good", "Four Women"]
        rest = await feedback.newest(conn, ada, feedback.LOVED, limit=2, offset=2)
        assert [loved.track for loved in rest] == ["Sinnerman"]
        assert await feedback.count(conn, ada, feedback.LOVED) == 3
