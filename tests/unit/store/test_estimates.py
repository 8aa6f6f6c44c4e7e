"""What estimates are made of: where questions stand in the order that lanes claim by."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

from sleevenotes import model
from sleevenotes.sources import contract
from sleevenotes.store import claims, estimates, wants
from sleevenotes.store.postgres import Database

NOW = datetime(2026, 1, 1, tzinfo=UTC)
COSTS = [
    estimates.Cost("musicbrainz", "find_recording", awaited, 0.25, "musicbrainz.org", single=False)
    for awaited in (False, True)
]


def new(subject_id: int, plays: int, *, leads: bool = False, alone: bool = False) -> wants.New:
    question = contract.FindRecording("Low", f"track {subject_id}")
    key, kind = contract.key(question), contract.kind(question)
    return wants.New("musicbrainz", key, kind, question, subject_id, plays, leads=leads, alone=alone)


async def test_places_are_those_in_which_a_lane_will_claim(database: Database) -> None:
    draw = random.Random(7)  # noqa: S311 - no secret
    async with database.transaction() as conn:
        for subject_id in range(60):
            each = new(subject_id, draw.randint(1, 4), leads=draw.random() < 0.3, alone=draw.random() < 0.2)
            await wants.want(conn, "match", [each], model.Band(draw.randint(0, 2)), NOW)
        rows = await estimates.waiting(conn, [("match", subject_id) for subject_id in range(60)], COSTS, NOW)
    told = [row.subject_id for row in sorted(rows, key=lambda row: row.ahead)]
    assert [row.ahead for row in sorted(rows, key=lambda row: row.ahead)] == list(range(60))
    claimed = []
    for _ in range(60):
        async with database.transaction() as conn:
            (want,) = await claims.claim(conn, {"musicbrainz": 1}, NOW, lease=30.0)
            claimed += [waiter.subject_id for waiter in await wants.settle(conn, [want.id])]
    # A lane whose packs hold one question takes an import's last, which is the same here: it is the only source.
    assert told == claimed


async def test_what_is_being_asked_goes_before_nobody_and_says_since_when(database: Database) -> None:
    async with database.transaction() as conn:
        await wants.want(conn, "match", [new(1, 9), new(2, 8), new(3, 7)], model.Band.DEFAULT, NOW)
        await claims.claim(conn, {"musicbrainz": 1}, NOW, lease=50.0)
        rows = await estimates.waiting(conn, [("match", each) for each in (1, 2, 3)], COSTS, NOW)
        (depth,) = await estimates.depths(conn, COSTS, NOW)
    by_subject = {row.subject_id: row for row in rows}
    assert by_subject[1].leased_until == NOW + timedelta(seconds=50)
    assert [(by_subject[each].ahead, by_subject[each].slots) for each in (1, 2, 3)] == [(0, 0.0), (0, 0.0), (1, 0.25)]
    assert (depth.questions, depth.slots) == (2, 0.5)


async def test_only_the_first_estimate_of_what_waits_is_kept(database: Database) -> None:
    first = estimates.Given("match", 1, model.Band.CRITICAL, "match musicbrainz", 9.0, 8.0)
    later = estimates.Given("match", 1, model.Band.CRITICAL, "match musicbrainz", 2.0, 2.0)
    async with database.transaction() as conn:
        await estimates.keep(conn, [first], NOW)
        await estimates.keep(conn, [later, estimates.Given("artwork", 1, model.Band.DEFAULT, "", 1.0, 1.0)], NOW)
        assert await conn.fetchval("SELECT seconds FROM estimates WHERE stage = 'match'") == 9.0
        assert await conn.fetchval("SELECT count(*) FROM estimates") == 2
        await estimates.purge(conn, NOW + timedelta(days=8))
        assert await conn.fetchval("SELECT count(*) FROM estimates") == 0
