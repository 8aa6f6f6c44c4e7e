"""What is asked about one play's own evidence, of whom, and what the answers make of it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, cast

import msgspec

from sleevenotes import model
from sleevenotes.clock import HandClock
from sleevenotes.matching import decide
from sleevenotes.model import Band
from sleevenotes.pipeline import evidence
from sleevenotes.pipeline.tools import Tools
from sleevenotes.sources import contract, registry
from sleevenotes.store import replies
from sleevenotes.store.evidence import Play

NOW = datetime(2026, 1, 1, tzinfo=UTC)
SOURCES = registry.usable(contract.Keys())
TOOLS = Tools(cast("Any", None), HandClock(), cast("Any", None), SOURCES, cast("Any", None))
CODE = contract.FindByIsrc("GBAYE7500101", "Low", "Words")
NAME = contract.FindRecording("Low", "Words")
MATCHED: dict[str, Any] = {"recording": "1", "release_group": "g1", "artist_mbids": frozenset({"low"})}

Answers = dict[tuple[str, contract.Question], tuple[contract.RecordingCandidate, ...]]


def played(*, pending: bool = False, duration_ms: int | None = None, hints: dict[str, Any], **shared: Any) -> Play:
    facts: dict[str, Any] = {"recording": "", "release_group": "", "artist_mbids": frozenset[str]()} | shared
    told = model.Evidence(**hints)
    return Play(7, 1, 3, "Low", "Words", "", duration_ms, told, pending, **facts)


def candidate(mbid: str, artist: str, *, foreign_id: str = "") -> contract.RecordingCandidate:
    credit = model.ArtistCredit((model.ArtistCreditName(artist, "Low", foreign_id="" if artist else "deezer:27"),))
    return contract.RecordingCandidate(model.Recording(mbid, "Words", credit, foreign_id=foreign_id))


def look(
    play: Play,
    answers: Answers,
    *told: contract.RecordingCandidate,
    band: Band = Band.DEFAULT,
    amid: model.ReleaseGroup | None = None,
    source: str = "musicbrainz",
) -> tuple[str | None, list[tuple[str, contract.Question]]]:
    """Return the identity of the play's own recording, and who is asked what."""
    known = {
        (source, contract.key(asked)): replies.Reply(
            source,
            contract.key(asked),
            replies.Outcome.ANSWERED if found else replies.Outcome.ABSENT,
            msgspec.to_builtins(contract.Answer(found)),
            NOW,
        )
        for (source, asked), found in answers.items()
    }
    options = [decide.Option(each.recording, each.releases, source) for each in told]
    came_to = evidence._look(TOOLS, evidence.Case(play, options, amid, known), band)
    own = came_to.decision.weighed.option.recording.identity if came_to.decision else None
    return own, [(source.name, asked) for source, asked in came_to.todo]


ISRC: dict[str, Any] = {"isrc": "gb-aye-75-00101"}
OWN, UK = candidate("1", "low"), candidate("2", "uk")


def test_where_somebody_waits_an_isrc_is_asked_about_at_once() -> None:
    assert look(played(pending=True, hints=ISRC), {}) == (None, [("musicbrainz", CODE)])
    assert look(played(hints=ISRC, **MATCHED), {}, OWN) == (None, [("musicbrainz", CODE)])


def test_in_an_import_an_isrc_is_asked_about_only_where_the_names_came_to_nothing() -> None:
    low = Band.LOW_PRIORITY
    assert look(played(pending=True, hints=ISRC), {}, band=low) == (None, [])
    assert look(played(hints=ISRC, **MATCHED), {}, OWN, band=low) == (None, [])
    assert look(played(hints=ISRC), {}, band=low) == (None, [("musicbrainz", CODE)])


def test_an_isrc_that_is_none_is_not_asked_about() -> None:
    assert look(played(hints={"isrc": "unknown"}), {}) == (None, [])


def test_a_shop_is_asked_by_isrc_only_where_the_names_came_to_nothing() -> None:
    nothing: Answers = {("musicbrainz", CODE): ()}
    assert look(played(hints=ISRC), nothing) == (None, [("deezer", CODE)])
    assert look(played(hints=ISRC, **MATCHED), nothing, OWN) == (None, [])
    assert look(played(pending=True, hints=ISRC), nothing) == (None, [])


