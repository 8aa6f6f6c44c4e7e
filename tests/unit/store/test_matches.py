from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest

from sleevenotes import model
from sleevenotes.clock import HandClock
from sleevenotes.store import artworks, catalog, matches
from sleevenotes.store.postgres import Connection, Database
from tests.unit.store import given
from tests.unit.store.given import recording, release
from tests.unit.store.test_catalog import foreign

LATER = timedelta(days=1)


async def identity(conn: Connection, title: str, clock: HandClock, **facts: object) -> matches.Identity:
    (kept,) = await catalog.keep(conn, [(recording(title, "Joni"), release("Blue"))], clock.now())
    known = matches.Identity(
        *kept,
        source="musicbrainz",
        distance=0.25,
        reason="The names are the same.",
        penalties=(model.Penalty("the title differs", 0.25),),
    )
    return msgspec.structs.replace(known, **facts)


async def state(conn: Connection, lookup_id: int) -> dict[str, object]:
    row = await conn.fetchrow(
        """
        SELECT lookups.status, lookups.reason, tries, lookups.decided_at, recheck_at, candidates, match_id,
               recording_id, distance, penalties
        FROM lookups LEFT JOIN matches ON matches.id = lookups.match_id WHERE lookups.id = $1
        """,
        lookup_id,
    )
    return dict(row)


def ended(lookup_id: int, status: model.Status, clock: HandClock, **facts: object) -> matches.Outcome:
    outcome = matches.Outcome(lookup_id, status, "Why.", recheck_at=clock.now() + LATER)
    return msgspec.structs.replace(outcome, **facts)


async def test_outcomes_of_many_lookups_are_settled_together(database: Database, clock: HandClock) -> None:
    async with database.transaction() as conn:
        ids = [await given.lookup(conn, "Joni", title, clock.now()) for title in ("Blue", "River", "Case", "Carey")]
        known = [await identity(conn, title, clock) for title in ("Blue", "River")]
        settled = await matches.settle(
            conn,
            [
                ended(ids[3], model.Status.FAILED, clock),
                matches.matched(ids[1], known[1]),
                matches.matched(ids[0], known[0]),
                ended(ids[2], model.Status.NOT_FOUND, clock, candidates=[{"title": "A Case of You", "distance": 0.4}]),
            ],
            clock.now(),
        )
        states = [await state(conn, each) for each in ids]
    assert settled == dict(zip(ids, ("enriched", "enriched", "not_found", "failed"), strict=True))
    assert [each["status"] for each in states] == ["enriched", "enriched", "not_found", "failed"]
    assert [each["recording_id"] for each in states] == [known[0].recording_id, known[1].recording_id, None, None]
    assert [each["reason"] for each in states] == ["The names are the same."] * 2 + ["Why."] * 2
    assert [each["tries"] for each in states] == [0, 0, 1, 1]
    assert [each["recheck_at"] for each in states] == [None, None, clock.now() + LATER, clock.now() + LATER]
    assert states[2]["candidates"] == [{"title": "A Case of You", "distance": 0.4}]
    assert states[0]["penalties"] == [{"name": "the title differs", "weight": 0.25}]
    assert {each["decided_at"] for each in states} == {clock.now()}


async def test_settling_nothing_or_what_is_gone_is_no_error(database: Database, clock: HandClock) -> None:
    async with database.transaction() as conn:
        assert await matches.settle(conn, [], clock.now()) == {}
        gone = matches.matched(4711, await identity(conn, "Blue", clock))
        assert await matches.settle(conn, [gone], clock.now()) == {}


async def test_settling_again_replaces_the_match_in_its_place(database: Database, clock: HandClock) -> None:
    async with database.transaction() as conn:
        lookup_id = await given.lookup(conn, "Joni", "Blue", clock.now())
        await matches.settle(conn, [matches.matched(lookup_id, await identity(conn, "Blue", clock))], clock.now())
        before = await state(conn, lookup_id)
        better = await identity(conn, "Blue (mono)", clock, distance=0.0)
        await matches.settle(conn, [matches.matched(lookup_id, better)], clock.now())
        after = await state(conn, lookup_id)
    assert after["match_id"] == before["match_id"]
    assert (after["recording_id"], after["distance"]) == (better.recording_id, 0.0)


