"""The simulated world: coverage as stated, truth, crowding, and that all of it is always the same."""

from __future__ import annotations

import gzip
import itertools
from pathlib import Path

import msgspec
import pytest

from sleevenotes.simulator import build, conditions, coverage, draw, entities, ids, invent, listener, rows, sleeves
from sleevenotes.simulator.world import ARCHIVE, MUSICBRAINZ, World


@pytest.fixture(scope="module")
def world() -> World:
    return World.invented(artists=120)


def given(**changed: object) -> conditions.Conditions:
    return msgspec.structs.replace(conditions.calm(), **changed)


def test_two_worlds_of_one_seed_are_equal_and_of_another_are_not(world: World) -> None:
    again = World.invented(artists=120)
    assert again.digest == world.digest
    for one, other in zip(world.catalogue.recordings, again.catalogue.recordings, strict=True):
        assert (one.mbid, one.length, one.isrc, one.first_date) == (
            other.mbid,
            other.length,
            other.isrc,
            other.first_date,
        )
        assert [release.mbid for release in one.releases] == [release.mbid for release in other.releases]
    assert World.invented(given(seed=2), artists=120).digest != world.digest


def test_coverage_has_the_stated_means_over_artists_nowhere_included() -> None:
    wanted = {
        "nowhere": conditions.Coverage(0.05, -1.5, 0.5, 1.0),
        "listenbrainz_exact": conditions.Coverage(0.7, 0.6, -0.6, 0.5),
        "listenbrainz_fuzzy_get": conditions.Coverage(0.8, 0.6, -0.5, 0.5),
        "musicbrainz": conditions.Coverage(0.9, 0.6, -0.3, 0.5),
        "theaudiodb": conditions.Coverage(0.5, 1.6, -1.6, 0.6),
    }
    world = World.invented(given(coverage=wanted), artists=3000)
    for source, stated in wanted.items():
        assert len(world.known.by(source)) / 3000 == pytest.approx(stated.mean, abs=0.02)


def test_the_smaller_sources_of_a_family_are_within_the_larger_and_nowhere_is_in_none() -> None:
    wanted = {
        "nowhere": conditions.Coverage(0.1, -1.5),
        "listenbrainz_exact": conditions.Coverage(0.7, 2.0),
        "listenbrainz_fuzzy_get": conditions.Coverage(0.75, -1.0),
        "musicbrainz": conditions.Coverage(0.8, 0.5),
    }
    known = World.invented(given(coverage=wanted), artists=800).known
    assert known.by("listenbrainz_exact") <= known.by("listenbrainz_fuzzy_get") <= known.by("musicbrainz")
    assert known.by("nowhere")
    assert not known.by("nowhere") & known.by("musicbrainz")


def test_popular_artists_are_known_more_often_where_coverage_leans_on_popularity() -> None:
    wanted = {"theaudiodb": conditions.Coverage(0.5, 2.0)}
    world = World.invented(given(coverage=wanted), artists=1000)
    known = world.known.by("theaudiodb")
    best = [artist.index in known for artist in world.catalogue.artists if artist.rank <= 200]
    worst = [artist.index in known for artist in world.catalogue.artists if artist.rank > 800]
    assert sum(best) > 1.5 * sum(worst)


def test_the_standings_are_standardised(world: World) -> None:
    standings = [artist.standing for artist in world.catalogue.artists]
    assert sum(standings) == pytest.approx(0, abs=1e-9)
    assert sum(x * x for x in standings) / len(standings) == pytest.approx(1)


