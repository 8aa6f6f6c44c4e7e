"""The ListenBrainz sources against the simulated service. There is no recording of the real one."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import pytest

from sleevenotes import errors
from sleevenotes.clock import HandClock
from sleevenotes.matching import decide
from sleevenotes.simulator import conditions, core, entities, listenbrainz_index
from sleevenotes.simulator.world import World
from sleevenotes.sources import contract, coverartarchive, listenbrainz
from sleevenotes.upstream.client import Client

AGENT = "SleevenotesTest/0.1 ( test@example.org )"
EXACT = listenbrainz.ListenBrainz("5a1b8b50-0f5c-4c33-9a0a-5a1b8b500f5c")
FUZZY = listenbrainz.ListenBrainzFuzzy("5a1b8b50-0f5c-4c33-9a0a-5a1b8b500f5c")
METADATA = listenbrainz.ListenBrainzMetadata()
QUESTION = contract.FindRecording("Nobody Whom Anybody Knows", "Xyzzy")


@pytest.fixture(scope="module")
def world() -> World:
    given = conditions.calm()
    coverage = {**given.coverage, "listenbrainz_exact": conditions.Coverage(mean=0.7)}
    return World.invented(msgspec.structs.replace(given, coverage=coverage, faults={"calm": {}}), artists=60)


@pytest.fixture
def simulator(world: World) -> core.Simulator:
    return core.Simulator(world, HandClock(), limits=False, latency=False)


async def ask(
    simulator: core.Simulator, source: contract.Source, questions: Sequence[contract.Question]
) -> list[contract.Answer]:
    client = Client(core.Mounted(simulator), HandClock(), AGENT)
    reply = await client.send(source.request(questions), source.policy.timeout)
    return source.read(questions, reply)


def found(answer: contract.Answer) -> contract.RecordingCandidate:
    [candidate] = answer.candidates
    assert isinstance(candidate, contract.RecordingCandidate)
    return candidate


def known(world: World, source: str, count: int) -> list[entities.Recording]:
    """Return recordings of artists that a source holds; one of each key, as the index has it."""
    index = listenbrainz_index.Index(world)
    held = [
        each
        for each in world.catalogue.recordings
        if each.credit[0].artist.index in world.known.by(source)
        and index.exact(entities.printed(each.credit), each.title, source) is each
    ]
    return held[:: len(held) // count][:count]


def question(recording: entities.Recording) -> contract.FindRecording:
    return contract.FindRecording(entities.printed(recording.credit), recording.title)


async def test_fifty_names_are_found_by_one_request_and_described_by_another(
    simulator: core.Simulator, world: World
) -> None:
    wanted = known(world, listenbrainz_index.EXACT, 50)
    answers = await ask(simulator, EXACT, [question(each) for each in wanted])
    assert [found(answer).recording.mbid for answer in answers] == [each.mbid for each in wanted]
    further = [each for answer in answers for each in answer.follow_ups]
    described = [found(answer) for answer in await ask(simulator, METADATA, further)]
    assert simulator.statistics.requests == 2
    for each, candidate in zip(wanted, described, strict=True):
        home = world.catalogue.home(each.row)
        assert (candidate.recording.mbid, candidate.recording.title) == (each.mbid, each.title)
        assert candidate.recording.length_ms == each.length
        assert [part.mbid for part in candidate.recording.artist_credit.names] == [
            name.artist.mbid for name in each.credit
        ]
        assert candidate.recording.artist_credit.name == entities.printed(each.credit)
        [release] = candidate.releases
        assert (release.mbid, release.release_group.mbid) == (home.mbid, home.group.mbid)


async def test_what_is_described_is_rightly_decided(simulator: core.Simulator, world: World) -> None:
    for each in known(world, listenbrainz_index.EXACT, 40):
        [answer] = await ask(simulator, EXACT, [question(each)])
        [described] = await ask(simulator, METADATA, answer.follow_ups)
        candidate = found(described)
        options = [decide.Option(candidate.recording, candidate.releases, "listenbrainz_metadata")]
        decided = decide.decide(decide.Asked(entities.printed(each.credit), each.title), options)
        assert isinstance(decided, decide.Chosen), each.title
        assert decided.release


async def test_the_cover_needs_no_search(simulator: core.Simulator, world: World) -> None:
    client = Client(core.Mounted(simulator), HandClock(), AGENT)
    fetched = 0
    for each in known(world, "musicbrainz", 20):
        candidate = found((await ask(simulator, METADATA, [contract.DescribeRecording(each.mbid)]))[0])
        group = world.catalogue.home(each.row).group
        assert bool(candidate.images) == world.has_art(group)
        for image in candidate.images:
            assert image.exact
            source = coverartarchive.CoverArtArchive()
            reply = await client.send(source.request([contract.FetchImage(image.url)]), 30)
            if reply.status == 200:  # one thumbnail in a hundred was never made
                assert world.cover_truth(reply.body) == group.mbid
                fetched += 1
    assert fetched > 10


async def test_a_row_alone_has_the_release_and_no_album_id(simulator: core.Simulator, world: World) -> None:
    [each] = known(world, listenbrainz_index.EXACT, 1)
    candidate = found((await ask(simulator, EXACT, [question(each)]))[0])
    [release] = candidate.releases
    assert release.mbid == world.catalogue.home(each.row).mbid
    assert (release.release_group.mbid, release.release_group.title) == ("", release.title)
    assert release.release_group.foreign_id == f"listenbrainz:release/{release.mbid}"


async def test_questions_with_one_key_share_one_row(simulator: core.Simulator, world: World) -> None:
    each = next(one for one in known(world, listenbrainz_index.EXACT, 30) if " " in entities.printed(one.credit))
    first, _, rest = entities.printed(each.credit).partition(" ")
    twins = [
        question(each),
        QUESTION,
        contract.FindRecording(first, f"{rest} {each.title}"),
        contract.FindRecording(entities.printed(each.credit), f"{each.title}!"),
    ]
    answers = await ask(simulator, EXACT, twins)
    assert answers[1] == contract.ABSENT
    assert {found(answers[place]).recording.mbid for place in (0, 2, 3)} == {each.mbid}


async def test_names_that_are_not_there_are_absent(simulator: core.Simulator) -> None:
    assert await ask(simulator, EXACT, [QUESTION] * 3) == [contract.ABSENT] * 3
    assert await ask(simulator, FUZZY, [QUESTION]) == [contract.ABSENT]


@pytest.mark.parametrize("source", [EXACT, FUZZY], ids=["exact", "fuzzy"])
async def test_a_name_too_long_for_the_service_spoils_no_pack(
    simulator: core.Simulator, world: World, source: contract.Source
) -> None:
    long = contract.FindRecording("a" * 300, "ü" * 300)
    if source.policy.together == 1:
        assert await ask(simulator, source, [long]) == [contract.ABSENT]
        return
    [each] = known(world, listenbrainz_index.EXACT, 1)
    answers = await ask(simulator, source, [long, question(each)])
    assert answers[0] == contract.ABSENT
    assert found(answers[1]).recording.mbid == each.mbid


async def test_a_misspelt_name_is_found_with_its_album_by_one_request(simulator: core.Simulator, world: World) -> None:
    each = next(one for one in known(world, listenbrainz_index.FUZZY, 50) if len(one.title) > 12)
    misspelt = contract.FindRecording(entities.printed(each.credit), each.title[:5] + each.title[6:])
    candidate = found((await ask(simulator, FUZZY, [misspelt]))[0])
    assert candidate.recording.title == each.title
    assert candidate.releases[0].release_group.mbid
    assert simulator.statistics.requests == 1


async def test_ids_that_are_unknown_or_none_are_absent_and_spoil_no_pack(
    simulator: core.Simulator, world: World
) -> None:
    [each] = known(world, "musicbrainz", 1)
    mbids = ["xyz", world.merged_recording(each.mbid), each.mbid.upper(), each.mbid]
    answers = await ask(simulator, METADATA, [contract.DescribeRecording(mbid) for mbid in mbids])
    assert answers[:2] == [contract.ABSENT] * 2
    assert {found(answer).recording.mbid for answer in answers[2:]} == {each.mbid}
    assert await ask(simulator, METADATA, [contract.DescribeRecording("xyz")]) == [contract.ABSENT]


async def test_a_thousand_recordings_are_one_request(simulator: core.Simulator, world: World) -> None:
    held = [each for each in world.catalogue.recordings if world.recording(each.mbid)][:1000]
    questions = [contract.DescribeRecording(each.mbid) for each in held]
    answers = await ask(simulator, METADATA, questions)
    assert all(found(answer).releases for answer in answers)
    assert (len(answers), simulator.statistics.requests) == (len(held), 1)


@pytest.mark.parametrize("source", [EXACT, FUZZY], ids=["exact", "fuzzy"])
async def test_a_refused_token_is_unconfigured_and_not_told(simulator: core.Simulator, source: contract.Source) -> None:
    simulator.fail_next("api.listenbrainz.org", "401")
    with pytest.raises(errors.Unconfigured, match="listenbrainz_token") as raised:
        await ask(simulator, source, [QUESTION])
    assert "5a1b8b50" not in str(raised.value)


async def test_too_fast_is_throttled_until_the_window_ends(world: World) -> None:
    simulator = core.Simulator(world, HandClock(), latency=False)
    for _ in range(30):
        await ask(simulator, FUZZY, [QUESTION])
    with pytest.raises(errors.Throttled) as raised:
        await ask(simulator, FUZZY, [QUESTION])
    assert (raised.value.retry_after, raised.value.site_wide) == (10.0, False)


async def test_thirty_packs_in_a_window_of_ours_are_within_the_limit(world: World) -> None:
    clock = HandClock()
    simulator = core.Simulator(world, clock, latency=False)
    for _ in range(4):
        for _ in range(EXACT.policy.requests):
            await ask(simulator, EXACT, [QUESTION])
        clock.turn(EXACT.policy.window)
    assert simulator.statistics.violations == 0


@pytest.mark.parametrize("kind", ["500", "shed", "html", "truncated", "short", "drop", "empty"])
@pytest.mark.parametrize("source", [EXACT, FUZZY, METADATA], ids=lambda source: source.name)
async def test_a_reply_that_is_broken_is_a_fault(
    simulator: core.Simulator, world: World, source: contract.Source, kind: str
) -> None:
    [each] = known(world, listenbrainz_index.EXACT, 1)
    asked: contract.Question = question(each)
    if source is METADATA:
        asked = contract.DescribeRecording(each.mbid)
    simulator.fail_next("api.listenbrainz.org", kind)
    with pytest.raises(errors.Fault):
        await ask(simulator, source, [asked])
