"""What a decision carries; which decision is taken is in tests/golden."""

from __future__ import annotations

from sleevenotes import model
from sleevenotes.matching import decide
from sleevenotes.matching.decide import Asked, Option


def option(mbid: str, title: str, by: str = "Queen", *, source: str = "a", albums: tuple[str, ...] = ()) -> Option:
    credit = model.ArtistCredit((model.ArtistCreditName(by, by),))
    releases = tuple(model.Release(each, each, model.ReleaseGroup(each, each, "Album")) for each in albums)
    return Option(model.Recording(mbid, title, credit), releases, source)


def test_a_match_says_how_it_came_about() -> None:
    chosen = decide.decide(Asked("queen", "Innuendo!", "Innuendo"), [option("1", "Innuendo", albums=("Innuendo",))])
    assert isinstance(chosen, decide.Chosen)
    match = chosen.match
    assert (match.recording.mbid, match.source, match.distance) == ("1", "a", 0.04)
    assert match.release is not None
    assert match.release.title == "Innuendo"
    assert match.reason == "artist and title agree (the title is written Innuendo); on the submitted album, Innuendo"
    assert [penalty.name for penalty in match.penalties] == ["the title is written Innuendo"]


def test_an_abstention_keeps_the_five_nearest_the_best_first() -> None:
    options = [option(str(number), f"Innuendo ({number} remix)") for number in range(9)]
    abstained = decide.decide(Asked("Queen", "Innuendo"), [*options, option("x", "Innuendo (live)", "Muse")])
    assert isinstance(abstained, decide.Abstained)
    assert len(abstained.candidates) == decide.KEPT
    distances = [weighed.distance for weighed in abstained.candidates]
    assert distances == sorted(distances)
    assert "different version: remix" in abstained.reason


def test_homonyms_are_named_in_the_reason() -> None:
    def by(mbid: str, note: str) -> Option:
        credit = model.ArtistCredit((model.ArtistCreditName(mbid, "Nirvana", disambiguation=note),))
        return Option(model.Recording(mbid, "Lithium", credit))

    abstained = decide.decide(Asked("Nirvana", "Lithium"), [by("1", "US band"), by("2", "UK band")])
    assert isinstance(abstained, decide.Abstained)
    assert abstained.reason == (
        "Nirvana (US band) and Nirvana (UK band) go by the same name, and nothing tells which is meant"
    )


def test_what_two_sources_tell_of_one_recording_is_taken_together() -> None:
    told = [option("1", "Innuendo", source="a"), option("1", "Innuendo", source="b", albums=("Jazz", "Innuendo"))]
    chosen = decide.decide(Asked("Queen", "Innuendo", "Innuendo"), told)
    assert isinstance(chosen, decide.Chosen)
    assert chosen.match.source == "a"
    assert chosen.release is not None
    assert chosen.release.title == "Innuendo"


def test_recordings_without_an_mbid_are_not_taken_for_one() -> None:
    told = [option("", "Innuendo", "Muse"), option("", "Innuendo", "Queen")]
    chosen = decide.decide(Asked("Queen", "Innuendo"), told)
    assert isinstance(chosen, decide.Chosen)
    assert chosen.match.recording.artist_credit.name == "Queen"


def test_one_artist_s_titles_that_are_equally_near_are_not_guessed_between() -> None:
    told = [option("1", "Angelz of Fire"), option("2", "Angelx of Fire")]
    assert isinstance(decide.decide(Asked("Queen", "Angels of Fire"), told), decide.Abstained)
