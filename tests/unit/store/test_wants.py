"""Wants: one row a question, claimed most wanted first, and nobody's wake-up lost."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from sleevenotes import model
from sleevenotes.sources import contract
from sleevenotes.store import claims, replies, wants
from sleevenotes.store.postgres import Connection, Database

NOW = datetime(2026, 1, 1, tzinfo=UTC)
SOURCE = "musicbrainz"


def new(track: str, subject_id: int = 1, plays: int = 1) -> wants.New:
    question = contract.FindRecording("Low", track)
    return wants.New(SOURCE, contract.key(question), contract.kind(question), question, subject_id, plays)


async def put(database: Database, *news: wants.New, band: model.Band = model.Band.DEFAULT, delay: float = 0) -> None:
    async with database.transaction() as conn:
        await wants.want(conn, "match", news, band, NOW, delay=delay)


async def take(database: Database, together: int = 1, now: datetime = NOW) -> list[str]:
    async with database.transaction() as conn:
        pack = await claims.claim(conn, {SOURCE: together}, now, lease=30.0)
    return [str(want.question["track"]) for want in pack]


async def test_equal_questions_are_one_row_and_every_subject_is_woken(database: Database) -> None:
    await put(database, new("Words", 1))
    await put(database, new("WORDS!", 2))
    async with database.transaction() as conn:
        pack = await claims.claim(conn, {SOURCE: 50}, NOW, lease=30.0)
        woken = await wants.settle(conn, [want.id for want in pack])
    assert len(pack) == 1
    assert {(waiter.stage, waiter.subject_id) for waiter in woken} == {("match", 1), ("match", 2)}


async def test_the_most_urgent_band_goes_first_then_the_most_played(database: Database) -> None:
    await put(database, new("seldom", plays=1), new("often", plays=9))
    await put(database, new("urgent"), band=model.Band.CRITICAL)
    assert [await take(database) for _ in range(4)] == [["urgent"], ["often"], ["seldom"], []]


async def test_a_question_that_no_play_waits_for_goes_behind_an_imports(database: Database) -> None:
    await put(database, new("popular", plays=0), band=model.Band.LOW_PRIORITY)
    await put(database, new("imported"), band=model.Band.LOW_PRIORITY)
    await put(database, new("live"))
    assert [await take(database) for _ in range(3)] == [["live"], ["imported"], ["popular"]]


async def test_what_is_waited_for_goes_apart_from_an_import_where_replies_crowd(database: Database) -> None:
    await put(database, *(new(f"imported {number}", plays=99) for number in range(4)), band=model.Band.LOW_PRIORITY)
    await put(database, *(new(f"live {number}") for number in range(3)))
    packs = []
    for _ in range(3):
        async with database.transaction() as conn:
            pack = await claims.claim(conn, {SOURCE: 32}, NOW, lease=30.0, awaited={SOURCE: 2})
        packs.append([str(want.question["track"]) for want in pack])
    assert [len(pack) for pack in packs] == [2, 1, 4]
    assert {track for pack in packs[:2] for track in pack} == {"live 0", "live 1", "live 2"}


async def test_a_kind_that_goes_singly_is_claimed_alone_and_the_others_in_packs(database: Database) -> None:
    describing = [contract.DescribeRecording(mbid) for mbid in ("a", "b")]
    singles = [wants.New(SOURCE, contract.key(each), contract.kind(each), each, 1, plays=9) for each in describing]
    await put(database, *singles, new("Words"), new("Monkey"))
    sizes = []
    for _ in range(3):
        async with database.transaction() as conn:
            singly = {(SOURCE, "describe_recording")}
            sizes.append(len(await claims.claim(conn, {SOURCE: 32}, NOW, lease=30.0, singly=singly)))
    assert sizes == [1, 1, 2]


@pytest.mark.parametrize(
    ("band", "first"), [(model.Band.LOW_PRIORITY, "listenbrainz"), (model.Band.DEFAULT, "listenbrainz_fuzzy")]
)
async def test_of_an_import_what_goes_in_packs_goes_first(database: Database, band: model.Band, first: str) -> None:
    of_one = msgspec.structs.replace(new("often", plays=9), source="listenbrainz_fuzzy")
    of_many = msgspec.structs.replace(new("seldom"), source="listenbrainz")
    await put(database, of_one, of_many, band=band)
    async with database.transaction() as conn:
        [want] = await claims.claim(conn, {"listenbrainz": 50, "listenbrainz_fuzzy": 1}, NOW, lease=30.0)
    assert want.source == first


async def test_a_question_that_met_a_fault_is_told_from_one_that_only_waits(database: Database) -> None:
    words, monkey = new("Words"), new("Monkey")
    await put(database, words, monkey)
    async with database.transaction() as conn:
        pack = await claims.claim(conn, {SOURCE: 50}, NOW, lease=30.0)
        failed = next(want.id for want in pack if want.key == words.key)
        await wants.postpone(conn, [failed], NOW, own_fault=True)
        assert await wants.have_failed(conn, SOURCE, [words.key])
        assert not await wants.have_failed(conn, SOURCE, [monkey.key])
        assert [waiter.subject_id for waiter in await wants.waiters(conn, [failed])] == [1]


async def test_a_bump_lifts_a_waiting_question_over_the_others(database: Database) -> None:
    await put(database, new("first", 1), new("second", 2), band=model.Band.LOW_PRIORITY)
    async with database.transaction() as conn:
        await wants.bump(conn, "match", [2], model.Band.CRITICAL)
    assert await take(database) == ["second"]


async def test_a_leased_question_is_not_claimed_again_before_its_lease_ends(database: Database) -> None:
    await put(database, new("Words"))
    assert await take(database) == ["Words"]
    assert await take(database) == []
    assert await take(database, now=NOW + timedelta(seconds=31)) == ["Words"]


async def test_a_question_that_must_be_asked_alone_does_not_join_a_pack(database: Database) -> None:
    await put(database, new("crowded", plays=1), new("a", plays=3), new("b", plays=2))
    async with database.transaction() as conn:
        pack = await claims.claim(conn, {SOURCE: 3}, NOW, lease=30.0)
        crowded = next(want.id for want in pack if want.question["track"] == "crowded")
        await wants.postpone(conn, [crowded], NOW, own_fault=False, pack_limit=1)
        await wants.release(conn, [want.id for want in pack if want.id != crowded])
    assert sorted(await take(database, together=3)) == ["a", "b"]
    assert await take(database, together=3) == ["crowded"]


@pytest.mark.parametrize(("band", "first"), [(model.Band.LOW_PRIORITY, "seldom"), (model.Band.DEFAULT, "often")])
async def test_what_a_cut_reply_left_out_waits_behind_the_rest_of_an_import_only(
    database: Database, band: model.Band, first: str
) -> None:
    await put(database, new("often", plays=9), band=band)
    async with database.transaction() as conn:
        (cut,) = await claims.claim(conn, {SOURCE: 3}, NOW, lease=30.0)
        await wants.postpone(conn, [cut.id], NOW, own_fault=False, pack_limit=2)
    await put(database, new("seldom", plays=1), band=band)
    assert await take(database) == [first]


async def test_what_brings_a_cover_goes_first_in_an_import_until_a_reply_leaves_it_out(database: Database) -> None:
    cover = msgspec.structs.replace(new("brings a cover"), leads=True)
    await put(database, cover, new("often", plays=9), band=model.Band.LOW_PRIORITY)
    await put(database, new("waited for"), band=model.Band.DEFAULT)
    assert await take(database) == ["waited for"]
    async with database.transaction() as conn:
        (cut,) = await claims.claim(conn, {SOURCE: 1}, NOW, lease=30.0)
        assert cut.question["track"] == "brings a cover"
        await wants.postpone(conn, [cut.id], NOW, own_fault=False, pack_limit=2)
    assert [await take(database) for _ in range(2)] == [["often"], ["brings a cover"]]


async def test_what_opens_an_artists_releases_goes_first_in_an_import_also_when_it_was_left_out(
    database: Database,
) -> None:
    opener = msgspec.structs.replace(new("opens"), opens=True)
    cover = msgspec.structs.replace(new("brings a cover", plays=9), leads=True)
    await put(database, opener, cover, band=model.Band.LOW_PRIORITY)
    await put(database, new("waited for"), band=model.Band.DEFAULT)
    assert await take(database) == ["waited for"]
    async with database.transaction() as conn:
        (cut,) = await claims.claim(conn, {SOURCE: 1}, NOW, lease=30.0)
        assert (cut.question["track"], cut.opens) == ("opens", True)
        await wants.postpone(conn, [cut.id], NOW, own_fault=False, pack_limit=2)
    assert [await take(database) for _ in range(2)] == [["opens"], ["brings a cover"]]


async def test_who_an_artist_is_goes_before_the_releases_of_those_who_are_known(database: Database) -> None:
    page = contract.BrowseReleases("9d30e408")
    opener = msgspec.structs.replace(new("opens"), opens=True)
    releases = wants.New(SOURCE, contract.key(page), contract.kind(page), page, 2, plays=99, opens=True)
    await put(database, opener, releases, new("often", plays=100), band=model.Band.LOW_PRIORITY)
    async with database.transaction() as conn:
        claimed = [(await claims.claim(conn, {SOURCE: 1}, NOW, lease=30.0))[0] for _ in range(3)]
    assert [each.question.get("track", "releases") for each in claimed] == ["opens", "releases", "often"]


async def leave_out(database: Database, *tracks: str, limit: int, band: model.Band) -> None:
    """Let a cut reply leave these out: they are to go in packs of at most `limit`."""
    await put(database, *(new(track) for track in tracks), band=band)
    async with database.transaction() as conn:
        for want in await claims.claim(conn, {SOURCE: len(tracks)}, NOW, lease=30.0):
            await wants.postpone(conn, [want.id], NOW, own_fault=False, pack_limit=limit)


@pytest.mark.parametrize(("count", "first"), [(12, "left out"), (11, "not asked yet")])
async def test_what_was_left_out_goes_first_in_an_import_once_it_fills_a_pack_of_its_own(
    database: Database, count: int, first: str
) -> None:
    left_out = [f"left out {number}" for number in range(count)]
    await leave_out(database, *left_out, limit=12, band=model.Band.LOW_PRIORITY)
    cover = msgspec.structs.replace(new("brings a cover", plays=9), leads=True)
    await put(database, cover, *(new(f"not asked yet {number}") for number in range(40)), band=model.Band.LOW_PRIORITY)
    pack = await take(database, together=32)
    alike = [track for track in pack if track.startswith(first)]
    assert (len(pack), len(alike)) == ((12, 12) if first == "left out" else (32, 31))


async def test_what_somebody_waits_for_does_not_wait_for_what_was_left_out(database: Database) -> None:
    left_out = [f"left out {number}" for number in range(12)]
    await leave_out(database, *left_out, limit=12, band=model.Band.LOW_PRIORITY)
    await put(database, new("waited for"), band=model.Band.DEFAULT)
    pack = await take(database, together=32)
    assert len(pack) == 12
    assert "waited for" in pack


@pytest.mark.parametrize("band", [model.Band.LOW_PRIORITY, model.Band.DEFAULT])
async def test_a_pack_is_filled_with_what_goes_in_smaller_ones_and_is_no_larger_than_any_of_it_bears(
    database: Database, band: model.Band
) -> None:
    await put(database, *(new(f"{limit}") for limit in (8, 6, 4, 3, 2)), band=band)
    async with database.transaction() as conn:
        for want in await claims.claim(conn, {SOURCE: 8}, NOW, lease=30.0):
            limit = int(str(want.question["track"]))
            await wants.postpone(conn, [want.id], NOW, own_fault=False, pack_limit=limit)
    await put(database, new("fresh", plays=2), band=band)
    assert sorted(await take(database, together=8)) == ["4", "6", "8", "fresh"]
    assert sorted(await take(database, together=8)) == ["2", "3"]


async def test_a_question_is_asked_again_only_for_its_rest(database: Database) -> None:
    await put(database, new("Words"))
    async with database.transaction() as conn:
        (want,) = await claims.claim(conn, {SOURCE: 1}, NOW, lease=30.0)
        await wants.reword(conn, {want.id: contract.FindRecording("Low", "Words", "live")})
        await wants.release(conn, [want.id])
        (again,) = await claims.claim(conn, {SOURCE: 1}, NOW, lease=30.0)
    assert (again.id, again.key) == (want.id, want.key)
    assert msgspec.convert(again.question, contract.Question).besides == "live"


async def test_a_postponed_question_waits_until_it_is_due(database: Database) -> None:
    await put(database, new("later"), delay=60)
    assert await take(database) == []
    async with database.connection() as conn:
        assert await claims.next_due(conn, [SOURCE], NOW) == NOW + timedelta(seconds=60)
    assert await take(database, now=NOW + timedelta(seconds=60)) == ["later"]


async def test_two_lanes_never_claim_the_same_question(database: Database) -> None:
    await put(database, *(new(str(number)) for number in range(40)))
    packs = await asyncio.gather(*(take(database, together=5) for _ in range(8)))
    taken = [track for pack in packs for track in pack]
    assert len(taken) == len(set(taken))


async def test_a_subject_that_joins_while_its_question_is_being_settled_is_woken_or_asks_anew(
    database: Database,
) -> None:
    await put(database, new("Words", 1))
    async with database.transaction() as settling:
        pack = await claims.claim(settling, {SOURCE: 1}, NOW, lease=30.0)
        woken = await wants.settle(settling, [want.id for want in pack])
        joining = asyncio.create_task(put(database, new("Words", 2)))
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await asyncio.shield(joining)
    await joining
    assert [waiter.subject_id for waiter in woken] == [1]
    assert await take(database) == ["Words"]


async def jobs_of(database: Database) -> list[tuple[str, bytes]]:
    async with database.connection() as conn:
        rows = await conn.fetch("SELECT entrypoint, payload FROM pgqueuer ORDER BY id")
    return [(row["entrypoint"], row["payload"]) for row in rows]


async def answer(conn: Connection, want_ids: list[int], asked: wants.New, at: datetime = NOW) -> None:
    """Settle wants as a lane does: the row goes, the reply is kept."""
    await wants.settle(conn, want_ids)
    await replies.keep(conn, [(SOURCE, asked.key, replies.Outcome.ABSENT, contract.ABSENT)], at)


async def test_what_was_answered_since_the_stage_looked_is_not_asked_again_and_the_stage_is_woken(
    database: Database,
) -> None:
    await put(database, new("Words", 1))
    async with database.transaction() as conn:
        pack = await claims.claim(conn, {SOURCE: 1}, NOW, lease=30.0)
        await answer(conn, [want.id for want in pack], new("Words"))
    await put(database, new("Words", 2), new("Plastic Cup", 2))
    assert await take(database, 50) == ["Plastic Cup"]
    assert await jobs_of(database) == [("match", b"[2]")]


async def test_an_answer_that_is_being_stored_just_now_is_waited_for_and_not_asked_again(database: Database) -> None:
    await put(database, new("Words", 1))
    async with database.transaction() as conn:
        pack = await claims.claim(conn, {SOURCE: 1}, NOW, lease=30.0)
    async with database.transaction() as lane:
        await answer(lane, [want.id for want in pack], new("Words"))
        stage = asyncio.create_task(put(database, new("Words", 2)))
        async with database.connection() as conn:  # until the stage waits for the lane's row
            while not await conn.fetchval("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)"):
                pass
    await stage
    assert await take(database, 50) == []
    assert await jobs_of(database) == [("match", b"[2]")]


async def test_what_is_forgotten_or_older_than_what_counts_is_asked_again(database: Database) -> None:
    async with database.transaction() as conn:
        await answer(conn, [], new("Words"), NOW - timedelta(days=2))
        await answer(conn, [], new("Lies"))
    async with database.transaction() as conn:
        await wants.want(
            conn, "match", [new("Words"), new("Lies")], model.Band.DEFAULT, NOW, since=NOW - timedelta(days=1)
        )
    assert await take(database, 50) == ["Words"]
    async with database.transaction() as conn:
        await replies.forget_one(conn, SOURCE, new("Lies").key)
        await wants.want(conn, "match", [new("Lies")], model.Band.DEFAULT, NOW)
    assert await take(database, 50) == ["Lies"]
