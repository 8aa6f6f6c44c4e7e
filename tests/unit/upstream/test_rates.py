"""What a service's own headers say of the rate that is left."""

from __future__ import annotations

import pytest

from sleevenotes.sources import contract, discogs, listenbrainz, musicbrainz
from sleevenotes.upstream import rates


def reply(**headers: str) -> contract.Reply:
    return contract.Reply(200, {name.replace("_", "-"): value for name, value in headers.items()}, b"", "https://a.org")


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"x_ratelimit_remaining": "1", "x_ratelimit_reset_in": "9"}, 0.0),
        ({"x_ratelimit_remaining": "0", "x_ratelimit_reset_in": "9"}, 9.0),
        ({"x_ratelimit_remaining": "soon"}, 0.0),
        ({}, 0.0),
    ],
)
def test_listenbrainz_says_when_its_window_ends(headers: dict[str, str], seconds: float) -> None:
    assert rates.spent_for(listenbrainz.ListenBrainz("t").policy, reply(**headers)) == seconds


def test_discogs_says_only_that_nothing_is_left_so_the_next_slot_is_waited_for() -> None:
    policy = discogs.Discogs("t").policy
    assert rates.spent_for(policy, reply(x_discogs_ratelimit_remaining="0")) == policy.window / policy.requests
    assert rates.spent_for(policy, reply(x_discogs_ratelimit_remaining="3")) == 0.0


def test_musicbrainz_counts_are_the_whole_sites_and_pace_nothing() -> None:
    policy = musicbrainz.MusicBrainz().policy
    assert rates.spent_for(policy, reply(x_ratelimit_remaining="0", x_ratelimit_reset_in="9")) == 0.0
