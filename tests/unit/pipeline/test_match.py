"""Looking at what was answered: releases that were looked up, and titles that hold more than the title."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, cast

import msgspec
import pytest

from sleevenotes import model
from sleevenotes.matching import decide
from sleevenotes.pipeline import answers, match
from sleevenotes.pipeline.tools import Tools
from sleevenotes.sources import contract, registry
from sleevenotes.store import lookups, replies

NOW = datetime(2026, 1, 1, tzinfo=UTC)
CREDIT = model.ArtistCredit((model.ArtistCreditName("", "Low", foreign_id="discogs:Low"),))
PAGE = contract.DescribeRelease("discogs:r7", "Words")
FOUND = contract.Answer(
    tuple(
        contract.RecordingCandidate(model.Recording("", "Words", CREDIT, foreign_id=f"discogs:{own}"))
        for own in ("r7", "r8")
    ),
    (PAGE,),
)
ON_IT = contract.Answer(
    (contract.RecordingCandidate(model.Recording("", "Words (Dub)", CREDIT, foreign_id="discogs:r7/A1")),)
)


def titles(page: contract.Answer | None, outcome: replies.Outcome = replies.Outcome.ANSWERED) -> list[str]:
    sources = registry.usable(contract.Keys(discogs_token="t"))
    tools = Tools(*cast("tuple[Any, Any, Any]", (None, None, None)), sources, cast("Any", None))
    told = reply(FOUND, b"search", replies.Outcome.ANSWERED)
    known = {("discogs", told.key): told}
    if page is not None:
        known["discogs", contract.key(PAGE)] = reply(page, contract.key(PAGE), outcome)
    return sorted(option.recording.title for option in answers.options(tools, [told], known))


def reply(answer: contract.Answer, key: bytes, outcome: replies.Outcome) -> replies.Reply:
    return replies.Reply("discogs", key, outcome, msgspec.to_builtins(answer), NOW)


def test_what_the_release_calls_it_takes_the_place_of_the_asked_title() -> None:
    assert titles(ON_IT) == ["Words", "Words (Dub)"]  # the other release's is still a mention


def test_a_release_that_has_it_not_is_no_candidate() -> None:
    assert titles(contract.ABSENT, replies.Outcome.ABSENT) == ["Words"]


@pytest.mark.parametrize("page", [None, contract.UNKNOWN])
def test_until_the_release_has_answered_the_mention_stands(page: contract.Answer | None) -> None:
    assert titles(page, replies.Outcome.GIVEN_UP) == ["Words", "Words"]


# ---------------------------------------------------------------- titles that hold more than the title


def asked(track: str) -> list[tuple[str, str]]:
    sources = registry.usable(contract.Keys(listenbrainz_token="t"))
    tools = Tools(*cast("tuple[Any, Any, Any]", (None, None, None)), sources, cast("Any", None))
    lookup = lookups.Pending(1, "Pink Floyd", track, "", 1, 0, NOW)
    first = next(match._waves(tools, lookup, {}, model.Band.LOW_PRIORITY))
    return [(source.name, each.track) for source, each in first if isinstance(each, contract.FindRecording)]


def test_who_compares_whole_names_is_asked_for_the_title_without_its_number_and_for_the_one_that_was_sent() -> None:
    assert asked("06 - Us and Them") == [("listenbrainz", "Us and Them"), ("listenbrainz", "06 - Us and Them")]


def test_a_title_that_holds_nothing_else_is_asked_once() -> None:
    assert asked("Us and Them") == [("listenbrainz", "Us and Them")]


def test_a_mention_that_names_releases_stays_beside_a_description_that_names_another() -> None:
    def on(title: str) -> contract.RecordingCandidate:
        by = model.ArtistCredit((model.ArtistCreditName("low", "Low"),))
        release = model.Release(title, title, model.ReleaseGroup(title, title))
        return contract.RecordingCandidate(model.Recording("r1", "Words", by), (release,))

    described = contract.DescribeRecording("r1")
    tools = Tools(
        *cast("tuple[Any, Any, Any]", (None, None, None)), registry.usable(contract.Keys()), cast("Any", None)
    )
    told = [reply(contract.Answer((on("Home"),)), b"search", replies.Outcome.ANSWERED)]
    told += [reply(contract.Answer((), (described,)), b"lookup", replies.Outcome.ANSWERED)]
    full = reply(contract.Answer((on("Best Of"),)), contract.key(described), replies.Outcome.ANSWERED)
    options = answers.options(tools, told, {("listenbrainz_metadata", full.key): full})
    [one] = decide.united(options)
    assert {release.title for release in one.releases} == {"Home", "Best Of"}
