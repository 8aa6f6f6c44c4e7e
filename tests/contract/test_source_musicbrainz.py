"""The MusicBrainz source against what MusicBrainz really said, and against the simulator of it."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest
from tests.contract import recorded

from sleevenotes import errors
from sleevenotes.clock import HandClock
from sleevenotes.matching import decide
from sleevenotes.simulator import core, entities
from sleevenotes.simulator.world import World
from sleevenotes.sources import contract, musicbrainz
from sleevenotes.upstream.client import Client

SOURCE = musicbrainz.MusicBrainz()
AGENT = "SleevenotesTest/0.1 ( test@example.org )"


def exchange(shared_data: Path, path_starts: str) -> contract.Reply:
    """Return the recorded reply to that path."""
    found = [
        each.reply
        for each in recorded.exchanges(shared_data, "musicbrainz", "musicbrainz.org")
        if each.path.startswith(path_starts)
    ]
    assert found, path_starts
    return found[0]


def candidates(question: contract.Question, reply: contract.Reply) -> list[contract.RecordingCandidate]:
    [answer] = SOURCE.read([question], reply)
    return [each for each in answer.candidates if isinstance(each, contract.RecordingCandidate)]


# ---------------------------------------------------------------- what MusicBrainz said


def test_a_recorded_search_reads_with_its_facts(shared_data: Path) -> None:
    reply = exchange(shared_data, "/ws/2/recording?query=Burn+the+Witch")
    found = candidates(contract.FindRecording("Rudy Simone", "Burn the Witch"), reply)
    assert len(found) == 25  # of 4,304,362: the query was unquoted
    first = found[0]
    assert first.recording.mbid == "f10562c0-8a2c-4140-a8bf-588d1c59c5da"
    assert (first.recording.title, first.recording.length_ms, first.score) == ("Burn the Witch", 206_000, 100)
    assert first.recording.artist_credit.name == "Rudy Simone"
    assert first.recording.first_release_date == "2014-08-01"
    assert [release.title for release in first.releases] == ["Thief of Dreams"]
    assert first.releases[0].release_group.primary_type == "Album"
    assert all(release.release_group.mbid for each in found for release in each.releases)


def test_a_search_of_years_ago_reads_alike(shared_data: Path) -> None:
    reply = exchange(shared_data, "/ws/2/recording?limit=3&query=Honey%20Lips")
    found = candidates(contract.FindRecording("Part Time", "Honey Lips"), reply)
    assert found[0].recording.artist_credit.name == "Part Time"
    assert len(found) == 3


def test_among_recorded_rows_the_artist_decides(shared_data: Path) -> None:
    reply = exchange(shared_data, "/ws/2/recording?query=Burn+the+Witch")
    found = candidates(contract.FindRecording("Rudy Simone", "Burn the Witch"), reply)
    options = [decide.Option(each.recording, each.releases, "musicbrainz") for each in found]
    chosen = decide.decide(decide.Asked("Rudy Simone", "Burn the Witch"), options)
    assert isinstance(chosen, decide.Chosen)
    assert chosen.weighed.option.recording.mbid == "f10562c0-8a2c-4140-a8bf-588d1c59c5da"
    assert not isinstance(decide.decide(decide.Asked("Nobody at All", "Burn the Witch"), options), decide.Chosen)


def test_a_recorded_lookup_reads_with_its_facts(shared_data: Path) -> None:
    path = "/ws/2/recording/07649758-09c8-4d70-bc6f-5c37ab36334d?inc=artist-credits"
    [found] = candidates(
        contract.DescribeRecording("07649758-09c8-4d70-bc6f-5c37ab36334d"), exchange(shared_data, path)
    )
    credit = found.recording.artist_credit
    assert (found.recording.title, found.recording.length_ms, found.recording.video) == ("Devil Do", 213_000, False)
    assert credit.name == "Holly Golightly & The Brokeoffs"
    assert credit.names[0].artist_name == "Holly Golightly and The Brokeoffs"
    assert found.releases == ()  # the recorded request did not include them


def test_every_recorded_recording_with_its_credit_reads(shared_data: Path) -> None:
    read = 0
    for each in recorded.exchanges(shared_data, "musicbrainz", "musicbrainz.org"):
        if re.match(r"/ws/2/recording/[0-9a-f-]{36}\?inc=[^&]*artist-credits", each.path):
            mbid = each.path.split("/")[4].split("?")[0]
            [found] = candidates(contract.DescribeRecording(mbid), each.reply)
            assert found.recording.title
            read += 1
    assert read


def test_replies_to_other_questions_are_garbled_and_never_absent(shared_data: Path) -> None:
    others = [
        each
        for each in recorded.exchanges(shared_data, "musicbrainz", "musicbrainz.org")
        if not each.path.startswith(("/ws/2/recording", "/ws/2/isrc"))
    ]
    assert len(others) > 100
    for each in others:
        with pytest.raises(errors.Fault):
            SOURCE.read([contract.FindRecording("a", "b")], each.reply)


# ---------------------------------------------------------------- the simulator


@pytest.fixture(scope="module")
def world() -> World:
    return World.invented(artists=60)


@pytest.fixture
def simulator(world: World) -> core.Simulator:
    return core.Simulator(world, HandClock(), limits=False, latency=False)


async def ask(simulator: core.Simulator, question: contract.Question, agent: str = AGENT) -> contract.Answer:
    client = Client(core.Mounted(simulator), HandClock(), agent)
    [answer] = SOURCE.read([question], await client.send(SOURCE.request([question]), SOURCE.policy.timeout))
    return answer


def known_names(world: World, count: int) -> list[tuple[str, str, str]]:
    """Return names that the simulated MusicBrainz has: artist, track, release."""
    names = []
    for recording in world.catalogue.recordings:
        artist = "".join(part.credited + part.join for part in recording.credit)
        truth = world.truth(artist, recording.title)
        if truth and truth.recording_mbid == recording.mbid and "musicbrainz" in truth.known_to:
            names.append((artist, recording.title, world.catalogue.home(recording.row).title))
    return names[:: max(1, len(names) // count)]


async def test_names_the_simulated_musicbrainz_has_are_found_and_rightly_decided(
    simulator: core.Simulator, world: World
) -> None:
    wrong, right = [], 0
    for artist, track, release in known_names(world, 200):
        try:
            answer = await ask(simulator, contract.FindRecording(artist, track))
        except errors.Throttled:  # the calm day's: one in two hundred
            continue
        found = [each for each in answer.candidates if isinstance(each, contract.RecordingCandidate)]
        options = [decide.Option(each.recording, each.releases, "musicbrainz") for each in found]
        decided = decide.decide(decide.Asked(artist, track, release), options)
        truth = world.truth(artist, track, release)
        assert truth
        if isinstance(decided, decide.Chosen):
            chosen = decided.weighed.option.recording.mbid, decided.release and decided.release.release_group.mbid
            right += chosen == (truth.recording_mbid, truth.release_group_mbid)
            wrong += [] if chosen[0] == truth.recording_mbid else [(artist, track, decided.reason)]
    assert right >= 190
    assert not wrong


async def test_a_name_the_simulated_musicbrainz_lacks_is_absent(simulator: core.Simulator) -> None:
    assert await ask(simulator, contract.FindRecording("Nobody Whom Anybody Knows", "Xyzzy")) == contract.ABSENT


@pytest.mark.parametrize(
    "name", ['A "quoted" one', "back\\slash", "(brackets) [and] {braces}", "AND OR NOT", "a:b*c?d~e^f"]
)
async def test_names_full_of_syntax_are_understood(simulator: core.Simulator, name: str) -> None:
    assert (await ask(simulator, contract.FindRecording(name, name))).known


async def test_a_merged_recording_leads_to_the_surviving_one(simulator: core.Simulator, world: World) -> None:
    artist, track, _ = known_names(world, 3)[0]
    truth = world.truth(artist, track)
    assert truth
    question = contract.DescribeRecording(world.merged_recording(truth.recording_mbid))
    [candidate] = (await ask(simulator, question)).candidates
    assert isinstance(candidate, contract.RecordingCandidate)
    assert candidate.recording.mbid == truth.recording_mbid
    assert candidate.releases


async def test_search_and_lookup_tell_the_same_of_a_recording(simulator: core.Simulator, world: World) -> None:
    artist, track, _ = known_names(world, 3)[1]
    truth = world.truth(artist, track)
    assert truth
    searched = await ask(simulator, contract.FindRecording(artist, track))
    [looked_up] = (await ask(simulator, contract.DescribeRecording(truth.recording_mbid))).candidates
    [same] = [
        each
        for each in searched.candidates
        if isinstance(each, contract.RecordingCandidate) and each.recording.mbid == truth.recording_mbid
    ]
    assert isinstance(looked_up, contract.RecordingCandidate)
    assert (same.recording.title, same.recording.length_ms) == (
        looked_up.recording.title,
        looked_up.recording.length_ms,
    )
    assert same.recording.artist_credit.name == looked_up.recording.artist_credit.name
    assert {each.mbid for each in same.releases} == {each.mbid for each in looked_up.releases}
    assert {each.mbid: each.artist_credit is None for each in same.releases} == {
        each.mbid: each.artist_credit is None for each in looked_up.releases
    }


@pytest.mark.parametrize("mbid", ["00000000-0000-4000-8000-000000000000", "xyz"])
async def test_a_recording_that_is_none_is_absent(simulator: core.Simulator, mbid: str) -> None:
    assert await ask(simulator, contract.DescribeRecording(mbid)) == contract.ABSENT


async def test_page_after_page_the_simulated_musicbrainz_lists_all_that_an_artist_officially_released(
    simulator: core.Simulator, world: World
) -> None:
    leads = Counter(recording.credit[0].artist for recording in world.catalogue.recordings)
    lead = next(artist for artist, _ in leads.most_common() if world.knows(artist))
    asked: contract.BrowseReleases | None = contract.BrowseReleases(lead.mbid)
    told: dict[str, set[str]] = {}
    while asked:
        answer = await ask(simulator, asked)
        for each in answer.candidates:
            assert isinstance(each, contract.RecordingCandidate)
            told.setdefault(each.recording.mbid, set()).update(release.mbid for release in each.releases)
        asked = next((each for each in answer.follow_ups if isinstance(each, contract.BrowseReleases)), None)
    true: dict[str, set[str]] = {}
    for release in world.catalogue.releases.values():
        if release.status == "Official" and any(name.artist is lead for name in release.credit):
            for track in release.tracks:
                true.setdefault(track.mbid, set()).add(release.mbid)
    assert told == true
    assert len(told) > 10


async def test_a_release_and_its_group_tell_what_is_on_them(simulator: core.Simulator, world: World) -> None:
    group = next(each for each in world.catalogue.groups.values() if len(each.releases) > 1)
    release = group.releases[0]
    one = await ask(simulator, contract.ListRecordings(release_mbid=release.mbid))
    told = [each.recording.mbid for each in one.candidates if isinstance(each, contract.RecordingCandidate)]
    assert told == list(dict.fromkeys(track.mbid for track in release.tracks))
    asked: contract.ListRecordings | None = contract.ListRecordings(release_group_mbid=group.mbid)
    on: dict[str, set[str]] = {}
    while asked:
        answer = await ask(simulator, asked)
        for each in answer.candidates:
            assert isinstance(each, contract.RecordingCandidate)
            assert {release.release_group.mbid for release in each.releases} == {group.mbid}
            on.setdefault(each.recording.mbid, set()).update(release.mbid for release in each.releases)
        asked = next((each for each in answer.follow_ups if isinstance(each, contract.ListRecordings)), None)
    true: dict[str, set[str]] = {}
    for each_release in group.releases:
        for track in each_release.tracks:
            true.setdefault(track.mbid, set()).add(each_release.mbid)
    assert on == true


async def test_an_artist_who_is_none_has_no_releases_there(simulator: core.Simulator) -> None:
    nobody = contract.BrowseReleases("00000000-0000-4000-8000-000000000000")
    assert await ask(simulator, nobody) == contract.ABSENT


async def test_without_a_user_agent_the_fault_says_so(simulator: core.Simulator) -> None:
    with pytest.raises(errors.Unreachable, match="User-Agent"):
        await ask(simulator, contract.FindRecording("a", "b"), agent="")


async def test_asking_twice_at_once_is_told_apart_from_a_busy_site(world: World) -> None:
    simulator = core.Simulator(world, HandClock(), latency=False)
    question = contract.FindRecording("a", "b")
    assert (await ask(simulator, question)).known
    with pytest.raises(errors.Throttled) as hasty:
        await ask(simulator, question)
    assert (hasty.value.retry_after, hasty.value.site_wide) == (1.0, False)


async def test_a_busy_site_says_so(simulator: core.Simulator) -> None:
    simulator.fail_next("musicbrainz.org", "shed")
    with pytest.raises(errors.Throttled) as busy:
        await ask(simulator, contract.FindRecording("a", "b"))
    assert busy.value.site_wide


@pytest.mark.parametrize("kind", ["html", "truncated", "short", "drop", "500"])
async def test_a_reply_that_is_broken_is_a_fault(simulator: core.Simulator, kind: str) -> None:
    simulator.fail_next("musicbrainz.org", kind)
    with pytest.raises(errors.Fault):
        await ask(simulator, contract.FindRecording("a", "b"))


async def test_recordings_are_found_by_their_isrcs_alone_and_in_packs(simulator: core.Simulator, world: World) -> None:
    coded = [each for each in world.catalogue.recordings if each.isrc and world.knows(each.credit[0].artist)][::40][:12]
    questions = [contract.FindByIsrc(each.isrc, entities.printed(each.credit), each.title) for each in coded]
    client = Client(core.Mounted(simulator), HandClock(), AGENT)
    answers = SOURCE.read(questions, await client.send(SOURCE.request(questions), SOURCE.policy.timeout))
    for recording, question, answer in zip(coded, questions, answers, strict=True):
        told = answer if answer.known else await ask(simulator, question)
        found = [each.recording.mbid for each in told.candidates if isinstance(each, contract.RecordingCandidate)]
        assert found == [recording.mbid]
    assert sum(answer.known for answer in answers) >= 10
    assert await ask(simulator, contract.FindByIsrc("QQQQQ0000000", "Whoever", "Whatever")) == contract.ABSENT
