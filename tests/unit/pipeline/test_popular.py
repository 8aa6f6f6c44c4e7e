"""The drip's share of each round, and which of a description's facts are taken."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from sleevenotes import model
from sleevenotes.pipeline import popular, refreshed
from sleevenotes.sources import contract
from sleevenotes.store.popular import Subject
from tests.unit.store import given

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(("per_hour", "most_in_two_rounds"), [(1, 1), (10, 1), (60, 2), (300, 10), (6000, 200)])
def test_a_day_takes_what_an_hour_allows_and_no_round_more_than_two_rounds_share(
    per_hour: int, most_in_two_rounds: int
) -> None:
    spent, total, now = None, 0, NOW
    for _ in range(24 * 60):
        share, until = popular._share(spent, now, per_hour)
        assert share <= most_in_two_rounds
        spent = until if share else spent
        total += share
        now += timedelta(seconds=popular.ROUND)
    assert abs(total - 24 * per_hour) <= max(1, per_hour / 60)


def test_time_in_which_nothing_was_taken_is_not_made_up_for() -> None:
    share, until = popular._share(NOW - timedelta(days=3), NOW, 300)
    assert (share, until) == (10, NOW)


@pytest.mark.parametrize(
    ("now", "last"),
    [
        (datetime(2026, 1, 2, 2, 59, tzinfo=UTC), datetime(2026, 1, 1, 3, tzinfo=UTC)),
        (datetime(2026, 1, 2, 3, 0, tzinfo=UTC), datetime(2026, 1, 2, 3, tzinfo=UTC)),
    ],
)
def test_the_most_played_are_counted_at_night(now: datetime, last: datetime) -> None:
    assert popular._last_night(now) == last


def subject(**facts: object) -> Subject:
    plain = Subject(
        lookup_id=1,
        artist="Low",
        track="Words",
        release="",
        created_at=NOW,
        taken_at=NOW,
        match_id=1,
        recording_id=1,
        recording_mbid=given.mbid("r"),
        first_release_date="1977-10-28",
        release_id=1,
        release_mbid=given.release("The First", "Low").mbid,
        release_group_id=1,
        release_group_mbid=given.release("The First", "Low").release_group.mbid,
        artist_ids=(1,),
    )
    return msgspec.structs.replace(plain, **facts)


def test_the_matched_release_goes_before_others_of_its_group_and_those_of_other_groups_are_none() -> None:
    first = given.release("The First", "Low")
    early, late = (given.release(f"{year}", "Low", group="The First", date=year) for year in ("1994", "2001"))
    other = given.release("Another", "Low", date="1990")
    assert refreshed.on_album([late, other, first, early], subject()) == first
    assert refreshed.on_album([late, other, early], subject()) == early
    assert refreshed.on_album([other], subject()) is None


def test_a_year_is_no_news_where_a_day_is_known() -> None:
    told = given.recording("Words", "Low", first_release_date="1977")
    assert refreshed.vaguely(told, subject()).first_release_date == ""
    assert refreshed.vaguely(told, subject(first_release_date="")).first_release_date == "1977"


def test_a_full_description_is_one_that_sorts_the_artists() -> None:
    assert refreshed.is_full(contract.RecordingCandidate(given.recording("Words", "Low")))
    bare = model.ArtistCredit((model.ArtistCreditName(given.mbid("Low"), "Low"),))
    assert not refreshed.is_full(contract.RecordingCandidate(model.Recording(given.mbid("r"), "Words", bare)))
