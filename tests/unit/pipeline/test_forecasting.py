"""What is foreseen of an import: read from where it waits, kept for some seconds, seen anew when another one came."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest

from sleevenotes import model
from sleevenotes.clock import HandClock
from sleevenotes.pipeline import estimate, forecasting
from sleevenotes.sources import contract, coverartarchive, musicbrainz
from sleevenotes.store import wants
from sleevenotes.store.postgres import Connection, Database
from tests.unit.store import given

POLICIES = {each.name: each.policy for each in (musicbrainz.MusicBrainz(), coverartarchive.CoverArtArchive())}
HOSTS = {policy.host: estimate.Host(policy.requests, policy.window, policy.parallel) for policy in POLICIES.values()}


async def want_cover(conn: Connection, clock: HandClock, release_group_id: int, plays: int, *, last: bool) -> None:
    mbid = given.mbid(f"album {release_group_id}")
    front = coverartarchive.front_of_release_group(mbid) if last else coverartarchive.front_of_release(mbid)
    key, kind = contract.key(front), contract.kind(front)
    new = wants.New("coverartarchive", key, kind, front, release_group_id, plays)
    await wants.want(conn, "artwork", [new], model.Band.LOW_PRIORITY, clock.now())


async def import_name(conn: Connection, clock: HandClock, track: str) -> int:
    """Write a name of an import that waits at MusicBrainz, return its lookup's id."""
    lookup_id = await given.lookup(conn, "Low", track, clock.now())
    await conn.execute("UPDATE lookups SET band = 0 WHERE id = $1", lookup_id)
    question = contract.FindRecording("Low", track)
    new = wants.New("musicbrainz", contract.key(question), contract.kind(question), question, lookup_id)
    await wants.want(conn, "match", [new], model.Band.LOW_PRIORITY, clock.now())
    return lookup_id


async def test_covers_go_by_plays_and_what_is_asked_for_the_last_time_takes_one_request(
    database: Database, clock: HandClock
) -> None:
    async with database.transaction() as conn:
        await want_cover(conn, clock, 1, 2, last=False)
        await want_cover(conn, clock, 2, 5, last=True)
        await want_cover(conn, clock, 3, 1, last=True)
        told = await forecasting.Forecaster(POLICIES).of(conn, [], {}, HOSTS, clock.now())
    gap = told["artwork", 2] - estimate.TOOK
    assert gap == pytest.approx(forecasting.USUAL_MEAN / 5)  # five go at once
    assert told["artwork", 1] == pytest.approx(told["artwork", 2] + forecasting.USUAL_ASKS * gap)
    assert told["artwork", 3] == pytest.approx(told["artwork", 1] + gap)


async def test_a_name_is_done_with_the_cover_that_it_brings(database: Database, clock: HandClock) -> None:
    async with database.transaction() as conn:
        lookup_id = await import_name(conn, clock, "More")
        told = await forecasting.Forecaster(POLICIES).of(conn, [], {}, HOSTS, clock.now())
    assert told["match", lookup_id] > 2 * estimate.TOOK  # a search, then a cover


async def test_what_is_foreseen_stands_for_some_seconds_unless_another_import_came(
    database: Database, clock: HandClock
) -> None:
    foresees = forecasting.Forecaster(POLICIES)
    async with database.transaction() as conn:
        await want_cover(conn, clock, 1, 2, last=True)
        first = await foresees.of(conn, [], {}, HOSTS, clock.now())
        lookup_id = await import_name(conn, clock, "More")
        clock.turn(1)
        later = await foresees.of(conn, [], {}, HOSTS, clock.now())
        assert later == {("artwork", 1): pytest.approx(max(0.0, first["artwork", 1] - 1))}
        anew = await foresees.of(conn, [("match", lookup_id)], {}, HOSTS, clock.now())
        assert set(anew) == {("artwork", 1), ("match", lookup_id)}
        assert anew["artwork", 1] == first["artwork", 1]
        await want_cover(conn, clock, 2, 9, last=True)
        clock.turn(forecasting.FORESEEN / timedelta(seconds=1))
        assert ("artwork", 2) in await foresees.of(conn, [], {}, HOSTS, clock.now())


async def test_a_few_names_of_an_import_that_went_say_nothing_of_the_others_a_requests_worth_does(
    clock: HandClock,
) -> None:
    foresees = forecasting.Forecaster({"bulk": msgspec.structs.replace(POLICIES["musicbrainz"], together=50)})
    at_pace = foresees._each("bulk", 1600, clock.now())
    clock.turn(4)
    assert foresees._each("bulk", 1590, clock.now()) == at_pace  # four tenths of a second each
    clock.turn(4)
    assert foresees._each("bulk", 1500, clock.now()) == pytest.approx(0.08)
