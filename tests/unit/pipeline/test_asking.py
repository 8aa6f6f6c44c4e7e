"""Whom to ask for a name, and when."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from sleevenotes import model
from sleevenotes.pipeline import asking
from sleevenotes.prediction.order import Outlook
from sleevenotes.sources import contract, registry
from sleevenotes.store import lookups

NOW = datetime(2026, 1, 1, tzinfo=UTC)
KEYED = contract.Keys(listenbrainz_token="t", lastfm_key="k", discogs_token="d")


def waves(
    keys: contract.Keys,
    band: model.Band,
    *,
    artist: str = "Low",
    track: str = "Words",
    plays: int = 1,
    tries: int = 0,
) -> list[list[str]]:
    lookup = lookups.Pending(id=1, artist=artist, track=track, release="", plays=plays, tries=tries, created_at=NOW)
    sources = [source for source in registry.usable(keys) if contract.FindRecording in source.policy.answers]
    return [
        [source.name + " anew" * wave.anew for source in wave.sources] for wave in asking.waves(sources, lookup, band)
    ]


def test_an_import_asks_cheap_and_bulk_first_and_leaves_the_slow_lanes_to_the_drip() -> None:
    assert waves(KEYED, model.Band.LOW_PRIORITY) == [
        ["listenbrainz"],
        ["musicbrainz"],
        ["listenbrainz_fuzzy"],
        ["deezer", "lastfm"],
        ["listenbrainz anew"],
        ["musicbrainz anew"],
    ]


def test_a_live_play_asks_everybody_quick_at_once_then_the_slow() -> None:
    quick, forgiving, *anew, slow = waves(KEYED, model.Band.DEFAULT)
    assert quick == ["listenbrainz", "musicbrainz", "deezer", "lastfm"]
    assert forgiving == ["listenbrainz_fuzzy"]
    assert anew == [["listenbrainz anew"], ["musicbrainz anew"]]
    assert slow == ["itunes", "discogs", "theaudiodb"]


def test_a_recheck_asks_the_slow_lanes_too_one_after_another_the_likeliest_first() -> None:
    assert waves(KEYED, model.Band.LOW_PRIORITY, tries=1)[-3:] == [["itunes"], ["discogs"], ["theaudiodb"]]
    assert waves(KEYED, model.Band.LOW_PRIORITY, tries=1, track="Go (Remix)")[-2:] == [["discogs"], ["itunes"]]
    assert waves(KEYED, model.Band.LOW_PRIORITY, tries=1, track="Hey (1968)")[-3:][0] == ["discogs"]


def test_what_is_much_played_theaudiodb_is_asked_for_all_the_same() -> None:
    assert "theaudiodb" in waves(KEYED, model.Band.DEFAULT, artist="DJ Koze", plays=40)[-1]


def test_without_keys_what_needs_them_is_left_out() -> None:
    assert waves(contract.Keys(), model.Band.LOW_PRIORITY) == [["musicbrainz"], ["deezer"], ["musicbrainz anew"]]
    assert waves(contract.Keys(), model.Band.DEFAULT)[-1] == ["itunes", "theaudiodb"]


@pytest.mark.parametrize(
    ("artist", "track"), [("Кино", "Группа крови"), ("DJ Koze", "Pick Up"), ("Moby", "Go (Woodtick Mix)")]
)
def test_theaudiodb_is_not_asked_for_what_it_hardly_knows(artist: str, track: str) -> None:
    assert "theaudiodb" not in waves(KEYED, model.Band.DEFAULT, artist=artist, track=track)[-1]


# ---------------------------------------------------------------- where a predictor is in force

CHANCES = {"deezer": 0.9, "lastfm": 0.5, "itunes": 0.95, "discogs": 0.02, "theaudiodb": 0.3}
LIKELY = Outlook(CHANCES, {}, 0.1, {}, frozenset())


def foreseen(band: model.Band, outlook: Outlook, *, tries: int = 0) -> list[list[str]]:
    lookup = lookups.Pending(id=1, artist="Low", track="Words", release="", plays=1, tries=tries, created_at=NOW)
    return [[source.name for source in wave.sources] for wave in asking.waves(ABLE, lookup, band, outlook)]


ABLE = [source for source in registry.usable(KEYED) if contract.FindRecording in source.policy.answers]
BEFORE = [["listenbrainz"], ["musicbrainz"], ["listenbrainz_fuzzy"]]
ANEW = [["listenbrainz"], ["musicbrainz"]]


def test_the_drip_asks_quick_and_slow_in_one_order_without_the_unlikely() -> None:
    told = foreseen(model.Band.LOW_PRIORITY, LIKELY, tries=1)
    assert told == [*BEFORE, *ANEW, ["itunes"], ["deezer"], ["lastfm"], ["theaudiodb"]]


def test_who_has_answered_is_heard_before_others_are_asked_and_whoever_served_ends_it() -> None:
    silent = LIKELY._replace(heard={"itunes": False}, answered=frozenset({"itunes"}))
    assert foreseen(model.Band.LOW_PRIORITY, silent, tries=1)[3:] == [
        ["itunes"], *ANEW, ["deezer"], ["lastfm"], ["theaudiodb"]
    ]  # fmt: skip
    served = LIKELY._replace(heard={"itunes": True}, answered=frozenset({"itunes"}))
    assert foreseen(model.Band.LOW_PRIORITY, served, tries=1)[3:] == [["itunes"], *ANEW]
    assert foreseen(model.Band.DEFAULT, served)[-1] == ["musicbrainz"]


def test_an_import_leaves_the_slow_to_the_drip_and_the_unlikely_out() -> None:
    shy = LIKELY._replace(chances={**CHANCES, "deezer": 0.01})
    assert foreseen(model.Band.LOW_PRIORITY, shy) == [*BEFORE, ["lastfm"], *ANEW]


def test_who_waits_has_all_the_likely_asked_at_once() -> None:
    first, _, *_, last = foreseen(model.Band.DEFAULT, LIKELY)
    assert first == ["listenbrainz", "musicbrainz", "deezer", "lastfm"]
    assert last == ["itunes", "theaudiodb"]


def test_covers_are_asked_for_as_declared_until_something_is_foreseen() -> None:
    able = [source for source in registry.usable(KEYED) if contract.FindImages in source.policy.answers]
    declared = [source.name for source in asking.for_covers(able)]
    assert declared == ["deezer", "lastfm", "theaudiodb", "itunes", "discogs"]
    assert [source.name for source in asking.for_covers(able, LIKELY)] == ["itunes", "deezer", "lastfm", "theaudiodb"]
