"""Asking the catalogue: exactly, with a few letters wrong, and where two go by one name."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from sleevenotes import catalogue, errors, names
from tests.dumps import BUILT, Row, built, mbid, write

QUEEN, BOWIE = mbid("artist", "Queen"), mbid("artist", "David Bowie")
ROWS = (
    Row("Sigur Rós", "Starálfur", "Ágætis byrjun"),
    Row("AC/DC", "T.N.T.", "High Voltage"),
    Row("Queen", "Innuendo", "Innuendo"),
    Row("David Bowie", "Heroes", "“Heroes”"),
    Row("Queen & David Bowie", "Under Pressure", "Hot Space", artists=f"{BOWIE},{QUEEN}"),
    Row("The Beatles", "Come Together", "Abbey Road"),
    Row("Radiohead", "Paranoid Android", "OK Computer"),
    Row("Radiohead", "Karma Police", "OK Computer"),
    Row("Эльдар", "Песня", "Альбом"),
)


@pytest.fixture
def opened(tmp_path: Path) -> catalogue.Catalogue:
    return built(tmp_path, ROWS)


def titles(entries: list[catalogue.Entry]) -> list[str]:
    return [f"{entry.artist_credit_name}: {entry.recording_name}" for entry in entries]


# ---------------------------------------------------------------- exactly


def test_a_name_is_found_whatever_its_case_accents_and_punctuation(opened: catalogue.Catalogue) -> None:
    sent = [("sigur ros", "STARALFUR"), ("ACDC", "TNT"), ("Nobody", "Nothing"), ("эльдар", "песня")]
    found = opened.exact(sent)
    assert [entry and entry.recording_name for entry in found] == ["Starálfur", "T.N.T.", None, "Песня"]


def test_an_entry_has_all_that_the_dump_says_and_the_group_that_the_redirect_says(opened: catalogue.Catalogue) -> None:
    [entry] = opened.exact([("AC/DC", "T.N.T.")])
    row = ROWS[1]
    assert entry is not None
    assert (entry.artist_credit_name, entry.artist_mbids) == ("AC/DC", (mbid("artist", "AC/DC"),))
    assert (entry.recording_mbid, entry.recording_name) == (row.own_recording, "T.N.T.")
    assert (entry.release_mbid, entry.release_name) == (row.own_release, "High Voltage")
    assert (entry.release_group_mbid, entry.score) == (row.own_group, 1)


def test_of_two_that_fold_together_the_one_spelt_as_sent_is_found_else_the_more_canonical(tmp_path: Path) -> None:
    opened = built(tmp_path, [Row("The Beatles", "Help", score=9), Row("The Beatles", "Help!", score=2)])
    found = opened.exact([("The Beatles", "Help"), ("The Beatles", "Help!"), ("The Beatles", "help?")])
    assert [entry and entry.recording_name for entry in found] == ["Help", "Help!", "Help!"]


def test_without_redirects_the_release_group_is_unknown(tmp_path: Path) -> None:
    [entry] = built(tmp_path, ROWS, groups=False).exact([("Queen", "Innuendo")])
    assert entry is not None
    assert entry.release_group_mbid == ""


# ---------------------------------------------------------------- whose name it is


def test_a_credit_is_split_where_both_sides_are_known_alone_whatever_the_order_of_their_ids(
    opened: catalogue.Catalogue,
) -> None:
    [entry] = opened.exact([("Queen & David Bowie", "Under Pressure")])
    assert entry is not None
    assert [(part.mbid, part.name, part.join_phrase) for part in entry.parts] == [
        (QUEEN, "Queen", " & "),
        (BOWIE, "David Bowie", ""),
    ]


def test_a_band_whose_name_has_a_comma_and_an_ampersand_stays_whole(tmp_path: Path) -> None:
    band, guests = "Earth, Wind & Fire", "The Emotions"
    both = f"{mbid('artist', guests)},{mbid('artist', band)}"
    opened = built(
        tmp_path, [Row(band, "September"), Row(guests, "Flowers"), Row(f"{band} & {guests}", "Boogie", artists=both)]
    )
    [entry] = opened.exact([(f"{band} & {guests}", "Boogie")])
    assert entry is not None
    assert [part.name for part in entry.parts] == [band, guests]


def test_whose_part_is_whose_is_not_guessed(tmp_path: Path) -> None:
    rows = [Row("Queen", "Innuendo"), Row("Queen & Somebody", "A Song", artists=f"{QUEEN},{mbid('somebody')}")]
    [entry] = built(tmp_path, rows).exact([("Queen & Somebody", "A Song")])
    assert entry is not None
    assert entry.parts == ()


def test_two_artists_of_one_name_are_homonyms_unless_one_has_recorded_five_times_as_much(tmp_path: Path) -> None:
    one, other = mbid("one"), mbid("other")
    rows = [Row("Nirvana", f"Song {n}", artists=one) for n in range(10)]
    rows += [Row("Nirvana", f"Tune {n}", artists=other) for n in range(3)]
    found = built(tmp_path / "close", rows).exact([("Nirvana", "Song 1"), ("Nirvana", "Tune 1")])
    assert [entry and (entry.recordings, entry.rivals, entry.is_homonym) for entry in found] == [
        (10, 3, True),
        (3, 10, True),
    ]
    found = built(tmp_path / "far", rows[:12]).exact([("Nirvana", "Song 1"), ("Nirvana", "Tune 1")])
    assert [entry and entry.is_homonym for entry in found] == [False, True]


def test_a_credit_that_shares_an_artist_is_no_rival(tmp_path: Path) -> None:
    rows = [Row("Queen", "One", artists=QUEEN), Row("Queen", "Two", artists=f"{QUEEN},{BOWIE}")]
    [entry] = built(tmp_path, rows).exact([("Queen", "One")])
    assert entry is not None
    assert entry.rivals == 0


# ---------------------------------------------------------------- a few letters wrong


@pytest.mark.parametrize(
    ("artist", "track"),
    [
        ("Radiohaed", "Paranoid Android"),
        ("Radohead", "Paranoid Android"),
        ("adiohead", "Paranoid Android"),
        ("Radioheads", "Paranoid Android"),
        ("Radiohead", "Paranoid Andriod"),
        ("Radiohead", "Paranoid Android - Remastered 2017"),
        ("Radiohead feat. Somebody", "Paranoid Android"),
        ("The Radiohead", "Paranoid Android"),
    ],
)
def test_a_name_with_a_letter_wrong_or_a_note_too_many_is_found(
    opened: catalogue.Catalogue, artist: str, track: str
) -> None:
    assert titles(opened.fuzzy(artist, track))[0] == "Radiohead: Paranoid Android"


@pytest.mark.parametrize("artist", ["David Bowie, Queen", "Queen feat. David Bowie", "Queen; David Bowie"])
def test_artists_otherwise_joined_are_found_where_each_is_known(opened: catalogue.Catalogue, artist: str) -> None:
    assert titles(opened.fuzzy(artist, "Under Pressure")) == ["Queen & David Bowie: Under Pressure"]


def test_a_name_is_split_only_where_the_catalogue_knows_all_its_parts(tmp_path: Path) -> None:
    rows = [Row("Earth, Wind & Fire", "September", "The Best of"), Row("Earth", "High Command", "Earth 2"), *ROWS]
    opened = built(tmp_path, rows)
    assert opened.artists("Earth, Wind & Fire") == ("Earth, Wind & Fire",)
    assert opened.artists("Earth, Wind & Fire & Queen") == ("Earth, Wind & Fire", "Queen")
    assert opened.artists("Queen & Nobody at all") == ("Queen & Nobody at all",)


@pytest.mark.parametrize(("artist", "track"), [("Beatles", "Come Together"), ("Beatles, The", "Come Togehter")])
def test_an_article_more_or_less_is_no_other_artist(opened: catalogue.Catalogue, artist: str, track: str) -> None:
    assert titles(opened.fuzzy(artist, track)) == ["The Beatles: Come Together"]


@pytest.mark.parametrize(
    ("artist", "track"), [("Metallica", "One"), ("Radiohead", "Bohemian Rhapsody"), ("Rad", "Karma")]
)
def test_what_is_nothing_like_it_is_not_found(opened: catalogue.Catalogue, artist: str, track: str) -> None:
    assert opened.fuzzy(artist, track) == []


def test_of_an_artist_with_too_many_titles_those_that_begin_alike_are_looked_through(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(catalogue.reading, "MOST_TITLES", 10)
    opened = built(tmp_path, [Row("Bach", f"Cantata {n}") for n in range(30)] + [Row("Bach", "Partita in D minor")])
    assert titles(opened.fuzzy("Bach", "Partita in D minro")) == ["Bach: Partita in D minor"]


# ---------------------------------------------------------------- the file


def test_where_there_is_none_there_is_none(tmp_path: Path) -> None:
    assert catalogue.open(tmp_path / "names.sqlite") is None


def test_a_catalogue_of_other_keys_is_refused_and_says_how_to_mend_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    built(tmp_path, ROWS).close()
    monkeypatch.setattr(names, "KEY_VERSION", 99)
    with pytest.raises(errors.Unusable, match=r"version 1 .* version 99: build it again"):
        catalogue.open(tmp_path / "names.sqlite")


def test_a_file_that_is_no_catalogue_is_refused(tmp_path: Path) -> None:
    (tmp_path / "names.sqlite").write_text("something else" * 1000)
    with pytest.raises(errors.Unusable, match="build it again"):
        catalogue.open(tmp_path / "names.sqlite")


def test_it_tells_what_it_holds(opened: catalogue.Catalogue) -> None:
    info = opened.info()
    assert (info.recordings, info.credits, info.release_groups) == (9, 8, 9)
    assert (info.key_version, info.built_at) == (names.KEY_VERSION, BUILT.isoformat())


def test_a_recording_redirects_to_the_canonical_one(tmp_path: Path) -> None:
    first, second = mbid("first"), mbid("second")
    write(tmp_path / "dump", ROWS, redirects=[(first, second)])
    catalogue.build.build(tmp_path / "dump", tmp_path / "names.sqlite", BUILT)
    opened = catalogue.open(tmp_path / "names.sqlite")
    assert opened is not None
    assert [opened.canonical(each) for each in (first, second)] == [second, second]


def test_a_new_catalogue_is_taken_up_and_the_old_one_answers_until_then(tmp_path: Path) -> None:
    shelf = catalogue.Shelf(tmp_path)
    assert shelf.current() is None
    built(tmp_path, [Row("Queen", "Innuendo")])
    old = shelf.current()
    assert old is not None
    assert shelf.current() is old
    built(tmp_path, [Row("Queen", "Headlong")])
    assert old.exact([("Queen", "Innuendo")]) != [None]
    new = shelf.current()
    assert new is not None
    assert [bool(each) for each in new.exact([("Queen", "Innuendo"), ("Queen", "Headlong")])] == [False, True]


def test_what_cannot_be_used_is_told_once_and_counts_as_none(tmp_path: Path) -> None:
    (tmp_path / "names.sqlite").write_text("something else" * 1000)
    told: list[str] = []
    shelf = catalogue.Shelf(tmp_path, told.append)
    assert [shelf.current(), shelf.current()] == [None, None]
    assert len(told) == 1


def test_several_threads_may_ask_at_once(tmp_path: Path) -> None:
    rows = [Row(f"Artist {n % 20}", f"Song {n}") for n in range(400)]
    opened = built(tmp_path, rows)

    def ask(start: int) -> bool:
        mine = rows[start:] + rows[:start]
        found = opened.exact([(row.artist, row.track) for row in mine])
        near = opened.fuzzy(mine[0].artist, mine[0].track)
        right = [
            entry is not None and entry.recording_mbid == row.own_recording
            for entry, row in zip(found, mine, strict=True)
        ]
        return all(right) and near[0].recording_mbid == mine[0].own_recording

    with ThreadPoolExecutor(8) as threads:
        assert all(threads.map(ask, range(0, 400, 5)))