async def test_a_renewed_look_that_fails_leaves_the_match(database: Database, clock: HandClock) -> None:
    async with database.transaction() as conn:
        lookup_id = await given.lookup(conn, "Joni", "Blue", clock.now())
        await matches.settle(conn, [matches.matched(lookup_id, await identity(conn, "Blue", clock))], clock.now())
        before = await state(conn, lookup_id)
        await conn.execute("UPDATE lookups SET status = 'pending' WHERE id = $1", lookup_id)
        settled = await matches.settle(conn, [ended(lookup_id, model.Status.FAILED, clock)], clock.now())
        after = await state(conn, lookup_id)
    assert settled == {lookup_id: "enriched"}
    assert after == {**before, "tries": 1, "recheck_at": clock.now() + LATER}


async def test_an_answer_that_has_nothing_any_more_takes_the_match_away(database: Database, clock: HandClock) -> None:
    async with database.transaction() as conn:
        lookup_id = await given.lookup(conn, "Joni", "Blue", clock.now())
        await matches.settle(conn, [matches.matched(lookup_id, await identity(conn, "Blue", clock))], clock.now())
        await matches.settle(conn, [ended(lookup_id, model.Status.NOT_FOUND, clock)], clock.now())
        after = await state(conn, lookup_id)
        assert await conn.fetchval("SELECT count(*) FROM matches") == 0
    assert (after["status"], after["match_id"]) == ("not_found", None)


async def test_tries_add_up_until_a_match_is_found(database: Database, clock: HandClock) -> None:
    async with database.transaction() as conn:
        lookup_id = await given.lookup(conn, "Joni", "Blue", clock.now())
        for _ in range(3):
            await matches.settle(conn, [ended(lookup_id, model.Status.NOT_FOUND, clock)], clock.now())
        assert (await state(conn, lookup_id))["tries"] == 3
        await matches.settle(conn, [matches.matched(lookup_id, await identity(conn, "Blue", clock))], clock.now())
        assert (await state(conn, lookup_id))["tries"] == 0


@pytest.mark.parametrize("status", [model.Status.PENDING, model.Status.ENRICHED])
def test_an_outcome_is_decided_and_enriched_only_with_an_identity(status: model.Status) -> None:
    with pytest.raises(ValueError, match="lookup 7"):
        matches.Outcome(7, status, "Why.")


async def test_a_scrobble_s_own_match_leaves_the_shared_one_alone(database: Database, clock: HandClock) -> None:
    async with database.transaction() as conn:
        account_id = await given.account(conn, "ann", clock.now())
        lookup_id = await given.lookup(conn, "Joni", "Blue", clock.now())
        scrobble_id = await given.play(conn, account_id, lookup_id, clock.now())
        shared, own = await identity(conn, "Blue", clock), await identity(conn, "Blue (live)", clock)
        await matches.settle(conn, [matches.matched(lookup_id, shared)], clock.now())
        match_id = await matches.keep(conn, own, clock.now(), scrobble_id=scrobble_id)
        assert await matches.keep(conn, own, clock.now(), scrobble_id=scrobble_id) == match_id
        assert await conn.fetchval("SELECT match_id FROM scrobbles WHERE id = $1", scrobble_id) == match_id
        assert (await state(conn, lookup_id))["recording_id"] == shared.recording_id
        assert await matches.keep(conn, own, clock.now(), scrobble_id=4711) is None


async def test_only_accounts_that_play_a_name_are_told_of_it(database: Database, clock: HandClock) -> None:
    async with database.transaction() as conn:
        ann, bob, eve = [await given.account(conn, name, clock.now()) for name in ("ann", "bob", "eve")]
        blue, river = [await given.lookup(conn, "Joni", title, clock.now()) for title in ("Blue", "River")]
        for account_id, lookup_id in ((ann, blue), (ann, river), (bob, river)):
            await given.play(conn, account_id, lookup_id, clock.now())
        await given.play(conn, ann, blue, clock.now() + LATER)
        await plays_now(conn, eve, blue, clock)
        assert await matches.accounts_of_lookups(conn, [blue]) == {ann: [blue], eve: [blue]}
        assert await matches.accounts_of_lookups(conn, [blue, river]) == {ann: [blue, river], bob: [river], eve: [blue]}