def test_what_a_shop_has_by_isrc_is_the_plays_own_where_nothing_else_is_known() -> None:
    sold = candidate("", "", foreign_id="deezer:5")
    answers: Answers = {("musicbrainz", CODE): (), ("deezer", CODE): (sold,)}
    assert look(played(hints=ISRC), answers) == ("deezer:5", [])
    assert look(played(hints={**ISRC, "artist_mbids": ("low",)}), answers) == ("deezer:5", [])


def test_what_was_told_of_already_is_not_asked_about() -> None:
    named: dict[str, Any] = {"recording_mbid": "2"}
    asked = [("listenbrainz_metadata", contract.DescribeRecording("2"))]
    assert look(played(hints=named, **MATCHED), {}, OWN) == (None, asked)
    assert look(played(hints=named, **MATCHED), {}, OWN, UK) == ("2", [])


def test_while_the_names_of_an_import_are_looked_for_nobody_is_asked_hint_by_hint() -> None:
    play = played(pending=True, hints={"recording_mbid": "2"})
    question = contract.DescribeRecording("2")
    low = Band.LOW_PRIORITY
    assert look(play, {}, band=low) == (None, [("listenbrainz_metadata", question)])
    absent: Answers = {("listenbrainz_metadata", question): ()}
    assert look(play, absent, band=low) == (None, [])
    assert look(play, absent) == (None, [("musicbrainz", question)])
    assert look(played(hints={"recording_mbid": "2"}), absent, band=low) == (None, [("musicbrainz", question)])


def test_while_names_are_looked_for_only_the_answers_to_a_plays_own_hints_count() -> None:
    homonym = played(pending=True, hints={"artist_mbids": ("uk",)}, duration_ms=1000)
    assert look(homonym, {}, OWN, UK) == (None, [])
    named = played(pending=True, hints={"recording_mbid": "2"})
    assert look(named, {("listenbrainz_metadata", contract.DescribeRecording("2")): (UK,)}, OWN) == ("2", [])


def test_who_has_all_homonyms_is_asked_once_where_the_named_artist_is_not_among_what_was_told() -> None:
    play = played(hints={"artist_mbids": ("uk",)}, **MATCHED)
    assert look(play, {}, OWN) == (None, [("musicbrainz", NAME)])
    assert look(play, {("musicbrainz", NAME): (OWN,)}, OWN) == (None, [])
    assert look(play, {}, OWN, UK) == ("2", [])
    assert look(played(hints={"artist_mbids": ("low",)}, **MATCHED), {}) == (None, [])


BEST = model.ReleaseGroup("best", "Best Of")


def on(*groups: model.ReleaseGroup) -> contract.RecordingCandidate:
    releases = tuple(model.Release(f"edition of {each.mbid}", each.title, each) for each in groups)
    return contract.RecordingCandidate(OWN.recording, releases)


def test_amid_an_album_who_knows_all_releases_is_asked_once_where_others_told_of_the_recording() -> None:
    play, home = played(hints={}, **MATCHED), on(model.ReleaseGroup("g1", "Home"))
    question = contract.DescribeRecording("1")
    asked = [("musicbrainz", question)]
    assert look(play, {}, home, amid=BEST, source="listenbrainz_metadata") == (None, asked)
    assert look(play, {}, home, source="listenbrainz_metadata") == (None, [])
    assert look(play, {}, home, amid=BEST) == (None, [])
    imported = look(play, {}, home, amid=BEST, source="listenbrainz_metadata", band=Band.LOW_PRIORITY)
    assert imported == (None, [])  # a request for one play would hold up names that share one
    told: Answers = {("musicbrainz", question): (on(model.ReleaseGroup("g1", "Home"), BEST),)}
    assert look(play, told, home, amid=BEST, source="listenbrainz_metadata") == ("1", [])
    absent: Answers = {("musicbrainz", question): ()}
    assert look(play, absent, home, amid=BEST, source="listenbrainz_metadata") == (None, [])