def test_the_real_catalogue_has_the_coverage_of_its_conditions(shared_data: Path) -> None:
    stated = conditions.load(shared_data / "world.json")
    world = World.from_csv(shared_data / "catalogue" / "world.csv.gz", stated)
    assert len(world.catalogue.recordings) == 63_972
    for source, wanted in stated.coverage.items():
        share = len(world.known.by(source)) / len(world.catalogue.artists)
        assert share == pytest.approx(wanted.mean, abs=0.02), source
    groups = list(world.catalogue.groups.values())
    assert sum(map(world.has_art, groups)) / len(groups) == pytest.approx(0.66, abs=0.02)
    crowd = sorted(world.extras.crowd(row) + 1 for row in range(0, 63_972, 10))
    assert crowd[len(crowd) // 2] in (5, 6, 7)
    decoys = sum(world.extras.decoys(row) for row in range(0, 63_972, 10)) / len(crowd)
    assert decoys == pytest.approx(0.15, abs=0.02)
    assert any(coverage.has_latin(artist.name) for artist in world.catalogue.artists)


def test_truth_is_found_by_any_letter_case_and_names_the_album_played(world: World) -> None:
    for recording in world.catalogue.recordings[:300]:
        artist, home = entities.printed(recording.credit), world.catalogue.home(recording.row)
        truth = world.truth(artist.upper(), recording.title.lower(), home.title)
        assert truth is not None
        assert truth.recording_mbid == recording.mbid
        assert truth.release_group_mbid == home.group.mbid
        assert (ARCHIVE in truth.has_art) == (world.has_art(home.group) and MUSICBRAINZ in truth.known_to)
    assert world.truth("Nobody", "Nothing", "") is None


def test_truth_follows_the_release_that_was_played(world: World) -> None:
    elsewhere = next(
        (recording, release)
        for recording in world.catalogue.recordings
        for release in recording.releases
        if release.group is not world.catalogue.home(recording.row).group
        and release.title.lower() != world.catalogue.home(recording.row).title.lower()
    )
    recording, release = elsewhere
    truth = world.truth(entities.printed(recording.credit), recording.title, release.title)
    assert truth is not None
    assert truth.release_group_mbid == release.group.mbid


def test_no_crowding_recording_or_decoy_could_be_taken_for_the_true_one(world: World) -> None:
    kinds = set()
    for recording in world.catalogue.recordings[:600]:
        extras = world.extras
        members = [*range(min(extras.crowd(recording.row), 20)), *range(0xF000, 0xF000 + extras.decoys(recording.row))]
        for member in members:
            extra = extras.recording(recording.row, member)
            same = (extra.title, extra.disambiguation) == (recording.title, recording.disambiguation)
            assert not same or extra.credit[0].artist.mbid != recording.credit[0].artist.mbid
            if member >= 0xF000:
                kinds.add(extras.decoy_kind(recording.row, member - 0xF000))
    assert kinds == set(conditions.Decoys().kinds)


def test_the_ids_of_made_things_lead_back_to_them(world: World) -> None:
    row = next(
        row
        for row in range(500)
        if world.extras.crowd(row) > 2 and world.knows(world.catalogue.recordings[row].credit[0].artist)
    )
    extra = world.extras.recording(row, 1)
    [release] = extra.releases
    assert world.recording(extra.mbid) is extra
    assert world.release(release.mbid) is release
    assert world.group(release.group.mbid) is release.group
    assert world.recording(ids.make(world.seed, ids.RECORDING, row, world.extras.crowd(row))) is None
    assert world.recording("11111111-1111-4111-8111-111111111111") is None


@pytest.mark.parametrize(("row", "member"), [(0, 0), (63_971, 2999), (2**28 - 1, 65_535)])
def test_an_id_can_be_read_only_with_its_seed(row: int, member: int) -> None:
    mbid = ids.make(5, ids.RELEASE, row, member)
    assert ids.read(5, mbid) == (ids.RELEASE, row, member)
    assert ids.read(6, mbid) is None
    assert ids.read(5, "no id at all") is None


@pytest.mark.parametrize("row", [0, 99_999, 100_000, 3_500_000])
def test_an_isrc_leads_back_to_its_row(row: int) -> None:
    assert build.row_of(build.isrc(row, 99)) == row


def test_recordings_by_unknown_artists_are_not_in_musicbrainz() -> None:
    world = World.invented(given(coverage={"musicbrainz": conditions.Coverage(0.5)}), artists=100)
    held = [world.recording(recording.mbid) is not None for recording in world.catalogue.recordings]
    known = [world.knows(recording.credit[0].artist) for recording in world.catalogue.recordings]
    assert held == known
    assert 0 < sum(held) < len(held)


def test_a_joint_credit_is_divided_among_its_artists(world: World) -> None:
    joint = next(each for each in world.catalogue.recordings if len(each.credit) == 2)
    assert entities.printed(joint.credit) == f"{joint.credit[0].credited} feat. {joint.credit[1].credited}"
    assert joint.credit[0].artist is not joint.credit[1].artist


def test_editions_of_one_album_share_their_release_group() -> None:
    two = [
        rows.Row("a" * 36, "The Testers", ids.plain(1), "Curtis", ids.plain(2), "One", 1),
        rows.Row("a" * 36, "The Testers", ids.plain(3), "Curtis (Deluxe Edition)", ids.plain(4), "Two", 2),
        rows.Row("a" * 36, "The Testers", ids.plain(5), "Curtis Lives [2011 Remaster]", ids.plain(6), "Three", 3),
        rows.Row("a" * 36, "The Testers", ids.plain(7), "Skin - EP", ids.plain(8), "Four", 4),
    ]
    catalogue = build.Catalogue(1, two)
    first, second, third, fourth = (catalogue.home(row).group for row in range(4))
    assert first is second
    assert third is not first
    assert third.title == "Curtis Lives"
    assert (first.primary, fourth.primary) == ("Album", "EP")


def test_a_release_of_several_artists_is_by_various_artists() -> None:
    release = ids.plain("motown")
    source = [
        rows.Row(ids.plain("artist", name), name, release, "Chartbusters", ids.plain(name), f"Song by {name}", 1)
        for name in ("The Firsts", "The Seconds")
    ]
    home = build.Catalogue(1, source).home(0)
    assert home.credit[0].artist.mbid == entities.VARIOUS_ARTISTS
    assert home.group.secondary == ("Compilation",)


def test_a_row_without_a_release_gets_a_single_of_its_own() -> None:
    home = build.Catalogue(1, [rows.Row("b" * 36, "Solo", "", "", ids.plain("x"), "Alone", 1)]).home(0)
    assert (home.title, home.group.primary) == ("Alone", "Single")


def test_a_catalogue_file_is_read_plain_and_packed_and_its_faults_are_named(tmp_path: Path) -> None:
    text = (
        "id,artist_credit_id,artist_mbids,artist_credit_name,release_mbid,release_name,recording_mbid,recording_name,"
        'combined_lookup,score\n1,1,m,"A, B",r,R,x,Ж,abz,7\n'
    )
    plain, packed, bad = tmp_path / "a.csv", tmp_path / "b.csv.gz", tmp_path / "c.csv"
    plain.write_text(text, "utf-8")
    packed.write_bytes(gzip.compress(text.encode()))
    assert list(rows.read(plain)) == list(rows.read(packed)) == [rows.Row("m", "A, B", "r", "R", "x", "Ж", 7)]
    bad.write_text("id,score\n1,2\n", "utf-8")
    with pytest.raises(ValueError, match="no column artist_mbids"):
        list(rows.read(bad))
    bad.write_text(text.replace(",7\n", ",seven\n"), "utf-8")
    with pytest.raises(ValueError, match="line 2"):
        list(rows.read(bad))


def test_conditions_are_read_from_the_layout_of_world_json(shared_data: Path) -> None:
    read = conditions.load(shared_data / "world.json")
    assert read.coverage["musicbrainz"].mean == 0.93
    assert read.front_share(ARCHIVE) == 0.66
    assert read.front_share("deezer") == 0.99
    assert read.faults["bad_day"] == {"archive_500": 0.5, "musicbrainz_shed": 0.25}
    assert (read.crowding.max, read.decoys.per_name, read.latency["archive_node"]) == (3000, 0.15, 0.75)


def test_conditions_that_are_wrong_are_refused_by_name() -> None:
    with pytest.raises(msgspec.ValidationError, match=r"recordings_per_name\.median"):
        conditions.decode(
            b'{"coverage": {}, "latency_seconds": {"median": {}}, "faults": {}, "recordings_per_name": {"median": "x"}}'
        )


def test_a_cover_tells_whose_it_is_from_its_bytes_alone(world: World) -> None:
    group = next(group for group in world.catalogue.groups.values() if world.has_art(group))
    for release in group.releases:
        for cover in world.covers(release):
            data = world.draw_cover(release, cover, 250)
            assert world.cover_truth(data) == (group.mbid if cover.front else "")
    assert world.cover_truth(b"\xff\xd8 some other image") == ""


def test_covers_of_different_albums_differ_and_are_always_the_same() -> None:
    pictures = [sleeves.Picture(f"front {ids.plain(number)}", f"Title {number}", "Artist") for number in range(12)]
    drawn = [sleeves.image(picture, 250, "jpg") for picture in pictures]
    assert len(set(drawn)) == len(drawn)
    sleeves.image.cache_clear()
    assert [sleeves.image(picture, 250, "jpg") for picture in pictures] == drawn


def test_every_group_with_art_has_a_release_with_a_front(world: World) -> None:
    for group in world.catalogue.groups.values():
        fronts = [cover.front for release in group.releases for cover in world.covers(release)]
        assert any(fronts) == world.has_art(group)


def test_invented_names_are_distinct_and_not_all_latin() -> None:
    made = list(invent.catalogue(3, 200))
    assert len({(row.artist.lower(), row.recording.lower()) for row in made}) == len(made)
    assert any(not coverage.has_latin(row.artist) for row in made)
    assert any(" feat. " in row.artist for row in made)


def test_the_sample_listener_plays_favourites_albums_and_repeats(world: World) -> None:
    source = listener.choices(world)
    played = [next(source) for _ in range(300)]
    again = listener.choices(world)
    assert played == [next(again) for _ in range(300)]
    assert all(world.truth(play.artist, play.track, play.release) for play in played)
    assert len({(play.artist, play.track) for play in played}) < 290
    albums = [one.release == other.release for one, other in itertools.pairwise(played)]
    assert sum(albums) > 60


async def test_the_waiting_listener_plays_the_same(world: World) -> None:
    source = listener.choices(world)
    number = 0
    async for play in listener.plays(world):
        assert play == next(source)
        number += 1
        if number == 20:
            break


def test_draws_are_pinned_so_that_worlds_stay_the_same_between_versions() -> None:
    assert draw.number(1, "musicbrainz", "Sigur Rós") == pytest.approx(0.32816261936146557, abs=1e-12)
    dice = draw.Dice(1, "x")
    assert [dice.between(1, 6) for _ in range(20)] == [2, 2, 4, 3, 5, 4, 3, 6, 5, 6, 6, 2, 4, 4, 1, 4, 6, 2, 3, 5]