async def test_only_accounts_with_plays_matched_to_an_album_are_told_of_its_cover(
    database: Database, clock: HandClock
) -> None:
    async with database.transaction() as conn:
        ann, bob, eve, dan = [await given.account(conn, name, clock.now()) for name in ("ann", "bob", "eve", "dan")]
        blue, odd = [await given.lookup(conn, "Joni", title, clock.now()) for title in ("Blue", "???")]
        known = await identity(conn, "Blue", clock)
        await matches.settle(conn, [matches.matched(blue, known)], clock.now())
        await given.play(conn, ann, blue, clock.now())
        own = await given.play(conn, bob, odd, clock.now())  # only by what bob's client knew
        await matches.keep(conn, known, clock.now(), scrobble_id=own)
        await given.play(conn, dan, odd, clock.now())
        await plays_now(conn, eve, blue, clock)
        group_id = known.release_group_id or 0
        assert await matches.accounts_of_release_groups(conn, [group_id]) == {
            each: [group_id] for each in (ann, bob, eve)
        }


async def test_an_album_s_plays_are_counted_for_the_order_of_wants(database: Database, clock: HandClock) -> None:
    async with database.transaction() as conn:
        account_id = await given.account(conn, "ann", clock.now())
        for title, plays in (("Blue", 5), ("River", 2)):
            lookup_id = await given.lookup(conn, "Joni", title, clock.now())
            for later in range(plays):
                await given.play(conn, account_id, lookup_id, clock.now() + timedelta(seconds=later))
            known = await identity(conn, title, clock)
            await matches.settle(conn, [matches.matched(lookup_id, known)], clock.now())
        group_id, release_id = known.release_group_id or 0, known.release_id or 0
        await artworks.want(conn, {group_id: release_id}, clock.now())
        (row,) = await artworks.load(conn, [group_id])
    assert row.plays == 7


async def test_a_match_without_mbids_gives_way_to_one_that_has_them(database: Database, clock: HandClock) -> None:
    async with database.transaction() as conn:
        account_id = await given.account(conn, "ann", clock.now())
        lookup_id = await given.lookup(conn, "Joni", "River", clock.now())
        await given.play(conn, account_id, lookup_id, clock.now())
        (kept,) = await catalog.keep(conn, [foreign("River", 1)], clock.now())
        known = matches.Identity(*kept, source="deezer", distance=0.0, reason="The names are the same.")
        again = clock.now() + LATER
        await matches.settle(conn, [matches.matched(lookup_id, known, recheck_at=again)], clock.now())
        before = await state(conn, lookup_id)
        await artworks.want(conn, {kept.release_group_id or 0: kept.release_id or 0}, clock.now())
        (row,) = await artworks.load(conn, [kept.release_group_id or 0])
        await conn.execute("UPDATE lookups SET status = 'pending' WHERE id = $1", lookup_id)
        better = await identity(conn, "River", clock)
        await matches.settle(conn, [matches.matched(lookup_id, better)], clock.now())
        after = await state(conn, lookup_id)
        owners = await matches.accounts_of_release_groups(conn, [better.release_group_id or 0])
    assert (before["status"], before["recheck_at"], before["recording_id"]) == ("enriched", again, kept.recording_id)
    assert (row.release_group_mbid, row.release_mbid, row.artist, row.title) == ("", "", "Joni", "Blue")
    assert (after["match_id"], after["recording_id"]) == (before["match_id"], better.recording_id)
    assert after["recheck_at"] is None
    assert owners == {account_id: [better.release_group_id]}


async def plays_now(conn: Connection, account_id: int, lookup_id: int, clock: HandClock) -> None:
    await conn.execute(
        "INSERT INTO now_playing (account_id, lookup_id, scrobble, started_at, expires_at) VALUES ($1, $2, $3, $4, $5)",
        account_id,
        lookup_id,
        {},
        clock.now(),
        clock.now() + LATER,
    )
